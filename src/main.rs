//! Parses the command line, runs one command, prints one error.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use slugline::cli::{self, Cli, Command, output};

/// Spreads allocations of many threads better than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let Cli { options, command } = Cli::parse();
    let done = match command {
        Command::Serve => cli::serve::run(&options),
        Command::Shorten(args) => cli::shorten::run(&args, &options),
        Command::Stats(args) => cli::stats::run(&args, &options),
        Command::Export(args) => cli::export::run(&args, &options),
        Command::Clicks(args) => cli::clicks::run(&args, &options),
        Command::Import(args) => cli::import::run(&args, &options),
        Command::Key(args) => cli::key::run(&args, &options),
        Command::Check(args) => cli::check::run(&args, &options),
        Command::Config(args) => cli::config::run(&args, &options),
        Command::Completions(args) => cli::completions::run(&args),
    };
    done.unwrap_or_else(|error| report(&error))
}

/// Says what went wrong. Nobody being left to read the output is no error.
fn report(error: &anyhow::Error) -> ExitCode {
    if let Some(usage) = error.downcast_ref::<clap::Error>() {
        _ = usage.print();
        return ExitCode::from(2);
    }
    let gone = |cause: &io::Error| cause.kind() == io::ErrorKind::BrokenPipe;
    if error.downcast_ref().is_some_and(gone) {
        return ExitCode::SUCCESS;
    }
    let label = output::toned("error:", output::Tone::Bad, io::stderr().is_terminal());
    _ = writeln!(io::stderr(), "{label} {error:#}");
    ExitCode::FAILURE
}
