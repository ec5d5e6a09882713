//! The rows about figures: how long the service takes to tell them, and how many bytes they take.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use slugline::model::code::Code;
use slugline::model::tally::{Day, QUARTERS_A_DAY, Subject};

use crate::client::BATCH;
use crate::load::Zipf;
use crate::options::{Options, Row, StoreKind};
use crate::process::cpu_during;
use crate::readers::{Random, Readers};
use crate::report::{Report, median};
use crate::servers::{Cache, Redis, Service};
use crate::tallies::{Filling, Rows, bytes_in_use, today};
use crate::urls::look_alike;

/// Days of the history of one link.
const LINK_DAYS: u32 = 400;
/// Days of the site's figures and of the ranking.
const SITE_DAYS: u32 = 30;
/// Clicks a day for each link that is ranked, on average.
const CLICKS_A_LINK: u64 = 2;
/// Clicks written at once: what is not stored yet takes a thousand bytes each.
const CLICKS_A_BATCH: usize = 20_000;
/// Clicks on each link and day whose bytes are measured.
const CLICKS_A_DAY: [u64; 3] = [1, 10, 100];
/// Days over which bytes are measured, after a first one that brings what a link needs once.
const BYTES_DAYS: u32 = 3;
/// The fewest requests of which a median is taken.
const FEWEST: usize = 20;
/// A zone whose days are not those of the store, so that days are put together of quarters.
const ZONE: &str = "Europe/Prague";

/// Row i: the figures of a link that was much clicked for more than a year.
pub(crate) fn of_link(
    options: &Options,
    kind: StoreKind,
    report: &mut Report,
) -> anyhow::Result<()> {
    eprintln!("measuring: {}, {}", Report::name(Row::LinkStats), kind.name());
    let folder = tempfile::tempdir()?;
    let (codes, redis) = mint(options, kind, folder.path(), 1)?;
    let code = codes.first().context("one was minted")?;
    let today = today()?;
    let first = today.0 - LINK_DAYS + 1;
    let mut filling = Filling::open(&folder.path().join("data"), redis_url(redis.as_ref()))?;
    let readers = Readers::new();
    let mut number = 0;
    for day in first..=today.0 {
        // What does not divide evenly falls on the first days.
        let days = u64::from(LINK_DAYS);
        let more = u64::from(u64::from(day - first) < options.link_clicks % days);
        let mut rows = Rows::new();
        let row = rows.entry((Day(day), Subject::Link(Code::parse(code)?))).or_default();
        for _ in 0..options.link_clicks / days + more {
            let quarter = Random(number).below(QUARTERS_A_DAY.into()) as u8;
            row.cell(quarter).add(&readers.visit(number, day));
            number += 1;
        }
        filling.add(rows)?;
    }
    filling.forget_old_hours(today)?;
    drop(filling);
    let service = Service::start(options, folder.path(), redis, Cache::Default)?;
    let window = format!("from={}&to={}&by=day", date(first), date(today.0 + 1));
    let path = format!("/api/v1/links/{code}/stats?{window}");
    let expected = Some(options.link_clicks);
    let what = format!("{} clicks over {LINK_DAYS} days", options.link_clicks);
    ask(options, &service, report, &Question { row: Row::LinkStats, kind, path, expected, what })
}

/// Rows j and k: figures of the site, and the ranking of its links.
pub(crate) fn of_site(
    options: &Options,
    kind: StoreKind,
    report: &mut Report,
) -> anyhow::Result<()> {
    eprintln!("preparing: {} and k, {}", Report::name(Row::SiteStats), kind.name());
    let folder = tempfile::tempdir()?;
    let (codes, redis) = mint(options, kind, folder.path(), options.ranked)?;
    let codes: Vec<Code> = codes.iter().map(|code| Code::parse(code)).collect::<Result<_, _>>()?;
    let today = today()?;
    let first = today.0 - SITE_DAYS + 1;
    let a_day = codes.len() as u64 * CLICKS_A_LINK;
    let mut filling = Filling::open(&folder.path().join("data"), redis_url(redis.as_ref()))?;
    let (readers, zipf) = (Readers::new(), Zipf::new(codes.len()));
    let mut numbers = u64::from(first) * a_day..u64::from(today.0 + 1) * a_day;
    while !numbers.is_empty() {
        let mut rows = Rows::new();
        for number in numbers.by_ref().take(CLICKS_A_BATCH) {
            let day = u32::try_from(number / a_day)?;
            let mut random = Random(number);
            let quarter = random.below(QUARTERS_A_DAY.into()) as u8;
            let link = Subject::Link(codes[zipf.draw(random.share())].clone());
            let visit = readers.visit(number, day);
            for subject in [link, Subject::Site] {
                rows.entry((Day(day), subject)).or_default().cell(quarter).add(&visit);
            }
        }
        filling.add(rows)?;
    }
    drop(filling);
    let service = Service::start(options, folder.path(), redis, Cache::Default)?;
    let window = format!("from={}&to={}", date(first), date(today.0 + 1));
    let what = format!("{} links, {a_day} clicks a day", codes.len());
    if options.wants(Row::SiteStats) {
        let path = format!("/api/v1/stats?{window}&by=day");
        let (expected, what) = (Some(a_day * u64::from(SITE_DAYS)), what.clone());
        ask(
            options,
            &service,
            report,
            &Question { row: Row::SiteStats, kind, path, expected, what },
        )?;
    }
    if options.wants(Row::Ranking) {
        let path = format!("/api/v1/stats/top?{window}&limit=100");
        let expected = None;
        ask(
            options,
            &service,
            report,
            &Question { row: Row::Ranking, kind, path, expected, what },
        )?;
    }
    Ok(())
}

