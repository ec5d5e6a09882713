//! Figures as they go over the wire. Later clients rely on these names.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::csv::{Sheet, Table};
use super::query::{Asked, Include, name_of};
use crate::http::v1::wire::ImportedClicks;
use crate::model::code::Code;
use crate::model::tally::{Breakdown, Dimension, Figures, Rows};
use crate::service::stats::Report;

/// The row of what belongs to no other.
const OTHER: &str = "other";

/// What was counted.
#[derive(Serialize, ToSchema, Clone, Copy)]
#[schema(as = Figures)]
pub(super) struct FiguresBody {
    /// Redirects answered to `GET`: `people + bots`.
    clicks: u64,
    /// Those by people.
    people: u64,
    /// Those by bots, link previews and browsers that fetched ahead.
    bots: u64,
    /// Different people within each UTC day, about, added up over the days. Nobody is recognised on
    /// another day.
    visitors: u64,
}

impl From<Figures> for FiguresBody {
    fn from(figures: Figures) -> Self {
        let Figures { count, visitors } = figures;
        Self { clicks: count.clicks(), people: count.people, bots: count.bots, visitors }
    }
}

impl FiguresBody {
    /// Its cells: clicks, people, bots, visitors.
    pub(super) fn cells(self) -> [String; 4] {
        [self.clicks, self.people, self.bots, self.visitors].map(|figure| figure.to_string())
    }
}

/// One row of time.
#[derive(Serialize, ToSchema)]
#[schema(as = SeriesRow)]
pub(super) struct SeriesRow {
    /// Its beginning; it ends where the next begins.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    #[serde(flatten)]
    figures: FiguresBody,
}

/// One row of a breakdown.
#[derive(Serialize, ToSchema)]
#[schema(as = BreakdownRow)]
pub(in crate::http) struct BreakdownRow {
    /// What it counts: a host, a country, a browser. `other`: all that has no row of its own.
    #[schema(example = "news.google.com")]
    pub(in crate::http) id: String,
    /// Clicks.
    pub(in crate::http) clicks: u64,
}

/// The clicks told apart; each breakdown adds up to the people's clicks, or to all of them with
/// `include=bots`. The row with most clicks comes first.
#[derive(Serialize, ToSchema)]
#[schema(as = Breakdowns)]
pub(super) struct BreakdownsBody {
    /// Hosts of the pages that readers came from; `direct`: none, or our own.
    referrers: Vec<BreakdownRow>,
    /// Two letters each (ISO 3166-1), or `unknown`.
    countries: Vec<BreakdownRow>,
    /// Families of browsers.
    browsers: Vec<BreakdownRow>,
    /// Families of operating systems.
    platforms: Vec<BreakdownRow>,
    /// `phone`, `tablet`, `desktop`, `other`, `unknown`.
    devices: Vec<BreakdownRow>,
    /// Kinds and names of bots: adds up to the bots' clicks.
    bot_families: Vec<BreakdownRow>,
}

/// The window before, of the same length.
#[derive(Serialize, ToSchema)]
#[schema(as = Previous)]
pub(super) struct PreviousBody {
    /// Its beginning.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// Its end: the beginning of the other.
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// All of it.
    total: FiguresBody,
}

/// A window and its rows.
#[derive(Serialize, ToSchema)]
#[schema(as = Series)]
pub(super) struct SeriesBody {
    /// The beginning of the window, a quarter-hour: the first row's.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// The end of the window, a quarter-hour: the last row's.
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// The width of a row: `hour`, `day`, `week` or `month`. The first and the last may be cut off by
    /// the window.
    #[schema(example = "day")]
    by: &'static str,
    /// The time zone whose hours, days, weeks and months the rows are.
    #[schema(example = "Europe/Paris")]
    tz: String,
    /// The whole window: clicks, people and bots are the sums of the rows.
    total: FiguresBody,
    /// Every row of the window, also those in which nothing happened.
    series: Vec<SeriesRow>,
    /// The window before, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<PreviousBody>,
}

/// What was counted over a window.
#[derive(Serialize, ToSchema)]
#[schema(as = Report)]
pub(in crate::http) struct ReportBody {
    #[serde(flatten)]
    series: SeriesBody,
    /// The clicks of the whole window, told apart.
    breakdowns: BreakdownsBody,
    /// What the links brought along from another shortener: of a link or an article, if it was
    /// imported with a count. It is in no other figure; tags, keys and the site do not have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    imported: Option<ImportedClicks>,
    /// The links that were counted, of a link or an article: oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    codes: Vec<Code>,
}

