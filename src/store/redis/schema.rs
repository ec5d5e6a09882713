//! What lies where in Redis: partitions, key names, and the addressing of compact maps.
//!
//! Every key begins with `sl{TAG}`, where the tag names one of [`PARTITIONS`] partitions. In a
//! cluster the tag alone decides the slot, so that all keys of a partition live on one server and
//! one script can change several of them in one step; on a single server the same names do no harm.
//!
//! | key                    | type   | holds                                                        |
//! |------------------------|--------|--------------------------------------------------------------|
//! | `sl{T}l<bucket>`       | map    | code → the link's record                                     |
//! | `sl{T}a<bucket>`       | map    | 8 bytes of an address's SHA-256 → its codes                  |
//! | `sl{T}c<bucket>`       | map    | code → all its clicks, ever: people's, ` `, bots' if any     |
//! | `sl{T}d<day>.<bucket>` | map    | subject → its row of that UTC day                            |
//! | `sl{T}s<day>.<bucket>` | map    | subject → the sketch of that day's row, if it is long         |
//! | `sl{T}h<day>.<bucket>` | map    | hour (a byte) and subject → its row of that hour             |
//! | `sl{T}y`               | bitmap | the days that have such maps                                 |
//! | `sl{T}v`               | string | a mark: another one after each change of rows                |
//! | `sl{T}o:<owner>`       | stream | the owner's codes by the time they were made, if in order    |
//! | `sl{T}w`               | set    | the owners that have such a stream                           |
//! | `sl{T}t:<tag>`         | zset   | the codes with this tag by the time they were made           |
//! | `sl{T}hold`            | string | who holds the counting while a backup is written, for a while |
//! | `sl{T}n:<node>`        | hash   | lane → position; `counted` → clicks of this node, ever       |
//! | `sl{T}r:<hash>`        | string | an idempotent request's answer, until it expires             |
//! | `sl{T}once:<token>`    | string | a script's answer, for a minute, in case it is sent twice    |
//! | `sl{T}try:…`           | any    | nothing: what upkeep tries commands on, within one step      |
//! | `sl{keys}` `sl{nodes}` | hash   | API keys; the nodes' accounts                                |
//! | `sl{secrets}`          | hash   | `sessions` → what they are signed with                       |
//! | `sl{salts}`            | hash   | day → the secret of its visitors' hashes                     |
//! | `sl{notes}`            | hash   | moment and a random part → a note, as JSON                   |
//! | `sl{news}`             | stream | what was counted a moment ago: `i` an item, `p` the id before |
//! | `sl{meta}`             | hash   | `schema` and `partitions`                                    |
//!
//! A **map** is a family of small hashes that grows by linear hashing (Litwin 1980): Redis keeps a
//! hash of a few dozen entries as a plain list of bytes (a listpack), which costs about a tenth of
//! what a key of one's own costs. There are `count / LOAD + 1` buckets; each time `count` passes a
//! multiple of `LOAD`, the script that added the entry splits exactly one bucket in two. So buckets
//! stay small for ever, and no insertion ever pays for more than one split. The count stands in the
//! first bucket under the empty name. `scripts/map.lua` is the same arithmetic for the scripts.
//!
//! The **rows** of a day are three maps, which expire each as a whole. A bucket of hours is chosen by
//! the subject alone: all its hours are found in one. To Redis a row is bytes: `apply.rs` reads rows,
//! adds to them, and puts them back under the condition that the mark is still the same. The mark is
//! drawn, not counted: a server that was brought back from a copy never has the mark of another
//! history.
//!
//! There is no stream of all links: each would stand in two (22 bytes more). The listing of all
//! merges the owners', who are few. A stream reserves 4 KB at once, which makes a quarter of a
//! megabyte an owner.

use std::sync::atomic::{AtomicU32, Ordering};

use sha2::{Digest, Sha256};

use crate::model::target::Target;

/// How many partitions there are. Fixed: it decides where every key lies.
pub(super) const PARTITIONS: usize = 64;

/// The channel on which changes are told.
pub(super) const CHANGES: &str = "sl:changes";
/// The schema's version and number of partitions.
pub(super) const META: &str = "sl{meta}";
/// All API keys.
pub(super) const KEYS: &str = "sl{keys}";
/// What stays here, whatever is exported.
pub(super) const SECRETS: &str = "sl{secrets}";
/// All nodes' accounts.
pub(super) const NODES: &str = "sl{nodes}";
/// The secrets of the last days.
pub(super) const SALTS: &str = "sl{salts}";
/// What administrators did to the figures.
pub(super) const NOTES: &str = "sl{notes}";
/// What was counted a moment ago.
pub(super) const NEWS: &str = "sl{news}";

/// One hash tag a partition. The CRC-16 slot of tag `p` lies within 20 of the middle of
/// `256 p … 256 p + 255`, so that any number of masters with equal shares of the 16,384 slots gets
/// an equal share of the partitions.
pub(super) const TAGS: [&str; PARTITIONS] = [
    "mm", "6q", "9i", "e8", "29", "21", "ap", "ax", "0j", "kv", "dn", "df", "3g", "o6", "gc", "xw",
    "8g", "d6", "lc", "02", "g3", "4c", "on", "4r", "99", "91", "1d", "m5", "fm", "yy", "2i", "iu",
    "7a", "k0", "ce", "8y", "4l", "op", "x9", "x1", "jf", "1z", "zj", "b3", "ik", "2w", "yg", "fs",
    "bk", "9w", "6o", "ms", "af", "an", "5b", "i3", "c5", "dp", "kh", "0t", "xi", "xa", "he", "44",
];

