//! Answers kept for repeated requests. Time is the caller's: nothing here waits.

use futures_util::future::join_all;

use super::*;
use crate::store::{Replies, Reservation};

conformance! {
    a_request_is_answered_once_and_its_answer_kept
    of_many_equal_requests_one_goes_on
    a_name_serves_one_request
    a_reservation_given_up_is_free_again
    a_lease_that_is_over_is_free_again
    an_answer_that_is_over_is_forgotten
}

const PRINT: [u8; 32] = [7; 32];

async fn begin(store: &Store, name: &str, now: i64) -> Reservation {
    store.begin_reply(name, &PRINT, at(now), at(now + 60_000)).await.unwrap()
}

async fn a_request_is_answered_once_and_its_answer_kept(store: &Store) {
    let name = "key: سیاست ".repeat(100);
    assert_eq!(begin(store, &name, 0).await, Reservation::Fresh);
    assert_eq!(begin(store, &name, 1).await, Reservation::Running);
    let answer: Vec<u8> = (0..=255).collect();
    store.end_reply(&name, &PRINT, Some(&answer), at(86_400_000)).await.unwrap();
    assert_eq!(begin(store, &name, 2).await, Reservation::Answered(answer.clone()));
    assert_eq!(begin(store, &name, 80_000_000).await, Reservation::Answered(answer));
    assert_eq!(begin(store, "another", 3).await, Reservation::Fresh);
    store.end_reply("another", &PRINT, Some(b""), at(86_400_000)).await.unwrap();
    assert_eq!(begin(store, "another", 4).await, Reservation::Answered(vec![]));
}

async fn of_many_equal_requests_one_goes_on(store: &Store) {
    let begun = join_all((0..50).map(|_| begin(store, "name", 0))).await;
    let fresh = begun.iter().filter(|answer| **answer == Reservation::Fresh).count();
    let running = begun.iter().filter(|answer| **answer == Reservation::Running).count();
    assert_eq!((fresh, running), (1, 49));
}

async fn a_name_serves_one_request(store: &Store) {
    let other = async || store.begin_reply("name", &[8; 32], at(1), at(60_000)).await.unwrap();
    assert_eq!(begin(store, "name", 0).await, Reservation::Fresh);
    assert_eq!(other().await, Reservation::Other);
    store.end_reply("name", &[8; 32], Some(b"not its own"), at(70_000)).await.unwrap();
    store.end_reply("name", &[8; 32], None, at(70_000)).await.unwrap();
    assert_eq!(begin(store, "name", 2).await, Reservation::Running);
    store.end_reply("name", &PRINT, Some(b"answer"), at(86_400_000)).await.unwrap();
    assert_eq!(other().await, Reservation::Other);
}

async fn a_reservation_given_up_is_free_again(store: &Store) {
    assert_eq!(begin(store, "name", 0).await, Reservation::Fresh);
    store.end_reply("name", &PRINT, None, at(60_000)).await.unwrap();
    assert_eq!(begin(store, "name", 1).await, Reservation::Fresh);
}

async fn a_lease_that_is_over_is_free_again(store: &Store) {
    assert_eq!(begin(store, "name", 0).await, Reservation::Fresh);
    assert_eq!(begin(store, "name", 59_999).await, Reservation::Running);
    assert_eq!(begin(store, "name", 60_000).await, Reservation::Fresh);
}

async fn an_answer_that_is_over_is_forgotten(store: &Store) {
    assert_eq!(begin(store, "name", 0).await, Reservation::Fresh);
    store.end_reply("name", &PRINT, Some(b"answer"), at(90_000)).await.unwrap();
    assert_eq!(begin(store, "name", 89_999).await, Reservation::Answered(b"answer".to_vec()));
    assert_eq!(begin(store, "name", 90_000).await, Reservation::Fresh);
}
