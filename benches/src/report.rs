//! Medians, the table, the JSON.

use std::fmt;
use std::time::Duration;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::{Value, json};

use crate::load::Outcome;
use crate::options::{Options, Row, StoreKind, redis_config};

/// One measurement under load.
#[derive(Clone, Copy)]
pub(crate) struct Measured {
    outcome: Outcome,
    /// Processor time a request, of all server processes, in µs.
    cpu_us: f64,
    /// Of it, that of the service or the floor itself.
    own_us: f64,
}

impl Measured {
    /// From what wrk says, the time of all processes, and that of the service alone.
    pub(crate) fn new(outcome: Outcome, cpu: Duration, own: Duration) -> Self {
        let each = |time: Duration| time.as_secs_f64() * 1e6 / outcome.requests as f64;
        Self { outcome, cpu_us: each(cpu), own_us: each(own) }
    }

    fn rate(&self) -> f64 {
        self.outcome.requests as f64 / self.outcome.seconds
    }
}

/// A row that is one figure.
struct Figure {
    row: Row,
    /// What it is of, where a row has several.
    of: Option<String>,
    value: f64,
}

/// What is to be reached.
#[derive(Clone, Copy)]
enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

/// Everything that was measured.
pub(crate) struct Report {
    settings: String,
    floors: Vec<Measured>,
    runs: Vec<(Row, Measured, Measured)>,
    figures: Vec<Figure>,
    notes: Vec<String>,
}

impl Report {
    /// An empty one.
    pub(crate) fn new(options: &Options) -> Self {
        let redis = if redis_config().is_some() { "config/redis.conf" } else { "append-only file" };
        let settings = format!(
            "{} rounds of {} s; {} workers; wrk with {} threads and {} connections on the same \
             machine; {} codes, Zipf 1.0; Redis: {redis}, {}; journal fsync: {}; {} addresses",
            options.rounds,
            options.seconds,
            options.workers,
            options.threads,
            options.connections,
            options.codes,
            if options.redis_socket { "unix socket" } else { "TCP" },
            options.fsync,
            if options.urls.is_some() { "real" } else { "look-alike" },
        );
        Self { settings, floors: vec![], runs: vec![], figures: vec![], notes: vec![] }
    }

