//! The finished file of an hour, made of its part: compressed, in the order of time.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::name::Hour;
use super::{disk, order};

/// An hour that is to be finished. It takes seconds when there were many clicks, and touches nothing
/// that others write to: it may run anywhere.
#[derive(Debug, Clone)]
pub struct Finishing {
    pub(super) hour: Hour,
    pub(super) number: u32,
    /// Bytes of the part that go into it.
    pub(super) length: u64,
    pub(super) part: PathBuf,
    pub(super) aside: PathBuf,
}

impl Finishing {
    /// Which hour.
    #[must_use]
    pub fn hour(&self) -> Hour {
        self.hour
    }

    /// Makes the file aside; [`super::Archive::finish`] puts it in its place.
    ///
    /// # Errors
    /// The system's; [`io::ErrorKind::Interrupted`] when `stop` is set meanwhile.
    pub fn run(&self, stop: &AtomicBool) -> io::Result<()> {
        disk::step()?;
        let part = File::open(&self.part).map_err(disk::at(&self.part))?;
        let file = File::create(&self.aside).map_err(disk::at(&self.aside))?;
        let mut lines = GzEncoder::new(BufWriter::new(file), Compression::default());
        order::in_order(&part, self.length, self.hour, |line| {
            if stop.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            lines.write_all(line)
        })
        .map_err(disk::at(&self.aside))?;
        let file = lines.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        disk::step()?;
        file.sync_all().map_err(disk::at(&self.aside))
    }
}
