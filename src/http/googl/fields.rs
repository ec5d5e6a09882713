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

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::discovery::DOCUMENT;
use super::error::Refusal;

/// What is selected of a value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Selector {
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
    pub(super) fn read(text: &str, schema: &str) -> Result<Self, Refusal> {
        let mut selector = Self::default();
        let mut reader = Reader { rest: text };
        let read = reader.list(&mut selector, &vec![&DOCUMENT["schemas"][schema]]);
        let read =
            read.and_then(|()| if reader.rest.is_empty() { Ok(()) } else { Err(reader.rest) });
        match read {
            Ok(()) => Ok(selector),
            Err(bad) => {
                let bad = if bad.is_empty() { text } else { bad };
                Err(Refusal::invalid_parameter("fields", format!("Invalid field selection {bad}")))
            }
        }
    }

    /// What is selected of `value`.
    pub(super) fn pick(&self, value: &Value) -> Value {
        pick(value, &[self])
    }

    fn enter(&mut self, name: &str) -> &mut Self {
        match name {
            "*" => self.each.get_or_insert_default(),
            name => self.members.entry(name.to_owned()).or_default(),
        }
    }
}

/// What any of these selectors selects of `value`.
fn pick(value: &Value, selectors: &[&Selector]) -> Value {
    if selectors.iter().any(|selector| selector.whole) {
        return value.clone();
    }
    match value {
        Value::Array(items) => items.iter().map(|item| pick(item, selectors)).collect(),
        Value::Object(members) => {
            let mut picked = Map::new();
            for (name, member) in members {
                let named = selectors.iter().filter_map(|selector| selector.members.get(name));
                let each = selectors.iter().filter_map(|selector| selector.each.as_deref());
                let inner: Vec<&Selector> = named.chain(each).collect();
                if !inner.is_empty() {
                    picked.insert(name.clone(), pick(member, &inner));
                }
            }
            picked.into()
        }
        // The schema has no members here, so that nothing can be selected but the whole.
        _ => Value::Null,
    }
}

/// What is still to be read. Errors are the text that can't be.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
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
