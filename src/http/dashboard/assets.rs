//! The files of the client: compiled in, or from the disk in debug builds, so that whoever works on
//! them reloads the page and no more.

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
use sha2::{Digest as _, Sha256};

use crate::http::error::{Kind, Problem};
use crate::http::etag::{is_known, tag_of_hash};
use crate::http::extract::takes_gzip;
use crate::http::page::NO_SNIFF;

/// The module that begins.
const START: &str = "app.js";
/// What the names of modules begin with that show a view.
const VIEW: &str = "view-";
/// For as long as caches keep anything, and without asking again (RFC 8246).
const FOREVER: &str = "max-age=31536000, immutable";

#[derive(RustEmbed)]
#[folder = "src/http/dashboard/assets/"]
struct Assets;

/// What was compressed, by the hash of what it is.
static COMPRESSED: LazyLock<Mutex<HashMap<[u8; 32], Bytes>>> = LazyLock::new(Mutex::default);

/// The modules of a view. A browser that is told of all of them asks for all at once, and not for each
/// when it has read the one before.
pub(super) struct Modules {
    /// Those without which nothing can be shown.
    pub(super) first: Vec<String>,
    /// Those that they fetch by themselves, for what is shown next.
    pub(super) later: Vec<String>,
}

impl Modules {
    /// Those of the view at this path below the dashboard's, as their own imports have it.
    pub(super) fn of_view(path: &str) -> Self {
        let path = path.trim_matches('/');
        // As in `router.js`.
        let view = match path.split_once('/') {
            Some(("links", _)) => "link",
            _ if path.is_empty() => "overview",
            _ => path,
        };
        let mut all = Vec::new();
        let wanted = add_with_imports(&mut all, vec![START.to_owned(), format!("{VIEW}{view}.js")]);
        let first = all.len();
        let other_view = |name: &String| name.starts_with(VIEW);
        add_with_imports(&mut all, wanted.into_iter().filter(|name| !other_view(name)).collect());
        let later = all.split_off(first);
        Self { first: all, later }
    }
}

/// Adds `wanted`, what they import, and what that imports, as far as there is such a file and it is
/// not there yet. Gives what all of them import when they run.
fn add_with_imports(modules: &mut Vec<String>, mut wanted: Vec<String>) -> Vec<String> {
    let mut when_running = Vec::new();
    while !wanted.is_empty() {
        let mut imported = Vec::new();
        for name in wanted {
            if modules.contains(&name) {
                continue;
            }
            let Some(asset) = Assets::get(&name) else { continue };
            let text = String::from_utf8_lossy(&asset.data);
            imported.extend(named_after(" from './", &text));
            when_running.extend(named_after("import('./", &text));
            modules.push(name);
        }
        wanted = imported;
    }
    when_running
}

/// The names that stand between this and the next quotation mark.
fn named_after(before: &str, text: &str) -> Vec<String> {
    let names = text.split(before).skip(1).filter_map(|rest| rest.split('\'').next());
    names.map(str::to_owned).collect()
}

/// A name for all files as they are: of the program, or in debug builds of what lies on the disk at
/// this moment.
pub(super) fn version() -> String {
    let mut all = Sha256::new();
    for asset in Assets::iter().filter_map(|file| Assets::get(&file)) {
        all.update(asset.metadata.sha256_hash());
    }
    tag_of_hash(&all.finalize().into()).tag().to_owned()
}

/// A file of the client. A page names its files with their version, so that a browser keeps them
/// without asking again. While nodes of two versions answer, one may be asked for a file of the other:
/// it has but its own, which is asked for again each time.
pub(super) async fn asset(
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (wanted, file) = path.into_inner();
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
        .insert_header((CACHE_CONTROL, if wanted == version() { FOREVER } else { "no-cache" }))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_begins_with_what_it_imports_and_goes_on_with_what_it_fetches() {
        let router = Assets::get("router.js").unwrap();
        let views = named_after("import('./", &String::from_utf8_lossy(&router.data));
        assert_eq!(views.len(), 7);
        let paths =
            ["", "/links", "/links/a/b", "/article", "/orphans", "/keys/", "/settings"].into_iter();
        for (path, view) in paths.zip(views) {
            let Modules { first, later } = Modules::of_view(path);
            assert_eq!(first[..2], [START, &view], "{path:?}");
            let mut all = [first, later].concat();
            assert_eq!(all.iter().filter(|name| name.starts_with(VIEW)).count(), 1, "{all:?}");
            all.sort_unstable();
            assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "twice: {all:?}");
        }
        let Modules { first, later } = Modules::of_view("/");
        let [api, chart] = ["api.js", "chart.js"].map(str::to_owned);
        assert!(first.contains(&api) && !first.contains(&chart), "{first:?}");
        assert!(later.contains(&chart) && !later.contains(&api), "{later:?}");
        assert_eq!(Modules::of_view("/nothing/here").first[0], START);
    }
}
