//! The edge: every route in matching order, the code route last.

pub mod ops;
pub mod redirect;

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How answers look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The `Cache-Control` of redirects.
    pub cache_control: String,
    /// How long requests in flight may take when the service stops.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub shutdown_timeout: Duration,
}
