//! Listings: complete, in order, stable under minting.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::model::link::Tag;
use crate::store::{Listing, Place, Replaced};

conformance! {
    links_are_listed_newest_first
    pages_are_complete_while_links_are_being_minted
    an_owner_sees_its_own
    a_page_goes_on_anywhere
    links_of_the_same_millisecond_are_listed_once_each
    tags_move_with_the_link
    links_that_come_in_order_are_listed_by_when_they_were_made
    links_that_come_out_of_order_are_listed_once_each
    a_link_that_is_replaced_moves_to_its_new_owner_and_moment
    a_listing_whose_newest_links_went_to_another_owner_takes_older_ones
}

/// All of a listing, read page by page; `between` runs before each further page.
async fn read_all(
    store: &Store,
    listing: &Listing,
    size: usize,
    mut between: impl AsyncFnMut(),
) -> Vec<Code> {
    let mut codes = Vec::new();
    let mut after: Option<Place> = None;
    loop {
        let page = store.list(listing, after.as_ref(), size).await.unwrap();
        assert!(page.len() <= size);
        for (Place(place), code) in &page {
            let fit = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
            assert!(place.chars().all(fit), "{place}");
            codes.push(code.clone());
        }
        match page.last() {
            Some((place, _)) if page.len() == size => after = Some(place.clone()),
            _ => return codes,
        }
        between().await;
    }
}

/// Until the clock has moved on, so that what comes next is newer by any count.
fn wait_for_the_next_millisecond() {
    let before = Timestamp::now().as_millisecond() + 1;
    while Timestamp::now().as_millisecond() <= before {
        std::hint::spin_loop();
    }
}

fn numbered(prefix: &str, from: usize, count: usize) -> Vec<Link> {
    let now = Timestamp::now();
    let make = |n| Link { created_at: now, ..link(&format!("{prefix}{n}")) };
    (from..from + count).map(make).collect()
}

async fn links_are_listed_newest_first(store: &Store) {
    assert_eq!(store.list(&Listing::All, None, 10).await.unwrap(), []);
    let mut expected = Vec::new();
    for n in 0..150 {
        wait_for_the_next_millisecond();
        mint(store, &numbered("c", n, 1)).await;
        expected.insert(0, code(&format!("c{n}")));
    }
    for size in [1, 7, 64, 149, 150, 1_000] {
        assert_eq!(read_all(store, &Listing::All, size, async || {}).await, expected, "{size}");
    }
}

async fn pages_are_complete_while_links_are_being_minted(store: &Store) {
    for batch in 0..7 {
        mint(store, &numbered("old", batch * 100, 100)).await;
    }
    wait_for_the_next_millisecond();
    let mut minted = 0;
    let found = read_all(store, &Listing::All, 37, async || {
        mint(store, &numbered("new", minted, 20)).await;
        minted += 20;
    })
    .await;
    assert_eq!(found.len(), 700);
    let found: BTreeSet<Code> = found.into_iter().collect();
    let expected: BTreeSet<Code> = (0..700).map(|n| code(&format!("old{n}"))).collect();
    assert_eq!(found, expected);
    assert_eq!(read_all(store, &Listing::All, 100, async || {}).await.len(), 700 + minted);
}

async fn an_owner_sees_its_own(store: &Store) {
    let owners = ["aaaaaaaa", "bbbbbbbb", "22222222"].map(|text| KeyId::parse(text).unwrap());
    let own = |n: usize| Link { owner: owners[n % 3].clone(), ..link(&format!("c{n}")) };
    let links: Vec<Link> = (0..300).map(own).collect();
    mint(store, &links).await;
    for (at, owner) in owners.iter().enumerate() {
        let found = read_all(store, &Listing::Of(owner.clone()), 9, async || {}).await;
        assert_eq!(found.len(), 100);
        assert_eq!(store.count_of(owner).await.unwrap(), 100);
        let found: BTreeSet<Code> = found.into_iter().collect();
        assert!(links.iter().skip(at).step_by(3).all(|link| found.contains(&link.code)));
    }
    let nobody = Listing::Of(KeyId::parse("nobody00").unwrap());
    assert_eq!(store.list(&nobody, None, 10).await.unwrap(), []);
    assert_eq!(store.count_of(&KeyId::parse("nobody00").unwrap()).await.unwrap(), 0);
    assert_eq!(read_all(store, &Listing::All, 11, async || {}).await.len(), 300);
}

