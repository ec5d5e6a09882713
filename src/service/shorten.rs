//! The only writer of links.

use serde::{Deserialize, Serialize};

use crate::model::link::Redirect;

/// The publisher's house rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The status of links that have none of their own.
    pub redirect: Redirect,
    /// Hosts that may be linked to, and all below them; empty: any.
    pub allow_hosts: Vec<String>,
    /// Hosts that may not be linked to, and all below them.
    pub block_hosts: Vec<String>,
}
