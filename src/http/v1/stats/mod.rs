//! Figures: of a link, of the site, the most clicked, and the audit.

use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Serialize;
use utoipa::ToSchema;

use super::CODE;
use crate::http::Services;
use crate::http::endpoint::Endpoint;
use crate::http::error::{Kind, Problem, ProblemBody};
use crate::http::extract::{Caller, QueryString};
use crate::service::stats::{By, MAX_TOP, Query, Rank, Report, StatsError, Whose};

/// Links in a ranking when no number is asked for.
const DEFAULT_TOP: usize = 10;

/// `/links/{code}/stats`.
pub(super) fn of_link_endpoint() -> Endpoint {
    Endpoint::at(&format!("/links/{CODE}/stats")).on(Method::GET, of_link, __path_of_link)
}

/// `/stats`.
pub(super) fn of_site_endpoint() -> Endpoint {
    Endpoint::at("/stats").on(Method::GET, of_site, __path_of_site)
}

/// `/stats/top`.
pub(super) fn top_endpoint() -> Endpoint {
    Endpoint::at("/stats/top").on(Method::GET, top, __path_top)
}

/// `/audit`.
pub(super) fn audit_endpoint() -> Endpoint {
    Endpoint::at("/audit").on(Method::GET, audit, __path_audit)
}

/// Clicks over a window, without gaps.
#[derive(Serialize, ToSchema)]
#[schema(as = Series)]
pub(super) struct SeriesBody {
    /// The beginning of the first row.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// The end of the last row.
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// The width of a row: `hour`, `day` or `month`.
    #[schema(example = "day")]
    by: &'static str,
    /// The time zone whose hours, days and months the rows are.
    #[schema(example = "Europe/Paris")]
    tz: String,
    /// The whole window: the sum of the rows.
    total: FiguresBody,
    /// Every row of the window, also those in which nothing happened.
    series: Vec<RowBody>,
}

/// What was counted.
#[derive(Serialize, ToSchema)]
#[schema(as = Figures)]
pub(super) struct FiguresBody {
    /// Redirects answered to `GET`.
    clicks: u64,
}

/// One row.
#[derive(Serialize, ToSchema)]
#[schema(as = SeriesRow)]
pub(super) struct RowBody {
    /// Its beginning; it ends where the next begins.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// Redirects answered to `GET`.
    clicks: u64,
}

/// The most clicked links.
#[derive(Serialize, ToSchema)]
#[schema(as = Top)]
pub(super) struct TopBody {
    /// The first moment.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// The moment after the last.
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// Most clicks first.
    items: Vec<TopItem>,
}

/// One link of a ranking.
#[derive(Serialize, ToSchema)]
#[schema(as = TopLink)]
pub(super) struct TopItem {
    #[schema(value_type = String, example = "8yDbrB")]
    code: String,
    #[schema(example = "https://go.example.org/8yDbrB")]
    short_url: String,
    target: String,
    /// Redirects answered to `GET` within the window.
    clicks: u64,
}

/// Whether the figures add up, node by node.
#[derive(Serialize, ToSchema)]
#[schema(as = Audit)]
pub(super) struct AuditBody {
    /// Every node that ever filed an account; this one's is of this moment.
    nodes: Vec<AccountBody>,
    /// All nodes together.
    total: AuditFigures,
}

/// A node's account.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
pub(super) struct AccountBody {
    /// Which node: the name in its journal folder.
    node: String,
    #[serde(flatten)]
    figures: AuditFigures,
    /// When this was true.
    #[schema(value_type = String, format = DateTime)]
    seen_at: Timestamp,
}

/// `accepted = counted + pending`, unless something is wrong.
#[derive(Serialize, ToSchema, Default, Clone, Copy)]
pub(super) struct AuditFigures {
    /// Clicks in the journal, ever.
    accepted: u64,
    /// Of those, how many the store has counted.
    counted: u64,
    /// Of those, how many wait in the journal.
    pending: u64,
    /// Redirects whose click could not be written down, ever.
    lost: u64,
}

