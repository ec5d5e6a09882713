//! The store behind a hot cache: what readers ask for is in memory, also while the store is away.
//!
//! - A *hit* is fresh: younger than `fresh_for`, and no change was missed since.
//! - A link that is merely old is served at once and looked up again behind the reader's back.
//! - After a gap in hearing of changes every link is looked up again before it is served, unless
//!   the store does not answer: then what is remembered is served for up to `stale_for`.
//! - While the store is known not to answer, nobody waits for it: one lookup at a time tries.

mod ports;

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};

use super::{Change, Changes as _, Links as _, Store, StoreError};
use crate::model::code::Code;
use crate::model::key::{Key, KeyId};
use crate::model::link::Link;

/// How much is remembered, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Links kept in memory; 0 turns the cache off.
    pub capacity: usize,
    /// How long a link is served without asking the store again. Edits arrive at once by other
    /// means; this is the belt.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub fresh_for: Duration,
    /// How long a link is served while the store does not answer.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub stale_for: Duration,
    /// How long an unknown code is remembered as unknown.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub unknown_for: Duration,
}

/// Unknown codes kept in memory at most: whoever walks through the codes displaces no link.
const UNKNOWN_CAPACITY: usize = 10_000;
/// Keys kept in memory at most.
const KEY_CAPACITY: usize = 1_000;
/// How long a store that did not answer is left alone before one lookup tries again.
const OUTAGE_MS: i64 = 500;

/// A link as it is kept in memory.
#[derive(Debug)]
pub struct HotLink {
    /// The link.
    pub link: Link,
    /// `<target>; rel="canonical"`, once somebody has asked for it.
    canonical: OnceLock<Box<str>>,
    /// When the store last said so; milliseconds since 1970.
    confirmed_at: AtomicI64,
    /// How many gaps in hearing of changes there had been by then.
    gaps: AtomicU64,
    /// Whether somebody is looking it up again.
    refreshing: AtomicBool,
}

/// The store, with a hot cache before it. Writes pass through and are honoured at once.
#[derive(Clone)]
pub struct Cached {
    store: Store,
    memory: Arc<Memory>,
    figures: Arc<Figures>,
}

/// What all workers share.
struct Memory {
    settings: Settings,
    links: Cache<Code, Arc<HotLink>>,
    /// Until when each code is known to be unknown; milliseconds since 1970.
    unknown: Cache<Code, i64>,
    keys: Cache<KeyId, (Key, i64)>,
    /// What sessions are signed with, once it was asked for.
    session_secret: Mutex<Option<[u8; 32]>>,
    /// Gaps in hearing of changes so far.
    gaps: AtomicU64,
    /// Changes heard of or made so far: what was read before the last one may be outdated.
    changes: AtomicU64,
    /// While now is before this the store is left alone; 0: it answers.
    outage_until: AtomicI64,
    workers: Mutex<Vec<Arc<Figures>>>,
}

/// What one worker's lookups came to. Aligned so that no two workers share a cache line.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Figures {
    hits: AtomicU64,
    misses: AtomicU64,
    stale: AtomicU64,
    errors: AtomicU64,
}

/// What all lookups came to since the process started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// Answered from memory.
    pub hits: u64,
    /// Answered by the store.
    pub misses: u64,
    /// Answered from memory because the store did not answer.
    pub stale: u64,
    /// Not answered.
    pub errors: u64,
    /// Links in memory.
    pub entries: u64,
}

impl Cached {
    /// A cache over `store`.
    #[must_use]
    pub fn new(store: Store, settings: &Settings) -> Self {
        let figures = Arc::new(Figures::default());
        let memory = Memory {
            settings: settings.clone(),
            links: Cache::new(settings.capacity),
            unknown: Cache::new(UNKNOWN_CAPACITY),
            keys: Cache::new(KEY_CAPACITY),
            session_secret: Mutex::new(None),
            gaps: AtomicU64::new(0),
            changes: AtomicU64::new(0),
            outage_until: AtomicI64::new(0),
            workers: Mutex::new(vec![Arc::clone(&figures)]),
        };
        Self { store, memory: Arc::new(memory), figures }
    }

    /// The store itself, for what is never cached.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The same cache over a connection of its own.
    #[must_use]
    pub fn fork(&self) -> Self {
        let figures = Arc::new(Figures::default());
        let mut workers = self.memory.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.push(Arc::clone(&figures));
        Self { store: self.store.fork(), memory: Arc::clone(&self.memory), figures }
    }

