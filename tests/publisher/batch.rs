//! Many links in one request, and the same request twice.

use std::collections::HashSet;

use futures_util::future::join_all;
use serde_json::json;

use super::*;

#[actix_web::test]
async fn a_batch_answers_each_row_in_its_place() {
    let app = TestApp::spawn().await;
    let there = app.mint(json!({"url": "https://e.org/there"})).await;
    let rows = json!([
        {"url": "https://e.org/a"},
        {"url": "ftp://e.org/"},
        {"url": "https://e.org/a?utm_source=x"},
        {"url": "https://e.org/there"},
        {"url": "https://e.org/b", "tgas": []},
        "https://e.org/c",
        {"url": "https://e.org/d", "tags": [7]},
        {"url": "https://e.org/e", "code": there["code"]},
    ]);
    let answer = app.post(BATCH, json!({"links": rows})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let results = answer.json()["results"].as_array().unwrap().clone();
    let statuses: Vec<u64> = results.iter().map(|row| row["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [201, 422, 200, 200, 422, 422, 422, 409]);
    assert_eq!(results[0]["link"], results[2]["link"]);
    assert_eq!(results[3]["link"], there);
    let fields: Vec<&Value> = [1, 4, 6, 7].map(|row| &results[row]["problem"]["field"]).into();
    assert_eq!(fields, ["url", "tgas", "tags[0]", "code"]);
    for row in &results {
        let kind = if row["status"].as_u64() < Some(300) { "link" } else { "problem" };
        assert_eq!(members(row), BTreeSet::from(["status", kind]));
    }
    assert_eq!(app.post(BATCH, json!({"links": []})).await.json(), json!({"results": []}));
}

#[actix_web::test]
async fn ten_thousand_rows_are_the_limit() {
    let app = TestApp::spawn().await;
    let rows = |n: usize| -> Vec<Value> {
        (0..n).map(|n| json!({"url": format!("https://e.org/{n}")})).collect()
    };
    let full = app.post(BATCH, json!({"links": rows(10_000)})).await;
    assert_eq!(full.status, 200);
    let results = full.json()["results"].as_array().unwrap().clone();
    let codes: HashSet<&str> =
        results.iter().map(|row| row["link"]["code"].as_str().unwrap()).collect();
    assert_eq!(codes.len(), 10_000);
    let over = app.post(BATCH, json!({"links": rows(10_001)})).await;
    assert_eq!(over.problem(), (422, "bad-field".into()));
    assert_eq!((&over.json()["field"], &over.json()["limit"]), (&json!("links"), &json!(10_000)));
}

#[actix_web::test]
async fn an_idempotency_key_repeats_the_first_answer() {
    let app = TestApp::spawn().await;
    let ask = |path: &str, key: &str, body: Value| {
        send(app.request(Method::POST, path).header("Idempotency-Key", key).json(&body))
    };
    let body = json!({"url": STORY, "new_code": true});
    let first = ask(LINKS, "k-1", body.clone()).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, ""));
    let again = ask(LINKS, "k-1", body.clone()).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, "true"));
    assert_eq!((&again.text, again.header("location")), (&first.text, first.header("location")));
    let other = ask(LINKS, "k-1", json!({"url": STORY})).await;
    assert_eq!(other.problem(), (422, "idempotency-key-reused".into()));
    assert_ne!(ask(LINKS, "k-2", body.clone()).await.text, first.text);
    let refusal = json!({"url": "ftp://e.org/"});
    let refused = ask(LINKS, "k-3", refusal.clone()).await;
    let refused_again = ask(LINKS, "k-3", refusal).await;
    assert_eq!(refused.problem(), refused_again.problem());
    assert_eq!(refused_again.header("idempotency-replayed"), "true");
    let rows = json!({"links": [{"url": STORY, "new_code": true}]});
    let batch = ask(BATCH, "k-4", rows.clone()).await;
    assert_eq!(ask(BATCH, "k-4", rows).await.text, batch.text);
    for bad in ["", "a b", &"x".repeat(256), "ü"] {
        let refused = ask(LINKS, bad, body.clone()).await;
        assert_eq!(refused.problem(), (400, "bad-header".into()), "{bad:?}");
    }
    let desk = app.key(&["mint"]).await;
    let request = app.anonymous(Method::POST, LINKS).bearer_auth(desk);
    let theirs = send(request.header("Idempotency-Key", "k-1").json(&json!({"url": STORY}))).await;
    assert_eq!((theirs.status, theirs.header("idempotency-replayed")), (200, ""));
}

#[actix_web::test]
async fn of_concurrent_requests_with_one_idempotency_key_one_is_carried_out() {
    let app = TestApp::spawn().await;
    let body = json!({"url": STORY, "new_code": true});
    let ask = |_| {
        let request = app.request(Method::POST, LINKS).header("Idempotency-Key", "k");
        send(request.json(&body))
    };
    let answers = join_all((0..30).map(ask)).await;
    let codes: HashSet<String> = answers
        .iter()
        .filter(|answer| answer.status == 201)
        .map(|answer| answer.json()["code"].as_str().unwrap().into())
        .collect();
    assert_eq!(codes.len(), 1);
    for waiting in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(waiting.problem(), (409, "in-progress".into()));
        assert_eq!(waiting.header("retry-after"), "1");
    }
    let all = app.get(&format!("{LINKS}?target={STORY}")).await.json();
    assert_eq!(all["items"].as_array().unwrap().len(), 1);
}
