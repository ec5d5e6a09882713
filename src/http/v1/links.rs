//! Links: mint, find, change, delete.

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::CODE;
use super::once::{Outcome, once};
use super::wire::{EditBody, LinkBody, NewLinkBody};
use crate::http::Services;
use crate::http::caller::Caller;
use crate::http::endpoint::Endpoint;
use crate::http::error::{Kind, Problem, ProblemBody};
use crate::http::extract::{MAX_BODY, QueryString, parse, read_body};
use crate::model::link::State;
use crate::service::shorten::{Minted, Query};

/// `/links`.
pub(super) fn all() -> Endpoint {
    Endpoint::at("/links").on(Method::GET, list, __path_list).on(Method::POST, mint, __path_mint)
}

/// `/links/{code}`.
pub(super) fn one() -> Endpoint {
    Endpoint::at(&format!("/links/{CODE}"))
        .on(Method::GET, show, __path_show)
        .on(Method::PATCH, change, __path_change)
        .on(Method::DELETE, delete, __path_delete)
}

/// The address of a link in this API.
pub(super) fn location(code: &str) -> String {
    format!("/api/v1/links/{}", code.replace('/', "%2F"))
}

/// Mint a link
///
/// Get or create: an address that has a link gets that link (200), any other a new one (201). Of
/// any number of concurrent requests for one article one gets 201. What else stands in the request
/// changes nothing about a link that exists.
#[utoipa::path(
    post,
    path = "/links",
    tag = "links",
    operation_id = "mintLink",
    params((
        "Idempotency-Key" = Option<String>, Header,
        description = "1–255 visible ASCII characters. The same key and body get the same answer \
                       for 24 hours, with `Idempotency-Replayed: true`."
    )),
    request_body = NewLinkBody,
    responses(
        (status = 201, description = "Minted", body = LinkBody,
         headers(("Location" = String, description = "Where the link lives in this API"))),
        (status = 200, description = "It was there", body = LinkBody),
        (status = 409, description = "The code is taken (`code-taken`), the address has all the \
         codes it may have (`too-many-codes`), or the same request is being answered \
         (`in-progress`)", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn mint(
    caller: Caller,
    services: web::Data<Services>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    QueryString::read(&request, &[])?;
    let body = read_body(&request, payload, MAX_BODY).await?;
    let wish: NewLinkBody = parse(&body)?;
    let work = async {
        let now = Timestamp::now();
        let minted = services.shorten.mint(&caller, wish.into(), now).await?;
        let link = LinkBody::of(minted.link(), &services.public, now);
        let mut outcome = Outcome::lasting(status_of(&minted), &link);
        if let Minted::New(link) = &minted {
            outcome.answer.location = Some(location(link.code.as_str()));
        }
        Ok(outcome)
    };
    once(&services, &caller, &request, &body, work).await
}

/// 201 for what was made, 200 for what was there.
pub(super) fn status_of(minted: &Minted) -> StatusCode {
    match minted {
        Minted::New(_) => StatusCode::CREATED,
        Minted::Existing(_) => StatusCode::OK,
    }
}

/// A page of links.
#[derive(Serialize, ToSchema)]
struct LinkPage {
    /// Newest first.
    items: Vec<LinkBody>,
    /// What to send as `cursor` for the next page; null on the last.
    next_cursor: Option<String>,
}

/// Find links
///
/// Newest first; deleted ones only with `state=deleted`. Keys of the scope mint see their own. All
/// conditions hold together. A search for `q` looks at 5,000 links a request at most: a page may
/// hold fewer than `limit`, even none, and go on at `next_cursor`.
#[utoipa::path(
    get,
    path = "/links",
    tag = "links",
    operation_id = "listLinks",
    params(
        ("tag" = Option<String>, Query, description = "With this tag"),
        ("q" = Option<String>, Query,
         description = "With this text in code, title or target, whatever the case"),
        ("target" = Option<String>, Query,
         description = "Leading to this address, or to its article: a lookup"),
        ("state" = Option<String>, Query,
         description = "`active`, `disabled`, `expired` or `deleted`"),
        ("owner" = Option<String>, Query,
         description = "Minted by the key with this id; another's than one's own takes the scope \
                        read or admin"),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before"),
        ("limit" = Option<u16>, Query, description = "1–1000, 50 if left away"),
    ),
    responses((status = 200, description = "A page", body = LinkPage))
)]
async fn list(
    caller: Caller,
    services: web::Data<Services>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let known = ["tag", "q", "target", "state", "owner", "cursor", "limit"];
    let given = QueryString::read(&request, &known)?;
    let text = |name: &str| given.text(name).map(str::to_owned);
    let query = Query {
        tag: text("tag"),
        q: text("q"),
        target: text("target"),
        state: given.text("state").map(read_state).transpose()?,
        owner: given.parsed("owner")?,
        cursor: text("cursor"),
        limit: given.parsed("limit")?,
    };
    let now = Timestamp::now();
    let page = services.shorten.list(&caller, &query, now).await?;
    let items = page.items.iter().map(|link| LinkBody::of(link, &services.public, now));
    let page = LinkPage { items: items.collect(), next_cursor: page.next_cursor };
    Ok(HttpResponse::Ok().json(page))
}

