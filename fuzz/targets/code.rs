//! Codes, as they stand in a request's path: reading one never panics, and what is read is written
//! the same way.

#![no_main]

use libfuzzer_sys::fuzz_target;
use slugline::model::code::{Code, MAX_CODE_LENGTH};

fuzz_target!(|text: &str| {
    let read = Code::parse(text);
    assert_eq!(read.is_ok(), Code::check(text).is_ok());
    if let Ok(code) = read {
        assert_eq!(code.as_str(), text);
        assert!((1..=MAX_CODE_LENGTH).contains(&text.len()));
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
    }
    for narrower in [Code::custom(text), Code::imported(text)].into_iter().flatten() {
        assert_eq!(Code::parse(text).as_ref(), Ok(&narrower));
    }
});
