//! Minting, changing, deleting, finding.

use std::collections::HashSet;

use futures_util::future::join_all;
use serde_json::json;

use super::*;
use crate::support::HOME;

#[actix_web::test]
async fn a_minted_link_has_exactly_the_agreed_members() {
    let app = TestApp::spawn().await;
    let body = json!({"url": format!("{STORY}?utm_source=x"), "title": "A story", "tags": ["world"],
                      "expires_at": "2100-01-01T01:00:00+01:00", "redirect": 301,
                      "forward_query": true});
    let answer = app.post(LINKS, body).await;
    assert_eq!((answer.status, answer.header("content-type")), (201, "application/json"));
    let link = answer.json();
    let agreed = [
        "code",
        "short_url",
        "target",
        "article",
        "created_at",
        "owner",
        "title",
        "tags",
        "state",
        "expires_at",
        "redirect",
        "forward_query",
        "host",
    ];
    assert_eq!(members(&link), BTreeSet::from(agreed));
    let code = link["code"].as_str().unwrap();
    assert_eq!(code.len(), 6);
    assert_eq!(answer.header("location"), format!("{LINKS}/{code}"));
    let created = link["created_at"].as_str().unwrap();
    assert!(created.len() == 24 && created.ends_with('Z'), "{created}");
    let expected = json!({
        "code": code, "short_url": format!("{HOME}/{code}"), "target": STORY, "article": STORY,
        "created_at": created, "owner": link["owner"], "title": "A story", "tags": ["world"],
        "state": "active", "expires_at": "2100-01-01T00:00:00.000Z", "redirect": 301,
        "forward_query": true, "host": null
    });
    assert_eq!(link, expected);
    assert_eq!(app.get(&path_of(&link)).await.json(), link);
}

#[actix_web::test]
async fn a_known_target_is_answered_with_its_link() {
    let app = TestApp::spawn().await;
    let link = app.mint(json!({"url": STORY})).await;
    let again = app.post(LINKS, json!({"url": STORY, "title": "other"})).await;
    assert_eq!((again.status, again.header("location")), (200, ""));
    assert_eq!(again.json(), link);
    let short = app.post(LINKS, json!({"url": link["short_url"]})).await;
    assert_eq!((short.status, short.json()), (200, link.clone()));
    let second = app.post(LINKS, json!({"url": STORY, "new_code": true})).await;
    assert_eq!(second.status, 201);
    assert_ne!(second.json()["code"], link["code"]);
    let landing = format!("{STORY}?utm_source=x");
    let kept = app.mint(json!({"url": landing, "keep_tracking": true})).await;
    assert_eq!((&kept["target"], &kept["article"]), (&json!(landing), &json!(STORY)));
    let custom = app.post(LINKS, json!({"url": STORY, "code": "batch"})).await;
    assert_eq!((custom.status, custom.header("location")), (201, "/api/v1/links/batch"));
    assert_eq!(app.get("/api/v1/links/batch").await.json()["code"], "batch");
    let taken = app.post(LINKS, json!({"url": "https://e.org/", "code": "batch"})).await;
    assert_eq!(taken.problem(), (409, "code-taken".into()));
    assert_eq!(taken.json()["field"], "code");
}

