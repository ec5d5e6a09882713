//! As many links as a dead shortener leaves: in memory that does not grow with them.

use std::fs;
use std::io::{BufWriter, Write};
use std::thread;
use std::time::Duration;

use super::importer::{Desk, Ended, importer, spawn};
use super::live::{Service, TestStore};

/// What the importer may take, in KiB: twelve batches under way, one that waits, the program.
const IMPORTER: u64 = 96 * 1024;
/// What the service may take, in KiB.
const SERVICE: u64 = 512 * 1024;

#[test]
fn memory_stays_flat_on_the_embedded_store() {
    memory_stays_flat(&TestStore::embedded(), 1_000_000);
}

// Fewer where nothing is optimised, so that nobody waits for minutes. What memory would grow with is there
// in either case: twenty batches are more than are ever held.
#[test]
fn memory_stays_flat_on_redis() {
    let lines = if cfg!(debug_assertions) { 200_000 } else { 1_000_000 };
    memory_stays_flat(&TestStore::redis(), lines);
}

fn memory_stays_flat(store: &TestStore, lines: u64) {
    let service = Service::start(&store.url());
    let desk = Desk::new();
    let path = desk.path("links.txt");
    let mut file = BufWriter::new(fs::File::create(&path).unwrap());
    for n in 0..lines {
        let site = n % 4_999;
        writeln!(
            file,
            "{n:06}|http://www.example-{site}.org/2012/01/31/story-{n}.html?utm_source=x"
        )
        .unwrap();
    }
    file.into_inner().unwrap();
    let mut child = spawn(importer(&service, &["--json", path.to_str().unwrap()]));
    let (mut most, mut of_service) = (0, 0);
    while child.try_wait().unwrap().is_none() {
        most = peak(child.id()).unwrap_or(most);
        of_service = peak(service.pid()).unwrap_or(of_service);
        thread::sleep(Duration::from_millis(20));
    }
    let ended = Ended::from(child.wait_with_output().unwrap()).expect(0);
    assert_eq!(ended.counts(), [lines, 0, 0, 0, 0]);
    let told = format!("importer {most} KiB, service {of_service} KiB");
    assert!(0 < most && most < IMPORTER, "{told}");
    assert!(0 < of_service && of_service < SERVICE, "{told}");
    for n in (0..lines).step_by(lines as usize / 20) {
        let answer = service.follow(&format!("{n:06}")).expect(302);
        assert!(answer.header("location").ends_with(&format!("story-{n}.html?utm_source=x")));
    }
}

/// The most memory that a process has had, in KiB (proc(5)); none once it has ended.
fn peak(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
