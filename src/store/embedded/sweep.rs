//! Removing old rows piece by piece: there is one thread that writes, and who mints a link must not
//! wait until a year is gone.

use redb::{ReadableTable as _, WriteTransaction};

use super::failed;
use super::tallies::{DAYS, HOURS};
use crate::model::tally::Day;
use crate::store::StoreError;

/// The most rows of a table that one write removes: some milliseconds.
const PIECE: usize = 10_000;

/// Removes at most [`PIECE`] rows of hours, and as many of days, that lie before these days. Says
/// whether there are more.
pub(super) fn piece(
    txn: &WriteTransaction,
    hours_before: Day,
    days_before: Day,
) -> Result<bool, StoreError> {
    let mut hours = txn.open_table(HOURS).map_err(failed)?;
    let next = hours.range(..(hours_before.0, "", 0)).map_err(failed)?.nth(PIECE);
    let next = next.transpose().map_err(failed)?.map(|(key, _)| {
        let (day, name, hour) = key.value();
        (day, name.to_owned(), hour)
    });
    if let Some((day, name, hour)) = next {
        hours.retain_in(..(day, name.as_str(), hour), |_, _| false).map_err(failed)?;
        return Ok(true);
    }
    hours.retain_in(..(hours_before.0, "", 0), |_, _| false).map_err(failed)?;
    let mut days = txn.open_table(DAYS).map_err(failed)?;
    let next = days.range(..(days_before.0, "")).map_err(failed)?.nth(PIECE);
    let next = next.transpose().map_err(failed)?.map(|(key, _)| {
        let (day, name) = key.value();
        (day, name.to_owned())
    });
    if let Some((day, name)) = next {
        days.retain_in(..(day, name.as_str()), |_, _| false).map_err(failed)?;
        return Ok(true);
    }
    days.retain_in(..(days_before.0, ""), |_, _| false).map_err(failed)?;
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tally::Quarter;
    use crate::store::conformance::ledger::{batch, link_of, node, step};
    use crate::store::conformance::{block_on, link, mint};
    use crate::store::embedded::Embedded;
    use crate::store::{Applied, Ask, Tallies as _};

    #[test]
    fn old_rows_go_in_pieces_and_others_write_in_between() {
        let folder = tempfile::tempdir().unwrap();
        let store = Embedded::open(folder.path(), 8 << 20).unwrap();
        let quarter = Day(20_000).first();
        let links: Vec<String> = (0..PIECE + 500).map(|n| format!("c{n:05}")).collect();
        let mut clicks: Vec<_> = links.iter().map(|text| (text.as_str(), quarter.0, 1)).collect();
        let Quarter(last) = Day(20_001).first();
        clicks.push(("last", last, 1));
        block_on(async {
            let batch = batch(vec![step(0, 0, 1)], &clicks);
            assert_eq!(store.apply(&node("n"), 0, &batch).await.unwrap(), Applied::Done);
            let (mut pieces, before) = (0, Day(20_001));
            while store.sweep(before, before).await.unwrap() {
                pieces += 1;
                mint(&store, &[link(&format!("mint{pieces}"))]).await;
            }
            // Of the hours one piece and the rest; of the days as well.
            assert_eq!(pieces, 2);
            assert_eq!(store.first_day(Day(0)..Day(u32::MAX)).await.unwrap(), Some(before));
            let ask = Ask { day: before, quarters: true, names: false, sketch: false };
            let left = store.days(&link_of("last"), &[ask]).await.unwrap();
            assert_eq!(left[0].1.quarters.len(), 1);
            let gone = Ask { day: Day(20_000), ..ask };
            assert_eq!(store.days(&link_of(&links[0]), &[gone]).await.unwrap(), []);
        });
    }
}
