//! API keys: make, list, revoke. For keys of the scope admin.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wire::rfc3339;
use crate::http::Services;
use crate::http::caller::Caller;
use crate::http::endpoint::Endpoint;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{MAX_BODY, QueryString, parse, read_body};
use crate::model::key::{Key, Scope};

/// `/keys`.
pub(super) fn all() -> Endpoint {
    Endpoint::at("/keys").on(Method::GET, list, __path_list).on(Method::POST, create, __path_create)
}

/// `/keys/current`. No key has this id: it is a letter short.
pub(super) fn current() -> Endpoint {
    Endpoint::at("/keys/current").on(Method::GET, show_own, __path_show_own)
}

/// `/keys/{id}`.
pub(super) fn one() -> Endpoint {
    Endpoint::at("/keys/{id}").on(Method::GET, show, __path_show).on(
        Method::DELETE,
        revoke,
        __path_revoke,
    )
}

/// A key to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewKey, example = json!({"name": "news desk", "scopes": ["mint"]}))]
struct NewKeyBody {
    /// What you call it: 1–100 characters.
    name: String,
    /// What it may do: `mint` links and manage its own; `read` all links and figures; `admin`.
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Scope>,
}

/// A key, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
struct KeyBody {
    /// Its public name: the `owner` of its links.
    id: String,
    /// What its owner calls it.
    name: String,
    /// What it may do.
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Scope>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// From then on it opens nothing; null while it is good.
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
}

impl From<Key> for KeyBody {
    fn from(key: Key) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name,
            scopes: key.scopes,
            created_at: rfc3339(key.created_at),
            revoked_at: key.revoked_at.map(rfc3339),
        }
    }
}

/// A key that was just made. The secret is shown here and never again.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedKey)]
struct CreatedKeyBody {
    /// Its public name.
    id: String,
    /// What its owner calls it.
    name: String,
    /// What it may do.
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Scope>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// The key itself: `Authorization: Bearer sl_…`.
    key: String,
}

/// Who asks.
#[derive(Serialize, ToSchema)]
#[schema(as = CurrentKey)]
pub(in crate::http) struct CurrentKeyBody {
    key: KeyBody,
    /// When the session of the dashboard ends; null for who sent the key itself.
    #[schema(format = DateTime)]
    session_expires_at: Option<String>,
    /// Of the program that answers.
    version: &'static str,
}

impl CurrentKeyBody {
    /// The one who came with this key, and if it was by a session, the end of that.
    pub(in crate::http) fn of(key: Key, until: Option<Timestamp>) -> Self {
        Self { key: key.into(), session_expires_at: until.map(rfc3339), version: super::VERSION }
    }
}

/// All keys.
#[derive(Serialize, ToSchema)]
struct KeyList {
    /// Oldest first, the revoked ones included.
    items: Vec<KeyBody>,
}

/// Make a key
#[utoipa::path(
    post,
    path = "/keys",
    tag = "keys",
    operation_id = "createKey",
    request_body = NewKeyBody,
    responses((status = 201, description = "Made; the secret is shown this once",
               body = CreatedKeyBody))
)]
async fn create(
    caller: Caller,
    services: web::Data<Services>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    QueryString::read(&request, &[])?;
    let body = read_body(&request, payload, MAX_BODY).await?;
    let wish: NewKeyBody = parse(&body)?;
    let (key, plain) =
        services.auth.create(&caller, &wish.name, &wish.scopes, Timestamp::now()).await?;
    let location = format!("/api/v1/keys/{}", key.id);
    Ok(HttpResponse::Created().insert_header(("Location", location)).json(CreatedKeyBody {
        id: key.id.to_string(),
        name: key.name,
        scopes: key.scopes,
        created_at: rfc3339(key.created_at),
        key: plain.reveal().to_owned(),
    }))
}

/// All keys
#[utoipa::path(
    get,
    path = "/keys",
    tag = "keys",
    operation_id = "listKeys",
    responses((status = 200, description = "All keys", body = KeyList))
)]
async fn list(
    caller: Caller,
    services: web::Data<Services>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    QueryString::read(&request, &[])?;
    let keys = services.auth.list(&caller).await?;
    Ok(HttpResponse::Ok().json(KeyList { items: keys.into_iter().map(Into::into).collect() }))
}

/// The key that asks
///
/// For every key, whatever its scopes. The control socket asks without one: 404.
#[utoipa::path(
    get,
    path = "/keys/current",
    tag = "keys",
    operation_id = "getCurrentKey",
    responses(
        (status = 200, description = "The key", body = CurrentKeyBody),
        (status = 404, description = "No key asks", body = ProblemBody,
         content_type = "application/problem+json"),
    )
)]
async fn show_own(
    caller: Caller,
    services: web::Data<Services>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    QueryString::read(&request, &[])?;
    let key = services.auth.own(&caller).await?;
    Ok(HttpResponse::Ok().json(CurrentKeyBody::of(key, caller.until)))
}

/// One key
#[utoipa::path(
    get,
    path = "/keys/{id}",
    tag = "keys",
    operation_id = "getKey",
    params(("id" = String, Path, description = "The key's public name")),
    responses(
        (status = 200, description = "The key", body = KeyBody),
        (status = 404, description = "No such key", body = ProblemBody,
         content_type = "application/problem+json"),
    )
)]
async fn show(
    caller: Caller,
    services: web::Data<Services>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    QueryString::read(&request, &[])?;
    let key = services.auth.get(&caller, &id).await?;
    Ok(HttpResponse::Ok().json(KeyBody::from(key)))
}

/// Revoke a key
///
/// It opens nothing from now on, on every node within a second. Its links stay.
#[utoipa::path(
    delete,
    path = "/keys/{id}",
    tag = "keys",
    operation_id = "revokeKey",
    params(("id" = String, Path, description = "The key's public name")),
    responses(
        (status = 204, description = "Revoked"),
        (status = 404, description = "No such key", body = ProblemBody,
         content_type = "application/problem+json"),
    )
)]
async fn revoke(
    caller: Caller,
    services: web::Data<Services>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    QueryString::read(&request, &[])?;
    services.auth.revoke(&caller, &id, Timestamp::now()).await?;
    Ok(HttpResponse::NoContent().finish())
}
