//! Links from elsewhere.

use serde_json::json;

use super::*;
use crate::support::Peer;

const IMPORT: &str = "/api/v1/import";

/// Sends lines as what they are.
async fn import(app: &TestApp, query: &str, lines: &[Value]) -> Answer {
    let body = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let request = app.request(Method::POST, &format!("{IMPORT}{query}"));
    send(request.header("Content-Type", "application/x-ndjson").body(body)).await
}

#[actix_web::test]
async fn dead_codes_lead_where_they_led_byte_for_byte() {
    let app = TestApp::spawn().await;
    let target = "HTTP://www.Example.org/a|b?utm_source=x";
    let lines = [
        json!({"code": "fb/AbC1", "target": target, "created_at": "2012-01-31T08:00:00Z"}),
        json!({"code": "1", "target": "http://blocked.example/", "baseline": {"clicks": 9}}),
        json!({"code": "gone", "target": "http://e.org/", "state": "deleted"}),
    ];
    let answer = import(&app, "", &lines).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let report = json!({
        "imported": 3, "existing": 0, "replaced": 0, "conflicts": [], "refused": [], "stopped": false,
    });
    assert_eq!(answer.json(), report);
    let followed = send(app.anonymous(Method::GET, "/fb/AbC1")).await;
    assert_eq!((followed.status, followed.header("location")), (302, target));
    assert_eq!(send(app.anonymous(Method::GET, "/gone")).await.status, 410);
    let link = app.get("/api/v1/links/fb%2FAbC1").await.json();
    assert_eq!(link["target"], target);
    assert_eq!(link["article"], "http://www.example.org/a|b");
    assert_eq!(link["created_at"], "2012-01-31T08:00:00.000Z");
    assert_eq!(app.get("/api/v1/links/1").await.json()["imported"]["clicks"], 9);
    assert_eq!(app.mint(json!({"url": "http://www.example.org/a|b"})).await, link);
    let again = import(&app, "", &lines).await.json();
    assert_eq!((&again["imported"], &again["existing"]), (&json!(0), &json!(3)));
}

#[actix_web::test]
async fn each_line_that_was_not_imported_is_named_with_its_code_and_the_reason() {
    let app = TestApp::spawn().await;
    let there = app.mint(json!({"url": "https://e.org/there", "code": "there"})).await;
    let lines = [
        json!({"code": "new", "target": "http://e.org/new"}),
        json!({"code": "there", "target": "http://e.org/other"}),
        json!({"code": "bad code", "target": "http://e.org/"}),
        json!({"type": "key", "id": "abcdefgh"}),
    ];
    let foreseen = import(&app, "?dry_run=true", &lines).await.json();
    assert_eq!(app.get("/api/v1/links/new").await.status, 404);
    let report = import(&app, "?on_conflict=keep&dry_run=false", &lines).await.json();
    assert_eq!(foreseen, report);
    assert_eq!((&report["imported"], &report["stopped"]), (&json!(1), &json!(false)));
    let conflict = &report["conflicts"][0];
    assert_eq!((&conflict["line"], &conflict["code"]), (&json!(2), &json!("there")));
    assert!(conflict["reason"].as_str().unwrap().contains("https://e.org/there"));
    let refused = report["refused"].as_array().unwrap();
    let named: Vec<_> = refused.iter().map(|line| (&line["line"], &line["code"])).collect();
    assert_eq!(named, [(&json!(3), &json!("bad code")), (&json!(4), &Value::Null)]);
    assert!(refused.iter().all(|line| members(line) == BTreeSet::from(["line", "code", "reason"])));

    let stopped = import(&app, "?on_conflict=fail", &lines[1..]).await.json();
    assert_eq!((&stopped["stopped"], &stopped["refused"]), (&json!(true), &json!([])));
    assert_eq!(app.get(&path_of(&there)).await.json(), there);
    let replaced = import(&app, "?on_conflict=replace", &lines[1..2]).await.json();
    assert_eq!(replaced["replaced"], 1);
    assert_eq!(app.get(&path_of(&there)).await.json()["target"], "http://e.org/other");
}

#[actix_web::test]
async fn importing_takes_an_admin_and_lines_of_json() {
    let app = TestApp::spawn().await;
    let line = "{\"code\": \"a\", \"target\": \"http://e.org/\"}\n";
    let ask = async |key: &str, kind: &str, query: &str, body: String| {
        let request = app.anonymous(Method::POST, &format!("{IMPORT}{query}")).bearer_auth(key);
        send(request.header("Content-Type", kind).body(body)).await.problem()
    };
    let (admin, ndjson) = (support::ADMIN, "application/x-ndjson");
    let key = app.key(&["mint", "read"]).await;
    assert_eq!(ask(&key, ndjson, "", line.into()).await, (403, "forbidden".into()));
    let unsupported = (415, "unsupported-media-type".into());
    assert_eq!(ask(admin, "application/json", "", line.into()).await, unsupported);
    let too_large = (413, "too-large".into());
    assert_eq!(ask(admin, ndjson, "", line.repeat(10_001)).await, too_large);
    for query in ["?on_conflict=overwrite", "?dry_run=1", "?tag=x"] {
        let problem = ask(admin, ndjson, query, line.into()).await;
        assert_eq!(problem, (400, "bad-parameter".into()), "{query}");
    }
    assert_eq!(app.get(IMPORT).await.problem(), (405, "method-not-allowed".into()));
    let local = TestApp::spawn_for(Peer::Local).await;
    let request = local.anonymous(Method::POST, IMPORT).header("Content-Type", ndjson);
    let answer = send(request.body(line.repeat(10_000))).await.json();
    assert_eq!((&answer["imported"], &answer["existing"]), (&json!(1), &json!(9_999)));
}
