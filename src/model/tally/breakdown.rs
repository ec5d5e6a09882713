//! What the clicks of a cell were made with, and where they came from: a bounded number of rows for
//! each dimension, and what is beyond them as an exact remainder.

use std::cmp::Reverse;
use std::mem;
use std::ops::AddAssign;
use std::sync::Arc;

use super::{BadTally, name as names, put_number, take_number};

/// A name that is counted: a host, a country, a browser. Shared, because few names make most rows.
/// What strangers choose comes through [`name()`], which bounds it.
pub type Name = Arc<str>;

/// So many rows are looked through one after another sooner than a name is searched for among them.
const FEW: usize = 8;

/// What clicks are told apart by. New ones are added at the end: their place is their number in the
/// store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dimension {
    /// The host of the page that the reader came from.
    Referrer,
    /// Two letters (ISO 3166-1).
    Country,
    /// The browser's family.
    Browser,
    /// The operating system's family.
    Platform,
    /// Phone, tablet, desktop or other.
    Device,
    /// Kind and name of a bot; counts bots only.
    BotFamily,
    /// An unknown code that was asked for; of orphans only.
    Code,
    /// An unknown code and the referrer's host, a space between; of orphans only.
    CodeAndReferrer,
}

impl Dimension {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Referrer,
        Self::Country,
        Self::Browser,
        Self::Platform,
        Self::Device,
        Self::BotFamily,
        Self::Code,
        Self::CodeAndReferrer,
    ];
}

/// Clicks, told apart by who made them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Count {
    /// By people.
    pub people: u64,
    /// By bots, link previews and browsers that fetched ahead.
    pub bots: u64,
}

impl Count {
    /// All of them.
    #[must_use]
    pub fn clicks(self) -> u64 {
        self.people.saturating_add(self.bots)
    }
}

impl AddAssign for Count {
    /// Stops at the highest number: only damaged data is there, and it must not end the roll-up.
    fn add_assign(&mut self, more: Self) {
        self.people = self.people.saturating_add(more.people);
        self.bots = self.bots.saturating_add(more.bots);
    }
}

/// The rows of one dimension, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rows {
    named: Vec<(Name, Count)>,
    other: Count,
}

/// The rows of all dimensions that have any, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Breakdown(Vec<(Dimension, Rows)>);

static NO_ROWS: Rows = Rows { named: Vec::new(), other: Count { people: 0, bots: 0 } };

impl Rows {
    /// Adds to the row of this name.
    pub fn add(&mut self, name: &Name, count: Count) {
        // Names are shared: the same one is mostly known by its place, without being read.
        let same = |(known, _): &(Name, Count)| Arc::ptr_eq(known, name);
        if let Some(at) = self.named.iter().take(FEW).position(same) {
            self.named[at].1 += count;
            return;
        }
        match self.named.binary_search_by(|(known, _)| known.as_ref().cmp(name)) {
            Ok(at) => self.named[at].1 += count,
            Err(at) => self.named.insert(at, (Arc::clone(name), count)),
        }
    }

    /// Adds what belongs to no named row.
    #[cfg(test)]
    pub(crate) fn add_other(&mut self, count: Count) {
        self.other += count;
    }

    /// Adds the rows of another: commutative and associative. Both stand in order, so that this
    /// takes as long as the two lists are, however many names of one are new to the other.
    pub fn merge(&mut self, more: &Self) {
        self.other += more.other;
        let known = self.named.len();
        let mut at = 0;
        for (name, count) in &more.named {
            match find_from(&self.named[at..known], name) {
                Ok(further) => {
                    at += further;
                    self.named[at].1 += *count;
                }
                Err(further) => {
                    at += further;
                    self.named.push((Arc::clone(name), *count));
                }
            }
        }
        if self.named.len() > known {
            // Two stretches, each in order: the stable sort joins them in one pass.
            self.named.sort_by(|a, b| a.0.cmp(&b.0));
        }
    }

    /// The rows that have a name, in its order.
    pub fn named(&self) -> impl ExactSizeIterator<Item = (&Name, Count)> {
        self.named.iter().map(|(name, count)| (name, *count))
    }

    /// What belongs to none of them.
    #[must_use]
    pub fn other(&self) -> Count {
        self.other
    }

    /// All rows together.
    #[must_use]
    pub fn sum(&self) -> Count {
        let mut sum = self.other;
        self.named.iter().for_each(|(_, count)| sum += *count);
        sum
    }

    /// Keeps the `most` rows with most clicks, and moves the others to the remainder: not before
    /// there are twice as many, so that a name that has just come up has time to grow.
    fn bound(&mut self, most: usize) {
        if self.named.len() <= most.saturating_mul(2) {
            return;
        }
        self.named.sort_unstable_by(|a, b| {
            Reverse(a.1.clicks()).cmp(&Reverse(b.1.clicks())).then_with(|| a.0.cmp(&b.0))
        });
        for (_, count) in self.named.drain(most..) {
            self.other += count;
        }
        self.named.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    }

