//! One visit: as it is captured on the reader's path and kept in the journal until it is counted,
//! and what the roll-up makes of it.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::tally::Name;

/// What the journal holds of one redirect, or of one request for an unknown code.
///
/// The address and the agent live no longer than the journal's segment; neither reaches the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Click<'a> {
    /// When it was answered, in milliseconds since 1970 by the node's clock.
    pub at_ms: i64,
    /// The code that was followed.
    #[serde(borrow)]
    pub code: &'a str,
    /// What the reader's side said of itself.
    #[serde(borrow)]
    pub source: Source<'a>,
}

/// What a request says about who made it, as far as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Source<'a> {
    /// `User-Agent`, at most [`MAX_AGENT`] bytes of it; empty when there was none.
    #[serde(borrow)]
    pub agent: &'a [u8],
    /// Scheme and host of `Referer`; its path and query are nobody's business. Empty when there was
    /// none, and when the reader asks not to be tracked.
    #[serde(borrow)]
    pub referrer: &'a [u8],
    /// The reader's address. `None` when unknown, and when the reader asks not to be tracked.
    pub address: Option<IpAddr>,
    /// The country that the edge says, two capital letters (ISO 3166-1). `None` as with `address`.
    pub country: Option<[u8; 2]>,
    /// Whether the reader asks not to be tracked (`DNT: 1`, `Sec-GPC: 1`): nothing is counted about
    /// the person.
    pub private: bool,
    /// Whether the browser fetched ahead of any click (`Sec-Purpose`, `Purpose`, `X-Moz`).
    pub prefetch: bool,
}

/// The most bytes kept of an agent.
pub const MAX_AGENT: usize = 512;
/// The most bytes kept of a referrer's scheme and host.
pub const MAX_REFERRER: usize = 255;

/// A country's two letters (ISO 3166-1), in capitals; `None` for anything else, and for what is said
/// of places that are none: `XX` and `ZZ` are "unknown" by custom, out of the range that the
/// standard leaves to its users.
#[must_use]
pub fn country(letters: &[u8]) -> Option<[u8; 2]> {
    let letters = <[u8; 2]>::try_from(letters).ok()?.map(|letter| letter.to_ascii_uppercase());
    let known = letters.iter().all(u8::is_ascii_uppercase) && !matches!(&letters, b"XX" | b"ZZ");
    known.then_some(letters)
}

/// What a click turned out to be: all that is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Who came.
    pub who: Who,
    /// The host that they came from, `direct` or `unknown`.
    pub referrer: Name,
    /// Two capital letters, or `unknown`.
    pub country: Name,
    /// The browser's family, or `unknown`.
    pub browser: Name,
    /// The operating system's family, or `unknown`.
    pub platform: Name,
    /// `phone`, `tablet`, `desktop`, `other` or `unknown`.
    pub device: Name,
}

/// Who made a click.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// A person; with a hash that is good for one UTC day, unless they ask not to be tracked.
    Person(Option<u64>),
    /// A bot of this family: its kind, a slash, its name; or `prefetch`, a browser that fetched ahead
    /// of any click.
    Bot(Name),
}

impl Visit {
    /// Whether a bot made it.
    #[must_use]
    pub fn is_bot(&self) -> bool {
        matches!(self.who, Who::Bot(_))
    }
}

impl Click<'_> {
    /// When it happened.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        Timestamp::from_millisecond(self.at_ms).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}
