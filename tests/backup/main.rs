//! Backups: a service that was restored answers like the one that was saved, and nothing is counted
//! twice or not at all, whatever goes on meanwhile.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../support/live/mod.rs"]
mod live;

mod commands;
mod held;

use std::collections::{BTreeMap, BTreeSet};

use live::{Random, Readers, Service, TestStore, until};
use serde_json::{Value, json};
use slugline::model::tally::{Count, Row};
use slugline::service::transfer::backup::{BackupLine, RowLine};

/// A window that every click of a test lies in, and whose ends do not move.
const WINDOW: &str = "from=2020-01-01T00:00:00Z&to=2039-01-01T00:00:00Z&by=month";

const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like \
     Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
    "Twitterbot/1.0",
    "curl/8.0",
];

/// Someone clicks, or asks for a code that leads nowhere.
fn click(service: &Service, code: &str, turn: usize) {
    let mut connection = service.connect();
    let agent = AGENTS[turn % AGENTS.len()];
    let request = format!(
        "GET /{code} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {agent}\r\n\
         Referer: https://www{}.example.net/a\r\n\r\n",
        turn % 7
    );
    connection.send(&request).and_then(|()| connection.receive("GET")).unwrap();
}

fn until_counted(service: &Service) {
    until("all clicks to be counted", || {
        let total = service.get("/api/v1/audit")["total"].clone();
        total["pending"] == 0 && total["accepted"] == total["counted"]
    });
}

/// Links in every state, keys, clicks of many kinds, and figures that were deleted. Gives back codes.
fn fill(service: &Service) -> Vec<String> {
    let key = json!({"name": "news desk", "scopes": ["mint"]});
    let key = service.call("POST", "/api/v1/keys", Some(&key)).expect(201).json();
    let key = key["key"].as_str().unwrap();
    let mut codes = service.mint_many(30);
    for wish in [
        json!({"url": "https://www.example.org/t?utm_source=x&a=1", "keep_tracking": true}),
        json!({"url": "https://www.example.org/own", "code": "Chosen-Code_1", "tags": ["world"]}),
        json!({"url": "https://www.example.org/q?a=1#b", "forward_query": true, "redirect": 301}),
        json!({"url": "https://www.example.org/titled", "title": "=1+1 \"سلام\"",
               "tags": ["world", "a, b", "سیاست"]}),
        json!({"url": "https://www.example.org/later", "expires_at": "2039-01-01T00:00:00Z"}),
    ] {
        codes.push(service.mint_with(wish));
    }
    let made = json!({"url": "https://www.example.org/by-another", "tags": ["world"]});
    let made = service.call_as(key, "POST", "/api/v1/links", Some(&made)).expect(201).json();
    codes.push(made["code"].as_str().unwrap().to_owned());
    let imported = [
        r#"{"code":"fb/AbC1","target":"HTTP://WWW.Example.org/a|b?utm_source=x$y\"z","baseline":{"clicks":77,"at":"2012-01-31T08:00:00Z"},"created_at":"2010-01-31T08:00:00Z"}"#,
        r#"{"code":"x","target":"http://www.example.org/short","created_at":"2011-05-06T07:08:09.123Z"}"#,
        r#"{"code":"over","target":"http://www.example.org/over","expires_at":"2021-01-01T00:00:00Z"}"#,
    ];
    assert_eq!(service.import(&imported.join("\n"), "")[0]["imported"], 3);
    codes.extend(["fb/AbC1", "x", "over"].map(str::to_owned));
    for turn in 0..400 {
        click(service, &codes[turn * turn % (codes.len() - 1)], turn);
        if turn % 10 == 0 {
            click(service, &format!("nowhere{}", turn % 3), turn);
        }
    }
    until_counted(service);
    let withdrawn = json!({"state": "disabled", "reason": "a mistake"});
    service.call("PATCH", &format!("/api/v1/links/{}", codes[1]), Some(&withdrawn)).expect(200);
    service.call("DELETE", &format!("/api/v1/links/{}", codes[3]), None).expect(204);
    let figures = format!("/api/v1/links/{}/stats", codes[4]);
    service.call("DELETE", &figures, None).expect(200);
    codes
}

