//! The journal against torn tails, bad bytes, full disks, restarts and readers that run alongside.

use std::fs;
use std::path::Path;

use super::*;
use crate::model::click::{Click, Source};

const SEGMENT: u64 = 1 << 20;

fn open(folder: &Path) -> Journal {
    Journal::open(folder, SEGMENT, false).unwrap()
}

fn append(writer: &mut Writer, codes: impl IntoIterator<Item = String>) {
    for code in codes {
        writer
            .append(&Click { at_ms: 1_700_000_000_000, code: &code, source: Source::default() })
            .unwrap();
    }
}

fn codes(range: std::ops::Range<usize>) -> impl Iterator<Item = String> {
    range.map(|n| format!("code{n}"))
}

/// Everything a reader finds from where it stands.
fn rest_of(reader: &mut Reader) -> Vec<String> {
    let mut found = Vec::new();
    reader
        .read(usize::MAX, |_, entry| match entry {
            Entry::Click(click) => found.push(click.code.to_owned()),
            Entry::Lost(n) => found.push(format!("lost {n}")),
            Entry::Orphan(click) => found.push(format!("orphan {}", click.code)),
        })
        .unwrap();
    found
}

fn all(journal: &Journal) -> Vec<String> {
    journal.lanes().into_iter().flat_map(|lane| rest_of(&mut journal.reader(lane))).collect()
}

fn only_segment(folder: &Path) -> std::path::PathBuf {
    segment::list(&folder_of(folder, Lane(0))).unwrap().remove(0).path
}

#[test]
fn what_was_appended_is_read_in_order_also_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let mut writer = journal.writer().unwrap();
    append(&mut writer, codes(0..1_000));
    assert_eq!(all(&journal), codes(0..1_000).collect::<Vec<_>>());
    let node = journal.node().clone();
    drop((writer, journal));

    let journal = open(folder.path());
    assert_eq!(journal.node(), &node);
    assert_eq!(journal.counts(), Counts { clicks: 1_000, lost: 0 });
    append(&mut journal.writer().unwrap(), codes(1_000..1_010));
    assert_eq!(all(&journal), codes(0..1_010).collect::<Vec<_>>());
    assert_eq!(journal.counts().clicks, 1_010);
}

#[test]
fn a_reader_that_looked_before_the_first_click_of_a_run_finds_it() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    append(&mut journal.writer().unwrap(), codes(0..3));
    drop(journal);

    let journal = open(folder.path());
    let mut reader = journal.reader(Lane(0));
    assert_eq!(rest_of(&mut reader).len(), 3);
    let mut writer = journal.writer().unwrap();
    append(&mut writer, codes(3..5));
    assert_eq!(rest_of(&mut reader), codes(3..5).collect::<Vec<_>>());
    // The same for a lane that was given back, and for one that came to rest.
    drop(writer);
    assert!(rest_of(&mut reader).is_empty());
    let mut writer = journal.writer().unwrap();
    append(&mut writer, codes(5..6));
    writer.rest().unwrap();
    assert_eq!(rest_of(&mut reader).len(), 1);
    append(&mut writer, codes(6..8));
    assert_eq!(rest_of(&mut reader), codes(6..8).collect::<Vec<_>>());
}

#[test]
fn a_journal_has_one_process_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let second = Journal::open(folder.path(), SEGMENT, false).err().unwrap();
    assert_eq!(second.kind(), io::ErrorKind::WouldBlock);
    drop(journal);
    assert!(Journal::open(folder.path(), SEGMENT, false).is_ok());
}

#[test]
fn a_journal_that_is_closed_can_be_opened_while_programs_are_being_started() {
    let folder = tempfile::tempdir().unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Each has all open files of this process from its fork until its exec.
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                std::process::Command::new("true").status().unwrap();
            }
        });
        let opened: io::Result<()> =
            (0..100).try_for_each(|_| Journal::open(folder.path(), SEGMENT, false).map(drop));
        done.store(true, Ordering::Relaxed);
        opened.unwrap();
    });
}

