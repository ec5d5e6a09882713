//! Partial responses, and how answers look.

use super::*;

#[actix_web::test]
async fn fields_select_what_is_told() {
    let app = spawn().await;
    let id = insert(&app, STORY).await["id"].clone();
    let id = id.as_str().unwrap();
    let all = [("projection", "FULL")];
    for (fields, expected) in [
        ("id", json!({ "id": id })),
        ("longUrl,status", json!({ "longUrl": STORY, "status": "OK" })),
        (
            "analytics/allTime/shortUrlClicks",
            json!({ "analytics": { "allTime": { "shortUrlClicks": "0" } } }),
        ),
        (
            "analytics(week,day/longUrlClicks),kind",
            json!({
                "kind": "urlshortener#url",
                "analytics": {
                    "week": { "shortUrlClicks": "0", "longUrlClicks": "0" },
                    "day": { "longUrlClicks": "0" },
                },
            }),
        ),
        ("analytics/twoHours/browsers/id", json!({ "analytics": { "twoHours": {} } })),
        ("id,id", json!({ "id": id })),
    ] {
        let told = expand(&app, id, &[&all[..], &[("fields", fields)]].concat()).await;
        assert_eq!(told, expected, "{fields}");
    }
    let whole = expand(&app, id, &all).await;
    assert_eq!(expand(&app, id, &[all[0], ("fields", "*")]).await, whole);
    let clicks = expand(&app, id, &[all[0], ("fields", "analytics/*/shortUrlClicks")]).await;
    assert_eq!(members(&clicks["analytics"]), ["allTime", "day", "month", "twoHours", "week"]);
    assert!(clicks["analytics"].as_object().unwrap().values().all(|w| members(w).len() == 1));
}

#[actix_web::test]
async fn fields_reach_into_the_items_of_a_history_and_the_answer_to_an_insert() {
    let app = spawn().await;
    let inserted = app.request(Method::POST, &format!("{URL}?fields=id"));
    let inserted = send(inserted.json(&json!({ "longUrl": STORY }))).await.json();
    assert_eq!(members(&inserted), ["id"]);
    let params = [("fields", "items(id,longUrl),nextPageToken")];
    let told = get(&app, HISTORY, &params).await.json();
    assert_eq!(told, json!({ "items": [{ "id": inserted["id"], "longUrl": STORY }] }));
}

#[actix_web::test]
async fn what_cannot_be_selected_is_named() {
    let app = spawn().await;
    for (fields, named) in [
        ("items", "items"),
        ("id,nope", "nope"),
        ("analytics/allTime/nope", "nope"),
        ("id/x", "x"),
        ("analytics(id)", "id"),
        ("analytics(allTime", "analytics(allTime"),
        ("id)", ")"),
        ("id,,kind", "id,,kind"),
        ("analytics()", "analytics()"),
    ] {
        let answer = get(&app, URL, &[("shortUrl", "http://goo.gl/x"), ("fields", fields)]).await;
        let told = errors::entry(&answer, 400);
        let message = format!("Invalid field selection {named}");
        assert_eq!((&told["message"], &told["location"]), (&json!(message), &json!("fields")));
    }
}

#[actix_web::test]
async fn answers_are_indented_unless_that_is_not_wanted() {
    let app = spawn().await;
    let id = insert(&app, STORY).await["id"].clone();
    let params = [("shortUrl", id.as_str().unwrap())];
    let pretty = get(&app, URL, &params).await.text;
    let expected = format!(
        "{{\n \"kind\": \"urlshortener#url\",\n \"id\": {id},\n \"longUrl\": \"{STORY}\",\n \
         \"status\": \"OK\"\n}}\n"
    );
    assert_eq!(pretty, expected);
    for (flag, lines) in [("true", 6), ("True", 6), ("false", 1), ("0", 1)] {
        let text = get(&app, URL, &[params[0], ("prettyPrint", flag)]).await.text;
        assert_eq!(text.lines().count(), lines, "{flag}");
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value, serde_json::from_str::<Value>(&pretty).unwrap());
    }
}
