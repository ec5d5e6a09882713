//! What a request leaves behind of who made it: what the journal holds, for how long, and that it
//! is nowhere else.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[path = "support/live/mod.rs"]
mod live;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::IpAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;

use live::{Service, until};
use serde_json::json;
use slugline::model::click::{Click, Source};
use slugline::store::journal::{Entry, Journal};

const STORY: &str = "https://www.example.org/story.html";
const CHROME: &str = "Mozilla/5.0 (Linux; Android 14; TellingDevice-7Q) AppleWebKit/537.36 \
                      (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36";

/// What the journal says of one request.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    /// Of a code that leads nowhere.
    orphan: bool,
    code: String,
    agent: String,
    referrer: String,
    address: Option<IpAddr>,
    country: Option<String>,
    private: bool,
    prefetch: bool,
}

impl Line {
    fn of(click: Click<'_>, orphan: bool) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let Source { agent, referrer, address, country, private, prefetch } = click.source;
        Self {
            orphan,
            code: click.code.to_owned(),
            agent: text(agent),
            referrer: text(referrer),
            address,
            country: country.map(|letters| text(&letters)),
            private,
            prefetch,
        }
    }

    /// A click on `code` from this machine, about which nothing is known.
    fn bare(code: &str) -> Self {
        Self {
            orphan: false,
            code: code.to_owned(),
            agent: String::new(),
            referrer: String::new(),
            address: address("127.0.0.1"),
            country: None,
            private: false,
            prefetch: false,
        }
    }
}

fn address(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

/// Everything in the journal of a service, which ends with that.
fn journal_of(mut service: Service) -> Vec<Line> {
    service.kill();
    let journal = Journal::open(&service.data_dir().join("journal"), 1 << 20, false).unwrap();
    let mut lines = Vec::new();
    for lane in journal.lanes() {
        let each = |_, entry: Entry<'_>| match entry {
            Entry::Click(click) => lines.push(Line::of(click, false)),
            Entry::Orphan(click) => lines.push(Line::of(click, true)),
            Entry::Lost(_) => panic!("nothing was to be lost"),
        };
        journal.reader(lane).read(usize::MAX, each).unwrap();
    }
    lines
}

fn request(method: &str, target: &str, headers: &[(&str, &str)]) -> String {
    let headers: String =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
}

/// Sends a request with these headers.
fn ask(service: &Service, method: &str, target: &str, headers: &[(&str, &str)], status: u16) {
    let mut connection = service.connect();
    connection.send(&request(method, target, headers)).unwrap();
    connection.receive(method).unwrap().expect(status);
}

/// One that trusts this machine as its proxy.
const BEHIND_A_PROXY: [(&str, &str); 2] =
    [("HTTP__TRUSTED_PROXIES", "127.0.0.1,10.0.0.0/8"), ("CLICKS__COUNTRY_HEADER", "CF-IPCountry")];

const TOLD: [(&str, &str); 4] = [
    ("User-Agent", CHROME),
    ("Referer", "https://m.facebook.com/groups/telling?id=7#x"),
    ("X-Forwarded-For", "6.6.6.6, 198.51.100.77, 10.2.3.4"),
    ("CF-IPCountry", "FR"),
];

#[test]
fn a_click_says_who_made_it_as_far_as_it_is_counted() {
    let service = Service::start_with("", &BEHIND_A_PROXY);
    let code = service.mint(STORY);
    ask(&service, "GET", &format!("/{code}"), &TOLD, 302);
    let told = Line {
        agent: CHROME.to_owned(),
        referrer: "https://m.facebook.com".to_owned(),
        address: address("198.51.100.77"),
        country: Some("FR".to_owned()),
        ..Line::bare(&code)
    };
    assert_eq!(journal_of(service), [told]);
}

#[test]
fn nobody_is_believed_unless_the_settings_say_so() {
    let strangers = [("HTTP__TRUSTED_PROXIES", "10.0.0.0/8"), BEHIND_A_PROXY[1]];
    for settings in [&[BEHIND_A_PROXY[1]][..], &strangers] {
        let service = Service::start_with("", settings);
        let code = service.mint(STORY);
        ask(&service, "GET", &format!("/{code}"), &[TOLD[2], TOLD[3]], 302);
        ask(&service, "GET", &format!("/{code}"), &[("Forwarded", "for=6.6.6.6")], 302);
        assert_eq!(journal_of(service), [Line::bare(&code), Line::bare(&code)]);
    }
}

#[test]
fn of_who_asks_not_to_be_tracked_only_the_agent_is_written_down() {
    let service = Service::start_with("", &BEHIND_A_PROXY);
    let code = service.mint(STORY);
    for wish in [("DNT", "1"), ("Sec-GPC", "1")] {
        ask(&service, "GET", &format!("/{code}"), &[&TOLD[..], &[wish]].concat(), 302);
    }
    for line in journal_of(service) {
        let agent = CHROME.to_owned();
        assert_eq!(line, Line { agent, address: None, private: true, ..Line::bare(&code) });
    }
}

#[test]
fn a_browser_that_fetches_ahead_is_told_apart() {
    let service = Service::start("");
    let code = service.mint(STORY);
    ask(&service, "GET", &format!("/{code}"), &[("Sec-Purpose", "prefetch;prerender")], 302);
    assert_eq!(journal_of(service), [Line { prefetch: true, ..Line::bare(&code) }]);
}

