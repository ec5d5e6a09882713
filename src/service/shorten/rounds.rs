//! How codes are found or made, for any number of links at once.
//!
//! A plain link of a new address is entered and claimed in one step, with a code drawn to lie where
//! its address lies. For all others the index of addresses and the links may lie in different
//! places, where no step can touch both: each round first enters codes under their addresses
//! (compare-and-set), and then claims the links. Whoever finds an entry whose link is missing claims
//! that code with a link of their own: so of any number of concurrent mints exactly one claims it,
//! and a mint that died half-way is completed by the next.

use std::collections::{HashMap, HashSet, VecDeque};

use jiff::Timestamp;

use super::mint::{Choice, Draft, Minted, Outcome};
use super::{MAX_CODES, Shorten, ShortenError};
use crate::model::code::Code;
use crate::model::host::Host;
use crate::model::link::{Link, Standing};
use crate::model::target::Target;
use crate::store::{Claim, Codes, Links, Mint, StoreError, Swap};

/// Rounds after which something must be wrong with the store. Each round of contention ends with
/// somebody's success, and an address has at most [`MAX_CODES`] codes.
const MAX_ROUNDS: usize = 2 * MAX_CODES;

/// What rows have in common that get one link: the target, and the host that they ask for.
type Wish = (Target, Option<Host>);

fn wish_of(link: &Link) -> Wish {
    (link.target.clone(), link.host.clone())
}

/// One link on its way, and the rows that wait for it.
struct Job {
    link: Link,
    choice: Choice,
    /// The first gets the link as its own, the others as one that is there.
    rows: VecDeque<usize>,
    /// Codes drawn so far, the current one not counted.
    draws: usize,
    /// Addresses under which the current code was put by this very job.
    placed: Vec<Target>,
    /// What this job put where before it turned out to belong to others: to be taken out again.
    collided: Vec<(Target, Code)>,
    /// Whether the links behind the entry must be looked at before anything else is done.
    look: bool,
    outcome: Option<Outcome>,
}

impl Job {
    fn new(row: usize, draft: Draft) -> Self {
        Self {
            link: draft.link,
            choice: draft.choice,
            rows: VecDeque::from([row]),
            draws: 0,
            placed: vec![],
            collided: vec![],
            look: false,
            outcome: None,
        }
    }

    fn open(&self) -> bool {
        self.outcome.is_none()
    }

    fn redraw(&mut self, shorten: &Shorten) {
        self.draws += 1;
        self.go_on_with(shorten.draw(self.draws));
    }

    fn go_on_with(&mut self, code: Code) {
        if self.link.code != code {
            self.placed.clear();
            self.link.code = code;
        }
    }

    fn fail(&mut self, error: ShortenError) {
        self.outcome = Some(Err(error));
    }
}

/// All links of a request on their way.
pub(super) struct Rounds<'a> {
    shorten: &'a Shorten,
    now: Timestamp,
    jobs: Vec<Job>,
    /// What is believed to stand under each address; nothing, until a swap tells better.
    entries: HashMap<Target, Codes>,
    /// Rows' drafts, for those that waited for a link that could not be made.
    drafts: HashMap<usize, Draft>,
}

impl<'a> Rounds<'a> {
    pub(super) fn new(shorten: &'a Shorten, drafts: Vec<(usize, Draft)>, now: Timestamp) -> Self {
        let mut jobs: Vec<Job> = Vec::with_capacity(drafts.len());
        let mut by_wish: HashMap<Wish, usize> = HashMap::new();
        let mut waiting = HashMap::new();
        for (row, draft) in drafts {
            let wish = wish_of(&draft.link);
            match by_wish.get(&wish) {
                Some(job) if draft.choice == Choice::Any => {
                    jobs[*job].rows.push_back(row);
                    waiting.insert(row, draft);
                }
                _ => {
                    by_wish.entry(wish).or_insert(jobs.len());
                    jobs.push(Job::new(row, draft));
                }
            }
        }
        Self { shorten, now, jobs, entries: HashMap::new(), drafts: waiting }
    }

