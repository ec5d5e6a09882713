//! Rows: the sums of everything that was applied, whoever applied it and however it is asked for.

use std::collections::BTreeMap;

use futures_util::future::{join, join_all};
use jiff::Timestamp;

use super::ledger::{
    Ledger, Random, adds_up, all_of, batch, clicks, codes_of, link_of, node, people, step, sum,
};
use super::*;
use crate::model::code::Code;
use crate::model::tally::{Count, Day, Dimension, Quarter, Row, Subject, name};
use crate::store::{Applied, Ask, Batch, DayFigures, DayRow, Keep, Note, Partitions, Tallies};

conformance! {
    rows_are_the_sums_of_all_batches_by_every_way_of_asking
    nodes_that_count_for_the_same_rows_lose_nothing
    a_day_is_never_seen_half_counted
    a_large_batch_is_one_step
    busy_rows_come_whole
    long_breakdowns_are_bounded_and_keep_their_sums
    days_are_told_in_the_order_asked
    the_first_day_is_found
    a_forgotten_link_leaves_nothing_but_a_note
    forgetting_while_clicks_come_leaves_total_and_rows_at_one
    swept_rows_are_gone_and_the_others_are_not
}

const TODAY: Day = Day(20_780);

fn note(text: &str, at: Timestamp) -> Note {
    Note { at, by: KeyId::parse("abcdefgh").unwrap(), code: code(text), clicks: 0 }
}

async fn total(store: &Store, text: &str) -> Count {
    store.totals(&[code(text)]).await.unwrap()[0]
}

async fn rows_are_the_sums_of_all_batches_by_every_way_of_asking(store: &Store) {
    let (mut random, mut ledger) = (Random(1), Ledger::default());
    for round in 0..6 {
        let mut more = Ledger::default();
        for _ in 0..150 {
            more.random_click(&mut random, 60, [TODAY.first().0, 250]);
        }
        more.apply(store, &node("n"), round).await;
        ledger.merge(&more);
    }
    let days = [TODAY, Day(20_781), Day(20_782), Day(20_783)];
    for subject in ledger.subjects().iter().chain([&link_of("nobody")]) {
        for n in 0..8 {
            let (quarters, names, sketch) = (n & 1 > 0, n & 2 > 0, n & 4 > 0);
            let asks = days.map(|day| Ask { day, quarters, names, sketch });
            let told = store.days(subject, &asks).await.unwrap();
            assert_eq!(told, ledger.answer(subject, &asks), "{subject:?} {asks:?}");
        }
    }
    for day in days {
        for quarters in [false, true] {
            let mut told = store.links_on(day, quarters).await.unwrap();
            told.sort_by(|a, b| a.0.cmp(&b.0));
            assert_eq!(told, ledger.links_on(day, quarters));
        }
    }
    let texts: Vec<String> = (0..61).map(|n| format!("code{n}")).collect();
    let codes: Vec<Code> = texts.iter().map(|text| code(text)).collect();
    let expected: Vec<Count> = texts.iter().map(|text| ledger.total(text)).collect();
    assert_eq!(store.totals(&codes).await.unwrap(), expected);
    let counted: u64 = expected.iter().map(|total| total.clicks()).sum();
    assert_eq!(clicks(&store.days(&Subject::Site, &all_of(days)).await.unwrap()), counted);
    let progress = store.progress(&node("n")).await.unwrap();
    assert_eq!(progress.len(), store.partitions());
    assert_eq!(progress.iter().map(|progress| progress.counted).sum::<u64>(), counted);
}

