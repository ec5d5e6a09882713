//! How pages of the dashboard are sent, and how they name one another.

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use askama::Template;

use super::ASSETS;
use crate::http::brand::Brand;
use crate::http::page::NO_SNIFF;
use crate::http::redirect::{NO_INDEX, NO_STORE, ROBOTS};

/// Nothing from elsewhere, and no script or style but what lies in files of ours.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self' data:; connect-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

#[derive(Template)]
#[template(path = "dashboard/notice.html")]
struct Notice<'a> {
    brand: &'a Brand,
    assets: String,
    what: &'a str,
}

/// A page of the dashboard. It is for the one who signed in, and to be had while signed in.
pub(super) fn html(mut response: HttpResponseBuilder, page: &impl Template) -> HttpResponse {
    let Ok(text) = page.render() else {
        return HttpResponse::InternalServerError().finish();
    };
    response
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((X_CONTENT_TYPE_OPTIONS, NO_SNIFF))
        // Without a referrer a browser sends forms with `Origin: null`, which is nobody's.
        .insert_header((REFERRER_POLICY, "same-origin"))
        .insert_header((ROBOTS, NO_INDEX))
        .insert_header((CACHE_CONTROL, NO_STORE))
        .content_type("text/html; charset=utf-8")
        .body(text)
}

/// Sends the browser to `path`, which begins with a slash.
pub(super) fn see_other(request: &HttpRequest, path: &str) -> HttpResponseBuilder {
    let mut response = HttpResponse::SeeOther();
    response
        .insert_header((LOCATION, way_to(request, path)))
        .insert_header((CACHE_CONTROL, NO_STORE));
    response
}

/// Has the browser go to `path` by itself. Who follows a link on another site, in a mail or a chat, is
/// let in without the cookie (`SameSite=Strict`), redirects included; what a page of ours leads to gets
/// it. So who is signed in need not do so again.
pub(super) fn follow_again(request: &HttpRequest, path: &str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("Refresh", format!("0; url={}", way_to(request, path))))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((CACHE_CONTROL, NO_STORE))
        .content_type("text/html; charset=utf-8")
        .body("<!doctype html>\n<title>Signing in</title>\n")
}

/// The way from the address of a request to `path`, which begins with a slash. Relative, because a
/// proxy may have removed the beginning of the path that the browser asked for (`public_url`).
pub(super) fn way_to(request: &HttpRequest, path: &str) -> String {
    let depth = request.uri().path().matches('/').count();
    format!("{}{}", "../".repeat(depth.saturating_sub(1)), path.trim_start_matches('/'))
}

/// A page that says one thing.
pub(super) fn say(
    request: &HttpRequest,
    response: HttpResponseBuilder,
    brand: &Brand,
    what: &str,
) -> HttpResponse {
    html(response, &Notice { brand, assets: way_to(request, ASSETS), what })
}
