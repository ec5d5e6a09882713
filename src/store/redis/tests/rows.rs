//! How rows lie in Redis: small buckets, one expiry for each map, and scripts that may come twice.

use super::*;
use crate::model::click::{Visit, Who};
use crate::model::tally::row::HEAD;
use crate::model::tally::{Cell, Count, Day, Quarter, Row, Subject, Visitors};
use crate::store::conformance::ledger::{
    Ledger, Random, all_of, batch, codes_of, keep, link_of, node, people, step,
};
use crate::store::redis::connection::Trip;
use crate::store::redis::schema::prefix;
use crate::store::{Ask, Bulletin, Keep, Note, Store};

/// In the year 2079, so that nothing expires meanwhile.
const DAY: Day = Day(40_000);

/// Applies so many people on each link, a batch for each quarter.
async fn click(store: &Redis, codes: &[String], quarters: &[u32], keep: Keep) {
    for quarter in quarters {
        let quarter = DAY.first().0 + quarter;
        let clicks: Vec<_> = codes.iter().map(|text| (text.as_str(), quarter, 1)).collect();
        let stands = store.progress(&node("n")).await.unwrap()[0].clone();
        let from = stands.lanes.get(&Lane(0)).map_or(0, |position| position.0);
        let batch = Batch { keep, ..batch(vec![step(0, from, from + 1)], &clicks) };
        assert_eq!(store.apply(&node("n"), 0, &batch).await.unwrap(), Applied::Done);
    }
}

fn codes(store: &Redis, count: usize) -> Vec<String> {
    codes_of(&Store::Redis(store.clone()), 0, count)
}

fn keys(server: &RedisServer, family: &str) -> Vec<String> {
    server.command(&["KEYS", &format!("sl{{{}}}{family}*", TAGS[0])])
}

fn number(server: &RedisServer, words: &[&str]) -> i64 {
    server.command(words)[0].parse().unwrap()
}

#[test]
fn buckets_of_rows_stay_small_and_compact() {
    let server = RedisServer::start();
    let store = patient(&server.url());
    let codes = codes(&store, 2_000);
    block_on(async {
        store.prepare().await.unwrap();
        click(&store, &codes, &[0, 5, 90], Keep::default()).await;
    });
    for (family, entries) in [("c", 2_000), ("d40000.", 2_000), ("h40000.", 6_000)] {
        let keys = keys(&server, family);
        let buckets = entries / 32 + 1;
        assert!((buckets * 9 / 10..=buckets).contains(&keys.len()), "{family} {}", keys.len());
        let mut found = 0;
        for key in keys {
            let length = number(&server, &["HLEN", &key]);
            assert!(length <= 192, "{key}: {length}");
            assert_eq!(server.command(&["OBJECT", "ENCODING", &key]), ["listpack"]);
            found += length;
        }
        // And the map's own count.
        assert_eq!(found, entries as i64 + 1, "{family}");
    }
}

#[test]
fn no_call_for_the_links_of_a_day_keeps_others_waiting_for_more_than_some_hundred_rows() {
    let server = RedisServer::start();
    let store = patient(&server.url());
    let codes = codes(&store, 2_000);
    block_on(async {
        store.prepare().await.unwrap();
        click(&store, &codes, &[0, 90], Keep::default()).await;
        for quarters in [0, 1] {
            let (mut classes, mut class, mut links, mut hours) = (0, 0, 0, 0);
            loop {
                let call = scripts::LINKS.at(&prefix(0)).arg(DAY.0).arg(quarters);
                let call = call.arg(HEAD).arg(classes).arg(class);
                let (of, next, whole, parts): (u32, u32, Vec<Vec<u8>>, Vec<Vec<u8>>) =
                    store.connection.script(Trip::Query, &call).await.unwrap();
                assert!(whole.len() + parts.len() <= 2 * 600, "{} {}", whole.len(), parts.len());
                (links, hours) = (links + whole.len() / 2, hours + parts.len() / 2);
                (classes, class) = (of, next);
                if class == 0 {
                    break;
                }
            }
            assert_eq!((links, hours), (2_000, 4_000 * quarters));
        }
    });
}

