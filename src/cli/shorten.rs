//! `slugline shorten`: mints links.

use std::io::{self, BufRead};
use std::process::ExitCode;

use clap::CommandFactory;
use clap::error::ErrorKind;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::client::{Client, Problem, Remote, with_service};
use super::{Cli, Options, block_on, output};

/// Shown below the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  slugline shorten 'https://example.org/a-story?utm_source=x'
  slugline shorten --code budget --tag politics https://example.org/2026/budget
  slugline shorten --host goo.example.net https://example.org/a-story
  slugline shorten - < urls.txt > short-urls.txt
  slugline shorten --json https://example.org/a-story | jq -r .code

Prints the short URL and nothing else. An article that has a link already gets that one, so the
command may be repeated. With several addresses, or `-` for one on each line of the input (empty
lines do not count), line n of the output belongs to address n: it is empty if the address was
refused, and the reason is told beside the output.";

/// Links in one request: the service's limit.
const BATCH_LINKS: usize = 10_000;
/// Bytes in one request, under the service's limit of 16 MiB.
const BATCH_BYTES: usize = 12 * 1024 * 1024;

/// What to mint.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Addresses to shorten; `-` reads them from the input
    #[arg(required = true, value_name = "URL")]
    urls: Vec<String>,
    /// Ask for this code
    #[arg(long)]
    code: Option<String>,
    /// Title, for people
    #[arg(long)]
    title: Option<String>,
    /// Label; may be given more than once
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// From then on it leads nowhere: 2026-12-31T23:00:00Z
    #[arg(long, value_name = "TIME")]
    expires_at: Option<String>,
    /// Status of the redirect: 301, 302, 307 or 308
    #[arg(long, value_name = "STATUS")]
    redirect: Option<u16>,
    /// Hand the reader's query string on to the target
    #[arg(long)]
    forward_query: bool,
    /// Keep campaign parameters in the landing address
    #[arg(long)]
    keep_tracking: bool,
    /// Mint a second code even if the article has one
    #[arg(long)]
    new_code: bool,
    /// Bind the link to this host of the service: on others its code is unknown
    #[arg(long)]
    host: Option<String>,
    /// Print each link as a line of JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

/// The part of a link that is printed.
#[derive(Deserialize)]
struct Link {
    short_url: String,
}

/// One row of a batch's answer.
#[derive(Deserialize)]
struct Row {
    link: Option<Link>,
    problem: Option<Problem>,
}

/// Mints.
///
/// # Errors
/// When an address is refused, or the service cannot be reached.
pub fn run(args: &Args, options: &Options) -> anyhow::Result<ExitCode> {
    let single = match args.urls.as_slice() {
        [url] if url != "-" => Some(url),
        _ => None,
    };
    if single.is_none() && args.code.is_some() {
        let why = "--code names one link: give one URL with it";
        return Err(Cli::command().error(ErrorKind::ArgumentConflict, why).into());
    }
    block_on(with_service(&args.remote, options, async |client| match single {
        Some(url) => mint(client, args, url).await,
        None => mint_all(client, args).await,
    }))?;
    Ok(ExitCode::SUCCESS)
}

async fn mint(client: &Client, args: &Args, url: &str) -> anyhow::Result<()> {
    let link = client.post("/api/v1/links", &args.wish(url)).await?;
    if args.json {
        output::line(link)?;
    } else {
        output::line(Link::deserialize(&link)?.short_url)?;
    }
    Ok(())
}

async fn mint_all(client: &Client, args: &Args) -> anyhow::Result<()> {
    let (mut done, mut refused) = (0, 0);
    let mut batch = Batch::default();
    for url in args.addresses() {
        let url = url?;
        if batch.is_full() {
            done += batch.links.len();
            refused += batch.mint(client, args, done).await?;
        }
        batch.add(&url, args);
    }
    done += batch.links.len();
    refused += batch.mint(client, args, done).await?;
    anyhow::ensure!(refused == 0, "{refused} of {done} addresses were refused");
    Ok(())
}

/// Links that are minted together.
#[derive(Default)]
struct Batch {
    links: Vec<Value>,
    bytes: usize,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.links.len() == BATCH_LINKS || self.bytes >= BATCH_BYTES
    }

    fn add(&mut self, url: &str, args: &Args) {
        let wish = args.wish(url);
        self.bytes += wish.to_string().len() + 1;
        self.links.push(wish);
    }

    /// Mints and prints them, `done` being the number of the last; says how many were refused.
    async fn mint(&mut self, client: &Client, args: &Args, done: usize) -> anyhow::Result<usize> {
        let Self { links, .. } = std::mem::take(self);
        if links.is_empty() {
            return Ok(0);
        }
        let first = done - links.len() + 1;
        let answer = client.post("/api/v1/links/batch", &json!({ "links": links })).await;
        let answer = answer.map_err(|error| {
            anyhow::Error::new(error).context(format!(
                "addresses from number {first} on are not known to be minted; it is safe to repeat"
            ))
        })?;
        let rows = answer["results"].as_array().map(Vec::as_slice).unwrap_or_default();
        anyhow::ensure!(rows.len() == links.len(), "the service answered with too few rows");
        let mut refused = 0;
        for (at, row) in rows.iter().enumerate() {
            refused += usize::from(!print(row, first + at, &links[at], args)?);
        }
        Ok(refused)
    }
}

/// Prints one row; says whether it is a link.
fn print(row: &Value, number: usize, wish: &Value, args: &Args) -> anyhow::Result<bool> {
    let Row { link, problem } = Row::deserialize(row)?;
    if let Some(problem) = &problem {
        output::note(format_args!("{number}: {}: {problem}", wish["url"].as_str().unwrap_or("")));
    }
    if args.json {
        output::line(row)?;
    } else {
        output::line(link.as_ref().map_or("", |link| &link.short_url))?;
    }
    Ok(link.is_some())
}

impl Args {
    /// The body of a request for one link.
    fn wish(&self, url: &str) -> Value {
        let mut wish = Map::new();
        let mut set = |name: &str, value: Value| _ = wish.insert(name.to_owned(), value);
        set("url", url.into());
        for (name, text) in [
            ("code", &self.code),
            ("title", &self.title),
            ("expires_at", &self.expires_at),
            ("host", &self.host),
        ] {
            if let Some(text) = text {
                set(name, text.as_str().into());
            }
        }
        if !self.tags.is_empty() {
            set("tags", self.tags.clone().into());
        }
        if let Some(status) = self.redirect {
            set("redirect", status.into());
        }
        for (name, on) in [
            ("forward_query", self.forward_query),
            ("keep_tracking", self.keep_tracking),
            ("new_code", self.new_code),
        ] {
            if on {
                set(name, true.into());
            }
        }
        Value::Object(wish)
    }

    /// All addresses asked for, read as they are needed.
    fn addresses(&self) -> impl Iterator<Item = io::Result<String>> {
        self.urls.iter().flat_map(|url| -> Box<dyn Iterator<Item = io::Result<String>>> {
            match url.as_str() {
                "-" => Box::new(lines(io::stdin().lock())),
                url => Box::new(std::iter::once(Ok(url.to_owned()))),
            }
        })
    }
}

/// The lines of a text that hold something.
fn lines(text: impl BufRead) -> impl Iterator<Item = io::Result<String>> {
    let trimmed = text.lines().map(|line| line.map(|line| line.trim().to_owned()));
    trimmed.filter(|line| !line.as_ref().is_ok_and(String::is_empty))
}