/// Clicks on one link.
///
/// The window is widened to whole rows of the time zone; the answer says which window it is. Days
/// and hours are exact in every zone, half-hour zones and clock changes included.
#[utoipa::path(
    get, path = "/links/{code}/stats", tag = "stats",
    params(
        ("code" = String, Path, description = "The link's code"),
        ("from" = Option<String>, Query, description = "The first moment: a time (RFC 3339), or a \
            date or time of the zone. Default: when the link was minted"),
        ("to" = Option<String>, Query, description = "The moment after the last. Default: now"),
        ("by" = Option<String>, Query, description = "`hour`, `day` or `month`. Default: `day`"),
        ("tz" = Option<String>, Query, description = "An IANA time zone. Default: `UTC`"),
    ),
    responses(
        (status = 200, description = "Clicks, row by row", body = SeriesBody),
        (status = 404, description = "Never minted", body = ProblemBody,
         content_type = "application/problem+json"),
    )
)]
pub(super) async fn of_link(
    caller: Caller,
    code: web::Path<String>,
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<web::Json<SeriesBody>, Problem> {
    let (query, tz) = window(&request)?;
    let series = services
        .stats
        .report(&caller, &Whose::Link(code.into_inner()), &query, Timestamp::now())
        .await?;
    Ok(web::Json(series_body(series, tz)))
}

/// Clicks on all links together.
#[utoipa::path(
    get, path = "/stats", tag = "stats",
    params(
        ("from" = Option<String>, Query, description = "The first moment. Default: 30 days ago"),
        ("to" = Option<String>, Query, description = "The moment after the last. Default: now"),
        ("by" = Option<String>, Query, description = "`hour`, `day` or `month`. Default: `day`"),
        ("tz" = Option<String>, Query, description = "An IANA time zone. Default: `UTC`"),
    ),
    responses(
        (status = 200, description = "Clicks, row by row", body = SeriesBody),
    )
)]
pub(super) async fn of_site(
    caller: Caller,
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<web::Json<SeriesBody>, Problem> {
    let (query, tz) = window(&request)?;
    let series = services.stats.report(&caller, &Whose::Site, &query, Timestamp::now()).await?;
    Ok(web::Json(series_body(series, tz)))
}

/// The links with most clicks, exact.
#[utoipa::path(
    get, path = "/stats/top", tag = "stats",
    params(
        ("from" = Option<String>, Query, description = "The first moment. Default: 30 days ago"),
        ("to" = Option<String>, Query, description = "The moment after the last. Default: now"),
        ("limit" = Option<usize>, Query, description = "How many: 1–1000. Default: 10"),
        ("tz" = Option<String>, Query, description = "Whose dates `from` and `to` are, when they \
            say no zone. Default: `UTC`"),
    ),
    responses(
        (status = 200, description = "The ranking", body = TopBody),
    )
)]
pub(super) async fn top(
    caller: Caller,
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<web::Json<TopBody>, Problem> {
    let query = QueryString::read(&request, &["from", "to", "limit", "tz"])?;
    let (tz, _) = time_zone(&query)?;
    let window = Query {
        from: moment(&query, "from", &tz)?,
        to: moment(&query, "to", &tz)?,
        ..Query::default()
    };
    let limit = query.parsed("limit")?.unwrap_or(DEFAULT_TOP);
    if !(1..=MAX_TOP).contains(&limit) {
        let detail = format_args!("a ranking has 1 to {MAX_TOP} links");
        return Err(Problem::new(Kind::BadParameter, detail).field("limit").limit(MAX_TOP));
    }
    let top = services.stats.top(&caller, &window, Rank::Clicks, limit, Timestamp::now()).await?;
    let items = top.links.into_iter().map(|(link, figures)| TopItem {
        short_url: services.public.short_url(&link.code),
        code: link.code.to_string(),
        target: link.target.to_string(),
        clicks: figures.count.clicks(),
    });
    Ok(web::Json(TopBody { from: top.from, to: top.to, items: items.collect() }))
}

/// Whether every click that was accepted is counted or waiting.
#[utoipa::path(
    get, path = "/audit", tag = "stats",
    responses(
        (status = 200, description = "Every node's account", body = AuditBody),
    )
)]
pub(super) async fn audit(
    caller: Caller,
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<web::Json<AuditBody>, Problem> {
    QueryString::read(&request, &[])?;
    let accounts = services.stats.audit(&caller).await?;
    let mut total = AuditFigures::default();
    let nodes = accounts.into_iter().map(|account| {
        total.accepted += account.accepted;
        total.counted += account.counted;
        total.pending += account.pending;
        total.lost += account.lost;
        AccountBody {
            node: account.node.0,
            figures: AuditFigures {
                accepted: account.accepted,
                counted: account.counted,
                pending: account.pending,
                lost: account.lost,
            },
            seen_at: account.seen_at,
        }
    });
    let nodes = nodes.collect();
    Ok(web::Json(AuditBody { nodes, total }))
}

impl From<StatsError> for Problem {
    fn from(error: StatsError) -> Self {
        match error {
            StatsError::Backwards | StatsError::OutOfRange(_) => {
                Self::new(Kind::BadParameter, error).field("to")
            }
            StatsError::TooManyRows | StatsError::TooLong => {
                Self::new(Kind::BadParameter, error).field("from")
            }
            StatsError::NotFound(_) => Self::new(Kind::NotFound, error),
            StatsError::Forbidden(refusal) => refusal.into(),
            StatsError::Store(error) => error.into(),
        }
    }
}

/// The window that a request asks for, and the name of its time zone.
fn window(request: &HttpRequest) -> Result<(Query, String), Problem> {
    let query = QueryString::read(request, &["from", "to", "by", "tz"])?;
    let (tz, name) = time_zone(&query)?;
    let by = match query.text("by") {
        None | Some("day") => By::Day,
        Some("hour") => By::Hour,
        Some("month") => By::Month,
        Some(other) => {
            let detail = format_args!("rows are by hour, day or month, not by {other:?}");
            return Err(Problem::new(Kind::BadParameter, detail).field("by"));
        }
    };
    let (from, to) = (moment(&query, "from", &tz)?, moment(&query, "to", &tz)?);
    Ok((Query { from, to, by: Some(by), tz, ..Query::default() }, name))
}

fn time_zone(query: &QueryString) -> Result<(TimeZone, String), Problem> {
    let name = query.text("tz").unwrap_or("UTC");
    let unknown = |_| {
        let detail = format_args!("{name:?} is no IANA time zone; an example is Europe/Paris");
        Problem::new(Kind::BadParameter, detail).field("tz")
    };
    let tz = TimeZone::get(name).map_err(unknown)?;
    let name = tz.iana_name().unwrap_or(name).to_owned();
    Ok((tz, name))
}

/// A moment with an offset, or a date or time of the zone.
fn moment(query: &QueryString, name: &str, tz: &TimeZone) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = query.text(name) else { return Ok(None) };
    // In a query a plus sign that was not escaped arrives as a space.
    let text = text.replace(' ', "+");
    let absolute = text.parse::<Timestamp>().ok();
    let of_zone = || {
        let civil: DateTime = text.parse().ok()?;
        Some(civil.to_zoned(tz.clone()).ok()?.timestamp())
    };
    let read = absolute.or_else(of_zone).ok_or_else(|| {
        let detail = format_args!(
            "{text:?} is no time; write 2026-11-23, 2026-11-23T06:00 or 2026-11-23T06:00:00Z"
        );
        Problem::new(Kind::BadParameter, detail).field(name)
    })?;
    Ok(Some(read))
}

fn series_body(series: Report, tz: String) -> SeriesBody {
    let by = match series.by {
        By::Hour => "hour",
        By::Day => "day",
        By::Week => "week",
        By::Month => "month",
    };
    SeriesBody {
        from: series.from,
        to: series.to,
        by,
        tz,
        total: FiguresBody { clicks: series.total.count.clicks() },
        series: series
            .rows
            .into_iter()
            .map(|(start, f)| RowBody { start, clicks: f.count.clicks() })
            .collect(),
    }
}
