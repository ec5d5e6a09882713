//! Counts: one script a batch, so that what is counted and how far the journal is counted move
//! together or not at all.

use std::collections::BTreeMap;
use std::ops::Range;

use super::connection::Trip;
use super::schema::{DAYS_A_MONTH, NODES, PARTITIONS, partition_of, prefix};
use super::{Redis, scripts, together};
use crate::model::code::Code;
use crate::model::tally::{Count, Day, Subject};
use crate::store::{
    Account, Applied, Ask, Batch, Bulletin, DayFigures, DayRow, Lane, News, NewsId, NodeId, Note,
    Position, Progress, StoreError, Tallies,
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
        let _ = (node, partition, batch);
        Err(StoreError::Unavailable("not yet".into()))
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

    async fn days(&self, _: &Subject, _: &[Ask]) -> Result<Vec<(Day, DayRow)>, StoreError> {
        Err(StoreError::Unavailable("not yet".into()))
    }
    async fn first_day(&self, _: Range<Day>) -> Result<Option<Day>, StoreError> {
        Err(StoreError::Unavailable("not yet".into()))
    }
    async fn totals(&self, _: &[Code]) -> Result<Vec<Count>, StoreError> {
        Err(StoreError::Unavailable("not yet".into()))
    }
    async fn links_on(&self, _: Day, _: bool) -> Result<Vec<(Code, DayFigures)>, StoreError> {
        Err(StoreError::Unavailable("not yet".into()))
    }
    async fn forget_link(&self, _: &Note) -> Result<u64, StoreError> {
        Err(StoreError::Unavailable("not yet".into()))
    }
    async fn notes(&self) -> Result<Vec<Note>, StoreError> {
        Err(StoreError::Unavailable("not yet".into()))
    }
    async fn sweep(&self, _: Day, _: Day) -> Result<(), StoreError> {
        Ok(())
    }
    async fn salt(&self, _: Day, fresh: &[u8; 16], _: Day) -> Result<[u8; 16], StoreError> {
        Ok(*fresh)
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

impl Bulletin for Redis {
    async fn tell(&self, _: &[u8]) -> Result<(), StoreError> {
        Err(StoreError::Unavailable("not yet".into()))
    }
    async fn news_after(&self, _: &NewsId, _: usize) -> Result<News, StoreError> {
        Err(StoreError::Unavailable("not yet".into()))
    }
    async fn last_news(&self) -> Result<NewsId, StoreError> {
        Err(StoreError::Unavailable("not yet".into()))
    }
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

fn number(text: &[u8]) -> Result<u64, StoreError> {
    let text = std::str::from_utf8(text).map_err(|e| damaged("a number", &e))?;
    text.parse().map_err(|e| damaged("a number", &e))
}

fn damaged(what: &str, why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Damaged(format!("{what}: {why}"))
}
