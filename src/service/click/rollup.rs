//! Journal → tallies → store, exactly once.
//!
//! The journal is the log, the store's own positions say how much of it is counted. A batch says
//! "add this if lane L stands at X, and set it to Y": it is applied whole or refused with the place
//! where the store does stand, and the roll-up goes on from there. A lost reply, a retry, a second
//! roll-up, a store brought back from an older copy: all of them end in a refusal, none in a click
//! counted twice or not at all.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;

use super::Fsync;
use super::figures::Figures;
use crate::model::click::Click;
use crate::model::code::Code;
use crate::model::tally::{Day, DayTally, Quarter};
use crate::service::auth::to_the_millisecond;
use crate::store::journal::{Entry, Journal, Reader};
use crate::store::{
    Account, Applied, Batch, Lane, Move, Partitions as _, Position, Progress, Store, StoreError,
    Tallies as _,
};

/// Bytes of the journal read for one round, over all lanes: about 60,000 clicks.
const ROUND_BYTES: usize = 2 * 1024 * 1024;

/// Why a round came to nothing. It is tried again.
#[derive(Debug, thiserror::Error)]
pub enum RollupError {
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal can't be read.
    #[error("the journal can't be read: {0}")]
    Journal(#[from] io::Error),
}

/// Whether there is more to do at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// Something was counted, and there is more; or the store turned out to stand elsewhere.
    Behind,
    /// Something was counted, and hardly more can have come since.
    Moved,
    /// The store stands at the end of the journal.
    Idle,
}

/// Rolls one node's journal up into the store. Any number may run at once; one is enough.
pub struct Rollup {
    store: Store,
    journal: Arc<Journal>,
    fsync: Fsync,
    readers: BTreeMap<Lane, Reader>,
    /// Where each partition stands, as far as we know; `None` when it must be asked.
    known: Option<Vec<Progress>>,
    /// When we saw that the store stood at these positions: what it has counted for long enough
    /// may leave the journal.
    milestones: VecDeque<(Timestamp, BTreeMap<Lane, Position>)>,
    figures: Arc<Figures>,
}

/// What the clicks of one round add to one code.
struct CodeClicks {
    partition: usize,
    days: BTreeMap<Day, DayTally>,
}

impl Rollup {
    /// A roll-up that begins wherever the store says it stands.
    #[must_use]
    pub fn new(store: Store, journal: Arc<Journal>, fsync: Fsync, figures: Arc<Figures>) -> Self {
        Self {
            store,
            journal,
            fsync,
            readers: BTreeMap::new(),
            known: None,
            milestones: VecDeque::new(),
            figures,
        }
    }

    /// Counts the next stretch of the journal.
    ///
    /// # Errors
    /// [`RollupError`]; nothing is lost, the next round begins where the store then stands.
    pub async fn round(&mut self) -> Result<Round, RollupError> {
        let outcome = self.try_round().await;
        if outcome.is_err() {
            // Whether it was applied or not, nobody knows: ask.
            self.known = None;
        }
        outcome
    }

    async fn try_round(&mut self) -> Result<Round, RollupError> {
        let known = match self.known.take() {
            Some(known) => known,
            None => {
                // Opened again where the store then stands.
                self.readers.clear();
                self.store.progress(self.journal.node()).await?
            }
        };
        let (batches, behind) = self.read_batches(&known)?;
        let moving: Vec<_> =
            batches.iter().enumerate().filter(|(_, b)| !b.moves.is_empty()).collect();
        if moving.is_empty() {
            self.known = Some(known);
            return Ok(Round::Idle);
        }
        if self.fsync == Fsync::Interval {
            // What was read is on the disk before the store counts it: the store is never ahead of
            // a journal that lost its tail with the power.
            self.journal.sync()?;
        }
        let node = self.journal.node();
        let applying = moving.iter().map(|(at, batch)| self.store.apply(node, *at, batch));
        let outcomes = join_all(applying).await;
        self.known = self.settle(known, &moving, outcomes)?;
        Ok(if behind || self.known.is_none() { Round::Behind } else { Round::Moved })
    }

    /// What is known after the store has answered; `None` when it stood elsewhere.
    fn settle(
        &self,
        mut known: Vec<Progress>,
        moving: &[(usize, &Batch)],
        outcomes: Vec<Result<Applied, StoreError>>,
    ) -> Result<Option<Vec<Progress>>, StoreError> {
        let mut elsewhere = false;
        for ((at, batch), outcome) in moving.iter().zip(outcomes) {
            match outcome? {
                Applied::Done => {
                    known[*at].lanes.extend(batch.moves.iter().map(|step| (step.lane, step.to)));
                    self.figures.counted(batch.clicks);
                }
                Applied::Elsewhere(_) => elsewhere = true,
            }
        }
        if elsewhere {
            self.figures.went_back();
            tracing::warn!("the store stands elsewhere than expected; going on from there");
        }
        Ok((!elsewhere).then_some(known))
    }

    /// Asks the store where it stands, and goes there if that is not where we believe it to be: it
    /// may have been brought back from an older copy while nobody clicked.
    ///
    /// # Errors
    /// The store's, the journal's.
    pub async fn verify(&mut self) -> Result<(), RollupError> {
        let found = self.store.progress(self.journal.node()).await?;
        let same = self.known.as_ref().is_some_and(|known| {
            known.iter().zip(&found).all(|(known, found)| known.lanes == found.lanes)
        });
        if !same {
            self.known = None;
        }
        Ok(())
    }

