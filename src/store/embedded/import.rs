//! Taking in many links at once, in redb.
//!
//! Each table is written in the order of its keys, so that a page is looked for once and not once for
//! each of its entries. What needs no table is done before the writing thread is asked.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use redb::{ReadableTable, Table, WriteTransaction};

use super::links::{ADDRESSES, LINKS, LISTINGS, digest, places};
use super::{Embedded, failed};
use crate::model::link::Link;
use crate::store::{StoreError, record};

/// Half the SHA-256 of an address.
type Digest = [u8; 16];

/// Links on their way into the tables. Numbers are positions among the links.
struct Ready {
    links: Arc<[Link]>,
    /// In the order of their codes, with their records.
    records: Vec<(usize, Vec<u8>)>,
    /// Under which addresses their codes are entered, in order.
    addresses: Vec<(Digest, usize)>,
    /// Where they are listed: the listing's name, then moment and number, in order of moment and code.
    listings: BTreeMap<String, Vec<(i64, usize)>>,
}

impl Embedded {
    /// The port's `import`.
    pub(super) async fn take_in(
        &self,
        links: &Arc<[Link]>,
        max_codes: usize,
    ) -> Result<Vec<Option<Link>>, StoreError> {
        let links = Arc::clone(links);
        let ready = tokio::task::spawn_blocking(move || Ready::new(links)).await;
        let ready = ready.map_err(|e| StoreError::Unavailable(e.to_string()))?;
        self.write(move |txn| ready.write(txn, max_codes)).await
    }
}

impl Ready {
    fn new(links: Arc<[Link]>) -> Self {
        let by_code = |a: usize, b: usize| links[a].code.cmp(&links[b].code);
        let mut records: Vec<(usize, Vec<u8>)> =
            links.iter().map(record::of_link).enumerate().collect();
        records.sort_unstable_by(|(a, _), (b, _)| by_code(*a, *b));
        let mut listings = BTreeMap::<String, Vec<(i64, usize)>>::new();
        for (at, link) in links.iter().enumerate() {
            for (name, made) in places(link) {
                listings.entry(name).or_default().push((made, at));
            }
        }
        for entries in listings.values_mut() {
            entries.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| by_code(a.1, b.1)));
        }
        let mut addresses: Vec<(Digest, usize)> =
            (0..links.len()).flat_map(|at| digests(&links[at]).map(move |d| (d, at))).collect();
        addresses.sort_unstable();
        Self { links, records, addresses, listings }
    }

    fn write(
        mut self,
        txn: &WriteTransaction,
        max_codes: usize,
    ) -> Result<Vec<Option<Link>>, StoreError> {
        let there = self.claim(txn)?;
        let mut table = txn.open_table(LISTINGS).map_err(failed)?;
        for (name, entries) in &self.listings {
            for (made, at) in entries.iter().filter(|(_, at)| there[*at].is_none()) {
                let place = (name.as_str(), *made, self.links[*at].code.as_str());
                table.insert(place, ()).map_err(failed)?;
            }
        }
        if there.iter().any(Option::is_some) {
            self.addresses.retain(|(_, at)| there[*at].is_none());
            for (at, link) in there.iter().enumerate() {
                self.addresses.extend(link.iter().flat_map(digests).map(|d| (d, at)));
            }
            self.addresses.sort_unstable();
        }
        let mut table = txn.open_table(ADDRESSES).map_err(failed)?;
        for group in self.addresses.chunk_by(|(a, _), (b, _)| a == b) {
            let codes: Vec<&str> =
                group.iter().map(|(_, at)| self.links[*at].code.as_str()).collect();
            enter(&mut table, &group[0].0, &codes, max_codes)?;
        }
        Ok(there)
    }

    /// Stores the links whose codes are free; what stands under the others.
    fn claim(&self, txn: &WriteTransaction) -> Result<Vec<Option<Link>>, StoreError> {
        let mut table = txn.open_table(LINKS).map_err(failed)?;
        let mut there = vec![None; self.links.len()];
        for (at, record) in &self.records {
            let code = &self.links[*at].code;
            let found = table.get(code.as_str()).map_err(failed)?;
            there[*at] = found.map(|bytes| record::to_link(code, bytes.value())).transpose()?;
            if there[*at].is_none() {
                table.insert(code.as_str(), record.as_slice()).map_err(failed)?;
            }
        }
        Ok(there)
    }
}

fn digests(link: &Link) -> impl Iterator<Item = Digest> {
    link.addresses().map(digest)
}

/// Enters codes under an address, behind those that stand there, as far as there is room.
fn enter(
    table: &mut Table<'_, Digest, &'static str>,
    address: &Digest,
    codes: &[&str],
    max_codes: usize,
) -> Result<(), StoreError> {
    let there = table.get(address).map_err(failed)?.map(|codes| codes.value().to_owned());
    let mut known: HashSet<&str> = there.iter().flat_map(|codes| codes.split(' ')).collect();
    let room = max_codes.saturating_sub(known.len());
    let new = codes.iter().copied().filter(|code| known.insert(code)).take(room);
    let all: Vec<&str> = there.as_deref().into_iter().chain(new).collect();
    if all.len() > usize::from(there.is_some()) {
        table.insert(address, all.join(" ").as_str()).map_err(failed)?;
    }
    Ok(())
}
