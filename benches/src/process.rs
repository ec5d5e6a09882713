//! Servers as child processes: started, awaited, measured, and ended with this program.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// How long a server may take to answer after its start.
const START: Duration = Duration::from_secs(30);
/// How long a server may go on working after the load has ended.
const SETTLE: Duration = Duration::from_secs(10);
/// A server that uses less than [`IDLE_TICKS`] in this time is done with what it was asked for. The
/// service rolls clicks up every half second.
const QUIET: Duration = Duration::from_millis(700);
const IDLE_TICKS: u64 = 1;
/// The unit of processor time in `/proc`: `sysconf(_SC_CLK_TCK)`, 100 on every Linux since 2.4.
const TICK: Duration = Duration::from_millis(10);

/// A running server. Dropping it kills it.
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts `command`; what it prints goes into `log`.
    pub(crate) fn start(command: &mut Command, log: PathBuf) -> anyhow::Result<Self> {
        let output = File::create(&log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().with_context(|| format!("{command:?} does not start"))?;
        Ok(Self { child, log })
    }

    /// Waits until something listens on `port`, and `ready` says so.
    pub(crate) fn await_port(&mut self, port: u16, ready: impl Fn() -> bool) -> anyhow::Result<()> {
        let deadline = Instant::now() + START;
        loop {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() && ready() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status}:\n{}", self.log_tail());
            }
            if Instant::now() > deadline {
                bail!("the server is not ready after {START:?}:\n{}", self.log_tail());
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn log_tail(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Processor time of the process with all its threads and ended children, in user and kernel.
    fn ticks(&self) -> anyhow::Result<u64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name, in brackets, may hold spaces; utime, stime, cutime, cstime are fields 14 to 17.
        let (_, fields) = stat.rsplit_once(')').context("no /proc/PID/stat")?;
        let ticks = fields.split_ascii_whitespace().skip(11).take(4).map(str::parse::<u64>);
        Ok(ticks.sum::<Result<u64, _>>()?)
    }

    /// Processor time of the threads of this name, so far, in user and kernel.
    pub(crate) fn thread_cpu(&self, name: &str) -> anyhow::Result<Duration> {
        let mut ticks = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let stat = fs::read_to_string(task?.path().join("stat"))?;
            let (head, fields) = stat.rsplit_once(')').context("no stat of a thread")?;
            if head.split_once('(').is_some_and(|(_, comm)| comm == name) {
                let used = fields.split_ascii_whitespace().skip(11).take(2).map(str::parse::<u64>);
                ticks += used.sum::<Result<u64, _>>()?;
            }
        }
        Ok(TICK * u32::try_from(ticks)?)
    }

    /// Processor time of the process, so far, in user and kernel.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        Ok(TICK * u32::try_from(self.ticks()?)?)
    }

    /// Memory in use and the most there ever was, in bytes.
    pub(crate) fn memory(&self) -> anyhow::Result<(u64, u64)> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            let kib: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
            Some(kib * 1024)
        };
        bytes("VmRSS:").zip(bytes("VmHWM:")).context("no VmRSS in /proc/PID/status")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor time used by each of `servers` while `work` runs, and after it until they are idle
/// again: what is put off is counted, too.
pub(crate) fn cpu_during<T>(
    servers: &[&Server],
    work: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<(T, Vec<Duration>)> {
    let ticks = || servers.iter().map(|server| server.ticks()).collect::<anyhow::Result<Vec<_>>>();
    let before = ticks()?;
    let done = work()?;
    let deadline = Instant::now() + SETTLE;
    let mut last = ticks()?;
    loop {
        thread::sleep(QUIET);
        let now = ticks()?;
        let used = now.iter().sum::<u64>() - last.iter().sum::<u64>();
        last = now;
        if used <= IDLE_TICKS || Instant::now() > deadline {
            break;
        }
    }
    let time = |ticks: u64| TICK * u32::try_from(ticks).unwrap_or(u32::MAX);
    Ok((done, last.iter().zip(&before).map(|(after, before)| time(after - before)).collect()))
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
