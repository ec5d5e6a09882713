//! `fields`: which parts of an answer a client wants, as all of Google's APIs understand it.
//!
//! ```text
//! fields    = selection *("," selection)
//! selection = path [ "(" fields ")" ]
//! path      = name *("/" name)
//! name      = "*" / a field of the schema
//! ```
//! A path leads through objects and through each element of arrays. What is selected twice is told
//! once; what is selected and not there is not told.
//!
//! Strangers write it: it is public for the fuzzer (`fuzz/targets/fields.rs`).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::discovery::DOCUMENT;
use super::error::Refusal;

/// What is selected of a value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selector {
    /// All of it.
    whole: bool,
    /// Of these members, so much each.
    members: BTreeMap<String, Selector>,
    /// Of every member, so much.
    each: Option<Box<Selector>>,
}

/// The schemas that a value may have.
type Shapes = Vec<&'static Value>;

impl Selector {
    /// Reads a selector for answers of this schema. It can't be deeper than they are.
    ///
    /// # Errors
    /// A refusal that names what can't be selected.
    pub fn read(text: &str, schema: &str) -> Result<Self, Refusal> {
        let mut selector = Self::default();
        let read = Reader { rest: text }.all(&mut selector, &vec![&DOCUMENT["schemas"][schema]]);
        match read {
            Ok(()) => Ok(selector),
            Err(bad) => {
                let bad = if bad.is_empty() { text } else { bad };
                Err(Refusal::invalid_parameter("fields", format!("Invalid field selection {bad}")))
            }
        }
    }

    /// What is selected of `value`.
    #[must_use]
    pub fn pick(&self, value: &Value) -> Value {
        pick(value, &[self]).unwrap_or_default()
    }

    fn enter(&mut self, name: &str) -> &mut Self {
        match name {
            "*" => self.each.get_or_insert_default(),
            name => self.members.entry(name.to_owned()).or_default(),
        }
    }
}

/// What any of these selectors selects of `value`; nothing of what has no members, unless all of it
/// is selected.
fn pick(value: &Value, selectors: &[&Selector]) -> Option<Value> {
    if selectors.iter().any(|selector| selector.whole) {
        return Some(value.clone());
    }
    match value {
        Value::Array(items) => {
            Some(items.iter().filter_map(|item| pick(item, selectors)).collect())
        }
        Value::Object(members) => {
            let mut picked = Map::new();
            for (name, member) in members {
                let named = selectors.iter().filter_map(|selector| selector.members.get(name));
                let each = selectors.iter().filter_map(|selector| selector.each.as_deref());
                let inner: Vec<&Selector> = named.chain(each).collect();
                if !inner.is_empty() {
                    picked.extend(pick(member, &inner).map(|part| (name.clone(), part)));
                }
            }
            Some(picked.into())
        }
        _ => None,
    }
}

/// What is still to be read. Errors are the text that can't be.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn all(mut self, into: &mut Selector, shapes: &Shapes) -> Result<(), &'a str> {
        self.list(into, shapes)?;
        if self.rest.is_empty() { Ok(()) } else { Err(self.rest) }
    }

    fn list(&mut self, into: &mut Selector, shapes: &Shapes) -> Result<(), &'a str> {
        loop {
            self.selection(into, shapes)?;
            if !self.eat(',') {
                return Ok(());
            }
        }
    }

    fn selection(&mut self, into: &mut Selector, shapes: &Shapes) -> Result<(), &'a str> {
        let (mut at, mut shapes) = (into, shapes.clone());
        loop {
            let name = self.name();
            shapes = members(&shapes, name);
            if shapes.is_empty() {
                return Err(name);
            }
            at = at.enter(name);
            if !self.eat('/') {
                break;
            }
        }
        if !self.eat('(') {
            at.whole = true;
            return Ok(());
        }
        self.list(at, &shapes)?;
        if self.eat(')') { Ok(()) } else { Err(self.rest) }
    }

    fn name(&mut self) -> &'a str {
        let end = self.rest.find([',', '/', '(', ')']).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        name.trim()
    }

    fn eat(&mut self, sign: char) -> bool {
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

/// The schemas of what `name` selects of values of these schemas.
fn members(shapes: &Shapes, name: &str) -> Shapes {
    let of = |shape: &&'static Value| -> Shapes {
        let Some(properties) = resolved(shape)["properties"].as_object() else { return vec![] };
        match name {
            "*" => properties.values().collect(),
            name => properties.get(name).into_iter().collect(),
        }
    };
    shapes.iter().flat_map(of).collect()
}