/// How often an unknown code was asked for from one host.
#[derive(Serialize, ToSchema)]
#[schema(as = OrphanHit)]
pub(super) struct HitBody {
    /// The code.
    code: String,
    /// The host of the page that the reader came from.
    referrer: String,
    /// Requests.
    clicks: u64,
}

/// The breakdowns of orphans.
#[derive(Serialize, ToSchema)]
#[schema(as = OrphanBreakdowns)]
pub(super) struct OrphanBreakdownsBody {
    /// Hosts of the pages that led there.
    referrers: Vec<BreakdownRow>,
}

/// Requests for codes that lead nowhere. All of them count in every breakdown, bots' as well.
#[derive(Serialize, ToSchema)]
#[schema(as = Orphans)]
pub(super) struct OrphansBody {
    #[serde(flatten)]
    series: SeriesBody,
    /// Where they came from.
    breakdowns: OrphanBreakdownsBody,
    /// The codes that were asked for.
    codes: Vec<BreakdownRow>,
    /// The codes and where they were asked for.
    hits: Vec<HitBody>,
}

/// The series of a report, for who asked like this.
fn series(report: &Report, tz: &str) -> SeriesBody {
    let rows = report.rows.iter();
    let row = |(start, figures): &(_, Figures)| SeriesRow {
        start: *start,
        figures: FiguresBody::from(*figures),
    };
    let previous = report.previous.map(|(from, total)| PreviousBody {
        from,
        to: report.from,
        total: total.into(),
    });
    SeriesBody {
        from: report.from,
        to: report.to,
        by: name_of(report.by),
        tz: tz.to_owned(),
        total: report.total.into(),
        series: rows.map(row).collect(),
        previous,
    }
}

impl ReportBody {
    /// The report as it was asked for.
    pub(in crate::http) fn of(report: &Report, asked: &Asked) -> Self {
        let rows = |dimension| breakdown(&report.breakdown, dimension, asked);
        let breakdowns = BreakdownsBody {
            referrers: rows(Dimension::Referrer),
            countries: rows(Dimension::Country),
            browsers: rows(Dimension::Browser),
            platforms: rows(Dimension::Platform),
            devices: rows(Dimension::Device),
            bot_families: rows(Dimension::BotFamily),
        };
        Self {
            series: series(report, &asked.tz),
            breakdowns,
            imported: report.imported.map(ImportedClicks::of),
            codes: report.codes.clone(),
        }
    }
}

impl OrphansBody {
    /// The report on orphans as it was asked for.
    pub(super) fn of(report: &Report, asked: &Asked) -> Self {
        let rows = |dimension| breakdown(&report.breakdown, dimension, asked);
        Self {
            series: series(report, &asked.tz),
            breakdowns: OrphanBreakdownsBody { referrers: rows(Dimension::Referrer) },
            codes: rows(Dimension::Code),
            hits: rows(Dimension::CodeAndReferrer).into_iter().map(hit).collect(),
        }
    }
}

/// One table of a report.
pub(super) fn sheet(report: &Report, asked: &Asked, table: Table) -> Sheet {
    let Table::Of(dimension) = table else {
        let rows = report.rows.iter().map(|(start, figures)| {
            [start.to_string()].into_iter().chain(FiguresBody::from(*figures).cells()).collect()
        });
        return Sheet::new(&["start", "clicks", "people", "bots", "visitors"], rows);
    };
    let rows = breakdown(&report.breakdown, dimension, asked).into_iter();
    match dimension {
        Dimension::CodeAndReferrer => {
            let cells = |hit: HitBody| vec![hit.code, hit.referrer, hit.clicks.to_string()];
            Sheet::new(&["code", "referrer", "clicks"], rows.map(hit).map(cells))
        }
        _ => Sheet::new(&["id", "clicks"], rows.map(|row| vec![row.id, row.clicks.to_string()])),
    }
}

/// The rows of one breakdown that were asked for, and the rest as one.
pub(in crate::http) fn breakdown(
    all: &Breakdown,
    dimension: Dimension,
    asked: &Asked,
) -> Vec<BreakdownRow> {
    let include = match dimension {
        Dimension::BotFamily => Include::Bots,
        _ => asked.include,
    };
    first(all.of(dimension), include, asked.limit)
}

