//! Verbs: every rule, once.

pub mod auth;
pub mod click;
pub mod health;
pub mod replies;
pub mod resolve;
pub mod shorten;
pub mod stats;

pub use crate::store::StoreError;
