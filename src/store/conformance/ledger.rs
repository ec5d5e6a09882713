//! What a store should hold, summed up in memory, and the clicks to fill both with.

use std::collections::BTreeMap;

use super::code;
use crate::model::click::{Visit, Who};
use crate::model::key::KeyId;
use crate::model::link::Tag;
use crate::model::tally::{
    Breakdown, Cell, Count, Day, Dimension, Figures, Quarter, Row, Subject, Visitors, name,
};
use crate::store::{
    Applied, Ask, Batch, DayFigures, DayRow, Keep, Lane, Move, NodeId, Partitions, Position, Store,
    Tallies,
};

/// A small sequence of pseudo-random numbers (Knuth's MMIX), the same at every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `below`.
    pub(crate) fn below(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    /// Somebody, with something.
    pub(crate) fn visit(&mut self) -> Visit {
        let who = match self.below(4) {
            0 => Who::Bot(name(&format!("preview/bot{}", self.below(5)))),
            1 => Who::Person(None),
            _ => {
                let hash = self.below(400).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                Who::Person(Some(hash ^ hash >> 29))
            }
        };
        Visit {
            who,
            referrer: name(&format!("www{}.example.org", self.below(30))),
            country: name(["FR", "DE", "unknown"][self.below(3) as usize]),
            browser: name(["Firefox", "Safari"][self.below(2) as usize]),
            platform: name(["Android", "iOS", "Linux"][self.below(3) as usize]),
            device: name(["phone", "desktop"][self.below(2) as usize]),
        }
    }
}

pub(crate) fn node(text: &str) -> NodeId {
    NodeId(format!("{text:0>16}"))
}

pub(crate) fn step(lane: u16, from: u64, to: u64) -> Move {
    Move { lane: Lane(lane), from: Position(from), to: Position(to) }
}

pub(crate) fn link_of(text: &str) -> Subject {
    Subject::Link(code(text))
}

/// So many people without names, on a link in a quarter.
pub(crate) fn people(people: u64) -> Cell {
    Cell { count: Count { people, bots: 0 }, ..Cell::default() }
}

/// A batch of so many people on each link in a quarter since 1970.
pub(crate) fn batch(moves: Vec<Move>, clicks: &[(&str, u32, u64)]) -> Batch {
    let mut batch = Batch { moves, ..Batch::default() };
    for (text, quarter, n) in clicks {
        let quarter = Quarter(*quarter);
        let row = batch.rows.entry((quarter.day(), link_of(text))).or_default();
        row.cell(quarter.of_day()).merge(&people(*n));
        batch.clicks += n;
    }
    batch
}

/// So many codes that are counted in this partition.
pub(crate) fn codes_of(store: &Store, partition: usize, count: usize) -> Vec<String> {
    let codes = (0..).map(|n| format!("c{n}"));
    codes.filter(|code| store.partition_of(code) == partition).take(count).collect()
}

/// The same sums as in the store: the quarters of each subject's days.
#[derive(Default)]
pub(crate) struct Ledger(pub(crate) BTreeMap<(Day, Subject), Row>);

impl Ledger {
    /// Enters a click for everything it counts for.
    pub(crate) fn click(&mut self, subjects: &[Subject], quarter: Quarter, visit: &Visit) {
        for subject in subjects {
            let row = self.0.entry((quarter.day(), subject.clone())).or_default();
            let cell = row.cell(quarter.of_day());
            cell.add(visit);
            if *subject == Subject::Orphans {
                let count = Count { people: 1, bots: 0 };
                cell.breakdown.of_mut(Dimension::Code).add(&name("nowhere"), count);
            }
        }
    }

    /// Enters a random click: on one of so many links, or on a code that leads nowhere.
    pub(crate) fn random_click(&mut self, random: &mut Random, links: u64, quarters: [u32; 2]) {
        let visit = random.visit();
        let quarter = Quarter(quarters[0] + random.below(u64::from(quarters[1])) as u32);
        if random.below(10) == 0 {
            return self.click(&[Subject::Orphans], quarter, &visit);
        }
        let link = random.below(links);
        let tag = Tag::parse(&format!("tag{}", link % 3)).unwrap();
        let key = KeyId::parse(["abcdefgh", "ijklmnop"][link as usize % 2]).unwrap();
        let link = link_of(&format!("code{link}"));
        self.click(&[link, Subject::Tag(tag), Subject::Key(key), Subject::Site], quarter, &visit);
    }

