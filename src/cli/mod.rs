//! The commands, one short file each.
//!
//! `serve` runs the service, and `clicks` reads the archive's files. All others are clients of its REST
//! API: of a server that is named, or of this machine's through its control socket ([`client`]).

pub mod check;
pub mod clicks;
pub mod client;
pub mod completions;
pub mod config;
pub mod export;
pub mod import;
pub mod key;
pub mod output;
pub mod serve;
pub mod shorten;
pub mod stats;

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use toml::{Table, Value};

use crate::config::{ConfigError, Loaded, Settings};

const ABOUT: &str = "Slugline: short links for newsrooms. Mint, follow, count exactly once.";

const EXAMPLES: &str = "\
Examples:
  slugline serve                                  run the service on 127.0.0.1:8080
  slugline shorten https://example.org/a-story    mint a link, or find the one there is
  slugline stats 8yDbrB                           its clicks, day by day
  slugline import goo-gl.zip                      move in with what another shortener left
  slugline key create 'News desk'                 a key for a colleague or a CMS
  slugline check                                  is everything well set up?

Run on the machine of the service, commands find it through its data folder and need no key. From
elsewhere, name it: --server https://go.example.org, with a key in SLUGLINE_KEY.

`slugline help COMMAND` says more about each.";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "slugline", version, about = ABOUT, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub options: Options,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the service until SIGTERM or Ctrl-C
    #[command(after_help = serve::EXAMPLES)]
    Serve,
    /// Mint short links
    #[command(after_help = shorten::EXAMPLES)]
    Shorten(shorten::Args),
    /// Show the clicks on a link
    #[command(after_help = stats::EXAMPLES)]
    Stats(Box<stats::Args>),
    /// Write everything out: a backup, a table, or what nginx serves links by
    #[command(after_help = export::EXAMPLES)]
    Export(export::Args),
    /// Export single clicks from the archive
    Clicks(clicks::Args),
    /// Move in: import links from files
    #[command(after_help = import::EXAMPLES)]
    Import(Box<import::Args>),
    /// Create, list and revoke API keys
    #[command(after_help = key::EXAMPLES)]
    Key(key::Args),
    /// Look whether configuration, folder, store and service are in order
    #[command(after_help = check::EXAMPLES)]
    Check(check::Args),
    /// Show the configuration in effect, and where each value comes from
    #[command(after_help = config::EXAMPLES)]
    Config(config::Args),
    /// Print a completion script for your shell
    #[command(after_help = completions::EXAMPLES)]
    Completions(completions::Args),
}

/// Settings on the command line: above the environment, which is above the file.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Settings")]
pub struct Options {
    /// Read settings from this TOML file
    #[arg(long, global = true, value_name = "FILE", env = "SLUGLINE_CONFIG")]
    config: Option<PathBuf>,
    /// Address to listen on [default: 127.0.0.1:8080]
    #[arg(long, global = true, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Folder for the journal, the control socket and the embedded store [default: data]
    #[arg(long, global = true, value_name = "FOLDER")]
    data_dir: Option<String>,
    /// Store: redis://…, unix://…, redis+cluster://… [default: the embedded store]
    #[arg(long, global = true, value_name = "URL")]
    store: Option<String>,
    /// What short URLs begin with [default: the listen address]
    #[arg(long, global = true, value_name = "URL")]
    public_url: Option<String>,
    /// Threads that answer requests; 0 is one for each core [default: 0]
    #[arg(long, global = true, value_name = "NUMBER")]
    workers: Option<u16>,
    /// Form of the logs: text, json or auto [default: auto]
    #[arg(long, global = true, value_name = "FORMAT")]
    log_format: Option<String>,
}

impl Options {
    /// The settings in effect.
    ///
    /// # Errors
    /// [`ConfigError`] names every key that is wrong.
    pub fn load(&self) -> Result<Loaded, ConfigError> {
        let text = |name: std::ffi::OsString| name.to_string_lossy().into_owned();
        let env = std::env::vars_os().map(|(name, value)| (text(name), text(value)));
        Settings::load(self.config.as_deref(), env, self.table())
    }

    fn table(&self) -> Table {
        let text = |value: &Option<String>| value.clone().map(Value::String);
        let section = |name: &str, value: Option<Value>| {
            value.map(|value| Value::Table(Table::from_iter([(name.to_owned(), value)])))
        };
        let flags = [
            ("listen", text(&self.listen)),
            ("data_dir", text(&self.data_dir)),
            ("public_url", text(&self.public_url)),
            ("workers", self.workers.map(|number| Value::Integer(number.into()))),
            ("store", section("url", text(&self.store))),
            ("log", section("format", text(&self.log_format))),
        ];
        flags.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }
}

/// Runs a command's work on this thread; the service brings threads of its own.
pub(crate) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the system gives no event loop")?;
    tokio::task::LocalSet::new().block_on(&runtime, work)
}
