//! The command line, as a shell sees it: output, errors, exit codes.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod serving;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use std::thread::JoinHandle;

/// Runs the program in an environment of its own.
fn slugline(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slugline"));
    command.args(args).env_clear().stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What the service would answer to each request, in order; gives back what it was asked.
struct Script {
    url: String,
    asked: JoinHandle<Vec<String>>,
}

impl Script {
    fn of(answers: Vec<(u16, &'static str)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = std::thread::spawn(move || {
            answers.into_iter().map(|answer| Self::exchange(&listener, answer)).collect()
        });
        Self { url, asked }
    }

    /// One request and its answer on a connection of its own: the first line, the key, the body.
    fn exchange(listener: &TcpListener, (status, body): (u16, &str)) -> String {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            match line.trim() {
                "" => break,
                line => head.push(line.to_owned()),
            }
        }
        let header = |name: &str| {
            let found = head.iter().find_map(|line| {
                let (key, value) = line.split_once(": ")?;
                key.eq_ignore_ascii_case(name).then(|| value.to_owned())
            });
            found.unwrap_or_default()
        };
        let mut sent = vec![0; header("content-length").parse().unwrap_or(0)];
        reader.read_exact(&mut sent).unwrap();
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        stream.write_all(answer.as_bytes()).unwrap();
        let request = head[0].trim_end_matches(" HTTP/1.1");
        format!("{request} {} {}", header("authorization"), text(&sent))
    }
}