    /// What all lookups came to.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let workers = self.memory.workers.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = |of: fn(&Figures) -> &AtomicU64| {
            workers.iter().map(|worker| of(worker).load(Ordering::Relaxed)).sum()
        };
        Snapshot {
            hits: sum(|figures| &figures.hits),
            misses: sum(|figures| &figures.misses),
            stale: sum(|figures| &figures.stale),
            errors: sum(|figures| &figures.errors),
            entries: self.memory.links.len() as u64,
        }
    }

    /// Hears of other nodes' changes, for ever.
    pub async fn follow_changes(&self) {
        let memory = Arc::clone(&self.memory);
        self.store.follow_changes(move |change| memory.heard(&change)).await;
    }

    /// The link with this code, or its tombstone, as the reader's path wants it. What waits for the
    /// store is put aside, so that whoever finds the link in memory, as nearly all do, carries none of
    /// it along.
    ///
    /// # Errors
    /// The store's, when the code is not in memory and the store does not answer.
    pub async fn look_up(
        &self,
        code: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<HotLink>>, StoreError> {
        let now = now.as_millisecond();
        if let Some(link) = self.memory.links.get(code) {
            if self.memory.is_fresh(&link, now) {
                bump(&self.figures.hits);
                return Ok(Some(link));
            }
            return Box::pin(self.look_again(link, now)).await;
        }
        if self.memory.unknown.get(code).is_some_and(|until| now < until) {
            bump(&self.figures.hits);
            return Ok(None);
        }
        match Code::parse(code) {
            Ok(code) => Box::pin(self.look_first(&code, now)).await,
            Err(_) => Ok(None),
        }
    }

    /// The links with these codes, or their tombstones, in the order asked: from memory those that
    /// readers have just followed, the others from the store. Nothing is remembered: this is not for
    /// readers.
    ///
    /// # Errors
    /// The store's.
    pub async fn known_many(
        &self,
        codes: &[Code],
        now: Timestamp,
    ) -> Result<Vec<Option<Link>>, StoreError> {
        let now = now.as_millisecond();
        let in_memory = |code: &Code| {
            let link = self.memory.links.peek(code.as_str())?;
            self.memory.is_fresh(&link, now).then(|| link.link.clone())
        };
        let mut links: Vec<Option<Link>> = codes.iter().map(in_memory).collect();
        let absent: Vec<usize> = (0..codes.len()).filter(|at| links[*at].is_none()).collect();
        if !absent.is_empty() {
            let asked: Vec<Code> = absent.iter().map(|at| codes[*at].clone()).collect();
            for (at, link) in absent.into_iter().zip(self.store.get_many(&asked).await?) {
                links[at] = link;
            }
        }
        Ok(links)
    }

    /// A code that is not in memory: of all who ask for it, one asks the store.
    async fn look_first(&self, code: &Code, now: i64) -> Result<Option<Arc<HotLink>>, StoreError> {
        if self.memory.settings.capacity == 0 {
            return self.fetch(code, now).await;
        }
        match self.memory.links.get_value_or_guard_async(code).await {
            Ok(link) => {
                bump(&self.figures.hits);
                Ok(Some(link))
            }
            Err(guard) => {
                // Whoever asked before us may have found that there is none.
                if self.memory.unknown.get(code.as_str()).is_some_and(|until| now < until) {
                    return Ok(None);
                }
                let changes = self.memory.changes.load(Ordering::Acquire);
                let found = self.fetch(code, now).await?;
                match &found {
                    // Refused if the link was changed meanwhile: then it is used this once.
                    Some(link) => drop(guard.insert(Arc::clone(link))),
                    None => self.memory.remember_unknown(code, now, changes),
                }
                Ok(found)
            }
        }
    }

    /// A link in memory that is not fresh any more.
    async fn look_again(
        &self,
        known: Arc<HotLink>,
        now: i64,
    ) -> Result<Option<Arc<HotLink>>, StoreError> {
        let missed = known.gaps.load(Ordering::Relaxed) != self.memory.gaps.load(Ordering::Acquire);
        if !missed && self.memory.is_servable(&known, now) {
            bump(&self.figures.hits);
            if !known.refreshing.swap(true, Ordering::AcqRel) {
                let (this, known) = (self.clone(), Arc::clone(&known));
                tokio::spawn(async move {
                    // If the store does not answer, the next reader has it tried again.
                    drop(this.refresh(&known, now).await);
                    known.refreshing.store(false, Ordering::Release);
                });
            }
            return Ok(Some(known));
        }
        match self.refresh(&known, now).await {
            Err(_) if self.memory.is_servable(&known, now) => {
                bump(&self.figures.stale);
                Ok(Some(known))
            }
            outcome => outcome,
        }
    }

    /// Asks the store again, and remembers what it says.
    async fn refresh(
        &self,
        known: &Arc<HotLink>,
        now: i64,
    ) -> Result<Option<Arc<HotLink>>, StoreError> {
        let code = &known.link.code;
        let changes = self.memory.changes.load(Ordering::Acquire);
        let Some(found) = self.fetch(code, now).await? else {
            self.memory.links.remove(code.as_str());
            return Ok(None);
        };
        if found.link == known.link {
            known.gaps.store(found.gaps.load(Ordering::Relaxed), Ordering::Relaxed);
            known.confirmed_at.store(now, Ordering::Relaxed);
            return Ok(Some(Arc::clone(known)));
        }
        self.memory.links.insert(code.clone(), Arc::clone(&found));
        if self.memory.changes.load(Ordering::Acquire) != changes {
            self.memory.links.remove(code.as_str());
        }
        Ok(Some(found))
    }

    async fn fetch(&self, code: &Code, now: i64) -> Result<Option<Arc<HotLink>>, StoreError> {
        if !self.memory.may_ask(now) {
            bump(&self.figures.errors);
            return Err(StoreError::Unavailable("it did not answer a moment ago".into()));
        }
        // Before the answer is on its way: a gap that opens meanwhile makes it old at once.
        let gaps = self.memory.gaps.load(Ordering::Acquire);
        let outcome = self.store.get(code).await;
        self.memory.answered(&outcome, now);
        bump(if outcome.is_ok() { &self.figures.misses } else { &self.figures.errors });
        Ok(outcome?.map(|link| Arc::new(HotLink::new(link, now, gaps))))
    }
}

