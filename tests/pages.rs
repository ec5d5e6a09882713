//! What readers see in place of a redirect: pages in their language, under the newsroom's name.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[path = "support/live/mod.rs"]
mod live;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use live::{Answer, Service, TestStore, until};
use proptest::prelude::*;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

const STORY: &str = "https://www.example.org/2026/11/23/a-story.html";
/// How a browser asks.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const LANGUAGES: [&str; 7] = ["en", "de", "fr", "es", "pt", "ar", "fa"];
/// Tags, quotes and an end of every element there is.
const HOSTILE: &str =
    "</title></style></h1><script>alert('x')</script>\"><img src=x onerror=alert(1)>&amp;";

/// Asks with these further headers.
fn ask(service: &Service, method: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
    let mut connection = service.connect();
    let mut request = format!("{method} {target} HTTP/1.1\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        request.push_str("Host: go.example.org\r\n");
    }
    headers.iter().for_each(|(name, value)| request.push_str(&format!("{name}: {value}\r\n")));
    connection.send(&format!("{request}\r\n")).unwrap();
    connection.receive(method).unwrap()
}

/// Asks as a browser whose reader prefers this language.
fn browse(service: &Service, target: &str, language: &str) -> Answer {
    ask(service, "GET", target, &[("Accept", BROWSER), ("Accept-Language", language)])
}

/// Every text of config/pages.toml, by language and key.
fn words() -> BTreeMap<String, BTreeMap<String, String>> {
    toml::from_str(&std::fs::read_to_string("config/pages.toml").unwrap()).unwrap()
}

/// A text as it stands in HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&#38;").replace('\'', "&#39;").replace('<', "&#60;").replace('>', "&#62;")
}

fn withdraw(service: &Service, code: &str, reason: &str) {
    let withdrawal = json!({ "state": "disabled", "reason": reason });
    service.call("PATCH", &format!("/api/v1/links/{code}"), Some(&withdrawal)).expect(200);
}

/// A service that stands for two hosts, and a target for each key of what may be said there.
fn with_everything_gone() -> (Service, Vec<(&'static str, &'static str, String, u16)>) {
    let hosts = [("PUBLIC_URL", "https://go.example.org"), ("HOSTS", "goo.example.net")];
    let service = Service::start_with("", &hosts);
    let soon = jiff::Timestamp::now() + Duration::from_millis(1_500);
    let wish = json!({ "url": "https://e.org/expiring", "expires_at": soon.to_string() });
    let expired = service.mint_with(wish);
    let withdrawn = service.mint("https://e.org/withdrawn");
    let withdrawal = json!({ "state": "disabled" });
    service.call("PATCH", &format!("/api/v1/links/{withdrawn}"), Some(&withdrawal)).expect(200);
    let deleted = service.mint("https://e.org/deleted");
    service.call("DELETE", &format!("/api/v1/links/{deleted}"), None).expect(204);
    let gone = |code: &str| ask(&service, "HEAD", &format!("/{code}"), &[]).status == 410;
    until("the link to expire", || gone(&expired));
    let said = vec![
        ("GET", "unknown", "/nobody".to_owned(), 404),
        ("GET", "unknown", "/".to_owned(), 404),
        ("GET", "expired", format!("/{expired}"), 410),
        ("GET", "withdrawn", format!("/{withdrawn}"), 410),
        ("GET", "deleted", format!("/{deleted}"), 410),
        ("DELETE", "wrong_method", format!("/{withdrawn}"), 405),
    ];
    (service, said)
}

#[test]
fn each_answer_is_a_page_or_a_sentence_in_the_readers_language() {
    let (service, said) = with_everything_gone();
    let words = words();
    for (method, key, target, status) in &said {
        for tag in LANGUAGES {
            let sentence = &words[tag][*key];
            let asked = |accept| {
                let headers = [("Accept", accept), ("Accept-Language", tag)];
                ask(&service, method, target, &headers).expect(*status)
            };
            let (page, plain) = (asked(BROWSER), asked("*/*"));
            assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
            assert_eq!(plain.header("content-type"), "text/plain; charset=utf-8");
            assert_eq!(plain.text(), format!("{sentence}\n"));
            assert!(page.text().contains(&format!("<h1>{}</h1>", escaped(sentence))));
            let direction = if ["ar", "fa"].contains(&tag) { "rtl" } else { "ltr" };
            let root = format!("<html lang=\"{tag}\" dir=\"{direction}\">");
            assert!(page.text().contains(&root), "{}", page.text());
            for answer in [page, plain] {
                assert_eq!(answer.header("content-language"), tag);
                assert_eq!(answer.header("vary"), "Accept, Accept-Language");
                assert_eq!(answer.header("cache-control"), "no-store");
                let allow = if *status == 405 { "GET, HEAD" } else { "" };
                assert_eq!((answer.header("allow"), answer.header("location")), (allow, ""));
            }
        }
    }
    for (_, _, target, status) in said.iter().filter(|(method, ..)| *method == "GET") {
        let headers = [("Accept", BROWSER), ("Accept-Language", "fa")];
        let head = ask(&service, "HEAD", target, &headers).expect(*status);
        let page = ask(&service, "GET", target, &headers);
        for name in ["content-type", "content-language", "content-length", "vary"] {
            assert_eq!(head.header(name), page.header(name), "{name} of {target}");
        }
        assert!(head.body.is_empty());
    }
}

