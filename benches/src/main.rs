//! One run, one table, one machine: what Slugline costs, against a bare actix-web handler.
//!
//! The rows are described in `benches/README.md`. The modules, in reading order:
//!
//! - `floor`: the bare handler, a subcommand of this program.
//! - `process`: servers as child processes, and what they use of processor and memory.
//! - `servers`: how redis-server, the service and the floor are started.
//! - `client`: minting, following and asking, to prepare and to check.
//! - `urls`: real addresses, or look-alikes.
//! - `load`: wrk, and the scripts it runs.
//! - `candidates`: the rows that are measured under load.
//! - `footprint`: the rows that are not: memory and start.
//! - `readers`: made-up readers, as clicks of the journal and as visits that are counted.
//! - `tallies`: a store that is filled through its own port, without any request.
//! - `stats`: the rows about figures: how long they take to ask for, and how many bytes to keep.
//! - `rollup`: the row about counting.
//! - `import`: the row about importing.
//! - `report`: medians, the table, the JSON.

mod candidates;
mod client;
mod floor;
mod footprint;
mod import;
mod load;
mod options;
mod process;
mod readers;
mod report;
mod rollup;
mod servers;
mod stats;
mod tallies;
mod urls;

use clap::Parser;

use options::{Command, Options, Row};
use report::Report;

/// The service's allocator, so that the floor differs by its handler alone.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    if let Some(Command::Floor { port, workers }) = options.command {
        return floor::serve(port, workers);
    }
    options.check()?;
    let mut report = Report::new(&options);
    let outcome = measure(&options, &mut report);
    // What was measured before a row failed took its time as well.
    println!("{report}");
    outcome?;
    if let Some(file) = &options.json {
        std::fs::write(file, format!("{:#}\n", report.to_json()))?;
    }
    Ok(())
}

/// Every row that is wanted, in turn.
fn measure(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    candidates::measure(options, report)?;
    if options.wants(Row::RedisMemory) {
        footprint::redis_memory(options, report)?;
    }
    if options.wants(Row::ServiceMemory) {
        footprint::service_memory(options, report)?;
    }
    if options.wants(Row::Start) {
        footprint::start(options, report)?;
    }
    for kind in options.stores() {
        if options.wants(Row::LinkStats) {
            stats::of_link(options, kind, report)?;
        }
        if options.wants(Row::SiteStats) || options.wants(Row::Ranking) {
            stats::of_site(options, kind, report)?;
        }
        if options.wants(Row::Rollup) {
            rollup::measure(options, kind, report)?;
        }
        if options.wants(Row::TallyBytes) {
            stats::row_bytes(options, kind, report)?;
        }
        if options.wants(Row::Import) {
            import::measure(options, kind, report)?;
        }
    }
    Ok(())
}