/// Row m: what the store needs for a link that was clicked on a day.
pub(crate) fn row_bytes(
    options: &Options,
    kind: StoreKind,
    report: &mut Report,
) -> anyhow::Result<()> {
    let readers = Readers::new();
    let codes = (0..options.clicked).map(|n| Code::parse(&format!("{n:06}")));
    let codes = codes.collect::<Result<Vec<Code>, _>>()?;
    let mut days = Vec::new();
    for clicks in CLICKS_A_DAY {
        let of = format!("clicked {clicks} ×, {}", kind.name());
        eprintln!("measuring: {}, {of}", Report::name(Row::TallyBytes));
        let (with_hours, without) = bytes_each(options, kind, &codes, clicks, &readers)?;
        report.figure_of(Row::TallyBytes, &of, with_hours);
        days.push(format!("{without:.0}"));
    }
    report.note(format!(
        "{}, {}: {} links, each clicked on {BYTES_DAYS} days; the rows of the day and of its hours; \
         once a sweep has removed those of the hours: {} bytes (Redis lets them expire instead)",
        Report::name(Row::TallyBytes),
        kind.name(),
        codes.len(),
        days.join(", "),
    ));
    Ok(())
}

/// Bytes for each link and day, with the rows of the hours and without.
fn bytes_each(
    options: &Options,
    kind: StoreKind,
    codes: &[Code],
    clicks: u64,
    readers: &Readers,
) -> anyhow::Result<(f64, f64)> {
    let folder = tempfile::tempdir()?;
    let redis = match kind {
        StoreKind::Embedded => None,
        StoreKind::Redis => Some(Redis::start(options, &folder.path().join("redis"))?),
    };
    let url = redis_url(redis.as_ref());
    let size = || match &redis {
        None => bytes_in_use(folder.path()),
        Some(redis) => redis.used_memory(),
    };
    let first = today()?.0 - BYTES_DAYS;
    let beyond = Day(first + BYTES_DAYS + 1);
    let mut filling = Filling::open(folder.path(), url)?;
    let some = CLICKS_A_BATCH / usize::try_from(clicks)?;
    let add_day = |filling: &mut Filling, day| {
        let mut parts = codes.chunks(some).enumerate();
        parts.try_for_each(|(part, codes)| {
            let first = (part * some) as u64;
            filling.add(a_day_of(codes, first, day, clicks, readers))
        })
    };
    add_day(&mut filling, first)?;
    filling.forget_hours_before(beyond)?;
    drop(filling);
    let before = size()?;
    let each = |bytes: u64| {
        bytes.saturating_sub(before) as f64 / (codes.len() as f64 * f64::from(BYTES_DAYS))
    };
    let mut filling = Filling::open(folder.path(), url)?;
    for day in first + 1..=first + BYTES_DAYS {
        add_day(&mut filling, day)?;
    }
    drop(filling);
    let with_hours = each(size()?);
    let filling = Filling::open(folder.path(), url)?;
    filling.forget_hours_before(beyond)?;
    drop(filling);
    Ok((with_hours, each(size()?)))
}

/// A day on which each link, from that with the number `first` on, is clicked so often: most of it
/// within a few hours of its first click.
fn a_day_of(codes: &[Code], first: u64, day: u32, clicks: u64, readers: &Readers) -> Rows {
    let mut rows = Rows::new();
    for (number, code) in (first..).zip(codes) {
        let mut random = Random(u64::from(day) << 32 | number);
        let start = random.below(QUARTERS_A_DAY.into());
        let row = rows.entry((Day(day), Subject::Link(code.clone()))).or_default();
        for _ in 0..clicks {
            // Half-life of an hour and a half: interest in a story fades exponentially.
            let later = (-random.share().max(f64::MIN_POSITIVE).ln() * 8.0) as u64;
            let quarter = (start + later) % u64::from(QUARTERS_A_DAY);
            row.cell(quarter as u8).add(&readers.visit(random.0, day));
        }
    }
    rows
}

