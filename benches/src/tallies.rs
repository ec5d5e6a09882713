//! A store that is filled through its own port: history of a year in seconds, and the same in every
//! store.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, ensure};
use futures_util::future::join_all;
use slugline::model::tally::{Day, Row, Subject};
use slugline::store::embedded::Embedded;
use slugline::store::{
    Applied, Batch, Keep, Lane, Move, NodeId, Partitions as _, Position, Settings, Store,
    Tallies as _, Upkeep as _, redis,
};

/// How long the service keeps rows of hours by default, in days.
const KEEP_HOURS: u32 = 62;
/// The lane that all of it pretends to come from.
const LANE: Lane = Lane(0);
/// The longest wait for Redis: a day of all links in one script a partition.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is counted on one day.
pub(crate) type Rows = BTreeMap<(Day, Subject), Row>;

/// A store, open for filling.
pub(crate) struct Filling {
    store: Store,
    runtime: tokio::runtime::Runtime,
    node: NodeId,
    /// Batches so far: the place in the journal that they pretend to come from.
    batches: u64,
}

impl Filling {
    /// Opens the embedded store in `folder`, or the Redis at `redis`. No service may use the former.
    pub(crate) fn open(folder: &Path, redis: Option<&str>) -> anyhow::Result<Self> {
        let store = match redis {
            None => Store::Embedded(Embedded::open(folder, 64 << 20)?),
            Some(url) => Store::Redis(redis::Redis::new(&Settings {
                url: url.to_owned(),
                read_timeout: PATIENCE,
                write_timeout: PATIENCE,
                embedded_cache: 0,
            })?),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let _advice = runtime.block_on(store.prepare())?;
        let node = NodeId("benchmark0000000".into());
        // All partitions get a batch each time, so that they stand at the same place.
        let standing = runtime.block_on(store.progress(&node))?;
        let lanes = standing.first().map(|progress| &progress.lanes);
        let batches = lanes.and_then(|lanes| lanes.get(&LANE)).map_or(0, |position| position.0);
        Ok(Self { store, runtime, node, batches })
    }

    /// Adds rows, as a roll-up does.
    pub(crate) fn add(&mut self, rows: Rows) -> anyhow::Result<()> {
        let keep = Keep { hours: Some(KEEP_HOURS), days: None };
        let mut batches = BTreeMap::<usize, Batch>::new();
        let (from, to) = (Position(self.batches), Position(self.batches + 1));
        self.batches += 1;
        for (subject, row) in rows {
            let partition = self.store.partition_of(&subject.1.name());
            let batch =
                batches.entry(partition).or_insert_with(|| Batch { keep, ..Batch::default() });
            if matches!(subject.1, Subject::Link(_)) {
                batch.clicks += row.cells().map(|(_, cell)| cell.count.clicks()).sum::<u64>();
            }
            batch.rows.insert(subject, row);
        }
        let (store, node) = (&self.store, &self.node);
        let applying = (0..store.partitions()).map(|partition| {
            let mut batch = batches.remove(&partition).unwrap_or_default();
            batch.moves = vec![Move { lane: LANE, from, to }];
            async move { store.apply(node, partition, &batch).await }
        });
        for applied in self.runtime.block_on(join_all(applying)) {
            let applied = applied?;
            ensure!(applied == Applied::Done, "the store stands elsewhere: {applied:?}");
        }
        Ok(())
    }

    /// Removes the rows of hours that end before this day, as the service does in time.
    pub(crate) fn forget_hours_before(&self, day: Day) -> anyhow::Result<()> {
        while self.runtime.block_on(self.store.sweep(day, Day(0)))? {}
        Ok(())
    }

    /// Removes what the service would have removed by `today`.
    pub(crate) fn forget_old_hours(&self, today: Day) -> anyhow::Result<()> {
        self.forget_hours_before(Day(today.0 - KEEP_HOURS))
    }
}

/// The UTC day of this moment.
pub(crate) fn today() -> anyhow::Result<Day> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(Day(u32::try_from(now.as_secs() / 86_400)?))
}

/// Bytes that an embedded store, which nobody has open, holds in use: what was freed and waits to be
/// used again is not counted.
pub(crate) fn bytes_in_use(folder: &Path) -> anyhow::Result<u64> {
    let file = folder.join(slugline::store::embedded::FILE_NAME);
    let database = redb::Database::open(&file).with_context(|| file.display().to_string())?;
    let stats = database.begin_write()?.stats()?;
    Ok(stats.allocated_pages() * stats.page_size() as u64)
}