    /// Adds another.
    pub(crate) fn merge(&mut self, more: &Self) {
        for (at, row) in &more.0 {
            self.0.entry(at.clone()).or_default().merge(row);
        }
    }

    /// A batch for each partition, without moves.
    pub(crate) fn deal(&self, store: &Store) -> BTreeMap<usize, Batch> {
        let mut batches = BTreeMap::<usize, Batch>::new();
        for ((day, subject), row) in &self.0 {
            let batch = batches.entry(store.partition_of(&subject.name())).or_default();
            if matches!(subject, Subject::Link(_)) {
                batch.clicks += sum(row).count.clicks();
            }
            batch.rows.insert((*day, subject.clone()), row.clone());
        }
        batches
    }

    /// Applies all of it for a node whose only lane stands at `from` in every partition.
    pub(crate) async fn apply(&self, store: &Store, node: &NodeId, from: u64) {
        for partition in 0..store.partitions() {
            let mut batch = self.deal(store).remove(&partition).unwrap_or_default();
            batch.moves = vec![step(0, from, from + 1)];
            let applied = store.apply(node, partition, &batch).await.unwrap();
            assert_eq!(applied, Applied::Done);
        }
    }

    /// The days of a subject.
    pub(crate) fn days_of(&self, subject: &Subject) -> impl Iterator<Item = (Day, &Row)> {
        self.0.iter().filter(move |((_, of), _)| of == subject).map(|((day, _), row)| (*day, row))
    }

    /// All subjects.
    pub(crate) fn subjects(&self) -> Vec<Subject> {
        let mut subjects: Vec<_> = self.0.keys().map(|(_, subject)| subject.clone()).collect();
        subjects.sort();
        subjects.dedup();
        subjects
    }

    /// What is to be told of a subject.
    pub(crate) fn answer(&self, subject: &Subject, asks: &[Ask]) -> Vec<(Day, DayRow)> {
        let find = |ask: &Ask| {
            let row = self.0.get(&(ask.day, subject.clone()))?;
            let mut whole = sum(row);
            if !ask.sketch && whole.visitors != Visitors::default() {
                whole.close_day();
            }
            let mut quarters = if ask.quarters { row.clone().into_cells() } else { vec![] };
            if !ask.names {
                quarters.iter_mut().for_each(|(_, cell)| cell.breakdown = Breakdown::default());
            }
            Some((ask.day, DayRow { whole, quarters }))
        };
        asks.iter().filter_map(find).collect()
    }

    /// What is to be told of the links of a day.
    pub(crate) fn links_on(
        &self,
        day: Day,
        quarters: bool,
    ) -> Vec<(crate::model::code::Code, DayFigures)> {
        let links = self.0.iter().filter_map(|((on, subject), row)| match subject {
            Subject::Link(code) if *on == day => Some((code.clone(), row)),
            _ => None,
        });
        let figures = |row: &Row| DayFigures {
            whole: sum(row).figures(),
            quarters: match quarters {
                true => row.cells().map(|(slot, cell)| (slot, cell.figures())).collect(),
                false => vec![],
            },
        };
        links.map(|(code, row)| (code, figures(row))).collect()
    }

    /// All clicks on a link, ever.
    pub(crate) fn total(&self, text: &str) -> Count {
        let mut total = Count::default();
        self.days_of(&link_of(text)).for_each(|(_, row)| total += sum(row).count);
        total
    }
}

/// All quarters of a day together.
pub(crate) fn sum(row: &Row) -> Cell {
    let mut whole = Cell::default();
    row.cells().for_each(|(_, cell)| whole.merge(cell));
    whole
}

/// Asks for all there is of some days.
pub(crate) fn all_of(days: impl IntoIterator<Item = Day>) -> Vec<Ask> {
    let all = |day| Ask { day, quarters: true, names: true, sketch: true };
    days.into_iter().map(all).collect()
}

/// The clicks of days.
pub(crate) fn clicks(days: &[(Day, DayRow)]) -> u64 {
    days.iter().map(|(_, row)| row.whole.count.clicks()).sum()
}

/// Whether the quarters that are told add up to the day.
pub(crate) fn adds_up(whole: Figures, quarters: impl Iterator<Item = Count>) -> bool {
    let mut sum = Count::default();
    quarters.for_each(|count| sum += count);
    sum == whole.count
}

/// Rows that are kept for so many days after their own.
pub(crate) fn keep(hours: u32, days: u32) -> Keep {
    Keep { hours: Some(hours), days: Some(days) }
}
