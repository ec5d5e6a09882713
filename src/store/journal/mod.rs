//! The append-only click log of a node: what a redirect leaves behind before it is answered.
//!
//! ```text
//! journal/node                          who this node is, and how often it has started
//!         lock                          held by the process that writes here
//!         lane-000/000007-0000000000.log   run 7, from its byte 0 on
//!                 /000007-0033554432.log   the next segment of the same run
//!         lane-001/…
//! ```
//! One lane per worker: one writer, one order, no lock. A record that was handed to the system
//! survives the death of the process; [`Journal::sync`] makes it survive the loss of power. Each
//! start begins a new run in every lane, so that a place once applied is never written again, even
//! when the tail of an earlier run was lost with the power.

mod frame;
mod reader;
mod segment;
mod writer;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::ops::Add as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub use frame::Entry;
pub use reader::{Counts, READ_AT_ONCE, Reader};
pub use writer::Writer;

use super::{Lane, NodeId, Position};
use crate::model::code::random_text;
use segment::{Segment, Start};

/// Characters of a node's identity.
const NODE_ID_LENGTH: usize = 16;

/// A node's journal, open for writing. Of many processes one can have it.
pub struct Journal {
    shared: Arc<Shared>,
}

struct Shared {
    folder: PathBuf,
    node: NodeId,
    segment_size: u64,
    /// Whether every record is synced before its append returns.
    sync_each: bool,
    run: Mutex<u32>,
    lanes: Mutex<BTreeMap<Lane, LaneState>>,
    /// The segment of each lane up to which everything is synced.
    synced: Mutex<BTreeMap<Lane, Position>>,
    /// Clicks for which not even a lane could be opened.
    homeless: AtomicU64,
    /// Held for as long as the journal is open.
    _lock: Lock,
}

/// What is known of a lane while nobody, or somebody, writes to it.
struct LaneState {
    gauge: Arc<Gauge>,
    /// Where the next writer goes on; `None` while there is one.
    free: Option<Start>,
}

/// What a lane has taken in, ever. Written by its writer alone, read by anyone. Aligned so that no two
/// lanes share a cache line.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Gauge {
    /// Clicks written.
    accepted: AtomicU64,
    /// Clicks that could not be written.
    lost: AtomicU64,
}

impl Journal {
    /// Opens the journal in `folder`, or makes it, and begins a new run in each of its lanes.
    /// `segment_size` is in bytes.
    ///
    /// # Errors
    /// The system's; [`io::ErrorKind::WouldBlock`] when another process has it open.
    pub fn open(folder: &Path, segment_size: u64, sync_each: bool) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let lock = Lock::take(folder)?;
        let (node, run) = next_run_of(folder)?;
        let mut lanes = BTreeMap::new();
        for lane in lanes_in(folder)? {
            let counts = segment::counts_of_lane(&folder_of(folder, lane))?;
            lanes.insert(lane, LaneState::resting(Start { run, offset: 0, counts }));
            // The old run's last segment is now complete, whatever its end looks like.
            Segment::create(&folder_of(folder, lane), Start { run, offset: 0, counts })?;
        }
        let shared = Shared {
            folder: folder.to_owned(),
            node,
            segment_size,
            sync_each,
            run: Mutex::new(run),
            lanes: Mutex::new(lanes),
            synced: Mutex::default(),
            homeless: AtomicU64::new(0),
            _lock: lock,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Whose journal it is.
    #[must_use]
    pub fn node(&self) -> &NodeId {
        &self.shared.node
    }

    /// A writer with a lane of its own.
    ///
    /// # Errors
    /// The system's, when a new lane or segment can't be made.
    pub fn writer(&self) -> io::Result<Writer> {
        let (lane, start, gauge) = self.shared.take_lane()?;
        Writer::open(Arc::clone(&self.shared), lane, start, gauge)
    }

    /// The lanes there are.
    #[must_use]
    pub fn lanes(&self) -> Vec<Lane> {
        self.shared.lanes().keys().copied().collect()
    }

    /// A reader of one lane, at its beginning.
    #[must_use]
    pub fn reader(&self, lane: Lane) -> Reader {
        Reader::new(folder_of(&self.shared.folder, lane))
    }

    /// Counts a click that could not be written because there was no lane to write to.
    pub fn count_loss(&self) {
        self.shared.homeless.fetch_add(1, Ordering::Relaxed);
    }

    /// What all lanes have taken in, ever.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let homeless = self.shared.homeless.load(Ordering::Relaxed);
        let lanes = self.shared.lanes();
        lanes
            .values()
            .map(|lane| lane.gauge.counts())
            .fold(Counts { clicks: 0, lost: homeless }, Counts::add)
    }

    /// Makes everything appended so far survive a loss of power.
    ///
    /// # Errors
    /// The system's.
    pub fn sync(&self) -> io::Result<()> {
        let mut synced = self.shared.synced.lock().unwrap_or_else(PoisonError::into_inner);
        for lane in self.lanes() {
            let folder = folder_of(&self.shared.folder, lane);
            let done = synced.entry(lane).or_default();
            for segment in segment::list(&folder)? {
                if segment.position() < *done {
                    continue;
                }
                File::open(&segment.path)?.sync_data()?;
                if segment.position() > *done {
                    // A new file's name must survive as well.
                    File::open(&folder)?.sync_all()?;
                    *done = segment.position();
                }
            }
        }
        Ok(())
    }

