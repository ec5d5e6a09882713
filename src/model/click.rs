//! One visit, as captured on the reader's path and kept in the journal until it is counted.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the journal holds of one redirect.
///
/// Only what is counted is captured: no address, no user agent, no referrer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Click<'a> {
    /// When the redirect was answered, in milliseconds since 1970 by the node's clock.
    pub at_ms: i64,
    /// The code that was followed.
    #[serde(borrow)]
    pub code: &'a str,
}

impl Click<'_> {
    /// When it happened.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        Timestamp::from_millisecond(self.at_ms).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}
