//! Sessions: how they begin, what they open, and what ends them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use slugline::model::key::{Key, PlainKey, Scope};
use slugline::service::session::Session;
use toml::{Table, toml};

use super::redis_server::RedisServer;
use super::support::{ADMIN, TestApp, send};
use super::{
    CURRENT, DASHBOARD, LINKS, SIGN_IN, SIGN_OUT, STORY, asks_to_sign_in, cookie_of, leads_to,
    sign_in, spawn_over, with,
};

/// What the store of a test signs sessions with.
const SECRET: &[u8; 32] = b"the secret of the tests sessions";

/// A service whose secret is known, and the key that it starts with.
async fn spawn_with_secret() -> (RedisServer, TestApp, Key) {
    let server = RedisServer::start();
    let secret = std::str::from_utf8(SECRET).unwrap();
    server.command(&["HSET", "sl{secrets}", "sessions", secret]);
    let app = spawn_over(&server.url(), Table::new()).await;
    let plain = PlainKey::parse(ADMIN).unwrap();
    let key = Key::of(&plain, "bootstrap".into(), vec![Scope::Admin], Timestamp::now());
    (server, app, key)
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
    assert!(shell.text.contains("/app.js\""), "{}", shell.text);
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
    let (_server, app, key) = spawn_with_secret().await;
    let hour = Duration::from_secs(3_600);
    let cookie = |ago: Duration| {
        let session = Session::of(&key, SECRET, hour, Timestamp::now() - ago);
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
async fn who_has_a_backup_signs_nobody_in() {
    let (_server, app, key) = spawn_with_secret().await;
    let backup = app.get("/api/v1/export").await;
    assert!(backup.text.contains(key.id.as_str()), "{backup:?}");
    let signed_with = async |secret: &[u8; 32], lasts: Duration| {
        let token = Session::of(&key, secret, lasts, Timestamp::now()).token;
        let cookie = format!("__Host-slugline_session={token}");
        send(with(&app, &cookie, Method::GET, CURRENT)).await.status
    };
    let hour = Duration::from_secs(3_600);
    assert_eq!(signed_with(SECRET, hour).await, 200);
    for secret in [&[0; 32], key.hash.as_bytes()] {
        assert_eq!(signed_with(secret, hour).await, 401, "this is all that a backup has");
    }
    assert_eq!(signed_with(SECRET, 13 * hour).await, 401, "sessions last twelve hours");
    let text = std::str::from_utf8(SECRET).unwrap();
    let encoded = |engine: &dyn Fn(&[u8]) -> String| engine(SECRET);
    let base64 = |bytes: &[u8]| base64::Engine::encode(&base64::prelude::BASE64_STANDARD, bytes);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    for secret in [text.to_owned(), encoded(&base64), encoded(&hex)] {
        assert!(!backup.text.contains(secret.trim_end_matches('=')), "{backup:?}");
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
async fn a_dashboard_that_is_off_is_not_there() {
    let server = RedisServer::start();
    let app = spawn_over(&server.url(), toml! { dashboard = { enabled = false } }).await;
    for path in [DASHBOARD, SIGN_IN, "/-/dashboard/links", "/-/dashboard/assets/app.js"] {
        assert_eq!(send(app.anonymous(Method::GET, path)).await.status, 404, "{path}");
    }
    let refused = sign_in(&app, ADMIN, "").await;
    assert_eq!((refused.status, refused.header("set-cookie")), (405, ""));
    let on = spawn_over(&server.url(), Table::new()).await;
    let cookie = cookie_of(&on, ADMIN).await;
    assert_eq!(send(with(&on, &cookie, Method::GET, CURRENT)).await.status, 200);
    let asked = send(with(&app, &cookie, Method::GET, CURRENT)).await;
    assert_eq!(asked.problem(), (401, "unauthorized".into()), "a session opens nothing either");
    assert_eq!(app.get(CURRENT).await.status, 200);
}

#[actix_web::test]
async fn a_session_of_one_node_holds_on_the_others() {
    let mut server = RedisServer::start();
    let one = spawn_over(&server.url(), Table::new()).await;
    let other = spawn_over(&server.url(), Table::new()).await;
    let theirs = cookie_of(&one, &one.key(&["read"]).await).await;
    let current = send(with(&other, &theirs, Method::GET, CURRENT)).await.json();
    let id = current["key"]["id"].as_str().unwrap();
    assert_eq!(one.delete(&format!("/api/v1/keys/{id}")).await.status, 204);
    let revoked =
        async { while send(with(&other, &theirs, Method::GET, CURRENT)).await.status != 401 {} };
    // Long before the other node would ask the store again by itself (`cache.fresh_for`).
    tokio::time::timeout(Duration::from_secs(20), revoked).await.unwrap();

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
    let token = Session::of(&reader, SECRET, Duration::from_secs(3_600), Timestamp::now()).token;
    let unknown = format!("__Host-slugline_session={token}");
    let shell = send(with(&other, &unknown, Method::GET, DASHBOARD)).await;
    assert_eq!((shell.status, shell.header("retry-after")), (503, "2"));
    let entered = sign_in(&other, "sl_another_key_of_nobody", "").await;
    assert_eq!((entered.status, entered.header("retry-after")), (503, "2"));
    assert!(entered.text.contains("The store does not answer."), "{}", entered.text);
}
