//! The roll-up against everything that makes a count go wrong: two at once, a store that was
//! brought back from an older copy, a process that dies between any two steps.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::countries::mmdb::{self, Value};
use super::*;
use crate::model::click::{Click, Source};
use crate::model::code::Code;
use crate::model::referrer::Referrers;
use crate::model::tally::{Count, Day, Dimension, Quarter, Subject};
use crate::service::live::Pulse;
use crate::store::archive::Format;
use crate::store::cached::{self, Cached};
use crate::store::conformance::redis_server::RedisServer;
use crate::store::conformance::{block_on, settings, with_cluster};
use crate::store::embedded::{Embedded, FILE_NAME};
use crate::store::journal::{Journal, Writer};
use crate::store::redis::Redis;
use crate::store::{Account, Ask, Bulletin as _, Lane, Position, Store, Tallies as _, Upkeep as _};

const NOON: i64 = 1_795_435_200_000;
const FIREFOX: &[u8] = b"Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0";

pub(super) fn now() -> Timestamp {
    Timestamp::from_millisecond(NOON).unwrap()
}

/// Makes a test of each function for each store.
macro_rules! over_each_store {
    ($($name:ident)+) => {
        mod embedded {
            $(#[tokio::test]
            async fn $name() {
                let folder = tempfile::tempdir().unwrap();
                super::$name(super::embedded(folder.path()).await).await;
            })+
        }
        mod redis {
            $(#[tokio::test]
            async fn $name() {
                let server = super::RedisServer::start();
                super::$name(super::redis(&server.url()).await).await;
            })+
        }
        mod redis_cluster {
            $(#[test]
            fn $name() {
                super::with_cluster(|cluster| {
                    super::block_on(async {
                        super::$name(super::redis(&cluster.url()).await).await;
                    });
                });
            })+
        }
    };
}

over_each_store! {
    every_click_is_counted_once_and_the_account_adds_up_at_every_look
    each_days_visitors_are_told_once_in_a_journal_of_many_days
    two_roll_ups_at_once_count_no_click_twice
    a_roll_up_that_dies_anywhere_is_gone_on_with
    a_running_roll_up_counts_by_itself_and_its_end_counts_the_tail
}

pub(crate) async fn embedded(folder: &Path) -> Store {
    let store = Store::Embedded(Embedded::open(folder, 1 << 20).unwrap());
    store.prepare().await.unwrap();
    store
}

async fn redis(url: &str) -> Store {
    let store = Store::Redis(Redis::new(&settings(url)).unwrap());
    store.prepare().await.unwrap();
    store
}

pub(super) fn journal(folder: &Path) -> Arc<Journal> {
    Arc::new(Journal::open(&folder.join("journal"), 4_096, false).unwrap())
}

fn rollup(store: &Store, journal: &Arc<Journal>) -> Rollup {
    let (links, journal) = (cached(store), Arc::clone(journal));
    let settings = settings_of(Fsync::Interval, 4_096);
    Rollup::new(links, journal, settings, enricher(), Arc::default())
}

/// One that knows no place of its own and no country.
pub(crate) fn enricher() -> Enricher {
    Enricher::new(Referrers::new(None), Countries::new())
}

/// The store behind a cache that remembers nothing.
pub(crate) fn cached(store: &Store) -> Cached {
    let none = Duration::ZERO;
    let settings =
        cached::Settings { capacity: 0, fresh_for: none, stale_for: none, unknown_for: none };
    Cached::new(store.fork(), &settings)
}

/// Settings of a roll-up that keeps everything, and has no archive.
pub(crate) fn settings_of(fsync: Fsync, segment_size: u64) -> Settings {
    Settings {
        flush_interval: Duration::from_millis(10),
        fsync,
        segment_size,
        keep_applied: Duration::from_secs(600),
        country_header: String::new(),
        geoip_path: PathBuf::new(),
        keep_hours: 0,
        keep_days: 0,
        archive: PathBuf::new(),
        archive_format: Format::Ndjson,
        archive_keep: 0,
    }
}

/// There is no archive.
fn nothing_is_wanted(_: Lane) -> Position {
    Position(u64::MAX)
}

/// All clicks on a subject within the 400 days that tests click in.
async fn clicks_on(store: &Store, subject: Subject) -> u64 {
    let today = Quarter::of(now()).day().0;
    let ask = |day| Ask { day: Day(day), quarters: true, names: true, sketch: false };
    let asks: Vec<Ask> = (today..today + 400).map(ask).collect();
    let days = store.days(&subject, &asks).await.unwrap();
    for (day, row) in &days {
        let quarters = row.quarters.iter().map(|(_, cell)| cell.count.clicks()).sum::<u64>();
        assert_eq!(row.whole.count.clicks(), quarters, "{day:?}");
    }
    days.iter().map(|(_, row)| row.whole.count.clicks()).sum()
}

