//! `/{code}+`: where a short link leads, before one goes there; and its figures, where they are
//! public.

use std::fmt::Display;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, VARY};
use actix_web::rt::time::timeout;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use url::Url;

use super::chart::Chart;
use super::{Suffixes, wants_json};
use crate::http::page::{Language, Phrase, Words};
use crate::http::redirect::NO_STORE;
use crate::http::v1::stats::{Asked, BreakdownRow, ReportBody, breakdown};
use crate::http::v1::wire::rfc3339;
use crate::model::link::{Link, State};
use crate::model::tally::Dimension;
use crate::service::stats::{By, Query, Report};
use crate::service::threats::Danger;

/// How long a page waits for its figures: others may be before it.
const PATIENCE: Duration = Duration::from_secs(1);
/// Rows of days, weeks and months for links up to this old: a chart has about a hundred bars.
const BY_HOUR_UP_TO: SignedDuration = SignedDuration::from_hours(2 * 24);
const BY_DAY_UP_TO: SignedDuration = SignedDuration::from_hours(92 * 24);
const BY_WEEK_UP_TO: SignedDuration = SignedDuration::from_hours(700 * 24);

/// Finds the name of something among the words of a language.
type Called = fn(&Words) -> &Phrase;

/// The dimensions that are shown, and what they are called.
const TOPS: [(Dimension, Called); 4] = [
    (Dimension::Referrer, |words| &words.referrers),
    (Dimension::Country, |words| &words.countries),
    (Dimension::Browser, |words| &words.browsers),
    (Dimension::Platform, |words| &words.platforms),
];

/// The page as data.
#[derive(Serialize)]
struct LinkInfo<'a> {
    code: &'a str,
    short_url: &'a str,
    target: &'a str,
    /// What the host of the target, or of its article, is known for, if that harms readers.
    #[serde(skip_serializing_if = "Option::is_none")]
    threat: Option<&'static str>,
    #[serde(flatten)]
    open: Option<OpenInfo<'a>>,
}

/// What is told where figures are public.
#[derive(Serialize)]
struct OpenInfo<'a> {
    title: Option<&'a str>,
    created_at: String,
    state: State,
    /// Null while the store does not answer.
    stats: Option<ReportBody>,
}

/// The page.
#[derive(Template)]
#[template(path = "link.html")]
struct LinkPage<'a> {
    language: &'a Language,
    code: &'a str,
    short_url: &'a str,
    host: &'a str,
    target: &'a str,
    danger: Option<&'a Danger>,
    open: Option<OpenPage<'a>>,
}

struct OpenPage<'a> {
    title: Option<&'a str>,
    created_at: String,
    created_day: String,
    imported: Option<(u64, String)>,
    report: Option<&'a Report>,
    chart: Option<Chart>,
    tops: Vec<Top<'a>>,
}

/// The names of one dimension with most clicks.
struct Top<'a> {
    name: &'a Phrase,
    rows: Vec<(String, u64)>,
}

impl LinkPage<'_> {
    fn title(&self) -> Option<&str> {
        self.open.as_ref().and_then(|open| open.title)
    }

    /// What it leads to, as HTML.
    fn leads_to(&self) -> String {
        let values: [(&str, &dyn Display); 2] = [("link", &self.short_url), ("host", &self.host)];
        self.language.words.leads_to.html(&values)
    }

    /// The address of the QR code, relative to the page's own.
    fn qr(&self) -> String {
        format!("{}.qr", self.code.rsplit('/').next().unwrap_or_default())
    }
}