/// Mints so many links, and ends the service that did. What it keeps is in `folder`, or in Redis.
pub(crate) fn mint(
    options: &Options,
    kind: StoreKind,
    folder: &Path,
    links: usize,
) -> anyhow::Result<(Vec<String>, Option<Redis>)> {
    let redis = match kind {
        StoreKind::Embedded => None,
        StoreKind::Redis => Some(Redis::start(options, &folder.join("redis"))?),
    };
    let service = Service::start(options, folder, redis, Cache::Default)?;
    let urls: Vec<String> = (0..links).map(look_alike).collect();
    let mut codes = Vec::with_capacity(links);
    for some in urls.chunks(BATCH) {
        codes.extend(service.client.mint_batch(some)?);
    }
    Ok((codes, service.kill()))
}

/// The address of Redis, where there is one.
fn redis_url(redis: Option<&Redis>) -> Option<&str> {
    redis.map(|redis| redis.url.as_str())
}

/// Something to be asked again and again.
struct Question {
    row: Row,
    kind: StoreKind,
    path: String,
    /// Clicks that the answer must have in total.
    expected: Option<u64>,
    what: String,
}

/// Asks for as long as the options say, in UTC and in a zone of its own; the latter is the figure,
/// since it takes more work.
fn ask(
    options: &Options,
    service: &Service,
    report: &mut Report,
    question: &Question,
) -> anyhow::Result<()> {
    let Question { row, kind, path, expected, what } = question;
    let key = service.client.read_key()?;
    let utc = repeat(options, service, &key, path, *expected)?;
    // The window's edges are dates: another zone's window is not quite the same clicks.
    let zoned = repeat(options, service, &key, &format!("{path}&tz={ZONE}"), None)?;
    report.figure_of(*row, kind.name(), zoned.median_ms);
    report.note(format!(
        "{}, {}: {what}; in {ZONE} median {:.2} ms, 99th percentile {:.2} ms, {:.2} ms of processor \
         (all servers); in UTC {:.2}, {:.2} and {:.2}; {} and {} requests, one after another",
        Report::name(*row),
        kind.name(),
        zoned.median_ms,
        zoned.p99_ms,
        zoned.cpu_ms,
        utc.median_ms,
        utc.p99_ms,
        utc.cpu_ms,
        zoned.requests,
        utc.requests,
    ));
    Ok(())
}

/// How long one question took, asked many times.
struct Latency {
    requests: usize,
    median_ms: f64,
    p99_ms: f64,
    cpu_ms: f64,
}

fn repeat(
    options: &Options,
    service: &Service,
    key: &str,
    path: &str,
    expected: Option<u64>,
) -> anyhow::Result<Latency> {
    // The first answer opens the connection and fills the store's page cache.
    let (answer, _) = service.client.ask(key, path)?;
    if let Some(expected) = expected {
        let clicks = answer["total"]["clicks"].as_u64();
        ensure!(clicks == Some(expected), "{path} tells {clicks:?} clicks, not {expected}");
    }
    let deadline = Instant::now() + Duration::from_secs(options.seconds.into());
    let (mut took, cpu) = cpu_during(&service.servers(), || {
        let mut took = Vec::new();
        while took.len() < FEWEST || Instant::now() < deadline {
            took.push(service.client.ask(key, path)?.1.as_secs_f64() * 1e3);
        }
        Ok(took)
    })?;
    let requests = took.len();
    let median_ms = median(&mut took);
    let p99_ms = took[(requests * 99 / 100).min(requests - 1)];
    let cpu_ms = cpu.iter().sum::<Duration>().as_secs_f64() * 1e3 / requests as f64;
    Ok(Latency { requests, median_ms, p99_ms, cpu_ms })
}

/// A UTC day as the API reads it: 2026-11-23. Hinnant: civil_from_days.
fn date(day: u32) -> String {
    let shifted = u64::from(day) + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_dates() {
        let dates = [0, 58, 59, 11_016, 20_780].map(date);
        assert_eq!(dates, ["1970-01-01", "1970-02-28", "1970-03-01", "2000-02-29", "2026-11-23"]);
    }

    #[test]
    fn a_day_has_as_many_clicks_as_asked_for() {
        let codes = ["a", "b"].map(|code| Code::parse(code).unwrap());
        let rows = a_day_of(&codes, 0, 20_000, 10, &Readers::new());
        assert_eq!(rows.len(), 2);
        for row in rows.values() {
            assert_eq!(row.cells().map(|(_, cell)| cell.count.clicks()).sum::<u64>(), 10);
        }
    }
}
