//! The canonical form of an address.

use serde::{Deserialize, Serialize};

/// What is stripped beside the built-in table, and what of that table is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Further tracking parameters; a name ending in `*` is a prefix.
    pub strip: Vec<String>,
    /// Parameters that are not tracking here, whatever the table says.
    pub keep: Vec<String>,
}
