//! Counts, and the positions they are true for, in redb. One transaction moves both.

use std::collections::BTreeMap;
use std::ops::Range;

use redb::{ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};

use super::{Embedded, failed, sweep};
use crate::model::code::Code;
use crate::model::tally::row::{DAY_ROWS, Names, QUARTER_ROWS};
use crate::model::tally::subject::is_link;
use crate::model::tally::{
    BadTally, Breakdown, Cell, Count, Day, Figures, QUARTERS_AN_HOUR, Row, Subject, row,
};
use crate::store::{
    Account, Applied, Ask, Batch, DayFigures, DayRow, Lane, Move, NodeId, Note, Position, Progress,
    StoreError, Tallies,
};

/// Day and subject → the row of that day. Rows of a day stand together: a roll-up touches few pages.
pub(super) const DAYS: TableDefinition<'_, (u32, &str), &[u8]> = TableDefinition::new("days");
/// Day, subject and hour → the row of that hour's quarters.
pub(super) const HOURS: TableDefinition<'_, (u32, &str, u8), &[u8]> = TableDefinition::new("hours");
/// Code → its clicks, ever: people's, bots'.
pub(super) const TOTALS: TableDefinition<'_, &str, (u64, u64)> = TableDefinition::new("totals");
pub(super) const LANES: TableDefinition<'_, (&str, u16), u64> = TableDefinition::new("lanes");
pub(super) const COUNTED: TableDefinition<'_, &str, u64> = TableDefinition::new("counted");
const ACCOUNTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("accounts");
/// Day → the secret of its visitors' hashes.
const SALTS: TableDefinition<'_, u32, &[u8; 16]> = TableDefinition::new("salts");
/// Number → a note, as JSON.
const NOTES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("notes");

pub(super) fn make_tables(txn: &WriteTransaction) -> Result<(), StoreError> {
    txn.open_table(DAYS).map_err(failed)?;
    txn.open_table(HOURS).map_err(failed)?;
    txn.open_table(TOTALS).map_err(failed)?;
    txn.open_table(LANES).map_err(failed)?;
    txn.open_table(COUNTED).map_err(failed)?;
    txn.open_table(ACCOUNTS).map_err(failed)?;
    txn.open_table(SALTS).map_err(failed)?;
    txn.open_table(NOTES).map_err(failed)?;
    Ok(())
}

impl Tallies for Embedded {
    async fn apply(
        &self,
        node: &NodeId,
        _partition: usize,
        batch: &Batch,
    ) -> Result<Applied, StoreError> {
        let (node, batch) = (node.clone(), batch.clone());
        self.change_counts(move |txn| {
            let standing = {
                let lanes = txn.open_table(LANES).map_err(failed)?;
                let counted = txn.open_table(COUNTED).map_err(failed)?;
                progress(&lanes, &counted, &node)?
            };
            if batch.moves.iter().any(|step| !starts_where_we_stand(step, &standing)) {
                return Ok(Applied::Elsewhere(standing));
            }
            move_on(txn, &node, &batch, &standing)?;
            add_rows(txn, &batch)?;
            Ok(Applied::Done)
        })
        .await
    }

    async fn progress(&self, node: &NodeId) -> Result<Vec<Progress>, StoreError> {
        self.read(|txn| {
            let lanes = txn.open_table(LANES).map_err(failed)?;
            let counted = txn.open_table(COUNTED).map_err(failed)?;
            Ok(vec![progress(&lanes, &counted, node)?])
        })
    }

    async fn days(
        &self,
        subject: &Subject,
        asks: &[Ask],
    ) -> Result<Vec<(Day, DayRow)>, StoreError> {
        let (name, asks) = (subject.name().into_owned(), asks.to_vec());
        self.scan(move |txn| {
            let days = txn.open_table(DAYS).map_err(failed)?;
            let mut found = Vec::<(Day, DayRow)>::new();
            for ask in asks {
                let Some(bytes) = days.get((ask.day.0, name.as_str())).map_err(failed)? else {
                    continue;
                };
                // The next day has nearly the same names.
                let like = found.last().map(|(_, row)| &row.whole.breakdown);
                let whole = read_day(bytes.value(), ask.sketch, like)?;
                let quarters = if ask.quarters { quarters(txn, &name, ask)? } else { vec![] };
                found.push((ask.day, DayRow { whole, quarters }));
            }
            Ok(found)
        })
        .await
    }

