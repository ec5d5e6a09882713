//! Settings: four layers, each key known, each bound kept, no secret shown.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::iter;
use std::path::Path;
use std::time::Duration;

use slugline::config::{DEFAULT_TOML, Loaded, Settings};
use slugline::store::archive::Format;
use toml::Table;

fn with_env(env: &[(&str, &str)]) -> Result<Loaded, String> {
    load(None, env, Table::new())
}

fn load(file: Option<&Path>, env: &[(&str, &str)], flags: Table) -> Result<Loaded, String> {
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::load(file, env, flags).map_err(|error| error.to_string())
}

fn with_file(text: &str) -> Result<Loaded, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slugline.toml");
    std::fs::write(&path, text).unwrap();
    load(Some(&path), &[], Table::new())
        .map_err(|error| error.replace(folder.path().to_str().unwrap(), ""))
}

#[test]
fn the_defaults_are_valid_and_the_examples_are_too() {
    let defaults = with_env(&[]).unwrap().settings;
    assert_eq!(defaults.listen, "127.0.0.1:8080");
    assert_eq!(defaults.store.url, "");
    assert_eq!(defaults.clicks.flush_interval, Duration::from_secs(1));
    for example in ["config/redis.toml", "config/cluster.toml", "config/default.toml"] {
        load(Some(Path::new(example)), &[], Table::new()).unwrap();
    }
}

#[test]
fn every_key_is_shown_and_says_where_it_comes_from() {
    let shown = with_env(&[("SLUGLINE__CACHE__CAPACITY", "7")]).unwrap().to_toml();
    assert!(shown.contains("capacity = 7 # environment, SLUGLINE__CACHE__CAPACITY"), "{shown}");
    let again: Table = shown.parse().unwrap();
    let mut expected: Table = DEFAULT_TOML.parse().unwrap();
    expected["cache"]["capacity"] = 7.into();
    assert_eq!(again, expected);
}

#[test]
fn flags_stand_above_the_environment_above_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.toml");
    std::fs::write(&path, "workers = 1\nlisten = 'a:1'\npublic_url = 'http://file'\n").unwrap();
    let env = [("SLUGLINE__LISTEN", "b:2"), ("SLUGLINE__WORKERS", "2"), ("OTHER", "x")];
    let flags = "workers = 3\nstore = { url = 'redis://r' }".parse().unwrap();
    let settings = load(Some(&path), &env, flags).unwrap().settings;
    assert_eq!((settings.workers, settings.listen.as_str()), (3, "b:2"));
    assert_eq!(
        (settings.public_url.as_str(), settings.store.url.as_str()),
        ("http://file", "redis://r")
    );
}

#[test]
fn the_environment_is_read_by_the_type_of_each_key() {
    let settings = with_env(&[
        ("SLUGLINE__CLICKS__SEGMENT_SIZE", "2_097_152"),
        ("SLUGLINE__CANONICAL__STRIP", "ref, src_*,"),
        ("SLUGLINE__CANONICAL__KEEP", "['id']"),
        ("SLUGLINE__CODES__ALPHABET", "0123456789"),
        ("SLUGLINE__HTTP__TRUSTED_PROXIES", "127.0.0.1, ::1,10.0.0.0/8"),
        ("SLUGLINE__STORE__URL", ""),
    ])
    .unwrap()
    .settings;
    assert_eq!(settings.clicks.segment_size, 2_097_152);
    assert_eq!(settings.canonical.strip, ["ref", "src_*"]);
    assert_eq!(settings.canonical.keep, ["id"]);
    assert_eq!(settings.http.trusted_proxies, ["127.0.0.1", "::1", "10.0.0.0/8"]);
    assert_eq!(settings.codes.alphabet, "0123456789");
}

