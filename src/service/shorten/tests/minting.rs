//! Get or create.

use super::*;

#[tokio::test]
async fn an_article_has_one_link_whatever_its_tracking() {
    let desk = desk();
    let made = desk.new_link(wish(STORY), at(0)).await;
    assert_eq!((made.target.as_str(), made.created_at), (STORY, at(0)));
    assert_eq!(made.owner.as_str(), "deskdesk");
    let again = desk.known_link(wish(&format!("{STORY}?utm_source=x")), at(9)).await;
    assert_eq!(again, made);
    assert_eq!(desk.codes_of(STORY).await, [made.code.as_str()]);
}

#[tokio::test]
async fn a_link_that_exists_stays_as_it_is() {
    let desk = desk();
    let made = desk.new_link(NewLink { title: Some("A".into()), ..wish(STORY) }, at(0)).await;
    let other = NewLink { title: Some("B".into()), tags: vec!["b".into()], ..wish(STORY) };
    assert_eq!(desk.known_link(other, at(1)).await, made);
}

#[tokio::test]
async fn tracking_is_kept_when_asked_for_and_sums_up_under_the_article() {
    let desk = desk();
    let landing = format!("{STORY}?utm_source=newsletter");
    let keep = NewLink { keep_tracking: true, ..wish(&landing) };
    let kept = desk.new_link(keep.clone(), at(0)).await;
    assert_eq!((kept.target.as_str(), kept.article.as_str()), (&*landing, STORY));
    let plain = desk.new_link(wish(STORY), at(1)).await;
    assert_ne!(plain.code, kept.code);
    assert_eq!(desk.known_link(keep, at(2)).await, kept);
    assert_eq!(desk.codes_of(&landing).await, [kept.code.as_str()]);
    let mut both = [kept.code.to_string(), plain.code.to_string()];
    let mut found = desk.codes_of(STORY).await;
    both.sort();
    found.sort();
    assert_eq!(found, both);
}

#[tokio::test]
async fn without_tracking_to_keep_there_is_nothing_to_keep() {
    let desk = desk();
    let made = desk.new_link(wish(STORY), at(0)).await;
    let keep = NewLink { keep_tracking: true, ..wish(STORY) };
    assert_eq!(desk.known_link(keep, at(1)).await, made);
}

#[tokio::test]
async fn a_second_code_is_drawn_when_asked_for_and_the_first_stays_the_first() {
    let desk = desk();
    let first = desk.new_link(wish(STORY), at(0)).await;
    let second = desk.new_link(NewLink { new_code: true, ..wish(STORY) }, at(1)).await;
    assert_ne!(first.code, second.code);
    assert_eq!(desk.codes_of(STORY).await, [first.code.as_str(), second.code.as_str()]);
    assert_eq!(desk.known_link(wish(STORY), at(2)).await, first);
}

#[tokio::test]
async fn what_is_over_is_replaced_by_a_new_code_that_comes_first() {
    let desk = desk();
    let short = NewLink { expires_at: Some(at(10)), ..wish(STORY) };
    let expired = desk.new_link(short, at(0)).await;
    let deleted = desk.new_link(wish(STORY), at(10)).await;
    assert_ne!(deleted.code, expired.code);
    desk.delete(&desk.by, deleted.code.as_str()).await.unwrap();
    let made = desk.new_link(wish(STORY), at(11)).await;
    let known = [&made, &deleted, &expired].map(|link| link.code.to_string());
    assert_eq!(desk.codes_of(STORY).await, known);
    assert_eq!(desk.known_link(wish(STORY), at(12)).await, made);
}

#[tokio::test]
async fn a_withdrawn_link_still_answers_for_its_article() {
    let desk = desk();
    let made = desk.new_link(wish(STORY), at(0)).await;
    let edit = Edit { state: Some(NewState::Disabled), ..Edit::default() };
    let disabled = desk.edit(&desk.by, made.code.as_str(), &edit, at(1)).await.unwrap();
    assert_eq!(desk.known_link(wish(STORY), at(2)).await, disabled);
}

#[tokio::test]
async fn a_custom_code_belongs_to_whoever_has_it() {
    let desk = desk();
    let custom = |url: &str, code: &str| NewLink { code: Some(code.into()), ..wish(url) };
    let made = desk.new_link(custom(STORY, "story"), at(0)).await;
    assert_eq!(made.code.as_str(), "story");
    assert_eq!(desk.known_link(custom(STORY, "story"), at(1)).await, made);
    assert_eq!(desk.known_link(wish(STORY), at(1)).await, made);
    let taken = desk.ask(custom("https://example.org/other", "story"), at(2)).await;
    assert!(matches!(taken, Err(ShortenError::CodeTaken(_))), "{taken:?}");
    assert_eq!(desk.codes_of("https://example.org/other").await, [""; 0]);
    desk.delete(&desk.by, "story").await.unwrap();
    let retired = desk.ask(custom(STORY, "story"), at(3)).await;
    assert!(matches!(retired, Err(ShortenError::CodeRetired(_))), "{retired:?}");
    let reserved = desk.ask(custom(STORY, "api"), at(3)).await;
    assert!(matches!(reserved, Err(ShortenError::Field(BadField::Code(_)))));
}

