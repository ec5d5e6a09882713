//! What the files of an archive are called.

use std::fmt;
use std::io;
use std::path::Path;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store::NodeId;

const HOUR_MS: i64 = 3_600_000;

/// An hour of UTC: hours since 1970. Written `2026-11-23T09Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Hour(i64);

/// This is not an hour as they are written here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an hour is written like 2026-11-23T09Z")]
pub struct BadHour;

impl Hour {
    /// The hour that a moment falls into.
    #[must_use]
    pub fn of(moment: Timestamp) -> Self {
        Self(moment.as_millisecond().div_euclid(HOUR_MS))
    }

    /// Its first moment.
    #[must_use]
    pub fn start(self) -> Timestamp {
        Timestamp::from_millisecond(self.0.saturating_mul(HOUR_MS)).unwrap_or(Timestamp::MAX)
    }

    /// The moment after its last.
    #[must_use]
    pub fn end(self) -> Timestamp {
        Self(self.0.saturating_add(1)).start()
    }

    /// The hour so many hours before.
    pub(super) fn earlier(self, hours: i64) -> Self {
        Self(self.0.saturating_sub(hours))
    }
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.start().strftime("%Y-%m-%dT%HZ"))
    }
}

impl FromStr for Hour {
    type Err = BadHour;

    fn from_str(text: &str) -> Result<Self, BadHour> {
        let hour = text.strip_suffix('Z').ok_or(BadHour)?;
        let moment: Timestamp = format!("{hour}:00:00Z").parse().map_err(|_| BadHour)?;
        let hour = Self::of(moment);
        if hour.to_string() == text { Ok(hour) } else { Err(BadHour) }
    }
}

impl From<Hour> for String {
    fn from(hour: Hour) -> Self {
        hour.to_string()
    }
}

impl TryFrom<String> for Hour {
    type Error = BadHour;

    fn try_from(text: String) -> Result<Self, BadHour> {
        text.parse()
    }
}

/// Which file of which hour of which node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) hour: Hour,
    pub(super) node: NodeId,
    /// From 1 on.
    pub(super) number: u32,
}

/// How far a file has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Lines are added to it.
    Part,
    /// It is being finished.
    Aside,
    /// Whole, for everyone, and never touched again.
    Finished,
}

impl Stage {
    /// Before and after the name. Nobody's `*` matches what begins with a dot.
    const fn around(self) -> (&'static str, &'static str) {
        match self {
            Self::Part => (".clicks-", ".ndjson.part"),
            Self::Aside => (".clicks-", ".ndjson.gz.new"),
            Self::Finished => ("clicks-", ".ndjson.gz"),
        }
    }
}

impl Name {
    pub(super) fn of(hour: Hour, node: &NodeId, number: u32) -> Self {
        Self { hour, node: node.clone(), number }
    }

    /// The file's name.
    pub(super) fn file(&self, stage: Stage) -> String {
        let (before, after) = stage.around();
        let Self { hour, node: NodeId(node), number } = self;
        match number {
            1 => format!("{before}{hour}-{node}{after}"),
            number => format!("{before}{hour}-{node}-{number}{after}"),
        }
    }

    fn parse(file: &str, stage: Stage) -> Option<Self> {
        let (before, after) = stage.around();
        let text = file.strip_prefix(before)?.strip_suffix(after)?;
        let (hour, rest) = text.split_at_checked(text.find('Z')? + 1)?;
        let rest = rest.strip_prefix('-')?;
        let (node, number) = match rest.split_once('-') {
            Some((node, number)) => (node, number.parse().ok()?),
            None => (rest, 1),
        };
        let name = Self::of(hour.parse().ok()?, &NodeId(node.to_owned()), number);
        (name.file(stage) == file).then_some(name)
    }
}

/// The files of an archive. What has other names is not ours.
pub(super) fn list(folder: &Path) -> io::Result<Vec<(Name, Stage)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(super::disk::at(folder))? {
        let name = entry?.file_name();
        let Some(name) = name.to_str() else { continue };
        let stages = [Stage::Part, Stage::Aside, Stage::Finished].into_iter();
        found.extend(stages.filter_map(|stage| Some((Name::parse(name, stage)?, stage))));
    }
    found.sort_unstable();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_was_written() {
        let hour = Hour::of("2026-11-23T09:59:59.999Z".parse().unwrap());
        assert_eq!(hour.to_string(), "2026-11-23T09Z");
        assert_eq!(hour.end().to_string(), "2026-11-23T10:00:00Z");
        for number in [1, 2, 17] {
            let name = Name::of(hour, &NodeId("abcdefghijklmnop".into()), number);
            for stage in [Stage::Part, Stage::Aside, Stage::Finished] {
                assert_eq!(Name::parse(&name.file(stage), stage), Some(name.clone()));
            }
        }
        let name = Name::of(hour, &NodeId("n0de".into()), 2);
        assert_eq!(name.file(Stage::Finished), "clicks-2026-11-23T09Z-n0de-2.ndjson.gz");
    }

    #[test]
    fn what_is_not_ours_has_no_name() {
        for file in [
            "clicks-2026-11-23T09Z-node.ndjson.gz.tmp",
            "clicks-2026-11-23T09Z.ndjson.gz",
            "clicks-2026-11-23T24Z-node.ndjson.gz",
            "clicks-2026-11-23T9Z-node.ndjson.gz",
            "clicks-2026-11-23T09Z-node-1.ndjson.gz",
            "clicks-2026-11-23T09Z-node-x.ndjson.gz",
            ".clicks-2026-11-23T09Z-node.ndjson.gz",
            "other.ndjson.gz",
        ] {
            assert_eq!(Name::parse(file, Stage::Finished), None, "{file}");
        }
    }

    #[test]
    fn moments_before_1970_have_hours_too() {
        let hour = Hour::of("1969-12-31T23:30:00Z".parse().unwrap());
        assert_eq!(hour.to_string(), "1969-12-31T23Z");
        assert_eq!("1969-12-31T23Z".parse(), Ok(hour));
    }
}