#[test]
fn only_who_asks_for_html_by_name_gets_a_page() {
    let service = Service::start("");
    for (accept, page) in [
        (BROWSER, true),
        ("text/html", true),
        ("*/*;q=0.1, TEXT/HTML", true),
        ("text/html,application/xhtml+xml,image/jxr,*/*", true),
        ("*/*", false),
        ("text/plain, text/html", false),
        ("application/json", false),
        ("image/avif,image/webp,*/*", false),
        ("text/*;q=0.5", false),
        ("text/html;q=0, */*", false),
        ("nonsense", false),
    ] {
        let answer = ask(&service, "GET", "/nobody", &[("Accept", accept)]).expect(404);
        assert_eq!(answer.header("content-type").starts_with("text/html"), page, "{accept}");
    }
    let silent = ask(&service, "GET", "/nobody", &[]).expect(404);
    assert_eq!(silent.text(), "There is no such short link.\n");
}

#[test]
fn other_languages_and_hosts_are_answered_as_well_as_can_be() {
    let (service, _) = with_everything_gone();
    for (wanted, tag) in [
        ("de-AT, en;q=0.5", "de"),
        ("sv, pt-BR;q=0.7, de;q=0.3", "pt"),
        ("*", "en"),
        ("sv", "en"),
        ("AR-eg", "ar"),
    ] {
        assert_eq!(browse(&service, "/nobody", wanted).header("content-language"), tag, "{wanted}");
    }
    let words = words();
    for tag in LANGUAGES {
        let asked = |accept, host| {
            let headers = [("Accept", accept), ("Accept-Language", tag), ("Host", host)];
            ask(&service, "GET", "/nobody", &headers).expect(421)
        };
        let said = words[tag]["misdirected"].replace("{asked}", "other.example:80");
        let ours = "go.example.org, goo.example.net";
        let plain = asked("*/*", "other.example:80");
        assert_eq!(plain.text(), format!("{}\n", said.replace("{ours}", ours)));
        let page = asked(BROWSER, "other.example");
        assert!(page.text().contains("<b dir=\"ltr\">other.example</b>"), "{}", page.text());
        assert!(page.text().contains(&format!("<b dir=\"ltr\">{ours}</b>")));
        assert_eq!((page.header("content-language"), plain.header("content-language")), (tag, tag));
        assert_eq!(page.header("vary"), "Accept, Accept-Language");
    }
}

#[test]
fn while_the_store_is_away_readers_are_asked_to_come_back_in_their_language() {
    let mut store = TestStore::redis();
    let service = Service::start_with(&store.url(), &[("STORE__READ_TIMEOUT", "50ms")]);
    service.wait_until_ready();
    store.kill();
    let words = words();
    for tag in LANGUAGES {
        let sentence = &words[tag]["unavailable"];
        let page = browse(&service, "/nobody", tag).expect(503);
        assert!(page.text().contains(&escaped(sentence)), "{}", page.text());
        let plain = ask(&service, "GET", "/nobody", &[("Accept-Language", tag)]).expect(503);
        assert_eq!(plain.text(), format!("{sentence}\n"));
        let behind = browse(&service, "/nobody+", tag).expect(503);
        for answer in [page, plain, behind] {
            assert_eq!(
                (answer.header("retry-after"), answer.header("content-language")),
                ("2", tag)
            );
        }
    }
}

