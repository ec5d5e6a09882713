//! What is told when something goes wrong, in the envelope of Google's APIs: statuses, reasons and
//! messages are those that the clients of goo.gl know.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use serde::Serialize;

use super::params::Layout;
use crate::http::error::{CHALLENGE, Kind, Problem};

/// Seconds after which a client may try again when the store was away: it reconnects within that.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("2");

/// An error on its way to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    status: StatusCode,
    domain: &'static str,
    reason: &'static str,
    message: String,
    /// What kind of place is meant, and which: `("parameter", "shortUrl")`.
    location: Option<(&'static str, String)>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    errors: [Entry<'a>; 1],
    code: u16,
    message: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    domain: &'a str,
    reason: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    location_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<&'a str>,
}

impl Refusal {
    fn new(status: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self { status, domain: "global", reason, message: message.into(), location: None }
    }

    fn bad(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason, message)
    }

    fn of_usage(self) -> Self {
        Self { domain: "usageLimits", ..self }
    }

    fn at(self, kind: &'static str, name: impl Into<String>) -> Self {
        Self { location: Some((kind, name.into())), ..self }
    }

    /// A parameter that is not there.
    pub(super) fn missing(parameter: &str) -> Self {
        let message = format!("Required parameter: {parameter}");
        Self::bad("required", message).at("parameter", parameter)
    }

    /// A field of the body that is not there; it is located as `resource.longUrl`.
    pub(super) fn missing_field(location: &str) -> Self {
        Self::bad("required", "Required").at("parameter", location)
    }

    /// A value that means nothing.
    pub(super) fn invalid(location: &str) -> Self {
        Self::bad("invalid", "Invalid Value").at("parameter", location)
    }

    /// A parameter that is none of those which there are, or not of its type.
    pub(super) fn invalid_parameter(parameter: &str, message: String) -> Self {
        Self::bad("invalidParameter", message).at("parameter", parameter)
    }

    /// A body that is not JSON.
    pub(super) fn not_json() -> Self {
        Self::bad("parseError", "Parse Error")
    }

    /// The body of an HTML form.
    pub(super) fn a_form() -> Self {
        Self::bad("parseError", "This API does not support parsing form-encoded input.")
    }

    /// A `key=` that opens nothing.
    pub(super) fn bad_key() -> Self {
        Self::bad("keyInvalid", "Bad Request").of_usage()
    }

    /// A token that opens nothing.
    pub(super) fn bad_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "authError", "Invalid Credentials")
            .at("header", "Authorization")
    }

    /// No key where somebody's own links are asked for.
    pub(super) fn login_required() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "required", "Login Required")
            .at("header", "Authorization")
    }

    /// No key where any would do.
    pub(super) fn no_key() -> Self {
        let message =
            "Daily Limit for Unauthenticated Use Exceeded. Continued use requires signup.";
        Self::new(StatusCode::FORBIDDEN, "dailyLimitExceededUnreg", message).of_usage()
    }

    /// There is nothing at this address.
    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "notFound", "Not Found")
    }

    /// Several calls in one request.
    pub(super) fn no_batches() -> Self {
        let message = "Batches are not offered here: send each call by itself.";
        Self::new(StatusCode::NOT_FOUND, "notFound", message)
    }

    /// There is no such short URL.
    pub(super) fn unknown_url() -> Self {
        Self::not_found().at("parameter", "shortUrl")
    }

    /// The address is there, for other methods.
    pub(super) fn wrong_method() -> Self {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Self::new(status, "httpMethodNotAllowed", "Method Not Allowed")
    }

    /// The answer.
    pub(super) fn response(&self, layout: Layout) -> HttpResponse {
        let entry = Entry {
            domain: self.domain,
            reason: self.reason,
            message: &self.message,
            location_type: self.location.as_ref().map(|(kind, _)| *kind),
            location: self.location.as_ref().map(|(_, name)| name.as_str()),
        };
        let body = Body { errors: [entry], code: self.status.as_u16(), message: &self.message };
        let mut response =
            super::respond(self.status, super::json(&Envelope { error: body }, layout));
        if let Some((name, value)) = self.header() {
            response.headers_mut().insert(name, value);
        }
        response
    }

    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self.status {
            StatusCode::UNAUTHORIZED => Some((header::WWW_AUTHENTICATE, CHALLENGE)),
            StatusCode::SERVICE_UNAVAILABLE => Some((header::RETRY_AFTER, RETRY_AFTER)),
            _ => None,
        }
    }
}

impl<E: Into<Problem>> From<E> for Refusal {
    /// What our own API tells as a problem; it is logged there, if it is to be.
    fn from(error: E) -> Self {
        let kind = error.into().kind();
        let status = StatusCode::from_u16(kind.status()).unwrap_or_default();
        match kind {
            // The one address and the one parameter that the verbs themselves read.
            Kind::BadUrl => Self::invalid("resource.longUrl"),
            Kind::BadParameter => Self::invalid("start-token"),
            Kind::BadJson => Self::not_json(),
            Kind::Unauthorized => Self::bad_token(),
            Kind::Forbidden => {
                Self::new(status, "insufficientPermissions", "Insufficient Permission")
            }
            Kind::NotFound | Kind::Gone => Self::not_found(),
            Kind::TooManyCodes => {
                Self::new(StatusCode::FORBIDDEN, "quotaExceeded", "Quota Exceeded").of_usage()
            }
            Kind::TooLarge => Self::new(status, "uploadTooLarge", "Request Too Large"),
            Kind::Unavailable => Self::new(status, "backendError", "Backend Error"),
            // None of the verbs that this API uses gets here, but for damaged data.
            _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internalError", "Internal Error"),
        }
    }
}
