//! What is refused, and how that is told.

use serde_json::json;

use super::*;

#[actix_web::test]
async fn bodies_that_are_no_json_are_400_with_the_place() {
    let app = TestApp::spawn().await;
    let deep = format!(r#"{{"url": {}{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    let bodies: [&[u8]; 7] = [
        b"",
        b"{\"url\": ",
        b"{\"url\": \"https://e.org/\"}}",
        b"{'url': 'https://e.org/'}",
        b"{\"url\": \"https://e.org/\xff\"}",
        b"{\"url\": \"https://e.org/\0\"}",
        deep.as_bytes(),
    ];
    for body in bodies {
        for (method, path) in [(Method::POST, LINKS), (Method::POST, BATCH), (Method::POST, KEYS)] {
            let refused = raw(&app, method, path, body).await;
            assert_eq!(refused.problem(), (400, "bad-json".into()), "{path}");
        }
    }
    let refused = raw(&app, Method::POST, LINKS, "{\n\"url\": x}").await.json();
    assert_eq!(refused["detail"], "expected value at line 2 column 8");
}

#[actix_web::test]
async fn fields_that_break_a_rule_are_422_and_named() {
    let app = TestApp::spawn().await;
    let url = |url: &str| json!({"url": url});
    let with = |name: &str, value: Value| json!({"url": STORY, name: value});
    let long = format!("https://e.org/{}", "x".repeat(8_200));
    for (body, kind, field, limit) in [
        (json!({}), "bad-field", "", None),
        (json!([]), "bad-field", "", None),
        (json!({"url": 5}), "bad-field", "url", None),
        (json!({"url": STORY, "urls": []}), "bad-field", "urls", None),
        (url(""), "bad-url", "url", None),
        (url("/a-story.html"), "bad-url", "url", None),
        (url("javascript:alert(1)"), "bad-url", "url", None),
        (url("https://user:password@e.org/"), "bad-url", "url", None),
        (url("https://e.org/\0"), "bad-url", "url", None),
        (url("https://e.org/\r\nSet-Cookie: a=b"), "bad-url", "url", None),
        (url("https://blocked.example/"), "bad-url", "url", None),
        (url("https://go.example.org/nowhere"), "bad-url", "url", None),
        (url(&long), "bad-url", "url", Some(8_192)),
        (with("code", json!("a b")), "bad-field", "code", None),
        (with("code", json!("api")), "bad-field", "code", None),
        (with("code", json!("x".repeat(65))), "bad-field", "code", Some(64)),
        (with("title", json!("x".repeat(501))), "bad-field", "title", Some(500)),
        (with("title", json!("a\0")), "bad-field", "title", None),
        (with("tags", json!("world")), "bad-field", "tags", None),
        (with("tags", json!(["a", "x".repeat(65)])), "bad-field", "tags[1]", Some(64)),
        (with("expires_at", json!("2020-01-01T00:00:00Z")), "bad-field", "expires_at", None),
        (with("expires_at", json!("2100-01-01")), "bad-field", "expires_at", None),
        (with("redirect", json!(303)), "bad-field", "redirect", None),
        (with("redirect", json!("301")), "bad-field", "redirect", None),
        (with("redirect", json!(-1)), "bad-field", "redirect", None),
        (with("forward_query", json!("yes")), "bad-field", "forward_query", None),
    ] {
        let refused = app.post(LINKS, body.clone()).await;
        assert_eq!(refused.problem(), (422, kind.into()), "{body}");
        let problem = refused.json();
        assert_eq!(problem["field"].as_str().unwrap_or_default(), field, "{problem}");
        assert_eq!(problem["limit"].as_u64(), limit, "{problem}");
    }
    let link = app.mint(json!({"url": STORY})).await;
    let refused = app.patch(&path_of(&link), json!({"code": "other"})).await;
    assert_eq!(refused.problem(), (422, "bad-field".into()));
    assert!(refused.json()["detail"].as_str().unwrap().contains("POST the same url"));
}

