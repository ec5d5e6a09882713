//! The archive, as an analyst meets it: every click that got its redirect is in it exactly once,
//! whatever is killed meanwhile, says a reader that is not ours (DuckDB); and `slugline clicks export`
//! writes what it is asked for.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may fail, and says what it skips"
)]

#[path = "support/live/mod.rs"]
mod live;
#[cfg(feature = "parquet")]
#[path = "archive/parquet.rs"]
mod parquet;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::AtomicBool;

use jiff::{SignedDuration, Timestamp};
use live::{Random, Readers, Seen, Service, TinyDisk, until};
use serde_json::{Value, json};
use slugline::model::click::{Click, Source, Visit, Who};
use slugline::store::archive::{Archive, Format, Hour, Line, Mark, Stretch};
use slugline::store::{Lane, NodeId, Position};

/// Puts a question to DuckDB and gives back the rows of its answer.
fn duckdb(question: &str) -> Vec<Vec<Value>> {
    const PROGRAM: &str = "import duckdb, json, sys; \
        print(json.dumps([list(row) for row in duckdb.sql(sys.argv[1]).fetchall()], default=str))";
    let libraries = concat!(env!("CARGO_MANIFEST_DIR"), "/target/python");
    let mut python = Command::new("python3");
    python.args(["-c", PROGRAM, question]).env("PYTHONPATH", libraries);
    let output = python.output();
    assert!(output.is_ok(), "python3 is missing: install it, then run `make duckdb`");
    let output = output.unwrap();
    let told = text(&output.stderr);
    assert!(!told.contains("No module named 'duckdb'"), "DuckDB is missing: run `make duckdb`");
    assert!(output.status.success(), "{question}\n{told}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Runs `slugline clicks export` over a folder.
fn export(folder: &Path, args: &[&str]) -> String {
    let output = slugline(folder, args);
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

fn slugline(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slugline"));
    command.args(["clicks", "export", "--archive"]).arg(folder).args(args).env_clear();
    command.output().unwrap()
}

/// How many clicks a reader finds now; none of them twice.
fn exported(folder: &Path) -> u64 {
    let lines = export(folder, &[]);
    let mut ids = BTreeSet::new();
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let id = line["id"].as_str().unwrap().to_owned();
        assert!(ids.insert(id), "twice: {line}");
    }
    ids.len() as u64
}

/// What the audit says is counted, once nothing is pending.
fn counted(service: &Service) -> u64 {
    let told = || service.get("/api/v1/audit")["total"].clone();
    until("everything to be counted", || told()["pending"] == 0);
    told()["counted"].as_u64().unwrap()
}

fn metric(service: &Service, name: &str) -> f64 {
    let page = service.connect().ask("GET", "/-/metrics").unwrap().text().to_owned();
    let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("{name} is not in {page}")).parse().unwrap()
}

/// Finishes the hours of a service that has stopped, as it does itself when they are over.
fn finish(service: &Service, folder: &Path, format: Format) {
    let identity = fs::read_to_string(service.data_dir().join("journal/node")).unwrap();
    let node = NodeId(identity.split(' ').next().unwrap().to_owned());
    let mut archive = Archive::open(folder, &node).unwrap();
    let later = Timestamp::now() + SignedDuration::from_hours(3);
    finish_all(&mut archive, later, format);
}

fn finish_all(archive: &mut Archive, now: Timestamp, format: Format) {
    while let Some(finishing) = archive.due(now, format) {
        let made = finishing.run(&AtomicBool::new(false)).unwrap();
        assert!(archive.finish(&made).unwrap());
    }
}

/// Each link's clicks, as DuckDB counts them, against what its readers saw.
fn assert_seen(files: &str, codes: &[String], seen: &Seen) {
    let rows = duckdb(&format!("select code, count(*) from {files} group by code"));
    for code in codes {
        let clicks =
            rows.iter().find(|row| row[0] == **code).map_or(0, |row| row[1].as_u64().unwrap());
        let sure = seen.acknowledged.get(code).copied().unwrap_or_default();
        let most = sure + seen.unknown.get(code).copied().unwrap_or_default();
        assert!((sure..=most).contains(&clicks), "{code}: {clicks}, not {sure} to {most}");
    }
}

#[test]
fn each_click_is_in_the_archive_once_whatever_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clicks");
    // What is counted leaves the journal as soon as it may: after a second.
    let settings = [("CLICKS__ARCHIVE", path.to_str().unwrap()), ("CLICKS__KEEP_APPLIED", "1s")];
    let mut service = Service::start_with("", &settings);
    let codes = service.mint_many(6);
    let mut random = Random::new();
    let readers = Readers::start(service.port(), &codes, 4, &mut random);
    for _ in 0..15 {
        readers.wait_for(random.within(1..300));
        service.kill();
        // Nobody who looks while the service lies dead sees a click twice.
        if path.is_dir() {
            exported(&path);
        }
        service.restart();
    }
    readers.wait_for(200);
    let seen = readers.stop();
    let clicks = counted(&service);
    assert!(clicks >= seen.acknowledged() && seen.acknowledged() > 200);
    until("the archive to catch up", || exported(&path) == clicks);
    assert_eq!(metric(&service, "slugline_archive_missing_total"), 0.0);
    assert_eq!(metric(&service, "slugline_archive_failures_total"), 0.0);
    assert!(metric(&service, "slugline_archive_caught_up_timestamp_seconds") > 1.7e9);

    // Exported beside the running service.
    for (format, reader) in [("ndjson", "read_ndjson"), ("csv", "read_csv")] {
        let file = folder.path().join(format!("all.{format}"));
        let said = export(&path, &["--format", format, "--output", file.to_str().unwrap()]);
        assert_eq!(said, "");
        let file = file.display();
        let rows = duckdb(&format!("select count(*), count(distinct id) from {reader}('{file}')"));
        assert_eq!(rows, [[json!(clicks), json!(clicks)]], "{format}");
    }

    // The files as they are made when their hour is over.
    assert!(service.terminate().success());
    finish(&service, &path, Format::Ndjson);
    let files = format!("read_ndjson('{}/*.ndjson.gz')", path.display());
    let rows = duckdb(&format!(
        "select count(*), count(distinct id), min(time) >= timestamp '2026-01-01', \
         count(*) filter (kind in ('person', 'bot')) from {files}"
    ));
    assert_eq!(rows, [[json!(clicks), json!(clicks), json!(true), json!(clicks)]]);
    assert_seen(&files, &codes, &seen);
    assert_eq!(exported(&path), clicks);

    // And the service goes on from there.
    service.restart();
    service.follow(&codes[0]).expect(302);
    until("the late click to be archived", || exported(&path) == clicks + 1);
}

