//! Where nouns are kept: the ports, and the stores behind them.
//!
//! Every adapter answers to the same traits and passes the same suite (`conformance.rs`). The rules
//! of links live in `service`; what stands here are the few atomic steps those rules are made of,
//! chosen so that each touches one place only: one redb transaction, or one slot of a Redis Cluster.

pub mod archive;
mod aside;
pub mod backup;
pub mod cached;
#[cfg(test)]
pub(crate) mod conformance;
pub mod embedded;
pub mod journal;
pub mod record;
pub mod redis;

use std::collections::BTreeMap;
use std::future::Future;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::aside::aside;
use self::backup::{Backup, Over, Piece, Put, StoredRow};
use crate::model::code::Code;
use crate::model::key::{Key, KeyId};
use crate::model::link::{Link, Tag};
use crate::model::tally::{Cell, Count, Day, Figures, Row, Subject};
use crate::model::target::Target;

/// The version of what is written into a store. A store of another version is not touched.
pub const SCHEMA_VERSION: u32 = 4;

/// Why a store did not do what it was asked for.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It can't be reached, or did not answer in time. The same call may succeed later. A write may
    /// or may not have happened.
    #[error("the store does not answer: {0}")]
    Unavailable(String),
    /// It refuses: a full disk, `OOM`, `READONLY`, a permission. Nothing was written.
    #[error("the store refuses: {0}")]
    Refused(String),
    /// What it holds can't be read.
    #[error("the store holds damaged data: {0}")]
    Damaged(String),
    /// It was written by another version of the service.
    #[error(
        "the store's schema is version {found}, this program needs {SCHEMA_VERSION}; \
         run the program that wrote it, or point `store.url` elsewhere"
    )]
    Schema {
        /// What stands in the store.
        found: String,
    },
}

/// What came of claiming a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// The link is stored; nobody else has this code, now or ever.
    Claimed,
    /// The code belongs to another link, or to its tombstone.
    Taken,
}

/// What came of minting a link in one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mint {
    /// The link is stored and its address leads to its code.
    Minted,
    /// The address has codes already: nothing was done.
    Known(Codes),
    /// The code belongs to another link, or to its tombstone: nothing was done.
    Taken,
    /// Code and address lie in different partitions, where no step touches both: nothing was done.
    Apart,
}

/// What came of replacing a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    /// The new one stands.
    Done,
    /// What stands there isn't the one that was to be replaced: read again.
    Changed,
}

/// The codes known for one address, oldest first: those that lead there, and those whose article
/// it is. A hint, not a truth: the links themselves tell which is which, and an entry whose link is
/// missing belongs to a mint that was interrupted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Codes(pub Vec<Code>);

/// Asks to set the codes of `address` from `old` to `new`, unless they have changed.
#[derive(Debug, Clone)]
pub struct Swap {
    /// A target or an article.
    pub address: Target,
    /// What the caller believes to stand there.
    pub old: Codes,
    /// What shall stand there; empty removes the entry.
    pub new: Codes,
}

/// Which links a listing runs over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// All of them.
    All,
    /// Those minted by this key.
    Of(KeyId),
    /// Those with this tag.
    Tagged(Tag),
}

/// A place in a listing: what follows it is older. Opaque outside of the adapter that made it;
/// characters of `[0-9A-Za-z_.:-]` only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Place(pub String);

/// Links, and the indexes over them.
pub trait Links {
    /// The link with this code, or its tombstone.
    fn get(&self, code: &Code) -> impl Future<Output = Result<Option<Link>, StoreError>> + Send;

    /// The links with these codes, in the order asked.
    fn get_many(
        &self,
        codes: &[Code],
    ) -> impl Future<Output = Result<Vec<Option<Link>>, StoreError>> + Send;

    /// Stores each link, unless its code is taken, and enters it in the listings. Each is atomic by
    /// itself and durable when this returns; the answers are in the order given.
    fn claim(&self, links: &[Link]) -> impl Future<Output = Result<Vec<Claim>, StoreError>> + Send;

    /// Enters each link's code under its target, where no code may stand yet, and claims it: both or
    /// neither, in one step. The targets differ.
    fn mint(&self, links: &[Link]) -> impl Future<Output = Result<Vec<Mint>, StoreError>> + Send;

