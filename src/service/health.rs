//! Whether the service can do its work.

use crate::store::cached::Cached;
use crate::store::{StoreError, Upkeep as _};

/// Asks the store.
#[derive(Clone)]
pub struct Health {
    links: Cached,
}

impl Health {
    /// The health of what is behind `links`.
    #[must_use]
    pub fn new(links: Cached) -> Self {
        Self { links }
    }

    /// Whether the store answers, and holds what this program can read.
    ///
    /// # Errors
    /// The store's.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.links.store().ping().await
    }
}
