//! Windows: which quarter-hours are asked for, and the rows they are told in.

use std::ops::Range;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, Zoned};

use super::{By, DEFAULT_WINDOW, Last, MAX_ROWS, Query, StatsError};
use crate::model::tally::{Day, QUARTERS_A_DAY, Quarter, days_of};

/// The longest window whose rows are hours when nothing is said.
const MOST_BY_HOUR: SignedDuration = SignedDuration::from_hours(48);
/// A quarter-hour.
const QUARTER: SignedDuration = SignedDuration::from_mins(15);
/// From a quarter's first moment to its middle.
const HALF_A_QUARTER: SignedDuration = SignedDuration::from_secs(15 * 60 / 2);
/// From a UTC day's first moment to its middle.
const HALF_A_DAY: SignedDuration = SignedDuration::from_hours(12);
/// Seconds of an hour.
const HOUR: i64 = 3_600;

/// What a query asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    /// All of it, widened to whole quarter-hours.
    pub(super) quarters: Range<Quarter>,
    /// The width of a row.
    pub(super) by: By,
}

impl Window {
    /// The window that `query` asks for at `now`. Unless it says when it begins, it begins with the
    /// day of `since`; without that, 30 days before its end.
    pub(super) fn of(
        query: &Query,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Self, StatsError> {
        let to = query.to.filter(|_| query.last.is_none()).unwrap_or(now);
        let hours = |n: u32| SignedDuration::from_hours(i64::from(n));
        let from = match (query.last, query.from) {
            (Some(Last::Hours(n)), _) => now.saturating_sub(hours(n))?,
            (Some(Last::Days(n)), _) => now.saturating_sub(hours(n) * 24)?,
            (None, Some(from)) => from,
            (None | Some(Last::All), _) => beginning(query, since, to)?,
        };
        if from >= to {
            return Err(StatsError::Backwards);
        }
        let quarters = Quarter::of(from)..end_of(to);
        if quarters.is_empty() {
            return Err(StatsError::TooEarly);
        }
        let short = to.duration_since(from) <= MOST_BY_HOUR;
        let by = query.by.unwrap_or(if short { By::Hour } else { By::Day });
        Ok(Self { quarters, by })
    }

    /// Its rows in this zone.
    pub(super) fn rows(&self, tz: &TimeZone) -> Result<Rows, StatsError> {
        let (from, to) = (self.quarters.start.start(), self.quarters.end.start());
        let mut edges = vec![from];
        let mut row = row_start(&from.to_zoned(tz.clone()), self.by)?;
        loop {
            row = next_row(&row, self.by)?;
            if row.timestamp() >= to {
                break;
            }
            if edges.len() == MAX_ROWS {
                return Err(StatsError::TooManyRows);
            }
            edges.push(row.timestamp());
        }
        edges.push(to);
        Ok(Rows(edges))
    }

    /// All of it as one row.
    pub(super) fn whole(&self) -> Rows {
        Rows(vec![self.quarters.start.start(), self.quarters.end.start()])
    }

    /// The window before it. Of whole days of the zone, as many days; else as many quarter-hours.
    pub(super) fn previous(&self, tz: &TimeZone) -> Result<Self, StatsError> {
        let (start, end) = (self.quarters.start, self.quarters.end);
        let zoned = |quarter: Quarter| quarter.start().to_zoned(tz.clone());
        let (from, to) = (zoned(start), zoned(end));
        let begins_a_day = |at: &Zoned| Ok::<_, jiff::Error>(at.start_of_day()? == *at);
        let before = match begins_a_day(&from)? && begins_a_day(&to)? {
            true => {
                let days = from.date().until(to.date())?;
                let first = from.date().checked_sub(days)?.to_zoned(tz.clone())?;
                Quarter::of(first.timestamp())
            }
            false => Quarter(start.0.saturating_sub(end.0 - start.0)),
        };
        Ok(Self { quarters: before..start, by: self.by })
    }
}

/// Where a window begins that does not say so: never behind its end.
fn beginning(
    query: &Query,
    since: Option<Timestamp>,
    to: Timestamp,
) -> Result<Timestamp, StatsError> {
    let by = query.by.unwrap_or(By::Day);
    let zoned = |moment: Timestamp| moment.to_zoned(query.tz.clone());
    let first = match since {
        Some(since) => zoned(since.min(to.saturating_sub(QUARTER)?)).start_of_day()?,
        None => zoned(to.saturating_sub(DEFAULT_WINDOW)?),
    };
    Ok(row_start(&first, by)?.timestamp())
}

/// The first quarter that begins at `to` or later.
fn end_of(to: Timestamp) -> Quarter {
    let last = Quarter::of(to);
    if last.start() < to { Quarter(last.0.saturating_add(1)) } else { last }
}

/// The middle of a quarter of a UTC day.
pub(super) fn middle_of_quarter(day: Day, quarter: u8) -> Timestamp {
    let start = Quarter(day.first().0.saturating_add(u32::from(quarter))).start();
    start.checked_add(HALF_A_QUARTER).unwrap_or(Timestamp::MAX)
}

/// The middle of a UTC day.
pub(super) fn middle_of_day(day: Day) -> Timestamp {
    day.first().start().checked_add(HALF_A_DAY).unwrap_or(Timestamp::MAX)
}

/// The edges of rows: each begins where the one before it ends. One more than there are rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rows(Vec<Timestamp>);

impl Rows {
    /// The row that a moment lies in, if it lies in one.
    pub(super) fn row_of(&self, moment: Timestamp) -> Option<usize> {
        let behind = self.0.partition_point(|edge| *edge <= moment);
        behind.checked_sub(1).filter(|row| *row < self.len())
    }

