//! Against real agents: uap-core's own cases, the instances of the crawler list, the traffic of web
//! sites, and the previews and in-app browsers that newsrooms meet.

use proptest::prelude::*;

use super::{Agent, Agents, BROWSERS, Families, PLATFORMS};

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

/// The platform behind a link's preview, and its agent.
const PREVIEWS: [(&str, &str); 40] = [
    ("WhatsApp", "WhatsApp"),
    ("WhatsApp", "WhatsApp/2.24.9.78 A"),
    ("WhatsApp", "WhatsApp/2.2413.51 W"),
    ("WhatsApp", "WhatsApp/2.11.157 Android/4.1.2 Device/samsung-SM-T210"),
    ("Signal", "WhatsApp/2"),
    ("Slack", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"),
    ("Slack", "Slackbot 1.0 (+https://api.slack.com/robots)"),
    ("X", "Twitterbot/1.0"),
    ("Facebook", "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"),
    ("Facebook", "facebookexternalhit/1.1"),
    ("Facebook", "Facebot/1.0"),
    ("Facebook", "meta-externalfetcher/1.1"),
    (
        "iMessage",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) \
         Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
    ),
    (
        "LinkedIn",
        "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    ),
    ("Telegram", "TelegramBot (like TwitterBot)"),
    ("Mastodon", "http.rb/2.2.2 (Mastodon/1.5.1; +https://example-masto-instance.org/)"),
    ("Mastodon", "Mastodon/4.3.2 (http.rb/5.2.0; +https://mastodon.example/)"),
    ("Misskey", "SummalyBot/5.1.0"),
    ("Discord", "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)"),
    (
        "Bluesky",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Bluesky Cardyb/1.1; \
         +mailto:support@bsky.app) Chrome/W.X.Y.Z Safari/537.36",
    ),
    (
        "Teams",
        "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 \
         skype-url-preview@microsoft.com",
    ),
    ("Viber", "Viber"),
    ("Line", "facebookexternalhit/1.1;line-poker/1.0"),
    (
        "KakaoTalk",
        "facebookexternalhit/1.1; kakaotalk-scrap/1.0; +https://devtalk.kakao.com/t/scrap/33984",
    ),
    ("Pinterest", "Mozilla/5.0 (compatible; Pinterestbot/1.0; +http://www.pinterest.com/bot.html)"),
    ("Pinterest", "Pinterest/0.2 (+https://www.pinterest.com/bot.html)"),
    ("Reddit", "Mozilla/5.0 (compatible; redditbot/1.0; +http://www.reddit.com/feedback)"),
    (
        "Google Chat",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
         Chrome/56.0.2924.87 Safari/537.36 Google-PageRenderer Google \
         (+https://developers.google.com/+/web/snippet/)",
    ),
    ("VK", "Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)"),
    ("Embedly", "Mozilla/5.0 (compatible; Embedly/0.2; +http://support.embed.ly/)"),
    ("Iframely", "Iframely/1.3.1 (+https://iframely.com/docs/about) Atlassian"),
    ("Snapchat", "Snap URL Preview Service; bot; snapchat; https://developers.snap.com/robots"),
    ("Steam", "Valve/Steam HTTP Client 1.0 (SteamChatURLLookup)"),
    ("Matrix", "Synapse (bot; +https://github.com/matrix-org/synapse)"),
    ("Mattermost", "Mattermost-Bot/1.1"),
    ("Discourse", "Discourse Forum Onebox v3.3.0.beta1-dev"),
    (
        "Flipboard",
        "Mozilla/5.0 (compatible; FlipboardProxy/1.2; +http://flipboard.com/browserproxy)",
    ),
    ("Tumblr", "Tumblr/14.0.835.186"),
    ("Office", "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Word 16.0.17328; Pro)"),
    ("other", "SomebodysLinkPreview/3.0"),
];

/// People's agents that bear a name which is elsewhere a bot's, or that look like no browser's:
/// device, browser, platform, agent.
const WITHIN_APPS: [(&str, &str, &str, &str); 14] = [
    (
        "phone",
        "Facebook",
        "iOS",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like \
         Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/465.0.1.41.103;FBBV/602060281;FBDV/iPhone14,5;FBMD/\
         iPhone;FBSN/iOS;FBSV/17.5.1;FBSS/3;FBID/phone;FBLC/de_DE;FBOP/5]",
    ),
    (
        "phone",
        "Instagram",
        "iOS",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, \
         like Gecko) Mobile/15E148 Instagram 335.0.8.26.85 (iPhone14,5; iOS 17_5_1; de_DE; de; \
         scale=3.00; 1170x2532; 609775437)",
    ),
    (
        "phone",
        "Instagram",
        "Android",
        "Mozilla/5.0 (Linux; Android 14; SM-S911B Build/UP1A.231005.007; wv) AppleWebKit/537.36 \
         (KHTML, like Gecko) Version/4.0 Chrome/125.0.6422.165 Mobile Safari/537.36 Instagram \
         334.0.0.42.95 Android (34/14; 480dpi; 1080x2125; samsung; SM-S911B; dm1q; qcom; de_DE)",
    ),
    (
        "phone",
        "LinkedIn",
        "iOS",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, \
         like Gecko) Mobile/15E148 [LinkedInApp]/9.29.7583",
    ),
    (
        "phone",
        "Pinterest",
        "iOS",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like \
         Gecko) Mobile/15E148 [Pinterest/iOS]",
    ),
    (
        "phone",
        "Mobile Safari UI/WKWebView",
        "iOS",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like \
         Gecko) Mobile/15E148 WhatsApp/2.24.10.75",
    ),
    (
        "phone",
        "Chrome Mobile WebView",
        "Android",
        "Mozilla/5.0 (Linux; Android 16; Pixel 10 Pro XL Build/CP1A.260305.018; wv) \
         AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/146.0.7680.174 Mobile \
         Safari/537.36 MetaIAB Facebook",
    ),
    (
        "phone",
        "Chrome Mobile WebView",
        "Android",
        "Mozilla/5.0 (Linux; Android 13; 2201116SG Build/TKQ1.221114.001; wv) AppleWebKit/537.36 \
         (KHTML, like Gecko) Version/4.0 Chrome/126.0.6478.71 Mobile Safari/537.36 \
         Telegram-Android/11.2.3 (Xiaomi 2201116SG; Android 13; SDK 33; AVERAGE)",
    ),
    (
        "phone",
        "LINE",
        "iOS",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like \
         Gecko) Mobile/15E148 Safari Line/14.8.0",
    ),
    (
        "phone",
        "Chrome Mobile",
        "Android",
        "Mozilla/5.0 (Linux; Android 11; CUBOT NOTE 20) AppleWebKit/537.36 (KHTML, like Gecko) \
         Chrome/124.0.0.0 Mobile Safari/537.36",
    ),
    (
        "phone",
        "Chrome Mobile",
        "Android",
        "Mozilla/5.0 (Linux; Android 4.1.1; HTC Butterfly Build/JRO03C) AppleWebKit/535.19 (KHTML, \
         like Gecko) Chrome/18.0.1025.166 Mobile Safari/535.19",
    ),
    (
        "tablet",
        "Chrome",
        "Android",
        "Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 (KHTML, like Gecko) \
         Chrome/124.0.0.0 Safari/537.36",
    ),
    (
        "other",
        "Samsung Internet",
        "Tizen",
        "Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) \
         SamsungBrowser/2.2 Chrome/76.0.3809.146 TV Safari/537.36",
    ),
    (
        "desktop",
        "Electron",
        "Mac OS X",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) \
         Notion/3.9.1 Chrome/124.0.6367.243 Electron/30.1.2 Safari/537.36",
    ),
];

