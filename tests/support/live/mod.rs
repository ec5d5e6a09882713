//! The real service as a process of its own, over a real store, with readers who remember what they
//! were answered.

#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    unreachable_pub,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::allow_attributes,
    reason = "included by several test crates, each of which uses a part; a test may fail"
)]

mod books;
mod disk;
mod http;
mod proxy;
mod readers;
mod service;
mod store;
mod watch;

#[path = "../redis_server.rs"]
pub mod redis_server;

use std::hash::{BuildHasher as _, RandomState};
use std::thread;
use std::time::{Duration, Instant};

pub use books::{Auditor, assert_exact};
pub use disk::TinyDisk;
pub use http::{Answer, Connection};
pub use proxy::{Fault, Proxy};
pub use readers::{Readers, Seen};
pub use service::{BOOTSTRAP_KEY, Service};
pub use store::TestStore;
pub use watch::{Event, Watch};

/// How long anything may take on a busy machine before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `done`; gives up after [`PATIENCE`].
pub fn until(what: &str, done: impl FnMut() -> bool) {
    assert!(within(PATIENCE, done), "{what}: still waiting after {PATIENCE:?}");
}

/// Whether `done` became true within `limit`.
pub fn within(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while !done() {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
    true
}

/// A small generator (xorshift64*, Vigna 2016) whose seed is printed, so that a run can be
/// repeated: `SLUGLINE_TEST_SEED`.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// One with the seed of the environment, or a new one.
    pub fn new() -> Self {
        let given = std::env::var("SLUGLINE_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| RandomState::new().hash_one(0) | 1);
        println!("SLUGLINE_TEST_SEED={seed}");
        Self(seed)
    }

    /// Another one, which this one decides.
    pub fn fork(&mut self) -> Self {
        Self(self.next() | 1)
    }

    /// A number within `range`.
    pub fn within(&mut self, range: std::ops::Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start)
    }

    /// One of them.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[usize::try_from(self.next() % from.len() as u64).expect("an index")]
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
}

/// Makes a test of each function for each store.
macro_rules! over_each_store {
    ($($name:ident)+) => {
        mod embedded { $(#[test] fn $name() { super::$name($crate::live::TestStore::embedded()); })+ }
        mod redis { $(#[test] fn $name() { super::$name($crate::live::TestStore::redis()); })+ }
        mod redis_cluster { $(#[test] fn $name() { super::$name($crate::live::TestStore::cluster()); })+ }
    };
}
/// The same, but for the stores that are processes of their own.
macro_rules! over_each_redis {
    ($($name:ident)+) => {
        mod redis_away { $(#[test] fn $name() { super::$name($crate::live::TestStore::redis()); })+ }
        mod cluster_away { $(#[test] fn $name() { super::$name($crate::live::TestStore::cluster()); })+ }
    };
}
pub(crate) use {over_each_redis, over_each_store};
