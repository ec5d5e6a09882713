//! Figures, against what was put into the store.

mod properties;
mod verbs;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::model::canonical;
use crate::model::click::{Click, Source, Visit, Who};
use crate::model::key::{KeyId, Scope};
use crate::model::link::{Standing, Tag};
use crate::model::tally::{Count, Dimension, Row, Subject};
use crate::service::click;
use crate::service::click::tests::{enricher, settings_of};
use crate::store::cached;
use crate::store::conformance::{code, settings};
use crate::store::embedded::Embedded;
use crate::store::journal::Journal;
use crate::store::redis::Redis;
use crate::store::{
    Applied, Batch, Claim, Codes, Lane, Links as _, Move, NodeId, Partitions as _, Position, Store,
    Swap, Upkeep as _,
};

const STORY: &str = "https://www.example.org/a-story.html";
const OTHER_STORY: &str = "https://www.example.org/another.html";
/// The keys that mint.
const DESKS: [&str; 2] = ["newsdesk", "sportdes"];
/// What can be clicked on: code, article, the key that minted it, tags.
const LINKS: [(&str, &str, usize, &[&str]); 4] = [
    ("story1", STORY, 0, &["world"]),
    ("story2", STORY, 1, &["world", "sport"]),
    ("other1", OTHER_STORY, 0, &["sport"]),
    ("other2", OTHER_STORY, 0, &[]),
];
const TAGS: [&str; 3] = ["world", "sport", "nobody's"];

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A little after noon, on a Monday.
fn now() -> Timestamp {
    at("2026-11-23T12:07:00Z")
}

/// One click of the tests: on which of [`LINKS`], when, what it turned out to be.
#[derive(Debug, Clone)]
struct Clicked {
    link: usize,
    at: Timestamp,
    visit: Visit,
}

impl Clicked {
    fn count(&self) -> Count {
        match self.visit.is_bot() {
            true => Count { people: 0, bots: 1 },
            false => Count { people: 1, bots: 0 },
        }
    }

    fn subjects(&self) -> Vec<Subject> {
        let (text, _, desk, tags) = LINKS[self.link];
        let tags = tags.iter().map(|tag| Subject::Tag(Tag::parse(tag).unwrap()));
        let key = Subject::Key(KeyId::parse(DESKS[desk]).unwrap());
        [Subject::Link(code(text)), Subject::Site, key].into_iter().chain(tags).collect()
    }
}

/// A click by a person.
fn click(link: usize, moment: &str, visitor: u64) -> Clicked {
    let name = |text: &str| crate::model::tally::name(text);
    let visit = Visit {
        who: Who::Person(Some(visitor.wrapping_mul(0x9e37_79b9_7f4a_7c15))),
        referrer: name("direct"),
        country: name("DE"),
        browser: name("Firefox"),
        platform: name("Linux"),
        device: name("desktop"),
    };
    Clicked { link, at: at(moment), visit }
}

/// A click by a bot.
fn bot(link: usize, moment: &str) -> Clicked {
    let mut click = click(link, moment, 0);
    click.visit.who = Who::Bot(crate::model::tally::name("crawler/Googlebot"));
    click
}

/// The verbs over a store of their own.
struct Office {
    stats: Stats,
    store: Store,
    journal: Arc<Journal>,
    runner: click::Runner,
}

impl std::ops::Deref for Office {
    type Target = Stats;

    fn deref(&self) -> &Stats {
        &self.stats
    }
}

/// Over the Redis at `url`.
async fn redis(url: &str, folder: &Path) -> Office {
    Office::over(Store::Redis(Redis::new(&settings(url)).unwrap()), folder).await
}

/// Over the embedded store in `folder`.
async fn embedded(folder: &Path) -> Office {
    Office::over(Store::Embedded(Embedded::open(folder, 1 << 20).unwrap()), folder).await
}

impl Office {
    /// Over any store, which is empty.
    async fn over(store: Store, folder: &Path) -> Self {
        store.prepare().await.unwrap();
        let none = Duration::ZERO;
        let cache =
            cached::Settings { capacity: 0, fresh_for: none, stale_for: none, unknown_for: none };
        let links = Cached::new(store.clone(), &cache);
        let journal = Arc::new(Journal::open(&folder.join("journal"), 1 << 16, false).unwrap());
        // It counts when it is asked to, and when it ends.
        let settings = click::Settings {
            flush_interval: Duration::from_secs(3_600),
            keep_applied: none,
            ..settings_of(click::Fsync::Never, 1 << 16)
        };
        let runner =
            click::Runner::start(links.fork(), Arc::clone(&journal), settings, enricher()).unwrap();
        let canonical = Canonicalizer::new(&canonical::Settings::default()).unwrap();
        let stats = Stats::new(links, Arc::new(canonical), runner.auditor());
        let office = Self { stats, store, journal, runner };
        office.mint().await;
        office
    }