    /// Puts a reader into every lane that has none, where the furthest-back partition stands.
    fn open_lanes(&mut self, known: &[Progress]) -> io::Result<()> {
        for lane in self.journal.lanes() {
            if let std::collections::btree_map::Entry::Vacant(place) = self.readers.entry(lane) {
                place.insert(self.journal.reader(lane)).seek(floor(known, lane))?;
            }
        }
        Ok(())
    }

    /// Reads on in every lane, and sums up what each partition has not counted yet. Says whether
    /// there is more than fits a round.
    fn read_batches(&mut self, known: &[Progress]) -> io::Result<(Vec<Batch>, bool)> {
        self.open_lanes(known)?;
        let mut codes: HashMap<Box<str>, CodeClicks> = HashMap::new();
        let limit = ROUND_BYTES / self.readers.len().max(1);
        let store = &self.store;
        let mut behind = false;
        for (lane, reader) in &mut self.readers {
            let damaged = reader.damaged();
            behind |= reader.read(limit, |place, entry| {
                let Entry::Click(click) = entry else { return };
                add(&mut codes, &click, store, |partition| place >= at(&known[partition], *lane));
            })?;
            if reader.damaged() > damaged {
                let bytes = reader.damaged() - damaged;
                tracing::error!(
                    journal.lane = lane.0,
                    bytes,
                    "damaged bytes in the journal passed over"
                );
            }
        }
        Ok((self.batches(known, codes), behind))
    }

    fn batches(&self, known: &[Progress], codes: HashMap<Box<str>, CodeClicks>) -> Vec<Batch> {
        let moves = |progress: &Progress| {
            let steps = self.readers.iter().map(|(lane, reader)| Move {
                lane: *lane,
                from: at(progress, *lane),
                to: reader.position(),
            });
            steps.filter(|step| step.from < step.to).collect()
        };
        let mut batches: Vec<Batch> = known
            .iter()
            .map(|progress| Batch { moves: moves(progress), ..Batch::default() })
            .collect();
        for (code, clicks) in codes {
            // What is in the journal was a code when it was followed.
            let Ok(code) = Code::parse(&code) else { continue };
            let batch = &mut batches[clicks.partition];
            for (day, tally) in clicks.days {
                batch.clicks += tally.clicks();
                batch.links.insert((day, code.clone()), tally);
            }
        }
        batches
    }

    /// Removes from the journal what the store has counted for at least `keep`.
    ///
    /// # Errors
    /// The system's.
    pub fn discard(&mut self, now: Timestamp, keep: Duration) -> io::Result<()> {
        let Some(known) = &self.known else { return Ok(()) };
        let floors = self.readers.keys().map(|lane| (*lane, floor(known, *lane))).collect();
        self.milestones.push_back((now, floors));
        while let Some((since, _)) = self.milestones.front() {
            let age = now.duration_since(*since).unsigned_abs();
            if age < keep {
                break;
            }
            let Some((_, floors)) = self.milestones.pop_front() else { break };
            for (lane, position) in floors {
                if let Some(reader) = self.readers.get(&lane) {
                    reader.discard_before(position)?;
                }
            }
        }
        Ok(())
    }

    /// The node's account at this moment. Each figure is found by itself: `counted` is the store's,
    /// `accepted` and `pending` are counted in the journal.
    ///
    /// # Errors
    /// The store's, the journal's.
    pub async fn account(&self, now: Timestamp) -> Result<Account, RollupError> {
        let node = self.journal.node();
        let progress = self.store.progress(node).await?;
        let (mut accepted, mut pending) = (0, 0);
        for lane in self.journal.lanes() {
            let mut reader = self.reader_at(lane, floor(&progress, lane))?;
            reader.read(usize::MAX, |place, entry| {
                if let Entry::Click(click) = entry {
                    let partition = &progress[self.store.partition_of(click.code)];
                    pending += u64::from(place >= at(partition, lane));
                }
            })?;
            accepted += reader.counts().clicks;
        }
        let counted = progress.iter().map(|partition| partition.counted).sum();
        let lost = self.journal.counts().lost;
        let seen_at = to_the_millisecond(now);
        Ok(Account { node: node.clone(), accepted, counted, pending, lost, seen_at })
    }

    /// A reader at or before `position`: ours, if it has not gone past it.
    fn reader_at(&self, lane: Lane, position: Position) -> io::Result<Reader> {
        match self.readers.get(&lane) {
            Some(reader) if reader.position() <= position => reader.try_clone(),
            _ => {
                let mut reader = self.journal.reader(lane);
                reader.seek(position)?;
                Ok(reader)
            }
        }
    }
}

/// Adds a click to what its code gets, if `due` says that its partition has not counted it yet.
fn add(
    codes: &mut HashMap<Box<str>, CodeClicks>,
    click: &Click<'_>,
    store: &Store,
    due: impl Fn(usize) -> bool,
) {
    let partition = match codes.get(click.code) {
        Some(code) => code.partition,
        None => store.partition_of(click.code),
    };
    if !due(partition) {
        return;
    }
    let quarter = Quarter::of(click.at());
    let add_to = |code: &mut CodeClicks| {
        code.days.entry(quarter.day()).or_default().add(quarter.of_day(), 1);
    };
    match codes.get_mut(click.code) {
        Some(code) => add_to(code),
        None => add_to(
            codes
                .entry(click.code.into())
                .or_insert(CodeClicks { partition, days: BTreeMap::new() }),
        ),
    }
}

fn at(progress: &Progress, lane: Lane) -> Position {
    progress.lanes.get(&lane).copied().unwrap_or_default()
}

/// The place before which every partition has counted everything.
fn floor(known: &[Progress], lane: Lane) -> Position {
    known.iter().map(|progress| at(progress, lane)).min().unwrap_or_default()
}