    /// Stores each link, unless its code is taken, enters it in the listings, and enters the code of
    /// whatever link then stands there under that link's addresses, last: so that what was
    /// interrupted is whole when it is done again. An address that has `max_codes` already gets no
    /// more: the link is there all the same, and is not found by that address. The answers are in the
    /// order given: nothing, or what stands under the code instead. No code comes twice in one call.
    /// Durable when this returns; if it fails, any of the links may be stored.
    fn import(
        &self,
        links: &Arc<[Link]>,
        max_codes: usize,
    ) -> impl Future<Output = Result<Vec<Option<Link>>, StoreError>> + Send;

    /// Puts `new` in the place of `old`, if that is what stands there, moves it in the listings, and
    /// tells every node. Their codes are the same.
    fn replace(
        &self,
        old: &Link,
        new: &Link,
    ) -> impl Future<Output = Result<Replaced, StoreError>> + Send;

    /// The codes known for each address: a lookup, not a scan.
    fn codes_of(
        &self,
        addresses: &[Target],
    ) -> impl Future<Output = Result<Vec<Codes>, StoreError>> + Send;

    /// Compare-and-set on the codes of addresses. `None`: done. `Some`: what stands there instead.
    /// Each is atomic by itself; no address comes twice in one call.
    fn swap_codes(
        &self,
        swaps: &[Swap],
    ) -> impl Future<Output = Result<Vec<Option<Codes>>, StoreError>> + Send;

    /// At most `limit` codes of a listing after `after`, newest first, each with its place.
    /// Pages are stable: links minted meanwhile appear before the first page only; those imported
    /// stand by when they were made, as far as the store can put them there. Tombstones and codes that
    /// have since lost the tag or the owner may be among them.
    fn list(
        &self,
        listing: &Listing,
        after: Option<&Place>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(Place, Code)>, StoreError>> + Send;

    /// How many links a key has minted, tombstones included.
    fn count_of(&self, owner: &KeyId) -> impl Future<Output = Result<u64, StoreError>> + Send;
}

/// API keys.
pub trait Keys {
    /// The key with this name.
    fn key(&self, id: &KeyId) -> impl Future<Output = Result<Option<Key>, StoreError>> + Send;

    /// All keys, oldest first.
    fn keys(&self) -> impl Future<Output = Result<Vec<Key>, StoreError>> + Send;

    /// Stores a key, new or changed, and tells every node.
    fn put_key(&self, key: &Key) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Stores `key` if there is no key at all; says whether it did. Of many nodes that start at
    /// once, one makes the first key.
    fn put_first_key(&self, key: &Key) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// Answers to requests with an `Idempotency-Key`, kept for a while.
pub trait Replies {
    /// Reserves `name` for a request with this fingerprint until `lease_until`.
    fn begin_reply(
        &self,
        name: &str,
        fingerprint: &[u8; 32],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> impl Future<Output = Result<Reservation, StoreError>> + Send;

    /// Keeps the answer until `until`. With no answer the reservation is given up.
    fn end_reply(
        &self,
        name: &str,
        fingerprint: &[u8; 32],
        answer: Option<&[u8]>,
        until: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// What stands under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reservation {
    /// Nothing stood there, it is now reserved: go on.
    Fresh,
    /// The same request is being answered at this moment.
    Running,
    /// It was answered like this.
    Answered(Vec<u8>),
    /// The name was used for another request.
    Other,
}

/// A lane of a node's journal. One writer, one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Lane(pub u16);

/// A place in a lane: every record before it is applied. Ordered; what it means is the journal's
/// affair.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default,
)]
pub struct Position(pub u64);

/// The journal's identity: a node of the installation. `[0-9a-z]`, 16 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub String);

/// A step of one lane: from where the sender believes the store to stand, to where it shall stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// Which lane.
    pub lane: Lane,
    /// Where it is believed to stand; [`Position::default`] when never seen.
    pub from: Position,
    /// Where it stands when this is applied.
    pub to: Position,
}

/// What one partition gets from a stretch of a node's journal: all or nothing.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// The lanes' steps; none twice.
    pub moves: Vec<Move>,
    /// Clicks on the links of this partition, which are all counted in `rows`.
    pub clicks: u64,
    /// What to add to each subject of this partition, by quarter of the UTC day (slots 0–95). The store
    /// adds it to the rows of the hours and of the day, and to each link's all-time count.
    pub rows: BTreeMap<(Day, Subject), Row>,
    /// How long the rows are kept.
    pub keep: Keep,
}

/// How long rows are kept after the end of their UTC day, in days; `None`: for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keep {
    /// Rows of hours.
    pub hours: Option<u32>,
    /// Rows of days.
    pub days: Option<u32>,
}

