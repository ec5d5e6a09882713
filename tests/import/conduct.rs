//! How an import behaves: again, only on trial, in conflict, with bad files.

use std::fs;

use serde_json::{Value, json};

use super::importer::{Desk, beacon, import, many, xz, zip};
use super::live::Service;

fn leads_to(service: &Service, code: &str) -> String {
    service.follow(code).expect(302).header("location").to_owned()
}

#[test]
fn a_second_run_changes_nothing() {
    let service = Service::start("");
    let desk = Desk::new();
    let path = desk.put("a.txt.xz", &xz(&beacon(&many(300))));
    let first = import(&service, &["--json", &path]).expect(0);
    assert_eq!(first.counts(), [300, 0, 0, 0, 0]);
    let before = service.get("/api/v1/links?limit=1000");
    let second = import(&service, &["--json", &path]).expect(0);
    assert_eq!(second.counts(), [0, 300, 0, 0, 0]);
    assert_eq!(service.get("/api/v1/links?limit=1000"), before);
}

#[test]
fn a_dry_run_changes_nothing_and_says_what_would_be() {
    let service = Service::start("");
    let desk = Desk::new();
    let path = desk.put("a.txt", b"a|http://e.org/1\na|http://e.org/2\n?|http://e.org/\nno bar\n");
    let ended = import(&service, &["--json", "--dry-run", &path]).expect(3);
    assert_eq!(ended.counts(), [1, 0, 0, 1, 2]);
    service.follow("a").expect(404);
    assert_eq!(service.get("/api/v1/links")["items"], json!([]));
    let told = import(&service, &["--dry-run", &path]).expect(3).output;
    assert!(told.starts_with("dry run: nothing was changed"), "{told}");
    let ended = import(&service, &["--json", &path]).expect(3);
    assert_eq!(ended.counts(), [1, 0, 0, 1, 2]);
}

#[test]
fn a_code_that_leads_elsewhere_is_kept_replaced_or_stops_the_import() {
    let service = Service::start("");
    let desk = Desk::new();
    let old = desk.put("old.txt", b"a|http://e.org/old\n");
    let new = desk.put("new.txt", b"x|http://e.org/x\na|http://e.org/new\ny|http://e.org/y\n");
    import(&service, &[&old]).expect(0);

    let ended = import(&service, &["--json", "--on-conflict", "fail", &new]).expect(3);
    assert_eq!(ended.counts(), [1, 0, 0, 1, 0]);
    assert!(ended.output.contains("\"stopped\":true"), "{ended:?}");
    service.follow("y").expect(404);

    let ended = import(&service, &["--json", &new]).expect(3);
    assert_eq!(ended.counts(), [1, 1, 0, 1, 0]);
    assert_eq!(leads_to(&service, "a"), "http://e.org/old");

    let ended = import(&service, &["--json", "--on-conflict", "replace", &new]).expect(0);
    assert_eq!(ended.counts(), [0, 2, 1, 0, 0]);
    assert_eq!(leads_to(&service, "a"), "http://e.org/new");
}

#[test]
fn of_lines_with_one_code_the_first_counts_however_far_apart_they_are() {
    let service = Service::start("");
    let desk = Desk::new();
    let mut links = many(21_000);
    for at in [5, 9_000, 15_000, 20_500] {
        links[at] = ("twice".to_owned(), format!("http://e.org/{at}").into_bytes());
    }
    let path = desk.put("a.txt", &beacon(&links));
    let report = desk.path("left-out.ndjson");
    let ended =
        import(&service, &["--json", &path, "--report", report.to_str().unwrap()]).expect(3);
    assert_eq!(ended.counts(), [20_997, 0, 0, 3, 0]);
    assert_eq!(leads_to(&service, "twice"), "http://e.org/5");
    let written = fs::read_to_string(report).unwrap();
    let rows: Vec<Value> =
        written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // The head has five lines.
    let expected = [9_006, 15_006, 20_506].map(|line| {
        json!({"file": path, "line": line, "code": "twice", "outcome": "conflict",
               "reason": "the code leads to http://e.org/5"})
    });
    assert_eq!(rows, expected);
    let ended = import(&service, &["--json", "--on-conflict", "replace", &path]).expect(0);
    // The first line is as it was; each of the three others takes the place of the one before.
    assert_eq!(ended.counts(), [0, 20_997, 3, 0, 0]);
    assert_eq!(leads_to(&service, "twice"), "http://e.org/20500");
}

