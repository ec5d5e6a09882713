//! What went wrong, as problem+json (RFC 9457): the status of every kind stands here and nowhere
//! else. The client is told which field, which limit and which way out; the cause goes to the log.

use std::fmt;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder, ResponseError};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::v1::wire::LinkBody;
use crate::service::StoreError;
use crate::service::auth::{AuthError, Forbidden};
use crate::service::live::{LiveError, MAX_LISTENERS};
use crate::service::replies::{MAX_KEY_LENGTH, ReplyError};
use crate::service::shorten::{BadField, BadQuery, MAX_CODES, MAX_PAGE, ShortenError};
use crate::service::transfer::import::{ImportError, MAX_LINES};

/// The media type of problems.
pub const PROBLEM_JSON: &str = "application/problem+json";
/// Seconds after which a client may try again when the store was away: it reconnects within that.
const STORE_RETRY: u32 = 2;
/// Seconds after which a request that is being answered is likely to be.
const REPLY_RETRY: u32 = 1;
/// Seconds after which a listener's place may be free.
const LISTENER_RETRY: u32 = 10;

macro_rules! kinds {
    ($($kind:ident $status:literal $slug:literal $title:literal $(#[$doc:meta])+)+) => {
        /// What can go wrong. Each kind has one status, one stable name and one title.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind { $($(#[$doc])+ $kind,)+ }

        impl Kind {
            /// All of them, as documented at `/api/problems`.
            pub const ALL: &[Self] = &[$(Self::$kind,)+];

            /// The status code.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$kind => $status,)+ }
            }

            /// The stable name: what follows `#` in the problem's type.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $(Self::$kind => $slug,)+ }
            }

            /// The title: the same for every problem of the kind.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$kind => $title,)+ }
            }
        }
    };
}

kinds! {
    BadJson 400 "bad-json" "The body is not JSON"
        /// The body can't be read as JSON.
    BadParameter 400 "bad-parameter" "A parameter can't be used"
        /// A query parameter is unknown, repeated or out of range.
    BadHeader 400 "bad-header" "A header can't be used"
        /// A request header breaks its rule.
    Unauthorized 401 "unauthorized" "A valid key is needed"
        /// No key, or none that opens anything.
    Forbidden 403 "forbidden" "The key may not do this"
        /// The key is good, but not for this.
    CrossSite 403 "cross-site" "A session serves our own pages only"
        /// The session's cookie came with a request that no page of this service made.
    NotFound 404 "not-found" "There is nothing here"
        /// No such link, key or address.
    MethodNotAllowed 405 "method-not-allowed" "This address does not know the method"
        /// The address is there, for other methods.
    NotAcceptable 406 "not-acceptable" "The answer can't be had in this form"
        /// Figures come as JSON and CSV, QR codes as SVG and PNG; the documentation's script is kept
        /// compressed.
    CodeTaken 409 "code-taken" "The code is taken"
        /// A chosen code belongs to another link, or belonged to a deleted one.
    TooManyCodes 409 "too-many-codes" "The address has all the codes it may have"
        /// An address has reached its number of codes.
    InProgress 409 "in-progress" "The same request is being answered"
        /// A request with this `Idempotency-Key` still runs.
    Gone 410 "gone" "The link was deleted"
        /// A tombstone.
    TooLarge 413 "too-large" "The body is too large"
        /// The body is larger than this address takes.
    UnsupportedMediaType 415 "unsupported-media-type" "The body is of another kind than is taken here"
        /// The body says that it isn't JSON, or not lines of it, or that it is compressed.
    BadField 422 "bad-field" "A field breaks a rule"
        /// The body is JSON, but a field is unknown, of the wrong type or breaks a rule.
    BadUrl 422 "bad-url" "The address can't be linked to"
        /// The address is not a URL, or not one that may be linked to here.
    KeyReused 422 "idempotency-key-reused" "The Idempotency-Key was used for another request"
        /// One `Idempotency-Key`, two different requests.
    Damaged 500 "damaged-data" "What is stored can't be read"
        /// The store holds what nobody here can have written.
    Unavailable 503 "store-unavailable" "The store does not answer"
        /// The store is away, or refuses to write.
    TooManyListeners 503 "too-many-listeners" "All places for listeners are taken"
        /// This node tells as many as it can what comes in.
}

