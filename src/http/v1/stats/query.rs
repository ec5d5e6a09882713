//! What a question about figures says in its query string.

use std::borrow::Cow;

use actix_web::HttpRequest;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use utoipa::IntoParams;

use super::csv::{Form, Table};
use crate::http::error::{Kind, Problem};
use crate::http::extract::QueryString;
use crate::model::tally::Count;
use crate::service::stats::{By, Last, MAX_TOP, Query, Rank, StatsError};

/// Rows of a breakdown, and links of a ranking, when no number is asked for.
const DEFAULT_LIMIT: usize = 10;
/// The most rows of a breakdown that can be asked for.
const MAX_LIMIT: usize = MAX_TOP;

/// What a report may be asked with.
const OF_REPORT: [&str; 10] =
    ["from", "to", "last", "by", "tz", "compare", "limit", "include", "format", "table"];
/// What a ranking may be asked with.
const OF_TOP: [&str; 7] = ["from", "to", "last", "by", "tz", "limit", "format"];

/// The parameters of every window.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents what `Asked` and `AskedTop` read")]
pub(super) struct WindowParams {
    /// The first moment: a time (RFC 3339), or a date or time of the zone. Its quarter-hour counts
    /// whole. Default: the day on which the link, or the article's first one, was minted; for all
    /// else 30 days before the end.
    #[param(example = "2026-11-01")]
    from: Option<String>,
    /// The moment after the last, likewise. Default: now.
    to: Option<String>,
    /// Instead of `from` and `to`: so much up to now. `24h`, `7d`, `4w`: any number of hours, days of
    /// 24 hours, or weeks; `all`: everything there is.
    #[param(pattern = "^([1-9][0-9]*[hdw]|all)$", example = "7d")]
    last: Option<String>,
    /// The IANA time zone whose hours, days, weeks and months the rows are, and whose `from` and `to`
    /// are when they say no other. Default: `UTC`.
    #[param(example = "Europe/Paris")]
    tz: Option<String>,
    /// How many rows of each breakdown, or links of a ranking: 1–1000. Default: 10. What is beyond
    /// them is the row `other`.
    limit: Option<u16>,
    /// `json` or `csv`. Default: what `Accept` prefers, else `json`.
    #[param(pattern = "^(json|csv)$")]
    format: Option<String>,
}

/// The parameters of every report.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents what `Asked` reads")]
pub(super) struct ReportParams {
    /// The width of a row: `hour`, `day`, `week` (from Monday on) or `month`. Default: `hour` for
    /// windows of at most 48 hours, else `day`.
    #[param(pattern = "^(hour|day|week|month)$")]
    by: Option<String>,
    /// `previous`: the window of the same length before it is told as well.
    #[param(pattern = "^previous$")]
    compare: Option<String>,
    /// `bots`: the breakdowns count all clicks. Default: people's; `bot_families` always counts
    /// bots'. Of orphans all requests count anyway.
    #[param(pattern = "^bots$")]
    include: Option<String>,
    /// Which table the CSV holds: `series` (the default), `referrers`, `countries`, `browsers`,
    /// `platforms`, `devices`, `bot_families`; of orphans `series`, `referrers`, `codes`, `hits`.
    table: Option<String>,
}

/// A question for a report.
pub(in crate::http) struct Asked {
    /// All of its parameters.
    pub(super) query: QueryString,
    /// The window.
    pub(in crate::http) window: Query,
    /// The name of its time zone.
    pub(super) tz: String,
    /// Rows of each breakdown.
    pub(super) limit: usize,
    /// Whose clicks the breakdowns count.
    pub(super) include: Include,
    /// How the answer shall look.
    pub(super) form: Form,
}

/// Whose clicks a breakdown counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Include {
    /// People's.
    People,
    /// All.
    All,
    /// Bots'.
    Bots,
}

impl Include {
    /// Those of a count.
    pub(super) fn of(self, count: Count) -> u64 {
        match self {
            Self::People => count.people,
            Self::All => count.clicks(),
            Self::Bots => count.bots,
        }
    }
}

impl Asked {
    /// A question for a window of UTC that says nothing else.
    pub(in crate::http) fn of_window(window: Query) -> Self {
        Self {
            query: QueryString::default(),
            window,
            tz: "UTC".to_owned(),
            limit: DEFAULT_LIMIT,
            include: Include::People,
            form: Form::Json,
        }
    }

    /// Reads a question whose address knows these parameters beside the usual ones, and whose
    /// answer has these tables.
    pub(super) fn read(
        request: &HttpRequest,
        more: &[&str],
        tables: &[Table],
    ) -> Result<Self, Problem> {
        let query = QueryString::read(request, &[more, &OF_REPORT].concat())?;
        let (window, tz) = window(&query)?;
        let by = choice(&query, "by", &BYS)?;
        let previous = choice(&query, "compare", &[("previous", ())])?.is_some();
        let include = choice(&query, "include", &[("bots", Include::All)])?;
        Ok(Self {
            window: Query { by, previous, ..window },
            tz,
            limit: limit(&query)?,
            include: include.unwrap_or(Include::People),
            form: Form::read(request, &query, tables)?,
            query,
        })
    }
}