impl HotLink {
    fn new(link: Link, now: i64, gaps: u64) -> Self {
        Self {
            canonical: OnceLock::new(),
            link,
            confirmed_at: AtomicI64::new(now),
            gaps: AtomicU64::new(gaps),
            refreshing: AtomicBool::new(false),
        }
    }

    /// The value of a `Link` header that names the target as what is to be listed in place of the
    /// short URL (RFC 6596, RFC 8288 §3). Made once for as long as the link is in memory.
    #[must_use]
    pub fn canonical(&self) -> &str {
        self.canonical.get_or_init(|| {
            let target = self.link.target.as_uri();
            format!("<{target}>; rel=\"canonical\"").into()
        })
    }
}

impl Memory {
    fn is_fresh(&self, link: &HotLink, now: i64) -> bool {
        link.gaps.load(Ordering::Relaxed) == self.gaps.load(Ordering::Relaxed)
            && younger(link.confirmed_at.load(Ordering::Relaxed), now, self.settings.fresh_for)
    }

    fn is_servable(&self, link: &HotLink, now: i64) -> bool {
        younger(link.confirmed_at.load(Ordering::Relaxed), now, self.settings.stale_for)
    }

    /// Whether the store may be asked: always while it answers, one at a time while it does not.
    fn may_ask(&self, now: i64) -> bool {
        let until = self.outage_until.load(Ordering::Relaxed);
        until == 0
            || now >= until
                && self
                    .outage_until
                    .compare_exchange(until, now + OUTAGE_MS, Ordering::AcqRel, Ordering::Relaxed)
                    .is_ok()
    }

    fn answered<T>(&self, outcome: &Result<T, StoreError>, now: i64) {
        match outcome {
            Err(StoreError::Unavailable(error)) => {
                let before = self.outage_until.swap(now + OUTAGE_MS, Ordering::AcqRel);
                if before == 0 {
                    tracing::error!(error, "the store does not answer; serving from memory");
                }
            }
            _ if self.outage_until.load(Ordering::Relaxed) != 0 => {
                self.outage_until.store(0, Ordering::Release);
                tracing::info!("the store answers again");
            }
            _ => {}
        }
    }

    fn remember_unknown(&self, code: &Code, now: i64, changes: u64) {
        let until = now + millis(self.settings.unknown_for);
        self.unknown.insert(code.clone(), until);
        if self.changes.load(Ordering::Acquire) != changes {
            self.unknown.remove(code.as_str());
        }
    }

    fn heard(&self, change: &Change) {
        match change {
            Change::Link(code) => self.forget(code),
            Change::Key(id) => self.forget_key(id),
            Change::Missed => {
                self.gaps.fetch_add(1, Ordering::AcqRel);
                self.changes.fetch_add(1, Ordering::AcqRel);
                self.keys.clear();
                *self.session_secret.lock().unwrap_or_else(PoisonError::into_inner) = None;
                self.unknown.clear();
            }
        }
    }

    /// These links were written, or may have been: their codes are not unknown any more.
    fn may_be_known(&self, links: &[Link]) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        for link in links {
            self.unknown.remove(link.code.as_str());
        }
    }

    fn forget(&self, code: &Code) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.links.remove(code.as_str());
        self.unknown.remove(code.as_str());
    }

    fn forget_key(&self, id: &KeyId) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.keys.remove(id);
    }
}

/// Counts one. The worker is the only writer of its figures, so nothing need be locked.
fn bump(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

/// A clock that went back makes nothing older.
fn younger(since: i64, now: i64, than: Duration) -> bool {
    now.saturating_sub(since) < millis(than)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
