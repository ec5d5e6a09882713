//! The archive: every click as a line of a file, once, an hour to a file, for those who want to ask
//! their own questions.
//!
//! ```text
//! archive/clicks-2026-11-23T09Z-NODE.ndjson.gz    an hour that is over, in order of time
//!        /clicks-2026-11-23T09Z-NODE-2.ndjson.gz  what of that hour came when it was finished
//!        /clicks-2026-11-23T08Z-NODE.parquet      an hour finished in the other format
//!        /.clicks-2026-11-23T10Z-NODE.ndjson.part an hour in the making
//!        /.NODE.state                             up to where all of it is true
//! ```
//! The archive has a position of its own in each lane of the journal, and it is exact for the same
//! reason as the store's: the state says "everything before these positions stands in the first so
//! many bytes of these parts", and it is put in the place of the last one in one step. What stands in
//! a part beyond that was never said, and is cut off before anything is added. So whatever is
//! interrupted, each click has one line.
//!
//! An hour is finished by making its file aside; only when that is whole and in its place the state
//! lets go of the part. If the two come apart, the part is what counts, and the file is made again.
//!
//! Many nodes may share a folder: each touches files of its own name only, but for those that are
//! too old to be kept. That holds for the unfinished ones of others, too: a node that was given up
//! with its data folder finishes nothing any more.

mod columns;
mod disk;
mod finish;
mod line;
mod name;
mod order;
mod read;
mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

#[cfg(test)]
pub(crate) use disk::interruption;
pub use finish::{Finishing, Made};
pub use line::{Kind, Line};
pub use name::{Format, Hour};
pub use read::{Source, sources};
pub use state::Mark;

use super::{Lane, NodeId};
use crate::model::tally::{Day, Quarter};
use name::{Name, Stage};
use state::{Part, State};

/// How long after its end an hour is finished. By then no click of it is on its way, unless a clock
/// is turned back.
const GRACE: SignedDuration = SignedDuration::from_mins(2);

/// One node's part of an archive, open for writing. Whoever holds the node's journal may open it.
///
/// After an error it must be opened again: only the folder knows what became of the last step.
pub struct Archive {
    folder: PathBuf,
    node: NodeId,
    state: State,
    /// Bytes that the state promises and that are not there any more.
    missing_bytes: u64,
}

/// What a round adds.
#[derive(Debug, Default)]
pub struct Stretch {
    /// Lines by the hour in which the click was made.
    pub hours: BTreeMap<Hour, Lines>,
    /// Where each lane was read up to.
    pub marks: BTreeMap<Lane, Mark>,
}

/// Lines, each with its end.
#[derive(Debug, Default)]
pub struct Lines {
    /// Their text.
    pub bytes: Vec<u8>,
    /// How many they are.
    pub count: u64,
}

impl Archive {
    /// Opens the archive in `folder`, or makes it, and removes what an interruption left behind.
    ///
    /// # Errors
    /// The system's; [`io::ErrorKind::InvalidData`] when the node's state can't be read.
    pub fn open(folder: &Path, node: &NodeId) -> io::Result<Self> {
        // Its owner's alone, unless somebody made it beforehand.
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(disk::at(folder))?;
        let mut state = State::read(folder, node)?.unwrap_or_default();
        let mut missing_bytes = 0;
        for (hour, part) in &mut state.parts {
            let path = folder.join(Name::of(*hour, node, part.number).file(Stage::Part));
            let whole = disk::cut(&path, part.length)?;
            missing_bytes += part.length - whole;
            part.length = whole;
        }
        // Of a part that is gone there is nothing to finish: it would hold up all later hours.
        let gone = state.let_go_of_empty_parts();
        if missing_bytes > 0 || gone {
            state.write(folder, node)?;
        }
        remove_strangers(folder, node, &state)?;
        Ok(Self { folder: folder.to_owned(), node: node.clone(), state, missing_bytes })
    }