/// Clicks on `codes` different codes in turn, a minute apart.
pub(super) fn click(writer: &mut Writer, from: usize, count: usize, codes: usize) {
    for n in from..from + count {
        let code = format!("code{}", n % codes);
        let at_ms = NOON + i64::try_from(n).unwrap() * 60_000;
        writer.append(&Click { at_ms, code: &code, source: Source::default() }).unwrap();
    }
}

async fn catch_up(rollup: &mut Rollup) {
    while rollup.round(now()).await.unwrap() != Round::Idle {}
}

async fn assert_counted(store: &Store, rollup: &Rollup, clicks: u64, codes: usize) {
    let Account { accepted, counted, pending, .. } = rollup.account(now()).await.unwrap();
    assert_eq!((accepted, counted, pending), (clicks, clicks, 0));
    let codes: Vec<_> = (0..codes).map(|n| Code::parse(&format!("code{n}")).unwrap()).collect();
    let totals = store.totals(&codes).await.unwrap();
    let totals: Vec<u64> = totals.into_iter().map(Count::clicks).collect();
    assert_eq!(totals.iter().sum::<u64>(), clicks);
    for (code, total) in codes.into_iter().zip(totals) {
        assert_eq!(clicks_on(store, Subject::Link(code.clone())).await, total, "{code}");
    }
    assert_eq!(clicks_on(store, Subject::Site).await, clicks);
}

async fn every_click_is_counted_once_and_the_account_adds_up_at_every_look(store: Store) {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path());
    let (mut a, mut b) = (journal.writer().unwrap(), journal.writer().unwrap());
    let mut rollup = rollup(&store, &journal);
    for round in 0..20 {
        click(&mut a, round * 50, 30, 7);
        click(&mut b, round * 50 + 30, 20, 7);
        let account = rollup.account(now()).await.unwrap();
        assert_eq!(account.accepted, (round as u64 + 1) * 50);
        assert_eq!(account.accepted, account.counted + account.pending);
        if round % 3 == 0 {
            catch_up(&mut rollup).await;
        }
    }
    catch_up(&mut rollup).await;
    assert_counted(&store, &rollup, 1_000, 7).await;
}

/// Longer than secrets are kept, and all of it in one round's reach; one lane begins where the other
/// has half done.
async fn each_days_visitors_are_told_once_in_a_journal_of_many_days(store: Store) {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path());
    for days in [0..12, 6..12] {
        let mut writer = journal.writer().unwrap();
        for (day, visitor) in days.flat_map(|day| [(day, 1), (day, 2), (day, 1)]) {
            let at_ms = NOON + day * 86_400_000;
            let address = Some(std::net::IpAddr::from([192, 0, 2, visitor]));
            let source = Source { agent: FIREFOX, address, ..Source::default() };
            writer.append(&Click { at_ms, code: "code", source }).unwrap();
        }
    }
    catch_up(&mut rollup(&store, &journal)).await;
    let first = Quarter::of(now()).day().0;
    let ask = |day| Ask { day: Day(day), quarters: false, names: false, sketch: false };
    let asks: Vec<Ask> = (first..first + 12).map(ask).collect();
    let subject = Subject::Link(Code::parse("code").unwrap());
    let days = store.days(&subject, &asks).await.unwrap();
    let told = days.into_iter().map(|(day, row)| {
        let figures = row.whole.figures();
        (day.0 - first, figures.count.clicks(), figures.visitors)
    });
    let expected = (0..12).map(|day| (day, if day < 6 { 3 } else { 6 }, 2));
    assert_eq!(told.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

async fn two_roll_ups_at_once_count_no_click_twice(store: Store) {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path());
    let mut writer = journal.writer().unwrap();
    let (mut one, mut two) = (rollup(&store, &journal), rollup(&store, &journal));
    for round in 0..30 {
        click(&mut writer, round * 10, 10, 3);
        let (a, b) = tokio::join!(one.round(now()), two.round(now()));
        a.unwrap();
        b.unwrap();
    }
    tokio::join!(catch_up(&mut one), catch_up(&mut two));
    assert_counted(&store, &one, 300, 3).await;
}

