//! The same over each store, and what is told while there is none.

use super::*;
use crate::live::{BOOTSTRAP_KEY, Service, TestStore, over_each_redis, over_each_store, until};

over_each_store! {
    links_are_made_counted_and_listed
}
over_each_redis! {
    an_absent_store_is_a_backend_error
}

fn ask(service: &Service, path: &str, params: &[(&str, &str)]) -> Value {
    service.call("GET", &target(path, params), None).expect(200).json()
}

fn make(service: &Service, long_url: String) -> Value {
    service.call("POST", URL, Some(&json!({ "longUrl": long_url }))).expect(200).json()
}

fn links_are_made_counted_and_listed(store: TestStore) {
    let service = Service::start(&store.url());
    let made: Vec<Value> = (0..40).map(|n| make(&service, format!("{STORY}?n={n}"))).collect();
    let id = text(&made[0], "id");
    for _ in 0..5 {
        service.follow(id.rsplit('/').next().unwrap()).expect(302);
    }
    let clicks = |window: &str| {
        let params = [("shortUrl", id), ("projection", "ANALYTICS_CLICKS")];
        ask(&service, URL, &params)["analytics"][window]["shortUrlClicks"].clone()
    };
    until("the clicks to be counted", || clicks("allTime") == "5");
    assert_eq!((clicks("twoHours"), clicks("month")), (json!("5"), json!("5")));
    let first = ask(&service, HISTORY, &[]);
    assert_eq!((&first["totalItems"], first["items"].as_array().unwrap().len()), (&json!(40), 30));
    let rest = ask(&service, HISTORY, &[("start-token", text(&first, "nextPageToken"))]);
    assert_eq!((rest["items"].as_array().unwrap().len(), rest.get("nextPageToken")), (10, None));
}

fn an_absent_store_is_a_backend_error(mut store: TestStore) {
    let service = Service::start(&store.url());
    let id = make(&service, STORY.to_owned())["id"].clone();
    store.kill();
    let body = json!({ "longUrl": format!("{STORY}?another") });
    let expand = target(URL, &[("shortUrl", id.as_str().unwrap())]);
    for (method, path, body) in
        [("POST", URL, Some(&body)), ("GET", &*expand, None), ("GET", HISTORY, None)]
    {
        let answer = service.call_as(BOOTSTRAP_KEY, method, path, body).expect(503);
        assert_eq!(answer.header("retry-after"), "2");
        let expected =
            json!({ "domain": "global", "reason": "backendError", "message": "Backend Error" });
        assert_eq!(answer.json()["error"]["errors"], json!([expected]), "{method} {path}");
        assert_eq!(answer.json()["error"]["code"], 503);
    }
}
