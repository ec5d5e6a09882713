//! The crate google-urlshortener1, unmodified, against the real service: all that is changed is its
//! base URL.

#[path = "../support/mod.rs"]
mod support;

use google_urlshortener1::common::GetToken;
use google_urlshortener1::hyper_util::client::legacy::connect::HttpConnector;
use google_urlshortener1::hyper_util::{client::legacy, rt::TokioExecutor};
use google_urlshortener1::{Error, Urlshortener, api};
use serde_json::json;
use support::{ADMIN, HOME, TestApp};

const STORY: &str = "https://www.example.org/2026/11/23/a-story.html";

/// A client with this way to come by tokens.
fn hub(app: &TestApp, auth: impl GetToken + 'static) -> Urlshortener<HttpConnector> {
    let client = legacy::Client::builder(TokioExecutor::new()).build_http();
    let mut hub = Urlshortener::new(client, auth);
    hub.base_url(format!("{}/urlshortener/v1/", app.base()));
    hub.root_url(format!("{}/", app.base()));
    hub
}

fn long_url(url: &str) -> api::Url {
    api::Url { long_url: Some(url.to_owned()), ..api::Url::default() }
}

#[actix_web::test]
async fn the_rust_client_inserts_gets_and_lists() {
    let app = TestApp::spawn().await;
    let old = json!({
        "code": "fbsS", "target": "http://www.google.com/", "created_at": "2009-12-13T07:22:55Z",
        "baseline": { "clicks": 3227 },
    });
    app.import(&[old]).await;
    app.follow("fbsS", 2).await;
    let hub = hub(&app, ADMIN.to_owned());
    let (_, made) = hub.url().insert(long_url(STORY)).doit().await.unwrap();
    assert_eq!(
        (made.long_url.as_deref(), made.kind.as_deref()),
        (Some(STORY), Some("urlshortener#url"))
    );
    assert!(made.id.as_deref().is_some_and(|id| id.starts_with(HOME)), "{made:?}");

    let (_, found) = hub.url().get("http://goo.gl/fbsS").projection("FULL").doit().await.unwrap();
    assert_eq!(found.long_url.as_deref(), Some("http://www.google.com/"));
    assert_eq!(found.created.as_deref(), Some("2009-12-13T07:22:55.000+00:00"));
    let analytics = found.analytics.unwrap();
    assert_eq!(analytics.all_time.unwrap().short_url_clicks, Some(3_229));
    assert_eq!(analytics.two_hours.unwrap().long_url_clicks, Some(2));

    let (_, history) = hub.url().list().projection("ANALYTICS_CLICKS").doit().await.unwrap();
    assert_eq!((history.total_items, history.items_per_page), (Some(2), Some(30)));
    let ids: Vec<_> = history.items.unwrap().into_iter().map(|item| item.id).collect();
    assert_eq!(ids, [made.id, found.id]);
}

#[actix_web::test]
async fn the_rust_client_works_with_a_key_in_the_query() {
    let app = TestApp::spawn().await;
    let hub = hub(&app, google_urlshortener1::common::NoToken);
    let insert = hub.url().insert(long_url(STORY)).param("key", ADMIN);
    let (_, made) = insert.doit().await.unwrap();
    let short_url = made.id.unwrap();
    let get = hub.url().get(&short_url).param("key", ADMIN).param("fields", "longUrl,status");
    let (_, found) = get.doit().await.unwrap();
    assert_eq!((found.long_url.as_deref(), found.status.as_deref()), (Some(STORY), Some("OK")));
    assert_eq!(found.id, None);
}

#[actix_web::test]
async fn the_rust_client_reads_our_refusals() {
    let app = TestApp::spawn().await;
    let hub = hub(&app, ADMIN.to_owned());
    let refused = hub.url().insert(long_url("no address")).doit().await.unwrap_err();
    let Error::BadRequest(told) = refused else { panic!("{refused}") };
    assert_eq!(told["error"]["errors"][0]["location"], "resource.longUrl");
    let refused = hub.url().get("http://goo.gl/nothing").doit().await.unwrap_err();
    let Error::BadRequest(told) = refused else { panic!("{refused}") };
    assert_eq!(told["error"]["code"], 404);
}
