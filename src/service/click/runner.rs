//! The thread that keeps the store at the end of the journal: a thin loop around
//! [`Rollup::round`].

mod house;

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Interval, MissedTickBehavior};

use super::Settings;
use super::archive::{Archived, Archiver};
use super::enrich::Enricher;
use super::figures::Figures;
use super::rollup::{Rollup, RollupError, Round};
use crate::store::cached::Cached;
use crate::store::journal::Journal;
use crate::store::{Account, Store, StoreError};

/// How often a store that nobody clicks into is asked whether it still stands where it stood.
const VERIFY_EVERY: Duration = Duration::from_secs(1);
/// After so many clicks or more the counting rests: fewer are soon counted again, and whoever looks at
/// them waits for each. A slow disk is no reason to let them wait.
const MANY: u64 = 1_000;
/// It rests so many times as long as it took: it takes a seventeenth of a core at most, unless it is
/// behind, and on a busy site many clicks share the reading and writing of a row.
const REST: u32 = 16;
/// But no longer than this.
const LONGEST_REST: Duration = Duration::from_secs(5);
/// How long the stop waits for a store that does not answer. What is then left in the journal is
/// counted at the next start.
const FINISH_WITHIN: Duration = Duration::from_secs(5);
/// How long a journal that is far ahead is counted at a time, before everything else has its turn;
/// and how long an archive that is behind may keep the counting waiting.
const COUNT_WITHIN: Duration = Duration::from_millis(250);
const ARCHIVE_WITHIN: Duration = Duration::from_millis(250);

/// What the running roll-up is asked for.
enum Question {
    /// The node's account.
    Account(oneshot::Sender<Result<Account, StoreError>>),
    /// That everything be counted which is in the journal now.
    CatchUp(CatchUp),
}

type CatchUp = oneshot::Sender<Result<(), StoreError>>;

/// A way to ask the running roll-up of this node.
#[derive(Clone)]
pub struct Auditor(mpsc::Sender<Question>);

/// The running roll-up. [`Runner::finish`] ends it.
pub struct Runner {
    questions: mpsc::Sender<Question>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
    figures: Arc<Figures>,
}

impl Auditor {
    /// The node's account at this moment.
    ///
    /// # Errors
    /// The store's, when it does not answer.
    pub async fn account(&self) -> Result<Account, StoreError> {
        self.ask(Question::Account).await
    }

    /// Waits until everything is counted that is in this node's journal now.
    ///
    /// # Errors
    /// The store's or the journal's, when it can't be.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        self.ask(Question::CatchUp).await
    }

    async fn ask<T>(
        &self,
        question: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Question,
    ) -> Result<T, StoreError> {
        let gone = || StoreError::Unavailable("the service is stopping".into());
        let (tell, told) = oneshot::channel();
        self.0.send(question(tell)).await.map_err(|_| gone())?;
        told.await.map_err(|_| gone())?
    }
}

#[cfg(test)]
impl Auditor {
    /// One whose questions nobody answers, and a way to turn down the oldest that waits: whether there
    /// was one.
    pub(in crate::service) fn unanswered() -> (Self, impl FnMut() -> bool) {
        let (questions, mut asked) = mpsc::channel(16);
        (Self(questions), move || asked.try_recv().map(drop).is_ok())
    }
}

impl Runner {
    /// Starts the roll-up of `journal` into `store` on a thread of its own.
    ///
    /// # Errors
    /// The system's, when there is no thread to be had.
    pub fn start(
        links: Cached,
        journal: Arc<Journal>,
        settings: Settings,
        enricher: Enricher,
    ) -> io::Result<Self> {
        let (questions, asked) = mpsc::channel(16);
        let (stop, stopped) = oneshot::channel();
        let figures = Arc::new(Figures::default());
        let job = Job::new(links, journal, settings, enricher, Arc::clone(&figures));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new()
            .name("rollup".into())
            .spawn(move || runtime.block_on(job.run(asked, stopped)))?;
        Ok(Self { questions, stop, thread, figures })
    }

