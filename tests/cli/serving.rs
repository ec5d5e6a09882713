//! What is looked at before the first start, what that says, and commands beside a service.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{command, slugline, text};

#[test]
fn a_check_before_the_first_start_finds_nothing_wrong_and_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let output = slugline(&["check", "--data-dir", data.to_str().unwrap()]);
    let told = text(&output.stdout);
    assert!(told.contains("OK       data folder: ") && !told.contains("problem"), "{told}");
    assert_eq!(output.status.code(), Some(0));
    assert!(!data.exists());
    let ready = slugline(&["check", "--ready", "--data-dir", data.to_str().unwrap()]);
    assert_eq!(ready.status.code(), Some(1));
    assert_eq!(text(&ready.stdout), "problem  service: not running\n");
}

#[test]
fn a_check_names_what_stands_in_the_way() {
    for (name, value, subject) in [
        ("SLUGLINE__CACHE__SIZE", "5", "configuration"),
        ("SLUGLINE__CLICKS__GEOIP_PATH", "/no/such.mmdb", "countries"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let output = command(&["check", "--json", "--data-dir", folder.path().to_str().unwrap()])
            .env(name, value)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(told["ok"], false);
        let findings = told["findings"].as_array().unwrap();
        let problems = findings.iter().filter(|finding| finding["level"] == "problem");
        assert_eq!(problems.map(|finding| &finding["subject"]).collect::<Vec<_>>(), [subject]);
    }
}

/// A service in this folder, with its first words to be read.
fn serve(folder: &Path) -> std::process::Child {
    command(&["serve", "--listen", "127.0.0.1:0"])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// What `serve` prints until it serves. It is stopped then, and must end well.
fn first_words_of_serve(folder: &Path) -> String {
    let mut serving = serve(folder);
    let mut lines = BufReader::new(serving.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut said = String::new();
    for line in lines.by_ref() {
        said.push_str(&line);
        said.push('\n');
        if line.starts_with("Slugline serves") {
            break;
        }
    }
    let pid = serving.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(serving.wait().unwrap().code(), Some(0));
    said
}

#[test]
fn the_first_start_shows_a_key_once_also_after_commands_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut shorten = command(&["shorten", "https://www.example.org/story"]);
    let shortened = shorten.current_dir(&folder).output().unwrap();
    assert!(shortened.status.success(), "{}", text(&shortened.stderr));
    let first = first_words_of_serve(folder.path());
    assert!(first.contains("admin key") && first.contains("curl -s http://127.0.0.1:"), "{first}");
    let second = first_words_of_serve(folder.path());
    assert!(!second.contains("sl_"), "{second}");
}

#[test]
fn a_start_that_fails_takes_no_key_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (name, value, told) in [
        ("BRAND__LOGO", "/nowhere/logo.svg", "brand.logo: "),
        ("CLICKS__GEOIP_PATH", "/nowhere/countries.mmdb", "clicks.geoip_path"),
        ("LISTEN", &taken, "can't listen on "),
    ] {
        let mut serve = command(&["serve"]);
        serve.env("SLUGLINE__LISTEN", "127.0.0.1:0").env(format!("SLUGLINE__{name}"), value);
        let failed = serve.current_dir(&folder).output().unwrap();
        let said = text(&failed.stderr);
        assert!(!failed.status.success() && said.contains(told), "{said}");
        assert!(!text(&failed.stdout).contains("sl_"));
    }
    let first = first_words_of_serve(folder.path());
    assert!(first.contains("admin key"), "{first}");
}

#[test]
fn files_of_the_brand_that_cannot_be_used_stop_no_command() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let mut run = command(args);
        run.env("SLUGLINE__BRAND__LOGO", "/nowhere/logo.svg");
        run.env("SLUGLINE__BRAND__TRANSLATIONS", "/nowhere/pages.toml");
        run.env("SLUGLINE__BRAND__LANGUAGE", "he");
        run.current_dir(&folder).output().unwrap()
    };
    for args in [&["key", "create", "News desk"][..], &["export", "--links-only"]] {
        let output = run(args);
        let said = text(&output.stderr);
        assert!(output.status.success() && said.contains("brand.logo: /nowhere"), "{said}");
    }
}

#[test]
fn keys_are_made_listed_and_revoked_without_a_running_service() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let output = command(args).current_dir(&folder).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    let key = run(&["key", "create", "News desk"]);
    assert!(key.starts_with("sl_"), "{key}");
    let list = run(&["key", "list"]);
    let fields: Vec<&str> = list.trim_end().split('\t').collect();
    assert_eq!((list.lines().count(), fields[1], fields[2]), (1, "News desk", "mint"), "{list}");
    run(&["key", "revoke", fields[0]]);
    assert_ne!(run(&["key", "list"]), list);
}

/// A service of one test, in its folder; stopped with it.
struct Serving(std::process::Child);

impl Serving {
    /// Starts one, and says where it listens.
    fn start(folder: &Path) -> (Self, String) {
        let mut serving = serve(folder);
        let lines = BufReader::new(serving.stdout.take().unwrap()).lines().map(Result::unwrap);
        let serving = Self(serving);
        let said = lines.into_iter().find(|line| line.starts_with("Slugline serves")).unwrap();
        let address = said.split_once(" on ").unwrap().1.split(' ').next().unwrap();
        (serving, address.to_owned())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

#[test]
fn what_readers_followed_is_shown_ranked_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let (_serving, address) = Serving::start(folder.path());
    let run = |args: &[&str]| {
        let output = command(args).current_dir(&folder).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    let article = "https://www.example.org/story";
    let short = run(&["shorten", "--tag", "politics", article]);
    let code = short.trim_end().rsplit('/').next().unwrap();
    let misprint = format!("{code}x");
    for (code, status) in [(misprint.as_str(), 404), (code, 302), (code, 302), (code, 302)] {
        let mut reader = std::net::TcpStream::connect(&address).unwrap();
        let request =
            format!("GET /{code} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        reader.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        reader.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
    let deadline = Instant::now() + Duration::from_secs(60);
    while !run(&["stats", code]).contains("total\t3\t") {
        assert!(Instant::now() < deadline, "the clicks are not counted");
    }
    for whose in [["--tag", "politics"], ["--article", article], ["--minted-by", "local000"]] {
        let told = run(&["stats", whose[0], whose[1], "--last", "2h"]);
        assert_eq!(told.lines().last().unwrap().split('\t').nth(1), Some("3"), "{whose:?}: {told}");
    }
    assert!(
        run(&["stats", "--csv"])
            .starts_with("\"start\",\"clicks\",\"people\",\"bots\",\"visitors\"\r\n")
    );
    assert!(run(&["stats", "top", "--last", "2h"]).starts_with(&format!("{code}\t3\t")));
    while run(&["stats", "orphans", "--last", "2h"]) != format!("{misprint}\tdirect\t1\n") {
        assert!(Instant::now() < deadline, "the wrong code is not counted");
    }
    let gone = run(&["stats", "delete", "--yes", code]);
    assert_eq!(gone, format!("The figures of {code}, which had 3 clicks, are deleted.\n"));
    assert!(run(&["stats", code]).ends_with("total\t0\t0\t0\t0\n"));
    assert!(run(&["stats", "--site"]).contains("total\t3\t"));
}
