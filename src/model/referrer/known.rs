//! Hosts and apps that go by another name.

/// Hosts that stand for a better-known one; a host that begins with a dot stands for itself and all
/// below it. The first that fits counts.
const HOSTS: &[(&str, &str)] = &[
    // Links out of Facebook pass l., lm. or touch.; pages have a host for each language and kind of
    // telephone. fb.com and fb.me are its own short links.
    (".facebook.com", "facebook.com"),
    (".fb.com", "facebook.com"),
    (".fb.me", "facebook.com"),
    (".messenger.com", "messenger.com"),
    (".instagram.com", "instagram.com"),
    (".threads.com", "threads.com"),
    // Its name until 2025.
    (".threads.net", "threads.com"),
    // WhatsApp: the page, short links, and the wrapper of links out of it.
    (".whatsapp.com", "whatsapp.com"),
    (".wa.me", "whatsapp.com"),
    (".wl.co", "whatsapp.com"),
    // Every link out of X passes t.co, which is what the reader's browser then names.
    (".t.co", "x.com"),
    (".x.com", "x.com"),
    (".twitter.com", "x.com"),
    (".linkedin.com", "linkedin.com"),
    (".lnkd.in", "linkedin.com"),
    // old., new., out. and one for each language: the same site.
    (".reddit.com", "reddit.com"),
    (".redd.it", "reddit.com"),
    (".vk.com", "vk.com"),
    (".vk.ru", "vk.com"),
    (".vkontakte.ru", "vk.com"),
    (".ok.ru", "ok.ru"),
    (".telegram.org", "telegram.org"),
    (".telegram.me", "telegram.org"),
    (".t.me", "telegram.org"),
    (".bsky.app", "bsky.app"),
    (".tiktok.com", "tiktok.com"),
    (".snapchat.com", "snapchat.com"),
    (".discord.com", "discord.com"),
    (".discordapp.com", "discord.com"),
    // One host for each workspace; the second wraps links out of the client.
    (".slack.com", "slack.com"),
    (".slack-redir.net", "slack.com"),
    ("statics.teams.cdn.office.net", "teams.microsoft.com"),
    ("teams.live.com", "teams.microsoft.com"),
    // Outlook on the web for people and for companies; the last wraps links in its letters.
    ("outlook.live.com", "outlook.com"),
    ("outlook.office.com", "outlook.com"),
    ("outlook.office365.com", "outlook.com"),
    (".safelinks.protection.outlook.com", "outlook.com"),
    (".youtube.com", "youtube.com"),
    ("youtu.be", "youtube.com"),
    ("pin.it", "pinterest.com"),
    // Wraps links out of Tumblr.
    ("t.umblr.com", "tumblr.com"),
    (".tumblr.com", "tumblr.com"),
    ("flip.it", "flipboard.com"),
    (".flipboard.com", "flipboard.com"),
    (".smartnews.com", "smartnews.com"),
    ("cloud.feedly.com", "feedly.com"),
    (".weibo.com", "weibo.com"),
    (".weibo.cn", "weibo.com"),
    ("t.cn", "weibo.com"),
    // A host for each language, and for each language's telephones.
    (".wikipedia.org", "wikipedia.org"),
    // Google's cache of AMP pages, which only its own pages lead to.
    (".cdn.ampproject.org", "google.com"),
    // Bing's front doors, and the panel at Edge's side.
    ("cn.bing.com", "bing.com"),
    ("m.bing.com", "bing.com"),
    ("www2.bing.com", "bing.com"),
    ("www4.bing.com", "bing.com"),
    ("edgeservices.bing.com", "bing.com"),
    // Pages without scripts.
    (".duckduckgo.com", "duckduckgo.com"),
    // One for each language; mail, news and sports go by their own names.
    (".search.yahoo.com", "search.yahoo.com"),
    ("m.baidu.com", "baidu.com"),
    ("ya.ru", "yandex.ru"),
    ("m.search.naver.com", "search.naver.com"),
    ("chat.openai.com", "chatgpt.com"),
];

