//! A host that readers use, `go.example.org`, and zones of hosts that a setting names.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest host name, in bytes (RFC 1035 §2.3.4).
const MAX_HOST_LENGTH: usize = 253;

/// The name of a host, or its address: lower case, without port and without the dot of the root.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Host(Box<str>);

/// Not the name of a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no host name; write it without scheme, port and path, such as go.example.org")]
pub struct BadHost(pub String);

impl Host {
    /// Reads a host as it stands in a configuration or a field.
    ///
    /// # Errors
    /// [`BadHost`] when it is empty, longer than 253 bytes, or holds what no host name does.
    pub fn parse(text: &str) -> Result<Self, BadHost> {
        let host = text.strip_suffix('.').unwrap_or(text);
        let usual = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let holds = match bracketed {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => host.bytes().all(usual) && host.split('.').all(|label| !label.is_empty()),
        };
        if !holds || host.len() > MAX_HOST_LENGTH {
            return Err(BadHost(text.to_owned()));
        }
        Ok(Self(host.to_ascii_lowercase().into()))
    }

    /// Whether an authority, as a request's `Host` has it, names this host on whatever port.
    #[must_use]
    pub fn is_named_by(&self, authority: &str) -> bool {
        self.0.eq_ignore_ascii_case(without_port(authority))
    }

    /// The host as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The host of an authority: without its port and the dot of the root.
#[must_use]
pub fn without_port(authority: &str) -> &str {
    let host = match authority.rfind(':') {
        Some(at) if !authority.ends_with(']') => &authority[..at],
        _ => authority,
    };
    host.strip_suffix('.').unwrap_or(host)
}

/// Hosts of a setting, each with all that lie below it. Clones share.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Zones(Arc<HashSet<String>>);

impl Zones {
    /// Takes the hosts as they stand in a setting: in any case, in any script, also as `*.host`.
    #[must_use]
    pub fn new(hosts: &[String]) -> Self {
        Self(Arc::new(hosts.iter().map(|host| in_normal_form(host)).collect()))
    }

    /// Whether none is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `host`, in normal form, is one of them or lies below one. Takes as many steps as the
    /// host has labels, however many are named.
    #[must_use]
    pub fn hold(&self, host: &str) -> bool {
        let mut above = Some(host).filter(|_| !self.is_empty());
        while let Some(zone) = above {
            if self.0.contains(zone) {
                return true;
            }
            above = zone.split_once('.').map(|(_, parent)| parent);
        }
        false
    }
}

/// A host as it looks in a normal address: lower case, punycode, no dots around.
fn in_normal_form(text: &str) -> String {
    let text = text.trim().trim_start_matches("*.").trim_matches('.');
    url::Host::parse(text).map_or_else(|_| text.to_lowercase(), |host| host.to_string())
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Host {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_named_in_any_case_on_any_port() {
        let host = Host::parse("Go.Example.org.").unwrap();
        assert_eq!(host.as_str(), "go.example.org");
        for authority in ["go.example.org", "GO.example.org:8080", "go.example.org.:443"] {
            assert!(host.is_named_by(authority), "{authority}");
        }
        assert!(!host.is_named_by("example.org"));
        assert!(Host::parse("[::1]").unwrap().is_named_by("[::1]:8080"));
    }

    #[test]
    fn a_zone_holds_itself_and_what_lies_below_it_but_not_beside() {
        let zones = Zones::new(&["example.org".into(), " *.Bücher.example. ".into()]);
        for within in ["example.org", "www.example.org", "xn--bcher-kva.example"] {
            assert!(zones.hold(within), "{within}");
        }
        for beside in ["badexample.org", "example.org.evil.net", "org"] {
            assert!(!zones.hold(beside), "{beside}");
        }
        assert!(Zones::new(&["[2001:db8::1]".into()]).hold("[2001:db8::1]"));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for bad in ["", ".", "a..b", "go.example.org:80", "https://a", "a/b", "[::1", "é.org"] {
            assert!(Host::parse(bad).is_err(), "{bad}");
        }
        assert!(Host::parse(&"a".repeat(254)).is_err());
    }
}
