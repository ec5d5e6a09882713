//! The API's account of itself.

use serde_json::json;

use super::*;
use crate::support::ADMIN;

#[actix_web::test]
async fn head_is_answered_wherever_get_is() {
    let app = TestApp::spawn().await;
    let link = app.mint(json!({"url": STORY})).await;
    let link = path_of(&link);
    let stats = format!("{link}/stats");
    let ours = [LINKS, &link, &stats, KEYS, "/api/v1/stats/top?format=csv"];
    let all = ["/api/openapi.json", "/api/docs", "/api/v1/links/nowhere"];
    for path in ours.into_iter().chain(all) {
        let get = app.get(path).await;
        let head = send(app.request(Method::HEAD, path)).await;
        assert_eq!((head.status, &*head.text), (get.status, ""), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"));
    }
}

#[actix_web::test]
async fn the_documentation_is_complete_and_needs_no_other_host() {
    let app = TestApp::spawn().await;
    let document = send(app.anonymous(Method::GET, "/api/openapi.json")).await;
    assert_eq!(document.header("content-type"), "application/json");
    let document = document.json();
    let paths: Vec<&str> = members(&document["paths"]).into_iter().collect();
    for path in [LINKS, BATCH, "/api/v1/links/{code}", KEYS, "/api/v1/keys/{id}"] {
        assert!(paths.contains(&path), "{path}");
    }
    for path in ["links/{code}/stats", "targets/stats", "tags/{tag}/stats", "keys/{id}/stats"] {
        assert!(paths.contains(&&*format!("/api/v1/{path}")), "{path}");
    }
    for path in ["stats", "stats/top", "stats/orphans", "audit"] {
        let operation = &document["paths"][format!("/api/v1/{path}")]["get"];
        let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        assert!(schema["$ref"].is_string(), "{path}: {schema}");
    }
    let page = send(app.anonymous(Method::GET, "/api/docs")).await;
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    assert!(page.text.contains("docs/rapidoc.js"));
    let script = send(app.anonymous(Method::GET, "/api/docs/rapidoc.js")).await;
    assert_eq!((script.status, script.header("content-encoding")), (200, "gzip"));
    let plain = app.anonymous(Method::GET, "/api/docs/rapidoc.js");
    let plain = send(plain.header("Accept-Encoding", "identity, gzip;q=0")).await;
    assert_eq!(plain.problem(), (406, "not-acceptable".into()));
    let problems = send(app.anonymous(Method::GET, "/api/problems")).await;
    assert!(problems.text.contains("id=\"bad-url\""));
    let refused = raw(&app, Method::POST, LINKS, "{}").await;
    assert!(!refused.text.contains(ADMIN));
}
