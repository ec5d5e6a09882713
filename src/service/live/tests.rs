//! What listeners hear, and what they do not.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::model::code::Code;
use crate::model::key::{Key, PlainKey, Scope};
use crate::model::tally::Count;
use crate::store::embedded::Embedded;
use crate::store::{Keys as _, NodeId, Store, Upkeep as _, cached};

async fn live(folder: &std::path::Path) -> Live {
    let store = Store::Embedded(Embedded::open(folder, 1 << 20).unwrap());
    store.prepare().await.unwrap();
    let none = Duration::ZERO;
    let settings =
        cached::Settings { capacity: 0, fresh_for: none, stale_for: none, unknown_for: none };
    Live::new(Cached::new(store, &settings))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

fn pulse(node: &str, second: i64, links: &[(&str, u64)], other: u64) -> Pulse {
    let count = |people| Count { people, bots: 0 };
    let links = links.iter().map(|(code, n)| (Code::parse(code).unwrap(), count(*n)));
    let shares = Shares { links: links.collect(), other: count(other) };
    Pulse { node: NodeId(node.into()), at: at(second), shares }
}

async fn tell(live: &Live, pulse: &Pulse) {
    live.links.store().tell(&pulse.to_bytes()).await.unwrap();
}

/// What is heard by link, the others under an empty name.
fn heard(word: &Word) -> BTreeMap<String, u64> {
    let Shares { links, other } = &word.clicks.as_ref().unwrap().shares;
    let links = links.iter().map(|(code, count)| (code.to_string(), count.clicks()));
    links.chain([(String::new(), other.clicks())]).collect()
}

#[tokio::test]
async fn what_several_rounds_and_nodes_counted_is_told_in_one_sum() {
    let folder = tempfile::tempdir().unwrap();
    let live = live(folder.path()).await;
    tell(&live, &pulse("a", 0, &[("one", 99)], 99)).await;
    let mut listener = live.listen(&Principal::local(), None).await.unwrap();
    assert_eq!(listener.next(Timestamp::now()).await.unwrap(), Word::default());
    tell(&live, &pulse("a", 1, &[("one", 1), ("two", 2)], 5)).await;
    tell(&live, &pulse("b", 3, &[("two", 4)], 0)).await;
    tell(&live, &pulse("a", 2, &[("six", 6)], 1)).await;
    let word = listener.next(Timestamp::now()).await.unwrap();
    let sums = [("", 6), ("one", 1), ("six", 6), ("two", 6)];
    assert_eq!(heard(&word), sums.map(|(code, n)| (code.to_owned(), n)).into());
    let clicks = word.clicks.unwrap();
    assert_eq!((clicks.at, clicks.nodes, clicks.shares.total().people), (at(3), 2, 19));
    assert_eq!(listener.next(Timestamp::now()).await.unwrap(), Word::default());
}

#[tokio::test]
async fn who_comes_back_misses_nothing_and_hears_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let live = live(folder.path()).await;
    let mut place = None;
    let mut sum = 0;
    // More than fit one question to the store, and a listener who comes back after each answer.
    for round in 0..4 {
        let mut listener = live.listen(&Principal::local(), place.as_deref()).await.unwrap();
        place = Some(listener.place().0.clone());
        for n in 0..PAGE as i64 / 3 {
            tell(&live, &pulse("a", n, &[("one", 1)], 0)).await;
        }
        if round % 2 == 1 {
            let word = listener.next(Timestamp::now()).await.unwrap();
            sum += heard(&word)["one"];
            place = Some(listener.place().0.clone());
        }
    }
    assert_eq!(sum, 4 * (PAGE as u64 / 3));
}

#[tokio::test]
async fn more_than_one_page_of_news_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let live = live(folder.path()).await;
    let mut listener = live.listen(&Principal::local(), None).await.unwrap();
    for n in 0..PAGE + 50 {
        tell(&live, &pulse("a", n as i64, &[("one", 1)], 0)).await;
    }
    assert_eq!(heard(&listener.next(Timestamp::now()).await.unwrap())["one"], PAGE as u64 + 50);
}

