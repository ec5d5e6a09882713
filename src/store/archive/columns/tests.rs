//! Parquet files against what went into them, ends of the process, and a change of mind about the
//! format.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use parquet::basic::Encoding;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use proptest::prelude::*;

use super::*;
use crate::store::archive::disk::interruption;
use crate::store::archive::line::{Kind, Line};
use crate::store::archive::tests::{
    all, archive_as, at, early, folder, late, live_as, no_twins, node, read,
};
use crate::store::archive::{Archive, Format, sources};

/// Writes lines and reads them again.
fn there_and_back(lines: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let folder = folder();
    let path = folder.path().join("x.parquet");
    let mut writer = Writer::begin(fs::File::create(&path).unwrap()).unwrap();
    lines.iter().for_each(|line| writer.write(line).unwrap());
    drop(writer.end().unwrap());
    lines_of(&path).unwrap()
}

fn lines_of(path: &Path) -> std::io::Result<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    let each = |line: &[u8]| {
        found.push(line.to_vec());
        Ok(())
    };
    super::lines(fs::File::open(path)?, each)?;
    Ok(found)
}

fn written(line: &Line<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    line.write(&mut bytes).unwrap();
    bytes
}

fn line(number: i64) -> Line<'static> {
    let bot = number % 3 == 0;
    Line {
        id: format!("n0de-0-{number}").into(),
        at: at(0) + jiff::SignedDuration::from_millis(number),
        code: format!("code{}", number % 1_000).into(),
        kind: if bot { Kind::Bot } else { Kind::Person },
        bot: bot.then(|| "preview/WhatsApp".into()),
        referrer: "google.com".into(),
        country: "DE".into(),
        browser: "Firefox".into(),
        platform: "Linux".into(),
        device: "desktop".into(),
        visitor: (number % 3 == 1).then(|| format!("{number:016x}").into()),
    }
}

prop_compose! {
    fn any_line()(
        texts in prop::array::uniform7(".{0,12}"),
        milliseconds in -62_135_596_800_000_i64..253_402_300_799_999,
        is_bot: bool,
        bot in prop::option::of(".{0,12}"),
        visitor in prop::option::of("[0-9a-f]{16}"),
    ) -> Line<'static> {
        let [id, code, referrer, country, browser, platform, device] = texts.map(Into::into);
        let at = jiff::Timestamp::from_millisecond(milliseconds).unwrap();
        let kind = if is_bot { Kind::Bot } else { Kind::Person };
        let (bot, visitor) = (bot.map(Into::into), visitor.map(Into::into));
        Line { id, at, code, kind, bot, referrer, country, browser, platform, device, visitor }
    }
}

proptest! {
    #[test]
    fn whatever_a_line_says_comes_back_byte_for_byte(
        lines in prop::collection::vec(any_line(), 0..40)
    ) {
        let lines: Vec<_> = lines.iter().map(written).collect();
        prop_assert_eq!(there_and_back(&lines), lines);
    }
}

#[test]
fn a_busy_hour_has_several_groups_and_a_repeated_text_stands_once_in_each() {
    let folder = folder();
    let path = folder.path().join("x.parquet");
    let mut writer = Writer::begin(fs::File::create(&path).unwrap()).unwrap();
    let lines: Vec<_> = (0..66_000).map(|number| written(&line(number))).collect();
    lines.iter().for_each(|line| writer.write(line).unwrap());
    drop(writer.end().unwrap());
    assert!(lines_of(&path).unwrap() == lines);

    let file = SerializedFileReader::new(fs::File::open(&path).unwrap()).unwrap();
    let groups = file.metadata().row_groups();
    let rows: Vec<_> = groups.iter().map(|group| group.num_rows()).collect();
    assert_eq!(rows, [65_536, 66_000 - 65_536]);
    for column in groups[0].columns() {
        let has_dictionary = column.encodings().any(|e| e == Encoding::RLE_DICTIONARY);
        let name = column.column_path().string();
        assert_eq!(has_dictionary, !matches!(name.as_str(), "id" | "time"), "{name}");
    }
}

#[test]
fn an_hour_without_clicks_is_a_file_too() {
    assert_eq!(there_and_back(&[]), Vec::<Vec<u8>>::new());
}

/// The files that are there for everyone.
fn names(folder: &Path) -> BTreeSet<String> {
    let names = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    names.filter(|name| !name.starts_with('.')).collect()
}

#[test]
fn a_process_that_ends_at_any_step_leaves_each_click_one_row_whatever_the_next_one_writes() {
    for (first, second) in [
        (Format::Parquet, Format::Parquet),
        (Format::Parquet, Format::Ndjson),
        (Format::Ndjson, Format::Parquet),
    ] {
        for steps in 0.. {
            let folder = folder();
            interruption::after(steps);
            let outcome = live_as(first, folder.path());
            interruption::lift();
            no_twins(&read(folder.path()));
            if outcome.is_ok() {
                assert!(steps > 50, "{steps}");
                break;
            }
            live_as(second, folder.path()).unwrap();
            assert_eq!(read(folder.path()), all(&late()), "after {steps} steps");
            let names = names(folder.path());
            let hours: BTreeSet<_> = names.iter().map(|name| name.split('.').next()).collect();
            assert_eq!((hours.len(), names.len()), (4, 4), "after {steps} steps: {names:?}");
        }
    }
}