async fn nodes_that_count_for_the_same_rows_lose_nothing(store: &Store) {
    let mut random = Random(2);
    let mut ledgers: Vec<Vec<Ledger>> = Vec::new();
    for _ in 0..4 {
        let mut rounds = Vec::new();
        for _ in 0..25 {
            let mut ledger = Ledger::default();
            for _ in 0..3 {
                ledger.random_click(&mut random, 2, [TODAY.first().0, 6]);
            }
            rounds.push(ledger);
        }
        ledgers.push(rounds);
    }
    // Each node over a connection of its own, all at the same time.
    join_all(ledgers.iter().enumerate().map(async |(number, rounds)| {
        let (store, node) = (store.fork(), node(&number.to_string()));
        let mut positions = BTreeMap::<usize, u64>::new();
        for ledger in rounds {
            for (partition, mut batch) in ledger.deal(&store) {
                let position = positions.entry(partition).or_default();
                batch.moves = vec![step(0, *position, *position + 1)];
                *position += 1;
                let applied = store.apply(&node, partition, &batch).await.unwrap();
                assert_eq!(applied, Applied::Done);
            }
        }
    }))
    .await;
    let mut all = Ledger::default();
    ledgers.iter().flatten().for_each(|ledger| all.merge(ledger));
    for subject in all.subjects() {
        let asks = all_of([TODAY]);
        assert_eq!(store.days(&subject, &asks).await.unwrap(), all.answer(&subject, &asks));
    }
    for text in ["code0", "code1"] {
        assert_eq!(total(store, text).await, all.total(text));
    }
}

async fn a_day_is_never_seen_half_counted(store: &Store) {
    let codes = codes_of(store, 0, 300);
    let writing = async {
        for round in 0..12 {
            let quarter = TODAY.first().0 + round * 7;
            let clicks: Vec<_> = codes.iter().map(|text| (text.as_str(), quarter, 1)).collect();
            let step = step(0, u64::from(round), u64::from(round) + 1);
            let applied = store.apply(&node("n"), 0, &batch(vec![step], &clicks)).await.unwrap();
            assert_eq!(applied, Applied::Done);
        }
    };
    let reader = store.fork();
    let reading = async {
        let mut seen = 0;
        while seen < 12 {
            let told = reader.days(&link_of(&codes[0]), &all_of([TODAY])).await.unwrap();
            for (_, row) in &told {
                seen = row.whole.count.clicks();
                let quarters = row.quarters.iter().map(|(_, cell)| cell.count);
                assert!(adds_up(row.whole.figures(), quarters), "{row:?}");
            }
            for (code, row) in reader.links_on(TODAY, true).await.unwrap() {
                let quarters = row.quarters.iter().map(|(_, figures)| figures.count);
                assert!(adds_up(row.whole, quarters), "{code}: {row:?}");
            }
        }
    };
    join(writing, reading).await;
}

async fn a_large_batch_is_one_step(store: &Store) {
    let codes = codes_of(store, 0, 3_000);
    for round in 0..2 {
        let quarter = TODAY.first().0 + round * 20;
        let clicks: Vec<_> = codes.iter().map(|text| (text.as_str(), quarter, 2)).collect();
        let step = step(0, round.into(), u64::from(round) + 1);
        let applied = store.apply(&node("n"), 0, &batch(vec![step], &clicks)).await.unwrap();
        assert_eq!(applied, Applied::Done);
    }
    let found = store.links_on(TODAY, true).await.unwrap();
    assert_eq!(found.len(), 3_000);
    let two = people(2).figures();
    let expected = DayFigures { whole: people(4).figures(), quarters: vec![(0, two), (20, two)] };
    assert!(found.iter().all(|(_, figures)| *figures == expected));
    let asked: Vec<Code> = codes.iter().map(|text| code(text)).collect();
    assert_eq!(store.totals(&asked).await.unwrap(), vec![Count { people: 4, bots: 0 }; 3_000]);
}

async fn busy_rows_come_whole(store: &Store) {
    // Every quarter of some days with hundreds of people and names: hundreds of kilobytes.
    let (mut random, mut ledger) = (Random(3), Ledger::default());
    for day in 0..3 {
        for quarter in 0..96 {
            for _ in 0..60 {
                let visit = random.visit();
                let quarter = Quarter(Day(TODAY.0 + day).first().0 + quarter);
                ledger.click(&[Subject::Site], quarter, &visit);
            }
        }
    }
    ledger.apply(store, &node("n"), 0).await;
    let asks = all_of((0..3).map(|day| Day(TODAY.0 + day)));
    let told = store.days(&Subject::Site, &asks).await.unwrap();
    assert_eq!(told, ledger.answer(&Subject::Site, &asks));
}

