//! What a backup is made of: everything that a store holds, a piece at a time, and its way back.
//!
//! Links are read while they are minted and edited. Counts are not: while somebody *holds* the
//! counting, every partition refuses batches, as a store that does not answer would. Clicks wait in
//! the journals meanwhile. So what is read of the rows, the totals and the positions of the journals
//! belongs together, however long it takes.

use std::future::Future;
use std::time::Duration;

use super::{Keep, NodeId, Note, Place, Progress, StoreError};
use crate::model::code::Code;
use crate::model::tally::{Count, Day, Subject};

/// What is told to whoever would change counts that are held.
const HELD: &str = "the counting rests while a backup of the counts is written";

impl StoreError {
    /// Counts are held: what was to be changed can be changed later.
    #[must_use]
    pub fn held() -> Self {
        Self::Unavailable(HELD.into())
    }
}

/// A row in its stored form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRow {
    /// The UTC day.
    pub day: Day,
    /// Whose clicks.
    pub subject: Subject,
    /// The hour whose quarters it holds, 0–23; `None`: the day itself.
    pub hour: Option<u8>,
    /// As [`Row::to_bytes`](crate::model::tally::Row::to_bytes) makes it.
    pub bytes: Vec<u8>,
}

/// Some of many, and where the next begin; `None` when these were the last.
pub type Piece<T> = (Vec<T>, Option<Place>);

/// What to do where something else stands already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Nothing, and nothing where there is nothing either: to find out only.
    Look,
    /// Leave it.
    Keep,
    /// Put the new one in its place.
    Replace,
}

/// What came of putting something back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// There was nothing: it is there now, unless one only looked.
    New,
    /// It was there.
    Same,
    /// Something else is there: left, or replaced if that was asked for.
    Other,
    /// It would have expired by now.
    Expired,
}

/// Reading everything, and putting it back.
pub trait Backup {
    /// At most `limit` codes after `after`, oldest first, each with its place, tombstones included.
    /// Each link comes once, whatever is minted and edited meanwhile. One that is imported meanwhile
    /// stands where its date puts it, which may be before `after`.
    fn oldest(
        &self,
        after: Option<&Place>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(Place, Code)>, StoreError>> + Send;

    /// Holds the counting of every partition for `lease`, from now on, under a name of the caller's
    /// own. Says whether it is held: not while somebody else holds it.
    fn hold(
        &self,
        name: &str,
        lease: Duration,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Holds it for another `lease`. `false`: the last one ran out somewhere, so that what was read
    /// before and what is read from now on do not belong together.
    fn hold_on(
        &self,
        name: &str,
        lease: Duration,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Lets the counting go on. `false`: it did already, somewhere.
    fn let_go(&self, name: &str) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Some rows after a place: of each partition, by day, subject and hour, the day's row first.
    fn rows_after(
        &self,
        after: Option<&Place>,
    ) -> impl Future<Output = Result<Piece<StoredRow>, StoreError>> + Send;

    /// Some all-time totals after a place: of each partition, by code.
    fn totals_after(
        &self,
        after: Option<&Place>,
    ) -> impl Future<Output = Result<Piece<(Code, Count)>, StoreError>> + Send;

    /// Puts rows back, in the order given; none twice. Those that `keep` would have removed by now may
    /// be left out.
    fn put_rows(
        &self,
        rows: &[StoredRow],
        keep: Keep,
        over: Over,
    ) -> impl Future<Output = Result<Vec<Put>, StoreError>> + Send;

    /// Puts totals back, in the order given; none twice.
    fn put_totals(
        &self,
        totals: &[(Code, Count)],
        over: Over,
    ) -> impl Future<Output = Result<Vec<Put>, StoreError>> + Send;

    /// Puts back where each partition stands with a node's journal: as many as there are partitions.
    fn put_progress(
        &self,
        node: &NodeId,
        progress: &[Progress],
        over: Over,
    ) -> impl Future<Output = Result<Put, StoreError>> + Send;

    /// Files a note as it once was.
    fn put_note(&self, note: &Note) -> impl Future<Output = Result<(), StoreError>> + Send;
}
