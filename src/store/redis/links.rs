//! Links, and the index from addresses to their codes.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::connection::Trip;
use super::listing::{self, Claimed, Made};
use super::schema::{self, CHANGES, PARTITIONS, hash_of, partition_of, prefix};
use super::scripts::Call;
use super::{Redis, scripts, together};
use crate::model::code::Code;
use crate::model::key::KeyId;
use crate::model::link::{Link, Tag};
use crate::model::target::Target;
use crate::store::{Claim, Codes, Links, Listing, Mint, Place, Replaced, StoreError, Swap, record};

/// What a look-up of several entries answers: the number of buckets, then the values.
type Found = (u32, Vec<Option<Vec<u8>>>);

impl Links for Redis {
    async fn get(&self, code: &Code) -> Result<Option<Link>, StoreError> {
        let partition = partition_of(code.as_str());
        if let Some(key) = self.buckets.likely_key(partition, code.as_str()) {
            let mut look = ::redis::cmd("HGET");
            look.arg(key).arg(code.as_str());
            let found: Option<Vec<u8>> = self.connection.command(Trip::Read, &look).await?;
            if let Some(bytes) = found {
                return record::to_link(code, &bytes).map(Some);
            }
        }
        let field = [code.as_str().as_bytes()];
        let found = self.look_up(Trip::Read, partition, "l", &field).await?;
        self.buckets.learn(partition, found.0);
        found.1.into_iter().flatten().next().map(|bytes| record::to_link(code, &bytes)).transpose()
    }

    async fn get_many(&self, codes: &[Code]) -> Result<Vec<Option<Link>>, StoreError> {
        let read = |(code, found): (&Code, Option<Vec<u8>>)| {
            found.map(|bytes| record::to_link(code, &bytes)).transpose()
        };
        codes.iter().zip(self.values("l", codes).await?).map(read).collect()
    }

    async fn claim(&self, links: &[Link]) -> Result<Vec<Claim>, StoreError> {
        let pieces = schema::pieces(links.iter().map(|link| partition_of(link.code.as_str())));
        let claims = pieces.into_iter().map(async |(partition, at)| {
            let mut call = scripts::CLAIM.at(&prefix(partition)).arg(self.token());
            for link in at.iter().map(|at| &links[*at]) {
                call = claim_args(call, link);
            }
            let answers: String = self.connection.script(Trip::Write, &call).await?;
            Ok((at, answers.bytes().map(read_claim).collect()))
        });
        in_order(links.len(), together(claims).await?)
    }

    async fn mint(&self, links: &[Link]) -> Result<Vec<Mint>, StoreError> {
        let names: Vec<_> = links.iter().map(|link| schema::address_of(&link.target)).collect();
        let pieces = schema::pieces(names.iter().map(|(partition, _)| *partition));
        let mints = pieces.into_iter().map(async |(partition, at)| {
            let home = |at: &usize| partition_of(links[*at].code.as_str()) == partition;
            let (near, apart): (Vec<_>, Vec<_>) = at.into_iter().partition(home);
            let mut call = scripts::MINT.at(&prefix(partition)).arg(self.token());
            for at in &near {
                let link = &links[*at];
                call = claim_args(call.arg(&names[*at].1[..]), link);
            }
            let answers: Vec<Vec<u8>> = match near.is_empty() {
                true => vec![],
                false => self.connection.script(Trip::Write, &call).await?,
            };
            let mut mints =
                answers.iter().map(|answer| read_mint(answer)).collect::<Result<_, _>>();
            if let Ok(mints) = &mut mints {
                Vec::extend(mints, apart.iter().map(|_| Mint::Apart));
            }
            Ok(([near, apart].concat(), mints?))
        });
        in_order(links.len(), together(mints).await?)
    }

    async fn import(
        &self,
        links: &Arc<[Link]>,
        max_codes: usize,
    ) -> Result<Vec<Option<Link>>, StoreError> {
        self.take_in(links, max_codes).await
    }

    async fn replace(&self, old: &Link, new: &Link) -> Result<Replaced, StoreError> {
        let tags = |link: &Link| link.tags.iter().cloned().collect::<BTreeSet<Tag>>();
        let (before, after) = (tags(old), tags(new));
        let lost: Vec<&str> = before.difference(&after).map(Tag::as_str).collect();
        let code = old.code.as_str();
        let mut call = scripts::REPLACE
            .at(&prefix(partition_of(code)))
            .arg(self.token())
            .arg(code)
            .arg(record::of_link(old))
            .arg(record::of_link(new))
            .arg(new.created_at.as_millisecond())
            .arg(CHANGES)
            .arg(format!("l:{code}"))
            .arg(old.owner.as_str())
            .arg(old.created_at.as_millisecond())
            .arg(if old.owner == new.owner { "" } else { new.owner.as_str() })
            .arg(lost.len());
        call = lost.into_iter().fold(call, |call, tag| call.arg(tag));
        // One that keeps its tag may get another place there.
        let moved = old.created_at != new.created_at;
        let gets = after.iter().filter(|tag| moved || !before.contains(*tag));
        call = gets.fold(call, |call, tag| call.arg(tag.as_str()));
        let done: bool = self.connection.script(Trip::Write, &call).await?;
        Ok(if done { Replaced::Done } else { Replaced::Changed })
    }

