//! The publisher's API over HTTP: every endpoint, status and problem.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod batch;
mod docs;
mod import;
mod keys;
mod links;
mod operations;
mod problems;
mod stats;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;
use support::{Answer, TestApp, send};

const STORY: &str = "https://www.example.org/2026/11/23/a-story.html";
const LINKS: &str = "/api/v1/links";
const BATCH: &str = "/api/v1/links/batch";
const KEYS: &str = "/api/v1/keys";

fn path_of(link: &Value) -> String {
    format!("{LINKS}/{}", link["code"].as_str().unwrap())
}

fn members(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Sends these bytes as a body that says it is JSON.
async fn raw(app: &TestApp, method: Method, path: &str, body: impl Into<Vec<u8>>) -> Answer {
    let request = app.request(method, path).header("Content-Type", "application/json");
    send(request.body(body.into())).await
}
