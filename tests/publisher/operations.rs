//! Who asks, by whom links were minted, and how a node is set up and doing.

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::support::{ADMIN, Peer};

const CURRENT: &str = "/api/v1/keys/current";

#[actix_web::test]
async fn each_key_knows_itself() {
    let app = TestApp::spawn().await;
    for scopes in [vec!["mint"], vec!["read"], vec!["admin"], vec!["mint", "read"]] {
        let key = app.key(&scopes).await;
        let current = send(app.anonymous(Method::GET, CURRENT).bearer_auth(&key)).await.json();
        assert_eq!(current["key"]["scopes"], json!(scopes));
        assert_eq!(current["session_expires_at"], Value::Null);
        let id = current["key"]["id"].as_str().unwrap();
        assert_eq!(current["key"], app.get(&format!("/api/v1/keys/{id}")).await.json());
    }
    assert_eq!(send(app.anonymous(Method::GET, CURRENT)).await.status, 401);
    let local = TestApp::spawn_for(Peer::Local).await;
    let nobody = send(local.anonymous(Method::GET, CURRENT)).await;
    assert_eq!(nobody.problem(), (404, "not-found".into()));
}

#[actix_web::test]
async fn links_are_listed_by_who_minted_them() {
    let app = TestApp::spawn().await;
    let (desk, reader) = (app.key(&["mint"]).await, app.key(&["read"]).await);
    app.mint(json!({"url": STORY})).await;
    let mint = app.anonymous(Method::POST, LINKS).bearer_auth(&desk);
    let own = send(mint.json(&json!({"url": "https://e.org/"}))).await.json();
    let owner = own["owner"].as_str().unwrap();
    let ask = async |key: &str, owner: &str| {
        let path = format!("{LINKS}?owner={owner}");
        send(app.anonymous(Method::GET, &path).bearer_auth(key)).await
    };
    for key in [&desk, &reader, ADMIN] {
        assert_eq!(ask(key, owner).await.json()["items"], json!([own]));
    }
    assert_eq!(ask(&reader, "aaaaaaaa").await.json()["items"], json!([]));
    assert_eq!(ask(&desk, "aaaaaaaa").await.problem(), (403, "forbidden".into()));
    let bad = ask(&reader, "nobody").await;
    assert_eq!(bad.problem(), (400, "bad-parameter".into()));
    assert_eq!(bad.json()["field"], "owner");
}

#[actix_web::test]
async fn settings_and_health_are_for_admins() {
    let app = TestApp::spawn().await;
    for path in ["/api/v1/config", "/api/v1/health"] {
        for scopes in [vec!["mint"], vec!["read"], vec!["mint", "read"]] {
            let key = app.key(&scopes).await;
            let refused = send(app.anonymous(Method::GET, path).bearer_auth(&key)).await;
            assert_eq!(refused.problem(), (403, "forbidden".into()), "{path} {scopes:?}");
        }
        assert_eq!(send(app.anonymous(Method::GET, path)).await.status, 401);
        assert_eq!(app.get(&format!("{path}?x=1")).await.problem().0, 400);
        assert_eq!(app.get(path).await.status, 200);
    }
}

#[actix_web::test]
async fn settings_are_shown_without_secrets() {
    let app = TestApp::spawn().await;
    let answer = app.get("/api/v1/config").await;
    assert!(!answer.text.contains(ADMIN));
    let items = answer.json()["items"].clone();
    let of = |key: &str| {
        let mut found = items.as_array().unwrap().iter().filter(|item| item["key"] == key);
        found.next().unwrap().clone()
    };
    assert_eq!(
        of("auth.bootstrap_key"),
        json!({"key": "auth.bootstrap_key", "value": "***", "source": "flag", "secret": true})
    );
    assert_eq!(
        of("dashboard.session"),
        json!({"key": "dashboard.session", "value": "12h", "source": "default", "secret": false})
    );
    assert_eq!(of("http.noindex")["value"], false);
    assert_eq!(of("workers")["value"], 2);
    assert_eq!(of("links.block_hosts")["value"], json!(["blocked.example"]));
    let defaults = slugline::config::DEFAULT_TOML.lines();
    let keys = defaults.filter(|l| !l.starts_with('#') && l.contains(" = ")).count();
    assert_eq!(items.as_array().unwrap().len(), keys, "every setting");
}

#[actix_web::test]
async fn health_tells_what_waits_and_what_was_counted() {
    let app = TestApp::spawn().await;
    let link = app.mint(json!({"url": STORY})).await;
    app.follow(link["code"].as_str().unwrap(), 3).await;
    let health = app.get("/api/v1/health").await.json();
    let node = &app.get("/api/v1/audit").await.json()["nodes"][0]["node"];
    assert_eq!(&health["node"], node);
    assert_eq!(health["store"]["kind"], "embedded");
    assert_eq!(
        (&health["store"]["ready"], &health["store"]["error"]),
        (&json!(true), &Value::Null)
    );
    assert!(health["store"]["ping_ms"].as_f64().unwrap() > 0.0);
    let journal = &health["journal"];
    assert_eq!((&journal["accepted"], &journal["pending"]), (&json!(3), &json!(0)));
    assert_eq!(journal["lost"], 0);
    assert!(journal["bytes"].as_u64().unwrap() > 0);
    assert_eq!(health["rollup"]["counted"], 3);
    assert_eq!(health["archive"], Value::Null);
    let started: Timestamp = health["started_at"].as_str().unwrap().parse().unwrap();
    assert!(started <= Timestamp::now());
}
