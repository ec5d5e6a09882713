//! What the service has done, for Prometheus.
//!
//! Each worker counts for itself, in memory that no other worker writes to; the sums are made when
//! somebody asks.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::service::click::Figures;
use crate::service::live::Audience;
use crate::store::cached::Cached;
use crate::store::journal::Journal;

/// Upper bounds of the latency buckets, in microseconds. What is slower than the last is counted
/// above it.
const BOUNDS_US: [u64; 14] = [
    25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
];

/// What came of a request on a short link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Redirected.
    Followed,
    /// 410.
    Gone,
    /// 404.
    Unknown,
    /// 503: the store did not answer.
    Unavailable,
    /// 405, and 421: the host is none of ours.
    Refused,
    /// 403: the target is known to harm its readers.
    Warned,
    /// The page of a link, or its QR code.
    Shown,
}

const OUTCOMES: [(Outcome, &str); 7] = [
    (Outcome::Followed, "followed"),
    (Outcome::Gone, "gone"),
    (Outcome::Unknown, "unknown"),
    (Outcome::Unavailable, "unavailable"),
    (Outcome::Refused, "refused"),
    (Outcome::Warned, "warned"),
    (Outcome::Shown, "shown"),
];

/// The latencies of one kind of request.
#[derive(Debug, Default)]
struct Latencies {
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

/// One worker's figures.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Meter {
    outcomes: [AtomicU64; OUTCOMES.len()],
    links: Latencies,
    /// By the first digit of the status.
    api: [AtomicU64; 6],
    calls: Latencies,
}

impl Meter {
    /// Counts a request on a short link.
    pub fn link(&self, outcome: Outcome, took: Duration) {
        self.outcomes[outcome as usize].fetch_add(1, Ordering::Relaxed);
        self.links.observe(took);
    }

    /// Counts a call of the API.
    pub fn call(&self, status: u16, took: Duration) {
        let class = usize::from(status / 100).min(self.api.len() - 1);
        self.api[class].fetch_add(1, Ordering::Relaxed);
        self.calls.observe(took);
    }
}

impl Latencies {
    fn observe(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.partition_point(|bound| *bound < us);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }
}

/// All figures of a process.
#[derive(Clone)]
pub struct Metrics {
    sources: Arc<Sources>,
}

struct Sources {
    meters: Mutex<Vec<Arc<Meter>>>,
    links: Cached,
    journal: Arc<Journal>,
    rollup: Arc<Figures>,
    audience: Arc<Audience>,
    started: Timestamp,
}

impl Metrics {
    /// Figures of these parts.
    #[must_use]
    pub fn new(
        links: Cached,
        journal: Arc<Journal>,
        rollup: Arc<Figures>,
        audience: Arc<Audience>,
        started: Timestamp,
    ) -> Self {
        let meters = Mutex::default();
        Self { sources: Arc::new(Sources { meters, links, journal, rollup, audience, started }) }
    }

    /// A meter for one worker.
    #[must_use]
    pub fn meter(&self) -> Arc<Meter> {
        let meter = Arc::new(Meter::default());
        let mut meters = self.sources.meters.lock().unwrap_or_else(PoisonError::into_inner);
        meters.push(Arc::clone(&meter));
        meter
    }

    /// The figures in OpenMetrics' text format.
    ///
    /// # Errors
    /// None that memory does not make.
    pub fn render(&self) -> Result<String, fmt::Error> {
        let mut registry = Registry::with_prefix("slugline");
        registry.register_collector(Box::new(Exporter(Arc::clone(&self.sources))));
        let mut text = String::with_capacity(8 * 1024);
        prometheus_client::encoding::text::encode(&mut text, &registry)?;
        Ok(text)
    }
}

struct Exporter(Arc<Sources>);

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exporter")
    }
}

impl Collector for Exporter {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut page = Page(&mut encoder);
        self.0.requests(&mut page)?;
        self.0.cache(&mut page)?;
        self.0.clicks(&mut page)?;
        self.0.listeners(&mut page)?;
        self.0.archive(&mut page)?;
        page.gauge(
            "process_start_time_seconds",
            "When the process started, in seconds since 1970",
            self.0.started.as_millisecond() as f64 / 1e3,
        )
    }
}

