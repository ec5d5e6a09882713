//! Counts: exactly once, whatever comes twice, and the same by every way of asking.

use std::collections::BTreeMap;
use std::ops::Range;

use futures_util::future::join_all;

use super::*;
use crate::model::tally::{Day, DayTally, Quarter};
use crate::store::{
    Account, Applied, Batch, Lane, Move, NodeId, Partitions, Position, Progress, Subject, Tallies,
};

conformance! {
    counts_agree_by_every_way_of_asking
    a_batch_applied_again_counts_nothing
    of_two_appliers_one_counts
    a_batch_counts_wholly_or_not_at_all
    quarters_come_in_any_order
    nodes_and_lanes_stand_apart
    positions_are_compared_to_the_last_bit
    a_large_batch_is_one_step
    a_count_stays_at_the_brim
    only_the_days_asked_for_are_told
    accounts_are_replaced_by_newer_ones
}

const EVER: Range<Day> = Day(0)..Day(u32::MAX);

fn node(name: &str) -> NodeId {
    NodeId(format!("{name:0>16}"))
}

fn step(lane: u16, from: u64, to: u64) -> Move {
    Move { lane: Lane(lane), from: Position(from), to: Position(to) }
}

/// A batch of clicks: code, quarter since 1970, how many.
fn batch(moves: Vec<Move>, clicks: &[(&str, u32, u64)]) -> Batch {
    let mut batch = Batch { moves, ..Batch::default() };
    for (text, quarter, n) in clicks {
        let quarter = Quarter(*quarter);
        let row = batch.links.entry((quarter.day(), code(text))).or_default();
        row.add(quarter.of_day(), *n);
        batch.clicks += n;
    }
    batch
}

/// So many codes that are counted in this partition.
fn codes_of(store: &Store, partition: usize, count: usize) -> Vec<String> {
    let codes = (0..).map(|n| format!("c{n}"));
    codes.filter(|code| store.partition_of(code) == partition).take(count).collect()
}

async fn apply(store: &Store, partition: usize, batch: &Batch) -> Applied {
    store.apply(&node("n"), partition, batch).await.unwrap()
}

async fn series(store: &Store, subject: Subject) -> Vec<(Day, DayTally)> {
    store.series(&subject, EVER).await.unwrap()
}

fn sum(series: &[(Day, DayTally)]) -> u64 {
    series.iter().map(|(_, tally)| tally.clicks()).sum()
}

/// A small sequence of pseudo-random numbers (Knuth's MMIX), the same at every run.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

async fn counts_agree_by_every_way_of_asking(store: &Store) {
    let today = Day(20_780).first().0;
    let codes: Vec<String> = (0..200).map(|n| format!("code{n}")).collect();
    let mut expected = BTreeMap::<(Day, Code), DayTally>::new();
    let mut positions = vec![0u64; store.partitions()];
    let mut state = 1;
    for _ in 0..10 {
        let mut batches = BTreeMap::<usize, Vec<(&str, u32, u64)>>::new();
        for _ in 0..150 {
            let text = codes[random(&mut state) as usize % 200].as_str();
            let click = (text, today + random(&mut state) as u32 % 300, 1 + random(&mut state) % 5);
            batches.entry(store.partition_of(text)).or_default().push(click);
            let quarter = Quarter(click.1);
            let row = expected.entry((quarter.day(), code(text))).or_default();
            row.add(quarter.of_day(), click.2);
        }
        for (partition, clicks) in &batches {
            let from = positions[*partition];
            positions[*partition] += 7;
            let step = step(0, from, from + 7);
            assert_eq!(apply(store, *partition, &batch(vec![step], clicks)).await, Applied::Done);
        }
    }
    let all: u64 = expected.values().map(DayTally::clicks).sum();
    let of_code = |text: &str| {
        let own = expected.iter().filter(|((_, c), _)| c.as_str() == text);
        own.map(|((day, _), tally)| (*day, tally.clone())).collect::<Vec<_>>()
    };
    let asked: Vec<Code> = codes.iter().map(|text| code(text)).chain([code("nobody")]).collect();
    let totals = store.totals(&asked).await.unwrap();
    for (text, total) in codes.iter().zip(&totals) {
        let own = of_code(text);
        assert_eq!(series(store, Subject::Link(code(text))).await, own);
        assert_eq!(*total, sum(&own));
    }
    assert_eq!(totals[200], 0);
    assert_eq!(sum(&series(store, Subject::Site).await), all);
    let mut days = BTreeMap::<Day, DayTally>::new();
    for ((day, _), tally) in &expected {
        days.entry(*day).or_default().merge(tally);
    }
    assert_eq!(
        series(store, Subject::Site).await,
        days.keys().copied().zip(days.values().cloned()).collect::<Vec<_>>()
    );
    for day in days.keys() {
        let own = expected.iter().filter(|((d, _), _)| d == day);
        let own: Vec<_> = own.map(|((_, code), tally)| (code.clone(), tally.clone())).collect();
        let mut found = store.links_on(*day).await.unwrap();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(found, own);
    }
    let progress = store.progress(&node("n")).await.unwrap();
    assert_eq!(progress.len(), store.partitions());
    assert_eq!(progress.iter().map(|progress| progress.counted).sum::<u64>(), all);
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
    assert_eq!(sum(&series(store, Subject::Site).await), 3);
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
    assert_eq!(store.totals(&[super::code(&code)]).await.unwrap(), [20]);
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
    assert_eq!(store.totals(&[super::code(&code)]).await.unwrap(), [1]);
    let on = batch(vec![step(2, 0, 9), step(1, 5, 6)], &[(&code, 2_000_000, 1)]);
    assert_eq!(apply(store, 0, &on).await, Applied::Done);
    assert_eq!(store.totals(&[super::code(&code)]).await.unwrap(), [2]);
}

