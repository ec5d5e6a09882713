//! Every click that got its redirect is counted exactly once, whatever is killed, cut off or brought
//! back from an older copy meanwhile; and at every look, accepted = counted + pending.
//!
//! Faults strike after a random number of redirects. The seed is printed; `SLUGLINE_TEST_SEED`
//! repeats it.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[path = "support/live/mod.rs"]
mod live;

use live::redis_server::RedisServer;
use live::{
    Auditor, Fault, Proxy, Random, Readers, Seen, Service, TestStore, assert_exact,
    over_each_redis, over_each_store, until,
};

/// Links that are clicked: in several partitions, each of them hot.
const LINKS: usize = 8;
/// Readers at work at the same time.
const READERS: usize = 4;

over_each_store! {
    no_kill_of_the_service_loses_or_doubles_a_click
}
over_each_redis! {
    no_kill_of_the_store_loses_or_doubles_a_click
    a_store_brought_back_from_an_older_copy_gets_what_it_missed_once
    service_and_store_killed_in_any_order_lose_and_double_nothing
}

/// A service with links, readers on them, and somebody who audits all the time.
struct Run {
    service: Service,
    codes: Vec<String>,
    random: Random,
    readers: Readers,
    auditor: Auditor,
}

impl Run {
    /// Begins. The links are on the store's disk before the first fault.
    fn over(service: Service, store: &mut TestStore) -> Self {
        let mut random = Random::new();
        let codes = service.mint_many(LINKS);
        store.copy_aside();
        service.wait_until_ready();
        let readers = Readers::start(service.port(), &codes, READERS, &mut random);
        let auditor = Auditor::start(&service, &readers);
        let mut run = Self { service, codes, random, readers, auditor };
        // Every link is in memory: none is out of reach when the store goes away.
        run.go_on(200..300);
        run
    }

    /// Lets a random number of redirects pass.
    fn go_on(&mut self, clicks: std::ops::Range<u64>) {
        self.readers.wait_for(self.random.within(clicks));
    }

    /// Ends the clicking, and checks the books.
    fn finish(self) -> Seen {
        let seen = self.readers.stop();
        assert_exact(&self.service, &self.codes, &seen);
        self.auditor.stop();
        seen
    }

    /// The same for a service that was never killed: there is no click of which nobody knows.
    fn finish_whole(self) {
        let seen = self.finish();
        assert_eq!((seen.unknown(), seen.refused), (0, 0));
    }
}

fn no_kill_of_the_service_loses_or_doubles_a_click(mut store: TestStore) {
    let mut run = Run::over(Service::start(&store.url()), &mut store);
    for _ in 0..10 {
        run.go_on(1..300);
        run.service.kill();
        run.service.restart();
    }
    run.go_on(100..200);
    run.finish();
}

fn no_kill_of_the_store_loses_or_doubles_a_click(mut store: TestStore) {
    let mut run = Run::over(Service::start(&store.url()), &mut store);
    for _ in 0..3 {
        run.go_on(1..500);
        store.kill();
        run.go_on(100..500);
        store.restart();
        run.service.wait_until_ready();
    }
    run.finish_whole();
}

fn a_store_brought_back_from_an_older_copy_gets_what_it_missed_once(mut store: TestStore) {
    let mut run = Run::over(Service::start(&store.url()), &mut store);
    for _ in 0..2 {
        run.go_on(100..500);
        store.bring_back_copy();
        run.service.wait_until_ready();
    }
    store.copy_aside();
    run.go_on(100..500);
    store.bring_back_copy();
    run.finish_whole();
}

fn service_and_store_killed_in_any_order_lose_and_double_nothing(mut store: TestStore) {
    let mut run = Run::over(Service::start(&store.url()), &mut store);
    for round in 0..4 {
        run.go_on(1..300);
        if run.random.within(0..2) == 0 {
            run.service.kill();
            store.kill();
        } else {
            store.kill();
            run.go_on(1..300);
            run.service.kill();
        }
        if round % 2 == 1 {
            store.each_server(|server| server.restore_copy());
        }
        if run.random.within(0..2) == 0 {
            store.restart();
            run.service.restart();
        } else {
            run.service.restart();
            store.restart();
        }
        run.service.wait_until_ready();
    }
    run.finish();
}

#[test]
fn an_older_copy_of_the_embedded_store_gets_what_it_missed_once() {
    let mut run = Run::over(Service::start(""), &mut TestStore::embedded());
    let file = run.service.data_dir().join("slugline.redb");
    for _ in 0..3 {
        run.go_on(1..300);
        run.service.kill();
        let copy = std::fs::read(&file).unwrap();
        run.service.restart();
        run.go_on(100..500);
        run.service.kill();
        std::fs::write(&file, copy).unwrap();
        run.service.restart();
    }
    run.go_on(100..200);
    run.finish();
}

/// Only what applies a batch names the node as an argument of its own.
fn batches_of(node: &str) -> String {
    format!("${}\r\n{node}\r\n", node.len())
}

fn node_of(service: &Service) -> String {
    let identity = std::fs::read_to_string(service.data_dir().join("journal/node")).unwrap();
    identity.split(' ').next().unwrap().to_owned()
}

#[test]
fn a_connection_cut_between_a_batch_and_its_answer_loses_and_doubles_nothing() {
    let redis = RedisServer::start();
    let port = redis.port();
    let mut store = TestStore::Redis(Box::new(redis));
    // Who the node is, and so what to wait for on the wire, is known once it has run.
    let mut service = Service::start("");
    let node = node_of(&service);
    assert!(service.terminate().success());
    let proxy = Proxy::to(port, &batches_of(&node));
    service.set("STORE__URL", &proxy.url());
    service.restart();
    let mut run = Run::over(service, &mut store);
    for _ in 0..3 {
        for fault in [Fault::CutAnswers, Fault::CutRequests, Fault::DeliverLate] {
            let before = proxy.cuts();
            proxy.set(fault);
            until("a batch to be cut off", || proxy.cuts() >= before + 3);
            run.go_on(10..200);
            proxy.set(Fault::None);
            run.go_on(10..200);
            proxy.cut();
        }
    }
    let metrics = run.service.connect().ask("GET", "/-/metrics").unwrap();
    let failures =
        metrics.text().lines().find_map(|l| l.strip_prefix("slugline_rollup_failures_total "));
    assert!(failures.unwrap().parse::<u64>().unwrap() >= 8, "{failures:?}");
    run.finish_whole();
}