/// What is asked for where no key is shown, in the words of HTTP (RFC 9110 §11.6.1).
pub(super) const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"Bearer realm="slugline""#);
/// The same where what is shown opens nothing (RFC 6750 §3.1).
pub(super) const BAD_TOKEN: HeaderValue =
    HeaderValue::from_static(r#"Bearer realm="slugline", error="invalid_token""#);

/// One problem, on its way to the client.
#[derive(Debug, Clone)]
pub struct Problem {
    kind: Kind,
    detail: String,
    field: Option<String>,
    limit: Option<usize>,
    link: Option<Box<LinkBody>>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// A problem (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem, example = json!({
    "type": "/api/problems#bad-url",
    "title": "The address can't be linked to",
    "status": 422,
    "detail": "the scheme `ftp` can't be redirected to; only http and https can",
    "field": "url"
}))]
pub struct ProblemBody<'a> {
    /// Which kind of problem: a stable address, relative to this service, that explains it.
    r#type: String,
    /// The kind in words, the same for all problems of it.
    title: &'a str,
    /// The status code once more.
    status: u16,
    /// What is wrong in this very case, and the way out.
    detail: &'a str,
    /// The field, parameter or header that is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    /// The limit that was passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<usize>,
    /// The tombstone, when the link was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a LinkBody>,
}

impl Problem {
    /// A problem of this kind; `detail` says what is wrong in this case, and the way out.
    #[must_use]
    pub fn new(kind: Kind, detail: impl fmt::Display) -> Self {
        let detail = detail.to_string();
        Self { kind, detail, field: None, limit: None, link: None, headers: vec![] }
    }

    /// Names the field, parameter or header that is meant.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Names the limit that was passed.
    #[must_use]
    pub fn limit(mut self, limit: impl Into<Option<usize>>) -> Self {
        self.limit = limit.into();
        self
    }

    /// Shows what is left of the link.
    #[must_use]
    pub fn link(mut self, link: LinkBody) -> Self {
        self.link = Some(Box::new(link));
        self
    }

    /// No key, or one that opens nothing.
    #[must_use]
    pub fn unauthorized(detail: impl fmt::Display, challenge: HeaderValue) -> Self {
        Self::new(Kind::Unauthorized, detail).header(header::WWW_AUTHENTICATE, challenge)
    }

    /// The address knows only the methods in `allow`.
    #[must_use]
    pub fn method_not_allowed(allow: &str) -> Self {
        let detail = format_args!("this address knows {allow}");
        let problem = Self::new(Kind::MethodNotAllowed, detail);
        match HeaderValue::from_str(allow) {
            Ok(value) => problem.header(header::ALLOW, value),
            Err(_) => problem,
        }
    }

    /// What kind of problem it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    fn retry_after(self, seconds: u32) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        ProblemBody {
            r#type: format!("/api/problems#{}", self.kind.slug()),
            title: self.kind.title(),
            status: self.kind.status(),
            detail: &self.detail,
            field: self.field.as_deref(),
            limit: self.limit,
            link: self.link.as_deref(),
        }
        .serialize(to)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.slug(), self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        for header in &self.headers {
            response.insert_header(header.clone());
        }
        // Writing plain data into memory can't fail.
        let body = serde_json::to_vec(self).unwrap_or_default();
        response.insert_header((header::CONTENT_TYPE, PROBLEM_JSON)).body(body)
    }
}

impl Responder for Problem {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.error_response()
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged(_) => {
                tracing::error!(store.error = %error, "a request met damaged data");
                Self::new(Kind::Damaged, "stored data can't be read; the operator's log says more")
            }
            StoreError::Unavailable(_) => {
                tracing::warn!(store.error = %error, "a request met an absent store");
                let detail = "the store does not answer; ask again in a moment";
                Self::new(Kind::Unavailable, detail).retry_after(STORE_RETRY)
            }
            StoreError::Refused(_) | StoreError::Schema { .. } => {
                tracing::error!(store.error = %error, "the store refused a request");
                let detail = "the store takes nothing at the moment; the operator's log says why";
                Self::new(Kind::Unavailable, detail).retry_after(STORE_RETRY)
            }
        }
    }
}

