//! How the names of a breakdown are stored: the usual ones as a number.

use std::borrow::Cow;

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

/// Appends `name`: twice its number, or one more than twice its length and its bytes.
pub(super) fn put(name: &str, bytes: &mut Vec<u8>) {
    if let Some(number) = USUAL.iter().position(|usual| *usual == name) {
        put_number(2 * number as u64, bytes);
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
