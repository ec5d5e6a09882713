//! The files of the client: compiled in, or from the disk in debug builds, so that whoever works on
//! them reloads the page and no more.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{LazyLock, Mutex, PoisonError};

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, ETAG, VARY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;

use crate::http::error::{Kind, Problem};
use crate::http::etag::{is_known, tag_of_hash};
use crate::http::extract::takes_gzip;
use crate::http::page::NO_SNIFF;

/// What the names of modules begin with that one view needs.
const VIEW: &str = "view-";
/// The script that is no module: it runs before anything is drawn.
const CLASSIC: &str = "theme";

#[derive(RustEmbed)]
#[folder = "src/http/dashboard/assets/"]
struct Assets;

/// What was compressed, by the hash of what it is.
static COMPRESSED: LazyLock<Mutex<HashMap<[u8; 32], Bytes>>> = LazyLock::new(Mutex::default);

/// The modules that every view needs. A browser that is told of all of them asks for all at once, and
/// not for each when it has read the one before.
pub(super) fn shared_modules() -> Vec<Cow<'static, str>> {
    let is_shared = |file: &str| {
        let whole = file.strip_suffix(".js").filter(|name| !name.ends_with(".min"));
        whole.is_some_and(|name| name != CLASSIC && !name.starts_with(VIEW))
    };
    Assets::iter().filter(|file| is_shared(file)).collect()
}

/// A file of the client. Asked for again each time, which costs a few bytes: so a page has the parts
/// of the program that answers, and not what a browser has kept of another version.
pub(super) async fn asset(
    request: HttpRequest,
    file: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let Some(asset) = Assets::get(&file) else {
        let detail = "the dashboard has no such file; reload the page, for the program was changed";
        return Err(Problem::new(Kind::NotFound, detail));
    };
    let hash = asset.metadata.sha256_hash();
    let mut tag = tag_of_hash(&hash);
    // For it is the same however it is compressed (RFC 9110 §8.8.3.3).
    tag.weak = true;
    let known = is_known(&request, &tag);
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((ETAG, tag))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((VARY, "Accept-Encoding"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, NO_SNIFF));
    if known {
        return Ok(response.finish());
    }
    response.content_type(media_type(&file));
    if takes_gzip(&request) == Some(true) {
        response.insert_header((CONTENT_ENCODING, "gzip"));
        return Ok(response.body(compressed(hash, &asset.data)));
    }
    Ok(response.body(asset.data.into_owned()))
}

/// The data with this hash, compressed the first time that anybody asks for it.
fn compressed(hash: [u8; 32], data: &[u8]) -> Bytes {
    let mut done = COMPRESSED.lock().unwrap_or_else(PoisonError::into_inner);
    let compress = || {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        // Writing into memory can't fail.
        drop(encoder.write_all(data));
        Bytes::from(encoder.finish().unwrap_or_default())
    };
    done.entry(hash).or_insert_with(compress).clone()
}

fn media_type(file: &str) -> &'static str {
    match file.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
