//! The bounds of every setting, in one table: what is checked, and what a refusal says.

use std::ops::RangeInclusive;
use std::time::Duration;

use toml::Value;

use super::Settings;
use super::error::{ConfigError, Origin};
use super::layer::Values;
use crate::http::brand::Colour;
use crate::http::client::Proxies;
use crate::model::code::Generator;
use crate::model::key::PlainKey;
use crate::store::archive::Format;
use crate::telemetry;

/// What one key may be.
struct Rule {
    key: &'static str,
    /// Completes "must be …".
    allowed: &'static str,
    holds: fn(&Settings) -> bool,
}

const fn rule(key: &'static str, allowed: &'static str, holds: fn(&Settings) -> bool) -> Rule {
    Rule { key, allowed, holds }
}

const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;

const ARCHIVE_FORMATS: &str = if Format::Parquet.is_built_in() {
    "ndjson or parquet"
} else {
    "ndjson, for this program was built without Parquet (get it with `cargo build --release \
     --features parquet`)"
};

/// In the order of `config/default.toml`, all of it.
const RULES: [Rule; 50] = [
    rule("listen", "a host and a port, such as 127.0.0.1:8080 or [::]:80", |s| {
        s.listen.rsplit_once(':').is_some_and(|(host, port)| {
            let bracketed = host.starts_with('[') && host.ends_with(']');
            !host.is_empty() && (bracketed || !host.contains(':')) && port.parse::<u16>().is_ok()
        })
    }),
    rule("workers", "a number of threads from 1 to 1024, or 0 for one a core", |s| {
        s.workers <= 1024
    }),
    rule(
        "public_url",
        "empty, or an http or https address without query and fragment, such as \
         https://go.example.org",
        |s| s.public_url.is_empty() || is_base(&s.public_url),
    ),
    rule("hosts", "a list of host names, such as [\"goo.example.net\"]", |_| true),
    rule("data_dir", "the path of a folder", |s| !s.data_dir.as_os_str().is_empty()),
    rule(
        "log.level",
        "off, error, warn, info, debug or trace, or several by module, such as \
         info,slugline::store=debug",
        |s| telemetry::filter(&s.log.level).is_ok(),
    ),
    rule("log.format", "text, json or auto", |_| true),
    rule(
        "store.url",
        "empty for the embedded store, redis://host:port, unix:///path/to/socket, or \
         redis+cluster://host:port,host:port",
        |s| s.store.url.is_empty() || is_store(&s.store.url),
    ),
    rule("store.read_timeout", "a duration from 1ms to 1m", |s| {
        between(s.store.read_timeout, ms(1)..=ms(60_000))
    }),
    rule("store.write_timeout", "a duration from 1ms to 5m", |s| {
        between(s.store.write_timeout, ms(1)..=ms(300_000))
    }),
    rule("store.embedded_cache", "bytes from 1048576 (1 MiB) to 68719476736 (64 GiB)", |s| {
        (MIB..=64 * GIB).contains(&(s.store.embedded_cache as u64))
    }),
    rule("cache.capacity", "a number of links from 0 to 100000000", |s| {
        s.cache.capacity <= 100_000_000
    }),
    rule("cache.fresh_for", "a duration up to 24h", |s| s.cache.fresh_for <= hours(24)),
    rule("cache.stale_for", "a duration up to 720h", |s| s.cache.stale_for <= hours(720)),
    rule("cache.unknown_for", "a duration up to 10m", |s| s.cache.unknown_for <= ms(600_000)),
    rule("clicks.flush_interval", "a duration from 10ms to 1m", |s| {
        between(s.clicks.flush_interval, ms(10)..=ms(60_000))
    }),
    rule("clicks.fsync", "always, interval or never", |_| true),
    rule("clicks.segment_size", "bytes from 1048576 (1 MiB) to 1073741824 (1 GiB)", |s| {
        (MIB..=GIB).contains(&s.clicks.segment_size)
    }),
    rule("clicks.keep_applied", "a duration up to 720h", |s| s.clicks.keep_applied <= hours(720)),
    rule("clicks.country_header", "empty, or the name of a header, such as CF-IPCountry", |s| {
        s.clicks.country_header.is_empty() || is_header(&s.clicks.country_header)
    }),
    rule("clicks.geoip_path", "empty, or the path of a database in MaxMind's format", |_| true),
    rule("clicks.keep_hours", "a number of days up to 36500, or 0 for ever", |s| {
        s.clicks.keep_hours <= 36_500
    }),
    rule("clicks.keep_days", "a number of days up to 36500, or 0 for ever", |s| {
        s.clicks.keep_days <= 36_500
    }),
    rule("clicks.archive", "the path of a folder, or empty", |_| true),
    rule("clicks.archive_format", ARCHIVE_FORMATS, |s| s.clicks.archive_format.is_built_in()),
    rule("clicks.archive_keep", "a number of days up to 36500, or 0 for ever", |s| {
        s.clicks.archive_keep <= 36_500
    }),
    rule(
        "codes.alphabet",
        "base62, unambiguous, or at least two different characters of 0-9, A-Z, a-z, _ and -",
        |s| {
            // Any length will do here: it has a rule of its own.
            let settings = crate::model::code::Settings { length: 1, ..s.codes.clone() };
            Generator::new(&settings).is_ok()
        },
    ),
    rule("codes.length", "a number of characters from 1 to 64", |s| {
        (1..=crate::model::code::MAX_CODE_LENGTH).contains(&s.codes.length)
    }),
    rule("canonical.strip", "a list of parameter names, such as [\"ref\", \"src_*\"]", |s| {
        s.canonical.strip.iter().all(|name| is_parameter(name))
    }),
    rule("canonical.keep", "a list of parameter names, such as [\"ref\"]", |s| {
        s.canonical.keep.iter().all(|name| is_parameter(name))
    }),
    rule("links.redirect", "301, 302, 307 or 308", |_| true),
    rule("links.allow_hosts", "a list of host names, such as [\"example.org\"]", |s| {
        s.links.allow_hosts.iter().all(|host| is_host(host))
    }),
    rule("links.block_hosts", "a list of host names, such as [\"example.org\"]", |s| {
        s.links.block_hosts.iter().all(|host| is_host(host))
    }),
    rule("links.malware_hosts", "a list of host names, such as [\"example.org\"]", |s| {
        s.links.malware_hosts.iter().all(|host| is_host(host))
    }),
    rule("links.phishing_hosts", "a list of host names, such as [\"example.org\"]", |s| {
        s.links.phishing_hosts.iter().all(|host| is_host(host))
    }),
    rule("links.public_stats", "true or false", |_| true),
    rule(
        "auth.bootstrap_key",
        "empty, or 12 to 256 visible ASCII characters without spaces",
        |s| s.auth.bootstrap_key.is_empty() || PlainKey::parse(&s.auth.bootstrap_key).is_ok(),
    ),
    rule("dashboard.enabled", "true or false", |_| true),
    rule("dashboard.session", "a duration from 5m to 720h", |s| {
        between(s.dashboard.session, ms(300_000)..=hours(720))
    }),
    rule("http.cache_control", "the value of a Cache-Control header", |s| {
        let value = s.http.cache_control.as_str();
        !value.is_empty() && value.bytes().all(|byte| matches!(byte, b' '..=b'~'))
    }),
    rule("http.canonical_link", "true or false", |_| true),
    rule("http.noindex", "true or false", |_| true),
    rule(
        "http.trusted_proxies",
        "a list of networks or addresses, such as [\"127.0.0.1\", \"10.0.0.0/8\"]",
        |s| Proxies::parse(&s.http.trusted_proxies).is_ok(),
    ),
    rule("http.shutdown_timeout", "a duration up to 10m", |s| {
        s.http.shutdown_timeout <= ms(600_000)
    }),
    rule("brand.name", "1 to 100 characters", |s| {
        let name = s.brand.name.trim();
        (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control)
    }),
    rule("brand.logo", "empty, or the path of an SVG, PNG, JPEG or WebP file", |_| true),
    rule("brand.colour", "empty, or a colour such as \"#1f5fa8\"", |s| {
        s.brand.colour.is_empty() || Colour::parse(&s.brand.colour).is_ok()
    }),
    rule("brand.home", "empty, or an http or https address", |s| {
        s.brand.home.is_empty() || web_address(&s.brand.home).is_some()
    }),
    rule("brand.language", "the tag of a language, such as \"en\" or \"pt-BR\"", |_| true),
    rule("brand.translations", "empty, or the path of a file like config/pages.toml", |_| true),
];

