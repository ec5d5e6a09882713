//! The cache over a real store. Time is an argument; what happens while a store is away is tried
//! with a real Redis in `tests/outage.rs`.

use jiff::SignedDuration;

use super::*;
use crate::model::link::Standing;
use crate::model::target::Target;
use crate::store::embedded::Embedded;
use crate::store::{Keys as _, Replaced, Upkeep as _};

struct Scene {
    cached: Cached,
    store: Store,
    now: Timestamp,
    _folder: tempfile::TempDir,
}

async fn scene(capacity: usize) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::Embedded(Embedded::open(folder.path(), 1 << 20).unwrap());
    store.prepare().await.unwrap();
    let settings = Settings {
        capacity,
        fresh_for: Duration::from_secs(60),
        stale_for: Duration::from_secs(3_600),
        unknown_for: Duration::from_secs(1),
    };
    let cached = Cached::new(store.clone(), &settings);
    let now = "2026-11-23T06:00:00Z".parse().unwrap();
    Scene { cached, store, now, _folder: folder }
}

fn link(code: &str, target: &str) -> Link {
    let target = Target::from_normal_form(target);
    Link {
        code: Code::parse(code).unwrap(),
        article: target.clone(),
        target,
        created_at: Timestamp::UNIX_EPOCH,
        owner: KeyId::local(),
        title: None,
        tags: vec![],
        expires_at: None,
        redirect: None,
        forward_query: false,
        standing: Standing::Active,
        verbatim: false,
        host: None,
        baseline: None,
    }
}

impl Scene {
    async fn target(&self, code: &str, later: i64) -> Option<String> {
        let now = self.now + SignedDuration::from_millis(later);
        let found = self.cached.look_up(code, now).await.unwrap();
        found.map(|hot| hot.link.target.to_string())
    }
}

#[tokio::test]
async fn a_link_is_read_once_and_then_remembered() {
    let scene = scene(100).await;
    scene.store.claim(&[link("abc", "https://e.org/1")]).await.unwrap();
    for later in 0..10 {
        assert_eq!(scene.target("abc", later).await.as_deref(), Some("https://e.org/1"));
    }
    let figures = scene.cached.snapshot();
    assert_eq!((figures.misses, figures.hits, figures.entries), (1, 9, 1));
}

#[tokio::test]
async fn without_a_cache_every_answer_is_the_stores() {
    let scene = scene(0).await;
    let (old, new) = (link("abc", "https://e.org/1"), link("abc", "https://e.org/2"));
    scene.store.claim(std::slice::from_ref(&old)).await.unwrap();
    assert_eq!(scene.target("abc", 0).await.as_deref(), Some("https://e.org/1"));
    scene.store.replace(&old, &new).await.unwrap();
    assert_eq!(scene.target("abc", 1).await.as_deref(), Some("https://e.org/2"));
}

#[tokio::test]
async fn an_edit_through_the_cache_is_honoured_at_once() {
    let scene = scene(100).await;
    let (old, new) = (link("abc", "https://e.org/1"), link("abc", "https://e.org/2"));
    scene.cached.claim(std::slice::from_ref(&old)).await.unwrap();
    assert_eq!(scene.target("abc", 0).await.as_deref(), Some("https://e.org/1"));
    assert_eq!(scene.cached.replace(&old, &new).await.unwrap(), Replaced::Done);
    assert_eq!(scene.target("abc", 1).await.as_deref(), Some("https://e.org/2"));
}

#[tokio::test]
async fn an_unknown_code_is_remembered_for_a_moment_unless_it_is_minted() {
    let scene = scene(100).await;
    assert_eq!(scene.target("abc", 0).await, None);
    scene.store.claim(&[link("abc", "https://e.org/1")]).await.unwrap();
    assert_eq!(scene.target("abc", 999).await, None);
    assert_eq!(scene.target("abc", 1_000).await.as_deref(), Some("https://e.org/1"));
    assert_eq!(scene.target("def", 0).await, None);
    scene.cached.claim(&[link("def", "https://e.org/2")]).await.unwrap();
    assert_eq!(scene.target("def", 1).await.as_deref(), Some("https://e.org/2"));
}

