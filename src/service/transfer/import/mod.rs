//! Taking links in that were made elsewhere, or by ourselves before.
//!
//! They are history: their codes and targets stay byte for byte what they were. Each code stands
//! for itself, so that what was interrupted is finished by doing it again: what is there already, with
//! the same target, counts as imported before, and its entry in the index is made whole.

mod lines;
mod read;
mod restore;
mod settled;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::try_join_all;
use futures_util::stream::{self, TryStreamExt as _};
use jiff::Timestamp;
use tokio::sync::Semaphore;

use self::lines::{Lines, Stretch, numbered, sort_in};
use self::read::Reader;
use self::restore::Restore;
use self::settled::Settled;
use super::super::auth::{Principal, to_the_millisecond};
use super::super::shorten::edit::is_under;
use super::super::shorten::{MAX_CODES, Shorten, ShortenError};
use crate::model::code::Code;
use crate::model::link::{Link, Standing};
use crate::store::{Keep, Links as _, Replaced, StoreError, aside};

/// The most lines of one request.
pub const MAX_LINES: usize = 10_000;

/// Lines read at a stretch: some milliseconds' worth, so that all cores have something to do.
const LINES_AT_A_STRETCH: usize = 2_500;
/// Imports that are under way at the same time in one process; others wait. They share transactions
/// of the embedded store, for which other writes wait; and each takes some megabytes.
const IMPORTS_AT_ONCE: usize = 16;
/// Links that are replaced at the same time.
const REPLACED_AT_ONCE: usize = 64;

/// What becomes of a line whose code belongs to a link with another target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConflict {
    /// What is there stays.
    #[default]
    Keep,
    /// The line's link takes the place of what is there, unless that was deleted here.
    Replace,
    /// Nothing from this line on is imported.
    Fail,
}

/// Whether anything is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Run {
    /// What can be imported is.
    #[default]
    Real,
    /// It is only said what would be.
    Dry,
}

/// What came of an import, in lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Links that were not there.
    pub imported: usize,
    /// Links that were there, with the same target.
    pub existing: usize,
    /// Links that took the place of others.
    pub replaced: usize,
    /// Lines whose code leads elsewhere, which stayed so.
    pub conflicts: Vec<Remark>,
    /// Lines that are no links which can be imported.
    pub refused: Vec<Remark>,
    /// Whether the last conflict ended it.
    pub stopped: bool,
}

impl Report {
    /// Adds what came of the lines that follow.
    fn add(&mut self, more: Self) {
        self.imported += more.imported;
        self.existing += more.existing;
        self.replaced += more.replaced;
        self.conflicts.extend(more.conflicts);
        self.refused.extend(more.refused);
        self.stopped |= more.stopped;
    }
}

/// A line that was not imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Which, from 1.
    pub line: usize,
    /// Its code, as far as it could be read.
    pub code: Option<String>,
    /// Why.
    pub reason: String,
}

/// Why nothing was imported; or, when the store failed, maybe not all.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ImportError {
    /// More than [`MAX_LINES`].
    #[error("an import has at most {MAX_LINES} lines a request, this one has {0}; split it")]
    TooManyLines(usize),
    /// The key is not good for that, or the store did not do its part.
    #[error(transparent)]
    Links(#[from] ShortenError),
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        ShortenError::from(error).into()
    }
}

/// The way in.
#[derive(Clone)]
pub struct Import {
    shorten: Shorten,
    keep: Keep,
    turns: Arc<Semaphore>,
    /// A stretch is read on each core at a time: more threads would only keep more memory.
    cores: Arc<Semaphore>,
}

