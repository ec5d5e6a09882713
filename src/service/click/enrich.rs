//! What a click says, made into what is counted: the agent recognised, the referrer's host, the
//! country, the visitor as a hash. Off the reader's path, and most of it remembered.

use std::collections::BTreeMap;
use std::net::IpAddr;

use sha2::{Digest, Sha256};

use crate::model::click::{Click, Source, Visit, Who};
use crate::model::tally::{Day, Name, Quarter};

/// Makes visits of clicks.
pub struct Enricher {
    /// The secret with which visitors are hashed, by day.
    salts: BTreeMap<Day, [u8; 16]>,
    unknown: Name,
}

/// The secret of this day is needed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSalt(pub Day);

impl Enricher {
    /// Nothing is remembered yet.
    #[must_use]
    pub fn new() -> Self {
        Self { salts: BTreeMap::new(), unknown: "unknown".into() }
    }

    /// The secret of a day.
    pub fn put_salt(&mut self, day: Day, salt: [u8; 16]) {
        self.salts.insert(day, salt);
    }

    /// Forgets the secrets of the days before this one.
    pub fn forget_salts(&mut self, before: Day) {
        self.salts.retain(|day, _| *day >= before);
    }

    /// What this click turns out to be.
    ///
    /// # Errors
    /// [`NoSalt`] when the visitor can't be hashed yet.
    pub fn visit(&mut self, click: &Click<'_>) -> Result<Visit, NoSalt> {
        let who = Who::Person(self.visitor(click)?);
        Ok(Visit {
            who,
            referrer: self.unknown.clone(),
            country: self.unknown.clone(),
            browser: self.unknown.clone(),
            platform: self.unknown.clone(),
            device: self.unknown.clone(),
        })
    }

    fn visitor(&self, click: &Click<'_>) -> Result<Option<u64>, NoSalt> {
        let Source { agent, address: Some(address), private: false, .. } = click.source else {
            return Ok(None);
        };
        let day = Quarter::of(click.at()).day();
        let salt = self.salts.get(&day).ok_or(NoSalt(day))?;
        Ok(Some(hash(salt, address, agent)))
    }
}

/// A hash of who came, which says nothing without the day's secret. Of an IPv6 address the half
/// that stays the same while a device changes its own (RFC 8981).
fn hash(salt: &[u8; 16], address: IpAddr, agent: &[u8]) -> u64 {
    let mut hash = Sha256::new_with_prefix(salt);
    match address.to_canonical() {
        IpAddr::V4(address) => hash.update(address.octets()),
        IpAddr::V6(address) => hash.update(&address.octets()[..8]),
    }
    hash.update(agent);
    let digest = hash.finalize();
    digest.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
