//! Links and the indexes over them, in redb.

use std::collections::BTreeSet;
use std::sync::Arc;

use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};
use sha2::{Digest, Sha256};

use super::records::{self, Records, link};
use super::{Embedded, failed};
use crate::model::code::Code;
use crate::model::key::KeyId;
use crate::model::link::Link;
use crate::model::target::Target;
use crate::store::{Claim, Codes, Links, Listing, Mint, Place, Replaced, StoreError, Swap, record};

/// First half of the address's SHA-256 → its codes, with spaces between them.
pub(super) const ADDRESSES: TableDefinition<'_, [u8; 16], &str> = TableDefinition::new("addresses");
/// Name of the listing, milliseconds since 1970, code. All listings stand in one table.
pub(super) const LISTINGS: TableDefinition<'_, (&str, i64, &str), ()> =
    TableDefinition::new("listings");

/// Codes are ASCII: this stands after each of them.
const AFTER_ANY_CODE: &str = "\u{7f}";

pub(super) fn make_tables(txn: &WriteTransaction) -> Result<(), StoreError> {
    records::make_tables(txn)?;
    txn.open_table(ADDRESSES).map_err(failed)?;
    txn.open_table(LISTINGS).map_err(failed)?;
    Ok(())
}

impl Links for Embedded {
    async fn get(&self, code: &Code) -> Result<Option<Link>, StoreError> {
        self.read(|txn| link(txn, code))
    }

    async fn get_many(&self, codes: &[Code]) -> Result<Vec<Option<Link>>, StoreError> {
        let codes = codes.to_vec();
        self.scan(move |txn| codes.iter().map(|code| link(txn, code)).collect()).await
    }

    async fn claim(&self, links: &[Link]) -> Result<Vec<Claim>, StoreError> {
        let links = links.to_vec();
        self.write(move |txn| {
            let mut records = Records::open(txn)?;
            let mut listings = txn.open_table(LISTINGS).map_err(failed)?;
            links.iter().map(|link| claim(&mut records, &mut listings, link)).collect()
        })
        .await
    }

    async fn mint(&self, links: &[Link]) -> Result<Vec<Mint>, StoreError> {
        let links = links.to_vec();
        self.write(move |txn| {
            let mut records = Records::open(txn)?;
            let mut addresses = txn.open_table(ADDRESSES).map_err(failed)?;
            let mut listings = txn.open_table(LISTINGS).map_err(failed)?;
            let mut mint = |link: &Link| {
                let digest = digest(&link.target);
                let there = codes_at(&addresses, &digest)?;
                if !there.0.is_empty() {
                    return Ok(Mint::Known(there));
                }
                if claim(&mut records, &mut listings, link)? == Claim::Taken {
                    return Ok(Mint::Taken);
                }
                addresses.insert(digest, link.code.as_str()).map_err(failed)?;
                Ok(Mint::Minted)
            };
            links.iter().map(&mut mint).collect()
        })
        .await
    }

    async fn import(
        &self,
        links: &Arc<[Link]>,
        max_codes: usize,
    ) -> Result<Vec<Option<Link>>, StoreError> {
        self.take_in(links, max_codes).await
    }

    async fn replace(&self, old: &Link, new: &Link) -> Result<Replaced, StoreError> {
        let (old, new) = (old.clone(), new.clone());
        self.write(move |txn| replace(txn, &old, &new)).await
    }

    async fn codes_of(&self, addresses: &[Target]) -> Result<Vec<Codes>, StoreError> {
        self.read(|txn| {
            let table = txn.open_table(ADDRESSES).map_err(failed)?;
            let codes = |address| codes_at(&table, &digest(address));
            addresses.iter().map(codes).collect()
        })
    }

    async fn swap_codes(&self, swaps: &[Swap]) -> Result<Vec<Option<Codes>>, StoreError> {
        let swaps = swaps.to_vec();
        self.write(move |txn| {
            let mut table = txn.open_table(ADDRESSES).map_err(failed)?;
            swaps.iter().map(|wanted| swap(&mut table, wanted)).collect()
        })
        .await
    }