impl From<Forbidden> for Problem {
    fn from(refusal: Forbidden) -> Self {
        Self::new(Kind::Forbidden, refusal)
    }
}

impl From<BadField> for Problem {
    fn from(bad: BadField) -> Self {
        let kind = match &bad {
            BadField::Target(_)
            | BadField::HostBlocked(_)
            | BadField::HostNotAllowed(_)
            | BadField::Harmful(..)
            | BadField::Ours(_) => Kind::BadUrl,
            _ => Kind::BadField,
        };
        Self::new(kind, &bad).field(bad.name()).limit(bad.limit())
    }
}

impl From<BadQuery> for Problem {
    fn from(bad: BadQuery) -> Self {
        let limit = matches!(bad, BadQuery::Limit(_)).then_some(MAX_PAGE);
        Self::new(Kind::BadParameter, &bad).field(bad.name()).limit(limit)
    }
}

impl From<ShortenError> for Problem {
    fn from(error: ShortenError) -> Self {
        match error {
            ShortenError::Field(bad) => bad.into(),
            ShortenError::Query(bad) => bad.into(),
            ShortenError::CodeTaken(_) | ShortenError::CodeRetired(_) => {
                Self::new(Kind::CodeTaken, error).field("code")
            }
            ShortenError::TooManyCodes(_) => {
                Self::new(Kind::TooManyCodes, error).field("url").limit(MAX_CODES)
            }
            ShortenError::NotFound(_) => Self::new(Kind::NotFound, error),
            ShortenError::Gone(_) => Self::new(Kind::Gone, error),
            ShortenError::Forbidden(refusal) => refusal.into(),
            ShortenError::Store(error) => error.into(),
        }
    }
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::TooManyLines(_) => Self::new(Kind::TooLarge, error).limit(MAX_LINES),
            ImportError::Links(error) => error.into(),
        }
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Unknown | AuthError::Revoked | AuthError::SessionOver => {
                Self::unauthorized(error, BAD_TOKEN)
            }
            AuthError::NoSuchKey(_) | AuthError::Keyless => Self::new(Kind::NotFound, error),
            AuthError::Name => Self::new(Kind::BadField, error).field("name"),
            AuthError::NoScope => Self::new(Kind::BadField, error).field("scopes"),
            AuthError::Forbidden(refusal) => refusal.into(),
            AuthError::Store(error) => error.into(),
        }
    }
}

impl From<LiveError> for Problem {
    fn from(error: LiveError) -> Self {
        match error {
            LiveError::Full => Self::new(Kind::TooManyListeners, error)
                .limit(MAX_LISTENERS)
                .retry_after(LISTENER_RETRY),
            LiveError::Forbidden(refusal) => refusal.into(),
            LiveError::Store(error) => error.into(),
        }
    }
}

impl From<ReplyError> for Problem {
    fn from(error: ReplyError) -> Self {
        let problem = match &error {
            ReplyError::BadKey => Self::new(Kind::BadHeader, &error).limit(MAX_KEY_LENGTH),
            ReplyError::Running => Self::new(Kind::InProgress, &error).retry_after(REPLY_RETRY),
            ReplyError::Other => Self::new(Kind::KeyReused, &error),
            ReplyError::Store(error) => return error.clone().into(),
        };
        problem.field("Idempotency-Key")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_data_is_the_only_internal_error() {
        let internal: Vec<Kind> =
            Kind::ALL.iter().copied().filter(|kind| kind.status() == 500).collect();
        assert_eq!(internal, [Kind::Damaged]);
        for kind in Kind::ALL {
            assert!((400..600).contains(&kind.status()), "{kind:?}");
        }
    }

    #[test]
    fn the_cause_stays_in_the_house() {
        for error in [
            StoreError::Unavailable("redis://secret@10.0.0.1".into()),
            StoreError::Refused("/var/lib/secret".into()),
            StoreError::Damaged("secret".into()),
            StoreError::Schema { found: "secret".into() },
        ] {
            let problem = Problem::from(error);
            assert!(!serde_json::to_string(&problem).unwrap().contains("secret"));
        }
    }
}
