//! In which country a reader is: what the edge says, else what a database of addresses says.
//!
//! The database is a file in MaxMind's format that somebody renews now and then; a new one is taken
//! up while the service runs.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use maxminddb::{MaxMindDbError, PathElement, Reader};

use crate::model::click::{Source, country};
use crate::model::tally::Name;

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Networks of a database that are looked at before it is said to hold no countries.
const SAMPLE: usize = 1_000;

/// Where a record says the country: as MaxMind writes it, and as smaller databases do.
const PLACES: [&[PathElement<'static>]; 3] = [
    &[PathElement::Key("country"), PathElement::Key("iso_code")],
    &[PathElement::Key("country_code")],
    &[PathElement::Key("country")],
];

/// Tells countries.
pub struct Countries {
    database: Option<Database>,
    names: HashMap<[u8; 2], Name>,
    unknown: Name,
}

/// Why a database can't be used.
#[derive(Debug, thiserror::Error)]
pub enum BadDatabase {
    /// It isn't there, or may not be read.
    #[error("{} can't be read: {cause}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// Something else, or broken.
    #[error("{} is no database in MaxMind's format (.mmdb): {cause}", path.display())]
    Broken {
        /// Which.
        path: PathBuf,
        /// What the reader says.
        cause: Box<MaxMindDbError>,
    },
    /// One of other things: of networks' owners, for example.
    #[error("{} holds no countries but records of the type {kind:?}", path.display())]
    NoCountries {
        /// Which.
        path: PathBuf,
        /// What it says of itself.
        kind: String,
    },
}

struct Database {
    path: PathBuf,
    reader: Reader<Vec<u8>>,
    /// Which file was last tried, be it good or not; `None` when there was none.
    tried: Option<Stamp>,
    looked_at: Timestamp,
}

/// What came of looking at the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refresh {
    Same,
    Taken,
    Refused,
}

/// What changes when a file is replaced or written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Countries {
    /// By what the edge says alone.
    #[must_use]
    pub fn new() -> Self {
        Self { database: None, names: HashMap::new(), unknown: "unknown".into() }
    }

    /// By the database at `path` as well.
    ///
    /// # Errors
    /// [`BadDatabase`] says why it can't be used.
    pub fn open(path: &Path, now: Timestamp) -> Result<Self, BadDatabase> {
        let (stamp, mut file) = open(path)?;
        let database = Database {
            path: path.to_owned(),
            reader: read(path, &mut file)?,
            tried: Some(stamp),
            looked_at: now,
        };
        Ok(Self { database: Some(database), ..Self::new() })
    }

    /// The country of a reader: two capital letters, or `unknown`.
    pub fn name(&mut self, source: &Source<'_>) -> Name {
        let found = source.country.or_else(|| self.database.as_ref()?.country(source.address?));
        let Some(letters) = found else { return self.unknown.clone() };
        let new = || String::from_utf8_lossy(&letters).into();
        self.names.entry(letters).or_insert_with(new).clone()
    }

    /// Takes up a new database, if there is one. A broken one is told of once, and the old one
    /// stays in use. To be called often: the file is looked at every ten seconds.
    pub fn refresh(&mut self, now: Timestamp) {
        if let Some(database) = &mut self.database {
            database.refresh(now);
        }
    }
}

impl Default for Countries {
    fn default() -> Self {
        Self::new()
    }
}

impl Database {
    fn country(&self, address: IpAddr) -> Option<[u8; 2]> {
        country_at(&self.reader, address)
    }

    fn refresh(&mut self, now: Timestamp) -> Refresh {
        if now.duration_since(self.looked_at).unsigned_abs() < LOOK_EVERY {
            return Refresh::Same;
        }
        self.looked_at = now;
        let opened = open(&self.path);
        let stamp = opened.as_ref().ok().map(|(stamp, _)| *stamp);
        if stamp == self.tried {
            return Refresh::Same;
        }
        self.tried = stamp;
        match opened.and_then(|(_, mut file)| read(&self.path, &mut file)) {
            Ok(reader) => {
                self.reader = reader;
                let built = self.reader.metadata().build_epoch;
                tracing::info!(path = %self.path.display(), built, "a new database of countries");
                Refresh::Taken
            }
            Err(error) => {
                tracing::warn!(%error, "clicks.geoip_path: the database read before stays in use");
                Refresh::Refused
            }
        }
    }
}

/// Opens the file at `path`, and says which one that is: of the open file, so that no other can come
/// in between.
fn open(path: &Path) -> Result<(Stamp, File), BadDatabase> {
    let open = || {
        let file = File::open(path)?;
        let meta = file.metadata()?;
        let modified = (meta.mtime(), meta.mtime_nsec());
        Ok((Stamp { inode: meta.ino(), size: meta.size(), modified }, file))
    };
    open().map_err(|cause| BadDatabase::Unreadable { path: path.to_owned(), cause })
}

/// Reads a database into memory: a mapped file that somebody writes to would take the service down.
fn read(path: &Path, file: &mut File) -> Result<Reader<Vec<u8>>, BadDatabase> {
    let mut bytes = Vec::new();
    let broken = |cause| BadDatabase::Broken { path: path.to_owned(), cause: Box::new(cause) };
    file.read_to_end(&mut bytes)
        .map_err(|cause| BadDatabase::Unreadable { path: path.to_owned(), cause })?;
    let reader = Reader::from_source(bytes).map_err(broken)?;
    if !holds_countries(&reader).map_err(broken)? {
        let kind = reader.metadata().database_type.clone();
        return Err(BadDatabase::NoCountries { path: path.to_owned(), kind });
    }
    Ok(reader)
}

/// Whether one of its first networks has a country.
fn holds_countries(reader: &Reader<Vec<u8>>) -> Result<bool, MaxMindDbError> {
    for found in reader.networks(maxminddb::WithinOptions::default())?.take(SAMPLE) {
        if country_of(&found?).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn country_at(reader: &Reader<Vec<u8>>, address: IpAddr) -> Option<[u8; 2]> {
    // An error is an address of a version that the database does not hold, or damage.
    country_of(&reader.lookup(address).ok()?)
}

fn country_of(found: &maxminddb::LookupResult<'_, Vec<u8>>) -> Option<[u8; 2]> {
    // An error is a place that does not exist in records of this shape.
    let text = |path| found.decode_path::<&str>(path).ok().flatten();
    PLACES.iter().find_map(|path| country(text(path)?.as_bytes()))
}

#[cfg(test)]
pub(super) mod mmdb;
#[cfg(test)]
mod tests;
