//! Shortening and expanding.

use super::*;

#[actix_web::test]
async fn an_insert_answers_with_the_one_link_of_the_article() {
    let app = spawn().await;
    let first = insert(&app, &format!("{STORY}?utm_source=newsletter")).await;
    assert_eq!(members(&first), ["id", "kind", "longUrl"]);
    assert_eq!((text(&first, "kind"), text(&first, "longUrl")), ("urlshortener#url", STORY));
    assert!(text(&first, "id").starts_with(HOME));
    assert_eq!(insert(&app, STORY).await, first);
    assert_eq!(insert(&app, text(&first, "id")).await, first, "its own short URL");
    assert_eq!(app.mint(json!({ "url": STORY })).await["short_url"], first["id"]);
}

#[actix_web::test]
async fn what_else_stands_in_an_insert_is_passed_over() {
    let app = spawn().await;
    let body = r#"{"kind": "urlshortener#url", "longUrl": "http://e.org", "id": 5, "x": {}}"#;
    for content_type in ["application/json", "application/json; charset=UTF-8", "text/plain"] {
        let request = app.request(Method::POST, &format!("{URL}?alt=json&whatever=1"));
        let answer = send(request.header("Content-Type", content_type).body(body)).await;
        assert_eq!((answer.status, &answer.json()["longUrl"]), (200, &json!("http://e.org/")));
    }
}

#[actix_web::test]
async fn keys_are_found_wherever_clients_put_them() {
    let app = spawn().await;
    let id = insert(&app, STORY).await["id"].clone();
    let with = |params: &[(&str, &str)]| {
        let params = [&[("shortUrl", id.as_str().unwrap())], params].concat();
        app.anonymous(Method::GET, &target(URL, &params))
    };
    for request in [
        with(&[("key", ADMIN)]),
        with(&[("oauth_token", ADMIN)]),
        with(&[("access_token", ADMIN)]),
        with(&[]).bearer_auth(ADMIN),
        // An old key of a project beside a token that is good.
        with(&[("key", "AIzaSyOfAProjectAtGoogle")]).bearer_auth(ADMIN),
        with(&[("key", ADMIN), ("quotaUser", "desk"), ("userIp", "192.0.2.1")]),
    ] {
        let answer = send(request).await;
        assert_eq!((answer.status, &answer.json()["id"]), (200, &id), "{answer:?}");
    }
}

#[actix_web::test]
async fn a_short_url_is_known_on_all_of_its_hosts_and_on_goo_gl() {
    let app = spawn().await;
    app.import(&[
        json!({"code": "fbsS", "target": "http://www.google.com/"}),
        json!({"code": "fb/AbC1", "target": "http://e.org/a|b"}),
        json!({"code": "bound", "target": "http://e.org/bound", "host": "goo.example.net"}),
    ])
    .await;
    for (short_url, long_url) in [
        ("http://goo.gl/fbsS", "http://www.google.com/"),
        ("https://goo.gl/fbsS", "http://www.google.com/"),
        ("https://go.example.org/fbsS", "http://www.google.com/"),
        ("http://GO.example.org/fbsS?x=1#y", "http://www.google.com/"),
        ("https://goo.example.net/fbsS", "http://www.google.com/"),
        ("https://goo.gl/fb/AbC1", "http://e.org/a|b"),
        ("https://go.example.org/fb/AbC1", "http://e.org/a|b"),
        ("http://goo.example.net/bound", "http://e.org/bound"),
        ("http://goo.gl/bound", "http://e.org/bound"),
    ] {
        let url = expand(&app, short_url, &[]).await;
        assert_eq!(members(&url), ["id", "kind", "longUrl", "status"]);
        assert_eq!((text(&url, "longUrl"), text(&url, "status")), (long_url, "OK"), "{short_url}");
    }
    let id = expand(&app, "http://goo.gl/bound", &[]).await["id"].clone();
    assert_eq!(id, "https://goo.example.net/bound");
    for unknown in [
        "http://goo.gl/none",
        "http://goo.gl/",
        "http://goo.gl/fbsS+",
        "http://goo.gl.example/fbsS",
        "https://go.example.org/bound",
        "ftp://goo.gl/fbsS",
        "https://www.example.org/fbsS",
    ] {
        let answer = get(&app, URL, &[("shortUrl", unknown)]).await;
        assert_eq!(errors::entry(&answer, 404)["reason"], "notFound", "{unknown}");
    }
}