/// The schema that is meant: that of the elements of an array, that which is referred to.
fn resolved(shape: &'static Value) -> &'static Value {
    match (shape["$ref"].as_str(), &shape["items"]) {
        (Some(name), _) => resolved(&DOCUMENT["schemas"][name]),
        (None, Value::Null) => shape,
        (None, items) => resolved(items),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Every leaf of a value, by the names that lead to it.
    fn leaves(value: &Value) -> Vec<Vec<String>> {
        let under = |(name, inner): (&String, &Value)| {
            let prefix = |rest: Vec<String>| [vec![name.clone()], rest].concat();
            leaves(inner).into_iter().map(prefix).collect::<Vec<_>>()
        };
        match value {
            Value::Object(members) => members.iter().flat_map(under).collect(),
            Value::Array(items) => items.iter().flat_map(leaves).collect(),
            _ => vec![vec![]],
        }
    }

    /// An answer in which everything is there.
    fn history() -> Value {
        let rows = json!([{ "id": "a", "count": "2" }, { "id": "b", "count": "1" }]);
        let window = json!({
            "shortUrlClicks": "3", "longUrlClicks": "4", "referrers": rows, "countries": rows,
            "browsers": rows, "platforms": rows,
        });
        let analytics = json!({
            "allTime": window, "month": window, "week": window, "day": window, "twoHours": window,
        });
        let url = json!({
            "kind": "urlshortener#url", "id": "x", "longUrl": "y", "status": "OK", "created": "z",
            "analytics": analytics,
        });
        json!({
            "kind": "urlshortener#urlHistory", "totalItems": 2, "itemsPerPage": 30,
            "nextPageToken": "t", "items": [url, url],
        })
    }

    #[test]
    fn the_document_is_read() {
        assert!(DOCUMENT["schemas"]["UrlHistory"]["properties"].is_object());
        let whole = Selector::read("*", "UrlHistory").unwrap();
        assert_eq!(whole.pick(&history()), history());
    }

    #[test]
    fn brackets_of_any_depth_are_refused_and_not_followed() {
        for deep in ["(".repeat(100_000), "*(".repeat(50_000), "*/".repeat(50_000)] {
            assert!(Selector::read(&deep, "UrlHistory").is_err());
        }
    }

    /// A path into a value, each name maybe a star.
    fn path(into: &Value) -> impl Strategy<Value = Vec<String>> {
        let leaves: Vec<Vec<String>> = leaves(into);
        (prop::sample::select(leaves), 1..7_usize, prop::collection::vec(any::<bool>(), 7))
            .prop_map(|(leaf, length, stars)| {
                let star = |(name, star): (String, bool)| if star { "*".to_owned() } else { name };
                leaf.into_iter().zip(stars).take(length).map(star).collect()
            })
    }

    fn joined(paths: &[Vec<String>]) -> String {
        paths.iter().map(|path| path.join("/")).collect::<Vec<_>>().join(",")
    }

    fn leads_to(path: &[String], leaf: &[String]) -> bool {
        path.len() <= leaf.len() && path.iter().zip(leaf).all(|(a, b)| a == "*" || a == b)
    }

    proptest! {
        #[test]
        fn whatever_is_asked_for_is_answered_or_refused(text in ".{0,40}", tokens in "[*a-z,/()]{0,40}") {
            for text in [text, tokens] {
                if let Ok(selector) = Selector::read(&text, "UrlHistory") {
                    let _ = selector.pick(&history());
                    let _ = selector.pick(&json!([{ "items": 1, "kind": {} }, null]));
                }
            }
        }

        #[test]
        fn exactly_what_is_asked_for_is_told(
            paths in prop::collection::vec(path(&history()), 1..5),
        ) {
            let text = joined(&paths);
            let picked = Selector::read(&text, "UrlHistory").unwrap().pick(&history());
            let asked = |leaf: &Vec<String>| paths.iter().any(|path| leads_to(path, leaf));
            let expected: Vec<_> = leaves(&history()).into_iter().filter(asked).collect();
            let found: Vec<_> = leaves(&picked);
            prop_assert_eq!(found, expected, "{}", text);
            prop_assert!(!picked.to_string().contains("null"), "{}", text);
        }

        #[test]
        fn brackets_mean_what_slashes_mean(
            paths in prop::collection::vec(path(&history()["items"][0]), 1..5),
        ) {
            let within: Vec<_> =
                paths.iter().map(|path| [vec!["items".to_owned()], path.clone()].concat()).collect();
            let brackets = Selector::read(&format!("items({})", joined(&paths)), "UrlHistory");
            prop_assert!(brackets.is_ok());
            prop_assert_eq!(brackets, Selector::read(&joined(&within), "UrlHistory"));
        }
    }
}
