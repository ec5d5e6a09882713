//! What is told of clicks.

use super::*;

const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                      Chrome/131.0.0.0 Safari/537.36";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0";

/// An article with two links, one of them clicked three times and the other once, each with a count
/// that it brought along.
async fn some_clicks() -> (TestApp, String) {
    let app = spawn().await;
    app.import(&[
        json!({
            "code": "fbsS", "target": "http://www.google.com/", "created_at": "2009-12-13T07:22:55Z",
            "baseline": { "clicks": 3227, "at": "2019-03-30T00:00:00Z" },
        }),
        json!({
            "code": "l6MS", "target": "http://www.google.com/?utm_source=x",
            "baseline": { "clicks": 6131, "at": "2018-03-30T00:00:00Z" },
        }),
    ])
    .await;
    for (code, agent, referrer) in [
        ("fbsS", CHROME, Some("https://www.lemonde.example/a")),
        ("fbsS", FIREFOX, Some("https://www.lemonde.example/b")),
        ("fbsS", CHROME, None),
        ("l6MS", CHROME, None),
    ] {
        let request = app.anonymous(Method::GET, &format!("/{code}")).header("User-Agent", agent);
        let request = match referrer {
            Some(referrer) => request.header("Referer", referrer),
            None => request,
        };
        assert_eq!(send(request).await.status, 302);
    }
    app.until_counted().await;
    (app, "http://goo.gl/fbsS".to_owned())
}

#[actix_web::test]
async fn clicks_are_those_of_the_short_url_and_those_of_its_article() {
    let (app, short_url) = some_clicks().await;
    let url = expand(&app, &short_url, &[("projection", "ANALYTICS_CLICKS")]).await;
    assert_eq!(members(&url), ["analytics", "id", "kind", "longUrl", "status"]);
    let measured = json!({ "shortUrlClicks": "3", "longUrlClicks": "4" });
    // Those of all time alone have what goo.gl had counted.
    let ever = json!({ "shortUrlClicks": "3230", "longUrlClicks": "9362" });
    let expected = json!({
        "allTime": ever, "month": measured, "week": measured, "day": measured, "twoHours": measured,
    });
    assert_eq!(url["analytics"], expected);
}

#[actix_web::test]
async fn top_strings_are_those_of_the_short_url_most_clicks_first() {
    let (app, short_url) = some_clicks().await;
    let url = expand(&app, &short_url, &[("projection", "ANALYTICS_TOP_STRINGS")]).await;
    assert_eq!(members(&url), ["analytics", "id", "kind", "longUrl", "status"]);
    let count = |id: &str, count: &str| json!({ "id": id, "count": count });
    let expected = json!({
        "referrers": [count("lemonde.example", "2"), count("unknown", "1")],
        "browsers": [count("Chrome", "2"), count("Firefox", "1")],
        "platforms": [count("Windows", "2"), count("Linux", "1")],
    });
    for window in ["allTime", "month", "week", "day", "twoHours"] {
        assert_eq!(url["analytics"][window], expected, "{window}");
    }
}

#[actix_web::test]
async fn the_full_projection_tells_both_and_when_the_link_was_made() {
    let (app, short_url) = some_clicks().await;
    let url = expand(&app, &short_url, &[("projection", "FULL")]).await;
    assert_eq!(members(&url), ["analytics", "created", "id", "kind", "longUrl", "status"]);
    assert_eq!(url["created"], "2009-12-13T07:22:55.000+00:00");
    let ever = &url["analytics"]["allTime"];
    assert_eq!(
        (&ever["shortUrlClicks"], &ever["referrers"][0]["count"]),
        (&json!("3230"), &json!("2"))
    );
}

#[actix_web::test]
async fn our_own_figures_show_what_was_imported_beside_what_is_measured() {
    let (app, _) = some_clicks().await;
    let link = app.get("/api/v1/links/fbsS/stats").await.json();
    assert_eq!(link["total"]["clicks"], 3);
    let imported = json!({ "clicks": 3227, "at": "2019-03-30T00:00:00.000Z" });
    assert_eq!(link["imported"], imported);
    let article = app.get("/api/v1/targets/stats?url=http://www.google.com/").await.json();
    assert_eq!(
        (&article["total"]["clicks"], &article["imported"]["clicks"]),
        (&json!(4), &json!(9358))
    );
    assert_eq!(article["imported"]["at"], imported["at"], "the latest");
    let code = app.mint(json!({ "url": STORY })).await["code"].clone();
    let path = format!("/api/v1/links/{}/stats", code.as_str().unwrap());
    for path in [&*path, "/api/v1/stats"] {
        assert_eq!(app.get(path).await.json().get("imported"), None, "{path}");
    }
}