    /// Bytes of all segments on the disk.
    #[must_use]
    pub fn size(&self) -> u64 {
        let folders = self.lanes().into_iter().map(|lane| folder_of(&self.shared.folder, lane));
        let segments = folders.flat_map(|folder| segment::list(&folder).unwrap_or_default());
        segments.filter_map(|s| fs::metadata(s.path).ok()).map(|meta| meta.len()).sum()
    }
}

impl Shared {
    fn lanes(&self) -> std::sync::MutexGuard<'_, BTreeMap<Lane, LaneState>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A lane that nobody writes to: an old one, or a new one.
    fn take_lane(&self) -> io::Result<(Lane, Start, Arc<Gauge>)> {
        let run = *self.run.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lanes = self.lanes();
        for (lane, state) in lanes.iter_mut() {
            if let Some(start) = state.free.take() {
                return Ok((*lane, start, Arc::clone(&state.gauge)));
            }
        }
        let next = lanes.keys().next_back().map_or(0, |lane| lane.0 + 1);
        let (lane, start) = (Lane(next), Start { run, ..Start::default() });
        fs::create_dir_all(folder_of(&self.folder, lane))?;
        Segment::create(&folder_of(&self.folder, lane), start)?;
        let mut state = LaneState::resting(start);
        state.free = None;
        let gauge = Arc::clone(&state.gauge);
        lanes.insert(lane, state);
        Ok((lane, start, gauge))
    }

    fn give_lane_back(&self, lane: Lane, start: Start) {
        if let Some(state) = self.lanes().get_mut(&lane) {
            state.free = Some(start);
        }
    }

    /// A run number that was never used, for a lane that has come to the end of its own.
    fn next_run(&self) -> io::Result<u32> {
        let mut run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        write_identity(&self.folder, &self.node, *run + 1)?;
        *run += 1;
        Ok(*run)
    }
}

impl LaneState {
    fn resting(start: Start) -> Self {
        let gauge = Gauge {
            accepted: AtomicU64::new(start.counts.clicks),
            lost: AtomicU64::new(start.counts.lost),
        };
        Self { gauge: Arc::new(gauge), free: Some(start) }
    }
}

impl Gauge {
    /// What the lane has taken in, ever.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            clicks: self.accepted.load(Ordering::Relaxed),
            lost: self.lost.load(Ordering::Relaxed),
        }
    }
}

/// Says that a process writes to the journal. The system lets go of it when the process dies.
struct Lock(File);

impl Lock {
    fn take(folder: &Path) -> io::Result<Self> {
        let path = folder.join("lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
        file.try_lock().map_err(|e| match e {
            fs::TryLockError::Error(e) => e,
            fs::TryLockError::WouldBlock => io::Error::new(
                io::ErrorKind::WouldBlock,
                format!("another process writes to {}", folder.display()),
            ),
        })?;
        Ok(Self(file))
    }
}

impl Drop for Lock {
    /// Closing the file is not enough: a program that is being started has all files of this
    /// process open, and the lock with them, from its fork until its exec.
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "the journal's lock is held until all have closed its file");
        }
    }
}

/// The node's identity and the number of the run that begins now.
fn next_run_of(folder: &Path) -> io::Result<(NodeId, u32)> {
    let (node, run) = match fs::read_to_string(folder.join("node")) {
        Ok(text) => parse_identity(&text).ok_or_else(|| {
            let place = folder.join("node");
            let text = format!("{} is damaged: give it back its `node` and `run`", place.display());
            io::Error::new(io::ErrorKind::InvalidData, text)
        })?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            (NodeId(random_text(NODE_ID_LENGTH).to_ascii_lowercase()), 0)
        }
        Err(e) => return Err(e),
    };
    write_identity(folder, &node, run + 1)?;
    Ok((node, run + 1))
}

fn parse_identity(text: &str) -> Option<(NodeId, u32)> {
    let (node, run) = text.trim_end().split_once(' ')?;
    let named = node.len() == NODE_ID_LENGTH && node.bytes().all(|b| b.is_ascii_alphanumeric());
    named.then_some((NodeId(node.to_owned()), run.parse().ok()?))
}

/// Written aside, synced and renamed: after a crash there is the old text or the new one.
fn write_identity(folder: &Path, node: &NodeId, run: u32) -> io::Result<()> {
    let aside = folder.join("node.new");
    let mut file = File::create(&aside)?;
    writeln!(file, "{} {run}", node.0)?;
    file.sync_all()?;
    fs::rename(aside, folder.join("node"))?;
    File::open(folder)?.sync_all()
}

fn folder_of(folder: &Path, lane: Lane) -> PathBuf {
    folder.join(format!("lane-{:03}", lane.0))
}

fn lanes_in(folder: &Path) -> io::Result<Vec<Lane>> {
    let mut lanes = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("lane-"));
        lanes.extend(number.and_then(|number| number.parse().ok()).map(Lane));
    }
    lanes.sort_unstable();
    Ok(lanes)
}

#[cfg(test)]
mod tests;