/// Checks every rule.
pub(super) fn check(settings: &Settings, values: &Values) -> Result<(), ConfigError> {
    let broken = RULES.iter().filter(|rule| !(rule.holds)(settings));
    ConfigError::of(broken.map(|rule| refusal(rule.key, values, "")).collect())
}

/// Every key, in the order of `config/default.toml`.
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|rule| rule.key)
}

/// Refuses the value that `key` has; `why` is said when there is no rule to tell.
pub(super) fn refusal(key: &str, values: &Values, why: &str) -> ConfigError {
    match values.get(key) {
        Some((value, origin)) => bad(key, value, origin.clone()),
        None => {
            // Only when config/default.toml and the structs have come apart.
            let is = format!("not as the program needs it: {why}");
            ConfigError::Shape { key: key.to_owned(), is, origin: Origin::Default }
        }
    }
}

/// Refuses `value` for `key`.
pub(super) fn bad(key: &str, value: &Value, origin: Origin) -> ConfigError {
    let rule = RULES.iter().find(|rule| rule.key == key);
    let allowed = rule.map_or("of another type", |rule| rule.allowed).to_owned();
    ConfigError::Bad { key: key.to_owned(), allowed, given: shown(key, value).to_string(), origin }
}

/// A value as it may be shown: without its secrets.
pub(super) fn shown(key: &str, value: &Value) -> Value {
    match (key, value) {
        ("auth.bootstrap_key", Value::String(secret)) if secret.is_empty() => value.clone(),
        ("auth.bootstrap_key", _) => Value::from("***"),
        ("store.url", Value::String(url)) => Value::String(without_password(url)),
        (_, value) => value.clone(),
    }
}

