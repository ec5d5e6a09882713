//! Counts: exactly once, whatever comes twice; and what is kept beside them.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::ledger::{batch, codes_of, node, step};
use super::*;
use crate::model::tally::{Count, Day};
use crate::store::{Account, Applied, Batch, Lane, Partitions, Position, Progress, Tallies};

conformance! {
    a_batch_applied_again_counts_nothing
    of_two_appliers_one_counts
    a_batch_counts_wholly_or_not_at_all
    nodes_and_lanes_stand_apart
    positions_are_compared_to_the_last_bit
    totals_are_exact_beyond_what_fits_in_32_bits
    the_secret_of_a_day_is_the_same_for_all_and_is_forgotten
    accounts_are_replaced_by_newer_ones
}

async fn apply(store: &Store, partition: usize, batch: &Batch) -> Applied {
    store.apply(&node("n"), partition, batch).await.unwrap()
}

async fn total(store: &Store, text: &str) -> u64 {
    store.totals(&[code(text)]).await.unwrap()[0].clicks()
}

async fn a_batch_applied_again_counts_nothing(store: &Store) {
    let [code] = <[String; 1]>::try_from(codes_of(store, 0, 1)).unwrap();
    let click = batch(vec![step(0, 0, 10), step(3, 0, 20)], &[(&code, 2_000_000, 3)]);
    assert_eq!(apply(store, 0, &click).await, Applied::Done);
    let lanes = BTreeMap::from([(Lane(0), Position(10)), (Lane(3), Position(20))]);
    let stands = Progress { lanes, counted: 3 };
    for _ in 0..3 {
        assert_eq!(apply(store, 0, &click).await, Applied::Elsewhere(stands.clone()));
    }
    assert_eq!(store.progress(&node("n")).await.unwrap()[0], stands);
    assert_eq!(total(store, &code).await, 3);
}

async fn of_two_appliers_one_counts(store: &Store) {
    let [code] = <[String; 1]>::try_from(codes_of(store, 0, 1)).unwrap();
    for round in 0..20 {
        let click = batch(vec![step(0, round, round + 1)], &[(&code, 2_000_000, 1)]);
        let other = store.fork();
        let answers = join_all([apply(store, 0, &click), apply(&other, 0, &click)]).await;
        let done = answers.iter().filter(|answer| **answer == Applied::Done).count();
        assert_eq!(done, 1, "{answers:?}");
    }
    assert_eq!(total(store, &code).await, 20);
}

async fn a_batch_counts_wholly_or_not_at_all(store: &Store) {
    let [code] = <[String; 1]>::try_from(codes_of(store, 0, 1)).unwrap();
    let first = batch(vec![step(1, 0, 5)], &[(&code, 2_000_000, 1)]);
    assert_eq!(apply(store, 0, &first).await, Applied::Done);
    // Lane 2 would fit, lane 1 does not.
    let torn = batch(vec![step(2, 0, 9), step(1, 0, 6)], &[(&code, 2_000_000, 1)]);
    let stands = Progress { lanes: BTreeMap::from([(Lane(1), Position(5))]), counted: 1 };
    assert_eq!(apply(store, 0, &torn).await, Applied::Elsewhere(stands));
    // Nothing is known of lane 4: it stands at the beginning.
    let ahead = batch(vec![step(4, 1, 9)], &[(&code, 2_000_000, 1)]);
    assert!(matches!(apply(store, 0, &ahead).await, Applied::Elsewhere(_)));
    assert_eq!(total(store, &code).await, 1);
    let on = batch(vec![step(2, 0, 9), step(1, 5, 6)], &[(&code, 2_000_000, 1)]);
    assert_eq!(apply(store, 0, &on).await, Applied::Done);
    assert_eq!(total(store, &code).await, 2);
}

async fn nodes_and_lanes_stand_apart(store: &Store) {
    let [text] = <[String; 1]>::try_from(codes_of(store, 0, 1)).unwrap();
    let click = batch(vec![step(0, 0, 10)], &[(&text, 2_000_000, 1)]);
    for name in ["a", "b"] {
        assert_eq!(store.apply(&node(name), 0, &click).await.unwrap(), Applied::Done);
    }
    let stands = Progress { lanes: BTreeMap::from([(Lane(0), Position(10))]), counted: 1 };
    for name in ["a", "b"] {
        assert_eq!(store.progress(&node(name)).await.unwrap()[0], stands);
    }
    let unknown = store.progress(&node("c")).await.unwrap();
    assert_eq!(unknown, vec![Progress::default(); store.partitions()]);
    assert_eq!(total(store, &text).await, 2);
}

