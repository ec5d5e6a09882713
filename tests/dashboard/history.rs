//! A service with weeks of figures behind it: real clicks of this hour, taken out as a backup, spread
//! over the hours of the past, and put back.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use slugline::model::tally::Row;
use slugline::service::transfer::backup::{BackupLine, RowLine};

use crate::live::{Service, until};

const DAYS: i32 = 35;
/// Names in a breakdown of the backup: more than there are.
const NAMES: usize = 250;
/// How much is read in each hour of a day.
const READING: [usize; 24] =
    [1, 0, 0, 0, 0, 1, 2, 4, 5, 4, 3, 3, 4, 3, 2, 2, 3, 4, 5, 4, 3, 3, 2, 1];

const AGENTS: [&str; 6] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like \
     Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) \
     Chrome/140.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
     Chrome/140.0.0.0 Safari/537.36",
    "Twitterbot/1.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
];
const REFERRERS: [&str; 7] = [
    "",
    "https://www.google.com/",
    "https://t.co/abc",
    "https://www.example.net/front-page",
    "https://l.facebook.com/l.php",
    "https://news.ycombinator.com/",
    "https://mail.example.org/inbox",
];
const COUNTRIES: [&str; 6] = ["AT", "DE", "US", "IR", "BR", "XX"];

/// Runs it. Gives back the codes too: the most read link, one that is disabled, and the others.
pub(super) fn service() -> (Service, Vec<String>) {
    let settings = [
        ("CLICKS__COUNTRY_HEADER", "CF-IPCountry"),
        ("HTTP__TRUSTED_PROXIES", "127.0.0.1"),
        ("BRAND__COLOUR", "#1a5fb4"),
    ];
    let seed = Service::start_with("", &settings);
    let codes = fill(&seed);
    let service = Service::start_with("", &settings);
    let report = service.import(&spread(&seed.export("ndjson")), "on_conflict=replace");
    assert!(report.iter().all(|part| part["refused"] == json!([])), "{report:?}");
    (service, codes)
}

fn fill(service: &Service) -> Vec<String> {
    let key = json!({ "name": "News desk", "scopes": ["mint"] });
    let key = service.call("POST", "/api/v1/keys", Some(&key)).expect(201).json();
    let wishes = [
        json!({ "url": "https://www.example.org/2026/11/23/river?utm_source=x", "tags": ["weather", "local"],
                "title": "The river came within a hand’s breadth of the old town" }),
        json!({ "url": "https://www.example.org/2026/11/22/correction", "title": "A story that had to be withdrawn" }),
        json!({ "url": "https://www.example.org/fa/2026/11/23/baran", "tags": ["سیاست"],
                "title": "باران سیل‌آسا در شمال کشور؛ راه‌های اصلی بسته شد" }),
        json!({ "url": "https://www.example.org/2026/11/21/a-very-long-address-without-a-title/with/many/parts/and-no-end.html?section=culture&page=2" }),
        json!({ "url": "https://www.example.org/2026/11/20/budget", "tags": ["politics", "budget", "parliament", "live blog", "analysis"],
                "title": "What is in the budget, and what the finance minister left out of it: everything that you need to know in one place",
                "expires_at": "2039-01-01T00:00:00Z" }),
    ];
    let mint = |(at, wish): (usize, &Value)| {
        let answer = match at % 2 {
            0 => service.call("POST", "/api/v1/links", Some(wish)),
            _ => service.call_as(key["key"].as_str().unwrap(), "POST", "/api/v1/links", Some(wish)),
        };
        answer.expect(201).json()["code"].as_str().unwrap().to_owned()
    };
    let codes: Vec<String> = wishes.iter().enumerate().map(mint).collect();
    for turn in 0..90 {
        click(service, &codes[turn % 4 * (turn % 7) % codes.len()], turn);
        if turn % 9 == 0 {
            click(service, ["rivr", "bugdet", "Xq3"][turn % 2 + turn % 5 / 4], turn);
        }
    }
    until("all clicks to be counted", || service.get("/api/v1/audit")["total"]["pending"] == 0);
    let withdrawn = json!({ "state": "disabled", "reason": "Withdrawn after a correction." });
    service.call("PATCH", &format!("/api/v1/links/{}", codes[1]), Some(&withdrawn)).expect(200);
    codes
}