async fn long_breakdowns_are_bounded_and_keep_their_sums(store: &Store) {
    let mut random = Random(4);
    for round in 0..8 {
        let mut ledger = Ledger::default();
        for n in 0..150 {
            let mut visit = random.visit();
            visit.referrer = name(&format!("www{round}-{n}.example.org"));
            ledger.click(&[Subject::Site], TODAY.first(), &visit);
        }
        ledger.apply(store, &node("n"), round).await;
    }
    let told = store.days(&Subject::Site, &all_of([TODAY])).await.unwrap();
    let row = &told[0].1;
    assert_eq!(row.whole.count.clicks(), 1_200);
    for (cell, most) in [(&row.whole, 500), (&row.quarters[0].1, 100)] {
        let referrers = cell.breakdown.of(Dimension::Referrer);
        assert!((50..=most).contains(&referrers.named().len()));
        assert_eq!(referrers.sum(), row.whole.count);
        assert!(referrers.other().clicks() > 0);
    }
}

async fn days_are_told_in_the_order_asked(store: &Store) {
    let [text] = <[String; 1]>::try_from(codes_of(store, 0, 1)).unwrap();
    let days: Vec<u32> = (0..400).map(|n| TODAY.0 + 3 * n).collect();
    let counted: Vec<_> = days.iter().map(|day| (text.as_str(), Day(*day).first().0, 1)).collect();
    let applied = store.apply(&node("n"), 0, &batch(vec![step(0, 0, 1)], &counted)).await.unwrap();
    assert_eq!(applied, Applied::Done);
    // Some with their quarters and some without, some with rows and some without.
    let asks: Vec<Ask> = (0..1_300)
        .rev()
        .map(|n| {
            let (day, quarters) = (Day(TODAY.0 - 50 + n), n % 90 < 40);
            Ask { day, quarters, names: n % 2 > 0, sketch: false }
        })
        .collect();
    let told = store.days(&link_of(&text), &asks).await.unwrap();
    let expected: Vec<(Day, usize)> = asks
        .iter()
        .filter(|ask| days.contains(&ask.day.0))
        .map(|ask| (ask.day, usize::from(ask.quarters)))
        .collect();
    let told: Vec<_> = told.iter().map(|(day, row)| (*day, row.quarters.len())).collect();
    assert_eq!(told, expected);
    assert_eq!(store.days(&link_of(&text), &[]).await.unwrap(), []);
    assert_eq!(store.links_on(Day(TODAY.0 + 1), true).await.unwrap(), []);
}

async fn the_first_day_is_found(store: &Store) {
    assert_eq!(store.first_day(Day(0)..Day(u32::MAX)).await.unwrap(), None);
    let days = [0u32, 7, 8, 20_780, 20_781, 20_900];
    for (partition, day) in days.iter().enumerate() {
        let partition = partition % store.partitions();
        let at =
            store.progress(&node("n")).await.unwrap()[partition].lanes.values().next().copied();
        let at = at.unwrap_or_default().0;
        let [text] = <[String; 1]>::try_from(codes_of(store, partition, 1)).unwrap();
        let batch = batch(vec![step(0, at, at + 1)], &[(&text, Day(*day).first().0 + 5, 1)]);
        let applied = store.apply(&node("n"), partition, &batch).await.unwrap();
        assert_eq!(applied, Applied::Done);
    }
    for range in
        [0..0, 0..1, 1..7, 1..8, 8..9, 9..20_780, 9..20_781, 20_781..30_000, 20_782..u32::MAX]
    {
        let expected = days.iter().find(|day| range.contains(*day)).map(|day| Day(*day));
        let found = store.first_day(Day(range.start)..Day(range.end)).await.unwrap();
        assert_eq!(found, expected, "{range:?}");
    }
}