/// Other programs, with what they are called.
const PROGRAMS: [(&str, &str); 16] = [
    (
        "crawler/Googlebot",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    ),
    (
        "crawler/GPTBot",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; \
         +https://openai.com/gptbot)",
    ),
    (
        "crawler/linkdex",
        "linkdexbot/Nutch-1.0-dev (http://www.linkdex.com/; crawl at linkdex dot com)",
    ),
    ("crawler/other", "SomethingNew-Bot/0.1"),
    (
        "monitor/UptimeRobot",
        "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
    ),
    ("monitor/Kubernetes", "kube-probe/1.29"),
    ("library/curl", "curl/8.7.1"),
    ("library/Wget", "Wget/1.21.4"),
    ("library/python-requests", "python-requests/2.32.3"),
    ("library/Go-http-client", "Go-http-client/2.0"),
    ("library/okhttp", "okhttp/4.12.0"),
    ("library/Java", "Java/17.0.11"),
    ("library/axios", "axios/1.7.2"),
    (
        "library/HeadlessChrome",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
         HeadlessChrome/125.0.6422.60 Safari/537.36",
    ),
    ("library/other", "aws-sdk-go/1.4.12 (go1.6; linux; amd64) S3Manager"),
    ("library/other", "Mozilla/5.0"),
];

fn agents() -> Agents {
    Agents::new().unwrap()
}

/// The two columns of a table.
fn pairs(table: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    table.lines().map(|line| line.split_once('\t').unwrap_or((line, "")))
}

/// Asserts that at least `percent` of the cases give what is expected, and shows the others.
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
fn every_rule_is_a_regular_expression() {
    for table in [BROWSERS, PLATFORMS] {
        let rules = Families::read(table).unwrap().rules;
        assert!(rules.len() > 100 && rules.iter().all(|rule| rule.pattern.regex().is_some()));
    }
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
