//! The ports of the store through the cache: reads of what is edited pass by it, writes tell it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use jiff::Timestamp;

use super::{Cached, millis};
use crate::model::code::Code;
use crate::model::key::{Key, KeyId};
use crate::model::link::Link;
use crate::model::target::Target;
use crate::store::{Claim, Codes, Keys, Links, Listing, Mint, Place, Replaced, StoreError, Swap};

impl Links for Cached {
    async fn get(&self, code: &Code) -> Result<Option<Link>, StoreError> {
        self.store.get(code).await
    }

    async fn get_many(&self, codes: &[Code]) -> Result<Vec<Option<Link>>, StoreError> {
        self.store.get_many(codes).await
    }

    async fn claim(&self, links: &[Link]) -> Result<Vec<Claim>, StoreError> {
        let outcome = self.store.claim(links).await;
        self.memory.may_be_known(links);
        outcome
    }

    async fn mint(&self, links: &[Link]) -> Result<Vec<Mint>, StoreError> {
        let outcome = self.store.mint(links).await;
        self.memory.may_be_known(links);
        outcome
    }

    async fn import(
        &self,
        links: &Arc<[Link]>,
        max_codes: usize,
    ) -> Result<Vec<Option<Link>>, StoreError> {
        let outcome = self.store.import(links, max_codes).await;
        self.memory.may_be_known(links);
        outcome
    }

    async fn replace(&self, old: &Link, new: &Link) -> Result<Replaced, StoreError> {
        let (this, old, new) = (self.clone(), old.clone(), new.clone());
        to_the_end(async move {
            let outcome = this.store.replace(&old, &new).await;
            this.memory.forget(&new.code);
            outcome
        })
        .await
    }

    async fn codes_of(&self, addresses: &[Target]) -> Result<Vec<Codes>, StoreError> {
        self.store.codes_of(addresses).await
    }

    async fn swap_codes(&self, swaps: &[Swap]) -> Result<Vec<Option<Codes>>, StoreError> {
        self.store.swap_codes(swaps).await
    }

    async fn list(
        &self,
        listing: &Listing,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<(Place, Code)>, StoreError> {
        self.store.list(listing, after, limit).await
    }

    async fn count_of(&self, owner: &KeyId) -> Result<u64, StoreError> {
        self.store.count_of(owner).await
    }
}

impl Keys for Cached {
    /// Known keys are remembered for `fresh_for`, unless another node changes them.
    async fn key(&self, id: &KeyId) -> Result<Option<Key>, StoreError> {
        let now = Timestamp::now().as_millisecond();
        if let Some((key, until)) = self.memory.keys.get(id)
            && now < until
        {
            return Ok(Some(key));
        }
        let changes = self.memory.changes.load(Ordering::Acquire);
        let found = self.store.key(id).await?;
        if let Some(key) = &found {
            let until = now + millis(self.memory.settings.fresh_for);
            self.memory.keys.insert(id.clone(), (key.clone(), until));
            if self.memory.changes.load(Ordering::Acquire) != changes {
                self.memory.keys.remove(id);
            }
        }
        Ok(found)
    }

    async fn keys(&self) -> Result<Vec<Key>, StoreError> {
        self.store.keys().await
    }

    async fn put_key(&self, key: &Key) -> Result<(), StoreError> {
        let (this, key) = (self.clone(), key.clone());
        to_the_end(async move {
            let outcome = this.store.put_key(&key).await;
            this.memory.forget_key(&key.id);
            outcome
        })
        .await
    }

    async fn put_first_key(&self, key: &Key) -> Result<bool, StoreError> {
        self.store.put_first_key(key).await
    }

    /// Remembered until changes may have been missed: then the store may be another.
    async fn session_secret(&self, fresh: &[u8; 32]) -> Result<[u8; 32], StoreError> {
        let known = || self.memory.session_secret.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(secret) = *known() {
            return Ok(secret);
        }
        let gaps = self.memory.gaps.load(Ordering::Acquire);
        let secret = self.store.session_secret(fresh).await?;
        let mut known = known();
        *known = (self.memory.gaps.load(Ordering::Acquire) == gaps).then_some(secret);
        Ok(secret)
    }
}

/// Runs a write to its end, also when whoever asked for it has gone: what is written must be
/// forgotten here.
async fn to_the_end<T: Send + 'static>(
    write: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    let ended = tokio::spawn(write).await;
    ended.unwrap_or_else(|e| Err(StoreError::Unavailable(e.to_string())))
}
