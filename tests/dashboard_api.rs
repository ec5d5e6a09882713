//! The dashboard's server side over HTTP: sessions, pages, and the client's files.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

#[path = "support/redis_server.rs"]
mod redis_server;
mod support;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use redis_server::RedisServer;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use slugline::model::key::{Key, PlainKey, Scope};
use slugline::service::session::Session;
use support::{ADMIN, Answer, TestApp, send};
use toml::{Table, toml};
use url::Url;

const DASHBOARD: &str = "/-/dashboard";
const SIGN_IN: &str = "/-/dashboard/sign-in";
const SIGN_OUT: &str = "/-/dashboard/sign-out";
const LINKS: &str = "/api/v1/links";
const CURRENT: &str = "/api/v1/keys/current";
const STORY: &str = "https://www.example.org/2026/11/23/a-story.html";

/// Sends the form.
async fn sign_in(app: &TestApp, key: &str, to: &str) -> Answer {
    let request = app.anonymous(Method::POST, SIGN_IN);
    send(form(request, &[("key", key), ("to", to)])).await
}

fn form(request: RequestBuilder, fields: &[(&str, &str)]) -> RequestBuilder {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    request.header("Content-Type", "application/x-www-form-urlencoded").body(body)
}

/// The cookie of a new session, as a browser sends it back.
async fn cookie_of(app: &TestApp, key: &str) -> String {
    let answer = sign_in(app, key, "").await;
    assert_eq!(answer.status, 303, "{answer:?}");
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

/// A request of a browser with this cookie.
fn with(app: &TestApp, cookie: &str, method: Method, path: &str) -> RequestBuilder {
    app.anonymous(method, path).header("Cookie", cookie)
}

/// Where an answer to a request for `path` leads: a path with its query.
fn leads_to(app: &TestApp, path: &str, answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{answer:?}");
    let base = Url::parse(app.base()).unwrap();
    let there = base.join(path).unwrap().join(answer.header("location")).unwrap();
    assert_eq!(there.origin(), base.origin());
    there[url::Position::BeforePath..].to_owned()
}

fn asks_to_sign_in(app: &TestApp, path: &str, answer: &Answer) {
    assert!(leads_to(app, path, answer).starts_with("/-/dashboard/sign-in?to=%2F-%2Fdashboard"));
}

async fn spawn_on_http() -> TestApp {
    TestApp::spawn_with(toml! { public_url = "http://go.example.org" }).await
}

#[actix_web::test]
async fn signing_in_opens_the_dashboard_and_the_api_until_signing_out() {
    let app = TestApp::spawn().await;
    let view = "/-/dashboard/links/fb%2FAbC1?window=7d";
    let asked = send(app.anonymous(Method::GET, view)).await;
    let way = leads_to(&app, view, &asked);
    assert_eq!(way, "/-/dashboard/sign-in?to=%2F-%2Fdashboard%2Flinks%2Ffb%252FAbC1%3Fwindow%3D7d");
    let page = send(app.anonymous(Method::GET, &way)).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains(&format!(r#"name="to" value="{view}""#)), "{}", page.text);

    let entered = sign_in(&app, &format!(" {ADMIN}\n"), view).await;
    assert_eq!(leads_to(&app, SIGN_IN, &entered), view);
    let set = entered.header("set-cookie");
    assert!(!set.contains(ADMIN), "the cookie does not hold the key");
    let cookie = set.split(';').next().unwrap();
    let shell = send(with(&app, cookie, Method::GET, view)).await;
    assert_eq!((shell.status, shell.header("cache-control")), (200, "no-store"));
    assert!(shell.text.contains("assets/app.js\""), "{}", shell.text);
    let again = send(with(&app, cookie, Method::GET, &way)).await;
    assert_eq!(leads_to(&app, &way, &again), view, "who is signed in is not asked again");

    let current = send(with(&app, cookie, Method::GET, CURRENT)).await.json();
    assert_eq!(current["key"]["scopes"], json!(["admin"]));
    assert_eq!(current["version"], env!("CARGO_PKG_VERSION"));
    let ends: Timestamp = current["session_expires_at"].as_str().unwrap().parse().unwrap();
    let left = ends.duration_since(Timestamp::now());
    assert!(left <= SignedDuration::from_hours(12) && left > SignedDuration::from_hours(11));

    let out = send(with(&app, cookie, Method::POST, SIGN_OUT)).await;
    assert_eq!(leads_to(&app, SIGN_OUT, &out), SIGN_IN);
    assert!(out.header("set-cookie").starts_with("__Host-slugline_session=; "));
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    for path in [DASHBOARD, "/-/dashboard/", "/-/dashboard/settings"] {
        let typed_in = app.anonymous(Method::GET, path).header("Sec-Fetch-Site", "none");
        asks_to_sign_in(&app, path, &send(typed_in).await);
    }
}

#[actix_web::test]
async fn a_key_that_opens_nothing_is_told_so_on_the_form() {
    let app = TestApp::spawn().await;
    for key in ["", "short", "sl_unknown_key_of_nobody", "sl_\u{7}\"'<script>alert(1)</script>"] {
        let refused = sign_in(&app, key, "/-/dashboard/\"><script>alert(2)</script>").await;
        assert_eq!(refused.status, 401, "{key:?}");
        assert!(refused.header("www-authenticate").starts_with("Bearer"));
        assert_eq!(refused.header("set-cookie"), "");
        assert!(refused.text.contains(r#"role="alert">This key is not known here."#));
        assert!(!refused.text.contains("<script>"), "{}", refused.text);
    }
    let large = app.anonymous(Method::POST, SIGN_IN).body("x".repeat(20_000));
    assert_eq!(send(large).await.problem(), (413, "too-large".into()));
    let put = send(app.anonymous(Method::PUT, SIGN_IN)).await;
    assert_eq!((put.status, put.header("allow")), (405, "GET, HEAD, POST"));
}

#[actix_web::test]
async fn the_cookie_is_kept_from_scripts_other_sites_and_plain_http() {
    let app = TestApp::spawn().await;
    let set = sign_in(&app, ADMIN, "").await;
    let (pair, flags) = set.header("set-cookie").split_once("; ").unwrap();
    assert!(pair.starts_with("__Host-slugline_session="));
    assert_eq!(flags, "Path=/; HttpOnly; SameSite=Strict; Max-Age=43200; Secure");
    let app = TestApp::spawn_with(toml! {
        public_url = "http://go.example.org"
        [dashboard]
        session = "5m"
    })
    .await;
    let set = sign_in(&app, ADMIN, "").await;
    let (pair, flags) = set.header("set-cookie").split_once("; ").unwrap();
    assert!(pair.starts_with("slugline_session="));
    assert_eq!(flags, "Path=/; HttpOnly; SameSite=Strict; Max-Age=300");
}

#[actix_web::test]
async fn a_session_that_is_over_opens_nothing() {
    let app = TestApp::spawn().await;
    let plain = PlainKey::parse(ADMIN).unwrap();
    let key = Key::of(&plain, "bootstrap".into(), vec![Scope::Admin], Timestamp::now());
    let hour = Duration::from_secs(3_600);
    let cookie = |ago: Duration| {
        let session = Session::of(&key, hour, Timestamp::now() - ago);
        format!("__Host-slugline_session={}", session.token)
    };
    let good = send(with(&app, &cookie(hour / 2), Method::GET, CURRENT)).await;
    assert_eq!(good.status, 200, "{good:?}");
    for over in [cookie(hour), "__Host-slugline_session=x.1.y".into()] {
        let refused = send(with(&app, &over, Method::GET, CURRENT)).await;
        assert_eq!(refused.problem(), (401, "unauthorized".into()));
        assert_eq!(refused.json()["detail"], "the session has ended; sign in again");
        asks_to_sign_in(&app, DASHBOARD, &send(with(&app, &over, Method::GET, DASHBOARD)).await);
        let page = send(with(&app, &over, Method::GET, SIGN_IN)).await;
        assert!(page.text.contains("Your session has ended."), "{}", page.text);
    }
}

#[actix_web::test]
async fn a_revoked_key_ends_its_sessions() {
    let app = TestApp::spawn().await;
    let cookie = cookie_of(&app, &app.key(&["read"]).await).await;
    let current = send(with(&app, &cookie, Method::GET, CURRENT)).await.json();
    let id = current["key"]["id"].as_str().unwrap();
    assert_eq!(app.delete(&format!("/api/v1/keys/{id}")).await.status, 204);
    let refused = send(with(&app, &cookie, Method::GET, LINKS)).await;
    assert_eq!(refused.problem(), (401, "unauthorized".into()));
    asks_to_sign_in(&app, DASHBOARD, &send(with(&app, &cookie, Method::GET, DASHBOARD)).await);
    let page = send(with(&app, &cookie, Method::GET, SIGN_IN)).await;
    assert!(page.text.contains("This key has been revoked."), "{}", page.text);
}

#[actix_web::test]
async fn no_other_site_changes_anything_by_the_cookie() {
    let app = spawn_on_http().await;
    let cookie = cookie_of(&app, ADMIN).await;
    let link = app.mint(json!({"url": STORY})).await;
    let path = format!("{LINKS}/{}", link["code"].as_str().unwrap());
    let changes = [
        (Method::POST, LINKS, json!({"url": "https://www.example.org/other"})),
        (Method::POST, "/api/v1/keys", json!({"name": "x", "scopes": ["admin"]})),
        (Method::PATCH, &path, json!({"title": "Other"})),
        (Method::DELETE, &path, Value::Null),
    ];
    let ask = async |method: &Method, path: &str, body: &Value, headers: &[(&str, &str)]| {
        let request = with(&app, &cookie, method.clone(), path).json(body);
        send(headers.iter().fold(request, |request, (n, v)| request.header(*n, *v))).await
    };
    let own = app.base().to_owned();
    for headers in [
        vec![],
        vec![("Origin", "https://evil.example")],
        vec![("Origin", "null")],
        vec![("Sec-Fetch-Site", "cross-site")],
        vec![("Sec-Fetch-Site", "none")],
        // A page below the same domain is not ours either.
        vec![("Sec-Fetch-Site", "same-site"), ("Origin", &own)],
        vec![("Origin", &*own), ("Sec-Fetch-Site", "cross-site")],
    ] {
        for (method, path, body) in &changes {
            let refused = ask(method, path, body, &headers).await;
            assert_eq!(refused.problem(), (403, "cross-site".into()), "{method} {headers:?}");
        }
    }
    let unchanged = app.get(LINKS).await.json();
    assert_eq!(unchanged["items"], json!([link]), "nothing was done");

    for headers in [vec![("Origin", &*own)], vec![("Sec-Fetch-Site", "same-origin")]] {
        let (method, path, _) = &changes[2];
        let changed = ask(method, path, &json!({"title": headers[0].0}), &headers).await;
        assert_eq!((changed.status, &changed.json()["title"]), (200, &json!(headers[0].0)));
    }
    let read = with(&app, &cookie, Method::HEAD, LINKS).header("Sec-Fetch-Site", "cross-site");
    assert_eq!(send(read).await.status, 200, "what changes nothing needs no page of ours");
}

#[actix_web::test]
async fn a_key_in_the_header_goes_before_the_cookie() {
    let app = TestApp::spawn().await;
    let cookie = cookie_of(&app, ADMIN).await;
    let reader = app.key(&["read"]).await;
    let both = with(&app, &cookie, Method::GET, CURRENT).bearer_auth(&reader);
    let current = send(both).await.json();
    assert_eq!(current["key"]["scopes"], json!(["read"]));
    assert_eq!(current["session_expires_at"], Value::Null);
    let bad = with(&app, &cookie, Method::GET, CURRENT).bearer_auth("sl_unknown_key_of_nobody");
    assert_eq!(send(bad).await.problem(), (401, "unauthorized".into()));
    let change = with(&app, &cookie, Method::POST, LINKS).bearer_auth(ADMIN);
    let change = change.header("Origin", "https://desk.example.org").json(&json!({"url": STORY}));
    assert_eq!(send(change).await.status, 201, "who sends a key may come from anywhere");
}

#[actix_web::test]
async fn another_site_signs_nobody_in_or_out() {
    let app = TestApp::spawn().await;
    for (name, value) in [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")] {
        let request = app.anonymous(Method::POST, SIGN_IN).header(name, value);
        let refused = send(form(request, &[("key", ADMIN)])).await;
        assert_eq!((refused.status, refused.header("set-cookie")), (403, ""));
        assert!(refused.text.contains("another site"), "{}", refused.text);
        let request = app.anonymous(Method::POST, SIGN_OUT).header(name, value);
        let refused = send(request).await;
        assert_eq!((refused.status, refused.header("set-cookie")), (403, ""));
    }
    let get = send(app.anonymous(Method::GET, SIGN_OUT)).await;
    assert_eq!((get.status, get.header("allow")), (405, "POST"), "a picture could ask for that");
}

#[actix_web::test]
async fn who_comes_from_a_mail_need_not_sign_in_again() {
    let app = TestApp::spawn().await;
    let view = "/-/dashboard/links/8yDbrB";
    // A browser sends no `SameSite=Strict` cookie with what a page of another site leads to.
    let from_mail = app.anonymous(Method::GET, view).header("Sec-Fetch-Site", "cross-site");
    let answer = send(from_mail).await;
    assert_eq!(answer.status, 200);
    let refresh = answer.header("refresh").strip_prefix("0; url=").unwrap();
    let base = Url::parse(app.base()).unwrap();
    let next = base.join(view).unwrap().join(refresh).unwrap();
    assert_eq!(next.path(), SIGN_IN);
    let path = &next[url::Position::BeforePath..];
    let cookie = cookie_of(&app, ADMIN).await;
    let signed_in = with(&app, &cookie, Method::GET, path).header("Sec-Fetch-Site", "same-origin");
    assert_eq!(leads_to(&app, path, &send(signed_in).await), view);
    assert_eq!(send(app.anonymous(Method::GET, path)).await.status, 200, "or else the form");
}

#[actix_web::test]
async fn signing_in_leads_nowhere_else() {
    let app = TestApp::spawn().await;
    let link = app.mint(json!({"url": STORY})).await;
    let code = format!("/{}", link["code"].as_str().unwrap());
    let below = format!("/-/dashboard/..%2f..{code}");
    for (to, expected) in [
        (&*below, &*below),
        (&code, DASHBOARD),
        (&format!("/-/dashboard/../..{code}"), DASHBOARD),
        (&format!("/-/dashboard/%2e%2e/%2E.{code}"), DASHBOARD),
        ("https://evil.example/-/dashboard", DASHBOARD),
        ("//evil.example/-/dashboard", DASHBOARD),
        ("/\\evil.example/-/dashboard", DASHBOARD),
        ("\t/\n/evil.example/-/dashboard", DASHBOARD),
        ("javascript:alert(1)", DASHBOARD),
        ("/-/dashboard/sign-out", DASHBOARD),
        ("", DASHBOARD),
    ] {
        assert_eq!(leads_to(&app, SIGN_IN, &sign_in(&app, ADMIN, to).await), expected, "{to:?}");
    }
}

#[actix_web::test]
async fn pages_let_in_nothing_but_files_of_ours() {
    let app = TestApp::spawn().await;
    let cookie = cookie_of(&app, ADMIN).await;
    let pages = [
        send(with(&app, &cookie, Method::GET, DASHBOARD)).await,
        send(with(&app, &cookie, Method::GET, "/-/dashboard/links/a/b")).await,
        send(app.anonymous(Method::GET, SIGN_IN)).await,
        sign_in(&app, "sl_unknown_key_of_nobody", "").await,
    ];
    for page in pages {
        assert_eq!(
            page.header("content-security-policy"),
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
             connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("referrer-policy"), "same-origin", "forms need an `Origin`");
        assert!(!page.text.contains("<style") && !page.text.contains("style="), "{}", page.text);
        assert!(!page.text.contains("<script>") && !page.text.contains("//"), "{}", page.text);
        // Each part is there.
        for part in page.text.split("=\"").filter(|part| part.starts_with("../")) {
            let path = part.split('"').next().unwrap().trim_start_matches("../");
            let part = send(app.anonymous(Method::GET, &format!("/{path}"))).await;
            assert_eq!(part.status, 200, "{path}");
        }
    }
}

#[actix_web::test]
async fn pages_bear_the_newsrooms_name() {
    let name = "The \"Desk\" <b>";
    let app = TestApp::spawn_with(toml! {
        [brand]
        name = "The \"Desk\" <b>"
        colour = "#7a1f2b"
        home = "https://www.example.org/?a=1&b=2"
    })
    .await;
    let cookie = cookie_of(&app, ADMIN).await;
    let shell = send(with(&app, &cookie, Method::GET, DASHBOARD)).await;
    let form = send(app.anonymous(Method::GET, SIGN_IN)).await;
    for page in [&shell.text, &form.text] {
        assert!(!page.contains(name) && page.contains("&#60;b&#62;"), "{page}");
        assert!(page.contains("theme.js\" data-accent=\"#7a1f2b\""), "{page}");
    }
    assert!(shell.text.contains("data-home=\"https://www.example.org/?a=1&#38;b=2\""), "{shell:?}");
}

#[actix_web::test]
async fn files_of_the_client_come_compressed_and_only_when_they_changed() {
    let app = TestApp::spawn().await;
    let file = "/-/dashboard/assets/app.js";
    let source = include_bytes!("../src/http/dashboard/assets/app.js");
    let plain = app.anonymous(Method::GET, file).send().await.unwrap();
    assert_eq!(plain.headers()["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(plain.headers()["cache-control"], "no-cache");
    assert_eq!(plain.headers()["x-content-type-options"], "nosniff");
    assert!(plain.headers().get("content-encoding").is_none());
    let tag = plain.headers()["etag"].clone();
    assert_eq!(plain.bytes().await.unwrap(), &source[..]);
    for _ in 0..2 {
        let request = app.anonymous(Method::GET, file).header("Accept-Encoding", "br, gzip");
        let packed = request.send().await.unwrap();
        assert_eq!(packed.headers()["content-encoding"], "gzip");
        assert_eq!(packed.headers()["vary"], "Accept-Encoding");
        assert_eq!(packed.headers()["etag"], tag);
        let packed = packed.bytes().await.unwrap();
        let mut unpacked = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*packed), &mut unpacked)
            .unwrap();
        assert_eq!(unpacked, source);
    }
    let known = |tags: &str| send(app.anonymous(Method::GET, file).header("If-None-Match", tags));
    let same = known(&format!("\"x\", {}", tag.to_str().unwrap())).await;
    assert_eq!((same.status, &*same.text, same.header("etag")), (304, "", tag.to_str().unwrap()));
    assert_eq!(known("\"x\"").await.status, 200);
    for absent in ["none.js", "", "../mod.rs", "..%2fmod.rs", "%2e%2e/mod.rs"] {
        let answer =
            send(app.anonymous(Method::GET, &format!("/-/dashboard/assets/{absent}"))).await;
        assert!(!answer.text.contains("configure"), "{absent}: {answer:?}");
        assert!(matches!(answer.status, 404 | 303), "{absent}: {answer:?}");
    }
}

#[actix_web::test]
async fn a_dashboard_that_is_off_is_not_there() {
    let app = TestApp::spawn_with(toml! { dashboard = { enabled = false } }).await;
    for path in [DASHBOARD, SIGN_IN, "/-/dashboard/links", "/-/dashboard/assets/app.js"] {
        assert_eq!(send(app.anonymous(Method::GET, path)).await.status, 404, "{path}");
    }
    let refused = sign_in(&app, ADMIN, "").await;
    assert_eq!((refused.status, refused.header("set-cookie")), (405, ""));
    let plain = PlainKey::parse(ADMIN).unwrap();
    let key = Key::of(&plain, "bootstrap".into(), vec![Scope::Admin], Timestamp::now());
    let token = Session::of(&key, Duration::from_secs(3_600), Timestamp::now()).token;
    let cookie = format!("__Host-slugline_session={token}");
    let asked = send(with(&app, &cookie, Method::GET, CURRENT)).await;
    assert_eq!(asked.problem(), (401, "unauthorized".into()), "a session opens nothing either");
    assert_eq!(app.get(CURRENT).await.status, 200);
}

#[actix_web::test]
async fn a_session_of_one_node_holds_on_the_others() {
    let mut server = RedisServer::start();
    let over_it = || {
        let store = Table::from_iter([("url".to_owned(), server.url().into())]);
        TestApp::spawn_with(Table::from_iter([("store".to_owned(), store.into())]))
    };
    let (one, other) = (over_it().await, over_it().await);
    let cookie = cookie_of(&one, ADMIN).await;
    let shell = send(with(&other, &cookie, Method::GET, DASHBOARD)).await;
    assert_eq!(shell.status, 200);
    let health = send(with(&other, &cookie, Method::GET, "/api/v1/health")).await.json();
    assert_eq!(
        (&health["store"]["kind"], &health["store"]["ready"]),
        (&json!("redis"), &json!(true))
    );

    server.kill();
    let health = send(with(&other, &cookie, Method::GET, "/api/v1/health")).await.json();
    assert_eq!(
        (&health["store"]["ready"], &health["store"]["ping_ms"]),
        (&json!(false), &Value::Null)
    );
    assert!(health["store"]["error"].as_str().is_some_and(|error| !error.is_empty()));
    assert_eq!(health["journal"]["pending"], Value::Null);
    // Nobody was signed in here by this key: whether it still holds can't be told.
    let reader = Key::of(&PlainKey::draw(), "x".into(), vec![Scope::Read], Timestamp::now());
    let token = Session::of(&reader, Duration::from_secs(3_600), Timestamp::now()).token;
    let unknown = format!("__Host-slugline_session={token}");
    let shell = send(with(&other, &unknown, Method::GET, DASHBOARD)).await;
    assert_eq!((shell.status, shell.header("retry-after")), (503, "2"));
    let entered = sign_in(&other, "sl_another_key_of_nobody", "").await;
    assert_eq!((entered.status, entered.header("retry-after")), (503, "2"));
    assert!(entered.text.contains("The store does not answer."), "{}", entered.text);
}
