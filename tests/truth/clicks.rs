//! The clicks of the test: who could click on what, and a list of who did.

use std::net::{IpAddr, Ipv4Addr};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use slugline::model::click::{Click, Source};

use crate::live::{BOOTSTRAP_KEY, Random, Service};

/// Days over which the clicks are spread.
pub(crate) const DAYS: i64 = 40;

/// A link that can be clicked.
pub(crate) struct Place {
    /// Its code.
    pub(crate) code: String,
    /// Its article's number: some articles have two links.
    pub(crate) article: usize,
    /// Its tags, by number.
    pub(crate) tags: Vec<usize>,
    /// Its key, by number.
    pub(crate) key: usize,
}

/// What there is to be clicked on.
pub(crate) struct World {
    /// All links.
    pub(crate) places: Vec<Place>,
    /// The ids of the keys that minted them.
    pub(crate) keys: Vec<String>,
}

/// Names of tags.
pub(crate) const TAGS: [&str; 3] = ["world", "sport", "réseaux sociaux"];

/// An agent, and what it is known to be: browser, platform, device; or the family of a bot.
pub(crate) struct AgentKind {
    /// As sent.
    pub(crate) text: &'static str,
    /// Browser, platform, device.
    pub(crate) names: [&'static str; 3],
    /// The family, if it is a bot.
    pub(crate) bot: Option<&'static str>,
}

const fn person(text: &'static str, names: [&'static str; 3]) -> AgentKind {
    AgentKind { text, names, bot: None }
}

const fn bot(text: &'static str, names: [&'static str; 3], family: &'static str) -> AgentKind {
    AgentKind { text, names, bot: Some(family) }
}

/// Who comes, the frequent ones first.
pub(crate) const AGENTS: [AgentKind; 11] = [
    person(
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) \
         Chrome/139.0.0.0 Mobile Safari/537.36",
        ["Chrome Mobile", "Android", "phone"],
    ),
    person(
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like \
         Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
        ["Mobile Safari", "iOS", "phone"],
    ),
    person(
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
         Chrome/139.0.0.0 Safari/537.36",
        ["Chrome", "Windows", "desktop"],
    ),
    person(
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) \
         Version/18.6 Safari/605.1.15",
        ["Safari", "Mac OS X", "desktop"],
    ),
    person(
        "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0",
        ["Firefox", "Linux", "desktop"],
    ),
    person(
        "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
         Version/18.6 Mobile/15E148 Safari/604.1",
        ["Mobile Safari", "iOS", "tablet"],
    ),
    person(
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
         Chrome/139.0.0.0 Safari/537.36 Edg/139.0.0.0",
        ["Edge", "Windows", "desktop"],
    ),
    bot(
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        ["Googlebot", "unknown", "other"],
        "crawler/Googlebot",
    ),
    bot(
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        ["FacebookBot", "unknown", "other"],
        "preview/Facebook",
    ),
    bot("WhatsApp/2.23.20.0", ["WhatsApp", "unknown", "other"], "preview/WhatsApp"),
    bot("curl/8.9.1", ["curl", "unknown", "other"], "library/curl"),
];

/// Where they come from: as captured, and what it is called.
pub(crate) const REFERRERS: [(&str, &str); 8] = [
    ("", "direct"),
    ("https://www.google.com", "google.com"),
    ("https://t.co", "x.com"),
    ("https://l.facebook.com", "facebook.com"),
    ("https://www.example.org", "example.org"),
    ("https://news.example.net", "news.example.net"),
    ("android-app://org.telegram.messenger", "telegram.org"),
    ("https://xn--bcher-kva.example", "xn--bcher-kva.example"),
];

/// What the edge says.
pub(crate) const COUNTRIES: [(Option<&[u8; 2]>, &str); 6] = [
    (Some(b"DE"), "DE"),
    (Some(b"FR"), "FR"),
    (Some(b"IR"), "IR"),
    (Some(b"US"), "US"),
    (None, "unknown"),
    (Some(b"NP"), "NP"),
];

