//! What comes in, as it is told to who is watching: nothing missed, nothing twice, also across a
//! lost connection; and nobody who watches is in the way of the service.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[path = "support/live/mod.rs"]
mod live;

use std::time::{Duration, Instant};

use live::{
    Answer, Random, Readers, Service, TestStore, Watch, over_each_redis, over_each_store, until,
};
use serde_json::{Value, json};

over_each_store! {
    a_click_is_seen_within_two_seconds
    what_is_seen_by_link_adds_up_to_the_clicks_that_were_made
    who_connects_again_misses_nothing_and_sees_nothing_twice
    a_place_of_elsewhere_is_a_gap_and_the_stream_goes_on_from_now
    the_service_stops_although_streams_are_open
}
over_each_redis! {
    clicks_on_either_of_two_nodes_are_seen_on_both
    who_watches_is_told_on_after_the_store_was_away
}

/// Links in one event, with names so long that few events fill what the system holds back.
const MANY: usize = 1_000;

fn follow(service: &Service, code: &str, clicks: u64) {
    for _ in 0..clicks {
        assert_eq!(service.follow(code).status, 302);
    }
}

/// Clicks once on each of many links.
fn follow_each(service: &Service, codes: &[String]) {
    // A new one each time: one that rests may be closed.
    let mut connection = service.connect();
    let request = |code: &String| format!("GET /{code} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    connection.send(&codes.iter().map(request).collect::<String>()).unwrap();
    for code in codes {
        assert_eq!(connection.receive("GET").unwrap().status, 302, "{code}");
    }
}

fn ask_as(service: &Service, key: &str, target: &str) -> Answer {
    service.call_as(key, "GET", target, None)
}

fn metric(service: &Service, name: &str) -> u64 {
    let metrics = service.connect().ask("GET", "/-/metrics").unwrap();
    let name = format!("slugline_{name} ");
    let value = metrics.text().lines().find_map(|line| line.strip_prefix(&name)).unwrap();
    value.parse::<f64>().unwrap() as u64
}

fn a_click_is_seen_within_two_seconds(store: TestStore) {
    let service = Service::start(&store.url());
    let code = service.mint("https://www.example.org/story.html");
    let mut watch = Watch::start(&service);
    // The best of three: this machine may be busy.
    let waited = (0..3).map(|_| {
        let clicked = Instant::now();
        follow(&service, &code, 1);
        let event = watch.expect();
        assert_eq!((event.clicks(), event.clicks_on(&code)), (1, 1));
        clicked.elapsed()
    });
    assert!(waited.min().unwrap() < Duration::from_secs(2));
}

fn what_is_seen_by_link_adds_up_to_the_clicks_that_were_made(store: TestStore) {
    let service = Service::start(&store.url());
    let codes = service.mint_many(8);
    let mut watches = [Watch::start(&service), Watch::start(&service)];
    let mut random = Random::new();
    let readers = Readers::start(service.port(), &codes, 4, &mut random);
    readers.wait_for(500);
    let seen = readers.stop();
    for watch in &mut watches {
        let events = watch.until_clicks(seen.acknowledged());
        for code in &codes {
            let clicks: u64 = events.iter().map(|event| event.clicks_on(code)).sum();
            assert_eq!(clicks, seen.acknowledged[code], "{code}");
        }
    }
}

fn who_connects_again_misses_nothing_and_sees_nothing_twice(store: TestStore) {
    let service = Service::start(&store.url());
    let codes = service.mint_many(8);
    let mut random = Random::new();
    let mut watch = Watch::start(&service);
    let readers = Readers::start(service.port(), &codes, 4, &mut random);
    let mut clicks = 0;
    for _ in 0..4 {
        readers.wait_for(random.within(1..300));
        // Without having seen anything, and after an event.
        let place = watch.place;
        watch = Watch::resume(&service, &place);
        assert_eq!(watch.place, place);
        clicks += watch.expect().clicks();
        watch = Watch::resume(&service, &watch.place);
    }
    let seen = readers.stop();
    watch.until_clicks(seen.acknowledged() - clicks);
    // What comes next is only what comes next.
    follow(&service, &codes[0], 1);
    watch = Watch::resume(&service, &watch.place);
    assert_eq!(watch.expect().clicks(), 1);
}

fn a_place_of_elsewhere_is_a_gap_and_the_stream_goes_on_from_now(store: TestStore) {
    let service = Service::start(&store.url());
    let code = service.mint("https://www.example.org/story.html");
    let mut before = Watch::start(&service);
    follow(&service, &code, 3);
    before.until_clicks(3);
    for place in ["elsewhere-7", "none"] {
        let mut watch = Watch::resume(&service, place);
        watch.expect_gap("forgotten");
        assert_ne!(watch.place, place);
        // The place that came with the gap is good to go on from.
        watch = Watch::resume(&service, &watch.place);
        follow(&service, &code, 2);
        watch.until_clicks(2);
    }
}

#[test]
fn a_restart_of_the_embedded_store_is_a_gap() {
    let mut service = Service::start("");
    let code = service.mint("https://www.example.org/story.html");
    let mut watch = Watch::start(&service);
    follow(&service, &code, 1);
    watch.until_clicks(1);
    assert!(service.terminate().success());
    service.restart();
    watch = Watch::resume(&service, &watch.place);
    watch.expect_gap("forgotten");
    follow(&service, &code, 2);
    watch.until_clicks(2);
}

fn clicks_on_either_of_two_nodes_are_seen_on_both(store: TestStore) {
    let nodes = [Service::start(&store.url()), Service::start(&store.url())];
    let codes = nodes[0].mint_many(4);
    let mut watches = nodes.each_ref().map(Watch::start);
    for (node, clicks) in nodes.iter().zip([3, 5]) {
        codes.iter().for_each(|code| follow(node, code, clicks));
    }
    for watch in &mut watches {
        let events = watch.until_clicks(4 * 8);
        for code in &codes {
            assert_eq!(events.iter().map(|event| event.clicks_on(code)).sum::<u64>(), 8);
        }
    }
    // A place got at one node is good at the other.
    follow(&nodes[0], &codes[0], 1);
    Watch::resume(&nodes[1], &watches[0].place).until_clicks(1);
}

fn the_service_stops_although_streams_are_open(store: TestStore) {
    let mut service = Service::start_with(&store.url(), &[("HTTP__SHUTDOWN_TIMEOUT", "10m")]);
    let code = service.mint("https://www.example.org/story.html");
    let mut idle = Watch::start(&service);
    let mut watches = [Watch::start(&service), Watch::start_local(&service)];
    follow(&service, &code, 1);
    watches.iter_mut().for_each(|watch| drop(watch.until_clicks(1)));
    assert!(service.terminate().success());
    idle.until_clicks(1);
    for mut watch in watches.into_iter().chain([idle]) {
        assert_eq!(watch.next().unwrap(), None);
    }
}

#[test]
fn who_does_not_read_is_dropped_while_others_go_on() {
    let service = Service::start("");
    let codes: Vec<String> = (0..MANY).map(|n| format!("{n:064}")).collect();
    let wishes = codes.iter().enumerate().map(
        |(n, code)| json!({ "url": format!("https://www.example.org/{n}.html"), "code": code }),
    );
    let wishes = json!({ "links": wishes.collect::<Vec<Value>>() });
    service.call("POST", "/api/v1/links/batch", Some(&wishes)).expect(200);
    let mut deaf = Watch::start_local(&service);
    let mut watch = Watch::start(&service);
    let mut rounds = 0;
    while metric(&service, "live_dropped_total") == 0 {
        follow_each(&service, &codes);
        watch.until_clicks(MANY as u64);
        rounds += 1;
        assert!(rounds < 200, "nobody was dropped");
    }
    until("the place to be free", || metric(&service, "live_listeners") == 1);
    // What was written for it can still be read to an end in good order, and gone on from.
    let mut clicks = 0;
    while let Some(event) = deaf.next().unwrap() {
        clicks += event.clicks();
    }
    let missed = rounds * MANY as u64 - clicks;
    assert!(missed > 0);
    Watch::resume(&service, &deaf.place).until_clicks(missed);
    follow_each(&service, &codes);
    watch.until_clicks(MANY as u64);
}

#[test]
fn beyond_so_many_listeners_one_is_told_to_come_again() {
    let service = Service::start("");
    let mut watches: Vec<Watch> = (0..100).map(|_| Watch::start(&service)).collect();
    let refused = service.call("GET", "/api/v1/stats/live", None).expect(503);
    assert_eq!(refused.json()["type"], "/api/problems#too-many-listeners");
    assert_eq!(
        (refused.json()["limit"].as_u64(), refused.header("retry-after")),
        (Some(100), "10")
    );
    assert_eq!(metric(&service, "live_listeners"), 100);
    // One of them goes, which shows when it is written to.
    watches.pop();
    let code = service.mint("https://www.example.org/story.html");
    until("a place to be free", || {
        follow(&service, &code, 1);
        metric(&service, "live_listeners") == 99
    });
    Watch::start(&service);
}

#[test]
fn only_keys_that_read_the_site_watch_it_and_not_after_they_are_revoked() {
    let service = Service::start("");
    let key = |scope: &str| {
        let wish = json!({ "name": "a key", "scopes": [scope] });
        service.call("POST", "/api/v1/keys", Some(&wish)).expect(201).json()
    };
    let (mint, read) = (key("mint"), key("read"));
    let secret = |key: &Value| key["key"].as_str().unwrap().to_owned();
    ask_as(&service, &secret(&mint), "/api/v1/stats/live").expect(403);
    ask_as(&service, "sl_nobody_knows_this_key", "/api/v1/stats/live").expect(401);
    let refused = service.call("GET", "/api/v1/stats/live?since=1", None).expect(400);
    assert_eq!(refused.json()["field"], "since");
    let head = service.call("HEAD", "/api/v1/stats/live", None).expect(200);
    assert_eq!(head.header("content-type"), "text/event-stream");
    let mut watch = Watch::start_as(&service, &secret(&read));
    let id = read["id"].as_str().unwrap();
    service.call("DELETE", &format!("/api/v1/keys/{id}"), None).expect(204);
    assert_eq!(watch.next().unwrap(), None);
}

fn who_watches_is_told_on_after_the_store_was_away(mut store: TestStore) {
    let service = Service::start(&store.url());
    let code = service.mint("https://www.example.org/story.html");
    follow(&service, &code, 1);
    store.copy_aside();
    service.wait_until_ready();
    let mut watch = Watch::start(&service);
    store.kill();
    store.restart();
    service.wait_until_ready();
    // What was told before the store went may be forgotten, which is then said.
    loop {
        follow(&service, &code, 1);
        let event = watch.expect();
        if event.name != "gap" {
            assert!(event.clicks_on(&code) > 0);
            break;
        }
    }
}