    /// Whether a UTC day lies within one row, all of it.
    pub(super) fn hold_in_one(&self, day: Day) -> bool {
        let (first, last) = self.rows_of(day);
        first.is_some() && first == last
    }

    /// Whether a UTC day lies within them, all of it.
    pub(super) fn hold(&self, day: Day) -> bool {
        let (first, last) = self.rows_of(day);
        first.is_some() && last.is_some()
    }

    /// The rows of a UTC day's first and last quarter.
    fn rows_of(&self, day: Day) -> (Option<usize>, Option<usize>) {
        let last = u8::try_from(QUARTERS_A_DAY - 1).unwrap_or(u8::MAX);
        // Edges lie on quarters, but for some zones of the past: then what is in the middle counts.
        (self.row_of(day.first().start()), self.row_of(middle_of_quarter(day, last)))
    }

    /// The UTC days that they touch.
    pub(super) fn days(&self) -> Range<Day> {
        days_of(&(Quarter::of(self.from())..end_of(self.to())))
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.0.len() - 1
    }

    /// Their beginnings.
    pub(super) fn starts(&self) -> &[Timestamp] {
        &self.0[..self.len()]
    }

    /// The beginning of the first.
    pub(super) fn from(&self) -> Timestamp {
        self.0[0]
    }

    /// The end of the last.
    pub(super) fn to(&self) -> Timestamp {
        self.0[self.len()]
    }
}

/// The beginning of the row that a moment lies in.
fn row_start(moment: &Zoned, by: By) -> Result<Zoned, jiff::Error> {
    match by {
        By::Hour => hour_start(moment),
        By::Day => moment.start_of_day(),
        By::Week => {
            let back = moment.weekday().since(Weekday::Monday);
            let monday = moment.date().checked_sub(Span::new().days(i64::from(back)))?;
            monday.to_zoned(moment.time_zone().clone())
        }
        By::Month => moment.first_of_month()?.start_of_day(),
    }
}

/// The beginning of the row after it.
fn next_row(row: &Zoned, by: By) -> Result<Zoned, jiff::Error> {
    let tz = || row.time_zone().clone();
    match by {
        By::Hour => next_hour(row),
        // Through the civil date, so that a midnight that does not exist shifts one row only.
        By::Day => row.date().tomorrow()?.to_zoned(tz()),
        By::Week => row.date().checked_add(Span::new().days(7))?.to_zoned(tz()),
        By::Month => row.date().first_of_month().checked_add(Span::new().months(1))?.to_zoned(tz()),
    }
}

/// The last moment, up to this one, at which the zone's clock showed a whole hour. An hour that the
/// clock shows twice gives two rows; one that it shows in part is joined to its neighbour.
fn hour_start(moment: &Zoned) -> Result<Zoned, jiff::Error> {
    let mut start = moment.clone();
    // Twice at most: going back may cross a change of the clock by half an hour.
    while let into @ 1.. = nanoseconds_into_hour(&start) {
        start = start.checked_sub(SignedDuration::from_nanos(into))?;
    }
    Ok(start)
}

/// The next moment at which the zone's clock shows a whole hour.
fn next_hour(row: &Zoned) -> Result<Zoned, jiff::Error> {
    let mut next = row.clone();
    loop {
        let ahead = HOUR * 1_000_000_000 - nanoseconds_into_hour(&next);
        next = next.checked_add(SignedDuration::from_nanos(ahead))?;
        if nanoseconds_into_hour(&next) == 0 {
            return Ok(next);
        }
    }
}

fn nanoseconds_into_hour(moment: &Zoned) -> i64 {
    let seconds = i64::from(moment.minute()) * 60 + i64::from(moment.second());
    seconds * 1_000_000_000 + i64::from(moment.subsec_nanosecond())
}

#[cfg(test)]
mod tests;
