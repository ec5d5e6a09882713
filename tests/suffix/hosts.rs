//! Several short domains on one service.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::live::{Answer, Service, TestStore, over_each_store, until};
use super::{STORY, ask};

over_each_store! {
    a_link_of_one_host_is_unknown_on_the_others
}

const SETTINGS: [(&str, &str); 2] =
    [("PUBLIC_URL", "https://go.example.org"), ("HOSTS", "goo.example.net,new.example.net")];

fn follow_at(service: &Service, host: &str, target: &str) -> Answer {
    ask(service, "GET", target, &format!("Host: {host}\r\n"))
}

#[test]
fn only_our_own_hosts_are_answered_for() {
    let service = Service::start_with("", &SETTINGS);
    let code = service.mint(STORY);
    for host in ["go.example.org", "GOO.example.net:8080", "new.example.net."] {
        follow_at(&service, host, &format!("/{code}")).expect(302);
    }
    for target in [format!("/{code}"), format!("/{code}+"), format!("/{code}.qr"), "/".into()] {
        let answer = follow_at(&service, "other.example", &target).expect(421);
        assert_eq!(
            answer.text(),
            "There are no short links at other.example; those here are at go.example.org, \
             goo.example.net, new.example.net.\n"
        );
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(answer.header("location"), "");
    }
    // The host of the request line goes before that of the header (RFC 9112 §3.2.2).
    let absolute = format!("http://other.example/{code}");
    follow_at(&service, "go.example.org", &absolute).expect(421);
    let absolute = format!("http://go.example.org/{code}");
    follow_at(&service, "other.example", &absolute).expect(302);
    // Only of old may a request name no host.
    let mut stream = TcpStream::connect(("127.0.0.1", service.port())).unwrap();
    write!(stream, "GET /{code} HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(" 421 ") && answer.contains("The request names no host;"), "{answer}");
    // The operator's own paths are for whoever reaches them.
    follow_at(&service, "other.example", "/-/live").expect(200);
    follow_at(&service, "other.example", "/api/openapi.json").expect(200);
    until("the clicks to be counted", || service.clicks_on(&code) == 4);
}

#[test]
fn a_service_that_names_no_hosts_answers_on_any() {
    let service = Service::start_with("", &SETTINGS[..1]);
    let code = service.mint(STORY);
    follow_at(&service, "whatever.example", &format!("/{code}")).expect(302);
}

fn a_link_of_one_host_is_unknown_on_the_others(store: TestStore) {
    let service = Service::start_with(&store.url(), &SETTINGS);
    let mint = |body: Value| service.call("POST", "/api/v1/links", Some(&body));
    let bound = mint(json!({ "url": STORY, "host": "goo.example.net" })).expect(201).json();
    let code = bound["code"].as_str().unwrap();
    assert_eq!(bound["short_url"], format!("https://goo.example.net/{code}"));
    assert_eq!(bound["host"], "goo.example.net");
    for target in [format!("/{code}"), format!("/{code}+"), format!("/{code}.qr")] {
        follow_at(&service, "go.example.org", &target).expect(404);
        let answer = follow_at(&service, "goo.example.net", &target);
        assert!(matches!(answer.status, 200 | 302), "{answer:?}");
    }
    // The link lives: what is asked for elsewhere is no orphan. That one is comes last.
    follow_at(&service, "go.example.org", "/nobody").expect(404);
    let orphans = || service.get("/api/v1/stats/orphans")["total"]["clicks"].as_u64();
    until("the orphan to be counted", || orphans() > Some(0));
    assert_eq!(orphans(), Some(1));
    let open = mint(json!({ "url": STORY })).expect(200).json();
    assert_eq!(open["code"], code, "who asks for no host takes any link");
    let other = mint(json!({ "url": STORY, "host": "new.example.net" })).expect(201).json();
    let rows = json!({ "links": [
        { "url": STORY, "host": "new.example.net" }, { "url": STORY, "host": "x.example" }
    ] });
    let batch = service.call("POST", "/api/v1/links/batch", Some(&rows)).expect(200).json();
    assert_eq!(batch["results"][0]["link"], other);
    let problem = &batch["results"][1]["problem"];
    assert_eq!((&problem["status"], &problem["field"]), (&422.into(), &"host".into()));
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("go.example.org, goo.example.net, new.example.net"), "{detail}");

    let path = format!("/api/v1/links/{code}");
    let edit = |host: Value| service.call("PATCH", &path, Some(&json!({ "host": host })));
    edit("x.example".into()).expect(422);
    assert_eq!(edit(Value::Null).expect(200).json()["host"], Value::Null);
    follow_at(&service, "go.example.org", &format!("/{code}")).expect(302);
    edit("new.example.net".into()).expect(200);
    until("the edit to be honoured", || {
        follow_at(&service, "goo.example.net", &format!("/{code}")).status == 404
    });
    follow_at(&service, "new.example.net", &format!("/{code}")).expect(302);
}

#[test]
fn who_comes_from_any_of_our_hosts_comes_from_nowhere_else() {
    let service = Service::start_with("", &SETTINGS);
    let code = service.mint(STORY);
    for host in ["go.example.org", "goo.example.net", "new.example.net", "www.example.org"] {
        let headers = format!(
            "Host: go.example.org\r\nReferer: https://{host}/\r\n\
             User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
        );
        ask(&service, "GET", &format!("/{code}"), &headers).expect(302);
    }
    until("the clicks to be counted", || service.clicks_on(&code) == 4);
    let stats = service.get(&format!("/api/v1/links/{code}/stats"));
    let referrers = &stats["breakdowns"]["referrers"];
    let row = |id: &str| {
        let mut rows = referrers.as_array().unwrap().iter();
        rows.find(|row| row["id"] == id).map(|row| row["clicks"].clone())
    };
    assert_eq!((row("direct"), row("www.example.org")), (Some(3.into()), None), "{stats}");
    assert_eq!(row("example.org"), Some(1.into()), "{stats}");
}
