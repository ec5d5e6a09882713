//! Percent-encoding in normal form (RFC 3986 §6.2.2): upper-case hex, unreserved characters in the
//! clear, nothing else touched.

/// Appends `part` of a parsed URL (path, query or fragment; ASCII) with its escapes in normal form.
///
/// Escapes of reserved characters keep their meaning (`%2F` is no `/`, `%2B` no `+`), malformed ones
/// stay as they are.
pub(super) fn append_normal(out: &mut String, part: &str) {
    let mut rest = part;
    // Where in `out` the last `%` stands that begins no escape.
    let mut stray = None;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some(byte) = escaped(rest.as_bytes()) else {
            stray = Some(out.len());
            out.push('%');
            rest = &rest[1..];
            continue;
        };
        if is_unreserved(byte) && !completes_an_escape(byte, out.as_bytes(), stray) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
        rest = &rest[3..];
    }
    out.push_str(rest);
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// RFC 3986 §2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// `%%34%31` must not become `%41`, which means something else: an escaped hex digit stays escaped
/// right behind a stray `%`, and right behind a stray `%` and one more hex digit.
fn completes_an_escape(digit: u8, out: &[u8], stray: Option<usize>) -> bool {
    digit.is_ascii_hexdigit()
        && stray.is_some_and(|at| match out[at + 1..] {
            [] => true,
            [first] => first.is_ascii_hexdigit(),
            _ => false,
        })
}

/// The byte that an escape at the start of `text` stands for.
fn escaped(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let value = digit(1)? * 16 + digit(2)?;
    u8::try_from(value).ok().filter(|_| text[0] == b'%')
}

/// `text` with all its escapes resolved; malformed ones stay.
pub(super) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if let Some(byte) = escaped(rest) {
            bytes.push(byte);
            rest = &rest[3..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normal(part: &str) -> String {
        let mut out = String::new();
        append_normal(&mut out, part);
        out
    }

    #[test]
    fn escapes_take_their_normal_form_and_nothing_else_changes() {
        for (given, expected) in [
            ("/%7Euser/%61%2d%5F", "/~user/a-_"),
            ("/a%2fb%3Fc%23d", "/a%2Fb%3Fc%23d"),
            ("q=1+1%2b1%26x", "q=1+1%2B1%26x"),
            ("%d8%b3", "%D8%B3"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
            ("%2541", "%2541"),
            ("%%34%31", "%%341"),
            ("%4%31", "%4%31"),
            ("%%7E", "%~"),
            ("%g%31", "%g1"),
        ] {
            assert_eq!(normal(given), expected, "{given}");
        }
    }

    proptest! {
        #[test]
        fn the_normal_form_means_the_same_and_stays(part in "[%0-9a-gA-G~+/é-]{0,40}") {
            let once = normal(&part);
            prop_assert_eq!(&normal(&once), &once);
            prop_assert_eq!(decoded(&once), decoded(&part));
        }
    }
}
