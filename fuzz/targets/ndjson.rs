//! Lines of JSON: each passes as it is, or with what the user puts to it, or is refused under its
//! number.

#![no_main]

use std::io::BufReader;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use slugline::service::transfer::reader::{Content, Format, Manner, Reader};

const BOM: &[u8] = b"\xef\xbb\xbf";

fuzz_target!(|file: &[u8]| {
    read(file, &Manner::default(), |text, code, line| {
        assert_eq!(text.as_bytes(), line);
        if let Some(code) = code {
            // A line that can be glanced at may be too deep to be read.
            let read = serde_json::from_str::<Value>(text);
            assert!(read.is_err() || read.is_ok_and(|value| value["code"] == code));
        }
    });
    let manner = Manner {
        prefix: "fb/".to_owned(),
        tags: vec!["old".to_owned()],
        host: Some("goo.example.net".to_owned()),
        ..Manner::default()
    };
    read(file, &manner, |text, code, _| {
        let value: Value = serde_json::from_str(text).expect("what was changed is JSON");
        let code = code.expect("only links are changed");
        assert!(code.starts_with("fb/"));
        assert_eq!(value["code"], code);
        assert_eq!(value["host"], "goo.example.net");
        let tags = value["tags"].as_array().expect("labels are a list");
        assert!(tags.iter().any(|tag| tag == "old"));
    });
});

/// Reads a file, and shows what is told of each line that passes: its text, its code, and the line.
fn read(file: &[u8], manner: &Manner, see: impl Fn(&str, Option<&str>, &[u8])) {
    let lines: Vec<&[u8]> = file.split(|byte| *byte == b'\n').collect();
    let input = BufReader::with_capacity(7, file);
    let mut reader = Reader::open(Format::Ndjson, file, input, manner)
        .expect("memory does not break")
        .expect("lines of JSON need no header");
    let mut before = 0;
    while let Some(entry) = reader.advance().expect("memory does not break") {
        let number = match &entry {
            Ok(entry) => entry.line,
            Err(refusal) => refusal.line,
        };
        // That a backup was cut off is told of its last line once more.
        assert!(number > before || (number == before && entry.is_err()));
        before = number;
        let mut line = lines[number as usize - 1];
        if number == 1 {
            line = line.strip_prefix(BOM).unwrap_or(line);
        }
        if let Ok(entry) = entry {
            let Content::Json { text, code } = entry.content else {
                panic!("a line of JSON is told as one")
            };
            see(&text, code.as_deref(), line.trim_ascii());
        }
    }
}
