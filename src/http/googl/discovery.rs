//! What Google's clients read before they ask anything: the description of the API, and the list of
//! the APIs that there are.

use std::sync::LazyLock;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::params::Params;
use crate::http::Services;
use crate::http::extract::authority;

/// The API as it was published, without the addresses at which it is found.
pub(super) static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("urlshortener.v1.json")).unwrap_or_default()
});

/// `GET /discovery/v1/apis/urlshortener/v1/rest`
pub(super) async fn document(request: HttpRequest, services: web::Data<Services>) -> HttpResponse {
    tell(&request, || {
        let root = root_of(&request, &services);
        let mut document = DOCUMENT.clone();
        document["baseUrl"] = format!("{root}urlshortener/v1/").into();
        document["rootUrl"] = root.into();
        document
    })
}

/// `GET /discovery/v1/apis`
pub(super) async fn directory(request: HttpRequest, services: web::Data<Services>) -> HttpResponse {
    tell(&request, || {
        let root = root_of(&request, &services);
        let mut item = json!({
            "kind": "discovery#directoryItem",
            "discoveryRestUrl": format!("{root}discovery/v1/apis/urlshortener/v1/rest"),
            "discoveryLink": "./apis/urlshortener/v1/rest",
            "preferred": true,
        });
        for name in ["id", "name", "version", "title", "description", "documentationLink"] {
            item[name] = DOCUMENT[name].clone();
        }
        json!({ "kind": "discovery#directoryList", "discoveryVersion": "v1", "items": [item] })
    })
}

fn tell(request: &HttpRequest, body: impl FnOnce() -> Value) -> HttpResponse {
    let params = Params::read(request);
    match params.check() {
        Ok(()) => super::respond(StatusCode::OK, super::json(&body(), params.layout())),
        Err(refusal) => refusal.response(params.layout()),
    }
}

/// The address of this service as the client reached it, with a slash at its end. That of short URLs,
/// where it asks for one of their hosts: then its scheme is known. Else the host as it was asked for,
/// by the scheme that a proxy of ours tells.
fn root_of(request: &HttpRequest, services: &Services) -> String {
    let home = &services.public.home;
    let asked = authority(request);
    if let Some(root) = home.root_at(asked) {
        return root;
    }
    let peer = request.peer_addr().map(|peer| peer.ip());
    let secure = services.proxies.trust(peer) && services.proxies.was_secure(request.headers());
    let scheme = if secure { "https" } else { "http" };
    // What is no host gives no address.
    match ::url::Url::parse(&format!("{scheme}://{asked}/")) {
        Ok(root) if root.path() == "/" && root.query().is_none() => root.into(),
        _ => home.root(),
    }
}
