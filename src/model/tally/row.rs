//! The stored form of cells.
//!
//! ```text
//! | u24   | cells | for each: slot people bots visitors, lengths | breakdowns | sketches |
//!   └ bytes up to the sketches, these three included, big-endian
//! ```
//! The figures stand first and the sketches last, so that whoever needs no more reads no more: a
//! ranking the first [`HEAD`] bytes, a breakdown all but the sketches. A row holds the quarters of
//! an hour (slots 0–3) or a UTC day (slot 0); on its way to the store those of a day (slots 0–95).

use std::collections::BTreeMap;

use super::breakdown::{Breakdown, Count};
use super::cell::{Cell, Figures, Visitors};
use super::sketch::Sketch;
use super::{BadTally, QUARTERS_AN_HOUR, put_number, take_bytes, take_number};

/// Bytes within which the figures of every slot lie: 3 + 1, and for each of four slots a byte, three
/// numbers of at most ten bytes and two lengths of at most four.
pub const HEAD: usize = 4 + 4 * (1 + 3 * 10 + 2 * 4);
/// Bytes of the length in front.
pub const LENGTH: usize = 3;

/// Rows kept of each dimension in a quarter-hour, and in a day. Up to twice as many are kept until
/// they are cut.
pub const QUARTER_ROWS: usize = 50;
/// As [`QUARTER_ROWS`], in a day.
pub const DAY_ROWS: usize = 250;

/// Cells by slot, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row(Vec<(u8, Cell)>);

/// What to do with the names that a row's clicks are told apart by.
#[derive(Debug, Clone, Copy)]
pub enum Names<'a> {
    /// To read them; those that come in another breakdown are shared with it.
    Like(&'a Breakdown),
    /// To leave them out: most of the work of reading.
    Skip,
}

/// What stands before the breakdowns about one slot.
struct Head {
    slot: u8,
    count: Count,
    visitors: u64,
    breakdown: u64,
    sketch: u64,
}

impl Row {
    /// A row of one cell: a day.
    #[must_use]
    pub fn of(cell: Cell) -> Self {
        Self(vec![(0, cell)])
    }

    /// The cell in a slot, to be added to.
    pub fn cell(&mut self, slot: u8) -> &mut Cell {
        let at = self.0.binary_search_by_key(&slot, |entry| entry.0).unwrap_or_else(|at| {
            self.0.insert(at, (slot, Cell::default()));
            at
        });
        &mut self.0[at].1
    }

    /// Adds another row.
    pub fn merge(&mut self, more: &Self) {
        more.0.iter().for_each(|(slot, cell)| self.cell(*slot).merge(cell));
    }

    /// The cells, by slot.
    pub fn cells(&self) -> impl ExactSizeIterator<Item = (u8, &Cell)> {
        self.0.iter().map(|(slot, cell)| (*slot, cell))
    }

    /// The cells, by slot.
    #[must_use]
    pub fn into_cells(self) -> Vec<(u8, Cell)> {
        self.0
    }

    /// The stored form, with each breakdown bounded to `most` rows a dimension.
    #[must_use]
    pub fn to_bytes(mut self, most: usize) -> Vec<u8> {
        let (mut heads, mut breakdowns, mut sketches) = (Vec::new(), Vec::new(), Vec::new());
        put_number(self.0.len() as u64, &mut heads);
        for (slot, cell) in &mut self.0 {
            cell.breakdown.bound(most);
            let before = (breakdowns.len(), sketches.len());
            cell.breakdown.put(&mut breakdowns);
            if let Visitors::Sketch(sketch) = &cell.visitors {
                sketch.put(&mut sketches);
            }
            heads.push(*slot);
            put_number(cell.count.people, &mut heads);
            put_number(cell.count.bots, &mut heads);
            put_number(cell.figures().visitors, &mut heads);
            put_number((breakdowns.len() - before.0) as u64, &mut heads);
            put_number((sketches.len() - before.1) as u64, &mut heads);
        }
        let length = (LENGTH + heads.len() + breakdowns.len()) as u32;
        let mut bytes = length.to_be_bytes()[1..].to_vec();
        bytes.extend(heads);
        bytes.extend(breakdowns);
        bytes.extend(sketches);
        bytes
    }

