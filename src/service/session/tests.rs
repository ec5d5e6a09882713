//! A session opens what its key opens, until it ends, and nothing else makes one.

use proptest::prelude::*;

use super::*;
use crate::model::key::Scope;
use crate::service::auth::tests::{at, links};
use crate::store::Keys as _;

const HOUR: Duration = Duration::from_secs(3_600);

fn key(secret: &str) -> Key {
    let plain = PlainKey::parse(secret).unwrap();
    Key::of(&plain, "a desk".into(), vec![Scope::Mint], at(0))
}

/// Whether a text is a token of this key.
fn is_of(text: &str, key: &Key) -> bool {
    Token::read(text).is_some_and(|token| token.key == key.id && token.is_of(key))
}

#[tokio::test]
async fn a_session_opens_what_its_key_opens_until_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let auth = Auth::new(links(folder.path()));
    let plain = PlainKey::parse("sl_of_the_news_desk").unwrap();
    let unknown = auth.begin_session(&plain, HOUR, at(0)).await;
    assert!(matches!(unknown, Err(AuthError::Unknown)), "{:?}", unknown.err());
    let key = key(plain.reveal());
    store(&auth, &key).await;

    let session = auth.begin_session(&plain, HOUR, at(0)).await.unwrap();
    assert_eq!(session.ends_at, at(3_600));
    assert!(!session.token.contains(plain.reveal()));
    let there = auth.resume_session(&session.token, at(3_599)).await.unwrap();
    assert_eq!((&there.key, &*there.scopes, there.until), (&key.id, &*key.scopes, Some(at(3_600))));
    assert!(auth.is_open(&there, at(3_599)).await);
    assert!(!auth.is_open(&there, at(3_600)).await, "who watches is sent away at the end as well");
    for late in [3_600, 1_000_000] {
        let over = auth.resume_session(&session.token, at(late)).await;
        assert!(matches!(over, Err(AuthError::SessionOver)), "{over:?}");
    }
}

#[tokio::test]
async fn a_session_ends_with_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let auth = Auth::new(links(folder.path()));
    let mut key = key("sl_of_the_news_desk");
    store(&auth, &key).await;
    let session = Session::of(&key, HOUR, at(0));
    assert!(auth.resume_session(&session.token, at(1)).await.is_ok());
    key.revoked_at = Some(at(1));
    store(&auth, &key).await;
    let over = auth.resume_session(&session.token, at(1)).await;
    assert!(matches!(over, Err(AuthError::Revoked)), "{over:?}");
}

async fn store(auth: &Auth, key: &Key) {
    auth.keys.put_key(key).await.unwrap();
}

#[test]
fn a_mac_that_was_made_for_something_else_makes_no_session() {
    let key = key("sl_of_the_news_desk");
    let claim = format!("{}.{}", key.id, at(3_600).as_second());
    let mut block = [0; BLOCK];
    block[..32].copy_from_slice(key.hash.as_bytes());
    let mac = Hmac::<Sha256>::new(&block.into()).chain_update(&claim).finalize().into_bytes();
    let forged = format!("{claim}.{}", URL_SAFE_NO_PAD.encode(mac));
    assert!(Token::read(&forged).is_some() && !is_of(&forged, &key));
}

proptest! {
    #[test]
    fn a_token_with_another_byte_is_none(at_byte: prop::sample::Index, byte in 0_u8..=127) {
        let key = key("sl_of_the_news_desk");
        let token = Session::of(&key, HOUR, at(0)).token;
        prop_assert!(is_of(&token, &key));
        let mut changed = token.clone().into_bytes();
        let place = at_byte.index(changed.len());
        prop_assume!(changed[place] != byte);
        changed[place] = byte;
        prop_assert!(!is_of(std::str::from_utf8(&changed).unwrap(), &key));
    }

    #[test]
    fn a_token_for_longer_or_another_key_is_none(longer in 1_i64..1_000_000, other in "[a-z0-9]{8}") {
        let key = key("sl_of_the_news_desk");
        let token = Session::of(&key, HOUR, at(0)).token;
        let mac = token.rsplit_once('.').unwrap().1;
        let later = format!("{}.{}.{mac}", key.id, at(3_600 + longer).as_second());
        prop_assert!(!is_of(&later, &key));
        prop_assume!(other != key.id.as_str());
        let theirs = Key { id: KeyId::parse(&other).unwrap(), ..key.clone() };
        let renamed = format!("{other}.{}.{mac}", at(3_600).as_second());
        prop_assert!(!is_of(&renamed, &theirs), "its id is part of what the MAC says");
    }

    #[test]
    fn another_keys_token_is_none(secret in "[a-zA-Z0-9]{12,40}") {
        let ours = key("sl_of_the_news_desk");
        let theirs = key(&secret);
        let token = Session::of(&theirs, HOUR, at(0)).token;
        prop_assert!(is_of(&token, &theirs) && !is_of(&token, &ours));
        let named_ours = token.replacen(theirs.id.as_str(), ours.id.as_str(), 1);
        prop_assert!(!is_of(&named_ours, &ours));
    }

    #[test]
    fn no_text_breaks_the_reader(text in "\\PC{0,80}|[a-z0-9]{8}\\.-?[0-9]{1,20}\\.[A-Za-z0-9_-]{0,50}") {
        prop_assert!(!is_of(&text, &key("sl_of_the_news_desk")));
    }
}
