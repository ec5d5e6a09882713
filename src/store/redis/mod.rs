//! Redis: one server or a cluster, any number of nodes of ours.
//!
//! Nothing here is decided from what was read a moment before: whatever must hold together happens
//! in one script, on one partition. `schema.rs` says what lies where.

mod address;
mod apply;
mod backup;
mod bulletin;
mod changes;
mod connection;
mod import;
mod keys;
mod links;
mod listing;
mod replies;
mod rows;
mod schema;
mod scripts;
mod tallies;
#[cfg(test)]
mod tests;
mod upkeep;

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use futures_util::stream::{self, StreamExt, TryStreamExt};

use self::address::Address;
pub use self::address::BadUrl;
use self::connection::Connection;
use super::{Partitions, Settings, StoreError};
use crate::model::target::Target;

/// Calls of one request that are under way at the same time. They share trips; the bound keeps one
/// large request from holding up all others.
const AT_ONCE: usize = 64;

/// The store in Redis. Clones share a connection; [`fork`](Self::fork) gives one of its own.
#[derive(Clone)]
pub struct Redis {
    connection: Arc<Connection>,
    buckets: Arc<schema::Buckets>,
}

impl Redis {
    /// The store at `settings.url`. Nothing is connected yet.
    ///
    /// # Errors
    /// [`BadUrl`] when the address is none of Redis.
    pub fn new(settings: &Settings) -> Result<Self, BadUrl> {
        let address = Arc::new(Address::parse(&settings.url)?);
        let connection = Connection::new(address, settings.read_timeout, settings.write_timeout);
        Ok(Self { connection: Arc::new(connection), buckets: Arc::default() })
    }

    /// The same store with a connection of its own, opened at first use by the runtime that uses
    /// it: one for each worker.
    #[must_use]
    pub fn fork(&self) -> Self {
        let connection = Arc::new(self.connection.fork());
        Self { connection, buckets: Arc::clone(&self.buckets) }
    }

    /// Whether it is a cluster.
    pub(super) fn is_cluster(&self) -> bool {
        matches!(self.connection.address(), Address::Cluster(_))
    }

    /// What tells a call that is sent twice from two calls; empty where none is sent twice.
    fn token(&self) -> String {
        if self.connection.sends_twice() { unique() } else { String::new() }
    }
}

impl std::fmt::Debug for Redis {
    /// Without the address, which may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redis(…)")
    }
}

impl Partitions for Redis {
    fn partitions(&self) -> usize {
        schema::PARTITIONS
    }

    fn partition_of(&self, code: &str) -> usize {
        schema::partition_of(code)
    }

    fn partition_of_address(&self, address: &Target) -> usize {
        schema::address_of(address).0
    }
}

/// 16 characters that no other call has, of this process or another.
fn unique() -> String {
    static PROCESS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static CALLS: AtomicU64 = AtomicU64::new(0);
    format!("{:016x}", PROCESS.hash_one(CALLS.fetch_add(1, Ordering::Relaxed)))
}

/// All answers, in order, or the first error.
async fn together<T, F: Future<Output = Result<T, StoreError>>>(
    calls: impl IntoIterator<Item = F>,
) -> Result<Vec<T>, StoreError> {
    let mut calls: Vec<F> = calls.into_iter().collect();
    // Nearly always there is one: it needs nobody to keep it in order.
    if calls.len() == 1
        && let Some(only) = calls.pop()
    {
        return Ok(vec![only.await?]);
    }
    stream::iter(calls).buffered(AT_ONCE).try_collect().await
}
