//! A regular expression that is compiled when it is first needed.
//!
//! The agents of a day touch few of them.

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

/// Bytes that one expression may use to remember how its search went on. With the default of two
/// megabytes a month of odd agents fills twice the memory and gains nothing.
const SEARCH_MEMORY: usize = 80 << 10;

/// One expression of the tables.
pub(super) struct Pattern {
    source: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    pub(super) fn new(source: &'static str) -> Self {
        Self { source, compiled: OnceLock::new() }
    }

    /// The expression over bytes, classes being those of ASCII; `None` if it is none, which a test
    /// rules out for all there are.
    pub(super) fn regex(&self) -> Option<&Regex> {
        let compile = || {
            let mut builder = RegexBuilder::new(self.source);
            builder.unicode(false).dfa_size_limit(SEARCH_MEMORY).build().ok()
        };
        self.compiled.get_or_init(compile).as_ref()
    }
}
