//! Where this installation's short links live: the address that readers use, and further hosts.

use std::sync::Arc;

use url::{Position, Url};

use super::code::Code;
use super::host::{Host, without_port};
use super::link::Link;
use super::target::Target;

/// The host of the shortener that went before.
const GOO_GL: &str = "goo.gl";

/// The public address and the hosts beside it. Clones share.
#[derive(Debug, Clone)]
pub struct Home(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    /// `https://`
    scheme: String,
    /// The host of minted links.
    host: String,
    /// What follows the host: port and path, without a slash at the end.
    rest: String,
    /// The further hosts.
    hosts: Vec<Host>,
}

/// A short URL that may lead to one of our links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShortUrl {
    /// Its code.
    pub code: Code,
    /// Its host and port; none where it is goo.gl's, which knew all codes that it gave out.
    authority: Option<String>,
}

impl ShortUrl {
    /// Whether readers come to `link` by it: one that belongs to a host is known there only.
    #[must_use]
    pub fn leads_to(&self, link: &Link) -> bool {
        let known_there = self.authority.as_ref().is_none_or(|there| link.is_known_at(there));
        self.code == link.code && known_there
    }
}

impl Home {
    /// `public_url` is what minted links begin with, an http or https address; `hosts` are known
    /// beside its own.
    ///
    /// # Errors
    /// When `public_url` can't be read.
    pub fn new(public_url: &str, hosts: &[Host]) -> Result<Self, url::ParseError> {
        let url = Url::parse(public_url)?;
        Ok(Self(Arc::new(Parts {
            scheme: url[..Position::BeforeHost].to_owned(),
            host: url[Position::BeforeHost..Position::AfterHost].to_owned(),
            rest: url[Position::AfterHost..Position::AfterPath].trim_end_matches('/').to_owned(),
            hosts: hosts.to_vec(),
        })))
    }

    /// What readers follow to come to a code: on the one host that knows it, or else as minted.
    #[must_use]
    pub fn short_url(&self, code: &Code, host: Option<&Host>) -> String {
        let Parts { scheme, rest, .. } = &*self.0;
        let host = host.map_or(&*self.0.host, Host::as_str);
        format!("{scheme}{host}{rest}/{code}")
    }

    /// What minted links begin with, without a slash at the end.
    #[must_use]
    pub fn public_url(&self) -> String {
        let Parts { scheme, host, rest, .. } = &*self.0;
        format!("{scheme}{host}{rest}")
    }

    /// The path of a code's short URL, on whatever host.
    #[must_use]
    pub fn path_of(&self, code: &Code) -> String {
        format!("{}/{code}", self.prefix())
    }

    /// What stands before our paths as readers see them; nothing, nearly always.
    #[must_use]
    pub fn prefix(&self) -> &str {
        let rest = &self.0.rest;
        &rest[rest.find('/').unwrap_or(rest.len())..]
    }

    /// The host of minted links, with its port if that is not the usual one.
    #[must_use]
    pub fn authority(&self) -> String {
        format!("{}{}", self.0.host, self.port())
    }

    /// The same of all hosts that it answers for; that of minted links first.
    pub fn authorities(&self) -> impl Iterator<Item = String> {
        self.hosts().map(|host| format!("{host}{}", self.port()))
    }

    /// The port of all short URLs with its colon; nothing, if it is the scheme's own.
    fn port(&self) -> &str {
        let rest = &self.0.rest;
        &rest[..rest.find('/').unwrap_or(rest.len())]
    }

    /// Whether it answers for whatever host it is asked by, because none but its own is named.
    #[must_use]
    pub fn knows_all_hosts(&self) -> bool {
        self.0.hosts.is_empty()
    }

    /// Whether an authority, as a request's `Host` has it, is one to answer for.
    #[must_use]
    pub fn knows(&self, authority: &str) -> bool {
        self.knows_all_hosts()
            || self.0.host.eq_ignore_ascii_case(without_port(authority))
            || self.0.hosts.iter().any(|host| host.is_named_by(authority))
    }

