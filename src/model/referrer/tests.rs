//! What a newsroom calls the places that its readers come from.

use proptest::prelude::*;

use super::*;

fn named(raw: &str) -> String {
    Referrers::new(Some("go.example.org")).name(raw.as_bytes()).to_string()
}

#[test]
fn a_host_goes_by_its_own_name_in_its_normal_form() {
    for (raw, expected) in [
        ("https://example.com", "example.com"),
        ("https://www.Example.COM", "example.com"),
        ("http://WWW.example.com:80", "example.com"),
        ("https://example.com:443", "example.com"),
        ("https://example.com.", "example.com"),
        ("https://www.example.com.:8443", "example.com:8443"),
        ("https://bücher.example", "xn--bcher-kva.example"),
        ("https://xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("https://news.example.com", "news.example.com"),
        ("https://www.com", "www.com"),
        ("http://intranet", "intranet"),
        ("http://localhost:3000", "localhost:3000"),
        ("http://[2001:db8::1]:8080", "[2001:db8::1]:8080"),
        ("https://me:secret@example.com", "example.com"),
    ] {
        assert_eq!(named(raw), expected, "{raw}");
    }
}

#[test]
fn no_referrer_and_the_services_own_host_are_direct() {
    for raw in
        ["", "https://go.example.org", "http://GO.example.org.", "https://www.go.example.org"]
    {
        assert_eq!(named(raw), "direct", "{raw}");
    }
    assert_eq!(named("https://example.org"), "example.org");
    let at_a_port = Referrers::new(Some("127.0.0.1:8080"));
    assert_eq!(&*at_a_port.name(b"http://127.0.0.1:8080"), "direct");
    assert_eq!(&*at_a_port.name(b"http://127.0.0.1:9090"), "127.0.0.1:9090");
    assert_eq!(&*Referrers::new(None).name(b"https://go.example.org"), "go.example.org");
    let several = Referrers::new(["go.example.org", "goo.example.net"]);
    for raw in [&b"https://go.example.org"[..], b"https://goo.example.net"] {
        assert_eq!(&*several.name(raw), "direct");
    }
}

#[test]
fn what_is_no_page_and_no_app_is_unknown() {
    for raw in [
        "example.com",
        "about",
        "https://",
        "https://a b",
        "ftp://example.com",
        "file:///etc",
        "chrome-extension://abcdef",
        "android-app://",
        "android-app://a%20b",
        "https://1.2.3.4.5",
        "https://example.com;jsessionid=secret123",
        "https://a;=hyperlink(\"x\")",
        "https://=1+1",
        "https://a,b.example",
        "https://unknown",
        "https://direct",
    ] {
        assert_eq!(named(raw), "unknown", "{raw}");
    }
    assert_eq!(&*Referrers::new(None).name(b"https://\xff\xfe"), "unknown");
}

#[test]
fn wrappers_and_telephones_are_called_by_the_place_that_people_mean() {
    for (hosts, expected) in [
        (
            &["l.facebook.com", "lm.facebook.com", "m.facebook.com", "www.facebook.com"][..],
            "facebook.com",
        ),
        (&["l.instagram.com", "www.instagram.com"], "instagram.com"),
        (&["t.co", "twitter.com", "mobile.twitter.com", "x.com"], "x.com"),
        (&["lnkd.in", "www.linkedin.com", "de.linkedin.com"], "linkedin.com"),
        (&["out.reddit.com", "old.reddit.com", "www.reddit.com"], "reddit.com"),
        (&["away.vk.com", "m.vk.com"], "vk.com"),
        (&["t.me", "web.telegram.org"], "telegram.org"),
        (&["app.slack.com", "newsroom.slack.com"], "slack.com"),
        (&["m.youtube.com", "youtu.be"], "youtube.com"),
        (&["de.m.wikipedia.org", "en.wikipedia.org"], "wikipedia.org"),
        (&["eur03.safelinks.protection.outlook.com", "outlook.live.com"], "outlook.com"),
        (&["uk.search.yahoo.com", "search.yahoo.com"], "search.yahoo.com"),
        (&["www-example-org.cdn.ampproject.org"], "google.com"),
        (&["www.pinterest.co.uk", "pinterest.de", "pin.it"], "pinterest.com"),
        (&["yandex.kz", "ya.ru", "yandex.com.tr"], "yandex.ru"),
    ] {
        for host in hosts {
            assert_eq!(named(&format!("https://{host}")), expected, "{host}");
        }
    }
}

#[test]
fn google_is_one_in_all_countries_and_its_other_services_are_not() {
    for host in [
        "google.com",
        "www.google.de",
        "google.fr",
        "www.google.co.uk",
        "google.com.br",
        "google.cat",
    ] {
        assert_eq!(named(&format!("https://{host}")), "google.com", "{host}");
    }
    for host in [
        "news.google.com",
        "mail.google.com",
        "google.evil.com",
        "google.dev",
        "google.co.evil",
        "notgoogle.com",
    ] {
        assert_eq!(named(&format!("https://{host}")), host);
    }
}

#[test]
fn apps_are_called_by_their_service_or_their_package() {
    for (package, expected) in [
        ("com.google.android.googlequicksearchbox", "google.com"),
        ("com.google.android.gm", "mail.google.com"),
        ("com.google.android.apps.magazines", "news.google.com"),
        ("org.telegram.messenger", "telegram.org"),
        ("com.twitter.android", "x.com"),
        ("com.facebook.katana", "facebook.com"),
        ("com.linkedin.android", "linkedin.com"),
        ("com.reddit.frontpage", "reddit.com"),
        ("com.Slack", "slack.com"),
        ("com.whatsapp", "whatsapp.com"),
        ("org.example.reader", "org.example.reader"),
    ] {
        assert_eq!(named(&format!("android-app://{package}")), expected);
    }
}

#[test]
fn a_long_name_is_cut() {
    let host = format!("{}.example", vec!["x"; 200].join("."));
    assert_eq!(named(&format!("https://{host}")).len(), 255);
}

proptest! {
    #[test]
    fn anything_gets_a_name_of_bounded_length(raw: Vec<u8>) {
        let name = Referrers::new(Some("go.example.org")).name(&raw);
        prop_assert!(!name.is_empty() && name.len() <= 255);
    }

    #[test]
    fn a_name_has_no_character_that_no_host_has(rest in "[ -~]{0,20}") {
        let name = named(&format!("https://a{rest}"));
        prop_assert!(name.bytes().all(may_name), "{name}");
    }

    #[test]
    fn a_name_is_called_by_itself(
        scheme in prop::sample::select(vec!["https", "http"]),
        host in "(www\\.|m\\.|l\\.)?([a-zA-Zä0-9-]{1,8}\\.){0,3}(google|facebook|t|[a-z]{2,6})\\.(com|co\\.uk|[a-z]{2})\\.?(:[0-9]{2,4})?",
    ) {
        let first = named(&format!("{scheme}://{host}"));
        if first != "unknown" && first != "direct" {
            prop_assert_eq!(named(&format!("https://{first}")), first);
        }
    }
}
