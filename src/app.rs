//! The wiring: what is built at start, and in which order it stops.

use std::net::SocketAddr;

use crate::config::Settings;
use crate::model::key::PlainKey;
use crate::store::Store;

/// One service.
pub struct App;

impl App {
    /// Binds and connects.
    ///
    /// # Errors
    /// When it can't.
    pub async fn build(_settings: Settings) -> anyhow::Result<Self> {
        anyhow::bail!("not there yet")
    }

    /// The same on the control socket only.
    ///
    /// # Errors
    /// When it can't.
    pub async fn build_local(_settings: Settings) -> anyhow::Result<Self> {
        anyhow::bail!("not there yet")
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 0))
    }

    /// The first key, if this start made one.
    #[must_use]
    pub fn new_key(&self) -> Option<PlainKey> {
        None
    }

    /// Serves until told to stop.
    ///
    /// # Errors
    /// When it can't go on.
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        shutdown.await;
        Ok(())
    }
}

/// The store that the settings name, opened.
///
/// # Errors
/// When it can't be.
pub async fn open_store(_settings: &Settings) -> anyhow::Result<Store> {
    anyhow::bail!("not there yet")
}