#[tokio::test]
async fn after_a_gap_in_hearing_of_changes_nothing_remembered_is_served_unasked() {
    let scene = scene(100).await;
    let (old, new) = (link("abc", "https://e.org/1"), link("abc", "https://e.org/2"));
    scene.store.claim(std::slice::from_ref(&old)).await.unwrap();
    assert_eq!(scene.target("abc", 0).await.as_deref(), Some("https://e.org/1"));
    // Another node's edit, of which this one hears nothing.
    scene.store.replace(&old, &new).await.unwrap();
    assert_eq!(scene.target("abc", 1).await.as_deref(), Some("https://e.org/1"));
    scene.cached.memory.heard(&Change::Missed);
    assert_eq!(scene.target("abc", 2).await.as_deref(), Some("https://e.org/2"));
}

#[tokio::test]
async fn word_of_a_change_makes_that_link_be_read_again() {
    let scene = scene(100).await;
    let (old, new) = (link("abc", "https://e.org/1"), link("abc", "https://e.org/2"));
    scene.store.claim(std::slice::from_ref(&old)).await.unwrap();
    assert_eq!(scene.target("abc", 0).await.as_deref(), Some("https://e.org/1"));
    scene.store.replace(&old, &new).await.unwrap();
    scene.cached.memory.heard(&Change::Link(old.code.clone()));
    assert_eq!(scene.target("abc", 1).await.as_deref(), Some("https://e.org/2"));
}

#[tokio::test]
async fn a_link_that_is_merely_old_is_served_and_confirmed_behind_the_readers_back() {
    let scene = scene(100).await;
    let (old, new) = (link("abc", "https://e.org/1"), link("abc", "https://e.org/2"));
    scene.store.claim(std::slice::from_ref(&old)).await.unwrap();
    scene.target("abc", 0).await;
    scene.store.replace(&old, &new).await.unwrap();
    assert_eq!(scene.target("abc", 60_000).await.as_deref(), Some("https://e.org/1"));
    while scene.cached.snapshot().misses < 2 {
        tokio::task::yield_now().await;
    }
    tokio::task::yield_now().await;
    assert_eq!(scene.target("abc", 60_001).await.as_deref(), Some("https://e.org/2"));
}

#[tokio::test]
async fn of_many_who_miss_one_code_one_asks_the_store() {
    let scene = scene(100).await;
    scene.store.claim(&[link("abc", "https://e.org/1")]).await.unwrap();
    let all = futures_util::future::join_all((0..50).map(|_| scene.target("abc", 0))).await;
    assert!(all.iter().all(|found| found.as_deref() == Some("https://e.org/1")));
    assert_eq!(scene.cached.snapshot().misses, 1);
    let none = futures_util::future::join_all((0..50).map(|_| scene.target("nope", 0))).await;
    assert!(none.iter().all(Option::is_none));
    assert_eq!(scene.cached.snapshot().misses, 2);
}

#[tokio::test]
async fn walking_through_the_codes_displaces_no_link() {
    let scene = scene(100).await;
    scene.store.claim(&[link("abc", "https://e.org/1")]).await.unwrap();
    scene.target("abc", 0).await;
    for n in 0..20_000 {
        scene.target(&format!("walk{n}"), 1).await;
    }
    let before = scene.cached.snapshot().misses;
    assert_eq!(scene.target("abc", 2).await.as_deref(), Some("https://e.org/1"));
    assert_eq!(scene.cached.snapshot().misses, before);
}

#[tokio::test]
async fn a_revoked_key_is_forgotten_when_word_of_it_comes() {
    use crate::model::key::{PlainKey, Scope};
    let scene = scene(100).await;
    let plain = PlainKey::draw();
    let mut key = Key::of(&plain, "desk".into(), vec![Scope::Mint], scene.now);
    scene.cached.put_key(&key).await.unwrap();
    assert_eq!(scene.cached.key(&key.id).await.unwrap().unwrap().revoked_at, None);
    key.revoked_at = Some(scene.now);
    scene.store.put_key(&key).await.unwrap();
    assert_eq!(scene.cached.key(&key.id).await.unwrap().unwrap().revoked_at, None);
    scene.cached.memory.heard(&Change::Key(key.id.clone()));
    assert_eq!(scene.cached.key(&key.id).await.unwrap().unwrap().revoked_at, Some(scene.now));
}
