//! Taking links in that were made elsewhere, or by ourselves before.
//!
//! They are history: their codes and targets stay byte for byte what they were. Each code stands
//! for itself, so that what was interrupted is finished by doing it again: what is there already, with
//! the same target, counts as imported before, and its entry in the index is made whole.

mod read;
mod restore;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::try_join_all;
use futures_util::stream::{self, TryStreamExt as _};
use jiff::Timestamp;
use tokio::sync::Semaphore;

use self::read::{Line, Read, Reader, Refused};
use self::restore::{Restore, Saved};
use super::super::auth::{Principal, to_the_millisecond};
use super::super::shorten::edit::is_under;
use super::super::shorten::{MAX_CODES, Shorten, ShortenError};
use crate::model::code::Code;
use crate::model::link::{Link, Standing};
use crate::store::{Keep, Links as _, Replaced, StoreError};

/// The most lines of one request.
pub const MAX_LINES: usize = 10_000;

/// Lines read at a stretch: some milliseconds' worth, so that all cores have something to do.
const LINES_AT_A_STRETCH: usize = 1_250;
/// Imports that are under way at the same time in one process; others wait. They share transactions
/// of the embedded store, for which other writes wait; and each takes some megabytes.
const IMPORTS_AT_ONCE: usize = 8;
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
}

/// A link's line that was read.
struct Row {
    line: usize,
    outcome: Result<Read, Refused>,
}

/// Lines that follow each other.
enum Stretch {
    /// Links, and what was refused.
    Links(Vec<Row>),
    /// Other parts of a backup.
    Others(Vec<(usize, Saved)>),
}

impl Import {
    /// It writes what `shorten` would write; rows of a backup are put back as long as they are kept
    /// here.
    #[must_use]
    pub fn new(shorten: Shorten, keep: Keep) -> Self {
        Self { shorten, keep, turns: Arc::new(Semaphore::new(IMPORTS_AT_ONCE)) }
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
                Stretch::Links(rows) => self.take_in(rows, on_conflict, run).await?,
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
        mut rows: Vec<Row>,
        on_conflict: OnConflict,
        run: Run,
    ) -> Result<Report, ImportError> {
        let mut ending = None;
        if run == Run::Dry || on_conflict == OnConflict::Fail {
            let foreseen;
            (rows, foreseen) = self.foresee(rows, on_conflict).await?;
            if run == Run::Dry {
                return Ok(foreseen);
            }
            // What others write between this look and the import is met by the import itself.
            ending = foreseen.conflicts.into_iter().next();
            rows.retain(|row| ending.as_ref().is_none_or(|ending| row.line < ending.line));
        }
        let (rows, links) = beside(move || with_firsts(rows)).await?;
        let there = self.shorten.links.import(&links, MAX_CODES).await?;
        let settle = move || Settled::of(&rows, &there, on_conflict).outcome();
        let (mut report, changes) = beside(settle).await?;
        let replacing = |(old, new): (Link, Link)| self.replace(old, new);
        let changes = stream::iter(changes.into_iter().map(Ok));
        changes.try_for_each_concurrent(REPLACED_AT_ONCE, replacing).await?;
        report.stopped |= ending.is_some();
        report.conflicts.extend(ending);
        Ok(report)
    }

    /// What would come of the rows, which are given back.
    async fn foresee(
        &self,
        rows: Vec<Row>,
        on_conflict: OnConflict,
    ) -> Result<(Vec<Row>, Report), StoreError> {
        let (rows, links) = beside(move || with_firsts(rows)).await?;
        let codes: Vec<Code> = links.iter().map(|link| link.code.clone()).collect();
        let there = self.shorten.links.store().get_many(&codes).await?;
        let settle = move || {
            let (report, _) = Settled::of(&rows, &there, on_conflict).outcome();
            (rows, report)
        };
        beside(settle).await
    }

    /// Reads all lines, on as many cores as there are.
    async fn read(
        &self,
        by: &Principal,
        body: Bytes,
        now: Timestamp,
    ) -> Result<Vec<Stretch>, ImportError> {
        let lines: Vec<(usize, Range<usize>)> = lines(&body).collect();
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
            beside(move || {
                let read = |(line, range)| (line, reader.read(&body[range]));
                stretch.into_iter().map(read).collect::<Vec<_>>()
            })
        });
        let lines = try_join_all(stretches).await?;
        let mut stretches = Vec::new();
        lines.into_iter().flatten().for_each(|(line, read)| sort_in(&mut stretches, line, read));
        Ok(stretches)
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

/// What an import comes to, once it is known what stands under each code.
#[derive(Default)]
struct Settled<'a> {
    report: Report,
    /// What stands under each code that was come across so far.
    stands: HashMap<&'a Code, &'a Link>,
    /// What is to be put in whose place.
    changes: HashMap<Code, (Link, Link)>,
}

