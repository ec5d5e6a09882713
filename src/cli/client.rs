//! Talking to the service over its REST API.
//!
//! A server that is named is asked over the network, with a key. Otherwise this machine's service is
//! asked through the control socket in its data folder, without one: whoever may open the folder may
//! do everything. When nobody serves there, the command runs the service itself for as long as it
//! takes, on that socket only. So each command has one way to do its work.

use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::oneshot;

use super::{Options, output};
use crate::app::App;
use crate::model::key::PlainKey;
use crate::telemetry;

/// The longest wait for an answer: a batch of 10,000 links on a slow store.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);
/// The longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Which service a command talks to.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Service")]
pub struct Remote {
    /// Ask this server and not the service of this machine
    #[arg(long, value_name = "URL", env = "SLUGLINE_SERVER", global = true)]
    server: Option<String>,
    /// The API key to show; better given as SLUGLINE_KEY, since others can see command lines
    #[arg(long, value_name = "KEY", env = "SLUGLINE_KEY", hide_env_values = true, global = true)]
    key: Option<Key>,
}

/// A key on the command line.
#[derive(Debug, Clone)]
struct Key(PlainKey);

impl std::str::FromStr for Key {
    type Err = crate::model::key::BadKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        PlainKey::parse(text).map(Self)
    }
}

/// What can go wrong between a command and the service.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It says no, and why.
    #[error("{0}")]
    Refused(Problem),
    /// It can't be reached, or the connection broke.
    #[error("can't reach {server}: {cause}")]
    Unreachable {
        /// Which service.
        server: String,
        /// What the system says.
        cause: String,
    },
    /// Something else answers there.
    #[error("{server} answered {status}, but not as Slugline does; is the address right?")]
    Strange {
        /// Which service.
        server: String,
        /// What it answered.
        status: StatusCode,
    },
}

/// A problem as the service describes it (RFC 9457).
#[derive(Debug, Deserialize)]
pub struct Problem {
    /// The status code.
    pub status: u16,
    /// What sort of problem it is.
    pub title: String,
    /// What exactly is wrong, and the way out.
    pub detail: Option<String>,
    /// The field of the request that is wrong.
    pub field: Option<String>,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let detail = self.detail.as_ref().unwrap_or(&self.title);
        f.write_str(detail)?;
        if let Some(field) = self.field.as_ref().filter(|field| !detail.contains(*field)) {
            write!(f, " (field `{field}`)")?;
        }
        match self.status {
            401 => f.write_str("; give a key with SLUGLINE_KEY or --key"),
            _ => Ok(()),
        }
    }
}

/// A service to talk to.
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    /// For messages.
    name: String,
    key: Option<PlainKey>,
}

/// An answer that comes piece by piece.
pub(super) struct Pieces<'a> {
    client: &'a Client,
    answer: reqwest::Response,
}

impl Pieces<'_> {
    /// The next piece; `None` once the answer is whole.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, ClientError> {
        match tokio::time::timeout(ANSWER_TIMEOUT, self.answer.chunk()).await {
            Ok(piece) => piece.map_err(|error| self.client.unreachable(&error)),
            Err(_) => Err(ClientError::Unreachable {
                server: self.client.name.clone(),
                cause: format!("nothing came for {} seconds", ANSWER_TIMEOUT.as_secs()),
            }),
        }
    }
}

/// What goes with a request.
struct Body {
    media: &'static str,
    bytes: Bytes,
}

/// Runs `work` with the service that `remote` names, or this machine's, or one of our own.
pub(super) async fn with_service<T>(
    remote: &Remote,
    options: &Options,
    work: impl AsyncFnOnce(&Client) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let key = remote.key.as_ref().map(|key| key.0.clone());
    if let Some(server) = &remote.server {
        return work(&Client::remote(server, key)?).await;
    }
    let config = options.load()?;
    let socket = config.settings.control_socket();
    let client = Client::local(&socket, key)?;
    if is_served(&socket)? {
        return work(&client).await;
    }
    output::note(format_args!(
        "note: no service runs on {}; opening its store for this command",
        config.settings.data_dir.display()
    ));
    let quiet = telemetry::Settings { level: "warn".into(), format: telemetry::Format::Text };
    telemetry::init(&quiet)?;
    let app = App::build_local(config).await.context("no service answers, and none starts")?;
    let (stop, stopped) = oneshot::channel::<()>();
    let work = async {
        let result = work(&client).await;
        drop(stop);
        result
    };
    // Ends when `stop` is dropped, whatever came of the work.
    let run = app.run_until(async move { _ = stopped.await });
    let (result, ran) = tokio::join!(work, run);
    ran.and(result)
}

/// Whether somebody listens on a control socket.
pub(super) fn is_served(socket: &Path) -> anyhow::Result<bool> {
    match UnixStream::connect(socket) {
        Ok(_) => Ok(true),
        Err(error) => match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => Ok(false),
            ErrorKind::PermissionDenied => Err(error).with_context(|| {
                format!("{} belongs to another user; run this as that user", socket.display())
            }),
            _ => Err(error).with_context(|| format!("can't use {}", socket.display())),
        },
    }
}

