//! What the service says, as far as it is printed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::question::By;

/// The name of the row that holds what is in no other row of a breakdown.
const OTHER: &str = "other";

/// The titles of breakdowns, in the order in which they are shown; others follow by their names.
const TITLES: [(&str, &str); 6] = [
    ("referrers", "Referrers"),
    ("countries", "Countries"),
    ("browsers", "Browsers"),
    ("platforms", "Platforms"),
    ("devices", "Devices"),
    ("bot_families", "Bots"),
];

/// Figures over a window.
#[derive(Debug, Deserialize)]
pub(super) struct Stats {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) by: By,
    pub(super) tz: String,
    pub(super) total: Figures,
    pub(super) series: Vec<Period>,
    #[serde(default)]
    pub(super) breakdowns: BTreeMap<String, Vec<Share>>,
    pub(super) previous: Option<Previous>,
    /// The links that were counted, when they are few.
    pub(super) codes: Option<Vec<String>>,
}

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Figures {
    pub(super) clicks: u64,
    pub(super) people: u64,
    pub(super) bots: u64,
    pub(super) visitors: u64,
}

/// A row of the series.
#[derive(Debug, Deserialize)]
pub(super) struct Period {
    pub(super) start: String,
    #[serde(flatten)]
    pub(super) figures: Figures,
}

/// A row of a breakdown.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Share {
    pub(super) id: String,
    pub(super) clicks: u64,
}

/// The window before.
#[derive(Debug, Deserialize)]
pub(super) struct Previous {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) total: Figures,
}

/// A ranking.
#[derive(Debug, Deserialize)]
pub(super) struct Top {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) items: Vec<Ranked>,
}

/// A link of a ranking.
#[derive(Debug, Deserialize)]
pub(super) struct Ranked {
    pub(super) code: String,
    pub(super) target: String,
    #[serde(flatten)]
    pub(super) figures: Figures,
}

impl Figures {
    /// The names of the figures, in the order of [`Figures::numbers`].
    pub(super) const NAMES: [&'static str; 4] = ["clicks", "people", "bots", "visitors"];

    /// The figures in the order in which they are told everywhere.
    pub(super) fn numbers(self) -> [u64; 4] {
        [self.clicks, self.people, self.bots, self.visitors]
    }
}

impl Stats {
    /// The zone whose days these are; UTC where this machine does not know it.
    fn zone(&self) -> TimeZone {
        TimeZone::get(&self.tz).unwrap_or(TimeZone::UTC)
    }

    /// That part of a period's start which tells it from others.
    pub(super) fn label(&self, start: &str) -> String {
        let form = match self.by {
            By::Hour => "%Y-%m-%d %H:%M",
            By::Day | By::Week => "%Y-%m-%d",
            By::Month => "%Y-%m",
        };
        civil(start, &self.zone(), form)
    }

    /// A moment on the zone's clock.
    pub(super) fn moment(&self, time: &str) -> String {
        civil(time, &self.zone(), "%Y-%m-%d %H:%M")
    }

    /// The breakdowns that have rows, each with its title, with at most `most` rows and what is
    /// beyond them.
    pub(super) fn breakdowns(&self, most: usize) -> Vec<(String, Vec<Share>)> {
        let known = TITLES.iter().map(|(name, title)| (*name, (*title).to_owned()));
        let is_known = |name: &str| TITLES.iter().any(|(known, _)| *known == name);
        let more = self.breakdowns.keys().map(String::as_str).filter(|name| !is_known(name));
        let more = more.map(|name| (name, capitalised(name)));
        let shares = known.chain(more).filter_map(|(name, title)| {
            let rows = self.breakdowns.get(name).filter(|rows| !rows.is_empty())?;
            Some((title, bounded(rows, most)))
        });
        shares.collect()
    }
}

/// A moment of the API on a zone's clock; as it is when it can't be read.
fn civil(time: &str, zone: &TimeZone, form: &str) -> String {
    match time.parse::<Timestamp>() {
        Ok(moment) => moment.to_zoned(zone.clone()).strftime(form).to_string(),
        Err(_) => time.to_owned(),
    }
}

/// The first `most` rows, and the others in one: together as many clicks as all of them.
fn bounded(rows: &[Share], most: usize) -> Vec<Share> {
    let (mut named, other): (Vec<Share>, Vec<Share>) =
        rows.iter().cloned().partition(|row| row.id != OTHER);
    let beyond = named.split_off(named.len().min(most));
    let rest = other.iter().chain(&beyond).map(|row| row.clicks).sum();
    if rest > 0 {
        named.push(Share { id: OTHER.into(), clicks: rest });
    }
    named
}

/// A name of the API as a title: `code_referrers` is "Code referrers".
fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).map(|c| if c == '_' { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::page::example;
    use super::*;

    #[test]
    fn a_period_is_named_by_what_tells_it_from_others_on_its_own_clock() {
        let mut stats = example();
        stats.tz = "Europe/Prague".into();
        let labels = [By::Hour, By::Day, By::Week, By::Month].map(|by| {
            stats.by = by;
            stats.label("2026-11-22T23:00:00Z")
        });
        assert_eq!(labels, ["2026-11-23 00:00", "2026-11-23", "2026-11-23", "2026-11"]);
        assert_eq!(stats.label("some day"), "some day");
    }

    #[test]
    fn breakdowns_come_in_a_known_order_and_unknown_ones_after_them() {
        let mut stats = example();
        let row = vec![Share { id: "x".into(), clicks: 1 }];
        stats.breakdowns = ["code_referrers", "browsers", "referrers", "codes"]
            .map(|name| (name.to_owned(), row.clone()))
            .into();
        stats.breakdowns.insert("devices".into(), vec![]);
        let titles: Vec<String> = stats.breakdowns(5).into_iter().map(|(title, _)| title).collect();
        assert_eq!(titles, ["Referrers", "Browsers", "Code referrers", "Codes"]);
    }

    proptest! {
        #[test]
        fn a_bounded_breakdown_has_as_many_clicks(
            counts in proptest::collection::vec((0..30u8, 0..1_000u64), 0..40),
            most in 1..20usize,
        ) {
            let id = |n: u8| if n == 0 { OTHER.to_owned() } else { n.to_string() };
            let rows: Vec<Share> =
                counts.iter().map(|(n, clicks)| Share { id: id(*n), clicks: *clicks }).collect();
            let shown = bounded(&rows, most);
            let sum = |rows: &[Share]| rows.iter().map(|row| row.clicks).sum::<u64>();
            prop_assert_eq!(sum(&shown), sum(&rows));
            prop_assert!(shown.len() <= most + 1);
        }
    }
}
