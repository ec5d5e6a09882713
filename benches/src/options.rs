//! What a run is asked for.

use std::path::{Path, PathBuf};
use std::process::{Command as Program, Stdio};

use anyhow::{Context, ensure};
use clap::{Parser, Subcommand, ValueEnum};

/// Measures Slugline against a bare actix-web handler, and prints one table.
#[derive(Parser, Debug)]
#[command(version, subcommand_negates_reqs = true)]
pub(crate) struct Options {
    /// The service to measure [default: `slugline` beside this program]
    #[arg(long, value_name = "PATH")]
    pub(crate) slugline: Option<PathBuf>,
    /// Real addresses to mint, one a line; look-alikes are made up without
    #[arg(long, value_name = "FILE", env = "SLUGLINE_BENCH_URLS")]
    pub(crate) urls: Option<PathBuf>,
    /// Rows to measure, by letter [default: all]
    #[arg(long, value_name = "ROWS", value_delimiter = ',', value_enum)]
    pub(crate) only: Vec<Row>,
    /// Stores of the rows i to n [default: both]
    #[arg(long, value_name = "STORES", value_delimiter = ',', value_enum)]
    pub(crate) stores: Vec<StoreKind>,
    /// How often each row is measured; the table shows medians
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
    /// How long each measurement lasts, in seconds
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) seconds: u32,
    /// Links in the rows about memory
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub(crate) links: usize,
    /// Codes that the readers of the redirect rows follow, by Zipf's law
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub(crate) codes: usize,
    /// Clicks on the link whose figures are asked for (row i)
    #[arg(long, value_name = "N", default_value_t = 10_000_000)]
    pub(crate) link_clicks: u64,
    /// Links that are ranked (rows j and k)
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub(crate) ranked: usize,
    /// Clicks that wait in the journal (row l)
    #[arg(long, value_name = "N", default_value_t = 2_000_000)]
    pub(crate) backlog: u64,
    /// Links clicked on each day (row m)
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub(crate) clicked: usize,
    /// Links that are imported (row n)
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub(crate) imported: usize,
    /// Worker threads of the floor and of the service
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) workers: usize,
    /// Threads of wrk
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) threads: usize,
    /// Connections of wrk
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) connections: usize,
    /// Reach Redis through a unix socket, not TCP
    #[arg(long)]
    pub(crate) redis_socket: bool,
    /// When the service's click journal is synced to disk: `always`, `interval` or `never`
    #[arg(long, value_name = "WHEN", default_value = "interval")]
    pub(crate) fsync: String,
    /// Write every measurement into this file, too
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What this program does as a child of itself.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Serves a constant redirect
    #[command(hide = true)]
    Floor {
        /// Where to listen on 127.0.0.1.
        port: u16,
        /// Worker threads.
        workers: usize,
    },
}

/// A row of the table.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Row {
    /// The floor: a bare actix-web handler
    #[value(name = "a")]
    Floor,
    /// Hot redirects, embedded store
    #[value(name = "b")]
    HotEmbedded,
    /// Hot redirects, Redis
    #[value(name = "c")]
    HotRedis,
    /// Cold redirects, Redis
    #[value(name = "d")]
    ColdRedis,
    /// Mint, Redis
    #[value(name = "e")]
    MintRedis,
    /// Bytes of Redis a link
    #[value(name = "f")]
    RedisMemory,
    /// Memory of the service, embedded store
    #[value(name = "g")]
    ServiceMemory,
    /// Start to first answer
    #[value(name = "h")]
    Start,
    /// Figures of a much-clicked link
    #[value(name = "i")]
    LinkStats,
    /// Figures of the site
    #[value(name = "j")]
    SiteStats,
    /// The most clicked links
    #[value(name = "k")]
    Ranking,
    /// Clicks counted a second
    #[value(name = "l")]
    Rollup,
    /// Bytes of store a clicked link and day
    #[value(name = "m")]
    TallyBytes,
    /// Links imported a second
    #[value(name = "n")]
    Import,
}

/// Where a service keeps what it counts.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreKind {
    /// The embedded store
    Embedded,
    /// Redis
    Redis,
}

impl StoreKind {
    /// Its name in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded store",
            Self::Redis => "Redis",
        }
    }
}

impl Options {
    /// Whether a row is asked for.
    pub(crate) fn wants(&self, row: Row) -> bool {
        self.only.is_empty() || self.only.contains(&row)
    }

    /// The stores of the rows that are measured over several.
    pub(crate) fn stores(&self) -> Vec<StoreKind> {
        match self.stores.as_slice() {
            [] => vec![StoreKind::Embedded, StoreKind::Redis],
            some => some.to_vec(),
        }
    }

    /// The program to measure.
    pub(crate) fn slugline(&self) -> anyhow::Result<PathBuf> {
        match &self.slugline {
            // It is started in folders of its own.
            Some(path) => Ok(std::path::absolute(path)?),
            None => Ok(std::env::current_exe()?.with_file_name("slugline")),
        }
    }

    /// Whether all programs and files are there, before anything is started.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let loaded = [Row::Floor, Row::HotEmbedded, Row::HotRedis, Row::ColdRedis, Row::MintRedis];
        let redis = [Row::HotRedis, Row::ColdRedis, Row::MintRedis, Row::RedisMemory];
        let either = [
            Row::LinkStats,
            Row::SiteStats,
            Row::Ranking,
            Row::Rollup,
            Row::TallyBytes,
            Row::Import,
        ];
        if loaded.iter().any(|row| self.wants(*row)) {
            ensure!(runs("wrk", "-v"), "wrk is missing; install it: apt-get install wrk");
        }
        let counts_in_redis =
            self.stores().contains(&StoreKind::Redis) && either.iter().any(|row| self.wants(*row));
        if counts_in_redis || redis.iter().any(|row| self.wants(*row)) {
            let there = runs("redis-server", "--version");
            ensure!(there, "redis-server is missing; install it: apt-get install redis-server");
        }
        if self.only != [Row::Floor] {
            let program = self.slugline()?;
            let way_out = "build it (`cargo build --profile dist`), or say --slugline PATH";
            ensure!(program.is_file(), "no service at {}; {way_out}", program.display());
        }
        if let Some(file) = &self.urls {
            let _ = std::fs::File::open(file).with_context(|| file.display().to_string())?;
        }
        ensure!((1..=100_000).contains(&self.codes), "--codes must be between 1 and 100000");
        ensure!(self.links > 0 && self.imported > 0, "--links and --imported must be at least 1");
        ensure!(self.ranked > 0 && self.clicked > 0, "--ranked and --clicked must be at least 1");
        ensure!(self.backlog > 0 && self.link_clicks > 0, "there must be clicks to count");
        ensure!(
            self.threads > 0 && self.connections >= self.threads,
            "--connections must be at least --threads, and that at least 1"
        );
        Ok(())
    }
}

/// Whether a program can be started. wrk has no flag that it answers with success.
fn runs(program: &str, flag: &str) -> bool {
    let mut command = Program::new(program);
    command.arg(flag).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok()
}

/// The repository's Redis configuration for production, when it is there.
pub(crate) fn redis_config() -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/redis.conf");
    file.canonicalize().ok().filter(|file| file.is_file())
}