#[tokio::test]
async fn our_own_short_url_is_the_link_it_names() {
    let desk = desk();
    let made = desk.new_link(wish(STORY), at(0)).await;
    let own = format!("http://GO.example.org/{}?utm_source=x", made.code);
    assert_eq!(desk.known_link(wish(&own), at(1)).await, made);
    let alias = NewLink { code: Some("alias".into()), ..wish(&own) };
    assert_eq!(desk.new_link(alias, at(1)).await.target.as_str(), STORY);
    desk.delete(&desk.by, made.code.as_str()).await.unwrap();
    for gone in [&*own, "https://go.example.org/", "https://go.example.org/a/b/c"] {
        let refused = desk.ask(wish(gone), at(2)).await;
        assert!(matches!(refused, Err(ShortenError::Field(BadField::Ours(_)))), "{refused:?}");
    }
}

#[tokio::test]
async fn house_rules_name_hosts_and_what_lies_below_them() {
    let desk = desk_with("base62", 6, &["example.org"], &["ads.example.org"]);
    assert!(desk.ask(wish("https://www.example.org/"), at(0)).await.is_ok());
    let refused = |outcome| match outcome {
        Err(ShortenError::Field(bad)) => bad,
        other => panic!("{other:?}"),
    };
    let blocked = refused(desk.ask(wish("https://x.ads.example.org/"), at(0)).await);
    assert_eq!(blocked, BadField::HostBlocked("x.ads.example.org".into()));
    let stranger = refused(desk.ask(wish("https://badexample.org/"), at(0)).await);
    assert_eq!(stranger, BadField::HostNotAllowed("badexample.org".into()));
}

#[tokio::test]
async fn an_address_has_at_most_a_thousand_codes() {
    let desk = desk();
    let more = NewLink { new_code: true, ..wish(STORY) };
    let rows = vec![more.clone(); MAX_CODES + 2];
    let outcomes = desk.mint_many(&desk.by, rows, at(0)).await.unwrap();
    let full = |o: &&Result<_, _>| matches!(o, Err(ShortenError::TooManyCodes(_)));
    assert_eq!(outcomes.iter().filter(full).count(), 2);
    assert_eq!(desk.codes_of(STORY).await.len(), MAX_CODES);
    assert!(desk.ask(more, at(1)).await.unwrap_err().to_string().contains("1000"));
    assert!(desk.ask(wish(STORY), at(2)).await.is_ok());
}

#[tokio::test]
async fn one_bad_row_spoils_no_other() {
    let desk = desk();
    let there = desk.new_link(wish("https://example.org/there"), at(0)).await;
    let rows = vec![
        wish("https://example.org/a"),
        wish("ftp://example.org/"),
        wish("https://example.org/a?utm_source=x"),
        wish("https://example.org/there"),
        NewLink { code: Some("mine".into()), ..wish("https://example.org/b") },
        NewLink { code: Some("mine".into()), ..wish("https://example.org/c") },
        wish("https://example.org/c"),
        NewLink { code: Some(there.code.to_string()), ..wish("https://example.org/d") },
        wish("https://example.org/d"),
    ];
    let outcomes = desk.mint_many(&desk.by, rows, at(1)).await.unwrap();
    let told: Vec<u16> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Ok(Minted::New(_)) => 201,
            Ok(Minted::Existing(_)) => 200,
            Err(ShortenError::Field(_)) => 422,
            Err(ShortenError::CodeTaken(_)) => 409,
            Err(other) => panic!("{other}"),
        })
        .collect();
    assert_eq!(told, [201, 422, 200, 200, 201, 409, 201, 409, 201]);
    let link = |row: usize| outcomes[row].as_ref().unwrap().link();
    assert_eq!(link(0), link(2));
    assert_eq!(*link(3), there);
}

#[tokio::test]
async fn only_who_may_mint_mints() {
    let desk = desk();
    let analyst = key("analysts", &[Scope::Read]);
    let refused = desk.mint(&analyst, wish(STORY), at(0)).await;
    assert!(matches!(refused, Err(ShortenError::Forbidden(Forbidden::Mint))));
}