/// What all keys of a partition begin with, which is also the key by which a script is sent there.
pub(super) fn prefix(partition: usize) -> String {
    ["sl{", TAGS[partition % PARTITIONS], "}"].concat()
}

/// The partition in which a code's keys lie, or a subject's rows. CRC-32, because it is asked for every click, and
/// scores of times for a code that is drawn to lie with its address.
pub(super) fn partition_of(code: &str) -> usize {
    crc32fast::hash(code.as_bytes()) as usize % PARTITIONS
}

/// What picks a code's or a subject's bucket. SHA-1, because Redis's scripts have no other hash; nothing here is
/// secret.
pub(super) fn hash_of(code: &str) -> u32 {
    let digest = sha1_smol::Sha1::from(code).digest().bytes();
    u32::from_be_bytes([digest[4], digest[5], digest[6], digest[7]])
}

/// An address's name in the index: its partition, and 8 bytes. Two addresses may share them.
pub(super) fn address_of(target: &Target) -> (usize, [u8; 8]) {
    let mut name = [0; 8];
    name.copy_from_slice(&Sha256::digest(target.as_str().as_bytes())[..8]);
    (usize::from(name[0]) % PARTITIONS, name)
}

/// The bucket of an entry in a map of `buckets`.
pub(super) fn bucket_of(hash: u32, buckets: u32) -> u32 {
    let level = 1u64 << (31 - buckets.max(1).leading_zeros());
    let bucket = u64::from(hash) % (2 * level);
    let bucket = if bucket < u64::from(buckets) { bucket } else { bucket % level };
    u32::try_from(bucket).unwrap_or_default()
}

/// The last known number of buckets of each partition's links: a hint that spares a look-up. An
/// outdated one can miss an entry, never find a wrong one.
#[derive(Debug)]
pub(super) struct Buckets([AtomicU32; PARTITIONS]);

impl Default for Buckets {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU32::new(0)))
    }
}

impl Buckets {
    /// The bucket key that held this code's link when last heard of; `None` before that.
    pub(super) fn likely_key(&self, partition: usize, code: &str) -> Option<String> {
        let buckets = self.0[partition].load(Ordering::Relaxed);
        let bucket = || bucket_of(hash_of(code), buckets);
        (buckets > 0).then(|| format!("sl{{{}}}l{}", TAGS[partition], bucket()))
    }

    /// Remembers what a script said.
    pub(super) fn learn(&self, partition: usize, buckets: u32) {
        self.0[partition].store(buckets, Ordering::Relaxed);
    }
}

/// Entries looked up or changed by one script call, which holds Redis up for a millisecond or two.
pub(super) const A_CALL: usize = 256;

/// What goes into one script call: a partition, and the positions of what was asked of it.
pub(super) type Piece = (usize, Vec<usize>);

/// Sorts what lies in these partitions into script calls.
pub(super) fn pieces(mut partitions: impl ExactSizeIterator<Item = usize>) -> Vec<Piece> {
    if partitions.len() == 1 {
        return partitions.next().map(|partition| (partition, vec![0])).into_iter().collect();
    }
    let mut groups = vec![Vec::new(); PARTITIONS];
    partitions.enumerate().for_each(|(at, partition)| groups[partition].push(at));
    let cut = |(partition, at): (usize, Vec<usize>)| {
        at.chunks(A_CALL).map(|piece| (partition, piece.to_vec())).collect::<Vec<Piece>>()
    };
    groups.into_iter().enumerate().flat_map(cut).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CRC-16/XMODEM, which the cluster specification prescribes.
    fn slot_of(tag: &str) -> usize {
        let crc = tag.bytes().fold(0u16, |crc, byte| {
            (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| {
                if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
            })
        });
        usize::from(crc) % 16_384
    }

    #[test]
    fn partitions_lie_evenly_over_the_slots_of_a_cluster() {
        assert_eq!(slot_of("123456789"), 0x31C3, "the check value of the specification");
        for (partition, tag) in TAGS.iter().enumerate() {
            assert_eq!(slot_of(tag) / 256, partition, "{tag}");
        }
    }

    #[test]
    fn a_bucket_splits_into_itself_and_the_new_one() {
        for buckets in 1..200u32 {
            let split = buckets - (1 << (31 - buckets.leading_zeros()));
            for hash in (0..5_000u32).map(|n| n.wrapping_mul(2_654_435_761)) {
                let (before, after) = (bucket_of(hash, buckets), bucket_of(hash, buckets + 1));
                assert!(after == before || (before == split && after == buckets));
            }
        }
    }

    #[test]
    fn codes_spread_over_partitions_and_buckets() {
        let mut seen = [0; PARTITIONS];
        let mut buckets = [0; 10];
        for n in 0..64_000 {
            let code = format!("code{n}");
            seen[partition_of(&code)] += 1;
            buckets[bucket_of(hash_of(&code), 10) as usize] += 1;
        }
        assert!(seen.iter().all(|n| (800..1_200).contains(n)), "{seen:?}");
        // Of ten buckets, 0 and 1 are already split: each of the six others has twice their share.
        assert!(buckets.iter().all(|n| (3_500..9_000).contains(n)), "{buckets:?}");
    }
}
