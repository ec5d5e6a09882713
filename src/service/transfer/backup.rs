//! The lines of a backup beside those of links: keys, and all that was counted.
//!
//! A backup is whole from its head to its end, which counts the lines of each type: one that was cut
//! off is known by that. What a day's visitors were told apart by is in none: its secret is promised
//! to be forgotten, and a copy would not forget it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::code::Code;
use crate::model::key::{Key, KeyHash, KeyId, Scope};
use crate::model::tally::{Count, Day, Row, Subject};
use crate::store::backup::StoredRow;
use crate::store::{Account, Lane, NodeId, Note, Position, Progress};

/// The version of what is written here.
pub const VERSION: u32 = 1;
/// Hours of a day.
const HOURS: u8 = 24;
/// Characters of a node's identity.
const NODE_ID_LENGTH: usize = 16;

/// A line whose type is not `link`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum BackupLine {
    /// The first line.
    Slugline(Head),
    /// An API key, in the form in which it is stored: without its secret.
    Key(KeyLine),
    /// All clicks on a link, ever.
    Total(TotalLine),
    /// What was counted for a subject in a day or an hour.
    Row(RowLine),
    /// Figures that an administrator deleted.
    Note(Note),
    /// What a node last said of its clicks.
    Account(Account),
    /// How far a node's journal is counted.
    Journal(JournalLine),
    /// Why the backup ends before its end.
    Broken(Broken),
    /// The last line.
    End(End),
}

/// What the lines are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// [`VERSION`].
    pub version: u32,
    /// What short URLs began with there.
    pub public_url: String,
    /// Whether there are links alone.
    pub links_only: bool,
}

/// A key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyLine {
    /// Its public name.
    pub id: KeyId,
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// What is kept of its secret.
    pub hash: KeyHash,
    /// When it was made.
    pub created_at: Timestamp,
    /// From then on it opens nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

/// The total of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotalLine {
    /// The link.
    pub code: Code,
    /// Clicks of people.
    pub people: u64,
    /// Clicks of bots.
    pub bots: u64,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowLine {
    /// A link's code, or `:site`, `:orphans`, `:tag:…`, `:key:…`.
    pub subject: String,
    /// The UTC day.
    pub day: Date,
    /// The hour of it, 0–23; none: the whole day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour: Option<u8>,
    /// Its stored form (`model::tally::row`), in base 64 (RFC 4648 §4).
    #[serde(serialize_with = "to_base64", deserialize_with = "of_base64")]
    pub row: Vec<u8>,
}

/// How far a journal is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalLine {
    /// Whose.
    pub node: NodeId,
    /// Clicks of it that are counted, ever.
    pub counted: u64,
    /// Each of its lanes.
    pub lanes: Vec<LaneLine>,
}

/// A lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneLine {
    /// Its number.
    pub lane: u16,
    /// Up to where it is counted.
    pub at: Places,
}

/// One place for all partitions, or one for each where they differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Places {
    /// All stand there.
    One(u64),
    /// Each stands elsewhere.
    Each(Vec<u64>),
}

/// Why there is no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// In a sentence.
    pub reason: String,
}

/// How many lines of each type there were.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct End {
    /// By type; head and end are not counted.
    pub counts: BTreeMap<String, u64>,
}

/// Why a line can't be put back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// A later version of ours.
    #[error(
        "the backup is of version {0}, this program reads {VERSION}; use the program that wrote it"
    )]
    Version(u32),
    /// It was not written to its end.
    #[error("the backup broke off when it was written: {0}; make another one")]
    Broken(String),
    /// Its id is not made of its hash.
    #[error("the key's id does not belong to its hash")]
    Key,
    /// No subject, day or hour.
    #[error("{0} can't be a row's {1}")]
    Row(String, &'static str),
    /// The stored form.
    #[error("the row can't be read: {0}")]
    Bytes(String),
    /// Not a node's name.
    #[error("{0:?} is no node's name")]
    Node(String),
    /// Of a store that is divided otherwise, in the midst of a round.
    #[error(
        "the store that this was read from has {0} partitions, which stood at different places of \
         this journal; the store here has {1}. Give the service here a new data folder: its journal \
         goes on by itself, and what waits in the old one can't be counted here"
    )]
    Partitions(usize, usize),
}

