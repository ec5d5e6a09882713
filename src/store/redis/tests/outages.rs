//! What only Redis can do wrong: stop, freeze, refuse, fail over, come back with an older copy.

use std::time::{Duration, Instant};

use super::*;
use crate::store::redis::links::claim_args;

/// What no call may take, whatever Redis does: a few times the limits of a `brisk` store.
const NOT_LONG: Duration = Duration::from_secs(5);

#[test]
fn a_restarted_redis_is_found_again_with_all_it_held() {
    let mut server = RedisServer::start();
    let store = brisk(&server.url());
    // With `everysec`, a disk that is busy may keep Redis from writing its log for two seconds.
    server.command(&["CONFIG", "SET", "appendfsync", "always"]);
    block_on(async {
        mint(&store, &numbered(0..100)).await;
        for _ in 0..3 {
            server.kill();
            for _ in 0..20 {
                let asked = Instant::now();
                let answer = store.get(&code("code1")).await;
                assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
                assert!(asked.elapsed() < NOT_LONG);
            }
            server.restart();
            let found = until(SOON, async || store.get(&code("code1")).await).await;
            assert_eq!(found, Some(link("code1")));
            // Its scripts are gone with the process.
            let claim = until(SOON, async || store.claim(&[link("code2")]).await).await;
            assert_eq!(claim, [Claim::Taken]);
        }
        let codes: Vec<Code> = numbered(0..100).into_iter().map(|link| link.code).collect();
        assert!(store.get_many(&codes).await.unwrap().iter().all(Option::is_some));
    });
}

#[test]
fn a_redis_that_comes_late_is_found() {
    let mut server = RedisServer::start();
    server.stop();
    let store = brisk(&server.url());
    block_on(async {
        assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
        server.restart();
        until(SOON, async || store.ping().await).await;
    });
}

#[test]
fn a_frozen_redis_holds_nobody_up_for_long() {
    let server = RedisServer::start();
    let store = brisk(&server.url());
    block_on(async {
        mint(&store, &[link("a")]).await;
        server.freeze();
        for _ in 0..5 {
            let asked = Instant::now();
            assert!(matches!(store.get(&code("a")).await, Err(StoreError::Unavailable(_))));
            assert!(asked.elapsed() < NOT_LONG, "{:?}", asked.elapsed());
        }
        let asked = Instant::now();
        assert!(matches!(store.claim(&[link("b")]).await, Err(StoreError::Unavailable(_))));
        assert!(asked.elapsed() < NOT_LONG, "{:?}", asked.elapsed());
        server.thaw();
        until(SOON, async || store.get(&code("a")).await).await;
    });
}

#[test]
fn a_redis_that_refuses_changes_nothing_and_says_so() {
    let server = RedisServer::start();
    let store = brisk(&server.url());
    let refused = |answer: Result<Vec<Claim>, StoreError>| {
        assert!(matches!(answer, Err(StoreError::Refused(_))), "{answer:?}");
    };
    block_on(async {
        mint(&store, &[link("a")]).await;
        server.command(&["CONFIG", "SET", "maxmemory", "1"]);
        refused(store.claim(&[link("b")]).await);
        server.command(&["CONFIG", "SET", "maxmemory", "0"]);
        server.command(&["REPLICAOF", "127.0.0.1", "1"]);
        refused(store.claim(&[link("b")]).await);
        assert_eq!(store.get(&code("a")).await.unwrap(), Some(link("a")));
        server.command(&["REPLICAOF", "NO", "ONE"]);
        assert_eq!(store.get(&code("b")).await.unwrap(), None);
        mint(&store, &[link("b")]).await;
    });
}

