//! The archive against a journal of several lanes, kills, days without a secret, and times when it
//! was switched off.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::*;
use crate::model::click::Source;
use crate::service::click::Rollup;
use crate::service::click::tests::{enricher, settings_of};
use crate::store::archive::{interruption, sources};
use crate::store::cached::{self, Cached};
use crate::store::embedded::Embedded;
use crate::store::journal::Writer;
use crate::store::{Store, Upkeep as _};

/// 2026-11-23T09:00Z.
const NINE: i64 = 1_795_424_400_000;
const MINUTE: i64 = 60_000;
const SECRET: [u8; 16] = [7; 16];

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_millisecond(NINE + minutes * MINUTE).unwrap()
}

fn settings(folder: &Path) -> Settings {
    Settings {
        keep_applied: Duration::ZERO,
        archive: folder.join("clicks"),
        ..settings_of(Fsync::Interval, 4_096)
    }
}

fn journal(folder: &Path) -> Arc<Journal> {
    Arc::new(Journal::open(&folder.join("journal"), 4_096, false).unwrap())
}

fn archiver(journal: &Arc<Journal>, folder: &Path) -> Archiver {
    Archiver::new(Arc::clone(journal), &settings(folder), Arc::default()).unwrap()
}

fn salted() -> Enricher {
    let mut enricher = enricher();
    enricher.put_salt(day_of(0), SECRET);
    enricher
}

fn day_of(minutes: i64) -> Day {
    crate::model::tally::Quarter::of(at(minutes)).day()
}

/// A click of somebody with an address, so that a secret is needed.
fn click(writer: &mut Writer, minutes: i64, code: &str) {
    let address = Some([192, 0, 2, 1].into());
    let agent = b"Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0";
    let source = Source { agent, address, ..Source::default() };
    let at_ms = at(minutes).as_millisecond();
    writer.append(&Click { at_ms, code, source }).unwrap();
}

/// The codes in the archive, sorted; fails if two lines have one id.
fn archived(folder: &Path) -> Vec<String> {
    let (mut codes, mut ids) = (Vec::new(), BTreeSet::new());
    for source in sources(&folder.join("clicks")).unwrap() {
        let each = |line: &[u8]| {
            let line = Line::read(line)?;
            assert!(ids.insert(line.id.to_string()), "{} twice", line.id);
            codes.push(line.code.to_string());
            Ok(())
        };
        source.lines(each).unwrap();
    }
    codes.sort_unstable();
    codes
}

fn finished(folder: &Path) -> usize {
    let names = std::fs::read_dir(folder.join("clicks")).unwrap();
    names
        .filter(|e| e.as_ref().unwrap().path().extension().is_some_and(|kind| kind == "gz"))
        .count()
}

fn catch_up(archiver: &mut Archiver, now: Timestamp) {
    let mut enricher = salted();
    loop {
        match archiver.round(&mut enricher, now).unwrap() {
            Archived::NoSalt(day) => enricher.put_salt(day, SECRET),
            Archived::Behind => {}
            Archived::CaughtUp => return,
        }
    }
}

/// Rounds until every hour that is over has its file.
fn finish(archiver: &mut Archiver, now: Timestamp) {
    catch_up(archiver, now);
    while archiver.finisher.is_some() {
        std::thread::yield_now();
        catch_up(archiver, now);
    }
}

fn codes(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| format!("code{n:04}")).collect()
}

#[test]
fn every_click_of_every_lane_is_archived_once_and_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path());
    let mut writers = [journal.writer().unwrap(), journal.writer().unwrap()];
    let mut archiver = archiver(&journal, folder.path());
    for (n, code) in codes(0..300).iter().enumerate() {
        click(&mut writers[n % 2], i64::try_from(n).unwrap(), code);
        let orphan = Click { at_ms: NINE, code: "nowhere", source: Source::default() };
        writers[n % 2].append_orphan(&orphan).unwrap();
        if n % 70 == 0 {
            catch_up(&mut archiver, at(0));
        }
    }
    finish(&mut archiver, at(250));
    assert_eq!(archived(folder.path()), codes(0..300));
    assert_eq!(finished(folder.path()), 4, "09Z to 12Z are over, 13Z is not");
    let figures = archiver.figures.snapshot();
    assert_eq!((figures.lines, figures.files, figures.failures), (300, 4, 0));
    assert_eq!(figures.caught_up_at, Some(at(250)));
}

#[cfg(feature = "parquet")]
#[test]
fn an_hour_becomes_what_the_settings_say() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path());
    let format = crate::store::archive::Format::Parquet;
    let settings = Settings { archive_format: format, ..settings(folder.path()) };
    let mut archiver = Archiver::new(Arc::clone(&journal), &settings, Arc::default()).unwrap();
    let mut writer = journal.writer().unwrap();
    for (minute, code) in (0..).zip(codes(0..100)) {
        click(&mut writer, minute, &code);
    }
    finish(&mut archiver, at(130));
    assert_eq!(archived(folder.path()), codes(0..100));
    let names = std::fs::read_dir(folder.path().join("clicks")).unwrap();
    let is_parquet = |path: &Path| path.extension().is_some_and(|kind| kind == "parquet");
    assert_eq!(names.filter(|e| is_parquet(&e.as_ref().unwrap().path())).count(), 2);
    assert_eq!((finished(folder.path()), archiver.figures.snapshot().files), (0, 2));
}

