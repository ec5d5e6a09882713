//! Errors, each in Google's envelope.

use super::*;

/// The one entry of an error with this status, once its envelope is sure to be whole.
pub(super) fn entry(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/json; charset=UTF-8");
    let told = answer.json();
    let error = &told["error"];
    assert_eq!(members(&told), ["error"]);
    assert_eq!(members(error), ["code", "errors", "message"]);
    assert_eq!((&error["code"], error["errors"].as_array().unwrap().len()), (&json!(status), 1));
    let entry = error["errors"][0].clone();
    assert_eq!(entry["message"], error["message"]);
    assert_eq!(entry.get("location").is_some(), entry.get("locationType").is_some());
    entry
}

async fn post(app: &TestApp, body: impl Into<reqwest::Body>) -> Answer {
    let request = app.request(Method::POST, URL).header("Content-Type", "application/json");
    send(request.body(body)).await
}

#[actix_web::test]
async fn an_envelope_is_what_clients_of_goo_gl_know_to_the_letter() {
    let app = spawn().await;
    let expected = "{\n \"error\": {\n  \"errors\": [\n   {\n    \"domain\": \"global\",\n    \
                    \"reason\": \"required\",\n    \"message\": \"Required\",\n    \
                    \"locationType\": \"parameter\",\n    \"location\": \"resource.longUrl\"\n   }\n  \
                    ],\n  \"code\": 400,\n  \"message\": \"Required\"\n }\n}\n";
    assert_eq!(post(&app, "{}").await.text, expected);
    let short = send(app.request(Method::POST, &format!("{URL}?prettyPrint=false"))).await;
    assert_eq!(short.text.lines().count(), 1);
    assert_eq!(short.json(), serde_json::from_str::<Value>(expected).unwrap());
}

