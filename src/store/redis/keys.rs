//! API keys: few, in one hash, as JSON that an operator can read.

use std::collections::BTreeMap;

use super::connection::Trip;
use super::schema::{CHANGES, KEYS, SECRETS};
use super::{Redis, scripts};
use crate::model::key::{Key, KeyId};
use crate::store::{Keys, StoreError, record};

impl Keys for Redis {
    async fn key(&self, id: &KeyId) -> Result<Option<Key>, StoreError> {
        let mut look = ::redis::cmd("HGET");
        look.arg(KEYS).arg(id.as_str());
        let found: Option<Vec<u8>> = self.connection.command(Trip::Read, &look).await?;
        found.map(|bytes| record::to_key(&bytes)).transpose()
    }

    async fn keys(&self) -> Result<Vec<Key>, StoreError> {
        let mut look = ::redis::cmd("HGETALL");
        look.arg(KEYS);
        let found: BTreeMap<String, Vec<u8>> = self.connection.command(Trip::Query, &look).await?;
        let mut keys: Vec<Key> =
            found.values().map(|bytes| record::to_key(bytes)).collect::<Result<_, _>>()?;
        keys.sort_by(|a, b| (a.created_at, a.id.as_str()).cmp(&(b.created_at, b.id.as_str())));
        Ok(keys)
    }

    async fn put_key(&self, key: &Key) -> Result<(), StoreError> {
        self.store_key(key, "any").await.map(|_| ())
    }

    async fn put_first_key(&self, key: &Key) -> Result<bool, StoreError> {
        self.store_key(key, "first").await
    }

    async fn session_secret(&self, fresh: &[u8; 32]) -> Result<[u8; 32], StoreError> {
        let mut look = ::redis::cmd("HGET");
        look.arg(SECRETS).arg("sessions");
        let mut found: Option<Vec<u8>> = self.connection.command(Trip::Read, &look).await?;
        // Not before: a server without room for more can still say what it has.
        if found.is_none() {
            let mut put = ::redis::cmd("HSETNX");
            put.arg(SECRETS).arg("sessions").arg(&fresh[..]);
            let _: bool = self.connection.command(Trip::Write, &put).await?;
            found = self.connection.command(Trip::Read, &look).await?;
        }
        let secret = found.and_then(|secret| secret.try_into().ok());
        secret.ok_or_else(|| StoreError::Damaged("the secret of the sessions".into()))
    }
}

impl Redis {
    async fn store_key(&self, key: &Key, when: &'static str) -> Result<bool, StoreError> {
        let call = scripts::PUT_KEY
            .at(KEYS)
            .arg(when)
            .arg(key.id.as_str())
            .arg(record::of_key(key))
            .arg(CHANGES)
            .arg(format!("k:{}", key.id));
        self.connection.script(Trip::Write, &call).await
    }
}