#[test]
fn each_writer_has_a_lane_and_leaves_it_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let (mut a, mut b) = (journal.writer().unwrap(), journal.writer().unwrap());
    append(&mut a, codes(0..3));
    append(&mut b, codes(3..6));
    drop(a);
    let mut c = journal.writer().unwrap();
    append(&mut c, codes(6..9));
    assert_eq!(journal.lanes(), [Lane(0), Lane(1)]);
    let expected: Vec<_> = codes(0..3).chain(codes(6..9)).chain(codes(3..6)).collect();
    assert_eq!(all(&journal), expected);
}

#[test]
fn a_reader_alongside_the_writer_misses_nothing_across_segments() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), 500, false).unwrap();
    let mut writer = journal.writer().unwrap();
    let mut reader = journal.reader(Lane(0));
    let mut found = Vec::new();
    for n in 0..200 {
        append(&mut writer, codes(n..n + 1));
        if n % 7 == 0 {
            found.extend(rest_of(&mut reader));
        }
    }
    found.extend(rest_of(&mut reader));
    assert_eq!(found, codes(0..200).collect::<Vec<_>>());
    assert_eq!(reader.counts().clicks, 200);
    assert!(segment::list(&folder_of(folder.path(), Lane(0))).unwrap().len() > 5);
}

#[test]
fn any_position_can_be_returned_to_with_its_counts() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), 300, false).unwrap();
    append(&mut journal.writer().unwrap(), codes(0..60));
    let mut places = Vec::new();
    journal.reader(Lane(0)).read(usize::MAX, |place, _| places.push(place)).unwrap();
    for (n, place) in places.iter().enumerate() {
        let mut reader = journal.reader(Lane(0));
        reader.seek(*place).unwrap();
        assert_eq!(reader.counts().clicks, n as u64);
        assert_eq!(rest_of(&mut reader), codes(n..60).collect::<Vec<_>>());
    }
}

#[test]
fn a_file_cut_at_any_byte_keeps_every_record_before_the_cut() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    append(&mut journal.writer().unwrap(), codes(0..3));
    drop(journal);
    let path = only_segment(folder.path());
    let whole = fs::read(&path).unwrap();
    let record = (whole.len() - segment::HEADER as usize) / 3;
    for cut in 0..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let journal = open(folder.path());
        append(&mut journal.writer().unwrap(), ["after".to_owned()]);
        let kept = cut.saturating_sub(segment::HEADER as usize) / record;
        let expected: Vec<_> = codes(0..kept).chain(["after".to_owned()]).collect();
        assert_eq!(all(&journal), expected, "cut at {cut}");
        drop(journal);
        let later = segment::list(&folder_of(folder.path(), Lane(0))).unwrap();
        later[1..].iter().for_each(|segment| fs::remove_file(&segment.path).unwrap());
    }
}

#[test]
fn a_bad_byte_anywhere_costs_one_record_at_most() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    append(&mut journal.writer().unwrap(), codes(0..8));
    drop(journal);
    let path = only_segment(folder.path());
    let whole = fs::read(&path).unwrap();
    let _later = open(folder.path()).writer().unwrap();
    let record = (whole.len() - segment::HEADER as usize) / 8;
    for at in segment::HEADER as usize..whole.len() {
        for bit in [0x01, 0x80] {
            let mut bytes = whole.clone();
            bytes[at] ^= bit;
            fs::write(&path, &bytes).unwrap();
            let bad = (at - segment::HEADER as usize) / record;
            let expected: Vec<_> = codes(0..bad).chain(codes(bad + 1..8)).collect();
            let mut reader = Reader::new(folder_of(folder.path(), Lane(0)));
            assert_eq!(rest_of(&mut reader), expected, "byte {at}");
            assert_eq!(reader.damaged(), record as u64);
        }
    }
}

#[test]
fn what_stands_behind_damage_is_accepted_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    append(&mut journal.writer().unwrap(), codes(0..8));
    drop(journal);
    let path = only_segment(folder.path());
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let journal = open(folder.path());
    append(&mut journal.writer().unwrap(), codes(8..10));
    let mut reader = journal.reader(Lane(0));
    assert_eq!(rest_of(&mut reader).len(), 9);
    assert_eq!((reader.counts().clicks, journal.counts().clicks), (9, 9));
}

