//! Visits, cells and rows as they may come, for tests of what becomes of them.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Cell, Count, Name, Row, name};
use crate::model::click::{Visit, Who};

/// Names that strangers choose, few enough to come again: usual ones, unusual ones, none at all,
/// and one as long as they get.
pub(super) fn some_name() -> impl Strategy<Value = Name> {
    prop_oneof![
        Just("direct".into()),
        Just("google.com".into()),
        Just("Chrome Mobile".into()),
        Just("".into()),
        Just("bücher.example".into()),
        Just(name(&"x".repeat(300))),
        (0u8..20).prop_map(|n| name(&format!("host-{n}.example"))),
    ]
}

/// One click: of a person who may have come before, of one who is not to be known, or of a bot.
pub(super) fn some_visit() -> impl Strategy<Value = Visit> {
    let who = prop_oneof![
        3 => (0u64..50).prop_map(|n| Who::Person(Some(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)))),
        1 => Just(Who::Person(None)),
        1 => (0u8..9).prop_map(|n| Who::Bot(name(&format!("search/bot {n}")))),
    ];
    let names = (some_name(), some_name(), some_name(), some_name(), some_name());
    (who, names).prop_map(|(who, (referrer, country, browser, platform, device))| Visit {
        who,
        referrer,
        country,
        browser,
        platform,
        device,
    })
}

/// What some clicks add up to.
pub(super) fn some_cell() -> impl Strategy<Value = Cell> {
    vec(some_visit(), 0..40).prop_map(|visits| cell_of(&visits))
}

/// Cells in some of `slots` slots.
pub(super) fn some_row(slots: u8) -> impl Strategy<Value = Row> {
    vec((0..slots, some_visit()), 0..80).prop_map(|visits| row_of(&visits))
}

/// The cell of these clicks.
pub(super) fn cell_of(visits: &[Visit]) -> Cell {
    let mut cell = Cell::default();
    visits.iter().for_each(|visit| cell.add(visit));
    cell
}

/// The row of these clicks, each in its slot.
pub(super) fn row_of(visits: &[(u8, Visit)]) -> Row {
    let mut row = Row::default();
    visits.iter().for_each(|(slot, visit)| row.cell(*slot).add(visit));
    row
}

/// A count.
pub(super) fn count(people: u64, bots: u64) -> Count {
    Count { people, bots }
}
