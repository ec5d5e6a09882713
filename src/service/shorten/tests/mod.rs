//! The rules of links, over the embedded store.

mod editing;
mod hosts;
mod listing;
mod minting;
mod races;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::model::canonical;
use crate::model::code;
use crate::model::key::{KeyId, Scope};
use crate::store::embedded::Embedded;
use crate::store::{Codes, Store, cached};

const STORY: &str = "https://www.example.org/2026/11/23/a-story.html";
/// A host of the service beside that of its public address.
const GOO: &str = "goo.example.net";

/// A shortener over a store of its own.
struct Desk {
    shorten: Shorten,
    by: Principal,
    _folder: TempDir,
}

impl std::ops::Deref for Desk {
    type Target = Shorten;

    fn deref(&self) -> &Shorten {
        &self.shorten
    }
}

fn desk() -> Desk {
    desk_with("base62", 6, &[], &[])
}

fn desk_with(alphabet: &str, length: usize, allow: &[&str], block: &[&str]) -> Desk {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::Embedded(Embedded::open(folder.path(), 1 << 20).unwrap());
    let cache = cached::Settings {
        capacity: 1_000,
        fresh_for: Duration::from_secs(30),
        stale_for: Duration::from_hours(24),
        unknown_for: Duration::from_secs(5),
    };
    let hosts = |hosts: &[&str]| hosts.iter().map(ToString::to_string).collect();
    let settings = Settings {
        redirect: Redirect::Found,
        allow_hosts: hosts(allow),
        block_hosts: hosts(block),
        malware_hosts: vec![],
        phishing_hosts: vec![],
        public_stats: false,
    };
    let canonical = Canonicalizer::new(&canonical::Settings::default()).unwrap();
    let codes = Generator::new(&code::Settings { alphabet: alphabet.into(), length }).unwrap();
    let shorten = Shorten::new(
        Cached::new(store, &cache),
        Arc::new(canonical),
        Arc::new(codes),
        Home::new("https://go.example.org", &[Host::parse(GOO).unwrap()]).unwrap(),
        &settings,
    );
    Desk { shorten, by: key("deskdesk", &[Scope::Mint]), _folder: folder }
}

fn key(id: &str, scopes: &[Scope]) -> Principal {
    Principal { key: KeyId::parse(id).unwrap(), scopes: scopes.to_vec(), until: None }
}

/// A moment of the tests' own time.
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

fn wish(url: &str) -> NewLink {
    NewLink { url: url.into(), ..NewLink::default() }
}

impl Desk {
    async fn ask(&self, wish: NewLink, now: Timestamp) -> Result<Minted, ShortenError> {
        self.shorten.mint(&self.by, wish, now).await
    }

    /// Mints what is not there yet.
    async fn new_link(&self, wish: NewLink, now: Timestamp) -> Link {
        match self.ask(wish, now).await.unwrap() {
            Minted::New(link) => link,
            Minted::Existing(link) => panic!("{link:?} was there"),
        }
    }

    /// Mints what is there.
    async fn known_link(&self, wish: NewLink, now: Timestamp) -> Link {
        match self.ask(wish, now).await.unwrap() {
            Minted::Existing(link) => link,
            Minted::New(link) => panic!("{link:?} was not there"),
        }
    }

    async fn codes_of(&self, url: &str) -> Vec<String> {
        let address = self.canonical.addresses(url).unwrap().landing;
        let codes = self.codes_at(&address).await.unwrap();
        codes.0.iter().map(ToString::to_string).collect()
    }
}

fn codes(texts: &[&str]) -> Codes {
    Codes(texts.iter().map(|text| Code::parse(text).unwrap()).collect())
}
