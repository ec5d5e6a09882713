//! Whose request it is when proxies stand in between: what `http.trusted_proxies` decides.
//!
//! Whoever connects can write anything into a header, so forwarding headers are believed only as far
//! as proxies of ours have written them. Each proxy adds the address that it was asked from at the
//! end of the list; read from there, the first address that is no proxy of ours is the client, and
//! what stands before it is the client's own tale. Where no address stands, nobody is the client.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName};
use ipnet::IpNet;

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The networks whose word is believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies(Box<[Network]>);

/// A network, ready to be compared: Cloudflare alone has more than twenty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    bits: u128,
    mask: u128,
}

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
        let networks: Result<_, _> = networks
            .iter()
            .map(|text| Network::parse(text.trim()).ok_or_else(|| bad(text)))
            .collect();
        networks.map(Self)
    }

    /// Whether whoever connected from `peer` is believed. There is no address to a connection
    /// through the control socket, which only the operator can open: it is.
    #[must_use]
    pub fn trust(&self, peer: Option<IpAddr>) -> bool {
        peer.is_none_or(|peer| self.hold(peer))
    }

    /// Who asked, when whoever connected is believed: the last address before our proxies, or the
    /// first of all when there are only proxies of ours. `None` when nobody knows: no header says
    /// it, or what stands there is no address (`unknown`, an obfuscated name). Our own proxy's
    /// address would be no answer: all who come that way would be one visitor, in its country.
    #[must_use]
    pub fn client(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let (standard, usual) = (headers.get_all(&FORWARDED), headers.get_all(&X_FORWARDED_FOR));
        let only_usual = standard.len() == 0;
        let only_standard = usual.len() == 0;
        let elements = standard.rev().flat_map(|line| Backwards(Some(line.as_bytes())));
        let entries = usual.rev().flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        let by_standard = || self.walk(elements.filter_map(node));
        let by_usual = || self.walk(entries.filter_map(entry));
        match (only_standard, only_usual) {
            (_, true) => by_usual(),
            (true, false) => by_standard(),
            // A proxy writes one of the two and hands on the other as it came. Which of them is the
            // client's invention can't be seen; what they agree on is none.
            (false, false) => by_standard().filter(|client| by_usual() == Some(*client)),
        }
    }

    /// Whether the proxy that passed this request on, once it is believed, was asked over https.
    #[must_use]
    pub fn was_secure(&self, headers: &HeaderMap) -> bool {
        let is_https = |value: &[u8]| unquoted(value.trim_ascii()).eq_ignore_ascii_case(b"https");
        if let Some(usual) = headers.get_all(&X_FORWARDED_PROTO).next_back() {
            return usual.as_bytes().rsplit(|byte| *byte == b',').next().is_some_and(is_https);
        }
        let standard = headers.get_all(&FORWARDED).next_back();
        let element = standard.and_then(|line| Backwards(Some(line.as_bytes())).next());
        element.unwrap_or_default().split(|byte| *byte == b';').any(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (name, value) = pair.split_at(at);
            name.trim_ascii().eq_ignore_ascii_case(b"proto")
                && is_https(value.get(1..).unwrap_or_default())
        })
    }

    /// Goes along `hops` from the last one, past proxies of ours. Behind a hop that is no address
    /// nobody knows what is true, nor who asked.
    fn walk(&self, hops: impl Iterator<Item = Option<IpAddr>>) -> Option<IpAddr> {
        let mut client = None;
        for hop in hops {
            client = Some(hop?);
            if client.is_some_and(|client| !self.hold(client)) {
                break;
            }
        }
        client
    }

    fn hold(&self, address: IpAddr) -> bool {
        let address = bits_of(address);
        self.0.iter().any(|network| network.holds(address))
    }
}

impl Network {
    /// Reads a network, or an address as a network of its own.
    fn parse(text: &str) -> Option<Self> {
        let network =
            text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()?;
        let fixed = match network {
            IpNet::V4(_) => 96 + u32::from(network.prefix_len()),
            IpNet::V6(_) => u32::from(network.prefix_len()),
        };
        let mask = u128::MAX.checked_shl(128 - fixed).unwrap_or(0);
        Some(Self { bits: bits_of(network.addr()) & mask, mask })
    }

    fn holds(self, address: u128) -> bool {
        address & self.mask == self.bits
    }
}

/// An address as IPv6 (RFC 4291 §2.5.5.2), in which both versions can be compared.
fn bits_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
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
