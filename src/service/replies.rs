//! The same answer to the same request: `Idempotency-Key`.
//!
//! A publisher whose connection broke sends the request again under the same key and gets the answer
//! of the first, rather than a second link. An answer is kept for a day; while the first request
//! still runs, the second is told to wait.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::auth::Principal;
use crate::store::cached::Cached;
use crate::store::{Replies as _, Reservation, StoreError};

/// The longest key, in bytes.
pub const MAX_KEY_LENGTH: usize = 255;
/// How long an answer is kept.
const KEPT: Duration = Duration::from_hours(24);
/// How long a request may take before another with its key may try: a node that died while it
/// answered must not block the key for the day.
const LEASE: Duration = Duration::from_secs(60);

/// What a request is known by: which bytes, to which address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// SHA-256 of method, path and body.
    #[must_use]
    pub fn of(method: &str, path: &str, body: &[u8]) -> Self {
        let mut hash = Sha256::new();
        for part in [method.as_bytes(), path.as_bytes()] {
            hash.update(part);
            hash.update([0]);
        }
        hash.update(body);
        Self(hash.finalize().into())
    }
}

/// An answer as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Where the new link lives, when one was made.
    pub location: Option<String>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

/// Why a request under a key is not answered.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReplyError {
    /// The key can't stand in the store.
    #[error("an Idempotency-Key has 1 to {MAX_KEY_LENGTH} visible ASCII characters and no space")]
    BadKey,
    /// The first request with this key is still being answered.
    #[error("a request with this Idempotency-Key is being answered; ask again in a second")]
    Running,
    /// The key was used for another request.
    #[error("this Idempotency-Key was used for another request; use a new key for a new request")]
    Other,
    /// The store did not do its part.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether to do it or to say it again.
pub enum Begun {
    /// Nobody has asked this before: do it, and [`Replies::finish`] with the answer.
    Fresh(Ticket),
    /// It was done; this was the answer.
    Replay(Answer),
}

/// The right, and the duty, to answer under a key.
pub struct Ticket {
    name: String,
    fingerprint: Fingerprint,
}

/// Answers that are given again.
#[derive(Clone)]
pub struct Replies {
    links: Cached,
}

impl Replies {
    /// Answers kept in this store.
    #[must_use]
    pub fn new(links: Cached) -> Self {
        Self { links }
    }

    /// Asks whether a request under `key` is new. Keys of different principals do not meet.
    ///
    /// # Errors
    /// [`ReplyError`] when the key is bad or taken, or the store fails.
    pub async fn begin(
        &self,
        by: &Principal,
        key: &str,
        fingerprint: Fingerprint,
        now: Timestamp,
    ) -> Result<Begun, ReplyError> {
        let sized = (1..=MAX_KEY_LENGTH).contains(&key.len());
        if !sized || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ReplyError::BadKey);
        }
        let name = format!("{}:{key}", by.key);
        let lease_until = now.saturating_add(LEASE).unwrap_or(now);
        let store = self.links.store();
        match store.begin_reply(&name, &fingerprint.0, now, lease_until).await? {
            Reservation::Fresh => Ok(Begun::Fresh(Ticket { name, fingerprint })),
            Reservation::Running => Err(ReplyError::Running),
            Reservation::Other => Err(ReplyError::Other),
            Reservation::Answered(bytes) => {
                let damaged = |e| StoreError::Damaged(format!("a kept answer: {e}"));
                Ok(Begun::Replay(postcard::from_bytes(&bytes).map_err(damaged)?))
            }
        }
    }

    /// Keeps the answer; with none, the key is free again.
    ///
    /// # Errors
    /// What the store says. The answer stands all the same: only a repetition would not find it.
    pub async fn finish(
        &self,
        ticket: Ticket,
        answer: Option<&Answer>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // Writing plain data into memory can't fail.
        let bytes = answer.and_then(|answer| postcard::to_stdvec(answer).ok());
        let until = now.saturating_add(KEPT).unwrap_or(now);
        let store = self.links.store();
        store.end_reply(&ticket.name, &ticket.fingerprint.0, bytes.as_deref(), until).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::embedded::Embedded;
    use crate::store::{Store, cached};

    fn links(folder: &std::path::Path) -> Cached {
        let store = Store::Embedded(Embedded::open(folder, 1 << 20).unwrap());
        let seconds = std::time::Duration::from_secs;
        let (fresh_for, stale_for, unknown_for) = (seconds(30), seconds(60), seconds(5));
        Cached::new(store, &cached::Settings { capacity: 10, fresh_for, stale_for, unknown_for })
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).unwrap()
    }

    #[test]
    fn a_request_is_known_by_all_of_its_parts() {
        let one = Fingerprint::of("POST", "/api/v1/links", b"{}");
        assert_eq!(one, Fingerprint::of("POST", "/api/v1/links", b"{}"));
        for other in [
            Fingerprint::of("PATCH", "/api/v1/links", b"{}"),
            Fingerprint::of("POST", "/api/v1/link", b"s{}"),
            Fingerprint::of("POST", "/api/v1/links", b"{} "),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn an_answer_is_kept_byte_for_byte() {
        let answer =
            Answer { status: 201, location: Some("/api/v1/links/a".into()), body: vec![0, 255] };
        let kept = postcard::to_stdvec(&answer).unwrap();
        assert_eq!(postcard::from_bytes::<Answer>(&kept), Ok(answer));
    }

    async fn begin(replies: &Replies, body: &[u8], now: Timestamp) -> Result<Begun, ReplyError> {
        let fingerprint = Fingerprint::of("POST", "/", body);
        replies.begin(&Principal::local(), "key", fingerprint, now).await
    }

    #[tokio::test]
    async fn an_answer_is_given_again_for_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let replies = Replies::new(links(folder.path()));
        let Ok(Begun::Fresh(ticket)) = begin(&replies, b"a", at(0)).await else { panic!() };
        assert!(matches!(begin(&replies, b"a", at(59)).await, Err(ReplyError::Running)));
        let answer = Answer { status: 201, location: None, body: b"{}".into() };
        replies.finish(ticket, Some(&answer), at(1)).await.unwrap();
        let Ok(Begun::Replay(again)) = begin(&replies, b"a", at(86_400)).await else { panic!() };
        assert_eq!(again, answer);
        assert!(matches!(begin(&replies, b"b", at(2)).await, Err(ReplyError::Other)));
        assert!(matches!(begin(&replies, b"b", at(86_401)).await, Ok(Begun::Fresh(_))));
    }

    #[tokio::test]
    async fn a_request_that_died_or_failed_blocks_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let replies = Replies::new(links(folder.path()));
        assert!(matches!(begin(&replies, b"a", at(0)).await, Ok(Begun::Fresh(_))));
        let Ok(Begun::Fresh(ticket)) = begin(&replies, b"a", at(60)).await else { panic!() };
        replies.finish(ticket, None, at(61)).await.unwrap();
        assert!(matches!(begin(&replies, b"b", at(61)).await, Ok(Begun::Fresh(_))));
    }
}
