//! What a request brings, read once: a JSON body, the query, what it takes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use actix_web::HttpRequest;
use actix_web::http::header::{self, Accept, AcceptEncoding, Encoding, Header as _, Quality};
use actix_web::web::{self, Bytes, BytesMut};
use futures_util::StreamExt;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::error::{Kind, Problem};

/// The largest body of one noun, in bytes.
pub const MAX_BODY: usize = 1 << 20;
/// The largest body of a batch, in bytes.
pub const MAX_BATCH_BODY: usize = 16 << 20;
/// Lines of JSON (<https://github.com/ndjson/ndjson-spec>).
const NDJSON: &str = "application/x-ndjson";
/// The deepest nesting of a body. Ours are four deep.
const MAX_DEPTH: usize = 32;

/// Host and port that a request is for (RFC 9112 §3.3): those of its target go before the header's
/// (§3.2.2). Nothing, if it does not say.
#[must_use]
pub fn authority(request: &HttpRequest) -> &str {
    match request.uri().authority() {
        Some(named) => named.as_str().rsplit('@').next().unwrap_or_default(),
        None => {
            let named = request.headers().get(header::HOST);
            named.and_then(|host| host.to_str().ok()).unwrap_or_default()
        }
    }
}

/// A body that says it is JSON, whole, at most `limit` bytes.
///
/// # Errors
/// A [`Problem`]: 415 when it says otherwise, 413 when it is larger, 400 when it breaks off.
pub async fn read_body(
    request: &HttpRequest,
    payload: web::Payload,
    limit: usize,
) -> Result<Bytes, Problem> {
    let json = |media: &str| {
        media == "application/json"
            || (media.starts_with("application/") && media.ends_with("+json"))
    };
    must_be(request, json, "application/json")?;
    read_bytes(request, payload, limit).await
}

/// A body that says it is lines of JSON, whole, at most `limit` bytes.
///
/// # Errors
/// As [`read_body`].
pub async fn read_lines(
    request: &HttpRequest,
    payload: web::Payload,
    limit: usize,
) -> Result<Bytes, Problem> {
    must_be(request, |media| media == NDJSON, NDJSON)?;
    read_bytes(request, payload, limit).await
}

/// A body of whatever type, whole, at most `limit` bytes.
///
/// # Errors
/// A [`Problem`]: 413 when it is larger, 400 when it breaks off.
pub async fn read_bytes(
    request: &HttpRequest,
    mut payload: web::Payload,
    limit: usize,
) -> Result<Bytes, Problem> {
    let too_large = || {
        let detail = format_args!("the body is larger than {limit} bytes; split it");
        Problem::new(Kind::TooLarge, detail).limit(limit)
    };
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut body = BytesMut::with_capacity(announced.unwrap_or(0));
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::new(Kind::BadJson, "the body broke off"))?;
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Whether the body says that it is of a kind that is taken here, such as `wanted`.
fn must_be(
    request: &HttpRequest,
    takes: impl Fn(&str) -> bool,
    wanted: &str,
) -> Result<(), Problem> {
    let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    let refuse = |detail: &str, field: &str| {
        Err(Problem::new(Kind::UnsupportedMediaType, detail).field(field))
    };
    let mut parts = header(header::CONTENT_TYPE).unwrap_or_default().split(';').map(str::trim);
    let media = parts.next().unwrap_or_default().to_ascii_lowercase();
    if !takes(&media) {
        let detail = format!("send the body as `Content-Type: {wanted}`");
        return refuse(&detail, "Content-Type");
    }
    let foreign = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let utf8 = value.trim_matches('"').eq_ignore_ascii_case("utf-8");
        name.eq_ignore_ascii_case("charset") && !utf8
    };
    if parts.any(foreign) {
        return refuse("JSON is UTF-8; leave the charset away", "Content-Type");
    }
    match header(header::CONTENT_ENCODING) {
        None | Some("identity") => Ok(()),
        Some(_) => refuse("send the body uncompressed", "Content-Encoding"),
    }
}

/// Reads a body as `T`.
///
/// # Errors
/// A [`Problem`]: 400 when it isn't JSON, with the place; 422 when it isn't a `T`, with the field.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(body).map_err(|e| {
        let detail = format_args!("the body is not UTF-8 from byte {} on", e.valid_up_to());
        Problem::new(Kind::BadJson, detail)
    })?;
    if let Some(line) = too_deep(text) {
        let detail = format_args!("line {line} nests deeper than {MAX_DEPTH} levels");
        return Err(Problem::new(Kind::BadJson, detail).limit(MAX_DEPTH));
    }
    // The whole is checked for syntax before its first field is looked at: half a body is not one
    // with a bad field.
    serde_json::from_str::<IgnoredAny>(text).map_err(not_json)?;
    let mut from = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut from).map_err(|e| bad_field(&e))
}

