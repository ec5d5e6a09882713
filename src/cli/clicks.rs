//! `slugline clicks`: every single click, out of the archive.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{Options, output};
use crate::model::code::Code;
use crate::service::click::archive::{self, ExportError, Exported, Form, Wanted};

/// Shown below the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  slugline clicks export --from 2026-11-23 --to 2026-11-24 --tz Europe/Prague > monday.ndjson
  slugline clicks export --code 8yDbrB --format csv --output story.csv
  slugline clicks export --archive /backup/clicks --from 2026-11-01

Clicks are read from the archive's folder (clicks.archive), of all nodes that write there, whether the
service runs or not: hour by hour, those of each file in the order of time. There are no addresses
in it; `visitor` tells people apart within one UTC day. In CSV, what a spreadsheet would take for a
formula has an apostrophe before it.";

/// What to do with clicks.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write the archive's clicks as lines of JSON or as CSV
    #[command(after_help = EXAMPLES)]
    Export(Export),
}

/// Which clicks, and where to.
#[derive(Debug, clap::Args)]
struct Export {
    /// First moment or day [default: the archive's beginning]
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// The moment or day before which it ends [default: no end]
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Time zone of TIMEs that name none: Europe/Prague
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    tz: String,
    /// Where to write to [default: the standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What to write
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    format: Format,
    /// Only clicks on the link with this code
    #[arg(long, value_parser = Code::parse)]
    code: Option<Code>,
    /// The archive's folder [default: clicks.archive]
    #[arg(long, value_name = "FOLDER")]
    archive: Option<PathBuf>,
}

/// What a click is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line of JSON, as in the archive
    Ndjson,
    /// A row below a header
    Csv,
}

/// Does it.
///
/// # Errors
/// When there is no archive, it can't be read, or nobody takes the output.
pub fn run(args: &Args, options: &Options) -> anyhow::Result<ExitCode> {
    let Action::Export(args) = &args.action;
    let wanted = wanted(args)?;
    let folder = folder(args, options)?;
    let exported = match &args.output {
        None => write(args, &folder, &wanted, BufWriter::new(io::stdout().lock()))?,
        Some(path) => {
            let file = File::create(path)
                .with_context(|| format!("{} can't be written", path.display()))?;
            write(args, &folder, &wanted, BufWriter::new(file))?
        }
    };
    if io::stderr().is_terminal() {
        let Exported { clicks, files } = exported;
        output::note(format_args!("{clicks} clicks from {files} files of {}", folder.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// The archive's folder, which must be there: a mistyped one is not an empty one.
fn folder(args: &Export, options: &Options) -> anyhow::Result<PathBuf> {
    let folder = match &args.archive {
        Some(folder) => folder.clone(),
        None => options.load()?.settings.clicks.archive,
    };
    if folder.as_os_str().is_empty() {
        bail!(
            "no archive is kept: set clicks.archive to a folder (SLUGLINE__CLICKS__ARCHIVE=…) and \
             start the service again, or name an archive's folder with --archive"
        );
    }
    if !folder.is_dir() {
        bail!(
            "there is no folder {}: the service makes it when it starts with clicks.archive; or \
             name another one with --archive",
            folder.display()
        );
    }
    Ok(folder)
}

fn write(
    args: &Export,
    folder: &Path,
    wanted: &Wanted,
    output: impl Write,
) -> anyhow::Result<Exported> {
    let form = match args.format {
        Format::Ndjson => Form::Ndjson,
        Format::Csv => Form::Csv,
    };
    // On a terminal that shows the clicks themselves it would be in the way.
    let shown = args.output.is_some() || !output::on_terminal();
    let bar = if shown { bar() } else { ProgressBar::hidden() };
    let outcome = archive::export(folder, wanted, form, output, |progress| {
        bar.set_length(progress.of);
        bar.set_position(progress.bytes);
    });
    bar.finish_and_clear();
    outcome.map_err(|error| match error {
        // As it is: nobody being left to read is no error.
        ExportError::Output(error) => error.into(),
        error => error.into(),
    })
}

/// On the standard error stream, if that is a terminal.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    match ProgressStyle::with_template("{wide_bar} {bytes} of {total_bytes}, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn wanted(args: &Export) -> anyhow::Result<Wanted> {
    let tz = TimeZone::get(&args.tz)
        .with_context(|| format!("--tz {:?} is no IANA time zone; one is Europe/Paris", args.tz))?;
    let moment = |name: &str, text: &Option<String>, default| match text {
        None => Ok(default),
        Some(text) => moment(text, &tz).with_context(|| {
            format!("--{name} {text:?} is no time; write 2026-11-23 or 2026-11-23T06:00:00Z")
        }),
    };
    let from = moment("from", &args.from, Timestamp::MIN)?;
    let to = moment("to", &args.to, Timestamp::MAX)?;
    if to <= from {
        bail!("--to must be after --from");
    }
    Ok(Wanted { from, to, code: args.code.clone() })
}

/// A moment with an offset, or a date or time of the zone.
fn moment(text: &str, tz: &TimeZone) -> Option<Timestamp> {
    let of_zone = || {
        let civil: DateTime = text.parse().ok()?;
        Some(civil.to_zoned(tz.clone()).ok()?.timestamp())
    };
    text.parse().ok().or_else(of_zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_one_of_the_zone_and_an_offset_is_believed() {
        let prague = TimeZone::get("Europe/Prague").unwrap();
        let moment = |text| moment(text, &prague).map(|moment| moment.to_string());
        assert_eq!(moment("2026-11-23").as_deref(), Some("2026-11-22T23:00:00Z"));
        assert_eq!(moment("2026-11-23T06:00").as_deref(), Some("2026-11-23T05:00:00Z"));
        assert_eq!(moment("2026-11-23T06:00:00Z").as_deref(), Some("2026-11-23T06:00:00Z"));
        assert_eq!(moment("yesterday"), None);
    }
}