#[tokio::test]
async fn what_is_told_to_who_is_watching_is_what_was_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (store, journal) = (embedded(folder.path()).await, journal(folder.path()));
    let mut writer = journal.writer().unwrap();
    let start = store.last_news().await.unwrap();
    let (mut one, mut two) = (rollup(&store, &journal), rollup(&store, &journal));
    for round in 0..30 {
        click(&mut writer, round * 10, 10, 3);
        let (a, b) = tokio::join!(one.round(now()), two.round(now()));
        a.unwrap();
        b.unwrap();
    }
    tokio::join!(catch_up(&mut one), catch_up(&mut two));
    // A batch that was refused is told by nobody.
    let news = store.news_after(&start, usize::MAX).await.unwrap();
    let mut told = [0; 3];
    for (_, item) in &news.items {
        let pulse = Pulse::from_bytes(item).unwrap();
        assert_eq!((&pulse.node, pulse.at), (journal.node(), now()));
        for (code, count) in pulse.shares.links {
            let n: usize = code.as_str().strip_prefix("code").unwrap().parse().unwrap();
            told[n] += count.clicks();
        }
    }
    assert_eq!(told, [100; 3]);
    catch_up(&mut one).await;
    assert_eq!(store.news_after(&start, usize::MAX).await.unwrap(), news);
}

async fn a_roll_up_that_dies_anywhere_is_gone_on_with(store: Store) {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path());
    let mut writer = journal.writer().unwrap();
    for round in 0..20 {
        click(&mut writer, round * 10, 10, 3);
        // Each time a new one, as after a kill; every other one is stopped before it begins.
        let mut rollup = rollup(&store, &journal);
        if round % 2 == 0 {
            rollup.round(now()).await.unwrap();
        }
    }
    let mut last = rollup(&store, &journal);
    catch_up(&mut last).await;
    assert_counted(&store, &last, 200, 3).await;
}

#[tokio::test]
async fn a_store_brought_back_from_an_older_copy_is_caught_up_even_when_nobody_clicks() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path());
    let mut writer = journal.writer().unwrap();
    let store = embedded(folder.path()).await;
    click(&mut writer, 0, 100, 5);
    catch_up(&mut rollup(&store, &journal)).await;
    drop(store);
    let older = std::fs::read(folder.path().join(FILE_NAME)).unwrap();

    let store = embedded(folder.path()).await;
    click(&mut writer, 100, 150, 5);
    let mut running = rollup(&store, &journal);
    catch_up(&mut running).await;
    assert_counted(&store, &running, 250, 5).await;
    drop((running, store));

    std::fs::write(folder.path().join(FILE_NAME), older).unwrap();
    let store = embedded(folder.path()).await;
    let mut running = rollup(&store, &journal);
    running.verify().await.unwrap();
    catch_up(&mut running).await;
    assert_counted(&store, &running, 250, 5).await;
}

#[tokio::test]
async fn a_redis_brought_back_from_an_older_copy_is_caught_up_even_when_nobody_clicks() {
    let (folder, mut server) = (tempfile::tempdir().unwrap(), RedisServer::start());
    let journal = journal(folder.path());
    let mut writer = journal.writer().unwrap();
    let store = redis(&server.url()).await;
    let mut running = rollup(&store, &journal);
    click(&mut writer, 0, 100, 5);
    catch_up(&mut running).await;
    server.stop();
    server.copy_aside();
    server.restart();
    click(&mut writer, 100, 150, 5);
    while !matches!(running.round(now()).await, Ok(Round::Idle)) {}
    assert_counted(&store, &running, 250, 5).await;

    server.kill();
    server.restore_copy();
    server.restart();
    // The first question may find out that the connection is gone.
    while running.verify().await.is_err() {}
    catch_up(&mut running).await;
    assert_counted(&store, &running, 250, 5).await;
}

#[tokio::test]
async fn restarts_with_more_and_fewer_workers_lose_no_lane() {
    let folder = tempfile::tempdir().unwrap();
    let store = embedded(folder.path()).await;
    let mut clicks = 0;
    for workers in [3_usize, 1, 4, 2] {
        let journal = journal(folder.path());
        let mut writers: Vec<_> = (0..workers).map(|_| journal.writer().unwrap()).collect();
        for writer in &mut writers {
            click(writer, clicks, 10, 3);
            clicks += 10;
        }
        // Killed before anything was counted, but for the last.
    }
    let journal = journal(folder.path());
    let mut rollup = rollup(&store, &journal);
    catch_up(&mut rollup).await;
    assert_counted(&store, &rollup, clicks as u64, 3).await;
}

