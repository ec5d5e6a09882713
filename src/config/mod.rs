//! Settings: built-in defaults < file < environment < flags.
//!
//! `config/default.toml` holds every key and is compiled in: what does not stand there does not
//! exist, so that a mistyped key stops the start and is not lost. Each module owns its `Settings`;
//! here they are put together, and here alone their bounds are checked ([`rule`]).

mod error;
mod layer;
mod rule;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};
use url::Url;

pub use error::{ConfigError, Origin};

use crate::model::host::Host;
use crate::{http, model, service, store, telemetry};

/// Every key with its comment.
pub const DEFAULT_TOML: &str = include_str!("../../config/default.toml");

/// The settings of one service, valid by construction: see [`Settings::load`].
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Host and port to listen on; port 0 takes a free one.
    pub listen: String,
    /// Threads that answer requests; 0: one for each core.
    pub workers: usize,
    /// The address that readers use, or nothing: ask [`Settings::public_base`].
    pub public_url: String,
    /// Further hosts that readers use.
    pub hosts: Vec<Host>,
    /// Journal, node identity, control socket, and the embedded store.
    pub data_dir: PathBuf,
    /// Logs.
    pub log: telemetry::Settings,
    /// Where things are kept.
    pub store: store::Settings,
    /// What is remembered in memory.
    pub cache: store::cached::Settings,
    /// How clicks get into the tallies.
    pub clicks: service::click::Settings,
    /// How codes are drawn.
    pub codes: model::code::Settings,
    /// What is stripped from addresses.
    pub canonical: model::canonical::Settings,
    /// The publisher's house rules.
    pub links: service::shorten::Settings,
    /// The first key.
    pub auth: service::auth::Settings,
    /// Whether there is a dashboard, and for how long one signs in.
    pub dashboard: http::dashboard::Settings,
    /// How answers look.
    pub http: http::Settings,
    /// Whose short links these are.
    pub brand: http::brand::Settings,
}

/// Settings, and where each comes from.
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    values: BTreeMap<String, (Value, Origin)>,
}

/// One setting in effect.
pub struct Entry<'a> {
    /// Its name, with that of its section.
    pub key: &'static str,
    /// Its value, without what is secret of it.
    pub value: Value,
    /// Where it was set.
    pub origin: &'a Origin,
    /// Whether something of the value is left out.
    pub is_secret: bool,
}

impl Settings {
    /// Puts the layers together: `flags` over `env` over `file` over the built-in defaults. Of
    /// `env`, only variables that begin with `SLUGLINE__` count.
    ///
    /// # Errors
    /// [`ConfigError`] names every key that is unknown or out of bounds, and where it was set.
    pub fn load(
        file: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
        flags: Table,
    ) -> Result<Loaded, ConfigError> {
        let defaults = layer::defaults()?;
        let mut layers = Vec::new();
        if let Some(path) = file {
            layers.extend(layer::file(path)?);
        }
        layers.extend(layer::environment(env, &defaults));
        layers.extend(layer::flags(flags));
        let values = layer::merge(defaults, layers)?;
        let settings = deserialize(&values)?;
        rule::check(&settings, &values)?;
        Ok(Loaded { settings, values })
    }

    /// The address that short URLs begin with, without a slash at the end, when the service is
    /// bound to `address`.
    #[must_use]
    pub fn public_base(&self, address: SocketAddr) -> String {
        match self.public_url.trim_end_matches('/') {
            "" if address.ip().is_unspecified() => format!("http://localhost:{}", address.port()),
            "" => format!("http://{address}"),
            url => url.to_owned(),
        }
    }

    /// Where this machine's commands reach the service: whoever may open the folder is admin.
    #[must_use]
    pub fn control_socket(&self) -> PathBuf {
        self.data_dir.join("slugline.sock")
    }

    /// What is allowed but probably not meant.
    #[must_use]
    pub fn advice(&self) -> Vec<String> {
        let host = self.listen.rsplit_once(':').map_or("", |(host, _)| host);
        let home = host.trim_matches(['[', ']']);
        let loopback = home == "localhost"
            || home.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
        let mut advice = Vec::new();
        if !loopback && self.public_url.is_empty() {
            advice.push(format!(
                "listening on {} without `public_url`: short URLs will name this machine; \
                 set it to the address that readers use",
                self.listen
            ));
        }
        let path = Url::parse(&self.public_url)
            .map_or_else(|_| String::new(), |url| url.path().to_owned());
        if self.dashboard.enabled && !matches!(path.as_str(), "" | "/") {
            advice.push(format!(
                "`public_url` has the path {path}: every page of that host can do with the dashboard \
                 what whoever signed in there can; give short links a host of their own, or set \
                 `dashboard.enabled = false`"
            ));
        }
        if !self.clicks.country_header.is_empty() && self.http.trusted_proxies.is_empty() {
            advice.push(
                "`clicks.country_header` is set and `http.trusted_proxies` is empty: nobody's word \
                 about a country is believed; list the addresses of your proxy"
                    .to_owned(),
            );
        }
        advice
    }
}

impl Loaded {
    /// The settings in effect as a configuration file, each with where it comes from. Secrets are
    /// left out.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut out = String::new();
        let mut section = "";
        for Entry { key, value, origin, .. } in self.entries() {
            let (home, name) = key.rsplit_once('.').unwrap_or(("", key));
            if home != section {
                out.push_str(&format!("\n[{home}]\n"));
                section = home;
            }
            out.push_str(&format!("{name} = {value} # {origin}\n"));
        }
        out
    }

    /// The settings in effect, in the order of `config/default.toml`, without secrets.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        rule::keys().filter_map(|key| {
            let (value, origin) = self.values.get(key)?;
            let shown = rule::shown(key, value);
            Some(Entry { key, is_secret: shown != *value, value: shown, origin })
        })
    }
}

/// Settings hold secrets, and so print nothing.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Settings(…)")
    }
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_toml())
    }
}

fn deserialize(values: &BTreeMap<String, (Value, Origin)>) -> Result<Settings, ConfigError> {
    let mut table = Table::new();
    for (key, (value, _)) in values {
        match key.split_once('.') {
            None => _ = table.insert(key.clone(), value.clone()),
            Some((section, name)) => {
                let section = table.entry(section).or_insert_with(|| Table::new().into());
                if let Value::Table(section) = section {
                    section.insert(name.to_owned(), value.clone());
                }
            }
        }
    }
    serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
        let path = error.path().to_string();
        let key = path.split('[').next().unwrap_or_default();
        rule::refusal(key, values, &error.into_inner().to_string())
    })
}
