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
#[derive(Debug, Clone, Copy)]
pub struct Cookie {
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
        Self { secure: home.root().starts_with("https://"), lasts }
    }

    /// How long a session lasts.
    #[must_use]
    pub fn lasts(&self) -> Duration {
        self.lasts
    }

    /// The prefix is the browser's promise that no other host and no plain http made the cookie
    /// (RFC 6265bis §4.1.3.2).
    fn name(self) -> &'static str {
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

    fn line(self, token: &str, seconds: u64) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{}={token}; {FLAGS}; Max-Age={seconds}{secure}", self.name())
    }
}

impl Site {
    /// Reads it off a request. `Sec-Fetch-Site` is sent over https and to loopback addresses only;
    /// `Origin` goes with whatever is not a plain GET.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        let told = |name: &str| request.headers().get(name).map(|v| v.to_str().unwrap_or_default());
        let ours = match (told("sec-fetch-site"), told("origin")) {
            (Some("none"), _) => return Self::Untold,
            (Some(site), _) => site == "same-origin",
            (None, Some(origin)) => {
                let named = origin.split_once("://").map_or("", |(_, named)| named);
                !named.is_empty() && named.eq_ignore_ascii_case(authority(request))
            }
            (None, None) => return Self::Untold,
        };
        if ours { Self::Ours } else { Self::Other }
    }
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
    fn only_a_page_of_the_same_host_and_port_is_ours() {
        for (site, origin, expected) in [
            (Some("same-origin"), Some("https://x.example"), Site::Ours),
            (Some("same-site"), Some("http://go.example.org"), Site::Other),
            (Some("cross-site"), Some("http://go.example.org"), Site::Other),
            (Some("none"), None, Site::Untold),
            (None, Some("http://GO.example.org:8080"), Site::Ours),
            (None, Some("http://go.example.org"), Site::Other),
            (None, Some("http://go.example.org:8080.x.example"), Site::Other),
            (None, Some("null"), Site::Other),
            (None, None, Site::Untold),
        ] {
            let mut request = TestRequest::default().insert_header(("Host", "go.example.org:8080"));
            for (name, value) in [("Sec-Fetch-Site", site), ("Origin", origin)] {
                request = match value {
                    Some(value) => request.insert_header((name, value)),
                    None => request,
                };
            }
            assert_eq!(Site::of(&request.to_http_request()), expected, "{site:?} {origin:?}");
        }
        let request = TestRequest::default().insert_header(("Origin", "http://"));
        assert_eq!(Site::of(&request.to_http_request()), Site::Other, "no host is none of ours");
    }
}
