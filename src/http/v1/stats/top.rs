//! The most clicked links.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::csv::{FileName, Sheet};
use super::query::{AskedTop, WindowParams, refusal};
use super::wire::FiguresBody;
use crate::http::Services;
use crate::http::caller::Caller;
use crate::http::endpoint::Endpoint;
use crate::http::error::{Problem, ProblemBody};
use crate::service::stats::Rank;

/// `/stats/top`.
pub(in crate::http::v1) fn top_endpoint() -> Endpoint {
    Endpoint::at("/stats/top").on(Method::GET, top, __path_top)
}

/// The most clicked links.
#[derive(Serialize, ToSchema)]
#[schema(as = Top)]
struct TopBody {
    /// The first moment, a quarter-hour.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// The moment after the last, a quarter-hour.
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// By what they are ranked: `clicks` or `people`.
    by: &'static str,
    /// The highest first; equal ones in the order of their codes.
    items: Vec<TopItem>,
}

/// One link of a ranking.
#[derive(Serialize, ToSchema)]
#[schema(as = TopLink)]
struct TopItem {
    #[schema(example = "8yDbrB")]
    code: String,
    #[schema(example = "https://go.example.org/8yDbrB")]
    short_url: String,
    /// Where readers land.
    target: String,
    /// What the publisher calls it.
    title: Option<String>,
    #[serde(flatten)]
    figures: FiguresBody,
}

impl TopItem {
    const HEADER: [&str; 8] =
        ["code", "short_url", "target", "title", "clicks", "people", "bots", "visitors"];

    fn cells(&self) -> Vec<String> {
        let title = self.title.clone().unwrap_or_default();
        let texts = [self.code.clone(), self.short_url.clone(), self.target.clone(), title];
        texts.into_iter().chain(self.figures.cells()).collect()
    }
}

/// The links with most clicks
///
/// Exact, over all links that were clicked within the window, which spans at most ten years.
#[utoipa::path(
    get, path = "/stats/top", tag = "stats", operation_id = "topLinks",
    params(
        ("by" = Option<String>, Query, description = "`clicks` (the default) or `people`"),
        WindowParams,
    ),
    responses(
        (status = 200, description = "The ranking", content(
            (TopBody = "application/json"), (String = "text/csv"),
        )),
        (status = 406, description = "`Accept` wants neither JSON nor CSV", body = ProblemBody,
         content_type = "application/problem+json"),
    )
)]
async fn top(
    caller: Caller,
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<HttpResponse, Problem> {
    let AskedTop { window, rank, limit, form } = AskedTop::read(&request)?;
    let top = services.stats.top(&caller, &window, rank, limit, Timestamp::now()).await;
    let top = top.map_err(|error| refusal(error, &window))?;
    let items = top.links.into_iter().map(|(link, figures)| TopItem {
        short_url: services.public.short_url(&link),
        code: link.code.to_string(),
        target: link.target.to_string(),
        title: link.title,
        figures: figures.into(),
    });
    let by = match rank {
        Rank::Clicks => "clicks",
        Rank::People => "people",
    };
    let body = TopBody { from: top.from, to: top.to, by, items: items.collect() };
    let name = FileName { of: "links", from: top.from, to: top.to, tz: &window.tz };
    let sheet = |_| Sheet::new(&TopItem::HEADER, body.items.iter().map(TopItem::cells));
    Ok(form.answer(&body, sheet, &name))
}
