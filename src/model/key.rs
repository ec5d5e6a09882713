//! API keys: plain (shown once), hashed (stored), and what each may do.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::code::random_text;

/// What every key of ours begins with, so that secret scanners can find it.
const PREFIX: &str = "sl_";
/// Random characters of base 62 in a key: 190 bits.
const SECRET_LENGTH: usize = 32;
/// The shortest key that an operator may choose, in characters.
const MIN_CHOSEN_LENGTH: usize = 12;
/// The longest key that is looked at, in bytes.
const MAX_CHOSEN_LENGTH: usize = 256;
/// Characters of a key's public name.
const ID_LENGTH: usize = 8;

/// A key in the clear. It does not print.
#[derive(Clone)]
pub struct PlainKey(String);

/// Why a text cannot be a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a key has {MIN_CHOSEN_LENGTH} to {MAX_CHOSEN_LENGTH} visible ASCII characters and no space"
)]
pub struct BadKey;

impl PlainKey {
    /// A new key from the secure generator.
    #[must_use]
    pub fn draw() -> Self {
        Self(format!("{PREFIX}{}", random_text(SECRET_LENGTH)))
    }

    /// Takes a key from a header or a setting.
    ///
    /// # Errors
    /// [`BadKey`] when it is too short, too long, or holds what a header can't.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let sized = (MIN_CHOSEN_LENGTH..=MAX_CHOSEN_LENGTH).contains(&text.len());
        if sized && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadKey)
        }
    }

    /// The key itself, to be shown to its new owner, once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored of it. SHA-256 is enough: there is nothing to guess in 190 random bits.
    #[must_use]
    pub fn hash(&self) -> KeyHash {
        KeyHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for PlainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainKey(…)")
    }
}

/// SHA-256 of a key. Two are compared in constant time.
#[derive(Clone, Serialize, Deserialize)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// The public name of the key with this hash: its first bits, told apart from the secret by
    /// being a hash of it.
    #[must_use]
    pub fn id(&self) -> KeyId {
        const DIGITS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        KeyId(self.0[..ID_LENGTH].iter().map(|b| char::from(DIGITS[usize::from(b % 32)])).collect())
    }

    /// The hash itself, as a key for what is told to come from whoever knows the secret.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}
impl PartialEq for KeyHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for KeyHash {}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

/// The public name of a key: what links carry as their owner, and what revokes it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct KeyId(Box<str>);

/// Not a key's public name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key's id is {ID_LENGTH} small letters and digits, as `slugline key list` shows it")]
pub struct BadKeyId;

impl KeyId {
    /// Reads a key's public name.
    ///
    /// # Errors
    /// [`BadKeyId`] when it isn't one.
    pub fn parse(text: &str) -> Result<Self, BadKeyId> {
        let sized = text.len() == ID_LENGTH;
        if sized && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
            Ok(Self(text.into()))
        } else {
            Err(BadKeyId)
        }
    }

    /// The owner of what is done on the machine itself, with no key: through the control socket.
    #[must_use]
    pub fn local() -> Self {
        Self("local000".into())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyId {
    type Err = BadKeyId;

    fn from_str(text: &str) -> Result<Self, BadKeyId> {
        Self::parse(text)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({})", self.0)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Mint links; see, change and delete its own.
    Mint,
    /// Read all links and all figures; change nothing.
    Read,
    /// Everything, keys included.
    Admin,
}

/// A key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its public name.
    pub id: KeyId,
    /// What its owner calls it.
    pub name: String,
    /// What it may do; never empty.
    pub scopes: Vec<Scope>,
    /// What is kept of the secret.
    pub hash: KeyHash,
    /// When it was made.
    pub created_at: Timestamp,
    /// From then on it opens nothing.
    pub revoked_at: Option<Timestamp>,
}

impl Key {
    /// The record of `plain`.
    #[must_use]
    pub fn of(plain: &PlainKey, name: String, scopes: Vec<Scope>, now: Timestamp) -> Self {
        let hash = plain.hash();
        Self { id: hash.id(), name, scopes, hash, created_at: now, revoked_at: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_hash_and_never_prints() {
        let plain = PlainKey::draw();
        assert!(plain.reveal().starts_with("sl_"));
        assert_eq!(plain.reveal().len(), 35);
        assert_eq!(format!("{plain:?} {:?}", plain.hash()), "PlainKey(…) KeyHash(…)");
        let again = PlainKey::parse(plain.reveal()).unwrap();
        assert_eq!(again.hash(), plain.hash());
        assert_ne!(PlainKey::draw().hash(), plain.hash());
        assert_eq!(KeyId::parse(plain.hash().id().as_str()), Ok(plain.hash().id()));
    }

    #[test]
    fn a_chosen_key_is_long_enough_and_fits_a_header() {
        for bad in ["sl_short", "sl_with a space in it", "sl_ünïcödé_is_no_header"] {
            assert!(PlainKey::parse(bad).is_err(), "{bad}");
        }
        assert!(PlainKey::parse("sl_bootstrap_key").is_ok());
    }
}
