//! Finishes hours on a thread of its own: compressing a busy one takes seconds, for which no click
//! may wait.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crate::store::archive::Finishing;

/// An hour that is being finished. Given up when dropped.
pub(super) struct Finisher {
    finishing: Finishing,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Finisher {
    /// Begins.
    pub(super) fn start(finishing: Finishing) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (work, stopping) = (finishing.clone(), Arc::clone(&stop));
        let thread = std::thread::Builder::new()
            .name("archive".into())
            .spawn(move || work.run(&stopping))?;
        Ok(Self { finishing, stop, thread: Some(thread) })
    }

    /// Whether it has ended.
    pub(super) fn is_done(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// What came of it; waits for its end.
    pub(super) fn join(mut self) -> io::Result<Finishing> {
        let joined = self.thread.take().map(JoinHandle::join);
        match joined {
            Some(Ok(outcome)) => outcome.map(|()| self.finishing.clone()),
            _ => Err(io::Error::other("the thread that finishes hours ended badly")),
        }
    }
}

impl Drop for Finisher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // What it has made is given up, whatever became of it.
            drop(thread.join());
        }
    }
}