#[test]
fn sockets_passwords_and_databases_are_used() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("redis.sock").display().to_string();
    let alice = ["--user", "alice", "on", ">secret", "~sl*", "&sl*", "+@all"];
    let server = RedisServer::start_with(&[&["--unixsocket", &socket], &alice[..]].concat());
    let alice = format!("alice:secret@127.0.0.1:{}/3", server.port());
    for (url, database) in [(format!("unix://{socket}"), 0), (format!("redis://{alice}"), 3)] {
        block_on(async {
            let store = patient(&url);
            mint(&store, &[link("a")]).await;
            assert_eq!(store.get(&code("a")).await.unwrap(), Some(link("a")));
        });
        let keys = server.command(&["INFO", "keyspace"]).remove(0);
        assert!(keys.contains(&format!("db{database}:")), "{keys}");
    }
    let stranger = brisk(&format!("redis://alice:wrong@127.0.0.1:{}", server.port()));
    for _ in 0..3 {
        let answer = block_on(stranger.ping());
        assert!(matches!(answer, Err(StoreError::Refused(_))), "{answer:?}");
    }
}

fn step(from: u64, to: u64) -> Batch {
    let moves = vec![Move { lane: Lane(0), from: Position(from), to: Position(to) }];
    Batch { moves, ..Batch::default() }
}

#[test]
fn a_restored_copy_says_where_it_stands() {
    let mut server = RedisServer::start();
    let store = brisk(&server.url());
    let node = NodeId("0123456789abcdef".into());
    block_on(async {
        assert_eq!(store.apply(&node, 5, &step(0, 10)).await.unwrap(), Applied::Done);
        server.stop();
        server.copy_aside();
        server.restart();
        let on = until(SOON, async || store.apply(&node, 5, &step(10, 20)).await).await;
        assert_eq!(on, Applied::Done);
        server.kill();
        server.restore_copy();
        server.restart();
        let lost = until(SOON, async || store.apply(&node, 5, &step(20, 30)).await).await;
        let Applied::Elsewhere(progress) = lost else { panic!("{lost:?}") };
        assert_eq!(progress.lanes[&Lane(0)], Position(10));
        assert_eq!(store.progress(&node).await.unwrap()[5], progress);
        assert_eq!(store.apply(&node, 5, &step(10, 30)).await.unwrap(), Applied::Done);
    });
}

#[test]
fn a_call_sent_twice_is_answered_as_the_first_time() {
    with_cluster(|cluster| {
        let store = patient(&cluster.url());
        let partition = schema::prefix(partition_of("a"));
        let call = |token: &str| {
            let call = scripts::CLAIM.at(&partition).arg(token);
            claim_args(call, &link("a"))
        };
        block_on(async {
            for (token, expected) in [("t1", "1"), ("t1", "1"), ("t2", "0"), ("t1", "1")] {
                let answer: String =
                    store.connection.script(connection::Trip::Write, &call(token)).await.unwrap();
                assert_eq!(answer, expected);
            }
        });
    });
}

#[test]
fn a_cluster_that_fails_over_serves_on() {
    let mut cluster = RedisCluster::start_with_replicas();
    let store = brisk(&cluster.url());
    let links = numbered(0..200);
    block_on(async {
        mint(&store, &links).await;
        cluster.node_mut(0).kill();
        // The cluster itself takes some seconds to notice; each call meanwhile ends in time.
        let promoted = async || {
            let asked = Instant::now();
            let _ = store.get(&links[0].code).await;
            assert!(asked.elapsed() < NOT_LONG);
            let role = cluster.nodes()[3].command(&["ROLE"]).remove(0);
            if role == "master" { Ok(()) } else { Err(role) }
        };
        until(Duration::from_secs(60), promoted).await;
        let codes: Vec<Code> = links.iter().map(|link| link.code.clone()).collect();
        let found = until(SOON, async || store.get_many(&codes).await).await;
        assert!(found.iter().all(Option::is_some));
        let more = numbered(200..400);
        until(SOON, async || store.claim(&more).await).await;
        let codes: Vec<Code> = more.iter().map(|link| link.code.clone()).collect();
        assert!(store.get_many(&codes).await.unwrap().iter().all(Option::is_some));
        // All of it goes away and comes back.
        for at in 1..6 {
            cluster.node_mut(at).kill();
        }
        assert!(store.get(&links[0].code).await.is_err());
        for at in 0..6 {
            cluster.node_mut(at).restart();
        }
        cluster.wait_until_ok();
        until(SOON, async || store.get_many(&codes).await).await;
    });
}