impl Sources {
    fn requests(&self, page: &mut Page<'_, '_>) -> fmt::Result {
        let meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = |of: &dyn Fn(&Meter) -> u64| meters.iter().map(|meter| of(meter)).sum::<u64>();
        let outcomes = OUTCOMES.map(|(outcome, name)| {
            let of = move |meter: &Meter| meter.outcomes[outcome as usize].load(Ordering::Relaxed);
            (name, sum(&of))
        });
        page.family("redirects", "Requests on short links", "outcome", &outcomes)?;
        let classes = ["0xx", "1xx", "2xx", "3xx", "4xx", "5xx"];
        let calls: Vec<_> = (2..classes.len())
            .map(|class| (classes[class], sum(&|meter| meter.api[class].load(Ordering::Relaxed))))
            .collect();
        page.family("api_requests", "Calls of the API", "status", &calls)?;
        let links: Vec<_> = meters.iter().map(|meter| &meter.links).collect();
        page.histogram("redirect_duration_seconds", "Time to answer on a short link", &links)?;
        let calls: Vec<_> = meters.iter().map(|meter| &meter.calls).collect();
        page.histogram("api_duration_seconds", "Time to answer a call of the API", &calls)
    }

    fn cache(&self, page: &mut Page<'_, '_>) -> fmt::Result {
        let cache = self.links.snapshot();
        let lookups = [
            ("hit", cache.hits),
            ("miss", cache.misses),
            ("stale", cache.stale),
            ("error", cache.errors),
        ];
        page.family("cache_lookups", "Lookups of links by what came of them", "result", &lookups)?;
        page.gauge("cache_entries", "Links in memory", cache.entries as f64)?;
        page.counter("store_errors", "Lookups that the store did not answer", cache.errors)
    }

    fn listeners(&self, page: &mut Page<'_, '_>) -> fmt::Result {
        let listeners = self.audience.listeners() as f64;
        page.gauge("live_listeners", "Open streams of what comes in", listeners)?;
        page.counter(
            "live_dropped",
            "Streams that were ended because their reader did not keep up",
            self.audience.dropped(),
        )
    }

    fn clicks(&self, page: &mut Page<'_, '_>) -> fmt::Result {
        let journal = self.journal.counts();
        let rollup = self.rollup.snapshot();
        page.counter("clicks_accepted", "Clicks in the journal, ever", journal.clicks)?;
        page.counter("clicks_lost", "Clicks that could not be written, ever", journal.lost)?;
        page.gauge("journal_bytes", "Bytes of the journal", self.journal.size() as f64)?;
        page.counter(
            "clicks_counted",
            "Clicks of this journal counted since the start",
            rollup.counted,
        )?;
        page.counter("rollup_rounds", "Rounds that moved something", rollup.rounds)?;
        page.counter("rollup_failures", "Rounds that failed and are tried again", rollup.failures)?;
        page.counter(
            "rollup_returns",
            "Times the store stood elsewhere than expected",
            rollup.went_back,
        )?;
        page.gauge("rollup_busy_seconds", "Time spent in rounds", rollup.busy_us as f64 / 1e6)?;
        let caught_up = rollup.caught_up_at.map_or(0, Timestamp::as_millisecond);
        page.gauge(
            "rollup_caught_up_timestamp_seconds",
            "When the store last stood at the end of the journal",
            caught_up as f64 / 1e3,
        )
    }

    /// All zero when no archive is kept.
    fn archive(&self, page: &mut Page<'_, '_>) -> fmt::Result {
        let archive = self.rollup.archive().snapshot();
        page.counter("archive_lines", "Clicks archived since the start", archive.lines)?;
        page.counter("archive_files", "Hours finished since the start", archive.files)?;
        page.counter(
            "archive_failures",
            "Times the disk refused, which are tried again",
            archive.failures,
        )?;
        page.counter(
            "archive_missing",
            "Clicks that had left the journal before they could be archived",
            archive.missing,
        )?;
        let caught_up = archive.caught_up_at.map_or(0, Timestamp::as_millisecond);
        page.gauge(
            "archive_caught_up_timestamp_seconds",
            "When the archive last stood at the end of the journal",
            caught_up as f64 / 1e3,
        )
    }
}

/// Writes metrics of each kind.
struct Page<'a, 'b>(&'a mut DescriptorEncoder<'b>);

impl Page<'_, '_> {
    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let encoder = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        ConstCounter::new(value).encode(encoder)
    }

    fn gauge(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        let encoder = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        ConstGauge::new(value).encode(encoder)
    }

    fn family(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: &[(&str, u64)],
    ) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (value, count) in values {
            let labels = [(label, *value)];
            ConstCounter::new(*count).encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn histogram(&mut self, name: &str, help: &str, parts: &[&Latencies]) -> fmt::Result {
        let sum = |counters: &mut dyn Iterator<Item = &AtomicU64>| {
            counters.map(|counter| counter.load(Ordering::Relaxed)).sum::<u64>()
        };
        let total_us = sum(&mut parts.iter().map(|part| &part.sum_us));
        let bounds = BOUNDS_US.iter().map(|us| *us as f64 / 1e6).chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = bounds
            .enumerate()
            .map(|(at, bound)| (bound, sum(&mut parts.iter().map(|part| &part.buckets[at]))))
            .collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        encoder.encode_histogram::<NoLabelSet>(total_us as f64 / 1e6, count, &buckets, None)
    }
}