/// The first `limit` rows, most clicks first and equal ones by name; what is beyond them, and what
/// has no name, follows as `other`.
fn first(rows: &Rows, include: Include, limit: usize) -> Vec<BreakdownRow> {
    let mut named: Vec<(&str, u64)> = rows
        .named()
        .map(|(name, count)| (name.as_ref(), include.of(count)))
        .filter(|(_, clicks)| *clicks > 0)
        .collect();
    let order = |a: &(&str, u64), b: &(&str, u64)| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0));
    let mut rest = include.of(rows.other());
    // There may be some ten thousand, of which ten are told.
    if named.len() > limit {
        named.select_nth_unstable_by(limit, order);
        rest += named.drain(limit..).map(|(_, clicks)| clicks).sum::<u64>();
    }
    named.sort_unstable_by(order);
    let row = |(id, clicks): (&str, u64)| BreakdownRow { id: id.to_owned(), clicks };
    let mut named: Vec<BreakdownRow> = named.into_iter().map(row).collect();
    if rest > 0 {
        // Some devices are called so as well: there is one such row.
        rest += named.extract_if(.., |row| row.id == OTHER).map(|row| row.clicks).sum::<u64>();
        named.push(BreakdownRow { id: OTHER.to_owned(), clicks: rest });
    }
    named
}

/// The two parts of a row that counts codes and referrers: neither holds a space.
fn hit(row: BreakdownRow) -> HitBody {
    let BreakdownRow { id, clicks } = row;
    match id.split_once(' ') {
        Some((code, referrer)) => {
            HitBody { code: code.to_owned(), referrer: referrer.to_owned(), clicks }
        }
        None => HitBody { code: id.clone(), referrer: id, clicks },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tally::{Count, name};

    fn rows(named: &[(&str, u64, u64)], other: (u64, u64)) -> Rows {
        let mut rows = Rows::default();
        for (text, people, bots) in named {
            rows.add(&name(text), Count { people: *people, bots: *bots });
        }
        rows.add_other(Count { people: other.0, bots: other.1 });
        rows
    }

    fn told(rows: &Rows, include: Include, limit: usize) -> Vec<(String, u64)> {
        first(rows, include, limit).into_iter().map(|row| (row.id, row.clicks)).collect()
    }

    fn pairs(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
        expected.iter().map(|(id, clicks)| ((*id).to_owned(), *clicks)).collect()
    }

    #[test]
    fn what_the_limit_cuts_off_is_told_as_other_and_empty_rows_are_not_told() {
        let hosts = rows(&[("a", 1, 0), ("b", 5, 1), ("c", 5, 0), ("bot", 0, 9)], (2, 1));
        let all = pairs(&[("b", 5), ("c", 5), ("a", 1), ("other", 2)]);
        assert_eq!(told(&hosts, Include::People, 10), all);
        assert_eq!(told(&hosts, Include::People, 1), pairs(&[("b", 5), ("other", 8)]));
        let bots = pairs(&[("bot", 9), ("b", 1), ("other", 1)]);
        assert_eq!(told(&hosts, Include::Bots, 10), bots);
        let both = pairs(&[("bot", 9), ("b", 6), ("other", 9)]);
        assert_eq!(told(&hosts, Include::All, 2), both);
        assert_eq!(told(&rows(&[("a", 1, 0)], (0, 3)), Include::People, 1), pairs(&[("a", 1)]));
    }

    #[test]
    fn there_is_one_row_called_other() {
        let devices = rows(&[("other", 7, 0), ("phone", 3, 0), ("tablet", 1, 0)], (0, 0));
        let all = pairs(&[("other", 7), ("phone", 3), ("tablet", 1)]);
        assert_eq!(told(&devices, Include::People, 3), all);
        assert_eq!(told(&devices, Include::People, 2), pairs(&[("phone", 3), ("other", 8)]));
    }

    #[test]
    fn the_rest_of_the_hits_has_neither_code_nor_referrer() {
        let row = |id: &str| hit(BreakdownRow { id: id.into(), clicks: 1 });
        assert_eq!(
            (row("abc direct").code, row("abc direct").referrer),
            ("abc".into(), "direct".into())
        );
        assert_eq!((row("other").code, row("other").referrer), ("other".into(), "other".into()));
    }
}