/// One click, by the numbers of what it was made of.
#[derive(Clone, Copy)]
pub(crate) struct Clicked {
    pub(crate) at: Timestamp,
    pub(crate) place: usize,
    pub(crate) agent: usize,
    pub(crate) referrer: usize,
    pub(crate) country: usize,
    /// The reader's address.
    pub(crate) address: u32,
    /// Asks not to be tracked.
    pub(crate) private: bool,
    /// Fetched ahead.
    pub(crate) prefetch: bool,
}

/// All clicks.
pub(crate) struct Past {
    pub(crate) clicks: Vec<Clicked>,
}

impl World {
    /// Mints what is clicked on: 30 articles, some with two links, by two keys.
    pub(crate) fn mint(service: &Service) -> Self {
        let wish = json!({"name": "desk", "scopes": ["mint"]});
        let made = service.call("POST", "/api/v1/keys", Some(&wish)).expect(201).json();
        let desk = made["key"].as_str().unwrap().to_owned();
        let mut keys = Vec::new();
        let mut places = Vec::new();
        for n in 0..36 {
            let article = n % 30;
            let tags = (0..TAGS.len()).filter(|tag| n % (tag + 2) == 0).collect::<Vec<_>>();
            let key = usize::from(n % 3 == 0);
            let secret = if key == 0 { BOOTSTRAP_KEY } else { &desk };
            let names: Vec<&str> = tags.iter().map(|tag| TAGS[*tag]).collect();
            let wish = json!({"url": article_url(article), "tags": names, "new_code": n >= 30});
            let answer = service.call_as(secret, "POST", "/api/v1/links", Some(&wish));
            let link = answer.expect(201).json();
            let owner = link["owner"].as_str().unwrap().to_owned();
            if keys.len() <= key {
                keys.resize(key + 1, String::new());
            }
            keys[key] = owner;
            places.push(Place {
                code: link["code"].as_str().unwrap().to_owned(),
                article,
                tags,
                key,
            });
        }
        Self { places, keys }
    }
}

/// The address of an article.
pub(crate) fn article_url(article: usize) -> String {
    format!("https://www.example.org/2026/story-{article}.html")
}

impl Past {
    /// So many clicks within the last [`DAYS`] days, in order of time but for some that come late.
    pub(crate) fn make(world: &World, count: usize, now: Timestamp, random: &mut Random) -> Self {
        let span = DAYS * 24 * 3_600_000;
        let clicks = (0..count).map(|n| {
            let steady = span * n as i64 / count as i64;
            let late = if random.within(0..50) == 0 { random.within(0..3_600_000) } else { 0 };
            let ago = SignedDuration::from_millis((span - steady + late as i64).max(1_000));
            Clicked {
                at: now - ago,
                place: often(random, world.places.len()),
                agent: often(random, AGENTS.len()),
                referrer: often(random, REFERRERS.len()),
                country: often(random, COUNTRIES.len()),
                address: 0x0b00_0000 + random.within(0..8_000) as u32,
                private: random.within(0..20) == 0,
                prefetch: random.within(0..40) == 0,
            }
        });
        Self { clicks: clicks.collect() }
    }
}

/// A number below `most`, the low ones more often.
fn often(random: &mut Random, most: usize) -> usize {
    let most = most as u64;
    random.within(0..most).min(random.within(0..most)) as usize
}

impl Clicked {
    /// As the reader's path would have captured it.
    pub(crate) fn as_captured<'a>(&self, world: &'a World) -> Click<'a> {
        let told = !self.private;
        let source = Source {
            agent: AGENTS[self.agent].text.as_bytes(),
            referrer: if told { REFERRERS[self.referrer].0.as_bytes() } else { b"" },
            address: told.then_some(IpAddr::V4(Ipv4Addr::from(self.address))),
            country: COUNTRIES[self.country].0.copied().filter(|_| told),
            private: self.private,
            prefetch: self.prefetch,
        };
        Click { at_ms: self.at.as_millisecond(), code: &world.places[self.place].code, source }
    }
}