    async fn codes_of(&self, addresses: &[Target]) -> Result<Vec<Codes>, StoreError> {
        let names: Vec<(usize, [u8; 8])> = addresses.iter().map(schema::address_of).collect();
        let pieces = schema::pieces(names.iter().map(|(partition, _)| *partition));
        let looks = pieces.into_iter().map(async |(partition, at)| {
            let fields: Vec<&[u8]> = at.iter().map(|at| &names[*at].1[..]).collect();
            let found = self.look_up(Trip::Query, partition, "a", &fields).await?.1;
            let codes = found.into_iter().map(|value| read_codes(&value.unwrap_or_default()));
            Ok((at, codes.collect::<Result<_, _>>()?))
        });
        in_order(addresses.len(), together(looks).await?)
    }

    async fn swap_codes(&self, swaps: &[Swap]) -> Result<Vec<Option<Codes>>, StoreError> {
        let names: Vec<_> = swaps.iter().map(|swap| schema::address_of(&swap.address)).collect();
        let pieces = schema::pieces(names.iter().map(|(partition, _)| *partition));
        let answers = pieces.into_iter().map(async |(partition, at)| {
            let mut call = scripts::SWAP.at(&prefix(partition)).arg(self.token());
            for at in &at {
                let swap = &swaps[*at];
                let (old, new) = (write_codes(&swap.old), write_codes(&swap.new));
                call = call.arg(&names[*at].1[..]).arg(old).arg(new);
            }
            let answers: Vec<Vec<u8>> = self.connection.script(Trip::Write, &call).await?;
            let read = |answer: Vec<u8>| answer.strip_prefix(b"=").map(read_codes).transpose();
            Ok((at, answers.into_iter().map(read).collect::<Result<_, _>>()?))
        });
        in_order(swaps.len(), together(answers).await?)
    }

    async fn list(
        &self,
        listing: &Listing,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<(Place, Code)>, StoreError> {
        match listing {
            Listing::All => self.recent("", after, limit).await,
            Listing::Of(owner) => self.recent(owner.as_str(), after, limit).await,
            Listing::Tagged(tag) => self.tagged(tag, after, limit).await,
        }
    }

    async fn count_of(&self, owner: &KeyId) -> Result<u64, StoreError> {
        let counts = (0..PARTITIONS).map(async |partition| {
            let call = scripts::COUNT.at(&prefix(partition)).arg(owner.as_str());
            self.connection.script::<u64>(Trip::Query, &call).await
        });
        Ok(together(counts).await?.into_iter().sum())
    }
}

impl Redis {
    /// What a family of maps holds for each code.
    pub(super) async fn values(
        &self,
        family: &str,
        codes: &[Code],
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let pieces = schema::pieces(codes.iter().map(|code| partition_of(code.as_str())));
        let looks = pieces.into_iter().map(async |(partition, at)| {
            let fields: Vec<&[u8]> = at.iter().map(|at| codes[*at].as_str().as_bytes()).collect();
            Ok((at, self.look_up(Trip::Query, partition, family, &fields).await?.1))
        });
        in_order(codes.len(), together(looks).await?)
    }

    async fn look_up(
        &self,
        trip: Trip,
        partition: usize,
        family: &str,
        fields: &[&[u8]],
    ) -> Result<Found, StoreError> {
        let call = scripts::GET.at(&prefix(partition)).arg(family);
        let call = fields.iter().fold(call, |call, field| call.arg(*field));
        let mut answer: Vec<::redis::Value> = self.connection.script(trip, &call).await?;
        // A Lua table ends at its last value that is something.
        answer.resize(1 + fields.len(), ::redis::Value::Nil);
        let damaged = |e: ::redis::ParsingError| StoreError::Damaged(e.to_string());
        let mut answer = answer.into_iter();
        let buckets = answer.next().unwrap_or(::redis::Value::Nil);
        let buckets = ::redis::from_redis_value(buckets).map_err(damaged)?;
        let values = answer.map(|value| ::redis::from_redis_value(value).map_err(damaged));
        Ok((buckets, values.collect::<Result<_, _>>()?))
    }

