//! Our own lines of JSON, which go to the service as they are.

use std::borrow::Cow;
use std::io::BufRead;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::lines::Lines;
use super::{Content, Entry, Manner, Refusal, Step};

/// Reads lines of JSON.
pub(super) struct Ndjson<R> {
    lines: Lines<R>,
    /// The last line so far of a backup that has begun and not ended.
    open: Option<u64>,
}

/// What has to be known of a line to send it.
#[derive(Deserialize)]
struct Glance<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    code: Option<Cow<'a, str>>,
}

impl<R: BufRead> Ndjson<R> {
    pub(super) fn new(lines: Lines<R>) -> Self {
        Self { lines, open: None }
    }

    pub(super) fn advance(&mut self, manner: &Manner) -> Step {
        loop {
            let (number, line) = match self.lines.advance()? {
                None => return Ok(self.open.take().map(|line| Err(cut_off(line)))),
                Some(Err(refusal)) => {
                    self.open = self.open.map(|_| refusal.line);
                    return Ok(Some(Err(refusal)));
                }
                Some(Ok(line)) => line,
            };
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            self.open = self.open.map(|_| number);
            let refusal = |reason| Refusal { line: number, reason };
            let (text, glance) = match glance(line) {
                Ok(read) => read,
                Err(reason) => return Ok(Some(Err(refusal(reason)))),
            };
            self.open = match glance.kind.as_deref() {
                Some(BEGINNING) => Some(number),
                Some(END) => None,
                _ => self.open,
            };
            // Around links that are changed on their way, they say nothing.
            let frame = matches!(glance.kind.as_deref(), Some(BEGINNING | END));
            if frame && manner.changes_links() {
                continue;
            }
            let entry = content(text, glance, manner);
            let entry = entry.map(|content| Entry { line: number, content });
            return Ok(Some(entry.map_err(refusal)));
        }
    }
}

/// The types of a backup's first and last line.
const BEGINNING: &str = "slugline";
const END: &str = "end";

/// What is told of a backup whose last line is missing.
fn cut_off(line: u64) -> Refusal {
    let reason = "the export ends here without its last line: it was cut off, and whatever stood \
                  behind is missing; import a whole one"
        .to_owned();
    Refusal { line, reason }
}

fn glance(line: &[u8]) -> Result<(&str, Glance<'_>), String> {
    let text = str::from_utf8(line).map_err(|_| "the line is not UTF-8".to_owned())?;
    let read = serde_json::from_str(text);
    let glance = read.map_err(|error| format!("this is no line of JSON: {error}"))?;
    // Serde takes an array for the fields in their order.
    if !text.starts_with('{') {
        return Err("this is no line of JSON: an object is needed".to_owned());
    }
    Ok((text, glance))
}

fn content(
    text: &str,
    Glance { kind, code }: Glance<'_>,
    manner: &Manner,
) -> Result<Content, String> {
    let is_link = kind.is_none_or(|kind| kind == "link");
    if !manner.changes_links() {
        let code = code.filter(|_| is_link).map(Cow::into_owned);
        return Ok(Content::Json { text: text.to_owned(), code });
    }
    if !is_link {
        return Err("only links can come in under another code, tag or host; to restore all of a \
                    backup, leave --prefix, --strip, --tag and --host away"
            .to_owned());
    }
    changed(text, manner).ok_or_else(|| "this is no link".to_owned())
}

/// The line with what the manner puts to it; all else stays.
fn changed(text: &str, manner: &Manner) -> Option<Content> {
    let mut fields: Map<String, Value> = serde_json::from_str(text).ok()?;
    let code = manner.code(fields.get("code")?.as_str()?);
    fields.insert("code".to_owned(), code.clone().into());
    if let Some(host) = &manner.host {
        fields.insert("host".to_owned(), host.clone().into());
    }
    if !manner.tags.is_empty() {
        let tags = fields.entry("tags").or_insert_with(|| Value::Array(Vec::new()));
        let known = tags.as_array_mut()?;
        let further = manner.tags.iter().cloned().map(Value::String);
        let further: Vec<_> = further.filter(|tag| !known.contains(tag)).collect();
        known.extend(further);
    }
    Some(Content::Json { text: Value::Object(fields).to_string(), code: Some(code) })
}
