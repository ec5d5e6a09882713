//! One record on the disk: checksum, length, payload.
//!
//! ```text
//! 0         4           8                8 + length
//! | CRC-32  | length    | payload        |      little-endian; 1 ≤ length ≤ 16 KiB
//! ```
//! The checksum covers the length as well, so that neither a run of zeros (what a disk may leave
//! behind when the power fails) nor a shifted read passes for a record.

use serde::{Deserialize, Serialize};

use crate::model::click::Click;

/// Bytes before the payload.
pub(super) const HEAD: usize = 8;
/// The longest payload, in bytes.
pub(super) const MAX_PAYLOAD: usize = 16 * 1024;

/// What the journal says. New kinds are added at the end: their order is their number on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry<'a> {
    /// A redirect was answered.
    Click(#[serde(borrow)] Click<'a>),
    /// So many redirects before this one could not be written down.
    Lost(u64),
    /// An unknown code was asked for.
    Orphan(#[serde(borrow)] Click<'a>),
}

/// Why there is no entry at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// The bytes end before the record does: it may still be on its way.
    Short,
    /// These bytes are no record.
    Damaged,
}

/// Writes `entry` as a record into `buffer`, in the place of what was there.
pub(super) fn write(entry: &Entry<'_>, buffer: &mut Vec<u8>) -> Result<(), postcard::Error> {
    buffer.clear();
    buffer.resize(HEAD, 0);
    let mut filled = postcard::to_extend(entry, std::mem::take(buffer))?;
    let length = u32::try_from(filled.len() - HEAD).unwrap_or(u32::MAX).to_le_bytes();
    filled[4..HEAD].copy_from_slice(&length);
    let sum = crc32fast::hash(&filled[4..]).to_le_bytes();
    filled[..4].copy_from_slice(&sum);
    *buffer = filled;
    Ok(())
}

/// Reads the record at the beginning of `bytes`, and says how many bytes it takes.
pub(super) fn read(bytes: &[u8]) -> Result<(Entry<'_>, usize), Unread> {
    let (sum, rest) = bytes.split_first_chunk::<4>().ok_or(Unread::Short)?;
    let length = rest.first_chunk::<4>().ok_or(Unread::Short)?;
    let size = u32::from_le_bytes(*length) as usize;
    if size == 0 || size > MAX_PAYLOAD {
        return Err(Unread::Damaged);
    }
    let summed = rest.get(..4 + size).ok_or(Unread::Short)?;
    if u32::from_le_bytes(*sum) != crc32fast::hash(summed) {
        return Err(Unread::Damaged);
    }
    let entry = postcard::from_bytes(&summed[4..]).map_err(|_| Unread::Damaged)?;
    Ok((entry, HEAD + size))
}