fn read_state(text: &str) -> Result<State, Problem> {
    match text {
        "active" => Ok(State::Active),
        "disabled" => Ok(State::Disabled),
        "expired" => Ok(State::Expired),
        "deleted" => Ok(State::Deleted),
        other => {
            let detail =
                format_args!("state is active, disabled, expired or deleted, not {other:?}");
            Err(Problem::new(Kind::BadParameter, detail).field("state"))
        }
    }
}

/// One link
#[utoipa::path(
    get,
    path = "/links/{code}",
    tag = "links",
    operation_id = "getLink",
    params(("code" = String, Path, description = "The code; its `/`, if it has one, as `%2F`")),
    responses(
        (status = 200, description = "The link", body = LinkBody),
        (status = 404, description = "Never minted", body = ProblemBody,
         content_type = "application/problem+json"),
        (status = 410, description = "Deleted; `link` holds the tombstone", body = ProblemBody,
         content_type = "application/problem+json"),
    )
)]
async fn show(
    caller: Caller,
    services: web::Data<Services>,
    request: HttpRequest,
    code: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    QueryString::read(&request, &[])?;
    let now = Timestamp::now();
    let found = services.shorten.get(&caller, &code).await;
    let link = found.map_err(|e| services.refusal(e, now))?;
    Ok(HttpResponse::Ok().json(LinkBody::of(&link, &services.public, now)))
}

/// Change a link
///
/// Its code stays. What is left away stays as it is; null clears title, tags, expires_at, redirect,
/// reason and host. Readers on every node get the change within a second.
#[utoipa::path(
    patch,
    path = "/links/{code}",
    tag = "links",
    operation_id = "changeLink",
    params(("code" = String, Path, description = "The code; its `/`, if it has one, as `%2F`")),
    request_body = EditBody,
    responses(
        (status = 200, description = "The link as it is now", body = LinkBody),
        (status = 404, description = "Never minted", body = ProblemBody,
         content_type = "application/problem+json"),
        (status = 409, description = "The new address has all the codes it may have",
         body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "Deleted; `link` holds the tombstone", body = ProblemBody,
         content_type = "application/problem+json"),
    )
)]
async fn change(
    caller: Caller,
    services: web::Data<Services>,
    request: HttpRequest,
    code: web::Path<String>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    QueryString::read(&request, &[])?;
    let body = read_body(&request, payload, MAX_BODY).await?;
    let edit = parse::<EditBody>(&body)?.into();
    let now = Timestamp::now();
    let changed = services.shorten.edit(&caller, &code, &edit, now).await;
    let link = changed.map_err(|e| services.refusal(e, now))?;
    Ok(HttpResponse::Ok().json(LinkBody::of(&link, &services.public, now)))
}

/// Delete a link
///
/// For good: readers get 410 from now on, and the code is never given out again. Deleting twice is
/// deleting once.
#[utoipa::path(
    delete,
    path = "/links/{code}",
    tag = "links",
    operation_id = "deleteLink",
    params(("code" = String, Path, description = "The code; its `/`, if it has one, as `%2F`")),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "Never minted", body = ProblemBody,
         content_type = "application/problem+json"),
    )
)]
async fn delete(
    caller: Caller,
    services: web::Data<Services>,
    request: HttpRequest,
    code: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    QueryString::read(&request, &[])?;
    services.shorten.delete(&caller, &code).await?;
    Ok(HttpResponse::NoContent().finish())
}