    /// A way to ask it something.
    #[must_use]
    pub fn auditor(&self) -> Auditor {
        Auditor(self.questions.clone())
    }

    /// What the roll-up has done so far.
    #[must_use]
    pub fn figures(&self) -> Arc<Figures> {
        Arc::clone(&self.figures)
    }

    /// Counts the tail of the journal and ends. To be called when nobody writes to it any more.
    pub async fn finish(self) {
        if self.stop.send(()).is_err() {
            tracing::error!("the roll-up had ended before it was told to");
        }
        let joined = tokio::task::spawn_blocking(move || self.thread.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the roll-up ended badly; the journal keeps what it has not counted");
        }
    }
}

/// How long to rest after counting so many clicks: the longer it took, the more shall share the next
/// time.
fn rest(clicks: u64, took: Duration, interval: Duration) -> Duration {
    let rest = if clicks < MANY { Duration::ZERO } else { (took * REST).min(LONGEST_REST) };
    interval.max(rest)
}

struct Job {
    rollup: Rollup,
    /// If an archive is kept.
    archiver: Option<Archiver>,
    store: Store,
    settings: Settings,
    figures: Arc<Figures>,
    /// The last account filed, and when.
    filed: Option<(Instant, Account)>,
    /// When rows were swept away last.
    swept: Option<Instant>,
    /// Not before this are secrets of visitors forgotten again.
    forget_after: Option<Instant>,
    /// Who waits for the journal to be counted as far as it went when they asked.
    waiting: Vec<CatchUp>,
    /// Whether the time was over before the end of the journal was reached.
    behind: bool,
    /// Whether the last round failed: said once when it begins and once when it ends.
    failing: bool,
}

impl Job {
    fn new(
        links: Cached,
        journal: Arc<Journal>,
        settings: Settings,
        enricher: Enricher,
        figures: Arc<Figures>,
    ) -> Self {
        let store = links.store().clone();
        let archiver = Archiver::new(Arc::clone(&journal), &settings, figures.archive());
        Self {
            rollup: Rollup::new(links, journal, settings.clone(), enricher, Arc::clone(&figures)),
            archiver,
            store,
            settings,
            figures,
            filed: None,
            swept: None,
            forget_after: None,
            waiting: Vec::new(),
            behind: false,
            failing: false,
        }
    }

    async fn run(mut self, mut asked: mpsc::Receiver<Question>, mut stop: oneshot::Receiver<()>) {
        let mut tick = tokio::time::interval(self.settings.flush_interval);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut verified = Instant::now();
        loop {
            let behind = self.behind;
            tokio::select! {
                // The stop first. Whoever asks is answered in each turn as well.
                biased;
                _ = &mut stop => break,
                () = turn(&mut tick, behind) => {
                    let (started, before) = (Instant::now(), self.figures.snapshot().counted);
                    let moved = self.catch_up(&mut asked, COUNT_WITHIN).await;
                    let clicks = self.figures.snapshot().counted - before;
                    tick.reset_after(rest(clicks, started.elapsed(), self.settings.flush_interval));
                    let archived = self.archive(Instant::now() + ARCHIVE_WITHIN).await;
                    if !moved && verified.elapsed() >= VERIFY_EVERY {
                        verified = Instant::now();
                        self.verify().await;
                    }
                    self.keep_house(Timestamp::now(), archived).await;
                }
                Some(question) = asked.recv() => {
                    self.answer(question).await;
                    if !self.waiting.is_empty() {
                        self.catch_up(&mut asked, COUNT_WITHIN).await;
                    }
                }
            }
        }
        self.finish().await;
    }

