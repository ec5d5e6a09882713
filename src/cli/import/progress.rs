//! How far it is: a bar on a terminal, a line now and then for whoever keeps a log.

use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::output::{self, grouped};

/// How often a line is written where there is no terminal.
const PAUSE: Duration = Duration::from_secs(10);

/// What is shown of it. Clones show the same bar.
#[derive(Clone)]
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    /// Bytes of all inputs, if it is known.
    total: Option<u64>,
    begun: Instant,
    told: Instant,
}

impl Progress {
    /// For so many bytes; none: nobody knows.
    pub(super) fn of(total: Option<u64>) -> Self {
        let begun = Instant::now();
        let bar = io::stderr().is_terminal().then(|| bar(total));
        Self { bar, total, begun, told: begun }
    }

    /// So many lines have their answer, and so many bytes were read for them.
    pub(super) fn advance(&mut self, lines: u64, bytes: u64) {
        let rate = lines as f64 / self.begun.elapsed().as_secs_f64().max(0.001);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate")]
        let told = format!("{} lines, {}/s", grouped(lines), grouped(rate as u64));
        if let Some(bar) = &self.bar {
            bar.set_message(told);
            bar.set_position(bytes.min(self.total.unwrap_or(bytes)));
        } else if self.told.elapsed() >= PAUSE {
            self.told = Instant::now();
            let part = self.total.filter(|total| *total > 0).map_or_else(String::new, |total| {
                format!(", {} % of the input", 100 * bytes.min(total) / total)
            });
            output::note(format_args!("{told}{part}"));
        }
    }

    /// Writes a line that stays, above the bar.
    pub(super) fn note(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| output::note(text)),
            None => output::note(text),
        }
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => {
            (ProgressBar::new(total), "{msg} {wide_bar} {bytes} of {total_bytes}, {eta} left")
        }
        None => (ProgressBar::no_length(), "{msg}, {bytes} read"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
