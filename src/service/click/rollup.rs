//! Journal → tallies → store, exactly once.
//!
//! The journal is the log, the store's own positions say how much of it is counted. A batch says
//! "add this if lane L stands at X, and set it to Y": it is applied whole or refused with the place
//! where the store does stand, and the roll-up goes on from there. A lost reply, a retry, a second
//! roll-up, a store brought back from an older copy: all of them end in a refusal, none in a click
//! counted twice or not at all.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;

use super::enrich::{Enricher, NoSalt, Reading};
use super::figures::Figures;
use super::milestones::Milestones;
use super::sums::{Due, Sums};
use super::{Fsync, Settings};
use crate::model::code::{Code, random_bytes};
use crate::model::link::Link;
use crate::model::tally::{Day, Quarter};
use crate::service::auth::to_the_millisecond;
use crate::service::live::Pulse;
use crate::store::cached::Cached;
use crate::store::journal::{Entry, Journal, READ_AT_ONCE, Reader};
use crate::store::{
    Account, Applied, Batch, Bulletin as _, Lane, Move, Partitions as _, Position, Progress, Store,
    StoreError, Tallies as _,
};

/// Bytes of the journal read in one round, over all lanes: about 150,000 clicks. The rows of the
/// links that are clicked are written once a round, so a long one costs less a click.
const ROUND_BYTES: usize = 32 * 1024 * 1024;
/// Links after which a round reads no further: each takes about a thousand bytes of memory, and
/// some 30 µs of a Redis that readers ask as well.
const ROUND_LINKS: usize = 20_000;
/// Partitions that are given their batches at the same time. Redis does one thing after another, and
/// each of them has a time limit that begins when it is asked.
const PARTITIONS_AT_ONCE: usize = 16;

/// Why a round came to nothing. It is tried again.
#[derive(Debug, thiserror::Error)]
pub enum RollupError {
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal can't be read.
    #[error("the journal can't be read: {0}")]
    Journal(#[from] io::Error),
}

/// Whether there is more to do at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// Something was counted, and there is more; or the store turned out to stand elsewhere.
    Behind,
    /// Something was counted, and hardly more can have come since.
    Moved,
    /// The store stands at the end of the journal.
    Idle,
}

/// Rolls one node's journal up into the store. Any number may run at once; one is enough.
pub struct Rollup {
    links: Cached,
    journal: Arc<Journal>,
    settings: Settings,
    enricher: Enricher,
    readers: BTreeMap<Lane, Reader>,
    /// Where each partition stands, as far as we know; `None` when it must be asked.
    known: Option<Vec<Progress>>,
    /// Clicks that the store had counted when it last said so, ever; `None` before it first did.
    counted: Option<u64>,
    milestones: Milestones,
    figures: Arc<Figures>,
}

/// What was read of the journal in one round.
#[derive(Default)]
struct Stretch {
    /// All of it summed up.
    sums: Sums,
    /// Whether there is more than fits a round.
    behind: bool,
    /// The days whose secrets are needed before any lane of them can be read on.
    no_salt: BTreeSet<Day>,
}

impl Rollup {
    /// A roll-up that begins wherever the store says it stands.
    #[must_use]
    pub fn new(
        links: Cached,
        journal: Arc<Journal>,
        settings: Settings,
        enricher: Enricher,
        figures: Arc<Figures>,
    ) -> Self {
        Self {
            links,
            journal,
            settings,
            enricher,
            readers: BTreeMap::new(),
            known: None,
            counted: None,
            milestones: Milestones::default(),
            figures,
        }
    }

    /// Counts the next stretch of the journal.
    ///
    /// # Errors
    /// [`RollupError`]; nothing is lost, the next round begins where the store then stands.
    pub async fn round(&mut self, now: Timestamp) -> Result<Round, RollupError> {
        self.enricher.refresh(now);
        let outcome = self.try_round(now).await;
        if outcome.is_err() {
            // Whether it was applied or not, nobody knows: ask.
            self.known = None;
        }
        outcome
    }

