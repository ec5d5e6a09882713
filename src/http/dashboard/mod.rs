//! The dashboard: a page and its parts for browsers that have a session, and the way to get one.
//!
//! The page is a client of `/api/v1` like any other; nothing is shown here that has no endpoint.

mod assets;
mod page;
mod sign_in;

use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header::RETRY_AFTER;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::page::{follow_again, html, say, see_other, way_to};
use super::Services;
use super::brand::Brand;
use super::endpoint::Endpoint;
use super::redirect::RETRY_SECONDS;
use super::session::{Cookie, Site};
use crate::service::auth::AuthError;

/// Where it lies.
pub(super) const HOME: &str = "/-/dashboard";
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

/// What every view of the dashboard begins as: the client finds out which one is wanted.
#[derive(Template)]
#[template(path = "dashboard/shell.html")]
struct Shell<'a> {
    brand: &'a Brand,
    assets: String,
}

/// Everything below [`HOME`], the shell last.
pub(super) fn configure(config: &mut ServiceConfig, cookie: Cookie, brand: Brand) {
    config
        .app_data(web::Data::new(cookie))
        .app_data(web::Data::new(brand))
        .service(
            Endpoint::at(SIGN_IN)
                .on_undocumented(Method::GET, sign_in::form)
                .on_undocumented(Method::POST, sign_in::sign_in),
        )
        .service(Endpoint::at(SIGN_OUT).on_undocumented(Method::POST, sign_in::sign_out))
        .service(
            Endpoint::at(&format!("{ASSETS}{{file:.*}}"))
                .on_undocumented(Method::GET, assets::asset),
        )
        .service(
            Endpoint::at(&format!("{HOME}{{view:(?:/.*)?}}")).on_undocumented(Method::GET, shell),
        );
}

async fn shell(
    request: HttpRequest,
    services: web::Data<Services>,
    cookie: web::Data<Cookie>,
    brand: web::Data<Brand>,
) -> HttpResponse {
    match has_session(&request, &services, &cookie).await {
        Ok(true) => {
            html(HttpResponse::Ok(), &Shell { brand: &brand, assets: way_to(&request, ASSETS) })
        }
        Err(AuthError::Store(_)) => {
            let mut response = HttpResponse::ServiceUnavailable();
            response.insert_header((RETRY_AFTER, RETRY_SECONDS));
            say(&request, response, &brand, "The store does not answer. Try again in a moment.")
        }
        Ok(false) | Err(_) => {
            let wanted = request.uri().path_and_query().map_or(HOME, |wanted| wanted.as_str());
            let wanted: String = url::form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
            let sign_in = format!("{SIGN_IN}?to={wanted}");
            match Site::of(&request) {
                Site::Other => follow_again(&request, &sign_in),
                Site::Ours | Site::Untold => see_other(&request, &sign_in).finish(),
            }
        }
    }
}

/// Whether somebody is signed in; an error, if somebody was.
async fn has_session(
    request: &HttpRequest,
    services: &Services,
    cookie: &Cookie,
) -> Result<bool, AuthError> {
    match cookie.token(request) {
        None => Ok(false),
        Some(token) => {
            services.auth.resume_session(token, Timestamp::now()).await?;
            Ok(true)
        }
    }
}
