//! Addresses, as publishers paste and archives hold them: the canonical form is its own canonical
//! form, and what is imported byte for byte fits into a header.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use slugline::model::canonical::{Canonicalizer, Settings};
use slugline::model::target::{MAX_TARGET_LENGTH, Target};

static CANONICAL: LazyLock<Canonicalizer> = LazyLock::new(|| {
    Canonicalizer::new(&Settings::default()).expect("the built-in table is sound")
});

fuzz_target!(|bytes: &[u8]| {
    let verbatim = Target::verbatim(bytes);
    assert!(verbatim.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
    assert_eq!(Target::verbatim(verbatim.as_str().as_bytes()), verbatim);
    check(verbatim.as_str());
    if let Ok(text) = std::str::from_utf8(bytes) {
        check(text);
    }
});

fn check(text: &str) {
    let article = CANONICAL.article(text);
    let Ok(addresses) = CANONICAL.addresses(text) else {
        assert!(article.is_err());
        return;
    };
    assert_eq!(article.as_ref(), Ok(&addresses.article));
    for address in [&addresses.article, &addresses.landing] {
        let text = address.as_str();
        assert!(text.len() <= MAX_TARGET_LENGTH && text.is_ascii());
        assert!(text.starts_with("http://") || text.starts_with("https://"));
        let again = CANONICAL.addresses(text).expect("a normal form can be read");
        assert_eq!(again.article, addresses.article);
        assert_eq!(again.landing, *address);
    }
}
