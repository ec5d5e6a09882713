//! What an import comes to.

use std::collections::HashMap;

use super::lines::Row;
use super::read::Refused;
use super::{OnConflict, Remark, Report};
use crate::model::code::Code;
use crate::model::link::{Link, Standing};

/// What an import comes to, once it is known what stands under each code.
#[derive(Default)]
pub(super) struct Settled<'a> {
    pub(super) report: Report,
    /// What stands under each code that was come across so far.
    stands: HashMap<&'a Code, &'a Link>,
    /// What is to be put in whose place.
    changes: HashMap<Code, (Link, Link)>,
}

impl<'a> Settled<'a> {
    /// Goes through the lines in order. `there` is what stood under each link's code.
    pub(super) fn of(
        rows: &'a [(usize, Row)],
        links: &'a [Link],
        there: &'a [Option<Link>],
        on_conflict: OnConflict,
    ) -> Self {
        let mut settled = Self::default();
        for (line, row) in rows {
            match row {
                Row::Refused(Refused { code, why }) => {
                    let (code, reason) = (code.clone(), why.to_string());
                    settled.report.refused.push(Remark { line: *line, code, reason });
                }
                Row::First(at, whole) => {
                    let link = &links[*at];
                    settled.stands.insert(&link.code, there[*at].as_ref().unwrap_or(link));
                    match &there[*at] {
                        None => settled.report.imported += 1,
                        Some(stands) => settled.meet(*line, (link, *whole), stands, on_conflict),
                    }
                }
                Row::Again(read) => {
                    if let Some(stands) = settled.stands.get(&read.link.code).copied() {
                        settled.meet(*line, (&read.link, read.whole), stands, on_conflict);
                    }
                }
            }
            if settled.report.stopped {
                break;
            }
        }
        settled
    }

    /// What is told, and which links are to be put in whose place.
    pub(super) fn outcome(self) -> (Report, Vec<(Link, Link)>) {
        (self.report, self.changes.into_values().collect())
    }

    /// A line whose code has a link; and whether it says all there is.
    fn meet(
        &mut self,
        line: usize,
        (link, whole): (&'a Link, bool),
        stands: &'a Link,
        on_conflict: OnConflict,
    ) {
        if is_said_by(link, whole, stands) {
            self.report.existing += 1;
            return;
        }
        if on_conflict == OnConflict::Replace && stands.standing != Standing::Deleted {
            self.stands.insert(&link.code, link);
            let mut new = link.clone();
            if !whole {
                // Its clicks here are older than the line knows.
                new.created_at = new.created_at.min(stands.created_at);
            }
            let change = self.changes.entry(link.code.clone());
            change.or_insert_with(|| (stands.clone(), link.clone())).1 = new;
            self.report.replaced += 1;
            return;
        }
        let code = Some(link.code.to_string());
        self.report.conflicts.push(Remark { line, code, reason: conflict(stands, link) });
        self.report.stopped = on_conflict == OnConflict::Fail;
    }
}

/// Whether what stands there is what a line says: all of it, or, of a line that does not say the
/// whole, where readers of the code come to. A deleted link is another one than it was.
fn is_said_by(link: &Link, whole: bool, stands: &Link) -> bool {
    if whole {
        return stands == link;
    }
    let deleted = |link: &Link| link.standing == Standing::Deleted;
    stands.target == link.target
        && link.host_is_served_by(stands)
        && deleted(stands) == deleted(link)
}

fn conflict(stands: &Link, link: &Link) -> String {
    match stands.standing {
        Standing::Deleted => "the code belonged to a link that was deleted here".to_owned(),
        _ if stands.target == link.target => match &stands.host {
            Some(host) if link.host.as_ref() != Some(host) => {
                format!("the code is known on {host} alone")
            }
            _ => "the link is another one by now, though it leads to the same target".to_owned(),
        },
        _ => format!("the code leads to {}", stands.target),
    }
}
