//! BEACON: each line of a file, whatever bytes it is made of, is a link with a target that fits into a
//! header, or is refused under its number, or says nothing.

#![no_main]

use std::io::BufReader;

use libfuzzer_sys::fuzz_target;
use slugline::model::target::Target;
use slugline::service::transfer::reader::{Content, Format, MAX_LINE, Manner, Reader};

const BOM: &[u8] = b"\xef\xbb\xbf";

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    // A line that is too long is skipped, and those around it are read.
    if let [first @ b'x'..=b'z', rest @ ..] = bytes {
        check(&[&vec![*first; 2 * MAX_LINE], rest, b"\n", bytes].concat());
    }
});

fn check(file: &[u8]) {
    let manner = Manner::default();
    let input = BufReader::with_capacity(7, file);
    let mut reader = Reader::open(Format::Beacon, file, input, &manner)
        .expect("memory does not break")
        .expect("BEACON needs no header");
    let mut advance = || reader.advance().expect("memory does not break");
    let mut told = advance();
    for (number, line) in (1..).zip(file.split(|byte| *byte == b'\n')) {
        let line = text(number, line);
        let bar = line.iter().position(|byte| *byte == b'|');
        match &told {
            Some(Ok(entry)) if entry.line == number => {
                let Content::Link(link) = &entry.content else { panic!("a link is told as one") };
                let bar = bar.expect("a link has a bar");
                assert!(line.len() <= MAX_LINE);
                assert!(link.target.is_ascii());
                assert_eq!(link.target, Target::verbatim(&line[bar + 1..]).as_str());
            }
            Some(Err(refusal)) if refusal.line == number => {
                assert!(bar.is_none() || line.len() > MAX_LINE);
            }
            _ => {
                assert!(line.starts_with(b"#") || line.trim_ascii().is_empty());
                continue;
            }
        }
        told = advance();
    }
    assert!(told.is_none(), "nothing is told of lines that are not there: {told:?}");
}

/// What stands in a line.
fn text(number: u64, line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let rest = line.strip_prefix(BOM);
    rest.filter(|rest| number == 1 || rest.starts_with(b"#")).unwrap_or(line)
}
