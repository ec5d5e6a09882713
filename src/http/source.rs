//! What a request says about who made it, as it goes into the journal. On the reader's path: each
//! header is looked up once, nothing is copied, and nothing is understood that the roll-up can
//! understand later.

use std::net::{IpAddr, SocketAddr};

use actix_web::HttpRequest;
use actix_web::http::header::{DNT, HeaderMap, HeaderName, REFERER, USER_AGENT};

use super::client::Proxies;
use crate::model::click::{MAX_AGENT, MAX_REFERRER, Source, country};

static SEC_GPC: HeaderName = HeaderName::from_static("sec-gpc");
static SEC_PURPOSE: HeaderName = HeaderName::from_static("sec-purpose");
static PURPOSE: HeaderName = HeaderName::from_static("purpose");
static X_MOZ: HeaderName = HeaderName::from_static("x-moz");
static X_PURPOSE: HeaderName = HeaderName::from_static("x-purpose");

/// Reads sources off requests; made from the settings.
#[derive(Debug, Clone)]
pub struct Sources {
    proxies: Proxies,
    /// The header in which the edge says the country.
    country: Option<HeaderName>,
}

impl Sources {
    /// Believes `proxies`, and what they say in the header `country`, if there is one.
    #[must_use]
    pub fn new(proxies: Proxies, country: Option<HeaderName>) -> Self {
        Self { proxies, country }
    }

    /// Whose word is believed.
    #[must_use]
    pub fn proxies(&self) -> &Proxies {
        &self.proxies
    }

    /// Who made this request, as far as it is counted.
    #[must_use]
    pub fn of<'a>(&self, request: &'a HttpRequest) -> Source<'a> {
        let headers = request.headers();
        let agent = value(headers, &USER_AGENT);
        let common = Source {
            agent: &agent[..agent.len().min(MAX_AGENT)],
            prefetch: is_prefetch(headers),
            ..Source::default()
        };
        if value(headers, &DNT) == b"1" || value(headers, &SEC_GPC) == b"1" {
            return Source { private: true, ..common };
        }
        let (address, country) = self.place(request.peer_addr(), headers);
        Source { referrer: origin(value(headers, &REFERER)), address, country, ..common }
    }

    /// Where the reader is: an address, and the country that the edge says.
    fn place(
        &self,
        peer: Option<SocketAddr>,
        headers: &HeaderMap,
    ) -> (Option<IpAddr>, Option<[u8; 2]>) {
        let peer = peer.map(|peer| peer.ip().to_canonical());
        if !self.proxies.trust(peer) {
            return (peer, None);
        }
        let said = self.country.as_ref().and_then(|name| country(value(headers, name)));
        (self.proxies.client(headers), said)
    }
}

/// The first value of a header; empty when there is none.
fn value<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a [u8] {
    headers.get(name).map_or(b"", |value| value.as_bytes())
}

/// Whether the browser fetches ahead of any click. `Sec-Purpose` is the standard
/// (<https://fetch.spec.whatwg.org/#sec-purpose-header>: `prefetch`, `prefetch;prerender`);
/// `Purpose` is what Chromium and WebKit said before, `X-Moz` Firefox, `X-Purpose` Safari for its
/// page of favourites.
fn is_prefetch(headers: &HeaderMap) -> bool {
    let ahead = [b"prefetch".as_slice(), b"prerender"];
    let says = |name, what: &[u8]| value(headers, name).eq_ignore_ascii_case(what);
    let purpose = value(headers, &SEC_PURPOSE);
    ahead.iter().any(|word| purpose.windows(word.len()).any(|part| part == *word))
        || says(&PURPOSE, b"prefetch")
        || says(&X_MOZ, b"prefetch")
        || says(&X_PURPOSE, b"preview")
}

