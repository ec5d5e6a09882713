//! Moving out and in again on the command line, with no service running.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::live::{Service, TestStore};
use super::{fill, until_counted};

fn slugline(folder: &Path, store: &str, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slugline"));
    command.args(args).args(["--public-url", "https://go.example.org", "--store", store]);
    command.arg("--data-dir").arg(folder).env_clear().output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&*output.stdout, &*output.stderr].concat()).into_owned()
}

#[test]
fn what_is_exported_and_imported_is_exported_again_byte_by_byte() {
    for (from, into) in
        [(TestStore::embedded(), TestStore::embedded()), (TestStore::redis(), TestStore::redis())]
    {
        let mut service =
            Service::start_with(&from.url(), &[("PUBLIC_URL", "https://go.example.org")]);
        fill(&service);
        until_counted(&service);
        service.terminate();
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let saved =
            slugline(service.data_dir(), &from.url(), &["export", "--output", &file("one.ndjson")]);
        assert!(saved.status.success(), "{}", said(&saved));
        let data = folder.path().join("data");
        let restored = slugline(&data, &into.url(), &["import", &file("one.ndjson")]);
        assert!(restored.status.success(), "{}", said(&restored));
        let again = slugline(&data, &into.url(), &["export", "--output", &file("two.ndjson")]);
        assert!(again.status.success(), "{}", said(&again));
        let read = |name: &str| fs::read_to_string(file(name)).unwrap();
        assert_eq!(read("two.ndjson"), read("one.ndjson"));
        assert!(!folder.path().join("one.ndjson.part").exists());

        // One that was cut off is told, whatever could be read of it.
        let cut = read("one.ndjson").lines().take(20).collect::<Vec<_>>().join("\n");
        fs::write(file("cut.ndjson"), cut).unwrap();
        let told = slugline(&data, &into.url(), &["import", &file("cut.ndjson")]);
        assert_eq!(told.status.code(), Some(3), "{}", said(&told));
        assert!(said(&told).contains("the export ends here without its last line"));
    }
}
