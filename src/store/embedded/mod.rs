//! The embedded store: one redb file, one process, nothing else to install. The default.
//!
//! Reads run on the caller's thread against a snapshot (about a microsecond), long scans on the
//! blocking pool. Writes go to one thread, which lets everything that waits at the same moment
//! share a commit: a durable commit is an fsync.

mod backup;
mod bulletin;
mod hold;
mod import;
mod keys;
mod links;
mod records;
mod sweep;
mod tallies;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use redb::{
    Database, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction,
};

use super::{Change, Changes, Partitions, SCHEMA_VERSION, StoreError, Upkeep, aside};
use crate::model::target::Target;
use writer::Writer;

const META: TableDefinition<'_, &str, u32> = TableDefinition::new("meta");
const SCHEMA: &str = "schema";

/// The file's name within the data folder.
pub const FILE_NAME: &str = "slugline.redb";

/// A handle on the store; clones share it.
#[derive(Clone)]
pub struct Embedded {
    file: Arc<File>,
    writer: Arc<Writer>,
    imports: import::Queue,
    board: bulletin::Board,
    hold: hold::Hold,
}

/// The open file. It is absent for as long as it takes to open it again after a failed write.
struct File {
    path: PathBuf,
    cache_bytes: usize,
    database: RwLock<Option<Database>>,
}

impl Embedded {
    /// Opens the store in `folder`, or makes it. `cache_bytes` bounds the pages kept in memory.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when another process has it open, [`StoreError::Damaged`] when it
    /// isn't a store, [`StoreError::Refused`] when the folder can't be written.
    pub fn open(folder: &Path, cache_bytes: usize) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder)
            .map_err(|e| StoreError::Refused(format!("{}: {e}", folder.display())))?;
        let path = folder.join(FILE_NAME);
        let database = open_database(&path, cache_bytes)?;
        let file = File { path, cache_bytes, database: RwLock::new(Some(database)) };
        let file = Arc::new(file);
        let writer = Writer::start(Arc::clone(&file))?;
        let (board, hold) = (bulletin::Board::new(), hold::Hold::default());
        let (writer, imports) = (Arc::new(writer), import::Queue::default());
        Ok(Self { file, writer, imports, board, hold })
    }

    /// A short read, at once, on this thread.
    fn read<T>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.file.read(work)
    }

    /// A long read, on the blocking pool.
    async fn scan<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let file = Arc::clone(&self.file);
        aside(move || file.read(work)).await?
    }

    /// A write, durable when this returns.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.write(work).await
    }

    /// A write that changes counts: nothing, while they are held.
    async fn change_counts<T: Send + 'static>(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let hold = self.hold.clone();
        let unless_held = move |txn: &WriteTransaction| match hold.must_be_free() {
            Ok(()) => work(txn).map(Ok),
            // No failure of the transaction, which others share.
            Err(held) => Ok(Err(held)),
        };
        self.write(unless_held).await?
    }
}

impl File {
    fn read<T>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let Some(database) = database.as_ref() else {
            return Err(StoreError::Unavailable("it is being opened again".into()));
        };
        work(&database.begin_read().map_err(failed)?)
    }

    /// Closes the file and opens it again: after a failed write (a full disk) redb refuses all
    /// further work on the open file.
    fn reopen(&self) -> Result<(), StoreError> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        *database = None;
        *database = Some(open_database(&self.path, self.cache_bytes)?);
        Ok(())
    }
}

fn open_database(path: &Path, cache_bytes: usize) -> Result<Database, StoreError> {
    let database = Database::builder().set_cache_size(cache_bytes).create(path).map_err(|e| {
        let place = path.display();
        match e {
            redb::DatabaseError::DatabaseAlreadyOpen => {
                StoreError::Unavailable(format!("another process has {place} open"))
            }
            redb::DatabaseError::Storage(e) => failed(e),
            other => StoreError::Damaged(format!("{place}: {other}")),
        }
    })?;
    let txn = database.begin_write().map_err(failed)?;
    make_tables(&txn)?;
    txn.commit().map_err(failed)?;
    Ok(database)
}

/// Makes every table, so that no reader meets one that isn't there.
fn make_tables(txn: &WriteTransaction) -> Result<(), StoreError> {
    txn.open_table(META).map_err(failed)?;
    links::make_tables(txn)?;
    keys::make_tables(txn)?;
    tallies::make_tables(txn)
}

/// What a failure of redb means to us.
fn failed(error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        redb::Error::Io(e) => StoreError::Refused(e.to_string()),
        redb::Error::Corrupted(what) => StoreError::Damaged(what),
        other => StoreError::Unavailable(other.to_string()),
    }
}

impl Partitions for Embedded {
    fn partitions(&self) -> usize {
        1
    }

    fn partition_of(&self, _code: &str) -> usize {
        0
    }

    fn partition_of_address(&self, _address: &Target) -> usize {
        0
    }
}

impl Upkeep for Embedded {
    async fn prepare(&self) -> Result<Vec<String>, StoreError> {
        let found = self
            .write(|txn| {
                let mut meta = txn.open_table(META).map_err(failed)?;
                let found = meta.get(SCHEMA).map_err(failed)?.map(|version| version.value());
                if found.is_none() {
                    meta.insert(SCHEMA, SCHEMA_VERSION).map_err(failed)?;
                }
                Ok(found.unwrap_or(SCHEMA_VERSION))
            })
            .await?;
        if found == SCHEMA_VERSION {
            Ok(vec![])
        } else {
            Err(StoreError::Schema { found: found.to_string() })
        }
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.read(|_| Ok(()))
    }
}

impl Changes for Embedded {
    /// There is no other node: nothing is ever heard.
    async fn follow_changes(&self, _tell: impl Fn(Change) + Send + Sync) {
        std::future::pending().await
    }
}
