//! The row about importing: a dead shortener's codes come in, as fast as the service takes them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{anyhow, ensure};

use crate::client::BATCH;
use crate::options::{Options, Row, StoreKind};
use crate::process::cpu_during;
use crate::report::{Report, median};
use crate::servers::{Cache, Redis, Service};
use crate::urls::look_alike;

/// Requests under way at the same time, as many as the service takes: half are read while the others
/// are written together.
const AT_ONCE: usize = 16;
/// Characters in a code.
const CODE_LENGTH: u32 = 6;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Row n: links imported in a second, into an empty store.
pub(crate) fn measure(
    options: &Options,
    kind: StoreKind,
    report: &mut Report,
) -> anyhow::Result<()> {
    eprintln!("measuring: {}, {}", Report::name(Row::Import), kind.name());
    let bodies: Vec<String> = (0..options.imported)
        .step_by(BATCH)
        .map(|first| (first..options.imported.min(first + BATCH)).map(line).collect())
        .collect();
    let (mut rates, mut again, mut cpu_us, mut early, mut peak) =
        (vec![], vec![], vec![], 0.0, 0.0);
    for _ in 0..options.rounds {
        let folder = tempfile::tempdir()?;
        let redis = match kind {
            StoreKind::Embedded => None,
            StoreKind::Redis => Some(Redis::start(options, &folder.path().join("redis"))?),
        };
        let service = Service::start(options, folder.path(), redis, Cache::Default)?;
        let mb = || anyhow::Ok(service.server.memory()?.1 as f64 / 1e6);
        let tenth = bodies.len().div_ceil(10);
        let a_link = |time: Duration| time.as_secs_f64() / options.imported as f64;
        let (took, cpu) = cpu_during(&service.servers(), || {
            let first = import(&service, &bodies[..tenth], Outcome::Imported)?;
            early = mb()?.max(early);
            Ok(first + import(&service, &bodies[tenth..], Outcome::Imported)?)
        })?;
        rates.push(1.0 / a_link(took));
        cpu_us.push(1e6 * a_link(cpu.into_iter().sum()));
        peak = mb()?.max(peak);
        again.push(1.0 / a_link(import(&service, &bodies, Outcome::Existing)?));
    }
    report.figure_of(Row::Import, kind.name(), median(&mut rates));
    report.note(format!(
        "{}, {}: {} links in {} requests, {AT_ONCE} at a time, into an empty store, {} times: {:.0} \
         to {:.0} links a second; processor time of all servers {:.1} µs a link (median); memory of \
         the service at its peak {early:.0} MB after a tenth of them, {peak:.0} MB after all; the same \
         once more, when all were there: {:.0} a second (median)",
        Report::name(Row::Import),
        kind.name(),
        options.imported,
        bodies.len(),
        options.rounds,
        rates[0],
        rates[rates.len() - 1],
        median(&mut cpu_us),
        median(&mut again),
    ));
    Ok(())
}

/// What shall become of every line.
#[derive(Clone, Copy)]
enum Outcome {
    Imported,
    Existing,
}

/// Sends all bodies; how long it took.
fn import(service: &Service, bodies: &[String], expected: Outcome) -> anyhow::Result<Duration> {
    let (next, start) = (AtomicUsize::new(0), Instant::now());
    let send = || {
        while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
            let report = service.client.import(body)?;
            let count = match expected {
                Outcome::Imported => &report["imported"],
                Outcome::Existing => &report["existing"],
            };
            let lines = body.lines().count() as u64;
            ensure!(count.as_u64() == Some(lines), "{lines} lines became {count}: {report}");
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(send)).collect();
        let join = |sender: std::thread::ScopedJoinHandle<'_, anyhow::Result<()>>| {
            sender.join().map_err(|_| anyhow!("a sender panicked"))?
        };
        senders.into_iter().map(join).collect::<anyhow::Result<Vec<()>>>()
    })?;
    Ok(start.elapsed())
}

/// A line of the import: a code like no other's, in no order.
fn line(n: usize) -> String {
    format!("{{\"code\":\"{}\",\"target\":\"{}\"}}\n", code(n), look_alike(n))
}

fn code(n: usize) -> String {
    // Odd and not divisible by 31: each number gets another code.
    const STEP: u64 = 40_610_316_089;
    let of = 62_u64.pow(CODE_LENGTH);
    let scattered = u128::from(STEP) * n as u128 % u128::from(of);
    let digit = |place: u32| {
        let digit = scattered / 62_u128.pow(place) % 62;
        char::from(BASE62[usize::try_from(digit).unwrap_or(0)])
    };
    (0..CODE_LENGTH).map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_comes_once() {
        let codes: std::collections::BTreeSet<String> = (0..100_000).map(code).collect();
        assert_eq!(codes.len(), 100_000);
        assert!(codes.iter().all(|code| code.len() == 6));
    }
}
