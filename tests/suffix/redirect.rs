//! What a redirect says beside where to, and what stands in its place.

use serde_json::json;

use super::live::{Service, until};
use super::{STORY, ask, ask_for_json, import};

#[test]
fn a_redirect_names_its_target_as_the_canonical_one_and_may_be_listed() {
    let service = Service::start("");
    let code = service.mint_with(json!({ "url": STORY, "forward_query": true }));
    for target in [format!("/{code}"), format!("/{code}?from=mail")] {
        let answer = ask(&service, "GET", &target, "").expect(302);
        assert_eq!(answer.header("link"), format!("<{STORY}>; rel=\"canonical\""));
        assert_eq!(answer.header("x-robots-tag"), "");
    }
}

#[test]
fn settings_decide_on_what_search_engines_are_told() {
    let settings = [("HTTP__CANONICAL_LINK", "false"), ("HTTP__NOINDEX", "true")];
    let service = Service::start_with("", &settings);
    let code = service.mint(STORY);
    for method in ["GET", "HEAD"] {
        let answer = ask(&service, method, &format!("/{code}"), "").expect(302);
        assert_eq!((answer.header("link"), answer.header("x-robots-tag")), ("", "noindex"));
    }
}

#[test]
fn a_hostile_target_does_not_break_out_of_the_link_header() {
    let service = Service::start("");
    let target = r#"http://e.org/a>;rel="stylesheet",<http://evil.example/|{}"#;
    import(&service, &json!({ "code": "old", "target": target }).to_string());
    let answer = service.follow("old").expect(302);
    assert_eq!(answer.header("location"), target);
    let escaped = "http://e.org/a%3E;rel=%22stylesheet%22,%3Chttp://evil.example/%7C%7B%7D";
    assert_eq!(answer.header("link"), format!("<{escaped}>; rel=\"canonical\""));
}

#[test]
fn readers_of_a_harmful_target_are_warned_and_not_sent_there() {
    let mut service = Service::start("");
    let url = "https://www.bad.example/<b>?x='\"";
    let code = service.mint(url);
    let fake = service.mint("https://fake.example/login");
    let fine = service.mint("https://fine.example/");
    assert!(service.terminate().success());
    service.set("LINKS__MALWARE_HOSTS", "bad.example,other.example");
    service.set("LINKS__PHISHING_HOSTS", "fake.example");
    service.restart();
    for (code, host, says) in
        [(&code, "www.bad.example", "malware"), (&fake, "fake.example", "passwords")]
    {
        let answer = service.follow(code).expect(403);
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert_eq!((answer.header("location"), answer.header("link")), ("", ""));
        assert_eq!(answer.header("refresh"), "");
        let page = answer.text();
        assert!(page.contains(host) && page.contains(says), "{page}");
        for way_on in ["<a ", "<script", "http-equiv", "<form", "<b>?"] {
            assert!(!page.contains(way_on), "{way_on} in {page}");
        }
        ask(&service, "HEAD", &format!("/{code}"), "").expect(403);
    }
    let page = service.follow(&format!("{code}+")).expect(200);
    assert!(page.text().contains("malware") && !page.text().contains("href=\"https:"));
    let info = ask_for_json(&service, &format!("/{code}+")).expect(200).json();
    assert_eq!(info["threat"], "malware");
    for url in ["https://bad.example/", "https://www.fake.example/x?utm_source=y"] {
        let answer = service.call("POST", "/api/v1/links", Some(&json!({ "url": url })));
        let problem = answer.expect(422).json();
        assert_eq!(problem["type"], "/api/problems#bad-url");
        assert_eq!(problem["field"], "url");
    }
    service.follow(&fine).expect(302);
    until("the click to be counted", || service.clicks_on(&fine) == 1);
    assert_eq!(service.clicks_on(&code) + service.clicks_on(&fake), 0);
    assert_eq!(service.get("/api/v1/audit")["total"]["accepted"], 1);
}

#[test]
fn a_warning_names_the_host_that_is_known_for_it() {
    let service = Service::start_with("", &[("LINKS__MALWARE_HOSTS", "bad.example")]);
    // The page of a publisher in a cache, and an address that only a browser can read.
    let cached = "https://cdn.ampproject.org/c/s/www.bad.example/story.html";
    for (code, target, host) in [
        ("cached", cached, "cdn.ampproject.org"),
        ("shouted", "HTTPS:\\\\WWW.BAD.example\\x", "www.bad.example"),
    ] {
        import(&service, &json!({ "code": code, "target": target }).to_string());
        let danger = "<b dir=\"ltr\">www.bad.example</b> is known to spread malware.";
        let warning = service.follow(code).expect(403);
        assert!(warning.text().contains(danger), "{}", warning.text());
        let page = service.follow(&format!("{code}+")).expect(200);
        assert!(page.text().contains(danger), "{}", page.text());
        let leads = format!("leads to a page at <b dir=\"ltr\">{host}</b>");
        assert!(page.text().contains(&leads), "{}", page.text());
    }
}
