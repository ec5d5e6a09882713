//! wrk, and the scripts it runs.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::client::KEY;
use crate::options::Options;
use crate::urls::{self, mixed};

/// Draws of codes before their order begins again.
const DRAWS: u64 = 200_000;
/// Numbers set aside for one run of minting, in each thread.
const NUMBERS_A_RUN: u64 = 2_000_000;

const DONE: &str = include_str!("done.lua");

/// What wrk says of one run.
#[derive(Clone, Copy)]
pub(crate) struct Outcome {
    pub(crate) requests: u64,
    pub(crate) seconds: f64,
    pub(crate) p50_us: u64,
    pub(crate) p99_us: u64,
}

/// A kind of request, ready to be sent in bulk.
pub(crate) struct Load {
    script: PathBuf,
    arguments: Vec<String>,
    mints: bool,
}

impl Load {
    /// Readers that follow `codes`, the first one most: Zipf's law with exponent 1.
    pub(crate) fn follow(codes: &[String], folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let (list, order) = (folder.join("codes.txt"), folder.join("order.txt"));
        fs::write(&list, codes.join("\n"))?;
        fs::write(&order, zipf(codes.len()))?;
        let script = script(folder, "follow.lua", include_str!("follow.lua"))?;
        let arguments = vec![list.display().to_string(), order.display().to_string()];
        Ok(Self { script, arguments, mints: false })
    }

    /// Publishers that mint distinct links of real addresses, or of look-alikes.
    pub(crate) fn mint(options: &Options, folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let list = folder.join("urls.txt");
        fs::write(&list, urls::to_be_numbered(options.urls.as_deref())?.join("\n"))?;
        let script = script(folder, "mint.lua", include_str!("mint.lua"))?;
        Ok(Self { script, arguments: vec![list.display().to_string()], mints: true })
    }

    /// Sends it to `port` for as long as the options say. `run` counts the runs at this port, so
    /// that no address is minted twice.
    pub(crate) fn send(&self, options: &Options, port: u16, run: u64) -> anyhow::Result<Outcome> {
        let mut command = Command::new("wrk");
        command.arg(format!("-t{}", options.threads)).arg(format!("-c{}", options.connections));
        command.arg(format!("-d{}s", options.seconds)).arg("-s").arg(&self.script);
        command.arg(format!("http://127.0.0.1:{port}/")).arg("--").args(&self.arguments);
        if self.mints {
            command.args([(run * NUMBERS_A_RUN).to_string(), KEY.to_owned()]);
        }
        let output = command.output().context("wrk does not start")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let result = text.lines().find_map(|line| line.strip_prefix("RESULT "));
        let complaint = || format!("wrk says: {text}{}", String::from_utf8_lossy(&output.stderr));
        let result: Value = serde_json::from_str(result.with_context(complaint)?)?;
        let figure = |name: &str| result[name].as_u64().with_context(complaint);
        ensure!(figure("refused")? == 0, "{} requests were refused", figure("refused")?);
        ensure!(figure("broken")? == 0, "{} connections broke or timed out", figure("broken")?);
        ensure!(figure("requests")? > 0, "nothing was answered");
        Ok(Outcome {
            requests: figure("requests")?,
            seconds: figure("micros")? as f64 / 1e6,
            p50_us: figure("p50")?,
            p99_us: figure("p99")?,
        })
    }
}

fn script(folder: &Path, name: &str, text: &str) -> anyhow::Result<PathBuf> {
    let file = folder.join(name);
    fs::write(&file, [text, DONE].concat())?;
    Ok(file)
}

/// Zipf's law with exponent 1: the first is drawn most.
pub(crate) struct Zipf(Vec<f64>);

impl Zipf {
    /// Over so many.
    pub(crate) fn new(n: usize) -> Self {
        let mut sum = 0.0;
        let sums = (1..=n).map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        });
        Self(sums.collect())
    }

    /// The one at this share of all draws, from 0 to 1: a place from 0 on.
    pub(crate) fn draw(&self, share: f64) -> usize {
        let upto = share * self.0.last().copied().unwrap_or(0.0);
        self.0.partition_point(|sum| *sum <= upto).min(self.0.len() - 1)
    }
}

/// Ranks from 1 to `n`, one a line, each as often as Zipf's law says; the same in every run.
fn zipf(n: usize) -> String {
    let zipf = Zipf::new(n);
    let mut lines = String::new();
    for draw in 0..DRAWS {
        // 53 random bits: as many as a float has.
        let share = (mixed(draw) >> 11) as f64 / (1u64 << 53) as f64;
        // Writing into a text can't fail.
        let _ = writeln!(lines, "{}", 1 + zipf.draw(share));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_drawn_by_zipfs_law() {
        let text = zipf(10_000);
        let ranks: Vec<usize> = text.lines().map(|line| line.parse().unwrap()).collect();
        assert!(ranks.iter().all(|rank| (1..=10_000).contains(rank)));
        let share = |rank| ranks.iter().filter(|r| **r == rank).count() as f64 / DRAWS as f64;
        // The harmonic number of 10,000 is 9.7876.
        for rank in [1, 2, 10] {
            let expected = 1.0 / rank as f64 / 9.7876;
            assert!((share(rank) / expected - 1.0).abs() < 0.05, "{rank}: {}", share(rank));
        }
    }
}
