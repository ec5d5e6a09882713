//! What becomes of addresses, in tables of examples.

use super::*;

fn canonicalizer() -> Canonicalizer {
    Canonicalizer::new(&Settings::default()).unwrap()
}

fn article(raw: &str) -> Result<String, BadTarget> {
    canonicalizer().article(raw).map(|target| target.as_str().to_owned())
}

/// Each first becomes the second, and the second stays.
fn assert_articles(table: &[(&str, &str)]) {
    for (raw, expected) in table {
        assert_eq!(article(raw).as_deref(), Ok(*expected), "{raw}");
        assert_eq!(article(expected).as_deref(), Ok(*expected), "again: {raw}");
    }
}

fn assert_unreadable(raw: &str, why: &str) {
    match article(raw) {
        Err(BadTarget::Unreadable(told)) => assert!(told.contains(why), "{raw}: {told}"),
        other => panic!("{raw}: {other:?}"),
    }
}

#[test]
fn real_articles_stay_as_they_are() {
    // From the "Top News!" collection by Gaurav Sood and Derek Willis, CC BY 4.0.
    for address in [
        "https://www.cnn.com/interactive/2022/07/politics/steve-bannon-us-democracy/",
        "https://www.cnn.com/2022/07/24/opinions/trump-nypost-wsj-editorials-obeidallah/index.html",
        "https://www.cnn.com/politics/live-news/georgia-senate-race-12-01-22/h_cf5309d00dd2406e0ec81f510cece60b",
        "https://www.cnn.com/videos/politics/2023/04/22/smr-brownstein-on-2024s-rocky-road.cnn",
        "https://www.cnn.com/videos/cars/2022/10/17/first-electric-rolls-royce-spectre-orig-cprog-fj.cnn-business",
        "https://www.cnn.com/cnn-underscored/outdoors/solo-stove-pi-fire",
        "https://www.cnn.com/webview/europe/live-news/russia-ukraine-war-news-1-30-23/",
        "https://www.wsoctv.com/news/local/woman-pleads-guilty-2019-crash-that-killed-beloved-anson-county-teacher/GQGX66S6CVELHLGVG5KORMSBTU/",
        "https://www.wmar2news.com/news/local-news/it-is-such-a-local-tradition-south-county-cafe-continues-their-thanksgiving-tradition",
        "https://www.wisn.com/article/milwaukee-animal-shelter-busting-at-the-seams/41358016",
        "https://www.foodnetwork.com/healthyeats/healthy-tips/what-does-2000-calories-look-like",
        "https://cnn.it/3AZcKA1",
    ] {
        assert_eq!(article(address).as_deref(), Ok(address));
        let shared = format!(" {address}?utm_source=twitter&utm_medium=social&fbclid=x#Echobox=1 ");
        assert_eq!(article(&shared).as_deref(), Ok(address));
    }
}