    /// What a row is called.
    pub(crate) fn name(row: Row) -> &'static str {
        match row {
            Row::Floor => "(a) floor: bare actix-web redirect",
            Row::HotEmbedded => "(b) redirect, hot, embedded store",
            Row::HotRedis => "(c) redirect, hot, Redis",
            Row::ColdRedis => "(d) redirect, cold (no cache), Redis",
            Row::MintRedis => "(e) mint, Redis",
            Row::RedisMemory => "(f) Redis memory a link, counted",
            Row::ServiceMemory => "(g) service memory, embedded store",
            Row::Start => "(h) start to first answer",
            Row::LinkStats => "(i) figures of a link, 400 days",
            Row::SiteStats => "(j) figures of the site, 30 days",
            Row::Ranking => "(k) the 100 most clicked, 30 days",
            Row::Rollup => "(l) clicks counted a second of processor",
            Row::TallyBytes => "(m) store a clicked link and day",
            Row::Import => "(n) links imported a second",
        }
    }

    /// What is to be reached: a multiple of the floor, or the figure itself. `of` says of what it is,
    /// where a row has several.
    fn goal(row: Row, of: Option<&str>) -> Option<Goal> {
        Some(match row {
            Row::Floor => Goal::AtMost(1.0),
            Row::HotEmbedded | Row::HotRedis => Goal::AtMost(1.25),
            Row::ColdRedis => Goal::AtMost(2.5),
            Row::MintRedis => Goal::AtMost(6.0),
            Row::RedisMemory => Goal::AtMost(200.0),
            Row::ServiceMemory => Goal::AtMost(150.0),
            Row::Start => Goal::AtMost(100.0),
            Row::LinkStats => Goal::AtMost(10.0),
            Row::SiteStats => Goal::AtMost(20.0),
            Row::Rollup => Goal::AtLeast(200_000.0),
            Row::Import if of == Some(StoreKind::Redis.name()) => Goal::AtLeast(50_000.0),
            Row::Import => Goal::AtLeast(100_000.0),
            Row::Ranking | Row::TallyBytes => return None,
        })
    }

    fn unit(row: Row) -> &'static str {
        match row {
            Row::RedisMemory | Row::TallyBytes => "bytes",
            Row::ServiceMemory => "MB",
            Row::Start | Row::LinkStats | Row::SiteStats | Row::Ranking => "ms",
            Row::Rollup => "clicks/s",
            Row::Import => "links/s",
            _ => "× floor",
        }
    }

    /// A floor that belongs to no candidate.
    pub(crate) fn add_floor(&mut self, floor: Measured) {
        self.floors.push(floor);
    }

    /// A candidate's measurement, and the floor right before it.
    pub(crate) fn add(&mut self, row: Row, measured: Measured, floor: Measured) {
        self.floors.push(floor);
        self.runs.push((row, measured, floor));
    }

    /// A row that is one figure.
    pub(crate) fn figure(&mut self, row: Row, value: f64) {
        self.figures.push(Figure { row, of: None, value });
    }

    /// One of a row's figures.
    pub(crate) fn figure_of(&mut self, row: Row, of: &str, value: f64) {
        self.figures.push(Figure { row, of: Some(of.to_owned()), value });
    }

    /// Something to be said below the table.
    pub(crate) fn note(&mut self, text: String) {
        self.notes.push(text);
    }

    /// Rows under load in order, each with its measurements and their ratios to their floors.
    fn loaded(&self) -> Vec<(Row, Vec<Measured>, Vec<f64>)> {
        let mut rows = Vec::new();
        if !self.floors.is_empty() {
            rows.push((Row::Floor, self.floors.clone(), vec![]));
        }
        for row in [Row::HotEmbedded, Row::HotRedis, Row::ColdRedis, Row::MintRedis] {
            let runs: Vec<_> = self.runs.iter().filter(|run| run.0 == row).collect();
            if !runs.is_empty() {
                let ratios = runs.iter().map(|(_, own, floor)| own.cpu_us / floor.cpu_us);
                rows.push((row, runs.iter().map(|run| run.1).collect(), ratios.collect()));
            }
        }
        rows
    }

    /// Every measurement, and the medians of the table.
    pub(crate) fn to_json(&self) -> Value {
        let run = |m: &Measured| {
            json!({
                "requests": m.outcome.requests, "seconds": m.outcome.seconds,
                "cpu_us": m.cpu_us, "own_cpu_us": m.own_us, "per_second": m.rate(),
                "p50_us": m.outcome.p50_us, "p99_us": m.outcome.p99_us,
            })
        };
        let loaded = self.loaded().into_iter().map(|(row, runs, mut ratios)| {
            let ratio = (!ratios.is_empty()).then(|| median(&mut ratios));
            json!({
                "row": Self::name(row), "ratio": ratio, "ratios": ratios, "goal": goal_value(row, None),
                "cpu_us": median_of(&runs, |m| m.cpu_us),
                "runs": runs.iter().map(run).collect::<Vec<_>>(),
            })
        });
        let figures = self.figures.iter().map(|figure| {
            json!({
                "row": figure.name(), "value": figure.value, "unit": Self::unit(figure.row),
                "goal": goal_value(figure.row, figure.of.as_deref()),
            })
        });
        json!({
            "settings": self.settings,
            "rows": loaded.chain(figures).collect::<Vec<_>>(),
            "notes": self.notes,
        })
    }
}

/// The middle of `values`, which it sorts. 0 when there are none.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let (n, half) = (values.len(), values.len() / 2);
    match n {
        0 => 0.0,
        _ if n % 2 == 1 => values[half],
        _ => f64::midpoint(values[half - 1], values[half]),
    }
}

