//! What the roll-up has done since the process started, for metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::archive;

/// Counters of one process; read by anyone.
#[derive(Debug, Default)]
pub struct Figures {
    counted: AtomicU64,
    rounds: AtomicU64,
    failures: AtomicU64,
    went_back: AtomicU64,
    busy_us: AtomicU64,
    /// Milliseconds since 1970; 0: never.
    caught_up_at: AtomicI64,
    archive: Arc<archive::Figures>,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    /// Clicks of this node's journal that the store took, whoever gave them to it.
    pub counted: u64,
    /// Rounds that moved something.
    pub rounds: u64,
    /// Rounds that the store or the journal refused.
    pub failures: u64,
    /// Times that the store stood elsewhere than expected.
    pub went_back: u64,
    /// Time spent in rounds, in microseconds.
    pub busy_us: u64,
    /// When the store last stood at the end of the journal.
    pub caught_up_at: Option<Timestamp>,
}

impl Figures {
    pub(super) fn counted(&self, clicks: u64) {
        self.counted.fetch_add(clicks, Ordering::Relaxed);
    }

    pub(super) fn went_back(&self) {
        self.went_back.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn round(&self, took: Duration) {
        self.rounds.fetch_add(1, Ordering::Relaxed);
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.busy_us.fetch_add(took, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn caught_up(&self, now: Timestamp) {
        self.caught_up_at.store(now.as_millisecond(), Ordering::Relaxed);
    }

    /// What the archive has done; nothing, if there is none.
    #[must_use]
    pub fn archive(&self) -> Arc<archive::Figures> {
        Arc::clone(&self.archive)
    }

    /// The counters as they stand.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let caught_up = self.caught_up_at.load(Ordering::Relaxed);
        Snapshot {
            counted: self.counted.load(Ordering::Relaxed),
            rounds: self.rounds.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            went_back: self.went_back.load(Ordering::Relaxed),
            busy_us: self.busy_us.load(Ordering::Relaxed),
            caught_up_at: Timestamp::from_millisecond(caught_up).ok().filter(|_| caught_up > 0),
        }
    }
}
