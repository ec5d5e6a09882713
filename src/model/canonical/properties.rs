//! What holds for every address, real or made up.

use proptest::prelude::*;
use url::Url;

use super::{Canonicalizer, MAX_TARGET_LENGTH, Settings, amp, escapes, normal_form};

fn canonicalizer() -> Canonicalizer {
    Canonicalizer::new(&Settings::default()).unwrap()
}

/// Texts made of what addresses are made of, most of them readable.
fn urlish() -> impl Strategy<Value = String> {
    let host = prop_oneof![
        "[a-z0-9.-]{1,12}",
        "[a-zA-Z0-9üس%.:\\[\\]@-]{1,12}",
        Just("www.google.com/amp/s/e.org".to_owned()),
        Just("e-org.cdn.ampproject.org/c".to_owned()),
    ];
    let piece = prop_oneof![
        "[a-zA-Z0-9/._~!$'()*+,;=:@&%?#| \\\\-]{0,12}",
        "(%[0-9a-fA-F]{2}){1,4}",
        "[%0-9a-fA-F]{0,6}",
        "\\PC{0,3}",
        Just("&utm_source=x".to_owned()),
        Just("/../%2e%2E/".to_owned()),
        Just("#xtor=a:~:text=b".to_owned()),
        Just("google.com/amp/s/".to_owned()),
        Just("?amp;fbclid=1".to_owned()),
    ];
    ("(https?|HTTP)://?/?", host, prop::collection::vec(piece, 0..6))
        .prop_map(|(scheme, host, pieces)| format!("{scheme}{host}/{}", pieces.concat()))
}

fn is_amp(normal: &str) -> bool {
    amp::unwrapped(normal).is_some()
}

/// Path segments and parameters as a server decodes them, and the fragment as a page does.
fn as_seen(url: &Url) -> (Vec<String>, Vec<(String, String)>, String) {
    let segments = url.path().split('/').map(escapes::decoded).collect();
    let pairs = url.query_pairs().into_owned().collect();
    (segments, pairs, escapes::decoded(url.fragment().unwrap_or("")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_canonical_form_of_a_canonical_form_is_itself(raw in prop_oneof![urlish(), any::<String>()]) {
        if let Ok(once) = canonicalizer().addresses(&raw) {
            let again = canonicalizer().addresses(once.article.as_str()).unwrap();
            prop_assert_eq!(&again.article, &once.article);
            prop_assert_eq!(&again.landing, &once.article);
            let landed = canonicalizer().addresses(once.landing.as_str()).unwrap();
            prop_assert_eq!(landed, once.clone());
            prop_assert_eq!(canonicalizer().article(&raw).unwrap(), once.article);
        }
    }

    #[test]
    fn targets_are_fit_for_a_location_header(raw in urlish()) {
        if let Ok(both) = canonicalizer().addresses(&raw) {
            prop_assert!(both.landing.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert!(both.article.as_str().len() <= MAX_TARGET_LENGTH);
            prop_assert!(!both.landing.authority().contains('@'));
            prop_assert!(!both.landing.host().is_empty());
        }
    }

    #[test]
    fn one_article_has_one_form_whatever_tracks_it(
        path in "[a-z0-9/-]{0,20}",
        own in prop::collection::vec("[a-z]{1,3}(=[a-z0-9%+]{0,4})?", 0..4),
        tracking in prop::collection::vec(
            ("(utm_[a-z]{1,8}|UTM_SOURCE|fbclid|gclid|mc_eid|%75tm_id|xtor)(=[a-z0-9]{0,4})?", 0usize..5),
            0..6,
        ),
        fragment in "(#xtor=[a-z]{1,3})?",
    ) {
        let address = |query: &[String]| format!("https://e.org/{path}?{}", query.join("&"));
        let mut tracked = own.clone();
        for (pair, place) in tracking {
            tracked.insert(place.min(tracked.len()), pair);
        }
        let article = |query: &str| canonicalizer().article(query).unwrap();
        prop_assert_eq!(article(&(address(&tracked) + &fragment)), article(&address(&own)));
    }

    #[test]
    fn the_server_sees_what_it_would_have_seen(raw in urlish()) {
        let Ok(both) = canonicalizer().addresses(&raw) else { return Ok(()) };
        let given = Url::parse(&raw).unwrap();
        if !is_amp(&normal_form(&raw).unwrap()) {
            let target = Url::parse(both.landing.as_str()).unwrap();
            prop_assert_eq!(as_seen(&target), as_seen(&given));
            prop_assert_eq!(target.scheme(), given.scheme());
            prop_assert_eq!(target.port(), given.port());
            let host = given.host_str().unwrap_or("");
            prop_assert_eq!(target.host_str(), Some(host.strip_suffix('.').unwrap_or(host)));

            let (segments, pairs, _) = as_seen(&given);
            let (left_segments, left, _) = as_seen(&Url::parse(both.article.as_str()).unwrap());
            let tracking = &canonicalizer().tracking;
            let own: Vec<_> = pairs.into_iter().filter(|(name, _)| !tracking.has(name)).collect();
            prop_assert_eq!(left_segments, segments);
            prop_assert_eq!(left, own);
        }
    }
}
