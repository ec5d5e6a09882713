//! `slugline check`: is everything in order, before readers find out?

use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::client::{Client, is_served};
use super::output::{Tone, on_terminal, toned};
use super::{Options, block_on, output};
use crate::app;
use crate::config::Settings;
use crate::http::page::Pages;
use crate::service::click::Countries;
use crate::store::{StoreError, Upkeep};

/// Shown below the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  slugline check                                 with the settings that `serve` would use
  slugline check --config /etc/slugline.toml
  slugline check --ready                         is the running service ready? For health checks

Each finding is OK, a warning or a problem. With a problem it ends with 1. An empty Redis is made
ready for use.";

/// Free bytes below which it is time to look: 1 GiB.
const LITTLE_SPACE: u64 = 1024 * 1024 * 1024;

/// How much to look at.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only ask the running service whether it is ready
    #[arg(long)]
    ready: bool,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Level {
    Ok,
    Warning,
    Problem,
}

#[derive(Debug, Serialize)]
struct Finding {
    level: Level,
    subject: &'static str,
    detail: String,
}

impl Finding {
    fn new(level: Level, subject: &'static str, detail: impl ToString) -> Self {
        Self { level, subject, detail: detail.to_string() }
    }
}

/// Looks, and tells.
///
/// # Errors
/// When nobody takes the output. A problem found is an answer, not an error.
pub fn run(args: &Args, options: &Options) -> anyhow::Result<ExitCode> {
    let findings = match options.load() {
        Ok(loaded) => block_on(look(args, &loaded.settings))?,
        Err(error) => vec![Finding::new(Level::Problem, "configuration", error)],
    };
    let problem = findings.iter().any(|finding| finding.level == Level::Problem);
    if args.json {
        output::line(json!({ "ok": !problem, "findings": findings }))?;
    } else {
        findings.iter().try_for_each(print)?;
    }
    Ok(if problem { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print(finding: &Finding) -> std::io::Result<()> {
    let (word, tone) = match finding.level {
        Level::Ok => ("OK     ", Tone::Good),
        Level::Warning => ("warning", Tone::Careful),
        Level::Problem => ("problem", Tone::Bad),
    };
    let word = toned(word, tone, on_terminal());
    output::line(format_args!("{word}  {}: {}", finding.subject, finding.detail))
}

async fn look(args: &Args, settings: &Settings) -> anyhow::Result<Vec<Finding>> {
    let (serving, service) = service(settings).await;
    if args.ready {
        let level = if serving { service.level } else { Level::Problem };
        return Ok(vec![Finding { level, ..service }]);
    }
    let mut findings = vec![Finding::new(Level::Ok, "configuration", "valid")];
    let advice = settings.advice().into_iter();
    findings.extend(advice.map(|text| Finding::new(Level::Warning, "configuration", text)));
    findings.extend(folder("data folder", &settings.data_dir, settings.clicks.segment_size));
    let archive = &settings.clicks.archive;
    if !archive.as_os_str().is_empty() {
        findings.extend(folder("archive", archive, settings.clicks.segment_size));
    }
    findings.extend(countries(settings));
    findings.extend(pages(settings));
    findings.push(service);
    findings.extend(store(settings, serving).await);
    Ok(findings)
}

/// Whether a service runs here, and what it says.
async fn service(settings: &Settings) -> (bool, Finding) {
    let subject = "service";
    let socket = settings.control_socket();
    match is_served(&socket) {
        Ok(false) => (false, Finding::new(Level::Ok, subject, "not running")),
        Err(error) => (false, Finding::new(Level::Problem, subject, format_args!("{error:#}"))),
        Ok(true) => (true, ready(&socket, subject).await),
    }
}

async fn ready(socket: &Path, subject: &'static str) -> Finding {
    let client = match Client::local(socket, None) {
        Ok(client) => client,
        Err(error) => return Finding::new(Level::Problem, subject, format_args!("{error:#}")),
    };
    match client.ready().await {
        Ok((true, _)) => Finding::new(Level::Ok, subject, "running and ready"),
        Ok((false, why)) => {
            Finding::new(Level::Problem, subject, format_args!("running, but not ready: {why}"))
        }
        Err(error) => Finding::new(Level::Problem, subject, error),
    }
}

/// A folder of the service: can it be written, and is there room?
fn folder(subject: &'static str, folder: &Path, segment_size: u64) -> Vec<Finding> {
    let wanted = std::path::absolute(folder).unwrap_or(folder.to_owned());
    let exists = wanted.is_dir();
    // What will be made at the first start is made in the nearest folder that there is.
    let Some(folder) = wanted.ancestors().find(|folder| folder.exists()) else {
        return vec![Finding::new(Level::Problem, subject, "there is no such disk")];
    };
    if let Err(error) = try_to_write(folder) {
        let detail = format!("{} can't be written to: {error}", folder.display());
        return vec![Finding::new(Level::Problem, subject, detail)];
    }
    let state = if exists { "can be written to" } else { "will be made at the first start" };
    let path = wanted.display();
    let mut findings = vec![Finding::new(Level::Ok, subject, format_args!("{path} {state}"))];
    findings.extend(space(folder, segment_size));
    findings
}

/// The database of countries, if there is one: `serve` refuses to start without it.
fn countries(settings: &Settings) -> Option<Finding> {
    let path = &settings.clicks.geoip_path;
    if path.as_os_str().is_empty() {
        return None;
    }
    let (level, detail) = match Countries::open(path, Timestamp::now()) {
        Ok(_) => (Level::Ok, format!("{} can be used", path.display())),
        Err(error) => (Level::Problem, format!("clicks.geoip_path: {error}")),
    };
    Some(Finding::new(level, "countries", detail))
}

/// What readers see: `serve` refuses to start without the files of the brand.
fn pages(settings: &Settings) -> Vec<Finding> {
    let pages = match Pages::open(&settings.brand, "") {
        Ok(pages) => pages,
        Err(error) => return vec![Finding::new(Level::Problem, "pages", error)],
    };
    let languages = Vec::from_iter(pages.languages()).join(", ");
    let mut findings = vec![Finding::new(Level::Ok, "pages", format_args!("in {languages}"))];
    findings.extend(pages.gaps().map(|(language, keys)| {
        let detail = format!("[{language}] lacks {}: said in English", keys.join(", "));
        Finding::new(Level::Warning, "pages", detail)
    }));
    findings
}

fn try_to_write(folder: &Path) -> std::io::Result<()> {
    let probe = folder.join(format!(".slugline-check-{}", std::process::id()));
    std::fs::write(&probe, b"")?;
    std::fs::remove_file(&probe)
}

/// Room for a few files of the journal must be left, or clicks cannot be recorded.
fn space(folder: &Path, segment_size: u64) -> Option<Finding> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let level = match free {
        free if free < segment_size.saturating_mul(4) => Level::Problem,
        free if free < LITTLE_SPACE => Level::Warning,
        _ => Level::Ok,
    };
    let detail = format!("{} MiB are free", free / (1024 * 1024));
    Some(Finding::new(level, "disk", detail))
}

/// The store, unless the running service holds it and has just said how it is.
async fn store(settings: &Settings, serving: bool) -> Vec<Finding> {
    let subject = "store";
    let embedded = settings.store.url.is_empty();
    if embedded && serving {
        return vec![Finding::new(Level::Ok, subject, "embedded, in use by the running service")];
    }
    if embedded && !settings.data_dir.is_dir() {
        return vec![Finding::new(Level::Ok, subject, "embedded, will be made at the first start")];
    }
    let store = match app::open_store(settings) {
        Ok(store) => store,
        Err(error) => {
            return vec![Finding::new(Level::Problem, subject, format_args!("{error:#}"))];
        }
    };
    match prepare(&store).await {
        Err(error) => vec![Finding::new(Level::Problem, subject, error)],
        Ok(warnings) => {
            let warnings = warnings.into_iter();
            std::iter::once(Finding::new(Level::Ok, subject, "it answers"))
                .chain(warnings.map(|text| Finding::new(Level::Warning, subject, text)))
                .collect()
        }
    }
}

async fn prepare(store: &impl Upkeep) -> Result<Vec<String>, StoreError> {
    store.ping().await?;
    store.prepare().await
}
