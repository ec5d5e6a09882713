//! Applying a batch: what is counted and how far the journal is counted move together or not at all.
//!
//! How rows add up is said once, in `model::tally`, and Redis knows nothing of it. So a batch is
//! applied optimistically: the rows it touches are read, with the mark that they have; the sums are
//! made here; one script puts them in their place and moves the lanes, if the mark and the lanes are
//! still the same. If another node was faster, it begins again. Of all who try, one always succeeds.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::connection::Trip;
use super::schema::{A_CALL, hash_of, prefix};
use super::scripts::{self, Call};
use super::tallies::{damaged, read_progress};
use super::{Redis, together, unique};
use crate::model::tally::row::{
    DAY_ROWS, QUARTER_ROWS, length_without_sketches, merged, of_quarters,
};
use crate::model::tally::{Count, Day, Row, Subject};
use crate::store::{Applied, Batch, Keep, Move, NodeId, Progress, StoreError};

/// How often a batch begins again. Each time some other node's batch was applied, and a node has one
/// under way for each partition.
const TRIES: usize = 50;

/// Bytes of a sketch from which on it stands apart from its row: most questions are not about it.
const LONG_SKETCH: usize = 512;

/// What a batch adds to the rows of one subject of a day.
struct Change<'a> {
    day: Day,
    name: Cow<'a, str>,
    hash: u32,
    /// What it adds to the total, which only links have.
    total: Option<Count>,
    whole: Row,
    hours: BTreeMap<u8, Row>,
}

/// What stands before a batch is applied.
enum Standing {
    /// The rows, in the order of [`Change::rows`], empty where there are none; and their mark.
    Rows(String, Vec<Vec<u8>>),
    /// The lanes are not where the batch begins.
    Elsewhere(Progress),
    /// Rows were changed while they were read.
    Changing,
}

/// What the scripts say: whether it may be done or what is in the way, and where the lanes are.
type Answer = (u8, Vec<String>);

impl Redis {
    /// Applies a batch, if every lane stands where its move starts.
    pub(super) async fn apply_batch(
        &self,
        node: &NodeId,
        partition: usize,
        batch: &Batch,
    ) -> Result<Applied, StoreError> {
        let changes: Vec<Change<'_>> = changes_of(batch).collect();
        for _ in 0..TRIES {
            let (mark, rows) = match self.standing(node, partition, batch, &changes).await? {
                Standing::Rows(mark, rows) => (mark, rows),
                Standing::Elsewhere(progress) => return Ok(Applied::Elsewhere(progress)),
                Standing::Changing => continue,
            };
            let rows = merge(&changes, &rows)?;
            let call = apply_call(node, partition, batch, &mark);
            let call = with_rows(call, batch.keep, &changes, &rows);
            let (outcome, stands): Answer = self.connection.script(Trip::Write, &call).await?;
            match outcome {
                0 => return Ok(Applied::Done),
                1 => return read_standing(&stands).map(Applied::Elsewhere),
                3 => return Err(StoreError::held()),
                _ => {}
            }
        }
        Err(StoreError::Unavailable("other nodes change the same figures all the time".into()))
    }

    /// Reads what is going to be changed, in calls that are short enough.
    async fn standing(
        &self,
        node: &NodeId,
        partition: usize,
        batch: &Batch,
        changes: &[Change<'_>],
    ) -> Result<Standing, StoreError> {
        let looks = pieces(changes).into_iter().map(async |piece| {
            let call = touched_call(node, partition, batch, piece);
            self.connection
                .script::<(u8, Vec<String>, String, Vec<Vec<u8>>)>(Trip::Query, &call)
                .await
        });
        let (mut mark, mut rows) = (None, Vec::new());
        for (outcome, stands, seen, values) in together(looks).await? {
            if outcome == 1 {
                return read_standing(&stands).map(Standing::Elsewhere);
            }
            if *mark.get_or_insert_with(|| seen.clone()) != seen {
                return Ok(Standing::Changing);
            }
            rows.extend(values);
        }
        Ok(Standing::Rows(mark.unwrap_or_default(), rows))
    }
}

impl Change<'_> {
    /// What is added to each row, and how many names a dimension of it may have: the day, the hours.
    fn rows(&self) -> impl Iterator<Item = (&Row, usize)> {
        let hours = self.hours.values().map(|row| (row, QUARTER_ROWS));
        std::iter::once((&self.whole, DAY_ROWS)).chain(hours)
    }

    /// How many rows.
    fn len(&self) -> usize {
        1 + self.hours.len()
    }

    /// Its hours as the scripts take them: a byte each.
    fn hour_bytes(&self) -> Vec<u8> {
        self.hours.keys().copied().collect()
    }
}

