//! Many at once, crashes half-way, and codes that run out.

use std::collections::HashSet;

use futures_util::future::join_all;

use super::*;
use crate::store::Swap;

/// Leaves behind what a mint leaves that died between the index and the link.
async fn die_half_way(desk: &Desk, url: &str, code: &str) {
    let address = desk.canonical.addresses(url).unwrap().landing;
    let swap = Swap { address, old: Codes::default(), new: codes(&[code]) };
    assert_eq!(desk.links.swap_codes(&[swap]).await.unwrap(), [None]);
}

#[tokio::test]
async fn five_hundred_mints_of_one_article_give_one_code_and_make_one_link() {
    let desk = desk();
    let mints = (0..500).map(|n| {
        let url = format!("{STORY}?utm_campaign={n}");
        async { desk.ask(NewLink { url, ..NewLink::default() }, at(0)).await.unwrap() }
    });
    let minted = join_all(mints).await;
    let codes: HashSet<&Code> = minted.iter().map(|minted| &minted.link().code).collect();
    let made = minted.iter().filter(|minted| matches!(minted, Minted::New(_))).count();
    assert_eq!((codes.len(), made), (1, 1));
    assert_eq!(desk.codes_of(STORY).await.len(), 1);
}

#[tokio::test]
async fn concurrent_landing_pages_of_one_article_all_stand_under_it() {
    let desk = desk();
    let mints = (0..40).map(|n| {
        let url = format!("{STORY}?utm_campaign={}", n / 2);
        let keep = NewLink { url, keep_tracking: true, ..NewLink::default() };
        async { desk.ask(keep, at(0)).await.unwrap() }
    });
    let minted = join_all(mints).await;
    let codes: HashSet<String> = minted.iter().map(|m| m.link().code.to_string()).collect();
    assert_eq!(codes.len(), 20);
    let found: HashSet<String> = desk.codes_of(STORY).await.into_iter().collect();
    assert_eq!(found, codes);
}

#[tokio::test]
async fn concurrent_second_codes_are_all_kept() {
    let desk = desk();
    let mints = (0..50).map(|_| {
        let more = NewLink { new_code: true, ..wish(STORY) };
        async { desk.ask(more, at(0)).await.unwrap() }
    });
    let minted = join_all(mints).await;
    let codes: HashSet<String> = minted.iter().map(|m| m.link().code.to_string()).collect();
    assert_eq!(codes.len(), 50);
    let found: HashSet<String> = desk.codes_of(STORY).await.into_iter().collect();
    assert_eq!(found, codes);
}

#[tokio::test]
async fn codes_that_collide_are_redrawn_and_none_is_lost() {
    // Two letters of two: four codes for 120 links, minted one by one, in a batch, and at once.
    let desk = desk_with("ab", 2, &[], &[]);
    let url = |n: usize| format!("https://example.org/{n}");
    for n in 0..40 {
        desk.new_link(wish(&url(n)), at(0)).await;
    }
    let batch = (40..80).map(|n| wish(&url(n))).collect();
    for outcome in desk.mint_many(&desk.by, batch, at(1)).await.unwrap() {
        assert!(matches!(outcome, Ok(Minted::New(_))), "{outcome:?}");
    }
    let urls: Vec<String> = (80..120).map(url).collect();
    join_all(urls.iter().map(|url| desk.new_link(wish(url), at(2)))).await;

    let mut codes = HashSet::new();
    for n in 0..120 {
        let link = desk.known_link(wish(&url(n)), at(3)).await;
        assert_eq!(link.target.as_str(), url(n));
        assert_eq!(desk.codes_of(&url(n)).await, [link.code.as_str()]);
        codes.insert(link.code);
    }
    assert_eq!(codes.len(), 120);
}

#[tokio::test]
async fn second_codes_of_one_article_survive_collisions_among_themselves() {
    let desk = desk_with("ab", 1, &[], &[]);
    let mut codes = HashSet::new();
    for _ in 0..20 {
        let link = desk.new_link(NewLink { new_code: true, ..wish(STORY) }, at(0)).await;
        codes.insert(link.code.to_string());
    }
    let found: HashSet<String> = desk.codes_of(STORY).await.into_iter().collect();
    assert_eq!((codes.len(), &found), (20, &codes));
}

#[tokio::test]
async fn a_mint_that_died_half_way_is_completed_by_the_next() {
    let desk = desk();
    die_half_way(&desk, STORY, "orphan").await;
    let made = desk.new_link(wish(STORY), at(1)).await;
    assert_eq!(made.code.as_str(), "orphan");
    assert_eq!(desk.get(&desk.by, "orphan").await.unwrap(), made);
}

#[tokio::test]
async fn many_complete_an_interrupted_mint_once() {
    let desk = desk();
    die_half_way(&desk, STORY, "orphan").await;
    let minted = join_all((0..50).map(|_| desk.ask(wish(STORY), at(1)))).await;
    let made = minted.iter().filter(|m| matches!(m, Ok(Minted::New(_)))).count();
    assert_eq!(made, 1);
    assert!(minted.iter().all(|m| m.as_ref().unwrap().link().code.as_str() == "orphan"));
}

#[tokio::test]
async fn an_entry_whose_code_went_to_another_article_is_passed_over() {
    let desk = desk();
    let other = NewLink { code: Some("orphan".into()), ..wish("https://example.org/other") };
    desk.new_link(other, at(0)).await;
    die_half_way(&desk, STORY, "orphan").await;
    let made = desk.new_link(wish(STORY), at(1)).await;
    assert_ne!(made.code.as_str(), "orphan");
    assert_eq!(desk.known_link(wish(STORY), at(2)).await, made);
}

#[tokio::test]
async fn of_two_who_ask_for_one_code_at_once_one_gets_it_and_the_other_leaves_no_trace() {
    let desk = desk();
    let custom = |url: &str| NewLink { code: Some("prize".into()), ..wish(url) };
    let urls: Vec<String> = (0..8).map(|n| format!("https://example.org/{n}")).collect();
    let asked = join_all(urls.iter().map(|url| desk.ask(custom(url), at(0)))).await;
    assert_eq!(asked.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for (url, outcome) in urls.iter().zip(&asked) {
        match outcome {
            Ok(_) => assert_eq!(desk.codes_of(url).await, ["prize"]),
            Err(ShortenError::CodeTaken(_)) => assert_eq!(desk.codes_of(url).await, [""; 0]),
            Err(other) => panic!("{other}"),
        }
    }
}
