//! Figures over any window, and the audit.

mod ranking;
mod report;
mod snapshot;
mod subjects;
#[cfg(test)]
mod tests;
mod window;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;

use self::report::{days_to_ask, sum};
pub use self::snapshot::{Detail, Snapshot};
use self::subjects::Subjects;
use self::window::{Rows, Window};
use super::auth::{Forbidden, Principal, to_the_millisecond};
use super::click::Auditor;
use super::shorten::Settings;
use crate::model::canonical::Canonicalizer;
use crate::model::code::Code;
use crate::model::link::{BadTag, Baseline, Link};
use crate::model::tally::{Breakdown, Day, Figures, Quarter, Subject};
use crate::model::target::{BadTarget, Target};
pub use crate::store::Note;
use crate::store::cached::Cached;
use crate::store::{Account, StoreError, Tallies as _};

/// The most rows of one series.
pub const MAX_ROWS: usize = 10_000;
/// The longest window of a ranking, in days.
pub const MAX_TOP_DAYS: i64 = 3_660;
/// The most links of one ranking.
pub const MAX_TOP: usize = 1_000;
/// Reports that are made at the same time for whoever asks.
const PUBLIC_AT_ONCE: usize = 4;
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
    /// What those links brought along from another shortener. It is in no other figure.
    pub imported: Option<Baseline>,
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
    /// The window ends before there were clicks to count.
    #[error("`to` must be after 1970-01-01: nothing was counted before")]
    TooEarly,
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
    /// There never was a link to this article.
    #[error("there is no link to the article {0}; POST /api/v1/links mints one")]
    NoArticle(Target),
    /// There is no key with this public name.
    #[error("there is no key {0}; GET /api/v1/keys lists them")]
    NoKey(String),
    /// Not an address that an article can have.
    #[error(transparent)]
    Target(#[from] BadTarget),
    /// Not a tag.
    #[error(transparent)]
    Tag(#[from] BadTag),
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
    canonical: Arc<Canonicalizer>,
    auditor: Auditor,
    /// One ranking at a time.
    ranking: Arc<Semaphore>,
    /// Places for reports that anybody may ask for, if they may.
    public: Option<Arc<Semaphore>>,
}

impl Stats {
    /// Reads the tallies behind `links`; articles are found by their `canonical` address, the node's
    /// own account comes from `auditor`.
    #[must_use]
    pub fn new(links: Cached, canonical: Arc<Canonicalizer>, auditor: Auditor) -> Self {
        let ranking = Arc::new(Semaphore::new(1));
        Self { links, canonical, auditor, ranking, public: None }
    }

    /// The same, open to anybody as far as `settings` say.
    #[must_use]
    pub fn opened_by(self, settings: &Settings) -> Self {
        let places = || Arc::new(Semaphore::new(PUBLIC_AT_ONCE));
        Self { public: settings.public_stats.then(places), ..self }
    }

    /// The same over another handle on the store.
    #[must_use]
    pub fn over(&self, links: &Cached) -> Self {
        Self { links: links.clone(), ..self.clone() }
    }

    /// What was counted. The window is widened to whole quarter-hours. It begins, unless it says
    /// otherwise, with the day on which the link or the article's first one was minted; for all else
    /// 30 days before its end.
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
        let subjects = self.subjects(by, whose).await?;
        self.report_on(subjects, query, now).await
    }

    /// What was counted of one link, for whoever asks; nothing, unless `links.public_stats` opens
    /// the figures. Who asks too much at a time waits.
    ///
    /// # Errors
    /// [`StatsError`].
    pub async fn public_report(
        &self,
        link: &Link,
        query: &Query,
        now: Timestamp,
    ) -> Result<Option<Report>, StatsError> {
        let Some(asking) = &self.public else { return Ok(None) };
        // The semaphore is never closed: without a permit there is nothing to wait for.
        let _permit = asking.acquire().await;
        let subjects = Subjects::links(vec![link.clone()]);
        self.report_on(subjects, query, now).await.map(Some)
    }

    /// Whether anybody may see the figures of a link.
    #[must_use]
    pub fn are_public(&self) -> bool {
        self.public.is_some()
    }

    async fn report_on(
        &self,
        subjects: Subjects,
        query: &Query,
        now: Timestamp,
    ) -> Result<Report, StatsError> {
        let since = match subjects.since {
            Some(minted) => Some(minted),
            None => self.first_moment(query, now).await?,
        };
        let window = Window::of(query, since, now)?;
        let rows = window.rows(&query.tz)?;
        let sums = self.sum(&subjects.all, &rows, now).await?;
        let previous = match query.previous {
            true => {
                let before = window.previous(&query.tz)?.whole();
                Some((before.from(), self.sum(&subjects.all, &before, now).await?.total))
            }
            false => None,
        };
        Ok(Report {
            from: rows.from(),
            to: rows.to(),
            by: window.by,
            total: sums.total,
            rows: rows.starts().iter().copied().zip(sums.rows).collect(),
            breakdown: sums.breakdown,
            previous,
            codes: subjects.codes,
            imported: subjects.imported,
        })
    }

    async fn sum(
        &self,
        subjects: &[Subject],
        rows: &Rows,
        now: Timestamp,
    ) -> Result<report::Sums, StoreError> {
        let store = self.links.store();
        sum(store, subjects, rows, &days_to_ask(store, rows, now).await?).await
    }

    /// When the first click ever was counted, to the UTC day, if all there is was asked for.
    async fn first_moment(
        &self,
        query: &Query,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        if query.last != Some(Last::All) {
            return Ok(None);
        }
        let tomorrow = Quarter::of(now).day().0.saturating_add(1);
        let first = self.links.store().first_day(Day(0)..Day(tomorrow)).await?;
        Ok(first.map(|day| day.first().start()))
    }

    /// Deletes the figures of one link, and leaves a note of it in the audit. What its clicks added
    /// to its tags, its key and the site stays; so does the link. Returns how many clicks it had.
    ///
    /// What waits in this node's journal is counted first, so that it goes with the rest. Other
    /// nodes may still hold what they accepted since their last roll-up (`clicks.flush_interval`,
    /// a second by default; longer while the store does not answer them): such clicks are counted
    /// afterwards, as those that readers make from now on.
    ///
    /// # Errors
    /// [`StatsError`].
    pub async fn delete(
        &self,
        by: &Principal,
        code: &str,
        now: Timestamp,
    ) -> Result<u64, StatsError> {
        by.may_delete_figures()?;
        let link = self.find(code).await?;
        self.auditor.catch_up().await?;
        let note =
            Note { at: to_the_millisecond(now), by: by.key.clone(), code: link.code, clicks: 0 };
        Ok(self.links.store().forget_link(&note).await?)
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
