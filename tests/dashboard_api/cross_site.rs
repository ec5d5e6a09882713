//! What other sites can make a browser do here: nothing.

use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

use super::support::{ADMIN, TestApp, send};
use super::{
    DASHBOARD, LINKS, SIGN_IN, SIGN_OUT, STORY, cookie_of, form, leads_to, sign_in, spawn_on_http,
    with,
};

#[actix_web::test]
async fn no_other_site_changes_anything_by_the_cookie() {
    let app = spawn_on_http().await;
    let cookie = cookie_of(&app, ADMIN).await;
    let link = app.mint(json!({"url": STORY})).await;
    let path = format!("{LINKS}/{}", link["code"].as_str().unwrap());
    let changes = [
        (Method::POST, LINKS, json!({"url": "https://www.example.org/other"})),
        (Method::POST, "/api/v1/keys", json!({"name": "x", "scopes": ["admin"]})),
        (Method::PATCH, &path, json!({"title": "Other"})),
        (Method::DELETE, &path, Value::Null),
    ];
    let ask = async |method: &Method, path: &str, body: &Value, headers: &[(&str, &str)]| {
        let request = with(&app, &cookie, method.clone(), path).json(body);
        send(headers.iter().fold(request, |request, (n, v)| request.header(*n, *v))).await
    };
    let own = app.base().to_owned();
    for headers in [
        vec![],
        vec![("Origin", "https://evil.example")],
        vec![("Origin", "null")],
        vec![("Sec-Fetch-Site", "cross-site")],
        vec![("Sec-Fetch-Site", "none")],
        // A page below the same domain is not ours either.
        vec![("Sec-Fetch-Site", "same-site"), ("Origin", &own)],
        vec![("Origin", &*own), ("Sec-Fetch-Site", "cross-site")],
    ] {
        for (method, path, body) in &changes {
            let refused = ask(method, path, body, &headers).await;
            assert_eq!(refused.problem(), (403, "cross-site".into()), "{method} {headers:?}");
        }
    }
    let unchanged = app.get(LINKS).await.json();
    assert_eq!(unchanged["items"], json!([link]), "nothing was done");

    for headers in [
        vec![("Origin", &*own)],
        vec![("Sec-Fetch-Site", "same-origin")],
        // A proxy has put another host into the request than the browser asked for.
        vec![("Origin", "http://go.example.org")],
    ] {
        let (method, path, _) = &changes[2];
        let changed = ask(method, path, &json!({"title": headers[0].0}), &headers).await;
        assert_eq!((changed.status, &changed.json()["title"]), (200, &json!(headers[0].0)));
    }
    // Some reading costs the service dear, as a backup does.
    for path in [LINKS, "/api/v1/export", "/api/v1/stats/live"] {
        for method in [Method::GET, Method::HEAD] {
            for header in ["cross-site", "same-site"] {
                let refused = ask(&method, path, &Value::Null, &[("Sec-Fetch-Site", header)]).await;
                assert_eq!(refused.status, 403, "{method} {path} {header}");
            }
        }
        let told = ask(&Method::HEAD, path, &Value::Null, &[]).await;
        assert_eq!(told.status, 200, "a browser may say nothing of who asks");
    }
}

#[actix_web::test]
async fn another_site_signs_nobody_in_or_out() {
    let app = TestApp::spawn().await;
    for (name, value) in [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")] {
        let request = app.anonymous(Method::POST, SIGN_IN).header(name, value);
        let refused = send(form(request, &[("key", ADMIN)])).await;
        assert_eq!((refused.status, refused.header("set-cookie")), (403, ""));
        assert!(refused.text.contains("another site"), "{}", refused.text);
        let request = app.anonymous(Method::POST, SIGN_OUT).header(name, value);
        let refused = send(request).await;
        assert_eq!((refused.status, refused.header("set-cookie")), (403, ""));
    }
    let get = send(app.anonymous(Method::GET, SIGN_OUT)).await;
    assert_eq!((get.status, get.header("allow")), (405, "POST"), "a picture could ask for that");
}

