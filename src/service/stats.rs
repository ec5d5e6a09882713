//! Figures over any window, and the audit.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, Unit, Zoned};

use super::auth::{Forbidden, Principal};
use super::click::Auditor;
use crate::model::code::Code;
use crate::model::link::Link;
use crate::model::tally::{Day, Quarter, days_of};
use crate::store::cached::Cached;
use crate::store::{Account, Links as _, StoreError, Subject, Tallies as _};

/// The most rows of one series.
pub const MAX_ROWS: usize = 10_000;
/// The longest window of a ranking, in days.
pub const MAX_TOP_DAYS: i64 = 3_660;
/// The most links of one ranking.
pub const MAX_TOP: usize = 1_000;
/// The window when none is asked for.
const DEFAULT_WINDOW: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The width of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// An hour.
    Hour,
    /// A day of the time zone: 23 to 25 hours.
    Day,
    /// A month of the time zone.
    Month,
}

/// What to count, over which window.
#[derive(Debug, Clone)]
pub struct Query {
    /// The first moment; where it is not the beginning of a row, its row counts whole.
    pub from: Option<Timestamp>,
    /// The moment after the last; where it is not the end of a row, its row counts whole.
    pub to: Option<Timestamp>,
    /// The width of a row.
    pub by: By,
    /// Whose hours, days and months.
    pub tz: TimeZone,
}

/// Clicks over a window, without gaps. The rows add up to the total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// The beginning of the first row.
    pub from: Timestamp,
    /// The end of the last row.
    pub to: Timestamp,
    /// All clicks of the window.
    pub clicks: u64,
    /// Each row's beginning, and its clicks.
    pub rows: Vec<(Timestamp, u64)>,
}

