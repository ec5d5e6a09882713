//! A part's lines in the order of time. They stand in the order in which they were read: lane after
//! lane, round after round.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::fs::FileExt as _;

use super::line::When;
use super::name::Hour;

/// Where a line is and when its click was made: 16 bytes for each click of an hour.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// Milliseconds into the hour.
    at: u32,
    length: u32,
    offset: u64,
}

/// Hands on the lines within the first `length` bytes of an hour's part, each with its end.
pub(super) fn in_order(
    part: &File,
    length: u64,
    hour: Hour,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut places = places(part, length, hour)?;
    places.sort_by_key(|place| (place.at, place.offset));
    let mut line = Vec::new();
    for Place { length, offset, .. } in places {
        line.resize(length as usize, 0);
        part.read_exact_at(&mut line, offset)?;
        each(&line)?;
    }
    Ok(())
}

fn places(part: &File, length: u64, hour: Hour) -> io::Result<Vec<Place>> {
    let start = hour.start().as_millisecond();
    let (mut places, mut offset, mut at) = (Vec::new(), 0, 0);
    let mut lines = BufReader::with_capacity(64 * 1024, Whole { file: part, at: 0 }).take(length);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        // A line that can't be read is no reason to leave it out: it stays behind the one before.
        if let Ok(when) = serde_json::from_slice::<When>(&line) {
            at = u32::try_from(when.at.as_millisecond() - start).unwrap_or(at);
        }
        let length = u32::try_from(line.len()).map_err(io::Error::other)?;
        places.push(Place { at, length, offset });
        offset += u64::from(length);
        line.clear();
    }
    Ok(places)
}

/// Reads a file from its beginning, wherever others read it.
struct Whole<'a> {
    file: &'a File,
    at: u64,
}

impl io::Read for Whole<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.file.read_at(buffer, self.at)?;
        self.at += bytes as u64;
        Ok(bytes)
    }
}
