//! Which agents are no person's: by our own signs, by a public list, by words that bots use of
//! themselves.

use std::ops::Range;
use std::sync::Arc;

use aho_corasick::AhoCorasick;

use super::AgentsError;
use super::pattern::Pattern;

/// Our own signs, and those of the public list: kind, name, place, text, and a regex where a text
/// does not do.
const SIGNS: [&str; 2] = [include_str!("data/signs.tsv"), include_str!("data/crawlers.tsv")];

/// Words that bots use of themselves, and that no browser does: kind, and the word in any case.
/// They are asked last, and give a kind but no name.
const WORDS: [(&str, &str); 23] = [
    ("monitor", "monitor"),
    ("monitor", "uptime"),
    ("monitor", "healthcheck"),
    ("monitor", "health-check"),
    ("preview", "preview"),
    ("preview", "unfurl"),
    ("preview", "opengraph"),
    ("crawler", "bot"),
    ("crawler", "crawl"),
    ("crawler", "spider"),
    ("crawler", "slurp"),
    ("crawler", "scrap"),
    ("crawler", "feedfetch"),
    ("crawler", "feedparser"),
    ("crawler", "archiver"),
    ("crawler", "validator"),
    ("crawler", "linkcheck"),
    // An address to complain to.
    ("crawler", "http://"),
    ("crawler", "https://"),
    ("library", "headless"),
    ("library", "httpclient"),
    ("library", "http-client"),
    ("library", "webdriver"),
];

/// All signs of bots.
pub(super) struct Bots {
    texts: AhoCorasick,
    /// For each text what it says. Of several the first counts: ours, then the list's, and
    /// libraries last.
    pub(super) signs: Vec<Sign>,
    words: AhoCorasick,
    /// For each word what it says.
    said: Vec<Arc<str>>,
    none: Arc<str>,
    unnamed: Arc<str>,
}

/// A text by which a bot is known.
pub(super) struct Sign {
    /// `kind/name`.
    bot: Arc<str>,
    place: Place,
    /// What must match as well.
    pub(super) pattern: Option<Pattern>,
}

impl Bots {
    pub(super) fn read() -> Result<Self, AgentsError> {
        let lines = SIGNS.into_iter().flat_map(str::lines).filter(|line| !line.starts_with('#'));
        let mut lines = Vec::from_iter(lines);
        // Who says both what it is and what it is made with is the former.
        lines.sort_by_key(|line| line.starts_with("library"));
        let (texts, signs): (Vec<_>, Vec<_>) = lines.into_iter().filter_map(Sign::read).unzip();
        let words = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(WORDS.iter().map(|(_, word)| word))?;
        let said = WORDS.iter().map(|(kind, _)| bot(kind, "other")).collect();
        let (none, unnamed) = (bot("library", "none"), bot("library", "other"));
        Ok(Self { texts: AhoCorasick::new(texts)?, signs, words, said, none, unnamed })
    }

    /// The bot that sent an agent, `None` for a person. `somebody` says whether the agent looks like
    /// a person's for all else: what does not is a program.
    pub(super) fn find(&self, agent: &str, somebody: bool) -> Option<Arc<str>> {
        if agent.is_empty() {
            return Some(Arc::clone(&self.none));
        }
        let unnamed = || (!somebody).then(|| Arc::clone(&self.unnamed));
        self.signed(agent).or_else(|| self.spoken(agent)).or_else(unnamed)
    }

    /// The first sign that an agent bears.
    fn signed(&self, agent: &str) -> Option<Arc<str>> {
        let found = self.texts.find_overlapping_iter(agent).filter(|text| {
            let sign = &self.signs[text.pattern().as_usize()];
            sign.place.holds(agent, text.range())
                && sign.pattern.as_ref().is_none_or(|pattern| {
                    pattern.regex().is_some_and(|regex| regex.is_match(agent.as_bytes()))
                })
        });
        let first = found.map(|text| text.pattern().as_usize()).min()?;
        Some(Arc::clone(&self.signs[first].bot))
    }

    /// The first word of bots that an agent contains.
    fn spoken(&self, agent: &str) -> Option<Arc<str>> {
        let found = self.words.find_overlapping_iter(agent).filter(|word| {
            let (_, text) = WORDS[word.pattern().as_usize()];
            text != "bot" || ends_a_name(agent, word.range())
        });
        let first = found.map(|word| word.pattern().as_usize()).min()?;
        Some(Arc::clone(&self.said[first]))
    }
}

impl Sign {
    /// A line of a table: the text, and what it says.
    fn read(line: &'static str) -> Option<(&'static str, Self)> {
        let mut columns = line.split('\t');
        let (kind, name) = (columns.next()?, columns.next()?);
        let (place, text) = (columns.next()?, columns.next()?);
        let pattern = columns.next().map(Pattern::new);
        let place = match place {
            "*" => Place::Anywhere,
            "^" => Place::First,
            "=" => Place::Whole,
            _ => Place::Within,
        };
        Some((text, Self { bot: bot(kind, name), place, pattern }))
    }
}

/// Where a text must stand to be a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Where a word begins: `RED/` is no sign in `WIRED/3.2`.
    Anywhere,
    /// At the beginning of the agent.
    First,
    /// It must be the whole agent.
    Whole,
    /// Anywhere, also within a word: a pattern has the last say.
    Within,
}

impl Place {
    /// Whether the text `at` stands where it must.
    fn holds(self, agent: &str, at: Range<usize>) -> bool {
        match self {
            Self::Anywhere => {
                let bytes = agent.as_bytes();
                let within =
                    at.start.checked_sub(1).is_some_and(|i| bytes[i].is_ascii_alphanumeric());
                !within || !bytes[at.start].is_ascii_alphanumeric()
            }
            Self::First => at.start == 0,
            Self::Whole => at == (0..agent.len()),
            Self::Within => true,
        }
    }
}

/// Whether the `bot` there is one: neither the middle of a word (`bottom`) nor a Cubot phone.
fn ends_a_name(agent: &str, at: Range<usize>) -> bool {
    let before = agent.as_bytes()[..at.start].to_ascii_lowercase();
    let after = agent.as_bytes()[at.end..].to_ascii_lowercase();
    let after = after.strip_prefix(b"s").unwrap_or(&after);
    !before.ends_with(b"cu") && !after.first().is_some_and(u8::is_ascii_alphabetic)
}

fn bot(kind: &str, name: &str) -> Arc<str> {
    format!("{kind}/{name}").into()
}
