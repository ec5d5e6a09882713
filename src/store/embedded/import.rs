//! Taking in many links at once, in redb.
//!
//! What costs is not the link but the page: a transaction copies each page that it touches, and codes
//! and hashes lie anywhere. So imports that wait at the same moment are written together, each table
//! in the order of its keys, and each page is touched once for all of them. What needs no table is
//! done before the writing thread is asked.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use redb::{ReadableTable, Table, WriteTransaction};
use tokio::sync::oneshot;

use super::links::{ADDRESSES, LISTINGS, digest, places};
use super::records::Records;
use super::{Embedded, failed};
use crate::model::link::Link;
use crate::store::{StoreError, aside, record};

/// Half the SHA-256 of an address.
type Digest = [u8; 16];
/// What stands under each code, if it was taken.
type There = Vec<Option<Link>>;

/// Imports that wait for the writing thread.
pub(super) type Queue = Arc<Mutex<Vec<Waiting>>>;

/// One of them, and who waits for what comes of it.
pub(super) struct Waiting {
    ready: Ready,
    tell: oneshot::Sender<There>,
}

/// Which link: of which import, and where there.
type Spot = (usize, usize);

/// Links on their way into the tables.
#[derive(Default)]
struct Ready {
    /// Those of each import.
    links: Vec<Arc<[Link]>>,
    /// In the order of their codes, with their records.
    records: Vec<(Spot, Vec<u8>)>,
    /// Under which addresses their codes are entered, in order.
    addresses: Vec<(Digest, Spot)>,
    /// Where they are listed: the listing's name, then moment and link, in order of moment and code.
    listings: BTreeMap<String, Vec<(i64, Spot)>>,
    /// The most codes of an address.
    max_codes: usize,
}

impl Embedded {
    /// The port's `import`.
    pub(super) async fn take_in(
        &self,
        links: &Arc<[Link]>,
        max_codes: usize,
    ) -> Result<There, StoreError> {
        let links = Arc::clone(links);
        let ready = aside(move || Ready::new(links, max_codes)).await?;
        let (tell, told) = oneshot::channel();
        self.imports.lock().unwrap_or_else(PoisonError::into_inner).push(Waiting { ready, tell });
        // Of those who wait, the first takes all along, and the others find nothing left to do. A task
        // of its own, because this caller may go away.
        let this = self.clone();
        tokio::spawn(async move { this.write_waiting().await });
        told.await.map_err(|_| StoreError::Refused("the import was rolled back".into()))
    }

    async fn write_waiting(&self) {
        let queue = Arc::clone(&self.imports);
        let write = move |txn: &WriteTransaction| {
            let waiting =
                std::mem::take(&mut *queue.lock().unwrap_or_else(PoisonError::into_inner));
            let (ready, tell): (Vec<Ready>, Vec<_>) =
                waiting.into_iter().map(|waiting| (waiting.ready, waiting.tell)).unzip();
            Ok((Ready::merged(ready).write(txn)?, tell))
        };
        match self.write(write).await {
            Ok((there, tell)) => {
                for (tell, there) in tell.into_iter().zip(there) {
                    // A caller that went away does not want to know.
                    drop(tell.send(there));
                }
            }
            // Whoever was not taken along waits no longer: letting go of it tells it.
            Err(_) => self.imports.lock().unwrap_or_else(PoisonError::into_inner).clear(),
        }
    }
}

impl Ready {
    fn new(links: Arc<[Link]>, max_codes: usize) -> Self {
        let all = || links.iter().enumerate().map(|(at, link)| ((0, at), link));
        let mut ready = Self { max_codes, ..Self::default() };
        ready.records.extend(all().map(|(spot, link)| (spot, record::of_link(link))));
        for (spot, link) in all() {
            ready.addresses.extend(digests(link).map(|address| (address, spot)));
            for (name, made) in places(link) {
                ready.listings.entry(name).or_default().push((made, spot));
            }
        }
        ready.links.push(links);
        ready.in_order()
    }

    /// Several as one.
    fn merged(parts: Vec<Self>) -> Self {
        let mut whole = Self::default();
        for part in parts {
            let moved = |(_, at): Spot| (whole.links.len(), at);
            whole.records.extend(part.records.into_iter().map(|(spot, r)| (moved(spot), r)));
            whole.addresses.extend(part.addresses.into_iter().map(|(a, spot)| (a, moved(spot))));
            for (name, entries) in part.listings {
                let entries = entries.into_iter().map(|(made, spot)| (made, moved(spot)));
                whole.listings.entry(name).or_default().extend(entries);
            }
            whole.max_codes = part.max_codes;
            whole.links.extend(part.links);
        }
        whole.in_order()
    }

    /// Stable sorts: what is in order already, as each of several parts, is found to be so.
    fn in_order(mut self) -> Self {
        let code = |(part, at): Spot| &self.links[part][at].code;
        self.records.sort_by(|(a, _), (b, _)| code(*a).cmp(code(*b)));
        self.addresses.sort();
        for entries in self.listings.values_mut() {
            entries.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| code(a.1).cmp(code(b.1))));
        }
        self
    }

    fn link(&self, (part, at): Spot) -> &Link {
        &self.links[part][at]
    }

    /// Answers for each import what stood there.
    fn write(mut self, txn: &WriteTransaction) -> Result<Vec<There>, StoreError> {
        let there = self.claim(txn)?;
        let is_new = |(part, at): Spot| there[part][at].is_none();
        let mut table = txn.open_table(LISTINGS).map_err(failed)?;
        for (name, entries) in &self.listings {
            for (made, spot) in entries.iter().filter(|(_, spot)| is_new(*spot)) {
                let place = (name.as_str(), *made, self.link(*spot).code.as_str());
                table.insert(place, ()).map_err(failed)?;
            }
        }
        self.addresses.retain(|(_, spot)| is_new(*spot));
        let new = self.addresses.len();
        for (part, there) in there.iter().enumerate() {
            for (at, link) in there.iter().enumerate() {
                let stands = link.iter().flat_map(digests);
                self.addresses.extend(stands.map(|address| (address, (part, at))));
            }
        }
        if self.addresses.len() > new {
            self.addresses.sort();
        }
        let mut table = txn.open_table(ADDRESSES).map_err(failed)?;
        for group in self.addresses.chunk_by(|(a, _), (b, _)| a == b) {
            let codes: Vec<&str> =
                group.iter().map(|(_, spot)| self.link(*spot).code.as_str()).collect();
            enter(&mut table, &group[0].0, &codes, self.max_codes)?;
        }
        Ok(there)
    }

    /// Stores the links whose codes are free; what stands under the others.
    fn claim(&self, txn: &WriteTransaction) -> Result<Vec<There>, StoreError> {
        let mut records = Records::open(txn)?;
        let mut there: Vec<There> = self.links.iter().map(|part| vec![None; part.len()]).collect();
        for (spot, record) in &self.records {
            let found = records.claim(&self.link(*spot).code, record)?;
            there[spot.0][spot.1] = found;
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
    // Nearly all addresses are new, and have one code.
    if let (None, [only]) = (&there, codes) {
        table.insert(address, *only).map_err(failed)?;
        return Ok(());
    }
    let mut known: HashSet<&str> = there.iter().flat_map(|codes| codes.split(' ')).collect();
    let room = max_codes.saturating_sub(known.len());
    let new = codes.iter().copied().filter(|code| known.insert(code)).take(room);
    let all: Vec<&str> = there.as_deref().into_iter().chain(new).collect();
    if all.len() > usize::from(there.is_some()) {
        table.insert(address, all.join(" ").as_str()).map_err(failed)?;
    }
    Ok(())
}