/// A question for a ranking.
pub(super) struct AskedTop {
    /// The window.
    pub(super) window: Query,
    /// By what.
    pub(super) rank: Rank,
    /// How many links.
    pub(super) limit: usize,
    /// How the answer shall look.
    pub(super) form: Form,
}

impl AskedTop {
    /// Reads a question.
    pub(super) fn read(request: &HttpRequest) -> Result<Self, Problem> {
        let query = QueryString::read(request, &OF_TOP)?;
        let (window, _) = window(&query)?;
        let rank = choice(&query, "by", &[("clicks", Rank::Clicks), ("people", Rank::People)])?;
        let form = Form::read(request, &query, &[Table::Top])?;
        Ok(Self { window, rank: rank.unwrap_or_default(), limit: limit(&query)?, form })
    }
}

const BYS: [(&str, By); 4] =
    [("hour", By::Hour), ("day", By::Day), ("week", By::Week), ("month", By::Month)];

/// The name of a row's width.
pub(super) fn name_of(by: By) -> &'static str {
    BYS.iter().find(|(_, known)| *known == by).map_or("day", |(name, _)| name)
}

/// What is told when a window can't be had: the parameter is named that the caller gave.
pub(super) fn refusal(error: StatsError, window: &Query) -> Problem {
    let of_window = matches!(
        error,
        StatsError::Backwards
            | StatsError::TooEarly
            | StatsError::TooManyRows
            | StatsError::TooLong
            | StatsError::OutOfRange(_)
    );
    let problem = Problem::from(error);
    if of_window && window.last.is_some() { problem.field("last") } else { problem }
}

/// The window of a question, and the name of its time zone.
fn window(query: &QueryString) -> Result<(Query, String), Problem> {
    let (tz, name) = time_zone(query)?;
    let (from, to) = (moment(query, "from", &tz)?, moment(query, "to", &tz)?);
    let last = last(query)?;
    if last.is_some() && (from.is_some() || to.is_some()) {
        return Err(bad("last", "`last` is a window by itself; leave it away, or `from` and `to`"));
    }
    Ok((Query { from, to, last, tz, ..Query::default() }, name))
}

/// One of the known values of a parameter.
pub(super) fn choice<T: Copy>(
    query: &QueryString,
    name: &str,
    known: &[(&str, T)],
) -> Result<Option<T>, Problem> {
    let Some(text) = query.text(name) else { return Ok(None) };
    if let Some((_, value)) = known.iter().find(|(known, _)| *known == text) {
        return Ok(Some(*value));
    }
    let known: Vec<&str> = known.iter().map(|(known, _)| *known).collect();
    Err(bad(name, format_args!("{text:?} is no value of `{name}`; known: {}", known.join(", "))))
}

fn limit(query: &QueryString) -> Result<usize, Problem> {
    let limit = query.parsed("limit")?.unwrap_or(DEFAULT_LIMIT);
    if (1..=MAX_LIMIT).contains(&limit) {
        return Ok(limit);
    }
    Err(bad("limit", format_args!("`limit` is between 1 and {MAX_LIMIT}")).limit(MAX_LIMIT))
}

fn last(query: &QueryString) -> Result<Option<Last>, Problem> {
    let Some(text) = query.text("last") else { return Ok(None) };
    let why = "`last` is a number of hours, days or weeks, or everything: 24h, 7d, 4w, all";
    span(text).map(Some).ok_or_else(|| bad("last", format_args!("{why}; not {text:?}")))
}

fn span(text: &str) -> Option<Last> {
    if text == "all" {
        return Some(Last::All);
    }
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    // A number may have a sign elsewhere; not here.
    let number: u32 = number.bytes().all(|b| b.is_ascii_digit()).then(|| number.parse().ok())??;
    match (number, unit) {
        (0, _) => None,
        (hours, "h") => Some(Last::Hours(hours)),
        (days, "d") => Some(Last::Days(days)),
        (weeks, "w") => Some(Last::Days(weeks.checked_mul(7)?)),
        _ => None,
    }
}

fn time_zone(query: &QueryString) -> Result<(TimeZone, String), Problem> {
    let name = query.text("tz").unwrap_or("UTC");
    let unknown =
        |_| bad("tz", format_args!("{name:?} is no IANA time zone; an example is Europe/Paris"));
    let tz = TimeZone::get(name).map_err(unknown)?;
    let name = tz.iana_name().unwrap_or(name).to_owned();
    Ok((tz, name))
}

