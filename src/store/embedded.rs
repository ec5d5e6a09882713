//! Adapter.

use std::ops::Range;

use jiff::Timestamp;

use super::*;

/// Not there yet.
#[derive(Clone)]
pub struct Embedded;

type R<T> = Result<T, StoreError>;
fn no<T>() -> R<T> {
    Err(StoreError::Unavailable("not there yet".into()))
}

impl Links for Embedded {
    async fn get(&self, _: &Code) -> R<Option<Link>> {
        no()
    }
    async fn get_many(&self, _: &[Code]) -> R<Vec<Option<Link>>> {
        no()
    }
    async fn claim(&self, _: &[Link]) -> R<Vec<Claim>> {
        no()
    }
    async fn replace(&self, _: &Link, _: &Link) -> R<Replaced> {
        no()
    }
    async fn codes_of(&self, _: &[Target]) -> R<Vec<Codes>> {
        no()
    }
    async fn swap_codes(&self, _: &[Swap]) -> R<Vec<Option<Codes>>> {
        no()
    }
    async fn list(&self, _: &Listing, _: Option<&Place>, _: usize) -> R<Vec<(Place, Code)>> {
        no()
    }
}
impl Keys for Embedded {
    async fn key(&self, _: &KeyId) -> R<Option<Key>> {
        no()
    }
    async fn keys(&self) -> R<Vec<Key>> {
        no()
    }
    async fn put_key(&self, _: &Key) -> R<()> {
        no()
    }
    async fn put_first_key(&self, _: &Key) -> R<bool> {
        no()
    }
}
impl Replies for Embedded {
    async fn begin_reply(
        &self,
        _: &str,
        _: &[u8; 32],
        _: Timestamp,
        _: Timestamp,
    ) -> R<Reservation> {
        no()
    }
    async fn end_reply(&self, _: &str, _: &[u8; 32], _: Option<&[u8]>, _: Timestamp) -> R<()> {
        no()
    }
}
impl Partitions for Embedded {
    fn partitions(&self) -> usize {
        1
    }
    fn partition_of(&self, _: &str) -> usize {
        0
    }
}
impl Tallies for Embedded {
    async fn apply(&self, _: &NodeId, _: usize, _: &Batch) -> R<Applied> {
        no()
    }
    async fn progress(&self, _: &NodeId) -> R<Vec<Progress>> {
        no()
    }
    async fn series(&self, _: &Subject, _: Range<Day>) -> R<Vec<(Day, DayTally)>> {
        no()
    }
    async fn totals(&self, _: &[Code]) -> R<Vec<u64>> {
        no()
    }
    async fn links_on(&self, _: Day) -> R<Vec<(Code, DayTally)>> {
        no()
    }
    async fn put_account(&self, _: &Account) -> R<()> {
        no()
    }
    async fn accounts(&self) -> R<Vec<Account>> {
        no()
    }
}
impl Upkeep for Embedded {
    async fn prepare(&self) -> R<Vec<String>> {
        no()
    }
    async fn ping(&self) -> R<()> {
        no()
    }
}
impl Changes for Embedded {
    async fn follow_changes(&self, _: impl Fn(Change) + Send + Sync) {}
}
