//! Taking in many links at once, in redb.
//!
//! What costs is not the link but the page: a transaction copies each page that it touches, and codes
//! and hashes lie anywhere. So imports that wait at the same moment are written together, each table
//! in the order of its keys, and each page is touched once for all of them. What needs no table is
//! done before the writing thread is asked.

use std::collections::{BTreeMap, HashSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use redb::{CursorError, ReadableTable, Table, WriteTransaction};
use tokio::sync::oneshot;

use super::links::{ADDRESSES, LISTINGS, digest, places};
use super::records::Records;
use super::{Embedded, failed};
use crate::model::code::Code;
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
    links: Sources,
    /// With their records, in the order of their codes.
    records: Vec<(Spot, Vec<u8>)>,
    /// Under which addresses their codes are entered, in order.
    addresses: Vec<(Digest, Spot)>,
    /// Where they are listed: the listing's name, then moment and link, in order of moment and code.
    listings: BTreeMap<String, Vec<(i64, Spot)>>,
    /// The most codes of an address.
    max_codes: usize,
}

/// The links of each import.
#[derive(Default)]
struct Sources(Vec<Arc<[Link]>>);

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
            Ok((Ready::joined(ready).write(txn)?, tell))
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

impl Sources {
    fn code(&self, (part, at): Spot) -> &Code {
        &self.0[part][at].code
    }

    // Stable sorts: what is in order already, as each of several imports, is found to be so.

    fn sort_records(&self, records: &mut [(Spot, Vec<u8>)]) {
        records.sort_by(|(a, _), (b, _)| self.code(*a).cmp(self.code(*b)));
    }

    fn sort_listings(&self, listings: &mut BTreeMap<String, Vec<(i64, Spot)>>) {
        for entries in listings.values_mut() {
            entries.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| self.code(a.1).cmp(self.code(b.1))));
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
        ready.links.0.push(links);
        ready.links.sort_records(&mut ready.records);
        ready.addresses.sort();
        ready.links.sort_listings(&mut ready.listings);
        ready
    }

    /// Several one behind the other, each in order.
    fn joined(parts: Vec<Self>) -> Self {
        let mut whole = Self::default();
        for part in parts {
            let before = whole.links.0.len();
            let moved = |(_, at): Spot| (before, at);
            whole.records.extend(part.records.into_iter().map(|(spot, r)| (moved(spot), r)));
            whole.addresses.extend(part.addresses.into_iter().map(|(a, spot)| (a, moved(spot))));
            for (name, entries) in part.listings {
                let entries = entries.into_iter().map(|(made, spot)| (made, moved(spot)));
                whole.listings.entry(name).or_default().extend(entries);
            }
            whole.max_codes = part.max_codes;
            whole.links.0.extend(part.links.0);
        }
        whole
    }

    /// Puts all in order and into the tables; answers for each import what stood there.
    ///
    /// The tables of one transaction may be written on several threads. Two are as many as are worth
    /// it: nothing can be entered before it is known what is new.
    fn write(self, txn: &WriteTransaction) -> Result<Vec<There>, StoreError> {
        let Self { links, mut records, mut addresses, mut listings, max_codes } = self;
        let mut table = Records::open(txn)?;
        let order_indexes = || {
            addresses.sort();
            links.sort_listings(&mut listings);
        };
        let claim = || {
            links.sort_records(&mut records);
            links.claim(&mut table, &records)
        };
        let ((), claimed) = beside(order_indexes, claim)?;
        let (first, there) = claimed?;
        let is_new = |(part, at): Spot| there[part][at].is_none();
        let put = || {
            let new = records.iter().filter(|(spot, _)| is_new(*spot));
            table.append(first, new.map(|(_, record)| record.as_slice()))?;
            links.list(txn, &listings, is_new)
        };
        let enter = || links.enter(txn, addresses, &there, max_codes);
        let (put, entered) = beside(put, enter)?;
        put.and(entered)?;
        Ok(there)
    }
}

impl Sources {
    /// Takes the codes that are free: the number of the first, and what stands under the others.
    fn claim(
        &self,
        table: &mut Records<'_>,
        records: &[(Spot, Vec<u8>)],
    ) -> Result<(u64, Vec<There>), StoreError> {
        let mut there: Vec<There> = self.0.iter().map(|part| vec![None; part.len()]).collect();
        let (first, numbers) = table.number(records.iter().map(|(spot, _)| self.code(*spot)))?;
        let mut new = Vec::new();
        for ((spot, _), number) in records.iter().zip(numbers) {
            let Some(number) = number else {
                new.push(*spot);
                continue;
            };
            let (part, at) = *spot;
            // What another of these imports just brought has no record yet.
            let brought =
                number.checked_sub(first).and_then(|nth| new.get(usize::try_from(nth).ok()?));
            there[part][at] = Some(match brought {
                Some((part, at)) => self.0[*part][*at].clone(),
                None => table.link(self.code(*spot), number)?,
            });
        }
        Ok((first, there))
    }

