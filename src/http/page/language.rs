//! Which language a reader gets: what `Accept-Language` asks for most, as far as there is one (RFC
//! 9110 §12.5.4, RFC 4647 §3.4).

use std::iter::successors;

use actix_web::HttpRequest;
use actix_web::http::header::{ACCEPT_LANGUAGE, AcceptLanguage, Header as _, Preference, Quality};

/// The tag, and those of ever wider languages: `zh-Hant-TW`, `zh-Hant`, `zh`.
pub(super) fn ever_wider(tag: &str) -> impl Iterator<Item = &str> {
    successors(Some(tag), |tag| tag.rsplit_once('-').map(|(wider, _)| wider))
}

/// What `find` has for the language that is wanted most. Nothing, if it has none of them, or none
/// can be read.
pub(super) fn wanted<T>(request: &HttpRequest, find: impl Fn(&str) -> Option<T>) -> Option<T> {
    if !request.headers().contains_key(ACCEPT_LANGUAGE) {
        return None;
    }
    let (mut best, mut most) = (None, Quality::ZERO);
    for range in AcceptLanguage::parse(request).ok()?.iter() {
        // `*` says no more than that there is no wish.
        let Preference::Specific(tag) = &range.item else { continue };
        if range.quality > most
            && let Some(found) = ever_wider(tag.as_str()).find_map(&find)
        {
            (best, most) = (Some(found), range.quality);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use proptest::prelude::*;

    use super::*;

    const THERE_ARE: [&str; 5] = ["en", "de", "fr", "pt", "zh-Hant"];

    fn wanted(header: &[u8]) -> Option<&'static str> {
        let header = actix_web::http::header::HeaderValue::from_bytes(header).unwrap();
        let request = TestRequest::default().insert_header((ACCEPT_LANGUAGE, header));
        super::wanted(&request.to_http_request(), |tag| {
            THERE_ARE.into_iter().find(|known| known.eq_ignore_ascii_case(tag))
        })
    }

    #[test]
    fn the_language_that_is_wanted_most_is_found_or_a_wider_one() {
        for (header, language) in [
            ("de", Some("de")),
            ("de-AT", Some("de")),
            ("DE-at-1996,en;q=0.9", Some("de")),
            ("en;q=0.3, de;q=0.8, fr;q=0.8", Some("de")),
            ("sv, pt-BR;q=0.5, en;q=0.4", Some("pt")),
            ("zh-TW, zh-Hant-HK;q=0.5", Some("zh-Hant")),
            ("de;q=0, fr;q=0.001", Some("fr")),
            ("*, fr;q=0.5", Some("fr")),
            ("*", None),
            ("sv", None),
            ("", None),
            ("de;q=0", None),
            ("de_AT", None),
            (";;q=,,,de;q=7", None),
            ("x y z, fr", Some("fr")),
        ] {
            assert_eq!(wanted(header.as_bytes()), language, "{header:?}");
        }
        assert_eq!(wanted(b"de-\xff, fr"), None);
    }

    proptest! {
        #[test]
        fn whatever_is_sent_is_answered(header in proptest::collection::vec(
            prop_oneof![Just(b'\t'), b' '..=b'~', 0x80..=0xff_u8], 0..200
        )) {
            wanted(&header);
        }

        #[test]
        fn what_looks_like_languages_is_answered_with_one_that_was_asked_for(
            header in "([a-zA-Z]{1,3}(-[a-zA-Z0-9]{1,9}){0,3}(; ?q=[0-9.]{1,5})?, ?){0,9}"
        ) {
            if let Some(language) = wanted(header.as_bytes()) {
                prop_assert!(header.to_lowercase().contains(&language.to_lowercase()));
            }
        }
    }
}