/// Reads one row of a batch as `T`.
///
/// # Errors
/// A [`Problem`] with the field.
pub fn parse_row<T: DeserializeOwned>(row: serde_json::Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(row).map_err(|e| bad_field(&e))
}

fn not_json(error: serde_json::Error) -> Problem {
    Problem::new(Kind::BadJson, error)
}

fn bad_field(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let inner = error.inner();
    let place = format!(" at line {} column {}", inner.line(), inner.column());
    let text = inner.to_string();
    let problem = Problem::new(Kind::BadField, text.strip_suffix(&place).unwrap_or(&text));
    match error.path().to_string() {
        root if root == "." => problem,
        path => problem.field(path),
    }
}

/// The line on which a text nests too deeply, if one does.
fn too_deep(text: &str) -> Option<usize> {
    let (mut depth, mut line, mut quoted, mut escaped) = (0_usize, 1, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'\n' => line += 1,
            b'[' | b'{' if !quoted => depth += 1,
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Some(line);
        }
    }
    None
}

/// Of what can be had, each with its media type, what a request wants most (RFC 9110 §12.5.1); of
/// what it wants as much, the one that it names most closely, then the first. Nothing, if it wants
/// none of them. Whoever says nothing, or nothing that can be read, takes the first.
#[must_use]
pub fn preferred<T: Copy>(request: &HttpRequest, offers: &[(&str, T)]) -> Option<T> {
    let accepted = request.headers().contains_key(header::ACCEPT).then(|| Accept::parse(request));
    let accepted = match accepted {
        Some(Ok(accepted)) if !accepted.is_empty() => accepted,
        _ => return offers.first().map(|(_, offer)| *offer),
    };
    let wanted = offers.iter().map(|(media, offer)| (how_much(&accepted, media), *offer));
    let wanted = wanted.filter(|((quality, _), _)| *quality > Quality::ZERO);
    // Of equals, `max_by_key` gives the last.
    wanted.rev().max_by_key(|(wish, _)| *wish).map(|(_, offer)| offer)
}

/// Whether a request takes gzip (RFC 9110 §12.5.3); nothing, if it does not say.
pub(super) fn takes_gzip(request: &HttpRequest) -> Option<bool> {
    if !request.headers().contains_key(header::ACCEPT_ENCODING) {
        return None;
    }
    let gzip = Encoding::gzip();
    let accepted = AcceptEncoding::parse(request).ok();
    Some(accepted.is_some_and(|a| a.negotiate([&gzip].into_iter()).as_ref() == Some(&gzip)))
}

/// How much a media type is wanted, as the closest of the ranges says, and how close that one is.
fn how_much(accepted: &Accept, media: &str) -> (Quality, u8) {
    let kind = media.split('/').next().unwrap_or_default();
    let fits = accepted.iter().filter_map(|range| {
        let closeness = match range.item.essence_str() {
            "*/*" => 0,
            all if all.strip_suffix("/*") == Some(kind) => 1,
            one if one.eq_ignore_ascii_case(media) => 2,
            _ => return None,
        };
        Some((range.quality, closeness))
    });
    fits.max_by_key(|(_, closeness)| *closeness).unwrap_or((Quality::ZERO, 0))
}

/// The query string: only parameters that the address knows, none of them twice.
#[derive(Debug, Default)]
pub struct QueryString(BTreeMap<String, String>);