async fn a_page_goes_on_anywhere(store: &Store) {
    mint(store, &numbered("c", 0, 200)).await;
    let whole = store.list(&Listing::All, None, 200).await.unwrap();
    for at in (0..200).step_by(13) {
        let rest = store.list(&Listing::All, Some(&whole[at].0), 50).await.unwrap();
        assert_eq!(rest, whole[at + 1..(at + 51).min(200)]);
    }
}

async fn links_of_the_same_millisecond_are_listed_once_each(store: &Store) {
    let tag = Tag::parse("world {}: x").unwrap();
    let tagged = |n: i64| Link {
        tags: vec![tag.clone()],
        created_at: at(n / 500),
        ..link(&format!("fb/c{n}"))
    };
    let links: Vec<Link> = (0..1_000).map(tagged).collect();
    mint(store, &links).await;
    let listing = Listing::Tagged(tag);
    for size in [7, 128, 1_000] {
        let found = read_all(store, &listing, size, async || {}).await;
        assert_eq!(found.len(), 1_000);
        let newer: BTreeSet<Code> = found[..500].iter().cloned().collect();
        let older: BTreeSet<Code> = found[500..].iter().cloned().collect();
        assert!(links[500..].iter().all(|link| newer.contains(&link.code)));
        assert!(links[..500].iter().all(|link| older.contains(&link.code)));
    }
}

async fn tags_move_with_the_link(store: &Store) {
    let [politics, world] = ["politics", "world"].map(|text| Tag::parse(text).unwrap());
    let with = |tags: &[&Tag], n: i64| Link {
        tags: tags.iter().map(|tag| (*tag).clone()).collect(),
        created_at: at(n),
        ..link(&format!("c{n}"))
    };
    mint(store, &[with(&[&politics], 1), with(&[&politics, &world], 2), with(&[], 3)]).await;
    let (old, new) = (with(&[&politics], 1), with(&[&world], 1));
    assert_eq!(store.replace(&old, &new).await.unwrap(), Replaced::Done);
    let (old, new) = (with(&[], 3), with(&[&world, &politics], 3));
    assert_eq!(store.replace(&old, &new).await.unwrap(), Replaced::Done);
    let listing = Listing::Tagged(world);
    let found = read_all(store, &listing, 2, async || {}).await;
    assert_eq!(found, [code("c3"), code("c2"), code("c1")], "by when they were made");
    let listing = Listing::Tagged(politics);
    let mut found = read_all(store, &listing, 2, async || {}).await;
    found.retain(|found| *found != code("c1")); // it may linger: its record tells
    assert_eq!(found, [code("c3"), code("c2")]);
}

async fn links_that_come_in_order_are_listed_by_when_they_were_made(store: &Store) {
    let owners = ["aaaaaaaa", "bbbbbbbb"].map(|text| KeyId::parse(text).unwrap());
    let old = |n: i64| Link {
        created_at: Timestamp::from_second(1_262_304_000 + n).unwrap(),
        owner: owners[usize::from(n % 3 == 0)].clone(),
        ..link(&format!("c{n}"))
    };
    let links: Vec<Link> = (0..600).map(old).collect();
    for part in links.chunks(150) {
        store.import(&Arc::from(part), 1_000).await.unwrap();
    }
    mint(store, &numbered("new", 0, 1)).await;
    let expected: Vec<Code> = links.iter().rev().map(|link| link.code.clone()).collect();
    let found = read_all(store, &Listing::All, 37, async || {}).await;
    assert_eq!((&found[0], &found[1..]), (&code("new0"), &expected[..]));
    let of_first = links.iter().rev().filter(|link| link.owner == owners[1]);
    let of_first: Vec<Code> = of_first.map(|link| link.code.clone()).collect();
    let listing = Listing::Of(owners[1].clone());
    assert_eq!(read_all(store, &listing, 64, async || {}).await, of_first);
}

