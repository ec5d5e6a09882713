//! What a node has just counted, as the nodes tell it each other.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::model::code::Code;
use crate::model::tally::{Count, Subject};
use crate::store::{Batch, NodeId};

/// The most links of one pulse, and of one answer: those with most clicks. The others are counted
/// together.
pub const MAX_LINKS: usize = 1_000;

/// The first byte of the stored form. A pulse of another version is passed over.
const VERSION: u8 = 1;

/// The stored form, behind the version: the node, milliseconds since 1970, people and bots of each
/// link, people and bots of the others.
type Stored<C> = (NodeId, i64, Vec<(C, u64, u64)>, (u64, u64));

/// What one node counted in one round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulse {
    /// Which node.
    pub node: NodeId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub shares: Shares,
}

/// Clicks, told apart by link as far as the links are not too many: every click is in there once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shares {
    /// The links with most clicks first; equal ones in the order of their codes.
    pub links: Vec<(Code, Count)>,
    /// Clicks on all other links.
    pub other: Count,
}

/// Shares in the making.
#[derive(Debug, Default)]
pub(super) struct Sum {
    links: HashMap<Code, Count>,
    other: Count,
}

/// It is none of ours, or was written by another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another version of the service told it, or it is damaged")]
pub struct Unreadable;

impl Pulse {
    /// What these batches counted; `None` when there was no click on a link among it.
    #[must_use]
    pub fn of<'a>(
        node: &NodeId,
        at: Timestamp,
        batches: impl IntoIterator<Item = &'a Batch>,
    ) -> Option<Self> {
        let mut sum = Sum::default();
        for ((_, subject), row) in batches.into_iter().flat_map(|batch| &batch.rows) {
            if let Subject::Link(code) = subject {
                row.cells().for_each(|(_, cell)| sum.add(code, cell.count));
            }
        }
        let shares = sum.into_shares();
        let any = shares.total().clicks() > 0;
        any.then(|| Self { node: node.clone(), at, shares })
    }

    /// The stored form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Shares { links, other } = &self.shares;
        let links = links.iter().map(|(code, count)| (code, count.people, count.bots)).collect();
        let stored: Stored<&Code> =
            (self.node.clone(), self.at.as_millisecond(), links, (other.people, other.bots));
        // Writing plain data into memory can't fail.
        postcard::to_extend(&stored, vec![VERSION]).unwrap_or_default()
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let stored = bytes.strip_prefix(&[VERSION]).ok_or(Unreadable)?;
        let (node, at, links, other) =
            postcard::from_bytes::<Stored<Code>>(stored).map_err(|_| Unreadable)?;
        let at = Timestamp::from_millisecond(at).map_err(|_| Unreadable)?;
        let links = links.into_iter().map(|(code, people, bots)| (code, Count { people, bots }));
        let (people, bots) = other;
        let shares = Shares { links: links.collect(), other: Count { people, bots } };
        Ok(Self { node, at, shares })
    }
}

impl Shares {
    /// All clicks.
    #[must_use]
    pub fn total(&self) -> Count {
        let mut total = self.other;
        self.links.iter().for_each(|(_, count)| total += *count);
        total
    }
}

impl Sum {
    /// Adds clicks on one link.
    fn add(&mut self, code: &Code, count: Count) {
        match self.links.get_mut(code) {
            Some(sum) => *sum += count,
            None => drop(self.links.insert(code.clone(), count)),
        }
    }

    /// Adds all of these.
    pub(super) fn add_shares(&mut self, shares: &Shares) {
        shares.links.iter().for_each(|(code, count)| self.add(code, *count));
        self.other += shares.other;
    }

