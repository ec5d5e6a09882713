//! `slugline completions`: a script that lets the shell complete our words.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;

/// Shown below the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  slugline completions bash > ~/.local/share/bash-completion/completions/slugline
  slugline completions zsh > ~/.zfunc/_slugline
  slugline completions fish > ~/.config/fish/completions/slugline.fish";

/// For which shell.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which shell
    shell: Shell,
}

/// Prints the script.
///
/// # Errors
/// When nobody takes the output.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "slugline", &mut script);
    io::stdout().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}