#[actix_web::test]
async fn over_plain_http_one_is_told_where_to_sign_in() {
    let app = TestApp::spawn().await;
    let request = app.anonymous(Method::POST, SIGN_IN).header("Origin", app.base());
    let refused = send(form(request, &[("key", ADMIN)])).await;
    assert_eq!((refused.status, refused.header("set-cookie")), (403, ""));
    let told = "Sign in at https://go.example.org/-/dashboard: over plain http";
    assert!(refused.text.contains(told), "{}", refused.text);
    let request = app.anonymous(Method::POST, SIGN_IN).header("Origin", "https://go.example.org");
    let entered = send(form(request, &[("key", ADMIN)])).await;
    assert_eq!(leads_to(&app, SIGN_IN, &entered), DASHBOARD);
}

#[actix_web::test]
async fn who_comes_from_a_mail_need_not_sign_in_again() {
    let app = TestApp::spawn().await;
    let view = "/-/dashboard/links/8yDbrB";
    // A browser sends no `SameSite=Strict` cookie with what a page of another site leads to.
    let from_mail = app.anonymous(Method::GET, view).header("Sec-Fetch-Site", "cross-site");
    let answer = send(from_mail).await;
    assert_eq!(answer.status, 200);
    let refresh = answer.header("refresh").strip_prefix("0; url=").unwrap();
    let base = Url::parse(app.base()).unwrap();
    let next = base.join(view).unwrap().join(refresh).unwrap();
    assert_eq!(next.path(), SIGN_IN);
    let path = &next[url::Position::BeforePath..];
    let cookie = cookie_of(&app, ADMIN).await;
    let signed_in = with(&app, &cookie, Method::GET, path).header("Sec-Fetch-Site", "same-origin");
    assert_eq!(leads_to(&app, path, &send(signed_in).await), view);
    assert_eq!(send(app.anonymous(Method::GET, path)).await.status, 200, "or else the form");
    // Who leads to the form leads who is signed in past it as well.
    let shared = path.strip_suffix("&again=1").unwrap();
    let from_chat = app.anonymous(Method::GET, shared).header("Sec-Fetch-Site", "cross-site");
    let answer = send(from_chat).await;
    let refresh = answer.header("refresh").strip_prefix("0; url=").unwrap();
    let next = base.join(path).unwrap().join(refresh).unwrap();
    assert_eq!((answer.status, &next[url::Position::BeforePath..]), (200, path));
    // And a browser that counts as another's even then is not sent round and round.
    let round = app.anonymous(Method::GET, path).header("Sec-Fetch-Site", "cross-site");
    assert_eq!(send(round).await.header("refresh"), "");
}

#[actix_web::test]
async fn signing_in_leads_nowhere_else() {
    let app = TestApp::spawn().await;
    let link = app.mint(json!({"url": STORY})).await;
    let code = format!("/{}", link["code"].as_str().unwrap());
    let below = format!("/-/dashboard/..%2f..{code}");
    for (to, expected) in [
        (&*below, &*below),
        (&code, DASHBOARD),
        (&format!("/-/dashboard/../..{code}"), DASHBOARD),
        (&format!("/-/dashboard/%2e%2e/%2E.{code}"), DASHBOARD),
        ("https://evil.example/-/dashboard", DASHBOARD),
        ("//evil.example/-/dashboard", DASHBOARD),
        ("/\\evil.example/-/dashboard", DASHBOARD),
        ("\t/\n/evil.example/-/dashboard", DASHBOARD),
        ("javascript:alert(1)", DASHBOARD),
        ("/-/dashboard/sign-out", DASHBOARD),
        ("", DASHBOARD),
    ] {
        assert_eq!(leads_to(&app, SIGN_IN, &sign_in(&app, ADMIN, to).await), expected, "{to:?}");
    }
}