impl Import {
    /// It writes what `shorten` would write; rows of a backup are put back as long as they are kept
    /// here.
    #[must_use]
    pub fn new(shorten: Shorten, keep: Keep) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let [turns, cores] =
            [IMPORTS_AT_ONCE, cores].map(|at_once| Arc::new(Semaphore::new(at_once)));
        Self { shorten, keep, turns, cores }
    }

    /// The same over another handle on the store.
    #[must_use]
    pub fn over(&self, shorten: Shorten) -> Self {
        Self { shorten, ..self.clone() }
    }

    /// Imports links, each a line of JSON ([`LinkLine`](super::line::LinkLine)), and what else a
    /// backup holds ([`BackupLine`](super::backup::BackupLine)); lines of nothing but space are
    /// passed over. Each link is durable by itself when this returns: if it fails, as when
    /// the caller goes away, doing it again finishes it.
    ///
    /// # Errors
    /// [`ImportError`] says which rule was broken, or what the store says.
    pub async fn import(
        &self,
        by: &Principal,
        body: Bytes,
        on_conflict: OnConflict,
        run: Run,
        now: Timestamp,
    ) -> Result<Report, ImportError> {
        by.may_import().map_err(ShortenError::from)?;
        let _turn = self.turns.acquire().await;
        let mut report = Report::default();
        for stretch in self.read(by, body, now).await? {
            let more = match stretch {
                Stretch::Links(lines) => self.take_in(lines, on_conflict, run).await?,
                Stretch::Others(lines) => {
                    let (links, keep) = (&self.shorten.links, self.keep);
                    Restore { links, keep, on_conflict, run }.put(&lines).await?
                }
            };
            report.add(more);
            if report.stopped {
                break;
            }
        }
        Ok(report)
    }

    /// Imports links.
    async fn take_in(
        &self,
        mut lines: Lines,
        on_conflict: OnConflict,
        run: Run,
    ) -> Result<Report, ImportError> {
        let mut ending = None;
        if run == Run::Dry || on_conflict == OnConflict::Fail {
            let foreseen = self.foresee(&lines, on_conflict).await?;
            if run == Run::Dry {
                return Ok(foreseen);
            }
            // What others write between this look and the import is met by the import itself.
            ending = foreseen.conflicts.into_iter().next();
            if let Some(ending) = &ending {
                lines.end_before(ending.line);
            }
        }
        let (rows, links) = (lines.rows, Arc::from(lines.links));
        let there = self.shorten.links.import(&links, MAX_CODES).await?;
        let settle = move || Settled::of(&rows, &links, &there, on_conflict).outcome();
        let (mut report, changes) = aside(settle).await?;
        let replacing = |(old, new): (Link, Link)| self.replace(old, new);
        let changes = stream::iter(changes.into_iter().map(Ok));
        changes.try_for_each_concurrent(REPLACED_AT_ONCE, replacing).await?;
        report.stopped |= ending.is_some();
        report.conflicts.extend(ending);
        Ok(report)
    }

    /// What would come of the lines.
    async fn foresee(&self, lines: &Lines, on_conflict: OnConflict) -> Result<Report, StoreError> {
        let codes: Vec<Code> = lines.links.iter().map(|link| link.code.clone()).collect();
        let there = self.shorten.links.store().get_many(&codes).await?;
        Ok(Settled::of(&lines.rows, &lines.links, &there, on_conflict).report)
    }

    /// Reads all lines, on as many cores as there are.
    async fn read(
        &self,
        by: &Principal,
        body: Bytes,
        now: Timestamp,
    ) -> Result<Vec<Stretch>, ImportError> {
        let lines: Vec<(usize, Range<usize>)> = numbered(&body).collect();
        let count = lines.last().map_or(0, |(line, _)| *line);
        if count > MAX_LINES {
            return Err(ImportError::TooManyLines(count));
        }
        let reader = Reader {
            canonical: Arc::clone(&self.shorten.canonical),
            home: self.shorten.home.clone(),
            owner: by.key.clone(),
            now: to_the_millisecond(now),
        };
        let stretches = lines.chunks(LINES_AT_A_STRETCH).map(|stretch| {
            let (stretch, body, reader) = (stretch.to_vec(), body.clone(), reader.clone());
            let read = move || {
                let read = |(line, range)| (line, reader.read(&body[range]));
                stretch.into_iter().map(read).collect::<Vec<_>>()
            };
            async {
                let _core = self.cores.acquire().await;
                aside(read).await
            }
        });
        let read = try_join_all(stretches).await?;
        let in_order = move || {
            let mut stretches = Vec::new();
            let lines = read.into_iter().flatten();
            lines.for_each(|(line, read)| sort_in(&mut stretches, line, read));
            stretches
        };
        Ok(aside(in_order).await?)
    }

    /// Puts `new` in the place of `old`, or of what has come there since.
    async fn replace(&self, mut old: Link, new: Link) -> Result<(), ShortenError> {
        let shorten = &self.shorten;
        while old != new && old.standing != Standing::Deleted {
            for address in new.addresses().filter(|address| !is_under(&old, address)) {
                match shorten.put_under(address, &new.code).await {
                    // As with other imported links: it is there, and not found by that address.
                    Err(ShortenError::TooManyCodes(_)) => {}
                    other => other?,
                }
            }
            if shorten.put_in_place(&old, &new).await? == Replaced::Done {
                return Ok(());
            }
            old = shorten.find(new.code.as_str()).await?;
        }
        Ok(())
    }
}
