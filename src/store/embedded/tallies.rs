//! Counts, and the positions they are true for, in redb. One transaction moves both.

use std::ops::Range;

use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};

use super::{Embedded, failed};
use crate::model::code::Code;
use crate::model::tally::{Day, DayTally};
use crate::store::{
    Account, Applied, Batch, Lane, Move, NodeId, Position, Progress, StoreError, Subject, Tallies,
};

/// Day and code → that day's tally. Rows of a day stand together: a roll-up touches few pages.
const LINK_DAYS: TableDefinition<'_, (u32, &str), &[u8]> = TableDefinition::new("link_days");
const SITE_DAYS: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("site_days");
const TOTALS: TableDefinition<'_, &str, u64> = TableDefinition::new("totals");
const LANES: TableDefinition<'_, (&str, u16), u64> = TableDefinition::new("lanes");
const COUNTED: TableDefinition<'_, &str, u64> = TableDefinition::new("counted");
const ACCOUNTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("accounts");

pub(super) fn make_tables(txn: &WriteTransaction) -> Result<(), StoreError> {
    txn.open_table(LINK_DAYS).map_err(failed)?;
    txn.open_table(SITE_DAYS).map_err(failed)?;
    txn.open_table(TOTALS).map_err(failed)?;
    txn.open_table(LANES).map_err(failed)?;
    txn.open_table(COUNTED).map_err(failed)?;
    txn.open_table(ACCOUNTS).map_err(failed)?;
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
        self.write(move |txn| {
            let standing = {
                let lanes = txn.open_table(LANES).map_err(failed)?;
                let counted = txn.open_table(COUNTED).map_err(failed)?;
                progress(&lanes, &counted, &node)?
            };
            if batch.moves.iter().any(|step| !starts_where_we_stand(step, &standing)) {
                return Ok(Applied::Elsewhere(standing));
            }
            move_on(txn, &node, &batch, &standing)?;
            add_links(txn, &batch)?;
            add_site(txn, &batch)?;
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

    async fn series(
        &self,
        subject: &Subject,
        days: Range<Day>,
    ) -> Result<Vec<(Day, DayTally)>, StoreError> {
        let subject = subject.clone();
        self.scan(move |txn| match subject {
            Subject::Site => {
                let table = txn.open_table(SITE_DAYS).map_err(failed)?;
                let rows = table.range(days.start.0..days.end.0).map_err(failed)?;
                rows.map(|row| {
                    let (day, bytes) = row.map_err(failed)?;
                    Ok((Day(day.value()), read_tally(bytes.value())?))
                })
                .collect()
            }
            Subject::Link(code) => {
                let table = txn.open_table(LINK_DAYS).map_err(failed)?;
                // On other days nothing was clicked at all, however many are asked for.
                let clicked = txn.open_table(SITE_DAYS).map_err(failed)?;
                let mut rows = Vec::new();
                for day in clicked.range(days.start.0..days.end.0).map_err(failed)? {
                    let day = day.map_err(failed)?.0.value();
                    if let Some(bytes) = table.get((day, code.as_str())).map_err(failed)? {
                        rows.push((Day(day), read_tally(bytes.value())?));
                    }
                }
                Ok(rows)
            }
        })
        .await
    }

    async fn totals(&self, codes: &[Code]) -> Result<Vec<u64>, StoreError> {
        self.read(|txn| {
            let table = txn.open_table(TOTALS).map_err(failed)?;
            let total = |code: &Code| {
                let found = table.get(code.as_str()).map_err(failed)?;
                Ok(found.map_or(0, |total| total.value()))
            };
            codes.iter().map(total).collect()
        })
    }

    async fn links_on(&self, day: Day) -> Result<Vec<(Code, DayTally)>, StoreError> {
        self.scan(move |txn| {
            let table = txn.open_table(LINK_DAYS).map_err(failed)?;
            let rows = table.range((day.0, "")..(day.0 + 1, "")).map_err(failed)?;
            rows.map(|row| {
                let (key, bytes) = row.map_err(failed)?;
                let code = key.value().1;
                let code = Code::parse(code)
                    .map_err(|e| StoreError::Damaged(format!("code {code:?}: {e}")))?;
                Ok((code, read_tally(bytes.value())?))
            })
            .collect()
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

fn progress(
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

fn add_links(txn: &WriteTransaction, batch: &Batch) -> Result<(), StoreError> {
    let mut days = txn.open_table(LINK_DAYS).map_err(failed)?;
    let mut totals = txn.open_table(TOTALS).map_err(failed)?;
    for ((day, code), tally) in &batch.links {
        add_day(&mut days, (day.0, code.as_str()), tally)?;
        let total = totals.get(code.as_str()).map_err(failed)?.map_or(0, |total| total.value());
        totals.insert(code.as_str(), total + tally.clicks()).map_err(failed)?;
    }
    Ok(())
}

fn add_site(txn: &WriteTransaction, batch: &Batch) -> Result<(), StoreError> {
    let mut days = txn.open_table(SITE_DAYS).map_err(failed)?;
    for (day, tally) in batch.site() {
        add_day(&mut days, day.0, &tally)?;
    }
    Ok(())
}

fn add_day<'k, K: redb::Key + 'static>(
    days: &mut Table<'_, K, &'static [u8]>,
    key: impl std::borrow::Borrow<K::SelfType<'k>>,
    more: &DayTally,
) -> Result<(), StoreError> {
    let there = days.get(key.borrow()).map_err(failed)?;
    let mut tally = there.map_or(Ok(DayTally::default()), |bytes| read_tally(bytes.value()))?;
    tally.merge(more);
    days.insert(key, tally.to_bytes().as_slice()).map_err(failed)?;
    Ok(())
}

fn read_tally(bytes: &[u8]) -> Result<DayTally, StoreError> {
    DayTally::from_bytes(bytes).map_err(|e| StoreError::Damaged(e.to_string()))
}
