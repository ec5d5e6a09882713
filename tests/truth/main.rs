//! A million clicks of a known distribution, through the real service: every figure of every
//! endpoint is what an independent count of the list of clicks says.
//!
//! The clicks are put into the journal before the service starts, because they lie in the past; from
//! then on everything is as it always is: the service is killed while it counts, and asked over
//! HTTP when it is done.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../support/live/mod.rs"]
mod live;

mod clicks;
mod questions;
mod recount;

use std::path::Path;

use clicks::{Past, World};
use jiff::Timestamp;
use live::{Random, Service, TestStore, until};
use slugline::store::journal::Journal;

/// Clicks in all.
const CLICKS: usize = 1_000_000;
/// Bytes of a journal segment; as by default.
const SEGMENT: u64 = 32 << 20;

#[test]
fn every_figure_of_a_million_clicks_is_true_on_the_embedded_store() {
    every_figure_is_true_whatever_is_killed_meanwhile(TestStore::embedded());
}

#[test]
fn every_figure_of_a_million_clicks_is_true_on_redis() {
    every_figure_is_true_whatever_is_killed_meanwhile(TestStore::redis());
}

fn every_figure_is_true_whatever_is_killed_meanwhile(store: TestStore) {
    let mut random = Random::new();
    let settings = [("CLICKS__KEEP_APPLIED", "1h")];
    let mut service = Service::start_with(&store.url(), &settings);
    let world = World::mint(&service);
    service.terminate();

    let now = Timestamp::now();
    let past = Past::make(&world, CLICKS, now, &mut random);
    write_down(&past, &world, service.data_dir());
    for _ in 0..4 {
        service.restart();
        let start = counted(&service);
        let some = random.within(10_000..200_000);
        until("some clicks to be counted", || {
            counted(&service) >= (start + some).min(CLICKS as u64)
        });
        service.kill();
    }
    service.restart();
    until_counted(&service);

    questions::ask_everything(&service, &world, &past, now, &mut random);
}

/// Puts the clicks into the journal of a service that does not run.
fn write_down(past: &Past, world: &World, data_dir: &Path) {
    let journal = Journal::open(&data_dir.join("journal"), SEGMENT, false).unwrap();
    let mut lanes = [journal.writer().unwrap(), journal.writer().unwrap()];
    for (n, click) in past.clicks.iter().enumerate() {
        lanes[n % 2].append(&click.as_captured(world)).unwrap();
    }
}

/// Clicks on the whole site so far. The audit would say so too, but walk through the journal.
fn counted(service: &Service) -> u64 {
    service.get("/api/v1/stats?last=all")["total"]["clicks"].as_u64().unwrap()
}

/// Waits until everything is counted; longer than usual, since there is much of it.
fn until_counted(service: &Service) {
    let mut last = counted(service);
    while last < CLICKS as u64 {
        until("more clicks to be counted", || counted(service) > last);
        last = counted(service);
    }
    let audit = service.get("/api/v1/audit");
    assert_eq!(audit["total"]["accepted"], CLICKS as u64);
    assert_eq!(audit["total"]["counted"], CLICKS as u64);
    assert_eq!(audit["total"]["pending"], 0);
}
