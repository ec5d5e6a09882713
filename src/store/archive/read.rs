//! The reading end of an archive: finished files and what is committed of open ones, of all nodes,
//! beside whoever writes there.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::disk;
use super::name::{self, Hour, Name, Stage};
use super::order;
use super::state::State;

/// One file's worth of clicks, all of one hour and one node.
pub struct Source {
    name: Name,
    finished: PathBuf,
    /// The part and how many bytes of it count, when the hour is open.
    part: Option<(File, u64)>,
}

/// Everything in the archive at this moment, hour by hour. What is added later is not in it.
///
/// # Errors
/// The system's; [`io::ErrorKind::InvalidData`] when a node's state can't be read.
pub fn sources(folder: &Path) -> io::Result<Vec<Source>> {
    // First the states, then the files: an hour that is finished meanwhile is met both ways, and
    // taken once.
    let mut sources = Vec::new();
    for node in State::nodes(folder)? {
        let state = State::read(folder, &node)?.unwrap_or_default();
        for (hour, part) in state.parts {
            let name = Name::of(hour, &node, part.number);
            let open = match File::open(folder.join(name.file(Stage::Part))) {
                Ok(file) => Some((file, part.length)),
                // Finished since.
                Err(e) if e.kind() == io::ErrorKind::NotFound => None,
                Err(e) => return Err(disk::at(folder)(e)),
            };
            sources.extend(open.map(|part| Source::new(folder, name, Some(part))));
        }
    }
    let open: BTreeSet<Name> = sources.iter().map(|source| source.name.clone()).collect();
    for (name, stage) in name::list(folder)? {
        if stage == Stage::Finished && !open.contains(&name) {
            sources.push(Source::new(folder, name, None));
        }
    }
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(sources)
}

impl Source {
    fn new(folder: &Path, name: Name, part: Option<(File, u64)>) -> Self {
        Self { finished: folder.join(name.file(Stage::Finished)), name, part }
    }

    /// The hour of all its clicks.
    #[must_use]
    pub fn hour(&self) -> Hour {
        self.name.hour
    }

    /// Bytes on the disk.
    #[must_use]
    pub fn size(&self) -> u64 {
        match &self.part {
            Some((_, length)) => *length,
            None => std::fs::metadata(&self.finished).map_or(0, |meta| meta.len()),
        }
    }

    /// Hands on its lines in the order of time, each with its end. A finished file that was swept
    /// away meanwhile has none.
    ///
    /// # Errors
    /// The system's, and those of `each`.
    pub fn lines(&self, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        if let Some((part, length)) = &self.part {
            return order::in_order(part, *length, self.name.hour, each);
        }
        let file = match File::open(&self.finished) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(disk::at(&self.finished)(e)),
        };
        let mut lines = BufReader::with_capacity(64 * 1024, MultiGzDecoder::new(file));
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).map_err(disk::at(&self.finished))? > 0 {
            each(&line)?;
            line.clear();
        }
        Ok(())
    }
}
