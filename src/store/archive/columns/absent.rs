//! Parquet files in a program that was built without: they are known by name, and that is all.

use std::fs::File;
use std::io;

/// Writes nothing: settings that ask for it are refused.
pub(in crate::store::archive) enum Writer {}

impl Writer {
    pub(in crate::store::archive) fn begin(_: File) -> io::Result<Self> {
        Err(absent())
    }

    pub(in crate::store::archive) fn write(&mut self, _: &[u8]) -> io::Result<()> {
        match *self {}
    }

    pub(in crate::store::archive) fn end(self) -> io::Result<File> {
        match self {}
    }
}

/// Says why not.
pub(in crate::store::archive) fn is_readable() -> io::Result<()> {
    Err(absent())
}

/// Says why not.
pub(in crate::store::archive) fn lines(
    _: File,
    _: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    Err(absent())
}

fn absent() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "this program was built without Parquet; get it with `cargo build --release --features \
         parquet`",
    )
}
