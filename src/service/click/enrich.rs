//! What a click says, made into what is counted: the agent recognised, the referrer's host, the
//! country, the visitor as a hash. Off the reader's path, and most of it remembered.

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;
use quick_cache::unsync::Cache;
use sha2::{Digest, Sha256};

use super::countries::Countries;
use crate::model::agent::{Agent, Agents};
use crate::model::click::{Click, Source, Visit, Who};
use crate::model::referrer::Referrers;
use crate::model::tally::{Day, Name, Quarter};

/// Referrers whose names are kept in memory: at most a megabyte or so. Most clicks come from few.
const REFERRERS: usize = 4_096;
/// Agents that are remembered: some megabytes. Most clicks come from few hundred.
const AGENTS: usize = 8_192;
/// The family of browsers that fetched ahead of any click.
const PREFETCH: &str = "prefetch";

/// Days after which the secret of a day's visitors is forgotten. Clicks that are looked at later than
/// that are new visitors'.
const SALT_DAYS: u32 = 2;

/// Those who read the journal, each at a place of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reading {
    /// Into the tallies.
    Rollup,
    /// Into the archive.
    Archive,
}

/// Makes visits of clicks.
pub struct Enricher {
    /// The secret with which visitors are hashed, by day.
    salts: BTreeMap<Day, [u8; 16]>,
    /// The oldest day that a reading which is behind is in the midst of.
    amid: BTreeMap<Reading, Day>,
    referrers: Referrers,
    /// Names by what the request said.
    named: Cache<Box<[u8]>, Name>,
    countries: Countries,
    /// The tables are read when the first click asks for them: no start waits for it. `None` when
    /// they can't be used.
    agents: LazyCell<Option<Agents>>,
    /// Agents by what the request said.
    recognised: Cache<Box<[u8]>, Agent>,
    direct: Name,
    unknown: Name,
    prefetch: Name,
}

/// The secret of this day is needed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSalt(pub Day);

impl Enricher {
    /// One that names where readers come from by `referrers` and `countries`.
    #[must_use]
    pub fn new(referrers: Referrers, countries: Countries) -> Self {
        Self {
            salts: BTreeMap::new(),
            amid: BTreeMap::new(),
            direct: referrers.name(b""),
            referrers,
            named: Cache::new(REFERRERS),
            countries,
            agents: LazyCell::new(read_tables),
            recognised: Cache::new(AGENTS),
            unknown: "unknown".into(),
            prefetch: PREFETCH.into(),
        }
    }

    /// Takes up what has been renewed outside of the service. To be called often.
    pub fn refresh(&mut self, now: Timestamp) {
        self.countries.refresh(now);
    }

    /// The secret of a day.
    pub fn put_salt(&mut self, day: Day, salt: [u8; 16]) {
        self.salts.insert(day, salt);
    }

    #[cfg(test)]
    pub(super) fn has_salt(&self, day: Day) -> bool {
        self.salts.contains_key(&day)
    }

    /// Says which is the oldest day that a reading is in the midst of: its secret is kept until the
    /// reading is past it. `None`: it has read everything.
    pub fn read_amid(&mut self, reading: Reading, day: Option<Day>) {
        match day {
            Some(day) => self.amid.insert(reading, day),
            None => self.amid.remove(&reading),
        };
    }

    /// The first day whose secret is kept today, as far as the readings of this journal go.
    #[must_use]
    pub fn salts_kept_from(&self, today: Day) -> Day {
        let oldest = self.amid.values().fold(today, |oldest, day| oldest.min(*day));
        Day(oldest.0.saturating_sub(SALT_DAYS))
    }

    /// Forgets the secrets of the days before this one.
    pub fn forget_salts(&mut self, before: Day) {
        self.salts.retain(|day, _| *day >= before);
    }

