//! The news: in order, and honest about what is gone.

use super::*;
use crate::store::{Bulletin, News, NewsId};

conformance! {
    news_are_heard_in_order_from_any_place
    whoever_was_away_for_long_hears_of_the_gap
    a_place_of_nowhere_is_a_gap
}

fn texts(news: &News) -> Vec<String> {
    news.items.iter().map(|(_, item)| String::from_utf8(item.clone()).unwrap()).collect()
}

async fn news_are_heard_in_order_from_any_place(store: &Store) {
    let beginning = store.last_news().await.unwrap();
    assert_eq!(store.news_after(&beginning, 9).await.unwrap(), News::default());
    for n in 0..5 {
        store.tell(format!("item {n}").as_bytes()).await.unwrap();
    }
    let other = store.fork();
    let all = other.news_after(&beginning, 100).await.unwrap();
    assert_eq!(texts(&all), ["item 0", "item 1", "item 2", "item 3", "item 4"]);
    assert!(!all.gap);
    for (at, (place, _)) in all.items.iter().enumerate() {
        assert!(place.0.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
        let rest = other.news_after(place, 100).await.unwrap();
        assert_eq!(rest, News { items: all.items[at + 1..].to_vec(), gap: false });
    }
    let two = other.news_after(&all.items[0].0, 2).await.unwrap();
    assert_eq!(texts(&two), ["item 1", "item 2"]);
    assert_eq!(other.news_after(&all.items[0].0, 0).await.unwrap(), News::default());
    assert_eq!(other.last_news().await.unwrap(), all.items[4].0);
}

async fn whoever_was_away_for_long_hears_of_the_gap(store: &Store) {
    let beginning = store.last_news().await.unwrap();
    let mut places = Vec::new();
    for n in 0..1_500 {
        store.tell(format!("item {n}").as_bytes()).await.unwrap();
        places.push(store.last_news().await.unwrap());
    }
    let kept = store.news_after(&beginning, 5_000).await.unwrap();
    assert!(kept.gap);
    assert!((600..1_000).contains(&kept.items.len()), "{}", kept.items.len());
    assert_eq!(texts(&kept).last().unwrap(), "item 1499");
    // Whoever heard of the last one that is gone has missed nothing.
    let gone = 1_500 - kept.items.len();
    let rest = store.news_after(&places[gone - 1], 5_000).await.unwrap();
    assert_eq!(rest, News { items: kept.items.clone(), gap: false });
    let less = store.news_after(&places[gone - 2], 3).await.unwrap();
    assert_eq!(less, News { items: kept.items[..3].to_vec(), gap: true });
}

async fn a_place_of_nowhere_is_a_gap(store: &Store) {
    for place in ["", "-", "nonsense", "9-9-9", "99999999999999-0"] {
        let news = store.news_after(&NewsId(place.to_owned()), 5).await.unwrap();
        assert_eq!(news, News { items: vec![], gap: true }, "{place:?}");
    }
    store.tell(b"one").await.unwrap();
    for place in ["", "nonsense", "99999999999999-0"] {
        let news = store.news_after(&NewsId(place.to_owned()), 5).await.unwrap();
        assert_eq!((texts(&news), news.gap), (vec!["one".to_owned()], true), "{place:?}");
    }
}
