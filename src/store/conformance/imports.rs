//! Taking in many links at once.

use std::sync::Arc;

use futures_util::future::join_all;

use super::*;
use crate::model::link::Tag;
use crate::store::{Codes, Listing, Swap};

conformance! {
    imported_links_are_there_listed_and_found_by_their_addresses
    what_stands_under_a_code_is_told_and_stays
    an_import_that_stopped_before_the_index_is_made_whole_by_another
    codes_are_entered_behind_those_that_are_there
    an_address_gets_no_more_codes_than_it_may_have
    many_links_are_imported_in_one_call
    of_imports_of_one_code_at_once_one_is_done
}

const MANY: usize = 1_000;

async fn import(store: &Store, links: &[Link]) -> Vec<Option<Link>> {
    store.import(&Arc::from(links), MANY).await.unwrap()
}

async fn codes_at(store: &Store, path: &str) -> Vec<String> {
    let Codes(codes) = store.codes_of(&[target(path)]).await.unwrap().remove(0);
    codes.iter().map(ToString::to_string).collect()
}

async fn listed(store: &Store, listing: &Listing) -> Vec<String> {
    let page = store.list(listing, None, 1_000).await.unwrap();
    page.iter().map(|(_, code)| code.to_string()).collect()
}

async fn imported_links_are_there_listed_and_found_by_their_addresses(store: &Store) {
    let world = Tag::parse("world").unwrap();
    let verbatim = Link {
        target: Target::from_normal_form("HTTP://www.Example.org/a|b"),
        article: target("story"),
        verbatim: true,
        ..link("fb/AbC1")
    };
    let kept = Link {
        target: target("story?utm_source=x"),
        article: target("story"),
        tags: vec![world.clone()],
        created_at: at(1),
        ..link("kept")
    };
    let gone = Link { standing: Standing::Deleted, created_at: at(2), ..link("gone") };
    let links = [verbatim, kept, gone];
    assert_eq!(import(store, &links).await, [None, None, None]);
    for link in &links {
        assert_eq!(store.get(&link.code).await.unwrap().as_ref(), Some(link));
    }
    let mut there = codes_at(store, "story").await;
    there.sort_unstable();
    assert_eq!(there, ["fb/AbC1", "kept"]);
    assert_eq!(codes_at(store, "story?utm_source=x").await, ["kept"]);
    assert_eq!(codes_at(store, "gone").await, ["gone"]);
    let mut all = listed(store, &Listing::All).await;
    all.sort_unstable();
    assert_eq!(all, ["fb/AbC1", "gone", "kept"]);
    assert_eq!(listed(store, &Listing::Of(links[0].owner.clone())).await.len(), 3);
    assert_eq!(listed(store, &Listing::Tagged(world)).await, ["kept"]);
    assert_eq!(import(store, &[]).await, []);
}

async fn what_stands_under_a_code_is_told_and_stays(store: &Store) {
    mint(store, &[link("b")]).await;
    let other = Link { target: target("other"), article: target("other"), ..link("b") };
    let answers = import(store, &[link("a"), other.clone(), link("c")]).await;
    assert_eq!(answers, [None, Some(link("b")), None]);
    assert_eq!(store.get(&code("b")).await.unwrap(), Some(link("b")));
    assert_eq!(codes_at(store, "other").await, [""; 0], "its code leads elsewhere");
    let again = import(store, &[link("c"), other, link("a")]).await;
    assert_eq!(again, [Some(link("c")), Some(link("b")), Some(link("a"))]);
    assert_eq!(listed(store, &Listing::All).await.len(), 3);
    assert_eq!(codes_at(store, "a").await, ["a"]);
}

async fn an_import_that_stopped_before_the_index_is_made_whole_by_another(store: &Store) {
    mint(store, &[link("a")]).await;
    assert_eq!(codes_at(store, "a").await, [""; 0]);
    assert_eq!(import(store, &[link("a")]).await, [Some(link("a"))]);
    assert_eq!(codes_at(store, "a").await, ["a"]);
}

async fn codes_are_entered_behind_those_that_are_there(store: &Store) {
    let to_story =
        |text: &str| Link { target: target("story"), article: target("story"), ..link(text) };
    let new = Codes(vec![code("first"), code("b")]);
    let swap = Swap { address: target("story"), old: Codes::default(), new };
    assert_eq!(store.swap_codes(&[swap]).await.unwrap(), [None]);
    import(store, &["d", "b", "firs", "fb/c"].map(to_story)).await;
    let there = codes_at(store, "story").await;
    assert_eq!(there[..2], ["first", "b"], "{there:?}");
    let mut more = there[2..].to_vec();
    more.sort_unstable();
    assert_eq!(more, ["d", "fb/c", "firs"]);
    import(store, &["fb/c", "d"].map(to_story)).await;
    assert_eq!(codes_at(store, "story").await, there);
}

async fn an_address_gets_no_more_codes_than_it_may_have(store: &Store) {
    let popular = |n: usize| Link {
        target: target("popular"),
        article: target("popular"),
        ..link(&format!("p{n}"))
    };
    let links: Vec<Link> = (0..600).map(popular).collect();
    for part in links.chunks(250) {
        let answers = store.import(&Arc::from(part), 300).await.unwrap();
        assert!(answers.iter().all(Option::is_none));
    }
    assert_eq!(codes_at(store, "popular").await.len(), 300);
    for link in links.iter().step_by(97) {
        assert_eq!(store.get(&link.code).await.unwrap().as_ref(), Some(link));
    }
    assert_eq!(listed(store, &Listing::All).await.len(), 600);
}

async fn many_links_are_imported_in_one_call(store: &Store) {
    let links: Vec<Link> = (0..20_000).map(|n| link(&format!("code{n}"))).collect();
    let answers = import(store, &links).await;
    assert!(answers.len() == links.len() && answers.iter().all(Option::is_none));
    let codes: Vec<Code> = links.iter().map(|link| link.code.clone()).collect();
    let found = store.get_many(&codes).await.unwrap();
    assert!(found.iter().zip(&links).all(|(found, link)| found.as_ref() == Some(link)));
    let addresses: Vec<Target> = links.iter().map(|link| link.target.clone()).collect();
    let entries = store.codes_of(&addresses).await.unwrap();
    assert!(entries.iter().zip(&codes).all(|(entry, code)| entry.0 == [code.clone()]));
    let answers = import(store, &links).await;
    assert!(answers.iter().zip(&links).all(|(there, link)| there.as_ref() == Some(link)));
}

async fn of_imports_of_one_code_at_once_one_is_done(store: &Store) {
    let rival =
        |n: usize, c: usize| Link { title: Some(n.to_string()), ..link(&format!("code{c}")) };
    let rivals: Vec<Vec<Link>> = (0..4).map(|n| (0..500).map(|c| rival(n, c)).collect()).collect();
    let answers = join_all(rivals.iter().map(|links| import(store, links))).await;
    for c in 0..500 {
        let stands = store.get(&code(&format!("code{c}"))).await.unwrap();
        for (links, answers) in rivals.iter().zip(&answers) {
            let won = stands.as_ref() == Some(&links[c]);
            assert_eq!(answers[c], stands.clone().filter(|_| !won));
        }
        let winners = answers.iter().filter(|answers| answers[c].is_none());
        assert_eq!(winners.count(), 1);
    }
}