    /// What this click turns out to be. Of readers who ask not to be tracked nothing but whether they
    /// are bots.
    ///
    /// # Errors
    /// [`NoSalt`] when the visitor can't be hashed yet.
    pub fn visit(&mut self, click: &Click<'_>) -> Result<Visit, NoSalt> {
        let source = &click.source;
        let agent = self.agent(source.agent);
        let who = match agent.bot {
            Some(family) => Who::Bot(family),
            None if source.prefetch => Who::Bot(self.prefetch.clone()),
            None => Who::Person(self.visitor(click)?),
        };
        if source.private {
            let unknown = || self.unknown.clone();
            return Ok(Visit {
                who,
                referrer: unknown(),
                country: unknown(),
                browser: unknown(),
                platform: unknown(),
                device: unknown(),
            });
        }
        Ok(Visit {
            who,
            referrer: self.referrer(source.referrer),
            country: self.countries.name(source),
            browser: agent.browser,
            platform: agent.platform,
            device: agent.device,
        })
    }

    /// What the agent says of itself.
    fn agent(&mut self, raw: &[u8]) -> Agent {
        if let Some(agent) = self.recognised.get(raw) {
            return agent.clone();
        }
        let text = String::from_utf8_lossy(raw);
        let agent = self.agents.as_ref().map(|agents| agents.parse(&text));
        let agent = agent.unwrap_or_else(|| Agent {
            browser: self.unknown.clone(),
            platform: self.unknown.clone(),
            device: self.unknown.clone(),
            bot: None,
        });
        self.recognised.insert(raw.into(), agent.clone());
        agent
    }

    fn referrer(&mut self, raw: &[u8]) -> Name {
        if raw.is_empty() {
            // The most usual one needs no looking up.
            return self.direct.clone();
        }
        if let Some(name) = self.named.get(raw) {
            return name.clone();
        }
        let name = self.referrers.name(raw);
        self.named.insert(raw.into(), name.clone());
        name
    }

    fn visitor(&self, click: &Click<'_>) -> Result<Option<u64>, NoSalt> {
        let Source { agent, address: Some(address), private: false, .. } = click.source else {
            return Ok(None);
        };
        let day = Quarter::of(click.at()).day();
        let salt = self.salts.get(&day).ok_or(NoSalt(day))?;
        Ok(Some(hash(salt, address, agent)))
    }
}

fn read_tables() -> Option<Agents> {
    let agents = Agents::new();
    agents.inspect_err(|error| tracing::error!(%error, "user agents are not recognised")).ok()
}