#[test]
fn the_rows_of_a_day_expire_as_a_whole() {
    let server = RedisServer::start();
    let store = patient(&server.url());
    let codes = codes(&store, 300);
    let end = 86_400 * (i64::from(DAY.0) + 1);
    let check = || {
        for (family, expires) in [("d", end + 400 * 86_400), ("h", end + 62 * 86_400)] {
            let keys = keys(&server, family);
            assert!(keys.len() > 8);
            for key in keys {
                assert_eq!(number(&server, &["EXPIRETIME", &key]), expires, "{key}");
            }
        }
    };
    block_on(async {
        // The first batch decides: a bucket that outlived the others would be out of reach.
        click(&store, &codes[..100], &[0], keep(62, 400)).await;
        click(&store, &codes, &[1, 30], keep(10, 500)).await;
        click(&store, &codes[..1], &[60], Keep::default()).await;
        check();
        // So it is with buckets that were emptied and come back.
        let first = |text: &String| {
            let hash = hash_of(text);
            [300, 601].iter().any(|entries| bucket_of(hash, entries / 32 + 1) == 1)
        };
        let some: Vec<String> = codes.iter().filter(|text| first(text)).cloned().collect();
        for text in &some {
            store.forget_link(&note(text)).await.unwrap();
        }
        assert!(keys(&server, "d40000.1").iter().all(|key| !key.ends_with(".1")));
        assert!(keys(&server, "h40000.1").iter().all(|key| !key.ends_with(".1")));
        click(&store, &some, &[2], Keep::default()).await;
        check();
    });
    for family in ["c", "y", "v", "n"] {
        for key in keys(&server, family) {
            assert_eq!(number(&server, &["EXPIRETIME", &key]), -1, "{key}");
        }
    }
}

#[test]
fn a_long_sketch_stands_apart_from_its_row_and_shares_its_life() {
    let server = RedisServer::start();
    let store = patient(&server.url());
    let texts = codes(&store, 40);
    let ask = |sketch| [Ask { day: DAY, quarters: false, names: true, sketch }];
    block_on(async {
        // The map is there before it has long sketches, and lives as was settled then.
        click(&store, &texts, &[0], keep(1, 400)).await;
        let mut expected = Cell::default();
        expected.merge(&people(1));
        for (from, hashes) in [(1, 0..600), (2, 300..900)] {
            let mut cell = Cell::default();
            for hash in hashes {
                let hash = u64::wrapping_mul(hash + 1, 0x9e37_79b9_7f4a_7c15);
                cell.add(&Visit { who: Who::Person(Some(hash)), ..Random(7).visit() });
            }
            expected.merge(&cell);
            let mut batch = batch(vec![step(0, from, from + 1)], &[(&texts[0], DAY.first().0, 0)]);
            batch.keep = keep(1, 500);
            let row = batch.rows.entry((DAY, link_of(&texts[0]))).or_default();
            row.cell(5).merge(&cell);
            let row = row.clone();
            batch.rows.insert((DAY, link_of(&texts[1])), row);
            assert_eq!(store.apply(&node("n"), 0, &batch).await.unwrap(), Applied::Done);
        }
        let apart = keys(&server, "s40000.");
        assert_eq!(apart.len(), 1, "{apart:?}");
        let expires = |key: &str| number(&server, &["EXPIRETIME", key]);
        assert_eq!(expires(&apart[0]), 86_400 * (i64::from(DAY.0) + 1 + 400));
        for text in &texts[..2] {
            let whole = store.days(&link_of(text), &ask(true)).await.unwrap();
            assert_eq!(whole[0].1.whole, expected);
            let told = store.days(&link_of(text), &ask(false)).await.unwrap();
            assert_eq!(told[0].1.whole.visitors, Visitors::Number(expected.figures().visitors));
            assert_eq!(told[0].1.whole.breakdown, expected.breakdown);
        }
        for text in &texts {
            store.forget_link(&note(text)).await.unwrap();
        }
        for family in ["s", "d", "h"] {
            assert_eq!(keys(&server, family), Vec::<String>::new());
        }
    });
}

