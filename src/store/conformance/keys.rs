//! API keys.

use futures_util::future::join_all;

use super::*;
use crate::model::code::random_bytes;
use crate::model::key::{Key, PlainKey, Scope};
use crate::store::Keys;

conformance! {
    keys_are_kept_changed_and_listed_oldest_first
    of_many_first_keys_one_is_made
    a_first_key_is_not_made_where_there_is_one
    the_secret_of_the_sessions_is_the_same_for_all_and_stays
}

fn key(ms: i64) -> Key {
    Key::of(&PlainKey::draw(), format!("desk {ms}"), vec![Scope::Mint], at(ms))
}

async fn keys_are_kept_changed_and_listed_oldest_first(store: &Store) {
    let mut keys: Vec<Key> = [3, 1, 2].map(key).into();
    for key in &keys {
        store.put_key(key).await.unwrap();
    }
    keys[1].revoked_at = Some(at(9));
    store.put_key(&keys[1]).await.unwrap();
    assert_eq!(store.key(&keys[1].id).await.unwrap().as_ref(), Some(&keys[1]));
    assert_eq!(store.key(&key(4).id).await.unwrap(), None);
    keys.sort_by_key(|key| key.created_at);
    assert_eq!(store.keys().await.unwrap(), keys);
}

async fn of_many_first_keys_one_is_made(store: &Store) {
    let keys: Vec<Key> = (0..20).map(key).collect();
    let made = join_all(keys.iter().map(|key| store.put_first_key(key))).await;
    let winners: Vec<usize> = (0..20).filter(|n| *made[*n].as_ref().unwrap()).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(store.keys().await.unwrap(), [keys[winners[0]].clone()]);
}

async fn a_first_key_is_not_made_where_there_is_one(store: &Store) {
    let first = key(1);
    store.put_key(&first).await.unwrap();
    assert!(!store.put_first_key(&key(2)).await.unwrap());
    assert_eq!(store.keys().await.unwrap(), [first]);
}

async fn the_secret_of_the_sessions_is_the_same_for_all_and_stays(store: &Store) {
    let forks: Vec<Store> = (0..8).map(|_| store.fork()).collect();
    let fresh: Vec<[u8; 32]> = forks.iter().map(|_| random_bytes()).collect();
    let asked = forks.iter().zip(&fresh).map(|(store, fresh)| store.session_secret(fresh));
    let told: Vec<[u8; 32]> = join_all(asked).await.into_iter().map(Result::unwrap).collect();
    assert!(fresh.contains(&told[0]) && told.iter().all(|secret| *secret == told[0]));
    store.put_key(&key(1)).await.unwrap();
    assert_eq!(store.session_secret(&[0; 32]).await.unwrap(), told[0]);
}