impl From<Key> for KeyLine {
    fn from(key: Key) -> Self {
        let Key { id, name, scopes, hash, created_at, revoked_at } = key;
        Self { id, name, scopes, hash, created_at, revoked_at }
    }
}

impl KeyLine {
    /// The key.
    ///
    /// # Errors
    /// [`BadLine::Key`].
    pub fn into_key(self) -> Result<Key, BadLine> {
        let Self { id, name, scopes, hash, created_at, revoked_at } = self;
        match id == hash.id() {
            true => Ok(Key { id, name, scopes, hash, created_at, revoked_at }),
            false => Err(BadLine::Key),
        }
    }
}

impl TotalLine {
    /// The link and its clicks.
    #[must_use]
    pub fn into_total(self) -> (Code, Count) {
        (self.code, Count { people: self.people, bots: self.bots })
    }
}

impl From<StoredRow> for RowLine {
    fn from(row: StoredRow) -> Self {
        let subject = row.subject.name().into_owned();
        Self { subject, day: date_of(row.day), hour: row.hour, row: row.bytes }
    }
}

impl RowLine {
    /// The row, once it is sure that it can be read.
    ///
    /// # Errors
    /// [`BadLine`].
    pub fn into_row(self) -> Result<StoredRow, BadLine> {
        let bad = |what: String, part| BadLine::Row(what, part);
        let subject = Subject::of_name(&self.subject);
        let subject = subject.ok_or_else(|| bad(format!("{:?}", self.subject), "subject"))?;
        let day = day_of(self.day).ok_or_else(|| bad(self.day.to_string(), "day"))?;
        if let Some(hour) = self.hour.filter(|hour| *hour >= HOURS) {
            return Err(bad(hour.to_string(), "hour"));
        }
        let read = Row::from_bytes(&self.row).map_err(|e| BadLine::Bytes(e.to_string()))?;
        let slots = if self.hour.is_some() { crate::model::tally::QUARTERS_AN_HOUR } else { 1 };
        if read.cells().any(|(slot, _)| slot >= slots) {
            return Err(BadLine::Bytes("it holds more than its time".into()));
        }
        Ok(StoredRow { day, subject, hour: self.hour, bytes: self.row })
    }
}

impl JournalLine {
    /// Where each partition stands with a node's journal.
    #[must_use]
    pub fn of(node: NodeId, progress: &[Progress]) -> Self {
        let mut lanes: Vec<Lane> =
            progress.iter().flat_map(|partition| partition.lanes.keys().copied()).collect();
        lanes.sort_unstable();
        lanes.dedup();
        let at = |lane| -> Vec<u64> {
            let place = |p: &Progress| p.lanes.get(&lane).copied().unwrap_or_default().0;
            progress.iter().map(place).collect()
        };
        let line = |lane: Lane| LaneLine { lane: lane.0, at: Places::of(at(lane)) };
        Self {
            node,
            counted: progress.iter().map(|partition| partition.counted).sum(),
            lanes: lanes.into_iter().map(line).collect(),
        }
    }

    /// The same in a store of so many partitions. Which of them counted how many clicks is not told:
    /// only their sum is ever asked for.
    ///
    /// # Errors
    /// [`BadLine`].
    pub fn into_progress(self, partitions: usize) -> Result<(NodeId, Vec<Progress>), BadLine> {
        let named = self.node.0.len() == NODE_ID_LENGTH
            && self.node.0.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !named {
            return Err(BadLine::Node(self.node.0));
        }
        let mut progress = vec![Progress::default(); partitions];
        if let Some(first) = progress.first_mut() {
            first.counted = self.counted;
        }
        for LaneLine { lane, at } in self.lanes {
            let places = match at {
                Places::One(place) => vec![place; partitions],
                Places::Each(places) if places.len() == partitions => places,
                Places::Each(places) => {
                    return Err(BadLine::Partitions(places.len(), partitions));
                }
            };
            for (progress, place) in progress.iter_mut().zip(places) {
                progress.lanes.insert(Lane(lane), Position(place));
            }
        }
        Ok((self.node, progress))
    }
}

