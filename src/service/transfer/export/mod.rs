//! Everything out, so that links outlive us: as a complete backup, as a table, as BEACON, as a
//! configuration of nginx.
//!
//! An export is written while the service runs, a page at a time, and no faster than it is read: what
//! waits is a page or two. It holds the links that there were when it began, a backup those as well
//! that came in until its counting was held.

mod backup;
mod beacon;
mod nginx;
mod pages;
mod table;

use std::str::FromStr;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::mpsc;

use self::pages::Out;
use super::super::auth::{Forbidden, Principal};
use super::super::click::Auditor;
use super::super::shorten;
use super::super::threats::Threats;
use crate::model::home::Home;
use crate::model::link::{Link, Redirect, State};
use crate::store::cached::Cached;
use crate::store::{Keep, StoreError};

/// Pieces that wait for a slow reader.
pub const QUEUE: usize = 2;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// All there is, as lines of JSON: to be restored by importing it.
    Backup,
    /// Links alone, in the same lines.
    Links,
    /// Links as a table (RFC 4180).
    Csv,
    /// Links that redirect, as ArchiveTeam's URLTeam publishes them.
    Beacon,
    /// Links as maps that nginx serves them by.
    NginxMap,
}

impl Format {
    /// Its media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Backup | Self::Links => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Beacon | Self::NginxMap => "text/plain; charset=utf-8",
        }
    }

    /// What a file of it is called.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Backup => "slugline-backup.ndjson",
            Self::Links => "slugline-links.ndjson",
            Self::Csv => "slugline-links.csv",
            Self::Beacon => "slugline-beacon.txt",
            Self::NginxMap => "slugline-map.conf",
        }
    }
}

/// Not a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("format is ndjson, csv, beacon or nginx-map")]
pub struct BadFormat;

impl FromStr for Format {
    type Err = BadFormat;

    fn from_str(text: &str) -> Result<Self, BadFormat> {
        match text {
            "ndjson" => Ok(Self::Backup),
            "csv" => Ok(Self::Csv),
            "beacon" => Ok(Self::Beacon),
            "nginx-map" => Ok(Self::NginxMap),
            _ => Err(BadFormat),
        }
    }
}

/// Why an export ends before its end.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ExportError {
    /// Somebody else's backup holds the counting.
    #[error("another backup is being written; try again when it is done")]
    Held,
    /// The counting went on in the midst.
    #[error(
        "the counting could not be held any longer, so that the figures would not belong together; \
         try again"
    )]
    LostHold,
    /// The counting was held for somebody who does not read.
    #[error(
        "nothing of the backup was read for {0} s while the counting rested for it; it goes on now. \
         Write the backup to a file, and try again"
    )]
    Stalled(u64),
    /// More links than nginx can be told of lead to very long addresses.
    #[error("more than {0} links lead to addresses that are too long for one value of nginx")]
    TooManyLong(usize),
    /// Nobody reads any more.
    #[error("nobody reads the export any more")]
    Gone,
    /// The store did not do its part.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The way out.
#[derive(Clone)]
pub struct Export {
    links: Cached,
    home: Home,
    redirect: Redirect,
    threats: Threats,
    keep: Keep,
    auditor: Auditor,
}

impl Export {
    /// What readers come to at this moment.
    fn readers(&self, now: Timestamp) -> Readers {
        Readers { threats: self.threats.clone(), now }
    }

    /// `home` is where short URLs live, `rules` say how readers of them are answered, `keep` how long
    /// rows are kept here; `auditor` has the clicks counted that wait on this node.
    #[must_use]
    pub fn new(
        links: Cached,
        home: Home,
        rules: &shorten::Settings,
        keep: Keep,
        auditor: Auditor,
    ) -> Self {
        let (redirect, threats) = (rules.redirect, Threats::new(rules));
        Self { links, home, redirect, threats, keep, auditor }
    }

    /// How long rows are kept here, which whoever puts them back has to know.
    #[must_use]
    pub fn keep(&self) -> Keep {
        self.keep
    }

    /// The same over another handle on the store.
    #[must_use]
    pub fn over(&self, links: &Cached) -> Self {
        Self { links: links.clone(), ..self.clone() }
    }

    /// May they?
    ///
    /// # Errors
    /// [`Forbidden::Export`] when not.
    pub fn begin(&self, by: &Principal, format: Format) -> Result<Job, Forbidden> {
        by.may_export()?;
        Ok(Job { export: self.clone(), format })
    }
}

/// An export that may begin.
pub struct Job {
    export: Export,
    format: Format,
}

impl Job {
    /// Writes all of it. If that fails, the last thing sent is why: without its end an export is
    /// nothing to rely on.
    pub async fn run(self, to: mpsc::Sender<Result<Bytes, ExportError>>, now: Timestamp) {
        let mut out = Out::new(to.clone());
        let written = self.write(&mut out, now).await;
        out.let_go().await;
        let Err(error) = written else { return };
        match &error {
            ExportError::Gone => tracing::info!("an export was not read to its end"),
            error => tracing::error!(%error, "an export broke off"),
        }
        // Nobody may be there to hear it.
        drop(to.send(Err(error)).await);
    }

    async fn write(&self, out: &mut Out, now: Timestamp) -> Result<(), ExportError> {
        let export = &self.export;
        match self.format {
            Format::Backup => backup::write(export, out, backup::Scope::All).await?,
            Format::Links => backup::write(export, out, backup::Scope::Links).await?,
            Format::Csv => table::write(export, out, now).await?,
            Format::Beacon => beacon::write(export, out, now).await?,
            Format::NginxMap => nginx::write(export, out, now).await?,
        }
        out.flush().await
    }
}

/// What readers of links come to, as [`Resolve`](crate::service::resolve::Resolve) decides it.
#[derive(Clone)]
struct Readers {
    threats: Threats,
    now: Timestamp,
}

/// What readers of a link come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// They are redirected.
    Redirected,
    /// They are warned.
    Warned,
    /// The link is withdrawn, expired or deleted.
    Gone,
}

impl Readers {
    fn fate_of(&self, link: &Link) -> Fate {
        match (link.state_at(self.now), self.threats.of_link(link)) {
            (State::Active, None) => Fate::Redirected,
            (State::Active, Some(_)) => Fate::Warned,
            _ => Fate::Gone,
        }
    }
}