#[test]
fn every_line_that_was_left_out_stands_in_the_report_in_order() {
    let service = Service::start("");
    let desk = Desk::new();
    let text = desk.put("a.txt", b"a|http://e.org/\nno bar\n=x|http://e.org/\nb|ftp://e.org/\n");
    let page = desk.put("b.html", b"<html>");
    let archive =
        desk.put("c.zip", &zip(&[("README", b"words"), ("c.txt", b"c|http://e.org/c\n")]));
    let report = desk.path("left-out.csv");
    let args = ["--report", report.to_str().unwrap(), &text, &page, &archive];
    let ended = import(&service, &args).expect(3);
    assert!(ended.output.contains("imported                   2\n"), "{}", ended.output);
    assert!(ended.output.contains(&format!("\nrefused:\n  {text}, line 2: there is no bar")));
    let written = fs::read_to_string(report).unwrap();
    let rows: Vec<_> = written.lines().map(|row| row.split(',').collect::<Vec<_>>()).collect();
    assert_eq!(rows[0], ["\"file\"", "\"line\"", "\"code\"", "\"outcome\"", "\"reason\""]);
    let quoted = |text: &str| format!("\"{text}\"");
    let read_me = format!("{archive}/README");
    let expected = [(&text, "2", ""), (&text, "3", "'=x"), (&text, "4", "b"), (&page, "1", "")];
    let expected = expected.into_iter().chain([(&read_me, "1", "")]);
    assert_eq!(rows.len(), 6, "{written}");
    for (row, (file, line, code)) in rows[1..].iter().zip(expected) {
        assert_eq!(row[..3], [quoted(file), line.to_owned(), quoted(code)], "{written}");
    }
    assert_eq!(leads_to(&service, "c"), "http://e.org/c");
}

#[test]
fn a_file_that_is_cut_off_is_imported_as_far_as_it_goes_and_told() {
    let service = Service::start("");
    let desk = Desk::new();
    let whole = xz(&beacon(&many(30_000)));
    let path = desk.put("a.txt.xz", &whole[..whole.len() - whole.len() / 8]);
    let ended = import(&service, &["--json", &path]).expect(1);
    assert!(ended.notes.contains("a.txt.xz breaks off or is damaged after line "), "{ended:?}");
    assert!(ended.counts()[0] > 1_000, "{ended:?}");
    service.follow("00000").expect(302);
    for (name, why) in [("gone.txt", "gone.txt can't be read"), ("", "is a folder")] {
        let path = desk.path(name);
        let ended = import(&service, &[path.to_str().unwrap()]).expect(1);
        assert!(ended.notes.contains(why), "{ended:?}");
    }
}

#[test]
fn nothing_needs_to_run_for_an_import() {
    let service = Service::prepare("", &[]);
    let desk = Desk::new();
    let path = desk.put("a.txt", b"a|http://e.org/\n");
    let data = service.data_dir().to_str().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_slugline"));
    command.env_clear().args(["import", &path, "--data-dir", data]);
    assert_eq!(command.status().unwrap().code(), Some(0));
    let mut service = service;
    service.run();
    service.wait_until_live();
    assert_eq!(leads_to(&service, "a"), "http://e.org/");
}

#[test]
fn our_own_lines_of_json_keep_all_that_they_say() {
    let service = Service::start("");
    let desk = Desk::new();
    let line = json!({
        "type": "link", "code": "a", "target": "http://e.org/?utm_source=x", "title": "T",
        "tags": ["b"], "created_at": "2012-01-31T08:00:00.500Z", "redirect": 301,
        "expires_at": "2013-01-31T08:00:00Z", "baseline": {"clicks": 7, "at": "2014-01-31T08:00:00Z"}
    });
    let path = desk.put("a.ndjson", format!("{line}\n").as_bytes());
    import(&service, &[&path]).expect(0);
    import(&service, &[&path, "--prefix", "old/", "--tag", "c"]).expect(0);
    for (code, tags) in [("a", json!(["b"])), ("old/a", json!(["b", "c"]))] {
        let link = service.get(&format!("/api/v1/links/{}", code.replace('/', "%2F")));
        assert_eq!(link["code"], code, "{link}");
        assert_eq!((&link["title"], &link["tags"]), (&json!("T"), &tags));
        assert_eq!((&link["redirect"], &link["state"]), (&json!(301), &json!("expired")));
        assert_eq!(link["imported"], json!({"clicks": 7, "at": "2014-01-31T08:00:00.000Z"}));
    }
}