    /// Runs until every row has its outcome.
    pub(super) async fn run(mut self) -> Vec<(usize, Outcome)> {
        if let Err(e) = self.run_rounds().await {
            for job in self.jobs.iter_mut().filter(|job| job.open()) {
                job.fail(e.clone().into());
            }
        }
        self.jobs.into_iter().flat_map(answers).collect()
    }

    async fn run_rounds(&mut self) -> Result<(), StoreError> {
        self.look_up_wished_codes().await?;
        self.mint_at_once().await?;
        for _ in 0..MAX_ROUNDS {
            self.release_waiting_rows();
            if !self.jobs.iter().any(Job::open) {
                return Ok(());
            }
            self.consult().await?;
            self.enter().await?;
            self.consult().await?;
            self.claim().await?;
        }
        Err(restless())
    }

    /// A code that a publisher chose is looked at before it is entered anywhere.
    async fn look_up_wished_codes(&mut self) -> Result<(), StoreError> {
        let wished = |job: &&mut Job| job.open() && job.choice == Choice::This;
        let codes: Vec<Code> =
            self.jobs.iter_mut().filter(wished).map(|job| job.link.code.clone()).collect();
        if codes.is_empty() {
            return Ok(());
        }
        let links = self.shorten.links.store().get_many(&codes).await?;
        for (job, there) in self.jobs.iter_mut().filter(wished).zip(links) {
            job.outcome = there.map(|there| wish_meets(self.shorten, &job.link, there));
        }
        Ok(())
    }

    /// Most links are of new addresses, and of one address each: they are entered and claimed in
    /// one step. What that finds in the way is left to the rounds.
    async fn mint_at_once(&mut self) -> Result<(), StoreError> {
        let plain = |job: &&mut Job| {
            job.open() && job.choice == Choice::Any && job.link.article == job.link.target
        };
        let links: Vec<Link> =
            self.jobs.iter_mut().filter(plain).map(|job| job.link.clone()).collect();
        if links.is_empty() {
            return Ok(());
        }
        let mints = self.shorten.links.mint(&links).await?;
        for (job, mint) in self.jobs.iter_mut().filter(plain).zip(mints) {
            match mint {
                Mint::Minted => job.outcome = Some(Ok(Minted::New(job.link.clone()))),
                Mint::Taken => job.redraw(self.shorten),
                Mint::Apart => {}
                Mint::Known(codes) => {
                    self.entries.insert(job.link.target.clone(), codes);
                    job.look = true;
                }
            }
        }
        Ok(())
    }

    /// Rows that waited for a link which could not be made (its code was taken) go their own way.
    fn release_waiting_rows(&mut self) {
        let mut released = Vec::new();
        let failed =
            |job: &&mut Job| job.choice != Choice::Any && matches!(job.outcome, Some(Err(_)));
        for job in self.jobs.iter_mut().filter(failed) {
            let rows = job.rows.split_off(1);
            released.extend(rows);
        }
        let mut by_wish: HashMap<Wish, usize> = HashMap::new();
        for row in released {
            let Some(draft) = self.drafts.remove(&row) else { continue };
            match by_wish.get(&wish_of(&draft.link)) {
                Some(job) => {
                    self.jobs[*job].rows.push_back(row);
                    self.drafts.insert(row, draft);
                }
                None => {
                    by_wish.insert(wish_of(&draft.link), self.jobs.len());
                    self.jobs.push(Job::new(row, draft));
                }
            }
        }
    }

