//! Links, and the index from addresses to codes.

use futures_util::future::join_all;

use super::*;
use crate::model::link::{Redirect, Tag};
use crate::store::{Codes, Listing, Mint, Partitions as _, Replaced, Swap};

conformance! {
    a_link_comes_back_as_it_was_stored
    a_code_is_claimed_once
    workers_that_claim_the_same_code_at_once_get_it_once
    a_taken_code_spoils_no_other_claim
    a_link_is_minted_in_one_step_or_not_at_all
    of_many_mints_of_one_address_at_once_one_is_done
    a_link_is_replaced_only_if_it_stands_as_believed
    of_many_replacements_at_once_one_is_done
    a_tombstone_keeps_its_code
    all_of_many_links_are_found
    the_index_is_swapped_only_if_it_stands_as_believed
    of_many_swaps_at_once_one_is_done
    many_addresses_are_swapped_and_found_in_one_call
    an_address_that_comes_and_goes_is_found_when_it_is_there
}

async fn a_link_comes_back_as_it_was_stored(store: &Store) {
    let full = Link {
        title: Some("سیاست ".repeat(60)),
        article: target("article"),
        target: target(&"long".repeat(2_000)),
        tags: vec![Tag::parse("world").unwrap(), Tag::parse("سوریه {}").unwrap()],
        expires_at: Some(at(99)),
        redirect: Some(Redirect::Permanent),
        forward_query: true,
        standing: Standing::Disabled { reason: Some("withdrawn".into()) },
        ..link("fb/AbC-_1")
    };
    mint(store, &[link("plain"), full.clone(), link("12345")]).await;
    assert_eq!(store.get(&full.code).await.unwrap(), Some(full.clone()));
    assert_eq!(store.get(&code("12345")).await.unwrap(), Some(link("12345")));
    assert_eq!(store.get(&code("Plain")).await.unwrap(), None, "case matters");
    let codes = ["nobody", "fb/AbC-_1", "plain", "fb/AbC-_1", "nobody"].map(code);
    let found = store.get_many(&codes).await.unwrap();
    assert_eq!(found, [None, Some(full.clone()), Some(link("plain")), Some(full), None]);
    assert_eq!(store.get_many(&[]).await.unwrap(), []);
}

async fn a_code_is_claimed_once(store: &Store) {
    let rivals: Vec<Link> =
        (0..100).map(|n| Link { target: target(&n.to_string()), ..link("wanted") }).collect();
    let claims = rivals.iter().map(|rival| store.claim(std::slice::from_ref(rival)));
    let claims: Vec<Claim> =
        join_all(claims).await.into_iter().map(|claim| claim.unwrap()[0]).collect();
    let winners: Vec<usize> = (0..100).filter(|n| claims[*n] == Claim::Claimed).collect();
    assert_eq!(winners.len(), 1, "{claims:?}");
    assert_eq!(store.get(&code("wanted")).await.unwrap().unwrap(), rivals[winners[0]]);
}

/// A link to `target` with a code that lies where its address lies, or elsewhere.
fn placed(store: &Store, address: &str, near: bool, from: usize) -> Option<Link> {
    let target = target(address);
    let home = store.partition_of_address(&target);
    let texts = (from..from + 2_000).map(|n| format!("m{n}"));
    let text = texts.into_iter().find(|text| (store.partition_of(text) == home) == near)?;
    Some(Link { article: target.clone(), target, ..link(&text) })
}

async fn a_link_is_minted_in_one_step_or_not_at_all(store: &Store) {
    let first = placed(store, "story", true, 0).unwrap();
    let mint = async |link: &Link| store.mint(std::slice::from_ref(link)).await.unwrap().remove(0);
    assert_eq!(mint(&first).await, Mint::Minted);
    assert_eq!(store.get(&first.code).await.unwrap(), Some(first.clone()));
    let codes = Codes(vec![first.code.clone()]);
    let entered = store.codes_of(std::slice::from_ref(&first.target)).await.unwrap();
    assert_eq!(entered, std::slice::from_ref(&codes));
    let listed = store.list(&Listing::Of(first.owner.clone()), None, 10).await.unwrap();
    assert_eq!(listed.len(), 1);

    let second = placed(store, "story", true, 5_000).unwrap();
    assert_eq!(mint(&second).await, Mint::Known(codes));
    assert_eq!(store.get(&second.code).await.unwrap(), None);

    let other = (0..10_000).map(|n| target(&format!("other{n}")));
    let home = store.partition_of(first.code.as_str());
    let other = other.into_iter().find(|t| store.partition_of_address(t) == home).unwrap();
    let rival = Link { article: other.clone(), target: other.clone(), ..first.clone() };
    assert_eq!(mint(&rival).await, Mint::Taken);
    assert_eq!(store.codes_of(&[other]).await.unwrap(), [Codes::default()]);
    assert_eq!(store.get(&first.code).await.unwrap(), Some(first));

    if let Some(apart) = placed(store, "another story", false, 0) {
        assert_eq!(mint(&apart).await, Mint::Apart);
        assert_eq!(store.get(&apart.code).await.unwrap(), None);
        assert_eq!(store.codes_of(&[apart.target]).await.unwrap(), [Codes::default()]);
    }
}

