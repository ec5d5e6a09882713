//! The wiring: what is built at start, and in which order it stops.
//!
//! ```text
//! start   pages ─ journal ─ store ─ cache ─ address ─ roll-up ─ services ─ first key ─ serve
//! stop    live streams ─ listen ─ requests in flight ─ roll-up (the journal's tail) ─ store
//! ```
//! Each step of the stop waits for the one before it, so that what a request wrote into the journal
//! is counted before the store closes.

use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use actix_web::HttpServer;
use actix_web::dev::{Server, ServerHandle};
use actix_web::http::header::HeaderName;
use anyhow::Context as _;
use jiff::Timestamp;

use crate::config::{Entry, Loaded, Origin, Settings};
use crate::http::client::Proxies;
use crate::http::page::Pages;
use crate::http::redirect::Headers;
use crate::http::session::Cookie;
use crate::http::source::Sources;
use crate::http::v1::config::{Config, Setting, Source};
use crate::http::v1::wire::Public;
use crate::http::{self, Parts};
use crate::metrics::Metrics;
use crate::model::canonical::Canonicalizer;
use crate::model::code::Generator;
use crate::model::home::Home;
use crate::model::key::PlainKey;
use crate::model::referrer::Referrers;
use crate::service::Services;
use crate::service::auth::Auth;
use crate::service::click::{Clicks, Countries, Enricher, Fsync, Runner};
use crate::service::health::{Health, Node};
use crate::service::live::{Audience, Live};
use crate::service::resolve::Resolve;
use crate::service::shorten::Shorten;
use crate::service::stats::Stats;
use crate::service::threats::Threats;
use crate::service::transfer::export::Export;
use crate::store::cached::Cached;
use crate::store::embedded::Embedded;
use crate::store::journal::Journal;
use crate::store::redis::Redis;
use crate::store::{Store, StoreError, Upkeep as _};

/// How long to wait before asking a store again that did not answer at start.
const PREPARE_AGAIN: Duration = Duration::from_millis(500);

/// A service that is bound and connected, and not yet serving.
pub struct App {
    links: Cached,
    runner: Runner,
    /// The reader's and the publisher's door, and the operator's.
    servers: Vec<Server>,
    /// Who is watching: their answers have no end of their own.
    audience: Arc<Audience>,
    address: SocketAddr,
    new_key: Option<PlainKey>,
    /// What is left to do because the store did not answer at start.
    unprepared: Option<Auth>,
    bootstrap: Option<PlainKey>,
}

/// Which doors to open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doors {
    /// The address of the settings, and the control socket.
    All,
    /// The control socket.
    Control,
}

impl App {
    /// Binds and connects. A Redis that does not answer yet is waited for while serving; one that
    /// another version wrote to is refused.
    ///
    /// # Errors
    /// When the settings can't be used, the address or the data folder is taken, the store can't be.
    pub async fn build(config: Loaded) -> anyhow::Result<Self> {
        Self::build_with(config, Doors::All).await
    }

    /// The same on the control socket only, for one command.
    ///
    /// # Errors
    /// As [`App::build`].
    pub async fn build_local(config: Loaded) -> anyhow::Result<Self> {
        Self::build_with(config, Doors::Control).await
    }

    async fn build_with(config: Loaded, doors: Doors) -> anyhow::Result<Self> {
        let settings = &config.settings;
        let pages = pages(settings, doors)?;
        make_data_dir(&settings.data_dir)?;
        let journal = Arc::new(open_journal(settings)?);
        let store = open_store(settings)?;
        let links = Cached::new(store, &settings.cache);
        let auth = Auth::new(links.clone());
        let bootstrap = bootstrap_key(settings)?;
        let absent = prepare(links.store()).await?;
        if let Some(error) = &absent {
            tracing::warn!(%error, "starting without the store; trying again until it answers");
        }
        let (listener, address) = match doors {
            Doors::All => listen(&settings.listen).map(|(l, a)| (Some(l), a))?,
            // Short URLs look as they will when the service listens.
            Doors::Control => (None, resolve(&settings.listen)?),
        };
        let runner = Runner::start(
            links.fork(),
            Arc::clone(&journal),
            settings.clicks.clone(),
            enricher(settings, address)?,
        )
        .context("the roll-up can't start")?;
        let parts = parts(&config, &links, &journal, &runner, pages, address)?;
        let audience = parts.verbs.live.audience();
        let mut servers = Vec::new();
        if let Some(listener) = listener {
            servers.push(serve(settings, parts.clone(), Door::Tcp(listener))?);
        }
        servers.extend(control_server(settings, parts)?);
        // Last: one that was drawn before something else stopped the start would be seen by nobody,
        // and so would one that was drawn for one command.
        let first_key = doors == Doors::All || bootstrap.is_some();
        let new_key = match absent.is_none() && first_key {
            true => auth.ensure_first_key(bootstrap.clone(), Timestamp::now()).await?,
            false => None,
        };
        let unprepared = absent.map(|_| auth);
        Ok(Self { links, runner, servers, audience, address, new_key, unprepared, bootstrap })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The first key, if this start made one: to be shown once.
    #[must_use]
    pub fn new_key(&self) -> Option<PlainKey> {
        self.new_key.clone()
    }

    /// Serves until `shutdown` ends; then answers what is in flight, counts what is in the journal,
    /// and returns.
    ///
    /// # Errors
    /// When a server breaks, or the store turns out to be another version's.
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        let handles: Vec<ServerHandle> = self.servers.iter().map(Server::handle).collect();
        let servers: Vec<_> = self.servers.into_iter().map(actix_web::rt::spawn).collect();
        let listening = self.links.clone();
        let changes = actix_web::rt::spawn(async move { listening.follow_changes().await });
        let outcome = tokio::select! {
            () = shutdown => Ok(()),
            Err(error) = prepare_later(&self.links, self.unprepared, self.bootstrap) => Err(error),
        };
        self.audience.close();
        for handle in handles {
            handle.stop(true).await;
        }
        for server in servers {
            server.await??;
        }
        changes.abort();
        self.runner.finish().await;
        outcome
    }
}

