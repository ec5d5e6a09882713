//! What is wrong with a configuration, in words that lead to the line to change.

use std::fmt;
use std::path::PathBuf;

/// Where a value was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere: it is the built-in default.
    Default,
    /// In a file.
    File {
        /// Which.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// In this environment variable.
    Environment(String),
    /// By this flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}, line {line}", path.display()),
            Self::Environment(name) => write!(f, "environment, {name}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

impl Origin {
    /// How `key` is spelled where this value was set.
    pub(super) fn spell(&self, key: &str) -> String {
        match self {
            Self::Environment(_) => super::layer::variable(key),
            Self::Flag(_) => super::layer::flag(key),
            Self::Default | Self::File { .. } => key.to_owned(),
        }
    }
}

/// Why a configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file isn't there, or may not be read.
    #[error("the configuration file {} can't be read: {cause}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        cause: String,
    },
    /// The file is no TOML.
    #[error("{origin}: this is not TOML: {cause}")]
    Syntax {
        /// Where.
        origin: Origin,
        /// What the parser says.
        cause: String,
    },
    /// There is no such key.
    #[error("unknown key `{key}` ({origin}){}", nearest.as_ref().map_or_else(
        || "; config/default.toml and `slugline config --default` list all keys".to_owned(),
        |near| format!("; did you mean `{near}`?"),
    ))]
    Unknown {
        /// As it was written.
        key: String,
        /// Where.
        origin: Origin,
        /// The known key that looks most like it, spelled as it would be there.
        nearest: Option<String>,
    },
    /// A section's name stands where a value's should, or the other way round.
    #[error("`{key}` is {is} ({origin})")]
    Shape {
        /// Which.
        key: String,
        /// What it is instead.
        is: String,
        /// Where.
        origin: Origin,
    },
    /// A value of the wrong type, or out of bounds.
    #[error("`{key}` must be {allowed}, not {given} ({origin})")]
    Bad {
        /// Which.
        key: String,
        /// What it may be.
        allowed: String,
        /// What it is; redacted if it is a secret.
        given: String,
        /// Where.
        origin: Origin,
    },
    /// More than one thing is wrong.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n       "))]
    Several(Vec<Self>),
}

impl ConfigError {
    /// All of `found` as one error, if there is any.
    pub(super) fn of(mut found: Vec<Self>) -> Result<(), Self> {
        match found.len() {
            0 => Ok(()),
            1 => Err(found.remove(0)),
            _ => Err(Self::Several(found)),
        }
    }
}
