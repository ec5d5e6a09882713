//! What all pages of a language have: their words, the brand, the style, the headers.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::body::MessageBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderValue,
    InvalidHeaderValue, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::words::Words;
use crate::http::brand::Brand;
use crate::http::redirect::{NO_INDEX, NO_STORE, ROBOTS};
use crate::service::threats::{Danger, Threat};

/// The style of every page; a brand adds its colours.
const STYLE: &str = include_str!("../../../templates/page.css");

/// What is sent is what its media type says, whatever it looks like.
pub(in crate::http) const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
/// What an answer to a reader depends on.
const BY_WISH: HeaderValue = HeaderValue::from_static("Accept, Accept-Language");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const PLAIN_TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");

/// What all pages of one language begin with.
pub(in crate::http) struct Language {
    /// As `lang` has it.
    pub(in crate::http) tag: String,
    pub(in crate::http) words: Words,
    /// As `Content-Language` has it.
    header: HeaderValue,
    pub(in crate::http) frame: Arc<Frame>,
}

/// What all pages have.
pub(in crate::http) struct Frame {
    pub(in crate::http) brand: Brand,
    pub(in crate::http) style: String,
    policy: HeaderValue,
}

impl Language {
    /// These words, in this frame.
    pub(super) fn new(
        tag: String,
        words: Words,
        frame: Arc<Frame>,
    ) -> Result<Self, InvalidHeaderValue> {
        let header = HeaderValue::from_str(&tag)?;
        Ok(Self { tag, words, header, frame })
    }

    /// What is told of a danger, as HTML.
    pub(in crate::http) fn danger(&self, Danger { host, threat }: &Danger) -> String {
        let phrase = match threat {
            Threat::Malware => &self.words.malware,
            Threat::Phishing => &self.words.phishing,
        };
        phrase.html(&[("host", host)])
    }

    /// The words of the way to the brand's own site, as HTML.
    pub(in crate::http) fn to_home(&self) -> String {
        self.words.home.html(&[("name", &self.frame.brand.name())])
    }

    /// A page of this language.
    pub(in crate::http) fn html(&self, status: StatusCode, page: &impl Template) -> HttpResponse {
        match page.render() {
            Ok(text) => self.page(status, text),
            Err(_) => HttpResponse::InternalServerError().finish(),
        }
    }

    /// A page that is made already.
    pub(super) fn page(
        &self,
        status: StatusCode,
        text: impl MessageBody + 'static,
    ) -> HttpResponse {
        let mut response = self.answer(status, HTML, text);
        let headers = response.headers_mut();
        for (name, value) in [
            (CONTENT_SECURITY_POLICY, self.frame.policy.clone()),
            (X_CONTENT_TYPE_OPTIONS, NO_SNIFF),
            (REFERRER_POLICY, NO_REFERRER),
            (ROBOTS, NO_INDEX),
        ] {
            headers.insert(name, value);
        }
        response
    }

    /// A text of this language.
    pub(super) fn plain(
        &self,
        status: StatusCode,
        text: impl MessageBody + 'static,
    ) -> HttpResponse {
        self.answer(status, PLAIN_TEXT, text)
    }

    fn answer(
        &self,
        status: StatusCode,
        media: HeaderValue,
        text: impl MessageBody + 'static,
    ) -> HttpResponse {
        let mut response = HttpResponse::with_body(status, text).map_into_boxed_body();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, media);
        self.tell(headers);
        response
    }

    /// Says in which language an answer is, and on what that depends. It must not be kept: the link
    /// may change at any moment.
    pub(in crate::http) fn tell(&self, headers: &mut HeaderMap) {
        headers.insert(CACHE_CONTROL, NO_STORE);
        headers.insert(CONTENT_LANGUAGE, self.header.clone());
        headers.insert(VARY, BY_WISH);
    }
}

impl Frame {
    /// What a brand makes of it.
    pub(super) fn new(brand: Brand) -> Result<Self, InvalidHeaderValue> {
        let style = format!("{}{STYLE}", brand.style());
        let pictures = if brand.logo().is_some() { "img-src 'self'; " } else { "" };
        // The style is known by its hash (CSP 3 §8.4).
        let hash = STANDARD.encode(Sha256::digest(&style));
        let policy = HeaderValue::from_maybe_shared(Bytes::from(format!(
            "default-src 'none'; style-src 'sha256-{hash}'; {pictures}base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'"
        )))?;
        Ok(Self { brand, style, policy })
    }
}
