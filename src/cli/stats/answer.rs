//! What the service says, as far as it is printed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;

use super::question::By;

/// A moment, to the minute: strftime.
const MOMENT: &str = "%Y-%m-%d %H:%M";

/// The titles of breakdowns, in the order in which they are shown.
const TITLES: [(&str, &str); 8] = [
    ("codes", "Codes"),
    ("hits", "Codes and where they stand"),
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
    pub(super) breakdowns: BTreeMap<String, Vec<Share>>,
    pub(super) previous: Option<Previous>,
}

/// Figures of links.
#[derive(Debug, Deserialize)]
pub(super) struct Report {
    #[serde(flatten)]
    pub(super) stats: Stats,
    /// The links that were counted, when they are few.
    #[serde(default)]
    pub(super) codes: Vec<String>,
    /// What they brought along from another shortener.
    pub(super) imported: Option<Imported>,
}

/// Clicks that another shortener counted.
#[derive(Debug, Deserialize)]
pub(super) struct Imported {
    pub(super) clicks: u64,
    pub(super) at: String,
}

/// Figures of codes that lead nowhere.
#[derive(Debug, Deserialize)]
struct Orphans {
    #[serde(flatten)]
    stats: Stats,
    codes: Vec<Share>,
    hits: Vec<Hit>,
}

/// Unknown codes, and where they were followed.
#[derive(Debug, Deserialize)]
pub(super) struct Hits {
    pub(super) hits: Vec<Hit>,
}

/// An unknown code, and where it was followed.
#[derive(Debug, Deserialize)]
pub(super) struct Hit {
    pub(super) code: String,
    pub(super) referrer: String,
    pub(super) clicks: u64,
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

impl Report {
    /// Reads the answer about codes that lead nowhere: the codes are breakdowns as well.
    ///
    /// # Errors
    /// When it is another answer.
    pub(super) fn of_orphans(answer: &Value) -> serde_json::Result<Self> {
        let Orphans { mut stats, codes, hits } = Orphans::deserialize(answer)?;
        let hits = hits.into_iter().map(|Hit { code, referrer, clicks }| {
            // What is in no other row has neither.
            let id = if code == referrer { code } else { format!("{code} ← {referrer}") };
            Share { id, clicks }
        });
        stats.breakdowns.insert("hits".into(), hits.collect());
        stats.breakdowns.insert("codes".into(), codes);
        Ok(Self { stats, codes: vec![], imported: None })
    }
}

impl Stats {
    /// That part of a period's start which tells it from others.
    pub(super) fn label(&self, start: &str) -> String {
        let form = match self.by {
            By::Hour => MOMENT,
            By::Day | By::Week => "%Y-%m-%d",
            By::Month => "%Y-%m",
        };
        civil(start, &zone(&self.tz), form)
    }

    /// The breakdowns that have rows, each with its title.
    pub(super) fn breakdowns(&self) -> Vec<(&'static str, &[Share])> {
        let all = TITLES.iter().map(|(name, title)| {
            let rows = self.breakdowns.get(*name).map(Vec::as_slice).unwrap_or_default();
            (*title, rows)
        });
        all.filter(|(_, rows)| !rows.is_empty()).collect()
    }
}

/// A moment of the API on the clock of the zone `tz`.
pub(super) fn moment(time: &str, tz: &str) -> String {
    civil(time, &zone(tz), MOMENT)
}

/// The zone of this name; UTC where this machine does not know it.
fn zone(tz: &str) -> TimeZone {
    TimeZone::get(tz).unwrap_or(TimeZone::UTC)
}

/// A moment of the API on a zone's clock; as it is when it can't be read.
fn civil(time: &str, zone: &TimeZone, form: &str) -> String {
    match time.parse::<Timestamp>() {
        Ok(moment) => moment.to_zoned(zone.clone()).strftime(form).to_string(),
        Err(_) => time.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::page::example;
    use super::*;

    #[test]
    fn a_period_is_named_by_what_tells_it_from_others_on_its_own_clock() {
        let mut stats = example().stats;
        stats.tz = "Europe/Prague".into();
        let labels = [By::Hour, By::Day, By::Week, By::Month].map(|by| {
            stats.by = by;
            stats.label("2026-11-22T23:00:00Z")
        });
        assert_eq!(labels, ["2026-11-23 00:00", "2026-11-23", "2026-11-23", "2026-11"]);
        assert_eq!(stats.label("some day"), "some day");
    }

    #[test]
    fn breakdowns_come_in_a_known_order_and_empty_ones_not_at_all() {
        let mut stats = example().stats;
        let row = vec![Share { id: "x".into(), clicks: 1 }];
        stats.breakdowns =
            ["browsers", "referrers"].map(|name| (name.to_owned(), row.clone())).into();
        stats.breakdowns.insert("devices".into(), vec![]);
        let titles: Vec<&str> = stats.breakdowns().into_iter().map(|(title, _)| title).collect();
        assert_eq!(titles, ["Referrers", "Browsers"]);
    }

    #[test]
    fn orphans_are_told_with_the_sites_that_lead_to_them() {
        let figures = json!({ "clicks": 3, "people": 3, "bots": 0, "visitors": 2 });
        let answer = json!({
            "from": "2026-11-22T00:00:00Z", "to": "2026-11-23T00:00:00Z", "by": "day", "tz": "UTC",
            "total": figures, "series": [],
            "breakdowns": { "referrers": [{ "id": "direct", "clicks": 3 }] },
            "codes": [{ "id": "8yDbrb", "clicks": 3 }],
            "hits": [{ "code": "8yDbrb", "referrer": "direct", "clicks": 2 },
                     { "code": "other", "referrer": "other", "clicks": 1 }],
        });
        let report = Report::of_orphans(&answer).unwrap();
        let told: Vec<(&str, Vec<&str>)> = report
            .stats
            .breakdowns()
            .into_iter()
            .map(|(title, rows)| (title, rows.iter().map(|row| row.id.as_str()).collect()))
            .collect();
        let expected = [
            ("Codes", vec!["8yDbrb"]),
            ("Codes and where they stand", vec!["8yDbrb ← direct", "other"]),
            ("Referrers", vec!["direct"]),
        ];
        assert_eq!(told, expected);
    }
}
