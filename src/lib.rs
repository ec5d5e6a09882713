//! Slugline: short links for newsrooms. Mint, follow, count exactly once.
//!
//! The map, in reading order. Each module may use those above it, never those below:
//!
//! - [`model`]: nouns, pure.
//! - [`store`]: where nouns are kept.
//! - [`service`]: verbs, every rule once.
//! - [`http`]: the edge, URLs and statuses.
//! - [`app`]: the wiring; order of start and stop.
//! - [`config`]: settings from default, file, environment and flags.
//! - [`cli`]: the commands.
//!
//! Beside them, [`telemetry`]: logs.

pub mod config;
pub mod http;
pub mod metrics;
pub mod model;
pub mod service;
pub mod store;
pub mod telemetry;
