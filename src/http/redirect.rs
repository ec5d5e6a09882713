//! `GET /{code}`: the reader's path. Parse, resolve, decide, record, answer.

use std::sync::Arc;
use std::time::Instant;

use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, HeaderName, HeaderValue, InvalidHeaderValue, LINK, LOCATION, RETRY_AFTER,
};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;

use super::caller::LocalPeer;
use super::extract::authority;
use super::page::{Notice, Pages};
use super::source::Sources;
use super::suffix::{self, Suffixes};
use super::{Parts, Settings};
use crate::metrics::{Meter, Outcome};
use crate::model::code::Code;
use crate::model::home::Home;
use crate::model::link::Redirect;
use crate::service::click::Recorder;
use crate::service::resolve::{Decision, HotLink, Resolve};
use crate::service::{Services, StoreError};

/// What one worker needs to answer readers; made at its start.
pub struct Reader {
    resolve: Resolve,
    clicks: std::rc::Rc<Recorder>,
    sources: Sources,
    meter: Arc<Meter>,
    headers: Headers,
    /// The status of links without one of their own.
    redirect: StatusCode,
    home: Home,
    suffixes: Suffixes,
    pages: Pages,
}

/// What redirects say beside where to.
#[derive(Debug, Clone)]
pub struct Headers {
    cache_control: HeaderValue,
    canonical: bool,
    noindex: bool,
}

/// Seconds after which a reader may try again when the store does not answer.
pub(super) const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("2");
pub(super) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
pub(super) const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");
pub(super) const NO_INDEX: HeaderValue = HeaderValue::from_static("noindex");
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD");

impl Headers {
    /// As the settings say.
    ///
    /// # Errors
    /// When `http.cache_control` is no header value.
    pub fn new(settings: &Settings) -> Result<Self, InvalidHeaderValue> {
        Ok(Self {
            cache_control: HeaderValue::from_str(&settings.cache_control)?,
            canonical: settings.canonical_link,
            noindex: settings.noindex,
        })
    }

    /// The same in memory of a worker's own.
    fn own(&self) -> Self {
        let cache_control = own(self.cache_control.as_bytes());
        Self {
            cache_control: cache_control.unwrap_or_else(|| self.cache_control.clone()),
            ..self.clone()
        }
    }
}

impl Reader {
    /// A worker's way to answer, by these verbs of its own.
    #[must_use]
    pub fn new(
        parts: &Parts,
        verbs: &Services,
        clicks: std::rc::Rc<Recorder>,
        meter: Arc<Meter>,
    ) -> Self {
        Self {
            resolve: verbs.resolve.clone(),
            clicks,
            sources: parts.sources.clone(),
            meter,
            headers: parts.headers.own(),
            redirect: status_of(parts.public.redirect),
            home: parts.public.home.clone(),
            suffixes: Suffixes::new(verbs.stats.clone(), parts.public.clone(), parts.pages.clone()),
            pages: parts.pages.clone(),
        }
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
        _ => return (Outcome::Refused, wrong_method(request, reader)),
    };
    if !reader.home.knows_all_hosts() && is_misdirected(request, &reader.home) {
        return (Outcome::Refused, reader.pages.misdirected(request, &reader.home));
    }
    let now = Timestamp::now();
    let code = request.path().trim_start_matches('/');
    if Code::check(code).is_err() {
        return match suffix::split(code) {
            None => (Outcome::Unknown, unknown(request, reader)),
            Some((code, suffix)) => {
                let decision = reader.resolve.resolve(code, || authority(request), now).await;
                Box::pin(suffix::answer(request, &reader.suffixes, suffix, decision, now)).await
            }
        };
    }
    match reader.resolve.resolve(code, || authority(request), now).await {
        Ok(Decision::Follow(link)) => {
            if counts {
                reader.clicks.record(code, reader.sources.of(request), now);
            }
            (Outcome::Followed, redirect(request, reader, &link))
        }
        Ok(Decision::Warn(link, danger)) => {
            (Outcome::Warned, reader.pages.warning(request, &link.link.target, &danger))
        }
        Ok(Decision::Gone(why)) => (Outcome::Gone, reader.pages.gone(request, &why)),
        Ok(Decision::Unknown) => {
            if counts {
                reader.clicks.record_orphan(code, reader.sources.of(request), now);
            }
            (Outcome::Unknown, unknown(request, reader))
        }
        Ok(Decision::Elsewhere) => (Outcome::Unknown, unknown(request, reader)),
        Err(error) => (Outcome::Unavailable, unavailable(request, reader, &error)),
    }
}

