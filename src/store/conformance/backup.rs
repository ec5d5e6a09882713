//! Backups: counts stand still while they are read, all of them come back, and links come once.

use std::time::{Duration, Instant};

use super::ledger::{Ledger, Random, all_of, batch, codes_of, keep, link_of, node, step};
use super::*;
use crate::model::key::KeyId;
use crate::model::tally::{Count, Day};
use crate::store::backup::{Backup, Over, Put, StoredRow};
use crate::store::{Applied, Keep, Note, Partitions as _, Progress, StoreError, Tallies as _};

conformance! {
    all_that_was_counted_comes_back
    what_stands_there_stays_unless_it_is_to_be_replaced
    while_counts_are_held_none_changes
    a_lease_runs_out_by_itself
    restored_positions_are_where_counting_goes_on
    links_come_oldest_first_and_once_while_others_are_minted
}

const LEASE: Duration = Duration::from_secs(30);
/// Some weeks before the suite's moment.
const FIRST: u32 = 20_700 * 96;

/// All rows and totals of a store.
async fn read_all(store: &Store) -> (Vec<StoredRow>, Vec<(Code, Count)>) {
    let (mut rows, mut totals) = (Vec::new(), Vec::new());
    let mut after = None;
    loop {
        let (more, next) = store.rows_after(after.as_ref()).await.unwrap();
        rows.extend(more);
        after = next;
        if after.is_none() {
            break;
        }
    }
    loop {
        let (more, next) = store.totals_after(after.as_ref()).await.unwrap();
        totals.extend(more);
        after = next;
        if after.is_none() {
            return (rows, totals);
        }
    }
}

/// In an order that does not depend on partitions.
fn sorted(mut rows: Vec<StoredRow>) -> Vec<StoredRow> {
    rows.sort_by_key(|row| (row.day, row.subject.clone(), row.hour));
    rows
}

async fn with_another<T>(work: impl AsyncFnOnce(&Store) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::Embedded(Embedded::open(folder.path(), 8 << 20).unwrap());
    store.prepare().await.unwrap();
    work(&store).await
}

async fn all_that_was_counted_comes_back(store: &Store) {
    let (mut ledger, mut random) = (Ledger::default(), Random(7));
    (0..4_000).for_each(|_| ledger.random_click(&mut random, 300, [FIRST, 5 * 96]));
    ledger.apply(store, &node("a"), 0).await;
    let (rows, totals) = read_all(store).await;
    assert!(rows.len() > 1_000, "{}", rows.len());
    assert_eq!(
        rows.len(),
        sorted(rows.clone())
            .windows(2)
            .filter(|two| {
                (two[0].day, &two[0].subject, two[0].hour)
                    != (two[1].day, &two[1].subject, two[1].hour)
            })
            .count()
            + 1,
        "a row came twice"
    );

    // Into a store of another kind, and from there into yet another.
    let again = with_another(async |other| {
        let put = other.put_rows(&rows, Keep::default(), Over::Keep).await.unwrap();
        assert_eq!(put, vec![Put::New; rows.len()]);
        let put = other.put_totals(&totals, Over::Keep).await.unwrap();
        assert_eq!(put, vec![Put::New; totals.len()]);
        for subject in ledger.subjects() {
            let asks = all_of((20_700..20_705).map(Day));
            assert_eq!(
                other.days(&subject, &asks).await.unwrap(),
                store.days(&subject, &asks).await.unwrap()
            );
        }
        assert_eq!(
            other.links_on(Day(20_702), true).await.unwrap(),
            store.links_on(Day(20_702), true).await.unwrap()
        );
        read_all(other).await
    })
    .await;
    assert_eq!(sorted(again.0.clone()), sorted(rows.clone()));
    for (code, _) in &totals {
        store.forget_link(&note(code)).await.unwrap();
    }
    assert_eq!(store.totals(&[totals[0].0.clone()]).await.unwrap(), [Count::default()]);
    let put = store.put_rows(&again.0, Keep::default(), Over::Keep).await.unwrap();
    assert!(put.iter().all(|put| matches!(put, Put::New | Put::Same)), "tags and site stayed");
    store.put_totals(&again.1, Over::Keep).await.unwrap();
    assert_eq!(read_all(store).await, (rows, totals), "byte by byte, and in the same order");
}

fn note(code: &Code) -> Note {
    Note { at: at(5), by: KeyId::local(), code: code.clone(), clicks: 0 }
}

async fn what_stands_there_stays_unless_it_is_to_be_replaced(store: &Store) {
    let row = |people: u64| {
        let day = batch(vec![], &[("abc", FIRST, people)]);
        let (_, whole) = crate::model::tally::row::of_quarters(day.rows.values().next().unwrap());
        StoredRow {
            day: Day(20_700),
            subject: link_of("abc"),
            hour: None,
            bytes: crate::model::tally::Row::of(whole).to_bytes(250),
        }
    };
    let total = |people| (code("abc"), Count { people, bots: people % 2 });
    for (people, over, expected) in [
        (1, Over::Look, Put::New),
        (1, Over::Keep, Put::New),
        (1, Over::Replace, Put::Same),
        (2, Over::Keep, Put::Other),
        (2, Over::Look, Put::Other),
        (1, Over::Keep, Put::Same),
        (2, Over::Replace, Put::Other),
        (2, Over::Keep, Put::Same),
    ] {
        let put = store.put_rows(&[row(people)], Keep::default(), over).await.unwrap();
        assert_eq!(put, [expected], "{people} {over:?}");
        let put = store.put_totals(&[total(people)], over).await.unwrap();
        assert_eq!(put, [expected], "{people} {over:?}");
    }
    assert_eq!(read_all(store).await, (vec![row(2)], vec![total(2)]));
    // A store whose rows expire by themselves takes none that would have.
    let old = StoredRow { day: Day(100), ..row(1) };
    let put = store.put_rows(&[old], keep(1, 1), Over::Keep).await.unwrap();
    assert!(matches!(put[..], [Put::New | Put::Expired]));
}

