//! The archive against an end of the process at any step, torn writes, late clicks, and people who
//! take files away.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::atomic::AtomicBool;

use flate2::read::GzDecoder;
use proptest::prelude::*;

use super::disk::interruption;
use super::*;
use crate::model::click::{Click, Source as From, Visit, Who};
use crate::store::Position;

/// 2026-11-23T09:00Z.
const NINE: i64 = 1_795_424_400_000;
const MINUTE: i64 = 60_000;

/// In memory, where there is such a place: syncing is part of every step.
pub(super) fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    tempfile::tempdir_in(place).unwrap()
}

pub(super) fn node() -> NodeId {
    NodeId("abcdefghijklmnop".into())
}

pub(super) fn at(minutes: i64) -> Timestamp {
    Timestamp::from_millisecond(NINE + minutes * MINUTE).unwrap()
}

/// Clicks as a journal would hold them: for each lane the minute of each, their places being 1, 2, …
pub(super) type Journal = BTreeMap<Lane, Vec<i64>>;

fn line(node: &NodeId, lane: Lane, place: u64, minute: i64) -> Vec<u8> {
    let name = || "unknown".into();
    let visit = Visit {
        who: Who::Person(Some(place)),
        referrer: name(),
        country: name(),
        browser: name(),
        platform: name(),
        device: name(),
    };
    let click = Click { at_ms: at(minute).as_millisecond(), code: "a", source: From::default() };
    let mut bytes = Vec::new();
    Line::of((node, lane, Position(place)), &click, &visit).write(&mut bytes).unwrap();
    bytes
}

/// The next clicks that the archive does not have, at most `most` of each lane.
fn next(archive: &Archive, journal: &Journal, most: usize) -> Option<Stretch> {
    let mut stretch = Stretch::default();
    for (lane, minutes) in journal {
        let from = usize::try_from(archive.mark(*lane).position.0).unwrap();
        let to = minutes.len().min(from + most);
        for (place, minute) in minutes.iter().enumerate().take(to).skip(from) {
            let lines = stretch.hours.entry(Hour::of(at(*minute))).or_default();
            lines.bytes.extend(line(&archive.node, *lane, place as u64, *minute));
            lines.count += 1;
        }
        if to > from {
            let mark = Mark { position: Position(to as u64), clicks: to as u64 };
            stretch.marks.insert(*lane, mark);
        }
    }
    (!stretch.marks.is_empty()).then_some(stretch)
}

/// Archives all of it, and finishes what is over at `now`.
fn archive(folder: &Path, journal: &Journal, now: Timestamp) -> io::Result<()> {
    archive_of(&node(), folder, journal, now)
}

fn archive_of(node: &NodeId, folder: &Path, journal: &Journal, now: Timestamp) -> io::Result<()> {
    archive_as(Format::Ndjson, node, folder, journal, now)
}

pub(super) fn archive_as(
    format: Format,
    node: &NodeId,
    folder: &Path,
    journal: &Journal,
    now: Timestamp,
) -> io::Result<()> {
    let mut archive = Archive::open(folder, node)?;
    while let Some(stretch) = next(&archive, journal, 3) {
        archive.add(&stretch)?;
    }
    while let Some(finishing) = archive.due(now, format) {
        let made = finishing.run(&AtomicBool::new(false))?;
        assert!(archive.finish(&made)?);
    }
    Ok(())
}

/// What a reader of the folder gets, sorted.
pub(super) fn read(folder: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for source in sources(folder).unwrap() {
        let each = |line: &[u8]| {
            lines.push(String::from_utf8(line.to_vec()).unwrap());
            Ok(())
        };
        source.lines(each).unwrap();
    }
    lines.sort_unstable();
    lines
}

/// What a reader gets who knows of nothing but `*.ndjson.gz`, by file.
fn finished(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with('.') || !name.ends_with(".ndjson.gz") {
            continue;
        }
        let mut text = String::new();
        GzDecoder::new(fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
        files.insert(name, text.split_inclusive('\n').map(str::to_owned).collect());
    }
    files
}

pub(super) fn all(journal: &Journal) -> Vec<String> {
    let mut lines = Vec::new();
    for (lane, minutes) in journal {
        for (place, minute) in minutes.iter().enumerate() {
            lines.push(String::from_utf8(line(&node(), *lane, place as u64, *minute)).unwrap());
        }
    }
    lines.sort_unstable();
    lines
}

/// Two hours at first; then late clicks of a finished one, and a third hour.
pub(super) fn early() -> Journal {
    [(Lane(0), vec![0, 1, 61, 2, 62, 30, 59]), (Lane(1), vec![5, 60, 61, 3])].into()
}