/// Apps for Android that belong to a service with a host, by their package. Those of Google's that
/// show other people's pages stand for what people call them.
const APPS: &[(&str, &str)] = &[
    // The search box, and Discover, which has no name of its own here.
    ("com.google.android.googlequicksearchbox", "google.com"),
    ("com.google.android.apps.searchlite", "google.com"),
    ("com.google.android.gm", "mail.google.com"),
    ("com.google.android.gm.lite", "mail.google.com"),
    ("com.google.android.apps.magazines", "news.google.com"),
    ("com.google.android.youtube", "youtube.com"),
    ("com.facebook.katana", "facebook.com"),
    ("com.facebook.lite", "facebook.com"),
    ("com.facebook.orca", "messenger.com"),
    ("com.instagram.android", "instagram.com"),
    ("com.instagram.barcelona", "threads.com"),
    ("com.whatsapp", "whatsapp.com"),
    ("com.whatsapp.w4b", "whatsapp.com"),
    ("com.twitter.android", "x.com"),
    ("com.twitter.android.lite", "x.com"),
    ("com.linkedin.android", "linkedin.com"),
    ("com.reddit.frontpage", "reddit.com"),
    ("com.vkontakte.android", "vk.com"),
    ("ru.ok.android", "ok.ru"),
    ("org.telegram.messenger", "telegram.org"),
    ("org.telegram.messenger.web", "telegram.org"),
    ("org.telegram.plus", "telegram.org"),
    ("org.thunderdog.challegram", "telegram.org"),
    ("xyz.blueskyweb.app", "bsky.app"),
    ("com.zhiliaoapp.musically", "tiktok.com"),
    ("com.ss.android.ugc.trill", "tiktok.com"),
    ("com.snapchat.android", "snapchat.com"),
    ("com.pinterest", "pinterest.com"),
    ("com.tumblr", "tumblr.com"),
    ("com.discord", "discord.com"),
    // Slack's package is from before it was Slack.
    ("com.slack", "slack.com"),
    ("com.microsoft.teams", "teams.microsoft.com"),
    ("com.microsoft.office.outlook", "outlook.com"),
    ("com.microsoft.bing", "bing.com"),
    ("com.duckduckgo.mobile.android", "duckduckgo.com"),
    ("com.yahoo.mobile.client.android.mail", "mail.yahoo.com"),
    ("com.yandex.searchapp", "yandex.ru"),
    ("ru.yandex.searchplugin", "yandex.ru"),
    ("flipboard.app", "flipboard.com"),
    ("jp.gocro.smartnews.android", "smartnews.com"),
    ("com.devhd.feedly", "feedly.com"),
    ("com.sina.weibo", "weibo.com"),
    ("com.openai.chatgpt", "chatgpt.com"),
];

/// Services with a host for each country, all of them the same to a newsroom.
const FAMILIES: &[(&str, &str)] =
    &[("google", "google.com"), ("pinterest", "pinterest.com"), ("yandex", "yandex.ru")];

/// What a host without `www.` is called.
pub(super) fn name_of(host: &str) -> &str {
    HOSTS
        .iter()
        .find(|(known, _)| fits(host, known))
        .map(|(_, name)| *name)
        .or_else(|| family_of(host))
        .unwrap_or(host)
}

/// The service that an app belongs to.
pub(super) fn service_of(package: &str) -> Option<&'static str> {
    APPS.iter().find(|(known, _)| *known == package).map(|(_, name)| *name)
}

fn fits(host: &str, known: &str) -> bool {
    match known.strip_prefix('.') {
        Some(domain) => host == domain || host.ends_with(known),
        None => host == known,
    }
}

/// `google.de`, `google.co.uk`, `google.com.br`, `google.cat`: what follows the name is a country, or
/// a country's `co` or `com`. `news.google.com` and others below are none of these.
fn family_of(host: &str) -> Option<&'static str> {
    let (first, rest) = host.split_once('.')?;
    let (_, name) = FAMILIES.iter().find(|(family, _)| *family == first)?;
    let end = rest.strip_prefix("co.").or_else(|| rest.strip_prefix("com.")).unwrap_or(rest);
    let country = end.len() == 2 && end.bytes().all(|byte| byte.is_ascii_lowercase());
    (country || matches!(rest, "com" | "cat")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_of_the_table_is_called_otherwise_by_it() {
        let names = HOSTS.iter().chain(APPS).chain(FAMILIES).map(|(_, name)| *name);
        for name in names {
            assert_eq!(name_of(name), name);
        }
    }

    #[test]
    fn every_line_of_the_table_counts() {
        for (at, (known, name)) in HOSTS.iter().enumerate() {
            let host = known.strip_prefix('.').unwrap_or(known);
            let first = HOSTS.iter().position(|(known, _)| fits(host, known));
            assert_eq!((name_of(host), first), (*name, Some(at)), "{known}");
        }
        for (at, (package, _)) in APPS.iter().enumerate() {
            assert!(!APPS[..at].iter().any(|(known, _)| known == package), "{package} twice");
        }
    }
}
