//! The rows that are measured under load, in turn, each against a floor measured right before it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::client::BATCH;
use crate::load::{Load, Outcome};
use crate::options::{Options, Row};
use crate::process::{Server, cpu_during};
use crate::report::{Measured, Report};
use crate::servers::{Cache, Redis, Service, start_floor};
use crate::urls::look_alike;

/// How often a service is asked whether it has counted what it was sent: rarely, since the answer costs
/// it something as well.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// A service with what is sent to it.
struct Candidate {
    row: Row,
    service: Service,
    load: Load,
    /// Redirects that were answered; no mints.
    followed: u64,
    runs: u64,
}

/// Measures the floor and those of rows b to e that are wanted.
pub(crate) fn measure(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let rows = [Row::HotEmbedded, Row::HotRedis, Row::ColdRedis, Row::MintRedis];
    let rows: Vec<Row> = rows.into_iter().filter(|row| options.wants(*row)).collect();
    if rows.is_empty() && !options.wants(Row::Floor) {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let mut candidates = Vec::new();
    for row in rows {
        eprintln!("preparing: {}", Report::name(row));
        let prepared = Candidate::prepare(options, row, folder.path());
        candidates.push(prepared.with_context(|| Report::name(row))?);
    }
    let (floor, port) = start_floor(options, folder.path())?;
    let codes: Vec<String> = (0..options.codes).map(|n| format!("{n:06}")).collect();
    let floor_load = Load::follow(&codes, &folder.path().join("floor"))?;
    for round in 1..=options.rounds {
        let measure_floor = || {
            let send = || floor_load.send(options, port, 0);
            let (outcome, cpu) = cpu_during(&[&floor], send)?;
            anyhow::Ok(Measured::new(outcome, cpu[0], cpu[0]))
        };
        if candidates.is_empty() {
            report.add_floor(measure_floor()?);
        }
        for candidate in &mut candidates {
            eprintln!("round {round} of {}: {}", options.rounds, Report::name(candidate.row));
            let floor = measure_floor()?;
            let measured = candidate.measure(options)?;
            report.add(candidate.row, measured, floor);
        }
    }
    candidates.iter().try_for_each(|candidate| candidate.check(options, report))
}

impl Candidate {
    /// Starts the service and what it needs; mints what will be followed, and follows it once.
    fn prepare(options: &Options, row: Row, folder: &Path) -> anyhow::Result<Self> {
        let folder = folder.join(format!("{row:?}"));
        let redis = match row {
            Row::HotEmbedded => None,
            _ => Some(Redis::start(options, &folder.join("redis"))?),
        };
        let cache = if row == Row::ColdRedis { Cache::Off } else { Cache::Default };
        let service = Service::start(options, &folder, redis, cache)?;
        let mut followed = 0;
        let load = if row == Row::MintRedis {
            Load::mint(options, &folder)?
        } else {
            let urls: Vec<String> = (0..options.codes).map(look_alike).collect();
            let mut codes = Vec::with_capacity(urls.len());
            for some in urls.chunks(BATCH) {
                codes.extend(service.client.mint_batch(some)?);
            }
            let refusals = service.client.follow_all(&codes)?;
            ensure!(refusals == 0, "{refusals} redirects were refused (503)");
            followed = codes.len() as u64;
            Load::follow(&codes, &folder)?
        };
        Ok(Self { row, service, load, followed, runs: 0 })
    }

    fn measure(&mut self, options: &Options) -> anyhow::Result<Measured> {
        let servers: Vec<&Server> = self.service.servers();
        let send = || {
            let outcome = self.load.send(options, self.service.port, self.runs)?;
            if self.row != Row::MintRedis {
                let clicks = self.followed + outcome.requests;
                self.service.client.await_counted(clicks, Instant::now(), ASK_EVERY)?;
            }
            anyhow::Ok(outcome)
        };
        let (outcome, cpu): (Outcome, _) = cpu_during(&servers, send)?;
        self.runs += 1;
        self.followed += if self.row == Row::MintRedis { 0 } else { outcome.requests };
        Ok(Measured::new(outcome, cpu.iter().sum(), cpu[0]))
    }

    /// What was measured must have been done: every redirect counted, every mint new.
    fn check(&self, options: &Options, report: &mut Report) -> anyhow::Result<()> {
        let name = Report::name(self.row);
        if self.row == Row::MintRedis {
            let again = self.service.client.mint(&look_alike(0))?;
            let twice = self.service.client.mint(&look_alike(0))?;
            ensure!((again, twice) == (201, 200), "{name}: minting answers {again}, then {twice}");
            return Ok(());
        }
        let audit = self.service.client.audit()?;
        // wrk leaves at most one request a connection unread when it stops; it is a click.
        let unread = self.runs * options.connections as u64;
        let expected = self.followed..=self.followed + unread;
        ensure!(
            expected.contains(&audit.accepted) && audit.lost == 0,
            "{name}: {} redirects, but {} clicks accepted and {} lost",
            self.followed,
            audit.accepted,
            audit.lost
        );
        report.note(format!(
            "{name}: {} redirects read by wrk, {} clicks accepted, {} counted",
            self.followed, audit.accepted, audit.counted
        ));
        Ok(())
    }
}
