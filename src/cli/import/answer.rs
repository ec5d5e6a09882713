//! What the service says about a batch.

use serde::Deserialize;

/// What came of the lines of one request.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Answer {
    pub(super) imported: u64,
    pub(super) existing: u64,
    pub(super) replaced: u64,
    pub(super) conflicts: Vec<Remark>,
    pub(super) refused: Vec<Remark>,
    pub(super) stopped: bool,
}

/// A line that was not imported.
#[derive(Debug, Deserialize)]
pub(super) struct Remark {
    /// Which line of the request, from 1.
    pub(super) line: usize,
    pub(super) code: Option<String>,
    pub(super) reason: String,
}
