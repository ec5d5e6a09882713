//! `slugline stats`: a link's clicks.

use std::process::ExitCode;

use anyhow::Context;
use clap::ValueEnum;
use serde::Deserialize;
use serde_json::Value;

use super::client::{Remote, with_service};
use super::{Options, block_on, output};
use crate::model::code::Code;

/// Shown below the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  slugline stats 8yDbrB
  slugline stats https://go.example.org/8yDbrB --by hour --tz Europe/Prague
  slugline stats 8yDbrB --from 2026-11-01 --to 2026-12-01 --json

To a pipe, it writes tab-separated lines: each period with its clicks, then `total`.";

/// Rows shown when no window is asked for.
const LAST_ROWS: usize = 14;
/// Characters of the longest bar.
const BAR: u64 = 30;

/// Which clicks.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The link's code, or its short URL
    code: String,
    /// First moment or day [default: what the service thinks sensible]
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// The moment or day before which it ends
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Length of a period
    #[arg(long, value_enum, default_value_t = By::Day)]
    by: By,
    /// Time zone in which days begin: Europe/Prague [default: UTC]
    #[arg(long, value_name = "ZONE")]
    tz: Option<String>,
    /// Print the service's answer as it is
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

/// The length of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    Hour,
    Day,
    Month,
}

impl By {
    fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// That part of a period's start which tells it from others: of RFC 3339, in its own zone.
    fn label(self, start: &str) -> String {
        let length = match self {
            Self::Hour => 16,
            Self::Day => 10,
            Self::Month => 7,
        };
        start.get(..length).unwrap_or(start).replace('T', " ")
    }
}

#[derive(Deserialize)]
struct Stats {
    from: String,
    to: String,
    tz: String,
    total: Total,
    series: Vec<Period>,
}

#[derive(Deserialize)]
struct Total {
    clicks: u64,
}

#[derive(Deserialize)]
struct Period {
    start: String,
    clicks: u64,
}

/// Shows them.
///
/// # Errors
/// When there is no such link, or the service cannot be reached.
pub fn run(args: &Args, options: &Options) -> anyhow::Result<ExitCode> {
    let code = code_of(&args.code)?;
    let mut query = vec![("by", args.by.name())];
    for (name, value) in [("from", &args.from), ("to", &args.to), ("tz", &args.tz)] {
        query.extend(value.as_deref().map(|value| (name, value)));
    }
    let path = format!("/api/v1/links/{code}/stats");
    let answer = block_on(with_service(&args.remote, options, async |client| {
        Ok(client.get(&path, &query).await?)
    }))?;
    show(args, &code, &answer)?;
    Ok(ExitCode::SUCCESS)
}

/// The code in a code or in a short URL.
fn code_of(text: &str) -> anyhow::Result<Code> {
    let path = match url::Url::parse(text) {
        Ok(url) if text.contains("://") => url.path().trim_start_matches('/').to_owned(),
        _ => text.to_owned(),
    };
    Code::parse(&path).with_context(|| format!("{text:?} is neither a code nor a short URL"))
}

fn show(args: &Args, code: &Code, answer: &Value) -> anyhow::Result<()> {
    if args.json {
        output::line(answer)?;
        return Ok(());
    }
    let stats = Stats::deserialize(answer).context("the service's answer can't be read")?;
    let skip = match args.from {
        None => stats.series.len().saturating_sub(LAST_ROWS),
        Some(_) => 0,
    };
    let series = &stats.series[skip..];
    if !output::on_terminal() {
        let rows =
            series.iter().map(|period| vec![period.start.clone(), period.clicks.to_string()]);
        output::table(&[], rows.collect())?;
        output::line(format_args!("total\t{}", stats.total.clicks))?;
        return Ok(());
    }
    let most = series.iter().map(|period| period.clicks).max().unwrap_or(0);
    let rows = series.iter().map(|period| {
        let label = args.by.label(&period.start);
        vec![label, format!("{:>8}", period.clicks), bar(period.clicks, most)]
    });
    output::table(&[args.by.name(), "  clicks", ""], rows.collect())?;
    let Stats { from, to, tz, total, .. } = stats;
    output::line(format_args!("{code}: {} clicks from {from} to {to} ({tz})", total.clicks))?;
    Ok(())
}

/// A bar as long as `clicks` are many, down to an eighth of a character.
fn bar(clicks: u64, most: u64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let share = u128::from(clicks) * u128::from(BAR * 8) / u128::from(most.max(1));
    let eighths = usize::try_from(share).unwrap_or(0).max(usize::from(clicks > 0));
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_from_a_short_url_too() {
        for text in ["8yDbrB", "https://go.example.org/8yDbrB", "http://127.0.0.1:8080/8yDbrB"] {
            assert_eq!(code_of(text).unwrap().as_str(), "8yDbrB");
        }
        assert_eq!(code_of("https://go.example.org/fb/AbC1").unwrap().as_str(), "fb/AbC1");
        assert!(code_of("https://go.example.org/").is_err());
        assert!(code_of("no code").is_err());
    }

    #[test]
    fn the_longest_bar_is_full_and_a_single_click_is_seen() {
        assert_eq!(bar(50, 50).chars().count(), 30);
        assert_eq!(bar(1, 1_000_000), "▏");
        assert_eq!(bar(0, 0), "");
        assert_eq!(bar(u64::MAX, u64::MAX).chars().count(), 30);
    }

    #[test]
    fn a_period_is_named_by_what_tells_it_from_others() {
        let start = "2026-11-23T06:00:00+01:00";
        let labels = [By::Hour, By::Day, By::Month].map(|by| by.label(start));
        assert_eq!(labels, ["2026-11-23 06:00", "2026-11-23", "2026-11"]);
    }
}