    /// Whether nothing was ever archived here by this node.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.state.marks.is_empty()
    }

    /// Up to where everything of a lane is archived; the beginning for a lane not yet known.
    #[must_use]
    pub fn mark(&self, lane: Lane) -> Mark {
        self.state.marks.get(&lane).copied().unwrap_or_default()
    }

    /// Bytes that somebody took away from the parts, with or without the parts, since the last time
    /// that it was opened.
    #[must_use]
    pub fn missing_bytes(&self) -> u64 {
        self.missing_bytes
    }

    /// Adds lines and moves the marks, in one step: when this returns, it has happened and outlives
    /// a loss of power.
    ///
    /// # Errors
    /// The system's, most likely a full disk. Then open again, and go on from where the marks stand.
    pub fn add(&mut self, stretch: &Stretch) -> io::Result<()> {
        let mut state = self.state.clone();
        for (hour, lines) in &stretch.hours {
            let part = match state.parts.get(hour) {
                Some(part) => *part,
                None => Part { number: self.next_number(*hour), length: 0 },
            };
            disk::write_at(&self.path(*hour, part.number, Stage::Part), part.length, &lines.bytes)?;
            let length = part.length + lines.bytes.len() as u64;
            state.parts.insert(*hour, Part { length, ..part });
        }
        if state.parts.len() > self.state.parts.len() {
            // A new file's name must survive as well.
            disk::sync_folder(&self.folder)?;
        }
        state.marks.extend(&stretch.marks);
        self.commit(state)
    }

    /// The oldest hour that is over and waits to be finished, if there is one, to become a file of
    /// this format. To be asked when nothing older is pending.
    #[must_use]
    pub fn due(&self, now: Timestamp, format: Format) -> Option<Finishing> {
        let (hour, part) = self.state.parts.first_key_value()?;
        let due = hour.end().checked_add(GRACE).is_ok_and(|due| due <= now);
        due.then(|| Finishing {
            hour: *hour,
            number: part.number,
            length: part.length,
            format,
            part: self.path(*hour, part.number, Stage::Part),
            aside: self.path(*hour, part.number, Stage::Aside),
        })
    }

    /// Puts the file that [`Finishing::run`] made in its place, and lets go of the part. Does nothing
    /// when lines came meanwhile: then the hour is due once more. Says whether it was put there.
    ///
    /// # Errors
    /// As [`Archive::add`].
    pub fn finish(&mut self, made: &Made) -> io::Result<bool> {
        let Finishing { hour, number, length, part, aside, .. } = &made.finishing;
        if self.state.parts.get(hour) != Some(&Part { number: *number, length: *length }) {
            disk::remove(aside)?;
            return Ok(false);
        }
        // An interruption may have left the file in another format, of the same part.
        for other in Format::ALL.into_iter().filter(|format| *format != made.format) {
            disk::remove(&self.path(*hour, *number, Stage::Finished(other)))?;
        }
        let place = self.path(*hour, *number, Stage::Finished(made.format));
        disk::put_in_place(aside, &place, &self.folder)?;
        let mut state = self.state.clone();
        state.parts.remove(hour);
        state.remember(*hour, *number);
        self.commit(state)?;
        disk::remove(part)?;
        Ok(true)
    }

    /// Removes the finished files, of whatever node, whose hour ended before `before`, and those that
    /// other nodes left unfinished: a node that was given up never comes back to them. Of such a
    /// node the state goes with the last of its parts. Says how many files of clicks.
    ///
    /// # Errors
    /// The system's.
    pub fn sweep(&self, before: Timestamp) -> io::Result<usize> {
        let (mut removed, mut at_work) = (0, BTreeSet::from([self.node.clone()]));
        for (name, stage) in name::list(&self.folder)? {
            let own = name.node == self.node;
            let finished = matches!(stage, Stage::Finished(_));
            if name.hour.end() < before && (finished || !own) {
                disk::remove(&self.folder.join(name.file(stage)))?;
                removed += 1;
            } else if !finished {
                at_work.insert(name.node);
            }
        }
        for node in State::nodes(&self.folder)? {
            if !at_work.contains(&node) {
                State::remove_if_older(&self.folder, &node, before)?;
            }
        }
        Ok(removed)
    }

    /// The last day but one, `today` at most, of which there are files, of whatever node.
    ///
    /// # Errors
    /// The system's.
    pub fn last_day_but_one(&self, today: Day) -> io::Result<Option<Day>> {
        let files = name::list(&self.folder)?.into_iter();
        let days: BTreeSet<Day> = files
            .map(|(name, _)| Quarter::of(name.hour.start()).day())
            .filter(|day| *day <= today)
            .collect();
        Ok(days.into_iter().nth_back(1))
    }

    fn commit(&mut self, state: State) -> io::Result<()> {
        state.write(&self.folder, &self.node)?;
        self.state = state;
        Ok(())
    }

    /// The number of the next file of an hour: one that none ever had, as far as is known. Files may
    /// have been taken elsewhere since.
    fn next_number(&self, hour: Hour) -> u32 {
        let known = self.state.finished.get(&hour).copied().unwrap_or(0);
        let taken = |number: u32| {
            let paths = Format::ALL.map(|format| self.path(hour, number, Stage::Finished(format)));
            paths.iter().any(|path| path.exists())
        };
        (known + 1..).find(|number| !taken(*number)).unwrap_or(u32::MAX)
    }

    fn path(&self, hour: Hour, number: u32, stage: Stage) -> PathBuf {
        self.folder.join(Name::of(hour, &self.node, number).file(stage))
    }
}

/// Removes what the node began and its state knows nothing of.
fn remove_strangers(folder: &Path, node: &NodeId, state: &State) -> io::Result<()> {
    for (name, stage) in name::list(folder)? {
        let known = state.parts.get(&name.hour).is_some_and(|part| part.number == name.number);
        let stranger = match stage {
            Stage::Finished(_) => false,
            Stage::Part => !known,
            Stage::Aside => true,
        };
        if stranger && name.node == *node {
            disk::remove(&folder.join(name.file(stage)))?;
        }
    }
    match fs::remove_file(State::aside(folder, node)) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