#[test]
fn scheme_host_and_port_take_their_normal_form() {
    assert_articles(&[
        ("HTTPS://WWW.Example.ORG", "https://www.example.org/"),
        ("  https://example.org/a  ", "https://example.org/a"),
        ("http://example.org:80/a", "http://example.org/a"),
        ("https://example.org:443/a", "https://example.org/a"),
        ("https://example.org:8443/a", "https://example.org:8443/a"),
        ("http://example.org:443/a", "http://example.org:443/a"),
        ("https://example.org./a", "https://example.org/a"),
        ("https://example.org.:8443/a", "https://example.org:8443/a"),
        ("https://ex%61mple.org/", "https://example.org/"),
        ("https:\\\\example.org\\a\\b", "https://example.org/a/b"),
        ("https:example.org/a", "https://example.org/a"),
        ("http://127.0.0.1./", "http://127.0.0.1/"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://[2001:DB8:0::1]:80/", "http://[2001:db8::1]/"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://BÜCHER.example/", "https://xn--bcher-kva.example/"),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"),
        ("https://مثال.ایران/", "https://xn--mgbh0fb.xn--mgba3a4f16a/"),
        ("https://例え。テスト/", "https://xn--r8jz45g.xn--zckzah/"),
    ]);
}

#[test]
fn paths_take_their_normal_form_in_every_script() {
    assert_articles(&[
        ("https://e.org/a/./b/../c", "https://e.org/a/c"),
        ("https://e.org/a/%2e/b/%2E%2e/c", "https://e.org/a/c"),
        ("https://e.org/../../a", "https://e.org/a"),
        ("https://e.org/a//b/", "https://e.org/a//b/"),
        ("https://e.org/%7euser/%41%2d", "https://e.org/~user/A-"),
        ("https://e.org/a%2fb%3fc%23d", "https://e.org/a%2Fb%3Fc%23d"),
        ("https://e.org/100%/%zz/%2541", "https://e.org/100%/%zz/%2541"),
        ("https://e.org/a b\"<>`{}", "https://e.org/a%20b%22%3C%3E%60%7B%7D"),
        ("https://e.org/a+b;c=1,2!$'()*:@|^[]", "https://e.org/a+b;c=1,2!$'()*:@|^[]"),
        (
            "https://e.org/fa/سیاست/مذاکرات-آستانه",
            "https://e.org/fa/%D8%B3%DB%8C%D8%A7%D8%B3%D8%AA/%D9%85%D8%B0%D8%A7%DA%A9%D8%B1%D8%A7%D8%AA-\
             %D8%A2%D8%B3%D8%AA%D8%A7%D9%86%D9%87",
        ),
        ("https://e.org/ar/%d8%b9%d8%a7%d8%ac%d9%84", "https://e.org/ar/%D8%B9%D8%A7%D8%AC%D9%84"),
        ("https://e.org/新闻/2026", "https://e.org/%E6%96%B0%E9%97%BB/2026"),
        ("https://e.org/a?q=خبر", "https://e.org/a?q=%D8%AE%D8%A8%D8%B1"),
        ("https://e.org/🗞", "https://e.org/%F0%9F%97%9E"),
    ]);
}

#[test]
fn parameters_that_are_no_tracking_stay_byte_for_byte() {
    assert_articles(&[
        ("https://e.org/a?", "https://e.org/a"),
        ("https://e.org?id=1", "https://e.org/?id=1"),
        ("https://e.org/a?b=2&a=1&b=2", "https://e.org/a?b=2&a=1&b=2"),
        ("https://e.org/a?x&y=&=z&&", "https://e.org/a?x&y=&=z&&"),
        ("https://e.org/a?q=1+1%2b1%26&r=a=b", "https://e.org/a?q=1+1%2B1%26&r=a=b"),
        (
            "https://e.org/a?u=https://f.org/?utm_source=x",
            "https://e.org/a?u=https://f.org/?utm_source=x",
        ),
        ("https://e.org/a?ref=b&source=c&cid=d&s=e", "https://e.org/a?ref=b&source=c&cid=d&s=e"),
        ("https://e.org/a?q='", "https://e.org/a?q=%27"),
    ]);
}

#[test]
fn tracking_parameters_are_stripped_wherever_they_stand() {
    assert_articles(&[
        ("https://e.org/a?utm_source=x", "https://e.org/a"),
        ("https://e.org/a?id=1&utm_source=x&b", "https://e.org/a?id=1&b"),
        ("https://e.org/a?UTM_Source=x&FBCLID=y&id=1", "https://e.org/a?id=1"),
        ("https://e.org/a?%75tm%5Fsource=x&fbclid", "https://e.org/a"),
        ("https://e.org/a?id=1&amp;utm_source=x", "https://e.org/a?id=1"),
        ("https://e.org/a?&utm_source=x", "https://e.org/a"),
        ("https://e.org/a?x=1&&utm_source=x", "https://e.org/a?x=1&"),
        (
            "https://e.org/a?gclid=1&gclsrc=2&dclid=3&msclkid=4&yclid=5&_openstat=6",
            "https://e.org/a",
        ),
        ("https://e.org/a?mc_cid=1&mc_eid=2&_hsenc=3&_hsmi=4&mkt_tok=5&xtor=6", "https://e.org/a"),
        (
            "https://e.org/a?at_medium=1&at_campaign=2&ns_source=3&_ga=4&srsltid=5",
            "https://e.org/a",
        ),
    ]);
}

#[test]
fn fragments_of_nothing_but_tracking_are_dropped() {
    assert_articles(&[
        ("https://e.org/a#", "https://e.org/a"),
        ("https://e.org/a#xtor=RSS-3208", "https://e.org/a"),
        ("https://e.org/a#Echobox=1700000000", "https://e.org/a"),
        ("https://e.org/a?id=1#utm_source=x&utm_medium=y", "https://e.org/a?id=1"),
        ("https://e.org/a#utm_source=x&", "https://e.org/a"),
        ("https://e.org/a#utm_source=x:~:text=word", "https://e.org/a#:~:text=word"),
        ("https://e.org/a#:~:text=a%20word", "https://e.org/a#:~:text=a%20word"),
        ("https://e.org/a#section&utm_source=x", "https://e.org/a#section&utm_source=x"),
        ("https://e.org/a#fbclid", "https://e.org/a#fbclid"),
        ("https://e.org/a#&", "https://e.org/a#&"),
        ("https://e.org/a#!/b?utm_source=x", "https://e.org/a#!/b?utm_source=x"),
        ("https://e.org/a?utm_source=x#b?c", "https://e.org/a#b?c"),
        ("https://e.org/a#%7Eb%c3%a9", "https://e.org/a#~b%C3%A9"),
    ]);
}

#[test]
fn the_publishers_address_is_taken_out_of_amp_caches() {
    assert_articles(&[
        ("https://www-e-org.cdn.ampproject.org/c/s/www.e.org/x", "https://www.e.org/x"),
        ("https://cdn.ampproject.org/c/www.e.org/x?id=1", "http://www.e.org/x?id=1"),
        (
            "https://e-org.cdn.ampproject.org/v/s/e.org/x?amp_js_v=0.1&usqp=mq3&p=2",
            "https://e.org/x?p=2",
        ),
        ("https://e-org.cdn.ampproject.org/wp/s/e.org/x", "https://e.org/x"),
        ("https://www.google.com/amp/s/www.e.org/x?utm_source=y", "https://www.e.org/x"),
        (
            "https://www.google.co.uk/amp/s/e.org/x#aoh=1&referrer=https%3A%2F%2Fg&amp_tf=f",
            "https://e.org/x",
        ),
        ("https://google.de/amp/e.org/x#b", "http://e.org/x#b"),
        ("https://www.bing.com/amp/s/E.org:8080/%7ex", "https://e.org:8080/~x"),
        ("https://www-e-org.www.bing-amp.com/c/s/www.e.org/x", "https://www.e.org/x"),
        ("https://www.google.com/amp/s/e-org.cdn.ampproject.org/c/s/e.org/x", "https://e.org/x"),
    ]);
}

#[test]
fn what_only_looks_like_an_amp_cache_stays() {
    assert_articles(&[
        ("https://www.google.com/amp/", "https://www.google.com/amp/"),
        ("https://www.google.com/amp/s/docs/x", "https://www.google.com/amp/s/docs/x"),
        ("https://www.google.com/amp/s/u:p@e.org/x", "https://www.google.com/amp/s/u:p@e.org/x"),
        ("https://www.google.com/amp/s/e..org/x", "https://www.google.com/amp/s/e..org/x"),
        ("https://www.google.com/search?q=amp", "https://www.google.com/search?q=amp"),
        ("https://google.example.com/amp/s/e.org/", "https://google.example.com/amp/s/e.org/"),
        ("https://notcdn.ampproject.org/c/s/e.org/", "https://notcdn.ampproject.org/c/s/e.org/"),
        (
            "https://e-org.cdn.ampproject.org/i/s/e.org/p.jpg",
            "https://e-org.cdn.ampproject.org/i/s/e.org/p.jpg",
        ),
        ("https://www.e.org/amp/s/f.org/", "https://www.e.org/amp/s/f.org/"),
    ]);
}

#[test]
fn amp_caches_without_end_are_refused() {
    let nested = |depth| ["https://", &"google.com/amp/s/".repeat(depth), "e.org/"].concat();
    assert_eq!(article(&nested(MAX_NESTING)).as_deref(), Ok("https://e.org/"));
    assert_unreadable(&nested(MAX_NESTING + 1), "within each other");
}

#[test]
fn landing_keeps_its_tracking_and_its_article_does_not() {
    let both =
        canonicalizer().addresses("HTTPS://E.org/%7ea?utm_source=x&b=%31#utm_medium=y").unwrap();
    assert_eq!(both.landing.as_str(), "https://e.org/~a?utm_source=x&b=1#utm_medium=y");
    assert_eq!(both.article.as_str(), "https://e.org/~a?b=1");
    let amp = canonicalizer().addresses("https://google.com/amp/s/e.org/?utm_id=1").unwrap();
    assert_eq!(amp.landing.as_str(), "https://e.org/?utm_id=1");
}

#[test]
fn settings_add_to_the_table_and_exempt_from_it() {
    let settings = Settings { strip: vec!["ito".into()], keep: vec!["utm_content".into()] };
    let canonicalizer = Canonicalizer::new(&settings).unwrap();
    let article = canonicalizer.article("https://e.org/a?ITO=1490&utm_content=b&utm_id=c").unwrap();
    assert_eq!(article.as_str(), "https://e.org/a?utm_content=b");
}

#[test]
fn what_cannot_be_redirected_to_says_why() {
    for empty in ["", "   "] {
        assert_eq!(article(empty), Err(BadTarget::Empty));
    }
    for (raw, at) in [
        ("https://e.org/\0", 14),
        ("https://e.org/\r\nSet-Cookie: a=b", 14),
        (" \thttps://e.org/", 1),
        ("https://e.org/a\n", 15),
        ("https://e.org/\u{7f}", 14),
        ("https://e.org/é\u{85}", 16),
    ] {
        assert_eq!(article(raw), Err(BadTarget::ControlCharacter(at)), "{raw:?}");
    }
    for (raw, scheme) in [
        ("javascript:alert(1)", "javascript"),
        ("JavaScript://%0aalert(1)", "javascript"),
        ("data:text/html,x", "data"),
        ("file:///etc/passwd", "file"),
        ("ftp://e.org/", "ftp"),
        ("mailto:a@e.org", "mailto"),
        ("e.org:8080/a", "e.org"),
    ] {
        assert_eq!(article(raw), Err(BadTarget::Scheme(scheme.into())), "{raw}");
    }
    for raw in [
        "https://user@e.org/",
        "https://user:pw@e.org/",
        "https://:pw@e.org/",
        "https://@e.org/",
        "https:\\\\user@e.org",
        "https:user@e.org",
        "https:///user@e.org/",
        "https://www.example.org@evil.example/",
    ] {
        assert_eq!(article(raw), Err(BadTarget::Credentials), "{raw}");
    }
    assert!(article("https://e.org/@user?a=b@c#d@e").is_ok());
}

#[test]
fn what_cannot_be_read_says_why() {
    for (raw, why) in [
        ("www.example.org/a", "relative"),
        ("//www.example.org/a", "relative"),
        ("/a", "relative"),
        ("?a", "relative"),
        ("1http://e.org", "relative"),
        ("https://", "empty host"),
        ("https:///", "empty host"),
        ("https://:80/", "empty host"),
        ("https://./", "empty host"),
        ("https://a..b/", "empty label"),
        ("https://1../", "empty label"),
        ("https://.e.org/", "empty label"),
        ("https://e.org:99999/", "port"),
        ("https://e.org:a/", "port"),
        ("https://[::1/", "IPv6"),
        ("https://1.2.3.999/", "IPv4"),
        ("https://e org/", "domain"),
        ("https://xn--a/", "domain"),
        ("https://e.org%00/", "domain"),
    ] {
        assert_unreadable(raw, why);
    }
}

#[test]
fn addresses_have_a_longest_length_before_and_after() {
    let long = |path: usize| ["https://e.org/", &"a".repeat(path)].concat();
    assert!(article(&long(MAX_TARGET_LENGTH - 14)).is_ok());
    let over = MAX_TARGET_LENGTH + 1;
    assert_eq!(article(&long(over - 14)), Err(BadTarget::TooLong(over)));
    let grows = ["https://e.org/", &"س".repeat(3_000)].concat();
    assert_eq!(article(&grows), Err(BadTarget::TooLong(14 + 6 * 3_000)));
    // Also where stripping would make it short again: the landing page is an address, too.
    let tracked = format!("https://e.org/?utm_id={}", "س".repeat(3_000));
    assert!(matches!(article(&tracked), Err(BadTarget::TooLong(_))));
}