#[test]
fn an_archive_that_dies_at_any_step_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    for (steps, code) in codes(0..60).into_iter().enumerate() {
        // Each life is a process of its own: a journal with a new run, an archive opened anew.
        let journal = journal(folder.path());
        let mut archiver = archiver(&journal, folder.path());
        click(&mut journal.writer().unwrap(), i64::try_from(steps % 3).unwrap() * 60, &code);
        expected.push(code);
        interruption::after(steps % 12);
        let outcome = archiver.round(&mut salted(), at(0));
        interruption::lift();
        if steps % 12 == 0 {
            assert!(outcome.is_err());
        }
        if steps % 5 == 0 {
            // Killed; or only told to try again.
            catch_up(&mut archiver, at(0));
            assert_eq!(archived(folder.path()), expected);
        }
    }
    let journal = journal(folder.path());
    finish(&mut archiver(&journal, folder.path()), at(1_000));
    assert_eq!(archived(folder.path()), expected);
    assert_eq!(finished(folder.path()), 3);
}

#[test]
fn a_click_whose_day_has_no_secret_yet_waits_and_those_before_it_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path());
    let mut writer = journal.writer().unwrap();
    let mut archiver = archiver(&journal, folder.path());
    let (today, tomorrow) = (0, 24 * 60);
    click(&mut writer, today, "a");
    click(&mut writer, tomorrow, "b");
    click(&mut writer, today, "c");
    let mut enricher = salted();
    let round = archiver.round(&mut enricher, at(0)).unwrap();
    assert_eq!(round, Archived::NoSalt(day_of(tomorrow)));
    assert_eq!(archived(folder.path()), ["a"]);
    enricher.put_salt(day_of(tomorrow), [8; 16]);
    assert_eq!(archiver.round(&mut enricher, at(0)).unwrap(), Archived::CaughtUp);
    assert_eq!(archived(folder.path()), ["a", "b", "c"]);
}

#[test]
fn an_archive_that_is_many_days_behind_gets_on_with_few_secrets_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path());
    let mut writer = journal.writer().unwrap();
    let mut archiver = archiver(&journal, folder.path());
    // Newest first: the enricher forgets the oldest first.
    (0..30).rev().for_each(|day| click(&mut writer, day * 24 * 60, &format!("{day:02}")));
    let mut enricher = enricher();
    for _ in 0..1_000 {
        match archiver.round(&mut enricher, at(0)).unwrap() {
            Archived::NoSalt(day) => enricher.put_salt(day, SECRET),
            Archived::Behind => {}
            Archived::CaughtUp => break,
        }
    }
    assert_eq!(archived(folder.path()).len(), 30);
}

#[test]
fn it_begins_with_what_the_journal_holds_and_says_what_it_missed_while_it_was_off() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path());
    let mut writer = journal.writer().unwrap();
    let discard = |writer: &mut Writer| {
        writer.rest().unwrap();
        let mut reader = journal.reader(Lane(0));
        reader.read(usize::MAX, |_, _| ()).unwrap();
        reader.discard_before(reader.position()).unwrap();
    };
    click(&mut writer, 0, "before");
    discard(&mut writer);
    click(&mut writer, 0, "first");
    let mut on = archiver(&journal, folder.path());
    catch_up(&mut on, at(0));
    assert_eq!((archived(folder.path()), on.figures.snapshot().missing), (vec!["first".into()], 0));
    drop(on);
    // Off, but what was clicked is still there.
    click(&mut writer, 0, "second");
    let mut on = archiver(&journal, folder.path());
    catch_up(&mut on, at(0));
    assert_eq!((archived(folder.path()).len(), on.figures.snapshot().missing), (2, 0));
    drop(on);
    // Off for too long.
    (0..5).for_each(|_| click(&mut writer, 0, "gone"));
    discard(&mut writer);
    click(&mut writer, 0, "third");
    let mut on = archiver(&journal, folder.path());
    catch_up(&mut on, at(0));
    assert_eq!(archived(folder.path()), ["first", "second", "third"]);
    assert_eq!(on.figures.snapshot().missing, 5);
    drop(on);
    let mut again = archiver(&journal, folder.path());
    catch_up(&mut again, at(0));
    assert_eq!(again.figures.snapshot().missing, 0, "said once");
}

