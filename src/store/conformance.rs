//! One suite for every adapter: what the ports promise, tried on the embedded store, on one Redis
//! server and on a Redis Cluster, all of them real.

#[path = "../../tests/support/redis_server.rs"]
pub(crate) mod redis_server;

mod backup;
mod bulletin;
mod imports;
mod keys;
pub(crate) mod ledger;
mod links;
mod listings;
mod replies;
mod rows;
mod tallies;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use self::redis_server::{RedisCluster, RedisServer};
use super::embedded::Embedded;
use super::redis::Redis;
use super::{Claim, Links, Settings, Store, Upkeep};
use crate::model::code::Code;
use crate::model::key::KeyId;
use crate::model::link::{Link, Standing};
use crate::model::target::Target;

/// Makes a test of each promise for each adapter.
macro_rules! conformance {
    ($($promise:ident)+) => {
        mod embedded {
            $(#[test] fn $promise() { crate::store::conformance::on_embedded(super::$promise); })+
        }
        mod redis {
            $(#[test] fn $promise() { crate::store::conformance::on_redis(super::$promise); })+
        }
        mod redis_cluster {
            $(#[test] fn $promise() { crate::store::conformance::on_cluster(super::$promise); })+
        }
    };
}
use conformance;

/// Settings for a store at `url`, patient enough for a busy machine.
pub(crate) fn settings(url: &str) -> Settings {
    Settings {
        url: url.to_owned(),
        read_timeout: Duration::from_secs(10),
        write_timeout: Duration::from_secs(20),
        embedded_cache: 8 << 20,
    }
}

fn on_embedded(promise: impl AsyncFnOnce(&Store)) {
    let folder = tempfile::tempdir().unwrap();
    try_on(Store::Embedded(Embedded::open(folder.path(), 8 << 20).unwrap()), promise);
}

fn on_redis(promise: impl AsyncFnOnce(&Store)) {
    let server = RedisServer::start();
    try_on(Store::Redis(Redis::new(&settings(&server.url())).unwrap()), promise);
}

/// A cluster takes seconds to form: there is one, and one test at a time has it to itself. Its
/// processes end with this one.
static CLUSTER: Mutex<Option<RedisCluster>> = Mutex::new(None);

/// Lends the cluster out, empty.
pub(crate) fn with_cluster(run: impl FnOnce(&RedisCluster)) {
    let mut shared = CLUSTER.lock().unwrap_or_else(PoisonError::into_inner);
    let cluster = shared.get_or_insert_with(RedisCluster::start);
    cluster.flush();
    run(cluster);
}

fn on_cluster(promise: impl AsyncFnOnce(&Store)) {
    with_cluster(|cluster| {
        try_on(Store::Redis(Redis::new(&settings(&cluster.url())).unwrap()), promise);
    });
}

fn try_on(store: Store, promise: impl AsyncFnOnce(&Store)) {
    block_on(async {
        store.prepare().await.unwrap();
        promise(&store).await;
    });
}

/// Runs a future as a worker of the service would: on a runtime of one thread.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A moment of the suite: so many milliseconds after its beginning.
pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_795_000_000_000 + ms).unwrap()
}

pub(crate) fn code(text: &str) -> Code {
    Code::parse(text).unwrap()
}

pub(crate) fn target(path: &str) -> Target {
    Target::from_normal_form(&format!("https://www.example.org/2026/11/23/{path}"))
}

/// A plain link.
pub(crate) fn link(text: &str) -> Link {
    Link {
        code: code(text),
        target: target(text),
        article: target(text),
        created_at: at(0),
        owner: KeyId::parse("abcdefgh").unwrap(),
        title: None,
        tags: vec![],
        expires_at: None,
        redirect: None,
        forward_query: false,
        standing: Standing::Active,
        verbatim: false,
        host: None,
        baseline: None,
    }
}

/// Claims links whose codes are all free.
pub(crate) async fn mint(store: &impl Links, links: &[Link]) {
    let claims = store.claim(links).await.unwrap();
    assert_eq!(claims, vec![Claim::Claimed; links.len()]);
}