impl Client {
    /// A client of the server at `url`.
    pub(super) fn remote(url: &str, key: Option<PlainKey>) -> anyhow::Result<Self> {
        let parsed =
            url::Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let parsed = parsed.with_context(|| {
            format!("--server must be an address such as https://go.example.org, not {url:?}")
        })?;
        let base = parsed.as_str().trim_end_matches('/').to_owned();
        let http = builder().build().context("no HTTPS client can be set up")?;
        Ok(Self { http, name: base.clone(), base, key })
    }

    /// A client of the service with this control socket.
    pub(super) fn local(socket: &Path, key: Option<PlainKey>) -> anyhow::Result<Self> {
        // No TLS goes over it, so that a machine without root certificates will do.
        let builder = builder().unix_socket(socket).tls_certs_only([]).no_proxy();
        let http = builder.build().context("no HTTP client can be set up")?;
        let name = socket.display().to_string();
        Ok(Self { http, base: "http://localhost".into(), name, key })
    }

    /// Asks for something.
    pub(super) async fn get(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Value, ClientError> {
        self.send(Method::GET, path, query, None).await
    }

    /// Asks for something that is no JSON.
    pub(super) async fn get_text(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<String, ClientError> {
        let (status, bytes) = self.exchange(Method::GET, path, query, None).await?;
        if !status.is_success() {
            return Err(self.refusal(status, &bytes));
        }
        String::from_utf8(bytes.into()).map_err(|_| self.strange(status))
    }

    /// Asks for something that may be long, and hands it on piece by piece.
    pub(super) async fn get_stream(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Pieces<'_>, ClientError> {
        // As long as it takes: only that nothing comes for long is an end.
        let request = self.request(Method::GET, path, query).timeout(Duration::MAX);
        let answer = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = answer.status();
        if !status.is_success() {
            let bytes = answer.bytes().await.map_err(|error| self.unreachable(&error))?;
            return Err(self.refusal(status, &bytes));
        }
        Ok(Pieces { client: self, answer })
    }

    /// Makes something.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        let body = Body { media: "application/json", bytes: body.to_string().into() };
        self.send(Method::POST, path, &[], Some(body)).await
    }

    /// Hands in lines of JSON.
    pub(super) async fn post_lines(
        &self,
        path: &str,
        query: &[(&str, &str)],
        lines: Bytes,
    ) -> Result<Value, ClientError> {
        let body = Body { media: "application/x-ndjson", bytes: lines };
        self.send(Method::POST, path, query, Some(body)).await
    }

    /// Ends something; `null` when the service has nothing to say about it.
    pub(super) async fn delete(&self, path: &str) -> Result<Value, ClientError> {
        self.send(Method::DELETE, path, &[], None).await
    }

    /// Whether it is ready, and what it says about that.
    pub(super) async fn ready(&self) -> Result<(bool, String), ClientError> {
        let request = self.http.get(format!("{}/-/ready", self.base));
        let answer = request.send().await.map_err(|error| self.unreachable(&error))?;
        let ready = answer.status().is_success();
        let text = answer.text().await.map_err(|error| self.unreachable(&error))?;
        Ok((ready, text.trim().to_owned()))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<Body>,
    ) -> Result<Value, ClientError> {
        let (status, bytes) = self.exchange(method, path, query, body).await?;
        match status {
            StatusCode::NO_CONTENT => Ok(Value::Null),
            _ if status.is_success() => {
                serde_json::from_slice(&bytes).map_err(|_| self.strange(status))
            }
            _ => Err(self.refusal(status, &bytes)),
        }
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<Body>,
    ) -> Result<(StatusCode, Bytes), ClientError> {
        let mut request = self.request(method, path, query);
        if let Some(Body { media, bytes }) = body {
            request = request.header(CONTENT_TYPE, media).body(bytes);
        }
        let answer = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(|error| self.unreachable(&error))?;
        Ok((status, bytes))
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
    ) -> reqwest::RequestBuilder {
        let mut url = format!("{}{path}", self.base);
        if !query.is_empty() {
            let pairs =
                url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
            url = format!("{url}?{pairs}");
        }
        let request = self.http.request(method, url);
        match &self.key {
            Some(key) => request.bearer_auth(key.reveal()),
            None => request,
        }
    }

    /// What an answer that is no success says.
    fn refusal(&self, status: StatusCode, bytes: &[u8]) -> ClientError {
        serde_json::from_slice(bytes).map_or_else(|_| self.strange(status), ClientError::Refused)
    }

    /// It answered, but not as it should.
    pub(super) fn strange(&self, status: StatusCode) -> ClientError {
        ClientError::Strange { server: self.name.clone(), status }
    }

    /// The cause at the bottom is the one that a person understands.
    fn unreachable(&self, error: &reqwest::Error) -> ClientError {
        let mut cause: &dyn std::error::Error = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        ClientError::Unreachable { server: self.name.clone(), cause: cause.to_string() }
    }
}

fn builder() -> reqwest::ClientBuilder {
    // Fails only when a provider is installed already, which will do as well.
    _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .user_agent(concat!("slugline/", env!("CARGO_PKG_VERSION")))
        .timeout(ANSWER_TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
}
