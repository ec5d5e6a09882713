//! Readers who click all the time and remember what became of every click.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Connection, Random, until};

/// Between two clicks of a reader, so that the machine has time for the service as well.
const PAUSE: Duration = Duration::from_millis(1);

/// What readers know of their clicks, by code.
#[derive(Debug, Default)]
pub struct Seen {
    /// The redirect came: the click must be counted.
    pub acknowledged: BTreeMap<String, u64>,
    /// The connection broke before the answer: the click may be counted.
    pub unknown: BTreeMap<String, u64>,
    /// The service said that it can't look the code up: no click.
    pub refused: u64,
}

/// Readers at work, each with a connection of its own.
pub struct Readers {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
    threads: Vec<JoinHandle<Seen>>,
}

impl Readers {
    /// So many readers begin to click on `codes`.
    pub fn start(port: u16, codes: &[String], connections: usize, random: &mut Random) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let acknowledged = Arc::new(AtomicU64::new(0));
        let reader = |_| {
            let mut reader = Reader {
                port,
                codes: codes.to_vec(),
                random: random.fork(),
                stop: Arc::clone(&stop),
                acknowledged: Arc::clone(&acknowledged),
                seen: Seen::default(),
            };
            thread::spawn(move || {
                reader.click_until_stopped();
                reader.seen
            })
        };
        let threads = (0..connections).map(reader).collect();
        Self { stop, acknowledged, threads }
    }

    /// Clicks that got their redirect so far.
    pub fn acknowledged(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.acknowledged)
    }

    /// Waits until so many more clicks got their redirect.
    pub fn wait_for(&self, more: u64) {
        let goal = self.acknowledged.load(Ordering::Acquire) + more;
        until("readers to get their redirects", || {
            // One that ended has failed: `stop` says why.
            self.threads.iter().any(JoinHandle::is_finished)
                || self.acknowledged.load(Ordering::Acquire) >= goal
        });
    }

    /// Ends them and asks what they saw.
    pub fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Release);
        let mut all = Seen::default();
        for thread in self.threads {
            all.add(thread.join().unwrap_or_else(|e| std::panic::resume_unwind(e)));
        }
        all
    }
}

impl Seen {
    /// All clicks that got their redirect.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.values().sum()
    }

    /// All clicks of which nobody knows.
    pub fn unknown(&self) -> u64 {
        self.unknown.values().sum()
    }

    /// Puts what others saw to it.
    pub fn add(&mut self, others: Self) {
        for (code, clicks) in others.acknowledged {
            *self.acknowledged.entry(code).or_default() += clicks;
        }
        for (code, clicks) in others.unknown {
            *self.unknown.entry(code).or_default() += clicks;
        }
        self.refused += others.refused;
    }
}

struct Reader {
    port: u16,
    codes: Vec<String>,
    random: Random,
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
    seen: Seen,
}

impl Reader {
    fn click_until_stopped(&mut self) {
        while !self.stop.load(Ordering::Acquire) {
            match Connection::open(self.port) {
                Ok(connection) => self.click_on(connection),
                // Nobody is there; so nobody heard us.
                Err(_) => thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    /// Clicks until told to stop, or until the connection breaks.
    fn click_on(&mut self, mut connection: Connection) {
        while !self.stop.load(Ordering::Acquire) {
            let code = self.random.pick(&self.codes).clone();
            let Ok(answer) = connection.ask("GET", &format!("/{code}")) else {
                *self.seen.unknown.entry(code).or_default() += 1;
                return;
            };
            match answer.status {
                302 => {
                    *self.seen.acknowledged.entry(code).or_default() += 1;
                    self.acknowledged.fetch_add(1, Ordering::AcqRel);
                }
                503 => self.seen.refused += 1,
                _ => panic!("a reader got {answer:?}"),
            }
            thread::sleep(PAUSE);
        }
    }
}