    /// Rounds until the store stands where the journal ended a moment ago: not at its very end,
    /// which moves on with every click. Who asks is answered in between. If that takes longer than
    /// `within`, the rest is left to the next turn. Says whether anything moved.
    async fn catch_up(&mut self, asked: &mut mpsc::Receiver<Question>, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        let mut moved = false;
        loop {
            // One: whoever asks without pause does not stop the counting either.
            if let Ok(question) = asked.try_recv() {
                self.answer(question).await;
            }
            let round = self.round().await;
            moved |= matches!(round, Ok(Round::Behind | Round::Moved));
            self.behind = matches!(round, Ok(Round::Behind));
            match round {
                Ok(Round::Behind) if Instant::now() < deadline => {}
                Ok(Round::Behind) => return moved,
                Ok(Round::Moved | Round::Idle) => {
                    self.figures.caught_up(Timestamp::now());
                    self.release(&Ok(()));
                    return moved;
                }
                Err(error) => {
                    self.release(&Err(of_the_store(error)));
                    return moved;
                }
            }
        }
    }

    /// Answers at once, or puts the question where the end of catching up answers it.
    async fn answer(&mut self, question: Question) {
        match question {
            // Who asked may have gone.
            Question::Account(tell) => drop(tell.send(self.account(Timestamp::now()).await)),
            Question::CatchUp(tell) => self.waiting.push(tell),
        }
    }

    /// Tells all who wait for the journal to be counted.
    fn release(&mut self, outcome: &Result<(), StoreError>) {
        for tell in self.waiting.drain(..) {
            drop(tell.send(outcome.clone()));
        }
    }

    /// Archives what there is, for as long as it may take. What is left waits in the journal. Says
    /// whether nothing is.
    async fn archive(&mut self, deadline: Instant) -> bool {
        let Some(archiver) = &mut self.archiver else { return true };
        loop {
            let now = Timestamp::now();
            let salted = match archiver.round(self.rollup.enricher(), now) {
                Ok(Archived::Behind) => true,
                Ok(Archived::NoSalt(day)) => {
                    self.rollup.fetch_salts(&BTreeSet::from([day]), now).await.is_ok()
                }
                Ok(Archived::CaughtUp) => return true,
                Err(_) => return false,
            };
            if !salted || Instant::now() >= deadline {
                return false;
            }
        }
    }

    async fn round(&mut self) -> Result<Round, RollupError> {
        let started = Instant::now();
        let outcome = self.rollup.round(Timestamp::now()).await;
        match &outcome {
            Ok(Round::Behind | Round::Moved) => self.figures.round(started.elapsed()),
            Ok(Round::Idle) => {}
            Err(_) => self.figures.failed(),
        }
        self.tell(outcome.as_ref().err());
        outcome
    }

    async fn verify(&mut self) {
        if let Err(error) = self.rollup.verify().await {
            self.figures.failed();
            self.tell(Some(&error));
        }
    }

    fn tell(&mut self, failure: Option<&RollupError>) {
        match failure {
            Some(error) if !self.failing => {
                tracing::warn!(%error, "clicks wait in the journal until the store takes them");
            }
            None if self.failing => tracing::info!("the store takes clicks again"),
            _ => {}
        }
        self.failing = failure.is_some();
    }

    async fn account(&self, now: Timestamp) -> Result<Account, StoreError> {
        self.rollup.account(now).await.map_err(of_the_store)
    }

    async fn finish(&mut self) {
        let deadline = Instant::now() + FINISH_WITHIN;
        while Instant::now() < deadline {
            match self.round().await {
                Ok(Round::Behind | Round::Moved) => {}
                Ok(Round::Idle) => {
                    self.behind = false;
                    let archived = self.archive(deadline).await;
                    self.filed = None;
                    self.keep_house(Timestamp::now(), archived).await;
                    return;
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
        tracing::warn!("the store did not take the last clicks; the next start will count them");
    }
}

/// Waits until there is something to be done again: at once for who is behind.
async fn turn(tick: &mut Interval, behind: bool) {
    if !behind {
        tick.tick().await;
    }
}

/// A journal that can't be read is told as a store that can't be asked.
fn of_the_store(error: RollupError) -> StoreError {
    match error {
        RollupError::Store(error) => error,
        RollupError::Journal(error) => StoreError::Unavailable(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