    async fn first_day(&self, days: Range<Day>) -> Result<Option<Day>, StoreError> {
        self.read(|txn| {
            let table = txn.open_table(DAYS).map_err(failed)?;
            let first = first_day_from(&table, days.start.0)?.map(Day);
            Ok(first.filter(|day| days.contains(day)))
        })
    }

    async fn totals(&self, codes: &[Code]) -> Result<Vec<Count>, StoreError> {
        self.read(|txn| {
            let table = txn.open_table(TOTALS).map_err(failed)?;
            codes.iter().map(|code| total_of(&table, code.as_str())).collect()
        })
    }

    async fn links_on(
        &self,
        day: Day,
        quarters: bool,
    ) -> Result<Vec<(Code, DayFigures)>, StoreError> {
        self.scan(move |txn| {
            let days = txn.open_table(DAYS).map_err(failed)?;
            let mut links = BTreeMap::<Code, DayFigures>::new();
            for entry in days.range((day.0, "")..(day.0 + 1, "")).map_err(failed)? {
                let (key, bytes) = entry.map_err(failed)?;
                let name = key.value().1;
                if is_link(name) {
                    let figures = Row::figures_of(bytes.value()).map_err(damaged)?;
                    let whole = figures.first().map(|(_, figures)| *figures).unwrap_or_default();
                    links.insert(read_code(name)?, DayFigures { whole, quarters: vec![] });
                }
            }
            if quarters {
                add_quarters(txn, day, &mut links)?;
            }
            Ok(links.into_iter().collect())
        })
        .await
    }

    async fn forget_link(&self, note: &Note) -> Result<u64, StoreError> {
        let mut note = note.clone();
        self.change_counts(move |txn| {
            let name = note.code.as_str().to_owned();
            let mut totals = txn.open_table(TOTALS).map_err(failed)?;
            note.clicks = total_of(&totals, &name)?.clicks();
            totals.remove(name.as_str()).map_err(failed)?;
            forget_rows(txn, &name)?;
            file_note(txn, &note)?;
            Ok(note.clicks)
        })
        .await
    }

    async fn notes(&self) -> Result<Vec<Note>, StoreError> {
        self.read(|txn| {
            let table = txn.open_table(NOTES).map_err(failed)?;
            let rows = table.iter().map_err(failed)?;
            rows.map(|row| {
                let (_, bytes) = row.map_err(failed)?;
                serde_json::from_slice(bytes.value())
                    .map_err(|e| StoreError::Damaged(format!("a note: {e}")))
            })
            .collect()
        })
    }

    async fn sweep(&self, hours_before: Day, days_before: Day) -> Result<bool, StoreError> {
        self.change_counts(move |txn| sweep::piece(txn, hours_before, days_before)).await
    }

    async fn salt(
        &self,
        day: Day,
        fresh: &[u8; 16],
        forget_before: Day,
    ) -> Result<[u8; 16], StoreError> {
        let fresh = *fresh;
        self.write(move |txn| {
            let mut salts = txn.open_table(SALTS).map_err(failed)?;
            salts.retain_in(..forget_before.0, |_, _| false).map_err(failed)?;
            if let Some(salt) = salts.get(day.0).map_err(failed)? {
                return Ok(*salt.value());
            }
            salts.insert(day.0, &fresh).map_err(failed)?;
            Ok(fresh)
        })
        .await
    }

    async fn forget_salts(&self, before: Day) -> Result<(), StoreError> {
        self.write(move |txn| {
            let mut salts = txn.open_table(SALTS).map_err(failed)?;
            salts.retain_in(..before.0, |_, _| false).map_err(failed)
        })
        .await
    }

