//! How far the clock is believed when something is to be removed for good.
//!
//! A clock can be weeks ahead for an hour: a machine that starts before it has asked for the time, an
//! operator's slip. What is removed meanwhile does not come back. So it takes two to say that a day
//! has come: the clock, and what was counted. A day is believed when clicks of the day before it are
//! there, and the newest day of clicks says nothing, for it may be that clock's. Where there are clicks
//! every day this is the clock's own day; where nobody clicks any more, what is there stays.

use std::ops::Range;

use crate::model::tally::Day;
use crate::store::{Store, StoreError, Tallies as _};

/// The day that has come for certain, if the clock says `today` and the last day but one of which
/// there is anything, `today` at most, is this.
pub(super) fn believed(today: Day, last_but_one: Option<Day>) -> Day {
    last_but_one.map_or(Day(0), |day| today.min(Day(day.0.saturating_add(1))))
}

/// [`believed`], by the rows of a store.
pub(super) async fn believed_by(store: &Store, today: Day) -> Result<Day, StoreError> {
    let last = last_day(store, Day(0)..Day(today.0.saturating_add(1))).await?;
    let last_but_one = match last {
        Some(last) => last_day(store, Day(0)..last).await?,
        None => None,
    };
    Ok(believed(today, last_but_one))
}

/// The last of `days` on which anything was counted, by halving.
async fn last_day(store: &Store, mut days: Range<Day>) -> Result<Option<Day>, StoreError> {
    let mut last = None;
    while days.start < days.end {
        let middle = Day(days.start.0.midpoint(days.end.0));
        match store.first_day(middle..days.end).await? {
            Some(day) => {
                last = Some(day);
                days.start = Day(day.0 + 1);
            }
            None => days.end = middle,
        }
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance::block_on;
    use crate::store::conformance::ledger::{batch, node, step};
    use crate::store::embedded::Embedded;

    #[test]
    fn a_clock_that_is_ahead_is_not_believed_even_when_it_was_clicked_by() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::Embedded(Embedded::open(folder.path(), 1 << 20).unwrap());
        block_on(async {
            assert_eq!(believed_by(&store, Day(20_100)).await.unwrap(), Day(0), "nothing is there");
            let days = [19_000, 20_099, 20_100, 20_170];
            // Today as clicks come in, as the clock says, and as it is believed.
            let cases = [
                (1, vec![(19_000, 0), (20_100, 0)]),
                (2, vec![(20_099, 19_001), (20_100, 19_001)]),
                (3, vec![(20_100, 20_100), (20_101, 20_100), (20_170, 20_100)]),
                (4, vec![(20_170, 20_101), (20_171, 20_101), (20_100, 20_100), (20_050, 0)]),
            ];
            for (clicked, asks) in cases {
                let at = clicked as u64;
                let click = [("code", Day(days[clicked - 1]).first().0, 1)];
                store
                    .apply(&node("n"), 0, &batch(vec![step(0, at - 1, at)], &click))
                    .await
                    .unwrap();
                for (today, expected) in asks {
                    let found = believed_by(&store, Day(today)).await.unwrap();
                    assert_eq!(found, Day(expected), "{clicked} days, {today}");
                }
            }
        });
    }
}
