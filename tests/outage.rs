//! The store is away, full, foreign or unfit; a process stops, or has a rival: what readers,
//! publishers and the operator see.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may fail, and says what it skips"
)]

#[path = "support/live/mod.rs"]
mod live;

use std::process::Command;
use std::time::Duration;

use live::redis_server::{RedisCluster, RedisServer};
use live::{
    Random, Readers, Seen, Service, TestStore, TinyDisk, assert_exact, over_each_redis,
    over_each_store, until, within,
};
use serde_json::json;

over_each_store! {
    stopping_loses_no_click
    stopping_under_load_loses_no_click
}
over_each_redis! {
    known_links_redirect_on_and_are_counted_later
    a_service_starts_without_its_store_and_is_whole_when_it_comes
    nodes_honour_each_others_changes_within_a_second
}

/// Follows each code so many times; every answer must be a redirect.
fn click(service: &Service, codes: &[String], times: u64) -> Seen {
    let mut seen = Seen::default();
    let mut connection = service.connect();
    for code in codes {
        for _ in 0..times {
            connection.ask("GET", &format!("/{code}")).unwrap().expect(302);
        }
        seen.acknowledged.insert(code.clone(), times);
    }
    seen
}

fn known_links_redirect_on_and_are_counted_later(mut store: TestStore) {
    let service = Service::start(&store.url());
    let codes = service.mint_many(4);
    let unknown = service.mint("https://www.example.org/never-read");
    store.copy_aside();
    service.wait_until_ready();
    let mut seen = click(&service, &codes, 5);

    store.kill();
    let mut connection = service.connect();
    for _ in 0..50 {
        let answer = connection.ask("GET", &format!("/{unknown}")).unwrap().expect(503);
        assert_eq!(answer.header("retry-after"), "2");
        connection.ask("GET", "/never1").unwrap().expect(503);
    }
    seen.add(click(&service, &codes, 50));
    for target in ["/api/v1/audit", "/api/v1/stats", "/api/v1/links"] {
        let answer = service.call("GET", target, None).expect(503);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.header("retry-after"), "2");
    }
    assert!(service.answers("/-/live", 200) && service.answers("/-/ready", 503));

    store.restart();
    service.wait_until_ready();
    until("the unknown link to be found", || service.answers(&format!("/{unknown}"), 302));
    *seen.acknowledged.entry(unknown.clone()).or_default() += 1;
    until("an unknown code to be unknown", || service.answers("/never1", 404));
    let all = [&codes[..], &[unknown]].concat();
    assert_exact(&service, &all, &seen);
}

#[test]
fn readers_do_not_wait_for_a_store_that_hangs() {
    let redis = RedisServer::start();
    let service = Service::start_with(&redis.url(), &[("STORE__READ_TIMEOUT", "1s")]);
    let codes = service.mint_many(2);
    let mut seen = click(&service, &codes, 1);
    redis.freeze();
    seen.add(click(&service, &codes, 100));
    // One at a time waits; if each did, this would take minutes.
    let all_answered = within(Duration::from_secs(20), || {
        let mut connection = service.connect();
        (0..100).for_each(|n| drop(connection.ask("GET", &format!("/no{n}")).unwrap().expect(503)));
        true
    });
    assert!(all_answered);
    redis.thaw();
    service.wait_until_ready();
    assert_exact(&service, &codes, &seen);
}

#[test]
fn one_master_of_a_cluster_takes_only_its_own_links_away() {
    let mut cluster = RedisCluster::start();
    let service = Service::start(&cluster.url());
    let codes = service.mint_many(6);
    (0..3).for_each(|at| cluster.node_mut(at).stop());
    (0..3).for_each(|at| cluster.node_mut(at).restart());
    cluster.wait_until_ok();
    service.wait_until_ready();
    let mut seen = click(&service, &codes, 5);
    for at in 0..3 {
        cluster.node_mut(at).kill();
        seen.add(click(&service, &codes, 20));
        cluster.node_mut(at).restart();
        cluster.wait_until_ok();
    }
    service.wait_until_ready();
    assert_exact(&service, &codes, &seen);
}

fn a_service_starts_without_its_store_and_is_whole_when_it_comes(mut store: TestStore) {
    store.kill();
    let service = Service::start(&store.url());
    assert!(service.answers("/-/ready", 503));
    assert!(service.answers("/some1", 503));
    store.restart();
    service.wait_until_ready();
    until("the first key to be made", || service.call("GET", "/api/v1/links", None).status == 200);
    let codes = service.mint_many(2);
    // For half a second nobody but one reader asks a store that did not answer.
    until("the link to be found", || service.answers(&format!("/{}", codes[0]), 302));
    let mut seen = click(&service, &codes, 3);
    *seen.acknowledged.get_mut(&codes[0]).unwrap() += 1;
    assert_exact(&service, &codes, &seen);
    assert!(service.log().contains("the store answers; the service is whole"));
}