async fn quarters_come_in_any_order(store: &Store) {
    let [text] = <[String; 1]>::try_from(codes_of(store, 0, 1)).unwrap();
    let mut expected = DayTally::default();
    let mut state = 7;
    for round in 0..120 {
        let mut clicks = Vec::new();
        for _ in 0..1 + random(&mut state) % 4 {
            let quarter = (random(&mut state) % 96) as u32;
            let n = 1 + random(&mut state) % 100_000;
            expected.add(quarter as u8, n);
            clicks.push((text.as_str(), Day(20_780).first().0 + quarter, n));
        }
        let clicks = batch(vec![step(0, round, round + 1)], &clicks);
        assert_eq!(apply(store, 0, &clicks).await, Applied::Done);
        let day = [(Day(20_780), expected.clone())];
        assert_eq!(series(store, Subject::Link(code(&text))).await, day);
        assert_eq!(series(store, Subject::Site).await, day);
    }
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
    assert_eq!(store.totals(&[code(&text)]).await.unwrap(), [2]);
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

async fn a_large_batch_is_one_step(store: &Store) {
    let codes = codes_of(store, 0, 3_000);
    for round in 0..2 {
        let quarter = Day(20_780).first().0 + round;
        let clicks: Vec<_> = codes.iter().map(|text| (text.as_str(), quarter, 2)).collect();
        let step = step(0, round.into(), u64::from(round) + 1);
        assert_eq!(apply(store, 0, &batch(vec![step], &clicks)).await, Applied::Done);
    }
    let found = store.links_on(Day(20_780)).await.unwrap();
    assert_eq!(found.len(), 3_000);
    let mut expected = DayTally::default();
    expected.add(0, 2);
    expected.add(1, 2);
    assert!(found.iter().all(|(_, tally)| *tally == expected));
    let asked: Vec<Code> = codes.iter().map(|text| code(text)).collect();
    assert_eq!(store.totals(&asked).await.unwrap(), vec![4; 3_000]);
    assert_eq!(sum(&series(store, Subject::Site).await), 12_000);
}

async fn a_count_stays_at_the_brim(store: &Store) {
    let [text] = <[String; 1]>::try_from(codes_of(store, 0, 1)).unwrap();
    for round in 0..2 {
        let clicks = batch(vec![step(0, round, round + 1)], &[(&text, 2_000_000, 4_000_000_000)]);
        assert_eq!(apply(store, 0, &clicks).await, Applied::Done);
    }
    let found = series(store, Subject::Link(code(&text))).await;
    assert_eq!(sum(&found), u64::from(u32::MAX));
    assert_eq!(store.totals(&[code(&text)]).await.unwrap(), [8_000_000_000]);
}

async fn only_the_days_asked_for_are_told(store: &Store) {
    let [text] = <[String; 1]>::try_from(codes_of(store, 0, 1)).unwrap();
    let days = [0, 31, 32, 20_780, 20_781, 20_900];
    let clicks: Vec<_> = days.iter().map(|day| (text.as_str(), Day(*day).first().0, 1)).collect();
    assert_eq!(apply(store, 0, &batch(vec![step(0, 0, 1)], &clicks)).await, Applied::Done);
    for range in [0..0, 0..1, 1..32, 31..33, 32..20_781, 20_781..20_900, 0..u32::MAX] {
        let expected: Vec<Day> =
            days.iter().filter(|day| range.contains(*day)).map(|day| Day(*day)).collect();
        for subject in [Subject::Link(code(&text)), Subject::Site] {
            let asked = Day(range.start)..Day(range.end);
            let found = store.series(&subject, asked).await.unwrap();
            let found: Vec<Day> = found.into_iter().map(|(day, _)| day).collect();
            assert_eq!(found, expected, "{range:?}");
        }
    }
    assert_eq!(store.links_on(Day(20_782)).await.unwrap(), []);
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