#[actix_web::test]
async fn bodies_of_another_kind_are_415() {
    let app = TestApp::spawn().await;
    let body = format!(r#"{{"url": "{STORY}"}}"#);
    for (name, value) in [
        ("Content-Type", "text/plain"),
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Content-Type", "application/json; charset=latin1"),
    ] {
        let request = app.request(Method::POST, LINKS).header(name, value).body(body.clone());
        let refused = send(request).await;
        assert_eq!(refused.problem(), (415, "unsupported-media-type".into()), "{value}");
    }
    let untyped = app.request(Method::POST, LINKS).body(body.clone());
    assert_eq!(send(untyped).await.status, 415);
    let zipped = app.request(Method::POST, LINKS).header("Content-Encoding", "gzip");
    let zipped = zipped.header("Content-Type", "application/json").body(body.clone());
    assert_eq!(send(zipped).await.status, 415);
    let typed = app.request(Method::POST, LINKS).body(body);
    let typed = typed.header("Content-Type", "Application/JSON; Charset=\"UTF-8\"");
    assert_eq!(send(typed).await.status, 201);
}

#[actix_web::test]
async fn bodies_beyond_the_limit_are_413_and_name_it() {
    let app = TestApp::spawn().await;
    for (path, limit) in [(LINKS, 1 << 20), (BATCH, 16 << 20), (KEYS, 1 << 20)] {
        let refused = raw(&app, Method::POST, path, vec![b' '; limit + 1]).await;
        assert_eq!(refused.problem(), (413, "too-large".into()), "{path}");
        assert_eq!(refused.json()["limit"], limit);
        let inside = raw(&app, Method::POST, path, vec![b' '; limit]).await;
        assert_eq!(inside.problem(), (400, "bad-json".into()), "{path}");
    }
}

#[actix_web::test]
async fn other_methods_are_told_which_there_are() {
    let app = TestApp::spawn().await;
    for (method, path, allow) in [
        (Method::PUT, LINKS, "GET, HEAD, POST"),
        (Method::DELETE, LINKS, "GET, HEAD, POST"),
        (Method::POST, "/api/v1/links/abc", "GET, HEAD, PATCH, DELETE"),
        (Method::PUT, BATCH, "GET, HEAD, PATCH, DELETE"),
        (Method::PATCH, KEYS, "GET, HEAD, POST"),
        (Method::POST, "/api/v1/keys/aaaaaaaa", "GET, HEAD, DELETE"),
        (Method::POST, "/api/openapi.json", "GET, HEAD"),
    ] {
        let refused = send(app.request(method.clone(), path)).await;
        assert_eq!(refused.problem(), (405, "method-not-allowed".into()), "{method} {path}");
        assert_eq!(refused.header("allow"), allow);
    }
    for path in ["/api", "/api/", "/api/v1", "/api/v2/links", "/api/v1/nothing", "/api/v1/links/"] {
        assert_eq!(app.get(path).await.problem(), (404, "not-found".into()), "{path}");
    }
}

#[actix_web::test]
async fn windows_and_zones_that_cannot_be_are_400_and_named() {
    let app = TestApp::spawn().await;
    for (query, field) in [
        ("stats?tz=Mars/Olympus", "tz"),
        ("stats?by=year", "by"),
        ("stats?from=yesterday", "from"),
        ("stats?from=2026-11-23&to=2026-11-22", "to"),
        ("stats?from=1990-01-01&by=hour", "from"),
        ("stats?last=3000d&by=hour", "last"),
        ("stats?last=7d&from=2026-11-01", "last"),
        ("stats?last=a%20week", "last"),
        ("stats?compare=2025", "compare"),
        ("stats?include=people", "include"),
        ("stats?limit=1001", "limit"),
        ("stats?format=xml", "format"),
        ("stats?format=csv&table=hits", "table"),
        ("stats?table=countries", "table"),
        ("stats/orphans?format=csv&table=browsers", "table"),
        ("stats/top?limit=0", "limit"),
        ("stats/top?limit=1001", "limit"),
        ("stats/top?by=visitors", "by"),
        ("stats/top?from=2026-11-23&to=2026-11-22", "to"),
        ("stats/top?from=1990-01-01", "from"),
        ("stats/top?last=4000d", "last"),
        ("stats/top?limits=5", "limits"),
        ("targets/stats", "url"),
        ("targets/stats?url=nowhere", "url"),
        ("tags/%20/stats", "tag"),
        ("audit?node=x", "node"),
    ] {
        let refused = app.get(&format!("/api/v1/{query}")).await;
        assert_eq!(refused.problem(), (400, "bad-parameter".into()), "{query}");
        assert_eq!(refused.json()["field"], field, "{query}");
    }
    for ancient in ["to=-009999-01-10T00:00:00Z", "from=1960-01-01&to=1970-01-01"] {
        for path in ["stats", "stats/top"] {
            let refused = app.get(&format!("/api/v1/{path}?{ancient}")).await;
            assert_eq!(refused.problem(), (400, "bad-parameter".into()), "{path}?{ancient}");
            assert_eq!(refused.json()["field"], "to");
        }
    }
    for far in ["stats?from=0001-01-01&by=month", "stats/top?from=2026-11-01&to=9000-01-01"] {
        assert_eq!(app.get(&format!("/api/v1/{far}")).await.status, 200, "{far}");
    }
}