#[test]
fn an_unknown_key_names_itself_its_line_and_the_key_that_was_meant() {
    for (text, expected) in [
        (
            "workers = 1\n\n[cache]\ncapcity = 5\n",
            "unknown key `cache.capcity` (/slugline.toml, line 4); did you mean `cache.capacity`?",
        ),
        (
            "capacity = 5",
            "unknown key `capacity` (/slugline.toml, line 1); did you mean `cache.capacity`?",
        ),
        (
            "[blog]\n",
            "unknown key `blog` (/slugline.toml, line 1); config/default.toml and \
             `slugline config --default` list all keys",
        ),
        (
            "store = 'redis://h'",
            "`store` is a section, not a value: set the keys in it (/slugline.toml, line 1)",
        ),
        ("[listen]\n", "`listen` is a value, not a section (/slugline.toml, line 1)"),
    ] {
        assert_eq!(with_file(text).unwrap_err(), expected);
    }
    assert_eq!(
        with_env(&[("SLUGLINE__STORE__URI", "x")]).unwrap_err(),
        "unknown key `store.uri` (environment, SLUGLINE__STORE__URI); \
         did you mean `SLUGLINE__STORE__URL`?"
    );
}

#[test]
fn a_bad_value_names_its_key_its_place_and_what_is_allowed() {
    assert_eq!(
        with_file("\n[clicks]\nflush_interval = '2h'").unwrap_err(),
        "`clicks.flush_interval` must be a duration from 10ms to 1m, not \"2h\" \
         (/slugline.toml, line 3)"
    );
    assert_eq!(
        with_env(&[("SLUGLINE__WORKERS", "many")]).unwrap_err(),
        "`workers` must be a number of threads from 1 to 1024, or 0 for one a core, not \"many\" \
         (environment, SLUGLINE__WORKERS)"
    );
    assert_eq!(
        load(None, &[], "store = { url = 'mysql://x' }".parse().unwrap()).unwrap_err(),
        "`store.url` must be empty for the embedded store, redis://host:port, \
         unix:///path/to/socket, or redis+cluster://host:port,host:port, not \"mysql://x\" \
         (flag --store)"
    );
    let several = with_env(&[("SLUGLINE__WORKERS", "9999"), ("SLUGLINE__CODES__LENGTH", "0")]);
    assert_eq!(several.unwrap_err().lines().count(), 2);
}

#[test]
fn a_program_without_parquet_refuses_it_and_says_how_to_get_it() {
    let wanted = with_env(&[("SLUGLINE__CLICKS__ARCHIVE_FORMAT", "parquet")]);
    if cfg!(feature = "parquet") {
        assert_eq!(wanted.unwrap().settings.clicks.archive_format, Format::Parquet);
    } else {
        assert_eq!(
            wanted.map(|_| ()).unwrap_err(),
            "`clicks.archive_format` must be ndjson, for this program was built without Parquet \
             (get it with `cargo build --release --features parquet`), not \"parquet\" \
             (environment, SLUGLINE__CLICKS__ARCHIVE_FORMAT)"
        );
    }
}

#[test]
fn every_bound_is_kept() {
    for (name, bad) in [
        ("LISTEN", "8080"),
        ("LISTEN", "::1:80"),
        ("WORKERS", "-1"),
        ("PUBLIC_URL", "go.example.org"),
        ("PUBLIC_URL", "https://go.example.org/?x"),
        ("PUBLIC_URL", "ftp://go.example.org"),
        ("DATA_DIR", ""),
        ("LOG__LEVEL", "loud"),
        ("LOG__FORMAT", "xml"),
        ("STORE__READ_TIMEOUT", "0s"),
        ("STORE__WRITE_TIMEOUT", "2"),
        ("STORE__EMBEDDED_CACHE", "1"),
        ("CACHE__CAPACITY", "100000001"),
        ("CACHE__FRESH_FOR", "25h"),
        ("CACHE__STALE_FOR", "-1s"),
        ("CACHE__UNKNOWN_FOR", "soon"),
        ("CLICKS__FLUSH_INTERVAL", "9ms"),
        ("CLICKS__FSYNC", "sometimes"),
        ("CLICKS__SEGMENT_SIZE", "1"),
        ("CLICKS__KEEP_APPLIED", "721h"),
        ("CLICKS__COUNTRY_HEADER", "CF IPCountry"),
        ("CLICKS__COUNTRY_HEADER", "CF-IPCountry:"),
        ("CLICKS__ARCHIVE_FORMAT", "csv"),
        ("CODES__ALPHABET", "aa"),
        ("CODES__LENGTH", "65"),
        ("CANONICAL__STRIP", "a=b"),
        ("CANONICAL__KEEP", "*"),
        ("LINKS__REDIRECT", "303"),
        ("LINKS__ALLOW_HOSTS", "https://example.org/"),
        ("LINKS__BLOCK_HOSTS", "*.example.org"),
        ("AUTH__BOOTSTRAP_KEY", "short"),
        ("DASHBOARD__ENABLED", "yes"),
        ("DASHBOARD__SESSION", "4m"),
        ("DASHBOARD__SESSION", "721h"),
        ("HTTP__CACHE_CONTROL", "a\r\nSet-Cookie: b"),
        ("HTTP__TRUSTED_PROXIES", "10.0.0.0/33"),
        ("HTTP__TRUSTED_PROXIES", "127.0.0.1,localhost"),
        ("HTTP__SHUTDOWN_TIMEOUT", "11m"),
    ] {
        let name = format!("SLUGLINE__{name}");
        let refusal = with_env(&[(&name, bad)]).unwrap_err();
        assert!(refusal.contains(" must be ") && refusal.contains(&name), "{refusal}");
    }
}

