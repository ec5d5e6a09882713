//! Putting back what a backup holds beside links: keys, and all that was counted.
//!
//! Each thing is put where there is nothing. Where it stands already, nothing changes, so that what was
//! interrupted is finished by doing it again; where something else stands, that is a conflict as with
//! links. Into a store that counts already, rows of two histories do not add up: restore into an empty
//! one. Where a journal is counted already, its positions stay, whatever is asked for: others would have
//! clicks counted twice, or never.

use std::collections::HashSet;

use super::super::backup::{BackupLine, BadLine, JournalLine, VERSION};
use super::{OnConflict, Remark, Report, Run};
use crate::model::code::Code;
use crate::model::key::Key;
use crate::model::tally::Count;
use crate::store::backup::{Backup as _, Over, Put, StoredRow};
use crate::store::cached::Cached;
use crate::store::{Account, Keep, Keys as _, Note, Partitions as _, StoreError, Tallies as _};

/// Something to be put back, once it is sure that it can be.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Saved {
    /// Nothing: where a backup begins or ends.
    Frame,
    Key(Key),
    Total((Code, Count)),
    Row(StoredRow),
    Note(Note),
    Account(Account),
    Journal(JournalLine),
}

impl Saved {
    /// What a line holds.
    pub(super) fn of(line: BackupLine) -> Result<Self, BadLine> {
        Ok(match line {
            BackupLine::Slugline(head) if head.version > VERSION => {
                return Err(BadLine::Version(head.version));
            }
            BackupLine::Slugline(_) | BackupLine::End(_) => Self::Frame,
            BackupLine::Broken(broken) => return Err(BadLine::Broken(broken.reason)),
            BackupLine::Key(key) => Self::Key(key.into_key()?),
            BackupLine::Total(total) => Self::Total(total.into_total()),
            BackupLine::Row(row) => Self::Row(row.into_row()?),
            BackupLine::Note(note) => Self::Note(note),
            BackupLine::Account(account) => Self::Account(account),
            BackupLine::Journal(journal) => Self::Journal(journal),
        })
    }

    /// What it is, to whoever reads the report.
    fn name(&self) -> String {
        match self {
            Self::Frame => String::new(),
            Self::Key(key) => format!("the key {}", key.id),
            Self::Total((code, _)) => format!("the total of {code}"),
            Self::Row(row) => {
                let hour = row.hour.map(|hour| format!(", hour {hour}")).unwrap_or_default();
                format!("the figures of {} on day {}{hour}", row.subject.name(), row.day.0)
            }
            Self::Note(note) => format!("the note on {}", note.code),
            Self::Account(account) => format!("the account of the node {}", account.node.0),
            Self::Journal(journal) => format!("the journal of the node {}", journal.node.0),
        }
    }

    /// The code that it is about, if it is about one.
    fn code(&self) -> Option<String> {
        match self {
            Self::Total((code, _)) => Some(code.to_string()),
            Self::Row(row) => Some(row.subject.name().into_owned()),
            _ => None,
        }
    }
}

/// What came of one thing.
enum Outcome {
    Put(Put),
    Refused(BadLine),
}

/// The way back.
pub(super) struct Restore<'a> {
    pub(super) links: &'a Cached,
    pub(super) keep: Keep,
    pub(super) on_conflict: OnConflict,
    pub(super) run: Run,
}

