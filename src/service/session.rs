//! Sessions: a token stands for a key for some hours, and does not hold it.
//!
//! No node remembers a session. Its token is `key.expiry.mac`, and the MAC is keyed by what the store
//! keeps of that very key: every node can check it, also after a restart; it ends when the key is
//! revoked; and it says nothing that would open anything in the place of the key.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;

use super::auth::{Auth, AuthError, Principal};
use crate::model::key::{Key, KeyHash, KeyId, PlainKey};

/// Goes before what the MAC is made of: one that was made for something else is none of ours.
const LABEL: &[u8] = b"slugline session 1\0";
/// What HMAC-SHA256 fills its key up to (RFC 2104 §2).
const BLOCK: usize = 64;

/// A session that begins.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// What its owner shows from now on.
    pub token: String,
    /// The end of it, to the second.
    pub ends_at: Timestamp,
}

/// A token, taken apart.
struct Token<'a> {
    /// What the MAC says to be true: key and expiry, as they were written.
    claim: &'a str,
    key: KeyId,
    ends_at: Timestamp,
    mac: Vec<u8>,
}

impl Session {
    /// A session of this key's owner.
    #[must_use]
    pub fn of(key: &Key, lasts: Duration, now: Timestamp) -> Self {
        let lasts = i64::try_from(lasts.as_secs()).unwrap_or(i64::MAX);
        let ends = now.as_second().saturating_add(lasts);
        let claim = format!("{}.{ends}", key.id);
        let mac = sealed(&claim, &key.hash).finalize().into_bytes();
        let token = format!("{claim}.{}", URL_SAFE_NO_PAD.encode(mac));
        Self { token, ends_at: Timestamp::from_second(ends).unwrap_or(Timestamp::MAX) }
    }
}

impl<'a> Token<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (claim, mac) = text.rsplit_once('.')?;
        let (key, ends) = claim.split_once('.')?;
        Some(Self {
            claim,
            key: KeyId::parse(key).ok()?,
            ends_at: Timestamp::from_second(ends.parse().ok()?).ok()?,
            mac: URL_SAFE_NO_PAD.decode(mac).ok()?,
        })
    }

    /// Whether it was made with this key. Takes as long whatever the answer.
    fn is_of(&self, key: &Key) -> bool {
        sealed(self.claim, &key.hash).verify_slice(&self.mac).is_ok()
    }
}

fn sealed(claim: &str, hash: &KeyHash) -> Hmac<Sha256> {
    let mut key = [0; BLOCK];
    for (to, from) in key.iter_mut().zip(hash.as_bytes()) {
        *to = *from;
    }
    Hmac::new(&key.into()).chain_update(LABEL).chain_update(claim)
}

impl Auth {
    /// Begins a session of whoever comes with this key.
    ///
    /// # Errors
    /// [`AuthError::Unknown`], [`AuthError::Revoked`], or what the store says.
    pub async fn begin_session(
        &self,
        plain: &PlainKey,
        lasts: Duration,
        now: Timestamp,
    ) -> Result<Session, AuthError> {
        Ok(Session::of(&self.key_of(plain).await?, lasts, now))
    }

    /// Who comes with this token.
    ///
    /// # Errors
    /// [`AuthError::SessionOver`], [`AuthError::Revoked`], or what the store says.
    pub async fn resume_session(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Principal, AuthError> {
        let token = Token::read(token).ok_or(AuthError::SessionOver)?;
        let key = self.good_key(&token.key, |key| token.is_of(key)).await?;
        match key {
            Some(key) if now < token.ends_at => {
                Ok(Principal { key: key.id, scopes: key.scopes, until: Some(token.ends_at) })
            }
            _ => Err(AuthError::SessionOver),
        }
    }
}

#[cfg(test)]
mod tests;