impl QueryString {
    /// Reads the query of a request to an address that knows these parameters.
    ///
    /// # Errors
    /// A [`Problem`] (400) that names the parameter.
    pub fn read(request: &HttpRequest, known: &[&str]) -> Result<Self, Problem> {
        let mut read = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(request.query_string().as_bytes()) {
            let refuse = |why: Cow<'_, str>| {
                Err(Problem::new(Kind::BadParameter, why).field(name.to_string()))
            };
            if !known.contains(&&*name) {
                let known = match known {
                    [] => "no parameters".to_owned(),
                    known => known.join(", "),
                };
                return refuse(
                    format!("there is no parameter {name:?} here; known: {known}").into(),
                );
            }
            if read.insert(name.to_string(), value.into_owned()).is_some() {
                return refuse("the parameter stands there twice; give it once".into());
            }
        }
        Ok(Self(read))
    }

    /// The value of a parameter; an empty one is none.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of a parameter, read as `T`.
    ///
    /// # Errors
    /// A [`Problem`] (400) that names the parameter.
    pub fn parsed<T>(&self, name: &str) -> Result<Option<T>, Problem>
    where
        T: FromStr,
        T::Err: Display,
    {
        let Some(text) = self.text(name) else { return Ok(None) };
        let read = text.parse();
        read.map(Some).map_err(|e| {
            Problem::new(Kind::BadParameter, format_args!("{text:?}: {e}")).field(name)
        })
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Row {
        #[expect(dead_code, reason = "only whether it can be read matters")]
        tags: Vec<String>,
    }

    fn problem(body: &str) -> serde_json::Value {
        serde_json::to_value(parse::<Row>(body.as_bytes()).unwrap_err()).unwrap()
    }

    #[test]
    fn a_field_of_the_wrong_type_is_named_with_its_path() {
        let told = problem(r#"{"tags": ["a", 5]}"#);
        assert_eq!((&told["status"], &told["field"]), (&422.into(), &"tags[1]".into()));
        assert_eq!(told["detail"], "invalid type: integer `5`, expected a string");
        let told = problem(r#"{"tags": [], "tag": []}"#);
        assert_eq!((&told["status"], &told["field"]), (&422.into(), &"tag".into()));
        assert_eq!(problem(r#"{"tags": [], "tags": []}"#)["status"], 422);
        assert_eq!(problem("[]")["status"], 422);
    }

    #[test]
    fn what_is_no_json_is_told_with_its_place() {
        let told = problem("{\"nope\": 1,\n \"tags\": [,]}");
        assert_eq!(told["status"], 400);
        assert!(told["detail"].as_str().unwrap().ends_with("at line 2 column 11"), "{told}");
        for bad in ["", "{", "{}x", "{\"tags\": [\"\0\"]}", "\u{feff}{}"] {
            assert_eq!(problem(bad)["status"], 400, "{bad:?}");
        }
        let told = serde_json::to_value(parse::<Row>(b"{\"\xff\"}").unwrap_err()).unwrap();
        assert_eq!(
            (&told["status"], &told["type"]),
            (&400.into(), &"/api/problems#bad-json".into())
        );
    }

    #[test]
    fn deep_nesting_is_refused_and_brackets_in_texts_are_not() {
        let deep = format!("{{\"tags\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(
            (&problem(&deep)["status"], &problem(&deep)["limit"]),
            (&400.into(), &32.into())
        );
        let text = format!(r#"{{"tags": ["\"{}"]}}"#, "[".repeat(1_000));
        assert!(parse::<Row>(text.as_bytes()).is_ok());
    }

    #[test]
    fn unknown_and_repeated_parameters_are_named() {
        let read = |query: &str| {
            let request = TestRequest::with_uri(&format!("/?{query}")).to_http_request();
            QueryString::read(&request, &["limit", "q"])
        };
        let good = read("q=a%20b&limit=5").unwrap();
        assert_eq!((good.text("q"), good.parsed("limit").unwrap()), (Some("a b"), Some(5)));
        assert!(good.parsed::<usize>("q").is_err());
        assert!(read("q=&").unwrap().text("q").is_none());
        for bad in ["limits=5", "q=1&q=2", "q=1&=2"] {
            assert_eq!(read(bad).unwrap_err().kind(), Kind::BadParameter, "{bad}");
        }
    }

    #[test]
    fn of_what_is_wanted_as_much_the_one_that_is_named_counts() {
        let offers = [("text/html", 'h'), ("application/json", 'j'), ("image/svg+xml", 's')];
        for (accept, wanted) in [
            ("application/json, text/plain, */*", Some('j')),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Some('h')),
            ("image/*, */*", Some('s')),
            ("image/svg+xml", Some('s')),
            ("Image/SVG+xml;q=0.9, text/*;q=0.1", Some('s')),
            ("application/json;q=0, */*", Some('h')),
            ("*/*", Some('h')),
            ("image/png", None),
        ] {
            let request = TestRequest::default().insert_header((header::ACCEPT, accept));
            assert_eq!(preferred(&request.to_http_request(), &offers), wanted, "{accept}");
        }
    }
}
