//! The thread that keeps the store at the end of the journal: a thin loop around
//! [`Rollup::round`].

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;

use super::Settings;
use super::archive::{Archived, Archiver};
use super::enrich::Enricher;
use super::figures::Figures;
use super::rollup::{Rollup, RollupError, Round};
use crate::model::tally::{Day, Quarter};
use crate::store::cached::Cached;
use crate::store::journal::Journal;
use crate::store::{Account, Keep, Position, Store, StoreError, Tallies as _};

/// How often a store that nobody clicks into is asked whether it still stands where it stood.
const VERIFY_EVERY: Duration = Duration::from_secs(1);
/// How often a node files its account while there are clicks, and while there are none. Whoever
/// asks a node for its own account gets that of the moment.
const FILE_EVERY: Duration = Duration::from_secs(5);
const FILE_IDLE_EVERY: Duration = Duration::from_secs(30);
/// How often rows that need not be kept are removed.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);
/// How long the stop waits for a store that does not answer. What is then left in the journal is
/// counted at the next start.
const FINISH_WITHIN: Duration = Duration::from_secs(5);
/// How long an archive that is behind may keep the counting waiting at a time.
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
        let store = links.store().clone();
        let archiver = Archiver::new(Arc::clone(&journal), &settings, figures.archive());
        let job = Job {
            rollup: Rollup::new(links, journal, settings.clone(), enricher, Arc::clone(&figures)),
            archiver,
            store,
            settings,
            figures: Arc::clone(&figures),
            filed: None,
            swept: None,
            waiting: Vec::new(),
            failing: false,
        };
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
    /// Who waits for the journal to be counted as far as it went when they asked.
    waiting: Vec<CatchUp>,
    /// Whether the last round failed: said once when it begins and once when it ends.
    failing: bool,
}

impl Job {
    async fn run(mut self, mut asked: mpsc::Receiver<Question>, mut stop: oneshot::Receiver<()>) {
        let mut tick = tokio::time::interval(self.settings.flush_interval);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut verified = Instant::now();
        loop {
            tokio::select! {
                _ = tick.tick() => {
                    let moved = self.catch_up(&mut asked).await;
                    self.archive(Instant::now() + ARCHIVE_WITHIN).await;
                    if !moved && verified.elapsed() >= VERIFY_EVERY {
                        verified = Instant::now();
                        self.verify().await;
                    }
                    self.keep_house(Timestamp::now()).await;
                }
                Some(question) = asked.recv() => {
                    self.answer(question).await;
                    if !self.waiting.is_empty() {
                        self.catch_up(&mut asked).await;
                    }
                }
                _ = &mut stop => break,
            }
        }
        self.finish().await;
    }

    /// Rounds until the store stands where the journal ended a moment ago: not at its very end,
    /// which moves on with every click. However far that is, who asks is answered in between. Says
    /// whether anything moved.
    async fn catch_up(&mut self, asked: &mut mpsc::Receiver<Question>) -> bool {
        let mut moved = false;
        loop {
            let round = self.round().await;
            moved |= matches!(round, Ok(Round::Behind | Round::Moved));
            match round {
                Ok(Round::Behind) => {}
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
            // One: whoever asks without pause does not stop the counting either.
            if let Ok(question) = asked.try_recv() {
                self.answer(question).await;
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

    /// Archives what there is, for as long as it may take. What is left waits in the journal.
    async fn archive(&mut self, deadline: Instant) {
        let Some(archiver) = &mut self.archiver else { return };
        loop {
            let salted = match archiver.round(self.rollup.enricher(), Timestamp::now()) {
                Ok(Archived::Behind) => true,
                Ok(Archived::NoSalt(day)) => {
                    self.rollup.fetch_salts(&BTreeSet::from([day])).await.is_ok()
                }
                Ok(Archived::CaughtUp) | Err(_) => return,
            };
            if !salted || Instant::now() >= deadline {
                return;
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

    /// Removes what need not be kept, and files the account when it is due.
    async fn keep_house(&mut self, now: Timestamp) {
        if self.failing {
            return;
        }
        let wanted_from = |lane| match &self.archiver {
            Some(archiver) => archiver.wanted_from(lane),
            None => Position(u64::MAX),
        };
        let keep = self.settings.keep_applied;
        if let Err(error) = self.rollup.discard(now, keep, wanted_from) {
            tracing::warn!(%error, "counted clicks can't be removed from the journal");
        }
        self.sweep(now).await;
        self.file_account(now).await;
    }

    /// Removes rows that are older than they need be.
    async fn sweep(&mut self, now: Timestamp) {
        if self.swept.is_some_and(|when| when.elapsed() < SWEEP_EVERY) {
            return;
        }
        let today = Quarter::of(now).day().0;
        let before = |days: Option<u32>| Day(days.map_or(0, |days| today.saturating_sub(days)));
        let keep = self.settings.keep();
        if keep == Keep::default() {
            return;
        }
        match self.store.sweep(before(keep.hours), before(keep.days)).await {
            Ok(()) => self.swept = Some(Instant::now()),
            Err(error) => tracing::warn!(%error, "old figures can't be removed"),
        }
    }

    /// Files the account when it is due.
    async fn file_account(&mut self, now: Timestamp) {
        let age = self.filed.as_ref().map(|(when, _)| when.elapsed());
        if age.is_some_and(|age| age < FILE_EVERY) {
            return;
        }
        let Ok(account) = self.rollup.account(now).await else { return };
        let unchanged = self.filed.as_ref().is_some_and(|(_, filed)| {
            Account { seen_at: filed.seen_at, ..account.clone() } == *filed
        });
        if unchanged && age.is_some_and(|age| age < FILE_IDLE_EVERY) {
            return;
        }
        if self.store.put_account(&account).await.is_ok() {
            self.filed = Some((Instant::now(), account));
        }
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
                    self.archive(deadline).await;
                    self.filed = None;
                    self.keep_house(Timestamp::now()).await;
                    return;
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
        tracing::warn!("the store did not take the last clicks; the next start will count them");
    }
}

/// A journal that can't be read is told as a store that can't be asked.
fn of_the_store(error: RollupError) -> StoreError {
    match error {
        RollupError::Store(error) => error,
        RollupError::Journal(error) => StoreError::Unavailable(error.to_string()),
    }
}
