//! The layers that settings come from, and how they are laid over one another.

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::error::{ConfigError, Origin};
use super::rule;

/// Values by key, with where each was set.
pub(super) type Values = BTreeMap<String, (Value, Origin)>;

/// What every variable of ours begins with.
const PREFIX: &str = "SLUGLINE__";

/// One key set by one layer.
pub(super) struct Entry {
    key: String,
    value: Value,
    origin: Origin,
}

/// The lowest layer, in which every key stands.
pub(super) fn defaults() -> Result<Values, ConfigError> {
    let entries = entries(super::DEFAULT_TOML, |_| Origin::Default)?;
    Ok(entries.into_iter().map(|entry| (entry.key, (entry.value, entry.origin))).collect())
}

/// What a file sets.
pub(super) fn file(path: &Path) -> Result<Vec<Entry>, ConfigError> {
    let unreadable = |cause: std::io::Error| ConfigError::Unreadable {
        path: path.to_owned(),
        cause: cause.to_string(),
    };
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    entries(&text, |line| Origin::File { path: path.to_owned(), line })
}

/// What the environment sets, each value read by the type of the key's default.
pub(super) fn environment(
    env: impl Iterator<Item = (String, String)>,
    defaults: &Values,
) -> Vec<Entry> {
    let mut entries: Vec<Entry> = env
        .filter_map(|(name, text)| {
            let key = name.strip_prefix(PREFIX)?.to_ascii_lowercase().replace("__", ".");
            let value = match defaults.get(&key) {
                Some((default, _)) => read(&text, default),
                None => Value::String(text),
            };
            Some(Entry { key, value, origin: Origin::Environment(name) })
        })
        .collect();
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    entries
}

/// What the command line sets.
pub(super) fn flags(table: Table) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (key, value) in table {
        match value {
            Value::Table(section) => entries.extend(section.into_iter().map(|(name, value)| {
                let key = format!("{key}.{name}");
                Entry { origin: Origin::Flag(flag(&key)), key, value }
            })),
            value => entries.push(Entry { origin: Origin::Flag(flag(&key)), key, value }),
        }
    }
    entries
}

/// The name of the variable that sets `key`.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
}

/// The name of the flag that sets `key`.
pub(super) fn flag(key: &str) -> String {
    match key {
        "store.url" => "--store".to_owned(),
        key => format!("--{}", key.replace(['.', '_'], "-")),
    }
}

/// Lays `layers` over `values`, in their order.
pub(super) fn merge(mut values: Values, layers: Vec<Entry>) -> Result<Values, ConfigError> {
    let mut wrong = Vec::new();
    for Entry { key, value, origin } in layers {
        let Some((default, _)) = values.get(&key) else {
            wrong.extend(unknown(key, &value, origin, &values));
            continue;
        };
        if value.is_table() {
            wrong.push(ConfigError::Shape { key, is: "a value, not a section".to_owned(), origin });
        } else if value.same_type(default) {
            values.insert(key, (value, origin));
        } else {
            wrong.push(rule::bad(&key, &value, origin));
        }
    }
    ConfigError::of(wrong)?;
    Ok(values)
}

/// Every value of a document, with the line of its key.
fn entries(text: &str, origin: impl Fn(usize) -> Origin) -> Result<Vec<Entry>, ConfigError> {
    let line = |at: usize| 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
    let syntax = |error: toml::de::Error| ConfigError::Syntax {
        origin: origin(line(error.span().map_or(0, |span| span.start))),
        cause: error.message().to_owned(),
    };
    let spans = DeTable::parse(text).map_err(syntax)?;
    let values: Table = toml::from_str(text).map_err(syntax)?;
    let mut lines = BTreeMap::new();
    spell_out("", spans.get_ref(), &mut |key, at| _ = lines.insert(key, line(at)));
    let mut entries = Vec::new();
    flatten("", values, &mut |key, value| {
        let origin = origin(lines.get(&key).copied().unwrap_or(1));
        entries.push(Entry { key, value, origin });
    });
    entries.sort_by_key(|entry| lines.get(&entry.key).copied());
    Ok(entries)
}

fn spell_out(prefix: &str, table: &DeTable<'_>, tell: &mut impl FnMut(String, usize)) {
    for (key, value) in table {
        let name = join(prefix, key.get_ref());
        tell(name.clone(), Spanned::span(key).start);
        if let DeValue::Table(inner) = value.get_ref() {
            spell_out(&name, inner, tell);
        }
    }
}

/// An empty section counts as a value, so that a mistyped one is noticed.
fn flatten(prefix: &str, table: Table, tell: &mut impl FnMut(String, Value)) {
    for (key, value) in table {
        let name = join(prefix, &key);
        match value {
            Value::Table(inner) if !inner.is_empty() => flatten(&name, inner, tell),
            value => tell(name, value),
        }
    }
}

fn join(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") }
}

/// A text as a value of the same type as `default`; as a string when it can't be one.
fn read(text: &str, default: &Value) -> Value {
    let plain = text.trim();
    let read = match default {
        Value::Integer(_) => plain.replace('_', "").parse().ok().map(Value::Integer),
        Value::Boolean(_) => plain.parse().ok().map(Value::Boolean),
        Value::Array(_) if plain.starts_with('[') => plain.parse().ok(),
        Value::Array(_) => {
            let items = plain.split(',').map(str::trim).filter(|item| !item.is_empty());
            Some(Value::Array(items.map(Value::from).collect()))
        }
        _ => None,
    };
    read.unwrap_or_else(|| Value::String(text.to_owned()))
}

/// What to say about a key that has no default.
fn unknown(key: String, value: &Value, origin: Origin, values: &Values) -> Option<ConfigError> {
    if values.keys().any(|known| known.strip_prefix(&key).is_some_and(|rest| rest.starts_with('.')))
    {
        let is = "a section, not a value: set the keys in it".to_owned();
        return (!value.is_table()).then_some(ConfigError::Shape { key, is, origin });
    }
    let nearest = nearest(&key, values).map(|near| origin.spell(near));
    Some(ConfigError::Unknown { key, origin, nearest })
}

/// The known key that `key` was probably meant to be: the same name in another section, or one that
/// is a few slips of the finger away.
fn nearest<'a>(key: &str, values: &'a Values) -> Option<&'a str> {
    let name = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let known = || values.keys().map(String::as_str);
    known().find(|near| name(near) == name(key)).or_else(|| {
        let (slips, near) = known().map(|near| (distance(key, near), near)).min()?;
        (slips <= 2.max(key.len() / 4)).then_some(near)
    })
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = substituted.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
