//! Moving in: `slugline import` as an operator runs it, over the real service, with files as others
//! publish them, made here.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../support/live/mod.rs"]
mod live;

mod beacon;
mod conduct;
mod csv;
mod importer;
mod interruption;
mod scale;