#[test]
fn a_refused_configuration_ends_with_one_and_one_error() {
    let output = slugline(&["serve", "--store", "mysql://x"]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(error.starts_with("error: `store.url` must be empty for "), "{error}");
    assert!(error.ends_with("not \"mysql://x\" (flag --store)\n"), "{error}");
    assert_eq!(error.lines().count(), 1);
}

#[test]
fn wrong_usage_ends_with_two() {
    for args in [
        &["shorten"][..],
        &["mint"],
        &["shorten", "--code", "x", "a", "b"],
        &["stats", "8yDbrB", "--site"],
        &["stats", "--last", "7d", "--from", "2026-11-01"],
        &["stats", "--last", "7d", "top"],
        &["stats", "8yDbrB", "--json", "--csv"],
    ] {
        assert_eq!(slugline(args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn every_command_teaches_by_example() {
    for name in ["serve", "shorten", "stats", "import", "key", "check", "config", "completions"] {
        let help = text(&slugline(&["help", name]).stdout);
        assert!(help.contains("Examples:\n  slugline "), "{help}");
    }
}

#[test]
fn the_default_configuration_can_be_printed_and_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slugline.toml");
    std::fs::write(&path, slugline(&["config", "--default"]).stdout).unwrap();
    let output = slugline(&["config", "--config", path.to_str().unwrap(), "--workers", "2"]);
    let shown = text(&output.stdout);
    assert!(shown.contains("workers = 2 # flag --workers\n"), "{shown}");
    assert!(shown.contains("slugline.toml, line "), "{shown}");
}

#[test]
fn a_short_url_is_all_that_shorten_prints() {
    let answer = r#"{"code":"8yDbrB","short_url":"https://go.example.org/8yDbrB"}"#;
    let script = Script::of(vec![(201, answer)]);
    let wish = ["--tag", "politics", "--host", "goo.example.net", "https://example.org/a"];
    let args = [&["shorten", "--server", &*script.url][..], &wish].concat();
    let output = command(&args).env("SLUGLINE_KEY", "sl_0123456789").output().unwrap();
    assert_eq!(text(&output.stdout), "https://go.example.org/8yDbrB\n");
    assert_eq!(
        script.asked.join().unwrap(),
        [concat!(
            "POST /api/v1/links Bearer sl_0123456789 ",
            r#"{"host":"goo.example.net","tags":["politics"],"url":"https://example.org/a"}"#
        )]
    );
}

#[test]
fn each_line_of_output_belongs_to_a_line_of_input() {
    let answer = r#"{"results":[
        {"status":201,"link":{"short_url":"https://go.example.org/1"}},
        {"status":422,"problem":{"title":"t","status":422,"detail":"no address","field":"url"}},
        {"status":200,"link":{"short_url":"https://go.example.org/3"}}]}"#;
    let script = Script::of(vec![(200, answer)]);
    let mut child = command(&["shorten", "--server", &script.url, "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"https://a/\n\n  nonsense\nhttps://c/").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stdout), "https://go.example.org/1\n\nhttps://go.example.org/3\n");
    assert_eq!(
        text(&output.stderr),
        "2: nonsense: no address (field `url`)\nerror: 1 of 3 addresses were refused\n"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_problem_is_told_in_the_words_of_the_service() {
    let problem = r#"{"type":"about:blank","title":"Unauthorized","status":401,
        "detail":"this needs a key"}"#;
    let script = Script::of(vec![(401, problem), (502, "<html>")]);
    let output = slugline(&["stats", "8yDbrB", "--server", &script.url]);
    let told = "error: this needs a key; give a key with SLUGLINE_KEY or --key\n";
    assert_eq!(text(&output.stderr), told);
    let output = slugline(&["stats", "8yDbrB", "--server", &script.url]);
    let told = text(&output.stderr);
    assert!(told.contains("answered 502 Bad Gateway, but not as Slugline does"), "{told}");
    assert_eq!(script.asked.join().unwrap()[0], "GET /api/v1/links/8yDbrB/stats  ");
}

#[test]
fn a_batch_is_sent_again_when_the_store_was_away() {
    let away = r#"{"type":"about:blank","title":"t","status":503,"detail":"the store is away"}"#;
    let answer =
        r#"{"imported":1,"existing":0,"replaced":0,"conflicts":[],"refused":[],"stopped":false}"#;
    let script = Script::of(vec![(503, away), (200, answer)]);
    let args = ["import", "--on-conflict", "replace", "--server", &script.url, "-"];
    let mut child = command(&args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"a|http://e.org/\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stderr), "note: the store is away; trying again\n");
    assert_eq!(output.status.code(), Some(0));
    let asked = concat!(
        "POST /api/v1/import?on_conflict=replace&dry_run=false  ",
        "{\"code\":\"a\",\"target\":\"http://e.org/\"}\n"
    );
    assert_eq!(script.asked.join().unwrap(), [asked, asked]);
}

#[test]
fn an_import_that_is_not_allowed_says_so_and_is_not_tried_again() {
    let problem = r#"{"type":"about:blank","title":"t","status":403,"detail":"needs admin"}"#;
    let script = Script::of(vec![(403, problem)]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    std::fs::write(&path, "a|http://e.org/\n").unwrap();
    let output = slugline(&["import", "--server", &script.url, path.to_str().unwrap()]);
    let told = text(&output.stderr);
    assert!(
        told.starts_with("error: the import stopped; nothing is known to be done yet"),
        "{told}"
    );
    assert!(told.ends_with(": needs admin\n"), "{told}");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()));
    assert_eq!(script.asked.join().unwrap().len(), 1);
}

/// Figures as the service tells them.
const FIGURES: &str = r#"{"from":"2026-11-22T00:00:00Z","to":"2026-11-24T00:00:00Z","by":"day",
    "tz":"UTC","total":{"clicks":3,"people":2,"bots":1,"visitors":2},"series":[
    {"start":"2026-11-22T00:00:00Z","clicks":1,"people":1,"bots":0,"visitors":1},
    {"start":"2026-11-23T00:00:00Z","clicks":2,"people":1,"bots":1,"visitors":1}],
    "breakdowns":{"referrers":[{"id":"direct","clicks":3}]},"codes":["8yDbrB"]}"#;

/// What the service tells of unknown codes.
const ORPHANS: &str = r#"{"from":"2026-11-22T00:00:00Z","to":"2026-11-24T00:00:00Z","by":"day",
    "tz":"UTC","total":{"clicks":3,"people":2,"bots":1,"visitors":2},"series":[],
    "breakdowns":{"referrers":[]},"codes":[{"id":"8yDbrb","clicks":3}],
    "hits":[{"code":"8yDbrb","referrer":"direct","clicks":3}]}"#;

#[test]
fn figures_go_down_a_pipe_as_plain_columns() {
    let script = Script::of(vec![(200, FIGURES), (200, FIGURES)]);
    let link = ["stats", "https://go.example.org/8yDbrB", "--server", &script.url];
    assert_eq!(
        text(&slugline(&link).stdout),
        "2026-11-22T00:00:00Z\t1\t1\t0\t1\n2026-11-23T00:00:00Z\t2\t1\t1\t1\ntotal\t3\t2\t1\t2\n"
    );
    let json = slugline(&[&link[..], &["--json"]].concat());
    let told: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(told, serde_json::from_str::<serde_json::Value>(FIGURES).unwrap());
}

#[test]
fn a_spreadsheet_gets_the_table_that_the_service_makes() {
    let problem = r#"{"type":"about:blank","title":"t","status":400,"detail":"no such table",
        "field":"table"}"#;
    let script =
        Script::of(vec![(200, "start,clicks\r\n"), (200, "id,clicks\r\n"), (400, problem)]);
    let link = ["stats", "8yDbrB", "--server", &script.url];
    let csv = |flag| slugline(&[&link[..], &[flag]].concat());
    assert_eq!(text(&csv("--csv").stdout), "start,clicks\r\n");
    assert_eq!(text(&csv("--csv=referrers").stdout), "id,clicks\r\n");
    assert_eq!(text(&csv("--csv=x").stderr), "error: no such table\n");
    let asked = ["series", "referrers", "x"]
        .map(|table| format!("GET /api/v1/links/8yDbrB/stats?format=csv&table={table}  "));
    assert_eq!(script.asked.join().unwrap(), asked);
}

#[test]
fn figures_are_asked_of_whom_they_are_about() {
    let asked = [
        (
            &["--article", "https://a.org/?a=b"][..],
            "targets/stats?url=https%3A%2F%2Fa.org%2F%3Fa%3Db",
        ),
        (&["--tag", "a b", "--last", "7d"], "tags/a%20b/stats?last=7d"),
        (&["--minted-by", "abcdefgh"], "keys/abcdefgh/stats"),
        (&["--site", "--by", "week", "--compare"], "stats?by=week&compare=previous"),
        (&[], "stats"),
        (&["orphans", "--limit", "3"], "stats/orphans?limit=3"),
        (&["--", "orphans"], "links/orphans/stats"),
        (&["top", "--by", "people", "--last", "2h"], "stats/top?last=2h&by=people"),
    ];
    let top = r#"{"from":"2026-11-22T00:00:00Z","to":"2026-11-24T00:00:00Z","items":[]}"#;
    let answer = |target: &str| match target.split('?').next() {
        Some("stats/top") => (200, top),
        Some("stats/orphans") => (200, ORPHANS),
        _ => (200, FIGURES),
    };
    let script = Script::of(asked.iter().map(|(_, target)| answer(target)).collect());
    for (args, _) in asked {
        let all = [&["stats"][..], args].concat();
        let output = command(&all).env("SLUGLINE_SERVER", &script.url).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    }
    let expected = asked.map(|(_, target)| format!("GET /api/v1/{target}  "));
    assert_eq!(script.asked.join().unwrap(), expected);
}

#[test]
fn a_ranking_can_be_cut_into_columns() {
    let answer = r#"{"from":"2026-11-22T00:00:00Z","to":"2026-11-24T00:00:00Z","items":[
        {"code":"8yDbrB","short_url":"https://go.example.org/8yDbrB","target":"https://a.org/",
        "clicks":3,"people":2,"bots":1,"visitors":2}]}"#;
    let script = Script::of(vec![(200, answer)]);
    let output = slugline(&["stats", "top", "--server", &script.url]);
    assert_eq!(text(&output.stdout), "8yDbrB\t3\t2\t1\t2\thttps://a.org/\n");
}

