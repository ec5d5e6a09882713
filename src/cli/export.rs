//! `slugline export`: everything out.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use super::client::{Client, ClientError, Remote, with_service};
use super::{Options, block_on, output};
use crate::service::transfer::backup::BackupLine;

/// Shown below the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  slugline export --output backup.ndjson                        everything: the complete backup
  slugline import backup.ndjson                                 and back, into an empty service
  slugline export --format csv > links.csv                      all links, with their clicks
  slugline export --format beacon | xz > links.txt.xz           for archivists
  slugline export --format nginx-map --output slugline-map.conf

The service goes on meanwhile. While a backup reads the figures, clicks wait in the journals and are
counted after that. A backup holds no secrets: of keys only what is stored of them, and nothing by
which visitors could be recognised. The file of nginx-map says at its top how to use it.

A file appears under its name only when it is whole.";

/// The longest line that is kept to be looked at: that of a backup's end is much shorter.
const LONGEST_END: usize = 64 * 1024;

/// What to write, and where to.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to write
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    format: Format,
    /// With ndjson: links alone, neither keys nor figures
    #[arg(long)]
    links_only: bool,
    /// Where to write to [default: the standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    remote: Remote,
}

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// All there is, as lines of JSON, to be restored by `slugline import`
    Ndjson,
    /// All links as a table, with their clicks
    Csv,
    /// Links that redirect, as ArchiveTeam's URLTeam publishes them
    Beacon,
    /// Links as maps for nginx, which then answers without Slugline
    NginxMap,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Beacon => "beacon",
            Self::NginxMap => "nginx-map",
        }
    }
}

/// Does it.
///
/// # Errors
/// When the service refuses, the export breaks off, or nobody takes the output.
pub fn run(args: &Args, options: &Options) -> anyhow::Result<ExitCode> {
    if args.links_only && args.format != Format::Ndjson {
        bail!("--links-only goes with --format ndjson; the other formats hold links alone");
    }
    block_on(with_service(&args.remote, options, async |client| export(args, client).await))?;
    Ok(ExitCode::SUCCESS)
}

async fn export(args: &Args, client: &Client) -> anyhow::Result<()> {
    let Some(path) = &args.output else {
        let mut stdout = BufWriter::new(io::stdout().lock());
        copy(args, client, &mut stdout, !output::on_terminal()).await?;
        stdout.flush()?;
        return Ok(());
    };
    let aside = aside(path);
    let written = write_aside(args, client, &aside).await;
    let bytes = match written {
        Ok(bytes) => bytes,
        Err(error) => {
            // Half an export is no export.
            drop(fs::remove_file(&aside));
            return Err(error);
        }
    };
    let moved = fs::rename(&aside, path).and_then(|()| File::open(folder_of(path))?.sync_all());
    moved.with_context(|| format!("{} can't be written", path.display()))?;
    if io::stderr().is_terminal() {
        output::note(format_args!("{} in {}", HumanBytes(bytes), path.display()));
    }
    Ok(())
}

/// Where a file stands until it is whole: beside its place.
fn aside(path: &Path) -> PathBuf {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(".part");
    path.with_file_name(name)
}

