//! Answers kept for requests with an `Idempotency-Key`: a string each, gone when its time is over.

use std::fmt::Write;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::connection::Trip;
use super::schema::{PARTITIONS, prefix};
use super::{Redis, scripts, unique};
use crate::store::{Replies, Reservation, StoreError};

impl Replies for Redis {
    async fn begin_reply(
        &self,
        name: &str,
        fingerprint: &[u8; 32],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Reservation, StoreError> {
        let call = scripts::BEGIN_REPLY
            .at(&key_of(name))
            .arg(&fingerprint[..])
            .arg(now.as_millisecond())
            .arg(lease_until.as_millisecond())
            .arg(unique());
        let answer: Vec<u8> = self.connection.script(Trip::Write, &call).await?;
        match answer.as_slice() {
            b"fresh" => Ok(Reservation::Fresh),
            b"running" => Ok(Reservation::Running),
            b"other" => Ok(Reservation::Other),
            [b'=', answer @ ..] => Ok(Reservation::Answered(answer.to_vec())),
            _ => Err(StoreError::Damaged("a kept answer can't be read".into())),
        }
    }

    async fn end_reply(
        &self,
        name: &str,
        fingerprint: &[u8; 32],
        answer: Option<&[u8]>,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let call =
            scripts::END_REPLY.at(&key_of(name)).arg(&fingerprint[..]).arg(until.as_millisecond());
        let call = answer.into_iter().fold(call, |call, answer| call.arg(answer));
        let _: i64 = self.connection.script(Trip::Write, &call).await?;
        Ok(())
    }
}

/// Names are the clients' and of any length: what stands in Redis is a hash of them.
fn key_of(name: &str) -> String {
    let hash = Sha256::digest(name.as_bytes());
    let mut key = format!("{}r:", prefix(usize::from(hash[0]) % PARTITIONS));
    for byte in &hash[..16] {
        // Writing into a string can't fail.
        let _ = write!(key, "{byte:02x}");
    }
    key
}
