//! An import that is cut off: run again, nothing is missing and nothing is there twice.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Child, Command};

use super::importer::{Desk, Ended, beacon, import, importer, many, spawn};
use super::live::{Service, TestStore, over_each_store, until};

over_each_store! {
    an_importer_that_was_killed_goes_on_where_it_was
    a_service_that_was_killed_misses_nothing
}

/// Links in a file: five batches, more than are ever under way.
const LINKS: usize = 45_000;

/// An importer that has sent its first batch, and waits for the end of the second.
fn midway(service: &Service, file: &[u8]) -> Child {
    let mut child = spawn(importer(service, &["-"]));
    let lines: Vec<_> = file.split_inclusive(|byte| *byte == b'\n').take(15_000).collect();
    child.stdin.as_mut().unwrap().write_all(&lines.concat()).unwrap();
    until("the first batch", || service.follow("00000").status == 302);
    child
}

/// Runs the same import to its end and looks at every link there is.
fn assert_run_again_makes_it_whole(service: &Service, desk: &Desk, file: &[u8]) {
    let path = desk.put("links.txt", file);
    let again = import(service, &["--json", &path]).expect(0).counts();
    assert_eq!(again[0] + again[1], LINKS as u64);
    assert!(again[0] > 0, "it was cut off, so something was missing");
    let third = import(service, &["--json", &path]).expect(0).counts();
    assert_eq!(third, [0, LINKS as u64, 0, 0, 0]);
    let (mut seen, mut listed, mut place) = (BTreeSet::new(), 0, String::new());
    loop {
        let page = service.get(&format!("/api/v1/links?limit=1000{place}"));
        let links = page["items"].as_array().unwrap();
        listed += links.len();
        seen.extend(links.iter().map(|link| link["code"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(cursor) => place = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!((listed, seen.len()), (LINKS, LINKS));
    for (code, target) in many(LINKS).into_iter().step_by(997) {
        let answer = service.follow(&code).expect(302);
        assert_eq!(answer.header("location").as_bytes(), target, "{code}");
    }
}

fn an_importer_that_was_killed_goes_on_where_it_was(store: TestStore) {
    let service = Service::start(&store.url());
    let file = beacon(&many(LINKS));
    let mut child = midway(&service, &file);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_run_again_makes_it_whole(&service, &Desk::new(), &file);
}

fn a_service_that_was_killed_misses_nothing(store: TestStore) {
    let mut service = Service::start(&store.url());
    let file = beacon(&many(LINKS));
    let desk = Desk::new();
    let path = desk.put("links.txt", &file);
    let child = spawn(importer(&service, &[&path]));
    // The next batches are under way. Each look asks for another of the first batch's codes: that one
    // was not there, is remembered for a moment.
    let mut codes = many(10_000).into_iter().map(|(code, _)| code);
    until("a link", || service.follow(&codes.next().unwrap()).status == 302);
    service.kill();
    let ended = Ended::from(child.wait_with_output().unwrap()).expect(1);
    assert!(ended.notes.contains("; trying again\n"), "{ended:?}");
    assert!(ended.notes.contains("run the same command again to go on"), "{ended:?}");
    service.restart();
    service.wait_until_ready();
    assert_run_again_makes_it_whole(&service, &desk, &file);
}

#[test]
fn ctrl_c_says_where_it_stands() {
    let service = Service::start("");
    let file = beacon(&many(LINKS));
    let mut child = midway(&service, &file);
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    // It stays open: it is not its end that ends the import.
    let _input = child.stdin.take();
    let ended = Ended::from(child.wait_with_output().unwrap()).expect(130);
    assert!(ended.notes.contains("interrupted; "), "{ended:?}");
    assert!(ended.notes.contains("run the same command again to go on"), "{ended:?}");
    assert_run_again_makes_it_whole(&service, &Desk::new(), &file);
}
