//! Countries by header and by database, and a database that is renewed while it is used.

use std::fs;

use tempfile::TempDir;

use super::mmdb::Value::{self, Map, Text};
use super::*;

const NOON: i64 = 1_795_435_200;

/// So many seconds after the start.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOON + seconds).unwrap()
}

/// As MaxMind writes a country.
fn nested(code: &'static str) -> Value {
    Map(vec![
        ("continent", Map(vec![("code", Text("EU"))])),
        (
            "country",
            Map(vec![("names", Map(vec![("en", Text("Somewhere"))])), ("iso_code", Text(code))]),
        ),
    ])
}

fn flat(code: &'static str) -> Value {
    Map(vec![("country_code", Text(code))])
}

/// A folder with a database of these networks in it.
fn folder_with(entries: &[mmdb::Entry]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("countries.mmdb");
    fs::write(&path, mmdb::write(entries)).unwrap();
    (folder, path)
}

/// Puts another file in the place of `path`, as whoever renews it does.
fn replace(path: &Path, bytes: &[u8]) {
    let aside = path.with_extension("new");
    fs::write(&aside, bytes).unwrap();
    fs::rename(aside, path).unwrap();
}

fn of(countries: &mut Countries, address: &str) -> String {
    let address = Some(address.parse().unwrap());
    countries.name(&Source { address, ..Source::default() }).to_string()
}

#[test]
fn countries_are_found_in_each_shape_of_database() {
    for shape in [nested, flat, |code| Map(vec![("country", Text(code)), ("asn", Text("AS1"))])] {
        let (_folder, path) = folder_with(&[
            ("198.51.100.0/24", shape("FR")),
            ("203.0.113.0/25", shape("DE")),
            ("2001:db8:1::/48", shape("BR")),
            ("192.0.2.0/24", shape("??")),
        ]);
        let mut countries = Countries::open(&path, at(0)).unwrap();
        for (address, expected) in [
            ("198.51.100.7", "FR"),
            ("203.0.113.127", "DE"),
            ("203.0.113.128", "unknown"),
            ("2001:db8:1::7", "BR"),
            ("2001:db8:2::7", "unknown"),
            ("192.0.2.1", "unknown"),
            ("10.0.0.1", "unknown"),
        ] {
            assert_eq!(of(&mut countries, address), expected, "{address}");
        }
    }
}

#[test]
fn what_the_edge_says_comes_first() {
    let (_folder, path) = folder_with(&[("198.51.100.0/24", nested("FR"))]);
    let mut countries = Countries::open(&path, at(0)).unwrap();
    let address = Some("198.51.100.7".parse().unwrap());
    for (country, address, expected) in [
        (Some(*b"DE"), address, "DE"),
        (None, address, "FR"),
        (Some(*b"DE"), None, "DE"),
        (None, None, "unknown"),
    ] {
        let source = Source { country, address, ..Source::default() };
        assert_eq!(&*countries.name(&source), expected);
    }
    let mut without = Countries::new();
    assert_eq!(of(&mut without, "198.51.100.7"), "unknown");
    let said = Source { country: Some(*b"DE"), ..Source::default() };
    assert_eq!(&*without.name(&said), "DE");
}

#[test]
fn a_new_database_is_taken_up_while_the_old_one_is_used() {
    let (_folder, path) = folder_with(&[("198.51.100.0/24", nested("FR"))]);
    let mut countries = Countries::open(&path, at(0)).unwrap();
    replace(&path, &mmdb::write(&[("198.51.100.0/24", flat("DE"))]));
    countries.refresh(at(9));
    assert_eq!(of(&mut countries, "198.51.100.7"), "FR", "it is not looked at all the time");
    countries.refresh(at(10));
    assert_eq!(of(&mut countries, "198.51.100.7"), "DE");
}

#[test]
fn a_broken_or_missing_database_leaves_the_old_one_in_use_until_a_good_one_comes() {
    let (_folder, path) = folder_with(&[("198.51.100.0/24", nested("FR"))]);
    let mut countries = Countries::open(&path, at(0)).unwrap();
    let whole = mmdb::write(&[("198.51.100.0/24", nested("DE"))]);
    let ownerships = mmdb::write(&[("198.51.100.0/24", Map(vec![("asn", Text("AS1"))]))]);
    let bad = [b"junk".as_slice(), &whole[..whole.len() - 60], b"", &ownerships];
    for (n, bytes) in (1..).zip(bad) {
        replace(&path, bytes);
        countries.refresh(at(100 * n));
        assert_eq!(of(&mut countries, "198.51.100.7"), "FR", "{n}");
    }
    fs::remove_file(&path).unwrap();
    countries.refresh(at(1_000));
    assert_eq!(of(&mut countries, "198.51.100.7"), "FR");
    replace(&path, &whole);
    countries.refresh(at(1_100));
    assert_eq!(of(&mut countries, "198.51.100.7"), "DE");
}

#[test]
fn a_broken_database_is_tried_once() {
    let (_folder, path) = folder_with(&[("198.51.100.0/24", nested("FR"))]);
    let mut countries = Countries::open(&path, at(0)).unwrap();
    replace(&path, b"junk");
    let mut said = Vec::new();
    for seconds in [10, 20, 30] {
        said.push(countries.database.as_mut().unwrap().refresh(at(seconds)));
    }
    assert_eq!(said, [Refresh::Refused, Refresh::Same, Refresh::Same]);
}

#[test]
fn a_database_that_cannot_be_used_is_refused_at_the_start() {
    let (folder, path) = folder_with(&[("198.51.100.0/24", Map(vec![("asn", Text("AS1"))]))]);
    let refusal = |path: &Path| Countries::open(path, at(0)).map(drop).unwrap_err();
    assert!(matches!(refusal(&path), BadDatabase::NoCountries { .. }));
    fs::write(&path, "junk").unwrap();
    assert!(matches!(refusal(&path), BadDatabase::Broken { .. }));
    let missing = folder.path().join("missing.mmdb");
    assert!(matches!(refusal(&missing), BadDatabase::Unreadable { .. }));
    assert!(refusal(&missing).to_string().contains("missing.mmdb can't be read"));
}
