//! Counts by time, and how two add up.
//!
//! The unit of counting is the *quarter-hour*: every time zone in use today is a whole number of
//! quarters away from UTC, so that an hour, a day or a month of any zone is a sum of quarters, exact.
//! The unit of storage is the *UTC day*: one row for each thing counted (a link, the whole site) and
//! day it was clicked on, holding only those quarters in which something happened. All time = Σ days
//! = Σ quarters, by construction.

use std::ops::Range;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Milliseconds in a quarter-hour.
pub const QUARTER_MS: i64 = 15 * 60 * 1_000;
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

/// What was counted on one UTC day: the quarters in which something happened, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DayTally(Vec<(u8, u64)>);

/// A stored day's tally that can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a day's tally of {0} bytes is damaged")]
pub struct BadTally(usize);

/// Bytes of one quarter in a stored day: its number, then the count, big-endian. 32 bits a quarter
/// are 4.7 million clicks a second; a count beyond that stays at the brim.
const ENTRY: usize = 5;

impl DayTally {
    /// Adds `clicks` to a quarter (0–95).
    pub fn add(&mut self, quarter: u8, clicks: u64) {
        match self.0.binary_search_by_key(&quarter, |entry| entry.0) {
            Ok(at) => self.0[at].1 += clicks,
            Err(at) => self.0.insert(at, (quarter, clicks)),
        }
    }

    /// Adds another tally of the same day: commutative and associative.
    pub fn merge(&mut self, other: &Self) {
        for (quarter, clicks) in &other.0 {
            self.add(*quarter, *clicks);
        }
    }

    /// Quarters in which something happened, in order, with their counts.
    pub fn quarters(&self) -> impl Iterator<Item = (u8, u64)> + '_ {
        self.0.iter().copied()
    }

    /// The whole day.
    #[must_use]
    pub fn clicks(&self) -> u64 {
        self.0.iter().map(|(_, clicks)| clicks).sum()
    }

    /// That part of the day, which is `day`, that lies within `window`.
    #[must_use]
    pub fn clicks_within(&self, day: Day, window: &Range<Quarter>) -> u64 {
        let first = day.first().0;
        let within = |quarter: u8| window.contains(&Quarter(first + u32::from(quarter)));
        self.0.iter().filter(|(quarter, _)| within(*quarter)).map(|(_, clicks)| clicks).sum()
    }

    /// The stored form: five bytes a quarter, in order.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * ENTRY);
        for (quarter, clicks) in &self.0 {
            bytes.push(*quarter);
            bytes.extend(u32::try_from(*clicks).unwrap_or(u32::MAX).to_be_bytes());
        }
        bytes
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`BadTally`] when it is not a whole number of quarters of a day, in order.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadTally> {
        let (entries, rest) = bytes.as_chunks::<ENTRY>();
        let read =
            |e: &[u8; ENTRY]| (e[0], u64::from(u32::from_be_bytes([e[1], e[2], e[3], e[4]])));
        let quarters: Vec<(u8, u64)> = entries.iter().map(read).collect();
        let ordered = quarters.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let inside = quarters.last().is_none_or(|(quarter, _)| *quarter < 96);
        if rest.is_empty() && ordered && inside {
            Ok(Self(quarters))
        } else {
            Err(BadTally(bytes.len()))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tally_of(clicks: &[(u8, u64)]) -> DayTally {
        let mut tally = DayTally::default();
        for (quarter, n) in clicks {
            tally.add(*quarter, *n);
        }
        tally
    }

    proptest! {
        #[test]
        fn tallies_add_up_in_any_order(
            a in prop::collection::vec((0u8..96, 1u64..1_000), 0..40),
            b in prop::collection::vec((0u8..96, 1u64..1_000), 0..40),
        ) {
            let (a, b) = (tally_of(&a), tally_of(&b));
            let (mut ab, mut ba) = (a.clone(), b.clone());
            ab.merge(&b);
            ba.merge(&a);
            prop_assert_eq!(&ab, &ba);
            prop_assert_eq!(ab.clicks(), a.clicks() + b.clicks());
            prop_assert_eq!(DayTally::from_bytes(&ab.to_bytes()), Ok(ab));
        }

        #[test]
        fn a_day_is_the_sum_of_its_parts(
            clicks in prop::collection::vec((0u8..96, 1u64..1_000), 0..40),
            cut in 0u32..=96,
        ) {
            let (tally, day) = (tally_of(&clicks), Day(20_000));
            let cut = Quarter(day.first().0 + cut);
            let end = Day(20_001).first();
            prop_assert_eq!(
                tally.clicks_within(day, &(day.first()..cut)) + tally.clicks_within(day, &(cut..end)),
                tally.clicks()
            );
        }

        #[test]
        fn damaged_bytes_are_refused_or_read_but_never_panic(bytes: Vec<u8>) {
            if let Ok(tally) = DayTally::from_bytes(&bytes) {
                prop_assert_eq!(tally.to_bytes(), bytes);
            }
        }
    }

    #[test]
    fn the_last_millisecond_of_a_day_belongs_to_it() {
        let last: Timestamp = "2026-11-23T23:59:59.999Z".parse().unwrap();
        let next: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        assert_eq!(Quarter::of(last).of_day(), 95);
        assert_eq!(Quarter::of(next).of_day(), 0);
        assert_eq!(Quarter::of(next).day().0, Quarter::of(last).day().0 + 1);
        assert_eq!(days_of(&(Quarter::of(last)..Quarter::of(next))).count_days(), 1);
    }

    trait Count {
        fn count_days(&self) -> u32;
    }
    impl Count for Range<Day> {
        fn count_days(&self) -> u32 {
            self.end.0 - self.start.0
        }
    }
}
