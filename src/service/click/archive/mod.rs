//! Journal → archive: every click as a line of a file, exactly once, beside the counting and never
//! in its way.
//!
//! The archive stands where it stands, whatever the store has counted. When it can't go on, be it
//! that the disk is full or that the store does not say the secret of a day, the journal keeps what
//! it has not read.

mod export;
mod figures;
mod finisher;

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::clock;
use super::enrich::{Enricher, NoSalt, Reading};
use super::{Fsync, Settings};
use crate::model::click::Click;
use crate::model::tally::{Day, Quarter};
use crate::store::archive::{Archive, Hour, Line, Made, Mark, Stretch};
use crate::store::journal::{Entry, Journal, Reader};
use crate::store::{Lane, NodeId, Position};

pub use export::{ExportError, Exported, Form, Progress, Wanted, export};
pub use figures::{Figures, Snapshot};
use finisher::Finisher;

/// Bytes of the journal read for one round, over all lanes.
const ROUND_BYTES: usize = 2 * 1024 * 1024;
/// How long to leave an hour alone that could not be finished.
const FINISH_AGAIN: SignedDuration = SignedDuration::from_mins(1);
/// How often to look for files that need not be kept.
const SWEEP_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// Whether there is more to do at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Archived {
    /// Something was archived, and there is more.
    Behind,
    /// The archive stands at the end of the journal.
    CaughtUp,
    /// The secret of this day is needed before it can go on.
    NoSalt(Day),
}

/// Archives one node's journal.
pub struct Archiver {
    journal: Arc<Journal>,
    settings: Settings,
    /// `None` until the folder can be opened, and after each failure: only the folder knows what
    /// became of the last step.
    open: Option<Open>,
    finisher: Option<Finisher>,
    /// An hour could not be finished: not before.
    finish_after: Timestamp,
    sweep_after: Timestamp,
    /// Whether the last round failed: said once when it begins and once when it ends.
    failing: bool,
    figures: Arc<Figures>,
}

/// An archive, and where the journal is read for it.
struct Open {
    archive: Archive,
    readers: BTreeMap<Lane, Reader>,
}

/// What was read for one round.
#[derive(Default)]
struct Batch {
    stretch: Stretch,
    behind: bool,
    no_salt: Option<Day>,
}

impl Archiver {
    /// The archive that the settings ask for, if they do. Opens nothing yet.
    #[must_use]
    pub fn new(journal: Arc<Journal>, settings: &Settings, figures: Arc<Figures>) -> Option<Self> {
        (!settings.archive.as_os_str().is_empty()).then(|| Self {
            journal,
            settings: settings.clone(),
            open: None,
            finisher: None,
            finish_after: Timestamp::MIN,
            sweep_after: Timestamp::MIN,
            failing: false,
            figures,
        })
    }

    /// Archives the next stretch of the journal; once at its end, finishes hours that are over.
    /// Failures are told here: nothing is lost, the next round begins where the archive then stands.
    ///
    /// # Errors
    /// The system's.
    pub fn round(&mut self, enricher: &mut Enricher, now: Timestamp) -> io::Result<Archived> {
        let outcome = self.try_round(enricher, now);
        match &outcome {
            Ok(Archived::CaughtUp) => self.figures.caught_up(now),
            Ok(_) => {}
            Err(_) => self.figures.failed(),
        }
        self.tell(outcome.as_ref().err());
        outcome
    }