/// The links with most clicks in a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Top {
    /// The first moment.
    pub from: Timestamp,
    /// The moment after the last.
    pub to: Timestamp,
    /// Most clicks first; equal ones in the order of their codes.
    pub links: Vec<(Link, u64)>,
}

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
pub enum StatsError {
    /// The window's end is not after its beginning.
    #[error("`to` must be after `from`")]
    Backwards,
    /// More rows than one answer holds.
    #[error("the window has more than {MAX_ROWS} rows; narrow it or ask for wider rows with `by`")]
    TooManyRows,
    /// A ranking over too long a window.
    #[error("a ranking spans at most {MAX_TOP_DAYS} days; narrow the window")]
    TooLong,
    /// A time beyond the calendar.
    #[error("a time of the window is out of range: {0}")]
    OutOfRange(#[from] jiff::Error),
    /// There never was a link with this code.
    #[error("there is no link with the code {0:?}")]
    NotFound(String),
    /// The key may not know.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The store's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Answers questions about clicks.
#[derive(Clone)]
pub struct Stats {
    links: Cached,
    auditor: Auditor,
}

impl Stats {
    /// Reads the tallies behind `links`; the node's own account comes from `auditor`.
    #[must_use]
    pub fn new(links: Cached, auditor: Auditor) -> Self {
        Self { links, auditor }
    }

    /// The same over another handle on the store.
    #[must_use]
    pub fn over(&self, links: &Cached) -> Self {
        Self { links: links.clone(), auditor: self.auditor.clone() }
    }

    /// Clicks on one link, or on what is left of it; since it was minted, unless the window begins
    /// elsewhere.
    ///
    /// # Errors
    /// [`StatsError`].
    pub async fn of_link(
        &self,
        by: &Principal,
        code: &str,
        query: &Query,
        now: Timestamp,
    ) -> Result<Series, StatsError> {
        let unknown = || StatsError::NotFound(code.to_owned());
        let link = self.links.get(&Code::parse(code).map_err(|_| unknown())?).await?;
        let link = link.ok_or_else(unknown)?;
        by.may_see(&link)?;
        let subject = Subject::Link(link.code.clone());
        self.series(&subject, query, link.created_at.min(now), now).await
    }

    /// Clicks on all links together; of the last 30 days, unless the window says otherwise.
    ///
    /// # Errors
    /// [`StatsError`].
    pub async fn of_site(
        &self,
        by: &Principal,
        query: &Query,
        now: Timestamp,
    ) -> Result<Series, StatsError> {
        by.may_read_site()?;
        self.series(&Subject::Site, query, now - DEFAULT_WINDOW, now).await
    }

    async fn series(
        &self,
        subject: &Subject,
        query: &Query,
        from: Timestamp,
        now: Timestamp,
    ) -> Result<Series, StatsError> {
        let to = query.to.unwrap_or(now + SignedDuration::from_millis(1));
        let edges = edges(query.from.unwrap_or(from), to, query.by, &query.tz)?;
        let (first, last) = (edges[0], edges[edges.len() - 1]);
        let quarters = Quarter::of(first)..Quarter::of(last);
        let days = self.links.store().series(subject, known_days(&quarters, now)).await?;
        let mut rows: Vec<_> = edges[..edges.len() - 1].iter().map(|start| (*start, 0)).collect();
        for (day, tally) in &days {
            for (quarter, clicks) in tally.quarters() {
                let quarter = Quarter(day.first().0 + u32::from(quarter));
                if quarters.contains(&quarter) {
                    let row = rows.partition_point(|(start, _)| Quarter::of(*start) <= quarter);
                    rows[row - 1].1 += clicks;
                }
            }
        }
        let clicks = rows.iter().map(|(_, clicks)| clicks).sum();
        Ok(Series { from: first, to: last, clicks, rows })
    }

    /// The links with most clicks: exact, over all links that were clicked. The window is widened
    /// to whole quarter-hours.
    ///
    /// # Errors
    /// [`StatsError`].
    pub async fn top(
        &self,
        by: &Principal,
        (from, to): (Option<Timestamp>, Option<Timestamp>),
        limit: usize,
        now: Timestamp,
    ) -> Result<Top, StatsError> {
        by.may_read_site()?;
        let to = to.unwrap_or(now).max(Timestamp::UNIX_EPOCH);
        let from = match from {
            Some(from) => from.max(Timestamp::UNIX_EPOCH),
            None => to.min(now).checked_sub(DEFAULT_WINDOW)?,
        };
        if from >= to {
            return Err(StatsError::Backwards);
        }
        let end = Quarter(Quarter::of(to - SignedDuration::from_millis(1)).0 + 1);
        let quarters = Quarter::of(from)..end;
        let days = known_days(&quarters, now);
        if i64::from(days.end.0.saturating_sub(days.start.0)) > MAX_TOP_DAYS {
            return Err(StatsError::TooLong);
        }
        let best = most_clicked(self.clicks_by_link(&quarters, days).await?, limit);
        let codes: Vec<Code> = best.iter().map(|(code, _)| code.clone()).collect();
        let links = self.links.get_many(&codes).await?.into_iter().zip(best);
        let links = links.filter_map(|(link, (_, clicks))| Some((link?, clicks))).collect();
        Ok(Top { from: quarters.start.start(), to: quarters.end.start(), links })
    }

    async fn clicks_by_link(
        &self,
        window: &Range<Quarter>,
        days: Range<Day>,
    ) -> Result<HashMap<Code, u64>, StoreError> {
        let mut sums: HashMap<Code, u64> = HashMap::new();
        for day in (days.start.0..days.end.0).map(Day) {
            for (code, tally) in self.links.store().links_on(day).await? {
                let clicks = tally.clicks_within(day, window);
                if clicks > 0 {
                    *sums.entry(code).or_default() += clicks;
                }
            }
        }
        Ok(sums)
    }

    /// Every node's account: this one's as of now, the others' as last filed.
    ///
    /// # Errors
    /// [`StatsError`].
    pub async fn audit(&self, by: &Principal) -> Result<Vec<Account>, StatsError> {
        by.may_read_site()?;
        let own = self.auditor.account().await?;
        let filed = self.links.store().accounts().await?;
        let mut nodes: BTreeMap<_, _> =
            filed.into_iter().map(|account| (account.node.clone(), account)).collect();
        nodes.insert(own.node.clone(), own);
        Ok(nodes.into_values().collect())
    }
}

/// The days that can hold clicks: none after tomorrow, whatever a node's clock says.
fn known_days(quarters: &Range<Quarter>, now: Timestamp) -> Range<Day> {
    let days = days_of(quarters);
    let tomorrow = Day(Quarter::of(now).day().0 + 2);
    days.start.min(tomorrow)..days.end.min(tomorrow)
}

/// The beginnings of all rows that touch the window, and the end of the last.
fn edges(
    from: Timestamp,
    to: Timestamp,
    by: By,
    tz: &TimeZone,
) -> Result<Vec<Timestamp>, StatsError> {
    if from >= to {
        return Err(StatsError::Backwards);
    }
    let mut edge = row_start(&from.max(Timestamp::UNIX_EPOCH).to_zoned(tz.clone()), by)?;
    let mut edges = vec![edge.timestamp()];
    while edge.timestamp() < to || edges.len() < 2 {
        if edges.len() > MAX_ROWS {
            return Err(StatsError::TooManyRows);
        }
        edge = next_row(&edge, by)?;
        edges.push(edge.timestamp());
    }
    Ok(edges)
}

fn row_start(moment: &Zoned, by: By) -> Result<Zoned, jiff::Error> {
    match by {
        // Whole hours of the zone's wall clock, counted in real time: an hour that the clock
        // shows twice gives two rows.
        By::Hour => {
            let into_hour = moment.time().duration_since(moment.time().round(
                jiff::civil::TimeRound::new().smallest(Unit::Hour).mode(jiff::RoundMode::Trunc),
            )?);
            moment.checked_sub(into_hour)
        }
        By::Day => moment.start_of_day(),
        By::Month => moment.first_of_month()?.start_of_day(),
    }
}

fn next_row(row: &Zoned, by: By) -> Result<Zoned, jiff::Error> {
    match by {
        By::Hour => row.checked_add(SignedDuration::from_hours(1)),
        // Through the civil date, so that a midnight that does not exist shifts one row only.
        By::Day => row.date().tomorrow()?.to_zoned(row.time_zone().clone()),
        By::Month => {
            let next = row.date().first_of_month().checked_add(Span::new().months(1))?;
            next.to_zoned(row.time_zone().clone())
        }
    }
}

fn most_clicked(sums: HashMap<Code, u64>, limit: usize) -> Vec<(Code, u64)> {
    let mut all: Vec<_> = sums.into_iter().collect();
    let order = |a: &(Code, u64), b: &(Code, u64)| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0));
    if all.len() > limit {
        all.select_nth_unstable_by(limit, order);
        all.truncate(limit);
    }
    all.sort_unstable_by(order);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(from: &str, to: &str, by: By, tz: &str) -> Vec<String> {
        let tz = TimeZone::get(tz).unwrap();
        let edges = edges(from.parse().unwrap(), to.parse().unwrap(), by, &tz).unwrap();
        edges.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_window_is_widened_to_whole_rows() {
        assert_eq!(
            rows("2026-11-22T10:20:00Z", "2026-11-22T11:00:01Z", By::Hour, "UTC"),
            ["2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z", "2026-11-22T12:00:00Z"]
        );
        assert_eq!(
            rows("2026-11-22T10:20:00Z", "2026-11-23T00:00:00Z", By::Day, "UTC"),
            ["2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"]
        );
        assert_eq!(
            rows("2026-12-31T23:00:00Z", "2027-01-31T23:00:00Z", By::Month, "Europe/Paris"),
            ["2026-12-31T23:00:00Z", "2027-01-31T23:00:00Z"]
        );
    }

    #[test]
    fn half_hour_zones_have_exact_days_and_hours() {
        assert_eq!(
            rows("2026-11-22T21:00:00Z", "2026-11-22T21:01:00Z", By::Day, "Asia/Tehran"),
            ["2026-11-22T20:30:00Z", "2026-11-23T20:30:00Z"]
        );
        assert_eq!(
            rows("2026-11-22T21:00:00Z", "2026-11-22T21:15:00Z", By::Hour, "Asia/Kathmandu"),
            ["2026-11-22T20:15:00Z", "2026-11-22T21:15:00Z"]
        );
    }

    #[test]
    fn days_and_hours_across_a_clock_change_have_no_gap_and_no_overlap() {
        assert_eq!(
            rows("2026-10-25T00:00:00Z", "2026-10-26T10:00:00Z", By::Day, "Europe/Berlin"),
            ["2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "2026-10-26T23:00:00Z"]
        );
        let spring =
            rows("2026-03-29T00:00:00Z", "2026-03-29T03:00:00Z", By::Hour, "Europe/Berlin");
        assert_eq!(spring.len(), 4);
        // Cairo's clocks go forward at midnight: that day begins at one o'clock.
        assert_eq!(
            rows("2026-04-24T00:00:00Z", "2026-04-24T01:00:00Z", By::Day, "Africa/Cairo"),
            ["2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"]
        );
    }

    #[test]
    fn a_window_with_too_many_rows_or_none_is_refused() {
        let edges_of = |from: &str, to: &str| {
            edges(from.parse().unwrap(), to.parse().unwrap(), By::Hour, &TimeZone::UTC)
        };
        assert!(matches!(
            edges_of("2020-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
            Err(StatsError::TooManyRows)
        ));
        assert!(matches!(
            edges_of("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
            Err(StatsError::Backwards)
        ));
    }

    #[test]
    fn the_most_clicked_come_first_and_equals_by_code() {
        let code = |text: &str| Code::parse(text).unwrap();
        let sums = HashMap::from([(code("c"), 5), (code("a"), 1), (code("b"), 5), (code("d"), 9)]);
        let best = most_clicked(sums, 3);
        assert_eq!(best, [(code("d"), 9), (code("b"), 5), (code("c"), 5)]);
    }
}