    /// All hosts that it answers for; that of minted links first.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        let others = self.0.hosts.iter().map(Host::as_str);
        std::iter::once(&*self.0.host).chain(others.filter(|host| *host != self.0.host))
    }

    /// Whether links can be bound to this host: it is one of ours.
    #[must_use]
    pub fn has(&self, host: &Host) -> bool {
        self.hosts().any(|own| own == host.as_str())
    }

    /// The address under which everything here lies, with a slash at its end.
    #[must_use]
    pub fn root(&self) -> String {
        let Parts { scheme, host, rest, .. } = &*self.0;
        format!("{scheme}{host}{rest}/")
    }

    /// The same on that of our hosts which a request names; `None` when it names another, or a port
    /// that short URLs don't have: then its client did not come as readers do.
    #[must_use]
    pub fn root_at(&self, authority: &str) -> Option<String> {
        let scheme = &self.0.scheme;
        // The parser makes it lower-case and leaves out the scheme's own port.
        let url = Url::parse(&format!("{scheme}{authority}")).ok()?;
        let asked = &url[Position::BeforeUsername..Position::AfterPort];
        let mut own = self.authorities();
        own.find(|own| own == asked).map(|own| format!("{scheme}{own}{}/", self.prefix()))
    }

    /// Reads a short URL as somebody wrote it down: one of ours, or one of goo.gl, whose codes may
    /// have been imported. `None` when it is neither.
    #[must_use]
    pub fn read(&self, short_url: &Url) -> Option<ShortUrl> {
        if !matches!(short_url.scheme(), "http" | "https") {
            return None;
        }
        let ours = self.hosts().any(|host| host == GOO_GL);
        if !ours && short_url.host_str() == Some(GOO_GL) {
            let code = Code::parse(short_url.path().strip_prefix('/')?).ok()?;
            return Some(ShortUrl { code, authority: None });
        }
        let address = Target::from_normal_form(short_url.as_str());
        let authority = Some(address.authority().to_owned());
        self.code_in(&address).map(|code| ShortUrl { code, authority })
    }

    /// Whether an address, in normal form, lies under our own short URLs.
    #[must_use]
    pub fn holds(&self, address: &Target) -> bool {
        let authority = address.authority();
        authority == self.authority() || self.0.hosts.iter().any(|host| host.is_named_by(authority))
    }

    /// The code in the path of one of our own short URLs, in normal form.
    #[must_use]
    pub fn code_in(&self, address: &Target) -> Option<Code> {
        let (_, path) = address.as_str().split_once(address.authority())?;
        let path = path.split(['?', '#']).next()?;
        let below = path.strip_prefix(self.prefix()).filter(|rest| rest.starts_with('/'));
        let path = below.unwrap_or(path).strip_prefix('/')?;
        self.holds(address).then(|| Code::parse(path).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(public_url: &str, hosts: &[&str]) -> Home {
        let hosts: Vec<Host> = hosts.iter().map(|host| Host::parse(host).unwrap()).collect();
        Home::new(public_url, &hosts).unwrap()
    }

    #[test]
    fn a_short_url_names_the_host_that_knows_the_code() {
        let code = Code::parse("8yDbrB").unwrap();
        let bound = Host::parse("goo.example.net").unwrap();
        let home = home("https://go.example.org:8443/s/", &["goo.example.net"]);
        assert_eq!(home.short_url(&code, None), "https://go.example.org:8443/s/8yDbrB");
        assert_eq!(home.short_url(&code, Some(&bound)), "https://goo.example.net:8443/s/8yDbrB");
        assert_eq!(home.authority(), "go.example.org:8443");
        assert_eq!(home.public_url(), "https://go.example.org:8443/s");
        assert_eq!(home.path_of(&code), "/s/8yDbrB");
    }

    #[test]
    fn codes_are_found_in_our_own_short_urls_only() {
        let home = home("https://go.example.org", &["goo.example.net"]);
        for (address, code) in [
            ("https://go.example.org/8yDbrB?x=1#y", Some("8yDbrB")),
            ("http://goo.example.net/fb/AbC1", Some("fb/AbC1")),
            ("https://go.example.org/", None),
            ("https://www.example.org/8yDbrB", None),
        ] {
            let found = home.code_in(&Target::from_normal_form(address));
            assert_eq!(found.as_ref().map(Code::as_str), code, "{address}");
        }
    }

    #[test]
    fn a_short_url_is_ours_or_goo_gls() {
        let home = home("https://go.example.org/s", &["goo.example.net"]);
        let code = |short_url: &str| {
            let found = home.read(&Url::parse(short_url).unwrap());
            found.map(|found| found.code.to_string())
        };
        for (short_url, expected) in [
            ("http://GO.example.org:443/s/8yDbrB", None),
            ("http://GO.example.org/s/8yDbrB?x#y", Some("8yDbrB")),
            ("https://goo.example.net:8443/fb/AbC1", Some("fb/AbC1")),
            ("http://goo.gl/fb/AbC1#x", Some("fb/AbC1")),
            ("http://goo.gl/", None),
            ("http://goo.gl/AbC1+", None),
            ("http://evil.example/AbC1", None),
            ("ftp://goo.gl/AbC1", None),
            ("mailto:goo.gl", None),
        ] {
            assert_eq!(code(short_url).as_deref(), expected, "{short_url}");
        }
        assert_eq!(home.root(), "https://go.example.org/s/");
    }

    #[test]
    fn a_code_that_begins_like_the_path_before_codes_is_read_whole() {
        let home = home("https://go.example.org/s", &[]);
        for (address, code) in [
            ("https://go.example.org/s/abc", "abc"),
            ("https://go.example.org/sabc", "sabc"),
            ("https://go.example.org/s", "s"),
        ] {
            let found = home.code_in(&Target::from_normal_form(address));
            assert_eq!(found.as_ref().map(Code::as_str), Some(code), "{address}");
        }
    }

    #[test]
    fn without_further_hosts_whoever_asks_is_answered() {
        assert!(home("https://go.example.org", &[]).knows("10.0.0.1:8080"));
        let strict = home("https://go.example.org", &["goo.example.net"]);
        assert!(strict.knows("GO.example.org") && strict.knows("goo.example.net:80"));
        assert!(!strict.knows("example.org"));
        assert_eq!(strict.hosts().collect::<Vec<_>>(), ["go.example.org", "goo.example.net"]);
    }

    #[test]
    fn who_asks_one_of_our_hosts_reaches_us_as_readers_do() {
        let root = |home: &Home, asked: &str| home.root_at(asked).unwrap_or_default();
        let open = home("https://go.example.org", &[]);
        for asked in ["go.example.org", "GO.Example.org", "go.example.org:443"] {
            assert_eq!(root(&open, asked), "https://go.example.org/", "{asked}");
        }
        for asked in ["", "go.example.org:8443", "x.example", "a@go.example.org", "a b"] {
            assert_eq!(root(&open, asked), "", "{asked}");
        }
        let strict = home("https://go.example.org", &["goo.example.net"]);
        assert_eq!(root(&strict, "GOO.example.net:443"), "https://goo.example.net/");
        assert_eq!(root(&strict, "goo.example.net:8080"), "");
        assert_eq!(root(&strict, "x.example"), "");
    }
}
