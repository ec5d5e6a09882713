//! Up to where an archive is true: one small file, replaced in one step.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::disk;
use super::name::Hour;
use crate::store::{Lane, NodeId, Position};

/// The version of what is written. Another one is not touched.
const VERSION: u32 = 1;
/// Hours for which it is remembered how many files they have, so that a late click never gets the
/// name of a file that was taken elsewhere.
const REMEMBERED: i64 = 48;

/// A place in a lane of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mark {
    /// Everything before it is archived.
    pub position: Position,
    /// Clicks that the lane had taken in before it, ever: tells how many are missing when the
    /// journal does not reach back so far any more.
    pub clicks: u64,
}

/// A file that lines are added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    /// Which file of its hour: from 1 on.
    pub(super) number: u32,
    /// Bytes of it that count.
    pub(super) length: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    version: u32,
    pub(super) marks: BTreeMap<Lane, Mark>,
    pub(super) parts: BTreeMap<Hour, Part>,
    /// The number of the last finished file of each recent hour.
    pub(super) finished: BTreeMap<Hour, u32>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            version: VERSION,
            marks: BTreeMap::new(),
            parts: BTreeMap::new(),
            finished: BTreeMap::new(),
        }
    }
}

impl State {
    /// The state of a node, if it has one.
    pub(super) fn read(folder: &Path, node: &NodeId) -> io::Result<Option<Self>> {
        let path = folder.join(file(node));
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(disk::at(&path)(e)),
        };
        match serde_json::from_slice::<Self>(&bytes) {
            Ok(state) if state.version == VERSION => Ok(Some(state)),
            outcome => {
                let why = match outcome {
                    Ok(state) => format!("it is version {}, not {VERSION}", state.version),
                    Err(error) => error.to_string(),
                };
                Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!(
                        "{} can't be read ({why}): put back a copy of it, or remove it; then the \
                         archive begins with what the journal still holds, which may repeat lines \
                         (with the `id` that they had)",
                        path.display()
                    ),
                ))
            }
        }
    }

    /// The nodes that have a state in this folder.
    pub(super) fn nodes(folder: &Path) -> io::Result<Vec<NodeId>> {
        let mut nodes = Vec::new();
        for entry in fs::read_dir(folder).map_err(disk::at(folder))? {
            let name = entry?.file_name();
            let node =
                name.to_str().and_then(|name| name.strip_prefix('.')?.strip_suffix(".state"));
            nodes.extend(node.map(|node| NodeId(node.to_owned())));
        }
        nodes.sort_unstable();
        Ok(nodes)
    }

    /// Puts it in the place of the last one.
    pub(super) fn write(&self, folder: &Path, node: &NodeId) -> io::Result<()> {
        let bytes = serde_json::to_vec(self)?;
        disk::replace(&Self::aside(folder, node), &folder.join(file(node)), folder, &bytes)
    }

    /// Where it is written before it is put in its place.
    pub(super) fn aside(folder: &Path, node: &NodeId) -> PathBuf {
        folder.join(format!(".{}.state.new", node.0))
    }

    /// Removes a node's state, if nothing was added to it since `before`. A node that is only idle
    /// puts it back with its next click.
    pub(super) fn remove_if_older(
        folder: &Path,
        node: &NodeId,
        before: Timestamp,
    ) -> io::Result<()> {
        let path = folder.join(file(node));
        let modified = match fs::metadata(&path).and_then(|meta| meta.modified()) {
            Ok(modified) => modified,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(disk::at(&path)(e)),
        };
        if Timestamp::try_from(modified).is_ok_and(|modified| modified < before) {
            disk::remove(&Self::aside(folder, node))?;
            disk::remove(&path)?;
        }
        Ok(())
    }

    /// Lets go of parts in which nothing stands, and says whether there were any. Their numbers are
    /// remembered: readers may have seen more of them.
    pub(super) fn let_go_of_empty_parts(&mut self) -> bool {
        let parts = std::mem::take(&mut self.parts);
        let (empty, parts) = parts.into_iter().partition(|(_, part)| part.length == 0);
        self.parts = parts;
        let empty: BTreeMap<Hour, Part> = empty;
        empty.iter().for_each(|(hour, part)| self.remember(*hour, part.number));
        !empty.is_empty()
    }

    /// Remembers that a file was finished.
    pub(super) fn remember(&mut self, hour: Hour, number: u32) {
        let last = self.finished.entry(hour).or_default();
        *last = number.max(*last);
        if let Some((newest, _)) = self.finished.last_key_value() {
            self.finished = self.finished.split_off(&newest.earlier(REMEMBERED));
        }
    }
}

fn file(node: &NodeId) -> String {
    format!(".{}.state", node.0)
}