#[test]
fn zeros_left_by_a_power_failure_are_no_records() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    append(&mut journal.writer().unwrap(), codes(0..3));
    drop(journal);
    let path = only_segment(folder.path());
    let mut bytes = fs::read(&path).unwrap();
    bytes.resize(bytes.len() + 700_000, 0);
    fs::write(&path, bytes).unwrap();
    let journal = open(folder.path());
    append(&mut journal.writer().unwrap(), codes(3..5));
    assert_eq!(all(&journal), codes(0..5).collect::<Vec<_>>());
    assert_eq!(journal.counts().clicks, 5);
}

#[test]
fn damage_longer_than_a_chunk_loses_nothing_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    append(&mut journal.writer().unwrap(), codes(0..20_000));
    drop(journal);
    let path = only_segment(folder.path());
    let mut bytes = fs::read(&path).unwrap();
    let end = 300_000.min(bytes.len() - 40_000);
    bytes[10_000..end].fill(0xff);
    fs::write(&path, bytes).unwrap();
    let journal = open(folder.path());
    let found = all(&journal);
    assert_eq!(found.first().unwrap(), "code0");
    assert_eq!(found.last().unwrap(), "code19999");
    let tail: Vec<_> = found[found.len() - 1_000..].to_vec();
    assert_eq!(tail, codes(19_000..20_000).collect::<Vec<_>>());
}

#[test]
fn a_lost_tail_is_never_mistaken_for_what_comes_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    append(&mut journal.writer().unwrap(), codes(0..10));
    let mut reader = journal.reader(Lane(0));
    rest_of(&mut reader);
    let applied = reader.position();
    drop(journal);
    // The power fails: the store has counted ten, the disk remembers four.
    let path = only_segment(folder.path());
    let whole = fs::read(&path).unwrap();
    let record = (whole.len() - segment::HEADER as usize) / 10;
    fs::write(&path, &whole[..segment::HEADER as usize + 4 * record]).unwrap();
    let journal = open(folder.path());
    append(&mut journal.writer().unwrap(), codes(10..13));
    let mut reader = journal.reader(Lane(0));
    reader.seek(applied).unwrap();
    assert_eq!(rest_of(&mut reader), codes(10..13).collect::<Vec<_>>());
}

#[test]
fn only_what_lies_wholly_before_a_position_is_discarded() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), 300, false).unwrap();
    let mut writer = journal.writer().unwrap();
    append(&mut writer, codes(0..60));
    let mut reader = journal.reader(Lane(0));
    let mut places = Vec::new();
    reader.read(usize::MAX, |place, _| places.push(place)).unwrap();
    let kept = |journal: &Journal| {
        let mut reader = journal.reader(Lane(0));
        reader.seek(places[30]).unwrap();
        rest_of(&mut reader).len()
    };
    reader.discard_before(places[30]).unwrap();
    assert!(all(&journal).len() < 60);
    assert_eq!(kept(&journal), 30);
    writer.rest().unwrap();
    rest_of(&mut reader);
    reader.discard_before(reader.position()).unwrap();
    assert_eq!(all(&journal), Vec::<String>::new());
    assert_eq!(journal.counts().clicks, 60);
}

#[test]
fn a_node_keeps_its_name_and_every_start_has_a_run_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut runs = std::collections::BTreeSet::new();
    for _ in 0..5 {
        let journal = open(folder.path());
        append(&mut journal.writer().unwrap(), codes(0..1));
        let last = segment::list(&folder_of(folder.path(), Lane(0))).unwrap().pop().unwrap();
        assert!(runs.insert(last.run));
    }
    fs::write(folder.path().join("node"), "???").unwrap();
    let damaged = Journal::open(folder.path(), SEGMENT, false).err().unwrap();
    assert_eq!(damaged.kind(), io::ErrorKind::InvalidData);
}
