//! What the roll-up's thread does beside the counting: it removes what need not be kept, and files the
//! account.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::super::clock;
use super::Job;
use crate::model::tally::{Day, Quarter};
use crate::store::{Account, Keep, Position, StoreError, Tallies as _};

/// How often a node files its account while there are clicks; and while there are none, or so many
/// that walking through them takes its time. Whoever asks a node for its own account gets that of the
/// moment.
const FILE_EVERY: Duration = Duration::from_secs(5);
const FILE_SELDOM_EVERY: Duration = Duration::from_secs(30);
/// How often rows that need not be kept are removed.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);
/// How often the secrets of days long ago are forgotten, and when that is tried again.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);
const FORGET_AGAIN: Duration = Duration::from_secs(60);

impl Job {
    /// Removes what need not be kept, and files the account when it is due. `archived`: nothing waits
    /// for the archive.
    pub(super) async fn keep_house(&mut self, now: Timestamp, archived: bool) {
        if self.failing {
            return;
        }
        let wanted_from = |lane| match &self.archiver {
            Some(archiver) => archiver.wanted_from(lane),
            None => Position(u64::MAX),
        };
        let keep = self.settings.keep_applied;
        if let Err(error) = self.rollup.discard(Instant::now(), keep, wanted_from) {
            tracing::warn!(%error, "counted clicks can't be removed from the journal");
        }
        if archived && !self.behind {
            self.forget_salts(now).await;
        }
        self.sweep(now).await;
        self.file_account(now).await;
    }

    /// Forgets the secrets of days long ago, also when nobody clicks any more.
    async fn forget_salts(&mut self, now: Timestamp) {
        if self.forget_after.is_some_and(|after| Instant::now() < after) {
            return;
        }
        let pause = match self.rollup.forget_salts(now).await {
            Ok(()) => FORGET_EVERY,
            Err(error) => {
                tracing::warn!(%error, "the secrets of old visitors can't be forgotten yet");
                FORGET_AGAIN
            }
        };
        self.forget_after = Some(Instant::now() + pause);
    }

    /// Removes some of the rows that are older than they need be. The others have their turn later.
    async fn sweep(&mut self, now: Timestamp) {
        let keep = self.settings.keep();
        let swept = self.swept.is_some_and(|when| when.elapsed() < SWEEP_EVERY);
        if swept || keep == Keep::default() {
            return;
        }
        match self.sweep_piece(Quarter::of(now).day(), keep).await {
            Ok(true) => {}
            Ok(false) => self.swept = Some(Instant::now()),
            Err(error) => tracing::warn!(%error, "old figures can't be removed"),
        }
    }

    async fn sweep_piece(&self, today: Day, keep: Keep) -> Result<bool, StoreError> {
        let today = clock::believed_by(&self.store, today).await?;
        let before = |days: Option<u32>| Day(days.map_or(0, |days| today.0.saturating_sub(days)));
        self.store.sweep(before(keep.hours), before(keep.days)).await
    }

    /// Files the account when it is due.
    async fn file_account(&mut self, now: Timestamp) {
        let age = self.filed.as_ref().map(|(when, _)| when.elapsed());
        let every = if self.behind { FILE_SELDOM_EVERY } else { FILE_EVERY };
        if age.is_some_and(|age| age < every) {
            return;
        }
        let Ok(account) = self.rollup.account(now).await else { return };
        let unchanged = self.filed.as_ref().is_some_and(|(_, filed)| {
            Account { seen_at: filed.seen_at, ..account.clone() } == *filed
        });
        if unchanged && age.is_some_and(|age| age < FILE_SELDOM_EVERY) {
            return;
        }
        if self.store.put_account(&account).await.is_ok() {
            self.filed = Some((Instant::now(), account));
        }
    }
}
