//! The reading end of an archive: finished files and what is committed of open ones, of all nodes,
//! beside whoever writes there.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::name::{self, Format, Hour, Name, Stage};
use super::state::State;
use super::{columns, disk, order};

/// One file's worth of clicks, all of one hour and one node.
pub struct Source {
    name: Name,
    kept: Kept,
}

/// Where its clicks are.
enum Kept {
    /// In the part of an open hour, of which so many bytes count.
    Open(File, u64),
    /// In a file of this format.
    Finished(PathBuf, Format),
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
                Ok(file) => Some(Kept::Open(file, part.length)),
                // Finished since.
                Err(e) if e.kind() == io::ErrorKind::NotFound => None,
                Err(e) => return Err(disk::at(folder)(e)),
            };
            sources.extend(open.map(|kept| Source { name, kept }));
        }
    }
    let open: BTreeSet<Name> = sources.iter().map(|source| source.name.clone()).collect();
    for (name, stage) in name::list(folder)? {
        if let (Stage::Finished(format), false) = (stage, open.contains(&name)) {
            let kept = Kept::Finished(folder.join(name.file(stage)), format);
            sources.push(Source { name, kept });
        }
    }
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(sources)
}

impl Source {
    /// The hour of all its clicks.
    #[must_use]
    pub fn hour(&self) -> Hour {
        self.name.hour
    }

    /// Bytes on the disk.
    #[must_use]
    pub fn size(&self) -> u64 {
        match &self.kept {
            Kept::Open(_, length) => *length,
            Kept::Finished(path, _) => std::fs::metadata(path).map_or(0, |meta| meta.len()),
        }
    }

    /// Whether this program knows its format.
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`] with the file's name when it does not.
    pub fn check(&self) -> io::Result<()> {
        match &self.kept {
            Kept::Finished(path, Format::Parquet) => columns::is_readable().map_err(disk::at(path)),
            _ => Ok(()),
        }
    }

    /// Hands on its lines in the order of time, each with its end. A finished file that was swept
    /// away meanwhile has none.
    ///
    /// # Errors
    /// The system's, and those of `each`.
    pub fn lines(&self, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let (path, format) = match &self.kept {
            Kept::Open(part, length) => {
                return order::in_order(part, *length, self.name.hour, each);
            }
            Kept::Finished(path, format) => (path, *format),
        };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(disk::at(path)(e)),
        };
        if format == Format::Parquet {
            return columns::lines(file, each).map_err(disk::at(path));
        }
        let mut lines = BufReader::with_capacity(64 * 1024, MultiGzDecoder::new(file));
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).map_err(disk::at(path))? > 0 {
            each(&line)?;
            line.clear();
        }
        Ok(())
    }
}
