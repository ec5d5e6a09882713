//! Counts by time, and how two add up.
//!
//! The unit of counting is the *quarter-hour*: every time zone in use today is a whole number of
//! quarters away from UTC, so that an hour, a day or a month of any zone is a sum of quarters, exact.
//! What was counted in a quarter is a [`Cell`]: how many people and bots, with what and from where,
//! and a sketch of who. Cells are kept in [rows](row): the quarters of an hour for a while, the UTC
//! day for ever. Both are written in the same step, so all time = Σ days = Σ quarters by
//! construction.

mod breakdown;
mod cell;
mod name;
pub mod row;
#[cfg(test)]
mod samples;
mod sketch;
pub mod subject;

use std::ops::Range;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use breakdown::{Breakdown, Count, Dimension, Name, Rows, name};
pub use cell::{Cell, Figures, Visitors};
pub use row::Row;
pub use sketch::Sketch;
pub use subject::Subject;

/// Milliseconds in a quarter-hour.
pub const QUARTER_MS: i64 = 15 * 60 * 1_000;
/// Quarter-hours in an hour.
pub const QUARTERS_AN_HOUR: u8 = 4;
/// Quarter-hours in a UTC day.
pub const QUARTERS_A_DAY: u32 = 96;

/// A UTC day: days since 1970-01-01.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default,
)]
pub struct Day(pub u32);

/// A quarter-hour: quarters since 1970-01-01T00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Quarter(pub u32);

impl Quarter {
    /// The quarter that `moment` falls into. Moments before 1970 count as its first.
    #[must_use]
    pub fn of(moment: Timestamp) -> Self {
        let quarters = moment.as_millisecond().max(0) / QUARTER_MS;
        Self(u32::try_from(quarters).unwrap_or(u32::MAX))
    }

    /// Its first moment.
    #[must_use]
    pub fn start(self) -> Timestamp {
        let start = Timestamp::from_millisecond(i64::from(self.0) * QUARTER_MS);
        start.unwrap_or(Timestamp::MAX)
    }

    /// Its UTC day.
    #[must_use]
    pub fn day(self) -> Day {
        Day(self.0 / QUARTERS_A_DAY)
    }

    /// Its place within its UTC day: 0–95.
    #[must_use]
    pub fn of_day(self) -> u8 {
        (self.0 % QUARTERS_A_DAY) as u8
    }
}

impl Day {
    /// Its first quarter.
    #[must_use]
    pub fn first(self) -> Quarter {
        Quarter(self.0.saturating_mul(QUARTERS_A_DAY))
    }
}

/// The UTC days that `quarters` touch.
#[must_use]
pub fn days_of(quarters: &Range<Quarter>) -> Range<Day> {
    if quarters.is_empty() {
        return Day(0)..Day(0);
    }
    quarters.start.day()..Day(Quarter(quarters.end.0 - 1).day().0 + 1)
}

/// Something stored that can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} of a tally is damaged")]
pub struct BadTally(&'static str);

/// Appends `n` in as few bytes as it takes: seven bits a byte, lowest first, the high bit saying
/// that more follow (LEB128).
fn put_number(mut n: u64, bytes: &mut Vec<u8>) {
    while n >= 0x80 {
        bytes.push(n as u8 | 0x80);
        n >>= 7;
    }
    bytes.push(n as u8);
}

/// Takes a number from the beginning of `bytes`.
fn take_number(bytes: &mut &[u8]) -> Result<u64, BadTally> {
    let mut n = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(BadTally("a number"))?;
        *bytes = rest;
        n |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(n);
        }
    }
    Err(BadTally("a number"))
}

/// Takes so many bytes from the beginning of `bytes`.
fn take_bytes<'a>(bytes: &mut &'a [u8], length: u64) -> Result<&'a [u8], BadTally> {
    let length = usize::try_from(length).map_err(|_| BadTally("a length"))?;
    let (taken, rest) = bytes.split_at_checked(length).ok_or(BadTally("a length"))?;
    *bytes = rest;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_millisecond_of_a_day_belongs_to_it() {
        let last: Timestamp = "2026-11-23T23:59:59.999Z".parse().unwrap();
        let next: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        assert_eq!(Quarter::of(last).of_day(), 95);
        assert_eq!(Quarter::of(next).of_day(), 0);
        assert_eq!(Quarter::of(next).day().0, Quarter::of(last).day().0 + 1);
        let days = days_of(&(Quarter::of(last)..Quarter::of(next)));
        assert_eq!(days.end.0 - days.start.0, 1);
    }

    proptest! {
        #[test]
        fn numbers_are_read_as_they_were_written(n: u64, more: Vec<u8>) {
            let mut bytes = Vec::new();
            put_number(n, &mut bytes);
            bytes.extend(&more);
            let mut rest = bytes.as_slice();
            prop_assert_eq!(take_number(&mut rest), Ok(n));
            prop_assert_eq!(rest, more);
        }
    }
}
