//! Files into batches, on a thread of its own: reading goes on while the service works.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use anyhow::Context;
use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::unpack::{Input, Unpacked, each_text};
use crate::service::transfer::import::MAX_LINES;
use crate::service::transfer::reader::{Content, Entry, Format, Manner, Reader, Refusal};

/// Bytes in one request: with one more line of JSON, less than the service's 16 MiB.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// What is to be read, and how.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) inputs: Vec<Input>,
    /// None: each file tells its own.
    pub(super) format: Option<Format>,
    pub(super) manner: Manner,
}

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// Which text.
    pub(super) source: Arc<str>,
    /// Which of its lines, from 1.
    pub(super) line: u64,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {} of {}", self.line, self.source)
    }
}

/// Lines that go to the service together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// The request's body.
    pub(super) body: Bytes,
    /// Where each of its lines comes from.
    pub(super) origins: Vec<Origin>,
    /// What the reader refused, and how many lines of the body stand before it.
    pub(super) refused: Vec<(usize, Origin, String)>,
    /// Hashes of the codes in it.
    pub(super) codes: HashSet<u64>,
    /// Whether something in it is no link, so that the order may matter to what stands around it.
    pub(super) alone: bool,
    /// Where it ends.
    pub(super) end: Option<Origin>,
    /// Bytes of all inputs that were read by then.
    pub(super) read: u64,
}

/// Begins to read. Batches come in order; after an error, nothing comes.
///
/// # Errors
/// When the system gives no thread.
pub(super) fn read(
    plan: Plan,
) -> anyhow::Result<(mpsc::Receiver<anyhow::Result<Batch>>, JoinHandle<()>)> {
    let (send, batches) = mpsc::channel(1);
    let reader = thread::Builder::new().name("reader".to_owned()).spawn(move || {
        let mut packer = Packer { send, body: Vec::new(), batch: Batch::default() };
        if let Err(error) = packer.read_all(&plan)
            && !error.is::<NobodyListens>()
        {
            // Whoever has stopped listening knows why.
            _ = packer.flush();
            _ = packer.send.blocking_send(Err(error));
        }
    });
    Ok((batches, reader.context("the system gives no thread to read with")?))
}

/// The import has ended before the input.
#[derive(Debug, thiserror::Error)]
#[error("the import has ended")]
struct NobodyListens;

/// Puts entries into batches.
struct Packer {
    send: mpsc::Sender<anyhow::Result<Batch>>,
    body: Vec<u8>,
    batch: Batch,
}

impl Packer {
    fn read_all(&mut self, plan: &Plan) -> anyhow::Result<()> {
        let read = Arc::new(AtomicU64::new(0));
        for input in &plan.inputs {
            let mut manner = plan.manner.clone();
            manner.clicks_at = manner.clicks_at.or_else(|| changed_at(input));
            each_text(input, &read, |text| self.read_text(text, plan.format, &manner, &read))?;
        }
        self.flush()
    }

    fn read_text(
        &mut self,
        Unpacked { name, head, text }: Unpacked<'_>,
        format: Option<Format>,
        manner: &Manner,
        read: &AtomicU64,
    ) -> anyhow::Result<()> {
        let source: Arc<str> = name.into();
        let mut line = 0;
        let broken = |line: u64| format!("{source} breaks off or is damaged after line {line}");
        let mut reader = match format.map_or_else(|| Format::of(&head), Ok) {
            Err(refusal) => return self.refuse(&source, refusal),
            Ok(format) => match Reader::open(format, &head, text, manner) {
                Err(error) => return Err(error).with_context(|| broken(line)),
                Ok(Err(refusal)) => return self.refuse(&source, refusal),
                Ok(Ok(reader)) => reader,
            },
        };
        while let Some(entry) = reader.advance().with_context(|| broken(line))? {
            self.batch.read = read.load(Ordering::Relaxed);
            match entry {
                Ok(entry) => {
                    line = entry.line;
                    self.add(&source, entry)?;
                }
                Err(refusal) => {
                    line = refusal.line;
                    self.refuse(&source, refusal)?;
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, source: &Arc<str>, Entry { line, content }: Entry) -> anyhow::Result<()> {
        match content {
            Content::Link(link) => {
                self.batch.codes.insert(hash(&link.code));
                serde_json::to_writer(&mut self.body, &*link)?;
            }
            Content::Json { text, code } => {
                match code {
                    Some(code) => _ = self.batch.codes.insert(hash(&code)),
                    None => self.batch.alone = true,
                }
                self.body.extend_from_slice(text.as_bytes());
            }
        }
        self.body.push(b'\n');
        self.batch.origins.push(Origin { source: Arc::clone(source), line });
        self.flush_if_full()
    }

    fn refuse(&mut self, source: &Arc<str>, refusal: Refusal) -> anyhow::Result<()> {
        let origin = Origin { source: Arc::clone(source), line: refusal.line };
        self.batch.refused.push((self.batch.origins.len(), origin, refusal.reason));
        self.flush_if_full()
    }

    fn flush_if_full(&mut self) -> anyhow::Result<()> {
        let full = self.batch.origins.len() == MAX_LINES
            || self.body.len() >= BATCH_BYTES
            || self.batch.refused.len() == MAX_LINES;
        if full { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        let mut batch = std::mem::take(&mut self.batch);
        let refused = batch.refused.last().map(|(before, origin, _)| (*before, origin));
        let after_all = refused.filter(|(before, _)| *before == batch.origins.len());
        batch.end = after_all.map(|(_, origin)| origin).or(batch.origins.last()).cloned();
        if batch.end.is_none() {
            return Ok(());
        }
        let length = self.body.len();
        batch.body = std::mem::replace(&mut self.body, Vec::with_capacity(length)).into();
        self.send.blocking_send(Ok(batch)).map_err(|_| NobodyListens.into())
    }
}

/// A code as it is compared with others. Two with one hash wait for each other needlessly; that is all.
fn hash(code: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    code.hash(&mut hasher);
    hasher.finish()
}

/// When a file was written: its clicks were counted by then.
fn changed_at(input: &Input) -> Option<Timestamp> {
    let Input::File(path) = input else { return None };
    Timestamp::try_from(fs::metadata(path).ok()?.modified().ok()?).ok()
}
