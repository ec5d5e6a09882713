//! Reports: what was counted for one subject over a window; and the deletion of a link's figures.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::csv::{FileName, Table};
use super::query::{Asked, ReportParams, WindowParams, bad, refusal};
use super::wire::{ReportBody, sheet};
use crate::http::Services;
use crate::http::caller::Caller;
use crate::http::endpoint::Endpoint;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::QueryString;
use crate::http::v1::CODE;
use crate::service::stats::Whose;

/// `/links/{code}/stats`.
pub(in crate::http::v1) fn of_link_endpoint() -> Endpoint {
    Endpoint::at(&format!("/links/{CODE}/stats")).on(Method::GET, of_link, __path_of_link).on(
        Method::DELETE,
        delete,
        __path_delete,
    )
}

/// `/targets/stats`.
pub(in crate::http::v1) fn of_article_endpoint() -> Endpoint {
    Endpoint::at("/targets/stats").on(Method::GET, of_article, __path_of_article)
}

/// `/tags/{tag}/stats`.
pub(in crate::http::v1) fn of_tag_endpoint() -> Endpoint {
    Endpoint::at("/tags/{tag}/stats").on(Method::GET, of_tag, __path_of_tag)
}

/// `/keys/{id}/stats`.
pub(in crate::http::v1) fn of_key_endpoint() -> Endpoint {
    Endpoint::at("/keys/{id}/stats").on(Method::GET, of_key, __path_of_key)
}

/// `/stats`.
pub(in crate::http::v1) fn of_site_endpoint() -> Endpoint {
    Endpoint::at("/stats").on(Method::GET, of_site, __path_of_site)
}

