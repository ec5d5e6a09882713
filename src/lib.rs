//! Slugline: short links for newsrooms. Mint, follow, count exactly once.
//!
//! The map, in reading order. Each module may use those above it, never those below:
//!
//! - [`model`]: nouns, pure.
//! - [`store`]: where nouns are kept.
//! - [`service`]: verbs, every rule once.
//! - [`metrics`]: what the service has done, for Prometheus.
//! - [`http`]: the edge, URLs and statuses.
//! - [`app`]: the wiring; order of start and stop.
//! - [`cli`]: the commands.
//!
//! Beside them, for `app` and `cli` alone: [`config`], settings from default, file, environment and
//! flags, and [`telemetry`], logs.

pub mod app;
pub mod cli;
pub mod config;
pub mod http;
pub mod metrics;
pub mod model;
pub mod service;
pub mod store;
pub mod telemetry;
