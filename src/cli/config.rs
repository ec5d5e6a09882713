//! `slugline config`: what is in effect, and why.

use std::process::ExitCode;

use super::{Options, output};
use crate::config::DEFAULT_TOML;

/// Shown below the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  slugline config                           what is in effect; secrets are not shown
  slugline config --config slugline.toml    the same with this file
  slugline config --default                 every key with its explanation, to start a file from

Each value comes from the first of: a flag, the environment (SLUGLINE__SECTION__KEY), the file named
with --config, the built-in default.";

/// Which configuration.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print the built-in defaults with their explanations instead
    #[arg(long)]
    default: bool,
}

/// Prints it as TOML.
///
/// # Errors
/// When the configuration is refused, or nobody takes the output.
pub fn run(args: &Args, options: &Options) -> anyhow::Result<ExitCode> {
    let text = if args.default { DEFAULT_TOML.to_owned() } else { options.load()?.to_toml() };
    output::line(text.trim_end())?;
    Ok(ExitCode::SUCCESS)
}
