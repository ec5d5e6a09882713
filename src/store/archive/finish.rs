//! The finished file of an hour, made of its part: compressed, in the order of time.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::name::{Format, Hour};
use super::{columns, disk, order};

/// An hour that is to be finished. It takes seconds when there were many clicks, and touches nothing
/// that others write to: it may run anywhere.
#[derive(Debug)]
pub struct Finishing {
    pub(super) hour: Hour,
    pub(super) number: u32,
    /// Bytes of the part that go into it.
    pub(super) length: u64,
    /// What it shall become.
    pub(super) format: Format,
    pub(super) part: PathBuf,
    pub(super) aside: PathBuf,
}

/// An hour whose file is made, and not yet in its place.
#[derive(Debug)]
pub struct Made {
    pub(super) finishing: Finishing,
    pub(super) format: Format,
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
    pub fn run(self, stop: &AtomicBool) -> io::Result<Made> {
        disk::step()?;
        let part = File::open(&self.part).map_err(disk::at(&self.part))?;
        let (file, format) = self.make(&part, stop).map_err(disk::at(&self.aside))?;
        disk::step()?;
        file.sync_all().map_err(disk::at(&self.aside))?;
        Ok(Made { finishing: self, format })
    }

    /// Writes the file, and says what it has become.
    fn make(&self, part: &File, stop: &AtomicBool) -> io::Result<(File, Format)> {
        if self.format == Format::Parquet {
            match self.columns(part, stop) {
                // There is a line that is none: it has no columns, and is not left out.
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {}
                outcome => return Ok((outcome?, Format::Parquet)),
            }
        }
        Ok((self.lines(part, stop)?, Format::Ndjson))
    }

    fn lines(&self, part: &File, stop: &AtomicBool) -> io::Result<File> {
        let file = BufWriter::new(File::create(&self.aside)?);
        let mut lines = GzEncoder::new(file, Compression::default());
        self.in_order(part, stop, |line| lines.write_all(line))?;
        lines.finish()?.into_inner().map_err(io::IntoInnerError::into_error)
    }

    fn columns(&self, part: &File, stop: &AtomicBool) -> io::Result<File> {
        let mut rows = columns::Writer::begin(File::create(&self.aside)?)?;
        self.in_order(part, stop, |line| rows.write(line))?;
        rows.end()
    }

    fn in_order(
        &self,
        part: &File,
        stop: &AtomicBool,
        mut each: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        order::in_order(part, self.length, self.hour, |line| {
            if stop.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            each(line)
        })
    }
}

impl Made {
    /// Which hour.
    #[must_use]
    pub fn hour(&self) -> Hour {
        self.finishing.hour
    }

    /// Whether it is of the format that was wanted: an hour with a line that can't be read stays
    /// lines, of which none is left out.
    #[must_use]
    pub fn is_as_wanted(&self) -> bool {
        self.format == self.finishing.format
    }
}
