//! Whether the service can do its work, and how it is doing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::auth::{Forbidden, Principal};
use super::click::{Auditor, Figures, Snapshot, archive};
use super::live::Audience;
pub use crate::store::StoreKind;
use crate::store::cached::{self, Cached};
use crate::store::journal::Journal;
use crate::store::{StoreError, Upkeep as _, aside};

/// How long the roll-up may take to say what is pending: it reads all of that, between its rounds.
const ACCOUNT_WITHIN: Duration = Duration::from_millis(500);

/// Looks at everything on this node.
#[derive(Clone)]
pub struct Health {
    links: Cached,
    node: Node,
    /// The one question that the roll-up may be busy with.
    question: Arc<Semaphore>,
}

/// What all workers of a node share.
#[derive(Clone)]
pub struct Node {
    /// The log of its clicks.
    pub journal: Arc<Journal>,
    /// What its roll-up has done.
    pub rollup: Arc<Figures>,
    /// The way to ask the roll-up.
    pub auditor: Auditor,
    /// Who is watching.
    pub audience: Arc<Audience>,
    /// Whether an archive is kept.
    pub archives: bool,
    /// When it was started.
    pub started_at: Timestamp,
}

/// How a node is doing.
#[derive(Debug, Clone)]
pub struct Report {
    /// The node's name.
    pub node: String,
    /// When it was started.
    pub started_at: Timestamp,
    /// What sort of store there is.
    pub kind: StoreKind,
    /// How long the store took to answer, or why it did not.
    pub store: Result<Duration, StoreError>,
    /// The log of clicks.
    pub journal: JournalReport,
    /// What the roll-up has done.
    pub rollup: Snapshot,
    /// What the archive has done, if one is kept.
    pub archive: Option<archive::Snapshot>,
    /// What look-ups of links came to.
    pub cache: cached::Snapshot,
    /// How many are watching.
    pub listeners: usize,
}

/// The log of clicks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalReport {
    /// Bytes on the disk.
    pub bytes: u64,
    /// Clicks that it took, ever.
    pub accepted: u64,
    /// Clicks that could not be written down, ever.
    pub lost: u64,
    /// Clicks that wait to be counted; unknown while the store does not say what it has counted, or
    /// when there are too many to be added up in a moment.
    pub pending: Option<u64>,
}

impl Health {
    /// The health of `node` and of what is behind `links`.
    #[must_use]
    pub fn new(links: Cached, node: Node) -> Self {
        Self { links, node, question: Arc::new(Semaphore::new(1)) }
    }

    /// The same over another handle on the store.
    #[must_use]
    pub fn over(&self, links: &Cached) -> Self {
        Self { links: links.clone(), ..self.clone() }
    }

    /// Whether the store answers, and holds what this program can read.
    ///
    /// # Errors
    /// The store's.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.links.store().ping().await
    }

    /// How this node is doing. That the store does not answer is part of the report.
    ///
    /// # Errors
    /// [`Forbidden::Operate`].
    pub async fn report(&self, by: &Principal) -> Result<Report, Forbidden> {
        by.may_operate()?;
        let Node { journal, rollup, audience, archives, started_at, .. } = &self.node;
        let asked = Instant::now();
        let store = self.check().await.map(|()| asked.elapsed());
        // The roll-up asks the store as well: nobody need wait twice for one that is away.
        let pending = match &store {
            Ok(_) => timeout(ACCOUNT_WITHIN, self.pending()).await.ok().flatten(),
            Err(_) => None,
        };
        let log = Arc::clone(journal);
        let bytes = aside(move || log.size()).await.unwrap_or_default();
        let counts = journal.counts();
        Ok(Report {
            node: journal.node().0.clone(),
            started_at: *started_at,
            kind: self.links.store().kind(),
            store,
            journal: JournalReport { bytes, accepted: counts.clicks, lost: counts.lost, pending },
            rollup: rollup.snapshot(),
            archive: archives.then(|| rollup.archive().snapshot()),
            cache: self.links.snapshot(),
            listeners: audience.listeners(),
        })
    }

    /// Clicks that wait to be counted. Who does not wait for the answer leaves the question behind, and
    /// the next one is put when the roll-up is done with that.
    async fn pending(&self) -> Option<u64> {
        let turn = Arc::clone(&self.question).acquire_owned().await.ok()?;
        let auditor = self.node.auditor.clone();
        let asked = tokio::spawn(async move {
            let account = auditor.account().await;
            drop(turn);
            account
        });
        Some(asked.await.ok()?.ok()?.pending)
    }
}

#[cfg(test)]
mod tests {
    use tokio::join;

    use super::*;
    use crate::service::auth::tests::{at, links};

    #[tokio::test]
    async fn nobody_waits_for_a_busy_roll_up_and_no_questions_pile_up() {
        let folder = tempfile::tempdir().unwrap();
        let links = links(folder.path());
        links.store().prepare().await.unwrap();
        let (auditor, mut turn_down) = Auditor::unanswered();
        let node = Node {
            journal: Arc::new(
                Journal::open(&folder.path().join("journal"), 1 << 20, false).unwrap(),
            ),
            rollup: Arc::default(),
            auditor,
            audience: Arc::default(),
            archives: false,
            started_at: at(0),
        };
        let one = Health::new(links.clone(), node);
        let other = one.over(&links);
        let admin = Principal::local();
        for _ in 0..2 {
            let (told, other_told) = join!(one.report(&admin), other.report(&admin));
            for told in [told.unwrap(), other_told.unwrap()] {
                assert!(told.store.is_ok() && told.journal.pending.is_none(), "{told:?}");
            }
        }
        assert!(turn_down() && !turn_down(), "one question for all of them");
        let again = one.report(&admin).await.unwrap();
        assert!(
            again.journal.pending.is_none() && turn_down(),
            "and the next, once it is done with"
        );
    }
}