    async fn put_account(&self, account: &Account) -> Result<(), StoreError> {
        let account = account.clone();
        self.write(move |txn| {
            let bytes = serde_json::to_vec(&account).unwrap_or_default();
            let mut table = txn.open_table(ACCOUNTS).map_err(failed)?;
            table.insert(account.node.0.as_str(), bytes.as_slice()).map_err(failed)?;
            Ok(())
        })
        .await
    }

    async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        self.read(|txn| {
            let table = txn.open_table(ACCOUNTS).map_err(failed)?;
            let rows = table.iter().map_err(failed)?;
            rows.map(|row| {
                let (_, bytes) = row.map_err(failed)?;
                serde_json::from_slice(bytes.value())
                    .map_err(|e| StoreError::Damaged(format!("an account: {e}")))
            })
            .collect()
        })
    }
}

pub(super) fn progress(
    lanes: &impl ReadableTable<(&'static str, u16), u64>,
    counted: &impl ReadableTable<&'static str, u64>,
    node: &NodeId,
) -> Result<Progress, StoreError> {
    let node = node.0.as_str();
    let mut known = Progress::default();
    for row in lanes.range((node, 0)..=(node, u16::MAX)).map_err(failed)? {
        let (key, position) = row.map_err(failed)?;
        known.lanes.insert(Lane(key.value().1), Position(position.value()));
    }
    known.counted = counted.get(node).map_err(failed)?.map_or(0, |n| n.value());
    Ok(known)
}

fn starts_where_we_stand(step: &Move, standing: &Progress) -> bool {
    standing.lanes.get(&step.lane).copied().unwrap_or_default() == step.from
}

fn move_on(
    txn: &WriteTransaction,
    node: &NodeId,
    batch: &Batch,
    standing: &Progress,
) -> Result<(), StoreError> {
    let mut lanes = txn.open_table(LANES).map_err(failed)?;
    for step in &batch.moves {
        lanes.insert((node.0.as_str(), step.lane.0), step.to.0).map_err(failed)?;
    }
    let mut counted = txn.open_table(COUNTED).map_err(failed)?;
    counted.insert(node.0.as_str(), standing.counted + batch.clicks).map_err(failed)?;
    Ok(())
}

fn add_rows(txn: &WriteTransaction, batch: &Batch) -> Result<(), StoreError> {
    let mut days = txn.open_table(DAYS).map_err(failed)?;
    let mut hours = txn.open_table(HOURS).map_err(failed)?;
    let mut totals = txn.open_table(TOTALS).map_err(failed)?;
    for ((day, subject), quarters) in &batch.rows {
        let name = subject.name();
        let (by_hour, whole) = row::of_quarters(quarters);
        if matches!(subject, Subject::Link(_)) {
            let mut total = total_of(&totals, &name)?;
            total += whole.count;
            totals.insert(name.as_ref(), (total.people, total.bots)).map_err(failed)?;
        }
        merge_into(&mut days, (day.0, name.as_ref()), &Row::of(whole), DAY_ROWS)?;
        for (hour, row) in by_hour {
            merge_into(&mut hours, (day.0, name.as_ref(), hour), &row, QUARTER_ROWS)?;
        }
    }
    Ok(())
}

fn merge_into<'k, K: redb::Key + 'static>(
    table: &mut Table<'_, K, &'static [u8]>,
    key: impl std::borrow::Borrow<K::SelfType<'k>>,
    more: &Row,
    most: usize,
) -> Result<(), StoreError> {
    let there = table.get(key.borrow()).map_err(failed)?;
    let bytes = row::merged(there.as_ref().map(redb::AccessGuard::value), more, most);
    drop(there);
    table.insert(key, bytes.map_err(damaged)?.as_slice()).map_err(failed)?;
    Ok(())
}

pub(super) fn total_of(
    totals: &impl ReadableTable<&'static str, (u64, u64)>,
    code: &str,
) -> Result<Count, StoreError> {
    let found = totals.get(code).map_err(failed)?;
    let (people, bots) = found.map(|total| total.value()).unwrap_or_default();
    Ok(Count { people, bots })
}

fn quarters(txn: &ReadTransaction, name: &str, ask: Ask) -> Result<Vec<(u8, Cell)>, StoreError> {
    let (day, none) = (ask.day, Breakdown::default());
    let names = if ask.names { Names::Like(&none) } else { Names::Skip };
    let hours = txn.open_table(HOURS).map_err(failed)?;
    let mut quarters = Vec::new();
    for entry in hours.range((day.0, name, 0)..=(day.0, name, u8::MAX)).map_err(failed)? {
        let (key, bytes) = entry.map_err(failed)?;
        let first = key.value().2 * QUARTERS_AN_HOUR;
        let cells = Row::read(bytes.value(), names).map_err(damaged)?.into_cells();
        quarters.extend(cells.into_iter().map(|(slot, cell)| (first + slot, cell)));
    }
    Ok(quarters)
}

/// Adds the quarters of a day to the links they belong to.
fn add_quarters(
    txn: &ReadTransaction,
    day: Day,
    links: &mut BTreeMap<Code, DayFigures>,
) -> Result<(), StoreError> {
    let hours = txn.open_table(HOURS).map_err(failed)?;
    for entry in hours.range((day.0, "", 0)..(day.0 + 1, "", 0)).map_err(failed)? {
        let (key, bytes) = entry.map_err(failed)?;
        let (_, name, hour) = key.value();
        if !is_link(name) {
            continue;
        }
        let quarters = Row::figures_of(bytes.value()).map_err(damaged)?;
        let quarters = quarters.into_iter();
        let quarters = quarters.map(|(slot, figures)| (hour * QUARTERS_AN_HOUR + slot, figures));
        if let Some(link) = links.get_mut(&read_code(name)?) {
            link.quarters.extend::<Vec<(u8, Figures)>>(quarters.collect());
        }
    }
    Ok(())
}

pub(super) fn file_note(txn: &WriteTransaction, note: &Note) -> Result<(), StoreError> {
    let mut notes = txn.open_table(NOTES).map_err(failed)?;
    let number = notes.last().map_err(failed)?.map_or(0, |(number, _)| number.value() + 1);
    let bytes = serde_json::to_vec(note).unwrap_or_default();
    notes.insert(number, bytes.as_slice()).map_err(failed)?;
    Ok(())
}

fn forget_rows(txn: &WriteTransaction, name: &str) -> Result<(), StoreError> {
    let mut days = txn.open_table(DAYS).map_err(failed)?;
    let mut hours = txn.open_table(HOURS).map_err(failed)?;
    let mut next = first_day_from(&days, 0)?;
    while let Some(day) = next {
        days.remove((day, name)).map_err(failed)?;
        hours.retain_in((day, name, 0)..=(day, name, u8::MAX), |_, _| false).map_err(failed)?;
        next = first_day_from(&days, day.saturating_add(1))?;
    }
    Ok(())
}

/// The first day, from this one on, that has any row.
fn first_day_from(
    days: &impl ReadableTable<(u32, &'static str), &'static [u8]>,
    day: u32,
) -> Result<Option<u32>, StoreError> {
    let mut rows = days.range((day, "")..).map_err(failed)?;
    let first = rows.next().transpose().map_err(failed)?;
    Ok(first.map(|(key, _)| key.value().0))
}

fn read_day(bytes: &[u8], sketch: bool, like: Option<&Breakdown>) -> Result<Cell, StoreError> {
    let bytes = match sketch {
        true => bytes,
        false => {
            let length = row::length_without_sketches(bytes).map_err(damaged)?;
            bytes.get(..length).ok_or_else(|| StoreError::Damaged("a row is short".into()))?
        }
    };
    let none = Breakdown::default();
    let row = Row::read(bytes, Names::Like(like.unwrap_or(&none))).map_err(damaged)?;
    Ok(row.into_cells().into_iter().next().map(|(_, cell)| cell).unwrap_or_default())
}

fn read_code(name: &str) -> Result<Code, StoreError> {
    Code::parse(name).map_err(|e| StoreError::Damaged(format!("code {name:?}: {e}")))
}

fn damaged(error: BadTally) -> StoreError {
    StoreError::Damaged(error.to_string())
}