/// The store that the settings name. A Redis is not connected to before it is needed.
///
/// # Errors
/// When the URL can't be used, or the file can't be opened.
pub fn open_store(settings: &Settings) -> anyhow::Result<Store> {
    if settings.store.url.is_empty() {
        let store = Embedded::open(&settings.data_dir, settings.store.embedded_cache)
            .context("the embedded store can't be opened")?;
        return Ok(Store::Embedded(store));
    }
    Ok(Store::Redis(Redis::new(&settings.store).context("store.url can't be used")?))
}

/// Makes the store ready. A Redis that does not answer, which is told, may do so later.
async fn prepare(store: &Store) -> anyhow::Result<Option<StoreError>> {
    match store.prepare().await {
        Ok(advice) => {
            advice.iter().for_each(|advice| tracing::warn!("{advice}"));
            Ok(None)
        }
        Err(error @ StoreError::Unavailable(_)) if matches!(store, Store::Redis(_)) => {
            Ok(Some(error))
        }
        Err(error) => Err(error).context("the store can't be used"),
    }
}

/// Does what the start could not do, once the store answers; then waits for ever.
async fn prepare_later(
    links: &Cached,
    auth: Option<Auth>,
    bootstrap: Option<PlainKey>,
) -> anyhow::Result<()> {
    let Some(auth) = auth else { return std::future::pending().await };
    loop {
        tokio::time::sleep(PREPARE_AGAIN).await;
        if prepare(links.store()).await?.is_some() {
            continue;
        }
        // Nobody watches for a drawn key any more: only one that was chosen is put.
        match &bootstrap {
            None => tracing::info!("if the store has no key, `slugline key create` here makes one"),
            Some(_) => {
                if auth.ensure_first_key(bootstrap.clone(), Timestamp::now()).await.is_err() {
                    continue;
                }
            }
        }
        tracing::info!("the store answers; the service is whole");
        return std::future::pending().await;
    }
}

fn make_data_dir(folder: &Path) -> anyhow::Result<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("data_dir {} can't be made", folder.display()))
}

fn open_journal(settings: &Settings) -> anyhow::Result<Journal> {
    let folder = settings.data_dir.join("journal");
    let sync_each = settings.clicks.fsync == Fsync::Always;
    Journal::open(&folder, settings.clicks.segment_size, sync_each)
        .with_context(|| format!("the click journal in {} can't be opened", folder.display()))
}

fn bootstrap_key(settings: &Settings) -> anyhow::Result<Option<PlainKey>> {
    match settings.auth.bootstrap_key.as_str() {
        "" => Ok(None),
        key => PlainKey::parse(key).map(Some).context("auth.bootstrap_key can't be used"),
    }
}

/// Where short links live.
fn home(settings: &Settings, address: SocketAddr) -> anyhow::Result<Home> {
    Home::new(&settings.public_base(address), &settings.hosts).context("public_url")
}

/// What readers get in place of redirects. Who runs one command shows them to nobody: files that can't
/// be used are told, and done without.
fn pages(settings: &Settings, doors: Doors) -> anyhow::Result<Pages> {
    // Whatever the port is in the end: what stands before our paths does not depend on it.
    let home = home(settings, resolve(&settings.listen)?)?;
    match Pages::open(&settings.brand, home.prefix()) {
        Err(error) if doors == Doors::Control => {
            tracing::warn!("{error}");
            Ok(Pages::open(&settings.brand.without_files(), home.prefix())?)
        }
        opened => Ok(opened?),
    }
}

/// What makes visits of clicks.
fn enricher(settings: &Settings, address: SocketAddr) -> anyhow::Result<Enricher> {
    let path = &settings.clicks.geoip_path;
    let countries = match path.as_os_str().is_empty() {
        true => Countries::new(),
        false => Countries::open(path, Timestamp::now()).context("clicks.geoip_path")?,
    };
    let home = home(settings, address)?;
    let own: Vec<String> = home.authorities().collect();
    Ok(Enricher::new(Referrers::new(own.iter().map(String::as_str)), countries))
}