async fn while_counts_are_held_none_changes(store: &Store) {
    let first = batch(vec![step(0, 0, 1)], &[]);
    let text = codes_of(store, 0, 1).remove(0);
    let second = batch(vec![step(0, 1, 2)], &[(&text, FIRST, 3)]);
    assert_eq!(store.apply(&node("a"), 0, &first).await.unwrap(), Applied::Done);
    assert!(store.hold("one", LEASE).await.unwrap());
    assert!(!store.hold("two", LEASE).await.unwrap());
    assert!(!store.hold_on("two", LEASE).await.unwrap());
    assert!(!store.let_go("two").await.unwrap());
    assert!(store.hold_on("one", LEASE).await.unwrap());
    let held = |error: StoreError| matches!(error, StoreError::Unavailable(_));
    assert!(held(store.apply(&node("a"), 0, &second).await.unwrap_err()));
    assert!(held(store.forget_link(&note(&code(&text))).await.unwrap_err()));
    let totals = [(code(&text), Count { people: 1, bots: 0 })];
    assert!(held(store.put_totals(&totals, Over::Replace).await.unwrap_err()));
    // Whoever is elsewhere is told so.
    let stale = store.apply(&node("a"), 0, &batch(vec![step(0, 5, 6)], &[])).await;
    assert!(matches!(stale, Ok(Applied::Elsewhere(_)) | Err(StoreError::Unavailable(_))));
    assert_eq!(read_all(store).await, (vec![], vec![]));
    assert_eq!(store.notes().await.unwrap(), []);
    assert!(store.let_go("one").await.unwrap());
    assert_eq!(store.apply(&node("a"), 0, &second).await.unwrap(), Applied::Done);
    assert_eq!(store.totals(&[code(&text)]).await.unwrap()[0].people, 3);
    assert!(store.hold("two", LEASE).await.unwrap());
}

async fn a_lease_runs_out_by_itself(store: &Store) {
    assert!(store.hold("one", Duration::from_millis(300)).await.unwrap());
    let deadline = Instant::now() + Duration::from_secs(30);
    let moves = batch(vec![step(0, 0, 1)], &[]);
    while store.apply(&node("a"), 0, &moves).await.is_err() {
        assert!(Instant::now() < deadline, "still held");
    }
    assert!(!store.hold_on("one", LEASE).await.unwrap());
    assert!(!store.let_go("one").await.unwrap());
}

async fn restored_positions_are_where_counting_goes_on(store: &Store) {
    let stands = |position, counted| {
        let mut progress = Progress { counted, ..Progress::default() };
        progress.lanes.extend([step(0, 0, position), step(3, 0, 7)].map(|s| (s.lane, s.to)));
        vec![progress; store.partitions()]
    };
    let old = node("a");
    let put = async |positions: &[Progress], over| {
        store.put_progress(&old, positions, over).await.unwrap()
    };
    assert_eq!(put(&stands(1 << 60, 4), Over::Look).await, Put::New);
    assert_eq!(put(&stands(1 << 60, 4), Over::Keep).await, Put::New);
    assert_eq!(put(&stands(1 << 60, 4), Over::Keep).await, Put::Same);
    assert_eq!(put(&stands(9, 4), Over::Keep).await, Put::Other);
    assert_eq!(store.progress(&old).await.unwrap(), stands(1 << 60, 4));
    let again = store.apply(&old, 0, &batch(vec![step(0, 0, 1)], &[])).await.unwrap();
    assert_eq!(again, Applied::Elsewhere(stands(1 << 60, 4).remove(0)));
    assert_eq!(put(&stands(9, 2), Over::Replace).await, Put::Other);
    let next = store.apply(&old, 0, &batch(vec![step(0, 9, 10)], &[])).await.unwrap();
    assert_eq!(next, Applied::Done);
}

async fn links_come_oldest_first_and_once_while_others_are_minted(store: &Store) {
    let owners = ["abcdefgh", "ijklmnop"].map(|id| KeyId::parse(id).unwrap());
    let numbered = |from: usize, count: usize| -> Vec<Link> {
        let of = |n: usize| Link {
            owner: owners[n % 2].clone(),
            created_at: Timestamp::now(),
            ..link(&format!("c{n}"))
        };
        (from..from + count).map(of).collect()
    };
    for n in 0..20 {
        mint(store, &numbered(10 * n, 10)).await;
    }
    let mut newest_first = Vec::new();
    for (_, code) in store.list(&crate::store::Listing::All, None, 1_000).await.unwrap() {
        newest_first.insert(0, code);
    }
    for size in [1, 7, 64, 200, 1_000] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store.oldest(after.as_ref(), size).await.unwrap();
            assert!(page.len() <= size);
            let Some((place, _)) = page.last() else { break };
            after = Some(place.clone());
            found.extend(page.into_iter().map(|(_, code)| code));
            if size == 7 && found.len() < 100 {
                let minted = numbered(1_000 + found.len(), 1);
                mint(store, &minted).await;
                newest_first.push(minted[0].code.clone());
            }
        }
        assert_eq!(found, newest_first, "{size}");
    }
}
