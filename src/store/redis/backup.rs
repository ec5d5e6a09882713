//! Reading all that Redis holds, and putting it back.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use super::apply::{expiry, join, split};
use super::connection::Trip;
use super::links::in_order;
use super::listing::{self, Claimed};
use super::schema::{self, PARTITIONS, hash_of, partition_of, prefix};
use super::tallies::{COUNTED, damaged, name_of, number, read_total};
use super::{Redis, scripts, together, unique};
use crate::model::code::Code;
use crate::model::tally::{Count, Day, Subject};
use crate::store::backup::{Backup, Over, Piece, Put, StoredRow};
use crate::store::{Keep, NodeId, Note, Place, Position, Progress, StoreError, Tallies as _};

/// Entries a bucket holds at most before another one comes: `LOAD` in `scripts/map.lua`.
const LOAD: u64 = 32;
/// Buckets of totals that make a piece: about 30,000 totals.
const PIECE_BUCKETS: u64 = 1_024;

/// What a bucket holds, by field.
type Bucket = Vec<(Vec<u8>, Vec<u8>)>;

/// A value to put back: its family, day, expiry, field, the name that chooses its bucket, itself.
type Item = (&'static str, String, u64, Vec<u8>, String, Vec<u8>);

impl Backup for Redis {
    async fn oldest(
        &self,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<(Place, Code)>, StoreError> {
        let fetch = async |partition: usize, after: Option<Reverse<Claimed>>, count: usize| {
            let after = after.as_ref().map(|Reverse(spot)| spot);
            let page = self.claimed("oldest", partition, after, "", count).await?;
            Ok(page.into_iter().map(|(spot, code)| (Reverse(spot), code)).collect())
        };
        let after = after.map(Claimed::of_place).transpose()?.map(Reverse);
        let page = listing::merge(fetch, after, limit).await?;
        Ok(page.into_iter().map(|(Reverse(spot), code)| (spot.place(), code)).collect())
    }

    async fn hold(&self, name: &str, lease: Duration) -> Result<bool, StoreError> {
        let held = self.lease(name, "take", lease).await?;
        if !held {
            // Where somebody else holds it, this changes nothing.
            self.lease(name, "end", Duration::ZERO).await?;
        }
        Ok(held)
    }

    async fn hold_on(&self, name: &str, lease: Duration) -> Result<bool, StoreError> {
        self.lease(name, "renew", lease).await
    }

    async fn let_go(&self, name: &str) -> Result<bool, StoreError> {
        self.lease(name, "end", Duration::ZERO).await
    }

    async fn rows_after(&self, after: Option<&Place>) -> Result<Piece<StoredRow>, StoreError> {
        let (mut partition, mut from) = match after {
            Some(place) => numbers(place).map(|(p, day): (usize, u32)| (p, day + 1))?,
            None => (0, 0),
        };
        while partition < PARTITIONS {
            let mut look = ::redis::cmd("GET");
            look.arg(format!("{}y", prefix(partition)));
            let days: Option<Vec<u8>> = self.connection.command(Trip::Query, &look).await?;
            if let Some(day) = next_day(&days.unwrap_or_default(), from) {
                let rows = self.rows_of_partition(partition, day).await?;
                return Ok((rows, Some(Place(format!("{partition}.{day}")))));
            }
            (partition, from) = (partition + 1, 0);
        }
        Ok((vec![], None))
    }

    async fn totals_after(
        &self,
        after: Option<&Place>,
    ) -> Result<Piece<(Code, Count)>, StoreError> {
        let (partition, from) = match after {
            Some(place) => numbers(place)?,
            None => (0, 0),
        };
        let map = format!("{}c", prefix(partition));
        let buckets = self.buckets_of(&map).await?;
        let until = buckets.min(from + PIECE_BUCKETS);
        let mut totals: Vec<(Code, Count)> = Vec::new();
        for (field, value) in self.entries(&map, from..until).await? {
            totals.push((listing::code(text(&field)?)?, read_total(&value)?));
        }
        totals.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let next = match until < buckets {
            true => Some((partition, until)),
            false => Some((partition + 1, 0)).filter(|(partition, _)| *partition < PARTITIONS),
        };
        Ok((totals, next.map(|(partition, bucket)| Place(format!("{partition}.{bucket}")))))
    }

    async fn put_rows(
        &self,
        rows: &[StoredRow],
        keep: Keep,
        over: Over,
    ) -> Result<Vec<Put>, StoreError> {
        let (mut items, mut sketches) = (Vec::<Item>::new(), Vec::<(usize, Item)>::new());
        for (at, row) in rows.iter().enumerate() {
            let (day, name) = (row.day.0.to_string(), row.subject.name().into_owned());
            let field = name.clone().into_bytes();
            items.push(match row.hour {
                None => {
                    let ends = expiry(row.day, keep.days);
                    let (whole, sketch) = split(&row.bytes);
                    if !sketch.is_empty() {
                        let sketch = sketch.to_vec();
                        let field = field.clone();
                        sketches.push((at, ("s", day.clone(), ends, field, name.clone(), sketch)));
                    }
                    ("d", day, ends, field, name, whole.to_vec())
                }
                Some(hour) => {
                    let field = [&[hour], name.as_bytes()].concat();
                    ("h", day, expiry(row.day, keep.hours), field, name, row.bytes.clone())
                }
            });
        }
        // A sketch is put after its row, which says whether there is room for it.
        let mut puts = self.put_back(&items, over).await?;
        sketches.retain(|(at, _)| over != Over::Keep || puts[*at] != Put::Other);
        let (at, items): (Vec<usize>, Vec<Item>) = sketches.into_iter().unzip();
        for (at, put) in at.into_iter().zip(self.put_back(&items, over).await?) {
            if puts[at] == Put::Same {
                puts[at] = put;
            }
        }
        Ok(puts)
    }

    async fn put_totals(
        &self,
        totals: &[(Code, Count)],
        over: Over,
    ) -> Result<Vec<Put>, StoreError> {
        let items = totals.iter().map(|(code, total)| {
            let name = code.to_string();
            let bots = if total.bots > 0 { format!(" {}", total.bots) } else { String::new() };
            let value = format!("{}{bots}", total.people).into_bytes();
            ("c", String::new(), 0, name.clone().into_bytes(), name, value)
        });
        self.put_back(&items.collect::<Vec<Item>>(), over).await
    }

    async fn put_progress(
        &self,
        node: &NodeId,
        progress: &[Progress],
        over: Over,
    ) -> Result<Put, StoreError> {
        if progress.len() != PARTITIONS {
            let why = "positions of another number of partitions";
            return Err(StoreError::Damaged(why.into()));
        }
        let there = self.progress(node).await?;
        let outcomes: Vec<Put> =
            there.iter().zip(progress).map(|(there, new)| compared(there, new)).collect();
        let outcome = [Put::Other, Put::New].into_iter().find(|one| outcomes.contains(one));
        let outcome = outcome.unwrap_or(Put::Same);
        if over == Over::Look || (over == Over::Keep && outcome == Put::Other) {
            return Ok(outcome);
        }
        let changed = outcomes.iter().enumerate().filter(|(_, one)| **one != Put::Same);
        let puts = changed.map(async |(partition, _)| {
            self.put_lanes(partition, node, &progress[partition], over).await
        });
        let done = together(puts).await?.into_iter().all(|done| done);
        Ok(if done { outcome } else { Put::Other })
    }

    async fn put_note(&self, note: &Note) -> Result<(), StoreError> {
        self.file_note(&name_of(note), note).await
    }
}

impl Redis {
    /// That nobody holds the counting of a partition.
    pub(super) async fn must_be_free(&self, partition: usize) -> Result<(), StoreError> {
        let mut look = ::redis::cmd("EXISTS");
        look.arg(format!("{}hold", prefix(partition)));
        match self.connection.command(Trip::Query, &look).await? {
            false => Ok(()),
            true => Err(StoreError::held()),
        }
    }

    /// Takes, renews or ends the lease of every partition; whether each was to be had.
    async fn lease(
        &self,
        name: &str,
        how: &'static str,
        lease: Duration,
    ) -> Result<bool, StoreError> {
        let ms = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
        let calls = (0..PARTITIONS).map(async |partition| {
            let call = scripts::HOLD.at(&prefix(partition)).arg(name).arg(how).arg(ms);
            self.connection.script::<bool>(Trip::Write, &call).await
        });
        Ok(together(calls).await?.into_iter().all(|held| held))
    }

    /// How many buckets a map has; 0: there is no such map.
    async fn buckets_of(&self, map: &str) -> Result<u64, StoreError> {
        let mut look = ::redis::cmd("HGET");
        look.arg(format!("{map}0")).arg("");
        let counted: Option<Vec<u8>> = self.connection.command(Trip::Query, &look).await?;
        let Some(counted) = counted else { return Ok(0) };
        let places = counted.split(|byte| *byte == b' ').next().unwrap_or_default();
        Ok(number(places)? / LOAD + 1)
    }

    /// What these buckets of a map hold.
    async fn entries(
        &self,
        map: &str,
        buckets: std::ops::Range<u64>,
    ) -> Result<impl Iterator<Item = (Vec<u8>, Vec<u8>)> + use<>, StoreError> {
        let looks = buckets.map(async |bucket| {
            let mut look = ::redis::cmd("HGETALL");
            look.arg(format!("{map}{bucket}"));
            self.connection.command::<Bucket>(Trip::Query, &look).await
        });
        let found = together(looks).await?;
        // The count of entries stands under the empty name.
        Ok(found.into_iter().flatten().filter(|(field, _)| !field.is_empty()))
    }

    /// All rows of a day in a partition, by subject and hour.
    async fn rows_of_partition(
        &self,
        partition: usize,
        day: u32,
    ) -> Result<Vec<StoredRow>, StoreError> {
        let map = |family: &str| format!("{}{family}{day}.", prefix(partition));
        let (whole, sketches, hours) = (map("d"), map("s"), map("h"));
        let whole = self.entries(&whole, 0..self.buckets_of(&whole).await?).await?;
        let sketches = self.entries(&sketches, 0..self.buckets_of(&sketches).await?).await?;
        let mut sketches: BTreeMap<Vec<u8>, Vec<u8>> = sketches.collect();
        let mut rows = BTreeMap::new();
        for (name, mut row) in whole {
            join(&mut row, sketches.remove(&name));
            rows.insert((text(&name)?.to_owned(), None), row);
        }
        for (field, row) in self.entries(&hours, 0..self.buckets_of(&hours).await?).await? {
            let name = text(field.get(1..).unwrap_or_default())?.to_owned();
            // Hours without a day: it is being removed.
            if rows.contains_key(&(name.clone(), None)) {
                rows.insert((name, field.first().copied()), row);
            }
        }
        let stored = |((name, hour), bytes): ((String, Option<u8>), Vec<u8>)| {
            let subject = Subject::of_name(&name)
                .ok_or_else(|| StoreError::Damaged(format!("a row's subject: {name:?}")))?;
            Ok(StoredRow { day: Day(day), subject, hour, bytes })
        };
        rows.into_iter().map(stored).collect()
    }

    /// Puts values back, each in the partition of its name.
    async fn put_back(&self, items: &[Item], over: Over) -> Result<Vec<Put>, StoreError> {
        let pieces = schema::pieces(items.iter().map(|item| partition_of(&item.4)));
        let puts = pieces.into_iter().map(async |(partition, at)| {
            let call = scripts::RESTORE.at(&prefix(partition)).arg(self.token());
            let mut call = call.arg(word(over)).arg(unique());
            for (family, day, ends, field, name, value) in at.iter().map(|at| &items[*at]) {
                call = call.arg(*family).arg(day).arg(*ends);
                call = call.arg(field.as_slice()).arg(hash_of(name)).arg(value.as_slice());
            }
            let answers: String = self.connection.script(Trip::Write, &call).await?;
            let read = |letter| match letter {
                'n' => Ok(Put::New),
                's' => Ok(Put::Same),
                'o' => Ok(Put::Other),
                'x' => Ok(Put::Expired),
                _ => Err(StoreError::held()),
            };
            Ok((at, answers.chars().map(read).collect::<Result<_, _>>()?))
        });
        in_order(items.len(), together(puts).await?)
    }

    /// Puts back where one partition stands; whether nothing was in the way.
    async fn put_lanes(
        &self,
        partition: usize,
        node: &NodeId,
        progress: &Progress,
        over: Over,
    ) -> Result<bool, StoreError> {
        let call = scripts::RESTORE_LANES.at(&prefix(partition)).arg(&node.0).arg(word(over));
        let call = call.arg(COUNTED).arg(progress.counted);
        let call = progress.lanes.iter().fold(call, |call, (lane, position)| {
            let Position(position) = position;
            call.arg(lane.0).arg(*position)
        });
        match self.connection.script::<i64>(Trip::Write, &call).await? {
            -1 => Err(StoreError::held()),
            done => Ok(done == 1),
        }
    }
}

fn word(over: Over) -> &'static str {
    match over {
        Over::Look => "look",
        Over::Keep => "keep",
        Over::Replace => "replace",
    }
}

fn compared(there: &Progress, new: &Progress) -> Put {
    match there {
        there if there == new => Put::Same,
        there if *there == Progress::default() => Put::New,
        _ => Put::Other,
    }
}

/// The first day from `from` on whose bit is set; the first byte's highest bit is day 0.
fn next_day(bits: &[u8], from: u32) -> Option<u32> {
    let days = u32::try_from(bits.len()).unwrap_or(u32::MAX).saturating_mul(8);
    let set = |day: &u32| bits[*day as usize / 8] >> (7 - day % 8) & 1 == 1;
    (from..days).find(set)
}

/// The two numbers of a place.
fn numbers<T: std::str::FromStr>(place: &Place) -> Result<(usize, T), StoreError> {
    let parts = place.0.split_once('.');
    let parts = parts.and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    parts.ok_or_else(|| StoreError::Damaged(format!("place {:?}", place.0)))
}

fn text(bytes: &[u8]) -> Result<&str, StoreError> {
    std::str::from_utf8(bytes).map_err(|e| damaged("a name", &e))
}
