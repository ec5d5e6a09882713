//! Codes that lead nowhere and are asked for all the same.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;

use super::csv::{FileName, Table};
use super::query::{Asked, Include, ReportParams, WindowParams, refusal};
use super::wire::{OrphansBody, sheet};
use crate::http::Services;
use crate::http::caller::Caller;
use crate::http::endpoint::Endpoint;
use crate::http::error::{Problem, ProblemBody};
use crate::service::stats::Whose;

/// `/stats/orphans`.
pub(in crate::http::v1) fn orphans_endpoint() -> Endpoint {
    Endpoint::at("/stats/orphans").on(Method::GET, orphans, __path_orphans)
}

/// Requests for codes that lead nowhere
///
/// Which unknown codes were asked for, and from which pages: mistyped or cut-off short links. These
/// are no clicks, and count for no link and not for the site. All of them count in the breakdowns,
/// as with `include=bots` elsewhere.
#[utoipa::path(
    get, path = "/stats/orphans", tag = "stats", operation_id = "orphanStats",
    params(WindowParams, ReportParams),
    responses(
        (status = 200, description = "What was asked for", content(
            (OrphansBody = "application/json"), (String = "text/csv"),
        )),
        (status = 406, description = "`Accept` wants neither JSON nor CSV", body = ProblemBody,
         content_type = "application/problem+json"),
    )
)]
async fn orphans(
    caller: Caller,
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<HttpResponse, Problem> {
    let asked = Asked::read(&request, &[], &Table::OF_ORPHANS)?;
    let asked = Asked { include: Include::All, ..asked };
    let now = Timestamp::now();
    let report = services.stats.report(&caller, &Whose::Orphans, &asked.window, now).await;
    let report = report.map_err(|error| refusal(error, &asked.window))?;
    let name = FileName { of: "orphans", from: report.from, to: report.to, tz: &asked.window.tz };
    let table = |table| sheet(&report, &asked, table);
    Ok(asked.form.answer(OrphansBody::of(&report, &asked), table, &name))
}