async fn of_many_mints_of_one_address_at_once_one_is_done(store: &Store) {
    let rivals: Vec<Link> =
        (0..20).map(|n| placed(store, "wanted story", true, n * 3_000).unwrap()).collect();
    let mints = rivals.iter().map(|rival| store.mint(std::slice::from_ref(rival)));
    let mints: Vec<Mint> =
        join_all(mints).await.into_iter().map(|mint| mint.unwrap().remove(0)).collect();
    let winners: Vec<usize> = (0..20).filter(|n| mints[*n] == Mint::Minted).collect();
    assert_eq!(winners.len(), 1, "{mints:?}");
    let codes = Codes(vec![rivals[winners[0]].code.clone()]);
    assert_eq!(mints.iter().filter(|mint| **mint == Mint::Known(codes.clone())).count(), 19);
}

async fn workers_that_claim_the_same_code_at_once_get_it_once(store: &Store) {
    let worker = |n: usize| {
        let store = store.fork();
        std::thread::spawn(move || {
            block_on(async {
                let links: Vec<Link> = (0..50)
                    .map(|c| Link { target: target(&n.to_string()), ..link(&format!("code{c}")) })
                    .collect();
                let claims = store.claim(&links).await.unwrap();
                claims.into_iter().filter(|claim| *claim == Claim::Claimed).count()
            })
        })
    };
    let workers: Vec<_> = (0..4).map(worker).collect();
    let claimed: usize = workers.into_iter().map(|worker| worker.join().unwrap()).sum();
    assert_eq!(claimed, 50);
}

async fn a_taken_code_spoils_no_other_claim(store: &Store) {
    mint(store, &[link("b")]).await;
    let twice = Link { target: target("second"), ..link("c") };
    let claims = store.claim(&[link("a"), link("b"), link("c"), twice, link("d")]).await.unwrap();
    use Claim::{Claimed, Taken};
    assert_eq!(claims, [Claimed, Taken, Claimed, Taken, Claimed]);
    assert_eq!(store.get(&code("c")).await.unwrap(), Some(link("c")));
    assert_eq!(store.claim(&[]).await.unwrap(), []);
}

async fn a_link_is_replaced_only_if_it_stands_as_believed(store: &Store) {
    let (old, new) = (link("a"), Link { title: Some("new".into()), ..link("a") });
    assert_eq!(store.replace(&old, &new).await.unwrap(), Replaced::Changed, "nothing is there");
    mint(store, std::slice::from_ref(&old)).await;
    assert_eq!(store.replace(&new, &old).await.unwrap(), Replaced::Changed);
    assert_eq!(store.replace(&old, &new).await.unwrap(), Replaced::Done);
    assert_eq!(store.replace(&old, &new).await.unwrap(), Replaced::Changed);
    assert_eq!(store.get(&old.code).await.unwrap(), Some(new));
}

async fn of_many_replacements_at_once_one_is_done(store: &Store) {
    mint(store, &[link("a")]).await;
    let old = link("a");
    let rivals: Vec<Link> =
        (0..50).map(|n| Link { title: Some(n.to_string()), ..link("a") }).collect();
    let done = join_all(rivals.iter().map(|rival| store.replace(&old, rival))).await;
    let winners: Vec<usize> =
        (0..50).filter(|n| *done[*n].as_ref().unwrap() == Replaced::Done).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(store.get(&old.code).await.unwrap().unwrap(), rivals[winners[0]]);
}

async fn a_tombstone_keeps_its_code(store: &Store) {
    let tombstone = Link { standing: Standing::Deleted, ..link("gone") };
    mint(store, &[link("gone")]).await;
    assert_eq!(store.replace(&link("gone"), &tombstone).await.unwrap(), Replaced::Done);
    assert_eq!(store.claim(&[link("gone")]).await.unwrap(), [Claim::Taken]);
    assert_eq!(store.get(&code("gone")).await.unwrap(), Some(tombstone));
}

