//! Sums over windows: which rows of the store are read, and which row of the answer each of their
//! parts belongs to.
//!
//! What is counted lies in *buckets*: quarter-hours, as long as they are kept, and then UTC days. A
//! bucket belongs to the row in which its middle lies. Whether the quarters of a day are all there is
//! seen by their sum.

use std::collections::BTreeMap;
use std::mem;

use futures_util::future::join_all;
use jiff::Timestamp;

use super::window::{Rows, middle_of_day, middle_of_quarter};
use crate::model::tally::{Breakdown, Cell, Count, Day, Figures, Quarter, Subject};
use crate::store::{Ask, DayRow, Store, StoreError, Tallies as _};

/// Days of which quarters are read at once: some dozen megabytes of a large site.
const DAYS_BY_QUARTER: usize = 14;
/// Days that are read whole at once.
const DAYS_WHOLE: usize = 366;
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
    let ask = |day| Ask { day, quarters: !rows.hold_in_one(day), sketch: false };
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
    let mut sums = Sums::over(rows);
    for alike in asks.chunk_by(|a, b| a.quarters == b.quarters) {
        let quarters = alike.first().is_some_and(|ask| ask.quarters);
        for asks in alike.chunks(if quarters { DAYS_BY_QUARTER } else { DAYS_WHOLE }) {
            let mut days = BTreeMap::<Day, DaySum>::new();
            for some in subjects.chunks(AT_ONCE) {
                let reads = some.iter().map(|subject| store.days(subject, asks));
                for read in join_all(reads).await {
                    for (day, row) in read? {
                        days.entry(day).or_default().add(day, row, rows);
                    }
                }
            }
            days.into_values().for_each(|day| sums.add(day));
        }
    }
    Ok(sums)
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
        let DayRow { mut whole, quarters } = read;
        if !add_up(whole.count, quarters.iter().map(|(_, cell)| cell.count)) {
            if let Some(row) = rows.row_of(middle_of_day(day)) {
                self.add_to_row(row, &mut whole);
                self.total.merge(&whole);
            }
            return;
        }
        let place = |quarter| rows.row_of(middle_of_quarter(day, quarter));
        // The day names more than its quarters do.
        let all = quarters.iter().all(|(quarter, _)| place(*quarter).is_some());
        if all {
            self.total.merge(&whole);
        }
        for (quarter, mut cell) in quarters {
            let Some(row) = place(quarter) else { continue };
            self.add_to_row(row, &mut cell);
            if !all {
                self.total.merge(&cell);
            }
        }
    }

    /// Adds all but the breakdown, which is lent away meanwhile: rows have none.
    fn add_to_row(&mut self, row: usize, cell: &mut Cell) {
        let breakdown = mem::take(&mut cell.breakdown);
        self.rows.entry(row).or_default().merge(cell);
        cell.breakdown = breakdown;
    }
}

impl Sums {
    fn over(rows: &Rows) -> Self {
        let rows = vec![Figures::default(); rows.len()];
        Self { total: Figures::default(), rows, breakdown: Breakdown::default() }
    }

    fn add(&mut self, day: DaySum) {
        self.total += day.total.figures();
        self.breakdown.merge(&day.total.breakdown);
        for (row, cell) in day.rows {
            self.rows[row] += cell.figures();
        }
    }
}