/// What came of applying a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// All of it, and the positions moved with it.
    Done,
    /// Nothing: the store stands elsewhere. Go on from there.
    Elsewhere(Progress),
}

/// Where a partition stands with a node's journal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// The lanes it has heard of.
    pub lanes: BTreeMap<Lane, Position>,
    /// Clicks of this node that it has counted, ever.
    pub counted: u64,
}

/// A UTC day of which rows are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// Which.
    pub day: Day,
    /// Its quarters as well, as far as they are kept.
    pub quarters: bool,
    /// With what the clicks of its quarters are told apart by: of those of the day they always are.
    /// It is most of the work, and needed only where a window begins or ends within the day.
    pub names: bool,
    /// With the sketches of the day's visitors, so that they can be united with others'.
    pub sketch: bool,
}

/// What was counted on a UTC day. All of it was true at the same moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DayRow {
    /// The day.
    pub whole: Cell,
    /// Its quarters (0–95) in which something happened, in order, if asked for: they add up to the
    /// day unless they are no longer kept.
    pub quarters: Vec<(u8, Cell)>,
}

/// The figures of one link on a UTC day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DayFigures {
    /// The day's.
    pub whole: Figures,
    /// As in [`DayRow`].
    pub quarters: Vec<(u8, Figures)>,
}

/// Something an administrator did to the figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// With which key.
    pub by: KeyId,
    /// The link whose figures were deleted.
    pub code: Code,
    /// Clicks that it had, ever.
    pub clicks: u64,
}

/// A node's own account of its clicks: `accepted = counted + pending`, unless something is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Whose.
    pub node: NodeId,
    /// Clicks in its journal, ever.
    pub accepted: u64,
    /// Of those, how many the store has counted.
    pub counted: u64,
    /// Of those, how many wait in the journal.
    pub pending: u64,
    /// Redirects whose click could not be written into the journal, ever: a full disk.
    pub lost: u64,
    /// When this was true.
    pub seen_at: Timestamp,
}

/// How a store is divided, so that all counts of one link, the positions of every journal and the
/// sum of counted clicks can be moved in one atomic step.
pub trait Partitions {
    /// How many partitions there are: fixed for a store's life.
    fn partitions(&self) -> usize;

    /// Where the link with this code lies, and where its clicks are counted. Of other subjects, by
    /// their names, only the latter.
    fn partition_of(&self, code: &str) -> usize;

    /// Where the codes of this address lie.
    fn partition_of_address(&self, address: &Target) -> usize;
}

/// Counts.
pub trait Tallies {
    /// Applies a batch, if every lane stands where its move starts: compare-and-set.
    fn apply(
        &self,
        node: &NodeId,
        partition: usize,
        batch: &Batch,
    ) -> impl Future<Output = Result<Applied, StoreError>> + Send;

    /// Where each partition stands with a node's journal.
    fn progress(
        &self,
        node: &NodeId,
    ) -> impl Future<Output = Result<Vec<Progress>, StoreError>> + Send;

    /// What was counted for `subject` on each day asked for, in order; days without anything are
    /// left out. No day is asked for twice.
    fn days(
        &self,
        subject: &Subject,
        asks: &[Ask],
    ) -> impl Future<Output = Result<Vec<(Day, DayRow)>, StoreError>> + Send;

    /// The first of `days` on which anything at all was counted.
    fn first_day(
        &self,
        days: Range<Day>,
    ) -> impl Future<Output = Result<Option<Day>, StoreError>> + Send;

    /// All clicks on each code, ever, in the order asked.
    fn totals(&self, codes: &[Code])
    -> impl Future<Output = Result<Vec<Count>, StoreError>> + Send;

    /// Every link clicked on this day; its quarters as well if asked for.
    fn links_on(
        &self,
        day: Day,
        quarters: bool,
    ) -> impl Future<Output = Result<Vec<(Code, DayFigures)>, StoreError>> + Send;

    /// Removes all rows and the total of a link, and files `note` with the clicks it had: that
    /// number is returned. What was counted for its tags, its key and the site stays.
    fn forget_link(&self, note: &Note) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// The notes, oldest first.
    fn notes(&self) -> impl Future<Output = Result<Vec<Note>, StoreError>> + Send;

