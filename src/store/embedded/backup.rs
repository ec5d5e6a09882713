//! Reading all that redb holds, and putting it back.

use std::ops::Bound;
use std::time::Duration;

use redb::{ReadTransaction, ReadableTable, Table, WriteTransaction};

use super::links::{LISTINGS, parse_place, place_of, read_code};
use super::tallies::{COUNTED, DAYS, HOURS, LANES, TOTALS, progress, total_of};
use super::{Embedded, failed};
use crate::model::code::Code;
use crate::model::tally::{Count, Day, Subject};
use crate::store::backup::{Backup, Over, Piece, Put, StoredRow};
use crate::store::{Keep, NodeId, Note, Place, Progress, StoreError};

/// Bytes of rows after which a piece ends.
const PIECE_BYTES: usize = 256 * 1024;
/// Totals of one piece.
const PIECE_TOTALS: usize = 4_096;
/// The listing of all links.
const ALL: &str = "a";

impl Backup for Embedded {
    async fn oldest(
        &self,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<(Place, Code)>, StoreError> {
        let after = after.map(parse_place).transpose()?;
        self.scan(move |txn| {
            let table = txn.open_table(LISTINGS).map_err(failed)?;
            let from = match &after {
                Some((ms, code)) => Bound::Excluded((ALL, *ms, code.as_str())),
                None => Bound::Included((ALL, i64::MIN, "")),
            };
            let newer = table.range((from, Bound::Unbounded)).map_err(failed)?;
            let mut page = Vec::new();
            for entry in newer.take(limit) {
                let (key, _) = entry.map_err(failed)?;
                let (listing, ms, code) = key.value();
                if listing != ALL {
                    break;
                }
                page.push((place_of(ms, code), read_code(code)?));
            }
            Ok(page)
        })
        .await
    }

    /// On the writing thread, so that no batch is under way when this returns.
    async fn hold(&self, name: &str, lease: Duration) -> Result<bool, StoreError> {
        let (hold, name) = (self.hold.clone(), name.to_owned());
        self.write(move |_| Ok(hold.take(&name, lease))).await
    }

    async fn hold_on(&self, name: &str, lease: Duration) -> Result<bool, StoreError> {
        Ok(self.hold.renew(name, lease))
    }

    async fn let_go(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.hold.end(name))
    }

    async fn rows_after(&self, after: Option<&Place>) -> Result<Piece<StoredRow>, StoreError> {
        let after = after.map(day_and_name).transpose()?;
        self.scan(move |txn| rows_after(txn, after.as_ref())).await
    }

    async fn totals_after(
        &self,
        after: Option<&Place>,
    ) -> Result<Piece<(Code, Count)>, StoreError> {
        let after = after.map(|place| place.0.clone()).unwrap_or_default();
        self.scan(move |txn| {
            let table = txn.open_table(TOTALS).map_err(failed)?;
            let from = (Bound::Excluded(after.as_str()), Bound::Unbounded);
            let mut totals = Vec::new();
            for entry in table.range::<&str>(from).map_err(failed)?.take(PIECE_TOTALS) {
                let (code, total) = entry.map_err(failed)?;
                let (people, bots) = total.value();
                totals.push((read_code(code.value())?, Count { people, bots }));
            }
            let last = totals.last().filter(|_| totals.len() == PIECE_TOTALS);
            let next = last.map(|(code, _)| Place(code.to_string()));
            Ok((totals, next))
        })
        .await
    }

    /// Rows that need not be kept are put back, and swept away later.
    async fn put_rows(
        &self,
        rows: &[StoredRow],
        _: Keep,
        over: Over,
    ) -> Result<Vec<Put>, StoreError> {
        let rows = rows.to_vec();
        self.change_counts(move |txn| {
            let mut days = txn.open_table(DAYS).map_err(failed)?;
            let mut hours = txn.open_table(HOURS).map_err(failed)?;
            let put = |row: &StoredRow| {
                let (name, bytes) = (row.subject.name(), row.bytes.as_slice());
                match row.hour {
                    None => put(&mut days, (row.day.0, &*name), bytes, over),
                    Some(hour) => put(&mut hours, (row.day.0, &*name, hour), bytes, over),
                }
            };
            rows.iter().map(put).collect()
        })
        .await
    }

    async fn put_totals(
        &self,
        totals: &[(Code, Count)],
        over: Over,
    ) -> Result<Vec<Put>, StoreError> {
        let totals = totals.to_vec();
        self.change_counts(move |txn| {
            let mut table = txn.open_table(TOTALS).map_err(failed)?;
            let mut put = |(code, total): &(Code, Count)| {
                let there = total_of(&table, code.as_str())?;
                let outcome = compared(there, *total);
                if writes(outcome, over) {
                    let value = (total.people, total.bots);
                    table.insert(code.as_str(), value).map_err(failed)?;
                }
                Ok(outcome)
            };
            totals.iter().map(&mut put).collect()
        })
        .await
    }

