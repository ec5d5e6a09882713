//! The service as a client sees it: the real one, on a port of its own.

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "included by several test crates, each of which uses a part"
)]

use std::path::Path;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use slugline::app::App;
use slugline::config::{Loaded, Settings};
use tempfile::TempDir;
use tokio::sync::oneshot;
use toml::{Table, toml};

/// The address that short URLs have in the tests.
pub(crate) const HOME: &str = "https://go.example.org";
/// The key that every test service starts with.
pub(crate) const ADMIN: &str = "sl_the_admin_key_of_the_tests";

/// A running service over a store of its own; it stops with the test.
pub(crate) struct TestApp {
    base: String,
    client: reqwest::Client,
    _stop: oneshot::Sender<()>,
    _folder: TempDir,
}

/// What the service answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Status and name of a problem, once it is sure to be one.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{self:?}");
        for member in ["title", "detail"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{self:?}");
        }
        let slug = problem["type"].as_str().unwrap().strip_prefix("/api/problems#").unwrap();
        (self.status, slug.to_owned())
    }
}

/// How to connect.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// As anybody, over the network.
    Network,
    /// As the operator, through the control socket.
    Local,
}

impl TestApp {
    /// A service, and a client of it on the network.
    pub(crate) async fn spawn() -> Self {
        Self::spawn_for(Peer::Network).await
    }

    /// A service, and a client of it that connects in this way.
    pub(crate) async fn spawn_for(peer: Peer) -> Self {
        Self::spawn_after(|_| {}, peer).await
    }

    /// A service with further settings, and a client of it on the network.
    pub(crate) async fn spawn_with(further: Table) -> Self {
        Self::build(|_| {}, further, Peer::Network).await
    }

    /// The same, once its data folder was prepared.
    pub(crate) async fn spawn_after(prepare: impl FnOnce(&Path), peer: Peer) -> Self {
        Self::build(prepare, Table::new(), peer).await
    }

    async fn build(prepare: impl FnOnce(&Path), further: Table, peer: Peer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path());
        let config = config(&folder, further);
        let socket = config.settings.control_socket();
        let app = App::build(config).await.unwrap();
        assert!(app.new_key().is_none(), "the key comes from the settings");
        let base = format!("http://{}", app.address());
        let (stop, stopped) = oneshot::channel::<()>();
        actix_web::rt::spawn(app.run_until(async move { drop(stopped.await) }));
        // Fails only when another test has done so.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = match peer {
            Peer::Network => reqwest::Client::builder(),
            Peer::Local => reqwest::Client::builder().unix_socket(socket),
        };
        let client = client.no_proxy().redirect(Policy::none()).build().unwrap();
        Self { base, client, _stop: stop, _folder: folder }
    }

    /// Where it listens: `http://127.0.0.1:…`.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Imports lines of links, all of which are new.
    pub(crate) async fn import(&self, lines: &[Value]) {
        let body = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let request = self.request(Method::POST, "/api/v1/import");
        let answer = send(request.header("Content-Type", "application/x-ndjson").body(body)).await;
        assert_eq!(answer.json()["imported"], lines.len(), "{answer:?}");
    }

    /// A request without a key.
    pub(crate) fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// A request with the admin's key.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path).bearer_auth(ADMIN)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::POST, path).json(&body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::PATCH, path).json(&body)).await
    }

    /// Mints a link and gives back what was answered, a link in any case.
    pub(crate) async fn mint(&self, body: Value) -> Value {
        let answer = self.post("/api/v1/links", body).await;
        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
        answer.json()
    }

    /// Follows a link so many times, as a reader, and waits until all clicks are counted.
    pub(crate) async fn follow(&self, code: &str, times: usize) {
        for _ in 0..times {
            let answer = send(self.anonymous(Method::GET, &format!("/{code}"))).await;
            assert_eq!(answer.status, 302, "{answer:?}");
        }
        self.until_counted().await;
    }

    /// Waits until no click waits in the journal.
    pub(crate) async fn until_counted(&self) {
        let counted =
            async { while self.get("/api/v1/audit").await.json()["total"]["pending"] != 0 {} };
        tokio::time::timeout(Duration::from_secs(60), counted).await.unwrap();
    }

    /// Makes a key with these scopes.
    pub(crate) async fn key(&self, scopes: &[&str]) -> String {
        let answer = self.post("/api/v1/keys", json!({"name": "a key", "scopes": scopes})).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["key"].as_str().unwrap().to_owned()
    }
}

/// Sends a request and reads the whole answer.
pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, text: response.text().await.unwrap() }
}

/// The defaults but for `further`, on a free port, in a folder of their own.
fn config(folder: &TempDir, further: Table) -> Loaded {
    let mut flags: Table = toml! {
        listen = "127.0.0.1:0"
        workers = 2
        public_url = "https://go.example.org"
        [clicks]
        flush_interval = "20ms"
        [links]
        block_hosts = ["blocked.example"]
    };
    flags.insert("data_dir".into(), folder.path().to_str().unwrap().into());
    flags.insert(
        "auth".into(),
        Table::from_iter([("bootstrap_key".to_owned(), ADMIN.into())]).into(),
    );
    flags.extend(further);
    Settings::load(None, std::iter::empty(), flags).unwrap()
}
