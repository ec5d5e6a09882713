//! The clicks of a link as bars.

use jiff::Timestamp;

use crate::http::page::{Phrase, Words};
use crate::model::tally::Figures;
use crate::service::stats::{By, Report};

/// The height of a chart, in units of its own.
const HEIGHT: u64 = 1_000;
/// The width of a row, in the same units, and of the bar in it.
const ROW: u64 = 10;
const BAR: u64 = 8;

/// Bars side by side, in units of their own: the page stretches them.
pub(super) struct Chart {
    pub(super) width: u64,
    pub(super) height: u64,
    pub(super) bars: Vec<Bar>,
    /// What each row is.
    pub(super) by: By,
    pub(super) from: String,
    pub(super) to: String,
    /// The most clicks of one row.
    pub(super) most: u64,
}

/// One row: people's clicks below, those of bots on top.
pub(super) struct Bar {
    pub(super) start: String,
    pub(super) people: u64,
    pub(super) bots: u64,
    pub(super) x: u64,
    pub(super) width: u64,
    pub(super) people_y: u64,
    pub(super) people_height: u64,
    pub(super) bots_y: u64,
    pub(super) bots_height: u64,
}

impl Chart {
    /// The chart of a report; none, if nobody has clicked.
    pub(super) fn of(report: &Report) -> Option<Self> {
        let most = report.rows.iter().map(|(_, figures)| figures.count.clicks()).max()?;
        if most == 0 {
            return None;
        }
        let bar = |(at, (start, figures)): (u64, &(Timestamp, Figures))| {
            Bar::of(at, told(*start, report.by), figures, most)
        };
        let bars: Vec<Bar> = (0..).zip(&report.rows).map(bar).collect();
        Some(Self {
            width: ROW * bars.len() as u64,
            height: HEIGHT,
            bars,
            by: report.by,
            from: told(report.from, report.by),
            to: told(report.to, By::Hour),
            most,
        })
    }

    /// What it shows.
    pub(super) fn name<'a>(&self, words: &'a Words) -> &'a Phrase {
        match self.by {
            By::Hour => &words.by_hour,
            By::Day => &words.by_day,
            By::Week => &words.by_week,
            By::Month => &words.by_month,
        }
    }

    /// How to read it, as HTML.
    pub(super) fn caption(&self, words: &Words) -> String {
        words.chart.html(&[("from", &self.from), ("to", &self.to), ("most", &self.most)])
    }
}

impl Bar {
    fn of(at: u64, start: String, figures: &Figures, most: u64) -> Self {
        let count = figures.count;
        let people_height = scaled(count.people, most);
        let height = scaled(count.clicks(), most).max(people_height);
        Self {
            start,
            people: count.people,
            bots: count.bots,
            x: at * ROW + (ROW - BAR) / 2,
            width: BAR,
            people_y: HEIGHT - people_height,
            people_height,
            bots_y: HEIGHT - height,
            bots_height: height - people_height,
        }
    }

    /// What it stands for.
    pub(super) fn title(&self, words: &Words) -> String {
        let Self { start, people, bots, .. } = self;
        words.bar.text(&[("start", start), ("people", people), ("bots", bots)])
    }
}

/// How high so many clicks stand; what is there is seen.
fn scaled(clicks: u64, most: u64) -> u64 {
    let height = u128::from(clicks) * u128::from(HEIGHT) / u128::from(most.max(1));
    u64::try_from(height).unwrap_or(HEIGHT).max(u64::from(clicks > 0))
}

/// A moment as a page tells it: to the minute where rows are hours, else the day.
fn told(moment: Timestamp, by: By) -> String {
    let format = if by == By::Hour { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d" };
    moment.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tally::{Breakdown, Count};

    fn report(rows: &[(u64, u64)]) -> Report {
        let start: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
        let figures = |people, bots| Figures { count: Count { people, bots }, visitors: people };
        Report {
            from: start,
            to: start,
            by: By::Day,
            total: figures(0, 0),
            rows: rows.iter().map(|(people, bots)| (start, figures(*people, *bots))).collect(),
            breakdown: Breakdown::default(),
            previous: None,
            codes: vec![],
            imported: None,
        }
    }

    #[test]
    fn the_highest_bar_fills_the_chart_and_the_lowest_is_seen() {
        let chart = Chart::of(&report(&[(30_000, 10_000), (1, 0), (0, 0), (0, 20_000)])).unwrap();
        let bars: Vec<_> = chart.bars.iter().map(|b| (b.people_height, b.bots_height)).collect();
        assert_eq!(bars, [(750, 250), (1, 0), (0, 0), (0, 500)]);
        for bar in &chart.bars {
            assert_eq!(bar.people_y + bar.people_height, HEIGHT);
            assert_eq!(bar.bots_y + bar.bots_height, bar.people_y);
        }
        assert_eq!((chart.most, chart.width), (40_000, 40));
        assert!(Chart::of(&report(&[(0, 0)])).is_none());
        let extreme = Chart::of(&report(&[(u64::MAX, u64::MAX)])).unwrap();
        assert_eq!(extreme.bars[0].people_height, HEIGHT);
    }
}
