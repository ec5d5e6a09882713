//! Nouns, pure: no I/O, no async, no framework, no clock.
//!
//! A value of these types cannot exist unless it is valid: they are parsed once, at the edge, and
//! nothing inside checks again.

pub mod agent;
pub mod canonical;
pub mod click;
pub mod code;
pub mod home;
pub mod host;
pub mod key;
pub mod link;
pub mod referrer;
pub mod sheet;
pub mod tally;
pub mod target;
