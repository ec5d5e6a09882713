//! How pages of the dashboard are sent, and how they name one another.

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use askama::Template;

use super::{ASSETS, assets, sign_in_for};
use crate::http::brand::Brand;
use crate::http::page::NO_SNIFF;
use crate::http::redirect::{NO_INDEX, NO_STORE, RETRY_SECONDS, ROBOTS};

/// Nothing from elsewhere, and no script or style but what lies in files of ours.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self' data:; connect-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// The field of an address that a browser was sent to by itself.
pub(super) const AGAIN: &str = "again";

/// What is said while the store is away.
pub(super) const AWAY: &str = "The store does not answer. Try again in a moment.";

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

/// Has the browser go by itself to where one signs in for `wanted`, once: that address has the mark
/// [`AGAIN`]. Who follows a link on another site, in a mail or a chat, comes without the cookie
/// (`SameSite=Strict`), through redirects as well; to where a page of ours leads it is sent. So who is
/// signed in need not do so again.
pub(super) fn follow_again(request: &HttpRequest, wanted: &str) -> HttpResponse {
    let path = format!("{}&{AGAIN}=1", sign_in_for(wanted));
    HttpResponse::Ok()
        .insert_header(("Refresh", format!("0; url={}", way_to(request, &path))))
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

/// The way to the client's files, to be followed by a name. It leads through their version.
pub(super) fn way_to_assets(request: &HttpRequest) -> String {
    way_to(request, &format!("{ASSETS}{}/", assets::version()))
}

/// The answer while the store is away, to be filled.
pub(super) fn unavailable() -> HttpResponseBuilder {
    let mut response = HttpResponse::ServiceUnavailable();
    response.insert_header((RETRY_AFTER, RETRY_SECONDS));
    response
}

/// A page that says one thing.
pub(super) fn say(
    request: &HttpRequest,
    response: HttpResponseBuilder,
    brand: &Brand,
    what: &str,
) -> HttpResponse {
    html(response, &Notice { brand, assets: way_to_assets(request), what })
}
