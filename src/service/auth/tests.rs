//! Who may do what, and how keys come and go.

use super::*;
use crate::model::code::Code;
use crate::model::link::Standing;
use crate::model::target::Target;
use crate::store::embedded::Embedded;
use crate::store::{Store, cached};

pub(in crate::service) fn links(folder: &std::path::Path) -> Cached {
    let store = Store::Embedded(Embedded::open(folder, 1 << 20).unwrap());
    let seconds = std::time::Duration::from_secs;
    let (fresh_for, stale_for, unknown_for) = (seconds(30), seconds(60), seconds(5));
    Cached::new(store, &cached::Settings { capacity: 10, fresh_for, stale_for, unknown_for })
}

pub(in crate::service) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

fn principal(key: &str, scopes: &[Scope]) -> Principal {
    Principal { key: KeyId::parse(key).unwrap(), scopes: scopes.to_vec(), until: None }
}

fn link_of(owner: &str) -> Link {
    let target = Target::from_normal_form("https://example.org/");
    Link {
        code: Code::parse("8yDbrB").unwrap(),
        article: target.clone(),
        target,
        created_at: Timestamp::UNIX_EPOCH,
        owner: KeyId::parse(owner).unwrap(),
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

#[test]
fn a_mint_key_keeps_to_its_own_links() {
    let desk = principal("aaaaaaaa", &[Scope::Mint]);
    assert!(desk.may_mint().is_ok());
    assert!(desk.may_see(&link_of("aaaaaaaa")).is_ok());
    assert!(desk.may_change(&link_of("aaaaaaaa")).is_ok());
    assert_eq!(desk.may_see(&link_of("bbbbbbbb")), Err(Forbidden::See));
    assert_eq!(desk.may_change(&link_of("bbbbbbbb")), Err(Forbidden::Change));
    assert_eq!(desk.may_read_site(), Err(Forbidden::ReadSite));
    assert_eq!(desk.may_administer(), Err(Forbidden::Administer));
    assert_eq!(desk.may_delete_figures(), Err(Forbidden::DeleteFigures));
    let (own, other) = (link_of("aaaaaaaa"), link_of("bbbbbbbb"));
    assert_eq!(desk.may_see_of(vec![own.clone(), other.clone()]), Ok(vec![own.clone()]));
    assert_eq!(desk.may_see_of(vec![other]), Err(Forbidden::SeeArticle));
    assert_eq!(desk.may_see_of(vec![]), Ok(vec![]));
    assert!(desk.may_read_key(&desk.key).is_ok());
    assert_eq!(desk.may_read_key(&KeyId::local()), Err(Forbidden::ReadKey));
}

#[test]
fn a_read_key_sees_everything_and_changes_nothing() {
    let analyst = principal("aaaaaaaa", &[Scope::Read]);
    assert!(analyst.may_see(&link_of("bbbbbbbb")).is_ok());
    assert!(analyst.may_read_site().is_ok());
    assert!(analyst.may_read_key(&KeyId::local()).is_ok());
    assert_eq!(analyst.may_delete_figures(), Err(Forbidden::DeleteFigures));
    assert_eq!(analyst.may_mint(), Err(Forbidden::Mint));
    assert_eq!(analyst.may_change(&link_of("aaaaaaaa")), Err(Forbidden::Change));
}

#[test]
fn an_admin_and_the_machine_itself_may_do_everything() {
    for admin in [principal("aaaaaaaa", &[Scope::Admin]), Principal::local()] {
        assert!(admin.may_mint().is_ok());
        assert!(admin.may_change(&link_of("bbbbbbbb")).is_ok());
        assert!(admin.may_read_site().is_ok());
        assert!(admin.may_delete_figures().is_ok());
        assert!(admin.may_administer().is_ok());
    }
}

#[tokio::test]
async fn a_revoked_key_opens_nothing_and_an_unknown_one_neither() {
    let folder = tempfile::tempdir().unwrap();
    let auth = Auth::new(links(folder.path()));
    let admin = Principal::local();
    let (key, plain) = auth.create(&admin, "desk", &[Scope::Mint], at(0)).await.unwrap();
    let desk = auth.authenticate(&plain).await.unwrap();
    assert_eq!(desk, Principal { key: key.id.clone(), scopes: vec![Scope::Mint], until: None });
    let refused = auth.authenticate(&PlainKey::draw()).await;
    assert!(matches!(refused, Err(AuthError::Unknown)));
    auth.revoke(&admin, key.id.as_str(), at(1)).await.unwrap();
    auth.revoke(&admin, key.id.as_str(), at(2)).await.unwrap();
    assert!(matches!(auth.authenticate(&plain).await, Err(AuthError::Revoked)));
    let kept = auth.get(&admin, key.id.as_str()).await.unwrap();
    assert_eq!(kept.revoked_at, Some(at(1)));
}

#[tokio::test]
async fn the_first_key_is_drawn_once() {
    let folder = tempfile::tempdir().unwrap();
    let auth = Auth::new(links(folder.path()));
    let first = auth.ensure_first_key(None, at(0)).await.unwrap().unwrap();
    assert!(auth.authenticate(&first).await.unwrap().may_administer().is_ok());
    assert!(auth.ensure_first_key(None, at(1)).await.unwrap().is_none());
}

#[tokio::test]
async fn a_bootstrap_key_that_was_revoked_stays_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let auth = Auth::new(links(folder.path()));
    let chosen = PlainKey::parse("sl_bootstrap_key").unwrap();
    assert!(auth.ensure_first_key(Some(chosen.clone()), at(0)).await.unwrap().is_none());
    let admin = auth.authenticate(&chosen).await.unwrap();
    auth.revoke(&admin, admin.key.as_str(), at(1)).await.unwrap();
    assert!(auth.ensure_first_key(Some(chosen.clone()), at(2)).await.unwrap().is_none());
    assert!(matches!(auth.authenticate(&chosen).await, Err(AuthError::Revoked)));
}
