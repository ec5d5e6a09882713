//! Listings over all partitions, newest first, page by page.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::schema::PARTITIONS;
use super::together;
use crate::model::code::Code;
use crate::store::{Place, StoreError};

/// Where a link stands in the listing of all links, and in its owner's: by when it was made; or, when
/// younger ones of its owner and partition had been claimed before, right behind those. Newer ones are
/// greater, no two are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Claimed {
    at_ms: u64,
    sequence: u64,
    partition: usize,
    owner: String,
}

impl Claimed {
    /// Of an entry of a stream.
    pub(super) fn read(id: &str, partition: usize, owner: &str) -> Result<Self, StoreError> {
        let (at_ms, sequence) = numbers(id)
            .ok_or_else(|| StoreError::Damaged(format!("a listing's entry has the id {id:?}")))?;
        Ok(Self { at_ms, sequence, partition, owner: owner.to_owned() })
    }

    /// Of `milliseconds-sequence.partition.owner`.
    pub(super) fn of_place(place: &Place) -> Result<Self, StoreError> {
        let read = || {
            let mut parts = place.0.splitn(3, '.');
            let (at_ms, sequence) = numbers(parts.next()?)?;
            let partition = parts.next()?.parse().ok()?;
            Some(Self { at_ms, sequence, partition, owner: parts.next()?.to_owned() })
        };
        read().ok_or_else(|| not_a_place(place))
    }

    pub(super) fn place(&self) -> Place {
        Place(format!("{}.{}.{}", self.id(), self.partition, self.owner))
    }

    /// The streams' name of its moment.
    pub(super) fn id(&self) -> String {
        format!("{}-{}", self.at_ms, self.sequence)
    }

    /// What a partition claimed at the very same moment is newer where its owner comes after this one,
    /// and older where it comes before.
    pub(super) fn bound_in(&self, partition: usize) -> String {
        match partition.cmp(&self.partition) {
            Ordering::Less => "~".to_owned(), // after any owner's name
            Ordering::Equal => self.owner.clone(),
            Ordering::Greater => String::new(),
        }
    }
}

fn numbers(id: &str) -> Option<(u64, u64)> {
    let (at_ms, sequence) = id.split_once('-')?;
    Some((at_ms.parse().ok()?, sequence.parse().ok()?))
}

/// Where a link stands in the listing of a tag: by when it was made, as its record says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Made {
    /// Milliseconds since 1970.
    pub(super) at_ms: i64,
    /// Its code, which orders links of the same millisecond.
    pub(super) code: String,
}

impl Made {
    /// Of an entry of a sorted set.
    pub(super) fn read(at_ms: &str, code: &str) -> Result<Self, StoreError> {
        let at_ms = at_ms
            .parse()
            .map_err(|_| StoreError::Damaged(format!("a tag's entry was made at {at_ms:?}")))?;
        Ok(Self { at_ms, code: code.to_owned() })
    }

    /// Of `milliseconds.code`; the `/` of a code is written `:`.
    pub(super) fn of_place(place: &Place) -> Result<Self, StoreError> {
        let read = || {
            let (at_ms, code) = place.0.split_once('.')?;
            Some(Self { at_ms: at_ms.parse().ok()?, code: code.replace(':', "/") })
        };
        read().ok_or_else(|| not_a_place(place))
    }

    pub(super) fn place(&self) -> Place {
        Place(format!("{}.{}", self.at_ms, self.code.replace('/', ":")))
    }
}

fn not_a_place(place: &Place) -> StoreError {
    StoreError::Damaged(format!("{:?} is no place in this listing", place.0))
}

/// Reads a listed code.
pub(super) fn code(text: &str) -> Result<Code, StoreError> {
    Code::parse(text).map_err(|e| StoreError::Damaged(format!("a listed code: {e}")))
}

/// What is known of a partition's part of the listing.
struct Feed<T> {
    /// Fetched and not yet taken, newest last.
    ahead: Vec<(T, Code)>,
    /// The oldest that was fetched.
    last: Option<T>,
    /// There is nothing after `last`.
    dry: bool,
}

/// The newest `limit` entries of all partitions after `after`. `fetch` gives at most as many of a
/// partition as it is asked for, newest first; fewer mean that there are no more.
///
/// Entries are spread evenly, so that each partition is asked for its share and a little more, and
/// asked again only if it runs out before the page is full.
pub(super) async fn merge<T, F>(
    fetch: impl Fn(usize, Option<T>, usize) -> F,
    after: Option<T>,
    limit: usize,
) -> Result<Vec<(T, Code)>, StoreError>
where
    T: Ord + Clone,
    F: Future<Output = Result<Vec<(T, Code)>, StoreError>>,
{
    let new = |_| Feed { ahead: Vec::new(), last: after.clone(), dry: false };
    let mut feeds: Vec<Feed<T>> = (0..PARTITIONS).map(new).collect();
    let share = (limit / PARTITIONS * 5 / 4 + 3).min(limit);
    let mut page = Vec::new();
    while page.len() < limit && feeds.iter().any(|feed| !feed.dry || !feed.ahead.is_empty()) {
        let hungry = |p: &usize| feeds[*p].ahead.is_empty() && !feeds[*p].dry;
        let hungry: Vec<usize> = (0..PARTITIONS).filter(hungry).collect();
        let asked: Vec<F> =
            hungry.iter().map(|p| fetch(*p, feeds[*p].last.clone(), share)).collect();
        for (partition, mut found) in hungry.into_iter().zip(together(asked).await?) {
            let feed = &mut feeds[partition];
            feed.dry = found.len() < share;
            feed.last = found.last().map(|(spot, _)| spot.clone()).or(feed.last.take());
            found.reverse();
            feed.ahead = found;
        }
        take(&mut feeds, &mut page, limit);
    }
    Ok(page)
}

/// Moves entries to the page, newest first, until it is full or a feed must be filled first.
fn take<T: Ord>(feeds: &mut [Feed<T>], page: &mut Vec<(T, Code)>, limit: usize) {
    let mut heads = BinaryHeap::new();
    for (at, feed) in feeds.iter_mut().enumerate() {
        heads.extend(feed.ahead.pop().map(|entry| (entry, Reverse(at))));
    }
    while page.len() < limit {
        let Some((entry, Reverse(at))) = heads.pop() else { break };
        page.push(entry);
        match feeds[at].ahead.pop() {
            Some(next) => heads.push((next, Reverse(at))),
            None if feeds[at].dry => {}
            None => break,
        }
    }
    for (entry, Reverse(at)) in heads {
        feeds[at].ahead.push(entry);
    }
}
