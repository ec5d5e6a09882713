//! Links and their clicks as they go over the wire: the schemas of `urlshortener.v1.json`. Counts are
//! texts there, because some languages have no integers of 64 bits.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::http::Services;
use crate::http::v1::wire::{Public, rfc3339};
use crate::model::link::{Baseline, Link, State};
use crate::model::tally::{Breakdown, Dimension};
use crate::service::auth::Principal;
use crate::service::stats::{Detail, Last, Stats, StatsError};
use crate::service::threats::Threat;

/// Links of one page of a history.
pub(super) const PAGE: usize = 30;
/// The most rows of one list of top strings.
const TOP: usize = 10;
/// The windows of analytics, in the order of [`Analytics`].
const WINDOWS: [Last; 5] =
    [Last::All, Last::Days(30), Last::Days(7), Last::Days(1), Last::Hours(2)];
/// What goo.gl called a click without a referrer.
const NO_REFERRER: &str = "unknown";

/// A short URL.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UrlBody {
    kind: &'static str,
    /// The short URL.
    id: String,
    /// Where it leads; not told of what is removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    long_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    analytics: Option<Analytics>,
}

/// What has become of the link and of the address it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    Ok,
    Malware,
    Phishing,
    /// Withdrawn, expired or deleted.
    Removed,
}

/// A page of links.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HistoryBody {
    pub(super) kind: &'static str,
    /// About how many there are on all pages: deleted ones are among them.
    pub(super) total_items: u64,
    pub(super) items_per_page: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_page_token: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) items: Vec<UrlBody>,
}

/// What is told of the clicks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// How many.
    Clicks,
    /// Where they came from and what they were made with.
    TopStrings,
    /// Both, and when the link was made.
    All,
}

/// Clicks over windows that end now; a month has 30 days.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Analytics {
    all_time: Window,
    month: Window,
    week: Window,
    day: Window,
    two_hours: Window,
}

/// Clicks over one window.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Window {
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    short_url_clicks: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    long_url_clicks: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    referrers: Vec<StringCount>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    countries: Vec<StringCount>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    browsers: Vec<StringCount>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    platforms: Vec<StringCount>,
}

/// A row of top strings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct StringCount {
    count: String,
    id: String,
}

fn as_text<S: Serializer>(count: &Option<u64>, to: S) -> Result<S::Ok, S::Error> {
    match count {
        Some(count) => to.collect_str(count),
        None => to.serialize_none(),
    }
}

impl HistoryBody {
    pub(super) const KIND: &str = "urlshortener#urlHistory";
}

impl UrlBody {
    /// What an insert answers: no more than goo.gl told then.
    pub(super) fn minted(link: &Link, public: &Public) -> Self {
        Self {
            kind: "urlshortener#url",
            id: public.short_url(link),
            long_url: Some(link.target.to_string()),
            status: None,
            created: None,
            analytics: None,
        }
    }

    /// The link as it is at `now`.
    pub(super) fn of(link: &Link, services: &Services, now: Timestamp) -> Self {
        let body = Self::minted(link, &services.public);
        let status = match (link.state_at(now), services.shorten.threats().of_link(link)) {
            (State::Disabled | State::Expired | State::Deleted, _) => Status::Removed,
            (State::Active, Some(Threat::Malware)) => Status::Malware,
            (State::Active, Some(Threat::Phishing)) => Status::Phishing,
            (State::Active, None) => Status::Ok,
        };
        let long_url = body.long_url.filter(|_| status != Status::Removed);
        Self { long_url, status: Some(status), ..body }
    }

    /// The same with the time of its creation: `2010-10-14T19:01:24.944+00:00`.
    pub(super) fn with_creation(self, link: &Link) -> Self {
        let created = rfc3339(link.created_at).replace('Z', "+00:00");
        Self { created: Some(created), ..self }
    }

    /// The same with what was counted.
    pub(super) fn with(self, analytics: Analytics) -> Self {
        Self { analytics: Some(analytics), ..self }
    }
}

