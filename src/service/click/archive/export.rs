//! The clicks of a window, out of the archive: as they stand there, or as CSV.

use std::io::{self, Write};
use std::path::Path;

use jiff::Timestamp;

use crate::model::code::Code;
use crate::model::sheet;
use crate::store::archive::{Line, sources};

/// Which clicks.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Made at this moment or later.
    pub from: Timestamp,
    /// Made before this moment.
    pub to: Timestamp,
    /// On this link; `None`: on any.
    pub code: Option<Code>,
}

/// What a click is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A line of JSON, as in the archive.
    Ndjson,
    /// A row of CSV (RFC 4180) below a header, all but numbers within quotes. What a spreadsheet
    /// would take for a formula has an apostrophe before it.
    Csv,
}

/// How far an export has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the archive that were read.
    pub bytes: u64,
    /// Bytes that are to be read.
    pub of: u64,
}

/// What was exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exported {
    /// Clicks written.
    pub clicks: u64,
    /// Files of the archive that were read.
    pub files: usize,
}

/// Why an export did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The archive can't be read.
    #[error("the archive can't be read: {0}")]
    Archive(#[source] io::Error),
    /// A line of it is none.
    #[error("the archive's file of {hour} holds a line that can't be read ({cause}): {line}")]
    Damaged {
        /// The file's hour.
        hour: String,
        /// What is wrong with it.
        cause: String,
        /// The line.
        line: String,
    },
    /// Nobody takes the output any more, or it has no room.
    #[error(transparent)]
    Output(io::Error),
}

/// The columns, named as the fields of a line.
const COLUMNS: [&str; 11] = [
    "id", "time", "code", "kind", "bot", "referrer", "country", "browser", "platform", "device",
    "visitor",
];

/// Writes the wanted clicks of all nodes in `folder` to `output`, hour by hour, those of each file in
/// the order of time. Works beside a running service, which it sees as it stands now.
///
/// # Errors
/// [`ExportError`].
pub fn export(
    folder: &Path,
    wanted: &Wanted,
    form: Form,
    output: impl Write,
    mut progress: impl FnMut(Progress),
) -> Result<Exported, ExportError> {
    let mut sources = sources(folder).map_err(ExportError::Archive)?;
    sources.retain(|source| source.hour().start() < wanted.to && wanted.from < source.hour().end());
    // Better now than after half of it.
    sources.iter().try_for_each(|source| source.check()).map_err(ExportError::Archive)?;
    let of = sources.iter().map(|source| source.size()).sum();
    let mut output = Output::begin(form, output).map_err(ExportError::Output)?;
    let mut exported = Exported { files: sources.len(), clicks: 0 };
    let mut bytes = 0;
    for source in &sources {
        progress(Progress { bytes, of });
        // The lines come and go through the same call: which of the two failed is kept here.
        let mut failure = None;
        let outcome = source.lines(|line| {
            let told = tell(line, wanted, &mut output).map_err(|error| match error {
                Failed::Output(error) => ExportError::Output(error),
                Failed::Line(error) => ExportError::Damaged {
                    hour: source.hour().to_string(),
                    cause: error.to_string(),
                    line: String::from_utf8_lossy(line).trim_end().to_owned(),
                },
            });
            match told {
                Ok(written) => exported.clicks += u64::from(written),
                Err(error) => {
                    failure = Some(error);
                    return Err(io::ErrorKind::Other.into());
                }
            }
            Ok(())
        });
        outcome.map_err(|error| failure.unwrap_or(ExportError::Archive(error)))?;
        bytes += source.size();
    }
    progress(Progress { bytes: of, of });
    output.end().map_err(ExportError::Output)?;
    Ok(exported)
}

enum Failed {
    Line(serde_json::Error),
    Output(io::Error),
}

/// Writes a line if it is wanted, and says whether it was.
fn tell(bytes: &[u8], wanted: &Wanted, output: &mut Output<impl Write>) -> Result<bool, Failed> {
    let line = Line::read(bytes).map_err(Failed::Line)?;
    let code = wanted.code.as_ref().is_none_or(|code| code.as_str() == line.code);
    let is_wanted = code && (wanted.from..wanted.to).contains(&line.at);
    if is_wanted {
        output.write(bytes, &line).map_err(Failed::Output)?;
    }
    Ok(is_wanted)
}

enum Output<W: Write> {
    Ndjson(W),
    Csv(Box<csv::Writer<W>>),
}

impl<W: Write> Output<W> {
    fn begin(form: Form, output: W) -> io::Result<Self> {
        if form == Form::Ndjson {
            return Ok(Self::Ndjson(output));
        }
        let mut rows = sheet::rows().from_writer(output);
        rows.write_record(COLUMNS).map_err(as_io)?;
        Ok(Self::Csv(Box::new(rows)))
    }

    fn write(&mut self, bytes: &[u8], line: &Line<'_>) -> io::Result<()> {
        match self {
            Self::Ndjson(output) => output.write_all(bytes),
            Self::Csv(rows) => {
                let cells = row(line);
                let cells = cells.iter().map(|cell| sheet::harmless(cell).into_owned());
                rows.write_record(cells).map_err(as_io)
            }
        }
    }

    fn end(self) -> io::Result<()> {
        match self {
            Self::Ndjson(mut output) => output.flush(),
            Self::Csv(mut rows) => rows.flush(),
        }
    }
}

/// The output's own error, by which a reader that has gone is known.
fn as_io(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// The cells of a row. What is not there is empty.
fn row(line: &Line<'_>) -> [String; COLUMNS.len()] {
    let optional =
        |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().unwrap_or("").to_owned();
    [
        line.id.to_string(),
        format!("{:.3}", line.at),
        line.code.to_string(),
        line.kind.name().to_owned(),
        optional(&line.bot),
        line.referrer.to_string(),
        line.country.to_string(),
        line.browser.to_string(),
        line.platform.to_string(),
        line.device.to_string(),
        optional(&line.visitor),
    ]
}
