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
//! - `report`: medians, the table, the JSON.

mod candidates;
mod client;
mod floor;
mod footprint;
mod load;
mod options;
mod process;
mod report;
mod servers;
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
    candidates::measure(&options, &mut report)?;
    if options.wants(Row::RedisMemory) {
        footprint::redis_memory(&options, &mut report)?;
    }
    if options.wants(Row::ServiceMemory) {
        footprint::service_memory(&options, &mut report)?;
    }
    if options.wants(Row::Start) {
        footprint::start(&options, &mut report)?;
    }
    println!("{report}");
    if let Some(file) = &options.json {
        std::fs::write(file, format!("{:#}\n", report.to_json()))?;
    }
    Ok(())
}
