//! Logs: what is written, and in which form. They go to the standard error stream.

use std::io::IsTerminal;

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

/// How much is logged, and how it looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// A level, or levels by module: `info,slugline::store=debug`.
    pub level: String,
    /// For whom.
    pub format: Format,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
    /// Text on a terminal, JSON elsewhere.
    Auto,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// Not a level.
    #[error("log.level: {0:?} is no level; use off, error, warn, info, debug or trace")]
    Level(String),
    /// Somebody else in this process collects the logs already.
    #[error("logging is set up already")]
    Twice,
}

/// Collects the logs of this process from now on.
///
/// # Errors
/// [`TelemetryError`] when the level is none, or when this was called before.
pub fn init(settings: &Settings) -> Result<(), TelemetryError> {
    let terminal = std::io::stderr().is_terminal();
    let filter = filter(&settings.level)?;
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(
            // https://no-color.org
            terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        );
    let json = match settings.format {
        Format::Json => true,
        Format::Text => false,
        Format::Auto => !terminal,
    };
    let set = if json { builder.json().flatten_event(true).try_init() } else { builder.try_init() };
    set.map_err(|_| TelemetryError::Twice)
}

/// The filter that a level means. Stricter than `EnvFilter`, to which a mistyped level is the name
/// of a module and means silence.
///
/// # Errors
/// [`TelemetryError::Level`] when it means none.
pub fn filter(level: &str) -> Result<EnvFilter, TelemetryError> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let known = |directive: &str| {
        let level = directive.rsplit_once('=').map_or(directive, |(_, level)| level);
        LEVELS.contains(&level.trim().to_ascii_lowercase().as_str())
    };
    let bad = || TelemetryError::Level(level.to_owned());
    if !level.split(',').all(known) {
        return Err(bad());
    }
    // What the server says of its threads, and the Redis client of every try to reconnect, is no
    // news, unless it is asked for by name.
    EnvFilter::try_new(format!("actix_server=warn,redis=error,{}", level.replace(' ', "")))
        .map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_levels_by_module_are_known() {
        for good in ["info", "OFF", "info,slugline::store=debug", "warn, actix_server=error"] {
            assert!(filter(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_mistyped_level_is_not_taken_for_a_module() {
        for bad in ["", "inof", "info,", "slugline=loud", "info,slugline"] {
            assert!(filter(bad).is_err(), "{bad}");
        }
    }
}
