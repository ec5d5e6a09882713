//! What can be had of a short link besides its redirect: `/{code}+` and `/{code}.info` show where it
//! leads, `/{code}.qr` is its QR code. None of it is a click.

mod chart;
mod page;
mod qr;

use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpRequest, HttpResponse, ResponseError as _};
use jiff::Timestamp;

use super::error::{Kind, Problem};
use super::extract::preferred;
use super::page::{Edition, Notice, Pages};
use super::redirect::RETRY_SECONDS;
use super::v1::wire::Public;
use crate::metrics::Outcome;
use crate::model::code::Code;
use crate::service::StoreError;
use crate::service::resolve::{Decision, Gone};
use crate::service::stats::Stats;

/// What is asked for behind a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suffix {
    /// Where it leads.
    Page,
    /// Its QR code, in this format or in that which the request accepts.
    Qr(Option<qr::Format>),
}

/// All of them; of two that fit, the first is meant.
const SUFFIXES: [(&str, Suffix); 7] = [
    ("+", Suffix::Page),
    // As some write it in a path.
    ("%2B", Suffix::Page),
    ("%2b", Suffix::Page),
    (".info", Suffix::Page),
    (".qr", Suffix::Qr(None)),
    (".qr.svg", Suffix::Qr(Some(qr::Format::Svg))),
    (".qr.png", Suffix::Qr(Some(qr::Format::Png))),
];

/// The code and the suffix in a path that is no code, if it is made of these.
#[must_use]
pub fn split(path: &str) -> Option<(&str, Suffix)> {
    let mut codes =
        SUFFIXES.iter().filter_map(|(text, suffix)| Some((path.strip_suffix(text)?, *suffix)));
    codes.find(|(code, _)| Code::check(code).is_ok())
}

/// What a worker needs to answer.
pub struct Suffixes {
    stats: Stats,
    public: Public,
    pages: Pages,
}

impl Suffixes {
    /// Figures come from `stats`, so far as they are public; links look as `public` says.
    #[must_use]
    pub fn new(stats: Stats, public: Public, pages: Pages) -> Self {
        Self { stats, public, pages }
    }
}

/// Answers a request for `suffix` behind a code of which this was decided.
pub async fn answer(
    request: &HttpRequest,
    suffixes: &Suffixes,
    suffix: Suffix,
    decision: Result<Decision, StoreError>,
    now: Timestamp,
) -> (Outcome, HttpResponse) {
    let (link, danger) = match decision {
        Ok(Decision::Follow(link)) => (link, None),
        Ok(Decision::Warn(link, danger)) => (link, Some(danger)),
        Ok(Decision::Gone(why)) => return (Outcome::Gone, gone(request, &suffixes.pages, &why)),
        Ok(Decision::Unknown | Decision::Elsewhere) => {
            return (Outcome::Unknown, unknown(request, &suffixes.pages));
        }
        Err(error) => return (Outcome::Unavailable, unavailable(request, &suffixes.pages, error)),
    };
    let response = match suffix {
        Suffix::Page => page::show(request, suffixes, &link.link, danger.as_ref(), now).await,
        Suffix::Qr(format) => {
            let short_url = suffixes.public.short_url(&link.link);
            let image = qr::show(request, format, &short_url).await;
            image.unwrap_or_else(|bad| bad.error_response())
        }
    };
    (Outcome::Shown, response)
}

/// Whether a request wants data rather than a page.
fn wants_json(request: &HttpRequest) -> bool {
    preferred(request, &[("text/html", false), ("application/json", true)]).unwrap_or(false)
}

fn gone(request: &HttpRequest, pages: &Pages, why: &Gone) -> HttpResponse {
    let edition = pages.edition(request);
    if !wants_json(request) {
        return edition.gone(why);
    }
    let words = &edition.language.words;
    let what = Notice::of(why).sentence(words).to_string();
    let detail = match &why.reason {
        Some(reason) => format!("{what} {}", words.reason.text(&[("reason", reason)])),
        None => what,
    };
    told_in(edition, Problem::new(Kind::Gone, detail))
}

fn unknown(request: &HttpRequest, pages: &Pages) -> HttpResponse {
    let edition = pages.edition(request);
    if !wants_json(request) {
        return edition.page(Notice::Unknown);
    }
    told_in(edition, Problem::new(Kind::NotFound, &edition.language.words.unknown))
}

fn unavailable(request: &HttpRequest, pages: &Pages, error: StoreError) -> HttpResponse {
    tracing::debug!(%error, "a short link could not be looked up");
    let edition = pages.edition(request);
    let mut response = match wants_json(request) {
        true => {
            let words = &edition.language.words;
            told_in(edition, Problem::new(Kind::Unavailable, &words.unavailable))
        }
        false => edition.page(Notice::Unavailable),
    };
    response.headers_mut().insert(RETRY_AFTER, RETRY_SECONDS);
    response
}

/// A problem whose detail is in the reader's language.
fn told_in(edition: &Edition, problem: Problem) -> HttpResponse {
    let mut response = problem.error_response();
    edition.language.tell(response.headers_mut());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_stands_behind_a_code() {
        use qr::Format::{Png, Svg};
        for (path, code, suffix) in [
            ("8yDbrB+", "8yDbrB", Suffix::Page),
            ("8yDbrB%2B", "8yDbrB", Suffix::Page),
            ("8yDbrB%2b", "8yDbrB", Suffix::Page),
            ("fb/AbC1.info", "fb/AbC1", Suffix::Page),
            ("8yDbrB.qr", "8yDbrB", Suffix::Qr(None)),
            ("fb/AbC1.qr.svg", "fb/AbC1", Suffix::Qr(Some(Svg))),
            ("8yDbrB.qr.png", "8yDbrB", Suffix::Qr(Some(Png))),
        ] {
            assert_eq!(split(path), Some((code, suffix)), "{path}");
        }
        for path in ["+", ".qr", "a++", "a.info+", "a/b/c+", "a.png", "a.qr.gif", "a b+", "é+"] {
            assert_eq!(split(path), None, "{path}");
        }
    }
}
