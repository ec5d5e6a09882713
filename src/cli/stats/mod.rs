//! `slugline stats`: clicks, people, bots and visitors over any window, and who they were.
//!
//! - [`question`]: what is asked for, as a path and a query of the API.
//! - [`answer`]: what the service says.
//! - [`page`]: the answer for a person; [`chart`] draws, [`plain`] is for pipes.
//! - [`delete`]: figures that shall be gone.

mod answer;
mod chart;
mod delete;
mod page;
mod plain;
mod question;

use std::process::ExitCode;

use anyhow::Context;
use clap::error::ErrorKind;
use clap::{CommandFactory, Subcommand};
use serde::Deserialize;
use serde_json::Value;

use super::client::{Client, Remote, with_service};
use super::{Cli, Options, block_on, output};
use answer::{Hits, Report, Top};
use page::Look;
use question::{Asked, Form, Format, Question, TopAsked, TopForm, Whose};

/// Shown below the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  slugline stats 8yDbrB                          a link, since it was minted
  slugline stats https://go.example.org/8yDbrB --last 24h --by hour
  slugline stats 8yDbrB --from 2026-11-01 --to 2026-12-01 --tz Europe/Prague
  slugline stats --tag politics --last 7d --compare
  slugline stats --article https://www.example.org/2026/budget
  slugline stats --site --last 30d --csv > series.csv
  slugline stats --site --last 30d --csv=referrers --limit 1000 > referrers.csv
  slugline stats top --last 2h --by people       what is read at this moment
  slugline stats orphans --last 7d               codes that lead nowhere, and who links to them
  slugline stats delete 8yDbrB                   forget what was counted for a link

Without a link or one of --article, --tag, --minted-by: the whole site. To a pipe, it writes
tab-separated lines: the start of each period, clicks, people, bots, visitors; then `total`; then
`imported`, clicks, as of when, of links that another shortener counted for before they came here.

Clicks are those of people and of bots. Visitors are different people within a day; over several
days they are summed, for nobody is recognised on another day. A link whose code is the name of a
command is shown by its short URL.";

/// Shown below the help of `top`.
const TOP_EXAMPLES: &str = "\
Examples:
  slugline stats top                              the last 30 days
  slugline stats top --last 2h --by people --limit 20
  slugline stats top --from 2026-11-01 --to 2026-12-01 --tz Europe/Prague --csv

To a pipe, it writes tab-separated lines: code, clicks, people, bots, visitors, target.";

/// Shown below the help of `orphans`.
const ORPHANS_EXAMPLES: &str = "\
Examples:
  slugline stats orphans --last 7d
  slugline stats orphans --last 30d --limit 100 --json | jq .hits

A code that was never minted, or was mistyped in print, is asked for all the same: this says which
codes, and the sites where the wrong address stands. To a pipe, it writes tab-separated lines: code,
site, clicks.";

/// Whose figures, or what to do with them.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    series: SeriesArgs,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Default, PartialEq, Eq, clap::Args)]
struct SeriesArgs {
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    asked: Asked,
    #[command(flatten)]
    form: Form,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the links with most clicks
    #[command(after_help = TOP_EXAMPLES)]
    Top {
        #[command(flatten)]
        asked: TopAsked,
        #[command(flatten)]
        form: TopForm,
    },
    /// Show requests for codes that lead nowhere
    #[command(after_help = ORPHANS_EXAMPLES)]
    Orphans {
        #[command(flatten)]
        asked: Asked,
        #[command(flatten)]
        form: Form,
    },
    /// Delete what was counted for one link; its tags, its key and the site keep theirs
    #[command(after_help = delete::EXAMPLES)]
    Delete(delete::Args),
}

/// Shows them.
///
/// # Errors
/// When the service refuses or cannot be reached.
pub fn run(args: &Args, options: &Options) -> anyhow::Result<ExitCode> {
    if args.action.is_some() && args.series != SeriesArgs::default() {
        let why = "options follow the command they belong to: slugline stats top --last 7d";
        return Err(Cli::command().error(ErrorKind::ArgumentConflict, why).into());
    }
    let (question, print): (Question, Print) = match &args.action {
        None => (args.series.asked.about(&args.series.whose, &args.series.form)?, report),
        Some(Action::Orphans { asked, form }) => (asked.about_orphans(form), orphans),
        Some(Action::Top { asked, form }) => (asked.question(*form), top),
        Some(Action::Delete(what)) => return delete::run(what, &args.remote, options),
    };
    let text = block_on(with_service(&args.remote, options, async |client| {
        ask(client, &question, print).await
    }))?;
    output::text(text)?;
    Ok(ExitCode::SUCCESS)
}

/// Makes text of an answer: for a person, or for a pipe.
type Print = fn(&Question, &Value) -> serde_json::Result<String>;

async fn ask(client: &Client, question: &Question, print: Print) -> anyhow::Result<String> {
    let query: Vec<(&str, &str)> =
        question.query.iter().map(|(name, value)| (*name, value.as_str())).collect();
    if question.format == Format::Csv {
        return Ok(client.get_text(&question.path, &query).await?);
    }
    let answer = client.get(&question.path, &query).await?;
    if question.format == Format::Json {
        return Ok(format!("{answer}\n"));
    }
    print(question, &answer).context("the service's answer can't be read")
}

fn report(question: &Question, answer: &Value) -> serde_json::Result<String> {
    let report = Report::deserialize(answer)?;
    Ok(match output::on_terminal() {
        true => page::of_report(question, &report, Look::of_terminal()),
        false => plain::lines(&report, question.rows),
    })
}

fn orphans(question: &Question, answer: &Value) -> serde_json::Result<String> {
    Ok(match output::on_terminal() {
        true => page::of_report(question, &Report::of_orphans(answer)?, Look::of_terminal()),
        false => plain::hit_lines(&Hits::deserialize(answer)?),
    })
}

fn top(question: &Question, answer: &Value) -> serde_json::Result<String> {
    let top = Top::deserialize(answer)?;
    Ok(match output::on_terminal() {
        true => page::of_top(question, &top, Look::of_terminal()),
        false => plain::top_lines(&top),
    })
}
