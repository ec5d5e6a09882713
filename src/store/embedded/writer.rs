//! The one thread that writes: what waits at the same moment shares a commit.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use redb::{Durability, WriteTransaction};
use tokio::sync::oneshot;

use super::{File, failed};
use crate::store::StoreError;

/// The most writes of one commit: bounds how long the first of them waits for the last.
const MAX_GROUP: usize = 4_096;
/// How long to wait before opening a file again that could not be opened.
const REOPEN_PAUSE: Duration = Duration::from_millis(200);

/// Does its work within the transaction, and says how to answer once that is committed.
type Job = Box<dyn FnOnce(&WriteTransaction) -> Result<Answer, StoreError> + Send>;
type Answer = Box<dyn FnOnce() + Send>;

/// The way to the writing thread. Dropping it lets the thread finish what waits, and end.
pub(super) struct Writer {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(file: Arc<File>) -> Result<Self, StoreError> {
        let (jobs, waiting) = channel();
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || run(&file, &waiting))
            .map_err(|e| StoreError::Refused(e.to_string()))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs `work` in the next transaction; returns when that is on the disk.
    ///
    /// When a job fails the whole group is rolled back and its members are told to try again.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (tell, told) = oneshot::channel();
        let job: Job = Box::new(move |txn| {
            let outcome = work(txn)?;
            // A caller that went away does not want to know.
            Ok(Box::new(move || drop(tell.send(outcome))))
        });
        let gone = || StoreError::Unavailable("the store was closed".into());
        self.jobs.as_ref().ok_or_else(gone)?.send(job).map_err(|_| gone())?;
        told.await.map_err(|_| StoreError::Refused("the write was rolled back".into()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has already told.
            drop(thread.join());
        }
    }
}

fn run(file: &File, waiting: &Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
        let mut group = vec![first];
        group.extend(waiting.try_iter().take(MAX_GROUP - 1));
        match commit(file, group) {
            Ok(answers) => answers.into_iter().for_each(|answer| answer()),
            Err(error) => {
                tracing::error!(%error, "a write to the store failed and was rolled back");
                if open_again(file, waiting).is_err() {
                    return;
                }
            }
        }
    }
}

/// Tries until the file is open: readers need it, whether or not anybody writes. What is to be
/// written meanwhile is refused. An error: the store was closed.
fn open_again(file: &File, waiting: &Receiver<Job>) -> Result<(), RecvTimeoutError> {
    while let Err(error) = file.reopen() {
        tracing::error!(%error, "the store can't be opened again yet");
        let until = Instant::now() + REOPEN_PAUSE;
        loop {
            match waiting.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(refused) => drop(refused),
                Err(RecvTimeoutError::Timeout) => break,
                Err(closed) => return Err(closed),
            }
        }
    }
    Ok(())
}

fn commit(file: &File, group: Vec<Job>) -> Result<Vec<Answer>, StoreError> {
    let database = file.database.read().unwrap_or_else(PoisonError::into_inner);
    let Some(database) = database.as_ref() else {
        return Err(StoreError::Unavailable("the file is not open".into()));
    };
    let mut txn = database.begin_write().map_err(failed)?;
    txn.set_durability(Durability::Immediate).map_err(failed)?;
    // Without it a killed process reopens in a second instead of milliseconds.
    txn.set_quick_repair(true);
    let answers = group.into_iter().map(|job| job(&txn)).collect::<Result<_, _>>()?;
    txn.commit().map_err(failed)?;
    Ok(answers)
}