/// Whether a request is for a host that is none of ours. Who comes through the control socket asks
/// this very service.
fn is_misdirected(request: &HttpRequest, home: &Home) -> bool {
    !home.knows(authority(request)) && request.conn_data::<LocalPeer>().is_none()
}

fn redirect(request: &HttpRequest, reader: &Reader, link: &HotLink) -> HttpResponse {
    let location = if link.link.forward_query && !request.query_string().is_empty() {
        own(with_query(link.link.target.as_str(), request.query_string()).as_bytes())
    } else {
        own(link.link.target.as_str().as_bytes())
    };
    // A target is ASCII without control characters, a query comes from a request line.
    let Some(location) = location else { return unknown(request, reader) };
    let mut response = HttpResponse::new(link.link.redirect.map_or(reader.redirect, status_of));
    let headers = response.headers_mut();
    headers.insert(LOCATION, location);
    headers.insert(CACHE_CONTROL, reader.headers.cache_control.clone());
    if reader.headers.canonical
        && let Some(canonical) = own(link.canonical().as_bytes())
    {
        headers.insert(LINK, canonical);
    }
    if reader.headers.noindex {
        headers.insert(ROBOTS, NO_INDEX);
    }
    response
}

/// A header value in memory of its own. Workers that share its bytes would count references to them in
/// one place, and hand that place to and fro for every reader: a copy costs less.
fn own(value: &[u8]) -> Option<HeaderValue> {
    HeaderValue::from_bytes(value).ok()
}

/// The target with the reader's query after its own, before its fragment.
fn with_query(target: &str, query: &str) -> String {
    let (address, fragment) = target.split_at(target.find('#').unwrap_or(target.len()));
    let joint = if address.contains('?') { "&" } else { "?" };
    [address, joint, query, fragment].concat()
}

fn status_of(redirect: Redirect) -> StatusCode {
    match redirect {
        Redirect::MovedPermanently => StatusCode::MOVED_PERMANENTLY,
        Redirect::Found => StatusCode::FOUND,
        Redirect::Temporary => StatusCode::TEMPORARY_REDIRECT,
        Redirect::Permanent => StatusCode::PERMANENT_REDIRECT,
    }
}

fn unknown(request: &HttpRequest, reader: &Reader) -> HttpResponse {
    reader.pages.notice(request, Notice::Unknown)
}

fn unavailable(request: &HttpRequest, reader: &Reader, error: &StoreError) -> HttpResponse {
    tracing::debug!(%error, "a short link could not be looked up");
    let mut response = reader.pages.notice(request, Notice::Unavailable);
    response.headers_mut().insert(RETRY_AFTER, RETRY_SECONDS);
    response
}

fn wrong_method(request: &HttpRequest, reader: &Reader) -> HttpResponse {
    let mut response = reader.pages.notice(request, Notice::WrongMethod);
    response.headers_mut().insert(ALLOW, METHODS);
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

    /// The framework makes room for each request's future and moves it there: with all that happens
    /// rarely in it, it took more than 5,000 bytes.
    #[test]
    fn a_reader_waits_in_little_memory() {
        fn bytes<F: Future>(_: impl Fn(HttpRequest, web::Data<Reader>) -> F) -> usize {
            size_of::<F>()
        }
        assert!(bytes(follow) <= 512, "{} bytes", bytes(follow));
    }
}
