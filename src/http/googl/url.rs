//! `url.insert` and `url.get`: shorten and expand.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use serde_json::Value;

use super::answer;
use super::caller::caller;
use super::error::Refusal;
use super::params::Params;
use super::wire::{Analytics, Told, UrlBody};
use crate::http::Services;
use crate::http::extract::{MAX_BODY, read_bytes};
use crate::model::link::Link;
use crate::service::shorten::{NewLink, ShortenError};

/// What `projection` may be: each adds to what is told without it.
const PROJECTIONS: [(&str, Told); 3] = [
    ("ANALYTICS_CLICKS", Told::Clicks),
    ("ANALYTICS_TOP_STRINGS", Told::TopStrings),
    ("FULL", Told::All),
];

/// `POST /urlshortener/v1/url`: the article's link, which is there or made. It answers 200 in either
/// case, as goo.gl did.
pub(super) async fn insert(
    request: HttpRequest,
    payload: web::Payload,
    services: web::Data<Services>,
) -> HttpResponse {
    answer(&request, "Url", async |params| {
        let by = caller(&request, params, &services).await?.ok_or_else(Refusal::no_key)?;
        let url = long_url(&request, payload).await?;
        let wish = NewLink { url, ..NewLink::default() };
        let minted = services.shorten.mint(&by, wish, Timestamp::now()).await?;
        Ok(UrlBody::minted(minted.link(), &services.public))
    })
    .await
}

/// The long URL that a body asks to be shortened. Whatever else stands there is passed over.
async fn long_url(request: &HttpRequest, payload: web::Payload) -> Result<String, Refusal> {
    const LOCATION: &str = "resource.longUrl";
    let media = request.headers().get(header::CONTENT_TYPE);
    let media = media.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let body = read_bytes(request, payload, MAX_BODY).await?;
    if media.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
        return Err(Refusal::a_form());
    }
    if body.trim_ascii().is_empty() {
        return Err(Refusal::missing_field(LOCATION));
    }
    let body: Value = serde_json::from_slice(&body).map_err(|_| Refusal::not_json())?;
    let resource = body.as_object().ok_or_else(Refusal::not_json)?;
    match resource.get("longUrl") {
        None | Some(Value::Null) => Err(Refusal::missing_field(LOCATION)),
        Some(Value::String(url)) if url.is_empty() => Err(Refusal::missing_field(LOCATION)),
        Some(Value::String(url)) => Ok(url.clone()),
        Some(_) => Err(Refusal::invalid(LOCATION)),
    }
}

/// `GET /urlshortener/v1/url`: where a short URL leads, to whoever holds any key; what was counted
/// and when it was made, to those who may see the link in our own API, or to all of them where
/// `links.public_stats` is set.
pub(super) async fn get(request: HttpRequest, services: web::Data<Services>) -> HttpResponse {
    answer(&request, "Url", async |params| {
        let by = caller(&request, params, &services).await?.ok_or_else(Refusal::no_key)?;
        let told = params.choice("projection", &PROJECTIONS)?;
        let now = Timestamp::now();
        let link = find(params, &services).await?;
        let body = UrlBody::of(&link, &services, now);
        let Some(told) = told else { return Ok(body) };
        let body = if told == Told::All { body.with_creation(&link) } else { body };
        Ok(body.with(Analytics::of_url(&services.stats, &by, &link, told, now).await?))
    })
    .await
}

/// The link, or what is left of it, that `shortUrl` leads to.
async fn find(params: &Params, services: &Services) -> Result<Link, Refusal> {
    let given = params.get("shortUrl").ok_or_else(|| Refusal::missing("shortUrl"))?;
    let url = ::url::Url::parse(given).map_err(|_| Refusal::invalid("shortUrl"))?;
    let short = services.public.home.read(&url).ok_or_else(Refusal::unknown_url)?;
    let link = match services.shorten.expand(short.code.as_str()).await {
        Err(ShortenError::NotFound(_)) => None,
        found => Some(found?),
    };
    link.filter(|link| short.leads_to(link)).ok_or_else(Refusal::unknown_url)
}
