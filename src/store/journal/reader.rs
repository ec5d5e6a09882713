//! The reading end of a lane: from any position on, past whatever is damaged.

use std::fs::{self, File};
use std::io;
use std::ops::{Add, ControlFlow};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::frame::{self, Entry, HEAD, MAX_PAYLOAD, Unread};
use super::segment::{self, HEADER, Segment};
use crate::store::Position;

/// Bytes read at once, at most.
pub const READ_AT_ONCE: usize = 256 * 1024;

/// What a lane has taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Clicks written.
    pub clicks: u64,
    /// Clicks that could not be written.
    pub lost: u64,
}

impl Add for Counts {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self { clicks: self.clicks + more.clicks, lost: self.lost + more.lost }
    }
}

/// Reads a lane while it is being written. Clones read on by themselves from where they are.
pub struct Reader {
    folder: PathBuf,
    open: Option<Open>,
    position: Position,
    counts: Counts,
    /// Bytes passed over because they were no record.
    damaged: u64,
    chunk: Vec<u8>,
}

/// The segment that is being read.
struct Open {
    segment: Segment,
    file: File,
    /// Bytes of it that have been read, without the header.
    at: u64,
}

impl Reader {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            open: None,
            position: Position::default(),
            counts: Counts::default(),
            damaged: 0,
            chunk: Vec::new(),
        }
    }

    /// Where the next record is, or will be.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// What the lane has taken in before [`Reader::position`], ever.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Bytes that this reader passed over because they were no record.
    #[must_use]
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// A reader of its own at the same place.
    ///
    /// # Errors
    /// The system's, when the segment can't be opened a second time.
    pub fn try_clone(&self) -> io::Result<Self> {
        let open = match &self.open {
            Some(open) => Some(Open {
                segment: open.segment.clone(),
                file: open.file.try_clone()?,
                at: open.at,
            }),
            None => None,
        };
        Ok(Self {
            folder: self.folder.clone(),
            open,
            position: self.position,
            counts: self.counts,
            damaged: self.damaged,
            chunk: Vec::new(),
        })
    }

    /// Goes to `position`, or to the first record after it that there still is.
    ///
    /// # Errors
    /// The system's.
    pub fn seek(&mut self, position: Position) -> io::Result<()> {
        let segments = segment::list(&self.folder)?;
        let at = segments.partition_point(|segment| segment.position() <= position);
        self.open = None;
        self.position = position;
        if let Some(segment) = segments.get(at.saturating_sub(1)) {
            self.enter(segment.clone())?;
            // From the segment's start, since only that way it is known what came before.
            self.read_until(position)?;
        }
        Ok(())
    }

    /// Reads on within the open segment. It may end before `end` does, when its tail was lost.
    fn read_until(&mut self, end: Position) -> io::Result<()> {
        while self.read_chunk(Some(end), true, &mut pass)? != Some(0) {}
        Ok(())
    }

    /// Hands on every record there is, each with its place, until at least `limit` bytes are read
    /// or there is no more for now. Says whether the limit ended it.
    ///
    /// # Errors
    /// The system's. What was handed on until then is behind [`Reader::position`].
    pub fn read(
        &mut self,
        limit: usize,
        mut each: impl FnMut(Position, Entry<'_>),
    ) -> io::Result<bool> {
        self.read_while(limit, |place, entry| {
            each(place, entry);
            ControlFlow::Continue(())
        })
    }

    /// As [`Reader::read`]; a record at which `each` breaks off is left where it is, to be read
    /// again, and there is more.
    ///
    /// # Errors
    /// The system's.
    pub fn read_while(
        &mut self,
        limit: usize,
        mut each: impl FnMut(Position, Entry<'_>) -> ControlFlow<()>,
    ) -> io::Result<bool> {
        let mut sum = 0;
        while sum < limit {
            match self.read_some(&mut each)? {
                None => return Ok(true),
                Some(0) => return Ok(false),
                Some(bytes) => sum += bytes,
            }
        }
        Ok(true)
    }

    /// Reads to the end of a lane that nobody writes to: what is no record is damage there as well.
    pub(super) fn read_out(&mut self) -> io::Result<()> {
        loop {
            let next = self.next_segment()?;
            if self.read_chunk(None, true, &mut pass)? != Some(0) {
                continue;
            }
            match next {
                Some(segment) => self.enter(segment)?,
                None => return Ok(()),
            }
        }
    }

    /// Reads a chunk of the open segment, or goes on to the next; how many bytes. Zero: there is no
    /// more for now. Nothing: `each` broke off.
    fn read_some(
        &mut self,
        each: &mut impl FnMut(Position, Entry<'_>) -> ControlFlow<()>,
    ) -> io::Result<Option<usize>> {
        loop {
            // Asked before reading: a segment that has a successor is not written to any more.
            let next = self.next_segment()?;
            let used = self.read_chunk(None, next.is_some(), each)?;
            if used != Some(0) {
                return Ok(used);
            }
            match next {
                Some(segment) => self.enter(segment)?,
                None => return Ok(Some(0)),
            }
        }
    }

    /// Reads whole records from the open segment, until `each` breaks off: then it answers nothing.
    fn read_chunk(
        &mut self,
        end: Option<Position>,
        complete: bool,
        each: &mut impl FnMut(Position, Entry<'_>) -> ControlFlow<()>,
    ) -> io::Result<Option<usize>> {
        let Some(open) = &mut self.open else { return Ok(Some(0)) };
        self.chunk.resize(READ_AT_ONCE, 0);
        let filled = read_at(&open.file, &mut self.chunk, HEADER + open.at)?;
        let bytes = &self.chunk[..filled];
        let base = open.segment.offset;
        let (mut used, mut broken_off) = (0, false);
        while used < filled {
            let place = segment::position(open.segment.run, base + open.at + used as u64);
            if end.is_some_and(|end| place >= end) {
                break;
            }
            match frame::read(&bytes[used..]) {
                Ok((entry, size)) => {
                    let counts = counts_of(&entry);
                    if each(place, entry).is_break() {
                        broken_off = true;
                        break;
                    }
                    self.counts = self.counts + counts;
                    used += size;
                }
                Err(_) if !complete => break,
                // It goes on beyond this chunk, or could: look again with the chunk begun here.
                Err(Unread::Short) if filled == READ_AT_ONCE && used > 0 => break,
                Err(_) => {
                    let skipped = next_record(&bytes[used..], filled == READ_AT_ONCE);
                    self.damaged += skipped as u64;
                    used += skipped;
                }
            }
        }
        open.at += used as u64;
        self.position = segment::position(open.segment.run, base + open.at);
        Ok((!broken_off).then_some(used))
    }

    /// The segment after the open one; the first, when none is open.
    fn next_segment(&self) -> io::Result<Option<Segment>> {
        let segments = segment::list(&self.folder)?;
        let after = match &self.open {
            Some(open) => open.segment.position().0 + 1,
            None => self.position.0,
        };
        Ok(segments.into_iter().find(|segment| segment.position().0 >= after))
    }

    fn enter(&mut self, segment: Segment) -> io::Result<()> {
        let (file, counts) = match segment.open() {
            Ok(opened) => opened,
            Err(e) if is_damaged(&e) => {
                tracing::error!(segment = %segment.path.display(), "a journal segment has no header");
                (File::open(&segment.path)?, self.counts)
            }
            Err(e) => return Err(e),
        };
        self.counts = counts;
        self.position = segment.position();
        self.open = Some(Open { segment, file, at: 0 });
        Ok(())
    }

    /// Removes the segments that lie wholly before `position`.
    ///
    /// # Errors
    /// The system's.
    pub fn discard_before(&self, position: Position) -> io::Result<()> {
        for pair in segment::list(&self.folder)?.windows(2) {
            if pair[1].position() > position {
                break;
            }
            fs::remove_file(&pair[0].path)?;
        }
        Ok(())
    }
}

fn pass(_: Position, _: Entry<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn is_damaged(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}

fn counts_of(entry: &Entry<'_>) -> Counts {
    match entry {
        Entry::Click(_) => Counts { clicks: 1, lost: 0 },
        Entry::Lost(lost) => Counts { clicks: 0, lost: *lost },
        Entry::Orphan(_) => Counts::default(),
    }
}

fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(bytes) => filled += bytes,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

/// How many damaged bytes lie before the next record that can be read. When more bytes follow, a
/// record may stand across their border: the last stretch is left for the next look.
fn next_record(bytes: &[u8], more_follow: bool) -> usize {
    let found = (1..bytes.len()).find(|at| frame::read(&bytes[*at..]).is_ok());
    let certain = bytes.len().saturating_sub(if more_follow { HEAD + MAX_PAYLOAD } else { 0 });
    found.unwrap_or(certain.max(1))
}