/// An address with its credentials blotted out, be it valid or not.
fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let rest =
        rest.rsplit_once('@').map_or_else(|| rest.to_owned(), |(_, host)| format!("***@{host}"));
    let rest = match rest.split_once("pass=") {
        None => rest,
        Some((before, after)) => {
            let after = after.split_once('&').map_or(String::new(), |(_, more)| format!("&{more}"));
            format!("{before}pass=***{after}")
        }
    };
    if url.contains("://") { format!("{scheme}://{rest}") } else { rest }
}

/// An http or https address without a name and a password.
fn web_address(text: &str) -> Option<url::Url> {
    let url = url::Url::parse(text).ok()?;
    let is_one = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none();
    is_one.then_some(url)
}

fn is_base(text: &str) -> bool {
    web_address(text).is_some_and(|url| url.query().is_none() && url.fragment().is_none())
}

/// Only what sort of address it is: the store that it names reads the rest.
fn is_store(url: &str) -> bool {
    let schemes = ["redis://", "unix://", "redis+unix://", "redis+cluster://"];
    schemes.iter().any(|scheme| url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
}

fn is_parameter(name: &str) -> bool {
    !name.is_empty() && name != "*" && !name.contains(['&', '=', '#', ' '])
}

fn is_host(host: &str) -> bool {
    !host.is_empty() && !host.contains(['/', ':', '@', '*', '?', '#', ' '])
}

/// A token (RFC 9110 §5.1).
fn is_header(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token)
}

fn between(duration: Duration, bounds: RangeInclusive<Duration>) -> bool {
    bounds.contains(&duration)
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

const fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3_600)
}
