//! The turns of the roll-up's thread, one by one.

use std::path::Path;

use super::super::Fsync;
use super::super::tests::{cached, click, embedded, enricher, journal, now, settings_of};
use super::*;
use crate::model::click::{Click, Source};
use crate::model::tally::{Day, Quarter, Subject};
use crate::store::journal::Writer;
use crate::store::{Ask, Tallies as _};

/// With so many lanes, a round reads half a megabyte of each.
const LANES: usize = 64;

fn job(store: &Store, journal: &Arc<Journal>, settings: Settings) -> Job {
    Job::new(cached(store), Arc::clone(journal), settings, enricher(), Arc::default())
}

/// A journal with a lane of several rounds: there are many lanes, and each has its share of a round.
fn far_ahead(folder: &Path) -> (Arc<Journal>, Writer, usize) {
    let journal = Arc::new(Journal::open(&folder.join("journal"), 1 << 20, false).unwrap());
    let mut writers: Vec<_> = (0..LANES).map(|_| journal.writer().unwrap()).collect();
    let mut writer = writers.remove(0);
    let clicks = 4_000;
    let source = Source { agent: &[b'a'; 500], ..Source::default() };
    let at_ms = now().as_millisecond();
    (0..clicks).for_each(|_| writer.append(&Click { at_ms, code: "code0", source }).unwrap());
    (journal, writer, clicks)
}

#[tokio::test]
async fn a_journal_far_ahead_leaves_turns_to_the_account_and_to_who_asks() {
    let folder = tempfile::tempdir().unwrap();
    let store = embedded(folder.path()).await;
    let (journal, _writer, clicks) = far_ahead(folder.path());
    let mut job = job(&store, &journal, settings_of(Fsync::Never, 1 << 20));
    let (questions, mut asked) = mpsc::channel(4);
    let (tell, mut told) = oneshot::channel();
    questions.try_send(Question::CatchUp(tell)).unwrap();
    let mut turns = 0;
    loop {
        assert!(job.catch_up(&mut asked, Duration::ZERO).await);
        turns += 1;
        if !job.behind {
            break;
        }
        assert!(told.try_recv().is_err(), "not yet counted");
        job.filed = None;
        job.keep_house(Timestamp::now(), true).await;
        let filed = store.accounts().await.unwrap().remove(0);
        assert!(filed.pending > 0 && filed.counted > 0, "{filed:?}");
        assert_eq!(filed.accepted, filed.counted + filed.pending);
        let (tell, answered) = oneshot::channel();
        questions.try_send(Question::Account(tell)).unwrap();
        assert!(job.catch_up(&mut asked, Duration::ZERO).await);
        assert_eq!(answered.await.unwrap().unwrap().pending, filed.pending);
        if !job.behind {
            break;
        }
    }
    assert!(turns > 1, "it was not far ahead");
    told.try_recv().unwrap().unwrap();
    assert_eq!(job.account(now()).await.unwrap().counted, clicks as u64);
}

#[test]
fn only_many_clicks_let_those_after_them_wait() {
    let second = Duration::from_secs(1);
    let rest = |clicks, ms| rest(clicks, Duration::from_millis(ms), second);
    assert_eq!(rest(MANY - 1, 60_000), second, "however slow the disk");
    assert_eq!(rest(MANY, 10), second);
    assert_eq!(rest(MANY, 100), Duration::from_millis(1_600));
    assert_eq!(rest(MANY, 60_000), LONGEST_REST);
}

#[tokio::test]
async fn who_is_told_to_stop_takes_no_further_turn() {
    let folder = tempfile::tempdir().unwrap();
    let store = embedded(folder.path()).await;
    let (journal, _writer, clicks) = far_ahead(folder.path());
    let job = job(&store, &journal, settings_of(Fsync::Never, 1 << 20));
    let figures = Arc::clone(&job.figures);
    let (_questions, asked) = mpsc::channel(4);
    let (stop, stopped) = oneshot::channel();
    stop.send(()).unwrap();
    job.run(asked, stopped).await;
    // What there is is counted within the time that the stop has, not before it begins.
    assert_eq!(figures.snapshot().caught_up_at, None);
    assert_eq!(store.accounts().await.unwrap()[0].counted, clicks as u64);
}

#[tokio::test]
async fn a_secret_of_long_ago_is_forgotten_though_nobody_clicks_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let (store, journal) = (embedded(folder.path()).await, journal(folder.path()));
    let today = Quarter::of(now()).day();
    let ask = async |day: u32, fresh| store.salt(Day(day), &[fresh; 16], Day(0)).await.unwrap();
    for day in today.0 - 5..=today.0 {
        assert_eq!(ask(day, 1).await, [1; 16]);
    }
    let mut job = job(&store, &journal, settings_of(Fsync::Never, 4_096));
    job.rollup.enricher().put_salt(Day(today.0 - 3), [1; 16]);
    let (_questions, mut asked) = mpsc::channel(4);
    job.catch_up(&mut asked, COUNT_WITHIN).await;
    job.behind = true;
    job.keep_house(now(), true).await;
    job.behind = false;
    job.keep_house(now(), false).await;
    assert_eq!(ask(today.0 - 5, 2).await, [1; 16], "a journal may ask for it");
    job.keep_house(now(), true).await;
    for (day, salt) in [(5, 2), (3, 2), (2, 1), (0, 1)] {
        assert_eq!(ask(today.0 - day, 2).await, [salt; 16], "{day} days ago");
    }
    assert!(!job.rollup.enricher().has_salt(Day(today.0 - 3)));
}

#[tokio::test]
async fn a_clock_that_is_ahead_sweeps_nothing_away() {
    let folder = tempfile::tempdir().unwrap();
    let (store, journal) = (embedded(folder.path()).await, journal(folder.path()));
    let mut writer = journal.writer().unwrap();
    let settings = Settings { keep_hours: 62, keep_days: 400, ..settings_of(Fsync::Never, 4_096) };
    let mut job = job(&store, &journal, settings);
    // Three days, a click a minute.
    click(&mut writer, 0, 3 * 1_440, 2);
    let (_questions, mut asked) = mpsc::channel(4);
    while job.catch_up(&mut asked, COUNT_WITHIN).await {}
    let first = Quarter::of(now()).day();
    let asks = [Ask { day: first, quarters: true, names: false, sketch: false }];
    let hours = async || {
        let days = store.days(&Subject::Site, &asks).await.unwrap();
        days.first().map_or(0, |(_, row)| row.quarters.len())
    };
    let there = hours().await;
    assert!(there > 0);
    let ahead = now() + Duration::from_secs(86_400 * 500);
    job.keep_house(ahead, true).await;
    assert_eq!(hours().await, there);
    assert!(job.swept.is_some());
}