pub(super) fn late() -> Journal {
    let mut journal = early();
    journal.get_mut(&Lane(0)).unwrap().extend([7, 130, 131]);
    journal.get_mut(&Lane(1)).unwrap().extend([8, 129]);
    journal
}

/// All that happens, as far as it comes.
fn live(folder: &Path) -> io::Result<()> {
    live_as(Format::Ndjson, folder)
}

pub(super) fn live_as(format: Format, folder: &Path) -> io::Result<()> {
    let archive = |journal: Journal, now| archive_as(format, &node(), folder, &journal, now);
    archive(early(), at(70))?;
    archive(late(), at(150))?;
    archive(late(), at(200))
}

pub(super) fn no_twins(lines: &[String]) {
    assert!(lines.windows(2).all(|pair| pair[0] != pair[1]), "{lines:#?}");
}

/// Looks as somebody who reads while the process lies dead.
fn look(folder: &Path) {
    if folder.is_dir() {
        no_twins(&read(folder));
        let mut lines: Vec<_> = finished(folder).into_values().flatten().collect();
        lines.sort_unstable();
        no_twins(&lines);
    }
}

fn assert_whole(folder: &Path) {
    assert_eq!(read(folder), all(&late()));
    let files = finished(folder);
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "clicks-2026-11-23T09Z-abcdefghijklmnop-2.ndjson.gz",
            "clicks-2026-11-23T09Z-abcdefghijklmnop.ndjson.gz",
            "clicks-2026-11-23T10Z-abcdefghijklmnop.ndjson.gz",
            "clicks-2026-11-23T11Z-abcdefghijklmnop.ndjson.gz",
        ]
    );
    let mut lines: Vec<_> = files.into_values().flatten().collect();
    lines.sort_unstable();
    assert_eq!(lines, all(&late()));
    let left: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 5, "four files and a state: {left:?}");
}

#[test]
fn a_process_that_ends_at_any_step_leaves_each_click_one_line() {
    for steps in 0.. {
        let folder = folder();
        let path = folder.path().join("clicks");
        interruption::after(steps);
        let outcome = live(&path);
        interruption::lift();
        look(&path);
        if outcome.is_ok() {
            assert!(steps > 50, "{steps}");
            break;
        }
        // Somebody reads beside the second life, too.
        archive(&path, &early(), at(70)).unwrap();
        look(&path);
        archive(&path, &late(), at(200)).unwrap();
        assert_eq!(read(&path), all(&late()), "after {steps} steps");
        let mut lines: Vec<_> = finished(&path).into_values().flatten().collect();
        lines.sort_unstable();
        assert_eq!(lines, all(&late()), "after {steps} steps");
    }
}

proptest! {
    #[test]
    fn no_series_of_ends_loses_or_doubles_a_line(ends in prop::collection::vec(0usize..60, 1..6)) {
        let folder = folder();
        for steps in ends {
            interruption::after(steps);
            let _ = live(folder.path());
            interruption::lift();
            look(folder.path());
        }
        live(folder.path()).unwrap();
        assert_eq!(read(folder.path()), all(&late()));
    }
}

#[test]
fn without_interruption_there_is_a_file_for_each_hour_and_one_for_late_clicks() {
    let folder = folder();
    live(folder.path()).unwrap();
    assert_whole(folder.path());
}

#[test]
fn a_line_torn_at_any_byte_is_written_again_whole() {
    let folder = folder();
    archive(folder.path(), &early(), at(0)).unwrap();
    let path = folder.path().join(".clicks-2026-11-23T09Z-abcdefghijklmnop.ndjson.part");
    let before = fs::read(&path).unwrap();
    let state = folder.path().join(".abcdefghijklmnop.state");
    let state_before = fs::read(&state).unwrap();
    let torn = line(&node(), Lane(0), 7, 7);
    for cut in 0..=torn.len() {
        fs::write(&path, [&before[..], &torn[..cut]].concat()).unwrap();
        fs::write(&state, &state_before).unwrap();
        assert_eq!(read(folder.path()), all(&early()), "a torn line is no line");
        drop(Archive::open(folder.path(), &node()).unwrap());
        assert_eq!(fs::read(&path).unwrap(), before, "it is cut off");
        archive(folder.path(), &late(), at(0)).unwrap();
        assert_eq!(read(folder.path()), all(&late()), "torn at {cut}");
    }
}

#[test]
fn a_file_is_in_the_order_of_time_whatever_the_order_of_reading() {
    let folder = folder();
    live(folder.path()).unwrap();
    for (name, lines) in finished(folder.path()) {
        let moments: Vec<_> =
            lines.iter().map(|line| Line::read(line.as_bytes()).unwrap().at).collect();
        assert!(moments.is_sorted(), "{name}: {moments:?}");
    }
}

