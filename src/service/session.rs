//! Sessions: a token stands for a key for some hours, and does not hold it.
//!
//! No node remembers a session. Its token is `key.expiry.mac`, and the MAC is keyed by what the store
//! keeps of that very key and a secret that never leaves the store: every node can check it, also
//! after a restart; it ends when the key is revoked; it says nothing that would open anything in the
//! place of the key; and who has a backup, in which what is kept of each key stands, can make none.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;

use super::auth::{Auth, AuthError, Principal};
use crate::model::code::random_bytes;
use crate::model::key::{Key, KeyId, PlainKey};
use crate::store::Keys as _;

/// Goes before what the MAC is made of: one that was made for something else is none of ours.
const LABEL: &[u8] = b"slugline session 2\0";
/// What HMAC-SHA256 fills its key up to (RFC 2104 §2).
const BLOCK: usize = 64;
/// How far the clocks of two nodes may be apart.
const CLOCKS_APART: SignedDuration = SignedDuration::from_mins(1);

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
    /// A session of this key's owner, in a store with this secret.
    #[must_use]
    pub fn of(key: &Key, secret: &[u8; 32], lasts: Duration, now: Timestamp) -> Self {
        let lasts = i64::try_from(lasts.as_secs()).unwrap_or(i64::MAX);
        let ends = now.as_second().saturating_add(lasts);
        let claim = format!("{}.{ends}", key.id);
        let mac = sealed(&claim, key, secret).finalize().into_bytes();
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
    fn is_of(&self, key: &Key, secret: &[u8; 32]) -> bool {
        sealed(self.claim, key, secret).verify_slice(&self.mac).is_ok()
    }
}

fn sealed(claim: &str, key: &Key, secret: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = [0; BLOCK];
    let (of_key, of_store) = block.split_at_mut(BLOCK / 2);
    of_key.copy_from_slice(key.hash.as_bytes());
    of_store.copy_from_slice(secret);
    Hmac::new(&block.into()).chain_update(LABEL).chain_update(claim)
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
        let key = self.key_of(plain).await?;
        Ok(Session::of(&key, &self.session_secret().await?, lasts, now))
    }

    /// Who comes with this token, where sessions last so long: none that says to last longer was
    /// begun here.
    ///
    /// # Errors
    /// [`AuthError::SessionOver`], [`AuthError::Revoked`], or what the store says.
    pub async fn resume_session(
        &self,
        token: &str,
        lasts: Duration,
        now: Timestamp,
    ) -> Result<Principal, AuthError> {
        let token = Token::read(token).ok_or(AuthError::SessionOver)?;
        let left = token.ends_at.duration_since(now);
        let longest = SignedDuration::try_from(lasts).unwrap_or(SignedDuration::MAX);
        if !left.is_positive() || left > longest.saturating_add(CLOCKS_APART) {
            return Err(AuthError::SessionOver);
        }
        let secret = self.session_secret().await?;
        let key = self.good_key(&token.key, |key| token.is_of(key, &secret)).await?;
        let key = key.ok_or(AuthError::SessionOver)?;
        Ok(Principal { key: key.id, scopes: key.scopes, until: Some(token.ends_at) })
    }

    async fn session_secret(&self) -> Result<[u8; 32], AuthError> {
        Ok(self.keys.session_secret(&random_bytes()).await?)
    }
}

#[cfg(test)]
mod tests;