    async fn try_round(&mut self, now: Timestamp) -> Result<Round, RollupError> {
        let known = match self.known.take() {
            Some(known) => known,
            None => self.ask().await?,
        };
        let Stretch { sums, behind, no_salt } = self.read(&known)?;
        // Whatever becomes of what was read, reading goes on with them.
        self.fetch_salts(&no_salt, now).await?;
        let batches = self.batches(&known, sums, now).await?;
        let moving: Vec<_> =
            batches.iter().enumerate().filter(|(_, b)| !b.moves.is_empty()).collect();
        if moving.is_empty() {
            self.known = Some(known);
            return Ok(if behind { Round::Behind } else { Round::Idle });
        }
        if self.settings.fsync == Fsync::Interval {
            // What was read is on the disk before the store counts it: the store is never ahead of
            // a journal that lost its tail with the power.
            self.journal.sync()?;
        }
        let node = self.journal.node();
        let applying = moving.iter().map(|(at, batch)| self.store().apply(node, *at, batch));
        let outcomes: Vec<_> = stream::iter(applying).buffered(PARTITIONS_AT_ONCE).collect().await;
        self.tell(&moving, &outcomes, now).await;
        self.known = self.settle(known, &moving, outcomes)?;
        Ok(if behind || self.known.is_none() { Round::Behind } else { Round::Moved })
    }

    /// Asks the store where it stands; the lanes are opened again there. What it counted although its
    /// answer was lost shows in the figures now.
    async fn ask(&mut self) -> Result<Vec<Progress>, StoreError> {
        self.readers.clear();
        let found = self.store().progress(self.journal.node()).await?;
        let counted = found.iter().map(|partition| partition.counted).sum::<u64>();
        if let Some(before) = self.counted.replace(counted) {
            self.figures.counted(counted.saturating_sub(before));
        }
        Ok(found)
    }

    /// Gets the secrets of these days. What was long ago is forgotten, but nothing that a journal
    /// which is far behind may ask for again, and nothing of now for a click of a day to come.
    pub(super) async fn fetch_salts(
        &mut self,
        days: &BTreeSet<Day>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if days.is_empty() {
            return Ok(());
        }
        let forget_before = self.enricher.salts_kept_from(Quarter::of(now).day());
        self.enricher.forget_salts(forget_before);
        for day in days {
            let salt = self.store().salt(*day, &random_bytes(), forget_before).await?;
            self.enricher.put_salt(*day, salt);
        }
        Ok(())
    }

    /// Forgets the secrets of days long ago, here and in the store. Only to be called when everything
    /// in the journal is counted: then it asks for none of them again. The clock is believed: a
    /// secret that is forgotten too early counts some visitors of a day twice, one that is kept is a
    /// promise that is broken.
    ///
    /// # Errors
    /// The store's.
    pub async fn forget_salts(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let before = self.enricher.salts_kept_from(Quarter::of(now).day());
        self.enricher.forget_salts(before);
        self.store().forget_salts(before).await
    }

    fn store(&self) -> &Store {
        self.links.store()
    }

    /// What makes visits of clicks here, for the archive: it remembers agents and secrets.
    pub(super) fn enricher(&mut self) -> &mut Enricher {
        &mut self.enricher
    }

