//! The lines of one import, as they were read.

use std::collections::HashSet;
use std::ops::Range;

use super::read::{Line, Read, Refused};
use super::restore::Saved;
use crate::model::code::Code;
use crate::model::link::Link;

/// Lines that follow each other.
pub(super) enum Stretch {
    /// Links, and what was refused.
    Links(Lines),
    /// Other parts of a backup.
    Others(Vec<(usize, Saved)>),
}

/// Lines of links, each link kept once.
#[derive(Default)]
pub(super) struct Lines {
    /// Each line, with its number.
    pub(super) rows: Vec<(usize, Row)>,
    /// The first link of each code.
    pub(super) links: Vec<Link>,
    /// Their codes.
    seen: HashSet<Code>,
}

/// What became of a line.
pub(super) enum Row {
    /// It is the first of its code: a position among the links, and whether it says all there is.
    First(usize, bool),
    /// Its code came before.
    Again(Box<Read>),
    /// It can't be imported.
    Refused(Refused),
}

impl Lines {
    /// Adds the line that comes next.
    fn push(&mut self, line: usize, read: Result<Box<Read>, Refused>) {
        let row = match read {
            Err(refused) => Row::Refused(refused),
            Ok(read) if !self.seen.insert(read.link.code.clone()) => Row::Again(read),
            Ok(read) => {
                self.links.push(read.link);
                Row::First(self.links.len() - 1, read.whole)
            }
        };
        self.rows.push((line, row));
    }

    /// Leaves away this line and all behind it.
    pub(super) fn end_before(&mut self, line: usize) {
        self.rows.retain(|(number, _)| *number < line);
        let firsts = self.rows.iter().filter(|(_, row)| matches!(row, Row::First(..))).count();
        self.links.truncate(firsts);
    }
}

/// Puts a line to those before it, if it is of their kind.
pub(super) fn sort_in(stretches: &mut Vec<Stretch>, line: usize, read: Result<Line, Refused>) {
    let link = match read {
        Ok(Line::Other(saved)) => {
            match stretches.last_mut() {
                Some(Stretch::Others(lines)) => lines.push((line, saved)),
                _ => stretches.push(Stretch::Others(vec![(line, saved)])),
            }
            return;
        }
        Ok(Line::Link(read)) => Ok(read),
        Err(refused) => Err(refused),
    };
    match stretches.last_mut() {
        Some(Stretch::Links(lines)) => lines.push(line, link),
        _ => {
            let mut lines = Lines::default();
            lines.push(line, link);
            stretches.push(Stretch::Links(lines));
        }
    }
}

/// Lines that hold something, each with its number, from 1.
pub(super) fn numbered(body: &[u8]) -> impl Iterator<Item = (usize, Range<usize>)> {
    let mut start = 0;
    let ends = body.split(|byte| *byte == b'\n').map(move |line| {
        let range = start..start + line.len();
        start = range.end + 1;
        range
    });
    let blank = |range: &Range<usize>| body[range.clone()].trim_ascii().is_empty();
    (1..).zip(ends).filter(move |(_, range)| !blank(range))
}
