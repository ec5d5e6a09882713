//! While a backup reads the figures, clicks wait in the journals. They are counted after it, once,
//! whatever becomes of the backup.

use std::time::Duration;

use serde_json::Value;

use super::live::{self, Connection, Service, TestStore, until, within};
use super::{click, until_counted};

/// How long the counting is held for a backup that nobody writes any more, and some more.
const LEASE: Duration = Duration::from_secs(60);

/// Days whose rows are more than a connection on this machine takes in without being read: some megabytes
/// at either end.
const OTHER_DAYS: usize = 30_000;

live::over_each_store! {
    clicks_during_a_backup_are_counted_after_it_once
    a_backup_that_nobody_reads_does_not_hold_the_counting_for_ever
}

live::over_each_redis! {
    a_backup_whose_node_is_killed_does_not_hold_the_counting_for_ever
    a_backup_that_was_not_held_to_its_end_has_none
}

/// A service with some clicks, and with more rows of other days than anybody takes who does not read.
fn service(store: &TestStore) -> (Service, Vec<String>) {
    let service = Service::start(&store.url());
    let codes = service.mint_many(4);
    (0..40).for_each(|turn| click(&service, &codes[turn % 4], turn));
    until_counted(&service);
    let backup = service.export("ndjson");
    let is_row = |line: &&str| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["type"] == "row" && line["subject"] == ":site" && line.get("hour").is_none()
    };
    let mut row: Value = serde_json::from_str(backup.lines().find(is_row).unwrap()).unwrap();
    let first: jiff::civil::Date = "2030-01-01".parse().unwrap();
    let days: Vec<_> = first.series(jiff::Span::new().days(1)).take(OTHER_DAYS).collect();
    for some in days.chunks(10_000) {
        let mut rows = String::new();
        for day in some {
            row["day"] = day.to_string().into();
            rows += &format!("{row}\n");
        }
        assert_eq!(service.import(&rows, "")[0]["imported"], some.len());
    }
    (service, codes)
}

/// A backup that nobody reads yet, at a moment when the counting is held.
fn begin_backup(service: &Service) -> Connection {
    let mut reader = service.connect();
    let request = format!(
        "GET /api/v1/export HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n",
        live::BOOTSTRAP_KEY
    );
    reader.send(&request).unwrap();
    until("the counting to be held", || is_held(service));
    reader
}

/// Whether figures can't be changed.
fn is_held(service: &Service) -> bool {
    let line = r#"{"type":"total","code":"nobody","people":0,"bots":1}"#;
    match service.try_import(line).status {
        200 => false,
        503 => true,
        other => panic!("{other}"),
    }
}

fn pending(service: &Service) -> u64 {
    service.get("/api/v1/audit")["total"]["pending"].as_u64().unwrap()
}

fn clicks_during_a_backup_are_counted_after_it_once(store: TestStore) {
    let (service, codes) = service(&store);
    let mut backup = begin_backup(&service);
    (0..20).for_each(|turn| click(&service, &codes[turn % 4], turn));
    // Several rounds of the roll-up have met the hold since.
    let log = "clicks wait in the journal until the store takes them";
    until("the roll-up to be refused", || service.log().contains(log));
    assert_eq!(pending(&service), 20);
    assert_eq!(service.clicks_on(&codes[0]), 10);
    let text = backup.receive("GET").unwrap().expect(200).text().to_owned();
    assert!(text.ends_with("}}\n"), "{}", &text[text.len() - 200..]);
    let (totals, _, counted) = super::sums(&text);
    assert_eq!((totals[&codes[0]], counted), (10, 40), "what was counted when it began");
    until_counted(&service);
    for code in &codes {
        assert_eq!(service.clicks_on(code), 15);
    }
}

fn a_backup_that_nobody_reads_does_not_hold_the_counting_for_ever(store: TestStore) {
    let (service, codes) = service(&store);
    let mut backup = begin_backup(&service);
    (0..8).for_each(|turn| click(&service, &codes[turn % 4], turn));
    assert!(is_held(&service));
    let counted = || service.clicks_on(&codes[0]) == 12;
    // The system ends the connection, or the export gives up: whichever is first.
    assert!(within(2 * LEASE, counted), "still held");
    assert!(backup.receive("GET").is_err(), "it ended as if it were whole");
}

fn a_backup_whose_node_is_killed_does_not_hold_the_counting_for_ever(store: TestStore) {
    let (mut dying, codes) = service(&store);
    let other = Service::start(&store.url());
    let _unread = begin_backup(&dying);
    (0..8).for_each(|turn| click(&other, &codes[turn % 4], turn));
    dying.kill();
    assert!(is_held(&other));
    let counted = || other.clicks_on(&codes[0]) == 12;
    assert!(within(LEASE, counted), "still held after {LEASE:?}");
    until_counted(&other);
    assert_eq!(other.clicks_on(&codes[1]), 12);
}

fn a_backup_that_was_not_held_to_its_end_has_none(mut store: TestStore) {
    let (service, _) = service(&store);
    let mut backup = begin_backup(&service);
    store.each_server(|server| {
        for key in server.command(&["KEYS", "sl{*}hold"]) {
            server.command(&["DEL", &key]);
        }
    });
    let broken = backup.receive("GET");
    assert!(broken.is_err(), "it ended as if it were whole");
    assert!(service.log().contains("an export broke off"), "{}", service.log());
}
