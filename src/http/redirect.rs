//! `GET /{code}`: the reader's path. Parse, resolve, decide, record, answer.

use std::sync::Arc;
use std::time::Instant;

use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER,
};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use jiff::Timestamp;

use super::source::Sources;
use crate::metrics::{Meter, Outcome};
use crate::model::code::Code;
use crate::model::link::{Redirect, State};
use crate::service::StoreError;
use crate::service::click::Recorder;
use crate::service::resolve::{Decision, Gone, HotLink, Resolve};

/// What one worker needs to answer readers; made at its start.
pub struct Reader {
    resolve: Resolve,
    clicks: std::rc::Rc<Recorder>,
    sources: Sources,
    meter: Arc<Meter>,
    cache_control: HeaderValue,
    redirect: StatusCode,
}

/// Seconds after which a reader may try again when the store does not answer.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("2");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const PLAIN_TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD");

impl Reader {
    /// A worker's way to answer: `redirect` for links without a status of their own.
    #[must_use]
    pub fn new(
        resolve: Resolve,
        clicks: std::rc::Rc<Recorder>,
        sources: Sources,
        meter: Arc<Meter>,
        cache_control: HeaderValue,
        redirect: Redirect,
    ) -> Self {
        Self { resolve, clicks, sources, meter, cache_control, redirect: status_of(redirect) }
    }
}

/// Answers a reader, whatever was asked for.
pub async fn follow(request: HttpRequest, reader: web::Data<Reader>) -> HttpResponse {
    let started = Instant::now();
    let (outcome, response) = answer(&request, &reader).await;
    reader.meter.link(outcome, started.elapsed());
    response
}

async fn answer(request: &HttpRequest, reader: &Reader) -> (Outcome, HttpResponse) {
    let counts = match *request.method() {
        Method::GET => true,
        Method::HEAD => false,
        _ => return (Outcome::Refused, wrong_method()),
    };
    let now = Timestamp::now();
    let code = request.path().trim_start_matches('/');
    if Code::check(code).is_err() {
        return (Outcome::Unknown, unknown());
    }
    match reader.resolve.resolve(code, now).await {
        Ok(Decision::Follow(link)) => {
            if counts {
                reader.clicks.record(code, reader.sources.of(request), now);
            }
            (Outcome::Followed, redirect(request, reader, &link))
        }
        Ok(Decision::Gone(why)) => (Outcome::Gone, gone(&why)),
        Ok(Decision::Unknown) => {
            if counts {
                reader.clicks.record_orphan(code, reader.sources.of(request), now);
            }
            (Outcome::Unknown, unknown())
        }
        Err(error) => (Outcome::Unavailable, unavailable(&error)),
    }
}

fn redirect(request: &HttpRequest, reader: &Reader, link: &HotLink) -> HttpResponse {
    let location = if link.link.forward_query && !request.query_string().is_empty() {
        with_query(link.link.target.as_str(), request.query_string())
    } else {
        link.location.clone()
    };
    // A target is ASCII without control characters, a query comes from a request line.
    let Ok(location) = HeaderValue::from_maybe_shared(location) else { return unknown() };
    let mut response = HttpResponse::new(link.link.redirect.map_or(reader.redirect, status_of));
    response.headers_mut().insert(LOCATION, location);
    response.headers_mut().insert(CACHE_CONTROL, reader.cache_control.clone());
    response
}

/// The target with the reader's query after its own, before its fragment.
fn with_query(target: &str, query: &str) -> Bytes {
    let (address, fragment) = target.split_at(target.find('#').unwrap_or(target.len()));
    let joint = if address.contains('?') { "&" } else { "?" };
    Bytes::from([address, joint, query, fragment].concat())
}

fn status_of(redirect: Redirect) -> StatusCode {
    match redirect {
        Redirect::MovedPermanently => StatusCode::MOVED_PERMANENTLY,
        Redirect::Found => StatusCode::FOUND,
        Redirect::Temporary => StatusCode::TEMPORARY_REDIRECT,
        Redirect::Permanent => StatusCode::PERMANENT_REDIRECT,
    }
}

fn unknown() -> HttpResponse {
    sentence(StatusCode::NOT_FOUND, "There is no such short link.\n".into())
}

fn gone(why: &Gone) -> HttpResponse {
    let what = match why.state {
        State::Expired => "This short link has expired.",
        State::Disabled => "This short link was withdrawn by its publisher.",
        State::Active | State::Deleted => "This short link was deleted by its publisher.",
    };
    let text = match &why.reason {
        Some(reason) => format!("{what}\nReason: {reason}\n"),
        None => format!("{what}\n"),
    };
    sentence(StatusCode::GONE, text)
}

fn unavailable(error: &StoreError) -> HttpResponse {
    tracing::debug!(%error, "a short link could not be looked up");
    let text = "This short link can't be looked up at the moment. Please try again.\n";
    let mut response = sentence(StatusCode::SERVICE_UNAVAILABLE, text.into());
    response.headers_mut().insert(RETRY_AFTER, RETRY_SECONDS);
    response
}

fn wrong_method() -> HttpResponse {
    let text = "A short link can be read with GET and HEAD only.\n";
    let mut response = sentence(StatusCode::METHOD_NOT_ALLOWED, text.into());
    response.headers_mut().insert(ALLOW, METHODS);
    response
}

fn sentence(status: StatusCode, text: String) -> HttpResponse {
    let mut response = HttpResponse::with_body(status, text).map_into_boxed_body();
    response.headers_mut().insert(CONTENT_TYPE, PLAIN_TEXT);
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readers_query_goes_after_the_targets_own_and_before_its_fragment() {
        for (target, expected) in [
            ("https://e.org/a", "https://e.org/a?x=1"),
            ("https://e.org/a?b=2", "https://e.org/a?b=2&x=1"),
            ("https://e.org/a#c?d", "https://e.org/a?x=1#c?d"),
        ] {
            assert_eq!(with_query(target, "x=1"), expected);
        }
    }
}
