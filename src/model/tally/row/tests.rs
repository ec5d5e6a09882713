//! Stored rows say what was counted, whole or in part, and damaged ones do no harm.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::*;
use crate::model::tally::Dimension;
use crate::model::tally::samples::{count, row_of, some_cell, some_row, some_visit};

/// Rows of hours have four slots.
const SLOTS: u8 = QUARTERS_AN_HOUR;
/// More rows than any sample has: nothing is bounded.
const ALL: usize = 1_000;

fn figures(row: &Row) -> Vec<(u8, Figures)> {
    row.cells().map(|(slot, cell)| (slot, cell.figures())).collect()
}

fn assert_same_sums(one: &Row, other: &Row) -> Result<(), TestCaseError> {
    prop_assert_eq!(figures(one), figures(other));
    for ((_, one), (_, other)) in one.cells().zip(other.cells()) {
        for dimension in Dimension::ALL {
            let sums = [one, other].map(|cell| cell.breakdown.of(dimension).sum());
            prop_assert_eq!(sums[0], sums[1], "{:?}", dimension);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn clicks_add_up_whatever_rows_they_come_in(
        visits in vec((0..96u8, some_visit(), 0usize..3), 0..80),
    ) {
        let mut parts = [Row::default(), Row::default(), Row::default()];
        for (slot, visit, part) in &visits {
            parts[*part].cell(*slot).add(visit);
        }
        let whole: Vec<_> = visits.into_iter().map(|(slot, visit, _)| (slot, visit)).collect();
        let whole = row_of(&whole);
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let mut sum = Row::default();
            order.iter().for_each(|part| sum.merge(&parts[*part]));
            prop_assert_eq!(&sum, &whole);
        }
    }

    #[test]
    fn the_stored_form_is_read_as_it_was_written(row in some_row(SLOTS)) {
        let bytes = row.clone().to_bytes(ALL);
        prop_assert_eq!(Row::from_bytes(&bytes), Ok(row));
    }

    #[test]
    fn a_bounded_row_has_the_same_sums(row in some_row(SLOTS), most in 0usize..6) {
        let read = Row::from_bytes(&row.clone().to_bytes(most)).unwrap();
        assert_same_sums(&read, &row)?;
        for (_, cell) in read.cells() {
            for dimension in Dimension::ALL {
                prop_assert!(cell.breakdown.of(dimension).named().len() <= 2 * most);
            }
        }
    }

    #[test]
    fn what_is_added_to_a_stored_row_bit_by_bit_has_the_same_sums(
        parts in vec(some_row(SLOTS), 0..5), most in 0usize..6,
    ) {
        let (mut stored, mut whole) = (None, Row::default());
        for part in &parts {
            stored = Some(merged(stored.as_deref(), part, most).unwrap());
            whole.merge(part);
        }
        let read = stored.map_or(Row::default(), |bytes| Row::from_bytes(&bytes).unwrap());
        assert_same_sums(&read, &whole)?;
    }

    #[test]
    fn the_figures_can_be_read_from_the_first_bytes(
        row in some_row(SLOTS), high in vec(any::<u64>(), 8),
    ) {
        let mut row = row;
        for ((_, cell), high) in row.0.iter_mut().zip(high.chunks_exact(2)) {
            cell.count += count(high[0], high[1]);
        }
        let bytes = row.clone().to_bytes(ALL);
        prop_assert_eq!(Row::figures_of(&bytes).unwrap(), figures(&row));
        let head = &bytes[..HEAD.min(bytes.len())];
        prop_assert_eq!(Row::figures_of(head).unwrap(), figures(&row));
    }

    #[test]
    fn without_its_sketches_a_row_has_the_number_of_visitors(row in some_row(SLOTS)) {
        let bytes = row.clone().to_bytes(ALL);
        let cut = Row::from_bytes(&bytes[..length_without_sketches(&bytes).unwrap()]).unwrap();
        prop_assert_eq!(figures(&cut), figures(&row));
        for ((_, cut), (_, whole)) in cut.cells().zip(row.cells()) {
            prop_assert_eq!(&cut.breakdown, &whole.breakdown);
            let visitors = whole.figures().visitors;
            let expected =
                if visitors > 0 { Visitors::Number(visitors) } else { Visitors::default() };
            prop_assert_eq!(&cut.visitors, &expected);
        }
    }

    #[test]
    fn a_number_of_visitors_is_stored_as_well(cells in vec((some_cell(), any::<bool>()), 1..4)) {
        let mut row = Row::default();
        for (slot, (cell, close)) in (0..).zip(cells) {
            *row.cell(slot) = cell;
            if close {
                row.cell(slot).close_day();
            }
        }
        let bytes = row.clone().to_bytes(ALL);
        let read = Row::from_bytes(&bytes).unwrap();
        prop_assert_eq!(figures(&read), figures(&row));
        prop_assert_eq!(read.to_bytes(ALL), bytes);
    }

    #[test]
    fn hours_and_day_have_every_quarter_once(quarters in some_row(96)) {
        let (hours, day) = of_quarters(&quarters);
        let mut whole = Cell::default();
        let quarters: BTreeMap<u8, &Cell> = quarters.cells().collect();
        for (hour, row) in &hours {
            for (slot, cell) in row.cells() {
                prop_assert_eq!(cell, quarters[&(hour * QUARTERS_AN_HOUR + slot)]);
                whole.merge(cell);
            }
        }
        prop_assert_eq!(whole, day);
        prop_assert_eq!(hours.values().map(|row| row.cells().len()).sum::<usize>(), quarters.len());
    }

    #[test]
    fn damaged_bytes_are_refused_or_read_but_never_panic(
        row in some_row(SLOTS),
        noise in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        more in vec(any::<u8>(), 0..4),
        cut: prop::sample::Index,
    ) {
        let mut bytes = row.clone().to_bytes(ALL);
        for (at, byte) in noise {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.extend(more);
        bytes.truncate(cut.index(bytes.len() + 1));
        read_all_ways(&bytes, &row)?;
    }

    #[test]
    fn noise_is_refused_or_read_but_never_panics(bytes in vec(any::<u8>(), 0..200)) {
        read_all_ways(&bytes, &Row::default())?;
    }
}

/// Reads bytes, and does all that is done to rows with what is read.
fn read_all_ways(bytes: &[u8], more: &Row) -> Result<(), TestCaseError> {
    let _ = (length_without_sketches(bytes), Row::figures_of(bytes));
    let _ = merged(Some(bytes), more, 3);
    let Ok(mut row) = Row::from_bytes(bytes) else { return Ok(()) };
    prop_assert!(row.cells().len() <= bytes.len());
    let named = |cell: &Cell| Dimension::ALL.map(|of| cell.breakdown.of(of).named().len());
    let named: usize = row.cells().flat_map(|(_, cell)| named(cell)).sum();
    prop_assert!(named <= bytes.len());
    drop(of_quarters(&row));
    row.merge(more);
    drop(figures(&row));
    for (_, cell) in &mut row.0 {
        cell.close_day();
    }
    drop(row.to_bytes(3));
    Ok(())
}

#[test]
fn the_head_has_room_for_the_largest_figures() {
    let mut row = Row::default();
    for slot in 0..SLOTS {
        let cell = row.cell(slot);
        cell.count = count(u64::MAX, u64::MAX);
        cell.visitors = Visitors::Number(u64::MAX);
        for dimension in Dimension::ALL {
            cell.breakdown.of_mut(dimension).add(&"a name".into(), cell.count);
        }
    }
    let bytes = row.clone().to_bytes(ALL);
    assert_eq!(Row::figures_of(&bytes[..HEAD]).unwrap(), figures(&row));
}

#[test]
fn the_length_in_front_has_room_for_the_largest_rows() {
    let mut row = Row::default();
    for slot in 0..SLOTS {
        for dimension in Dimension::ALL {
            let rows = row.cell(slot).breakdown.of_mut(dimension);
            for n in 0..2 * DAY_ROWS {
                rows.add(&format!("{n:0>255}").into(), count(u64::MAX, u64::MAX));
            }
        }
    }
    let bytes = row.to_bytes(DAY_ROWS);
    assert_eq!(length_without_sketches(&bytes).unwrap(), bytes.len());
}

#[test]
fn a_row_of_which_a_byte_is_missing_or_too_many_is_damaged() {
    let visit = crate::model::click::Visit {
        who: crate::model::click::Who::Person(Some(1)),
        referrer: "direct".into(),
        country: "US".into(),
        browser: "Firefox".into(),
        platform: "Linux".into(),
        device: "desktop".into(),
    };
    let bytes = row_of(&[(0, visit.clone()), (3, visit)]).to_bytes(ALL);
    let without = length_without_sketches(&bytes).unwrap();
    for length in (0..bytes.len()).filter(|length| *length != without) {
        assert!(Row::from_bytes(&bytes[..length]).is_err(), "{length}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(Row::from_bytes(&longer).is_err());
    let mut displaced = bytes;
    displaced[2] += 1;
    assert!(Row::from_bytes(&displaced).is_err());
}