    async fn recent(
        &self,
        owner: &str,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<(Place, Code)>, StoreError> {
        let fetch = async |partition: usize, after: Option<Claimed>, count: usize| {
            self.claimed("newest", partition, after.as_ref(), owner, count).await
        };
        let after = after.map(Claimed::of_place).transpose()?;
        let page = listing::merge(fetch, after, limit).await?;
        Ok(page.into_iter().map(|(spot, code)| (spot.place(), code)).collect())
    }

    /// What one partition lists after a spot, `newest` or `oldest` first; of one owner or of all.
    pub(super) async fn claimed(
        &self,
        order: &'static str,
        partition: usize,
        after: Option<&Claimed>,
        owner: &str,
        count: usize,
    ) -> Result<Vec<(Claimed, Code)>, StoreError> {
        let (id, at_owner) = match after {
            Some(spot) => (spot.id(), spot.bound_in(partition)),
            None => (String::new(), String::new()),
        };
        let call = scripts::RECENT.at(&prefix(partition)).arg(order);
        let call = call.arg(id).arg(at_owner).arg(count).arg(owner);
        let rows: Vec<(String, String, String)> =
            self.connection.script(Trip::Query, &call).await?;
        rows.iter()
            .map(|(id, owner, code)| {
                Ok((Claimed::read(id, partition, owner)?, listing::code(code)?))
            })
            .collect()
    }

    async fn tagged(
        &self,
        tag: &Tag,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<(Place, Code)>, StoreError> {
        let fetch = async |partition: usize, after: Option<Made>, count: usize| {
            let call = scripts::TAGGED.at(&prefix(partition)).arg(tag.as_str());
            let call = match &after {
                Some(spot) => call.arg(spot.at_ms).arg(&spot.code),
                None => call.arg("").arg(""),
            };
            let rows: Vec<(String, String)> =
                self.connection.script(Trip::Query, &call.arg(count)).await?;
            rows.iter()
                .map(|(code, at)| Ok((Made::read(at, code)?, listing::code(code)?)))
                .collect()
        };
        let after = after.map(Made::of_place).transpose()?;
        let page = listing::merge(fetch, after, limit).await?;
        Ok(page.into_iter().map(|(spot, code)| (spot.place(), code)).collect())
    }
}

/// What a script needs to store a link and to list it.
pub(super) fn claim_args(call: Call, link: &Link) -> Call {
    let call = call
        .arg(hash_of(link.code.as_str()))
        .arg(link.code.as_str())
        .arg(record::of_link(link))
        .arg(link.owner.as_str())
        .arg(link.created_at.as_millisecond())
        .arg(link.tags.len());
    link.tags.iter().fold(call, |call, tag| call.arg(tag.as_str()))
}

/// A digit of what CLAIM answers.
pub(super) fn read_claim(digit: u8) -> Claim {
    if digit == b'1' { Claim::Claimed } else { Claim::Taken }
}

fn read_mint(answer: &[u8]) -> Result<Mint, StoreError> {
    match answer {
        b"" => Ok(Mint::Minted),
        b"!" => Ok(Mint::Taken),
        known => known.strip_prefix(b"=").map_or_else(
            || Err(StoreError::Damaged("a script's answer".into())),
            |codes| read_codes(codes).map(Mint::Known),
        ),
    }
}

/// Puts the answers of the pieces in the order of what was asked.
pub(super) fn in_order<T>(
    asked: usize,
    pieces: Vec<(Vec<usize>, Vec<T>)>,
) -> Result<Vec<T>, StoreError> {
    let mut answers: Vec<(usize, T)> = Vec::with_capacity(asked);
    for (at, values) in pieces {
        answers.extend(at.into_iter().zip(values));
    }
    if answers.len() != asked {
        return Err(StoreError::Damaged("a script's answer is too short".into()));
    }
    answers.sort_unstable_by_key(|(at, _)| *at);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

fn write_codes(codes: &Codes) -> String {
    codes.0.iter().map(Code::as_str).collect::<Vec<_>>().join(" ")
}

fn read_codes(value: &[u8]) -> Result<Codes, StoreError> {
    let damaged = |e: &dyn std::fmt::Display| StoreError::Damaged(format!("the index: {e}"));
    let text = std::str::from_utf8(value).map_err(|e| damaged(&e))?;
    let codes = text.split(' ').filter(|code| !code.is_empty()).map(Code::parse);
    codes.collect::<Result<_, _>>().map(Codes).map_err(|e| damaged(&e))
}