#[test]
fn a_links_page_speaks_the_readers_language() {
    let mut service = Service::start_with("", &[("LINKS__PUBLIC_STATS", "true")]);
    let code = service.mint(STORY);
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    ask(&service, "GET", &format!("/{code}"), &[("User-Agent", agent)]).expect(302);
    until("the click to be counted", || service.clicks_on(&code) == 1);
    let words = words();
    for tag in LANGUAGES {
        let page = browse(&service, &format!("/{code}+"), tag).expect(200);
        assert_eq!(page.header("content-language"), tag);
        assert_eq!(page.header("vary"), "Accept, Accept-Language");
        for key in ["short_link", "created", "state", "active", "clicks", "by_hour", "referrers"] {
            assert!(page.text().contains(&escaped(&words[tag][key])), "{key}: {}", page.text());
        }
        let direct = format!("<bdi>{}</bdi>", escaped(&words[tag]["row_direct"]));
        assert!(page.text().contains(&direct), "{}", page.text());
        let braces = page.text().replace(page.text().split("</style>").next().unwrap(), "");
        assert!(!braces.contains(['{', '}']), "{braces}");
        let headers = [("Accept", "application/json"), ("Accept-Language", tag)];
        let problem = ask(&service, "GET", "/nobody.info", &headers).expect(404);
        assert_eq!(problem.json()["detail"], *words[tag]["unknown"]);
        assert_eq!(problem.header("content-language"), tag);
    }
    assert!(service.terminate().success());
    service.set("LINKS__PHISHING_HOSTS", "www.example.org");
    service.restart();
    for tag in LANGUAGES {
        let warning = browse(&service, &format!("/{code}"), tag).expect(403);
        assert_eq!(warning.header("content-language"), tag);
        let says = words[tag]["phishing"].replace("{host}", "<b dir=\"ltr\">www.example.org</b>");
        for page in [warning, browse(&service, &format!("/{code}+"), tag).expect(200)] {
            assert!(page.text().contains(&format!("{says}</p>")), "{}", page.text());
        }
    }
}

#[test]
fn whatever_language_is_asked_for_there_is_an_answer() {
    let service = Service::start("");
    proptest!(ProptestConfig::with_cases(500), |(
        wanted in prop_oneof!["[\\t -~äЖ]{0,300}", "([a-zA-Z*]{1,9}(-[a-zA-Z0-9*]{1,9}){0,4}(;q=[-0-9.]{0,6})?,){0,30}"],
        accept in prop_oneof![Just(BROWSER.to_owned()), "[\\t -~]{0,100}"],
    )| {
        let headers = [("Accept", accept.as_str()), ("Accept-Language", &wanted)];
        let answer = ask(&service, "GET", "/nobody", &headers).expect(404);
        prop_assert!(LANGUAGES.contains(&answer.header("content-language")));
    });
    // As much as a request may have of it.
    for item in ["de,", "x-", ",;", "*;q=0.1,"] {
        let answer = browse(&service, "/nobody", &item.repeat(30_000 / item.len())).expect(404);
        assert!(["en", "de"].contains(&answer.header("content-language")), "{item}");
    }
}

/// The style of a page is let in by its hash, and nothing that a stranger wrote is part of it.
fn assert_tame(page: &Answer, pictures: bool) {
    let text = page.text();
    for tag in ["<script", "<img src=x", "onerror=alert(1)>", "<b>"] {
        assert!(!text.contains(tag), "{tag} in {text}");
    }
    let style = text.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    assert_eq!(text.matches("</style>").count(), 1, "{text}");
    let policy = page.header("content-security-policy");
    let hash = STANDARD.encode(Sha256::digest(style));
    let pictures = if pictures { "img-src 'self'; " } else { "" };
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; style-src 'sha256-{hash}'; {pictures}base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'"
        )
    );
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("x-robots-tag"), "noindex");
}

