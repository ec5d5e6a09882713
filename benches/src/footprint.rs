//! The rows without load: memory and start.

use std::time::{Duration, Instant};

use anyhow::Context;

use crate::client::BATCH;
use crate::options::{Options, Row};
use crate::report::{Report, median};
use crate::servers::{Cache, Redis, Service};
use crate::urls::{MEAN, look_alike};

/// How often the service is asked whether it has counted what was followed.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// Row f: what Redis needs for a link with its indexes, and for its counter.
pub(crate) fn redis_memory(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    eprintln!("measuring: {}", Report::name(Row::RedisMemory));
    let folder = tempfile::tempdir()?;
    let redis = Redis::start(options, &folder.path().join("redis"))?;
    let service = Service::start(options, folder.path(), Some(redis), Cache::Default)?;
    let redis = service.redis.as_ref().context("started with Redis")?;
    let empty = redis.used_memory()?;
    let mut codes = Vec::with_capacity(options.links);
    for_each_batch(options.links, |urls| {
        codes.extend(service.client.mint_batch(urls)?);
        Ok(())
    })?;
    let linked = redis.used_memory()?;
    let refusals = service.client.follow_all(&codes)?;
    service.client.await_counted(options.links as u64, Instant::now(), ASK_EVERY)?;
    let counted = redis.used_memory()?;
    let a_link = |bytes: u64| bytes.saturating_sub(empty) as f64 / options.links as f64;
    report.figure(Row::RedisMemory, a_link(counted));
    report.note(format!(
        "Redis memory: {} links of {MEAN} bytes on average, minted in batches; {:.1} bytes each \
         before any was followed, {:.1} after each was followed once, as fast as the \
         service answers; on the way {refusals} redirects were refused (503) and repeated",
        options.links,
        a_link(linked),
        a_link(counted)
    ));
    Ok(())
}

/// Row g: memory of the service with its links in the embedded store.
pub(crate) fn service_memory(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    eprintln!("measuring: {}", Report::name(Row::ServiceMemory));
    let folder = tempfile::tempdir()?;
    let service = Service::start(options, folder.path(), None, Cache::Default)?;
    let mut codes = Vec::with_capacity(options.links);
    for_each_batch(options.links, |urls| {
        codes.extend(service.client.mint_batch(urls)?);
        Ok(())
    })?;
    let (minted, _) = service.server.memory()?;
    let refusals = service.client.follow_all(&codes)?;
    anyhow::ensure!(refusals == 0, "{refusals} redirects were refused (503)");
    service.client.await_counted(options.links as u64, Instant::now(), ASK_EVERY)?;
    let (followed, peak) = service.server.memory()?;
    drop(service);
    let again = Service::start(options, folder.path(), None, Cache::Default)?;
    let (restarted, _) = again.server.memory()?;
    let mb = |bytes: u64| bytes as f64 / 1e6;
    report.figure(Row::ServiceMemory, mb(followed));
    report.note(format!(
        "Service memory, resident: {} links: {:.0} MB once minted, {:.0} MB once each was followed, \
         {:.0} MB at its peak; killed and started again in {:.0} ms: {:.0} MB",
        options.links,
        mb(minted),
        mb(followed),
        mb(peak),
        again.started_in.as_secs_f64() * 1e3,
        mb(restarted)
    ));
    Ok(())
}

/// Row h: from the start of the process to its first answer, with the embedded store.
pub(crate) fn start(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    eprintln!("measuring: {}", Report::name(Row::Start));
    let folder = tempfile::tempdir()?;
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    let first = Service::start(options, folder.path(), None, Cache::Default)?;
    let first_start = millis(first.started_in);
    for_each_batch(options.codes, |urls| first.client.mint_batch(urls).map(|_| ()))?;
    drop(first);
    let mut starts = Vec::new();
    for _ in 0..options.rounds {
        let service = Service::start(options, folder.path(), None, Cache::Default)?;
        starts.push(millis(service.started_in));
    }
    report.figure(Row::Start, median(&mut starts));
    report.note(format!(
        "Start: {first_start:.0} ms into an empty folder; {:.0} to {:.0} ms with {} links, killed \
         before",
        starts[0],
        starts[starts.len() - 1],
        options.codes
    ));
    Ok(())
}

fn for_each_batch(
    links: usize,
    mut mint: impl FnMut(&[String]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for first in (0..links).step_by(BATCH) {
        let urls: Vec<String> = (first..links.min(first + BATCH)).map(look_alike).collect();
        mint(&urls)?;
    }
    Ok(())
}