async fn positions_are_compared_to_the_last_bit(store: &Store) {
    let far = 1 << 63;
    assert_eq!(apply(store, 0, &batch(vec![step(0, 0, far + 1)], &[])).await, Applied::Done);
    let stands = Progress { lanes: BTreeMap::from([(Lane(0), Position(far + 1))]), counted: 0 };
    for beside in [far, far + 2, u64::MAX] {
        let moved = batch(vec![step(0, beside, beside)], &[]);
        assert_eq!(apply(store, 0, &moved).await, Applied::Elsewhere(stands.clone()));
    }
    let on = batch(vec![step(0, far + 1, u64::MAX)], &[]);
    assert_eq!(apply(store, 0, &on).await, Applied::Done);
}

async fn totals_are_exact_beyond_what_fits_in_32_bits(store: &Store) {
    let [text] = <[String; 1]>::try_from(codes_of(store, 0, 1)).unwrap();
    let mut expected = Count::default();
    for (round, count) in [(5_000_000_000, 0), (0, 1), (5_000_000_001, 7_000_000_000), (1, 0)]
        .map(|(people, bots)| Count { people, bots })
        .into_iter()
        .enumerate()
    {
        let at = round as u64;
        let mut batch = batch(vec![step(0, at, at + 1)], &[(&text, 2_000_000, 0)]);
        batch.clicks = count.clicks();
        batch.rows.values_mut().for_each(|row| row.cell(32).count = count);
        assert_eq!(apply(store, 0, &batch).await, Applied::Done);
        expected += count;
        assert_eq!(store.totals(&[code(&text)]).await.unwrap(), [expected]);
    }
    assert_eq!(store.progress(&node("n")).await.unwrap()[0].counted, expected.clicks());
}

async fn the_secret_of_a_day_is_the_same_for_all_and_is_forgotten(store: &Store) {
    let forks: Vec<Store> = (0..8).map(|_| store.fork()).collect();
    let ask = async |store: &Store, day: u32, fresh: u8, keep_from: u32| {
        store.salt(Day(day), &[fresh; 16], Day(keep_from)).await.unwrap()
    };
    let told = join_all((1..).zip(&forks).map(|(n, store)| ask(store, 10_780, n, 10_778))).await;
    let first = told[0];
    assert!(told.iter().all(|salt| *salt == first), "{told:?}");
    assert!((1..=8).contains(&first[0]));
    assert_eq!(ask(store, 10_781, 20, 10_779).await, [20; 16]);
    assert_eq!(ask(store, 10_782, 21, 10_780).await, [21; 16]);
    for (day, salt) in [(10_780, first), (10_781, [20; 16]), (10_782, [21; 16])] {
        assert_eq!(ask(store, day, 99, 10_780).await, salt);
    }
    assert_eq!(ask(store, 10_783, 22, 10_781).await, [22; 16]);
    assert_eq!(ask(store, 10_780, 23, 10_780).await, [23; 16], "it was forgotten");
    // Also when nobody asks for another.
    store.forget_salts(Day(10_782)).await.unwrap();
    for (day, salt) in [(10_780, [31; 16]), (10_781, [32; 16]), (10_782, [21; 16])] {
        assert_eq!(ask(store, day, salt[0], 0).await, salt, "{day}");
    }
}

async fn accounts_are_replaced_by_newer_ones(store: &Store) {
    let account = |name: &str, accepted: u64| Account {
        node: node(name),
        accepted,
        counted: 1,
        pending: accepted - 1,
        lost: 0,
        seen_at: at(5),
    };
    for filed in [account("a", 5), account("b", 6), account("a", 7)] {
        store.put_account(&filed).await.unwrap();
    }
    assert_eq!(store.accounts().await.unwrap(), [account("a", 7), account("b", 6)]);
}
