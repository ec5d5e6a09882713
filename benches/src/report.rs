//! Medians, the table, the JSON.

use std::fmt;
use std::time::Duration;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::{Value, json};

use crate::load::Outcome;
use crate::options::{Options, Row, redis_config};

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

/// Everything that was measured.
pub(crate) struct Report {
    settings: String,
    floors: Vec<Measured>,
    runs: Vec<(Row, Measured, Measured)>,
    figures: Vec<(Row, f64)>,
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
        }
    }

    /// What is to be reached: a multiple of the floor, or the figure itself.
    fn goal(row: Row) -> f64 {
        match row {
            Row::Floor => 1.0,
            Row::HotEmbedded | Row::HotRedis => 1.25,
            Row::ColdRedis => 2.5,
            Row::MintRedis => 6.0,
            Row::RedisMemory => 200.0,
            Row::ServiceMemory => 150.0,
            Row::Start => 100.0,
        }
    }

    fn unit(row: Row) -> &'static str {
        match row {
            Row::RedisMemory => "bytes",
            Row::ServiceMemory => "MB",
            Row::Start => "ms",
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
        self.figures.push((row, value));
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
                "row": Self::name(row), "ratio": ratio, "ratios": ratios, "goal": Self::goal(row),
                "cpu_us": median_of(&runs, |m| m.cpu_us),
                "runs": runs.iter().map(run).collect::<Vec<_>>(),
            })
        });
        let figures = self.figures.iter().map(|(row, value)| {
            let (name, unit, goal) = (Self::name(*row), Self::unit(*row), Self::goal(*row));
            json!({ "row": name, "value": value, "unit": unit, "goal": goal })
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

fn reached(row: Row, value: f64) -> String {
    let limit = Report::goal(row);
    format!("≤ {limit}: {}", if value <= limit { "yes" } else { "NO" })
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
                (format!("{middle:.2} × floor"), range, reached(row, middle))
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
        for (row, value) in &self.figures {
            let result = format!("{value:.0} {}", Self::unit(*row));
            let name = Self::name(*row).to_owned();
            let none = String::new;
            table.add_row([name, none(), none(), result, none(), reached(*row, *value)]);
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
}
