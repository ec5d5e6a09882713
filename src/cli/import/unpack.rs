//! Files as they are published: plain, as xz, as gzip, or many of them in a zip. What a file is, its
//! first bytes say, not its name.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, bail};
use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;
use zip::ZipArchive;

use crate::service::transfer::reader::HEAD;

/// The first bytes of an xz file (<https://tukaani.org/xz/xz-file-format.txt>, 2.1.1.1).
const XZ: &[u8] = b"\xfd7zXZ\0";
/// The first bytes of a gzip file (RFC 1952, 2.3.1).
const GZIP: &[u8] = b"\x1f\x8b";
/// The first bytes of a zip file, and of an empty one (APPNOTE.TXT 4.3.7, 4.3.16).
const ZIP: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];
/// The most memory that xz may ask for, in KiB: its highest level takes 65 MiB.
const XZ_MEMORY: u32 = 256 * 1024;
/// Bytes that are read at a time.
const BUFFER: usize = 128 * 1024;
/// What URLTeam puts beside its files: how they were made, and no links.
const BESIDE: [&str; 2] = [".meta.json", ".meta.json.xz"];

/// Where links come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    /// The standard input.
    Stdin,
    /// A file.
    File(PathBuf),
}

impl Input {
    /// What an argument means.
    pub(super) fn named(name: &std::ffi::OsStr) -> Self {
        if name == "-" { Self::Stdin } else { Self::File(name.into()) }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("standard input"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// A text that was found, with its name and its first [`HEAD`] bytes, which are in `text` as well.
pub(super) struct Unpacked<'a> {
    pub(super) name: String,
    pub(super) head: Vec<u8>,
    pub(super) text: Box<dyn BufRead + 'a>,
}

/// Hands on every text in an input. `read` counts the input's own bytes.
///
/// # Errors
/// When it can't be read or unpacked, and what `take` says.
pub(super) fn each_text(
    input: &Input,
    read: &Arc<AtomicU64>,
    mut take: impl FnMut(Unpacked<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let name = input.to_string();
    let path = match input {
        Input::Stdin => {
            let stdin = Counting { input: io::stdin().lock(), read: Arc::clone(read) };
            return take(unpack(name, stdin)?);
        }
        Input::File(path) => path,
    };
    let before = read.load(Ordering::Relaxed);
    let file = File::open(path).with_context(|| format!("{name} can't be read"))?;
    let mut file = Counting { input: file, read: Arc::clone(read) };
    let head = head(&mut file, ZIP[0].len()).with_context(|| format!("{name} can't be read"))?;
    if !ZIP.contains(&head.as_slice()) {
        return take(unpack(name, Cursor::new(head).chain(file))?);
    }
    let mut archive = ZipArchive::new(BufReader::new(file))
        .with_context(|| format!("{name} can't be read as a zip"))?;
    // Its list of files stands at the end and was read first.
    read.store(before, Ordering::Relaxed);
    for at in 0..archive.len() {
        let entry = archive.by_index(at);
        let entry = entry.with_context(|| format!("file {} of {name} can't be read", at + 1))?;
        let within = format!("{name}/{}", String::from_utf8_lossy(entry.name_raw()));
        if entry.is_dir() || BESIDE.iter().any(|end| within.ends_with(end)) {
            continue;
        }
        take(unpack(within, entry)?)?;
    }
    Ok(())
}

fn unpack<'a>(name: String, mut input: impl Read + 'a) -> anyhow::Result<Unpacked<'a>> {
    let unreadable = || format!("{name} can't be read");
    let magic = head(&mut input, XZ.len()).with_context(unreadable)?;
    let packed = magic.clone();
    let input = BufReader::with_capacity(BUFFER, Cursor::new(magic).chain(input));
    let mut text: Box<dyn Read + 'a> = if packed.starts_with(XZ) {
        Box::new(XzReader::new_mem_limit(input, true, XZ_MEMORY))
    } else if packed.starts_with(GZIP) {
        Box::new(MultiGzDecoder::new(input))
    } else if ZIP.iter().any(|zip| packed.starts_with(zip)) {
        bail!(
            "{name} is a zip, whose list of files stands at its end: it can be read from a file \
             only; unpack it first"
        );
    } else {
        Box::new(input)
    };
    let head = head(&mut text, HEAD).with_context(unreadable)?;
    let text = BufReader::with_capacity(BUFFER, Cursor::new(head.clone()).chain(text));
    Ok(Unpacked { name, head, text: Box::new(text) })
}

/// The first bytes, fewer only if there are no more.
fn head(input: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(length);
    input.take(length as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// An input whose bytes are counted as they are read.
struct Counting<R> {
    input: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl<R: Seek> Seek for Counting<R> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.input.seek(to)
    }
}