/// What a service answers at every address, cursors and times of now aside.
fn answers(service: &Service, codes: &[String]) -> BTreeMap<String, Value> {
    let mut targets: Vec<String> = [
        "/api/v1/keys",
        "/api/v1/links?state=deleted",
        "/api/v1/links?q=example.org&limit=1000",
        "/api/v1/links?tag=world",
        "/api/v1/links?target=https://www.example.org/own",
    ]
    .map(str::to_owned)
    .to_vec();
    for whose in ["stats", "stats/orphans", "stats/top", "tags/world/stats", "tags/a,%20b/stats"] {
        targets.push(format!("/api/v1/{whose}?{WINDOW}"));
    }
    targets[7] = targets[7].replace("&by=month", "");
    let keys = service.get("/api/v1/keys");
    for key in keys["items"].as_array().unwrap() {
        let id = key["id"].as_str().unwrap();
        targets.push(format!("/api/v1/keys/{id}"));
        targets.push(format!("/api/v1/keys/{id}/stats?{WINDOW}"));
    }
    for code in codes {
        targets.push(format!("/api/v1/links/{code}"));
        targets.push(format!("/api/v1/links/{code}/stats?{WINDOW}"));
    }
    let article = "https://www.example.org/t?a=1";
    targets.push(format!("/api/v1/targets/stats?url={article}&{WINDOW}"));
    let mut told = BTreeMap::new();
    for target in targets {
        let answer = service.call("GET", &target, None);
        assert!(matches!(answer.status, 200 | 410), "{target}: {}", answer.text());
        let mut body = answer.json();
        if let Some(body) = body.as_object_mut() {
            body.remove("next_cursor");
        }
        told.insert(target, json!([answer.status, body]));
    }
    // All links, page by page.
    let (mut page, mut pages) = (service.get("/api/v1/links?limit=7"), Vec::new());
    loop {
        pages.extend(page["items"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        page = service.get(&format!("/api/v1/links?limit=7&cursor={cursor}"));
    }
    told.insert("pages".into(), pages.into());
    let audit = service.get("/api/v1/audit");
    told.insert("audit".into(), json!([audit["total"], audit["deletions"]]));
    told
}

/// What readers get, byte by byte.
fn redirects(service: &Service, codes: &[String]) -> Vec<(u16, String, Vec<u8>)> {
    let ask = |code: &String| {
        let target = format!("/{code}?from=x");
        let answer = service.connect().ask("HEAD", &target).unwrap();
        let body = service.connect().ask("HEAD", &format!("/{code}")).unwrap().body;
        (answer.status, answer.header("location").to_owned(), body)
    };
    codes.iter().map(ask).collect()
}

/// Puts listed links into an order of their own.
fn sort_items(answer: &mut Value) {
    let items = match answer {
        Value::Array(items) if items.iter().all(|item| item.get("code").is_some()) => items,
        Value::Array(parts) => match parts.get_mut(1).and_then(|body| body.get_mut("items")) {
            Some(Value::Array(items)) => items,
            _ => return,
        },
        _ => return,
    };
    items.sort_by_key(|item| item.get("code").map(Value::to_string));
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

/// Saves from one, restores into the other, and asks both.
fn comes_back(from: TestStore, into: TestStore) {
    let home = [("PUBLIC_URL", "https://go.example.org")];
    let saved = Service::start_with(&from.url(), &home);
    let codes = fill(&saved);
    let backup = saved.export("ndjson");
    let restored = Service::start_with(&into.url(), &home);
    // The first key is the same, and was made at another time.
    let report = restored.import(&backup, "on_conflict=replace");
    assert_eq!(report[0]["refused"], json!([]), "{report:?}");
    assert_eq!(report[0]["replaced"], 1, "{report:?}");

    let (mut before, mut after) = (answers(&saved, &codes), answers(&restored, &codes));
    let alike = matches!(from, TestStore::Embedded) == matches!(into, TestStore::Embedded);
    if !alike {
        // Redis lists links that are older than their neighbours right behind those.
        before.values_mut().chain(after.values_mut()).for_each(sort_items);
    }
    for (target, answer) in &before {
        assert_eq!(&after[target], answer, "{target}");
    }
    assert_eq!(redirects(&restored, &codes), redirects(&saved, &codes));
    let again = restored.export("ndjson");
    if alike {
        assert_eq!(again, backup);
    } else {
        assert_eq!(sorted(&again), sorted(&backup));
    }
    let report = restored.import(&backup, "on_conflict=fail");
    assert_eq!((&report[0]["imported"], &report[0]["stopped"]), (&json!(0), &json!(false)));
    assert_eq!(restored.export("ndjson"), again);
}

#[test]
fn an_embedded_store_comes_back_embedded() {
    comes_back(TestStore::embedded(), TestStore::embedded());
}

#[test]
fn a_redis_comes_back_in_redis() {
    comes_back(TestStore::redis(), TestStore::redis());
}

#[test]
fn an_embedded_store_comes_back_in_redis() {
    comes_back(TestStore::embedded(), TestStore::redis());
}

#[test]
fn a_redis_comes_back_embedded() {
    comes_back(TestStore::redis(), TestStore::embedded());
}

/// What a backup says was counted: for each subject, and all of its days.
fn sums(backup: &str) -> (BTreeMap<String, u64>, BTreeMap<String, u64>, u64) {
    let (mut totals, mut days, mut counted) = (BTreeMap::new(), BTreeMap::new(), 0);
    for line in backup.lines().filter_map(|line| serde_json::from_str(line).ok()) {
        match line {
            BackupLine::Total(total) => {
                let (code, Count { people, bots }) = total.into_total();
                totals.insert(code.to_string(), people + bots);
            }
            BackupLine::Row(RowLine { subject, hour: None, row, .. }) => {
                let row = Row::from_bytes(&row).unwrap();
                let clicks: u64 = row.cells().map(|(_, cell)| cell.count.clicks()).sum();
                *days.entry(subject).or_default() += clicks;
            }
            BackupLine::Journal(journal) => counted += journal.counted,
            _ => {}
        }
    }
    (totals, days, counted)
}

/// Whether everything in a backup was true at one moment.
fn assert_consistent(backup: &str) -> u64 {
    let (totals, days, counted) = sums(backup);
    let links: BTreeMap<String, u64> = days
        .iter()
        .filter(|(name, _)| !name.starts_with(':'))
        .map(|(n, c)| (n.clone(), *c))
        .collect();
    assert_eq!(links, totals, "all = Σ days");
    let sum: u64 = totals.values().sum();
    assert_eq!(sum, days.get(":site").copied().unwrap_or_default(), "Σ links = site");
    assert_eq!(sum, counted, "what the positions say is counted");
    let known: BTreeSet<String> = backup
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["type"] == "link")
        .map(|line| line["code"].as_str().unwrap().to_owned())
        .collect();
    for code in totals.keys() {
        assert!(known.contains(code), "{code} was clicked, and is no link");
    }
    sum
}

fn a_backup_is_of_one_moment_while_everything_goes_on(store: TestStore) {
    let service = Service::start(&store.url());
    let mut codes = service.mint_many(40);
    let readers = Readers::start(service.port(), &codes, 4, &mut Random::new());
    let (mut last, mut minted) = (0, 0);
    for round in 0..8 {
        readers.wait_for(200);
        for _ in 0..10 {
            minted += 1;
            let code = service.mint(&format!("https://www.example.org/new-{minted}"));
            click(&service, &code, minted);
            codes.push(code);
        }
        let title = json!({"title": format!("round {round}"), "tags": [format!("tag{round}")]});
        service.call("PATCH", &format!("/api/v1/links/{}", codes[round]), Some(&title)).expect(200);
        let sum = assert_consistent(&service.export("ndjson"));
        assert!(sum >= last, "{sum} after {last}");
        last = sum;
    }
    let mut seen = readers.stop();
    seen.acknowledged.extend(codes[40..].iter().map(|code| (code.clone(), 1)));
    live::assert_exact(&service, &codes, &seen);
    assert!(last > 1_000);
}

live::over_each_store! {
    a_backup_is_of_one_moment_while_everything_goes_on
    a_restored_store_and_the_nodes_journal_go_on_exactly_once
}

/// The store is lost after the backup; the node's journal is not.
fn a_restored_store_and_the_nodes_journal_go_on_exactly_once(store: TestStore) {
    let settings = [("CLICKS__KEEP_APPLIED", "1h")];
    let mut old = Service::start_with(&store.url(), &settings);
    let codes = old.mint_many(5);
    (0..60).for_each(|turn| click(&old, &codes[turn % 5], turn));
    until_counted(&old);
    let backup = old.export("ndjson");
    // Counted by the old store, and not in the backup.
    (0..40).for_each(|turn| click(&old, &codes[turn % 5], turn));
    old.terminate();

    let new = TestStore::redis();
    let mut restored = Service::start_with(&new.url(), &settings);
    restored.import(&backup, "on_conflict=replace");
    assert_eq!(restored.clicks_on(&codes[0]), 12);
    restored.terminate();
    let journal = restored.data_dir().join("journal");
    std::fs::remove_dir_all(&journal).unwrap();
    copy(&old.data_dir().join("journal"), &journal);
    restored.restart();
    until_counted(&restored);
    for code in &codes {
        assert_eq!(restored.clicks_on(code), 20, "{code}");
    }
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}