async fn links_that_come_out_of_order_are_listed_once_each(store: &Store) {
    mint(store, &numbered("new", 0, 100)).await;
    let old = |n: i64| Link {
        created_at: Timestamp::from_second(-n * 7_919 % 1_000).unwrap(),
        ..link(&format!("c{n}"))
    };
    let links: Vec<Link> = (0..500).map(old).collect();
    store.import(&Arc::from(&links[..250]), 1_000).await.unwrap();
    store.import(&Arc::from(&links[250..]), 1_000).await.unwrap();
    let found = read_all(store, &Listing::All, 41, async || {}).await;
    let found_once: BTreeSet<&Code> = found.iter().collect();
    assert_eq!((found.len(), found_once.len()), (600, 600));
}

async fn a_link_that_is_replaced_moves_to_its_new_owner_and_moment(store: &Store) {
    let [world, asia] = ["world", "asia"].map(|text| Tag::parse(text).unwrap());
    let with =
        |text: &str, ms: i64| Link { tags: vec![world.clone()], created_at: at(ms), ..link(text) };
    let (old, middle) = (with("a", 1), with("b", 2));
    mint(store, &[old.clone(), middle]).await;
    let new = Link {
        owner: KeyId::parse("newowner").unwrap(),
        tags: vec![asia.clone(), world.clone()],
        ..with("a", 3)
    };
    assert_eq!(store.replace(&old, &new).await.unwrap(), Replaced::Done);
    let all = async |listing| read_all(store, &listing, 10, async || {}).await;
    assert_eq!(all(Listing::All).await, ["a", "b"].map(code));
    assert_eq!(all(Listing::Of(old.owner.clone())).await, ["b"].map(code));
    assert_eq!(all(Listing::Of(new.owner.clone())).await, ["a"].map(code));
    assert_eq!(all(Listing::Tagged(world.clone())).await, ["a", "b"].map(code));
    assert_eq!(all(Listing::Tagged(asia)).await, ["a"].map(code));
    // Its listing is empty now, and takes links as before.
    assert_eq!(store.replace(&new, &old).await.unwrap(), Replaced::Done);
    let again = Link { owner: new.owner.clone(), ..with("c", 0) };
    mint(store, &[again]).await;
    assert_eq!(all(Listing::Of(new.owner)).await, ["c"].map(code));
    assert_eq!(all(Listing::All).await.len(), 3);
}

async fn a_listing_whose_newest_links_went_to_another_owner_takes_older_ones(store: &Store) {
    let [first, second] = ["aaaaaaaa", "bbbbbbbb"].map(|text| KeyId::parse(text).unwrap());
    let of = |name: &str, n: i64, ms: i64, owner: &KeyId| Link {
        created_at: at(ms),
        owner: owner.clone(),
        ..link(&format!("{name}{n}"))
    };
    let all =
        |name: &str, ms: i64| -> Vec<Link> { (0..200).map(|n| of(name, n, ms, &first)).collect() };
    let (old, newest, between) = (all("old", 100), all("new", 200), all("mid", 150));
    for links in [&old, &newest] {
        store.import(&Arc::from(links.as_slice()), 1_000).await.unwrap();
    }
    for (n, link) in newest.iter().enumerate() {
        let moved = of("new", n as i64, 200, &second);
        assert_eq!(store.replace(link, &moved).await.unwrap(), Replaced::Done);
    }
    let there = store.import(&Arc::from(between.as_slice()), 1_000).await.unwrap();
    assert!(there.iter().all(Option::is_none));
    let codes: Vec<Code> = between.iter().map(|link| link.code.clone()).collect();
    let found = store.get_many(&codes).await.unwrap();
    assert!(found.iter().all(Option::is_some), "each is found again");
    for (owner, count) in [(&first, 400), (&second, 200)] {
        let listing = Listing::Of(owner.clone());
        let listed = read_all(store, &listing, 64, async || {}).await;
        let once: BTreeSet<&Code> = listed.iter().collect();
        assert_eq!((listed.len(), once.len()), (count, count), "{owner}");
    }
}
