//! Who may do what.

use serde_json::json;

use super::*;
use crate::support::Peer;

#[actix_web::test]
async fn keys_are_made_listed_and_revoked() {
    let app = TestApp::spawn().await;
    let made =
        app.post(KEYS, json!({"name": " news desk ", "scopes": ["read", "mint", "mint"]})).await;
    assert_eq!(made.status, 201);
    let key = made.json();
    assert_eq!(members(&key), BTreeSet::from(["id", "name", "scopes", "created_at", "key"]));
    assert_eq!((&key["name"], &key["scopes"]), (&json!("news desk"), &json!(["mint", "read"])));
    let secret = key["key"].as_str().unwrap();
    assert!(secret.starts_with("sl_"));
    let path = format!("{KEYS}/{}", key["id"].as_str().unwrap());
    assert_eq!(made.header("location"), path);
    let shown = app.get(&path).await;
    assert!(!shown.text.contains(secret), "the secret is shown once");
    assert_eq!(shown.json()["revoked_at"], Value::Null);
    let list = app.get(KEYS).await;
    assert!(!list.text.contains(secret));
    assert_eq!(list.json()["items"].as_array().unwrap().len(), 2);

    let with_it = || send(app.anonymous(Method::GET, LINKS).bearer_auth(secret));
    assert_eq!(with_it().await.status, 200);
    for _ in 0..2 {
        assert_eq!(app.delete(&path).await.status, 204);
    }
    let revoked = with_it().await;
    assert_eq!(revoked.problem(), (401, "unauthorized".into()));
    assert!(revoked.header("www-authenticate").contains("invalid_token"));
    assert!(app.get(&path).await.json()["revoked_at"].is_string());
    for unknown in ["aaaaaaaa", "nonsense-id"] {
        let path = format!("{KEYS}/{unknown}");
        assert_eq!(app.get(&path).await.problem(), (404, "not-found".into()));
        assert_eq!(app.delete(&path).await.problem(), (404, "not-found".into()));
    }
    for (body, field) in [
        (json!({"name": "", "scopes": ["mint"]}), "name"),
        (json!({"name": "x".repeat(101), "scopes": ["mint"]}), "name"),
        (json!({"name": "x", "scopes": []}), "scopes"),
        (json!({"name": "x", "scopes": ["write"]}), "scopes[0]"),
    ] {
        let refused = app.post(KEYS, body).await;
        assert_eq!(refused.problem(), (422, "bad-field".into()));
        assert_eq!(refused.json()["field"], field);
    }
}

#[actix_web::test]
async fn without_a_good_key_nothing_opens() {
    let app = TestApp::spawn().await;
    let one = format!("{LINKS}/x");
    let endpoints = [
        (Method::POST, LINKS),
        (Method::GET, LINKS),
        (Method::POST, BATCH),
        (Method::GET, &one),
        (Method::PATCH, &one),
        (Method::DELETE, &one),
        (Method::GET, KEYS),
        (Method::POST, KEYS),
        (Method::GET, "/api/v1/keys/aaaaaaaa"),
        (Method::DELETE, "/api/v1/keys/aaaaaaaa"),
    ];
    for (method, path) in endpoints {
        for key in
            [None, Some("Bearer sl_unknown_key_of_nobody"), Some("Basic YTpi"), Some("Bearer x")]
        {
            let request = app.anonymous(method.clone(), path);
            let request = match key {
                Some(key) => request.header("Authorization", key),
                None => request,
            };
            let refused = send(request).await;
            assert_eq!(refused.problem(), (401, "unauthorized".into()), "{method} {path} {key:?}");
            assert!(refused.header("www-authenticate").starts_with("Bearer"));
        }
    }
}

#[actix_web::test]
async fn each_scope_opens_what_it_is_for() {
    let app = TestApp::spawn().await;
    let link = app.mint(json!({"url": STORY})).await;
    let path = path_of(&link);
    let (desk, reader) = (app.key(&["mint"]).await, app.key(&["read"]).await);
    let ask = async |key: &str, method: Method, path: &str, body: Value| {
        let request = app.anonymous(method, path).bearer_auth(key);
        let request = if body.is_null() { request } else { request.json(&body) };
        send(request).await
    };
    let forbidden = (403, "forbidden".to_owned());
    for (key, method, path, body) in [
        (&desk, Method::GET, &*path, Value::Null),
        (&desk, Method::PATCH, &path, json!({"title": "B"})),
        (&desk, Method::DELETE, &path, Value::Null),
        (&desk, Method::GET, KEYS, Value::Null),
        (&desk, Method::POST, KEYS, json!({"name": "x", "scopes": ["admin"]})),
        (&reader, Method::POST, LINKS, json!({"url": STORY})),
        (&reader, Method::POST, BATCH, json!({"links": []})),
        (&reader, Method::PATCH, &path, json!({"title": "B"})),
        (&reader, Method::DELETE, &path, Value::Null),
        (&reader, Method::DELETE, "/api/v1/keys/aaaaaaaa", Value::Null),
    ] {
        let refused = ask(key, method.clone(), path, body).await;
        assert_eq!(refused.problem(), forbidden, "{method} {path}");
    }
    assert_eq!(ask(&reader, Method::GET, &path, Value::Null).await.status, 200);
    let own = ask(&desk, Method::POST, LINKS, json!({"url": "https://e.org/"})).await.json();
    assert_eq!(ask(&desk, Method::GET, &path_of(&own), Value::Null).await.status, 200);
    let listed = ask(&desk, Method::GET, LINKS, Value::Null).await.json();
    assert_eq!(listed["items"], json!([own]));
    let all = ask(&reader, Method::GET, LINKS, Value::Null).await.json();
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
    assert_eq!(ask(&desk, Method::DELETE, &path_of(&own), Value::Null).await.status, 204);
}

#[actix_web::test]
async fn the_control_socket_needs_no_key_and_takes_no_bad_one() {
    let app = TestApp::spawn_for(Peer::Local).await;
    let request = app.anonymous(Method::POST, LINKS).json(&json!({"url": STORY}));
    let link = send(request).await.json();
    assert_eq!(link["owner"], "local000");
    assert_eq!(send(app.anonymous(Method::GET, KEYS)).await.status, 200);
    let bad = app.anonymous(Method::GET, KEYS).bearer_auth("sl_unknown_key_of_nobody");
    assert_eq!(send(bad).await.status, 401);
}
