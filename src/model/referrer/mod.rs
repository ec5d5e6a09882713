//! Where readers come from, by the name that a newsroom would call it.
//!
//! A referrer is a host as the browser saw it, which is often not the place that people mean: links
//! out of Facebook pass a wrapper, those out of an app carry the name of the app's package, Google
//! has a host for each country. [`Referrers::name`] brings such hosts together; every other host
//! goes by its own name.

mod known;
#[cfg(test)]
mod tests;

use url::Url;

use super::tally::{Name, name};

/// Ports that a browser leaves out.
const USUAL_PORTS: [u16; 2] = [80, 443];
/// Names that are no hosts.
const OWN_WORDS: [&str; 2] = ["direct", "unknown"];

/// Names referrers, as one service sees them.
#[derive(Debug, Clone)]
pub struct Referrers {
    /// The service's own hosts, by the names that they would have here.
    own: Vec<String>,
    direct: Name,
    unknown: Name,
}

impl Referrers {
    /// As seen by a service at `own_hosts`: those of its short URLs, each with its port if that is
    /// not the usual one.
    #[must_use]
    pub fn new<'a>(own_hosts: impl IntoIterator<Item = &'a str>) -> Self {
        let own_hosts = own_hosts.into_iter();
        let own = own_hosts.filter_map(|host| host_of(&format!("https://{host}"))).collect();
        Self { own, direct: "direct".into(), unknown: "unknown".into() }
    }

    /// The name of where a reader came from; `raw` is scheme and host of a `Referer`.
    ///
    /// `direct` when there is none, and when it is the service itself: a reader who came from here
    /// came from nowhere else. `unknown` when it is no address of a page or an app.
    #[must_use]
    pub fn name(&self, raw: &[u8]) -> Name {
        if raw.is_empty() {
            return self.direct.clone();
        }
        match std::str::from_utf8(raw).ok().and_then(host_of) {
            Some(host) if self.own.contains(&host) => self.direct.clone(),
            // A host may not pass for one of our own words.
            Some(host) if !OWN_WORDS.contains(&&*host) => name(known::name_of(&host)),
            _ => self.unknown.clone(),
        }
    }
}

/// The host of a web page in its normal form, or what stands for an app: the host of the service
/// that it belongs to, or the name of its package.
fn host_of(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    // The parser has made a web host lower-case and ASCII.
    let host = url.host_str()?.trim_end_matches('.');
    match url.scheme() {
        "http" | "https" => {
            let host = without_www(host);
            let port = url.port().filter(|port| !USUAL_PORTS.contains(port));
            let whole = port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
            // The standard of addresses lets more pass than any name of a host has: a session's
            // secret behind a semicolon, or what a spreadsheet would run.
            (!host.is_empty() && whole.bytes().all(may_name)).then_some(whole)
        }
        "android-app" => {
            let package = host.to_ascii_lowercase();
            let named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_');
            if package.is_empty() || !package.bytes().all(named) {
                return None;
            }
            Some(known::service_of(&package).map_or(package, str::to_owned))
        }
        _ => None,
    }
}

/// What names of hosts consist of, with what addresses by number and ports add.
fn may_name(byte: u8) -> bool {
    byte.is_ascii_lowercase()
        || byte.is_ascii_digit()
        || matches!(byte, b'.' | b':' | b'_' | b'[' | b']' | b'-')
}

/// Without the `www.` that means nothing; what remains must still be a domain.
fn without_www(mut host: &str) -> &str {
    while let Some(rest) = host.strip_prefix("www.").filter(|rest| rest.contains('.')) {
        host = rest;
    }
    host
}