#[test]
fn neither_late_clicks_nor_a_change_of_format_touch_a_finished_file() {
    for (first, second, [old, new]) in [
        (Format::Ndjson, Format::Parquet, ["ndjson.gz", "parquet"]),
        (Format::Parquet, Format::Ndjson, ["parquet", "ndjson.gz"]),
        (Format::Parquet, Format::Parquet, ["parquet", "parquet"]),
    ] {
        let folder = folder();
        let archive = |format, journal, now| {
            archive_as(format, &node(), folder.path(), &journal, now).unwrap();
        };
        archive(first, early(), at(70));
        let finished = format!("clicks-2026-11-23T09Z-abcdefghijklmnop.{old}");
        let before = fs::read(folder.path().join(&finished)).unwrap();
        archive(second, late(), at(200));
        let expected = [
            format!("clicks-2026-11-23T09Z-abcdefghijklmnop-2.{new}"),
            finished.clone(),
            format!("clicks-2026-11-23T10Z-abcdefghijklmnop.{new}"),
            format!("clicks-2026-11-23T11Z-abcdefghijklmnop.{new}"),
        ];
        assert_eq!(Vec::from_iter(names(folder.path())), expected);
        assert_eq!(fs::read(folder.path().join(&finished)).unwrap(), before);
        assert_eq!(read(folder.path()), all(&late()));

        // All are swept when they are too old.
        let open = Archive::open(folder.path(), &node()).unwrap();
        assert_eq!(open.sweep(at(61)).unwrap(), 2);
        assert_eq!(open.sweep(at(1_000)).unwrap(), 2);
    }
}

#[test]
fn a_file_that_was_taken_elsewhere_gives_its_name_to_no_file_of_the_other_format() {
    let folder = folder();
    archive_as(Format::Parquet, &node(), folder.path(), &early(), at(70)).unwrap();
    // As if the state had forgotten, too.
    let state = folder.path().join(".abcdefghijklmnop.state");
    fs::remove_file(state).unwrap();
    archive_as(Format::Ndjson, &node(), folder.path(), &early(), at(70)).unwrap();
    assert_eq!(
        Vec::from_iter(names(folder.path())),
        [
            "clicks-2026-11-23T09Z-abcdefghijklmnop-2.ndjson.gz",
            "clicks-2026-11-23T09Z-abcdefghijklmnop.parquet",
        ]
    );
}

#[test]
fn an_hour_with_a_line_that_can_not_be_read_stays_lines_and_none_is_left_out() {
    let folder = folder();
    archive_as(Format::Parquet, &node(), folder.path(), &early(), at(0)).unwrap();
    let part = folder.path().join(".clicks-2026-11-23T09Z-abcdefghijklmnop.ndjson.part");
    fs::OpenOptions::new().write(true).open(part).unwrap().write_all_at(b"X", 0).unwrap();
    let mut open = Archive::open(folder.path(), &node()).unwrap();
    let made = open.due(at(70), Format::Parquet).unwrap().run(&AtomicBool::new(false)).unwrap();
    assert!(!made.is_as_wanted());
    assert!(open.finish(&made).unwrap());
    assert_eq!(
        Vec::from_iter(names(folder.path())),
        ["clicks-2026-11-23T09Z-abcdefghijklmnop.ndjson.gz"]
    );
    assert_eq!(read(folder.path()).len(), all(&early()).len());
}

#[test]
fn a_file_that_is_damaged_or_somebody_elses_is_an_error_and_never_half_a_line() {
    let folder = folder();
    archive_as(Format::Parquet, &node(), folder.path(), &early(), at(70)).unwrap();
    let path = folder.path().join("clicks-2026-11-23T09Z-abcdefghijklmnop.parquet");
    let bytes = fs::read(&path).unwrap();
    for length in [0, 4, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..length]).unwrap();
        let source = &sources(folder.path()).unwrap()[0];
        let error = source.lines(|_| Ok(())).unwrap_err();
        assert!(error.to_string().contains("clicks-2026-11-23T09Z"), "{error}");
    }

    let other = parquet::schema::parser::parse_message_type("message x { REQUIRED INT64 time; }");
    let file = fs::File::create(&path).unwrap();
    let mut writer = parquet::file::writer::SerializedFileWriter::new(
        file,
        other.unwrap().into(),
        Default::default(),
    )
    .unwrap();
    writer.finish().unwrap();
    let error = lines_of(&path).unwrap_err();
    assert!(error.to_string().contains("other columns"), "{error}");
}

#[test]
fn no_flipped_bit_of_a_file_ends_the_process() {
    let folder = folder();
    archive_as(Format::Parquet, &node(), folder.path(), &early(), at(70)).unwrap();
    let path = folder.path().join("clicks-2026-11-23T09Z-abcdefghijklmnop.parquet");
    let bytes = fs::read(&path).unwrap();
    let mut refused = 0;
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x80;
        fs::write(&path, &damaged).unwrap();
        refused += usize::from(lines_of(&path).is_err());
    }
    assert!(refused > 1_000, "{refused}");
}
