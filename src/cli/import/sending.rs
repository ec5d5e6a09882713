//! Batches to the service: several at a time, but never two that hold the same code, so that of two
//! lines with one code the first one comes first.

use std::collections::{HashSet, VecDeque};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;
use reqwest::StatusCode;
use serde::Deserialize as _;
use tokio::sync::mpsc;

use super::answer::Answer;
use super::batches::{Batch, Origin};
use super::progress::Progress;
use super::report::Report;
use crate::cli::client::{Client, ClientError};

/// Requests that are under way at once: those that the embedded store writes together, and as many
/// that the service reads meanwhile.
const AT_ONCE: usize = 12;
/// How long to wait before a batch is sent again: a service that restarts is back by then.
const WAITS: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// What becomes of a line whose code leads elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum OnConflict {
    /// Keep what is there, and report the line
    Keep,
    /// Put the line's link in its place
    Replace,
    /// Stop there
    Fail,
}

impl OnConflict {
    fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Replace => "replace",
            Self::Fail => "fail",
        }
    }
}

/// An import under way.
pub(super) struct Sending<'a> {
    pub(super) client: &'a Client,
    pub(super) on_conflict: OnConflict,
    pub(super) dry_run: bool,
    pub(super) report: Report,
    pub(super) progress: Progress,
    /// Up to where all is answered.
    pub(super) done: Option<Origin>,
}

/// What is under way.
struct Held {
    codes: HashSet<u64>,
    alone: bool,
}

impl Sending<'_> {
    /// Sends all that comes, until the end or the first error.
    ///
    /// # Errors
    /// When the input can't be read, or the service can't be reached or refuses a batch as a whole.
    pub(super) async fn run(
        &mut self,
        mut batches: mpsc::Receiver<anyhow::Result<Batch>>,
        reader: JoinHandle<()>,
    ) -> anyhow::Result<()> {
        let progress = self.progress.clone();
        let post = Post { client: self.client, query: self.query(), progress };
        let mut under_way = FuturesOrdered::new();
        let mut held: VecDeque<Held> = VecDeque::new();
        let mut waiting: Option<Batch> = None;
        let mut ended = None;
        let at_once = if self.on_conflict == OnConflict::Fail { 1 } else { AT_ONCE };
        loop {
            if let Some(mut batch) =
                waiting.take_if(|batch| held.len() < at_once && may_join(batch, &held))
            {
                let codes = std::mem::take(&mut batch.codes);
                held.push_back(Held { codes, alone: batch.alone });
                under_way.push_back(post.deliver(batch));
            }
            tokio::select! {
                Some((batch, answer)) = under_way.next(), if !under_way.is_empty() => {
                    held.pop_front();
                    self.settle(batch, answer)?;
                    if self.report.stopped {
                        return Ok(());
                    }
                }
                batch = batches.recv(), if ended.is_none() && waiting.is_none() => match batch {
                    Some(Ok(batch)) => waiting = Some(batch),
                    Some(Err(error)) => ended = Some(Err(error)),
                    None => ended = Some(Ok(())),
                },
                else => break,
            }
        }
        ended.unwrap_or(Ok(()))?;
        match reader.join() {
            Ok(()) => Ok(()),
            Err(_) => bail!("the input can't be read: it is damaged{}", self.standing()),
        }
    }

    fn query(&self) -> [(&'static str, &'static str); 2] {
        let dry_run = if self.dry_run { "true" } else { "false" };
        [("on_conflict", self.on_conflict.word()), ("dry_run", dry_run)]
    }

    fn settle(&mut self, batch: Batch, answer: Result<Answer, ClientError>) -> anyhow::Result<()> {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let standing = self.standing();
                return Err(error).context(format!("the import stopped{standing}"));
            }
        };
        let (end, read) = (batch.end.clone(), batch.read);
        self.report.take(batch, answer)?;
        self.done = end;
        self.progress.advance(self.report.lines(), read);
        Ok(())
    }

    /// Where it stands, and how to go on, as it follows a sentence.
    pub(super) fn standing(&self) -> String {
        let again = "run the same command again to go on, nothing is imported twice";
        match &self.done {
            Some(origin) => format!("; all up to {origin} is done: {again}"),
            None => format!("; nothing is known to be done yet: {again}"),
        }
    }
}

/// Whether a batch may be under way beside these.
fn may_join(batch: &Batch, held: &VecDeque<Held>) -> bool {
    let apart = |other: &Held| !other.alone && other.codes.is_disjoint(&batch.codes);
    held.is_empty() || (!batch.alone && held.iter().all(apart))
}

/// How batches are handed in.
struct Post<'a> {
    client: &'a Client,
    query: [(&'static str, &'static str); 2],
    progress: Progress,
}

impl Post<'_> {
    /// Hands a batch in, more than once if need be: whatever of it is there already stays as it is.
    async fn deliver(&self, batch: Batch) -> (Batch, Result<Answer, ClientError>) {
        let mut waits = WAITS.into_iter();
        loop {
            let answer = self.attempt(&batch).await;
            match answer {
                Err(error) if may_pass(&error) => {
                    let Some(wait) = waits.next() else { return (batch, Err(error)) };
                    if wait == WAITS[0] {
                        self.progress.note(&format!("note: {error}; trying again"));
                    }
                    tokio::time::sleep(wait).await;
                }
                answer => return (batch, answer),
            }
        }
    }

    async fn attempt(&self, batch: &Batch) -> Result<Answer, ClientError> {
        if batch.body.is_empty() {
            return Ok(Answer::default());
        }
        let body = batch.body.clone();
        let answer = self.client.post_lines("/api/v1/import", &self.query, body).await?;
        Answer::deserialize(&answer).map_err(|_| self.client.strange(StatusCode::OK))
    }
}

/// Whether it may be otherwise in a moment.
fn may_pass(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. } => true,
        ClientError::Refused(problem) => matches!(problem.status, 429 | 503),
        ClientError::Strange { status, .. } => matches!(status.as_u16(), 502..=504),
    }
}