    /// Removes some of the rows of hours and of days that end before these days: as many as nobody
    /// has to wait for. Says whether there are more. A store whose rows expire by themselves does
    /// nothing.
    fn sweep(
        &self,
        hours_before: Day,
        days_before: Day,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// The secret with which visitors are hashed on `day`: `fresh`, if there is none yet. All nodes
    /// get the same one. Secrets of days before `forget_before` are forgotten, as
    /// [`Tallies::forget_salts`] does it.
    fn salt(
        &self,
        day: Day,
        fresh: &[u8; 16],
        forget_before: Day,
    ) -> impl Future<Output = Result<[u8; 16], StoreError>> + Send;

    /// Forgets the secrets of days before this one. A store that many nodes share keeps those of the
    /// last days by its own clock: one node whose clock is ahead forgets nothing for the others.
    fn forget_salts(&self, before: Day) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Files a node's account, in the place of its last one.
    fn put_account(&self, account: &Account)
    -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The last account of every node.
    fn accounts(&self) -> impl Future<Output = Result<Vec<Account>, StoreError>> + Send;
}

/// A place in the news. Ordered by time within one store; opaque outside of the adapter that made
/// it. Characters of `[0-9A-Za-z-]` only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewsId(pub String);

/// The news after a place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct News {
    /// Each with its place, oldest first.
    pub items: Vec<(NewsId, Vec<u8>)>,
    /// Whether some after the place were forgotten already, or the place is none of this store's.
    pub gap: bool,
}

/// What the nodes tell each other of the clicks they have just counted. Kept for some minutes, for
/// who is watching; nothing depends on it.
pub trait Bulletin {
    /// Tells all nodes.
    fn tell(&self, item: &[u8]) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// What was told after this place; at most `limit` items.
    fn news_after(
        &self,
        place: &NewsId,
        limit: usize,
    ) -> impl Future<Output = Result<News, StoreError>> + Send;

    /// The place of the last item, or the beginning.
    fn last_news(&self) -> impl Future<Output = Result<NewsId, StoreError>> + Send;
}

/// Something another node did, or a gap in hearing of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This link was changed.
    Link(Code),
    /// This key was changed.
    Key(KeyId),
    /// Changes may have been missed: nothing remembered is known to be true any more.
    Missed,
}

/// The store as a whole.
pub trait Upkeep {
    /// Makes an empty store ours, and refuses another version's. Says what the operator should
    /// know about it (a Redis that would lose data).
    fn prepare(&self) -> impl Future<Output = Result<Vec<String>, StoreError>> + Send;

    /// Whether it answers.
    fn ping(&self) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Word of what other nodes do.
pub trait Changes {
    /// Hears of changes made by other nodes and hands them on, for ever, through lost connections.
    fn follow_changes(
        &self,
        tell: impl Fn(Change) + Send + Sync,
    ) -> impl Future<Output = ()> + Send;
}

/// Where things are kept, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Empty: the embedded store in the data folder. `redis://…`, `unix://…`, `redis+cluster://a,b`.
    pub url: String,
    /// How long a reader's lookup may wait for Redis.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub read_timeout: Duration,
    /// How long a write may wait for Redis.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub write_timeout: Duration,
    /// Bytes of memory that the embedded store may use to keep pages.
    pub embedded_cache: usize,
}

/// The store of this installation.
#[derive(Clone)]
pub enum Store {
    /// One file, one process.
    Embedded(embedded::Embedded),
    /// One Redis server or a Redis Cluster, any number of nodes.
    Redis(redis::Redis),
}

/// What sort of store it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// One file.
    Embedded,
    /// One Redis server.
    Redis,
    /// A Redis Cluster.
    Cluster,
}

impl Store {
    /// What sort of store it is.
    #[must_use]
    pub fn kind(&self) -> StoreKind {
        match self {
            Self::Embedded(_) => StoreKind::Embedded,
            Self::Redis(store) if store.is_cluster() => StoreKind::Cluster,
            Self::Redis(_) => StoreKind::Redis,
        }
    }

    /// The same store with a connection of its own, opened at first use on the thread that uses it:
    /// one for each worker, so that no answer has to cross threads.
    #[must_use]
    pub fn fork(&self) -> Self {
        match self {
            Self::Embedded(store) => Self::Embedded(store.clone()),
            Self::Redis(store) => Self::Redis(store.fork()),
        }
    }
}

/// Hands each call of a port on to the adapter.
macro_rules! delegate {
    ($port:ident { $(fn $name:ident($($arg:ident: $kind:ty),*) -> $out:ty;)+ }) => {
        impl $port for Store {
            $(async fn $name(&self, $($arg: $kind),*) -> Result<$out, StoreError> {
                match self {
                    Self::Embedded(store) => store.$name($($arg),*).await,
                    Self::Redis(store) => store.$name($($arg),*).await,
                }
            })+
        }
    };
}