    fn try_round(&mut self, enricher: &mut Enricher, now: Timestamp) -> io::Result<Archived> {
        // Put back when all went well.
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.open()?,
        };
        let batch = open.read(&self.journal, enricher, &self.figures)?;
        if open.has_moved(&batch.stretch) {
            if self.settings.fsync == Fsync::Interval {
                // The archive is never ahead of a journal that lost its tail with the power.
                self.journal.sync()?;
            }
            open.archive.add(&batch.stretch)?;
            self.figures.lines(batch.stretch.hours.values().map(|lines| lines.count).sum());
        }
        let archived = match batch.no_salt {
            Some(day) => Archived::NoSalt(day),
            None if batch.behind => Archived::Behind,
            None => Archived::CaughtUp,
        };
        if archived == Archived::CaughtUp {
            self.finish_hours(&mut open.archive, now)?;
            self.sweep(&open.archive, now)?;
        }
        self.open = Some(open);
        Ok(archived)
    }

    fn open(&mut self) -> io::Result<Open> {
        // What it makes is one of the things that are cleared away.
        self.finisher = None;
        Ok(Open { archive: self.open_archive()?, readers: BTreeMap::new() })
    }

    fn open_archive(&self) -> io::Result<Archive> {
        let archive = Archive::open(&self.settings.archive, self.journal.node())?;
        if archive.missing_bytes() > 0 {
            let bytes = archive.missing_bytes();
            tracing::error!(
                bytes,
                "the archive has lost clicks for ever: somebody cut or removed its open files"
            );
        }
        Ok(archive)
    }

    /// The place in a lane from which on the archive needs the journal.
    #[must_use]
    pub fn wanted_from(&self, lane: Lane) -> Position {
        self.open.as_ref().map_or(Position::default(), |open| open.archive.mark(lane).position)
    }

    /// Takes the hour that has been finished, and begins with the next.
    fn finish_hours(&mut self, archive: &mut Archive, now: Timestamp) -> io::Result<()> {
        if let Some(finisher) = self.finisher.take_if(|finisher| finisher.is_done()) {
            match finisher.join() {
                Ok(made) => self.put_in_place(archive, &made)?,
                Err(error) => {
                    self.figures.failed();
                    tracing::warn!(%error, "an hour of the archive can't be finished; trying again");
                    self.finish_after = now.saturating_add(FINISH_AGAIN).unwrap_or(now);
                    // The part may be what is not there any more.
                    *archive = self.open_archive()?;
                }
            }
        }
        if self.finisher.is_none() && now >= self.finish_after {
            self.finisher =
                archive.due(now, self.settings.archive_format).map(Finisher::start).transpose()?;
        }
        Ok(())
    }

    fn put_in_place(&self, archive: &mut Archive, made: &Made) -> io::Result<()> {
        if !archive.finish(made)? {
            return Ok(());
        }
        self.figures.file();
        let hour = made.hour();
        tracing::debug!(%hour, "an hour of the archive is finished");
        if !made.is_as_wanted() {
            tracing::error!(%hour, "a line of the archive can't be read; its hour stays lines of JSON");
        }
        Ok(())
    }

    /// Removes files that need not be kept.
    fn sweep(&mut self, archive: &Archive, now: Timestamp) -> io::Result<()> {
        let keep = SignedDuration::from_hours(24 * i64::from(self.settings.archive_keep));
        if keep.is_zero() || now < self.sweep_after {
            return Ok(());
        }
        let today = Quarter::of(now).day();
        let today = clock::believed(today, archive.last_day_but_one(today)?);
        let until = now.min(Day(today.0.saturating_add(1)).first().start());
        let removed = archive.sweep(until.saturating_sub(keep).unwrap_or(Timestamp::MIN))?;
        if removed > 0 {
            tracing::info!(files = removed, "old files of the archive removed");
        }
        self.sweep_after = now.saturating_add(SWEEP_EVERY).unwrap_or(now);
        Ok(())
    }

    fn tell(&mut self, failure: Option<&io::Error>) {
        match failure {
            Some(error) if !self.failing => {
                tracing::warn!(%error, "clicks can't be archived; they wait in the journal");
            }
            None if self.failing => tracing::info!("clicks are archived again"),
            _ => {}
        }
        self.failing = failure.is_some();
    }
}

impl Open {
    /// Reads on in every lane.
    fn read(
        &mut self,
        journal: &Journal,
        enricher: &mut Enricher,
        figures: &Figures,
    ) -> io::Result<Batch> {
        self.open_lanes(journal, figures)?;
        let limit = ROUND_BYTES / self.readers.len().max(1);
        let mut batch = Batch::default();
        let mut amid = None;
        for (lane, reader) in &mut self.readers {
            let mut day = None;
            let more = reader.read_while(limit, |place, entry| {
                let Entry::Click(click) = entry else { return ControlFlow::Continue(()) };
                day = Some(Quarter::of(click.at()).day());
                match batch.add((journal.node(), *lane, place), &click, enricher) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(NoSalt(day)) => {
                        batch.no_salt = Some(day);
                        ControlFlow::Break(())
                    }
                }
            })?;
            batch.behind |= more;
            amid = day.filter(|_| more).into_iter().chain(amid).min();
            let mark = Mark { position: reader.position(), clicks: reader.counts().clicks };
            batch.stretch.marks.insert(*lane, mark);
        }
        enricher.read_amid(Reading::Archive, amid);
        Ok(batch)
    }

    /// Puts a reader into every lane that has none, where the archive stands.
    fn open_lanes(&mut self, journal: &Journal, figures: &Figures) -> io::Result<()> {
        for lane in journal.lanes() {
            if self.readers.contains_key(&lane) {
                continue;
            }
            let mark = self.archive.mark(lane);
            let mut reader = journal.reader(lane);
            reader.seek(mark.position)?;
            let missing = reader.counts().clicks.saturating_sub(mark.clicks);
            if missing > 0 && reader.position() > mark.position && !self.archive.is_new() {
                figures.missing(missing);
                tracing::error!(
                    clicks = missing,
                    journal.lane = lane.0,
                    "clicks are missing in the archive for ever: they were made while it was off, \
                     and have left the journal (clicks.keep_applied)"
                );
            }
            self.readers.insert(lane, reader);
        }
        Ok(())
    }

    fn has_moved(&self, stretch: &Stretch) -> bool {
        stretch.marks.iter().any(|(lane, mark)| self.archive.mark(*lane) != *mark)
    }
}

impl Batch {
    fn add(
        &mut self,
        id: (&NodeId, Lane, Position),
        click: &Click<'_>,
        enricher: &mut Enricher,
    ) -> Result<(), NoSalt> {
        let visit = enricher.visit(click)?;
        let lines = self.stretch.hours.entry(Hour::of(click.at())).or_default();
        match Line::of(id, click, &visit).write(&mut lines.bytes) {
            Ok(()) => lines.count += 1,
            // Nothing in a line can't be written as JSON.
            Err(error) => tracing::error!(%error, "a click can't be written as a line"),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