impl Places {
    fn of(places: Vec<u64>) -> Self {
        match places.first() {
            Some(first) if places.iter().all(|place| place == first) => Self::One(*first),
            _ => Self::Each(places),
        }
    }
}

/// The first day that is counted from.
const EPOCH: Date = Date::constant(1970, 1, 1);

fn date_of(day: Day) -> Date {
    EPOCH.saturating_add(i64::from(day.0).days())
}

fn day_of(date: Date) -> Option<Day> {
    let days = date.duration_since(EPOCH).as_hours() / i64::from(HOURS);
    u32::try_from(days).ok().map(Day)
}

fn to_base64<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&STANDARD.encode(bytes))
}

fn of_base64<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
    STANDARD.decode(&*text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::key::PlainKey;

    fn line(text: &str) -> Result<BackupLine, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn a_row_names_its_subject_day_and_hour() {
        let text =
            r#"{"type":"row","subject":"8yDbrB","day":"2026-11-23","hour":7,"row":"AAAEAA=="}"#;
        let BackupLine::Row(row) = line(text).unwrap() else { panic!("{text}") };
        assert_eq!(serde_json::to_string(&BackupLine::Row(row.clone())).unwrap(), text);
        let stored = row.clone().into_row().unwrap();
        assert_eq!((stored.day, stored.hour), (Day(20_780), Some(7)));
        assert_eq!(RowLine::from(stored), row);
        for bad in [
            RowLine { hour: Some(24), ..row.clone() },
            RowLine { subject: ":all".into(), ..row.clone() },
            RowLine { day: Date::constant(1969, 12, 31), ..row.clone() },
            RowLine { row: vec![1, 2, 3], ..row.clone() },
        ] {
            assert!(bad.clone().into_row().is_err(), "{bad:?}");
        }
        assert!(line(&text.replace("AAAEAA==", "AAAE*A==")).is_err());
    }

    #[test]
    fn a_journal_that_all_partitions_counted_alike_goes_into_any_store() {
        let node = NodeId("0123456789abcdef".into());
        let lanes = |at| Progress { lanes: BTreeMap::from([(Lane(1), Position(at))]), counted: 2 };
        let alike = JournalLine::of(node.clone(), &[lanes(7), lanes(7)]);
        assert_eq!(alike.lanes, [LaneLine { lane: 1, at: Places::One(7) }]);
        let (_, progress) = alike.into_progress(3).unwrap();
        assert_eq!(progress.iter().map(|partition| partition.counted).sum::<u64>(), 4);
        assert!(progress.iter().all(|partition| partition.lanes[&Lane(1)] == Position(7)));
        let torn = JournalLine::of(node, &[lanes(7), Progress::default()]);
        assert_eq!(torn.clone().into_progress(2).unwrap().1[1].lanes[&Lane(1)], Position(0));
        assert_eq!(torn.into_progress(1), Err(BadLine::Partitions(2, 1)));
    }

    #[test]
    fn a_key_whose_id_is_another_ones_is_refused() {
        let key =
            |text| Key::of(&PlainKey::parse(text).unwrap(), "a".into(), vec![], Timestamp::now());
        let good = KeyLine::from(key("sl_0123456789"));
        assert!(good.clone().into_key().is_ok());
        let forged = KeyLine { id: key("sl_9876543210").id, ..good };
        assert_eq!(forged.into_key(), Err(BadLine::Key));
    }
}
