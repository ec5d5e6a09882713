//! The row about counting: a journal full of clicks, and a service that catches up with it.

use std::time::{Duration, Instant, SystemTime};

use anyhow::ensure;
use slugline::model::click::Click;
use slugline::store::journal::Journal;

use crate::load::Zipf;
use crate::options::{Options, Row, StoreKind};
use crate::readers::{Random, Readers};
use crate::report::{Report, median};
use crate::servers::{Cache, Service};
use crate::stats::mint;

/// The name of the thread that counts.
const THREAD: &str = "rollup";
/// Bytes of a file of the journal: the service's default.
const SEGMENT: u64 = 32 << 20;
/// Over how long the clicks are spread, up to now.
const SPREAD: Duration = Duration::from_secs(600);
/// How often the service is asked whether it is done.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// Row l: clicks counted in a second of processor time of the thread that counts.
pub(crate) fn measure(
    options: &Options,
    kind: StoreKind,
    report: &mut Report,
) -> anyhow::Result<()> {
    eprintln!("measuring: {}, {}", Report::name(Row::Rollup), kind.name());
    let folder = tempfile::tempdir()?;
    let (codes, mut redis) = mint(options, kind, folder.path(), options.codes)?;
    let (mut by_thread, mut by_servers, mut by_clock) = (vec![], vec![], vec![]);
    for round in 0..options.rounds {
        let journal = Journal::open(&folder.path().join("data/journal"), SEGMENT, false)?;
        append(&journal, &codes, options.backlog, u64::from(round))?;
        drop(journal);
        let start = Instant::now();
        let service = Service::start(options, folder.path(), redis.take(), Cache::Default)?;
        let clock = service.client.await_counted(options.backlog, start, ASK_EVERY)?;
        let a_second = |time: Duration| options.backlog as f64 / time.as_secs_f64().max(1e-3);
        by_thread.push(a_second(service.server.thread_cpu(THREAD)?));
        let servers = service.servers().into_iter();
        let before = Duration::ZERO;
        let all = servers
            .map(crate::process::Server::cpu)
            .try_fold(before, |sum, cpu| anyhow::Ok(sum + cpu?))?;
        by_servers.push(a_second(all));
        by_clock.push(a_second(clock));
        let audit = service.client.audit()?;
        ensure!(
            audit.accepted == options.backlog * u64::from(round + 1)
                && audit.counted == audit.accepted,
            "{} clicks accepted, {} counted",
            audit.accepted,
            audit.counted
        );
        redis = service.kill();
    }
    report.figure_of(Row::Rollup, kind.name(), median(&mut by_thread));
    report.note(format!(
        "{}, {}: {} clicks on {} links waiting in the journal, counted {} times; a second of the \
         counting thread's processor time {:.0} to {:.0} clicks, of all servers' {:.0}, of the \
         clock {:.0} (medians; the start included)",
        Report::name(Row::Rollup),
        kind.name(),
        options.backlog,
        codes.len(),
        options.rounds,
        by_thread[0],
        by_thread[by_thread.len() - 1],
        median(&mut by_servers),
        median(&mut by_clock),
    ));
    Ok(())
}

/// Fills the journal, on one lane a worker.
fn append(journal: &Journal, codes: &[String], clicks: u64, round: u64) -> anyhow::Result<()> {
    let (readers, zipf) = (Readers::new(), Zipf::new(codes.len()));
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let first = i64::try_from((now - SPREAD).as_millis())?;
    let mut lanes = [journal.writer()?, journal.writer()?];
    for n in 0..clicks {
        let number = round * clicks + n;
        let later = u128::from(n) * SPREAD.as_millis() / u128::from(clicks);
        let click = Click {
            at_ms: first + i64::try_from(later)?,
            code: &codes[zipf.draw(Random(number).share())],
            source: readers.source(number),
        };
        lanes[usize::from(n % 2 == 1)].append(&click)?;
    }
    Ok(())
}
