//! Pages for readers: plain, without scripts, and with nothing from elsewhere.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::redirect::{NO_INDEX, NO_STORE, ROBOTS};
use crate::model::target::Target;
use crate::service::threats::{Danger, Threat};

/// The style of every page: the one thing that [`POLICY`] lets in.
pub const STYLE: &str = include_str!("../../templates/page.css");

/// What is sent is what its media type says, whatever it looks like.
pub(super) const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// Nothing may be loaded or run; the style is known by its hash (CSP 3 §8.4).
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    // A hash in base 64 can stand in a header; if it could not, there would be no style.
    HeaderValue::from_maybe_shared(policy)
        .unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
});

/// Says one thing.
#[derive(Template)]
#[template(path = "notice.html")]
struct Notice<'a> {
    what: &'a str,
    reason: Option<&'a str>,
}

/// Stands in the place of a redirect.
#[derive(Template)]
#[template(path = "warning.html")]
struct Warning<'a> {
    host: &'a str,
    target: &'a str,
    danger: &'a str,
}

/// What is told of a danger.
#[must_use]
pub(super) fn told(Danger { host, threat }: &Danger) -> String {
    match threat {
        Threat::Malware => format!("{host} is known to spread malware."),
        Threat::Phishing => format!(
            "{host} is known to pretend to be another site, and to ask for passwords and the like."
        ),
    }
}

/// A page of this service. It must not be kept: the link may change at any moment.
pub(super) fn html(status: StatusCode, page: &impl Template) -> HttpResponse {
    let Ok(text) = page.render() else {
        return HttpResponse::InternalServerError().finish();
    };
    let mut response = HttpResponse::with_body(status, text).map_into_boxed_body();
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, POLICY.clone()),
        (X_CONTENT_TYPE_OPTIONS, NO_SNIFF),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (ROBOTS, NO_INDEX),
        (CACHE_CONTROL, NO_STORE),
        (VARY, HeaderValue::from_static("Accept")),
    ] {
        headers.insert(name, value);
    }
    response
}

/// A page that says one thing, and why.
pub(super) fn notice(status: StatusCode, what: &str, reason: Option<&str>) -> HttpResponse {
    html(status, &Notice { what, reason })
}

/// What a reader gets in the place of a redirect to what is known to harm them.
pub(super) fn warning(target: &Target, danger: &Danger) -> HttpResponse {
    let page = Warning { host: &danger.host, target: target.as_str(), danger: &told(danger) };
    html(StatusCode::FORBIDDEN, &page)
}