#[test]
fn codes_that_lead_nowhere_are_written_down_when_somebody_goes_there() {
    let service = Service::start_with("", &BEHIND_A_PROXY);
    let gone = service.mint(STORY);
    service.call("DELETE", &format!("/api/v1/links/{gone}"), None).expect(204);
    ask(&service, "GET", &format!("/{gone}"), &TOLD, 410);
    ask(&service, "HEAD", "/nobody", &TOLD, 404);
    ask(&service, "POST", "/nobody", &TOLD, 405);
    for malformed in ["/", "/no.body", "/favicon.ico", "/a%20b", &format!("/{}", "x".repeat(65))] {
        ask(&service, "GET", malformed, &TOLD, 404);
    }
    // Twice: once as asked of the store, once as remembered.
    ask(&service, "GET", "/nobody", &TOLD[..2], 404);
    ask(&service, "GET", "/nobody", &[], 404);
    // The proxy did not say by whom it was asked, and is not the reader itself.
    let second = Line { orphan: true, address: None, ..Line::bare("nobody") };
    let first = Line {
        agent: CHROME.to_owned(),
        referrer: "https://m.facebook.com".to_owned(),
        ..second.clone()
    };
    let mut lines = journal_of(service);
    lines.sort_by_key(|line| line.agent.is_empty());
    assert_eq!(lines, [first, second]);
}

#[test]
fn orphans_are_no_clicks_in_the_account() {
    let service = Service::start("");
    let code = service.mint(STORY);
    ask(&service, "GET", "/nobody", &[], 404);
    ask(&service, "GET", &format!("/{code}"), &[], 302);
    let counted = json!({ "accepted": 1, "counted": 1, "pending": 0, "lost": 0 });
    until("the click to be counted", || service.get("/api/v1/audit")["total"] == counted);
}

#[test]
fn whoever_comes_through_the_operators_socket_is_nobody_unless_they_say_who() {
    let service = Service::start("");
    let code = service.mint(STORY);
    let mut socket = UnixStream::connect(service.data_dir().join("slugline.sock")).unwrap();
    for headers in [&[("X-Forwarded-For", "198.51.100.77")][..], &[("Connection", "close")]] {
        socket.write_all(request("GET", &format!("/{code}"), headers).as_bytes()).unwrap();
    }
    let mut answers = String::new();
    socket.read_to_string(&mut answers).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 302").count(), 2, "{answers}");
    let told = Line { address: address("198.51.100.77"), ..Line::bare(&code) };
    assert_eq!(journal_of(service), [told, Line { address: None, ..Line::bare(&code) }]);
}

/// What must be nowhere but in the journal: texts, and an address as it is written there.
const TELLING: [&[u8]; 5] = [
    b"198.51.100.77",
    b"2001:db8:a1b2",
    b"\x20\x01\x0d\xb8\xa1\xb2\xc3\xd4",
    b"TellingDevice-7Q",
    b"groups/telling",
];

fn telling_in(bytes: &[u8]) -> Vec<String> {
    let holds = |what: &&&[u8]| bytes.windows(what.len()).any(|part| part == **what);
    TELLING.iter().filter(holds).map(|what| String::from_utf8_lossy(what).into_owned()).collect()
}

/// Everything in a folder and below, one after the other.
fn bytes_in(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes.extend(bytes_in(&path));
        } else {
            // A segment may leave while we look.
            bytes.extend(fs::read(&path).unwrap_or_default());
        }
    }
    bytes
}

fn click_tellingly(service: &Service, code: &str) {
    for by in ["198.51.100.77", "2001:db8:a1b2:c3d4::7"] {
        let headers = [TOLD[0], TOLD[1], ("X-Forwarded-For", by)];
        ask(service, "GET", &format!("/{code}"), &headers, 302);
        ask(service, "GET", "/nobody", &headers, 404);
    }
}

#[test]
fn addresses_and_agents_are_in_the_journal_for_a_while_and_nowhere_else() {
    let mut service = Service::start_with("", &BEHIND_A_PROXY);
    service.set("LOG__LEVEL", "trace");
    service.terminate();
    service.restart();
    let code = service.mint(STORY);
    let counted = |service: &Service| {
        let total = &service.get("/api/v1/audit")["total"];
        total["accepted"].as_u64() == Some(2) && total["pending"] == 0
    };
    click_tellingly(&service, &code);
    until("the clicks to be counted", || counted(&service));
    let journal = service.data_dir().join("journal");
    assert!(telling_in(&bytes_in(&journal)).len() >= 2, "what is looked for is where it should be");

    let metrics = service.connect().ask("GET", "/-/metrics").unwrap().expect(200);
    assert_eq!(telling_in(&metrics.body), [""; 0]);
    service.set("CLICKS__KEEP_APPLIED", "0s");
    assert!(service.terminate().success());
    service.restart();
    until("old clicks to leave the journal", || telling_in(&bytes_in(&journal)).is_empty());
    // The same without a stop in between.
    click_tellingly(&service, &code);
    until("new clicks to leave the journal", || telling_in(&bytes_in(&journal)).is_empty());

    assert!(service.terminate().success());
    assert_eq!(telling_in(&bytes_in(service.data_dir())), [""; 0]);
    assert!(service.log().contains("TRACE"), "all that can be said was said");
    assert_eq!(telling_in(service.log().as_bytes()), [""; 0]);
}

#[test]
fn a_database_of_countries_that_is_missing_stops_the_start() {
    let mut service = Service::prepare("", &[("CLICKS__GEOIP_PATH", "/no/such/countries.mmdb")]);
    service.run();
    assert!(!service.wait().success());
    let log = service.log();
    assert!(log.contains("clicks.geoip_path") && log.contains("/no/such/countries.mmdb"), "{log}");
}
