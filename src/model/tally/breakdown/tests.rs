//! Rows that are bounded keep the most clicked and lose no click; stored ones are read again.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::model::tally::samples::{count, some_name};

fn some_rows() -> impl Strategy<Value = Rows> {
    let counts = || (0u64..50, 0u64..50).prop_map(|(people, bots)| count(people, bots));
    (vec((some_name(), counts()), 0..40), counts()).prop_map(|(named, other)| {
        let mut rows = Rows::default();
        named.iter().for_each(|(name, count)| rows.add(name, *count));
        rows.add_other(other);
        rows
    })
}

fn some_breakdown() -> impl Strategy<Value = Breakdown> {
    vec((0..Dimension::ALL.len(), some_rows()), 0..6).prop_map(|parts| {
        let mut breakdown = Breakdown::default();
        for (dimension, rows) in parts {
            breakdown.of_mut(Dimension::ALL[dimension]).merge(&rows);
        }
        breakdown
    })
}

fn read(bytes: &[u8]) -> Result<Breakdown, BadTally> {
    Breakdown::read(bytes, &Breakdown::default())
}

fn by_name(rows: &Rows) -> BTreeMap<Name, Count> {
    rows.named().map(|(name, count)| (name.clone(), count)).collect()
}

proptest! {
    /// Those that are shared are known by their place, the others by their letters.
    #[test]
    fn a_row_is_found_by_its_name_whoever_holds_it(
        added in vec((0..2 * FEW, any::<bool>()), 0..100)
    ) {
        let shared: Vec<Name> = (0..2 * FEW).map(|n| n.to_string().into()).collect();
        let (mut rows, mut expected) = (Rows::default(), BTreeMap::<Name, Count>::new());
        for (n, is_copy) in added {
            let name = if is_copy { Name::from(&*shared[n]) } else { shared[n].clone() };
            rows.add(&name, count(1, 0));
            *expected.entry(name).or_default() += count(1, 0);
        }
        prop_assert!(rows.named().map(|(name, _)| name).is_sorted());
        prop_assert_eq!(by_name(&rows), expected);
    }
}

fn stored(breakdown: &Breakdown) -> Vec<u8> {
    let mut bytes = Vec::new();
    breakdown.put(&mut bytes);
    bytes
}

#[test]
fn the_numbers_of_dimensions_are_their_places() {
    for (number, dimension) in Dimension::ALL.into_iter().enumerate() {
        assert_eq!(dimension as usize, number);
    }
}

#[test]
fn a_name_that_has_just_come_up_has_time_to_grow() {
    let mut rows = Rows::default();
    for n in 0..20 {
        rows.add(&name(&format!("old-{n}")), count(5, 0));
    }
    rows.bound(10);
    assert_eq!((rows.named().len(), rows.other()), (20, count(0, 0)));
    rows.add(&name("new"), count(1, 0));
    rows.bound(10);
    assert_eq!((rows.named().len(), rows.other()), (10, count(51, 0)));
    for _ in 0..9 {
        rows.add(&name("new"), count(1, 0));
        rows.bound(10);
    }
    assert_eq!(by_name(&rows)[&name("new")], count(9, 0));
}

#[test]
fn numbers_that_only_damage_can_make_stay_where_they_are() {
    let mut rows = Rows::default();
    for _ in 0..3 {
        rows.add(&name("x"), count(u64::MAX, u64::MAX));
        rows.add_other(count(u64::MAX, 1));
    }
    assert_eq!(rows.sum(), count(u64::MAX, u64::MAX));
    assert_eq!(rows.sum().clicks(), u64::MAX);
    rows.bound(0);
    assert_eq!(rows.sum().clicks(), u64::MAX);
}

