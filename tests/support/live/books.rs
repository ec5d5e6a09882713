//! Whether the books balance: at every look, and at the end against what the readers saw.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;

use super::{BOOTSTRAP_KEY, Connection, PATIENCE, Readers, Seen, Service, within};

/// Somebody who asks for the audit all the time, and checks it.
pub struct Auditor {
    stop: Arc<AtomicBool>,
    looks: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Auditor {
    /// Begins to look at the only node's account, which must hold what `readers` got.
    pub fn start(service: &Service, readers: &Readers) -> Self {
        let (stop, looks) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let acknowledged = readers.acknowledged();
        let (port, ending, looked) = (service.port(), Arc::clone(&stop), Arc::clone(&looks));
        let thread = thread::spawn(move || {
            while !ending.load(Ordering::Acquire) {
                let sure = acknowledged.load(Ordering::Acquire);
                if let Some(audit) = look(port) {
                    check(&audit, sure);
                    looked.fetch_add(1, Ordering::Relaxed);
                }
                // Often enough to see every state, and not so often as to slow the roll-up down.
                thread::sleep(Duration::from_millis(10));
            }
        });
        Self { stop, looks, thread }
    }

    /// Ends; fails if a look failed.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Release);
        self.thread.join().unwrap_or_else(|e| std::panic::resume_unwind(e));
        let looks = self.looks.load(Ordering::Relaxed);
        println!("the auditor looked {looks} times");
        assert!(looks > 0);
    }
}

/// The audit, when service and store are there.
fn look(port: u16) -> Option<Value> {
    let mut connection = Connection::open(port).ok()?;
    let request = format!(
        "GET /api/v1/audit HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {BOOTSTRAP_KEY}\r\n\r\n"
    );
    connection.send(&request).ok()?;
    let answer = connection.receive("GET").ok()?;
    match answer.status {
        200 => Some(answer.json()),
        503 => None,
        _ => panic!("the auditor got {answer:?}"),
    }
}

fn check(audit: &Value, sure: u64) {
    for account in [&audit["total"], &audit["nodes"][0]] {
        let [accepted, counted, pending, lost] = figures(account);
        assert_eq!(accepted, counted + pending, "{audit}");
        assert!(accepted >= sure, "{sure} clicks got their redirect before, but: {audit}");
        assert_eq!(lost, 0, "{audit}");
    }
}

fn figures(account: &Value) -> [u64; 4] {
    ["accepted", "counted", "pending", "lost"].map(|name| account[name].as_u64().expect(name))
}

/// Waits until everything is counted; then every click that got its redirect is there exactly once,
/// none is there that was not made, and all figures say the same.
pub fn assert_exact(service: &Service, codes: &[String], seen: &Seen) {
    let mut audit = Value::Null;
    let done = within(PATIENCE, || {
        audit = look(service.port()).unwrap_or_default();
        audit["total"]["pending"] == 0
    });
    assert!(done, "not everything is counted after {PATIENCE:?}: {audit}");
    let [accepted, counted, pending, lost] = figures(&audit["total"]);
    assert_eq!((counted, pending, lost), (accepted, 0, 0), "{audit}");
    assert_eq!(site_clicks(service), counted);
    let mut sum = 0;
    for code in codes {
        let clicks = service.clicks_on(code);
        let sure = seen.acknowledged.get(code).copied().unwrap_or_default();
        let most = sure + seen.unknown.get(code).copied().unwrap_or_default();
        assert!((sure..=most).contains(&clicks), "{code}: {clicks}, not {sure} to {most}");
        sum += clicks;
    }
    assert_eq!(sum, counted);
    let top = service.get(&format!("/api/v1/stats/top?limit={}", codes.len()));
    let items = top["items"].as_array().expect("a list").iter();
    let ranked: u64 = items.map(|item| item["clicks"].as_u64().expect("a number")).sum();
    assert_eq!(ranked, counted);
}

fn site_clicks(service: &Service) -> u64 {
    service.get("/api/v1/stats")["total"]["clicks"].as_u64().expect("a number")
}