impl<'a> Settled<'a> {
    /// Goes through the lines in order. `there` is what stood under each code when it first came.
    fn of(rows: &'a [Row], there: &'a [Option<Link>], on_conflict: OnConflict) -> Self {
        let mut settled = Self::default();
        let mut there = there.iter();
        for Row { line, outcome } in rows {
            let read = match outcome {
                Ok(read) => read,
                Err(Refused { code, why }) => {
                    let (code, reason) = (code.clone(), why.to_string());
                    settled.report.refused.push(Remark { line: *line, code, reason });
                    continue;
                }
            };
            let link = &read.link;
            let known = settled.stands.get(&link.code).copied();
            match known.or_else(|| there.next().and_then(Option::as_ref)) {
                None => {
                    settled.stands.insert(&link.code, link);
                    settled.report.imported += 1;
                }
                Some(stands) => settled.meet(*line, read, stands, on_conflict),
            }
            if settled.report.stopped {
                break;
            }
        }
        settled
    }

    /// What is told, and which links are to be put in whose place.
    fn outcome(self) -> (Report, Vec<(Link, Link)>) {
        (self.report, self.changes.into_values().collect())
    }

    /// A line whose code has a link.
    fn meet(&mut self, line: usize, read: &'a Read, stands: &'a Link, on_conflict: OnConflict) {
        let link = &read.link;
        self.stands.insert(&link.code, stands);
        if read.is_said_by(stands) {
            self.report.existing += 1;
            return;
        }
        if on_conflict == OnConflict::Replace && stands.standing != Standing::Deleted {
            self.stands.insert(&link.code, link);
            let mut new = link.clone();
            if !read.whole {
                // Its clicks here are older than the line knows.
                new.created_at = new.created_at.min(stands.created_at);
            }
            let change = self.changes.entry(link.code.clone());
            change.or_insert_with(|| (stands.clone(), link.clone())).1 = new;
            self.report.replaced += 1;
            return;
        }
        let code = Some(link.code.to_string());
        self.report.conflicts.push(Remark { line, code, reason: conflict(stands, link) });
        self.report.stopped = on_conflict == OnConflict::Fail;
    }
}

impl Read {
    /// Whether what stands there is what the line says: all of it, or, of a line that says no more,
    /// where readers of the code come to. A deleted link is another one than it was.
    fn is_said_by(&self, stands: &Link) -> bool {
        if self.whole {
            return *stands == self.link;
        }
        let deleted = |link: &Link| link.standing == Standing::Deleted;
        stands.target == self.link.target
            && self.link.host_is_served_by(stands)
            && deleted(stands) == deleted(&self.link)
    }
}

fn conflict(stands: &Link, link: &Link) -> String {
    match stands.standing {
        Standing::Deleted => "the code belonged to a link that was deleted here".to_owned(),
        _ if stands.target == link.target => match &stands.host {
            Some(host) if link.host.as_ref() != Some(host) => {
                format!("the code is known on {host} alone")
            }
            _ => "the link is another one by now, though it leads to the same target".to_owned(),
        },
        _ => format!("the code leads to {}", stands.target),
    }
}

/// Puts a line to those before it, if it is of their kind.
fn sort_in(stretches: &mut Vec<Stretch>, line: usize, read: Result<Line, Refused>) {
    let outcome = match read {
        Ok(Line::Other(saved)) => {
            match stretches.last_mut() {
                Some(Stretch::Others(lines)) => lines.push((line, saved)),
                _ => stretches.push(Stretch::Others(vec![(line, saved)])),
            }
            return;
        }
        Ok(Line::Link(read)) => Ok(*read),
        Err(refused) => Err(refused),
    };
    match stretches.last_mut() {
        Some(Stretch::Links(rows)) => rows.push(Row { line, outcome }),
        _ => stretches.push(Stretch::Links(vec![Row { line, outcome }])),
    }
}

/// The rows, and the first link of each code in their order.
fn with_firsts(rows: Vec<Row>) -> (Vec<Row>, Arc<[Link]>) {
    let mut seen = HashSet::with_capacity(rows.len());
    let links = rows.iter().filter_map(|row| row.outcome.as_ref().ok().map(|read| &read.link));
    let firsts = links.filter(|link| seen.insert(&link.code)).cloned().collect();
    (rows, firsts)
}

/// Runs what takes some milliseconds beside the worker, which has readers to serve.
async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| StoreError::Unavailable(e.to_string()))
}

/// Lines that hold something, each with its number, from 1.
fn lines(body: &[u8]) -> impl Iterator<Item = (usize, Range<usize>)> {
    let mut start = 0;
    let ends = body.split(|byte| *byte == b'\n').map(move |line| {
        let range = start..start + line.len();
        start = range.end + 1;
        range
    });
    let blank = |range: &Range<usize>| body[range.clone()].trim_ascii().is_empty();
    (1..).zip(ends).filter(move |(_, range)| !blank(range))
}
