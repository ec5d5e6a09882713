//! The archive as Parquet files, read by DuckDB and by the program itself.

use super::*;

const ALL: [&str; 11] = [
    "id", "time", "code", "kind", "bot", "referrer", "country", "browser", "platform", "device",
    "visitor",
];

#[test]
fn each_click_is_one_row_says_a_reader_that_is_not_ours() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clicks");
    let settings = [
        ("CLICKS__ARCHIVE", path.to_str().unwrap()),
        ("CLICKS__ARCHIVE_FORMAT", "parquet"),
        ("CLICKS__KEEP_APPLIED", "1s"),
    ];
    let mut service = Service::start_with("", &settings);
    let codes = service.mint_many(6);
    let mut random = Random::new();
    let readers = Readers::start(service.port(), &codes, 4, &mut random);
    for _ in 0..3 {
        readers.wait_for(random.within(50..200));
        service.kill();
        service.restart();
    }
    readers.wait_for(100);
    let seen = readers.stop();
    let clicks = counted(&service);
    assert!(clicks >= seen.acknowledged() && seen.acknowledged() > 100);
    until("the archive to catch up", || exported(&path) == clicks);
    let open = export(&path, &[]);

    assert!(service.terminate().success());
    finish(&service, &path, Format::Parquet);
    let files = format!("'{}/*.parquet'", path.display());
    let rows = duckdb(&format!("select count(*), count(distinct id) from {files}"));
    assert_eq!(rows, [[json!(clicks), json!(clicks)]]);
    assert_seen(&files, &codes, &seen);
    // The same lines, byte for byte, as before there was a Parquet file.
    assert!(export(&path, &[]) == open);

    // And the service goes on from there.
    service.restart();
    service.follow(&codes[0]).expect(302);
    until("the late click to be archived", || exported(&path) == clicks + 1);
}

#[test]
fn columns_have_the_types_and_values_of_the_lines() {
    let folder = some_archive_as(Format::Parquet);
    let files = format!("{}/*.parquet", folder.path().display());
    let rows = duckdb(&format!("describe select * from '{files}'"));
    let column = |name| match name {
        "time" => (name, "TIMESTAMP WITH TIME ZONE"),
        name => (name, "VARCHAR"),
    };
    let found: Vec<_> =
        rows.iter().map(|row| (row[0].as_str().unwrap(), row[1].as_str().unwrap())).collect();
    assert_eq!(found, ALL.map(column));

    let ask = "select code, epoch_ms(time), kind, bot, visitor from";
    let rows = duckdb(&format!("{ask} '{files}' order by time limit 2"));
    let row =
        |code, at| vec![json!(code), at, json!("bot"), json!("preview/WhatsApp"), json!(null)];
    let row = |code, at: &str| row(code, json!(at.parse::<Timestamp>().unwrap().as_millisecond()));
    assert_eq!(rows, [row("a", "2026-11-22T23:59:59.999Z"), row("b", "2026-11-23T09:00:00Z")]);

    // Without nulls where there is always something.
    let rows = duckdb(&format!(
        "select name from parquet_schema('{files}') \
         where repetition_type = 'OPTIONAL' group by name order by name"
    ));
    assert_eq!(rows.iter().map(|row| row[0].clone()).collect::<Vec<_>>(), ["bot", "visitor"]);
}

#[test]
fn an_export_is_the_same_whatever_the_format_of_the_files() {
    let (lines, columns) = (some_archive(), some_archive_as(Format::Parquet));
    let windows: [&[&str]; 4] = [
        &[],
        &["--from", "2026-11-23", "--to", "2026-11-24"],
        &["--from", "2026-11-23T09:10:00.500Z", "--code", "b"],
        &["--format", "csv"],
    ];
    for args in windows {
        let expected = export(lines.path(), args);
        assert_eq!(export(columns.path(), args), expected, "{args:?}");
        assert!(!expected.is_empty());
    }
}

#[test]
fn files_of_both_formats_in_one_folder_are_one_archive() {
    let (lines, columns) = (some_archive(), some_archive_as(Format::Parquet));
    let expected = export(lines.path(), &[]);
    // Half of the hours as they would be after a change of the setting.
    let file = "clicks-2026-11-23T09Z-node000000000000";
    fs::remove_file(lines.path().join(format!("{file}.ndjson.gz"))).unwrap();
    let parquet = format!("{file}.parquet");
    fs::copy(columns.path().join(&parquet), lines.path().join(&parquet)).unwrap();
    assert_eq!(export(lines.path(), &[]), expected);
}