impl Analytics {
    /// Of a link and its article, as much as is to be told.
    pub(super) async fn of_url(
        stats: &Stats,
        by: &Principal,
        link: &Link,
        told: Told,
        now: Timestamp,
    ) -> Result<Self, StatsError> {
        let article = match told {
            Told::TopStrings => vec![],
            Told::Clicks | Told::All => stats.siblings(by, link).await?,
        };
        let detail = if told == Told::Clicks { Detail::Clicks } else { Detail::Breakdown };
        let own = std::slice::from_ref(link);
        let short = stats.snapshots(by, own, &WINDOWS, detail, now).await?;
        let long = match article.len() {
            0 | 1 => short.clone(),
            _ => stats.snapshots(by, &article, &WINDOWS, Detail::Clicks, now).await?,
        };
        let each = short.iter().zip(&long).zip(WINDOWS).map(|((short, long), last)| {
            let mut window = match detail {
                Detail::Breakdown => Window::of_top_strings(&short.breakdown),
                Detail::Clicks => Window::default(),
            };
            if told != Told::TopStrings {
                window.short_url_clicks = Some(with_imported(short.clicks, last, own));
                window.long_url_clicks = Some(with_imported(long.clicks, last, &article));
            }
            window
        });
        Ok(Self::of(each))
    }

    /// Of a link in a history: the clicks on the short URL.
    pub(super) async fn of_item(
        stats: &Stats,
        by: &Principal,
        link: &Link,
        now: Timestamp,
    ) -> Result<Self, StatsError> {
        let own = std::slice::from_ref(link);
        let counted = stats.snapshots(by, own, &WINDOWS, Detail::Clicks, now).await?;
        Ok(Self::of(counted.iter().zip(WINDOWS).map(|(snapshot, last)| {
            let short_url_clicks = Some(with_imported(snapshot.clicks, last, own));
            Window { short_url_clicks, ..Window::default() }
        })))
    }

    fn of(mut windows: impl Iterator<Item = Window>) -> Self {
        let mut next = || windows.next().unwrap_or_default();
        Self { all_time: next(), month: next(), week: next(), day: next(), two_hours: next() }
    }
}

/// What goo.gl showed as all clicks of all time: what the links brought along is a part of it.
fn with_imported(clicks: u64, last: Last, links: &[Link]) -> u64 {
    let imported = match last {
        Last::All => Baseline::together(links.iter().filter_map(|link| link.baseline)),
        Last::Days(_) | Last::Hours(_) => None,
    };
    clicks.saturating_add(imported.map_or(0, |imported| imported.clicks))
}

impl Window {
    fn of_top_strings(breakdown: &Breakdown) -> Self {
        Self {
            referrers: top(breakdown, Dimension::Referrer),
            countries: top(breakdown, Dimension::Country),
            browsers: top(breakdown, Dimension::Browser),
            platforms: top(breakdown, Dimension::Platform),
            ..Self::default()
        }
    }
}

/// The first rows of a dimension, most clicks first and equal ones by name. Clicks of which nothing
/// is known have no row, but for those without a referrer, which goo.gl told as well.
fn top(breakdown: &Breakdown, dimension: Dimension) -> Vec<StringCount> {
    let mut unreferred = 0;
    let mut rows: Vec<(&str, u64)> = Vec::new();
    for (name, count) in breakdown.of(dimension).named() {
        match name.as_ref() {
            "direct" | "unknown" if dimension == Dimension::Referrer => {
                unreferred += count.clicks()
            }
            "unknown" => {}
            name => rows.push((name, count.clicks())),
        }
    }
    rows.push((NO_REFERRER, unreferred));
    rows.retain(|(_, clicks)| *clicks > 0);
    rows.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    rows.truncate(TOP);
    let row = |(id, clicks): (&str, u64)| StringCount { count: clicks.to_string(), id: id.into() };
    rows.into_iter().map(row).collect()
}