    async fn put_progress(
        &self,
        node: &NodeId,
        restored: &[Progress],
        over: Over,
    ) -> Result<Put, StoreError> {
        let [restored] = restored else {
            return Err(StoreError::Damaged("positions of another number of partitions".into()));
        };
        let (node, restored) = (node.clone(), restored.clone());
        self.change_counts(move |txn| put_progress(txn, &node, &restored, over)).await
    }

    async fn put_note(&self, note: &Note) -> Result<(), StoreError> {
        let note = note.clone();
        self.write(move |txn| super::tallies::file_note(txn, &note)).await
    }
}

/// What comes of putting `new` where `there` stands, if nothing is there like this.
fn compared<T: PartialEq + Default>(there: T, new: T) -> Put {
    if there == new {
        Put::Same
    } else if there == T::default() {
        Put::New
    } else {
        Put::Other
    }
}

/// Whether something is to be written when this came of it.
fn writes(outcome: Put, over: Over) -> bool {
    match over {
        Over::Look => false,
        Over::Keep => outcome == Put::New,
        Over::Replace => matches!(outcome, Put::New | Put::Other),
    }
}

fn put<'k, K: redb::Key + 'static>(
    table: &mut Table<'_, K, &'static [u8]>,
    key: K::SelfType<'k>,
    bytes: &[u8],
    over: Over,
) -> Result<Put, StoreError> {
    let there = table.get(&key).map_err(failed)?.map(|there| there.value() == bytes);
    let outcome = match there {
        None => Put::New,
        Some(true) => Put::Same,
        Some(false) => Put::Other,
    };
    if writes(outcome, over) {
        table.insert(key, bytes).map_err(failed)?;
    }
    Ok(outcome)
}

fn put_progress(
    txn: &WriteTransaction,
    node: &NodeId,
    restored: &Progress,
    over: Over,
) -> Result<Put, StoreError> {
    let mut lanes = txn.open_table(LANES).map_err(failed)?;
    let mut counted = txn.open_table(COUNTED).map_err(failed)?;
    let there = progress(&lanes, &counted, node)?;
    let outcome = compared(there, restored.clone());
    if writes(outcome, over) {
        let node = node.0.as_str();
        lanes.retain_in((node, 0)..=(node, u16::MAX), |_, _| false).map_err(failed)?;
        for (lane, position) in &restored.lanes {
            lanes.insert((node, lane.0), position.0).map_err(failed)?;
        }
        counted.insert(node, restored.counted).map_err(failed)?;
    }
    Ok(outcome)
}

/// Rows of whole subjects and days, after those of this one, until there are enough.
fn rows_after(
    txn: &ReadTransaction,
    after: Option<&(u32, String)>,
) -> Result<Piece<StoredRow>, StoreError> {
    let days = txn.open_table(DAYS).map_err(failed)?;
    let hours = txn.open_table(HOURS).map_err(failed)?;
    let from = match after {
        Some((day, name)) => Bound::Excluded((*day, name.as_str())),
        None => Bound::Unbounded,
    };
    let (mut rows, mut bytes) = (Vec::new(), 0);
    for entry in days.range((from, Bound::Unbounded)).map_err(failed)? {
        let (key, whole) = entry.map_err(failed)?;
        let (day, name) = key.value();
        let subject = Subject::of_name(name)
            .ok_or_else(|| StoreError::Damaged(format!("a row's subject: {name:?}")))?;
        let mut add = |hour, row: &[u8]| {
            bytes += row.len();
            let (subject, row) = (subject.clone(), row.to_vec());
            rows.push(StoredRow { day: Day(day), subject, hour, bytes: row });
        };
        add(None, whole.value());
        for entry in hours.range((day, name, 0)..=(day, name, u8::MAX)).map_err(failed)? {
            let (key, row) = entry.map_err(failed)?;
            add(Some(key.value().2), row.value());
        }
        if bytes >= PIECE_BYTES {
            return Ok((rows, Some(Place(format!("{day}.{name}")))));
        }
    }
    Ok((rows, None))
}

fn day_and_name(place: &Place) -> Result<(u32, String), StoreError> {
    let parts = place.0.split_once('.');
    let parts = parts.and_then(|(day, name)| Some((day.parse().ok()?, name.to_owned())));
    parts.ok_or_else(|| StoreError::Damaged(format!("place {:?}", place.0)))
}
