//! The roll-up against stores that answer in part or not at all, and clocks that are wrong.

use super::*;
use crate::store::Partitions as _;

#[tokio::test]
async fn a_store_that_went_away_is_missed_even_when_nobody_clicks() {
    let (folder, mut server) = (tempfile::tempdir().unwrap(), RedisServer::start());
    let journal = journal(folder.path());
    let mut writer = journal.writer().unwrap();
    let store = redis(&server.url()).await;
    let mut running = rollup(&store, &journal);
    click(&mut writer, 0, 10, 3);
    catch_up(&mut running).await;
    server.kill();
    running.verify().await.unwrap_err();
    for _ in 0..3 {
        running.round(now()).await.expect_err("there is nothing to do, says who can not know");
    }
    server.restart();
    while running.round(now()).await.is_err() {}
}

/// A roll-up and what it says of itself.
fn watched(store: &Store, journal: &Arc<Journal>) -> (Rollup, Arc<Figures>) {
    let (settings, figures) = (settings_of(Fsync::Never, 4_096), Arc::new(Figures::default()));
    let (links, told) = (cached(store), Arc::clone(&figures));
    (Rollup::new(links, Arc::clone(journal), settings, enricher(), told), figures)
}

/// Another one that counts what this one was about to is to it what an answer is that was lost.
#[tokio::test]
async fn what_the_store_counted_without_an_answer_is_among_what_was_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (store, journal) = (embedded(folder.path()).await, journal(folder.path()));
    let mut writer = journal.writer().unwrap();
    click(&mut writer, 0, 5, 3);
    catch_up(&mut rollup(&store, &journal)).await;
    let (mut running, figures) = watched(&store, &journal);
    catch_up(&mut running).await;
    assert_eq!(figures.snapshot().counted, 0, "those were before the start");
    click(&mut writer, 5, 10, 3);
    catch_up(&mut rollup(&store, &journal)).await;
    click(&mut writer, 15, 2, 3);
    catch_up(&mut running).await;
    assert_eq!(figures.snapshot().counted, 12);
    catch_up(&mut running).await;
    assert_eq!(figures.snapshot().counted, 12, "and no more by looking again");
}

#[tokio::test]
async fn what_one_partition_counts_is_counted_though_another_before_it_fails() {
    let (folder, server) = (tempfile::tempdir().unwrap(), RedisServer::start());
    let journal = journal(folder.path());
    let mut writer = journal.writer().unwrap();
    let store = redis(&server.url()).await;
    let (mut running, figures) = watched(&store, &journal);
    let in_partition = |partition| {
        let mut codes = (0..).map(|n| format!("code{n}"));
        codes.find(|code| store.partition_of(code) == partition).unwrap()
    };
    let site = store.partition_of(&Subject::Site.name());
    let others: Vec<_> = (0..store.partitions()).filter(|p| *p != site).collect();
    let (first, last) = (in_partition(others[0]), in_partition(others[others.len() - 1]));
    let mut click = |code: &str| {
        writer.append(&Click { at_ms: NOON, code, source: Source::default() }).unwrap();
    };
    click(&first);
    catch_up(&mut running).await;
    // Where the first partition and the site's keep their marks there is something else.
    let marks = server.command(&["KEYS", "sl{*}v"]);
    assert_eq!(marks.len(), 2);
    for mark in &marks {
        server.command(&["DEL", mark]);
        server.command(&["RPUSH", mark, "x"]);
    }
    [&first, &last, &last].into_iter().for_each(|code| click(code));
    running.round(now()).await.unwrap_err();
    assert_eq!(figures.snapshot().counted, 3);
    marks.iter().for_each(|mark| drop(server.command(&["DEL", mark])));
    catch_up(&mut running).await;
    assert_eq!(figures.snapshot().counted, 4);
}

/// A round of all of them kept a store so long that it did not answer in time.
#[tokio::test]
async fn so_many_links_are_counted_in_several_rounds() {
    let folder = tempfile::tempdir().unwrap();
    let store = embedded(folder.path()).await;
    let journal = Arc::new(Journal::open(&folder.path().join("journal"), 1 << 20, false).unwrap());
    let mut writer = journal.writer().unwrap();
    let clicks = 40_000;
    click(&mut writer, 0, clicks, clicks);
    let mut running = rollup(&store, &journal);
    assert_eq!(running.round(now()).await.unwrap(), Round::Behind);
    let Account { counted, pending, .. } = running.account(now()).await.unwrap();
    assert_eq!(counted + pending, clicks as u64);
    assert!((20_000..30_000).contains(&counted), "{counted} in one round");
    catch_up(&mut running).await;
    assert_eq!(running.account(now()).await.unwrap().pending, 0);
}

#[tokio::test]
async fn a_click_of_a_day_to_come_forgets_no_secret_of_today() {
    let folder = tempfile::tempdir().unwrap();
    let (store, journal) = (embedded(folder.path()).await, journal(folder.path()));
    let mut writer = journal.writer().unwrap();
    let mut running = rollup(&store, &journal);
    let address = Some([198, 51, 100, 7].into());
    let source = Source { agent: FIREFOX, address, ..Source::default() };
    let today = Quarter::of(now()).day();
    let secret = store.salt(today, &[1; 16], Day(0)).await.unwrap();
    for days in [0, 9, 0] {
        let at_ms = NOON + days * 86_400_000;
        writer.append(&Click { at_ms, code: "code", source }).unwrap();
        catch_up(&mut running).await;
    }
    assert_eq!(store.salt(today, &[2; 16], Day(0)).await.unwrap(), secret);
    let ask = Ask { day: today, quarters: false, names: false, sketch: false };
    let days = store.days(&Subject::Site, &[ask]).await.unwrap();
    assert_eq!(days[0].1.whole.figures().visitors, 1);
}
