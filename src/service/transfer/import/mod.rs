//! Taking links in that were made elsewhere, or by ourselves before.
//!
//! They are history: their codes and targets stay byte for byte what they were. Each code stands
//! for itself, so that what was interrupted is finished by doing it again: what is there already, with
//! the same target, counts as imported before, and its entry in the index is made whole.

mod read;
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

use self::read::{Reader, Refused};
use super::super::auth::{Principal, to_the_millisecond};
use super::super::shorten::edit::is_under;
use super::super::shorten::{MAX_CODES, Shorten, ShortenError};
use crate::model::code::Code;
use crate::model::link::{Link, Standing};
use crate::store::{Links as _, Replaced, StoreError};

/// The most lines of one request.
pub const MAX_LINES: usize = 10_000;

/// Lines read by one thread: a large import is read by two, and few threads keep little memory.
const LINES_AT_A_STRETCH: usize = 5_000;
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
    turns: Arc<Semaphore>,
}

/// What was read of a request.
struct Lines {
    /// Each line that holds something, with its number.
    rows: Vec<(usize, Row)>,
    /// The first link of each code.
    links: Arc<[Link]>,
}

/// A line that was read.
enum Row {
    /// The first of its code: a position among the links.
    First(usize),
    /// One of a code that came before.
    Again(Box<Link>),
    Refused(Refused),
}

impl Import {
    /// It writes what `shorten` would write.
    #[must_use]
    pub fn new(shorten: Shorten) -> Self {
        Self { shorten, turns: Arc::new(Semaphore::new(IMPORTS_AT_ONCE)) }
    }

    /// The same over another handle on the store.
    #[must_use]
    pub fn over(&self, shorten: Shorten) -> Self {
        Self { shorten, ..self.clone() }
    }

    /// Imports links, each a line of JSON ([`LinkLine`](super::line::LinkLine)); lines of nothing but
    /// space are passed over. Each link is durable by itself when this returns: if it fails, as when
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
        let mut lines = self.read(by, body, now).await?;
        let mut ending = None;
        if run == Run::Dry || on_conflict == OnConflict::Fail {
            let foreseen = self.foresee(&lines, on_conflict).await?;
            if run == Run::Dry {
                return Ok(foreseen);
            }
            // What others write between this look and the import is met by the import itself.
            ending = foreseen.conflicts.into_iter().next();
            if let Some(ending) = &ending {
                lines = lines.before(ending.line);
            }
        }
        let there = self.shorten.links.import(&lines.links, MAX_CODES).await?;
        let settle = move || Settled::of(&lines, &there, on_conflict).outcome();
        let (mut report, changes) = beside(settle).await?;
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
        Ok(Settled::of(lines, &there, on_conflict).report)
    }

    /// Reads all lines, on as many cores as there are.
    async fn read(
        &self,
        by: &Principal,
        body: Bytes,
        now: Timestamp,
    ) -> Result<Lines, ImportError> {
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
            beside(move || {
                let read = |(line, range)| (line, reader.read(&body[range]));
                stretch.into_iter().map(read).collect::<Vec<_>>()
            })
        });
        let read = try_join_all(stretches).await?;
        Ok(beside(move || Lines::new(read.into_iter().flatten())).await?)
    }

    /// Puts `new` in the place of `old`, or of what has come there since.
    async fn replace(&self, mut old: Link, new: Link) -> Result<(), ShortenError> {
        let shorten = &self.shorten;
        while !is_same(&old, &new) && old.standing != Standing::Deleted {
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

impl Lines {
    fn new(read: impl Iterator<Item = (usize, Result<Link, Refused>)>) -> Self {
        let (mut rows, mut links) = (Vec::new(), Vec::new());
        let mut seen = HashSet::new();
        for (line, outcome) in read {
            let row = match outcome {
                Err(refused) => Row::Refused(refused),
                Ok(link) if !seen.insert(link.code.clone()) => Row::Again(Box::new(link)),
                Ok(link) => {
                    links.push(link);
                    Row::First(links.len() - 1)
                }
            };
            rows.push((line, row));
        }
        Self { rows, links: links.into() }
    }

    /// Those before this one.
    fn before(mut self, line: usize) -> Self {
        self.rows.retain(|(number, _)| *number < line);
        let firsts = self.rows.iter().filter(|(_, row)| matches!(row, Row::First(_))).count();
        Self { links: self.links[..firsts].into(), ..self }
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
    /// Goes through the lines in order. `there` is what stood under each link's code.
    fn of(lines: &'a Lines, there: &'a [Option<Link>], on_conflict: OnConflict) -> Self {
        let mut settled = Self::default();
        for (line, row) in &lines.rows {
            match row {
                Row::Refused(Refused { code, why }) => {
                    let (code, reason) = (code.clone(), why.to_string());
                    settled.report.refused.push(Remark { line: *line, code, reason });
                }
                Row::First(at) => {
                    let link = &lines.links[*at];
                    settled.stands.insert(&link.code, there[*at].as_ref().unwrap_or(link));
                    match &there[*at] {
                        None => settled.report.imported += 1,
                        Some(stands) => settled.meet(*line, link, stands, on_conflict),
                    }
                }
                Row::Again(link) => {
                    if let Some(stands) = settled.stands.get(&link.code).copied() {
                        settled.meet(*line, link, stands, on_conflict);
                    }
                }
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
    fn meet(&mut self, line: usize, link: &'a Link, stands: &'a Link, on_conflict: OnConflict) {
        if is_same(stands, link) {
            self.report.existing += 1;
            return;
        }
        if on_conflict == OnConflict::Replace && stands.standing != Standing::Deleted {
            self.stands.insert(&link.code, link);
            let change = self.changes.entry(link.code.clone());
            change.or_insert_with(|| (stands.clone(), link.clone())).1 = link.clone();
            self.report.replaced += 1;
            return;
        }
        let code = Some(link.code.to_string());
        self.report.conflicts.push(Remark { line, code, reason: conflict(stands) });
        self.report.stopped = on_conflict == OnConflict::Fail;
    }
}

/// Whether a line says what stands there already. A deleted link is another one than it was.
fn is_same(stands: &Link, link: &Link) -> bool {
    let deleted = |link: &Link| link.standing == Standing::Deleted;
    stands.target == link.target && deleted(stands) == deleted(link)
}

fn conflict(stands: &Link) -> String {
    match stands.standing {
        Standing::Deleted => "the code belonged to a link that was deleted here".to_owned(),
        _ => format!("the code leads to {}", stands.target),
    }
}

/// Runs what takes some milliseconds beside the worker, which has readers to serve.
async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| StoreError::Unavailable(e.to_string()))
}

/// Lines that hold something, each with its number, from 1.
fn numbered(body: &[u8]) -> impl Iterator<Item = (usize, Range<usize>)> {
    let mut start = 0;
    let ends = body.split(|byte| *byte == b'\n').map(move |line| {
        let range = start..start + line.len();
        start = range.end + 1;
        range
    });
    let blank = |range: &Range<usize>| body[range.clone()].trim_ascii().is_empty();
    (1..).zip(ends).filter(move |(_, range)| !blank(range))
}
