//! What was counted within a stretch of time, and how two such counts add up.

use std::ops::AddAssign;

use super::breakdown::{Breakdown, Count, Dimension};
use super::row::DAY_ROWS;
use super::sketch::Sketch;
use crate::model::click::{Visit, Who};

/// What was counted: of clicks how many, and people apart from bots.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cell {
    /// Clicks.
    pub count: Count,
    /// The people.
    pub visitors: Visitors,
    /// With what and from where.
    pub breakdown: Breakdown,
}

/// The different people behind the clicks of one stretch of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visitors {
    /// Who they were, so far as can be said without remembering them: adding is a union.
    Sketch(Sketch),
    /// How many they were: adding is a sum. Right across UTC days, since nobody can be recognised
    /// on another day.
    Number(u64),
}

impl Default for Visitors {
    fn default() -> Self {
        Self::Sketch(Sketch::default())
    }
}

impl Visitors {
    /// How many, about.
    #[must_use]
    pub fn number(&self) -> u64 {
        match self {
            Self::Sketch(sketch) => sketch.estimate(),
            Self::Number(number) => *number,
        }
    }

    fn merge(&mut self, more: &Self) {
        match (&mut *self, more) {
            (Self::Sketch(sketch), Self::Sketch(more)) => sketch.merge(more),
            _ => *self = Self::Number(self.number().saturating_add(more.number())),
        }
    }
}

/// The figures of a cell, as they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Clicks.
    pub count: Count,
    /// Different people, about; never more than people's clicks.
    pub visitors: u64,
}

impl AddAssign for Figures {
    /// Of different UTC days: nobody is recognised on another day.
    fn add_assign(&mut self, more: Self) {
        self.count += more.count;
        self.visitors = self.visitors.saturating_add(more.visitors);
    }
}

impl Cell {
    /// Adds one click.
    pub fn add(&mut self, visit: &Visit) {
        let count = match &visit.who {
            Who::Person(hash) => {
                if let (Visitors::Sketch(sketch), Some(hash)) = (&mut self.visitors, hash) {
                    sketch.add(*hash);
                }
                Count { people: 1, bots: 0 }
            }
            Who::Bot(family) => {
                let count = Count { people: 0, bots: 1 };
                self.breakdown.of_mut(Dimension::BotFamily).add(family, count);
                count
            }
        };
        self.count += count;
        for (dimension, name) in [
            (Dimension::Referrer, &visit.referrer),
            (Dimension::Country, &visit.country),
            (Dimension::Browser, &visit.browser),
            (Dimension::Platform, &visit.platform),
            (Dimension::Device, &visit.device),
        ] {
            self.breakdown.of_mut(dimension).add(name, count);
        }
    }

    /// Adds another cell. Commutative and associative among cells that have sketches.
    pub fn merge(&mut self, more: &Self) {
        self.count += more.count;
        self.visitors.merge(&more.visitors);
        self.breakdown.merge(&more.breakdown);
    }

    /// Keeps a bounded number of rows of each dimension, so that strangers who send ever new names
    /// fill no memory. What is counted stays exact.
    pub fn bound(&mut self) {
        self.breakdown.bound(DAY_ROWS);
    }

    /// Its figures.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let visitors = self.visitors.number().min(self.count.people);
        Figures { count: self.count, visitors }
    }

    /// Lets go of who the visitors were: what is added from now on belongs to another UTC day.
    #[cfg(test)]
    pub(crate) fn close_day(&mut self) {
        self.visitors = Visitors::Number(self.figures().visitors);
    }
}

#[cfg(test)]
mod tests;
