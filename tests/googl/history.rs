//! The links of a key, page by page.

use super::*;

async fn page(app: &TestApp, key: &str, params: &[(&str, &str)]) -> Value {
    let answer = get_as(app, key, HISTORY, params).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[actix_web::test]
async fn a_history_is_the_keys_own_newest_first_in_pages_of_thirty() {
    let app = spawn().await;
    let (desk, other) = (app.key(&["mint"]).await, app.key(&["mint", "read"]).await);
    insert(&app, STORY).await;
    let mut expected = Vec::new();
    for n in 0..65 {
        let request = app.anonymous(Method::POST, URL).bearer_auth(&desk);
        let body = json!({ "longUrl": format!("{STORY}?n={n}") });
        expected.push(send(request.json(&body)).await.json()["id"].clone());
    }
    expected.reverse();
    let (mut found, mut sizes, mut token) = (vec![], vec![], String::new());
    loop {
        let page = page(&app, &desk, &[("start-token", &token)]).await;
        assert_eq!(text(&page, "kind"), "urlshortener#urlHistory");
        assert_eq!((&page["totalItems"], &page["itemsPerPage"]), (&json!(65), &json!(30)));
        let items = page["items"].as_array().unwrap();
        sizes.push(items.len());
        for item in items {
            assert_eq!(members(item), ["created", "id", "kind", "longUrl", "status"]);
            found.push(item["id"].clone());
        }
        match page["nextPageToken"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(sizes, [30, 30, 5]);
    assert_eq!(found, expected);
    // Whoever may see all links still has a history of their own.
    let empty = page(&app, &other, &[]).await;
    let expected =
        json!({ "kind": "urlshortener#urlHistory", "totalItems": 0, "itemsPerPage": 30 });
    assert_eq!(empty, expected);
    assert_eq!(page(&app, ADMIN, &[]).await["items"].as_array().unwrap().len(), 1);
    let foreign = get_as(&app, &other, HISTORY, &[("start-token", &token)]).await;
    assert_eq!(errors::entry(&foreign, 400)["location"], "start-token");
}

#[actix_web::test]
async fn a_history_tells_removed_links_and_the_clicks_on_short_urls_if_asked() {
    let app = spawn().await;
    let id = insert(&app, STORY).await["id"].clone();
    let code = id.as_str().unwrap().rsplit('/').next().unwrap();
    app.follow(code, 3).await;
    app.patch(&format!("/api/v1/links/{code}"), json!({ "state": "disabled" })).await;
    for projection in ["FULL", "ANALYTICS_CLICKS"] {
        let page = page(&app, ADMIN, &[("projection", projection)]).await;
        let item = &page["items"][0];
        assert_eq!((&item["status"], item.get("longUrl")), (&json!("REMOVED"), None));
        for window in ["allTime", "month", "week", "day", "twoHours"] {
            let expected = json!({ "shortUrlClicks": "3" });
            assert_eq!(item["analytics"][window], expected, "{projection} {window}");
        }
    }
}
