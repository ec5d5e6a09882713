//! The dashboard's server side over HTTP: sessions, pages, the client's files, and the endpoints that
//! it needs.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod cross_site;
mod endpoints;
mod pages;
#[path = "../support/redis_server.rs"]
mod redis_server;
mod sessions;
#[path = "../support/mod.rs"]
mod support;

use reqwest::{Method, RequestBuilder};
use support::{Answer, TestApp, send};
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

/// A node over the store at `url`, with further settings.
async fn spawn_over(url: &str, mut further: Table) -> TestApp {
    let store = Table::from_iter([("url".to_owned(), url.into())]);
    further.insert("store".into(), store.into());
    TestApp::spawn_with(further).await
}