#[test]
fn a_full_disk_stops_the_archive_and_not_the_counting() {
    let Some(disk) = TinyDisk::mount() else {
        println!("skipped: this user may not mount a file system");
        return;
    };
    let path = disk.path().join("clicks");
    let service = Service::start_with("", &[("CLICKS__ARCHIVE", path.to_str().unwrap())]);
    let codes = service.mint_many(2);
    let click = |times: usize| {
        let mut connection = service.connect();
        for n in 0..times {
            connection.ask("GET", &format!("/{}", codes[n % 2])).unwrap().expect(302);
        }
    };
    click(50);
    until("the archive to begin", || path.is_dir() && exported(&path) == 50);
    let ballast = disk.path().join("ballast");
    // As much as fits.
    drop(fs::write(&ballast, vec![0; 1 << 20]));
    click(200);
    assert_eq!(counted(&service), 250);
    until("the disk to refuse", || metric(&service, "slugline_archive_failures_total") > 0.0);
    assert!(exported(&path) < 250);
    fs::remove_file(&ballast).unwrap();
    until("the archive to catch up", || exported(&path) == 250);
    assert_eq!(counted(&service), 250);
    let log = service.log();
    assert_eq!(
        log.matches("clicks can't be archived; they wait in the journal").count(),
        1,
        "{log}"
    );
    assert!(log.contains("clicks are archived again"), "{log}");
    drop(service);
}

