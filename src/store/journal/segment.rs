//! The files a lane is made of.
//!
//! A segment's name says where in the lane it begins; its header says what the lane had taken in
//! before it, so that a lane's history can be told when the older segments are gone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use super::reader::{Counts, Reader};
use crate::store::Position;

/// Bytes before the first record: magic, clicks and losses before, checksum.
pub(super) const HEADER: u64 = 28;
const MAGIC: &[u8; 8] = b"SLUGJ001";

/// Bits of a position that say where in a run it is: 16 TiB. A lane begins a new run long before.
const OFFSET_BITS: u32 = 44;
/// From here on a lane begins a new run at its next segment.
pub(super) const LAST_OFFSET: u64 = 1 << (OFFSET_BITS - 1);

/// Where a segment begins, and what came before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Start {
    pub(super) run: u32,
    /// Bytes of records before it in its run.
    pub(super) offset: u64,
    /// What the lane had taken in before it, in all its runs.
    pub(super) counts: Counts,
}

/// A segment on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    pub(super) run: u32,
    pub(super) offset: u64,
}

impl Segment {
    /// The place of its first record.
    pub(super) fn position(&self) -> Position {
        position(self.run, self.offset)
    }

    /// Makes a new segment, or takes one over that was made and never used: that very file, since a
    /// reader may have it open already. It gets its name when its header is written: a segment that
    /// has a successor is never written to again, so that no successor may appear by half.
    pub(super) fn create(folder: &Path, start: Start) -> io::Result<File> {
        let path = folder.join(format!("{:06}-{:014}.log", start.run, start.offset));
        let header = header_of(start.counts);
        if let Some(unused) = unused(&path, &header)? {
            return Ok(unused);
        }
        let aside = path.with_extension("new");
        let mut file =
            OpenOptions::new().create(true).truncate(true).read(true).write(true).open(&aside)?;
        file.write_all(&header)?;
        fs::rename(aside, path)?;
        Ok(file)
    }

    /// Opens it and reads its header. A damaged header is told as invalid data.
    pub(super) fn open(&self) -> io::Result<(File, Counts)> {
        let mut file = File::open(&self.path)?;
        let mut header = [0; HEADER as usize];
        file.read_exact(&mut header)?;
        let (text, sum) = header.split_at(HEADER as usize - 4);
        if !text.starts_with(MAGIC) || sum != crc32fast::hash(text).to_le_bytes() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not a journal segment"));
        }
        let number = |at: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&text[at..at + 8]);
            u64::from_le_bytes(bytes)
        };
        Ok((file, Counts { clicks: number(8), lost: number(16) }))
    }
}

fn header_of(before: Counts) -> Vec<u8> {
    let mut header = Vec::with_capacity(HEADER as usize);
    header.extend(MAGIC);
    header.extend(before.clicks.to_le_bytes());
    header.extend(before.lost.to_le_bytes());
    header.extend(crc32fast::hash(&header).to_le_bytes());
    header
}

/// The segment at `path`, ready to be written to, if it consists of this header and nothing else.
fn unused(path: &Path, header: &[u8]) -> io::Result<Option<File>> {
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    let mut found = Vec::new();
    // One byte more than it may have: how much more there is does not matter.
    Read::by_ref(&mut file).take(HEADER + 1).read_to_end(&mut found)?;
    Ok((found == header).then_some(file))
}

/// The place `offset` bytes into a run.
pub(super) fn position(run: u32, offset: u64) -> Position {
    Position(u64::from(run) << OFFSET_BITS | offset)
}

/// The lane's segments, oldest first.
pub(super) fn list(folder: &Path) -> io::Result<Vec<Segment>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let parts = name.strip_suffix(".log").and_then(|stem| stem.split_once('-'));
        let numbers = parts.and_then(|(run, at)| Some((run.parse().ok()?, at.parse().ok()?)));
        if let Some((run, offset)) = numbers {
            segments.push(Segment { path, run, offset });
        }
    }
    segments.sort_unstable_by_key(|segment| (segment.run, segment.offset));
    Ok(segments)
}

/// What the lane has taken in, ever: the last readable header, and what follows it.
pub(super) fn counts_of_lane(folder: &Path) -> io::Result<Counts> {
    let mut reader = Reader::new(folder.to_owned());
    for segment in list(folder)?.iter().rev() {
        if segment.open().is_ok() {
            reader.seek(segment.position())?;
            break;
        }
    }
    reader.read_out()?;
    Ok(reader.counts())
}