#[test]
fn figures_are_not_deleted_by_mistake() {
    let refused = slugline(&["stats", "delete", "8yDbrB", "--server", "http://127.0.0.1:1"]);
    let told = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{told}");
    assert!(told.contains("--yes"), "{told}");
    let script = Script::of(vec![(200, r#"{"code":"8yDbrB","deleted_clicks":12345}"#), (204, "")]);
    let delete = ["stats", "delete", "--yes", "8yDbrB", "--server", &script.url];
    let told = text(&slugline(&delete).stdout);
    let expected = "The figures of 8yDbrB, which had 12\u{202f}345 clicks, are deleted.\n";
    assert_eq!(told, expected);
    assert_eq!(text(&slugline(&delete).stdout), "The figures of 8yDbrB are deleted.\n");
    let once = "DELETE /api/v1/links/8yDbrB/stats  ";
    assert_eq!(script.asked.join().unwrap(), [once, once]);
}

#[test]
fn a_new_key_can_be_caught_in_a_variable() {
    let answer = r#"{"id":"abcdefgh","name":"CMS","scopes":["mint","read"],"key":"sl_new"}"#;
    let script = Script::of(vec![(201, answer)]);
    let args = ["key", "create", "CMS", "--scope", "mint", "--scope", "read"];
    let output = slugline(&[&args[..], &["--server", &script.url]].concat());
    assert_eq!(text(&output.stdout), "sl_new\n");
    assert!(text(&output.stderr).contains("shown this once"));
    assert_eq!(
        script.asked.join().unwrap(),
        [r#"POST /api/v1/keys  {"name":"CMS","scopes":["mint","read"]}"#]
    );
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let output = slugline(&["key", "list", "--server", "http://127.0.0.1:1"]);
    let told = text(&output.stderr);
    assert!(
        told.starts_with("error: can't reach http://127.0.0.1:1: Connection refused"),
        "{told}"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn an_export_that_breaks_off_leaves_no_file() {
    let head = "{\"type\":\"slugline\",\"version\":1,\"public_url\":\"x\",\"links_only\":true}\n";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup.ndjson");
    for body in ["", head] {
        let script = Script::of(vec![(200, body)]);
        let args = ["export", "--server", &script.url, "--output", file.to_str().unwrap()];
        let output = slugline(&args);
        assert_eq!(output.status.code(), Some(1));
        let error = text(&output.stderr);
        assert!(error.starts_with("error: the export is not whole: it ended without"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(script.asked.join().unwrap()[0].starts_with("GET /api/v1/export?format=ndjson"));
    }
    let output = slugline(&["export", "--format", "csv", "--links-only"]);
    assert!(text(&output.stderr).starts_with("error: --links-only goes with --format ndjson"));
}