impl Restore<'_> {
    /// Puts back what these lines hold, in order.
    pub(super) async fn put(&self, lines: &[(usize, Saved)]) -> Result<Report, StoreError> {
        let mut report = Report::default();
        for alike in batches(lines) {
            let mut alike = alike;
            let mut stopped = false;
            if self.on_conflict == OnConflict::Fail && self.run == Run::Real {
                let looked = self.outcomes(alike, Over::Look).await?;
                let first = looked.iter().position(|one| matches!(one, Outcome::Put(Put::Other)));
                stopped = first.is_some();
                if let Some(first) = first {
                    report.conflicts.push(conflict(&alike[first]));
                    alike = &alike[..first];
                }
            }
            let over = match (self.run, self.on_conflict) {
                (Run::Dry, _) => Over::Look,
                (Run::Real, OnConflict::Replace) => Over::Replace,
                (Run::Real, OnConflict::Keep | OnConflict::Fail) => Over::Keep,
            };
            for (line, outcome) in alike.iter().zip(self.outcomes(alike, over).await?) {
                self.tell(line, outcome, &mut report);
                if report.stopped {
                    break;
                }
            }
            report.stopped |= stopped;
            if report.stopped {
                break;
            }
        }
        Ok(report)
    }

    fn tell(&self, line: &(usize, Saved), outcome: Outcome, report: &mut Report) {
        let refused = |reason: String| Remark { line: line.0, code: line.1.code(), reason };
        if line.1 == Saved::Frame {
            return;
        }
        match outcome {
            Outcome::Put(Put::New) => report.imported += 1,
            Outcome::Put(Put::Same) => report.existing += 1,
            Outcome::Put(Put::Other) if self.replaces(&line.1) => {
                report.replaced += 1;
            }
            Outcome::Put(Put::Other) => {
                report.conflicts.push(conflict(line));
                report.stopped = self.on_conflict == OnConflict::Fail;
            }
            Outcome::Put(Put::Expired) => {
                let why = "is older than clicks.keep_hours or clicks.keep_days keeps figures here";
                report.refused.push(refused(format!("{} {why}", line.1.name())));
            }
            Outcome::Refused(why) => report.refused.push(refused(why.to_string())),
        }
    }

    fn replaces(&self, saved: &Saved) -> bool {
        self.on_conflict == OnConflict::Replace && !matches!(saved, Saved::Journal(_))
    }

    /// What comes of things of one kind, none of which comes twice.
    async fn outcomes(
        &self,
        alike: &[(usize, Saved)],
        over: Over,
    ) -> Result<Vec<Outcome>, StoreError> {
        let store = self.links.store();
        let of = |puts: Vec<Put>| puts.into_iter().map(Outcome::Put).collect();
        match alike.first().map(|(_, saved)| saved) {
            Some(Saved::Total(_)) => {
                let totals = alike.iter().filter_map(|(_, saved)| match saved {
                    Saved::Total(total) => Some(total.clone()),
                    _ => None,
                });
                store.put_totals(&totals.collect::<Vec<_>>(), over).await.map(of)
            }
            Some(Saved::Row(_)) => {
                let rows = alike.iter().filter_map(|(_, saved)| match saved {
                    Saved::Row(row) => Some(row.clone()),
                    _ => None,
                });
                store.put_rows(&rows.collect::<Vec<_>>(), self.keep, over).await.map(of)
            }
            _ => {
                let mut outcomes = Vec::with_capacity(alike.len());
                for (_, saved) in alike {
                    outcomes.push(self.outcome(saved, over).await?);
                }
                Ok(outcomes)
            }
        }
    }

    /// What comes of one of the things of which there are few.
    async fn outcome(&self, saved: &Saved, over: Over) -> Result<Outcome, StoreError> {
        let store = self.links.store();
        let put = match saved {
            Saved::Key(key) => self.put_key(key, over).await?,
            Saved::Note(note) => {
                let there = store.notes().await?.contains(note);
                if !there && over != Over::Look {
                    store.put_note(note).await?;
                }
                if there { Put::Same } else { Put::New }
            }
            Saved::Account(account) => {
                let there = store.accounts().await?;
                let put = compared(there.iter().find(|one| one.node == account.node), account);
                if writes(put, over) {
                    store.put_account(account).await?;
                }
                put
            }
            Saved::Journal(journal) => match journal.clone().into_progress(store.partitions()) {
                Ok((node, progress)) => {
                    let over = if over == Over::Replace { Over::Keep } else { over };
                    store.put_progress(&node, &progress, over).await?
                }
                Err(bad) => return Ok(Outcome::Refused(bad)),
            },
            Saved::Frame | Saved::Total(_) | Saved::Row(_) => Put::Same,
        };
        Ok(Outcome::Put(put))
    }

    /// A key that was revoked here stays so, whatever the backup says.
    async fn put_key(&self, key: &Key, over: Over) -> Result<Put, StoreError> {
        let there = self.links.store().key(&key.id).await?;
        let put = compared(there.as_ref(), key);
        if writes(put, over) {
            let revoked_at = there.and_then(|there| there.revoked_at).or(key.revoked_at);
            self.links.put_key(&Key { revoked_at, ..key.clone() }).await?;
        }
        Ok(put)
    }
}

/// Stretches of one kind, in which nothing comes twice.
fn batches(lines: &[(usize, Saved)]) -> impl Iterator<Item = &[(usize, Saved)]> {
    let mut rest = lines;
    std::iter::from_fn(move || {
        let (_, first) = rest.first()?;
        let kind = std::mem::discriminant(first);
        let mut seen = HashSet::new();
        let alike = |saved: &Saved| std::mem::discriminant(saved) == kind;
        let end = rest.iter().position(|(_, saved)| !alike(saved) || !seen.insert(saved.name()));
        let (batch, more) = rest.split_at(end.unwrap_or(rest.len()));
        rest = more;
        Some(batch)
    })
}

fn compared<T: PartialEq>(there: Option<&T>, new: &T) -> Put {
    match there {
        None => Put::New,
        Some(there) if there == new => Put::Same,
        Some(_) => Put::Other,
    }
}

fn writes(put: Put, over: Over) -> bool {
    match over {
        Over::Look => false,
        Over::Keep => put == Put::New,
        Over::Replace => matches!(put, Put::New | Put::Other),
    }
}

fn conflict((line, saved): &(usize, Saved)) -> Remark {
    let reason = match saved {
        Saved::Journal(_) => format!(
            "{} is counted up to another place here, which stays; restore into an empty service",
            saved.name()
        ),
        _ => format!("{} is there, and says something else", saved.name()),
    };
    Remark { line: *line, code: saved.code(), reason }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::service::click::tests::{cached, embedded};
    use crate::store::{Lane, NodeId, Position, Progress};

    #[tokio::test]
    async fn positions_of_a_journal_that_is_counted_here_stay_whatever_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let store = embedded(folder.path()).await;
        let node = NodeId("0123456789abcdef".into());
        let stands =
            |at| vec![Progress { lanes: BTreeMap::from([(Lane(0), Position(at))]), counted: 4 }];
        let links = cached(&store);
        let (on_conflict, run) = (OnConflict::Replace, Run::Real);
        let restore = Restore { links: &links, keep: Keep::default(), on_conflict, run };
        let line = |at| (1, Saved::Journal(JournalLine::of(node.clone(), &stands(at))));
        assert_eq!(restore.put(&[line(9)]).await.unwrap().imported, 1);
        assert_eq!(restore.put(&[line(9)]).await.unwrap().existing, 1);
        let report = restore.put(&[line(5)]).await.unwrap();
        assert_eq!((report.replaced, report.conflicts.len()), (0, 1));
        assert_eq!(store.progress(&node).await.unwrap(), stands(9));
    }
}
