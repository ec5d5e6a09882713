//! Made-up readers, always the same: as requests that lie in the journal, and as visits that are
//! counted. Few sites, countries and browsers make most of them, as everywhere.

use std::net::{IpAddr, Ipv4Addr};

use slugline::model::click::{Source, Visit, Who};
use slugline::model::tally::Name;

use crate::urls::mixed;

/// Visits in a hundred that bots make.
const BOTS_PERCENT: u64 = 20;
/// Different people a day.
pub(crate) const VISITORS: u64 = 5_000;

const REFERRERS: u64 = 40;
const COUNTRIES: u64 = 60;
const BROWSERS: u64 = 15;
const PLATFORMS: u64 = 8;
const DEVICES: [&str; 4] = ["phone", "desktop", "tablet", "other"];
const BOT_FAMILIES: u64 = 20;
/// Versions of each browser: with [`AGENTS`], as many agents as a site sees all day.
const VERSIONS: u64 = 20;

/// What browsers and bots call themselves; `{}` is a version.
const AGENTS: [&str; 12] = [
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{}.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{}.1 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{}.0) Gecko/20100101 Firefox/{}.0",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36 Edg/{}.0.0.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/{}.0.0.28.109]",
    "Mozilla/5.0 (Linux; Android 15; SM-S928B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/{}.0 Chrome/121.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:{}.0) Gecko/20100101 Firefox/{}.0",
    "WhatsApp/2.{}.74 A",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
];

/// Where all of them come from, and with what.
pub(crate) struct Readers {
    referrers: Vec<Name>,
    countries: Vec<Name>,
    browsers: Vec<Name>,
    platforms: Vec<Name>,
    devices: Vec<Name>,
    bots: Vec<Name>,
    origins: Vec<String>,
    letters: Vec<[u8; 2]>,
    agents: Vec<String>,
}

impl Readers {
    /// The same ones every time.
    pub(crate) fn new() -> Self {
        let names = |n: u64, name: &dyn Fn(u64) -> String| -> Vec<Name> {
            (0..n).map(|at| name(at).into()).collect()
        };
        let letters: Vec<[u8; 2]> =
            (0..COUNTRIES as u8).map(|at| [b'A' + at % 26, b'A' + at / 26]).collect();
        let host =
            |at: u64| if at == 0 { "direct".into() } else { format!("site-{at}.example.org") };
        let agents = AGENTS.iter().flat_map(|agent| {
            (0..VERSIONS).map(|version| agent.replace("{}", &(115 + version).to_string()))
        });
        Self {
            referrers: names(REFERRERS, &host),
            countries: letters.iter().map(|two| String::from_utf8_lossy(two).into()).collect(),
            browsers: names(BROWSERS, &|at| format!("Browser {at}")),
            platforms: names(PLATFORMS, &|at| format!("Platform {at}")),
            devices: DEVICES.map(Name::from).into(),
            bots: names(BOT_FAMILIES, &|at| format!("search/Bot {at}")),
            origins: (1..REFERRERS).map(|at| format!("https://site-{at}.example.org")).collect(),
            letters,
            agents: agents.collect(),
        }
    }

    /// What the visit with this number turns out to be, on a day.
    pub(crate) fn visit(&self, number: u64, day: u32) -> Visit {
        let mut random = Random(mixed(number));
        let who = match random.below(100) < BOTS_PERCENT {
            true => Who::Bot(random.often_the_first(&self.bots).clone()),
            false => Who::Person(Some(mixed(u64::from(day) << 32 | random.below(VISITORS)))),
        };
        Visit {
            who,
            referrer: random.often_the_first(&self.referrers).clone(),
            country: random.often_the_first(&self.countries).clone(),
            browser: random.often_the_first(&self.browsers).clone(),
            platform: random.often_the_first(&self.platforms).clone(),
            device: random.often_the_first(&self.devices).clone(),
        }
    }

    /// What the request with this number says of its reader.
    pub(crate) fn source(&self, number: u64) -> Source<'_> {
        let mut random = Random(mixed(number));
        let direct = random.below(2) == 0;
        let referrer = if direct { "" } else { random.often_the_first(&self.origins) };
        // Set aside for benchmarks (RFC 2544).
        let reader = u32::try_from(random.below(VISITORS)).unwrap_or(0);
        let address = Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 0).to_bits() + reader);
        Source {
            agent: random.often_the_first(&self.agents).as_bytes(),
            referrer: referrer.as_bytes(),
            address: Some(IpAddr::V4(address)),
            country: Some(*random.often_the_first(&self.letters)),
            private: false,
            prefetch: false,
        }
    }
}

/// Numbers drawn one after another, always the same from one beginning.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// One below `n`.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 = mixed(self.0);
        self.0 % n.max(1)
    }

    /// One from 0 to 1: 53 random bits, as many as a float has.
    pub(crate) fn share(&mut self) -> f64 {
        self.0 = mixed(self.0);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// One of `all`: half of the draws fall on the first eighth.
    fn often_the_first<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let at = (self.share().powi(3) * all.len() as f64) as usize;
        &all[at.min(all.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn readers_are_as_various_as_a_site_sees() {
        let readers = Readers::new();
        let visits: Vec<Visit> = (0..50_000).map(|n| readers.visit(n, 20_000)).collect();
        let different = |name: &dyn Fn(&Visit) -> Name| {
            visits.iter().map(name).collect::<HashSet<Name>>().len() as u64
        };
        assert_eq!(different(&|visit| visit.referrer.clone()), REFERRERS);
        assert_eq!(different(&|visit| visit.country.clone()), COUNTRIES);
        assert_eq!(different(&|visit| visit.browser.clone()), BROWSERS);
        assert_eq!(different(&|visit| visit.platform.clone()), PLATFORMS);
        assert_eq!(different(&|visit| visit.device.clone()), DEVICES.len() as u64);
        let bots = visits.iter().filter(|visit| visit.is_bot()).count();
        assert!((9_000..11_000).contains(&bots), "{bots}");
        let people: HashSet<_> = visits
            .iter()
            .filter_map(|visit| match visit.who {
                Who::Person(hash) => hash,
                Who::Bot(_) => None,
            })
            .collect();
        assert!(people.len() as u64 > VISITORS * 9 / 10, "{}", people.len());
    }
}