#[actix_web::test]
async fn a_body_without_a_usable_long_url_says_so() {
    let app = spawn().await;
    for (body, reason) in [
        ("", "required"),
        ("{}", "required"),
        (r#"{"longUrl": null}"#, "required"),
        (r#"{"longUrl": ""}"#, "required"),
        (r#"{"longUrl": 5}"#, "invalid"),
        (r#"{"longUrl": "www.example.org"}"#, "invalid"),
        (r#"{"longUrl": "ftp://www.example.org/"}"#, "invalid"),
        (r#"{"longUrl": "https://blocked.example/"}"#, "invalid"),
        (r#"{"longUrl": "https://go.example.org/none"}"#, "invalid"),
        (r#"{"longUrl": "https://www.malware.example/"}"#, "invalid"),
        (r#"{"longUrl": "https://phishing.example/"}"#, "invalid"),
    ] {
        let told = entry(&post(&app, body).await, 400);
        assert_eq!(
            (&told["reason"], &told["location"]),
            (&reason.into(), &"resource.longUrl".into())
        );
        assert_eq!(told["locationType"], "parameter", "{body}");
    }
    let long = format!("https://www.example.org/{}", "x".repeat(8_192));
    let told = entry(&post(&app, json!({ "longUrl": long }).to_string()).await, 400);
    assert_eq!(told["message"], "Invalid Value");
}

#[actix_web::test]
async fn what_is_no_json_or_too_long_is_refused() {
    let app = spawn().await;
    for body in ["{", "[]", "\"x\"", "longUrl=x", "{\"longUrl\": \"\u{0}\"}"] {
        let told = entry(&post(&app, body).await, 400);
        let expected =
            json!({"domain": "global", "reason": "parseError", "message": "Parse Error"});
        assert_eq!(told, expected, "{body}");
    }
    let form = app.request(Method::POST, URL).body("longUrl=https%3A%2F%2Fwww.example.org%2F");
    let form = form.header("Content-Type", "application/x-www-form-urlencoded");
    let told = entry(&send(form).await, 400);
    assert_eq!(told["message"], "This API does not support parsing form-encoded input.");
    let told = entry(&post(&app, "x".repeat(2 << 20)).await, 413);
    assert_eq!(told["reason"], "uploadTooLarge");
}

#[actix_web::test]
async fn a_bad_key_and_none_at_all_are_told_apart() {
    let app = spawn().await;
    let revoked = app.key(&["admin"]).await;
    let id = app.get("/api/v1/keys").await.json()["items"][1]["id"].clone();
    app.delete(&format!("/api/v1/keys/{}", id.as_str().unwrap())).await;
    for (method, path) in [(Method::GET, URL), (Method::POST, URL), (Method::GET, HISTORY)] {
        let request = |params: &[(&str, &str)]| {
            let params = [&[("shortUrl", "http://goo.gl/fbsS")], params].concat();
            app.anonymous(method.clone(), &target(path, &params))
        };
        for bad in ["AIzaSyOfAProjectAtGoogle", "short", &revoked] {
            let told = entry(&send(request(&[("key", bad)])).await, 400);
            let expected =
                json!({"domain": "usageLimits", "reason": "keyInvalid", "message": "Bad Request"});
            assert_eq!(told, expected, "{path} {bad}");
            let good = ("key", ADMIN);
            for request in [
                request(&[good]).bearer_auth(bad),
                request(&[good, ("oauth_token", bad)]),
                request(&[good, ("access_token", bad)]),
                request(&[good]).header("Authorization", "Basic c2xfYm9vdHN0cmFwX2tleQ=="),
            ] {
                let answer = send(request).await;
                assert!(answer.header("www-authenticate").starts_with("Bearer "), "{answer:?}");
                let expected = json!({
                    "domain": "global", "reason": "authError", "message": "Invalid Credentials",
                    "locationType": "header", "location": "Authorization",
                });
                assert_eq!(entry(&answer, 401), expected, "{path} {bad}");
            }
        }
        let answer = send(request(&[])).await;
        let (status, reason) = match path {
            HISTORY => (401, "required"),
            _ => (403, "dailyLimitExceededUnreg"),
        };
        assert_eq!(entry(&answer, status)["reason"], reason, "{path}");
    }
}

#[actix_web::test]
async fn a_parameter_that_means_nothing_is_named() {
    let app = spawn().await;
    let short = ("shortUrl", "http://goo.gl/fbsS");
    for (path, params, reason, location) in [
        (URL, vec![], "required", "shortUrl"),
        (URL, vec![("shortUrl", "")], "required", "shortUrl"),
        (URL, vec![("shortUrl", "goo.gl/fbsS")], "invalid", "shortUrl"),
        (URL, vec![short, ("projection", "EVERYTHING")], "invalidParameter", "projection"),
        (URL, vec![short, ("alt", "atom")], "invalidParameter", "alt"),
        (URL, vec![short, ("prettyPrint", "maybe")], "invalidParameter", "prettyPrint"),
        (URL, vec![short, ("fields", "id,")], "invalidParameter", "fields"),
        (HISTORY, vec![("projection", "ANALYTICS_TOP_STRINGS")], "invalidParameter", "projection"),
        (HISTORY, vec![("start-token", "x")], "invalid", "start-token"),
    ] {
        let told = entry(&get(&app, path, &params).await, 400);
        let expected = (&json!(reason), &json!(location), &json!("parameter"));
        assert_eq!(
            (&told["reason"], &told["location"], &told["locationType"]),
            expected,
            "{params:?}"
        );
    }
    let told = get(&app, URL, &[short, ("projection", "EVERYTHING")]).await.json();
    let message = "Invalid string value: 'EVERYTHING'. \
                   Allowed values: [ANALYTICS_CLICKS, ANALYTICS_TOP_STRINGS, FULL]";
    assert_eq!(told["error"]["message"], message);
}

#[actix_web::test]
async fn an_insert_that_could_not_be_answered_makes_nothing() {
    let app = spawn().await;
    let request = app.request(Method::POST, &format!("{URL}?fields=nothing"));
    entry(&send(request.json(&json!({ "longUrl": STORY }))).await, 400);
    assert_eq!(app.get("/api/v1/links").await.json()["items"], json!([]));
}

#[actix_web::test]
async fn wrong_addresses_and_methods_are_answered_in_the_same_way() {
    let app = spawn().await;
    for path in ["/urlshortener", "/urlshortener/v1/urls", "/urlshortener/v2/url", "/discovery/v1"]
    {
        assert_eq!(entry(&app.get(path).await, 404)["reason"], "notFound", "{path}");
    }
    for (method, path, allow) in [
        (Method::DELETE, URL, "GET, HEAD, POST"),
        (Method::POST, HISTORY, "GET, HEAD"),
        (Method::PUT, "/discovery/v1/apis/urlshortener/v1/rest", "GET, HEAD"),
    ] {
        let answer = send(app.request(method, path)).await;
        assert_eq!(answer.header("allow"), allow);
        assert_eq!(entry(&answer, 405)["reason"], "httpMethodNotAllowed");
    }
}

#[actix_web::test]
async fn batches_are_declined_where_the_document_looks_for_them() {
    let app = spawn().await;
    for path in ["/batch", "/batch?prettyPrint=false"] {
        let batch = app.request(Method::POST, path).body("--x\r\n--x--");
        let told = entry(&send(batch.header("Content-Type", "multipart/mixed")).await, 404);
        assert_eq!(told["reason"], "notFound");
        assert!(text(&told, "message").contains("Batches are not offered"), "{told}");
    }
    let wish = json!({ "url": STORY, "code": "batch" });
    assert_eq!(app.post("/api/v1/links", wish).await.status, 201);
    assert_eq!(send(app.anonymous(Method::GET, "/batch")).await.status, 302);
}