/// Enough for each of 64 partitions to split its buckets, while another worker reads.
async fn all_of_many_links_are_found(store: &Store) {
    let reader = store.fork();
    let links: Vec<Link> = (0..5_000).map(|n| link(&format!("code{n}"))).collect();
    for batch in links.chunks(500) {
        mint(store, batch).await;
        for one in batch.iter().step_by(50).chain(links.iter().take(20)) {
            assert_eq!(reader.get(&one.code).await.unwrap().as_ref(), Some(one));
        }
    }
    let codes: Vec<Code> = links.iter().map(|link| link.code.clone()).collect();
    let found = reader.get_many(&codes).await.unwrap();
    assert!(found.iter().zip(&links).all(|(found, link)| found.as_ref() == Some(link)));
    let singly = join_all(codes.iter().map(|code| reader.get(code))).await;
    assert!(
        singly.into_iter().zip(&links).all(|(found, link)| found.unwrap().as_ref() == Some(link))
    );
    for n in 5_000..5_100 {
        assert_eq!(reader.get(&code(&format!("code{n}"))).await.unwrap(), None);
    }
}

fn codes(texts: &[&str]) -> Codes {
    Codes(texts.iter().map(|text| code(text)).collect())
}

fn swap(address: &str, old: &[&str], new: &[&str]) -> Swap {
    Swap { address: target(address), old: codes(old), new: codes(new) }
}

async fn the_index_is_swapped_only_if_it_stands_as_believed(store: &Store) {
    let known = async || store.codes_of(&[target("x")]).await.unwrap().remove(0);
    let ask = async |old: &[&str], new: &[&str]| {
        store.swap_codes(&[swap("x", old, new)]).await.unwrap().remove(0)
    };
    assert_eq!(known().await, Codes::default());
    assert_eq!(ask(&["a"], &["b"]).await, Some(Codes::default()));
    assert_eq!(ask(&[], &["a"]).await, None);
    assert_eq!(ask(&[], &["b"]).await, Some(codes(&["a"])));
    assert_eq!(ask(&["a"], &["a", "fb/AbC1"]).await, None);
    assert_eq!(known().await, codes(&["a", "fb/AbC1"]));
    assert_eq!(ask(&["a", "fb/AbC1"], &[]).await, None);
    assert_eq!(known().await, Codes::default());
    assert_eq!(ask(&[], &[]).await, None);
}

async fn of_many_swaps_at_once_one_is_done(store: &Store) {
    let rivals: Vec<Swap> = (0..50).map(|n| swap("x", &[], &[&format!("c{n}")])).collect();
    let answers =
        join_all(rivals.iter().map(|rival| store.swap_codes(std::slice::from_ref(rival)))).await;
    let answers: Vec<Option<Codes>> =
        answers.into_iter().map(|answer| answer.unwrap().remove(0)).collect();
    let winners: Vec<usize> = (0..50).filter(|n| answers[*n].is_none()).collect();
    assert_eq!(winners.len(), 1);
    let winner = &rivals[winners[0]].new;
    assert!(answers.iter().flatten().all(|stands| stands == winner), "losers hear of the winner");
    assert_eq!(store.codes_of(&[target("x")]).await.unwrap(), std::slice::from_ref(winner));
}

async fn many_addresses_are_swapped_and_found_in_one_call(store: &Store) {
    let name = |n: usize| (format!("story{n}"), format!("code{n}"));
    let names: Vec<(String, String)> = (0..3_000).map(name).collect();
    let swaps: Vec<Swap> =
        names.iter().map(|(address, code)| swap(address, &[], &[code.as_str()])).collect();
    assert!(store.swap_codes(&swaps).await.unwrap().iter().all(Option::is_none));
    let addresses: Vec<Target> =
        names.iter().map(|(address, _)| target(address)).chain([target("nobody")]).collect();
    let found = store.codes_of(&addresses).await.unwrap();
    assert!(found.iter().zip(&names).all(|(found, (_, code))| *found == codes(&[code.as_str()])));
    assert_eq!(found[3_000], Codes::default());
}

async fn an_address_that_comes_and_goes_is_found_when_it_is_there(store: &Store) {
    for round in 0..40 {
        let name = |n: usize| (format!("story{n}"), format!("code{n}-{round}"));
        let names: Vec<(String, String)> = (0..100).map(name).collect();
        let come: Vec<Swap> =
            names.iter().map(|(address, code)| swap(address, &[], &[code.as_str()])).collect();
        assert!(store.swap_codes(&come).await.unwrap().iter().all(Option::is_none));
        let addresses: Vec<Target> = names.iter().map(|(address, _)| target(address)).collect();
        let found = store.codes_of(&addresses).await.unwrap();
        assert!(
            found.iter().zip(&names).all(|(found, (_, code))| *found == codes(&[code.as_str()]))
        );
        let go: Vec<Swap> =
            names.iter().map(|(address, code)| swap(address, &[code.as_str()], &[])).collect();
        assert!(store.swap_codes(&go).await.unwrap().iter().all(Option::is_none));
        assert_eq!(store.codes_of(&addresses).await.unwrap(), vec![Codes::default(); 100]);
    }
}
