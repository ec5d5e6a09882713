//! Who asks, and what they may do.

use serde::{Deserialize, Serialize};

/// How the first key comes into the world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The first admin key, for unattended installs; empty: one is drawn and shown once.
    pub bootstrap_key: String,
}
