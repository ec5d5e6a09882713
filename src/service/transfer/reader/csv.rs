//! CSV and TSV (RFC 4180) with a header: what other shorteners export, and what a spreadsheet saves.

use std::borrow::Cow;
use std::io::{self, BufRead};

use csv_core::{ReadRecordResult, ReaderBuilder};

use super::columns::{Columns, Field, Mapping};
use super::values::{clicks, marked, moment, redirect, state, tags, text, title};
use super::{Content, Entry, MAX_LINE, Manner, Refusal, Step, code_in};
use crate::service::transfer::line::{BaselineLine, LinkLine, StateLine};

/// What may separate cells, by how seldom it stands in a header by chance.
pub(super) const DELIMITERS: [u8; 3] = [b'\t', b';', b','];
/// The most columns that are read.
const MAX_COLUMNS: usize = 1_024;

/// Reads CSV.
pub(super) struct Csv<R> {
    records: Records<R>,
    columns: Columns,
}

impl<R: BufRead> Csv<R> {
    /// Reads the header of an input that begins with `head`.
    pub(super) fn open(
        head: &[u8],
        input: R,
        mapping: &Mapping,
    ) -> io::Result<Result<Self, Refusal>> {
        let mut records = Records::new(input, delimiter(head));
        let columns = match records.advance()? {
            None => Columns::find(&[], mapping),
            Some(Err(refusal)) => Err(refusal),
            Some(Ok(_)) => {
                let header: Vec<_> = (0..records.count).map(|at| records.cell(at)).collect();
                Columns::find(&header, mapping)
            }
        };
        Ok(columns.map(|columns| Self { records, columns }))
    }

    pub(super) fn advance(&mut self, manner: &Manner) -> Step {
        Ok(self.records.advance()?.map(|record| {
            let line = record?;
            let link = self.link(manner).map_err(|reason| Refusal { line, reason })?;
            Ok(Entry { line, content: Content::Link(Box::new(link)) })
        }))
    }

    /// The link in the record that was read last.
    fn link(&self, manner: &Manner) -> Result<LinkLine, String> {
        let cells = |at| self.records.cell(at);
        let bytes = |field| self.columns.cell(field, &cells);
        let cell = |field| text(bytes(field));
        let moment = |field| match &*cell(field) {
            "" => Ok(None),
            written => moment(written, &manner.zone).map(Some).ok_or_else(|| {
                format!(
                    "{written:?} is no time; a time is 2012-01-31T08:00:00Z, 2012-01-31 08:00:00 \
                     or seconds since 1970"
                )
            }),
        };
        let code = cell(Field::Code);
        let mut link = manner.link(code_in(marked(&code)), bytes(Field::Target));
        link.created_at = moment(Field::Created)?;
        link.expires_at = moment(Field::Expires)?;
        link.title = title(&cell(Field::Title));
        for tag in tags(&cell(Field::Tags)) {
            if !link.tags.contains(&tag) {
                link.tags.push(tag);
            }
        }
        let counted = |field| match &*cell(field) {
            "" => Ok(0),
            written => clicks(written).ok_or_else(|| format!("{written:?} is no number of clicks")),
        };
        // Here all of them were counted elsewhere.
        let clicks = counted(Field::Clicks)?.saturating_add(counted(Field::Imported)?);
        link.baseline = (clicks > 0).then_some(BaselineLine { clicks, at: manner.clicks_at });
        link.state = standing(&cell(Field::State), &link)?;
        link.redirect = redirect(&cell(Field::Redirect))?;
        let host = Some(cell(Field::Host)).filter(|host| !host.is_empty());
        link.host = link.host.or(host.map(Cow::into_owned));
        Ok(link)
    }
}

/// Whether a link that is read otherwise was withdrawn. One that is told to have expired did so at some
/// time: without it, it would lead somewhere again.
fn standing(written: &str, link: &LinkLine) -> Result<StateLine, String> {
    let expired = written.eq_ignore_ascii_case("expired");
    match state(written) {
        Some(state) => Ok(state),
        None if expired && link.expires_at.is_some() => Ok(StateLine::Active),
        None if expired => {
            Err("it has expired, and no column says when: there has to be an expires_at".to_owned())
        }
        None => Err(format!(
            "{written:?} is no state; a state is active, disabled, deleted or expired, or true or \
             false where a column says whether links are archived; if the column is about \
             something else, --map state= leaves it unread"
        )),
    }
}

/// What separates the columns of the header: whatever is most often in it, outside of quotes.
fn delimiter(head: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [0_usize; DELIMITERS.len()];
    for byte in head {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            other if !quoted => {
                if let Some(at) = DELIMITERS.iter().position(|delimiter| delimiter == other) {
                    counts[at] += 1;
                }
            }
            _ => {}
        }
    }
    let most = counts.iter().max().copied().unwrap_or(0);
    let at = counts.iter().position(|count| *count == most && most > 0);
    at.map_or(b',', |at| DELIMITERS[at])
}

/// The records of a CSV, one at a time, in memory that does not grow: whoever leaves a quote open makes
/// one record of all that follows.
struct Records<R> {
    input: R,
    core: csv_core::Reader,
    cells: Box<[u8]>,
    ends: Box<[usize]>,
    /// How many cells the record has.
    count: usize,
    /// The line that is read.
    line: u64,
}

impl<R: BufRead> Records<R> {
    fn new(input: R, delimiter: u8) -> Self {
        Self {
            input,
            core: ReaderBuilder::new().delimiter(delimiter).build(),
            cells: vec![0; MAX_LINE].into(),
            ends: vec![0; MAX_COLUMNS].into(),
            count: 0,
            line: 1,
        }
    }

    /// Reads a record and gives the line that it begins in.
    fn advance(&mut self) -> io::Result<Option<Result<u64, Refusal>>> {
        self.skip_line_ends()?;
        let first = self.line;
        let (mut bytes, mut too_long) = (0, false);
        self.count = 0;
        loop {
            let input = self.input.fill_buf()?;
            let (result, read, wrote, ended) = self.core.read_record(
                input,
                &mut self.cells[bytes..],
                &mut self.ends[self.count..],
            );
            self.line += newlines(&input[..read]);
            self.input.consume(read);
            bytes += wrote;
            self.count += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    (bytes, self.count, too_long) = (0, 0, true);
                }
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::Record if too_long => {
                    let reason = format!(
                        "the record has more than {MAX_LINE} bytes or {MAX_COLUMNS} columns; is a \
                         quote left open?"
                    );
                    return Ok(Some(Err(Refusal { line: first, reason })));
                }
                ReadRecordResult::Record => return Ok(Some(Ok(first))),
            }
        }
    }

    /// Goes on to where a record begins.
    fn skip_line_ends(&mut self) -> io::Result<()> {
        loop {
            let input = self.input.fill_buf()?;
            let skip = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            if skip == 0 {
                return Ok(());
            }
            self.line += newlines(&input[..skip]);
            self.input.consume(skip);
        }
    }

    /// A cell of the record that was read last; empty where it has none.
    fn cell(&self, at: usize) -> &[u8] {
        let ends = &self.ends[..self.count];
        let start = at.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
        ends.get(at).map_or(&[], |end| &self.cells[start..*end])
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}
