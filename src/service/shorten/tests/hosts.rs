//! Links that belong to one host.

use std::collections::HashSet;

use futures_util::future::join_all;

use super::*;
use crate::store::Swap;

fn on(host: &str, url: &str) -> NewLink {
    NewLink { host: Some(host.into()), ..wish(url) }
}

fn host_of(link: &Link) -> Option<&str> {
    link.host.as_ref().map(Host::as_str)
}

#[tokio::test]
async fn who_asks_for_a_host_gets_a_link_of_its_own_and_who_does_not_gets_any() {
    let desk = desk();
    let open = desk.new_link(wish(STORY), at(0)).await;
    let bound = desk.new_link(on("GOO.example.net", STORY), at(1)).await;
    assert_eq!((host_of(&open), host_of(&bound)), (None, Some(GOO)));
    assert_eq!(desk.known_link(on(GOO, STORY), at(2)).await, bound);
    assert_eq!(desk.known_link(wish(STORY), at(2)).await, open);
    let third = desk.new_link(on("go.example.org", STORY), at(3)).await;
    assert_eq!(desk.codes_of(STORY).await, [&open, &bound, &third].map(|l| l.code.to_string()));
    let elsewhere = desk.new_link(on(GOO, "https://example.org/b"), at(4)).await;
    assert_eq!(desk.known_link(wish("https://example.org/b"), at(5)).await, elsewhere);
}

#[tokio::test]
async fn a_host_that_is_none_of_ours_is_refused_with_those_that_are() {
    let desk = desk();
    for stranger in ["example.org", "", "https://go.example.org", "go.example.org:8080"] {
        let refused = desk.ask(on(stranger, STORY), at(0)).await.unwrap_err();
        let known = "go.example.org, goo.example.net".to_owned();
        assert!(
            matches!(&refused, ShortenError::Field(bad) if *bad == BadField::Host(stranger.into(), known)),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_code_of_ones_choice_is_taken_by_a_link_of_another_host() {
    let desk = desk();
    let alias = |wish: NewLink| NewLink { code: Some("alias".into()), ..wish };
    let bound = desk.new_link(alias(on(GOO, STORY)), at(0)).await;
    assert_eq!(desk.known_link(alias(wish(STORY)), at(1)).await, bound);
    let refused = desk.ask(alias(on("go.example.org", STORY)), at(1)).await;
    assert!(matches!(refused, Err(ShortenError::CodeTaken(_))), "{refused:?}");
    assert_eq!(desk.codes_of(STORY).await, ["alias"]);
}

#[tokio::test]
async fn a_link_moves_to_another_host_and_back_to_all() {
    let desk = desk();
    let link = desk.new_link(wish(STORY), at(0)).await;
    let edit = |host: Option<&str>| Edit { host: Some(host.map(Into::into)), ..Edit::default() };
    let code = link.code.as_str();
    let moved = desk.edit(&desk.by, code, &edit(Some(GOO)), at(1)).await.unwrap();
    assert_eq!(host_of(&moved), Some(GOO));
    assert_eq!(desk.known_link(on(GOO, STORY), at(2)).await, moved);
    let refused = desk.edit(&desk.by, code, &edit(Some("example.org")), at(2)).await.unwrap_err();
    assert!(matches!(refused, ShortenError::Field(BadField::Host(..))), "{refused:?}");
    assert_eq!(desk.edit(&desk.by, code, &edit(None), at(3)).await.unwrap(), link);
}

#[tokio::test]
async fn our_own_short_url_stands_for_a_link_on_its_own_host_only() {
    let desk = desk();
    let bound = desk.new_link(on(GOO, STORY), at(0)).await;
    let at_home = format!("https://{GOO}/{}", bound.code);
    assert_eq!(desk.known_link(wish(&at_home), at(1)).await, bound);
    let beside = format!("https://go.example.org/{}", bound.code);
    let refused = desk.ask(wish(&beside), at(1)).await;
    assert!(matches!(refused, Err(ShortenError::Field(BadField::Ours(_)))), "{refused:?}");
    let more = desk.new_link(on("go.example.org", &at_home), at(2)).await;
    assert_eq!((more.target.as_str(), host_of(&more)), (STORY, Some("go.example.org")));
}

#[tokio::test]
async fn many_at_once_for_two_hosts_make_one_link_of_each() {
    let desk = desk();
    let mints = (0..200).map(|n| {
        let host = if n % 2 == 0 { GOO } else { "go.example.org" };
        // One in four takes two steps.
        let url = format!("{STORY}?utm_source=x");
        let wish = NewLink { keep_tracking: n % 4 < 2, ..on(host, &url) };
        async { desk.ask(wish, at(0)).await.unwrap() }
    });
    let minted = join_all(mints).await;
    let codes: HashSet<String> = minted.iter().map(|m| m.link().code.to_string()).collect();
    assert_eq!(codes.len(), 4, "two targets, two hosts");
    let found: HashSet<String> = desk.codes_of(STORY).await.into_iter().collect();
    assert_eq!(found, codes);
}

#[tokio::test]
async fn rows_of_one_batch_are_told_apart_by_host() {
    let desk = desk();
    let rows = vec![wish(STORY), on(GOO, STORY), wish(STORY), on(GOO, STORY)];
    let minted = desk.mint_many(&desk.by, rows, at(0)).await.unwrap();
    let links: Vec<&Link> = minted.iter().map(|m| m.as_ref().unwrap().link()).collect();
    assert_eq!((host_of(links[1]), links[1]), (Some(GOO), links[3]));
    assert_eq!((host_of(links[0]), links[0]), (None, links[2]));
    assert_eq!(desk.codes_of(STORY).await.len(), 2);
}

#[tokio::test]
async fn a_code_that_another_host_claimed_first_stays_under_its_address() {
    let desk = desk();
    let minting = (0..50).map(|n| {
        let wish =
            if n % 2 == 0 { on(GOO, STORY) } else { NewLink { new_code: true, ..wish(STORY) } };
        async { desk.ask(wish, at(0)).await.unwrap() }
    });
    let minted = join_all(minting).await;
    let codes: HashSet<String> = minted.iter().map(|m| m.link().code.to_string()).collect();
    let found: HashSet<String> = desk.codes_of(STORY).await.into_iter().collect();
    assert_eq!(found, codes, "whatever was minted is found under its address");
    // What a mint leaves that dies half-way is completed for whichever host.
    let address = desk.canonical.addresses("https://example.org/half").unwrap().landing;
    let swap = Swap { address, old: Codes::default(), new: super::codes(&["half"]) };
    assert_eq!(desk.links.swap_codes(&[swap]).await.unwrap(), [None]);
    let made = desk.new_link(on(GOO, "https://example.org/half"), at(1)).await;
    assert_eq!((made.code.as_str(), host_of(&made)), ("half", Some(GOO)));
}