#[test]
fn a_day_whose_last_link_is_forgotten_leaves_nothing() {
    let server = RedisServer::start();
    let store = patient(&server.url());
    let codes = codes(&store, 70);
    block_on(async {
        for _ in 0..2 {
            click(&store, &codes, &[0, 90], keep(1, 2)).await;
            for text in &codes {
                assert_eq!(store.forget_link(&note(text)).await.unwrap(), 2);
            }
            for family in ["c", "d", "h"] {
                assert_eq!(keys(&server, family), Vec::<String>::new());
            }
            assert_eq!(store.first_day(Day(0)..Day(u32::MAX)).await.unwrap(), None);
        }
    });
}

#[test]
fn rows_without_an_end_have_none() {
    let server = RedisServer::start();
    let store = patient(&server.url());
    block_on(click(&store, &codes(&store, 100), &[0, 9], Keep { hours: None, days: None }));
    for key in keys(&server, "") {
        assert_eq!(number(&server, &["EXPIRETIME", &key]), -1, "{key}");
    }
}

#[test]
fn a_day_whose_rows_have_expired_is_none_any_more() {
    let server = RedisServer::start();
    let store = patient(&server.url());
    let bits = format!("sl{{{}}}y", TAGS[0]);
    block_on(async {
        let texts = codes(&store, 100);
        click(&store, &texts, &[0], keep(1, 2)).await;
        // As if the time had come.
        for key in [keys(&server, "d"), keys(&server, "h")].concat() {
            server.command(&["DEL", &key]);
        }
        let ever = Day(0)..Day(u32::MAX);
        assert_eq!(store.first_day(ever.clone()).await.unwrap(), None);
        assert_eq!(store.days(&link_of(&texts[0]), &all_of([DAY])).await.unwrap(), []);
        assert_eq!(store.links_on(DAY, true).await.unwrap(), []);
        assert_eq!(number(&server, &["BITCOUNT", &bits]), 1);
        // The next day's first batch forgets it.
        click(&store, &texts, &[100], keep(1, 2)).await;
        assert_eq!(number(&server, &["BITCOUNT", &bits]), 1);
        assert_eq!(store.first_day(ever).await.unwrap(), Some(Day(DAY.0 + 1)));
    });
}

#[test]
fn links_whose_hours_have_expired_are_told_all_the_same() {
    let server = RedisServer::start();
    let store = patient(&server.url());
    block_on(async {
        let texts = codes(&store, 3_000);
        click(&store, &texts, &[0], Keep::default()).await;
        for key in keys(&server, "h") {
            server.command(&["DEL", &key]);
        }
        let told = store.links_on(DAY, true).await.unwrap();
        assert_eq!(told.len(), 3_000);
        assert!(told.iter().all(|(_, day)| day.quarters.is_empty()));
        // What comes afterwards begins anew with few buckets, and is told with its links.
        let late: Vec<String> = texts.iter().step_by(50).cloned().collect();
        click(&store, &late, &[9], Keep::default()).await;
        let told = store.links_on(DAY, true).await.unwrap();
        assert_eq!(told.len(), 3_000);
        for (code, day) in told {
            let is_late = late.iter().any(|text| text == code.as_str());
            assert_eq!(day.whole.count.people, 1 + u64::from(is_late), "{code}");
            let one = (9, people(1).figures());
            assert_eq!(day.quarters, vec![one; usize::from(is_late)], "{code}");
        }
    });
}

fn note(text: &str) -> Note {
    let by = crate::model::key::KeyId::parse("abcdefgh").unwrap();
    Note { at: at(0), by, code: code(text), clicks: 0 }
}

/// A call that adds a person to the link `a` and moves lane 0.
fn apply_call(mark: &str, new_mark: &str, from: u64) -> scripts::Call {
    let mut row = Row::default();
    row.cell(0).merge(&people(1));
    let row = row.to_bytes(10);
    let call = scripts::APPLY.at(&schema::prefix(partition_of("a")));
    let call = call.arg("n").arg(1).arg(mark).arg(new_mark);
    let call = call.arg(1).arg(0).arg(from).arg(from + 1);
    let call = call.arg(DAY.0).arg(0).arg(0).arg(1);
    call.arg("a").arg(hash_of("a")).arg(1).arg(0).arg(&[7u8][..]).arg(&row).arg("").arg(&row)
}

