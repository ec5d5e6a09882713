//! What a click says, made into what is counted: the agent recognised, the referrer's host, the
//! country, the visitor as a hash. Off the reader's path, and most of it remembered.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;
use quick_cache::unsync::Cache;
use sha2::{Digest, Sha256};

use super::countries::Countries;
use crate::model::click::{Click, Source, Visit, Who};
use crate::model::referrer::Referrers;
use crate::model::tally::{Day, Name, Quarter};

/// Days whose secrets are kept in memory.
const SALTS: usize = 8;
/// Referrers whose names are kept in memory: at most a megabyte or so. Most clicks come from few.
const REFERRERS: usize = 4_096;
/// The family of browsers that fetched ahead of any click.
const PREFETCH: &str = "prefetch";

/// Makes visits of clicks.
pub struct Enricher {
    /// The secret with which visitors are hashed, by day.
    salts: BTreeMap<Day, [u8; 16]>,
    referrers: Referrers,
    /// Names by what the request said.
    named: Cache<Box<[u8]>, Name>,
    countries: Countries,
    direct: Name,
    unknown: Name,
    prefetch: Name,
}

/// What an agent says.
struct Agent {
    /// The family, if it is a bot.
    bot: Option<Name>,
    browser: Name,
    platform: Name,
    device: Name,
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
            direct: referrers.name(b""),
            referrers,
            named: Cache::new(REFERRERS),
            countries,
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
        while self.salts.len() > SALTS {
            self.salts.pop_first();
        }
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
            _ if source.prefetch => Who::Bot(self.prefetch.clone()),
            Some(family) => Who::Bot(family),
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

    /// What the agent says of itself: everyone is a person with a browser that nobody knows.
    fn agent(&self, _: &[u8]) -> Agent {
        Agent {
            bot: None,
            browser: self.unknown.clone(),
            platform: self.unknown.clone(),
            device: self.unknown.clone(),
        }
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
            agent: b"Mozilla/5.0",
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
        assert_eq!(names(&visit)[..2], ["facebook.com", "FR"]);
        // Remembered, it is the same.
        assert_eq!(enricher.visit(&click(reader())).unwrap(), visit);
        let nowhere = Source { referrer: b"", country: None, ..reader() };
        assert_eq!(names(&enricher.visit(&click(nowhere)).unwrap())[..2], ["direct", "unknown"]);
    }

    #[test]
    fn of_who_asks_not_to_be_tracked_nothing_is_known() {
        let private = Source { agent: b"Mozilla/5.0", private: true, ..Source::default() };
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
    fn visitors_differ_by_address_and_agent_and_day() {
        let mut enricher = enricher();
        let next_day = NOON + 86_400_000;
        let tomorrow = Quarter::of(at(next_day)).day();
        let who = |enricher: &mut Enricher, source, at_ms| {
            enricher.visit(&Click { at_ms, code: "code", source }).map(|visit| visit.who)
        };
        let other = Source { address: Some("198.51.100.8".parse().unwrap()), ..reader() };
        let second = Source { agent: b"Mozilla/6.0", ..reader() };
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
}
