//! What can be had of a short link besides its redirect, on whichever host: its page, its QR code,
//! the headers of its redirect, and warnings. None of it is a click.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod hosts;
#[path = "../support/live/mod.rs"]
mod live;
mod page;
mod qr;
mod redirect;

use live::{Answer, Service};

const STORY: &str = "https://www.example.org/2026/11/23/a-story.html";

/// Asks with these further headers.
fn ask(service: &Service, method: &str, target: &str, headers: &str) -> Answer {
    let mut connection = service.connect();
    let host = if headers.contains("Host:") { "" } else { "Host: localhost\r\n" };
    connection.send(&format!("{method} {target} HTTP/1.1\r\n{host}{headers}\r\n")).unwrap();
    connection.receive(method).unwrap()
}

/// Asks as a reader's program that wants data.
fn ask_for_json(service: &Service, target: &str) -> Answer {
    ask(service, "GET", target, "Accept: application/json\r\n")
}

/// A link as another shortener made it: with a code and a target that nobody here would give.
fn import(service: &Service, line: &str) {
    let mut connection = service.connect();
    let request = format!(
        "POST /api/v1/import HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/x-ndjson\r\nContent-Length: {}\r\n\r\n{line}",
        live::BOOTSTRAP_KEY,
        line.len()
    );
    connection.send(&request).unwrap();
    let answer = connection.receive("POST").unwrap().expect(200);
    assert_eq!(answer.json()["imported"], 1, "{}", answer.text());
}
