//! The steps that the archive is made of: each of them happens or does not, and what has happened
//! outlives a loss of power.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// Bytes looked at together in search of a line's end.
const WINDOW: u64 = 4_096;

/// Says where an error happened.
pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Writes `bytes` at `offset`, in the place of whatever stands there and behind. Makes a file that is
/// to begin with them; one that should be there already and is not, or not so far, stays an error:
/// what was in it is lost, and is not to be filled with nothing.
pub(super) fn write_at(path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
    step()?;
    let write = || {
        let file = OpenOptions::new().create(offset == 0).truncate(false).write(true).open(path)?;
        if file.metadata()?.len() < offset {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "somebody cut it shorter"));
        }
        file.set_len(offset)?;
        file.write_all_at(bytes, offset)?;
        step()?;
        file.sync_data()
    };
    write().map_err(at(path))
}

/// Cuts a file of lines to at most `length` bytes, and says how many it has then: fewer, and whole
/// lines, if somebody has cut it shorter.
pub(super) fn cut(path: &Path, length: u64) -> io::Result<u64> {
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(e) => return Err(at(path)(e)),
    };
    let found = file.metadata()?.len();
    let whole = if found < length { end_of_lines(&file, found)? } else { length };
    file.set_len(whole).map_err(at(path))?;
    Ok(whole)
}

/// The end of the last whole line before `end`.
fn end_of_lines(file: &File, mut end: u64) -> io::Result<u64> {
    while end > 0 {
        let start = end.saturating_sub(WINDOW);
        let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(0)];
        file.read_exact_at(&mut bytes, start)?;
        if let Some(found) = bytes.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + found as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Writes a file aside and puts it in the place of the one that there is.
pub(super) fn replace(aside: &Path, place: &Path, folder: &Path, bytes: &[u8]) -> io::Result<()> {
    write_at(aside, 0, bytes)?;
    put_in_place(aside, place, folder)
}

/// Gives a file that is whole and synced its name.
pub(super) fn put_in_place(aside: &Path, place: &Path, folder: &Path) -> io::Result<()> {
    step()?;
    fs::rename(aside, place).map_err(at(place))?;
    sync_folder(folder)
}

/// Makes the names in a folder survive.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    step()?;
    File::open(folder)?.sync_all().map_err(at(folder))
}

/// Removes a file, if it is there.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    step()?;
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(at(path)(e)),
        _ => Ok(()),
    }
}

/// Stands before each step, so that tests can let a process end at any of them.
#[cfg(not(test))]
pub(super) fn step() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub(super) use interruption::step;

/// Ends of the process, as far as the folder can tell.
#[cfg(test)]
pub(crate) mod interruption {
    use std::cell::Cell;
    use std::io;

    thread_local! {
        static STEPS_LEFT: Cell<Option<usize>> = const { Cell::new(None) };
    }

    /// From the step after `steps` more on, nothing happens on this thread any more.
    pub(crate) fn after(steps: usize) {
        STEPS_LEFT.set(Some(steps));
    }

    /// Everything happens again.
    pub(crate) fn lift() {
        STEPS_LEFT.set(None);
    }

    pub(crate) fn step() -> io::Result<()> {
        match STEPS_LEFT.get() {
            None => Ok(()),
            Some(0) => Err(io::Error::other("interrupted")),
            Some(left) => {
                STEPS_LEFT.set(Some(left - 1));
                Ok(())
            }
        }
    }
}
