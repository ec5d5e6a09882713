//! What comes in at this moment: the clicks that all nodes have just counted.
//!
//! After each round the roll-up tells on the store's bulletin what it has counted. Whoever listens
//! asks for what was told since a place in that bulletin, and gets it summed up with a new place to
//! go on from. So nothing is missed and nothing comes twice, also across a lost connection, for as
//! long as the bulletin remembers; when it does not, the listener is told of the gap. The bulletin
//! is a courtesy: what was counted but could not be told is in the [figures](super::stats) only.

mod audience;
mod pulse;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::auth::{Auth, Forbidden, Principal};
pub use crate::store::NewsId;
use crate::store::cached::Cached;
use crate::store::{Bulletin as _, StoreError};
use audience::Seat;
pub use audience::{Audience, MAX_LISTENERS};
use pulse::Sum;
pub use pulse::{MAX_LINKS, Pulse, Shares, Unreadable};

/// Items asked for at once.
const PAGE: usize = 500;
/// The longest place that is looked for. Those of our stores are half as long.
const MAX_PLACE: usize = 64;

/// Why nobody is told anything.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The key may not know, or may no longer.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// Enough are listening.
    #[error(
        "{MAX_LISTENERS} listeners are being told already; try again later, or at another node"
    )]
    Full,
    /// The store's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a listener is told at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Word {
    /// Clicks may have been counted that are not told; all from now on are.
    pub gap: Option<Gap>,
    /// Clicks that were counted.
    pub clicks: Option<Clicks>,
}

/// Clicks that were counted since the last word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clicks {
    /// When the last of them were counted.
    pub at: Timestamp,
    /// How many nodes counted them.
    pub nodes: usize,
    /// How many, on which links.
    pub shares: Shares,
}

/// Why something is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// The place to go on from is not remembered any more, or never was one of this store's.
    Forgotten,
    /// A node of another version told it.
    Unreadable,
}

/// Lets listeners in.
#[derive(Clone)]
pub struct Live {
    links: Cached,
    audience: Arc<Audience>,
}

/// Somebody who is told. Dropping it frees the place.
#[derive(Debug)]
pub struct Listener {
    live: Live,
    by: Principal,
    place: NewsId,
    seat: Seat,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("audience", &self.audience).finish_non_exhaustive()
    }
}

impl Live {
    /// Nobody listens yet.
    #[must_use]
    pub fn new(links: Cached) -> Self {
        Self { links, audience: Arc::default() }
    }

    /// The same audience over another handle on the store.
    #[must_use]
    pub fn over(&self, links: &Cached) -> Self {
        Self { links: links.clone(), audience: Arc::clone(&self.audience) }
    }

    /// Who is listening.
    #[must_use]
    pub fn audience(&self) -> Arc<Audience> {
        Arc::clone(&self.audience)
    }

    /// Lets a listener in, who will be told what is counted after the place `after`, or from now on.
    ///
    /// # Errors
    /// [`LiveError`].
    pub async fn listen(&self, by: &Principal, after: Option<&str>) -> Result<Listener, LiveError> {
        by.may_read_site()?;
        let seat = self.audience.seat().ok_or(LiveError::Full)?;
        let place = match after {
            Some(text) => NewsId(if is_place(text) { text } else { "none" }.to_owned()),
            None => self.links.store().last_news().await?,
        };
        Ok(Listener { live: self.clone(), by: by.clone(), place, seat })
    }
}

impl Listener {
    /// The place up to which everything was told: where to go on from after a lost connection.
    #[must_use]
    pub fn place(&self) -> &NewsId {
        &self.place
    }

    /// What was counted since this was last asked, if anything was.
    ///
    /// # Errors
    /// [`LiveError`]. After one of the store's the next call tells all of it.
    pub async fn next(&mut self, now: Timestamp) -> Result<Word, LiveError> {
        let store = self.live.links.store();
        if !Auth::new(self.live.links.clone()).is_open(&self.by, now).await {
            return Err(Forbidden::ReadSite.into());
        }
        let mut place = self.place.clone();
        let (mut sum, mut nodes, mut last) = (Sum::default(), BTreeSet::new(), None);
        let mut gap = None;
        loop {
            let news = store.news_after(&place, PAGE).await?;
            if news.gap {
                self.place = store.last_news().await?;
                return Ok(Word { gap: Some(Gap::Forgotten), clicks: None });
            }
            let more = news.items.len() == PAGE;
            for (id, item) in news.items {
                place = id;
                let Ok(pulse) = Pulse::from_bytes(&item) else {
                    gap = Some(Gap::Unreadable);
                    continue;
                };
                sum.add_shares(&pulse.shares);
                last = last.max(Some(pulse.at));
                nodes.insert(pulse.node);
            }
            if !more {
                break;
            }
        }
        self.place = place;
        let nodes = nodes.len();
        let clicks = last.map(|at| Clicks { at, nodes, shares: sum.into_shares() });
        Ok(Word { gap, clicks })
    }

    /// Waits until the service stops.
    pub async fn closed(&self) {
        self.seat.closed().await;
    }

    /// Gives up on a listener who does not keep up.
    pub fn drop_slow(self) {
        self.live.audience.count_dropped();
    }
}

/// Whether it can be a place at all.
fn is_place(text: &str) -> bool {
    let sized = (1..=MAX_PLACE).contains(&text.len());
    sized && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests;