#[test]
fn check_looks_at_the_archives_folder_too() {
    let folder = tempfile::tempdir().unwrap();
    let check = |archive: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_slugline"));
        command.arg("check").env_clear().env("SLUGLINE__DATA_DIR", folder.path().join("data"));
        text(&command.env("SLUGLINE__CLICKS__ARCHIVE", archive).output().unwrap().stdout)
    };
    let told = check(&folder.path().join("clicks"));
    assert!(told.contains("archive: ") && told.contains("will be made"), "{told}");
    let told = check(Path::new("/proc/clicks"));
    assert!(told.contains("problem  archive: /proc can't be written to"), "{told}");
}

/// An archive of two nodes: clicks at these moments.
fn archive_of(folder: &Path, format: Format, clicks: &[(&str, &str, &str)]) {
    for node in ["node000000000000", "node111111111111"] {
        let id = NodeId(node.to_owned());
        let mut archive = Archive::open(folder, &id).unwrap();
        let mut stretch = Stretch::default();
        let wanted = clicks.iter().filter(|(of, _, _)| node.starts_with(of));
        for (place, (_, at, code)) in (1..).zip(wanted) {
            let at: Timestamp = at.parse().unwrap();
            let name = || "unknown".into();
            let visit = Visit {
                who: Who::Bot("preview/WhatsApp".into()),
                referrer: "=SUM(1,2)".into(),
                country: name(),
                browser: name(),
                platform: name(),
                device: name(),
            };
            let click = Click { at_ms: at.as_millisecond(), code, source: Source::default() };
            let lines = stretch.hours.entry(Hour::of(at)).or_default();
            let line = Line::of((&id, Lane(0), Position(place)), &click, &visit);
            line.write(&mut lines.bytes).unwrap();
            lines.count += 1;
            stretch.marks.insert(Lane(0), Mark { position: Position(place + 1), clicks: place });
        }
        archive.add(&stretch).unwrap();
        let over = "2026-11-23T12:00:00Z".parse().unwrap();
        finish_all(&mut archive, over, format);
    }
}

/// Over midnight, over nodes, in finished hours and an open one.
fn some_archive() -> tempfile::TempDir {
    some_archive_as(Format::Ndjson)
}

fn some_archive_as(format: Format) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    archive_of(
        folder.path(),
        format,
        &[
            ("node0", "2026-11-22T23:59:59.999Z", "a"),
            ("node0", "2026-11-23T09:30:00Z", "c"),
            ("node0", "2026-11-23T09:00:00Z", "b"),
            ("node1", "2026-11-23T09:10:00.5Z", "b"),
            ("node1", "2026-11-23T12:30:00Z", "d"),
            ("node1", "2026-11-23T23:00:00Z", "a"),
        ],
    );
    folder
}

fn codes_of(lines: &str) -> Vec<String> {
    let code = |line| serde_json::from_str::<Value>(line).unwrap()["code"].as_str().unwrap().into();
    lines.lines().map(code).collect()
}

#[test]
fn an_export_holds_the_window_of_all_nodes_in_the_order_of_hours() {
    let folder = some_archive();
    let of = |args: &[&str]| codes_of(&export(folder.path(), args)).concat();
    assert_eq!(of(&[]), "abcbda");
    assert_eq!(of(&["--from", "2026-11-23", "--to", "2026-11-24"]), "bcbda");
    let prague = ["--tz", "Europe/Prague"];
    assert_eq!(
        of(&[&["--from", "2026-11-23", "--to", "2026-11-24"], &prague[..]].concat()),
        "abcbd"
    );
    assert_eq!(of(&["--to", "2026-11-23T09:10:00.500Z"]), "ab");
    assert_eq!(of(&["--from", "2026-11-23T09:10:00.500Z", "--code", "b"]), "b");
    assert_eq!(of(&["--from", "2027-01-01"]), "");
}