#[test]
fn an_hour_is_finished_two_minutes_after_its_end_and_the_oldest_first() {
    let folder = folder();
    archive(folder.path(), &early(), at(61)).unwrap();
    assert!(finished(folder.path()).is_empty());
    let archive = Archive::open(folder.path(), &node()).unwrap();
    assert_eq!(archive.due(at(62), Format::Ndjson).unwrap().hour(), Hour::of(at(0)));
    assert_eq!(archive.due(at(500), Format::Ndjson).unwrap().hour(), Hour::of(at(0)));
}

#[test]
fn clicks_that_come_while_an_hour_is_being_finished_are_in_its_file() {
    let folder = folder();
    archive(folder.path(), &early(), at(0)).unwrap();
    let mut open = Archive::open(folder.path(), &node()).unwrap();
    let slow = open.due(at(70), Format::Ndjson).unwrap();
    let slow = slow.run(&AtomicBool::new(false)).unwrap();
    while let Some(stretch) = next(&open, &late(), 3) {
        open.add(&stretch).unwrap();
    }
    assert!(!open.finish(&slow).unwrap());
    assert!(finished(folder.path()).is_empty());
    drop(open);
    archive(folder.path(), &late(), at(200)).unwrap();
    assert_eq!(finished(folder.path()).len(), 3);
    assert_eq!(read(folder.path()), all(&late()));
}

#[test]
fn a_finishing_that_is_stopped_leaves_nothing_for_readers() {
    let folder = folder();
    archive(folder.path(), &early(), at(0)).unwrap();
    let open = Archive::open(folder.path(), &node()).unwrap();
    let finishing = open.due(at(70), Format::Ndjson).unwrap();
    let stopped = finishing.run(&AtomicBool::new(true)).unwrap_err();
    assert_eq!(stopped.kind(), io::ErrorKind::Interrupted);
    look(folder.path());
    assert!(finished(folder.path()).is_empty());
}

#[test]
fn a_file_that_was_taken_elsewhere_gives_its_name_to_no_other() {
    let folder = folder();
    archive(folder.path(), &early(), at(70)).unwrap();
    let taken = folder.path().join("clicks-2026-11-23T09Z-abcdefghijklmnop.ndjson.gz");
    fs::remove_file(&taken).unwrap();
    archive(folder.path(), &late(), at(70)).unwrap();
    assert!(!taken.exists());
    let second = folder.path().join("clicks-2026-11-23T09Z-abcdefghijklmnop-2.ndjson.gz");
    assert!(second.exists());
}

#[test]
fn nodes_share_a_folder_and_leave_each_others_files_alone() {
    let folder = folder();
    let other = NodeId("other00000000000".into());
    archive_of(&other, folder.path(), &early(), at(0)).unwrap();
    live(folder.path()).unwrap();
    archive_of(&other, folder.path(), &late(), at(200)).unwrap();
    assert_eq!(read(folder.path()).len(), 2 * all(&late()).len());
    assert_eq!(finished(folder.path()).len(), 7);
}

#[test]
fn files_go_when_their_hour_is_too_old_and_open_ones_stay() {
    let folder = folder();
    archive(folder.path(), &late(), at(122)).unwrap();
    let open = Archive::open(folder.path(), &node()).unwrap();
    assert_eq!(open.sweep(at(60)).unwrap(), 0);
    assert_eq!(open.sweep(at(61)).unwrap(), 1);
    assert_eq!(open.sweep(at(1_000)).unwrap(), 1);
    assert_eq!(read(folder.path()).len(), 3);
}

#[test]
fn parts_that_somebody_cut_are_told_once_and_gone_on_with() {
    let folder = folder();
    archive(folder.path(), &early(), at(0)).unwrap();
    let part = folder.path().join(".clicks-2026-11-23T09Z-abcdefghijklmnop.ndjson.part");
    let bytes = fs::read(&part).unwrap();
    fs::write(&part, &bytes[..bytes.len() - 5]).unwrap();
    let kept = bytes[..bytes.len() - 5].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let missing = Archive::open(folder.path(), &node()).unwrap().missing_bytes();
    assert_eq!(missing, (bytes.len() - kept) as u64);
    assert_eq!(Archive::open(folder.path(), &node()).unwrap().missing_bytes(), 0);
    archive(folder.path(), &late(), at(200)).unwrap();
    assert_eq!(read(folder.path()).len(), all(&late()).len() - 1);
}