proptest! {
    #[test]
    fn merging_is_commutative_and_associative(
        a in some_breakdown(), b in some_breakdown(), c in some_breakdown(),
    ) {
        let merged = |one: &Breakdown, other: &Breakdown| {
            let mut sum = one.clone();
            sum.merge(other);
            sum
        };
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
    }

    #[test]
    fn bounded_rows_are_the_most_clicked_and_no_click_is_missing(
        rows in some_rows(), most in 0usize..12,
    ) {
        let mut bounded = rows.clone();
        bounded.bound(most);
        prop_assert_eq!(bounded.sum(), rows.sum());
        let (before, after) = (by_name(&rows), by_name(&bounded));
        if before.len() <= 2 * most {
            prop_assert_eq!(bounded, rows);
            return Ok(());
        }
        prop_assert_eq!(after.len(), most);
        let fewest = after.values().map(|count| count.clicks()).min().unwrap_or(u64::MAX);
        for (name, count) in &before {
            match after.get(name) {
                Some(kept) => prop_assert_eq!(kept, count),
                None => prop_assert!(count.clicks() <= fewest, "{} has {:?}", name, count),
            }
        }
        prop_assert!(bounded.named().is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn however_often_rows_are_bounded_while_they_grow_no_click_is_missing(
        parts in vec(some_rows(), 0..12), most in 0usize..8,
    ) {
        let (mut bounded, mut all) = (Rows::default(), Rows::default());
        for part in &parts {
            all.merge(part);
            bounded.merge(part);
            bounded.bound(most);
            prop_assert!(bounded.named().len() <= 2 * most);
        }
        prop_assert_eq!(bounded.sum(), all.sum());
        let all = by_name(&all);
        for (name, count) in by_name(&bounded) {
            prop_assert!(count.people <= all[&name].people && count.bots <= all[&name].bots);
        }
    }

    #[test]
    fn merged_rows_stand_in_order_and_each_name_has_the_sum_of_both(
        a in some_rows(), b in some_rows(),
    ) {
        let mut sums = by_name(&a);
        b.named().for_each(|(name, count)| *sums.entry(name.clone()).or_default() += count);
        let mut merged = a.clone();
        merged.merge(&b);
        prop_assert!(merged.named().map(|(name, count)| (name.clone(), count)).eq(sums));
        let mut other = a.other();
        other += b.other();
        prop_assert_eq!(merged.other(), other);
    }

    #[test]
    fn a_sum_of_many_is_that_of_adding_one_after_the_other(parts in vec(some_breakdown(), 0..9)) {
        let mut sum = Breakdown::default();
        parts.iter().for_each(|part| sum.merge(part));
        prop_assert_eq!(Breakdown::sum_of(parts, usize::MAX), sum);
    }

    #[test]
    fn a_bounded_sum_of_many_loses_no_click(parts in vec(some_breakdown(), 0..9)) {
        let mut all = Breakdown::default();
        parts.iter().for_each(|part| all.merge(part));
        let bounded = Breakdown::sum_of(parts.clone(), 2);
        for dimension in Dimension::ALL {
            prop_assert_eq!(bounded.of(dimension).sum(), all.of(dimension).sum());
            prop_assert!(parts.len() < 2 || bounded.of(dimension).named().len() <= 4);
        }
    }

    #[test]
    fn rows_that_share_their_names_with_others_are_read_the_same(
        breakdown in some_breakdown(), like in some_breakdown(),
    ) {
        let shared = Breakdown::read(&stored(&breakdown), &like).unwrap();
        prop_assert_eq!(shared, read(&stored(&breakdown)).unwrap());
    }

    #[test]
    fn the_stored_form_is_read_as_it_was_written(breakdown in some_breakdown()) {
        let read = read(&stored(&breakdown)).unwrap();
        for dimension in Dimension::ALL {
            prop_assert_eq!(read.of(dimension), breakdown.of(dimension));
        }
        prop_assert_eq!(stored(&read), stored(&breakdown));
    }

    #[test]
    fn damaged_bytes_are_refused_or_read_but_take_no_memory_away(
        breakdown in some_breakdown(),
        noise in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut: prop::sample::Index,
    ) {
        let mut bytes = stored(&breakdown);
        if !bytes.is_empty() {
            for (at, byte) in noise {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.truncate(cut.index(bytes.len() + 1));
        }
        if let Ok(read) = read(&bytes) {
            let rows = Dimension::ALL.map(|dimension| read.of(dimension).named().len());
            prop_assert!(rows.iter().sum::<usize>() <= bytes.len());
        }
    }
}

#[test]
fn a_length_that_promises_more_than_there_is_is_refused_at_once() {
    let mut bytes = vec![Dimension::Country as u8];
    put_number(u64::MAX, &mut bytes);
    assert_eq!(read(&bytes), Err(BadTally("a number")));
    bytes.extend([0, 1, 1]);
    assert_eq!(read(&bytes), Err(BadTally("a number")));
    let mut bytes = vec![Dimension::Country as u8, 1];
    put_number(u64::MAX, &mut bytes);
    assert_eq!(read(&bytes), Err(BadTally("a length")));
}
