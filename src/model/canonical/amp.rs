//! Addresses of AMP caches and viewers: the publisher's own address stands inside of them.
//!
//! Format: <https://amp.dev/documentation/guides-and-tutorials/learn/amp-caches-and-cors/amp-cache-urls>.

use super::{name_of, split_at_first};

/// What a viewer hangs onto the query of the page it shows: no parameter of the page's.
const VIEWER_QUERY: [&str; 4] = ["amp_gsa", "amp_js_v", "amp_tf", "usqp"];
/// What gives a viewer's fragment away: `#aoh=…&referrer=…&amp_tf=From%20%251%24s`.
const VIEWER_FRAGMENT: [&str; 4] = ["amp_ct", "amp_tf", "ampshare", "aoh"];

/// The address inside of an AMP cache's or viewer's, which is in normal form; what comes out is not.
pub(super) fn unwrapped(outer: &str) -> Option<String> {
    let (address, fragment) = split_at_first(outer, '#');
    let (address, query) = split_at_first(address, '?');
    let (host, path) = address.split_once("://")?.1.split_once('/')?;
    let inner = if is_cache(host) {
        path.strip_prefix("c/").or(path.strip_prefix("v/")).or(path.strip_prefix("wp/"))
    } else if is_viewer(host) {
        path.strip_prefix("amp/")
    } else {
        None
    }?;
    let (scheme, inner) = match inner.strip_prefix("s/") {
        Some(inner) => ("https://", inner),
        None => ("http://", inner),
    };
    // Without a dot it is no publisher's host but a page of the cache itself.
    if !split_at_first(inner, '/').0.contains('.') {
        return None;
    }
    let pages_own = |pair: &&str| !VIEWER_QUERY.contains(&name_of(pair));
    let query = query.split('&').filter(pages_own).collect::<Vec<_>>().join("&");
    let is_viewers = fragment.split('&').any(|pair| VIEWER_FRAGMENT.contains(&name_of(pair)));
    let fragment = if is_viewers { "" } else { fragment };
    Some([scheme, inner, "?", &query, "#", fragment].concat())
}

/// The caches of <https://cdn.ampproject.org/caches.json>.
fn is_cache(host: &str) -> bool {
    ["cdn.ampproject.org", "bing-amp.com"].iter().any(|cache| {
        host.strip_suffix(cache).is_some_and(|under| under.is_empty() || under.ends_with('.'))
    })
}

/// The search engines that show AMP pages under addresses of their own.
fn is_viewer(host: &str) -> bool {
    let host = host.strip_prefix("www.").unwrap_or(host);
    let is_country = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_lowercase());
    let is_google = host.strip_prefix("google.").is_some_and(|end| {
        let country = end.strip_prefix("com.").or(end.strip_prefix("co.")).unwrap_or(end);
        end == "com" || is_country(country)
    });
    is_google || host == "bing.com"
}
