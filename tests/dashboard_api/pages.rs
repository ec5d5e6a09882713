//! The dashboard's pages and the files that they are made of.

use reqwest::Method;
use serde_json::{Value, json};
use toml::toml;

use super::support::{ADMIN, TestApp, send};
use super::{CURRENT, DASHBOARD, SIGN_IN, cookie_of, sign_in, with};

#[actix_web::test]
async fn a_key_that_opens_nothing_is_told_so_on_the_form() {
    let app = TestApp::spawn().await;
    for key in ["", "short", "sl_unknown_key_of_nobody", "sl_\u{7}\"'<script>alert(1)</script>"] {
        let refused = sign_in(&app, key, "/-/dashboard/\"><script>alert(2)</script>").await;
        assert_eq!(refused.status, 401, "{key:?}");
        assert!(refused.header("www-authenticate").starts_with("Bearer"));
        assert_eq!(refused.header("set-cookie"), "");
        assert!(refused.text.contains(r#"role="alert">This key is not known here."#));
        let to = r#"name="to" value="/-/dashboard/%22%3E%3Cscript%3Ealert(2)%3C/script%3E">"#;
        assert!(refused.text.contains(to) && !refused.text.contains("<script>"), "{refused:?}");
    }
    let large = app.anonymous(Method::POST, SIGN_IN).body("x".repeat(20_000));
    assert_eq!(send(large).await.problem(), (413, "too-large".into()));
    let put = send(app.anonymous(Method::PUT, SIGN_IN)).await;
    assert_eq!((put.status, put.header("allow")), (405, "GET, HEAD, POST"));
}

#[actix_web::test]
async fn pages_let_in_nothing_but_files_of_ours() {
    let app = TestApp::spawn().await;
    let cookie = cookie_of(&app, ADMIN).await;
    let pages = [
        send(with(&app, &cookie, Method::GET, DASHBOARD)).await,
        send(with(&app, &cookie, Method::GET, "/-/dashboard/links/a/b")).await,
        send(app.anonymous(Method::GET, SIGN_IN)).await,
        sign_in(&app, "sl_unknown_key_of_nobody", "").await,
    ];
    for page in pages {
        assert_eq!(
            page.header("content-security-policy"),
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
             connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("referrer-policy"), "same-origin", "forms need an `Origin`");
        assert!(!page.text.contains("<style") && !page.text.contains("style="), "{}", page.text);
        assert!(!page.text.contains("<script>") && !page.text.contains("//"), "{}", page.text);
        // Each part is there.
        for part in page.text.split("=\"").filter(|part| part.starts_with("../")) {
            let path = part.split('"').next().unwrap().trim_start_matches("../");
            let part = send(app.anonymous(Method::GET, &format!("/{path}"))).await;
            assert_eq!(part.status, 200, "{path}");
        }
    }
}

#[actix_web::test]
async fn pages_bear_the_newsrooms_name() {
    let name = "The \"Desk\" <b>";
    let app = TestApp::spawn_with(toml! {
        [brand]
        name = "The \"Desk\" <b>"
        colour = "#7a1f2b"
        home = "https://www.example.org/?a=1&b=2"
    })
    .await;
    let cookie = cookie_of(&app, ADMIN).await;
    let shell = send(with(&app, &cookie, Method::GET, DASHBOARD)).await;
    let form = send(app.anonymous(Method::GET, SIGN_IN)).await;
    for page in [&shell.text, &form.text] {
        assert!(!page.contains(name) && page.contains("&#60;b&#62;"), "{page}");
        assert!(page.contains("theme.js\" data-accent=\"#7a1f2b\""), "{page}");
    }
    assert!(shell.text.contains("data-home=\"https://www.example.org/?a=1&#38;b=2\""), "{shell:?}");
}

#[actix_web::test]
async fn the_page_says_who_is_signed_in_as_the_api_does() {
    let app = TestApp::spawn().await;
    let name = "\"><script>alert(1)</script>";
    let key = app.post("/api/v1/keys", json!({"name": name, "scopes": ["read"]})).await.json();
    let cookie = cookie_of(&app, key["key"].as_str().unwrap()).await;
    let shell = send(with(&app, &cookie, Method::GET, DASHBOARD)).await.text;
    assert!(!shell.contains("alert(1)<"), "{shell}");
    let said = shell.split("data-session=\"").nth(1).unwrap().split('"').next().unwrap();
    let said = said.replace("&#34;", "\"").replace("&#60;", "<").replace("&#62;", ">");
    let current = send(with(&app, &cookie, Method::GET, CURRENT)).await.json();
    assert_eq!(serde_json::from_str::<Value>(&said).unwrap(), current);
    assert_eq!(current["key"]["name"], name);
}

#[actix_web::test]
async fn files_of_the_client_come_compressed_and_are_kept_with_their_version() {
    let app = TestApp::spawn().await;
    let form = send(app.anonymous(Method::GET, SIGN_IN)).await.text;
    let version = form.split("assets/").nth(1).unwrap().split('/').next().unwrap();
    let file = &format!("/-/dashboard/assets/{version}/app.js");
    let source = include_bytes!("../../src/http/dashboard/assets/app.js");
    let plain = app.anonymous(Method::GET, file).send().await.unwrap();
    assert_eq!(plain.headers()["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(plain.headers()["cache-control"], "max-age=31536000, immutable");
    assert_eq!(plain.headers()["x-content-type-options"], "nosniff");
    assert!(plain.headers().get("content-encoding").is_none());
    let tag = plain.headers()["etag"].clone();
    assert_eq!(plain.bytes().await.unwrap(), &source[..]);
    for _ in 0..2 {
        let request = app.anonymous(Method::GET, file).header("Accept-Encoding", "br, gzip");
        let packed = request.send().await.unwrap();
        assert_eq!(packed.headers()["content-encoding"], "gzip");
        assert_eq!(packed.headers()["vary"], "Accept-Encoding");
        assert_eq!(packed.headers()["etag"], tag);
        let packed = packed.bytes().await.unwrap();
        let mut unpacked = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*packed), &mut unpacked)
            .unwrap();
        assert_eq!(unpacked, source);
    }
    let known = |tags: &str| send(app.anonymous(Method::GET, file).header("If-None-Match", tags));
    let same = known(&format!("\"x\", {}", tag.to_str().unwrap())).await;
    assert_eq!((same.status, &*same.text, same.header("etag")), (304, "", tag.to_str().unwrap()));
    assert_eq!(known("\"x\"").await.status, 200);
    // A page of another version gets what there is, and asks again.
    let other = send(app.anonymous(Method::GET, "/-/dashboard/assets/other/app.js")).await;
    assert_eq!((other.status, other.header("cache-control")), (200, "no-cache"));
    assert_eq!((other.header("etag"), other.text.as_bytes()), (tag.to_str().unwrap(), &source[..]));
    for absent in ["none.js", "", "../mod.rs", "..%2fmod.rs", "%2e%2e/mod.rs"] {
        let answer =
            send(app.anonymous(Method::GET, &format!("/-/dashboard/assets/{version}/{absent}")))
                .await;
        assert!(!answer.text.contains("configure"), "{absent}: {answer:?}");
        assert!(matches!(answer.status, 404 | 303), "{absent}: {answer:?}");
    }
}