#[test]
fn a_store_of_another_version_is_refused_at_the_start_and_later() {
    let mut redis = RedisServer::start();
    redis.command(&["HSET", "sl{meta}", "schema", "99"]);
    let mut service = Service::prepare(&redis.url(), &[]);
    service.run();
    assert_eq!(service.wait().code(), Some(1));
    let told = "the store's schema is version 99, this program needs 4";
    assert!(service.log().contains(told), "{}", service.log());

    redis.stop();
    let mut late = Service::start(&redis.url());
    redis.restart();
    assert_eq!(late.wait().code(), Some(1));
    assert!(late.log().contains(told), "{}", late.log());
}

#[test]
fn a_redis_that_would_lose_data_is_told_about_at_the_start() {
    let forgetful = ["--appendonly", "no", "--maxmemory-policy", "allkeys-lru"];
    let redis = RedisServer::start_with(&forgetful);
    let log = Service::start(&redis.url()).log();
    assert!(log.contains("Redis keeps no append-only file"), "{log}");
    assert!(log.contains("maxmemory-policy allkeys-lru"), "{log}");
    let sound = RedisServer::start();
    let log = Service::start(&sound.url()).log();
    assert!(!log.contains("WARN"), "{log}");
}

/// What one node changes, another one that has it in memory honours within a second.
fn nodes_honour_each_others_changes_within_a_second(store: TestStore) {
    let second = Duration::from_secs(1);
    let (here, there) = (Service::start(&store.url()), Service::start(&store.url()));
    let code = here.mint("https://www.example.org/first");
    let link = format!("/api/v1/links/{code}");
    let leads_to = |target: &str| {
        let answer = there.follow(&code);
        answer.status == 302 && answer.header("location") == target
    };
    // A subscription in the making is no missed change, but a test should not rest on that.
    until("the other node to follow", || leads_to("https://www.example.org/first"));
    for round in 0..5 {
        let target = format!("https://www.example.org/{round}");
        here.call("PATCH", &link, Some(&json!({ "url": target }))).expect(200);
        assert!(within(second, || leads_to(&target)), "edit {round}");
    }
    here.call("PATCH", &link, Some(&json!({ "state": "disabled" }))).expect(200);
    assert!(within(second, || there.follow(&code).status == 410), "withdrawal");
    here.call("PATCH", &link, Some(&json!({ "state": "active" }))).expect(200);
    assert!(within(second, || there.follow(&code).status == 302), "return");
    here.call("DELETE", &link, None).expect(204);
    assert!(within(second, || there.follow(&code).status == 410), "deletion");

    let wish = json!({ "name": "a key", "scopes": ["read"] });
    let key = here.call("POST", "/api/v1/keys", Some(&wish)).expect(201).json();
    let secret = key["key"].as_str().unwrap();
    there.call_as(secret, "GET", "/api/v1/stats", None).expect(200);
    let id = key["id"].as_str().unwrap();
    here.call("DELETE", &format!("/api/v1/keys/{id}"), None).expect(204);
    let refused = || there.call_as(secret, "GET", "/api/v1/stats", None).status == 401;
    assert!(within(second, refused), "revocation");
}

#[test]
fn what_a_node_missed_while_redis_was_away_it_looks_up_again() {
    let mut redis = RedisServer::start();
    let (here, there) = (Service::start(&redis.url()), Service::start(&redis.url()));
    let code = here.mint("https://www.example.org/old");
    assert_eq!(there.follow(&code).header("location"), "https://www.example.org/old");
    // Cut off from the channel only: the edit happens while it does not listen.
    redis.command(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    let link = format!("/api/v1/links/{code}");
    here.call("PATCH", &link, Some(&json!({ "url": "https://www.example.org/new" }))).expect(200);
    let honoured = || there.follow(&code).header("location") == "https://www.example.org/new";
    assert!(within(Duration::from_secs(1), honoured));
    redis.stop();
}

/// Takes away what the journal holds: whatever is counted afterwards had been counted before.
fn clear_journal(service: &Service) {
    for entry in std::fs::read_dir(service.data_dir().join("journal")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap();
        }
    }
}