    async fn list(
        &self,
        listing: &Listing,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<(Place, Code)>, StoreError> {
        let (name, after) = (name_of(listing), after.map(parse_place).transpose()?);
        self.scan(move |txn| {
            let table = txn.open_table(LISTINGS).map_err(failed)?;
            let (ms, code) = after.unwrap_or((i64::MAX, AFTER_ANY_CODE.to_owned()));
            let older = table
                .range((name.as_str(), i64::MIN, "")..(name.as_str(), ms, code.as_str()))
                .map_err(failed)?;
            older
                .rev()
                .take(limit)
                .map(|entry| {
                    let (key, _) = entry.map_err(failed)?;
                    let (_, ms, code) = key.value();
                    Ok((place_of(ms, code), read_code(code)?))
                })
                .collect()
        })
        .await
    }

    async fn count_of(&self, owner: &KeyId) -> Result<u64, StoreError> {
        let name = name_of(&Listing::Of(owner.clone()));
        self.scan(move |txn| {
            let table = txn.open_table(LISTINGS).map_err(failed)?;
            let all = (name.as_str(), i64::MIN, "")..(name.as_str(), i64::MAX, AFTER_ANY_CODE);
            let entries = table.range(all).map_err(failed)?;
            entries.map(|entry| entry.map(|_| 1).map_err(failed)).sum()
        })
        .await
    }
}

fn claim(
    records: &mut Records<'_>,
    listings: &mut Table<'_, (&str, i64, &str), ()>,
    link: &Link,
) -> Result<Claim, StoreError> {
    if records.claim(&link.code, &record::of_link(link))?.is_some() {
        return Ok(Claim::Taken);
    }
    for (name, made) in places(link) {
        listings.insert((name.as_str(), made, link.code.as_str()), ()).map_err(failed)?;
    }
    Ok(Claim::Claimed)
}

fn replace(txn: &WriteTransaction, old: &Link, new: &Link) -> Result<Replaced, StoreError> {
    let (was, is) = (record::of_link(old), record::of_link(new));
    if !Records::open(txn)?.replace(&old.code, &was, &is)? {
        return Ok(Replaced::Changed);
    }
    let code = old.code.as_str();
    let mut listings = txn.open_table(LISTINGS).map_err(failed)?;
    let (before, after) = (places(old), places(new));
    for (name, ms) in before.difference(&after) {
        listings.remove((name.as_str(), *ms, code)).map_err(failed)?;
    }
    for (name, ms) in after.difference(&before) {
        listings.insert((name.as_str(), *ms, code), ()).map_err(failed)?;
    }
    Ok(Replaced::Done)
}

/// Where a link is listed: the listings' names, and the moment by which they order it.
pub(super) fn places(link: &Link) -> BTreeSet<(String, i64)> {
    let made = link.created_at.as_millisecond();
    let own = [Listing::All, Listing::Of(link.owner.clone())];
    let tagged = link.tags.iter().cloned().map(Listing::Tagged);
    own.into_iter().chain(tagged).map(|listing| (name_of(&listing), made)).collect()
}

fn swap(table: &mut Table<'_, [u8; 16], &str>, wanted: &Swap) -> Result<Option<Codes>, StoreError> {
    let digest = digest(&wanted.address);
    let there = codes_at(table, &digest)?;
    if there != wanted.old {
        return Ok(Some(there));
    }
    let text = wanted.new.0.iter().map(Code::as_str).collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        table.remove(digest).map_err(failed)?;
    } else {
        table.insert(digest, text.as_str()).map_err(failed)?;
    }
    Ok(None)
}

fn codes_at(
    table: &impl ReadableTable<[u8; 16], &'static str>,
    digest: &[u8; 16],
) -> Result<Codes, StoreError> {
    let Some(text) = table.get(digest).map_err(failed)? else {
        return Ok(Codes::default());
    };
    text.value().split(' ').map(read_code).collect::<Result<_, _>>().map(Codes)
}

pub(super) fn digest(address: &Target) -> [u8; 16] {
    let whole: [u8; 32] = Sha256::digest(address.as_str().as_bytes()).into();
    let mut half = [0; 16];
    half.copy_from_slice(&whole[..16]);
    half
}

pub(super) fn read_code(text: &str) -> Result<Code, StoreError> {
    Code::parse(text).map_err(|e| StoreError::Damaged(format!("code {text:?}: {e}")))
}

/// No two listings share a name: the first letter tells their kinds apart.
pub(super) fn name_of(listing: &Listing) -> String {
    match listing {
        Listing::All => "a".into(),
        Listing::Of(owner) => format!("o{owner}"),
        Listing::Tagged(tag) => format!("t{tag}"),
    }
}

/// The `/` of a code is written `:`, for a place has no `/`.
pub(super) fn place_of(ms: i64, code: &str) -> Place {
    Place(format!("{ms}.{}", code.replace('/', ":")))
}

pub(super) fn parse_place(place: &Place) -> Result<(i64, String), StoreError> {
    let parts = place.0.split_once('.').and_then(|(ms, code)| Some((ms.parse().ok()?, code)));
    let (ms, code) = parts.ok_or_else(|| StoreError::Damaged(format!("place {:?}", place.0)))?;
    Ok((ms, code.replace(':', "/")))
}