    async fn mint(&self) {
        let mut entries = BTreeMap::<&str, Vec<Code>>::new();
        for (text, article, desk, tags) in LINKS {
            let target = Target::from_normal_form(article);
            let link = Link {
                code: code(text),
                article: target.clone(),
                target,
                created_at: at("2026-10-12T08:00:00Z"),
                owner: KeyId::parse(DESKS[desk]).unwrap(),
                title: None,
                tags: tags.iter().map(|tag| Tag::parse(tag).unwrap()).collect(),
                expires_at: None,
                redirect: None,
                forward_query: false,
                standing: Standing::Active,
                verbatim: false,
                host: None,
                baseline: None,
            };
            assert_eq!(self.store.claim(&[link]).await.unwrap(), [Claim::Claimed]);
            entries.entry(article).or_default().push(code(text));
        }
        for (article, codes) in entries {
            let address = Target::from_normal_form(article);
            let swap = Swap { address, old: Codes::default(), new: Codes(codes) };
            assert_eq!(self.store.swap_codes(&[swap]).await.unwrap(), [None]);
        }
    }

    /// Counts clicks, each for everything it counts for.
    async fn count(&self, clicks: &[Clicked]) {
        let mut rows = BTreeMap::<(Day, Subject), Row>::new();
        for click in clicks {
            let quarter = Quarter::of(click.at);
            for subject in click.subjects() {
                let row = rows.entry((quarter.day(), subject)).or_default();
                row.cell(quarter.of_day()).add(&click.visit);
            }
        }
        self.apply("a", rows).await;
    }

    /// Adds rows, as a node of this name that has never counted anything.
    async fn apply(&self, node: &str, rows: BTreeMap<(Day, Subject), Row>) {
        let mut batches: Vec<Batch> = Vec::new();
        batches.resize_with(self.store.partitions(), || Batch {
            moves: vec![Move { lane: Lane(0), from: Position(0), to: Position(1) }],
            ..Batch::default()
        });
        for ((day, subject), row) in rows {
            let batch = &mut batches[self.store.partition_of(&subject.name())];
            if matches!(subject, Subject::Link(_)) {
                batch.clicks += row.cells().map(|(_, cell)| cell.count.clicks()).sum::<u64>();
            }
            batch.rows.insert((day, subject), row);
        }
        let node = NodeId(format!("{node:0>16}"));
        for (partition, batch) in batches.iter().enumerate() {
            assert_eq!(self.store.apply(&node, partition, batch).await.unwrap(), Applied::Done);
        }
    }

    async fn ask(&self, whose: &Whose, query: &Query) -> Report {
        self.stats.report(&admin(), whose, query, now()).await.unwrap()
    }
}

fn admin() -> Principal {
    Principal::local()
}

fn desk(n: usize) -> Principal {
    Principal { key: KeyId::parse(DESKS[n]).unwrap(), scopes: vec![Scope::Mint], until: None }
}

fn link(n: usize) -> Whose {
    Whose::Link(LINKS[n].0.into())
}

fn between(from: &str, to: &str, by: By, tz: &str) -> Query {
    let tz = TimeZone::get(tz).unwrap();
    Query { from: Some(at(from)), to: Some(at(to)), by: Some(by), tz, ..Query::default() }
}

/// The clicks of each row that is not empty, by its beginning.
fn clicks_by_row(report: &Report) -> Vec<(String, u64)> {
    let rows = report.rows.iter().map(|(start, f)| (start.to_string(), f.count.clicks()));
    rows.filter(|(_, clicks)| *clicks > 0).collect()
}

/// An independent count: clicks of people and bots, and people told apart within each UTC day.
fn recount<'a>(clicks: impl IntoIterator<Item = &'a Clicked>) -> Figures {
    let mut figures = Figures::default();
    let mut seen = HashSet::new();
    for click in clicks {
        figures.count += click.count();
        if let Who::Person(Some(hash)) = click.visit.who {
            seen.insert((click.at.as_second().div_euclid(86_400), hash));
        }
    }
    figures.visitors = seen.len() as u64;
    figures
}
