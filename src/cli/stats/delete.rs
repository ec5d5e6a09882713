//! `slugline stats delete`: figures that shall be gone.

use std::io::{self, BufRead, IsTerminal, Write};
use std::process::ExitCode;

use clap::CommandFactory;
use clap::error::ErrorKind;

use super::question::code_of;
use crate::cli::client::{Remote, with_service};
use crate::cli::output::grouped;
use crate::cli::{Cli, Options, block_on, output};
use crate::model::code::Code;

/// Shown below the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  slugline stats delete 8yDbrB
  slugline stats delete --yes https://go.example.org/8yDbrB

The link goes on redirecting, and is counted from nothing. What its clicks added to its tags, its
key and the site stays. The audit shows who did this and when. It takes a key of the scope admin.";

/// Whose figures.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The link's code, or its short URL
    #[arg(value_name = "CODE|SHORT_URL")]
    code: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Deletes them.
pub(super) fn run(args: &Args, remote: &Remote, options: &Options) -> anyhow::Result<ExitCode> {
    let code = code_of(&args.code)?;
    if !args.yes {
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            let why = "deleted figures don't come back: say --yes where nobody can be asked";
            return Err(Cli::command().error(ErrorKind::MissingRequiredArgument, why).into());
        }
        if !is_meant(&code)? {
            output::note("Nothing was deleted.");
            return Ok(ExitCode::FAILURE);
        }
    }
    let answer = block_on(with_service(remote, options, async |client| {
        Ok(client.delete(&format!("/api/v1/links/{code}/stats")).await?)
    }))?;
    let clicks = answer["deleted_clicks"].as_u64();
    let told = clicks.map(|clicks| format!(", which had {} clicks,", grouped(clicks)));
    output::line(format_args!("The figures of {code}{} are deleted.", told.unwrap_or_default()))?;
    Ok(ExitCode::SUCCESS)
}

/// Asks whoever sits at the terminal.
fn is_meant(code: &Code) -> io::Result<bool> {
    let mut terminal = io::stderr().lock();
    write!(terminal, "Delete all figures of {code} for good? [y/N] ")?;
    terminal.flush()?;
    let mut reply = String::new();
    io::stdin().lock().read_line(&mut reply)?;
    Ok(is_yes(&reply))
}

/// Whatever is not clearly a yes is a no.
fn is_yes(reply: &str) -> bool {
    matches!(reply.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_not_clearly_a_yes_is_a_no() {
        assert!(["y\n", "YES\n", " yes "].into_iter().all(is_yes));
        assert!(!["", "\n", "n\n", "yess\n", "j\n"].into_iter().any(is_yes));
    }
}