    fn is_empty(&self) -> bool {
        self.named.is_empty() && self.other == Count::default()
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        put_number(self.named.len() as u64, bytes);
        for (name, count) in &self.named {
            names::put(name, bytes);
            put_count(*count, bytes);
        }
        put_count(self.other, bytes);
    }

    fn take(bytes: &mut &[u8], like: &Self) -> Result<Self, BadTally> {
        let length = take_number(bytes)?;
        // Not reserved ahead: a damaged length must not take the memory away.
        let mut rows = Self::default();
        let mut known = like.named.as_slice();
        for _ in 0..length {
            let name = names::take(bytes)?;
            let count = take_count(bytes)?;
            let ordered = rows.named.last().is_none_or(|(last, _)| last.as_ref() < name.as_ref());
            if !ordered {
                return Err(BadTally("the order of the names"));
            }
            let found = find_from(known, &name);
            known = &known[found.unwrap_or_else(|beyond| beyond)..];
            let name = match found {
                Ok(_) => Arc::clone(&known[0].0),
                Err(_) => name.as_ref().into(),
            };
            rows.named.push((name, count));
        }
        rows.other = take_count(bytes)?;
        Ok(rows)
    }
}

impl Breakdown {
    /// The rows of one dimension.
    #[must_use]
    pub fn of(&self, dimension: Dimension) -> &Rows {
        self.find(dimension).map_or(&NO_ROWS, |at| &self.0[at].1)
    }

    /// The rows of one dimension, to be added to.
    pub fn of_mut(&mut self, dimension: Dimension) -> &mut Rows {
        let at = self.find(dimension).unwrap_or_else(|at| {
            self.0.insert(at, (dimension, Rows::default()));
            at
        });
        &mut self.0[at].1
    }

    fn find(&self, dimension: Dimension) -> Result<usize, usize> {
        self.0.binary_search_by_key(&dimension, |(known, _)| *known)
    }

    /// Adds the rows of another: commutative and associative.
    pub fn merge(&mut self, more: &Self) {
        for (dimension, rows) in &more.0 {
            self.of_mut(*dimension).merge(rows);
        }
    }

    /// The sum of many, with a bounded number of rows in each dimension: `most`, or `2 × most` of
    /// which none is dropped yet. Joined two by two, so that no row is moved more often than the
    /// number of parts can be halved.
    #[must_use]
    pub fn sum_of(mut parts: Vec<Self>, most: usize) -> Self {
        while parts.len() > 1 {
            let mut ones = mem::take(&mut parts).into_iter();
            while let Some(mut one) = ones.next() {
                if let Some(other) = ones.next() {
                    one.merge(&other);
                    one.bound(most);
                }
                parts.push(one);
            }
        }
        parts.pop().unwrap_or_default()
    }

    /// Bounds each dimension to `most` rows, or to `2 × most` of which none is dropped yet.
    pub(super) fn bound(&mut self, most: usize) {
        self.0.iter_mut().for_each(|(_, rows)| rows.bound(most));
    }

    /// Appends the stored form: for each dimension that has rows its number and the rows.
    pub(super) fn put(&self, bytes: &mut Vec<u8>) {
        for (dimension, rows) in self.0.iter().filter(|(_, rows)| !rows.is_empty()) {
            bytes.push(*dimension as u8);
            rows.put(bytes);
        }
    }

    /// Reads the stored form, all of `bytes`. Names that come in `like` are shared with it.
    pub(super) fn read(mut bytes: &[u8], like: &Self) -> Result<Self, BadTally> {
        let mut breakdown = Self::default();
        while let Some((number, rest)) = bytes.split_first() {
            bytes = rest;
            let dimension =
                Dimension::ALL.get(usize::from(*number)).ok_or(BadTally("a dimension"))?;
            if breakdown.0.last().is_some_and(|(last, _)| last >= dimension) {
                return Err(BadTally("the order of the dimensions"));
            }
            breakdown.0.push((*dimension, Rows::take(&mut bytes, like.of(*dimension))?));
        }
        Ok(breakdown)
    }
}

/// The name as it is counted: at most 255 bytes of `text`.
#[must_use]
pub fn name(text: &str) -> Name {
    names::cut(text).into()
}

/// Where a name stands in a list in order, or where it would. Looks near the beginning first: whoever
/// walks through two lists at once finds the next name there.
fn find_from(named: &[(Name, Count)], name: &str) -> Result<usize, usize> {
    let mut end = 1;
    while named.get(end - 1).is_some_and(|(known, _)| known.as_ref() < name) {
        end *= 2;
    }
    let start = end / 2;
    let within = &named[start..end.min(named.len())];
    match within.binary_search_by(|(known, _)| known.as_ref().cmp(name)) {
        Ok(at) => Ok(start + at),
        Err(at) => Err(start + at),
    }
}

fn put_count(count: Count, bytes: &mut Vec<u8>) {
    put_number(count.people, bytes);
    put_number(count.bots, bytes);
}

fn take_count(bytes: &mut &[u8]) -> Result<Count, BadTally> {
    Ok(Count { people: take_number(bytes)?, bots: take_number(bytes)? })
}

#[cfg(test)]
mod tests;