/// The page of a link, or its content as JSON.
pub(super) async fn show(
    request: &HttpRequest,
    suffixes: &Suffixes,
    link: &Link,
    danger: Option<&Danger>,
    now: Timestamp,
) -> HttpResponse {
    let asked = asked(link, now);
    let report = timeout(PATIENCE, suffixes.stats.public_report(link, &asked.window, now)).await;
    let report = match report {
        Ok(Ok(report)) => report,
        Err(_) => {
            tracing::warn!(link.code = %link.code, "the figures of a page took too long");
            None
        }
        Ok(Err(error)) => {
            tracing::warn!(%error, link.code = %link.code, "the figures of a page can't be had");
            None
        }
    };
    let (report, short_url) = (report.as_ref(), suffixes.public.short_url(link));
    let is_open = suffixes.stats.are_public();
    if !wants_json(request) {
        let language = &suffixes.pages.edition(request).language;
        let page = LinkPage {
            language,
            code: link.code.as_str(),
            short_url: &short_url,
            host: &host_of(link),
            target: link.target.as_str(),
            danger,
            open: is_open.then(|| OpenPage::of(link, report, &asked, &language.words)),
        };
        return language.html(StatusCode::OK, &page);
    }
    let info = LinkInfo {
        code: link.code.as_str(),
        short_url: &short_url,
        target: link.target.as_str(),
        threat: danger.map(|danger| danger.threat.name()),
        open: is_open.then(|| OpenInfo {
            title: link.title.as_deref(),
            created_at: rfc3339(link.created_at),
            state: link.state_at(now),
            stats: report.map(|report| ReportBody::of(report, &asked)),
        }),
    };
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, NO_STORE)).insert_header((VARY, "Accept")).json(info)
}

/// The host that a browser asks for the target, which may have been imported in any form; the
/// article's, if it has none.
fn host_of(link: &Link) -> String {
    let target = Url::parse(link.target.as_str()).ok();
    let host = target.as_ref().and_then(Url::host_str).filter(|host| !host.is_empty());
    host.unwrap_or_else(|| link.article.host()).to_owned()
}

/// All clicks on a link, in rows that its age asks for.
fn asked(link: &Link, now: Timestamp) -> Asked {
    let by = match now.duration_since(link.created_at) {
        age if age <= BY_HOUR_UP_TO => By::Hour,
        age if age <= BY_DAY_UP_TO => By::Day,
        age if age <= BY_WEEK_UP_TO => By::Week,
        _ => By::Month,
    };
    Asked::of_window(Query { by: Some(by), ..Query::default() })
}

impl OpenPage<'_> {
    /// All clicks and those of people, as HTML.
    fn clicks(&self, report: &Report, words: &Words) -> String {
        let count = report.total.count;
        words.clicks_of_people.html(&[("clicks", &count.clicks()), ("people", &count.people)])
    }

    /// What the link brought along, as HTML.
    fn counted_elsewhere(clicks: &u64, day: &str, words: &Words) -> String {
        words.counted_elsewhere.html(&[("clicks", clicks), ("day", &day)])
    }
}

impl<'a> OpenPage<'a> {
    fn of(link: &'a Link, report: Option<&'a Report>, asked: &Asked, words: &'a Words) -> Self {
        let day = |moment: Timestamp| moment.strftime("%Y-%m-%d").to_string();
        let top = |report: &Report, dimension, name| {
            let rows = breakdown(&report.breakdown, dimension, asked);
            let row = |row: BreakdownRow| (name_of(row.id, words), row.clicks);
            Top { name, rows: rows.into_iter().map(row).collect() }
        };
        let tops = report.map_or(vec![], |report| {
            let all = TOPS.map(|(dimension, name)| top(report, dimension, name(words)));
            all.into_iter().filter(|top| !top.rows.is_empty()).collect()
        });
        Self {
            title: link.title.as_deref(),
            created_at: rfc3339(link.created_at),
            created_day: day(link.created_at),
            imported: link.baseline.map(|baseline| (baseline.clicks, day(baseline.at))),
            report,
            chart: report.and_then(Chart::of),
            tops,
        }
    }
}

/// What a row is called: only rows that are no names are told in the reader's language.
fn name_of(id: String, words: &Words) -> String {
    match id.as_str() {
        "direct" => words.row_direct.to_string(),
        "unknown" => words.row_unknown.to_string(),
        "other" => words.row_other.to_string(),
        _ => id,
    }
}
