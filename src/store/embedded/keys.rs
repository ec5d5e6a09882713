//! Keys, and the answers kept for idempotency keys, in redb.

use jiff::Timestamp;
use redb::{ReadableTable, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::{Embedded, failed};
use crate::model::key::{Key, KeyId};
use crate::store::{Keys, Replies, Reservation, StoreError, record};

const KEYS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("keys");
/// What for → a secret that stays here.
const SECRETS: TableDefinition<'_, &str, &[u8; 32]> = TableDefinition::new("secrets");
const REPLIES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("replies");
/// When each reply may go: milliseconds since 1970, then its name.
const REPLIES_BY_END: TableDefinition<'_, (i64, &str), ()> = TableDefinition::new("replies_by_end");

/// Expired replies removed by each new one, so that they never pile up.
const SWEEP: usize = 8;

pub(super) fn make_tables(txn: &WriteTransaction) -> Result<(), StoreError> {
    txn.open_table(KEYS).map_err(failed)?;
    txn.open_table(SECRETS).map_err(failed)?;
    txn.open_table(REPLIES).map_err(failed)?;
    txn.open_table(REPLIES_BY_END).map_err(failed)?;
    Ok(())
}

impl Keys for Embedded {
    async fn key(&self, id: &KeyId) -> Result<Option<Key>, StoreError> {
        self.read(|txn| {
            let keys = txn.open_table(KEYS).map_err(failed)?;
            let found = keys.get(id.as_str()).map_err(failed)?;
            found.map(|bytes| record::to_key(bytes.value())).transpose()
        })
    }

    async fn keys(&self) -> Result<Vec<Key>, StoreError> {
        let mut keys: Vec<Key> = self.read(|txn| {
            let keys = txn.open_table(KEYS).map_err(failed)?;
            let entries = keys.iter().map_err(failed)?;
            entries.map(|entry| record::to_key(entry.map_err(failed)?.1.value())).collect()
        })?;
        keys.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(keys)
    }

    async fn put_key(&self, key: &Key) -> Result<(), StoreError> {
        let (id, bytes) = (key.id.clone(), record::of_key(key));
        self.write(move |txn| {
            let mut keys = txn.open_table(KEYS).map_err(failed)?;
            keys.insert(id.as_str(), bytes.as_slice()).map_err(failed)?;
            Ok(())
        })
        .await
    }

    async fn put_first_key(&self, key: &Key) -> Result<bool, StoreError> {
        let (id, bytes) = (key.id.clone(), record::of_key(key));
        self.write(move |txn| {
            let mut keys = txn.open_table(KEYS).map_err(failed)?;
            let first = keys.first().map_err(failed)?.is_none();
            if first {
                keys.insert(id.as_str(), bytes.as_slice()).map_err(failed)?;
            }
            Ok(first)
        })
        .await
    }

    async fn session_secret(&self, fresh: &[u8; 32]) -> Result<[u8; 32], StoreError> {
        let known = self.read(|txn| {
            let secrets = txn.open_table(SECRETS).map_err(failed)?;
            Ok(secrets.get("sessions").map_err(failed)?.map(|secret| *secret.value()))
        })?;
        if let Some(secret) = known {
            return Ok(secret);
        }
        let fresh = *fresh;
        self.write(move |txn| {
            let mut secrets = txn.open_table(SECRETS).map_err(failed)?;
            if let Some(secret) = secrets.get("sessions").map_err(failed)? {
                return Ok(*secret.value());
            }
            secrets.insert("sessions", &fresh).map_err(failed)?;
            Ok(fresh)
        })
        .await
    }
}

#[derive(Serialize, Deserialize)]
struct Reply {
    fingerprint: [u8; 32],
    /// Milliseconds since 1970.
    until: i64,
    answer: Option<Vec<u8>>,
}

impl Replies for Embedded {
    async fn begin_reply(
        &self,
        name: &str,
        fingerprint: &[u8; 32],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Reservation, StoreError> {
        let (name, now) = (name.to_owned(), now.as_millisecond());
        let fingerprint = *fingerprint;
        let until = lease_until.as_millisecond();
        self.write(move |txn| {
            sweep(txn, now)?;
            if let Some(reply) = reply(txn, &name)?.filter(|reply| reply.until > now) {
                return Ok(match reply.answer {
                    _ if reply.fingerprint != fingerprint => Reservation::Other,
                    Some(answer) => Reservation::Answered(answer),
                    None => Reservation::Running,
                });
            }
            put(txn, &name, Some(&Reply { fingerprint, until, answer: None }))?;
            Ok(Reservation::Fresh)
        })
        .await
    }

    async fn end_reply(
        &self,
        name: &str,
        fingerprint: &[u8; 32],
        answer: Option<&[u8]>,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let (name, fingerprint) = (name.to_owned(), *fingerprint);
        let until = until.as_millisecond();
        let answer = answer.map(<[u8]>::to_vec);
        self.write(move |txn| {
            // By now the name may be another request's, and an answer stays.
            let kept = reply(txn, &name)?;
            if kept.is_some_and(|kept| {
                kept.fingerprint != fingerprint || (answer.is_none() && kept.answer.is_some())
            }) {
                return Ok(());
            }
            let reply = answer.map(|a| Reply { fingerprint, until, answer: Some(a) });
            put(txn, &name, reply.as_ref())
        })
        .await
    }
}

fn reply(txn: &WriteTransaction, name: &str) -> Result<Option<Reply>, StoreError> {
    let replies = txn.open_table(REPLIES).map_err(failed)?;
    let found = replies.get(name).map_err(failed)?;
    // One that can't be read is as good as none: the request is answered anew.
    Ok(found.and_then(|bytes| postcard::from_bytes(bytes.value()).ok()))
}

/// Puts a reply in the place of what stood there, or takes it away.
fn put(txn: &WriteTransaction, name: &str, new: Option<&Reply>) -> Result<(), StoreError> {
    let old = reply(txn, name)?;
    let mut replies = txn.open_table(REPLIES).map_err(failed)?;
    let mut ends = txn.open_table(REPLIES_BY_END).map_err(failed)?;
    if let Some(old) = old {
        ends.remove((old.until, name)).map_err(failed)?;
    }
    let Some(new) = new else {
        replies.remove(name).map_err(failed)?;
        return Ok(());
    };
    let bytes = postcard::to_stdvec(new).unwrap_or_default();
    replies.insert(name, bytes.as_slice()).map_err(failed)?;
    ends.insert((new.until, name), ()).map_err(failed)?;
    Ok(())
}

fn sweep(txn: &WriteTransaction, now: i64) -> Result<(), StoreError> {
    let mut replies = txn.open_table(REPLIES).map_err(failed)?;
    let mut ends = txn.open_table(REPLIES_BY_END).map_err(failed)?;
    for _ in 0..SWEEP {
        let first = ends.first().map_err(failed)?;
        let Some((until, name)) = first.map(|(key, _)| (key.value().0, key.value().1.to_owned()))
        else {
            break;
        };
        if until > now {
            break;
        }
        ends.remove((until, name.as_str())).map_err(failed)?;
        replies.remove(name.as_str()).map_err(failed)?;
    }
    Ok(())
}