#[test]
fn a_batch_sent_twice_is_counted_once_and_both_times_done() {
    let server = RedisServer::start();
    let store = patient(&server.url());
    block_on(async {
        let send = async |mark: &str, new_mark: &str, from: u64| -> (u8, Vec<String>) {
            let call = apply_call(mark, new_mark, from);
            store.connection.script(connection::Trip::Write, &call).await.unwrap()
        };
        let done = (0, vec![]);
        let stands =
            |position: &str| (1, ["0", position, "counted", position].map(str::to_owned).to_vec());
        assert_eq!(send("", "m1", 0).await, done);
        assert_eq!(send("", "m1", 0).await, done);
        assert_eq!(send("m1", "m2", 0).await, stands("1"), "another batch for the same clicks");
        assert_eq!(send("", "m2", 1).await, (2, vec![]), "rows that were read before");
        assert_eq!(send("m1", "m2", 1).await, done);
        assert_eq!(send("m1", "m2", 1).await, done);
        let total = store.totals(&[code("a")]).await.unwrap();
        assert_eq!(total, [Count { people: 2, bots: 0 }]);
    });
}

#[test]
fn forgetting_and_telling_sent_twice_happen_once() {
    let server = RedisServer::start();
    let store = patient(&server.url());
    let mut ledger = Ledger::default();
    let visit = crate::store::conformance::ledger::Random(1).visit();
    for _ in 0..3 {
        ledger.click(&[link_of("a"), Subject::Site], Quarter(DAY.first().0), &visit);
    }
    block_on(async {
        ledger.apply(&Store::Redis(store.clone()), &node("n"), 0).await;
        let had = ledger.total("a");
        let expected = if had.bots == 3 { "0 3" } else { "3" };
        for (token, expected) in [("t1", expected), ("t1", expected), ("t2", "")] {
            let call = scripts::FORGET.at(&schema::prefix(partition_of("a")));
            let call = call.arg(token).arg("a").arg("mark");
            let total: String =
                store.connection.script(connection::Trip::Write, &call).await.unwrap();
            assert_eq!(total, expected);
        }
        let beginning = store.last_news().await.unwrap();
        for token in ["t1", "t1", "t2"] {
            let call = scripts::TELL.at(schema::NEWS).arg(token).arg("item").arg(9);
            let _: i64 = store.connection.script(connection::Trip::Write, &call).await.unwrap();
        }
        assert_eq!(store.news_after(&beginning, 9).await.unwrap().items.len(), 2);
    });
}

#[test]
fn secrets_that_nobody_asks_for_any_more_expire() {
    let server = RedisServer::start();
    let store = patient(&server.url());
    block_on(async {
        for day in [DAY, Day(DAY.0 + 1), Day(DAY.0 + 1)] {
            store.salt(day, &[1; 16], Day(day.0 - 2)).await.unwrap();
        }
    });
    let left = number(&server, &["TTL", schema::SALTS]);
    assert!((3 * 86_400..=4 * 86_400).contains(&left), "{left}");
}

#[test]
fn a_node_whose_clock_is_ahead_forgets_no_secret_of_these_days_for_the_others() {
    let server = RedisServer::start();
    let store = patient(&server.url());
    let seconds: u32 = server.command(&["TIME"])[0].parse().unwrap();
    let today = Day(seconds / 86_400);
    block_on(async {
        let ask = async |day, fresh, before| store.salt(day, &[fresh; 16], before).await.unwrap();
        let (old, ahead) = (Day(today.0 - 5), Day(today.0 + 9));
        assert_eq!(ask(old, 1, Day(0)).await, [1; 16]);
        assert_eq!(ask(today, 2, Day(0)).await, [2; 16]);
        ask(ahead, 3, Day(ahead.0 - 2)).await;
        store.forget_salts(ahead).await.unwrap();
        assert_eq!(ask(today, 4, Day(0)).await, [2; 16]);
        assert_eq!(ask(old, 5, Day(0)).await, [5; 16], "it was forgotten");
    });
}
