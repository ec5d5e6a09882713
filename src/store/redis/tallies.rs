//! Counts, and the positions they are true for: what is kept beside the rows, which `apply.rs`
//! writes and `rows.rs` reads.

use std::collections::BTreeMap;
use std::ops::Range;

use super::connection::Trip;
use super::schema::{NODES, NOTES, PARTITIONS, SALTS, partition_of, prefix};
use super::{Redis, scripts, together, unique};
use crate::model::code::Code;
use crate::model::tally::{Count, Day, Subject};
use crate::store::{
    Account, Applied, Ask, Batch, DayFigures, DayRow, Lane, NodeId, Note, Position, Progress,
    StoreError, Tallies,
};

/// The field beside the lanes.
pub(super) const COUNTED: &str = "counted";

impl Tallies for Redis {
    async fn apply(
        &self,
        node: &NodeId,
        partition: usize,
        batch: &Batch,
    ) -> Result<Applied, StoreError> {
        self.apply_batch(node, partition, batch).await
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

    async fn days(
        &self,
        subject: &Subject,
        asks: &[Ask],
    ) -> Result<Vec<(Day, DayRow)>, StoreError> {
        self.rows_of(subject, asks).await
    }

    async fn first_day(&self, days: Range<Day>) -> Result<Option<Day>, StoreError> {
        let looks = (0..PARTITIONS).map(async |partition| {
            let call = scripts::FIRST_DAY.at(&prefix(partition));
            let call = call.arg(days.start.0).arg(days.end.0);
            let day: i64 = self.connection.script(Trip::Query, &call).await?;
            Ok(u32::try_from(day).ok().map(Day))
        });
        Ok(together(looks).await?.into_iter().flatten().min())
    }

    async fn totals(&self, codes: &[Code]) -> Result<Vec<Count>, StoreError> {
        let totals = self.values("c", codes).await?.into_iter();
        totals.map(|value| read_total(&value.unwrap_or_default())).collect()
    }

    async fn links_on(
        &self,
        day: Day,
        quarters: bool,
    ) -> Result<Vec<(Code, DayFigures)>, StoreError> {
        self.links_of_day(day, quarters).await
    }

    /// The note lies in another slot than the rows, and is filed first: if the two are torn apart,
    /// there is rather a note of figures that are still there, which whoever asked was told of,
    /// than figures that are gone and nobody knows why. It is filed again if the link was clicked
    /// in between.
    async fn forget_link(&self, note: &Note) -> Result<u64, StoreError> {
        self.must_be_free(partition_of(note.code.as_str())).await?;
        let code = std::slice::from_ref(&note.code);
        let expected = self.totals(code).await?.first().map_or(0, |total| total.clicks());
        let name = name_of(note);
        self.file_note(&name, &Note { clicks: expected, ..note.clone() }).await?;
        let call = scripts::FORGET.at(&prefix(partition_of(note.code.as_str())));
        let call = call.arg(self.token()).arg(note.code.as_str()).arg(unique());
        let total: Vec<u8> = self.connection.script(Trip::Write, &call).await?;
        if total == b"!" {
            return Err(StoreError::held());
        }
        let clicks = read_total(&total)?.clicks();
        if clicks != expected {
            self.file_note(&name, &Note { clicks, ..note.clone() }).await?;
        }
        Ok(clicks)
    }

    async fn notes(&self) -> Result<Vec<Note>, StoreError> {
        self.records(NOTES, "a note").await
    }

    /// Does nothing: what expires does so by itself, at a time that is set when its first row is
    /// put.
    async fn sweep(&self, _: Day, _: Day) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn salt(
        &self,
        day: Day,
        fresh: &[u8; 16],
        forget_before: Day,
    ) -> Result<[u8; 16], StoreError> {
        let call = scripts::SALT.at(SALTS).arg(day.0).arg(&fresh[..]).arg(forget_before.0);
        let salt: Vec<u8> = self.connection.script(Trip::Write, &call).await?;
        salt.try_into().map_err(|_| StoreError::Damaged("the secret of a day".into()))
    }

    async fn forget_salts(&self, before: Day) -> Result<(), StoreError> {
        let call = scripts::FORGET_SALTS.at(SALTS).arg(before.0);
        let _: i64 = self.connection.script(Trip::Write, &call).await?;
        Ok(())
    }

    async fn put_account(&self, account: &Account) -> Result<(), StoreError> {
        let record = serde_json::to_vec(account).map_err(|e| damaged("an account", &e))?;
        let mut put = ::redis::cmd("HSET");
        put.arg(NODES).arg(&account.node.0).arg(record);
        self.connection.command(Trip::Write, &put).await
    }

    async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        self.records(NODES, "an account").await
    }
}

impl Redis {
    pub(super) async fn file_note(&self, name: &str, note: &Note) -> Result<(), StoreError> {
        let record = serde_json::to_vec(note).map_err(|e| damaged("a note", &e))?;
        let mut put = ::redis::cmd("HSET");
        put.arg(NOTES).arg(name).arg(record);
        self.connection.command(Trip::Write, &put).await
    }

    /// All records of a hash, in the order of their names.
    async fn records<T: serde::de::DeserializeOwned>(
        &self,
        key: &str,
        what: &str,
    ) -> Result<Vec<T>, StoreError> {
        let mut look = ::redis::cmd("HGETALL");
        look.arg(key);
        let found: BTreeMap<String, Vec<u8>> = self.connection.command(Trip::Query, &look).await?;
        let read = |bytes: &Vec<u8>| serde_json::from_slice(bytes).map_err(|e| damaged(what, &e));
        found.values().map(read).collect()
    }
}

/// What a note is filed under: notes stand in the order of time.
pub(super) fn name_of(note: &Note) -> String {
    format!("{:015}.{}", note.at.as_millisecond(), unique())
}

/// Where a node stands, from the fields of its hash.
pub(super) fn read_progress(
    fields: impl Iterator<Item = (String, String)>,
) -> Result<Progress, StoreError> {
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

/// A link's clicks, ever: nothing, people's, or people's and bots' with a space between.
pub(super) fn read_total(value: &[u8]) -> Result<Count, StoreError> {
    let mut parts = value.splitn(2, |byte| *byte == b' ').filter(|part| !part.is_empty());
    let mut next = || parts.next().map_or(Ok(0), number);
    Ok(Count { people: next()?, bots: next()? })
}

pub(super) fn number(text: &[u8]) -> Result<u64, StoreError> {
    let text = std::str::from_utf8(text).map_err(|e| damaged("a number", &e))?;
    text.parse().map_err(|e| damaged("a number", &e))
}

/// An error that says what can't be read, and why.
pub(super) fn damaged(what: &str, why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Damaged(format!("{what}: {why}"))
}