#[test]
fn a_state_that_can_not_be_read_stops_the_archive_and_says_the_way_out() {
    let folder = folder();
    archive(folder.path(), &early(), at(0)).unwrap();
    let state = folder.path().join(".abcdefghijklmnop.state");
    let text = fs::read_to_string(&state).unwrap();
    let newer = text.replace("\"version\":1", "\"version\":2");
    for bad in ["", "{}", "{\"version\":", &newer] {
        fs::write(&state, bad).unwrap();
        let error = Archive::open(folder.path(), &node()).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().contains("put back a copy"), "{error}");
    }
    fs::write(&state, text).unwrap();
    live(folder.path()).unwrap();
    assert_whole(folder.path());
}

#[test]
fn a_part_that_is_gone_is_told_once_and_does_not_hold_up_the_hours_after_it() {
    let folder = folder();
    archive(folder.path(), &early(), at(0)).unwrap();
    let part = folder.path().join(".clicks-2026-11-23T09Z-abcdefghijklmnop.ndjson.part");
    let length = fs::metadata(&part).unwrap().len();
    fs::remove_file(&part).unwrap();
    assert_eq!(Archive::open(folder.path(), &node()).unwrap().missing_bytes(), length);
    assert_eq!(Archive::open(folder.path(), &node()).unwrap().missing_bytes(), 0);
    archive(folder.path(), &late(), at(200)).unwrap();
    let files = finished(folder.path());
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "clicks-2026-11-23T09Z-abcdefghijklmnop-2.ndjson.gz",
            "clicks-2026-11-23T10Z-abcdefghijklmnop.ndjson.gz",
            "clicks-2026-11-23T11Z-abcdefghijklmnop.ndjson.gz",
        ]
    );
    assert_eq!(files[names[0]].len(), 2, "the late clicks of the hour whose part is gone");
}

#[test]
fn an_empty_part_in_an_older_state_does_not_hold_up_the_hours_after_it() {
    let folder = folder();
    archive(folder.path(), &early(), at(0)).unwrap();
    let part = folder.path().join(".clicks-2026-11-23T09Z-abcdefghijklmnop.ndjson.part");
    let length = format!("\"length\":{}", fs::metadata(&part).unwrap().len());
    fs::remove_file(&part).unwrap();
    let state = folder.path().join(".abcdefghijklmnop.state");
    let text = fs::read_to_string(&state).unwrap();
    assert!(text.contains(&length), "{text}");
    fs::write(&state, text.replace(&length, "\"length\":0")).unwrap();
    archive(folder.path(), &early(), at(200)).unwrap();
    assert_eq!(finished(folder.path()).len(), 1);
}

#[test]
fn a_part_that_is_cut_while_it_is_filled_is_not_filled_up_with_nothing() {
    let folder = folder();
    let mut open = Archive::open(folder.path(), &node()).unwrap();
    open.add(&next(&open, &early(), 3).unwrap()).unwrap();
    let part = folder.path().join(".clicks-2026-11-23T09Z-abcdefghijklmnop.ndjson.part");
    fs::write(&part, "").unwrap();
    open.add(&next(&open, &early(), 9).unwrap()).unwrap_err();
    fs::remove_file(&part).unwrap();
    open.add(&next(&open, &early(), 9).unwrap()).unwrap_err();
    assert!(!part.exists());
}

#[test]
fn what_a_node_that_is_given_up_leaves_unfinished_is_exported_until_it_is_too_old() {
    let folder = folder();
    let given_up = NodeId("other00000000000".into());
    archive_of(&given_up, folder.path(), &early(), at(0)).unwrap();
    let aside = folder.path().join(".clicks-2026-11-23T09Z-other00000000000.ndjson.gz.new");
    fs::write(&aside, "").unwrap();
    let state = folder.path().join(".other00000000000.state");
    let set_age = |moment: Timestamp| {
        let state = fs::File::options().write(true).open(&state).unwrap();
        state.set_modified(moment.into()).unwrap();
    };
    set_age(at(121));
    archive(folder.path(), &early(), at(0)).unwrap();
    let open = Archive::open(folder.path(), &node()).unwrap();
    let whole = all(&early()).len();
    assert_eq!((open.sweep(at(60)).unwrap(), read(folder.path()).len()), (0, 2 * whole));
    assert_eq!(open.sweep(at(61)).unwrap(), 2);
    assert!(!aside.exists() && state.exists(), "it may add to its other part");
    assert_eq!(open.sweep(at(121)).unwrap(), 1);
    assert_eq!(read(folder.path()), all(&early()), "a node's own parts wait to be finished");
    assert_eq!((open.sweep(at(121)).unwrap(), state.exists()), (0, true));
    set_age(at(0));
    assert_eq!((open.sweep(at(121)).unwrap(), state.exists()), (0, false));
    assert!(folder.path().join(".abcdefghijklmnop.state").exists());
}
