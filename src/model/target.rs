//! A URL that may be redirected to.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest address, in bytes, before and after normalisation.
pub const MAX_TARGET_LENGTH: usize = 8_192;

/// An absolute `http` or `https` URL, in normal form unless it was imported: ASCII, at most
/// [`MAX_TARGET_LENGTH`] bytes, no credentials, fit to stand in a `Location` header byte for byte.
///
/// Only [`canonical::Canonicalizer`](super::canonical::Canonicalizer) and the stores' own records
/// make one. Clones share the text: a link's article and target are mostly one address.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Target(Arc<str>);

/// Why a text is not an address that may be redirected to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTarget {
    /// There is nothing there.
    #[error("the address is empty; give an absolute http or https URL")]
    Empty,
    /// More than [`MAX_TARGET_LENGTH`] bytes, as given or once normalised.
    #[error("the address has {0} bytes, the limit is {MAX_TARGET_LENGTH}")]
    TooLong(usize),
    /// A control character (NUL, CR, LF, TAB …) at this byte.
    #[error("the address has a control character at byte {0}; percent-encode or remove it")]
    ControlCharacter(usize),
    /// Not an absolute URL, or broken in its host or port.
    #[error("the address can't be read as a URL ({0}); give an absolute http or https URL")]
    Unreadable(String),
    /// A scheme other than `http` and `https`.
    #[error("the scheme `{0}` can't be redirected to; only http and https can")]
    Scheme(String),
    /// A user name or password in front of the host.
    #[error("the address holds credentials (user:password@); remove them")]
    Credentials,
}

impl Target {
    /// Takes a text that is known to be in normal form.
    #[must_use]
    pub(crate) fn from_normal_form(text: &str) -> Self {
        Self(text.into())
    }

    /// Takes an address as it was written down by whoever shortened it, in whatever encoding: what
    /// can't stand in a header is sent as browsers send it, byte by byte as `%XX`, and all else stays
    /// as it is. Space around it, and tabs and line breaks within, fall away (WHATWG URL §4.4).
    /// Whether it can be redirected to is the canonical form's to say.
    #[must_use]
    pub fn verbatim(bytes: &[u8]) -> Self {
        const HEX: &[u8; 16] = b"0123456789ABCDEF";
        let outer = |byte: &u8| *byte <= b' ';
        let start = bytes.iter().position(|byte| !outer(byte)).unwrap_or(bytes.len());
        let end = bytes.iter().rposition(|byte| !outer(byte)).map_or(start, |last| last + 1);
        let mut text = String::with_capacity(end - start);
        for byte in &bytes[start..end] {
            match byte {
                b'\t' | b'\r' | b'\n' => {}
                b'!'..=b'~' => text.push(char::from(*byte)),
                other => {
                    text.push('%');
                    text.push(char::from(HEX[usize::from(other >> 4)]));
                    text.push(char::from(HEX[usize::from(other & 15)]));
                }
            }
        }
        Self(text.into())
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address with nothing in it that no URI holds (RFC 3986 §2): fit to stand within `<` and
    /// `>`. Browsers take more, and what was imported may hold it.
    #[must_use]
    pub fn as_uri(&self) -> Cow<'_, str> {
        let stray = |c: char| "\"<>\\^`{|}".contains(c);
        if !self.0.contains(stray) {
            return Cow::Borrowed(&self.0);
        }
        let mut uri = String::with_capacity(self.0.len() + 16);
        for character in self.0.chars() {
            match stray(character) {
                true => uri.push_str(&format!("%{:02X}", u32::from(character))),
                false => uri.push(character),
            }
        }
        Cow::Owned(uri)
    }

    /// The host, without port: `www.example.org`, `[2001:db8::1]`.
    #[must_use]
    pub fn host(&self) -> &str {
        let authority = self.authority();
        match authority.rfind(':') {
            Some(at) if !authority.ends_with(']') => &authority[..at],
            _ => authority,
        }
    }

    /// Host and, unless it is the scheme's own, port.
    #[must_use]
    pub fn authority(&self) -> &str {
        let rest = self.0.split_once("://").map_or(&*self.0, |(_, rest)| rest);
        &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())]
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({})", self.0)
    }
}

impl<'de> Deserialize<'de> for Target {
    /// From a store's record, where it was written in normal form.
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        Ok(Self(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_imported_keeps_its_bytes_and_fits_into_a_header() {
        for (bytes, text) in [
            (&b" http://E.org/a|b?utm_source=x "[..], "http://E.org/a|b?utm_source=x"),
            (b"http://e.org/\xe9t\xe9", "http://e.org/%E9t%E9"),
            ("http://e.org/\u{e9}".as_bytes(), "http://e.org/%C3%A9"),
            (b"http://e.org/a b\tc\x7f\x00d", "http://e.org/a%20bc%7F%00d"),
        ] {
            let target = Target::verbatim(bytes);
            assert_eq!(target.as_str(), text);
            assert_eq!(Target::verbatim(text.as_bytes()), target, "once more changes nothing");
        }
    }

    #[test]
    fn what_no_uri_holds_is_escaped_within_brackets() {
        for (address, uri) in [
            ("https://e.org/a?b='c',d;e#f", "https://e.org/a?b='c',d;e#f"),
            ("http://e.org/a|b>; rel=\"x\"", "http://e.org/a%7Cb%3E; rel=%22x%22"),
            ("http://e.org/{^}%7c`\\", "http://e.org/%7B%5E%7D%7c%60%5C"),
        ] {
            assert_eq!(Target::from_normal_form(address).as_uri(), uri);
        }
    }

    #[test]
    fn the_host_stands_alone() {
        for (address, host) in [
            ("https://www.example.org/a:b/c", "www.example.org"),
            ("http://example.org:8080?x", "example.org"),
            ("http://[2001:db8::1]:81/", "[2001:db8::1]"),
            ("http://[2001:db8::1]/", "[2001:db8::1]"),
        ] {
            assert_eq!(Target::from_normal_form(address).host(), host);
        }
    }
}