#[test]
fn a_folder_that_can_not_be_used_costs_nothing_but_time() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path());
    let mut archiver = archiver(&journal, folder.path());
    std::fs::write(folder.path().join("clicks"), "in the way").unwrap();
    click(&mut journal.writer().unwrap(), 0, "a");
    for _ in 0..3 {
        archiver.round(&mut salted(), at(0)).unwrap_err();
        assert_eq!(archiver.wanted_from(Lane(0)), Position(0), "the journal keeps all of it");
    }
    assert_eq!(archiver.figures.snapshot().failures, 3);
    std::fs::remove_file(folder.path().join("clicks")).unwrap();
    catch_up(&mut archiver, at(0));
    assert_eq!(archived(folder.path()), ["a"]);
    assert!(archiver.wanted_from(Lane(0)) > Position(0));
}

#[test]
fn old_files_go_after_the_days_that_the_settings_say() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path());
    let settings = Settings { archive_keep: 2, ..settings(folder.path()) };
    let mut archiver = Archiver::new(Arc::clone(&journal), &settings, Arc::default()).unwrap();
    let mut writer = journal.writer().unwrap();
    let day = 24 * 60;
    click(&mut writer, 0, "a");
    finish(&mut archiver, at(65));
    for later in [day, 2 * day] {
        click(&mut writer, later, "b");
        catch_up(&mut archiver, at(later));
    }
    finish(&mut archiver, at(2 * day + 60));
    assert_eq!(finished(folder.path()), 2);
    finish(&mut archiver, at(2 * day + 121));
    assert_eq!(finished(folder.path()), 2, "the first is gone, the last has come");
    assert_eq!(archived(folder.path()), ["b", "b"]);
}

#[test]
fn a_clock_that_is_ahead_removes_no_files() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path());
    let settings = Settings { archive_keep: 7, ..settings(folder.path()) };
    let mut archiver = Archiver::new(Arc::clone(&journal), &settings, Arc::default()).unwrap();
    let mut writer = journal.writer().unwrap();
    let day = 24 * 60;
    for days in 0..3 {
        click(&mut writer, days * day, "a");
        finish(&mut archiver, at(days * day + 65));
    }
    // Somebody clicks by that clock as well.
    click(&mut writer, 300 * day, "b");
    finish(&mut archiver, at(300 * day + 65));
    finish(&mut archiver, at(300 * day + 130));
    assert_eq!(archived(folder.path()), ["a", "a", "a", "b"]);
}

#[test]
fn a_part_that_is_removed_while_it_is_filled_costs_its_hour_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path());
    let mut writer = journal.writer().unwrap();
    let mut archiver = archiver(&journal, folder.path());
    let remove_parts = || {
        for entry in std::fs::read_dir(folder.path().join("clicks")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|kind| kind == "part") {
                std::fs::remove_file(path).unwrap();
            }
        }
    };
    click(&mut writer, 0, "gone");
    catch_up(&mut archiver, at(0));
    remove_parts();
    click(&mut writer, 1, "added");
    archiver.round(&mut salted(), at(1)).unwrap_err();
    catch_up(&mut archiver, at(1));
    assert_eq!(archived(folder.path()), ["added"], "not behind bytes that are none");
    remove_parts();
    click(&mut writer, 70, "later");
    finish(&mut archiver, at(70));
    assert_eq!(archiver.figures.snapshot().failures, 2);
    finish(&mut archiver, at(130));
    assert_eq!((archived(folder.path()), finished(folder.path())), (vec!["later".into()], 1));
}

#[test]
fn no_folder_no_archive() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { archive: PathBuf::new(), ..settings(folder.path()) };
    assert!(Archiver::new(journal(folder.path()), &settings, Arc::default()).is_none());
}

#[tokio::test]
async fn the_journal_keeps_what_is_counted_until_it_is_archived() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::Embedded(Embedded::open(folder.path(), 1 << 20).unwrap());
    store.prepare().await.unwrap();
    let zero = Duration::ZERO;
    let none =
        cached::Settings { capacity: 0, fresh_for: zero, stale_for: zero, unknown_for: zero };
    let (links, settings) = (Cached::new(store, &none), settings(folder.path()));
    let journal = journal(folder.path());
    let mut rollup = Rollup::new(links, Arc::clone(&journal), settings, enricher(), Arc::default());
    let mut writer = journal.writer().unwrap();
    codes(0..500).iter().for_each(|code| click(&mut writer, 0, code));
    writer.rest().unwrap();
    let mut archiver = archiver(&journal, folder.path());
    while rollup.round(at(0)).await.unwrap() != super::super::Round::Idle {}
    let (full, start) = (journal.size(), Instant::now());
    rollup.discard(start, zero, |lane| archiver.wanted_from(lane)).unwrap();
    assert_eq!(journal.size(), full, "counted, not archived");
    catch_up(&mut archiver, at(1));
    rollup.discard(start, zero, |lane| archiver.wanted_from(lane)).unwrap();
    assert!(journal.size() < 100, "{}", journal.size());
    assert_eq!(archived(folder.path()), codes(0..500));
    assert_eq!(rollup.account(at(2)).await.unwrap().counted, 500);
}