#[test]
fn what_strangers_wrote_stays_text_on_every_page() {
    let brand = format!("<b>{}", &HOSTILE[..60]);
    let settings = [
        ("LINKS__PUBLIC_STATS", "true"),
        ("PUBLIC_URL", "https://go.example.org"),
        ("HOSTS", "goo.example.net"),
        ("BRAND__NAME", &brand),
        ("BRAND__HOME", "https://www.example.org/?\"><script>alert(1)</script>"),
        ("LINKS__MALWARE_HOSTS", "bad.example"),
    ];
    let service = Service::start_with("", &settings);
    let withdrawn = service.mint(STORY);
    withdraw(&service, &withdrawn, HOSTILE);
    let lines = [
        json!({ "code": "titled", "target": STORY, "title": HOSTILE }),
        json!({ "code": "evil", "target": "http://e.org/\"><script>alert(1)</script>" }),
        json!({ "code": "bad", "target": "http://bad.example/\"><script>alert(1)</script>" }),
    ];
    let lines = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    assert_eq!(service.import(&lines, "")[0]["imported"], 3);
    for tag in LANGUAGES {
        for (target, status) in [
            (format!("/{withdrawn}"), 410),
            (format!("/{withdrawn}+"), 410),
            ("/titled+".into(), 200),
            ("/evil+".into(), 200),
            ("/bad+".into(), 200),
            ("/bad".into(), 403),
            ("/nobody".into(), 404),
            ("/%3Cscript%3Ealert(1)%3C/script%3E".into(), 404),
        ] {
            assert_tame(&browse(&service, &target, tag).expect(status), false);
        }
        let host = "<script>alert(1)</script>.example";
        let headers = [("Accept", BROWSER), ("Accept-Language", tag), ("Host", host)];
        let page = ask(&service, "GET", "/nobody", &headers).expect(421);
        assert!(page.text().contains("&#60;script&#62;alert(1)&#60;/script&#62;.example"));
        assert_tame(&page, false);
    }
    // Whichever way a reason is written, its line is not.
    withdraw(&service, &withdrawn, "סיבה: \u{202e}x");
    let page = browse(&service, &format!("/{withdrawn}"), "de").expect(410);
    assert!(page.text().contains("<p>Grund: <bdi>סיבה: \u{202e}x</bdi></p>"), "{}", page.text());
    let plain = ask(&service, "GET", &format!("/{withdrawn}"), &[("Accept-Language", "de")]);
    assert!(plain.text().ends_with("\nGrund: סיבה: \u{202e}x\n"), "{}", plain.text());
}

