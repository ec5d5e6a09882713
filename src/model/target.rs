//! A URL that may be redirected to.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest address, in bytes, before and after normalisation.
pub const MAX_TARGET_LENGTH: usize = 8_192;

/// An absolute `http` or `https` URL in normal form: ASCII, at most [`MAX_TARGET_LENGTH`] bytes, no
/// credentials, fit to stand in a `Location` header byte for byte.
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

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
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

impl AsRef<[u8]> for Target {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
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
