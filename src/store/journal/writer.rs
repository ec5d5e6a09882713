//! The writing end of a lane: one append per click, one system call, no lock.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::segment::{HEADER, LAST_OFFSET, Segment, Start};
use super::{Counts, Gauge, Shared, folder_of, frame};
use crate::model::click::Click;
use crate::store::Lane;
use crate::store::journal::Entry;

/// Appends to one lane. Giving it up gives the lane to the next writer.
pub struct Writer {
    shared: Arc<Shared>,
    lane: Lane,
    gauge: Arc<Gauge>,
    file: File,
    /// Where the open segment begins.
    start: Start,
    /// Bytes of whole records in the open segment.
    written: u64,
    /// Losses that the journal itself does not know of yet.
    unwritten_losses: u64,
    /// Whether the open segment ends in bytes that could not be taken back.
    spoilt: bool,
    /// Whether the last sync failed: said once, not for every click.
    unsynced: bool,
    buffer: Vec<u8>,
}

impl Writer {
    pub(super) fn open(
        shared: Arc<Shared>,
        lane: Lane,
        start: Start,
        gauge: Arc<Gauge>,
    ) -> io::Result<Self> {
        let opened = Segment::create(&folder_of(&shared.folder, lane), start);
        if opened.is_err() {
            shared.give_lane_back(lane, start);
        }
        let buffer = Vec::with_capacity(256);
        let file = opened?;
        Ok(Self {
            shared,
            lane,
            gauge,
            file,
            start,
            written: 0,
            unwritten_losses: 0,
            spoilt: false,
            unsynced: false,
            buffer,
        })
    }

    /// Appends a click. When this returns `Ok`, the death of the process can't undo it.
    ///
    /// # Errors
    /// The system's, most likely a full disk. The click is then counted as lost, and the lane stays
    /// as if it had never been tried.
    pub fn append(&mut self, click: &Click<'_>) -> io::Result<()> {
        let outcome = self.try_append(&Entry::Click(*click));
        let counter = if outcome.is_ok() {
            &self.gauge.accepted
        } else {
            self.unwritten_losses += 1;
            &self.gauge.lost
        };
        counter.fetch_add(1, Ordering::Relaxed);
        outcome
    }

    /// Appends a request for an unknown code. These are not accounted for: one that can't be
    /// written is forgotten.
    ///
    /// # Errors
    /// As [`Writer::append`].
    pub fn append_orphan(&mut self, click: &Click<'_>) -> io::Result<()> {
        self.try_append(&Entry::Orphan(*click))
    }

    fn try_append(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        if self.spoilt || self.written >= self.shared.segment_size {
            self.rotate()?;
        }
        self.write_losses()?;
        self.write(entry)?;
        if self.shared.sync_each {
            self.sync();
        }
        Ok(())
    }

    /// Writes down what could not be written down, so that the next process knows of it.
    fn write_losses(&mut self) -> io::Result<()> {
        if self.unwritten_losses > 0 {
            self.write(&Entry::Lost(self.unwritten_losses))?;
            self.unwritten_losses = 0;
        }
        Ok(())
    }

    fn write(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        frame::write(entry, &mut self.buffer).map_err(io::Error::other)?;
        let outcome = self.file.write_all(&self.buffer);
        match outcome {
            Ok(()) => self.written += self.buffer.len() as u64,
            Err(_) => self.take_back(),
        }
        outcome
    }

    /// A record that can't be synced is written nevertheless, and may have been counted already:
    /// it can't be taken back.
    fn sync(&mut self) {
        let outcome = self.file.sync_data();
        if let (Err(error), false) = (&outcome, self.unsynced) {
            tracing::error!(%error, journal.lane = self.lane.0, "the journal can't be synced");
        }
        self.unsynced = outcome.is_err();
    }

    /// Removes what a failed write may have left behind, so that the next record follows the last
    /// whole one. If not even that works, the next record opens a new segment.
    fn take_back(&mut self) {
        let end = HEADER + self.written;
        let cut = self.file.set_len(end).and_then(|()| self.file.seek(SeekFrom::Start(end)));
        if cut.is_err() {
            self.spoilt = true;
            let length = self.file.metadata().map_or(end, |meta| meta.len());
            self.written = length.saturating_sub(HEADER).max(self.written);
        }
    }

    /// Closes the open segment and begins the next.
    fn rotate(&mut self) -> io::Result<()> {
        let next = self.next_start()?;
        self.file = Segment::create(&folder_of(&self.shared.folder, self.lane), next)?;
        self.start = next;
        self.written = 0;
        self.spoilt = false;
        Ok(())
    }

    /// Closes the open segment if there is anything in it, so that it can be removed once it is
    /// applied: an idle lane keeps nothing for ever.
    ///
    /// # Errors
    /// The system's, when no new segment can be made; the open one stays in use.
    pub fn rest(&mut self) -> io::Result<()> {
        if self.written > 0 { self.rotate() } else { Ok(()) }
    }

    fn next_start(&self) -> io::Result<Start> {
        let counts = self.gauge.counts();
        let known = Counts { lost: counts.lost - self.unwritten_losses, ..counts };
        let offset = self.start.offset + self.written;
        if offset < LAST_OFFSET {
            Ok(Start { run: self.start.run, offset, counts: known })
        } else {
            Ok(Start { run: self.shared.next_run()?, offset: 0, counts: known })
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.spoilt && self.write_losses().is_err() {
            tracing::error!(
                clicks.lost = self.unwritten_losses,
                journal.lane = self.lane.0,
                "that clicks were lost can't be written down either"
            );
        }
        if let Ok(next) = self.next_start() {
            self.shared.give_lane_back(self.lane, next);
        }
    }
}
