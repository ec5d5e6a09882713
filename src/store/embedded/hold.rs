//! Whether the counting is held: in memory, since there is one process only.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::store::StoreError;

/// Who holds the counting, and until when. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Hold(Arc<Mutex<Option<(String, Instant)>>>);

impl Hold {
    /// Holds it, unless somebody else does.
    pub(super) fn take(&self, name: &str, lease: Duration) -> bool {
        let mut held = self.held();
        let free = held.as_ref().is_none_or(|(holder, _)| holder == name);
        if free {
            *held = Some((name.to_owned(), Instant::now() + lease));
        }
        free
    }

    /// Holds it for longer, if it is still held under this name.
    pub(super) fn renew(&self, name: &str, lease: Duration) -> bool {
        let mut held = self.held();
        let ours = held.as_ref().is_some_and(|(holder, _)| holder == name);
        if ours {
            *held = Some((name.to_owned(), Instant::now() + lease));
        }
        ours
    }

    /// Lets go of it. `false`: it was not held under this name any more.
    pub(super) fn end(&self, name: &str) -> bool {
        let mut held = self.held();
        let ours = held.as_ref().is_some_and(|(holder, _)| holder == name);
        if ours {
            *held = None;
        }
        ours
    }

    /// That nobody holds it.
    pub(super) fn must_be_free(&self) -> Result<(), StoreError> {
        if self.held().is_some() { Err(StoreError::held()) } else { Ok(()) }
    }

    /// What holds now: a lease that ran out does not.
    fn held(&self) -> MutexGuard<'_, Option<(String, Instant)>> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().is_some_and(|(_, until)| *until <= Instant::now()) {
            *held = None;
        }
        held
    }
}
