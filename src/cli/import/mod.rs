//! `slugline import`: links of other shorteners, and our own export, out of files.
//!
//! Files are unpacked ([`unpack`]), read and put into batches ([`batches`]) on a thread of their own,
//! which the service is asked to import ([`sending`]). However much there is, three batches are in
//! memory, and one that waits.

mod answer;
mod batches;
mod progress;
mod report;
mod sending;
mod unpack;

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::ValueEnum;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use self::batches::Plan;
use self::progress::Progress;
use self::report::Report;
use self::sending::{OnConflict, Sending};
use self::unpack::Input;
use super::client::{Client, Remote, with_service};
use super::{Options, block_on, output};
use crate::model::code::Code;
use crate::model::host::Host;
use crate::model::link::Tag;
use crate::service::transfer::reader::{self, Manner, Mapping};

/// Shown below the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  slugline import --dry-run goo-gl.zip                     what would come of it?
  slugline import goo-gl.zip --tag goo.gl                  URLTeam's files, as they are
  slugline import yourls.csv --tz Europe/Prague            also of Bitly, Shlink, Kutt, Dub
  slugline import old.csv --map 'code=Alias,target=Goes to'
  slugline import backup.ndjson                            our own export
  zcat links.txt.gz | slugline import - --report left-out.csv

Formats, told by what is in a file: BEACON (lines of code|target, as ArchiveTeam's URLTeam publishes
them), CSV with a header (commas, semicolons or tabs), and the lines of JSON of `slugline export`;
plain, as .gz or .xz, or many in a .zip.

Targets stay byte for byte as they are. Importing again changes nothing: after an interruption, run
the same command again. Of two lines with one code the first counts, unless --on-conflict says
otherwise. A dry run knows what is there already, and codes that come twice within some thousand
lines.

Ends with 0 when every line is imported or was there; with 3 when some were refused or in conflict;
with 1 when it could not go on, with 130 when it was interrupted.";

/// Ends with this when there is something to look at.
const LEFT_OUT: u8 = 3;
/// Ends with this after Ctrl-C, as a shell does: 128 and the number of the signal.
const INTERRUPTED: u8 = 130;

/// What to import, and how.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files to read; `-` is the input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<OsString>,
    /// What the files are
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    format: Format,
    /// Change nothing, and say what would come of it
    #[arg(long)]
    dry_run: bool,
    /// What becomes of a line whose code leads elsewhere
    #[arg(long, value_enum, default_value_t = OnConflict::Keep, value_name = "WHAT")]
    on_conflict: OnConflict,
    /// Put this before every code: fb/
    #[arg(long, default_value = "", hide_default_value = true, value_parser = prefix)]
    prefix: String,
    /// Take this away from the front of every code that begins so
    #[arg(long, default_value = "", hide_default_value = true, value_name = "PREFIX")]
    strip: String,
    /// Further label of every link; may be given more than once
    #[arg(long = "tag", value_name = "TAG", value_parser = tag)]
    tags: Vec<String>,
    /// The one host that knows the codes: one of the service's own
    #[arg(long, value_parser = host)]
    host: Option<String>,
    /// Columns of CSV: code=COLUMN,target=COLUMN; also created, expires, title, tags, clicks, state, …
    #[arg(long, value_name = "FIELD=COLUMN,…")]
    map: Vec<Mapping>,
    /// Time zone of times that name none: Europe/Prague
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    tz: String,
    /// As of when clicks were counted: 2026-11-23T06:00:00Z [default: when the file was written]
    #[arg(long, value_name = "TIME")]
    clicks_as_of: Option<Timestamp>,
    /// Write every line that was not imported into this file: CSV, or lines of JSON (.ndjson)
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print what came of it as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

/// What files may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Whatever each looks like
    Auto,
    /// Lines of code|target
    Beacon,
    /// A table with a header
    Csv,
    /// Lines of JSON
    Ndjson,
}

/// How it ended.
enum End {
    Finished,
    Interrupted,
}

/// Imports.
///
/// # Errors
/// When a file can't be read, or the service can't be reached or won't import at all.
pub fn run(args: &Args, options: &Options) -> anyhow::Result<ExitCode> {
    let plan = args.plan()?;
    let total = total(&plan.inputs)?;
    let report = Report::into_file(args.report.as_deref())?;
    let progress = Progress::of(total);
    let import = async |client: &Client| {
        let sending = Sending {
            client,
            on_conflict: args.on_conflict,
            dry_run: args.dry_run,
            report,
            progress,
            done: None,
        };
        import(sending, plan, args).await
    };
    block_on(with_service(&args.remote, options, import))
}

/// Runs an import to its end, whatever that is, and tells what came of it.
async fn import(mut sending: Sending<'_>, plan: Plan, args: &Args) -> anyhow::Result<ExitCode> {
    let (batches, reader) = batches::read(plan)?;
    let end = tokio::select! {
        sent = sending.run(batches, reader) => sent.map(|()| End::Finished),
        heard = tokio::signal::ctrl_c() => {
            heard.context("the system does not let signals be heard").map(|()| End::Interrupted)
        }
    };
    sending.progress.end();
    sending.report.close()?;
    // After an error as well: what was imported is imported.
    if sending.report.lines() > 0 || end.is_ok() {
        report::print(&sending.report, args.dry_run, args.json)?;
    }
    match end? {
        End::Interrupted => {
            output::note(format_args!("interrupted{}", sending.standing()));
            Ok(ExitCode::from(INTERRUPTED))
        }
        End::Finished if sending.report.is_clean() => Ok(ExitCode::SUCCESS),
        End::Finished => Ok(ExitCode::from(LEFT_OUT)),
    }
}

impl Args {
    fn plan(&self) -> anyhow::Result<Plan> {
        let zone = TimeZone::get(&self.tz).with_context(|| {
            format!("--tz {:?} is no IANA time zone; one is Europe/Paris", self.tz)
        })?;
        let format = match self.format {
            Format::Auto => None,
            Format::Beacon => Some(reader::Format::Beacon),
            Format::Csv => Some(reader::Format::Csv),
            Format::Ndjson => Some(reader::Format::Ndjson),
        };
        let manner = Manner {
            strip: self.strip.clone(),
            prefix: self.prefix.clone(),
            tags: self.tags.clone(),
            host: self.host.clone(),
            columns: Mapping::of(&self.map),
            zone,
            clicks_at: self.clicks_as_of,
        };
        let inputs = self.files.iter().map(|name| Input::named(name)).collect();
        Ok(Plan { inputs, format, manner })
    }
}

/// Bytes of all inputs, if it can be known; looks whether they are there before anything is imported.
fn total(inputs: &[Input]) -> anyhow::Result<Option<u64>> {
    let mut total = Some(0);
    for input in inputs {
        let Input::File(path) = input else {
            total = None;
            continue;
        };
        let file = fs::metadata(path).with_context(|| format!("{input} can't be read"))?;
        anyhow::ensure!(!file.is_dir(), "{input} is a folder; name the files in it");
        total = total.filter(|_| file.is_file()).map(|total| total + file.len());
    }
    Ok(total)
}

/// What may stand before codes.
fn prefix(text: &str) -> Result<String, String> {
    match Code::imported(&format!("{text}x")) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn tag(text: &str) -> Result<String, String> {
    Tag::parse(text).map(|tag| tag.to_string()).map_err(|error| error.to_string())
}

fn host(text: &str) -> Result<String, String> {
    Host::parse(text).map(|host| host.to_string()).map_err(|error| error.to_string())
}
