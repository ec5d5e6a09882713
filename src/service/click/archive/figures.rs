//! What the archive has done since the process started, for metrics.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::Timestamp;

/// Counters of one process; read by anyone.
#[derive(Debug, Default)]
pub struct Figures {
    lines: AtomicU64,
    files: AtomicU64,
    failures: AtomicU64,
    missing: AtomicU64,
    /// Milliseconds since 1970; 0: never.
    caught_up_at: AtomicI64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    /// Clicks archived.
    pub lines: u64,
    /// Hours finished.
    pub files: u64,
    /// Rounds, and hours to be finished, that the disk refused.
    pub failures: u64,
    /// Clicks that had left the journal before they could be archived.
    pub missing: u64,
    /// When the archive last stood at the end of the journal.
    pub caught_up_at: Option<Timestamp>,
}

impl Figures {
    pub(super) fn lines(&self, lines: u64) {
        self.lines.fetch_add(lines, Ordering::Relaxed);
    }

    pub(super) fn file(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn missing(&self, clicks: u64) {
        self.missing.fetch_add(clicks, Ordering::Relaxed);
    }

    pub(super) fn caught_up(&self, now: Timestamp) {
        self.caught_up_at.store(now.as_millisecond(), Ordering::Relaxed);
    }

    /// The counters as they stand.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let caught_up = self.caught_up_at.load(Ordering::Relaxed);
        Snapshot {
            lines: self.lines.load(Ordering::Relaxed),
            files: self.files.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            missing: self.missing.load(Ordering::Relaxed),
            caught_up_at: Timestamp::from_millisecond(caught_up).ok().filter(|_| caught_up > 0),
        }
    }
}
