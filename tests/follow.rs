//! The reader's path and what is counted of it, byte by byte over a socket.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[path = "support/live/mod.rs"]
mod live;

use std::collections::BTreeSet;
use std::time::Duration;

use live::{Connection, PATIENCE, Service, TestStore, over_each_store, until, within};
use serde_json::{Value, json};

over_each_store! {
    counts_show_within_two_seconds_and_every_figure_agrees
    what_is_no_redirect_is_no_click
}

const STORY: &str = "https://www.example.org/story.html";

fn location(service: &Service, target: &str) -> String {
    let answer = service.connect().ask("GET", target).unwrap();
    assert!((301..=308).contains(&answer.status), "{answer:?}");
    answer.header("location").to_owned()
}

#[test]
fn a_link_redirects_with_its_own_status_or_302_and_is_not_cached() {
    let service = Service::start("");
    for (status, wish) in [
        (302, json!({ "url": STORY })),
        (301, json!({ "url": STORY, "redirect": 301, "new_code": true })),
        (302, json!({ "url": STORY, "redirect": 302, "new_code": true })),
        (307, json!({ "url": STORY, "redirect": 307, "new_code": true })),
        (308, json!({ "url": STORY, "redirect": 308, "new_code": true })),
    ] {
        let code = service.mint_with(wish);
        for method in ["GET", "HEAD"] {
            let answer = service.connect().ask(method, &format!("/{code}")).unwrap();
            assert_eq!(answer.status, status, "{method}");
            assert_eq!(answer.header("location"), STORY);
            assert_eq!(answer.header("cache-control"), "private, max-age=0, no-store");
            assert!(answer.body.is_empty());
        }
    }
}

#[test]
fn settings_decide_on_status_and_cache_control() {
    let settings = [("LINKS__REDIRECT", "308"), ("HTTP__CACHE_CONTROL", "public, max-age=60")];
    let service = Service::start_with("", &settings);
    let answer = service.follow(&service.mint(STORY));
    assert_eq!((answer.status, answer.header("cache-control")), (308, "public, max-age=60"));
}