    /// Looks at the links behind the entries that were found, for those who will do with any code:
    /// the first that stands is theirs; else they complete an interrupted mint; else they go on
    /// with a code of their own.
    async fn consult(&mut self) -> Result<(), StoreError> {
        let looking = |job: &&mut Job| job.open() && job.look;
        let mut codes = Vec::new();
        for job in self.jobs.iter_mut().filter(looking) {
            let entry = self.entries.get(&job.link.target);
            codes.push(entry.map_or(vec![], |entry| entry.0.clone()));
        }
        if codes.is_empty() {
            return Ok(());
        }
        let mut links = self.shorten.links.store().get_many(&codes.concat()).await?.into_iter();
        for (job, codes) in self.jobs.iter_mut().filter(looking).zip(codes) {
            job.look = false;
            let behind: Vec<Option<Link>> = links.by_ref().take(codes.len()).collect();
            let ours = |link: &&Link| {
                link.leads_to(&job.link.target)
                    && self.shorten.serves(&job.link, link)
                    && link.stands_for_its_article_at(self.now)
            };
            if let Some(link) = behind.iter().flatten().find(ours) {
                job.outcome = Some(Ok(Minted::Existing(link.clone())));
            } else if let Some(at) = behind.iter().position(Option::is_none) {
                job.go_on_with(codes[at].clone());
            } else if codes.contains(&job.link.code) {
                job.redraw(self.shorten);
            }
        }
        Ok(())
    }

    /// Enters the codes that are not yet known to stand under their addresses.
    async fn enter(&mut self) -> Result<(), StoreError> {
        let (swaps, placing) = self.swaps();
        if swaps.is_empty() {
            return Ok(());
        }
        let found = self.shorten.links.swap_codes(&swaps).await?;
        let mut changed = HashSet::new();
        for (swap, found) in swaps.into_iter().zip(found) {
            if found.is_some() {
                changed.insert(swap.address.clone());
            }
            self.entries.insert(swap.address, found.unwrap_or(swap.new));
        }
        for (job, address) in placing.into_iter().filter(|(_, at)| !changed.contains(at)) {
            self.jobs[job].placed.push(address);
        }
        for job in self.jobs.iter_mut().filter(|job| job.open() && job.choice == Choice::Any) {
            job.look = changed.contains(&job.link.target);
        }
        Ok(())
    }

    /// One swap for each address that lacks a code, for all links that meet there; and which job
    /// puts its code where. A job that will do with any code may turn to another one until its own
    /// stands under its target, so only then is it put under the article, where nobody would take
    /// it out again.
    fn swaps(&mut self) -> (Vec<Swap>, Vec<(usize, Target)>) {
        let (mut swaps, mut placing) = (Vec::<Swap>::new(), Vec::new());
        let mut by_address: HashMap<Target, usize> = HashMap::new();
        for (number, job) in self.jobs.iter_mut().enumerate().filter(|(_, job)| job.open()) {
            let addresses: Vec<Target> = job.link.addresses().cloned().collect();
            for address in addresses {
                let old = self.entries.entry(address.clone()).or_default();
                if old.0.contains(&job.link.code) {
                    continue;
                }
                let at = *by_address.entry(address.clone()).or_insert_with(|| {
                    let (old, new) = (old.clone(), old.clone());
                    swaps.push(Swap { address: address.clone(), old, new });
                    swaps.len() - 1
                });
                match put_in(&mut swaps[at].new, job, &address) {
                    Ok(Put::There) => {}
                    Ok(Put::New) => placing.push((number, address)),
                    Err(full) => job.fail(full),
                }
                if !job.open() || job.choice == Choice::Any {
                    break;
                }
            }
        }
        swaps.retain(|swap| swap.old != swap.new);
        (swaps, placing)
    }

