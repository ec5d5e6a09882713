//! CSV, with a header of its own and below one of ours: each record is a link with a target that fits
//! into a header of HTTP, or is refused under the number of a line of the file.

#![no_main]

use std::io::BufReader;

use libfuzzer_sys::fuzz_target;
use slugline::service::transfer::reader::{Content, Format, HEAD, MAX_LINE, Manner, Reader};

const HEADER: &[u8] = b"code,target,state,expires_at,redirect,host,tags,clicks,imported_clicks\n";

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    assert!(check(&[HEADER, bytes].concat()), "our own columns are known");
    // A record that is too long is skipped in memory that does not grow.
    if let [first @ b'x'..=b'z', rest @ ..] = bytes {
        check(&[HEADER, &vec![*first; 2 * MAX_LINE], rest, b"\n", bytes].concat());
    }
});

/// Whether the header is known.
fn check(file: &[u8]) -> bool {
    let manner = Manner::default();
    let input = BufReader::with_capacity(7, file);
    let head = &file[..file.len().min(HEAD)];
    let opened = Reader::open(Format::Csv, head, input, &manner).expect("memory does not break");
    let mut reader = match opened {
        Ok(reader) => reader,
        Err(refusal) => {
            assert!(refusal.line >= 1);
            return false;
        }
    };
    let last = 1 + file.iter().filter(|byte| **byte == b'\n').count() as u64;
    let mut before = 1;
    while let Some(entry) = reader.advance().expect("memory does not break") {
        let line = match entry {
            Err(refusal) => {
                assert!(!refusal.reason.is_empty());
                refusal.line
            }
            Ok(entry) => {
                let Content::Link(link) = entry.content else { panic!("a link is told as one") };
                assert!(link.target.is_ascii());
                // Each byte is written as three at most.
                assert!(link.target.len() <= 3 * MAX_LINE && link.code.len() <= 3 * MAX_LINE);
                assert!(link.baseline.is_none_or(|there| there.clicks > 0));
                entry.line
            }
        };
        // Records that end with a carriage return alone begin in one line.
        assert!((before..=last).contains(&line), "{before} <= {line} <= {last}");
        before = line;
    }
    true
}
