//! The API of goo.gl: over HTTP, and as Google's own client for Python uses it. The one for Rust has
//! a package of its own beside this folder.
//!
//! `urlshortener.v1.json` is the discovery document as Google published it (revision 20150519).

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod clients;
mod errors;
mod figures;
mod history;
#[path = "../support/live/mod.rs"]
mod live;
mod partial;
mod stores;
#[path = "../support/mod.rs"]
mod support;
mod urls;

use reqwest::Method;
use serde_json::{Value, json};
use support::{ADMIN, Answer, HOME, TestApp, send};
use toml::toml;

const STORY: &str = "https://www.example.org/2026/11/23/a-story.html";
const URL: &str = "/urlshortener/v1/url";
const HISTORY: &str = "/urlshortener/v1/url/history";

/// A service that answers for a further host, and for that of the tests, and knows what is dangerous.
async fn spawn() -> TestApp {
    TestApp::spawn_with(toml! {
        hosts = ["goo.example.net", "127.0.0.1"]
        [links]
        malware_hosts = ["malware.example"]
        phishing_hosts = ["phishing.example"]
        block_hosts = ["blocked.example"]
    })
    .await
}

/// A GET with these parameters and the admin's key.
async fn get(app: &TestApp, path: &str, params: &[(&str, &str)]) -> Answer {
    get_as(app, ADMIN, path, params).await
}

async fn get_as(app: &TestApp, key: &str, path: &str, params: &[(&str, &str)]) -> Answer {
    let params = [&[("key", key)], params].concat();
    send(app.anonymous(Method::GET, &target(path, &params))).await
}

/// A path with a query.
fn target(path: &str, params: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    format!("{path}?{query}")
}

/// What is told of a short URL.
async fn expand(app: &TestApp, short_url: &str, params: &[(&str, &str)]) -> Value {
    let params = [&[("shortUrl", short_url)], params].concat();
    let answer = get(app, URL, &params).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

async fn insert(app: &TestApp, long_url: &str) -> Value {
    let request = app.anonymous(Method::POST, &target(URL, &[("key", ADMIN)]));
    let answer = send(request.json(&json!({ "longUrl": long_url }))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name}: {value}"))
}

fn members(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}
