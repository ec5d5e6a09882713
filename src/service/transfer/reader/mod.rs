//! Links out of the files that other shorteners leave behind: BEACON, CSV, and our own lines of JSON.
//!
//! A reader takes bytes that are unpacked already and gives one entry or one refusal at a time. It
//! holds one line, however long the file is, and judges only what its format says: whether a code or a
//! target is a good one is for the service to say, which hears of it word for word.

mod beacon;
mod columns;
mod csv;
mod lines;
mod ndjson;
mod values;

use std::io::{self, BufRead};

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use self::columns::{Field, Mapping};
use self::lines::Lines;
use super::line::LinkLine;
use crate::model::target::Target;

/// The longest line of BEACON and record of CSV, in bytes: a target has at most 8,192.
pub const MAX_LINE: usize = 64 * 1024;
/// The longest line of JSON, in bytes: a backup has rows in it.
pub const MAX_JSON_LINE: usize = 4 * 1024 * 1024;

/// The bytes at the beginning of a file that tell its format.
pub const HEAD: usize = 64 * 1024;

/// What a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Lines of `code|target`, as ArchiveTeam's URLTeam publishes them.
    Beacon,
    /// Rows below a header, separated by commas, semicolons or tabs.
    Csv,
    /// Lines of JSON, as our own export writes them.
    Ndjson,
}

/// How links are to be read, whatever the format.
#[derive(Debug, Clone)]
pub struct Manner {
    /// Taken away from the front of every code that begins so.
    pub strip: String,
    /// Put before every code, after that.
    pub prefix: String,
    /// Further labels of every link.
    pub tags: Vec<String>,
    /// The host that every link is bound to.
    pub host: Option<String>,
    /// Which columns of a CSV hold what, beside those that are known.
    pub columns: Mapping,
    /// The zone of times that name none.
    pub zone: TimeZone,
    /// As of when clicks were counted; the service takes the moment of the import if it is not known.
    pub clicks_at: Option<Timestamp>,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            strip: String::new(),
            prefix: String::new(),
            tags: Vec::new(),
            host: None,
            columns: Mapping::default(),
            zone: TimeZone::UTC,
            clicks_at: None,
        }
    }
}

/// What stands in one line, or in one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The line that it begins in, from 1.
    pub line: u64,
    /// What it says.
    pub content: Content,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A link.
    Link(Box<LinkLine>),
    /// A line of JSON that goes to the service as it is.
    Json {
        /// The line, without its end.
        text: String,
        /// The code of the link that it is; none if it is something else.
        code: Option<String>,
    },
}

/// Something that is no link, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The line that it begins in, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// One entry, one refusal, or the end.
type Step = io::Result<Option<Result<Entry, Refusal>>>;

/// Reads a file's entries one by one.
pub struct Reader<'a, R> {
    form: Form<R>,
    manner: &'a Manner,
}

enum Form<R> {
    Beacon(beacon::Beacon<R>),
    Csv(Box<csv::Csv<R>>),
    Ndjson(ndjson::Ndjson<R>),
}

impl Format {
    /// What a file is that begins with these bytes: its first [`HEAD`], or all of it.
    ///
    /// # Errors
    /// When it is none of the formats; the reason says so.
    pub fn of(head: &[u8]) -> Result<Self, Refusal> {
        let refused = |reason: &str| Err(Refusal { line: 1, reason: reason.to_owned() });
        if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
            return refused("this is UTF-16; save it as UTF-8 (in a spreadsheet: `CSV UTF-8`)");
        }
        let head = head.strip_prefix(lines::BOM).unwrap_or(head).trim_ascii_start();
        let first = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let holds = |text: &[u8]| text.windows(3).any(|window| window == b"://");
        match first {
            [] | [b'#', ..] => return Ok(Self::Beacon),
            [b'{', ..] => return Ok(Self::Ndjson),
            _ => {}
        }
        // The header of a CSV holds no addresses.
        let target = first.iter().position(|byte| *byte == b'|').map(|bar| &first[bar + 1..]);
        if target.is_some_and(holds) {
            Ok(Self::Beacon)
        } else if first.iter().any(|byte| csv::DELIMITERS.contains(byte)) && !holds(first) {
            Ok(Self::Csv)
        } else {
            refused(
                "this is neither BEACON (lines of code|target) nor CSV with a header nor NDJSON; \
                 if it is, say which with --format",
            )
        }
    }
}

impl<'a, R: BufRead> Reader<'a, R> {
    /// Begins to read an `input` that begins with `head`: its first [`HEAD`] bytes, or all of it.
    ///
    /// # Errors
    /// When the input breaks, or, within, when the header of a CSV says nothing that is known.
    pub fn open(
        format: Format,
        head: &[u8],
        input: R,
        manner: &'a Manner,
    ) -> io::Result<Result<Self, Refusal>> {
        let form = match format {
            Format::Beacon => Form::Beacon(beacon::Beacon::new(Lines::new(input, MAX_LINE))),
            Format::Ndjson => Form::Ndjson(ndjson::Ndjson::new(Lines::new(input, MAX_JSON_LINE))),
            Format::Csv => match csv::Csv::open(head, input, &manner.columns)? {
                Ok(csv) => Form::Csv(Box::new(csv)),
                Err(refusal) => return Ok(Err(refusal)),
            },
        };
        Ok(Ok(Self { form, manner }))
    }

    /// The next entry or refusal; none at the end.
    ///
    /// # Errors
    /// When the input breaks.
    pub fn advance(&mut self) -> Step {
        match &mut self.form {
            Form::Beacon(beacon) => beacon.advance(self.manner),
            Form::Csv(csv) => csv.advance(self.manner),
            Form::Ndjson(ndjson) => ndjson.advance(self.manner),
        }
    }
}

impl Manner {
    /// A link with this code, as it stands in the file, and this target.
    fn link(&self, code: &str, target: &[u8]) -> LinkLine {
        LinkLine {
            code: self.code(code),
            target: Target::verbatim(target).to_string(),
            tags: self.tags.clone(),
            host: self.host.clone(),
            ..LinkLine::default()
        }
    }

    /// The code that becomes of one in the file.
    fn code(&self, code: &str) -> String {
        let rest = code.strip_prefix(self.strip.as_str()).unwrap_or(code);
        [&self.prefix, rest].concat()
    }

    /// Whether links come in other than they stand in the file.
    fn changes_links(&self) -> bool {
        !(self.strip.is_empty() && self.prefix.is_empty() && self.tags.is_empty())
            || self.host.is_some()
    }
}

/// The code of a short URL, whatever its host: all of its path, and what follows it. What has no host is
/// a code already.
fn code_in(short: &str) -> &str {
    let path = match short.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        // No code has a dot in it, and every host of the public net has one.
        None => match short.split_once('/') {
            Some((host, path)) if host.contains('.') => path,
            _ => short,
        },
    };
    path.trim_matches('/')
}

#[cfg(test)]
mod tests;
