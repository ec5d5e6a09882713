//! `url.list`: the links of the key that asks, page by page.

use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;

use super::answer;
use super::caller::caller;
use super::error::Refusal;
use super::wire::{Analytics, HistoryBody, PAGE, Told, UrlBody};
use crate::http::Services;
use crate::model::link::Link;
use crate::service::auth::Principal;
use crate::service::shorten::Query;

/// What `projection` may be: here both mean the clicks on the short URL alone.
const PROJECTIONS: [(&str, Told); 2] = [("ANALYTICS_CLICKS", Told::Clicks), ("FULL", Told::Clicks)];
/// Links whose clicks are looked up at the same time.
const AT_ONCE: usize = 4;

/// `GET /urlshortener/v1/url/history`: newest first, without those that were deleted.
pub(super) async fn list(request: HttpRequest, services: web::Data<Services>) -> HttpResponse {
    answer(&request, "UrlHistory", async |params| {
        let by = caller(&request, params, &services).await?.ok_or_else(Refusal::login_required)?;
        let told = params.choice("projection", &PROJECTIONS)?;
        let now = Timestamp::now();
        let query = Query {
            owner: Some(by.key.clone()),
            cursor: params.get("start-token").map(str::to_owned),
            limit: Some(PAGE),
            ..Query::default()
        };
        let page = services.shorten.list(&by, &query, now).await?;
        let items = page.items.iter().map(|link| item(&services, &by, link, told, now));
        Ok(HistoryBody {
            kind: HistoryBody::KIND,
            total_items: services.shorten.count_own(&by).await?,
            items_per_page: PAGE,
            next_page_token: page.next_cursor,
            items: stream::iter(items).buffered(AT_ONCE).try_collect().await?,
        })
    })
    .await
}

async fn item(
    services: &Services,
    by: &Principal,
    link: &Link,
    told: Option<Told>,
    now: Timestamp,
) -> Result<UrlBody, Refusal> {
    let body = UrlBody::of(link, services, now).with_creation(link);
    Ok(match told {
        Some(_) => body.with(Analytics::of_item(&services.stats, by, link, now).await?),
        None => body,
    })
}