/// A moment with an offset, or a date or time of the zone.
fn moment(query: &QueryString, name: &str, tz: &TimeZone) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = query.text(name) else { return Ok(None) };
    let meant = with_plus(text);
    let absolute = meant.parse::<Timestamp>().ok();
    let of_zone = || {
        let civil: DateTime = text.parse().ok()?;
        Some(civil.to_zoned(tz.clone()).ok()?.timestamp())
    };
    let read = absolute.or_else(of_zone).ok_or_else(|| {
        let way = "write 2026-11-23, 2026-11-23T06:00 or 2026-11-23T06:00:00Z";
        bad(name, format_args!("{text:?} is no time; {way}"))
    })?;
    Ok(Some(read))
}

/// The text with the plus sign of its offset: in a query one that was not escaped arrives as a
/// space. The space between a date and its time is one.
fn with_plus(text: &str) -> Cow<'_, str> {
    match text.rsplit_once(' ') {
        // Before an offset stands a time.
        Some((before, offset)) if before.contains(':') => format!("{before}+{offset}").into(),
        _ => text.into(),
    }
}

/// A parameter that can't be used.
pub(super) fn bad(name: &str, why: impl std::fmt::Display) -> Problem {
    Problem::new(Kind::BadParameter, why).field(name)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn ask(query: &str) -> Result<Asked, Problem> {
        let request = TestRequest::with_uri(&format!("/?{query}")).to_http_request();
        Asked::read(&request, &[], &Table::OF_CLICKS)
    }

    #[test]
    fn spans_are_a_number_and_a_unit() {
        for (text, read) in [
            ("2h", Last::Hours(2)),
            ("24h", Last::Hours(24)),
            ("7d", Last::Days(7)),
            ("2w", Last::Days(14)),
            ("all", Last::All),
            ("4294967295d", Last::Days(u32::MAX)),
        ] {
            assert_eq!(span(text), Some(read), "{text}");
        }
        for text in ["", "h", "0h", "-1h", "+1h", "1.5d", "7", "7m", "7D", "1é", "4294967296h"] {
            assert_eq!(span(text), None, "{text}");
        }
        assert_eq!(span("4294967295w"), None);
    }

    #[test]
    fn a_question_that_says_nothing_is_a_good_one() {
        let asked = ask("").unwrap();
        assert_eq!((asked.limit, asked.include, &*asked.tz), (10, Include::People, "UTC"));
        assert_eq!(
            (asked.window.by, asked.window.last, asked.window.previous),
            (None, None, false)
        );
        assert_eq!(asked.form, Form::Json);
    }

    #[test]
    fn a_plus_sign_that_was_not_escaped_is_one_all_the_same() {
        let asked = ask("from=2026-11-23T01:00:00+01:00&tz=Asia/Tehran&to=2026-11-24").unwrap();
        let told = (asked.window.from.unwrap(), asked.window.to.unwrap());
        assert_eq!(told.0.to_string(), "2026-11-23T00:00:00Z");
        assert_eq!(told.1.to_string(), "2026-11-23T20:30:00Z");
    }

    #[test]
    fn a_space_between_a_date_and_its_time_is_none_the_less_one() {
        for query in [
            "from=2026-11-23%2006:00&tz=Asia/Tehran",
            "from=2026-11-23+06:00:00&tz=Asia/Tehran",
            "from=2026-11-23%2006:00:00+03:30",
            "from=2026-11-23+06:00:00%2B03:30",
            "from=2026-11-23%2002:30:00Z",
        ] {
            let from = ask(query).unwrap().window.from.unwrap();
            assert_eq!(from.to_string(), "2026-11-23T02:30:00Z", "{query}");
        }
    }

    #[test]
    fn what_is_no_time_is_quoted_as_it_was_written() {
        for (query, quoted) in [
            ("from=next%20week", "\"next week\""),
            ("to=2026-11-23%2006:00%20Uhr", "\"2026-11-23 06:00 Uhr\""),
        ] {
            let refused = serde_json::to_value(ask(query).err().unwrap()).unwrap();
            let told = refused["detail"].as_str().unwrap();
            assert!(told.starts_with(quoted), "{told}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        for (query, field) in [
            ("last=7d&from=2026-11-01", "last"),
            ("last=7d&to=2026-11-01", "last"),
            ("last=week", "last"),
            ("by=year", "by"),
            ("compare=last_year", "compare"),
            ("include=people", "include"),
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("format=xml", "format"),
            ("format=csv&table=hits", "table"),
            ("table=referrers", "table"),
        ] {
            let refused = serde_json::to_value(ask(query).err().unwrap()).unwrap();
            assert_eq!((&refused["status"], &refused["field"]), (&400.into(), &field.into()));
        }
    }
}