/// What reads off a request who made it.
fn sources(settings: &Settings) -> anyhow::Result<Sources> {
    let proxies = Proxies::parse(&settings.http.trusted_proxies).context("http.trusted_proxies")?;
    let country = match settings.clicks.country_header.as_str() {
        "" => None,
        name => Some(HeaderName::from_bytes(name.as_bytes()).context("clicks.country_header")?),
    };
    Ok(Sources::new(proxies, country))
}

fn parts(
    config: &Loaded,
    links: &Cached,
    journal: &Arc<Journal>,
    runner: &Runner,
    pages: Pages,
    address: SocketAddr,
) -> anyhow::Result<Parts> {
    let settings = &config.settings;
    let home = home(settings, address)?;
    let canonical = Arc::new(Canonicalizer::new(&settings.canonical).context("[canonical]")?);
    let shorten = Shorten::new(
        links.clone(),
        Arc::clone(&canonical),
        Arc::new(Generator::new(&settings.codes)?),
        home.clone(),
        &settings.links,
    );
    let live = Live::new(links.clone());
    let started_at = Timestamp::now();
    let metrics = Metrics::new(
        links.clone(),
        Arc::clone(journal),
        runner.figures(),
        live.audience(),
        started_at,
    );
    let node = Node {
        journal: Arc::clone(journal),
        rollup: runner.figures(),
        auditor: runner.auditor(),
        audience: live.audience(),
        archives: !settings.clicks.archive.as_os_str().is_empty(),
        started_at,
    };
    let health = Health::new(links.clone(), node);
    let stats = Stats::new(links.clone(), canonical, runner.auditor()).opened_by(&settings.links);
    let resolve = Resolve::new(links.clone(), Threats::new(&settings.links));
    let export = Export::new(
        links.clone(),
        home.clone(),
        &settings.links,
        settings.clicks.keep(),
        runner.auditor(),
    );
    let cookie = Cookie::new(&home, settings.dashboard.session);
    Ok(Parts {
        config: shown(config)?,
        cookie: settings.dashboard.enabled.then_some(cookie),
        verbs: Services::new(links.clone(), resolve, shorten, stats, live, export, health),
        clicks: Clicks::new(Arc::clone(journal), settings.clicks.keep_applied),
        metrics,
        public: Public { home, redirect: settings.links.redirect },
        sources: sources(settings)?,
        headers: Headers::new(&settings.http).context("http.cache_control is no header value")?,
        pages,
    })
}

/// The settings as the API shows them.
fn shown(config: &Loaded) -> serde_json::Result<Config> {
    let setting = |entry: Entry<'_>| {
        let source = match entry.origin {
            Origin::Default => Source::Default,
            Origin::File { .. } => Source::File,
            Origin::Environment(_) => Source::Environment,
            Origin::Flag(_) => Source::Flag,
        };
        let value = serde_json::to_value(&entry.value)?;
        Ok(Setting { key: entry.key, value, source, secret: entry.is_secret })
    };
    config.entries().map(setting).collect::<serde_json::Result<_>>().map(Config)
}

/// Where requests come in.
enum Door {
    /// An address that anyone may reach.
    Tcp(TcpListener),
    /// A socket that only its owner can open.
    Unix(UnixListener),
}

/// A server behind `door`. Every worker gets parts of its own.
fn serve(settings: &Settings, parts: Parts, door: Door) -> io::Result<Server> {
    let workers = match settings.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    };
    let app = move || actix_web::App::new().configure(|config| http::configure(config, &parts));
    let server = HttpServer::new(app)
        .shutdown_timeout(settings.http.shutdown_timeout.as_secs())
        .disable_signals()
        .on_connect(http::on_connect);
    Ok(match door {
        Door::Tcp(listener) => server.workers(workers).listen(listener)?.run(),
        Door::Unix(listener) => server.workers(1).listen_uds(listener)?.run(),
    })
}

fn resolve(address: &str) -> anyhow::Result<SocketAddr> {
    let found = address.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
    found.with_context(|| format!("there is no address {address}"))
}

fn listen(address: &str) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let bound = address.to_socket_addrs().and_then(|addresses| {
        let addresses: Vec<SocketAddr> = addresses.collect();
        TcpListener::bind(&*addresses)
    });
    let listener = bound.with_context(|| format!("can't listen on {address}"))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// The operator's door: a socket in the data folder that only its owner can open.
fn control_server(settings: &Settings, parts: Parts) -> anyhow::Result<Option<Server>> {
    let path = settings.control_socket();
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("{} is in the way", path.display()));
        }
        _ => {}
    }
    let listener = match UnixListener::bind(&path) {
        Ok(listener) => listener,
        // A path too long for a socket, or a file system without them.
        Err(error) => {
            let path = path.display();
            tracing::warn!(%error, "no control socket at {path}: commands need --server and a key");
            return Ok(None);
        }
    };
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(Some(serve(settings, parts, Door::Unix(listener))?))
}