    /// What is known after the store has answered; `None` when it stood elsewhere. What one partition
    /// counted is counted, whatever became of the others.
    fn settle(
        &mut self,
        mut known: Vec<Progress>,
        moving: &[(usize, &Batch)],
        outcomes: Vec<Result<Applied, StoreError>>,
    ) -> Result<Option<Vec<Progress>>, StoreError> {
        let (mut elsewhere, mut failure) = (false, None);
        for ((at, batch), outcome) in moving.iter().zip(outcomes) {
            match outcome {
                Ok(Applied::Done) => {
                    known[*at].lanes.extend(batch.moves.iter().map(|step| (step.lane, step.to)));
                    self.counted = self.counted.map(|counted| counted + batch.clicks);
                    self.figures.counted(batch.clicks);
                }
                Ok(Applied::Elsewhere(_)) => elsewhere = true,
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        if elsewhere {
            self.figures.went_back();
            tracing::warn!("the store stands elsewhere than expected; going on from there");
        }
        match failure {
            Some(error) => Err(error),
            None => Ok((!elsewhere).then_some(known)),
        }
    }

    /// Tells who is watching what was counted. A courtesy: no figure depends on it.
    async fn tell(
        &self,
        moving: &[(usize, &Batch)],
        outcomes: &[Result<Applied, StoreError>],
        now: Timestamp,
    ) {
        let done = |outcome: &_| matches!(outcome, Ok(Applied::Done));
        let counted = moving.iter().zip(outcomes).filter(|(_, outcome)| done(outcome));
        let batches = counted.map(|((_, batch), _)| *batch);
        let Some(pulse) = Pulse::of(self.journal.node(), now, batches) else { return };
        if let Err(error) = self.store().tell(&pulse.to_bytes()).await {
            tracing::debug!(%error, "who is watching is not told of clicks that were counted");
        }
    }

    /// Asks the store where it stands, and goes there if that is not where we believe it to be: it
    /// may have been brought back from an older copy while nobody clicked.
    ///
    /// # Errors
    /// The store's, the journal's. Then the next round asks again: no round finds that there is
    /// nothing to do while the store does not answer.
    pub async fn verify(&mut self) -> Result<(), RollupError> {
        // Put back when it is confirmed.
        let known = self.known.take();
        let found = self.store().progress(self.journal.node()).await?;
        self.known = known.filter(|known| {
            known.iter().zip(&found).all(|(known, found)| known.lanes == found.lanes)
        });
        Ok(())
    }

    /// Puts a reader into every lane that has none, where the furthest-back partition stands.
    fn open_lanes(&mut self, known: &[Progress]) -> io::Result<()> {
        for lane in self.journal.lanes() {
            if let std::collections::btree_map::Entry::Vacant(place) = self.readers.entry(lane) {
                place.insert(self.journal.reader(lane)).seek(floor(known, lane))?;
            }
        }
        Ok(())
    }

    /// Reads on in every lane, and sums up what was not counted everywhere yet.
    fn read(&mut self, known: &[Progress]) -> io::Result<Stretch> {
        self.open_lanes(known)?;
        let mut stretch = Stretch::default();
        let stretches = ROUND_BYTES / (READ_AT_ONCE * self.readers.len().max(1));
        for _ in 0..stretches.max(1) {
            stretch.behind = self.read_on(known, &mut stretch)?;
            let enough = stretch.sums.links() >= ROUND_LINKS || !stretch.no_salt.is_empty();
            if enough || !stretch.behind {
                break;
            }
        }
        Ok(stretch)
    }

    /// Reads on once in every lane, but no click whose visitor can't be told yet; says whether there
    /// is more.
    fn read_on(&mut self, known: &[Progress], stretch: &mut Stretch) -> io::Result<bool> {
        let Stretch { sums, no_salt, .. } = stretch;
        let enricher = &mut self.enricher;
        let (mut behind, mut amid) = (false, None);
        for (lane, reader) in &mut self.readers {
            let (damaged, ceiling) = (reader.damaged(), ceiling(known, *lane));
            let mut day = None;
            // One reading of each lane, and then it is the next one's turn.
            let more = reader.read_while(1, |place, entry| {
                let (Entry::Click(click) | Entry::Orphan(click)) = entry else {
                    return ControlFlow::Continue(());
                };
                day = Some(Quarter::of(click.at()).day());
                let due = match place >= ceiling {
                    true => Due::ALL,
                    false => Due::of(known.len(), |p| place >= at(&known[p], *lane)),
                };
                match (enricher.visit(&click), entry) {
                    (Ok(visit), Entry::Orphan(_)) => sums.add_orphan(&click, &visit, due),
                    (Ok(visit), _) => sums.add(&click, visit, due),
                    (Err(NoSalt(day)), _) => {
                        no_salt.insert(day);
                        return ControlFlow::Break(());
                    }
                }
                ControlFlow::Continue(())
            })?;
            tell_damage(*lane, reader.damaged() - damaged);
            behind |= more;
            amid = day.filter(|_| more).into_iter().chain(amid).min();
        }
        enricher.read_amid(Reading::Rollup, amid);
        Ok(behind)
    }

    /// A batch for each partition.
    async fn batches(
        &self,
        known: &[Progress],
        sums: Sums,
        now: Timestamp,
    ) -> Result<Vec<Batch>, StoreError> {
        let moves = |progress: &Progress| {
            let steps = self.readers.iter().map(|(lane, reader)| Move {
                lane: *lane,
                from: at(progress, *lane),
                to: reader.position(),
            });
            steps.filter(|step| step.from < step.to).collect()
        };
        let keep = self.settings.keep();
        let mut batches: Vec<Batch> = known
            .iter()
            .map(|progress| Batch { moves: moves(progress), keep, ..Batch::default() })
            .collect();
        let codes = sums.codes();
        let links = self.links.known_many(&codes, now).await?;
        let links: HashMap<Code, Link> =
            codes.into_iter().zip(links).filter_map(|(code, link)| Some((code, link?))).collect();
        sums.deal(&links, self.store(), &mut batches);
        Ok(batches)
    }

    /// Removes from the journal what the store has counted for at least `keep`, as far as it lies
    /// before the place in its lane that `wanted_from` says. To be called often.
    ///
    /// # Errors
    /// The system's.
    pub fn discard(
        &mut self,
        now: Instant,
        keep: Duration,
        wanted_from: impl Fn(Lane) -> Position,
    ) -> io::Result<()> {
        let Some(known) = &self.known else { return Ok(()) };
        let floors = self.readers.keys().map(|lane| (*lane, floor(known, *lane))).collect();
        for (lane, place) in self.milestones.pass(now, keep, floors) {
            // The store may have gone back since.
            let until = wanted_from(*lane).min(*place).min(floor(known, *lane));
            // Also when it has not moved: a lane at rest closes its segment later.
            if let Some(reader) = self.readers.get(lane) {
                reader.discard_before(until)?;
            }
        }
        Ok(())
    }

    /// The node's account at this moment. Each figure is found by itself: `counted` is the store's,
    /// `accepted` and `pending` are counted in the journal.
    ///
    /// # Errors
    /// The store's, the journal's.
    pub async fn account(&self, now: Timestamp) -> Result<Account, RollupError> {
        let node = self.journal.node();
        let progress = self.store().progress(node).await?;
        let (mut accepted, mut pending) = (0, 0);
        for lane in self.journal.lanes() {
            let mut reader = self.reader_at(lane, floor(&progress, lane))?;
            reader.read(usize::MAX, |place, entry| {
                if let Entry::Click(click) = entry {
                    let partition = &progress[self.store().partition_of(click.code)];
                    pending += u64::from(place >= at(partition, lane));
                }
            })?;
            accepted += reader.counts().clicks;
        }
        let counted = progress.iter().map(|partition| partition.counted).sum();
        let lost = self.journal.counts().lost;
        let seen_at = to_the_millisecond(now);
        Ok(Account { node: node.clone(), accepted, counted, pending, lost, seen_at })
    }

    /// A reader at or before `position`: ours, if it has not gone past it.
    fn reader_at(&self, lane: Lane, position: Position) -> io::Result<Reader> {
        match self.readers.get(&lane) {
            Some(reader) if reader.position() <= position => reader.try_clone(),
            _ => {
                let mut reader = self.journal.reader(lane);
                reader.seek(position)?;
                Ok(reader)
            }
        }
    }
}

fn tell_damage(lane: Lane, bytes: u64) {
    if bytes > 0 {
        tracing::error!(journal.lane = lane.0, bytes, "damaged bytes in the journal passed over");
    }
}

fn at(progress: &Progress, lane: Lane) -> Position {
    progress.lanes.get(&lane).copied().unwrap_or_default()
}

/// The place behind which no partition has counted anything.
fn ceiling(known: &[Progress], lane: Lane) -> Position {
    known.iter().map(|progress| at(progress, lane)).max().unwrap_or_default()
}

/// The place before which every partition has counted everything.
fn floor(known: &[Progress], lane: Lane) -> Position {
    known.iter().map(|progress| at(progress, lane)).min().unwrap_or_default()
}
