//! What only Redis has to be asked: how it keeps things, what it warns of, what it passes on.

mod outages;
mod permissions;
mod rows;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::schema::{PARTITIONS, TAGS, bucket_of, hash_of, partition_of};
use super::*;
use crate::model::code::Code;
use crate::model::key::{Key, PlainKey, Scope};
use crate::model::link::Link;
use crate::store::conformance::redis_server::{RedisCluster, RedisServer};
use crate::store::conformance::{at, block_on, code, link, mint, settings, target, with_cluster};
use crate::store::{
    Applied, Batch, Change, Changes, Claim, Codes, Keys, Lane, Links, Move, NodeId, Position,
    Replaced, Swap, Tallies, Upkeep,
};

fn patient(url: &str) -> Redis {
    Redis::new(&settings(url)).unwrap()
}

/// How soon things are well again once Redis is: a tenth of it, on a machine that is not busy with
/// other tests.
const SOON: Duration = Duration::from_secs(10);

/// A store with time limits as in production.
fn brisk(url: &str) -> Redis {
    let (read_timeout, write_timeout) = (Duration::from_millis(300), Duration::from_secs(1));
    Redis::new(&Settings { read_timeout, write_timeout, ..settings(url) }).unwrap()
}

/// Tries until it works: what depends on other processes.
async fn until<T, E: std::fmt::Debug>(
    limit: Duration,
    mut attempt: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let deadline = Instant::now() + limit;
    loop {
        match attempt().await {
            Ok(done) => return done,
            Err(e) => assert!(Instant::now() < deadline, "{e:?}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn numbered(range: std::ops::Range<usize>) -> Vec<Link> {
    range.map(|n| link(&format!("code{n}"))).collect()
}

#[test]
fn every_partition_lies_in_its_part_of_the_cluster() {
    with_cluster(|cluster| {
        for (partition, tag) in TAGS.iter().enumerate() {
            let key = format!("sl{{{tag}}}l0");
            let slot = cluster.nodes()[0].command(&["CLUSTER", "KEYSLOT", &key]).remove(0);
            assert_eq!(slot.parse::<usize>().unwrap() / 256, partition, "{tag}");
        }
    });
}

#[test]
fn buckets_stay_small_and_compact_as_links_grow() {
    let server = RedisServer::start();
    let store = patient(&server.url());
    block_on(async {
        store.prepare().await.unwrap();
        for batch in numbered(0..20_000).chunks(1_000) {
            mint(&store, batch).await;
            let swap = |link: &Link| Swap {
                address: link.target.clone(),
                old: Codes::default(),
                new: Codes(vec![link.code.clone()]),
            };
            let swaps: Vec<Swap> = batch.iter().map(swap).collect();
            assert!(store.swap_codes(&swaps).await.unwrap().iter().all(Option::is_none));
        }
    });
    for family in ["l", "a"] {
        let keys = server.command(&["KEYS", &format!("sl{{*}}{family}*")]);
        // One bucket a partition, and one for each further 32 entries in it.
        let buckets = PARTITIONS + 20_000 / 32;
        assert!((buckets - PARTITIONS..=buckets).contains(&keys.len()), "{}", keys.len());
        for key in keys {
            let length: u64 = server.command(&["HLEN", &key])[0].parse().unwrap();
            assert!(length <= 128, "{key}: {length}");
            assert_eq!(server.command(&["OBJECT", "ENCODING", &key]), ["listpack"]);
        }
    }
}

#[test]
fn the_scripts_and_the_client_agree_on_every_bucket() {
    let server = RedisServer::start();
    let store = patient(&server.url());
    let links = numbered(0..5_000);
    block_on(mint(&store, &links));
    for text in links.iter().map(|link| link.code.as_str()).step_by(7) {
        let partition = format!("sl{{{}}}l", TAGS[partition_of(text)]);
        let count: u32 =
            server.command(&["HGET", &format!("{partition}0"), ""])[0].parse().unwrap();
        let key = format!("{partition}{}", bucket_of(hash_of(text), count / 32 + 1));
        assert_eq!(server.command(&["HEXISTS", &key, text]), ["1"], "{key} {text}");
    }
}

#[test]
fn addresses_that_share_a_name_share_an_entry_and_lose_nothing() {
    let server = RedisServer::start();
    let store = patient(&server.url());
    let swap = |old: &[&str], new: &[&str]| Swap {
        address: target("x"),
        old: Codes(old.iter().map(|text| code(text)).collect()),
        new: Codes(new.iter().map(|text| code(text)).collect()),
    };
    block_on(async {
        // Whoever comes second adds to what it found, as for a second code of the same article.
        assert_eq!(store.swap_codes(&[swap(&[], &["a"])]).await.unwrap(), [None]);
        assert_eq!(store.swap_codes(&[swap(&["a"], &["a", "b"])]).await.unwrap(), [None]);
        assert_eq!(store.codes_of(&[target("x")]).await.unwrap()[0].0, [code("a"), code("b")]);
    });
}

#[test]
fn a_fit_redis_gives_no_warning_and_an_unfit_one_says_what_to_do() {
    let warnings = |options: &[&str]| {
        let server = RedisServer::start_with(options);
        block_on(async { patient(&server.url()).prepare().await.unwrap() }).join("\n")
    };
    assert_eq!(warnings(&[]), "");
    let unfit = warnings(&["--appendonly", "no", "--maxmemory-policy", "allkeys-lru"]);
    assert!(unfit.contains("appendonly yes"), "{unfit}");
    assert!(unfit.contains("allkeys-lru"), "{unfit}");
    let managed = warnings(&["--rename-command", "CONFIG", ""]);
    assert!(managed.contains("hash-max-listpack-value"), "{managed}");
    assert!(managed.contains("does not tell"), "{managed}");
}

#[test]
fn every_master_of_a_cluster_is_made_compact() {
    with_cluster(|cluster| {
        block_on(async { patient(&cluster.url()).prepare().await.unwrap() });
        for node in cluster.nodes() {
            let limit = node.command(&["CONFIG", "GET", "hash-max-listpack-value"]).remove(1);
            assert_eq!(limit, "1024");
        }
    });
}

#[test]
fn a_store_of_another_version_is_not_touched() {
    let server = RedisServer::start();
    let store = patient(&server.url());
    block_on(async {
        store.prepare().await.unwrap();
        store.prepare().await.unwrap();
        server.command(&["HSET", "sl{meta}", "schema", "99"]);
        let refused = store.prepare().await.unwrap_err();
        assert!(matches!(&refused, StoreError::Schema { found } if found == "99"), "{refused}");
        let ours = crate::store::SCHEMA_VERSION.to_string();
        server.command(&["HSET", "sl{meta}", "schema", &ours, "partitions", "16"]);
        assert!(matches!(store.prepare().await, Err(StoreError::Schema { .. })));
    });
}

/// What a follower is told, from its own thread.
fn follow(store: &Redis) -> (Arc<Mutex<Vec<Change>>>, impl Fn(usize) -> Vec<Change> + use<>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let (store, heard) = (store.fork(), Arc::clone(&told));
    std::thread::spawn(move || {
        block_on(store.follow_changes(|change| heard.lock().unwrap().push(change)));
    });
    let heard = Arc::clone(&told);
    let wait = move |count: usize| {
        let deadline = Instant::now() + Duration::from_secs(20);
        while heard.lock().unwrap().len() < count {
            assert!(Instant::now() < deadline, "{:?}", heard.lock().unwrap());
            std::thread::sleep(Duration::from_millis(5));
        }
        heard.lock().unwrap().clone()
    };
    (told, wait)
}

#[test]
fn changes_are_heard_and_gaps_in_hearing_told() {
    let mut server = RedisServer::start();
    let store = brisk(&server.url());
    let (told, wait) = follow(&store);
    assert_eq!(wait(1), [Change::Missed]);
    let (old, new) = (link("a"), Link { title: Some("new".into()), ..link("a") });
    let key = Key::of(&PlainKey::draw(), "desk".into(), vec![Scope::Mint], at(0));
    block_on(async {
        mint(&store, std::slice::from_ref(&old)).await;
        assert_eq!(store.replace(&old, &new).await.unwrap(), Replaced::Done);
        store.put_key(&key).await.unwrap();
    });
    assert_eq!(wait(3), [Change::Missed, Change::Link(code("a")), Change::Key(key.id.clone())]);
    told.lock().unwrap().clear();
    server.restart();
    assert_eq!(wait(1), [Change::Missed]);
    block_on(async {
        let replaced = until(SOON, async || store.replace(&new, &old).await).await;
        assert_eq!(replaced, Replaced::Done);
    });
    assert_eq!(wait(2), [Change::Missed, Change::Link(code("a"))]);
}

#[test]
fn changes_in_a_cluster_are_heard_through_any_node() {
    with_cluster(|cluster| {
        let (_, wait) = follow(&patient(&cluster.url()));
        wait(1);
        let store = patient(&cluster.url());
        block_on(async {
            for n in 0..12 {
                let old = link(&format!("c{n}"));
                mint(&store, std::slice::from_ref(&old)).await;
                let new = Link { title: Some("new".into()), ..old.clone() };
                assert_eq!(store.replace(&old, &new).await.unwrap(), Replaced::Done);
            }
        });
        let told = wait(13);
        assert!((0..12).all(|n| told.contains(&Change::Link(code(&format!("c{n}"))))), "{told:?}");
    });
}
