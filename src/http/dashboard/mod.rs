//! The dashboard: a page and its parts for browsers that have a session, and the way to get one.
//!
//! The page is a client of `/api/v1` like any other; nothing is shown here that has no endpoint.

mod assets;
mod page;
mod sign_in;

use std::time::Duration;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::assets::Modules;
use self::page::{AWAY, follow_again, html, say, see_other, unavailable, way_to_assets};
use super::brand::Brand;
use super::endpoint::Endpoint;
use super::session::{Cookie, Site};
use super::v1::keys::CurrentKeyBody;
use crate::service::auth::{Auth, AuthError, Principal};

/// Where it lies.
const HOME: &str = "/-/dashboard";
const SIGN_IN: &str = "/-/dashboard/sign-in";
const SIGN_OUT: &str = "/-/dashboard/sign-out";
const ASSETS: &str = "/-/dashboard/assets/";

/// Whether there is a dashboard, and for how long one signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Whether there is one.
    pub enabled: bool,
    /// How long a session lasts.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub session: Duration,
}

/// What its pages are made with: one for each worker.
pub(super) struct Desk {
    auth: Auth,
    cookie: Cookie,
    brand: Brand,
}

impl Desk {
    /// Pages of `brand` for whom `auth` knows by this cookie.
    pub(super) fn new(auth: Auth, cookie: Cookie, brand: Brand) -> Self {
        Self { auth, cookie, brand }
    }

    /// Who asks, if they are signed in; an error, if they were.
    async fn signed_in(&self, request: &HttpRequest) -> Result<Option<Principal>, AuthError> {
        let Some(token) = self.cookie.token(request) else { return Ok(None) };
        let resumed = self.auth.resume_session(token, self.cookie.lasts(), Timestamp::now());
        Ok(Some(resumed.await?))
    }

    /// What `GET /keys/current` would say to who asks, if they are signed in.
    async fn introduced(&self, request: &HttpRequest) -> Result<Option<CurrentKeyBody>, AuthError> {
        let Some(caller) = self.signed_in(request).await? else { return Ok(None) };
        Ok(Some(CurrentKeyBody::of(self.auth.own(&caller).await?, caller.until)))
    }
}

/// What every view of the dashboard begins as: the client finds out which one is wanted.
#[derive(Template)]
#[template(path = "dashboard/shell.html")]
struct Shell<'a> {
    brand: &'a Brand,
    assets: String,
    modules: Modules,
    /// Who is signed in, as the API says it: a client that has to ask can draw nothing meanwhile.
    current: String,
    /// The service's clock.
    now: Timestamp,
}

/// Everything below [`HOME`], the shell last, within the scope `/-`; nothing without a desk.
pub(super) fn configure(config: &mut ServiceConfig, desk: Option<Desk>) {
    let Some(desk) = desk else { return };
    let at = |path: &str| Endpoint::at(path.trim_start_matches("/-"));
    let (file, view) =
        (format!("{ASSETS}{{version}}/{{file}}"), format!("{HOME}{{view:(?:/.*)?}}"));
    config
        .app_data(web::Data::new(desk))
        .service(
            at(SIGN_IN)
                .on_undocumented(Method::GET, sign_in::form)
                .on_undocumented(Method::POST, sign_in::sign_in),
        )
        .service(at(SIGN_OUT).on_undocumented(Method::POST, sign_in::sign_out))
        .service(at(&file).on_undocumented(Method::GET, assets::asset))
        .service(at(&view).on_undocumented(Method::GET, shell));
}

/// The form, from which one goes to `wanted`.
fn sign_in_for(wanted: &str) -> String {
    let wanted: String = url::form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
    format!("{SIGN_IN}?to={wanted}")
}

async fn shell(
    request: HttpRequest,
    desk: web::Data<Desk>,
    view: web::Path<String>,
) -> HttpResponse {
    let brand = &desk.brand;
    match desk.introduced(&request).await {
        Ok(Some(current)) => {
            let shell = Shell {
                brand,
                assets: way_to_assets(&request),
                modules: Modules::of_view(&view),
                current: serde_json::to_string(&current).unwrap_or_default(),
                now: Timestamp::now(),
            };
            html(HttpResponse::Ok(), &shell)
        }
        Err(AuthError::Store(_)) => say(&request, unavailable(), brand, AWAY),
        Ok(None) | Err(_) => {
            let wanted = request.uri().path_and_query().map_or(HOME, |wanted| wanted.as_str());
            match desk.cookie.site_of(&request) {
                Site::Other => follow_again(&request, wanted),
                Site::Ours | Site::Untold => see_other(&request, &sign_in_for(wanted)).finish(),
            }
        }
    }
}