    /// Reads the stored form. Where the sketches are cut off, exactly, the cells have the number of
    /// visitors instead.
    ///
    /// # Errors
    /// [`BadTally`] when it isn't one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadTally> {
        Self::read(bytes, Names::Like(&Breakdown::default()))
    }

    /// As [`from_bytes`](Self::from_bytes), with the names or without.
    ///
    /// # Errors
    /// [`BadTally`] when it isn't a row; names that are left out are not looked at.
    pub fn read(bytes: &[u8], names: Names<'_>) -> Result<Self, BadTally> {
        let (heads, mut rest) = read_heads(bytes)?;
        let parts: Result<Vec<_>, _> =
            heads.iter().map(|head| take_bytes(&mut rest, head.breakdown)).collect();
        let parts = parts?;
        if length_without_sketches(bytes)? != bytes.len() - rest.len() {
            return Err(BadTally("the length"));
        }
        let cut = rest.is_empty();
        let mut row = Self::default();
        for (head, breakdown) in heads.into_iter().zip(parts) {
            let visitors = match head.sketch {
                0 if head.visitors == 0 => Visitors::default(),
                0 => Visitors::Number(head.visitors),
                _ if cut => Visitors::Number(head.visitors),
                length => Visitors::Sketch(Sketch::read(take_bytes(&mut rest, length)?)?),
            };
            let breakdown = match names {
                Names::Like(like) => Breakdown::read(breakdown, like)?,
                Names::Skip => Breakdown::default(),
            };
            row.0.push((head.slot, Cell { count: head.count, visitors, breakdown }));
        }
        if !rest.is_empty() {
            return Err(BadTally("the end"));
        }
        Ok(row)
    }

    /// Reads the figures alone; the first [`HEAD`] bytes are enough.
    ///
    /// # Errors
    /// [`BadTally`] when it isn't a row.
    pub fn figures_of(bytes: &[u8]) -> Result<Vec<(u8, Figures)>, BadTally> {
        let (heads, _) = read_heads(bytes)?;
        let figures =
            |head: Head| (head.slot, Figures { count: head.count, visitors: head.visitors });
        Ok(heads.into_iter().map(figures).collect())
    }
}

/// The rows that quarters of a day (slots 0–95) are added to: those of the hours, and the day.
#[must_use]
pub fn of_quarters(quarters: &Row) -> (BTreeMap<u8, Row>, Cell) {
    let (mut hours, mut day) = (BTreeMap::<u8, Row>::new(), Cell::default());
    for (quarter, cell) in quarters.cells() {
        let slot = quarter % QUARTERS_AN_HOUR;
        hours.entry(quarter / QUARTERS_AN_HOUR).or_default().cell(slot).merge(cell);
        day.merge(cell);
    }
    (hours, day)
}

/// The stored form of what stands in `bytes` (nothing, if there is none) and `more` together, with
/// each breakdown bounded to `most` rows a dimension.
///
/// # Errors
/// [`BadTally`] when what stands there is no row.
pub fn merged(bytes: Option<&[u8]>, more: &Row, most: usize) -> Result<Vec<u8>, BadTally> {
    let mut row = bytes.map_or(Ok(Row::default()), Row::from_bytes)?;
    row.merge(more);
    Ok(row.to_bytes(most))
}

/// How many bytes of a stored row come before the sketches.
///
/// # Errors
/// [`BadTally`] when it is no row.
pub fn length_without_sketches(bytes: &[u8]) -> Result<usize, BadTally> {
    let length = bytes.first_chunk::<LENGTH>().ok_or(BadTally("the head"))?;
    Ok(u32::from_be_bytes([0, length[0], length[1], length[2]]) as usize)
}

fn read_heads(bytes: &[u8]) -> Result<(Vec<Head>, &[u8]), BadTally> {
    let mut rest = bytes.get(LENGTH..).ok_or(BadTally("the head"))?;
    let cells = take_number(&mut rest)?;
    let mut heads: Vec<Head> = Vec::new();
    for _ in 0..cells {
        let slot = take_bytes(&mut rest, 1)?[0];
        if heads.last().is_some_and(|last| last.slot >= slot) {
            return Err(BadTally("the order of the slots"));
        }
        let count = Count { people: take_number(&mut rest)?, bots: take_number(&mut rest)? };
        let visitors = take_number(&mut rest)?;
        let (breakdown, sketch) = (take_number(&mut rest)?, take_number(&mut rest)?);
        heads.push(Head { slot, count, visitors, breakdown, sketch });
    }
    Ok((heads, rest))
}

#[cfg(test)]
mod tests;