#[actix_web::test]
async fn concurrent_mints_of_one_article_get_one_code_and_one_201() {
    let app = TestApp::spawn().await;
    let url = |n: usize| format!("{STORY}?utm_campaign={n}");
    let answers = join_all((0..200).map(|n| app.post(LINKS, json!({"url": url(n)})))).await;
    let codes: HashSet<String> =
        answers.iter().map(|answer| answer.json()["code"].as_str().unwrap().into()).collect();
    assert_eq!(codes.len(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 199);
}

#[actix_web::test]
async fn a_link_is_changed_withdrawn_and_brought_back() {
    let app = TestApp::spawn().await;
    let link = app.mint(json!({"url": STORY, "title": "A", "tags": ["a"]})).await;
    let path = path_of(&link);
    let withdraw = json!({"state": "disabled", "reason": "a mistake", "title": null});
    let withdrawn = app.patch(&path, withdraw).await;
    assert_eq!(withdrawn.status, 200);
    let withdrawn = withdrawn.json();
    assert_eq!(
        (&withdrawn["state"], &withdrawn["reason"]),
        (&json!("disabled"), &json!("a mistake"))
    );
    assert_eq!((&withdrawn["title"], &withdrawn["tags"]), (&Value::Null, &json!(["a"])));
    let back =
        app.patch(&path, json!({"state": "active", "url": "https://e.org/new"})).await.json();
    assert_eq!((&back["state"], &back["target"]), (&json!("active"), &json!("https://e.org/new")));
    assert!(!members(&back).contains("reason"));
    assert_eq!(app.mint(json!({"url": "https://e.org/new"})).await, back);
}

#[actix_web::test]
async fn a_deleted_link_leaves_a_tombstone_and_its_code_is_never_reused() {
    let app = TestApp::spawn().await;
    let link = app.mint(json!({"url": STORY, "code": "story"})).await;
    let path = path_of(&link);
    for _ in 0..2 {
        let deleted = app.delete(&path).await;
        assert_eq!((deleted.status, &*deleted.text), (204, ""));
    }
    for gone in [app.get(&path).await, app.patch(&path, json!({"title": "B"})).await] {
        assert_eq!(gone.problem(), (410, "gone".into()));
        let mut tombstone = link.clone();
        tombstone["state"] = json!("deleted");
        assert_eq!(gone.json()["link"], tombstone);
    }
    let again = app.post(LINKS, json!({"url": STORY, "code": "story"})).await;
    assert_eq!(again.problem(), (409, "code-taken".into()));
    assert_ne!(app.mint(json!({"url": STORY})).await["code"], "story");
    assert_eq!(app.delete(&format!("{LINKS}/nowhere")).await.problem(), (404, "not-found".into()));
}

#[actix_web::test]
async fn codes_of_path_families_are_found_with_their_slash_written_either_way() {
    let app = TestApp::spawn().await;
    for path in ["fb/AbC1", "fb%2FAbC1", "no%20code", "%00", "%FF"] {
        let answer = app.get(&format!("{LINKS}/{path}")).await;
        assert_eq!(answer.problem(), (404, "not-found".into()), "{path}");
    }
    let detail = app.get(&format!("{LINKS}/fb%2FAbC1")).await.json()["detail"].clone();
    assert_eq!(detail, "there is no link with the code fb/AbC1");
}

#[actix_web::test]
async fn addresses_in_any_script_are_minted() {
    let app = TestApp::spawn().await;
    let link = app.mint(json!({"url": "https://bücher.example/سیاست/جهان?q=آستانه"})).await;
    let target = link["target"].as_str().unwrap();
    assert!(target.starts_with("https://xn--bcher-kva.example/%D8%B3"), "{target}");
    assert!(target.is_ascii());
    let found = app.get(&format!("{LINKS}?q=آستانه")).await.json();
    assert_eq!(found["items"], json!([link]));
}

#[actix_web::test]
async fn lists_are_paged_and_filtered() {
    let app = TestApp::spawn().await;
    for n in 0..5 {
        let tags = if n % 2 == 0 { json!(["even"]) } else { json!(null) };
        app.mint(json!({"url": format!("https://e.org/{n}"), "tags": tags})).await;
    }
    let targets = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap();
        items.iter().map(|link| link["target"].as_str().unwrap()[14..].to_owned()).collect()
    };
    let first = app.get(&format!("{LINKS}?limit=3")).await.json();
    assert_eq!(members(&first), BTreeSet::from(["items", "next_cursor"]));
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = app.get(&format!("{LINKS}?limit=3&cursor={cursor}")).await.json();
    let mut all = targets(&first);
    all.extend(targets(&second));
    all.sort();
    assert_eq!(all, ["0", "1", "2", "3", "4"]);
    assert_eq!(second["next_cursor"], Value::Null);
    let even = app.get(&format!("{LINKS}?tag=even&q=E.ORG%2F2&limit=")).await.json();
    assert_eq!(targets(&even), ["2"]);
    let by_target = app.get(&format!("{LINKS}?target=https://e.org/3%3Futm_source=x")).await.json();
    assert_eq!(targets(&by_target), ["3"]);
    app.delete(&path_of(&by_target["items"][0])).await;
    let deleted = app.get(&format!("{LINKS}?state=deleted")).await.json();
    assert_eq!(targets(&deleted), ["3"]);
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=-1", "limit"),
        ("limit=x", "limit"),
        ("cursor=x", "cursor"),
        ("state=lost", "state"),
        ("target=nowhere", "target"),
        ("page=2", "page"),
        ("q=a&q=b", "q"),
    ] {
        let refused = app.get(&format!("{LINKS}?{query}")).await;
        assert_eq!(refused.problem(), (400, "bad-parameter".into()), "{query}");
        assert_eq!(refused.json()["field"], field);
    }
    assert_eq!(app.get(&format!("{LINKS}/x?y=1")).await.problem().0, 400);
}
