//! Counts: one script a batch, so that what is counted and how far the journal is counted move
//! together or not at all.

use std::collections::BTreeMap;
use std::ops::Range;

use super::connection::Trip;
use super::schema::{DAYS_A_MONTH, NODES, PARTITIONS, partition_of, prefix};
use super::{Redis, scripts, together};
use crate::model::code::Code;
use crate::model::tally::{Day, DayTally};
use crate::store::{
    Account, Applied, Batch, Lane, NodeId, Position, Progress, StoreError, Subject, Tallies,
};

/// The field beside the lanes.
const COUNTED: &str = "counted";
/// Months looked into by one script call: a year of days.
const MONTHS_A_CALL: usize = 12;

impl Tallies for Redis {
    async fn apply(
        &self,
        node: &NodeId,
        partition: usize,
        batch: &Batch,
    ) -> Result<Applied, StoreError> {
        let call = apply_call(node, partition, batch);
        let mut answer: Vec<String> = self.connection.script(Trip::Write, &call).await?;
        if answer.first().is_some_and(|first| first == "0") {
            return Ok(Applied::Done);
        }
        let fields = answer.split_off(answer.len().min(1));
        let pairs = fields.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone()));
        read_progress(pairs).map(Applied::Elsewhere)
    }

    async fn progress(&self, node: &NodeId) -> Result<Vec<Progress>, StoreError> {
        let looks = (0..PARTITIONS).map(async |partition| {
            let mut look = ::redis::cmd("HGETALL");
            look.arg(format!("{}n:{}", prefix(partition), node.0));
            let found: BTreeMap<String, String> =
                self.connection.command(Trip::Query, &look).await?;
            read_progress(found.into_iter())
        });
        together(looks).await
    }

    async fn series(
        &self,
        subject: &Subject,
        days: Range<Day>,
    ) -> Result<Vec<(Day, DayTally)>, StoreError> {
        let sum = match subject {
            Subject::Link(code) => self.link_series(code, &days).await?,
            Subject::Site => self.site_series(&days).await?,
        };
        Ok(sum.into_iter().collect())
    }

    async fn totals(&self, codes: &[Code]) -> Result<Vec<u64>, StoreError> {
        let read = |value: Option<Vec<u8>>| value.map_or(Ok(0), |value| number(&value));
        self.values("c", codes).await?.into_iter().map(read).collect()
    }

    async fn links_on(&self, day: Day) -> Result<Vec<(Code, DayTally)>, StoreError> {
        let looks = (0..PARTITIONS).map(|partition| self.rows(partition, day));
        let mut links = BTreeMap::new();
        for (code, tally) in together(looks).await?.into_iter().flatten() {
            // Seen twice: the later one has at least the clicks of the earlier.
            links.insert(code, tally);
        }
        Ok(links.into_iter().collect())
    }

    async fn put_account(&self, account: &Account) -> Result<(), StoreError> {
        let record = serde_json::to_vec(account).map_err(|e| damaged("an account", &e))?;
        let mut put = ::redis::cmd("HSET");
        put.arg(NODES).arg(&account.node.0).arg(record);
        self.connection.command(Trip::Write, &put).await
    }

    async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        let mut look = ::redis::cmd("HGETALL");
        look.arg(NODES);
        let found: BTreeMap<String, Vec<u8>> = self.connection.command(Trip::Query, &look).await?;
        let read =
            |bytes: &Vec<u8>| serde_json::from_slice(bytes).map_err(|e| damaged("an account", &e));
        found.values().map(read).collect()
    }
}

impl Redis {
    async fn link_series(
        &self,
        code: &Code,
        days: &Range<Day>,
    ) -> Result<BTreeMap<Day, DayTally>, StoreError> {
        let partition = partition_of(code.as_str());
        let months = self.months(partition, days).await?;
        let years: Vec<Vec<u32>> = months.chunks(MONTHS_A_CALL).map(<[u32]>::to_vec).collect();
        let looks = years.into_iter().map(async |months| {
            let call = scripts::SERIES.at(&prefix(partition)).arg(code.as_str());
            let call = call.arg(days.start.0).arg(days.end.0).arg(months);
            self.connection.script::<Vec<(u32, Vec<u8>)>>(Trip::Query, &call).await
        });
        let mut sum = BTreeMap::new();
        for (day, tally) in together(looks).await?.into_iter().flatten() {
            sum.insert(Day(day), read_tally(&tally)?);
        }
        Ok(sum)
    }