    /// Claims the code of every link that stands under all of its addresses.
    async fn claim(&mut self) -> Result<(), StoreError> {
        let entries = &self.entries;
        let entered = |job: &Job| {
            let stands =
                |address| entries.get(address).is_some_and(|e| e.0.contains(&job.link.code));
            job.link.addresses().all(stands)
        };
        let ready: Vec<usize> = (0..self.jobs.len())
            .filter(|at| self.jobs[*at].open() && !self.jobs[*at].look && entered(&self.jobs[*at]))
            .collect();
        if ready.is_empty() {
            return Ok(());
        }
        let links: Vec<Link> = ready.iter().map(|at| self.jobs[*at].link.clone()).collect();
        let claims = self.shorten.links.claim(&links).await?;
        for ((at, link), claim) in ready.into_iter().zip(links).zip(claims) {
            match claim {
                Claim::Claimed => self.jobs[at].outcome = Some(Ok(Minted::New(link))),
                Claim::Taken => self.lost(at).await?,
            }
        }
        Ok(())
    }

    /// Somebody else has the code. For whoever will do with any, it may be theirs all the same.
    async fn lost(&mut self, at: usize) -> Result<(), StoreError> {
        let code = self.jobs[at].link.code.clone();
        let there = self.shorten.links.store().get(&code).await?;
        // Whoever completed the mint with a link for another host has the code under this address.
        let theirs =
            |address: &Target| there.iter().any(|link| link.addresses().any(|own| own == address));
        let job = &mut self.jobs[at];
        let mut placed = std::mem::take(&mut job.placed);
        placed.retain(|address| !theirs(address));
        job.collided.extend(placed.iter().map(|address| (address.clone(), code.clone())));
        match job.choice {
            Choice::Any => job.look = true,
            Choice::Fresh => job.redraw(self.shorten),
            Choice::This => {
                job.outcome = there.map(|there| wish_meets(self.shorten, &job.link, there));
                let placed = if matches!(job.outcome, Some(Err(_))) { placed } else { vec![] };
                for address in placed {
                    self.shorten.take_out(&address, &code).await?;
                    // What stands there now is not known any more.
                    self.entries.remove(&address);
                }
            }
        }
        Ok(())
    }
}

/// What came of putting a code among others.
enum Put {
    New,
    There,
}

/// Puts a job's code among those of an address, and takes out those of its codes that turned out
/// to belong to others. What replaces a link that is gone comes first, what is asked for beside
/// another comes last.
fn put_in(codes: &mut Codes, job: &Job, address: &Target) -> Result<Put, ShortenError> {
    let collided = |code: &Code| job.collided.iter().any(|(at, own)| at == address && own == code);
    codes.0.retain(|code| !collided(code));
    if codes.0.contains(&job.link.code) {
        return Ok(Put::There);
    }
    if codes.0.len() >= MAX_CODES {
        return Err(ShortenError::TooManyCodes(address.clone()));
    }
    let replaces = job.choice == Choice::Any && job.link.host.is_none();
    let first = replaces && *address == job.link.target;
    let at = if first { 0 } else { codes.0.len() };
    codes.0.insert(at, job.link.code.clone());
    Ok(Put::New)
}

/// A code was asked for, and there is a link with it.
fn wish_meets(shorten: &Shorten, wish: &Link, there: Link) -> Outcome {
    if there.standing == Standing::Deleted {
        return Err(ShortenError::CodeRetired(there.code));
    }
    if there.leads_to(&wish.target) && shorten.serves(wish, &there) {
        Ok(Minted::Existing(there))
    } else {
        Err(ShortenError::CodeTaken(there.code))
    }
}

fn restless() -> StoreError {
    StoreError::Unavailable("the codes of an address keep changing".into())
}

/// What each row of a job is told.
fn answers(job: Job) -> Vec<(usize, Outcome)> {
    let outcome = job.outcome.unwrap_or_else(|| Err(restless().into()));
    let again = match &outcome {
        Ok(minted) => Ok(Minted::Existing(minted.link().clone())),
        Err(e) => Err(e.clone()),
    };
    let mut rows = job.rows.into_iter();
    let first = rows.next().map(|row| (row, outcome));
    first.into_iter().chain(rows.map(|row| (row, again.clone()))).collect()
}
