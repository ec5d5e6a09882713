//! Sums over windows: which rows of the store are read, and which row of the answer each of their
//! parts belongs to.
//!
//! What is counted lies in *buckets*: quarter-hours, as long as they are kept, and then UTC days. A
//! bucket belongs to the row in which its middle lies. Whether the quarters of a day are all there is
//! seen by their sum.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::mem;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;

use super::window::{Rows, middle_of_day, middle_of_quarter};
use crate::model::tally::{Breakdown, Cell, Count, Day, Figures, Quarter, Subject};
use crate::store::{Ask, DayRow, Store, StoreError, Tallies as _, aside};

/// Days of which quarters are read as one piece: some megabytes of a large site.
const DAYS_BY_QUARTER: usize = 4;
/// Days that are read whole as one piece.
const DAYS_WHOLE: usize = 100;
/// Pieces that are read at the same time.
const PIECES_AT_ONCE: usize = 4;
/// Names of one dimension that a sum keeps, and up to twice as many until they are cut: strangers
/// choose some of them. The others are told as one.
const MOST_NAMES: usize = 10_000;
/// Subjects that are asked about at the same time.
pub(super) const AT_ONCE: usize = 16;
/// Days from which on it pays to ask first when the counting began.
const MANY_DAYS: u32 = 366;

/// The figures of a window.
pub(super) struct Sums {
    /// The whole.
    pub(super) total: Figures,
    /// Row by row.
    pub(super) rows: Vec<Figures>,
    /// The whole, told apart.
    pub(super) breakdown: Breakdown,
}

/// The days to read for these rows: of those that lie within one row, all of them, no quarters. None
/// after tomorrow: nothing is counted there yet, though the clocks of nodes may differ.
pub(super) async fn days_to_ask(
    store: &Store,
    rows: &Rows,
    now: Timestamp,
) -> Result<Vec<Ask>, StoreError> {
    let mut days = rows.days();
    days.end = days.end.min(Day(Quarter::of(now).day().0.saturating_add(2)));
    if days.end.0.saturating_sub(days.start.0) > MANY_DAYS {
        days.start = store.first_day(days.clone()).await?.unwrap_or(days.end);
    }
    let ask =
        |day| Ask { day, quarters: !rows.hold_in_one(day), names: !rows.hold(day), sketch: false };
    Ok((days.start.0..days.end.0).map(|day| ask(Day(day))).collect())
}

/// What was counted for these subjects together on the days asked for, by row.
pub(super) async fn sum(
    store: &Store,
    subjects: &[Subject],
    rows: &Rows,
    asks: &[Ask],
) -> Result<Sums, StoreError> {
    // The visitors of several are united, which takes more than their numbers.
    let sketch = subjects.len() > 1;
    let asks: Vec<Ask> = asks.iter().map(|ask| Ask { sketch, ..*ask }).collect();
    read(store, subjects, rows, &asks).await
}

/// How many clicks that were: much less has to be read.
pub(super) async fn clicks(
    store: &Store,
    subjects: &[Subject],
    rows: &Rows,
    asks: &[Ask],
) -> Result<u64, StoreError> {
    let bare = |ask: &Ask| Ask { names: false, sketch: false, ..*ask };
    let asks: Vec<Ask> = asks.iter().map(bare).collect();
    Ok(read(store, subjects, rows, &asks).await?.total.count.clicks())
}

async fn read(
    store: &Store,
    subjects: &[Subject],
    rows: &Rows,
    asks: &[Ask],
) -> Result<Sums, StoreError> {
    let pieces = asks.chunk_by(|a, b| a.quarters == b.quarters).flat_map(|alike| {
        let quarters = alike.first().is_some_and(|ask| ask.quarters);
        alike.chunks(if quarters { DAYS_BY_QUARTER } else { DAYS_WHOLE })
    });
    let reads: Vec<_> = pieces.map(|piece| days_of(store, subjects, rows, piece)).collect();
    let mut reads = stream::iter(reads).buffered(PIECES_AT_ONCE);
    let mut sums = Sums::over(rows);
    while let Some(days) = reads.next().await {
        let days = days?;
        sums = aside(move || {
            sums.add(days);
            sums
        })
        .await?;
    }
    Ok(sums)
}

/// Some days of these subjects together.
async fn days_of(
    store: &Store,
    subjects: &[Subject],
    rows: &Rows,
    asks: &[Ask],
) -> Result<Vec<DaySum>, StoreError> {
    let mut days = BTreeMap::<Day, DaySum>::new();
    for some in subjects.chunks(AT_ONCE) {
        let reads = join_all(some.iter().map(|subject| store.days(subject, asks))).await;
        let reads = reads.into_iter().collect::<Result<Vec<_>, _>>()?;
        let rows = rows.clone();
        days = aside(move || {
            for (day, row) in reads.into_iter().flatten() {
                days.entry(day).or_default().add(day, row, &rows);
            }
            days
        })
        .await?;
    }
    Ok(days.into_values().collect())
}

/// Whether the quarters of a day are all there.
pub(super) fn add_up(whole: Count, quarters: impl IntoIterator<Item = Count>) -> bool {
    let mut sum = Count::default();
    quarters.into_iter().for_each(|quarter| sum += quarter);
    sum == whole
}

/// One UTC day in the making: the visitors of several subjects and quarters are one set.
#[derive(Default)]
struct DaySum {
    total: Cell,
    /// By row; without breakdowns.
    rows: BTreeMap<usize, Cell>,
}

impl DaySum {
    fn add(&mut self, day: Day, read: DayRow, rows: &Rows) {
        let DayRow { whole, quarters } = read;
        if !add_up(whole.count, quarters.iter().map(|(_, cell)| cell.count)) {
            if let Some(row) = rows.row_of(middle_of_day(day)) {
                let visitors = whole.visitors.clone();
                self.add_to_row(row, Cell { visitors, count: whole.count, ..Cell::default() });
                self.add_to_total(whole);
            }
            return;
        }
        let place = |quarter| rows.row_of(middle_of_quarter(day, quarter));
        // The day names more than its quarters do.
        let all = quarters.iter().all(|(quarter, _)| place(*quarter).is_some());
        if all {
            self.add_to_total(whole);
        }
        for (quarter, mut cell) in quarters {
            let Some(row) = place(quarter) else { continue };
            if !all {
                self.total.merge(&cell);
            }
            cell.breakdown = Breakdown::default();
            self.add_to_row(row, cell);
        }
    }

    fn add_to_total(&mut self, cell: Cell) {
        match self.total.count == Count::default() {
            true => self.total = cell,
            false => self.total.merge(&cell),
        }
    }

    fn add_to_row(&mut self, row: usize, cell: Cell) {
        match self.rows.entry(row) {
            Entry::Vacant(row) => {
                row.insert(cell);
            }
            Entry::Occupied(mut row) => row.get_mut().merge(&cell),
        }
    }
}

impl Sums {
    fn over(rows: &Rows) -> Self {
        let rows = vec![Figures::default(); rows.len()];
        Self { total: Figures::default(), rows, breakdown: Breakdown::default() }
    }

    fn add(&mut self, days: Vec<DaySum>) {
        let mut breakdowns = Vec::with_capacity(days.len());
        for day in days {
            self.total += day.total.figures();
            for (row, cell) in day.rows {
                self.rows[row] += cell.figures();
            }
            breakdowns.push(day.total.breakdown);
        }
        let more = Breakdown::sum_of(breakdowns, MOST_NAMES);
        self.breakdown = Breakdown::sum_of(vec![mem::take(&mut self.breakdown), more], MOST_NAMES);
    }
}
