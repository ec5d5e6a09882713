//! Whose request it is when proxies stand in between: what `http.trusted_proxies` decides.
//!
//! Whoever connects can write anything into a header, so forwarding headers are believed only as far
//! as proxies of ours have written them. Each proxy adds the address that it was asked from at the
//! end of the list; read from there, the first address that is no proxy of ours is the client, and
//! what stands before it is the client's own tale.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName};
use ipnet::IpNet;

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The IPv6 addresses that stand for IPv4 ones (RFC 4291 §2.5.5.2).
const MAPPED: (Ipv6Addr, u8) = (Ipv4Addr::UNSPECIFIED.to_ipv6_mapped(), 96);

/// The networks whose word is believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies(Box<[IpNet]>);

/// Not a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither an address nor a network such as 10.0.0.0/8")]
pub struct BadNetwork(String);

impl Proxies {
    /// Reads networks and single addresses.
    ///
    /// # Errors
    /// [`BadNetwork`] names the first that is none.
    pub fn parse(networks: &[String]) -> Result<Self, BadNetwork> {
        let bad = |text: &String| BadNetwork(text.clone());
        let networks: Result<_, _> =
            networks.iter().map(|text| network(text.trim()).ok_or_else(|| bad(text))).collect();
        networks.map(Self)
    }

    /// Whether whoever connected from `peer` is believed. There is no address to a connection
    /// through the control socket, which only the operator can open: it is.
    #[must_use]
    pub fn trust(&self, peer: Option<IpAddr>) -> bool {
        peer.is_none_or(|peer| self.hold(peer))
    }

    /// Who asked, when whoever connected is believed: as far as it can be told, the last address
    /// before our proxies. `None` when a believed peer without an address says nothing, or when
    /// nobody knows.
    #[must_use]
    pub fn client(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        let lines = |name| headers.get_all(name).rev().map(|line| line.as_bytes());
        let by_forwarded =
            || self.walk(peer, lines(&FORWARDED).flat_map(Backwards::new).filter_map(node));
        let by_x_forwarded_for =
            || self.walk(peer, lines(&X_FORWARDED_FOR).flat_map(entries).filter_map(entry));
        if !headers.contains_key(&FORWARDED) {
            return by_x_forwarded_for();
        }
        if !headers.contains_key(&X_FORWARDED_FOR) {
            return by_forwarded();
        }
        // A proxy writes one of the two and hands on the other as it came. Which one is the
        // client's invention can't be seen: what they agree on is none.
        by_forwarded().filter(|client| by_x_forwarded_for() == Some(*client))
    }

    /// Goes along `hops` from the last one, past proxies of ours. Behind a hop that is no address
    /// nobody knows what is true.
    fn walk(
        &self,
        peer: Option<IpAddr>,
        hops: impl Iterator<Item = Option<IpAddr>>,
    ) -> Option<IpAddr> {
        let mut client = peer;
        for hop in hops.map_while(|hop| hop) {
            client = Some(hop);
            if !self.hold(hop) {
                break;
            }
        }
        client
    }

    fn hold(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// A network, or an address as a network of its own. Peers are looked at as IPv4 where they can be,
/// so IPv4 addresses in an IPv6 guise would match none and are refused.
fn network(text: &str) -> Option<IpNet> {
    let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()?;
    let disguised = IpNet::new(MAPPED.0.into(), MAPPED.1).ok()?.contains(&network);
    (!disguised).then_some(network)
}

/// The entries of a line of `X-Forwarded-For`, from the last to the first.
fn entries(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.rsplit(|byte| *byte == b',')
}

/// An entry of `X-Forwarded-For`; an empty one is none (RFC 9110 §5.6.1.2).
fn entry(entry: &[u8]) -> Option<Option<IpAddr>> {
    let entry = entry.trim_ascii();
    (!entry.is_empty()).then(|| address(entry))
}

/// The elements of a line of `Forwarded`, from the last to the first. A comma within quotes ends
/// none. Read from the end as well, for there stands what a proxy wrote: a quote that a client left
/// open before that swallows none of it.
struct Backwards<'a>(Option<&'a [u8]>);

impl<'a> Backwards<'a> {
    fn new(line: &'a [u8]) -> Self {
        Self(Some(line))
    }
}

impl<'a> Iterator for Backwards<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let line = self.0.take()?;
        let mut quoted = false;
        for (at, byte) in line.iter().enumerate().rev() {
            match byte {
                b'"' if !is_escaped(&line[..at]) => quoted = !quoted,
                b',' if !quoted => {
                    self.0 = Some(&line[..at]);
                    return Some(&line[at + 1..]);
                }
                _ => {}
            }
        }
        Some(line)
    }
}

/// Whether what follows `before` is escaped by a backslash that is not itself escaped.
fn is_escaped(before: &[u8]) -> bool {
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// Who an element of `Forwarded` says it is for (RFC 7239 §4): `None` when the element is empty,
/// and so none; an inner `None` when it names no address, or not one alone.
fn node(element: &[u8]) -> Option<Option<IpAddr>> {
    let element = element.trim_ascii();
    if element.is_empty() {
        return None;
    }
    let (mut quoted, mut escaped) = (false, false);
    let mut pairs = element.split(|byte| {
        let before = quoted;
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        *byte == b';' && !before
    });
    let mut nodes = pairs.by_ref().filter_map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=')?;
        pair[..at].trim_ascii().eq_ignore_ascii_case(b"for").then_some(&pair[at + 1..])
    });
    let (first, second) = (nodes.next(), nodes.next());
    Some(first.filter(|_| second.is_none()).and_then(|value| address(unquoted(value.trim_ascii()))))
}

/// What stands between the quotes. No address needs a backslash.
fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value)
}

/// An address, bare or with a port; an IPv6 one with a port in brackets. The port may be obfuscated
/// (RFC 7239 §6.2). `unknown` and obfuscated names are none.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (
                host.parse::<Ipv6Addr>().ok()?.into(),
                rest.strip_prefix(':').or(rest.is_empty().then_some("0")),
            )
        }
        None => match text.parse::<IpAddr>() {
            Ok(address) => (address, Some("0")),
            Err(_) => {
                let (host, port) = text.split_once(':')?;
                (host.parse::<Ipv4Addr>().ok()?.into(), Some(port))
            }
        },
    };
    let is_port = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let port = port.filter(|port| !port.is_empty() && port.bytes().all(is_port));
    port.map(|_| host.to_canonical())
}

#[cfg(test)]
mod tests;
