//! Changing and deleting.

use super::*;

const OTHER: &str = "https://www.example.org/other.html";

async fn edit(desk: &Desk, link: &Link, edit: Edit) -> Result<Link, ShortenError> {
    desk.edit(&desk.by, link.code.as_str(), &edit, at(5)).await
}

#[tokio::test]
async fn a_link_moves_to_another_address_and_is_found_there() {
    let desk = desk();
    let made = desk.new_link(wish(STORY), at(0)).await;
    let moved = Edit { url: Some(format!("{OTHER}?utm_source=x")), ..Edit::default() };
    let moved = edit(&desk, &made, moved).await.unwrap();
    assert_eq!((moved.target.as_str(), moved.article.as_str()), (OTHER, OTHER));
    assert_eq!((&moved.code, moved.created_at), (&made.code, made.created_at));
    assert_eq!(desk.known_link(wish(OTHER), at(6)).await, moved);
    assert_eq!(desk.codes_of(STORY).await, [""; 0]);
    assert_ne!(desk.new_link(wish(STORY), at(7)).await.code, made.code);
}

#[tokio::test]
async fn a_link_gains_and_loses_its_landing_page() {
    let desk = desk();
    let made = desk.new_link(wish(STORY), at(0)).await;
    let landing = format!("{STORY}?utm_source=x");
    let keep = Edit { url: Some(landing.clone()), keep_tracking: Some(true), ..Edit::default() };
    let kept = edit(&desk, &made, keep).await.unwrap();
    assert_eq!((kept.target.as_str(), kept.article.as_str()), (&*landing, STORY));
    for address in [&*landing, STORY] {
        assert_eq!(desk.codes_of(address).await, [made.code.as_str()]);
    }
    let back = Edit { url: Some(landing.clone()), ..Edit::default() };
    assert_eq!(edit(&desk, &made, back).await.unwrap(), made);
    assert_eq!(desk.codes_of(&landing).await, [""; 0]);
}

#[tokio::test]
async fn fields_are_set_kept_and_cleared() {
    let desk = desk();
    let full = NewLink {
        title: Some("A".into()),
        tags: vec!["a".into()],
        expires_at: Some(at(100)),
        redirect: Some(Redirect::Permanent),
        ..wish(STORY)
    };
    let made = desk.new_link(full, at(0)).await;
    assert_eq!(edit(&desk, &made, Edit::default()).await.unwrap(), made);
    let set = Edit {
        title: Some(Some("B".into())),
        forward_query: Some(true),
        state: Some(NewState::Disabled),
        reason: Some(Some("a mistake".into())),
        ..Edit::default()
    };
    let changed = edit(&desk, &made, set).await.unwrap();
    let reason = Some("a mistake".to_owned());
    let expected = Link {
        title: Some("B".into()),
        forward_query: true,
        standing: Standing::Disabled { reason },
        ..made.clone()
    };
    assert_eq!(changed, expected);
    let clear = Edit {
        title: Some(None),
        tags: Some(vec![]),
        expires_at: Some(None),
        redirect: Some(None),
        state: Some(NewState::Active),
        ..Edit::default()
    };
    let bare = edit(&desk, &made, clear).await.unwrap();
    let nothing = (None, vec![], None, None, Standing::Active);
    assert_eq!((bare.title, bare.tags, bare.expires_at, bare.redirect, bare.standing), nothing);
}

#[tokio::test]
async fn an_edit_keeps_the_rules_of_minting() {
    let desk = desk_with("base62", 6, &[], &["blocked.example"]);
    let made = desk.new_link(wish(STORY), at(0)).await;
    let url = |url: &str| Edit { url: Some(url.into()), ..Edit::default() };
    let own = format!("https://go.example.org/{}", made.code);
    let cases = [
        (url("javascript:alert(1)"), "url"),
        (url("https://blocked.example/"), "url"),
        (url(&own), "url"),
        (Edit { keep_tracking: Some(true), ..Edit::default() }, "keep_tracking"),
        (Edit { expires_at: Some(Some(at(1))), ..Edit::default() }, "expires_at"),
        (Edit { tags: Some(vec!["\0".into()]), ..Edit::default() }, "tags[0]"),
        (Edit { title: Some(Some("x".repeat(501))), ..Edit::default() }, "title"),
    ];
    for (change, field) in cases {
        match edit(&desk, &made, change.clone()).await {
            Err(ShortenError::Field(bad)) => assert_eq!(bad.name(), field, "{change:?}"),
            other => panic!("{change:?}: {other:?}"),
        }
    }
    assert_eq!(desk.get(&desk.by, made.code.as_str()).await.unwrap(), made);
}

#[tokio::test]
async fn a_tombstone_stays_and_says_so() {
    let desk = desk();
    let made = desk.new_link(wish(STORY), at(0)).await;
    desk.delete(&desk.by, made.code.as_str()).await.unwrap();
    desk.delete(&desk.by, made.code.as_str()).await.unwrap();
    for gone in
        [desk.get(&desk.by, made.code.as_str()).await, edit(&desk, &made, Edit::default()).await]
    {
        match gone {
            Err(ShortenError::Gone(link)) => {
                assert_eq!(*link, Link { standing: Standing::Deleted, ..made.clone() });
            }
            other => panic!("{other:?}"),
        }
    }
    for unknown in ["nowhere", "no code at all", ""] {
        let outcome = desk.delete(&desk.by, unknown).await;
        assert!(matches!(outcome, Err(ShortenError::NotFound(_))), "{outcome:?}");
    }
}

#[tokio::test]
async fn concurrent_edits_of_different_fields_all_hold() {
    let desk = desk();
    let made = desk.new_link(wish(STORY), at(0)).await;
    let title = Edit { title: Some(Some("B".into())), ..Edit::default() };
    let tags = Edit { tags: Some(vec!["b".into()]), ..Edit::default() };
    let query = Edit { forward_query: Some(true), ..Edit::default() };
    let (a, b, c) = tokio::join!(
        edit(&desk, &made, title),
        edit(&desk, &made, tags),
        edit(&desk, &made, query),
    );
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    let link = desk.get(&desk.by, made.code.as_str()).await.unwrap();
    assert_eq!(link.title.as_deref(), Some("B"));
    assert_eq!((link.tags.len(), link.forward_query), (1, true));
}

#[tokio::test]
async fn links_of_others_are_out_of_reach_of_a_mint_key() {
    let desk = desk();
    let made = desk.new_link(wish(STORY), at(0)).await;
    let code = made.code.as_str();
    let other = key("otherkey", &[Scope::Mint]);
    let refused = [
        desk.get(&other, code).await.err(),
        desk.edit(&other, code, &Edit::default(), at(1)).await.err(),
        desk.delete(&other, code).await.err(),
    ];
    for error in refused {
        assert!(matches!(error, Some(ShortenError::Forbidden(_))), "{error:?}");
    }
    assert!(desk.get(&key("analysts", &[Scope::Read]), code).await.is_ok());
    assert!(desk.delete(&Principal::local(), code).await.is_ok());
}
