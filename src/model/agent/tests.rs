//! Against real agents: uap-core's own cases, the instances of the crawler list, the traffic of web
//! sites, and the previews and in-app browsers that newsrooms meet.

mod cases;

use cases::{PREVIEWS, PROGRAMS, WITHIN_APPS};
use proptest::prelude::*;

use super::{Agent, Agents};

const BROWSER_CASES: &str = include_str!("data/tests/browsers.tsv");
const PLATFORM_CASES: &str = include_str!("data/tests/platforms.tsv");
const CRAWLERS: &str = include_str!("data/tests/crawlers.tsv");
const PEOPLE: &str = include_str!("data/tests/people.tsv");

/// Families of uap-core behind which there are people.
const PEOPLES: [&str; 21] = [
    "Chrome",
    "Chrome Mobile",
    "Chrome Mobile WebView",
    "Chrome Mobile iOS",
    "Safari",
    "Mobile Safari",
    "Mobile Safari UI/WKWebView",
    "Firefox",
    "Firefox Mobile",
    "Firefox iOS",
    "Edge",
    "Edge Mobile",
    "IE",
    "Opera",
    "Opera Mini",
    "Opera Mobile",
    "Samsung Internet",
    "UC Browser",
    "Vivaldi",
    "Facebook",
    "Instagram",
];

fn agents() -> Agents {
    Agents::new().unwrap()
}

/// The two columns of a table.
fn pairs(table: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    table.lines().map(|line| line.split_once('\t').unwrap_or((line, "")))
}

/// Asserts that at least `percent` of the cases give what is expected, and shows the others.
#[expect(clippy::print_stdout, reason = "who refreshes the tables reads it: --nocapture")]
fn agree<'a>(percent: usize, cases: impl Iterator<Item = (&'a str, &'a str, String)>) {
    let (mut all, mut wrong) = (0, Vec::new());
    for (agent, expected, given) in cases {
        all += 1;
        if expected != given {
            wrong.push(format!("{expected} expected, {given} given: {agent}"));
        }
    }
    println!("{} of {all} disagree\n{}", wrong.len(), wrong.join("\n"));
    assert!(all > 200 && wrong.len() * 100 <= all * (100 - percent), "too many disagree");
}

fn kind(agent: &Agent) -> String {
    let kind = |bot: &str| bot.split('/').next().unwrap().to_owned();
    agent.bot.as_deref().map_or_else(|| "person".to_owned(), kind)
}

/// What uap-core calls `Other` is unknown to us.
fn known(family: &str) -> &str {
    if family == "Other" { "unknown" } else { family }
}

#[test]
fn browsers_are_named_as_uap_core_names_them() {
    let agents = agents();
    let cases = pairs(BROWSER_CASES);
    agree(98, cases.map(|(a, family)| (a, known(family), agents.parse(a).browser.to_string())));
}

#[test]
fn platforms_are_named_as_uap_core_names_them() {
    let agents = agents();
    let cases = pairs(PLATFORM_CASES);
    agree(98, cases.map(|(a, family)| (a, known(family), agents.parse(a).platform.to_string())));
}

#[test]
fn crawlers_are_bots() {
    let agents = agents();
    let bot = |agent| if kind(&agent) == "person" { "person" } else { "bot" }.to_owned();
    agree(99, pairs(CRAWLERS).map(|(_, agent)| (agent, "bot", bot(agents.parse(agent)))));
}

#[test]
fn bots_are_of_the_kind_that_the_list_says() {
    let agents = agents();
    agree(95, pairs(CRAWLERS).map(|(is, agent)| (agent, is, kind(&agents.parse(agent)))));
}

#[test]
fn people_are_no_bots() {
    let agents = agents();
    let tested = pairs(BROWSER_CASES).filter(|(_, family)| PEOPLES.contains(family));
    let all = pairs(PEOPLE).chain(tested);
    agree(99, all.map(|(agent, _)| (agent, "person", kind(&agents.parse(agent)))));
}

#[test]
fn devices_are_what_people_hold() {
    let agents = agents();
    agree(98, pairs(PEOPLE).map(|(a, device)| (a, device, agents.parse(a).device.to_string())));
}

#[test]
fn every_sign_is_a_regular_expression() {
    let signs = agents().bots.signs;
    let mut patterns = signs.iter().filter_map(|sign| sign.pattern.as_ref());
    assert!(signs.len() > 1_000 && patterns.all(|pattern| pattern.regex().is_some()));
}

#[test]
fn previews_are_named_after_the_platform() {
    let agents = agents();
    for (name, agent) in PREVIEWS {
        let bot = agents.parse(agent).bot;
        assert_eq!(bot.as_deref(), Some(format!("preview/{name}").as_str()), "{agent}");
    }
}

#[test]
fn who_reads_within_an_app_is_a_person() {
    let agents = agents();
    for (device, browser, platform, agent) in WITHIN_APPS {
        let Agent { browser: b, platform: p, device: d, bot } = agents.parse(agent);
        assert_eq!((&*d, &*b, &*p, bot), (device, browser, platform, None), "{agent}");
    }
}

#[test]
fn programs_go_by_what_they_are_before_what_they_are_made_with() {
    let agents = agents();
    for (bot, agent) in PROGRAMS {
        assert_eq!(agents.parse(agent).bot.as_deref(), Some(bot), "{agent}");
    }
}

#[test]
fn an_empty_agent_is_that_of_a_program() {
    for empty in ["", "  ", "\t"] {
        let agent = agents().parse(empty);
        assert_eq!(agent.bot.as_deref(), Some("library/none"));
        assert_eq!(
            [&*agent.browser, &*agent.platform, &*agent.device],
            ["unknown", "unknown", "other"]
        );
    }
}

proptest! {
    #[test]
    fn any_text_has_an_answer(text in any::<String>()) {
        has_an_answer(&text);
    }

    #[test]
    fn any_mix_of_agents_has_an_answer(
        seed in prop::collection::vec((0..3_000_usize, 0..200_usize, 0..200_usize), 1..12)
    ) {
        let all = Vec::from_iter(pairs(CRAWLERS).map(|(_, a)| a).chain(pairs(PEOPLE).map(|(a, _)| a)));
        let piece = |(which, skip, take): &(usize, usize, usize)| -> String {
            all[which % all.len()].chars().skip(*skip).take(*take).collect()
        };
        has_an_answer(&seed.iter().map(piece).collect::<String>());
    }
}

fn has_an_answer(text: &str) {
    static AGENTS: std::sync::LazyLock<Agents> = std::sync::LazyLock::new(agents);
    let Agent { browser, platform, device, bot } = AGENTS.parse(text);
    for name in [&browser, &platform] {
        assert!(!name.trim().is_empty() && name.chars().count() <= 64, "{name:?} of {text:?}");
    }
    assert!(["phone", "tablet", "desktop", "other"].contains(&&*device));
    if let Some(bot) = bot {
        let (kind, name) = bot.split_once('/').unwrap();
        assert!(["crawler", "preview", "monitor", "library"].contains(&kind) && !name.is_empty());
    }
}