/// Clicks on one link
///
/// The window is widened to whole quarter-hours and told as `from` and `to`. Hours, days, weeks and
/// months are exact in every time zone, half-hour zones and clock changes included, for as long as
/// figures by the hour are kept (`clicks.keep_hours`); of older days, each UTC day counts where its
/// noon lies. A deleted link keeps its figures.
#[utoipa::path(
    get, path = "/links/{code}/stats", tag = "stats", operation_id = "linkStats",
    params(("code" = String, Path, description = "The link's code"), WindowParams, ReportParams),
    responses(
        (status = 200, description = "What was counted", content(
            (ReportBody = "application/json"), (String = "text/csv"),
        )),
        (status = 404, description = "Never minted", body = ProblemBody,
         content_type = "application/problem+json"),
        (status = 406, description = "`Accept` wants neither JSON nor CSV", body = ProblemBody,
         content_type = "application/problem+json"),
    )
)]
async fn of_link(
    caller: Caller,
    code: web::Path<String>,
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<HttpResponse, Problem> {
    let code = code.into_inner();
    let asked = Asked::read(&request, &[], &Table::OF_CLICKS)?;
    report(&services, &caller, &Whose::Link(code.clone()), &code, asked).await
}

/// Clicks on an article
///
/// All of its links together, deleted ones included, whichever form of its address is given. A
/// reader who follows two of them on one UTC day is one visitor. A key of the scope `mint` alone gets
/// the figures of its own links.
#[utoipa::path(
    get, path = "/targets/stats", tag = "stats", operation_id = "articleStats",
    params(
        ("url" = String, Query, description = "The article's address, tracking or not",
         example = "https://www.example.org/2026/11/23/a-story.html"),
        WindowParams, ReportParams,
    ),
    responses(
        (status = 200, description = "What was counted", content(
            (ReportBody = "application/json"), (String = "text/csv"),
        )),
        (status = 404, description = "There is no link to it", body = ProblemBody,
         content_type = "application/problem+json"),
        (status = 406, description = "`Accept` wants neither JSON nor CSV", body = ProblemBody,
         content_type = "application/problem+json"),
    )
)]
async fn of_article(
    caller: Caller,
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<HttpResponse, Problem> {
    let asked = Asked::read(&request, &["url"], &Table::OF_CLICKS)?;
    let Some(url) = asked.query.text("url").map(str::to_owned) else {
        return Err(bad("url", "say which article: ?url=https://www.example.org/a-story.html"));
    };
    report(&services, &caller, &Whose::Article(url), "article", asked).await
}

/// Clicks on links with a tag
///
/// Those that had the tag when their clicks were rolled up: within a second or so, unless the store
/// did not answer.
#[utoipa::path(
    get, path = "/tags/{tag}/stats", tag = "stats", operation_id = "tagStats",
    params(("tag" = String, Path, description = "The tag"), WindowParams, ReportParams),
    responses(
        (status = 200, description = "What was counted; zeros for a tag that no link ever had",
         content((ReportBody = "application/json"), (String = "text/csv"))),
        (status = 406, description = "`Accept` wants neither JSON nor CSV", body = ProblemBody,
         content_type = "application/problem+json"),
    )
)]
async fn of_tag(
    caller: Caller,
    tag: web::Path<String>,
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<HttpResponse, Problem> {
    let tag = tag.into_inner();
    let asked = Asked::read(&request, &[], &Table::OF_CLICKS)?;
    report(&services, &caller, &Whose::Tag(tag.clone()), &tag, asked).await
}

/// Clicks on the links of a key
///
/// A key may always read its own.
#[utoipa::path(
    get, path = "/keys/{id}/stats", tag = "stats", operation_id = "keyStats",
    params(("id" = String, Path, description = "The key's id, as links have it in `owner`"),
           WindowParams, ReportParams),
    responses(
        (status = 200, description = "What was counted", content(
            (ReportBody = "application/json"), (String = "text/csv"),
        )),
        (status = 404, description = "No such key", body = ProblemBody,
         content_type = "application/problem+json"),
        (status = 406, description = "`Accept` wants neither JSON nor CSV", body = ProblemBody,
         content_type = "application/problem+json"),
    )
)]
async fn of_key(
    caller: Caller,
    id: web::Path<String>,
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<HttpResponse, Problem> {
    let id = id.into_inner();
    let asked = Asked::read(&request, &[], &Table::OF_CLICKS)?;
    report(&services, &caller, &Whose::Key(id.clone()), &id, asked).await
}

/// Clicks on all links together
#[utoipa::path(
    get, path = "/stats", tag = "stats", operation_id = "siteStats",
    params(WindowParams, ReportParams),
    responses(
        (status = 200, description = "What was counted", content(
            (ReportBody = "application/json"), (String = "text/csv"),
        )),
        (status = 406, description = "`Accept` wants neither JSON nor CSV", body = ProblemBody,
         content_type = "application/problem+json"),
    )
)]
async fn of_site(
    caller: Caller,
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<HttpResponse, Problem> {
    let asked = Asked::read(&request, &[], &Table::OF_CLICKS)?;
    report(&services, &caller, &Whose::Site, "site", asked).await
}

/// The report as it was asked for; `name` is what a file of it is called after.
async fn report(
    services: &Services,
    caller: &Caller,
    whose: &Whose,
    name: &str,
    asked: Asked,
) -> Result<HttpResponse, Problem> {
    let report = services.stats.report(caller, whose, &asked.window, Timestamp::now()).await;
    let report = report.map_err(|error| refusal(error, &asked.window))?;
    let name = FileName { of: name, from: report.from, to: report.to, tz: &asked.window.tz };
    let table = |table| sheet(&report, &asked, table);
    Ok(asked.form.answer(ReportBody::of(&report, &asked), table, &name))
}

/// Figures that are gone.
#[derive(Serialize, ToSchema)]
#[schema(as = DeletedStats)]
struct DeletedBody {
    /// The link, which goes on redirecting.
    code: String,
    /// Clicks that it had, ever.
    deleted_clicks: u64,
}

/// Delete the figures of a link
///
/// For keys of the scope `admin`. The link goes on redirecting, and is counted from zero. What its
/// clicks added to its tags, its key and the site stays. The audit keeps a note. Clicks that other
/// nodes accepted within their last `clicks.flush_interval` may still be counted afterwards.
#[utoipa::path(
    delete, path = "/links/{code}/stats", tag = "stats", operation_id = "deleteLinkStats",
    params(("code" = String, Path, description = "The link's code")),
    responses(
        (status = 200, description = "Deleted", body = DeletedBody),
        (status = 404, description = "Never minted", body = ProblemBody,
         content_type = "application/problem+json"),
    )
)]
async fn delete(
    caller: Caller,
    code: web::Path<String>,
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<HttpResponse, Problem> {
    QueryString::read(&request, &[])?;
    let deleted_clicks = services.stats.delete(&caller, &code, Timestamp::now()).await?;
    Ok(HttpResponse::Ok().json(DeletedBody { code: code.into_inner(), deleted_clicks }))
}