/// What a batch changes, by day.
fn changes_of(batch: &Batch) -> impl Iterator<Item = Change<'_>> {
    let rows = batch.rows.iter().filter(|(_, row)| row.cells().len() > 0);
    rows.map(|((day, subject), row)| {
        let (hours, whole) = of_quarters(row);
        let name = subject.name();
        let total = matches!(subject, Subject::Link(_)).then_some(whole.count);
        Change { day: *day, hash: hash_of(&name), name, total, whole: Row::of(whole), hours }
    })
}

/// Cuts the changes into pieces of about so many rows as one call may read.
fn pieces<'c, 'a>(changes: &'c [Change<'a>]) -> Vec<&'c [Change<'a>]> {
    let (mut pieces, mut first, mut rows) = (Vec::new(), 0, 0);
    for (at, change) in changes.iter().enumerate() {
        rows += change.len();
        if rows >= A_CALL {
            pieces.push(&changes[first..=at]);
            (first, rows) = (at + 1, 0);
        }
    }
    if first < changes.len() {
        pieces.push(&changes[first..]);
    }
    pieces
}

fn touched_call(node: &NodeId, partition: usize, batch: &Batch, changes: &[Change<'_>]) -> Call {
    let call = scripts::TOUCHED.at(&prefix(partition)).arg(&node.0);
    let mut call = with_moves(call, &batch.moves);
    for day in changes.chunk_by(|a, b| a.day == b.day) {
        call = call.arg(day[0].day.0).arg(day.len());
        for change in day {
            call = call.arg(change.name.as_ref()).arg(change.hash).arg(change.hour_bytes());
        }
    }
    call
}

/// The stored form of all rows after the change.
fn merge(changes: &[Change<'_>], rows: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, StoreError> {
    let more: Vec<(&Row, usize)> = changes.iter().flat_map(Change::rows).collect();
    if more.len() != rows.len() {
        return Err(StoreError::Damaged("a script's answer is too short".into()));
    }
    let sums = more.iter().zip(rows).map(|((more, most), there)| {
        merged((!there.is_empty()).then_some(there.as_slice()), more, *most)
    });
    sums.collect::<Result<_, _>>().map_err(|e| damaged("a row", &e))
}

fn apply_call(node: &NodeId, partition: usize, batch: &Batch, mark: &str) -> Call {
    let call = scripts::APPLY.at(&prefix(partition)).arg(&node.0).arg(batch.clicks);
    with_moves(call.arg(mark).arg(unique()), &batch.moves)
}

fn with_moves(call: Call, moves: &[Move]) -> Call {
    let call = call.arg(moves.len());
    moves.iter().fold(call, |call, step| call.arg(step.lane.0).arg(step.from.0).arg(step.to.0))
}

fn with_rows(mut call: Call, keep: Keep, changes: &[Change<'_>], rows: &[Vec<u8>]) -> Call {
    let mut rows = rows.iter();
    for names in changes.chunk_by(|a, b| a.day == b.day) {
        let day = names[0].day;
        call = call.arg(day.0).arg(expiry(day, keep.hours)).arg(expiry(day, keep.days));
        call = call.arg(names.len());
        for change in names {
            call = call.arg(change.name.as_ref()).arg(change.hash);
            call = match change.total {
                Some(total) => call.arg(total.people).arg(total.bots),
                None => call.arg("").arg(""),
            };
            call = call.arg(change.hour_bytes());
            let mut rows = rows.by_ref().take(change.len());
            let (day, sketch) = split(rows.next().map(Vec::as_slice).unwrap_or_default());
            call = rows.fold(call.arg(day).arg(sketch), |call, row| call.arg(row));
        }
    }
    call
}

/// A day's row as it is stored: what stands apart from it is the second part.
pub(super) fn split(row: &[u8]) -> (&[u8], &[u8]) {
    match length_without_sketches(row) {
        Ok(length) if row.len() >= length + LONG_SKETCH => row.split_at(length),
        _ => (row, &[]),
    }
}

/// Puts the parts together again.
pub(super) fn join(row: &mut Vec<u8>, sketch: Option<Vec<u8>>) {
    if length_without_sketches(row).is_ok_and(|length| length == row.len()) {
        row.extend(sketch.unwrap_or_default());
    }
}

/// When rows of a day expire, in Unix seconds; 0: never.
pub(super) fn expiry(day: Day, keep: Option<u32>) -> u64 {
    keep.map_or(0, |days| (u64::from(day.0) + 1 + u64::from(days)) * 86_400)
}

/// Where the lanes are, from the fields and values of the node's hash in turn.
fn read_standing(stands: &[String]) -> Result<Progress, StoreError> {
    read_progress(stands.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())))
}
