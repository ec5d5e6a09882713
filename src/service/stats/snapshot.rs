//! Snapshots: the clicks of some links over a window that ends now.

use jiff::Timestamp;

use super::report::{clicks, days_to_ask, sum};
use super::window::Window;
use super::{Last, Query, Stats, StatsError};
use crate::model::code::Code;
use crate::model::link::Link;
use crate::model::tally::{Breakdown, Subject};
use crate::service::auth::{Forbidden, Principal};
use crate::store::{Store, StoreError, Tallies as _};

/// What was counted for some links over a window.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// All clicks, people's and bots'.
    pub clicks: u64,
    /// The clicks told apart, if that was asked for.
    pub breakdown: Breakdown,
}

/// How much a snapshot tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The number of clicks.
    Clicks,
    /// Also what they are told apart by.
    Breakdown,
}

impl Stats {
    /// What was counted for these links together over each of these windows, in their order. Clicks
    /// of all time are those that were ever counted; all else goes back as far as figures are kept.
    ///
    /// # Errors
    /// [`StatsError`]: one of the links is not for the caller to see, or what the store says.
    pub async fn snapshots(
        &self,
        by: &Principal,
        links: &[Link],
        windows: &[Last],
        detail: Detail,
        now: Timestamp,
    ) -> Result<Vec<Snapshot>, StatsError> {
        links.iter().try_for_each(|link| self.may_be_told(by, link))?;
        // Readers do not wait behind what is read for many links.
        let store = match links {
            [_] => self.links.store().clone(),
            _ => self.links.store().fork(),
        };
        let mut snapshots = Vec::with_capacity(windows.len());
        for last in windows {
            snapshots.push(snapshot(&store, links, *last, detail, now).await?);
        }
        Ok(snapshots)
    }

    /// The links of a link's article that the caller may see, itself and tombstones included.
    ///
    /// # Errors
    /// [`StatsError`]: the link is not for the caller to see, or what the store says.
    pub async fn siblings(&self, by: &Principal, link: &Link) -> Result<Vec<Link>, StatsError> {
        self.may_be_told(by, link)?;
        let mut links = self.links_under(&link.article).await?;
        links.retain(|other| self.may_be_told(by, other).is_ok());
        // The index is a hint: an edit may just be under way.
        if links.iter().all(|other| other.code != link.code) {
            links.push(link.clone());
        }
        Ok(links)
    }

    /// May they know the figures of this link? Anybody may where `links.public_stats` says so.
    fn may_be_told(&self, by: &Principal, link: &Link) -> Result<(), Forbidden> {
        if self.are_public() { Ok(()) } else { by.may_see(link) }
    }
}

async fn snapshot(
    store: &Store,
    links: &[Link],
    last: Last,
    detail: Detail,
    now: Timestamp,
) -> Result<Snapshot, StatsError> {
    let codes: Vec<Code> = links.iter().map(|link| link.code.clone()).collect();
    let ever = match last {
        Last::All => Some(ever(store, &codes).await?),
        Last::Hours(_) | Last::Days(_) => None,
    };
    if let (Some(clicks), Detail::Clicks) = (ever, detail) {
        return Ok(Snapshot { clicks, breakdown: Breakdown::default() });
    }
    let query = Query { last: Some(last), ..Query::default() };
    let since = links.iter().map(|link| link.created_at).min();
    let rows = Window::of(&query, since, now)?.whole();
    let subjects: Vec<Subject> = codes.into_iter().map(Subject::Link).collect();
    let asks = days_to_ask(store, &rows, now).await?;
    if detail == Detail::Clicks {
        let clicks = clicks(store, &subjects, &rows, &asks).await?;
        return Ok(Snapshot { clicks, breakdown: Breakdown::default() });
    }
    let sums = sum(store, &subjects, &rows, &asks).await?;
    let clicks = ever.unwrap_or_else(|| sums.total.count.clicks());
    Ok(Snapshot { clicks, breakdown: sums.breakdown })
}

async fn ever(store: &Store, codes: &[Code]) -> Result<u64, StoreError> {
    let counts = store.totals(codes).await?;
    Ok(counts.iter().fold(0, |sum, count| sum.saturating_add(count.clicks())))
}
