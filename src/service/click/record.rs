//! A request becomes a line in the journal, before its answer leaves.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::click::{Click, Source};
use crate::store::journal::{Journal, Writer};

/// A lane is closed this often at most: each time makes a file.
const SHORTEST_REST: Duration = Duration::from_secs(1);

/// Where clicks go: makes a recorder for each worker.
#[derive(Clone)]
pub struct Clicks {
    journal: Arc<Journal>,
    rest_every: Duration,
}

impl Clicks {
    /// Into `journal`; what is counted is to leave it `keep_applied` later.
    #[must_use]
    pub fn new(journal: Arc<Journal>, keep_applied: Duration) -> Self {
        Self { journal, rest_every: keep_applied.max(SHORTEST_REST) }
    }

    /// A recorder with a lane of its own.
    #[must_use]
    pub fn recorder(&self) -> Recorder {
        Recorder { journal: Arc::clone(&self.journal), lane: RefCell::default() }
    }

    /// How often [`Recorder::rest`] is to be called.
    #[must_use]
    pub fn rest_every(&self) -> Duration {
        self.rest_every
    }
}

/// One worker's way into the journal: no lock, no waiting for others.
pub struct Recorder {
    journal: Arc<Journal>,
    lane: RefCell<Lane>,
}

#[derive(Default)]
struct Lane {
    /// Opened with the first click: a worker that serves none takes no lane.
    writer: Option<Writer>,
    /// Clicks lost since the last one that was written: said when it begins and when it ends.
    losing: u64,
}

impl Recorder {
    /// Writes down that `code` was followed at `now`. When it can't (a full disk), the reader is
    /// redirected nevertheless, and the loss is counted and shouted.
    pub fn record(&self, code: &str, source: Source<'_>, now: Timestamp) {
        let mut lane = self.lane.borrow_mut();
        let click = Click { at_ms: now.as_millisecond(), code, source };
        match self.append(&mut lane.writer, &click) {
            Ok(()) if lane.losing == 0 => {}
            Ok(()) => {
                tracing::warn!(clicks.lost = lane.losing, "clicks are written down again");
                lane.losing = 0;
            }
            Err(error) => {
                if lane.losing == 0 {
                    tracing::error!(%error, "a click can't be written down; clicks are being lost");
                }
                lane.losing += 1;
            }
        }
    }

    /// Writes down that `code`, which leads nowhere, was asked for at `now`.
    pub fn record_orphan(&self, code: &str, source: Source<'_>, now: Timestamp) {
        let mut lane = self.lane.borrow_mut();
        if lane.writer.is_none() {
            lane.writer = self.journal.writer().ok();
        }
        let click = Click { at_ms: now.as_millisecond(), code, source };
        if let Some(Err(error)) = lane.writer.as_mut().map(|writer| writer.append_orphan(&click)) {
            tracing::debug!(%error, "a request for an unknown code can't be written down");
        }
    }

    fn append(&self, writer: &mut Option<Writer>, click: &Click<'_>) -> io::Result<()> {
        if let Some(writer) = writer {
            return writer.append(click);
        }
        match self.journal.writer() {
            Ok(opened) => writer.insert(opened).append(click),
            Err(error) => {
                self.journal.count_loss();
                Err(error)
            }
        }
    }

    /// Closes the lane's open segment, so that it can be removed once it is counted. To be called
    /// now and then: a lane at rest keeps nothing.
    pub fn rest(&self) {
        if let Some(Err(error)) = self.lane.borrow_mut().writer.as_mut().map(Writer::rest) {
            tracing::warn!(%error, "a journal segment can't be closed");
        }
    }
}
