//! Who is watching: how many, how many at most, and until when.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// The most listeners of one node. Each asks the store once a second.
pub const MAX_LISTENERS: usize = 100;

/// The listeners of a node, counted over all its workers.
#[derive(Debug)]
pub struct Audience {
    seats: Arc<Semaphore>,
    dropped: AtomicU64,
    closed: watch::Sender<bool>,
}

/// A listener's place, free again when this is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    _permit: OwnedSemaphorePermit,
    closed: watch::Receiver<bool>,
}

impl Default for Audience {
    fn default() -> Self {
        Self {
            seats: Arc::new(Semaphore::new(MAX_LISTENERS)),
            dropped: AtomicU64::new(0),
            closed: watch::Sender::new(false),
        }
    }
}

impl Audience {
    /// A seat, if one is free.
    pub(super) fn seat(&self) -> Option<Seat> {
        let permit = Arc::clone(&self.seats).try_acquire_owned().ok()?;
        Some(Seat { _permit: permit, closed: self.closed.subscribe() })
    }

    /// Counts a listener who was too slow.
    pub(super) fn count_dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// How many there are.
    #[must_use]
    pub fn listeners(&self) -> usize {
        MAX_LISTENERS - self.seats.available_permits()
    }

    /// How many were dropped since the start because they did not keep up.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Tells all listeners, also those who come later, that there is nothing more to hear.
    pub fn close(&self) {
        self.closed.send_replace(true);
    }
}

impl Seat {
    /// Waits until there is nothing more to hear.
    pub(super) async fn closed(&self) {
        // Fails only when the audience itself is gone.
        drop(self.closed.clone().wait_for(|closed| *closed).await);
    }
}