/// A hash of who came, which says nothing without the day's secret. Of an IPv6 address the half
/// that stays the same while a device changes its own (RFC 8981).
fn hash(salt: &[u8; 16], address: IpAddr, agent: &[u8]) -> u64 {
    let mut hash = Sha256::new_with_prefix(salt);
    match address.to_canonical() {
        IpAddr::V4(address) => hash.update(address.octets()),
        IpAddr::V6(address) => hash.update(&address.octets()[..8]),
    }
    hash.update(agent);
    let digest = hash.finalize();
    digest.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const NOON: i64 = 1_795_435_200_000;

    fn enricher() -> Enricher {
        let mut enricher = Enricher::new(Referrers::new(Some("go.example.org")), Countries::new());
        enricher.put_salt(Quarter::of(at(NOON)).day(), [1; 16]);
        enricher
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).unwrap()
    }

    fn click(source: Source<'_>) -> Click<'_> {
        Click { at_ms: NOON, code: "code", source }
    }

    fn reader() -> Source<'static> {
        Source {
            agent: b"Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0",
            referrer: b"https://l.facebook.com",
            address: Some("198.51.100.7".parse().unwrap()),
            country: Some(*b"FR"),
            ..Source::default()
        }
    }

    fn names(visit: &Visit) -> [&str; 5] {
        [&visit.referrer, &visit.country, &visit.browser, &visit.platform, &visit.device]
            .map(|name| &**name)
    }

    #[test]
    fn a_reader_is_a_person_from_somewhere() {
        let mut enricher = enricher();
        let visit = enricher.visit(&click(reader())).unwrap();
        assert!(matches!(visit.who, Who::Person(Some(_))));
        assert_eq!(names(&visit), ["facebook.com", "FR", "Firefox", "Linux", "desktop"]);
        // Remembered, it is the same.
        assert_eq!(enricher.visit(&click(reader())).unwrap(), visit);
        let nowhere = Source { referrer: b"", country: None, ..reader() };
        assert_eq!(names(&enricher.visit(&click(nowhere)).unwrap())[..2], ["direct", "unknown"]);
    }

    #[test]
    fn of_who_asks_not_to_be_tracked_nothing_is_known() {
        let private = Source { agent: reader().agent, private: true, ..Source::default() };
        let visit = enricher().visit(&click(private)).unwrap();
        assert_eq!(visit.who, Who::Person(None));
        assert_eq!(names(&visit), ["unknown"; 5]);
        // Even if the journal said more than it does.
        let visit = enricher().visit(&click(Source { private: true, ..reader() })).unwrap();
        assert_eq!((visit.who.clone(), names(&visit)), (Who::Person(None), ["unknown"; 5]));
    }

    #[test]
    fn who_fetches_ahead_is_a_bot_from_somewhere_and_no_visitor() {
        let ahead = Source { prefetch: true, ..reader() };
        // No secret is needed.
        let mut enricher = Enricher::new(Referrers::new(None), Countries::new());
        let visit = enricher.visit(&click(ahead)).unwrap();
        assert_eq!(visit.who, Who::Bot("prefetch".into()));
        assert_eq!(names(&visit)[..2], ["facebook.com", "FR"]);
        let visit = enricher.visit(&click(Source { private: true, ..ahead })).unwrap();
        assert_eq!(
            (visit.who.clone(), names(&visit)),
            (Who::Bot("prefetch".into()), ["unknown"; 5])
        );
    }

    #[test]
    fn a_bot_has_a_family_and_is_no_visitor() {
        let mut enricher = Enricher::new(Referrers::new(None), Countries::new());
        let bot = Source { agent: b"WhatsApp/2.23.20.0", ..reader() };
        assert_eq!(enricher.visit(&click(bot)).unwrap().who, Who::Bot("preview/WhatsApp".into()));
        // Whether it asks not to be tracked or not.
        let bot = Source { private: true, ..bot };
        assert_eq!(enricher.visit(&click(bot)).unwrap().who, Who::Bot("preview/WhatsApp".into()));
    }

    #[test]
    fn visitors_differ_by_address_and_agent_and_day() {
        let mut enricher = enricher();
        let next_day = NOON + 86_400_000;
        let tomorrow = Quarter::of(at(next_day)).day();
        let who = |enricher: &mut Enricher, source, at_ms| {
            enricher.visit(&Click { at_ms, code: "code", source }).map(|visit| visit.who)
        };
        let other = Source { address: Some("198.51.100.8".parse().unwrap()), ..reader() };
        let second = b"Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0";
        let second = Source { agent: second, ..reader() };
        assert_eq!(who(&mut enricher, reader(), next_day), Err(NoSalt(tomorrow)));
        enricher.put_salt(tomorrow, [2; 16]);
        let visitors = [
            who(&mut enricher, reader(), NOON),
            who(&mut enricher, other, NOON),
            who(&mut enricher, second, NOON),
            who(&mut enricher, reader(), next_day),
        ];
        let hashes: HashSet<_> = visitors
            .into_iter()
            .map(|who| match who {
                Ok(Who::Person(Some(hash))) => hash,
                other => panic!("no visitor: {other:?}"),
            })
            .collect();
        assert_eq!(hashes.len(), 4);
    }

    #[test]
    fn a_secret_is_kept_for_whoever_is_still_in_the_midst_of_its_day() {
        let mut enricher = enricher();
        assert_eq!(enricher.salts_kept_from(Day(100)), Day(98));
        enricher.read_amid(Reading::Rollup, Some(Day(120)));
        enricher.read_amid(Reading::Archive, Some(Day(50)));
        assert_eq!(enricher.salts_kept_from(Day(100)), Day(48));
        enricher.read_amid(Reading::Archive, None);
        assert_eq!(enricher.salts_kept_from(Day(100)), Day(98));
    }
}