#[test]
fn a_file_that_cannot_be_read_or_is_no_toml_says_so() {
    let missing = load(Some(Path::new("/no/such.toml")), &[], Table::new()).unwrap_err();
    assert!(missing.starts_with("the configuration file /no/such.toml can't be read: "));
    let broken = with_file("workers = 1\nlisten = \n").unwrap_err();
    assert!(broken.starts_with("/slugline.toml, line 2: this is not TOML: "), "{broken}");
}

#[test]
fn secrets_are_never_shown() {
    let secrets = [
        ("SLUGLINE__AUTH__BOOTSTRAP_KEY", "sl_secret_secret"),
        ("SLUGLINE__STORE__URL", "redis://me:hush@h:6379/0"),
    ];
    let loaded = with_env(&secrets).unwrap();
    let shown = format!("{} {loaded:?}", loaded.to_toml());
    assert!(shown.contains("url = \"redis://***@h:6379/0\""), "{shown}");
    assert!(!shown.contains("secret_secret") && !shown.contains("hush"), "{shown}");
    for (name, bad) in [
        ("SLUGLINE__AUTH__BOOTSTRAP_KEY", "hush hush hush"),
        ("SLUGLINE__STORE__URL", "mysql://me:hush@h"),
        ("SLUGLINE__STORE__URL", "h?pass=hush&x"),
        ("SLUGLINE__STORE__PASSWORD", "hush"),
    ] {
        let refusal = with_env(&[(name, bad)]).unwrap_err();
        assert!(!refusal.contains("hush"), "{refusal}");
    }
}

#[test]
fn short_urls_begin_with_what_readers_can_reach() {
    let base = |public: &str, bound: &str| {
        let env = [("SLUGLINE__PUBLIC_URL", public)];
        with_env(&env).unwrap().settings.public_base(bound.parse().unwrap())
    };
    assert_eq!(base("", "127.0.0.1:80"), "http://127.0.0.1:80");
    assert_eq!(base("", "0.0.0.0:8080"), "http://localhost:8080");
    assert_eq!(base("", "[::]:8080"), "http://localhost:8080");
    assert_eq!(base("https://go.example.org/s/", "[::1]:1"), "https://go.example.org/s");
}

#[test]
fn a_country_that_nobody_may_tell_is_worth_a_word() {
    let header = ("SLUGLINE__CLICKS__COUNTRY_HEADER", "CF-IPCountry");
    let proxies = ("SLUGLINE__HTTP__TRUSTED_PROXIES", "127.0.0.1");
    let advice = |env: &[(&str, &str)]| with_env(env).unwrap().settings.advice();
    assert!(advice(&[header])[0].contains("http.trusted_proxies"));
    assert!(advice(&[header, proxies]).is_empty() && advice(&[proxies]).is_empty());
}

#[test]
fn listening_beyond_this_machine_without_a_public_url_is_worth_a_word() {
    let advice = |env: &[(&str, &str)]| with_env(env).unwrap().settings.advice().len();
    let outside = ("SLUGLINE__LISTEN", "0.0.0.0:80");
    assert_eq!(advice(&[outside]), 1);
    assert_eq!(advice(&[outside, ("SLUGLINE__PUBLIC_URL", "https://a.example")]), 0);
    for home in ["localhost:80", "[::1]:80", "127.0.0.2:80"] {
        assert_eq!(advice(&[("SLUGLINE__LISTEN", home)]), 0, "{home}");
    }
    assert!(Settings::load(None, iter::empty(), Table::new()).is_ok());
}