#[test]
fn the_location_is_exact_to_the_byte() {
    let service = Service::start("");
    for (url, expected) in [
        ("https://www.example.org", "https://www.example.org/"),
        ("https://Bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
        (
            "https://例え.テスト/記事?見出し=一",
            concat!(
                "https://xn--r8jz45g.xn--zckzah/%E8%A8%98%E4%BA%8B",
                "?%E8%A6%8B%E5%87%BA%E3%81%97=%E4%B8%80"
            ),
        ),
        ("https://www.example.org/мир/", "https://www.example.org/%D0%BC%D0%B8%D1%80/"),
        ("https://www.example.org/a%2fb%20c", "https://www.example.org/a%2Fb%20c"),
        (
            "https://www.example.org/?a=1&a=2&b=%26+%2B",
            "https://www.example.org/?a=1&a=2&b=%26+%2B",
        ),
        ("https://www.example.org/s?id=1#part-2", "https://www.example.org/s?id=1#part-2"),
        ("https://www.example.org:8443/x'\"<>", "https://www.example.org:8443/x'%22%3C%3E"),
    ] {
        let code = service.mint(url);
        assert_eq!(location(&service, &format!("/{code}")), expected, "{url}");
    }
    let long = format!("https://www.example.org/{}", "x".repeat(8_192 - 24));
    assert_eq!(location(&service, &format!("/{}", service.mint(&long))), long);
}

#[test]
fn the_readers_query_goes_on_when_the_link_asks_for_it() {
    let service = Service::start("");
    let deaf = service.mint(STORY);
    assert_eq!(location(&service, &format!("/{deaf}?x=1")), STORY);
    for (url, query, expected) in [
        ("https://e.org/a", "?x=1&y=%C3%A4", "https://e.org/a?x=1&y=%C3%A4"),
        ("https://e.org/b?own=1", "?x=1", "https://e.org/b?own=1&x=1"),
        (
            "https://e.org/c?own=1#part",
            "?utm_source=mail",
            "https://e.org/c?own=1&utm_source=mail#part",
        ),
        ("https://e.org/d#part", "?", "https://e.org/d#part"),
        ("https://e.org/e#part", "", "https://e.org/e#part"),
    ] {
        let code = service.mint_with(json!({ "url": url, "forward_query": true }));
        assert_eq!(location(&service, &format!("/{code}{query}")), expected);
    }
}

#[test]
fn what_is_no_code_is_not_found() {
    let service = Service::start("");
    service.mint(STORY);
    let long = format!("/{}", "x".repeat(65));
    for target in
        ["/nobody", "/", "/a%20b", "/a.b", "/%ff", "/favicon.ico", "/robots.txt", "//", &long]
    {
        for method in ["GET", "HEAD"] {
            let answer = service.connect().ask(method, target).unwrap();
            assert_eq!(answer.status, 404, "{target}");
            assert_eq!(answer.header("cache-control"), "no-store");
            assert_eq!(answer.header("location"), "");
        }
    }
}

#[test]
fn what_is_gone_says_why() {
    let service = Service::start("");
    let soon = jiff::Timestamp::now() + Duration::from_millis(1_500);
    let expiring = service.mint_with(json!({
        "url": "https://e.org/expiring", "expires_at": soon.to_string()
    }));
    let disabled = service.mint("https://e.org/disabled");
    let withdrawal = json!({ "state": "disabled", "reason": "Lösung: siehe /neu" });
    service.call("PATCH", &format!("/api/v1/links/{disabled}"), Some(&withdrawal)).expect(200);
    let deleted = service.mint("https://e.org/deleted");
    service.call("DELETE", &format!("/api/v1/links/{deleted}"), None).expect(204);
    until("the link to expire", || service.answers(&format!("/{expiring}"), 410));
    for (code, text) in [
        (expiring, "This short link has expired.\n"),
        (disabled, "This short link was withdrawn by its publisher.\nReason: Lösung: siehe /neu\n"),
        (deleted, "This short link was deleted by its publisher.\n"),
    ] {
        let answer = service.follow(&code).expect(410);
        assert_eq!(answer.text(), text);
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[test]
fn links_are_only_read() {
    let service = Service::start("");
    let code = service.mint(STORY);
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"] {
        let answer = service.connect().ask(method, &format!("/{code}")).unwrap().expect(405);
        assert_eq!(answer.header("allow"), "GET, HEAD");
    }
    assert_eq!(service.clicks_on(&code), 0);
}

fn what_is_no_redirect_is_no_click(store: TestStore) {
    let service = Service::start(&store.url());
    let (code, gone) = (service.mint(STORY), service.mint("https://e.org/gone"));
    service.call("DELETE", &format!("/api/v1/links/{gone}"), None).expect(204);
    let mut connection = service.connect();
    for _ in 0..10 {
        connection.ask("HEAD", &format!("/{code}")).unwrap().expect(302);
        connection.ask("GET", &format!("/{gone}")).unwrap().expect(410);
        connection.ask("GET", "/nobody").unwrap().expect(404);
        connection.ask("POST", &format!("/{code}")).unwrap().expect(405);
    }
    // The one click that counts is written after all that does not.
    connection.ask("GET", &format!("/{code}")).unwrap().expect(302);
    until("the click to be counted", || service.clicks_on(&code) > 0);
    assert_eq!(service.clicks_on(&code), 1);
    assert_eq!(service.clicks_on(&gone), 0);
    let audit = service.get("/api/v1/audit");
    assert_eq!(audit["total"], json!({ "accepted": 1, "counted": 1, "pending": 0, "lost": 0 }));
}

#[test]
fn many_requests_at_once_on_one_connection_are_answered_in_order() {
    let service = Service::start("");
    let codes = service.mint_many(5);
    let mut connection = service.connect();
    let request = |n: usize| format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", codes[n % 5]);
    connection.send(&(0..100).map(request).collect::<String>()).unwrap();
    for n in 0..100 {
        let answer = connection.receive("GET").unwrap().expect(302);
        let expected = format!("https://www.example.org/story-{}.html", n % 5);
        assert_eq!(answer.header("location"), expected);
    }
    connection.send(&request(0).replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")).unwrap();
    connection.receive("GET").unwrap().expect(302);
    assert!(connection.ask("GET", "/").is_err(), "the connection was to be closed");
    for (n, code) in codes.iter().enumerate() {
        let expected = 20 + u64::from(n == 0);
        until("every one of them to be counted", || service.clicks_on(code) == expected);
    }
}

/// Clicks by row, which must add up to the total.
fn rows(service: &Service, target: &str) -> Vec<(String, u64)> {
    let stats = service.get(target);
    let rows: Vec<_> = stats["series"].as_array().unwrap().iter().map(row).collect();
    let sum: u64 = rows.iter().map(|(_, clicks)| clicks).sum();
    assert_eq!(stats["total"]["clicks"], sum, "{stats}");
    assert_eq!(rows[0].0, stats["from"].as_str().unwrap(), "{stats}");
    rows
}

fn row(row: &Value) -> (String, u64) {
    (row["start"].as_str().unwrap().to_owned(), row["clicks"].as_u64().unwrap())
}

fn counts_show_within_two_seconds_and_every_figure_agrees(store: TestStore) {
    // As by default.
    let service = Service::start_with(&store.url(), &[("CLICKS__FLUSH_INTERVAL", "1s")]);
    let codes = service.mint_many(3);
    let mut connection = service.connect();
    for (code, clicks) in codes.iter().zip([3, 7, 5]) {
        for _ in 0..clicks {
            connection.ask("GET", &format!("/{code}")).unwrap().expect(302);
        }
    }
    let shown = || service.get("/api/v1/stats")["total"]["clicks"] == 15;
    assert!(within(Duration::from_secs(2), shown));
    for (code, clicks) in codes.iter().zip([3, 7, 5]) {
        for by in ["hour", "day", "week", "month"] {
            for tz in ["UTC", "Europe/Paris", "Asia/Kathmandu", "America/St_Johns"] {
                let target = format!("/api/v1/links/{code}/stats?by={by}&tz={tz}");
                let rows = rows(&service, &target);
                assert_eq!(rows.iter().map(|(_, n)| n).sum::<u64>(), clicks, "{target}");
            }
        }
    }
    let by_hour = rows(&service, "/api/v1/stats?by=hour");
    assert!((720..=722).contains(&by_hour.len()), "30 days without a gap: {}", by_hour.len());
    let top = service.get("/api/v1/stats/top?limit=2");
    let ranking: Vec<_> = top["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (&item["code"], &item["clicks"]))
        .collect();
    assert_eq!(ranking, [(&json!(codes[1]), &json!(7)), (&json!(codes[2]), &json!(5))]);
    let earlier = service.get("/api/v1/stats/top?from=2020-01-01&to=2020-02-01");
    assert_eq!(earlier["items"], json!([]));
}

#[test]
fn the_metrics_can_be_read_by_prometheus() {
    let service = Service::start("");
    let code = service.mint(STORY);
    service.follow(&code).expect(302);
    service.follow("nobody").expect(404);
    until("the click to be counted", || service.clicks_on(&code) == 1);
    let answer = service.connect().ask("GET", "/-/metrics").unwrap().expect(200);
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
    let text = answer.text();
    assert!(text.ends_with("# EOF\n"));
    let (mut series, mut families) = (BTreeSet::new(), BTreeSet::new());
    for line in text.lines().filter(|line| *line != "# EOF") {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.split(' ');
            let (kind, name) = (words.next().unwrap(), words.next().unwrap());
            assert!(["HELP", "TYPE", "UNIT"].contains(&kind), "{line}");
            assert!(families.insert((kind, name)), "twice: {line}");
            continue;
        }
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().unwrap().is_finite(), "{line}");
        assert!(series.insert(name), "twice: {line}");
        let family = families.iter().any(|(_, family)| name.starts_with(family));
        assert!(family && name.starts_with("slugline_"), "{line}");
    }
    for histogram in ["slugline_redirect_duration_seconds", "slugline_api_duration_seconds"] {
        assert!(series.contains(&*format!("{histogram}_bucket{{le=\"+Inf\"}}")), "{text}");
        let count = |name: &str| {
            let line =
                text.lines().find_map(|line| line.strip_prefix(&format!("{histogram}{name} ")));
            line.unwrap().parse::<u64>().unwrap()
        };
        assert_eq!(count("_bucket{le=\"+Inf\"}"), count("_count"));
    }
    for line in [
        "slugline_redirects_total{outcome=\"followed\"} 1",
        "slugline_redirects_total{outcome=\"unknown\"} 1",
        "slugline_clicks_accepted_total 1",
        "slugline_clicks_counted_total 1",
        "slugline_clicks_lost_total 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}

#[test]
fn a_request_that_is_none_is_refused_and_the_service_serves_on() {
    let service = Service::start("");
    let code = service.mint(STORY);
    for junk in ["nonsense\r\n\r\n", "GET /\u{0} HTTP/1.1\r\n\r\n", "GET / HTTP/9\r\n\r\n"] {
        let mut connection = Connection::open(service.port()).unwrap();
        connection.send(junk).unwrap();
        // Refused, or hung up on.
        if let Ok(answer) = connection.receive("GET") {
            assert_eq!(answer.status, 400, "{junk:?}");
        }
    }
    assert!(within(PATIENCE, || service.answers(&format!("/{code}"), 302)));
}
