//! BEACON as ArchiveTeam's URLTeam writes it for dead shorteners: `code|target`, line by line.
//!
//! It is less than the draft of that name (<https://gbv.github.io/beaconspec/beacon.html>), as
//! <https://github.com/ArchiveTeam/terroroftinytown> shows: there is no `#TARGET`, nothing is escaped,
//! a line has two parts, and the target may hold bars itself. A line is in whatever encoding the
//! shortener answered in. Older files have no head at all.
//!
//! The head is the lines at the beginning that start with `#`, and empty ones. Files that were joined
//! (`cat`, or several streams in one xz) have a head each: a line `#FORMAT: BEACON` begins another one
//! anywhere. Any other line with a `#` is a link like the rest, and refused, for `#` stands in no code.

use std::io::BufRead;

use super::lines::Lines;
use super::{Content, Entry, Manner, Refusal, Step, code_in};

/// Where short URLs hold their code, in what the head calls a prefix if that does not end with it.
const PLACE: &str = "{shortcode}";

/// Reads BEACON.
pub(super) struct Beacon<R> {
    lines: Lines<R>,
    within_head: bool,
    /// What stands before and after each code in the path of its short URL.
    around: (String, String),
}

impl<R: BufRead> Beacon<R> {
    pub(super) fn new(lines: Lines<R>) -> Self {
        Self { lines, within_head: true, around: Default::default() }
    }

    pub(super) fn advance(&mut self, manner: &Manner) -> Step {
        loop {
            let (number, line) = match self.lines.advance()? {
                None => return Ok(None),
                Some(Err(refusal)) => return Ok(Some(Err(refusal))),
                Some(Ok(line)) => line,
            };
            if let Some(meta) = line.strip_prefix(b"#") {
                let meta = String::from_utf8_lossy(meta);
                let (name, value) = meta.split_once(':').unwrap_or((&meta, ""));
                let (name, value) = (name.trim(), value.trim());
                let is = |other: &str| name.eq_ignore_ascii_case(other);
                if is("FORMAT") && value.eq_ignore_ascii_case("BEACON") {
                    self.within_head = true;
                    self.around = Default::default();
                }
                if self.within_head {
                    if is("PREFIX") {
                        self.around = around(value);
                    }
                    continue;
                }
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            self.within_head = false;
            let Some(bar) = line.iter().position(|byte| *byte == b'|') else {
                let reason = "there is no bar in it; a line of BEACON is code|target".to_owned();
                return Ok(Some(Err(Refusal { line: number, reason })));
            };
            let short = String::from_utf8_lossy(&line[..bar]);
            let (before, after) = &self.around;
            let code = [before, code_in(short.trim()), after].concat();
            let link = Box::new(manner.link(&code, &line[bar + 1..]));
            return Ok(Some(Ok(Entry { line: number, content: Content::Link(link) })));
        }
    }
}

/// What a prefix puts before and after a code: that of `http://goo.gl/fb/` is `fb/`.
fn around(prefix: &str) -> (String, String) {
    let (prefix, after) = prefix.split_once(PLACE).unwrap_or((prefix, ""));
    let rest = prefix.split_once("://").map_or(prefix, |(_, rest)| rest);
    let before = rest.split_once('/').map_or("", |(_, path)| path);
    (before.to_owned(), after.to_owned())
}