    /// The [`MAX_LINKS`] with most clicks, and the others together.
    pub(super) fn into_shares(self) -> Shares {
        let order = |a: &(Code, Count), b: &(Code, Count)| {
            b.1.clicks().cmp(&a.1.clicks()).then_with(|| a.0.cmp(&b.0))
        };
        let (mut links, mut other) = (Vec::from_iter(self.links), self.other);
        if links.len() > MAX_LINKS {
            links.select_nth_unstable_by(MAX_LINKS, order);
            links.drain(MAX_LINKS..).for_each(|(_, count)| other += count);
        }
        links.sort_unstable_by(order);
        Shares { links, other }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::tally::{Cell, Day, Row};

    fn code(n: usize) -> Code {
        Code::parse(&format!("code{n}")).unwrap()
    }

    fn count(people: u64, bots: u64) -> Count {
        Count { people, bots }
    }

    fn node() -> NodeId {
        NodeId("0123456789abcdef".into())
    }

    fn at() -> Timestamp {
        Timestamp::from_millisecond(1_795_435_200_123).unwrap()
    }

    fn pulse(shares: Shares) -> Pulse {
        Pulse { node: node(), at: at(), shares }
    }

    fn batch(rows: impl IntoIterator<Item = (u32, Subject, Count)>) -> Batch {
        let mut batch = Batch::default();
        for (day, subject, count) in rows {
            let row = Row::of(Cell { count, ..Cell::default() });
            batch.rows.entry((Day(day), subject)).or_default().merge(&row);
        }
        batch
    }

    #[test]
    fn a_link_counts_over_all_days_and_partitions_and_nothing_else_does() {
        let batches = [
            batch([
                (1, Subject::Link(code(1)), count(1, 0)),
                (2, Subject::Link(code(1)), count(2, 3)),
                (2, Subject::Site, count(7, 7)),
            ]),
            batch([(2, Subject::Link(code(2)), count(0, 1)), (2, Subject::Orphans, count(5, 5))]),
        ];
        let shares = Pulse::of(&node(), at(), &batches).unwrap().shares;
        assert_eq!(shares.links, [(code(1), count(3, 3)), (code(2), count(0, 1))]);
        assert_eq!((shares.other, shares.total()), (count(0, 0), count(3, 4)));
        assert_eq!(Pulse::of(&node(), at(), &[batch([(2, Subject::Orphans, count(1, 0))])]), None);
    }

    #[test]
    fn beyond_a_thousand_links_the_most_clicked_are_named_and_no_click_is_missing() {
        let all = (0..MAX_LINKS + 200).map(|n| (1, Subject::Link(code(n)), count(n as u64, 1)));
        let batch = batch(all);
        let shares = Pulse::of(&node(), at(), [&batch]).unwrap().shares;
        assert_eq!(shares.links.len(), MAX_LINKS);
        assert_eq!(shares.links[0], (code(1_199), count(1_199, 1)));
        assert_eq!(shares.links[MAX_LINKS - 1], (code(200), count(200, 1)));
        assert_eq!(shares.other, count((0..200).sum(), 200));
        assert_eq!(shares.total(), count((0..1_200).sum(), 1_200));
    }

    #[test]
    fn a_pulse_of_another_version_is_known_for_what_it_is() {
        let mut bytes = pulse(Shares::default()).to_bytes();
        bytes[0] += 1;
        assert_eq!(Pulse::from_bytes(&bytes), Err(Unreadable));
    }

    proptest! {
        #[test]
        fn the_stored_form_is_read_as_it_was_written(
            links in prop::collection::vec((0usize..100, any::<u32>(), any::<u32>()), 0..20),
            people: u64,
            bots: u64,
        ) {
            let links = links.into_iter().map(|(n, p, b)| (code(n), count(p.into(), b.into())));
            let pulse = pulse(Shares { links: links.collect(), other: count(people, bots) });
            prop_assert_eq!(Pulse::from_bytes(&pulse.to_bytes()), Ok(pulse));
        }

        #[test]
        fn damaged_bytes_are_refused_or_read_but_never_panic(mut bytes: Vec<u8>) {
            bytes.insert(0, VERSION);
            drop(Pulse::from_bytes(&bytes));
        }
    }
}
