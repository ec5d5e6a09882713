//! Google's own client for Python, unmodified, against the real service: with our discovery document,
//! and with Google's and nothing but another endpoint.

use std::path::Path;
use std::process::Command;

use super::*;

/// What the client was told, whatever way it went.
async fn client(app: &TestApp, way: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new("python3");
    command.arg(folder.join("tests/googl/client.py"));
    command.arg(way).arg(app.base()).arg(ADMIN);
    command.env("PYTHONPATH", folder.join("target/python-google"));
    let run = tokio::task::spawn_blocking(move || command.output());
    let output = run.await.unwrap().unwrap_or_else(|e| panic!("python3 ({e}): run `make google`"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("No module named"), "Google's client is missing: run `make google`");
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn assert_works(way: &str) {
    let app = spawn().await;
    app.import(&[json!({"code": "fbsS", "target": "http://www.google.com/",
                        "created_at": "2009-12-13T07:22:55Z"})])
        .await;
    app.follow("fbsS", 2).await;
    let told = client(&app, way).await;
    assert_eq!((&told["inserted"]["longUrl"], &told["again"]), (&json!(STORY), &told["inserted"]));
    let id = text(&told["inserted"], "id");
    assert!(id.starts_with(HOME), "{told}");
    assert_eq!(told["expanded"]["longUrl"], "http://www.google.com/");
    assert_eq!(told["full"]["created"], "2009-12-13T07:22:55.000+00:00");
    assert_eq!(told["full"]["analytics"]["allTime"]["shortUrlClicks"], "2");
    assert_eq!(told["partial"], json!({ "longUrl": STORY }));
    let listed: Vec<_> = told["history"]["items"].as_array().unwrap().iter().collect();
    assert_eq!(listed.iter().map(|item| text(item, "id")).filter(|own| *own == id).count(), 1);
    assert_eq!(told["history"]["totalItems"], listed.len());
    let unknown = json!([404, "notFound"]);
    assert_eq!((&told["unknown"], &told["malformed"]), (&unknown, &json!([400, "invalid"])));
}

#[actix_web::test]
async fn the_python_client_works_with_our_discovery_document() {
    assert_works("from_document").await;
}

#[actix_web::test]
async fn the_python_client_discovers_us_at_the_usual_path() {
    assert_works("discover").await;
}

#[actix_web::test]
async fn the_python_client_works_with_googles_document_and_another_endpoint() {
    assert_works("endpoint").await;
}

#[actix_web::test]
async fn the_python_client_works_with_a_bearer_of_our_key() {
    assert_works("bearer").await;
}

#[actix_web::test]
async fn our_document_has_the_methods_parameters_and_schemas_of_googles() {
    let app = spawn().await;
    let path = "/discovery/v1/apis/urlshortener/v1/rest";
    let ours = send(app.anonymous(Method::GET, path)).await.json();
    let googles: Value = serde_json::from_str(include_str!("urlshortener.v1.json")).unwrap();
    for name in ["kind", "discoveryVersion", "id", "name", "version", "protocol", "basePath"] {
        assert_eq!(ours[name], googles[name], "{name}");
    }
    assert_eq!(
        (&ours["servicePath"], &ours["batchPath"], &ours["resources"]),
        (&googles["servicePath"], &googles["batchPath"], &googles["resources"])
    );
    for part in ["parameters", "schemas"] {
        assert_eq!(without_words(&ours[part]), without_words(&googles[part]), "{part}");
    }
    assert_eq!(ours["rootUrl"], format!("{}/", app.base()));
    assert_eq!(ours["baseUrl"], format!("{}/urlshortener/v1/", app.base()));
    let list = send(app.anonymous(Method::GET, "/discovery/v1/apis")).await.json();
    assert_eq!(list["items"][0]["discoveryRestUrl"], format!("{}{path}", app.base()));
}

/// A document without what is written for people.
fn without_words(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let told =
                members.iter().filter(|(name, value)| *name != "description" || !value.is_string());
            told.map(|(name, value)| (name.clone(), without_words(value))).collect()
        }
        Value::Array(items) => items.iter().map(without_words).collect(),
        other => other.clone(),
    }
}

#[actix_web::test]
async fn the_document_names_the_address_by_which_it_was_asked_for() {
    let app = TestApp::spawn_with(toml! {
        hosts = ["goo.example.net"]
        http = { trusted_proxies = ["127.0.0.1"] }
    })
    .await;
    let root = async |headers: &[(&str, &str)]| {
        let request = app.anonymous(Method::GET, "/discovery/v1/apis/urlshortener/v1/rest");
        let request =
            headers.iter().fold(request, |request, header| request.header(header.0, header.1));
        send(request).await.json()["rootUrl"].clone()
    };
    for (headers, expected) in [
        (&[("Host", "go.example.org")][..], "https://go.example.org/"),
        (&[("Host", "GO.example.org:443")], "https://go.example.org/"),
        (&[("Host", "goo.example.net")], "https://goo.example.net/"),
        (&[("Host", "links.example.net:8443")], "http://links.example.net:8443/"),
        (
            &[("Host", "links.example.net"), ("X-Forwarded-Proto", "http, https")],
            "https://links.example.net/",
        ),
        (
            &[("Host", "links.example.net"), ("Forwarded", "for=192.0.2.1;proto=https")],
            "https://links.example.net/",
        ),
        (
            &[("Host", "links.example.net"), ("X-Forwarded-Proto", "http")],
            "http://links.example.net/",
        ),
    ] {
        assert_eq!(root(headers).await, expected, "{headers:?}");
    }
    let stranger = spawn().await;
    let request = stranger.anonymous(Method::GET, "/discovery/v1/apis/urlshortener/v1/rest");
    let told = send(request.header("X-Forwarded-Proto", "https")).await.json();
    assert_eq!(told["rootUrl"], format!("{}/", stranger.base()));
}
