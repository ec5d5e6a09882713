//! Cells add up whatever the order, and every breakdown of them adds up to the whole.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::*;
use crate::model::tally::samples::{cell_of, count, some_cell, some_visit};
use crate::model::tally::{Rows, name};

/// The dimensions that every click is told apart by.
const OF_ALL: [Dimension; 5] = [
    Dimension::Referrer,
    Dimension::Country,
    Dimension::Browser,
    Dimension::Platform,
    Dimension::Device,
];

fn assert_adds_up(cell: &Cell) -> Result<(), TestCaseError> {
    for dimension in OF_ALL {
        prop_assert_eq!(cell.breakdown.of(dimension).sum(), cell.count, "{:?}", dimension);
    }
    let bots = cell.breakdown.of(Dimension::BotFamily).sum();
    prop_assert_eq!(bots, count(0, cell.count.bots));
    prop_assert!(cell.figures().visitors <= cell.count.people);
    Ok(())
}

fn merged(one: &Cell, other: &Cell) -> Cell {
    let mut sum = one.clone();
    sum.merge(other);
    sum
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn clicks_add_up_in_any_order_and_however_they_are_dealt_out(
        visits in vec((some_visit(), 0usize..4), 0..60).prop_flat_map(|visits| {
            (Just(visits.clone()), Just(visits).prop_shuffle())
        }),
    ) {
        let (visits, shuffled) = visits;
        let mut parts = vec![Cell::default(); 4];
        shuffled.iter().for_each(|(visit, part)| parts[*part].add(visit));
        let sum = parts.iter().rev().fold(Cell::default(), |sum, part| merged(&sum, part));
        let visits: Vec<_> = visits.into_iter().map(|(visit, _)| visit).collect();
        prop_assert_eq!(&sum, &cell_of(&visits));
        prop_assert_eq!(sum.count.clicks(), visits.len() as u64);
        assert_adds_up(&sum)?;
    }

    #[test]
    fn merging_is_commutative_and_associative(
        a in some_cell(), b in some_cell(), c in some_cell(),
    ) {
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(merged(&a, &Cell::default()), a);
    }

    #[test]
    fn days_that_are_closed_add_up_their_visitors(a in some_cell(), b in some_cell()) {
        let (mut one, mut other) = (a.clone(), b.clone());
        one.close_day();
        other.close_day();
        prop_assert_eq!(one.figures(), a.figures());
        let sum = merged(&one, &other);
        prop_assert_eq!(&sum, &merged(&other, &one));
        let mut figures = a.figures();
        figures += b.figures();
        prop_assert_eq!(sum.figures(), figures);
        assert_adds_up(&sum)?;
    }
}

#[test]
fn a_person_who_comes_again_is_one_visitor_and_a_bot_is_none() {
    let visit = |who| Visit {
        who,
        referrer: name("direct"),
        country: name("US"),
        browser: name("Firefox"),
        platform: name("Linux"),
        device: name("desktop"),
    };
    let cell = cell_of(&[
        visit(Who::Person(Some(7))),
        visit(Who::Person(Some(7))),
        visit(Who::Person(None)),
        visit(Who::Bot(name("search/Googlebot"))),
    ]);
    assert_eq!(cell.figures(), Figures { count: count(3, 1), visitors: 1 });
    let rows = |dimension| {
        let rows: &Rows = cell.breakdown.of(dimension);
        rows.named().map(|(name, count)| (name.to_string(), count)).collect::<Vec<_>>()
    };
    assert_eq!(rows(Dimension::Browser), [("Firefox".to_owned(), count(3, 1))]);
    assert_eq!(rows(Dimension::BotFamily), [("search/Googlebot".to_owned(), count(0, 1))]);
    assert_eq!(rows(Dimension::Code), []);
}