    async fn site_series(&self, days: &Range<Day>) -> Result<BTreeMap<Day, DayTally>, StoreError> {
        let months = (0..PARTITIONS).map(async |partition| {
            let months = self.months(partition, days).await?;
            Ok(months.into_iter().map(move |month| (partition, month)))
        });
        let looks =
            together(months).await?.into_iter().flatten().map(async |(partition, month)| {
                let mut look = ::redis::cmd("HGETALL");
                look.arg(format!("{}s{month}", prefix(partition)));
                self.connection.command::<BTreeMap<u32, Vec<u8>>>(Trip::Query, &look).await
            });
        let mut sum = BTreeMap::<Day, DayTally>::new();
        for (day, tally) in together(looks).await?.into_iter().flatten() {
            if days.contains(&Day(day)) {
                sum.entry(Day(day)).or_default().merge(&read_tally(&tally)?);
            }
        }
        Ok(sum)
    }

    /// The months of `days` in which anything was counted in this partition.
    async fn months(&self, partition: usize, days: &Range<Day>) -> Result<Vec<u32>, StoreError> {
        if days.is_empty() {
            return Ok(Vec::new());
        }
        let mut look = ::redis::cmd("SMEMBERS");
        look.arg(format!("{}y", prefix(partition)));
        let mut months: Vec<u32> = self.connection.command(Trip::Query, &look).await?;
        let asked = days.start.0 / DAYS_A_MONTH..=(days.end.0 - 1) / DAYS_A_MONTH;
        months.retain(|month| asked.contains(month));
        months.sort_unstable();
        Ok(months)
    }

    /// The links of a partition clicked on a day.
    async fn rows(&self, partition: usize, day: Day) -> Result<Vec<(Code, DayTally)>, StoreError> {
        let mut rows = Vec::new();
        let mut bucket = 0;
        loop {
            let call = scripts::ROWS.at(&prefix(partition)).arg(day.0).arg(bucket);
            let mut answer: Vec<Vec<u8>> = self.connection.script(Trip::Query, &call).await?;
            let entries = answer.split_off(answer.len().min(1));
            for entry in entries.chunks_exact(2) {
                rows.push((read_code(&entry[0])?, read_tally(&entry[1])?));
            }
            bucket = answer.first().map_or(Ok(0), |next| number(next))?;
            if bucket == 0 {
                return Ok(rows);
            }
        }
    }
}

/// The call that applies a batch, with the site's tallies summed up from the links'.
fn apply_call(node: &NodeId, partition: usize, batch: &Batch) -> scripts::Call {
    let mut call = scripts::APPLY.at(&prefix(partition)).arg(&node.0);
    call = call.arg(batch.clicks).arg(batch.moves.len());
    for step in &batch.moves {
        call = call.arg(step.lane.0).arg(step.from.0).arg(step.to.0);
    }
    let mut days = BTreeMap::<Day, Vec<(&Code, &DayTally)>>::new();
    for ((day, code), tally) in batch.links.iter().filter(|(_, tally)| tally.clicks() > 0) {
        days.entry(*day).or_default().push((code, tally));
    }
    let mut site = batch.site();
    for (day, rows) in days {
        let sum = site.remove(&day).unwrap_or_default();
        call = call.arg(day.0).arg(sum.to_bytes()).arg(rows.len());
        for (code, tally) in rows {
            call = call.arg(code.as_str()).arg(tally.to_bytes()).arg(tally.clicks());
        }
    }
    call
}

fn read_progress(fields: impl Iterator<Item = (String, String)>) -> Result<Progress, StoreError> {
    let mut progress = Progress::default();
    for (field, value) in fields {
        let value = number(value.as_bytes())?;
        if field == COUNTED {
            progress.counted = value;
        } else {
            let lane = field.parse().map_err(|e| damaged("a lane", &e))?;
            progress.lanes.insert(Lane(lane), Position(value));
        }
    }
    Ok(progress)
}

fn read_code(bytes: &[u8]) -> Result<Code, StoreError> {
    let text = std::str::from_utf8(bytes).map_err(|e| damaged("a counted code", &e))?;
    Code::parse(text).map_err(|e| damaged("a counted code", &e))
}

fn read_tally(bytes: &[u8]) -> Result<DayTally, StoreError> {
    DayTally::from_bytes(bytes).map_err(|e| damaged("a tally", &e))
}

fn number(text: &[u8]) -> Result<u64, StoreError> {
    let text = std::str::from_utf8(text).map_err(|e| damaged("a number", &e))?;
    text.parse().map_err(|e| damaged("a number", &e))
}

fn damaged(what: &str, why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Damaged(format!("{what}: {why}"))
}
