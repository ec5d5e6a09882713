//! Figures over any window, and the audit.

use std::collections::{BTreeMap, HashMap};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, Unit, Zoned};

use super::auth::{Forbidden, Principal};
use super::click::Auditor;
use crate::model::code::Code;
use crate::model::link::Link;
use crate::model::tally::{Breakdown, Day, Figures, Quarter, days_of};
pub use crate::store::Note;
use crate::store::cached::Cached;
use crate::store::{Account, StoreError, Tallies as _};

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
    /// A week of the time zone, from Monday on (ISO 8601).
    Week,
    /// A month of the time zone.
    Month,
}

/// A window that ends now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// So many hours, to the quarter-hour.
    Hours(u32),
    /// So many days of 24 hours, to the quarter-hour.
    Days(u32),
    /// Everything there is.
    All,
}

/// What to count, over which window.
#[derive(Debug, Clone)]
pub struct Query {
    /// The first moment; its quarter-hour counts whole.
    pub from: Option<Timestamp>,
    /// The moment after the last; its quarter-hour counts whole.
    pub to: Option<Timestamp>,
    /// Instead of `from` and `to`.
    pub last: Option<Last>,
    /// The width of a row. `None`: an hour for windows of at most two days, else a day.
    pub by: Option<By>,
    /// Whose hours, days, weeks and months.
    pub tz: TimeZone,
    /// Whether the window of the same length before it is told as well.
    pub previous: bool,
}

impl Default for Query {
    fn default() -> Self {
        Self { from: None, to: None, last: None, by: None, tz: TimeZone::UTC, previous: false }
    }
}

/// Whose clicks are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Those on the link with this code, or on what is left of it.
    Link(String),
    /// Those on all links of the article with this address, in any form of it.
    Article(String),
    /// Those on links with this tag.
    Tag(String),
    /// Those on links minted by the key with this id.
    Key(String),
    /// All.
    Site,
    /// None: requests for codes that lead nowhere.
    Orphans,
}

/// What was counted over a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The beginning of the window: the first row's.
    pub from: Timestamp,
    /// The end of the window: the last row's.
    pub to: Timestamp,
    /// The width of a row.
    pub by: By,
    /// The whole window. Clicks are the sum of the rows; visitors are those of each UTC day added
    /// up, so a reader who came in two rows of one day counts once here and in each row there.
    pub total: Figures,
    /// Each row's beginning and what was counted; without gaps.
    pub rows: Vec<(Timestamp, Figures)>,
    /// The clicks of the whole window, told apart: each dimension adds up to `total`.
    pub breakdown: Breakdown,
    /// The window before: its beginning, and what was counted up to `from`.
    pub previous: Option<(Timestamp, Figures)>,
    /// The links that were counted, when they are few: one, or those of an article.
    pub codes: Vec<Code>,
}

/// By what links are ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rank {
    /// All clicks.
    #[default]
    Clicks,
    /// People's clicks.
    People,
}

/// The links with most clicks in a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Top {
    /// The first moment.
    pub from: Timestamp,
    /// The moment after the last.
    pub to: Timestamp,
    /// Most clicks first; equal ones in the order of their codes.
    pub links: Vec<(Link, Figures)>,
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

    /// What was counted. The window begins, unless it says otherwise, when the link was minted; for
    /// anything but a link or an article 30 days ago.
    ///
    /// # Errors
    /// [`StatsError`].
    pub async fn report(
        &self,
        by: &Principal,
        whose: &Whose,
        query: &Query,
        now: Timestamp,
    ) -> Result<Report, StatsError> {
        let _ = (by, whose, query, now);
        Err(StatsError::Backwards)
    }

    /// The links with most clicks: exact, over all links that were clicked. The window is widened
    /// to whole quarter-hours.
    ///
    /// # Errors
    /// [`StatsError`].
    pub async fn top(
        &self,
        by: &Principal,
        query: &Query,
        rank: Rank,
        limit: usize,
        now: Timestamp,
    ) -> Result<Top, StatsError> {
        let _ = (by, query, rank, limit, now);
        Err(StatsError::Backwards)
    }

    /// Deletes the figures of one link, and leaves a note of it in the audit. What its clicks added
    /// to its tags, its key and the site stays. Returns how many clicks it had.
    ///
    /// # Errors
    /// [`StatsError`].
    pub async fn delete(
        &self,
        by: &Principal,
        code: &str,
        now: Timestamp,
    ) -> Result<u64, StatsError> {
        let _ = (by, code, now);
        Err(StatsError::Backwards)
    }

    /// What administrators deleted, oldest first.
    ///
    /// # Errors
    /// [`StatsError`].
    pub async fn notes(&self, by: &Principal) -> Result<Vec<Note>, StatsError> {
        by.may_read_site()?;
        Ok(self.links.store().notes().await?)
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
        By::Week => {
            let back = moment.weekday().since(jiff::civil::Weekday::Monday);
            let monday = moment.date().checked_sub(Span::new().days(i64::from(back)))?;
            monday.to_zoned(moment.time_zone().clone())
        }
        By::Month => moment.first_of_month()?.start_of_day(),
    }
}

fn next_row(row: &Zoned, by: By) -> Result<Zoned, jiff::Error> {
    match by {
        By::Hour => row.checked_add(SignedDuration::from_hours(1)),
        // Through the civil date, so that a midnight that does not exist shifts one row only.
        By::Day => row.date().tomorrow()?.to_zoned(row.time_zone().clone()),
        By::Week => row.date().checked_add(Span::new().days(7))?.to_zoned(row.time_zone().clone()),
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