delegate!(Links {
    fn get(code: &Code) -> Option<Link>;
    fn get_many(codes: &[Code]) -> Vec<Option<Link>>;
    fn claim(links: &[Link]) -> Vec<Claim>;
    fn mint(links: &[Link]) -> Vec<Mint>;
    fn import(links: &Arc<[Link]>, max_codes: usize) -> Vec<Option<Link>>;
    fn replace(old: &Link, new: &Link) -> Replaced;
    fn codes_of(addresses: &[Target]) -> Vec<Codes>;
    fn swap_codes(swaps: &[Swap]) -> Vec<Option<Codes>>;
    fn list(listing: &Listing, after: Option<&Place>, limit: usize) -> Vec<(Place, Code)>;
    fn count_of(owner: &KeyId) -> u64;
});

delegate!(Keys {
    fn key(id: &KeyId) -> Option<Key>;
    fn keys() -> Vec<Key>;
    fn put_key(key: &Key) -> ();
    fn put_first_key(key: &Key) -> bool;
});

delegate!(Replies {
    fn begin_reply(
        name: &str, fingerprint: &[u8; 32], now: Timestamp, lease_until: Timestamp
    ) -> Reservation;
    fn end_reply(
        name: &str, fingerprint: &[u8; 32], answer: Option<&[u8]>, until: Timestamp
    ) -> ();
});

delegate!(Tallies {
    fn apply(node: &NodeId, partition: usize, batch: &Batch) -> Applied;
    fn progress(node: &NodeId) -> Vec<Progress>;
    fn days(subject: &Subject, asks: &[Ask]) -> Vec<(Day, DayRow)>;
    fn first_day(days: Range<Day>) -> Option<Day>;
    fn totals(codes: &[Code]) -> Vec<Count>;
    fn links_on(day: Day, quarters: bool) -> Vec<(Code, DayFigures)>;
    fn forget_link(note: &Note) -> u64;
    fn notes() -> Vec<Note>;
    fn sweep(hours_before: Day, days_before: Day) -> bool;
    fn salt(day: Day, fresh: &[u8; 16], forget_before: Day) -> [u8; 16];
    fn forget_salts(before: Day) -> ();
    fn put_account(account: &Account) -> ();
    fn accounts() -> Vec<Account>;
});

delegate!(Bulletin {
    fn tell(item: &[u8]) -> ();
    fn news_after(place: &NewsId, limit: usize) -> News;
    fn last_news() -> NewsId;
});

delegate!(Backup {
    fn oldest(after: Option<&Place>, limit: usize) -> Vec<(Place, Code)>;
    fn hold(name: &str, lease: Duration) -> bool;
    fn hold_on(name: &str, lease: Duration) -> bool;
    fn let_go(name: &str) -> bool;
    fn rows_after(after: Option<&Place>) -> Piece<StoredRow>;
    fn totals_after(after: Option<&Place>) -> Piece<(Code, Count)>;
    fn put_rows(rows: &[StoredRow], keep: Keep, over: Over) -> Vec<Put>;
    fn put_totals(totals: &[(Code, Count)], over: Over) -> Vec<Put>;
    fn put_progress(node: &NodeId, progress: &[Progress], over: Over) -> Put;
    fn put_note(note: &Note) -> ();
});

delegate!(Upkeep {
    fn prepare() -> Vec<String>;
    fn ping() -> ();
});

impl Partitions for Store {
    fn partitions(&self) -> usize {
        match self {
            Self::Embedded(store) => store.partitions(),
            Self::Redis(store) => store.partitions(),
        }
    }

    fn partition_of(&self, code: &str) -> usize {
        match self {
            Self::Embedded(store) => store.partition_of(code),
            Self::Redis(store) => store.partition_of(code),
        }
    }

    fn partition_of_address(&self, address: &Target) -> usize {
        match self {
            Self::Embedded(store) => store.partition_of_address(address),
            Self::Redis(store) => store.partition_of_address(address),
        }
    }
}

impl Changes for Store {
    async fn follow_changes(&self, tell: impl Fn(Change) + Send + Sync) {
        match self {
            Self::Embedded(store) => store.follow_changes(tell).await,
            Self::Redis(store) => store.follow_changes(tell).await,
        }
    }
}
