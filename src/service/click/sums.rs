//! What a stretch of the journal adds to the tallies: summed up by link first, then dealt out to
//! everything that the link's clicks count for.

use std::collections::{BTreeMap, HashMap};

use crate::model::click::{Click, Visit};
use crate::model::code::Code;
use crate::model::link::Link;
use crate::model::tally::{Cell, Count, Day, Dimension, Quarter, Row, Subject, name};
use crate::store::{Batch, Partitions, Store};

/// The partitions that have not counted a click yet, a bit each. Nearly always all of them: they
/// stand at different places only after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Due(u64);

impl Due {
    /// All partitions.
    pub(super) const ALL: Self = Self(u64::MAX);

    /// Those for which `is_due` holds, of at most 64.
    pub(super) fn of(partitions: usize, is_due: impl Fn(usize) -> bool) -> Self {
        let due = (0..partitions).filter(|partition| is_due(*partition));
        Self(due.fold(0, |due, partition| due | 1 << partition))
    }

    fn holds(self, partition: usize) -> bool {
        self.0 & 1 << partition != 0
    }
}

/// Rows by day.
type Days = BTreeMap<Day, Row>;

/// Sums in the making.
#[derive(Default)]
pub(super) struct Sums {
    links: HashMap<Due, HashMap<Box<str>, Days>>,
    orphans: HashMap<Due, Days>,
}

impl Sums {
    /// Adds a click on a link.
    pub(super) fn add(&mut self, click: &Click<'_>, visit: &Visit, due: Due) {
        let links = self.links.entry(due).or_default();
        if !links.contains_key(click.code) {
            links.insert(click.code.into(), Days::new());
        }
        if let Some(days) = links.get_mut(click.code) {
            add_to(days, click, visit);
        }
    }

    /// Adds a request for an unknown code.
    pub(super) fn add_orphan(&mut self, click: &Click<'_>, visit: &Visit, due: Due) {
        let days = self.orphans.entry(due).or_default();
        let cell = add_to(days, click, visit);
        let count = match visit.is_bot() {
            true => Count { people: 0, bots: 1 },
            false => Count { people: 1, bots: 0 },
        };
        let both = name(&format!("{} {}", click.code, visit.referrer));
        cell.breakdown.of_mut(Dimension::Code).add(&name(click.code), count);
        cell.breakdown.of_mut(Dimension::CodeAndReferrer).add(&both, count);
    }

    /// How many links were clicked, of those that are looked at apart.
    pub(super) fn links(&self) -> usize {
        self.links.values().map(HashMap::len).sum()
    }

    /// The links that were clicked. What is in the journal was a code when it was followed.
    pub(super) fn codes(&self) -> Vec<Code> {
        let codes = self.links.values().flat_map(HashMap::keys);
        let mut codes: Vec<Code> = codes.filter_map(|code| Code::parse(code).ok()).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    /// Adds all of it to the partitions' batches; `links` are those of [`Sums::codes`], as far as
    /// they are still known.
    pub(super) fn deal(self, links: &HashMap<Code, Link>, store: &Store, batches: &mut [Batch]) {
        for (due, clicked) in self.links {
            for (code, days) in clicked {
                let Ok(code) = Code::parse(&code) else { continue };
                let link = links.get(&code);
                for subject in subjects_of(code, link) {
                    add_days(batches, store, due, &subject, &days);
                }
            }
        }
        for (due, days) in self.orphans {
            add_days(batches, store, due, &Subject::Orphans, &days);
        }
    }
}

fn add_to<'a>(days: &'a mut Days, click: &Click<'_>, visit: &Visit) -> &'a mut Cell {
    let quarter = Quarter::of(click.at());
    let cell = days.entry(quarter.day()).or_default().cell(quarter.of_day());
    cell.add(visit);
    cell.bound();
    cell
}

/// Everything that a click on this link counts for.
fn subjects_of(code: Code, link: Option<&Link>) -> Vec<Subject> {
    let mut subjects = vec![Subject::Link(code), Subject::Site];
    if let Some(link) = link {
        subjects.push(Subject::Key(link.owner.clone()));
        subjects.extend(link.tags.iter().cloned().map(Subject::Tag));
    }
    subjects
}

fn add_days(batches: &mut [Batch], store: &Store, due: Due, subject: &Subject, days: &Days) {
    let partition = store.partition_of(&subject.name());
    if !due.holds(partition) {
        return;
    }
    let batch = &mut batches[partition];
    for (day, row) in days {
        if matches!(subject, Subject::Link(_)) {
            batch.clicks += row.cells().map(|(_, cell)| cell.count.clicks()).sum::<u64>();
        }
        let sum = batch.rows.entry((*day, subject.clone())).or_default();
        for (quarter, cell) in row.cells() {
            let sum = sum.cell(quarter);
            sum.merge(cell);
            sum.bound();
        }
    }
}
