//! Sessions as browsers carry them: the cookie, and the rule that only our own pages act by it.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header;

use super::extract::authority;
use crate::model::home::Home;
use crate::service::session::Session;

/// No script reads it, and no page of another site has it sent (RFC 6265bis §4.1.2).
const FLAGS: &str = "Path=/; HttpOnly; SameSite=Strict";

/// The cookie of this installation's sessions.
#[derive(Debug, Clone)]
pub struct Cookie {
    /// Where our pages are.
    home: Home,
    /// Whether readers, and so our pages, come by https.
    secure: bool,
    /// How long a session lasts.
    lasts: Duration,
}

/// Whose page a request comes from, as the browser says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Site {
    /// One of this very host.
    Ours,
    /// Another's.
    Other,
    /// None: the address was typed in or kept as a bookmark, or the client is no browser of our days.
    Untold,
}

impl Cookie {
    /// That of the service at `home`, for sessions that last so long.
    #[must_use]
    pub fn new(home: &Home, lasts: Duration) -> Self {
        Self { home: home.clone(), secure: home.root().starts_with("https://"), lasts }
    }

    /// Where a browser keeps the cookie that comes from here, if it doesn't where this request's page
    /// was: over plain http it drops, without a word, what is for https only.
    #[must_use]
    pub fn kept_at(&self, request: &HttpRequest) -> Option<String> {
        let plain = told(request, "origin").is_some_and(|origin| origin.starts_with("http://"));
        (self.secure && plain).then(|| self.home.public_url())
    }

    /// Whose page a request comes from, as the browser says. `Sec-Fetch-Site` is sent over https and
    /// to loopback addresses only; `Origin` goes with whatever is not a plain GET.
    #[must_use]
    pub fn site_of(&self, request: &HttpRequest) -> Site {
        let ours = match (told(request, "sec-fetch-site"), told(request, "origin")) {
            (Some("none"), _) | (None, None) => return Site::Untold,
            (Some(site), _) => site == "same-origin",
            (None, Some(origin)) => {
                origin.split_once("://").is_some_and(|(_, named)| self.is_at(named, request))
            }
        };
        if ours { Site::Ours } else { Site::Other }
    }

    /// Whether an authority is that of a request, or one of those that readers use: a proxy may have
    /// put another into the request.
    fn is_at(&self, named: &str, request: &HttpRequest) -> bool {
        let asked = std::iter::once(authority(request).to_owned());
        let mut known = asked.chain(self.home.authorities());
        !named.is_empty() && known.any(|known| known.eq_ignore_ascii_case(named))
    }

    /// How long a session lasts.
    #[must_use]
    pub fn lasts(&self) -> Duration {
        self.lasts
    }

    /// The prefix is the browser's promise that no other host and no plain http made the cookie
    /// (RFC 6265bis §4.1.3.2).
    fn name(&self) -> &'static str {
        if self.secure { "__Host-slugline_session" } else { "slugline_session" }
    }

    /// The token in a request. Read by hand: cookies of other programs below the same domain may be
    /// malformed, and must not keep anybody out.
    #[must_use]
    pub fn token<'a>(&self, request: &'a HttpRequest) -> Option<&'a str> {
        let headers = request.headers().get_all(header::COOKIE);
        let mut pairs = headers.filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(';'));
        pairs.find_map(|pair| {
            let (name, token) = pair.trim().split_once('=')?;
            (name == self.name()).then_some(token)
        })
    }

    /// The `Set-Cookie` that begins a session.
    #[must_use]
    pub fn carrying(&self, session: &Session) -> String {
        self.line(&session.token, self.lasts.as_secs())
    }

    /// The `Set-Cookie` that ends it.
    #[must_use]
    pub fn cleared(&self) -> String {
        self.line("", 0)
    }

    fn line(&self, token: &str, seconds: u64) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{}={token}; {FLAGS}; Max-Age={seconds}{secure}", self.name())
    }
}

/// What a request says in this header.
fn told<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name).map(|value| value.to_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn cookie(public_url: &str) -> Cookie {
        Cookie::new(&Home::new(public_url, &[]).unwrap(), Duration::from_secs(3_600))
    }

    #[test]
    fn the_token_is_found_among_cookies_of_others() {
        let ours = cookie("http://go.example.org");
        let read = |lines: &[&str]| {
            let request = TestRequest::default();
            let request = lines.iter().fold(request, |r, l| r.append_header(("Cookie", *l)));
            ours.token(&request.to_http_request()).map(str::to_owned)
        };
        let token = Some("a.1.b".to_owned());
        assert_eq!(read(&["slugline_session=a.1.b"]), token);
        assert_eq!(read(&["junk; =x; a=%zz;slugline_session=a.1.b; b=2"]), token);
        assert_eq!(read(&["a=1", "slugline_session=a.1.b"]), token);
        assert_eq!(read(&["__Host-slugline_session=a.1.b; xslugline_session=a.1.b"]), None);
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn over_https_nobody_else_can_have_made_the_cookie() {
        let session = Session { token: "a.1.b".into(), ends_at: jiff::Timestamp::MAX };
        assert_eq!(
            cookie("https://go.example.org/s").carrying(&session),
            "__Host-slugline_session=a.1.b; Path=/; HttpOnly; SameSite=Strict; Max-Age=3600; Secure"
        );
        assert_eq!(
            cookie("http://go.example.org").cleared(),
            "slugline_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"
        );
    }

    #[test]
    fn only_a_page_of_the_same_host_and_port_or_of_the_public_address_is_ours() {
        let cookie = cookie("https://public.example.org/s");
        for (site, origin, expected) in [
            (Some("same-origin"), Some("https://x.example"), Site::Ours),
            (Some("same-site"), Some("http://go.example.org"), Site::Other),
            (Some("cross-site"), Some("http://go.example.org"), Site::Other),
            (Some("none"), None, Site::Untold),
            (None, Some("http://GO.example.org:8080"), Site::Ours),
            (None, Some("http://go.example.org"), Site::Other),
            (None, Some("http://go.example.org:8080.x.example"), Site::Other),
            (None, Some("null"), Site::Other),
            (None, Some("https://public.example.org"), Site::Ours),
            (None, Some("https://public.example.org:8080"), Site::Other),
            (Some("cross-site"), Some("https://public.example.org"), Site::Other),
            (None, None, Site::Untold),
        ] {
            let mut request = TestRequest::default().insert_header(("Host", "go.example.org:8080"));
            for (name, value) in [("Sec-Fetch-Site", site), ("Origin", origin)] {
                request = match value {
                    Some(value) => request.insert_header((name, value)),
                    None => request,
                };
            }
            assert_eq!(cookie.site_of(&request.to_http_request()), expected, "{site:?} {origin:?}");
        }
        let request = TestRequest::default().insert_header(("Origin", "http://"));
        assert_eq!(
            cookie.site_of(&request.to_http_request()),
            Site::Other,
            "no host is none of ours"
        );
    }
}
