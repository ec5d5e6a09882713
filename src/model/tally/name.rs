//! How the names of a breakdown are stored: the usual ones as a number.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use super::{BadTally, put_number, take_bytes, take_number};

/// The longest name, in bytes; longer ones are cut.
const MAX_LENGTH: usize = 255;

/// The usual names. Their place is their number in the store: new ones are added at the end, and
/// the first 64 take one byte.
const USUAL: [&str; 64] = [
    "unknown",
    "direct",
    "phone",
    "tablet",
    "desktop",
    "other",
    "Chrome",
    "Chrome Mobile",
    "Chrome Mobile WebView",
    "Chrome Mobile iOS",
    "Safari",
    "Mobile Safari",
    "Mobile Safari UI/WKWebView",
    "Firefox",
    "Firefox Mobile",
    "Firefox iOS",
    "Edge",
    "Edge Mobile",
    "Opera",
    "Opera Mobile",
    "Samsung Internet",
    "Facebook",
    "Instagram",
    "Google",
    "Apple Mail",
    "DuckDuckGo Mobile",
    "Yandex Browser",
    "MiuiBrowser",
    "WhatsApp",
    "Windows",
    "Mac OS X",
    "iOS",
    "Android",
    "Linux",
    "Ubuntu",
    "Chrome OS",
    "google.com",
    "facebook.com",
    "x.com",
    "instagram.com",
    "linkedin.com",
    "reddit.com",
    "bing.com",
    "news.google.com",
    "youtube.com",
    "duckduckgo.com",
    "telegram.org",
    "whatsapp.com",
    "US",
    "GB",
    "DE",
    "FR",
    "ES",
    "IT",
    "NL",
    "PL",
    "CA",
    "AU",
    "BR",
    "MX",
    "IN",
    "JP",
    "UA",
    "RU",
];

/// The number of each usual name: every row that is stored asks for many.
static NUMBERS: LazyLock<HashMap<&str, u64>> =
    LazyLock::new(|| USUAL.into_iter().zip(0..).collect());

/// Appends `name`: twice its number, or one more than twice its length and its bytes.
pub(super) fn put(name: &str, bytes: &mut Vec<u8>) {
    if let Some(number) = NUMBERS.get(name) {
        put_number(2 * number, bytes);
        return;
    }
    put_number(2 * name.len() as u64 + 1, bytes);
    bytes.extend(name.as_bytes());
}

/// Takes a name from the beginning of `bytes`.
pub(super) fn take<'a>(bytes: &mut &'a [u8]) -> Result<Cow<'a, str>, BadTally> {
    let bad = BadTally("a name");
    let head = take_number(bytes)?;
    if head % 2 == 0 {
        let number = usize::try_from(head / 2).map_err(|_| bad)?;
        return USUAL.get(number).map(|name| Cow::Borrowed(*name)).ok_or(bad);
    }
    let text = take_bytes(bytes, head / 2)?;
    std::str::from_utf8(text).map(Cow::Borrowed).map_err(|_| bad)
}

/// The name as it is counted: at most [`MAX_LENGTH`] bytes.
pub(super) fn cut(name: &str) -> &str {
    let mut end = name.len().min(MAX_LENGTH);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stored(name: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        put(name, &mut bytes);
        bytes
    }

    #[test]
    fn the_numbers_of_usual_names_are_what_they_always_were() {
        // Whoever changes the order changes what every store says. New names go to the end.
        let first = USUAL[..64].join("\n");
        assert_eq!(crc32fast::hash(first.as_bytes()), 847_392_797);
        for (number, name) in [(0, "unknown"), (1, "direct"), (29, "Windows"), (63, "RU")] {
            assert_eq!(USUAL[number], name);
            assert_eq!(stored(name), [2 * number as u8]);
        }
    }

    #[test]
    fn every_usual_name_is_there_once_and_read_from_its_number() {
        for (number, name) in USUAL.iter().enumerate() {
            assert_eq!(USUAL.iter().position(|other| other == name), Some(number));
            assert_eq!(take(&mut stored(name).as_slice()).unwrap(), *name);
        }
        let beyond = 2 * USUAL.len() as u64;
        let mut bytes = Vec::new();
        put_number(beyond, &mut bytes);
        assert_eq!(take(&mut bytes.as_slice()), Err(BadTally("a name")));
    }

    #[test]
    fn a_long_name_is_cut_where_a_character_ends() {
        assert_eq!(cut(&"a".repeat(300)).len(), 255);
        assert_eq!(cut(&"ä".repeat(300)), "ä".repeat(127));
        assert_eq!(cut("short"), "short");
    }

    proptest! {
        #[test]
        fn names_are_read_as_they_were_written(name: String, more: Vec<u8>) {
            let mut bytes = stored(&name);
            bytes.extend(&more);
            let mut rest = bytes.as_slice();
            prop_assert_eq!(take(&mut rest).unwrap(), name);
            prop_assert_eq!(rest, more);
        }

        #[test]
        fn damaged_bytes_are_refused_or_read_but_never_panic(bytes: Vec<u8>) {
            if let Ok(name) = take(&mut bytes.as_slice()) {
                prop_assert!(name.len() <= bytes.len().max(255));
            }
        }
    }
}
