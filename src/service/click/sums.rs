//! What a stretch of the journal adds to the tallies: summed up by link first, then dealt out to
//! everything that the link's clicks count for.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

use crate::model::click::{Click, Visit};
use crate::model::code::Code;
use crate::model::link::Link;
use crate::model::tally::{Cell, Count, Day, Dimension, Quarter, Row, Subject, name};
use crate::store::{Batch, Partitions, Store};

/// The partitions that have not counted a click yet, a bit each. Nearly always all of them: they
/// stand at different places only after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

/// Clicks of one link that are summed up together.
const TOGETHER: usize = 8;

/// The clicks on one link: the latest as they came, those before them summed up. What sums consist of
/// lies scattered in memory, so that getting there takes longer than adding: some clicks go there
/// together.
#[derive(Default)]
struct Clicked {
    latest: Vec<(Quarter, Visit)>,
    days: Days,
}

impl Clicked {
    fn once(quarter: Quarter, visit: Visit) -> Self {
        Self { latest: vec![(quarter, visit)], days: Days::new() }
    }

    fn again(&mut self, quarter: Quarter, visit: Visit) {
        if self.latest.len() == TOGETHER {
            self.sum_up();
        }
        self.latest.push((quarter, visit));
    }

    fn sum_up(&mut self) {
        for (quarter, visit) in self.latest.drain(..) {
            add_to(&mut self.days, quarter, &visit);
        }
    }

    fn into_days(mut self) -> Days {
        self.sum_up();
        self.days
    }
}

/// Sums in the making.
#[derive(Default)]
pub(super) struct Sums {
    links: BTreeMap<Due, HashMap<Box<str>, Clicked>>,
    orphans: BTreeMap<Due, Days>,
}

impl Sums {
    /// Adds a click on a link.
    pub(super) fn add(&mut self, click: &Click<'_>, visit: Visit, due: Due) {
        let links = self.links.entry(due).or_default();
        let quarter = Quarter::of(click.at());
        match links.get_mut(click.code) {
            Some(clicked) => clicked.again(quarter, visit),
            None => drop(links.insert(click.code.into(), Clicked::once(quarter, visit))),
        }
    }

    /// Adds a request for an unknown code.
    pub(super) fn add_orphan(&mut self, click: &Click<'_>, visit: &Visit, due: Due) {
        let days = self.orphans.entry(due).or_default();
        let cell = add_to(days, Quarter::of(click.at()), visit);
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
            for (code, clicked) in clicked {
                let Ok(code) = Code::parse(&code) else { continue };
                let days = clicked.into_days();
                for subject in subjects_of(links.get(&code)) {
                    add_days(batches, store, due, &subject, &days);
                }
                put_link(batches, store, due, code, days);
            }
        }
        for (due, days) in self.orphans {
            add_days(batches, store, due, &Subject::Orphans, &days);
        }
    }
}

fn add_to<'a>(days: &'a mut Days, quarter: Quarter, visit: &Visit) -> &'a mut Cell {
    let cell = days.entry(quarter.day()).or_default().cell(quarter.of_day());
    cell.add(visit);
    cell.bound();
    cell
}

/// Everything that a click on this link counts for, beside the link.
fn subjects_of(link: Option<&Link>) -> Vec<Subject> {
    let mut subjects = vec![Subject::Site];
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
    for (day, row) in days {
        add_row(batches[partition].rows.entry((*day, subject.clone())).or_default(), row);
    }
}

fn add_row(sum: &mut Row, row: &Row) {
    for (quarter, cell) in row.cells() {
        let sum = sum.cell(quarter);
        sum.merge(cell);
        sum.bound();
    }
}

/// Adds what the link itself is to have. Its clicks are counted by its partition.
fn put_link(batches: &mut [Batch], store: &Store, due: Due, code: Code, days: Days) {
    let subject = Subject::Link(code);
    let partition = store.partition_of(&subject.name());
    if !due.holds(partition) {
        return;
    }
    let batch = &mut batches[partition];
    for (day, row) in days {
        batch.clicks += row.cells().map(|(_, cell)| cell.count.clicks()).sum::<u64>();
        match batch.rows.entry((day, subject.clone())) {
            // Nearly always: a link comes up again only where partitions stand at different places.
            Entry::Vacant(place) => drop(place.insert(row)),
            Entry::Occupied(mut sum) => add_row(sum.get_mut(), &row),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::model::click::{Source, Who};
    use crate::model::tally::Name;
    use crate::store::embedded::Embedded;

    const NOON: i64 = 1_795_435_200_000;
    const CODES: [&str; 2] = ["abc", "def"];

    /// A click on one of the codes within a day and a half, and what it turned out to be.
    fn some_click() -> impl Strategy<Value = (Click<'static>, Visit)> {
        let names = vec("[a-e]", 5).prop_map(|names| names.into_iter().map(Name::from));
        let who = prop_oneof![
            (0u64..9).prop_map(|n| Who::Person(Some(n << 50))),
            Just(Who::Person(None)),
            Just(Who::Bot("monitor/x".into())),
        ];
        (0..CODES.len(), 0..150i64, who, names).prop_map(|(code, quarter, who, mut names)| {
            let at_ms = NOON + quarter * 900_000;
            let click = Click { at_ms, code: CODES[code], source: Source::default() };
            let mut name = || names.next().unwrap();
            let visit = Visit {
                who,
                referrer: name(),
                country: name(),
                browser: name(),
                platform: name(),
                device: name(),
            };
            (click, visit)
        })
    }

    fn by_hand(clicks: &[(Click<'_>, Visit)], subject: &dyn Fn(&str) -> Subject) -> Batch {
        let mut batch = Batch::default();
        for (click, visit) in clicks {
            let quarter = Quarter::of(click.at());
            let row = batch.rows.entry((quarter.day(), subject(click.code))).or_default();
            row.cell(quarter.of_day()).add(visit);
        }
        batch
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// However many came together, and also where partitions stood at different places.
        #[test]
        fn a_round_adds_what_its_clicks_add_one_by_one(
            clicks in vec((some_click(), any::<bool>()), 0..80)
        ) {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::Embedded(Embedded::open(folder.path(), 1 << 20).unwrap());
            let mut sums = Sums::default();
            for ((click, visit), everywhere) in &clicks {
                let due = if *everywhere { Due::ALL } else { Due::of(1, |_| true) };
                sums.add(click, visit.clone(), due);
            }
            let mut batches = [Batch::default()];
            sums.deal(&HashMap::new(), &store, &mut batches);
            let clicks: Vec<_> = clicks.into_iter().map(|(click, _)| click).collect();
            let mut expected = by_hand(&clicks, &|code| Subject::Link(Code::parse(code).unwrap()));
            expected.rows.extend(by_hand(&clicks, &|_| Subject::Site).rows);
            prop_assert_eq!(batches[0].clicks, clicks.len() as u64);
            prop_assert_eq!(&batches[0].rows, &expected.rows);
        }
    }
}