fn click(service: &Service, code: &str, turn: usize) {
    let mut connection = service.connect();
    let request = format!(
        "GET /{code} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {}\r\nReferer: {}\r\n\
         CF-IPCountry: {}\r\nX-Forwarded-For: 192.0.2.{}\r\n\r\n",
        AGENTS[turn % AGENTS.len()],
        REFERRERS[turn * turn % REFERRERS.len()],
        COUNTRIES[turn % 11 % COUNTRIES.len()],
        turn % 60,
    );
    connection.send(&request).and_then(|()| connection.receive("GET")).unwrap();
}

/// The same backup, with its figures repeated over the hours of the past.
fn spread(backup: &str) -> String {
    let (mut lines, mut seeds, mut totals) = (Vec::new(), BTreeMap::new(), Vec::new());
    for line in backup.lines() {
        match serde_json::from_str(line) {
            Ok(BackupLine::Total(total)) => totals.push(total),
            Ok(BackupLine::Row(RowLine { subject, hour: None, row, .. })) => {
                let mut whole = Row::default();
                whole.merge(&Row::from_bytes(&row).unwrap());
                seeds.insert(subject, whole);
            }
            Ok(BackupLine::Key(_)) => lines.push(line.to_owned()),
            Err(_) => lines.push(older(line)),
            Ok(_) => {}
        }
    }
    let hours = past();
    let share: usize = hours.iter().map(|(_, share)| share).sum();
    for mut total in totals {
        total.people *= share as u64;
        total.bots *= share as u64;
        lines.push(serde_json::to_string(&BackupLine::Total(total)).unwrap());
    }
    for (subject, seed) in &seeds {
        lines.extend(rows(subject, seed, &hours));
    }
    lines.join("\n")
}

/// A link that was made before all of these figures.
fn older(line: &str) -> String {
    let mut link: Value = serde_json::from_str(line).unwrap();
    let made_at: Timestamp = link["created_at"].as_str().unwrap().parse().unwrap();
    link["created_at"] = (made_at - (24 * DAYS + 24).hours()).to_string().into();
    link.to_string()
}

/// Each hour until this one, and how many times over the clicks fall into it.
fn past() -> Vec<(DateTime, usize)> {
    let now = Offset::UTC.to_datetime(Timestamp::now());
    let hour = |ago: i32| {
        let at = now.checked_sub(ago.hours()).unwrap();
        // Weekends are quiet, and no day is like the other.
        let quiet =
            usize::from(at.date().weekday().to_monday_zero_offset() > 4) + at.day() as usize % 2;
        (at, READING[at.hour() as usize].saturating_sub(quiet))
    };
    (1..DAYS * 24).map(hour).filter(|(_, share)| *share > 0).collect()
}

/// The rows of a subject: its hours, and its days.
fn rows(subject: &str, seed: &Row, hours: &[(DateTime, usize)]) -> Vec<String> {
    let times = |share: usize| {
        let mut sum = Row::default();
        (0..share).for_each(|_| sum.merge(seed));
        sum
    };
    let shares: Vec<Row> = (0..=5).map(times).collect();
    let mut days: BTreeMap<Date, Row> = BTreeMap::new();
    let line = |day, hour, row: &Row| {
        let row = row.clone().to_bytes(NAMES);
        serde_json::to_string(&BackupLine::Row(RowLine {
            subject: subject.to_owned(),
            day,
            hour,
            row,
        }))
        .unwrap()
    };
    let mut lines = Vec::new();
    for (at, share) in hours {
        lines.push(line(at.date(), Some(at.hour() as u8), &shares[*share]));
        days.entry(at.date()).or_default().merge(&shares[*share]);
    }
    lines.extend(days.iter().map(|(day, row)| line(*day, None, row)));
    lines
}
