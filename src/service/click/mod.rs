//! Clicks, exactly once: request → journal → tallies, and → archive.

pub mod archive;
mod clock;
mod countries;
mod enrich;
mod figures;
mod milestones;
mod record;
mod rollup;
mod runner;
mod sums;

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::store::Keep;
use crate::store::archive::Format;

pub use countries::{BadDatabase, Countries};
pub use enrich::Enricher;
pub use figures::{Figures, Snapshot};
pub use record::{Clicks, Recorder};
pub use rollup::{Rollup, RollupError, Round};
pub use runner::{Auditor, Runner};

/// How clicks get from the reader into the tallies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How often the journal is rolled up into the store.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub flush_interval: Duration,
    /// When a click is on the disk itself, not only in the system's memory.
    pub fsync: Fsync,
    /// Bytes of one file of the journal.
    pub segment_size: u64,
    /// How long applied clicks stay in the journal, for a store restored from an older copy.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub keep_applied: Duration,
    /// The header in which the edge says the reader's country; empty: none.
    pub country_header: String,
    /// A database of countries by address, in MaxMind's format; empty: none.
    pub geoip_path: PathBuf,
    /// Days for which figures by the hour are kept; 0: for ever.
    pub keep_hours: u32,
    /// Days for which figures by the day are kept; 0: for ever.
    pub keep_days: u32,
    /// The folder of the archive; empty: none is kept.
    pub archive: PathBuf,
    /// What an hour of the archive becomes when it is over.
    pub archive_format: Format,
    /// Days for which the archive's files are kept; 0: for ever.
    pub archive_keep: u32,
}

impl Settings {
    /// How long the store keeps rows.
    #[must_use]
    pub fn keep(&self) -> Keep {
        let days = |days: u32| (days > 0).then_some(days);
        Keep { hours: days(self.keep_hours), days: days(self.keep_days) }
    }
}

/// When the journal is synced to the disk. A killed process loses nothing in any case: this is
/// about power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fsync {
    /// Before each answer.
    Always,
    /// Before each roll-up, every `flush_interval`.
    Interval,
    /// When the system sees fit.
    Never,
}

#[cfg(test)]
pub(crate) mod tests;