/// A folder with a file in it.
fn file(name: &str, content: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

#[test]
fn pages_bear_the_newsrooms_name_colour_logo_and_home() {
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    let (_folder, logo) = file("logo.svg", svg);
    let settings = [
        ("PUBLIC_URL", "https://www.example.org/go/"),
        ("BRAND__NAME", "The Daily & Sunday"),
        ("BRAND__COLOUR", "#FFCC00"),
        ("BRAND__HOME", "https://www.example.org/?a=1&b=2"),
        ("BRAND__LOGO", logo.to_str().unwrap()),
        ("BRAND__LANGUAGE", "de"),
    ];
    let service = Service::start_with("", &settings);
    let code = service.mint("https://e.org/");
    for (target, status) in [("/nobody".to_owned(), 404), (format!("/{code}+"), 200)] {
        let page = browse(&service, &target, "sv").expect(status);
        assert_eq!(page.header("content-language"), "de", "{target}");
        for part in [
            "<img src=\"/go/-/brand/logo\" alt=\"The Daily &#38; Sunday\">",
            "<link rel=\"icon\" href=\"/go/-/brand/logo\">",
            "<a href=\"https://www.example.org/?a=1&#38;b=2\">Zu <bdi>The Daily &#38; Sunday</bdi></a>",
            "--brand: #ffcc00; --on-brand: #000000;",
        ] {
            assert!(page.text().contains(part), "{part}: {}", page.text());
        }
        assert_tame(&page, true);
    }
    let sent = ask(&service, "GET", "/-/brand/logo", &[]).expect(200);
    assert_eq!(sent.body, svg);
    assert_eq!(sent.header("content-type"), "image/svg+xml");
    assert_eq!(sent.header("x-content-type-options"), "nosniff");
    let policy = sent.header("content-security-policy");
    assert_eq!(policy, "default-src 'none'; style-src 'unsafe-inline'; sandbox");
    let head = ask(&service, "HEAD", "/-/brand/logo", &[]).expect(200);
    assert_eq!(head.header("content-length"), svg.len().to_string());
    let known = [("If-None-Match", sent.header("etag"))];
    ask(&service, "GET", "/-/brand/logo", &known).expect(304);
    ask(&service, "POST", "/-/brand/logo", &[]).expect(405);
    let plain = Service::start("");
    browse(&plain, "/-/brand/logo", "en").expect(404);
    let page = browse(&plain, "/nobody", "en").expect(404);
    assert!(page.text().contains("<bdi>Slugline</bdi>"), "{}", page.text());
    assert!(!page.text().contains("<footer>") && !page.text().contains("--brand:"));
}

#[test]
fn translations_of_a_newsroom_are_laid_over_ours() {
    let own = "[de]\nunknown = 'Nix da.'\n[de-CH]\nexpired = 'Abgloffe.'\n\
               [he]\ndirection = 'rtl'\nunknown = 'אין קישור כזה.'\n";
    let (_folder, path) = file("pages.toml", own.as_bytes());
    let settings = [("BRAND__TRANSLATIONS", path.to_str().unwrap()), ("BRAND__LANGUAGE", "he")];
    let service = Service::start_with("", &settings);
    for (wanted, tag, sentence) in [
        ("de", "de", "Nix da.\n"),
        ("de-CH", "de-CH", "Nix da.\n"),
        ("he-IL", "he", "אין קישור כזה.\n"),
        ("sv", "he", "אין קישור כזה.\n"),
        ("fr", "fr", "Ce lien court n’existe pas.\n"),
    ] {
        let answer = ask(&service, "GET", "/nobody", &[("Accept-Language", wanted)]).expect(404);
        assert_eq!((answer.header("content-language"), answer.text()), (tag, sentence));
    }
    let page = browse(&service, "/nobody", "he").expect(404);
    assert!(page.text().contains("<html lang=\"he\" dir=\"rtl\">"));
    let hint = escaped(&words()["en"]["unknown_hint"]);
    assert!(page.text().contains(&hint), "what is lacking is English: {}", page.text());
}

#[test]
fn a_brand_that_cannot_be_shown_stops_the_start_and_says_why() {
    let (_a, gif) = file("logo.gif", b"GIF89a......");
    let (_b, html) = file("logo.svg", b"<html><svg></svg></html>");
    let (_c, large) = file("logo.png", &[b"\x89PNG\r\n\x1a\n", &[0; 200_000][..]].concat());
    let (_d, typo) = file("pages.toml", b"[de]\nunknwon = 'x'\n");
    let (_e, hole) = file("pages.toml", b"[de]\nreason = 'Grund'\n");
    let (_f, tag) = file("pages.toml", b"[german]\nunknown = 'x'\n");
    let (_g, broken) = file("pages.toml", b"[de]\nunknown = \n");
    let text = |path: &PathBuf| path.to_str().unwrap().to_owned();
    let allowed = "must be empty, or a colour such as \"#1f5fa8\", not \"blue\"";
    for (key, value, told) in [
        ("LOGO", text(&gif), "brand.logo: FILE is neither SVG nor PNG, JPEG or WebP"),
        ("LOGO", text(&html), "brand.logo: FILE is neither SVG nor PNG, JPEG or WebP"),
        ("LOGO", text(&large), "brand.logo: FILE has more than 200000 bytes; make it smaller"),
        ("LOGO", "/nowhere/logo.png".into(), "brand.logo: FILE can't be read: No such file"),
        ("TRANSLATIONS", text(&typo), "brand.translations: FILE: unknown key `unknwon` in [de]"),
        ("TRANSLATIONS", text(&hole), "FILE: `reason` in [de] must hold {reason}, not \"Grund\""),
        ("TRANSLATIONS", text(&tag), "FILE: [german] is not named by the tag of a language"),
        ("TRANSLATIONS", text(&broken), "brand.translations: FILE, line 2: "),
        ("TRANSLATIONS", "/nowhere/p.toml".into(), "brand.translations: FILE can't be read: No"),
        (
            "LANGUAGE",
            "xx".into(),
            "brand.language: there are no pages in \"xx\"; there are ar, de,",
        ),
        ("COLOUR", "blue".into(), allowed),
        ("HOME", "javascript:alert(1)".into(), "must be empty, or an http or https address"),
        ("NAME", " ".into(), "must be 1 to 100 characters"),
    ] {
        let mut service = Service::prepare("", &[(&format!("BRAND__{key}"), &value)]);
        service.run();
        assert!(!service.wait().success(), "{key} = {value}");
        let told = told.replace("FILE", &value);
        assert!(service.log().contains(&told), "{told} in {}", service.log());
    }
}

#[test]
fn the_check_says_whether_the_brand_can_be_shown() {
    let (folder, gif) = file("logo.gif", b"GIF89a......");
    let check = |logo: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_slugline"));
        command.arg("check").env("SLUGLINE__DATA_DIR", folder.path().join("data"));
        let output = command.env("SLUGLINE__BRAND__LOGO", logo).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let (well, said) = check("");
    assert!(well && said.contains("OK       pages: in ar, de, en, es, fa, fr, pt\n"), "{said}");
    let (well, said) = check(gif.to_str().unwrap());
    assert!(!well && said.contains("problem  pages: brand.logo: "), "{said}");
}