fn median_of(runs: &[Measured], value: impl Fn(&Measured) -> f64) -> f64 {
    median(&mut runs.iter().map(value).collect::<Vec<f64>>())
}

impl Figure {
    fn name(&self) -> String {
        let name = Report::name(self.row);
        self.of.as_ref().map_or_else(|| name.to_owned(), |of| format!("{name}, {of}"))
    }
}

fn goal_value(row: Row, of: Option<&str>) -> Option<f64> {
    Report::goal(row, of).map(|(Goal::AtMost(limit) | Goal::AtLeast(limit))| limit)
}

fn reached(row: Row, of: Option<&str>, value: f64) -> String {
    let (sign, limit, is_reached) = match Report::goal(row, of) {
        None => return String::new(),
        Some(Goal::AtMost(limit)) => ('≤', limit, value <= limit),
        Some(Goal::AtLeast(limit)) => ('≥', limit, value >= limit),
    };
    format!("{sign} {limit}: {}", if is_reached { "yes" } else { "NO" })
}

/// A figure with three digits that mean something.
fn told(value: f64) -> String {
    match value {
        _ if value < 10.0 => format!("{value:.2}"),
        _ if value < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table
            .load_style(presets::UTF8_FULL_CONDENSED)
            .set_content_arrangement(ContentArrangement::Disabled);
        table.set_header([
            "",
            "CPU µs a request",
            "of it Redis",
            "result",
            "min–max",
            "goal",
            "requests/s",
            "p50 µs",
            "p99 µs",
        ]);
        for (row, runs, mut ratios) in self.loaded() {
            let all = median_of(&runs, |m| m.cpu_us);
            let redis = median_of(&runs, |m| m.cpu_us - m.own_us);
            let (result, range, goal) = if ratios.is_empty() {
                ("1 × floor".to_owned(), String::new(), String::new())
            } else {
                let middle = median(&mut ratios);
                let range = format!("{:.2}–{:.2}", ratios[0], ratios[ratios.len() - 1]);
                (format!("{middle:.2} × floor"), range, reached(row, None, middle))
            };
            table.add_row([
                Self::name(row).to_owned(),
                format!("{all:.1}"),
                format!("{redis:.1}"),
                result,
                range,
                goal,
                format!("{:.0}", median_of(&runs, Measured::rate)),
                format!("{:.0}", median_of(&runs, |m| m.outcome.p50_us as f64)),
                format!("{:.0}", median_of(&runs, |m| m.outcome.p99_us as f64)),
            ]);
        }
        for figure in &self.figures {
            let result = format!("{} {}", told(figure.value), Self::unit(figure.row));
            let none = String::new;
            let goal = reached(figure.row, figure.of.as_deref(), figure.value);
            table.add_row([figure.name(), none(), none(), result, none(), goal]);
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        writeln!(f, "{table}\n{}.", self.settings)?;
        writeln!(
            f,
            "CPU: user and kernel time of all server processes, Redis and what they do after the \
             load (counting clicks) included; wrk's own is not. Medians; the range is that of the \
             ratio to the floor measured right before."
        )?;
        self.notes.iter().try_for_each(|note| writeln!(f, "{note}."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&mut []), 0.0);
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn a_goal_is_reached_from_its_own_side() {
        assert_eq!(reached(Row::LinkStats, None, 9.5), "≤ 10: yes");
        assert_eq!(reached(Row::LinkStats, None, 11.0), "≤ 10: NO");
        assert_eq!(reached(Row::Rollup, None, 150_000.0), "≥ 200000: NO");
        assert_eq!(reached(Row::Rollup, None, 250_000.0), "≥ 200000: yes");
        assert_eq!(reached(Row::Ranking, None, 1.0), "");
        assert_eq!(reached(Row::Import, Some("Redis"), 60_000.0), "≥ 50000: yes");
        assert_eq!(reached(Row::Import, Some("embedded store"), 60_000.0), "≥ 100000: NO");
    }
}