/// All clicks of `seen` are in the store, without the help of the journal.
fn assert_stored(service: &mut Service, codes: &[String], seen: &Seen) {
    clear_journal(service);
    service.restart();
    for code in codes {
        let sure = seen.acknowledged.get(code).copied().unwrap_or_default();
        let most = sure + seen.unknown.get(code).copied().unwrap_or_default();
        let clicks = service.clicks_on(code);
        assert!((sure..=most).contains(&clicks), "{code}: {clicks}, not {sure} to {most}");
    }
}

fn stopping_loses_no_click(store: TestStore) {
    // Long enough that nothing is counted but by the stop itself.
    let mut service = Service::start_with(&store.url(), &[("CLICKS__FLUSH_INTERVAL", "1m")]);
    let codes = service.mint_many(4);
    let seen = click(&service, &codes, 25);
    assert!(service.terminate().success());
    assert_stored(&mut service, &codes, &seen);
}

fn stopping_under_load_loses_no_click(store: TestStore) {
    let mut service = Service::start(&store.url());
    let codes = service.mint_many(4);
    let mut seen = Seen::default();
    for round in 0..3 {
        let readers = Readers::start(service.port(), &codes, 4, &mut Random::new());
        readers.wait_for(200 + 37 * round);
        assert!(service.terminate().success());
        seen.add(readers.stop());
        assert_stored(&mut service, &codes, &seen);
    }
}

#[test]
fn a_second_process_on_the_same_data_is_refused() {
    let service = Service::start("");
    let mut rival = Service::prepare("", &[]);
    rival.set_data_dir(service.data_dir());
    rival.run();
    assert_eq!(rival.wait().code(), Some(1));
    let told = rival.log();
    assert!(told.contains("another process writes to"), "{told}");
    assert!(told.contains(service.data_dir().to_str().unwrap()), "{told}");
    assert!(service.answers("/-/ready", 200));
}

/// The books with losses: what was not written is counted as lost, and nothing else is.
fn assert_losses(service: &Service, clicks: u64, lost: u64) {
    let told = || service.get("/api/v1/audit")["total"].clone();
    until("everything to be counted", || told()["pending"] == 0);
    let kept = clicks - lost;
    assert_eq!(told(), json!({ "accepted": kept, "counted": kept, "pending": 0, "lost": lost }));
    assert_eq!(service.get("/api/v1/stats")["total"]["clicks"], kept);
}

fn lost(service: &Service) -> u64 {
    service.get("/api/v1/audit")["total"]["lost"].as_u64().unwrap()
}

#[test]
fn a_journal_that_may_not_grow_costs_no_redirect_and_every_loss_is_told() {
    let redis = RedisServer::start();
    let mut service = Service::prepare(&redis.url(), &[]);
    // No file may be longer than 16 KiB; writing further is an error, not a signal.
    service.set_before("trap '' XFSZ; ulimit -S -f 32");
    service.restart();
    let codes = service.mint_many(2);
    // A connection belongs to a worker, a worker to a lane: all lanes lose clicks.
    (0..4).for_each(|_| drop(click(&service, &codes, 500)));
    let first = lost(&service);
    assert!((1..4_000).contains(&first), "{first}");
    assert_losses(&service, 4_000, first);
    assert!(service.log().contains("clicks are being lost"));

    let pid = service.pid().to_string();
    let raised = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).status();
    assert!(raised.unwrap().success());
    click(&service, &codes, 50);
    assert_losses(&service, 4_100, first);
    assert!(service.log().contains("clicks are written down again"));

    assert!(service.terminate().success());
    service.set_before("true");
    service.restart();
    click(&service, &codes, 50);
    assert_losses(&service, 4_200, first);
}

#[test]
fn a_full_disk_costs_no_redirect_and_every_loss_is_told() {
    let Some(disk) = TinyDisk::mount() else {
        println!("skipped: this user may not mount a file system");
        return;
    };
    let redis = RedisServer::start();
    let mut service = Service::prepare(&redis.url(), &[]);
    service.set_data_dir(disk.path());
    service.restart();
    let codes = service.mint_many(2);
    let ballast = disk.path().join("ballast");
    let mut clicks = 0;
    for round in 1..=2 {
        let before = lost(&service);
        // As much as fits.
        drop(std::fs::write(&ballast, vec![0; 1 << 20]));
        click(&service, &codes, 500);
        clicks += 1_000;
        let after = lost(&service);
        assert!(after > before, "round {round}: the disk was not full");
        std::fs::remove_file(&ballast).unwrap();
        click(&service, &codes, 20);
        clicks += 40;
        assert_losses(&service, clicks, after);
    }
    assert!(service.terminate().success());
    drop(service);
}