#[actix_web::test]
async fn the_status_tells_what_has_become_of_a_link() {
    let app = spawn().await;
    app.import(&[
        json!({"code": "evil", "target": "http://www.MALWARE.example/x"}),
        json!({"code": "fake", "target": "https://phishing.example/"}),
        json!({"code": "bin", "target": "https://phishing.example/2", "state": "deleted"}),
        json!({"code": "off", "target": "https://e.org/1", "state": "disabled", "reason": "law"}),
        json!({"code": "old", "target": "https://e.org/2", "expires_at": "2020-01-01T00:00:00Z"}),
    ])
    .await;
    for (code, status, long_url) in [
        ("evil", "MALWARE", Some("http://www.MALWARE.example/x")),
        ("fake", "PHISHING", Some("https://phishing.example/")),
        ("bin", "REMOVED", None),
        ("off", "REMOVED", None),
        ("old", "REMOVED", None),
    ] {
        let url = expand(&app, &format!("http://goo.gl/{code}"), &[]).await;
        let told = (text(&url, "status"), url["longUrl"].as_str());
        assert_eq!(told, (status, long_url), "{code}");
    }
}

#[actix_web::test]
async fn any_key_expands_and_only_those_that_may_see_a_link_get_its_figures() {
    let app = spawn().await;
    let id = insert(&app, STORY).await["id"].clone();
    let id = id.as_str().unwrap();
    let (desk, reader) = (app.key(&["mint"]).await, app.key(&["read"]).await);
    let full = [("shortUrl", id), ("projection", "FULL")];
    for key in [&desk, &reader] {
        assert_eq!(get_as(&app, key, URL, &full[..1]).await.json()["longUrl"], STORY);
    }
    assert_eq!(get_as(&app, &reader, URL, &full).await.status, 200);
    for projection in ["ANALYTICS_CLICKS", "ANALYTICS_TOP_STRINGS", "FULL"] {
        let refused = get_as(&app, &desk, URL, &[full[0], ("projection", projection)]).await;
        assert_eq!(errors::entry(&refused, 403)["reason"], "insufficientPermissions");
    }
    let request = app.anonymous(Method::POST, URL).bearer_auth(&reader);
    let refused = send(request.json(&json!({ "longUrl": STORY }))).await;
    assert_eq!(errors::entry(&refused, 403)["reason"], "insufficientPermissions");
}

#[actix_web::test]
async fn where_figures_are_public_any_key_gets_them() {
    let app = TestApp::spawn_with(toml! {
        links = { public_stats = true }
    })
    .await;
    let id = insert(&app, STORY).await["id"].clone();
    let full = [("shortUrl", id.as_str().unwrap()), ("projection", "FULL")];
    let url = get_as(&app, &app.key(&["mint"]).await, URL, &full).await.json();
    assert_eq!(url["analytics"]["allTime"]["longUrlClicks"], "0", "{url}");
}

#[actix_web::test]
async fn a_head_is_answered_as_a_get_without_its_body() {
    let app = spawn().await;
    let id = insert(&app, STORY).await["id"].clone();
    let path = target(URL, &[("shortUrl", id.as_str().unwrap())]);
    for path in [&*path, HISTORY, "/discovery/v1/apis"] {
        let answer = send(app.request(Method::HEAD, path)).await;
        assert_eq!((answer.status, &*answer.text), (200, ""), "{path}");
    }
}