async fn a_forgotten_link_leaves_nothing_but_a_note(store: &Store) {
    let (mut random, mut ledger) = (Random(5), Ledger::default());
    for _ in 0..400 {
        ledger.random_click(&mut random, 8, [TODAY.first().0, 300]);
    }
    ledger.apply(store, &node("n"), 0).await;
    let had = ledger.total("code3").clicks();
    assert_eq!(store.forget_link(&note("code3", at(1))).await.unwrap(), had);
    assert_eq!(store.forget_link(&note("code3", at(2))).await.unwrap(), 0);
    assert_eq!(store.forget_link(&note("nobody", at(3))).await.unwrap(), 0);
    ledger.0.retain(|(_, subject), _| *subject != link_of("code3"));
    let days: Vec<Day> = (0..5).map(|day| Day(TODAY.0 + day)).collect();
    let asks = all_of(days.clone());
    assert_eq!(store.days(&link_of("code3"), &asks).await.unwrap(), []);
    for subject in ledger.subjects() {
        assert_eq!(store.days(&subject, &asks).await.unwrap(), ledger.answer(&subject, &asks));
    }
    for day in days {
        let mut told = store.links_on(day, true).await.unwrap();
        told.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(told, ledger.links_on(day, true));
    }
    for n in 0..8 {
        let text = format!("code{n}");
        assert_eq!(total(store, &text).await, ledger.total(&text));
    }
    let mut first = note("code3", at(1));
    first.clicks = had;
    let notes = [first, note("code3", at(2)), note("nobody", at(3))];
    assert_eq!(store.notes().await.unwrap(), notes);
    // It is counted anew from here on.
    let mut again = Ledger::default();
    again.click(&[link_of("code3")], TODAY.first(), &random.visit());
    again.apply(store, &node("n"), 1).await;
    let asks = all_of([TODAY]);
    let told = store.days(&link_of("code3"), &asks).await.unwrap();
    assert_eq!(told, again.answer(&link_of("code3"), &asks));
}

async fn forgetting_while_clicks_come_leaves_total_and_rows_at_one(store: &Store) {
    let [text] = <[String; 1]>::try_from(codes_of(store, 0, 1)).unwrap();
    let (mut clicked, mut forgotten) = (0, 0);
    let counting = async {
        for round in 0..40 {
            let click = [(text.as_str(), TODAY.first().0 + round % 9, 1)];
            let moves = vec![step(0, round.into(), u64::from(round) + 1)];
            let applied = store.apply(&node("n"), 0, &batch(moves, &click)).await.unwrap();
            assert_eq!(applied, Applied::Done);
            clicked += 1;
        }
    };
    let other = store.fork();
    let forgetting = async {
        for ms in 0..15 {
            forgotten += other.forget_link(&note(&text, at(ms))).await.unwrap();
        }
    };
    join(counting, forgetting).await;
    let told = store.days(&link_of(&text), &all_of([TODAY])).await.unwrap();
    let left = total(store, &text).await.clicks();
    assert_eq!(clicks(&told), left);
    assert_eq!(left + forgotten, clicked);
    let noted: u64 = store.notes().await.unwrap().iter().map(|note| note.clicks).sum();
    assert_eq!(noted, forgotten);
}

async fn swept_rows_are_gone_and_the_others_are_not(store: &Store) {
    // Long ago, so that a store whose rows expire by themselves has to let go of them as well.
    let [text] = <[String; 1]>::try_from(codes_of(store, 0, 1)).unwrap();
    let mut row = Row::default();
    row.cell(5).merge(&people(2));
    let days = [Day(100), Day(110), Day(100_000)];
    let rows = days.map(|day| ((day, link_of(&text)), row.clone()));
    let keep = |hours, days| Keep { hours: Some(hours), days };
    let keep = [keep(0, Some(0)), keep(0, None), keep(0, Some(0))];
    for (at, (row, keep)) in rows.into_iter().zip(keep).enumerate() {
        let moves = vec![step(0, at as u64, at as u64 + 1)];
        let batch = Batch { moves, clicks: 2, rows: BTreeMap::from([row]), keep };
        assert_eq!(store.apply(&node("n"), 0, &batch).await.unwrap(), Applied::Done);
    }
    while store.sweep(Day(120), Day(110)).await.unwrap() {}
    let told = store.days(&link_of(&text), &all_of(days)).await.unwrap();
    let whole = sum(&row);
    let left = |day, quarters| (day, DayRow { whole: whole.clone(), quarters });
    assert_eq!(told, [left(Day(110), vec![]), left(Day(100_000), row.into_cells())]);
    assert_eq!(store.first_day(Day(0)..Day(u32::MAX)).await.unwrap(), Some(Day(110)));
    assert_eq!(total(store, &text).await, Count { people: 6, bots: 0 });
}
