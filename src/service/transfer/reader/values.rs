//! What cells of CSV say: times, numbers, labels, states, texts.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::model::link::{MAX_TITLE_LENGTH, Redirect};
use crate::service::transfer::line::StateLine;

/// The text of bytes that are UTF-8, or else taken for Latin-1, in which every byte is a character.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text.trim()),
        Err(_) => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
    }
}

/// A title on one line, cut where titles end: what a page calls itself has any length.
pub(super) fn title(text: &str) -> Option<String> {
    let words: Vec<_> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let line = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let cut: String = line.chars().take(MAX_TITLE_LENGTH).collect();
    Some(cut).filter(|title| !title.is_empty())
}

/// Labels: a list in JSON, or separated by bars, semicolons or commas, the first of these that is there.
pub(super) fn tags(text: &str) -> Vec<String> {
    if text.starts_with('[')
        && let Ok(tags) = serde_json::from_str(text)
    {
        return tags;
    }
    let separator = ['|', ';', ','].into_iter().find(|separator| text.contains(*separator));
    let labels = text.split(separator.unwrap_or(','));
    labels.map(str::trim).filter(|label| !label.is_empty()).map(str::to_owned).collect()
}

/// A number of clicks, maybe with its thousands set apart.
pub(super) fn clicks(text: &str) -> Option<u64> {
    let digits: String = text.chars().filter(|c| !matches!(c, ',' | '\'' | ' ' | '_')).collect();
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// What a code is without the apostrophe that keeps a spreadsheet from taking it for a formula
/// ([`crate::model::sheet::harmless`]): no code has one of its own.
pub(super) fn marked(code: &str) -> &str {
    let rest = code.strip_prefix('\'');
    rest.filter(|rest| rest.starts_with(['=', '+', '-', '@'])).unwrap_or(code)
}

/// What was decided about a link: our own names of it, or whether it was put aside, in the ways in
/// which databases write yes and no. None if it is none of these.
pub(super) fn state(text: &str) -> Option<StateLine> {
    match &*text.to_ascii_lowercase() {
        "" | "active" | "false" | "f" | "0" | "no" => Some(StateLine::Active),
        "disabled" | "archived" | "true" | "t" | "1" | "yes" => Some(StateLine::Disabled),
        "deleted" => Some(StateLine::Deleted),
        _ => None,
    }
}

/// A link's own status; none where the cell is empty.
pub(super) fn redirect(text: &str) -> Result<Option<Redirect>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let redirect = text.parse().ok().and_then(|status: u16| Redirect::try_from(status).ok());
    redirect.map(Some).ok_or_else(|| {
        format!(
            "{text:?} is no status of a redirect: those are 301, 302, 307 and 308; if the column \
             is about something else, --map redirect= leaves it unread"
        )
    })
}

/// A moment: RFC 3339, a date or a time of `zone`, or seconds or milliseconds since 1970.
pub(super) fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number = text.parse().ok()?;
        // Seconds from 1973 to 5138, milliseconds from 1973 on.
        return match text.len() {
            9..=11 => Timestamp::from_second(number).ok(),
            12..=14 => Timestamp::from_millisecond(number).ok(),
            _ => None,
        };
    }
    let of_zone = |text: &str, zone: &TimeZone| {
        let civil: DateTime = text.parse().ok()?;
        Some(civil.to_zoned(zone.clone()).ok()?.timestamp())
    };
    let utc = || of_zone(text.strip_suffix(" UTC").or(text.strip_suffix(" GMT"))?, &TimeZone::UTC);
    text.parse().ok().or_else(utc).or_else(|| of_zone(text, zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_in_every_form_that_exports_use() {
        let zone = TimeZone::get("Europe/Prague").unwrap();
        for (written, read) in [
            ("2012-01-31T08:00:00Z", Some("2012-01-31T08:00:00Z")),
            ("2012-01-31T08:00:00.250+01:00", Some("2012-01-31T07:00:00.25Z")),
            ("2012-01-31T08:00:00+0000", Some("2012-01-31T08:00:00Z")),
            ("2012-01-31 08:00:00+00", Some("2012-01-31T08:00:00Z")),
            ("2012-01-31 08:00:00 UTC", Some("2012-01-31T08:00:00Z")),
            ("2012-01-31 08:00:00", Some("2012-01-31T07:00:00Z")),
            ("2012-01-31", Some("2012-01-30T23:00:00Z")),
            ("1328000400", Some("2012-01-31T09:00:00Z")),
            ("1328000400500", Some("2012-01-31T09:00:00.5Z")),
            ("2012", None),
            ("01/02/2012", None),
        ] {
            let moment = moment(written, &zone).map(|moment| moment.to_string());
            assert_eq!(moment.as_deref(), read, "{written}");
        }
    }

    #[test]
    fn numbers_labels_and_titles_are_read_as_people_write_them() {
        assert_eq!(clicks("1,234"), Some(1_234));
        assert_eq!(clicks("12.5"), None);
        assert_eq!(clicks("-1"), None);
        assert_eq!(tags("a, b|c d"), ["a, b", "c d"]);
        assert_eq!(tags("a, b"), ["a", "b"]);
        assert_eq!(tags(r#"["a,b","c"]"#), ["a,b", "c"]);
        assert_eq!(tags(""), [""; 0]);
        assert_eq!(title(" two\r\nlines\tand more ").as_deref(), Some("two lines and more"));
        assert_eq!(title(&"x".repeat(501)).map(|title| title.len()), Some(500));
        assert_eq!(title(" "), None);
        assert_eq!(text(b"caf\xe9"), "caf\u{e9}");
    }

    #[test]
    fn one_apostrophe_is_taken_from_a_code_and_only_where_it_guards_a_formula() {
        for (cell, code) in
            [("'-a", "-a"), ("'=a", "=a"), ("''-a", "''-a"), ("'a", "'a"), ("-a", "-a"), ("", "")]
        {
            assert_eq!(marked(cell), code);
        }
    }
}
