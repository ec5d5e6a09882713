//! Selections of fields, as strangers write them: what is picked was there, in the same place, and
//! picking again from it leaves all of it.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use slugline::http::googl::fields::Selector;

/// An answer in which everything is there, and one in which nothing has its shape.
static ANSWERS: LazyLock<[Value; 2]> = LazyLock::new(|| {
    let rows = json!([{ "id": "a", "count": "2" }, { "id": "b", "count": "1" }]);
    let window = json!({
        "shortUrlClicks": "3", "longUrlClicks": "4", "referrers": rows, "countries": rows,
        "browsers": rows, "platforms": rows,
    });
    let url = json!({
        "kind": "urlshortener#url", "id": "x", "longUrl": "y", "status": "OK", "created": "z",
        "analytics": {
            "allTime": window, "month": window, "week": window, "day": window, "twoHours": window,
        },
    });
    let history = json!({
        "kind": "urlshortener#urlHistory", "totalItems": 2, "itemsPerPage": 30,
        "nextPageToken": "t", "items": [url, url],
    });
    [history, json!({ "items": { "id": [1, { "analytics": null }] }, "kind": [[{ "id": 1 }]] })]
});

fuzz_target!(|text: &str| {
    for schema in ["UrlHistory", "Url"] {
        let Ok(selector) = Selector::read(text, schema) else { continue };
        for answer in &*ANSWERS {
            let picked = selector.pick(answer);
            assert!(is_within(&picked, answer), "{text:?} picks {picked}");
            assert_eq!(selector.pick(&picked), picked);
        }
    }
});

/// Whether a part is nothing but what the whole holds, in the same order.
fn is_within(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => part
            .iter()
            .all(|(name, part)| whole.get(name).is_some_and(|whole| is_within(part, whole))),
        (Value::Array(part), Value::Array(whole)) => {
            let mut rest = whole.iter();
            part.iter().all(|part| rest.any(|whole| is_within(part, whole)))
        }
        (part, whole) => part == whole,
    }
}