/// Scheme and host (with a port, if there is one) of a `Referer`. Of what is no address with a host,
/// the scheme at most: enough to see that there was something. A name and password before the host,
/// which no browser sends, are dropped with the scheme; so is what follows a semicolon, which ends no
/// host by the standard, but sessions are named behind it.
fn origin(referrer: &[u8]) -> &[u8] {
    let ends = |byte: &u8| matches!(byte, b':' | b'/' | b'?' | b'#' | b'\\' | b';');
    let scheme = referrer.iter().position(ends).unwrap_or(referrer.len());
    if !referrer[scheme..].starts_with(b"://") {
        return &referrer[..scheme.min(MAX_REFERRER)];
    }
    let host = scheme + b"://".len();
    let ends = |byte: &u8| matches!(byte, b'/' | b'?' | b'#' | b'\\');
    let end = referrer[host..].iter().position(ends).map_or(referrer.len(), |at| host + at);
    let start = referrer[host..end].iter().rposition(|byte| *byte == b'@');
    let origin = &referrer[start.map_or(0, |at| host + at + 1)..end];
    // Only now: a password may hold one, too.
    let end = origin.iter().position(|byte| *byte == b';').unwrap_or(origin.len());
    &origin[..end.min(MAX_REFERRER)]
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use proptest::prelude::*;

    use super::*;

    const PROXY: &str = "10.0.0.1:4711";

    fn sources() -> Sources {
        let proxies = Proxies::parse(&["10.0.0.0/8".to_owned()]).unwrap();
        Sources::new(proxies, Some(HeaderName::from_static("cf-ipcountry")))
    }

    fn request(peer: &str, headers: &[(&str, &str)]) -> HttpRequest {
        let request = TestRequest::get().peer_addr(peer.parse().unwrap());
        headers
            .iter()
            .fold(request, |request, header| request.append_header(*header))
            .to_http_request()
    }

    const WHOLE: [(&str, &str); 4] = [
        ("User-Agent", "Mozilla/5.0"),
        ("Referer", "https://news.example/a?b#c"),
        ("X-Forwarded-For", "198.51.100.7"),
        ("CF-IPCountry", "FR"),
    ];

    #[test]
    fn a_request_says_who_made_it() {
        let request = request(PROXY, &WHOLE);
        let expected = Source {
            agent: b"Mozilla/5.0",
            referrer: b"https://news.example",
            address: Some("198.51.100.7".parse().unwrap()),
            country: Some(*b"FR"),
            private: false,
            prefetch: false,
        };
        assert_eq!(sources().of(&request), expected);
    }

    #[test]
    fn a_stranger_says_neither_address_nor_country_of_themselves() {
        for (peer, address) in [("6.6.6.6:80", "6.6.6.6"), ("[::ffff:6.6.6.6]:80", "6.6.6.6")] {
            let request = request(peer, &WHOLE);
            let source = sources().of(&request);
            assert_eq!((source.address, source.country), (Some(address.parse().unwrap()), None));
        }
    }

    #[test]
    fn a_proxy_that_does_not_say_who_asked_is_not_the_reader() {
        let silent = [WHOLE[0], WHOLE[1], WHOLE[3]];
        let hidden = [&silent[..], &[("X-Forwarded-For", "unknown")]].concat();
        for headers in [&silent[..], &hidden] {
            let request = request(PROXY, headers);
            let source = sources().of(&request);
            assert_eq!((source.address, source.country), (None, Some(*b"FR")));
        }
    }

    #[test]
    fn who_asks_not_to_be_tracked_is_not() {
        for wish in [("DNT", "1"), ("Sec-GPC", "1")] {
            let request = request(PROXY, &[&WHOLE[..], &[wish]].concat());
            let expected = Source { agent: b"Mozilla/5.0", private: true, ..Source::default() };
            assert_eq!(sources().of(&request), expected, "{wish:?}");
        }
        for no_wish in [("DNT", "0"), ("Sec-GPC", "?0"), ("DNT", "")] {
            let request = request(PROXY, &[no_wish]);
            assert!(!sources().of(&request).private, "{no_wish:?}");
        }
    }

    #[test]
    fn browsers_that_fetch_ahead_say_so() {
        for (name, value, ahead) in [
            ("Sec-Purpose", "prefetch", true),
            ("Sec-Purpose", "prefetch;prerender", true),
            ("Sec-Purpose", "prefetch;anonymous-client-ip", true),
            ("Sec-Purpose", "prerender", true),
            ("Purpose", "prefetch", true),
            ("X-Moz", "prefetch", true),
            ("X-Purpose", "preview", true),
            ("Sec-Purpose", "", false),
            ("Purpose", "x", false),
        ] {
            let request = request(PROXY, &[(name, value)]);
            assert_eq!(sources().of(&request).prefetch, ahead, "{name}: {value}");
        }
    }

    #[test]
    fn countries_are_two_letters_and_known() {
        for (said, expected) in [
            ("FR", Some(*b"FR")),
            ("de", Some(*b"DE")),
            ("XX", None),
            ("T1", None),
            ("ZZ", None),
            ("FRA", None),
            ("F", None),
            ("", None),
        ] {
            let request = request(PROXY, &[("CF-IPCountry", said)]);
            assert_eq!(sources().of(&request).country, expected, "{said}");
        }
    }

    #[test]
    fn of_a_referrer_scheme_and_host_remain() {
        for (referrer, expected) in [
            ("https://news.example", "https://news.example"),
            ("https://news.example/", "https://news.example"),
            ("https://news.example?q", "https://news.example"),
            ("https://news.example#f", "https://news.example"),
            ("https://news.example\\x", "https://news.example"),
            ("http://news.example:8080/a", "http://news.example:8080"),
            ("http://[2001:db8::1]:80/a", "http://[2001:db8::1]:80"),
            ("android-app://com.example/http/x", "android-app://com.example"),
            ("https://me:secret@news.example/", "news.example"),
            ("https://a@b@news.example/", "news.example"),
            ("https://me;x:secret@news.example/", "news.example"),
            ("https://news.example;jsessionid=secret/a", "https://news.example"),
            ("data;secret", "data"),
            ("news.example/path?to=https://other.example/x", "news.example"),
            ("about:blank", "about"),
            ("data:text/plain,secret", "data"),
            ("/path", ""),
            ("", ""),
        ] {
            assert_eq!(origin(referrer.as_bytes()), expected.as_bytes(), "{referrer}");
        }
    }

    #[test]
    fn whatever_is_too_long_is_cut() {
        let (agent, host) = ("x".repeat(4_000), format!("https://{}/", "h".repeat(4_000)));
        let request = request(PROXY, &[("User-Agent", &agent), ("Referer", &host)]);
        let source = sources().of(&request);
        assert_eq!((source.agent.len(), source.referrer.len()), (MAX_AGENT, MAX_REFERRER));
    }

    proptest! {
        #[test]
        fn whoever_connects_directly_is_who_they_are(
            peer: [u8; 4],
            tales in prop::collection::vec("(for=)?[0-9.,;=\"]{0,20}", 2),
        ) {
            prop_assume!(peer[0] != 10);
            let peer = IpAddr::from(peer);
            let headers = [("Forwarded", &*tales[0]), ("X-Forwarded-For", &*tales[1])];
            let request = request(&format!("{peer}:1"), &headers);
            prop_assert_eq!(sources().of(&request).address, Some(peer));
        }

        #[test]
        fn no_path_query_or_password_remains(referrer: Vec<u8>) {
            let origin = origin(&referrer);
            prop_assert!(origin.len() <= MAX_REFERRER);
            prop_assert!(!origin.iter().any(|byte| matches!(byte, b'?' | b'#' | b'\\' | b';')));
            let slashes = origin.iter().filter(|byte| **byte == b'/').count();
            let with_scheme = origin.windows(3).filter(|part| part == b"://").count();
            prop_assert!(slashes == 2 * with_scheme && with_scheme <= 1);
        }
    }
}