#[tokio::test]
async fn what_is_counted_leaves_the_journal_after_a_while_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let (store, journal) = (embedded(folder.path()).await, journal(folder.path()));
    let mut writer = journal.writer().unwrap();
    let mut rollup = rollup(&store, &journal);
    let (start, keep) = (Instant::now(), Duration::from_secs(600));
    click(&mut writer, 0, 2_000, 3);
    let full = journal.size();
    rollup.discard(start, keep, nothing_is_wanted).unwrap();
    catch_up(&mut rollup).await;
    rollup.discard(start, keep, nothing_is_wanted).unwrap();
    assert_eq!(journal.size(), full);
    writer.rest().unwrap();
    catch_up(&mut rollup).await;
    rollup.discard(start + Duration::from_secs(300), keep, nothing_is_wanted).unwrap();
    assert!(journal.size() >= full);
    rollup.discard(start + Duration::from_secs(601), keep, nothing_is_wanted).unwrap();
    assert!(journal.size() < full);
    rollup.discard(start + Duration::from_secs(901), keep, nothing_is_wanted).unwrap();
    assert!(journal.size() < 100);
    assert_counted(&store, &rollup, 2_000, 3).await;
    assert_eq!(journal.counts().clicks, 2_000);
}

async fn a_running_roll_up_counts_by_itself_and_its_end_counts_the_tail(store: Store) {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path());
    let mut writer = journal.writer().unwrap();
    let settings = settings_of(Fsync::Interval, 4_096);
    let runner = Runner::start(cached(&store), Arc::clone(&journal), settings, enricher()).unwrap();
    let auditor = runner.auditor();
    for round in 0..10 {
        click(&mut writer, round * 100, 100, 4);
        let account = auditor.account().await.unwrap();
        assert_eq!(account.accepted, account.counted + account.pending);
    }
    runner.finish().await;
    assert!(auditor.account().await.is_err());
    assert_counted(&store, &rollup(&store, &journal), 1_000, 4).await;
    assert_eq!(store.accounts().await.unwrap()[0].counted, 1_000);
}

#[tokio::test]
async fn clicks_are_counted_by_the_database_of_countries_that_there_is_then() {
    let folder = tempfile::tempdir().unwrap();
    let (store, journal) = (embedded(folder.path()).await, journal(folder.path()));
    let path = folder.path().join("countries.mmdb");
    let renew = |code| {
        let record = Value::Map(vec![("country_code", Value::Text(code))]);
        std::fs::write(&path, mmdb::write(&[("198.51.100.0/24", record)])).unwrap();
    };
    renew("FR");
    let countries = Countries::open(&path, now()).unwrap();
    let enricher = Enricher::new(Referrers::new(None), countries);
    let settings = settings_of(Fsync::Never, 4_096);
    let mut rollup =
        Rollup::new(cached(&store), Arc::clone(&journal), settings, enricher, Arc::default());
    let mut writer = journal.writer().unwrap();
    for (code, at) in [("FR", now()), ("DE", now() + Duration::from_secs(10))] {
        renew(code);
        let address = Some("198.51.100.7".parse().unwrap());
        let source = Source { address, ..Source::default() };
        writer.append(&Click { at_ms: NOON, code: "code", source }).unwrap();
        while rollup.round(at).await.unwrap() != Round::Idle {}
    }
    let ask = Ask { day: Quarter::of(now()).day(), quarters: false, names: false, sketch: false };
    let days = store.days(&Subject::Site, &[ask]).await.unwrap();
    let countries = days[0].1.whole.breakdown.of(Dimension::Country);
    let countries: Vec<_> =
        countries.named().map(|(name, count)| (&**name, count.clicks())).collect();
    assert_eq!(countries, [("DE", 1), ("FR", 1)]);
}

#[tokio::test]
async fn readers_without_pause_keep_nobody_from_the_account() {
    let folder = tempfile::tempdir().unwrap();
    let (store, journal) = (embedded(folder.path()).await, journal(folder.path()));
    let settings = settings_of(Fsync::Never, 1 << 20);
    let runner = Runner::start(cached(&store), Arc::clone(&journal), settings, enricher()).unwrap();
    let auditor = runner.auditor();
    let mut writer = journal.writer().unwrap();
    let (done, mut ending) = tokio::sync::oneshot::channel::<()>();
    let reader = std::thread::spawn(move || {
        let mut clicks = 0;
        while ending.try_recv() == Err(tokio::sync::oneshot::error::TryRecvError::Empty) {
            click(&mut writer, clicks % 1_000, 10, 3);
            clicks += 10;
            // As fast as a busy site: what is faster than it is counted is left to the next start.
            std::thread::sleep(Duration::from_millis(1));
        }
        clicks
    });
    for _ in 0..20 {
        let account = tokio::time::timeout(Duration::from_secs(10), auditor.account());
        let account = account.await.unwrap().unwrap();
        assert_eq!(account.accepted, account.counted + account.pending);
    }
    done.send(()).unwrap();
    let clicks = reader.join().unwrap();
    runner.finish().await;
    assert_counted(&store, &rollup(&store, &journal), clicks as u64, 3).await;
}

mod outages;