#[tokio::test]
async fn a_place_that_is_forgotten_or_foreign_is_a_gap_and_it_goes_on_from_now() {
    let folder = tempfile::tempdir().unwrap();
    let live = live(folder.path()).await;
    tell(&live, &pulse("a", 0, &[("one", 1)], 0)).await;
    let first = live.listen(&Principal::local(), None).await.unwrap().place().0.clone();
    for n in 0..1_000 {
        tell(&live, &pulse("a", n, &[("one", 1)], 0)).await;
    }
    let long = "a".repeat(MAX_PLACE + 1);
    for place in [&first, "elsewhere-7", "none", "-", "(1-1", "1 2", "1\r\n2", "1*", &long] {
        let mut listener = live.listen(&Principal::local(), Some(place)).await.unwrap();
        let word = listener.next(Timestamp::now()).await.unwrap();
        assert_eq!(word, Word { gap: Some(Gap::Forgotten), clicks: None }, "{place:?}");
        tell(&live, &pulse("a", 0, &[("two", 2)], 0)).await;
        let word = listener.next(Timestamp::now()).await.unwrap();
        assert_eq!((word.gap, heard(&word)["two"]), (None, 2), "{place:?}");
    }
}

#[tokio::test]
async fn what_another_version_told_is_a_gap_and_the_rest_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let live = live(folder.path()).await;
    let mut listener = live.listen(&Principal::local(), None).await.unwrap();
    tell(&live, &pulse("a", 0, &[("one", 1)], 0)).await;
    live.links.store().tell(b"\xffwhat a later version says").await.unwrap();
    tell(&live, &pulse("a", 0, &[("one", 2)], 0)).await;
    let word = listener.next(Timestamp::now()).await.unwrap();
    assert_eq!((word.gap, heard(&word)["one"]), (Some(Gap::Unreadable), 3));
    assert_eq!(listener.next(Timestamp::now()).await.unwrap(), Word::default());
}

#[tokio::test]
async fn only_who_may_read_the_site_is_told_and_not_after_the_key_is_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let live = live(folder.path()).await;
    for (scope, may) in [(Scope::Mint, false), (Scope::Read, true), (Scope::Admin, true)] {
        let mut key = Key::of(&PlainKey::draw(), "a key".into(), vec![scope], at(0));
        live.links.store().put_key(&key).await.unwrap();
        let by = Principal { key: key.id.clone(), scopes: key.scopes.clone(), until: None };
        let listener = live.listen(&by, None).await;
        assert_eq!(listener.is_ok(), may, "{scope:?}");
        let Ok(mut listener) = listener else { continue };
        listener.next(Timestamp::now()).await.unwrap();
        key.revoked_at = Some(at(1));
        live.links.store().put_key(&key).await.unwrap();
        assert!(matches!(listener.next(Timestamp::now()).await, Err(LiveError::Forbidden(_))));
    }
}

#[tokio::test]
async fn there_are_so_many_places_and_each_is_free_again_when_its_listener_goes() {
    let folder = tempfile::tempdir().unwrap();
    let live = live(folder.path()).await;
    let other_worker = live.over(&live.links.fork());
    let mut listeners = Vec::new();
    for n in 0..MAX_LISTENERS {
        let live = if n % 2 == 0 { &live } else { &other_worker };
        listeners.push(live.listen(&Principal::local(), None).await.unwrap());
    }
    assert_eq!(live.audience().listeners(), MAX_LISTENERS);
    let refused = live.listen(&Principal::local(), None).await;
    assert!(matches!(refused, Err(LiveError::Full)));
    listeners.pop().unwrap().drop_slow();
    assert_eq!((live.audience().listeners(), live.audience().dropped()), (MAX_LISTENERS - 1, 1));
    live.listen(&Principal::local(), None).await.unwrap();
    drop(listeners);
    assert_eq!(live.audience().listeners(), 0);
}

#[tokio::test]
async fn the_end_reaches_who_listens_and_who_comes_later() {
    let folder = tempfile::tempdir().unwrap();
    let live = live(folder.path()).await;
    let before = live.listen(&Principal::local(), None).await.unwrap();
    live.audience().close();
    before.closed().await;
    live.listen(&Principal::local(), None).await.unwrap().closed().await;
}