#[test]
fn an_exported_line_is_the_line_of_the_archive_and_csv_runs_no_formula() {
    let folder = some_archive();
    let line = export(folder.path(), &["--to", "2026-11-23"]);
    assert_eq!(
        line,
        "{\"id\":\"node000000000000-0-1\",\"time\":\"2026-11-22T23:59:59.999Z\",\"code\":\"a\",\
         \"kind\":\"bot\",\"bot\":\"preview/WhatsApp\",\"referrer\":\"=SUM(1,2)\",\
         \"country\":\"unknown\",\"browser\":\"unknown\",\"platform\":\"unknown\",\
         \"device\":\"unknown\",\"visitor\":null}\n"
    );
    let rows = export(folder.path(), &["--to", "2026-11-23", "--format", "csv"]);
    assert_eq!(
        rows,
        "\"id\",\"time\",\"code\",\"kind\",\"bot\",\"referrer\",\"country\",\"browser\",\
         \"platform\",\"device\",\"visitor\"\n\"node000000000000-0-1\",\
         \"2026-11-22T23:59:59.999Z\",\"a\",\"bot\",\"preview/WhatsApp\",\"'=SUM(1,2)\",\
         \"unknown\",\"unknown\",\"unknown\",\"unknown\",\"\"\n"
    );
}

#[test]
fn an_export_that_can_not_be_made_says_the_way_out() {
    let program = env!("CARGO_BIN_EXE_slugline");
    let none = Command::new(program).args(["clicks", "export"]).env_clear().output().unwrap();
    assert_eq!(none.status.code(), Some(1));
    assert!(text(&none.stderr).contains("set clicks.archive to a folder"), "{none:?}");

    let folder = some_archive();
    let refused = |args: &[&str], why: &str| {
        let output = slugline(folder.path(), args);
        assert!(!output.status.success() && output.stdout.is_empty(), "{args:?}");
        assert!(text(&output.stderr).contains(why), "{}", text(&output.stderr));
    };
    refused(&["--from", "yesterday"], "--from \"yesterday\" is no time; write 2026-11-23");
    refused(&["--tz", "Mars"], "--tz \"Mars\" is no IANA time zone");
    refused(&["--from", "2026-11-23", "--to", "2026-11-23"], "--to must be after --from");
    refused(&["--output", "/nowhere/at/all"], "/nowhere/at/all can't be written");
    let elsewhere = slugline(&folder.path().join("none"), &[]);
    assert!(text(&elsewhere.stderr).contains("there is no folder"), "{elsewhere:?}");
}

#[test]
fn a_damaged_file_is_named_and_a_copied_folder_needs_no_service() {
    let folder = some_archive();
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    assert_eq!(export(copy.path(), &[]), export(folder.path(), &[]));
    let file = copy.path().join("clicks-2026-11-23T09Z-node000000000000.ndjson.gz");
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let output = slugline(copy.path(), &[]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.contains("clicks-2026-11-23T09Z-node000000000000.ndjson.gz"), "{told}");
}

#[test]
#[cfg(not(feature = "parquet"))]
fn a_program_without_parquet_names_the_file_and_says_how_to_get_it() {
    let folder = some_archive();
    let file = "clicks-2026-11-23T10Z-node000000000000.parquet";
    fs::write(folder.path().join(file), "").unwrap();
    let output = slugline(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(1));
    // Before anything is written, rather than after half of it.
    assert!(output.stdout.is_empty());
    let told = text(&output.stderr);
    assert!(told.contains(file), "{told}");
    assert!(told.contains("cargo build --release --features parquet"), "{told}");
    // What lies outside the window is not in the way.
    assert_eq!(codes_of(&export(folder.path(), &["--to", "2026-11-23T10:00:00Z"])).len(), 4);

    let mut command = Command::new(env!("CARGO_BIN_EXE_slugline"));
    command.arg("serve").env_clear().env("SLUGLINE__DATA_DIR", folder.path().join("data"));
    let output = command.env("SLUGLINE__CLICKS__ARCHIVE_FORMAT", "parquet").output().unwrap();
    assert!(!output.status.success());
    let told = text(&output.stderr);
    assert!(told.contains("clicks.archive_format"), "{told}");
    assert!(told.contains("cargo build --release --features parquet"), "{told}");
}