/// Where a file's name is kept.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A new file, whatever an export that was killed has left there: whoever may read that, or has it
/// open, is not to see what comes now.
fn create(aside: &Path, mode: u32) -> io::Result<File> {
    match fs::remove_file(aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(mode).open(aside)
}

async fn write_aside(args: &Args, client: &Client, aside: &Path) -> anyhow::Result<u64> {
    // What is stored of keys is nothing for others' eyes.
    let mode = if args.format == Format::Ndjson { 0o600 } else { 0o666 };
    let file = create(aside, mode);
    let file = file.with_context(|| format!("{} can't be written", aside.display()))?;
    let mut file = BufWriter::new(file);
    let bytes = copy(args, client, &mut file, true).await?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    Ok(bytes)
}

/// Copies the export to where it goes; how many bytes it was, once it is sure to be whole.
async fn copy(
    args: &Args,
    client: &Client,
    to: &mut impl Write,
    shown: bool,
) -> anyhow::Result<u64> {
    let mut query = vec![("format", args.format.name())];
    if args.links_only {
        query.push(("links_only", "true"));
    }
    let mut pieces = client.get_stream("/api/v1/export", &query).await?;
    let bar = if shown { bar() } else { ProgressBar::hidden() };
    let mut last = LastLine::default();
    let ended = loop {
        match pieces.next().await {
            Ok(Some(piece)) => {
                to.write_all(&piece)?;
                last.add(&piece);
                bar.inc(piece.len() as u64);
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    bar.finish_and_clear();
    check(args.format, ended, &last)?;
    Ok(bar.position())
}

/// Whether what came is whole.
fn check(format: Format, ended: Option<ClientError>, last: &LastLine) -> anyhow::Result<()> {
    let line = match format {
        Format::Ndjson => serde_json::from_slice(&last.0).ok(),
        _ => None,
    };
    let why = match (line, ended) {
        (Some(BackupLine::Broken(broken)), _) => broken.reason,
        (_, Some(error)) => format!("{error}; the service's log says more"),
        (Some(BackupLine::End(_)), None) => return Ok(()),
        (_, None) if format != Format::Ndjson => return Ok(()),
        (_, None) => "it ended without its last line; the service's log says more".to_owned(),
    };
    bail!("the export is not whole: {why}. Try again")
}

/// The last line of a stream.
#[derive(Default)]
struct LastLine(Vec<u8>);

impl LastLine {
    fn add(&mut self, piece: &[u8]) {
        self.0.extend_from_slice(piece);
        let text = self.0.trim_ascii_end();
        let start = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let start = start.max(self.0.len().saturating_sub(LONGEST_END));
        self.0.drain(..start);
    }
}

/// On the standard error stream, if that is a terminal.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(200));
    match ProgressStyle::with_template("{spinner} {bytes} exported, {bytes_per_sec}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn last(pieces: &[&str]) -> LastLine {
        let mut last = LastLine::default();
        pieces.iter().for_each(|piece| last.add(piece.as_bytes()));
        last
    }

    #[test]
    fn a_backup_is_whole_when_its_last_line_says_so() {
        let whole = |pieces: &[&str]| check(Format::Ndjson, None, &last(pieces));
        let end = r#"{"type":"end","counts":{}}"#;
        assert!(whole(&["{}\n{\"a\":1}\n", end, "\n"]).is_ok());
        let (half, rest) = end.split_at(9);
        assert!(whole(&["{}\n", half, rest]).is_ok());
        assert!(whole(&["{}\n", half]).is_err());
        assert!(whole(&[]).is_err());
        let broken = r#"{"type":"broken","reason":"the disk is full"}"#;
        let error = whole(&["{}\n", broken, "\n"]).unwrap_err().to_string();
        assert_eq!(error, "the export is not whole: the disk is full. Try again");
        assert!(check(Format::Csv, None, &last(&["a,b\n"])).is_ok());
    }

    #[test]
    fn a_file_is_written_beside_its_place() {
        assert_eq!(aside(Path::new("a/b.ndjson")), Path::new("a/b.ndjson.part"));
        assert_eq!(folder_of(Path::new("a/b.ndjson")), Path::new("a"));
        assert_eq!(folder_of(Path::new("b.ndjson")), Path::new("."));
    }

    #[test]
    fn what_a_killed_export_left_lends_nobody_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let part = folder.path().join("b.ndjson.part");
        fs::write(&part, "half an export").unwrap();
        fs::set_permissions(&part, fs::Permissions::from_mode(0o644)).unwrap();
        let mut open = File::open(&part).unwrap();
        create(&part, 0o600).unwrap().write_all(b"secret").unwrap();
        assert_eq!(fs::metadata(&part).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(io::read_to_string(&mut open).unwrap(), "half an export");
    }
}
