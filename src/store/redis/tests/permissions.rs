//! What becomes of a Redis whose operator allows less than is needed.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::store::Store;
use crate::store::conformance::ledger::{batch, codes_of, node, step};

/// A user of the server who may do everything but what `but` takes away.
fn with_user(server: &RedisServer, but: &[&str]) -> Redis {
    let all = ["ACL", "SETUSER", "u", "reset", "on", ">p", "~*", "&*", "+@all"];
    assert_eq!(server.command(&[&all[..], but].concat()), ["OK"]);
    patient(&format!("redis://u:p@127.0.0.1:{}", server.port()))
}

/// The commands that the scripts call.
fn commands() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/redis/scripts");
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("try.lua") {
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        let calls = text.split("call('").skip(1);
        found.extend(calls.map(|call| call.split_once('\'').unwrap().0.to_owned()));
    }
    found
}

#[test]
fn a_redis_that_forbids_any_command_of_the_scripts_is_refused_with_its_name() {
    let server = RedisServer::start();
    let commands = commands();
    assert!(commands.len() > 25, "{commands:?}");
    block_on(async {
        let store = with_user(&server, &[]);
        store.prepare().await.unwrap();
        assert_eq!(server.command(&["KEYS", "*try*"]), [""; 0], "nothing of it is left");
        for command in &commands {
            let store = with_user(&server, &[&format!("-{}", command.to_lowercase())]);
            let refused = store.prepare().await.unwrap_err();
            assert!(matches!(refused, StoreError::Refused(_)), "{refused:?}");
            let text = refused.to_string();
            assert!(text.to_uppercase().contains(command), "{command}: {text}");
        }
    });
}

#[test]
fn a_redis_that_forbids_the_channel_or_the_keys_is_refused_with_the_way_out() {
    let server = RedisServer::start();
    block_on(async {
        for but in [&["resetchannels", "&other"][..], &["resetkeys", "~sl{meta}"]] {
            let refused = with_user(&server, but).prepare().await.unwrap_err().to_string();
            assert!(refused.contains("~sl{* &sl:changes"), "{refused}");
        }
        with_user(&server, &["resetchannels", "&sl:changes", "resetkeys", "~sl{*"])
            .prepare()
            .await
            .unwrap();
    });
}

#[test]
fn a_batch_that_may_not_ask_for_the_time_moves_nothing_and_is_counted_later() {
    let server = RedisServer::start();
    let code = codes_of(&Store::Redis(patient(&server.url())), 0, 1).remove(0);
    let (node, quarter) = (node("n"), 96 * 40_000);
    let batch = batch(vec![step(0, 0, 10)], &[(code.as_str(), quarter, 3)]);
    block_on(async {
        let hindered = with_user(&server, &["-time"]);
        hindered.apply(&node, 0, &batch).await.unwrap_err();
        assert_eq!(server.command(&["KEYS", "*"]), [""; 0]);
        let store = with_user(&server, &[]);
        assert_eq!(store.apply(&node, 0, &batch).await.unwrap(), Applied::Done);
        let stands = store.progress(&node).await.unwrap()[0].clone();
        assert_eq!(stands.lanes[&Lane(0)], Position(10));
    });
}

#[test]
fn a_change_that_may_not_be_told_is_not_made() {
    let server = RedisServer::start();
    block_on(async {
        let store = with_user(&server, &[]);
        mint(&store, &[link("a")]).await;
        let changed = Link { target: target("elsewhere"), ..link("a") };
        let hindered = with_user(&server, &["-publish"]);
        hindered.replace(&link("a"), &changed).await.unwrap_err();
        let store = with_user(&server, &[]);
        assert_eq!(store.get(&code("a")).await.unwrap(), Some(link("a")));
        assert_eq!(store.replace(&link("a"), &changed).await.unwrap(), Replaced::Done);
    });
}
