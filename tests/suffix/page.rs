//! `/{code}+`, `/{code}.info`: where a link leads, and its figures where they are public.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::live::{Service, TestStore, over_each_store, until};
use super::{STORY, ask, ask_for_json, import};

over_each_store! {
    looking_is_never_counted
}

/// Tags, quotes and an end of every element there is.
const HOSTILE: &str =
    "</title></style><script>alert('x')</script>\"><img src=x onerror=alert(1)>&amp;";

fn members(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn without_public_figures_only_the_target_is_told() {
    let service = Service::start("");
    let code = service.mint_with(json!({ "url": STORY, "title": "Secret plans", "tags": ["t1"] }));
    for suffix in ["+", "%2B", "%2b", ".info", "+?utm_source=x"] {
        let target = format!("/{code}{suffix}");
        for method in ["GET", "HEAD"] {
            let answer = ask(&service, method, &target, "Accept: text/html\r\n").expect(200);
            assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
            assert_eq!(answer.header("cache-control"), "no-store");
            assert_eq!(answer.header("x-robots-tag"), "noindex");
            assert_eq!(answer.header("location"), "");
            let link = format!("<a href=\"{STORY}\" rel=\"noreferrer nofollow\">{STORY}</a>");
            assert_eq!(answer.text().contains(&link), method == "GET", "{}", answer.text());
            for secret in ["Secret", "t1", "Created", "Clicks", "<time"] {
                assert!(!answer.text().contains(secret), "{secret}");
            }
        }
        let info = ask_for_json(&service, &target).expect(200).json();
        let short_url = format!("http://127.0.0.1:{}/{code}", service.port());
        assert_eq!(info, json!({ "code": code, "short_url": short_url, "target": STORY }));
    }
}

#[test]
fn the_page_brings_nothing_along_and_runs_nothing() {
    let service = Service::start_with("", &[("LINKS__PUBLIC_STATS", "true")]);
    let code = service.mint(STORY);
    service.follow(&code).expect(302);
    let answer = service.follow(&format!("{code}+")).expect(200);
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    for directive in ["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(directive), "{directive}");
    }
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    for foreign in ["<script", "src=", "@import", "url(", "style=", "http-equiv", "<link", "onload"]
    {
        assert!(!answer.text().contains(foreign), "{foreign}");
    }
}

#[test]
fn with_public_figures_the_page_tells_clicks_and_where_from() {
    let service = Service::start_with("", &[("LINKS__PUBLIC_STATS", "true")]);
    let title = "عنوان: a story";
    let code = service.mint_with(json!({ "url": STORY, "title": title }));
    let agent =
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    let from = "Referer: https://news.ycombinator.com/item?id=1";
    for _ in 0..3 {
        ask(&service, "GET", &format!("/{code}"), &format!("{agent}\r\n{from}\r\n")).expect(302);
    }
    service.follow(&code).expect(302);
    until("the clicks to be counted", || service.clicks_on(&code) == 4);
    let info = ask_for_json(&service, &format!("/{code}.info")).expect(200).json();
    let expected = ["code", "created_at", "short_url", "state", "stats", "target", "title"];
    assert_eq!(members(&info), BTreeSet::from(expected));
    assert_eq!((&info["title"], &info["state"]), (&json!(title), &json!("active")));
    let link = service.get(&format!("/api/v1/links/{code}"));
    assert_eq!(info["created_at"], link["created_at"]);
    let api = service.get(&format!("/api/v1/links/{code}/stats?by=hour"));
    assert_eq!(info["stats"], api, "the same figures under the same names");
    let page = service.follow(&format!("{code}+")).expect(200);
    let text = page.text();
    assert!(text.contains(&format!("<h1 dir=\"auto\">{title}</h1>")), "{text}");
    assert!(text.contains("<bdi>4</bdi>, of them <bdi>3</bdi> by people"), "{text}");
    for row in ["news.ycombinator.com", "Firefox", "Linux", "<svg ", "unknown"] {
        assert!(text.contains(row), "{row}: {text}");
    }
}

#[test]
fn what_was_counted_elsewhere_is_told_apart() {
    let service = Service::start_with("", &[("LINKS__PUBLIC_STATS", "true")]);
    let line = json!({
        "code": "fb/AbC1", "target": STORY, "created_at": "2012-01-31T08:00:00Z",
        "baseline": { "clicks": 57, "at": "2019-03-30T00:00:00Z" }
    });
    import(&service, &line.to_string());
    let page = service.follow("fb/AbC1+").expect(200);
    assert!(
        page.text().contains("<bdi>57</bdi> clicks, counted elsewhere until <bdi>2019-03-30</bdi>"),
        "{}",
        page.text()
    );
    assert!(page.text().contains("2012-01-31"));
    assert!(page.text().contains("<a href=\"AbC1.qr\">"), "relative to a family's path");
    service.follow("fb/AbC1.qr").expect(200);
    let info = ask_for_json(&service, "/fb/AbC1.info").expect(200).json();
    assert_eq!(info["code"], "fb/AbC1");
    assert_eq!(info["stats"]["total"]["clicks"], 0);
}

#[test]
fn hostile_titles_targets_and_names_stay_text() {
    let service = Service::start_with("", &[("LINKS__PUBLIC_STATS", "true")]);
    let target = r#"http://e.org/"><script>alert(1)</script>?a='b'&c=<i>"#;
    let line = json!({ "code": "evil", "target": target, "title": HOSTILE, "tags": [HOSTILE.chars().take(60).collect::<String>()] });
    import(&service, &line.to_string());
    let from = "Referer: https://<b>.example/\r\nUser-Agent: <i>Firefox</i>\r\n";
    ask(&service, "GET", "/evil", from).expect(302);
    until("the click to be counted", || service.clicks_on("evil") == 1);
    let page = service.follow("evil+").expect(200);
    let text = page.text();
    for tag in ["<script", "<img", "<i>", "<b>.", "onerror=alert(1)>"] {
        assert!(!text.contains(tag), "{tag} in {text}");
    }
    assert_eq!(text.matches("</style>").count(), 1);
    assert_eq!(text.matches("</title>").count() - text.matches("<g><title>").count(), 1);
    assert!(text.contains("&#60;/title&#62;"), "{text}");
    let info = ask_for_json(&service, "/evil+").expect(200).json();
    assert_eq!((&info["title"], &info["target"]), (&json!(HOSTILE), &json!(target)));
}

#[test]
fn what_is_gone_or_unknown_says_so_in_the_form_that_was_asked_for() {
    let service = Service::start("");
    let soon = jiff::Timestamp::now() + Duration::from_millis(1_500);
    let expiring = service.mint_with(json!({
        "url": "https://e.org/expiring", "expires_at": soon.to_string()
    }));
    let withdrawn = service.mint("https://e.org/withdrawn");
    let reason = "<b>Error</b> & \u{202e}correction";
    let withdrawal = json!({ "state": "disabled", "reason": reason });
    service.call("PATCH", &format!("/api/v1/links/{withdrawn}"), Some(&withdrawal)).expect(200);
    let deleted = service.mint("https://e.org/deleted");
    service.call("DELETE", &format!("/api/v1/links/{deleted}"), None).expect(204);
    until("the link to expire", || service.answers(&format!("/{expiring}+"), 410));
    for (code, status, slug, says) in [
        (expiring.as_str(), 410, "gone", "This short link has expired."),
        (&withdrawn, 410, "gone", "This short link was withdrawn by its publisher."),
        (&deleted, 410, "gone", "This short link was deleted by its publisher."),
        ("nobody", 404, "not-found", "There is no such short link."),
        ("fb/nobody", 404, "not-found", "There is no such short link."),
    ] {
        for suffix in ["+", ".info", ".qr", ".qr.png"] {
            let target = format!("/{code}{suffix}");
            let page = ask(&service, "GET", &target, "").expect(status);
            assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
            assert!(page.text().contains(&format!("<h1>{says}</h1>")), "{}", page.text());
            assert!(!page.text().contains("https://e.org") && !page.text().contains("<b>"));
            let problem = ask_for_json(&service, &target).expect(status);
            assert_eq!(problem.header("content-type"), "application/problem+json");
            assert_eq!(problem.json()["type"], format!("/api/problems#{slug}"));
        }
    }
    let problem = ask_for_json(&service, &format!("/{withdrawn}+")).json();
    assert!(problem["detail"].as_str().unwrap().ends_with(reason));
}

fn looking_is_never_counted(store: TestStore) {
    let settings = [("LINKS__PUBLIC_STATS", "true")];
    let service = Service::start_with(&store.url(), &settings);
    let code = service.mint(STORY);
    for suffix in ["+", ".info", ".qr", ".qr.svg", ".qr.png?size=64"] {
        for method in ["GET", "HEAD"] {
            ask(&service, method, &format!("/{code}{suffix}"), "").expect(200);
            ask(&service, method, &format!("/nobody{suffix}"), "").expect(404);
        }
        ask(&service, "POST", &format!("/{code}{suffix}"), "Content-Length: 0\r\n").expect(405);
    }
    // The one click that counts is written after all that does not.
    service.follow(&code).expect(302);
    until("the click to be counted", || service.clicks_on(&code) > 0);
    let total = &service.get("/api/v1/audit")["total"];
    assert_eq!(*total, json!({ "accepted": 1, "counted": 1, "pending": 0, "lost": 0 }));
    assert_eq!(service.get("/api/v1/stats/orphans")["total"]["clicks"], 0);
}

#[test]
fn a_page_needs_the_store_as_a_redirect_does() {
    let mut store = TestStore::redis();
    let settings = [("LINKS__PUBLIC_STATS", "true"), ("STORE__READ_TIMEOUT", "50ms")];
    let service = Service::start_with(&store.url(), &settings);
    service.wait_until_ready();
    let code = service.mint(STORY);
    service.follow(&code).expect(302);
    store.kill();
    let page = service.follow("nobody+").expect(503);
    assert_eq!(page.header("retry-after"), "2");
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let problem = ask_for_json(&service, "/nobody.info").expect(503);
    assert_eq!(problem.json()["type"], "/api/problems#store-unavailable");
    // What is in memory is told, without figures.
    let page = service.follow(&format!("{code}+")).expect(200);
    assert!(page.text().contains(STORY));
    assert!(page.text().contains("The figures can&#39;t be had at the moment"), "{}", page.text());
    assert_eq!(ask_for_json(&service, &format!("/{code}+")).json()["stats"], Value::Null);
    service.follow(&format!("{code}.qr")).expect(200);
}

#[test]
fn a_page_does_not_wait_for_its_figures_as_long_as_the_store_may_take() {
    let mut store = TestStore::redis();
    let settings = [("LINKS__PUBLIC_STATS", "true"), ("STORE__READ_TIMEOUT", "20s")];
    let service = Service::start_with(&store.url(), &settings);
    service.wait_until_ready();
    let code = service.mint(STORY);
    service.follow(&code).expect(302);
    store.each_server(|server| server.freeze());
    let started = Instant::now();
    let page = service.follow(&format!("{code}+")).expect(200);
    let taken = started.elapsed();
    store.each_server(|server| server.thaw());
    assert!(page.text().contains("The figures can&#39;t be had at the moment"), "{}", page.text());
    assert!(taken < Duration::from_secs(10), "{taken:?}");
}