    /// Lists what is new.
    fn list(
        &self,
        txn: &WriteTransaction,
        listings: &BTreeMap<String, Vec<(i64, Spot)>>,
        is_new: impl Fn(Spot) -> bool,
    ) -> Result<(), StoreError> {
        let mut table = txn.open_table(LISTINGS).map_err(failed)?;
        for (name, entries) in listings {
            let new = entries.iter().filter(|(_, spot)| is_new(*spot));
            let place = |(made, spot): &(i64, Spot)| {
                let code: &str = self.code(*spot).as_str();
                (name.as_str(), *made, code)
            };
            list(&mut table, new.map(place))?;
        }
        Ok(())
    }

    /// Enters the codes of what is new under its addresses; and of what stands there, under those of
    /// that.
    fn enter(
        &self,
        txn: &WriteTransaction,
        mut addresses: Vec<(Digest, Spot)>,
        there: &[There],
        max_codes: usize,
    ) -> Result<(), StoreError> {
        addresses.retain(|(_, (part, at))| there[*part][*at].is_none());
        let new = addresses.len();
        for (part, there) in there.iter().enumerate() {
            for (at, link) in there.iter().enumerate() {
                let stands = link.iter().flat_map(digests);
                addresses.extend(stands.map(|address| (address, (part, at))));
            }
        }
        if addresses.len() > new {
            addresses.sort();
        }
        let mut table = txn.open_table(ADDRESSES).map_err(failed)?;
        for group in addresses.chunk_by(|(a, _), (b, _)| a == b) {
            let codes: Vec<&str> =
                group.iter().map(|(_, spot)| self.code(*spot).as_str()).collect();
            let (part, at) = group[0].1;
            enter(&mut table, &group[0].0, &codes, there[part][at].is_none(), max_codes)?;
        }
        Ok(())
    }
}

/// Does two things at the same time.
fn beside<A: Send, B>(
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B,
) -> Result<(A, B), StoreError> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("store-import".into());
        let one = thread
            .spawn_scoped(scope, one)
            .map_err(|e| StoreError::Refused(format!("no thread for the import: {e}")))?;
        let other = other();
        let one = one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok((one, other))
    })
}

/// Where a link is listed: the listing, milliseconds since 1970, the code.
type Placed<'a> = (&'a str, i64, &'a str);

/// Enters what comes in order. Nearly always nothing lies between two of them, and then no search is
/// needed from one to the next.
fn list<'a>(
    table: &mut Table<'_, Placed<'static>, ()>,
    places: impl Iterator<Item = Placed<'a>>,
) -> Result<(), StoreError> {
    let mut places = places.peekable();
    while let Some(first) = places.peek() {
        let mut cursor = table.lower_bound_mut(Bound::Included(*first)).map_err(failed)?;
        let mut any = false;
        while let Some(place) = places.peek() {
            match cursor.insert_before(*place, ()) {
                Ok(()) => any = true,
                Err(CursorError::UnorderedKey) => break,
                Err(error) => return Err(failed(error)),
            }
            places.next();
        }
        cursor.close().map_err(failed)?;
        if !any {
            // It is there.
            places.next();
        }
    }
    Ok(())
}

fn digests(link: &Link) -> impl Iterator<Item = Digest> {
    link.addresses().map(digest)
}

/// Enters codes under an address, behind those that stand there, as far as there is room. Of new links
/// nearly all are the only ones of new addresses: then this is one step.
fn enter(
    table: &mut Table<'_, Digest, &'static str>,
    address: &Digest,
    codes: &[&str],
    are_new: bool,
    max_codes: usize,
) -> Result<(), StoreError> {
    let there = match codes {
        [first, ..] if are_new => table.insert(address, *first),
        _ => table.get(address),
    };
    let there = there.map_err(failed)?.map(|codes| codes.value().to_owned());
    if are_new && there.is_none() && codes.len() == 1 {
        return Ok(());
    }
    let mut known: HashSet<&str> = there.iter().flat_map(|codes| codes.split(' ')).collect();
    let room = max_codes.saturating_sub(known.len());
    let new = codes.iter().copied().filter(|code| known.insert(code)).take(room);
    let all: Vec<&str> = there.as_deref().into_iter().chain(new).collect();
    if are_new || all.len() > usize::from(there.is_some()) {
        table.insert(address, all.join(" ").as_str()).map_err(failed)?;
    }
    Ok(())
}
