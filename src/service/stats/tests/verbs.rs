//! Each verb, and each rule of it, by example.

use super::*;
use crate::store::conformance::redis_server::RedisServer;
use crate::store::conformance::{block_on, with_cluster};

/// Makes a test of each function for each store.
macro_rules! over_each_store {
    ($($name:ident)+) => {
        mod on_embedded {
            $(#[tokio::test]
            async fn $name() {
                let folder = tempfile::tempdir().unwrap();
                let office = super::embedded(folder.path()).await;
                super::$name(&office).await;
                office.runner.finish().await;
            })+
        }
        mod on_redis {
            $(#[tokio::test]
            async fn $name() {
                let (server, folder) = (super::RedisServer::start(), tempfile::tempdir().unwrap());
                let office = super::redis(&server.url(), folder.path()).await;
                super::$name(&office).await;
                office.runner.finish().await;
            })+
        }
        mod on_redis_cluster {
            $(#[test]
            fn $name() {
                let folder = tempfile::tempdir().unwrap();
                super::with_cluster(|cluster| {
                    super::block_on(async {
                        let office = super::redis(&cluster.url(), folder.path()).await;
                        super::$name(&office).await;
                        // Before another test has the cluster.
                        office.runner.finish().await;
                    });
                });
            })+
        }
    };
}

over_each_store! {
    the_last_millisecond_of_a_day_counts_for_it
    a_reader_is_one_visitor_a_day_in_all_links_of_an_article
    the_window_before_is_told_when_it_is_asked_for
    all_there_is_begins_with_the_first_click_or_the_minting
    rankings_asked_for_at_once_all_tell_the_same
    a_mint_key_reads_its_own_links_and_itself
    what_is_not_there_is_told_apart_from_what_was_not_clicked
    deleted_figures_are_gone_and_what_waited_in_the_journal_with_them
}

async fn the_last_millisecond_of_a_day_counts_for_it(office: &Office) {
    let edges = ["2026-11-20T23:59:59.999Z", "2026-11-21T00:00:00Z", "2026-11-21T22:59:59.999Z"];
    office.count(&edges.map(|moment| click(0, moment, 1))).await;
    let window = |tz| between("2026-11-19T00:00:00Z", "2026-11-23T00:00:00Z", By::Day, tz);
    let rows = |report: &Report| clicks_by_row(report);
    let utc = office.ask(&Whose::Site, &window("UTC")).await;
    let expected = [("2026-11-20T00:00:00Z".to_owned(), 1), ("2026-11-21T00:00:00Z".to_owned(), 2)];
    assert_eq!(rows(&utc), expected);
    let berlin = office.ask(&Whose::Site, &window("Europe/Berlin")).await;
    assert_eq!(rows(&berlin), [("2026-11-20T23:00:00Z".to_owned(), 3)]);
    // A window counts a quarter-hour whole or not at all.
    let narrow = between("2026-11-20T23:45:00Z", "2026-11-21T00:00:00Z", By::Hour, "UTC");
    assert_eq!(office.ask(&Whose::Site, &narrow).await.total.count.clicks(), 1);
    let wider = between("2026-11-20T23:59:59.999Z", "2026-11-21T00:00:00.001Z", By::Hour, "UTC");
    assert_eq!(office.ask(&Whose::Site, &wider).await.total.count.clicks(), 2);
}

async fn a_reader_is_one_visitor_a_day_in_all_links_of_an_article(office: &Office) {
    let clicks = [
        click(0, "2026-11-20T08:00:00Z", 1),
        click(1, "2026-11-20T09:00:00Z", 1),
        click(1, "2026-11-20T09:01:00Z", 2),
        click(0, "2026-11-21T08:00:00Z", 1),
        click(2, "2026-11-20T08:00:00Z", 3),
        bot(0, "2026-11-20T08:00:00Z"),
    ];
    office.count(&clicks).await;
    for by in [By::Hour, By::Day, By::Week] {
        let window = between("2026-11-20T00:00:00Z", "2026-11-22T00:00:00Z", by, "Asia/Tehran");
        // In any form of its address.
        let address = format!("{STORY}?utm_source=newsletter");
        let report = office.ask(&Whose::Article(address), &window).await;
        assert_eq!(report.total.count, Count { people: 4, bots: 1 });
        assert_eq!(report.total.visitors, 3, "two on the one day, one on the other");
        assert_eq!(report.codes, [code("story1"), code("story2")]);
    }
    let hours = between("2026-11-20T08:00:00Z", "2026-11-20T10:00:00Z", By::Hour, "UTC");
    let report = office.ask(&Whose::Article(STORY.into()), &hours).await;
    let visitors: Vec<u64> = report.rows.iter().map(|(_, f)| f.visitors).collect();
    assert_eq!((visitors, report.total.visitors), (vec![1, 2], 2));
}

#[tokio::test]
async fn a_day_whose_hours_are_gone_falls_on_the_day_it_overlaps_most() {
    let folder = tempfile::tempdir().unwrap();
    let office = embedded(folder.path()).await;
    let clicks = [
        click(0, "2026-11-01T00:10:00Z", 1),
        click(0, "2026-11-01T23:50:00Z", 1),
        bot(0, "2026-11-01T12:00:00Z"),
        click(0, "2026-11-03T23:50:00Z", 2),
    ];
    office.count(&clicks).await;
    let kept = Quarter::of(at("2026-11-03T00:00:00Z")).day();
    while office.store.sweep(kept, Day(0)).await.unwrap() {}
    for (tz, old, new) in [
        ("UTC", "2026-11-01T00:00:00Z", "2026-11-03T00:00:00Z"),
        ("Asia/Tokyo", "2026-10-31T15:00:00Z", "2026-11-03T15:00:00Z"),
        ("Pacific/Auckland", "2026-11-01T11:00:00Z", "2026-11-03T11:00:00Z"),
        ("Pacific/Honolulu", "2026-11-01T10:00:00Z", "2026-11-03T10:00:00Z"),
    ] {
        let window = between("2026-10-30T00:00:00Z", "2026-11-05T00:00:00Z", By::Day, tz);
        let report = office.ask(&link(0), &window).await;
        assert_eq!(clicks_by_row(&report), [(old.to_owned(), 3), (new.to_owned(), 1)], "{tz}");
        assert_eq!((report.total.count.bots, report.total.visitors), (1, 2), "{tz}");
        let referrers = report.breakdown.of(Dimension::Referrer).sum();
        assert_eq!(referrers, report.total.count, "{tz}");
    }
    // All of it or nothing, by its noon; the same in a ranking.
    for (from, to, clicks) in [
        ("2026-11-01T00:00:00Z", "2026-11-01T12:00:00Z", 0),
        ("2026-11-01T12:00:00Z", "2026-11-01T12:15:00Z", 3),
    ] {
        let window = between(from, to, By::Hour, "UTC");
        assert_eq!(office.ask(&link(0), &window).await.total.count.clicks(), clicks);
        let top = office.top(&admin(), &window, Rank::Clicks, 9, now()).await.unwrap();
        let ranked: u64 = top.links.iter().map(|(_, figures)| figures.count.clicks()).sum();
        assert_eq!(ranked, clicks);
    }
}

async fn rankings_asked_for_at_once_all_tell_the_same(office: &Office) {
    let clicks = [
        click(0, "2026-11-20T08:00:00Z", 1),
        click(0, "2026-11-21T09:00:00Z", 1),
        click(1, "2026-11-22T09:01:00Z", 2),
        bot(2, "2026-11-22T09:01:00Z"),
    ];
    office.count(&clicks).await;
    let window = between("2026-11-20T00:00:00Z", "2026-11-22T12:00:00Z", By::Day, "UTC");
    let (by, other) = (admin(), office.over(&office.links.fork()));
    let asked = [&office.stats, &other, &office.stats, &other];
    let asked = asked.map(|stats| stats.top(&by, &window, Rank::Clicks, 9, now()));
    for told in futures_util::future::join_all(asked).await {
        let told = told.unwrap().links.into_iter();
        let told: Vec<_> = told.map(|(link, f)| (link.code, f.count, f.visitors)).collect();
        let count = |people, bots| Count { people, bots };
        let [first, second, third] = ["story1", "story2", "other1"].map(code);
        // Equal ones in the order of their codes.
        assert_eq!(
            told,
            [(first, count(2, 0), 2), (third, count(0, 1), 0), (second, count(1, 0), 1)]
        );
    }
}

#[tokio::test]
async fn ever_new_names_are_told_as_one_beyond_a_bound_and_no_click_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let office = embedded(folder.path()).await;
    let first = Quarter::of(at("2026-09-01T00:00:00Z")).day().0;
    let mut rows = BTreeMap::<(Day, Subject), Row>::new();
    for day in first..first + 60 {
        let cell = rows.entry((Day(day), Subject::Orphans)).or_default().cell(40);
        cell.count.bots = 401;
        let names = cell.breakdown.of_mut(Dimension::Code);
        for n in 0..400 {
            let new = crate::model::tally::name(&format!("{n}-of-day-{day}"));
            names.add(&new, Count { people: 0, bots: 1 });
        }
        names.add(&crate::model::tally::name("often"), Count { people: 0, bots: 1 });
    }
    office.apply("a", rows).await;
    let window = between("2026-09-01T00:00:00Z", "2026-11-01T00:00:00Z", By::Day, "UTC");
    let report = office.ask(&Whose::Orphans, &window).await;
    let codes = report.breakdown.of(Dimension::Code);
    assert!(codes.named().len() <= 20_000, "{}", codes.named().len());
    assert_eq!(codes.sum(), Count { people: 0, bots: 60 * 401 });
    assert_eq!(report.total.count, codes.sum());
    let often = codes.named().find(|(name, _)| name.as_ref() == "often").unwrap();
    assert_eq!(often.1.bots, 60);
}

async fn the_window_before_is_told_when_it_is_asked_for(office: &Office) {
    // Three days around the end of summer time in Berlin, and three before.
    let clicks = [
        click(0, "2026-10-20T22:00:00Z", 1),
        click(0, "2026-10-23T21:59:59Z", 2),
        bot(0, "2026-10-21T12:00:00Z"),
        click(0, "2026-10-23T22:00:00Z", 1),
        click(0, "2026-10-20T21:59:59Z", 1),
    ];
    office.count(&clicks).await;
    let window = between("2026-10-23T22:00:00Z", "2026-10-26T23:00:00Z", By::Day, "Europe/Berlin");
    let report = office.ask(&link(0), &Query { previous: true, ..window.clone() }).await;
    let (from, total) = report.previous.unwrap();
    assert_eq!(from, at("2026-10-20T22:00:00Z"));
    assert_eq!(total, Figures { count: Count { people: 2, bots: 1 }, visitors: 2 });
    assert_eq!(report.total.count.clicks(), 1);
    assert_eq!(office.ask(&link(0), &window).await.previous, None);
}

async fn all_there_is_begins_with_the_first_click_or_the_minting(office: &Office) {
    let all = Query { last: Some(Last::All), ..Query::default() };
    let month = Query::default();
    assert_eq!(
        office.ask(&Whose::Site, &all).await.from,
        office.ask(&Whose::Site, &month).await.from
    );
    office.count(&[click(0, "2024-02-29T23:00:00Z", 1), click(1, "2026-11-23T12:06:00Z", 1)]).await;
    let site = office.ask(&Whose::Site, &all).await;
    assert_eq!((site.from, site.to), (at("2024-02-29T00:00:00Z"), at("2026-11-23T12:15:00Z")));
    assert_eq!(site.total.count.people, 2);
    let minted = office.ask(&link(0), &all).await;
    assert_eq!(minted.from, at("2026-10-12T00:00:00Z"));
    // The first day is found by itself, however long ago the window begins.
    let long = between("1970-01-01T00:00:00Z", "2030-01-01T00:00:00Z", By::Month, "UTC");
    assert_eq!(office.ask(&Whose::Site, &long).await.total.count.people, 2);
    let top = office.top(&admin(), &all, Rank::Clicks, 9, now()).await.unwrap();
    assert_eq!((top.from, top.links.len()), (site.from, 2));
    let long = office.top(&admin(), &long, Rank::Clicks, 9, now()).await;
    assert!(matches!(long, Err(StatsError::TooLong)));
}

async fn a_mint_key_reads_its_own_links_and_itself(office: &Office) {
    let clicks = [0, 0, 1].map(|link| click(link, "2026-11-20T08:00:00Z", 1));
    office.count(&clicks).await;
    let ask = async |by: &Principal, whose: Whose| {
        office.report(by, &whose, &Query::default(), now()).await.map(|r| r.total.count.clicks())
    };
    let (news, sport) = (desk(0), desk(1));
    let key = |n: usize| Whose::Key(DESKS[n].into());
    assert_eq!(ask(&news, link(0)).await.unwrap(), 2);
    assert_eq!(ask(&news, Whose::Article(STORY.into())).await.unwrap(), 2);
    assert_eq!(ask(&sport, Whose::Article(STORY.into())).await.unwrap(), 1);
    assert_eq!(ask(&admin(), Whose::Article(STORY.into())).await.unwrap(), 3);
    assert_eq!(ask(&news, key(0)).await.unwrap(), 2);
    for (by, whose) in [
        (&sport, link(0)),
        (&sport, Whose::Article(OTHER_STORY.into())),
        (&sport, key(0)),
        (&sport, Whose::Key("unknown2".into())),
        (&sport, Whose::Key("no key".into())),
        (&news, Whose::Tag("world".into())),
        (&news, Whose::Site),
        (&news, Whose::Orphans),
    ] {
        let refused = ask(by, whose.clone()).await;
        assert!(matches!(refused, Err(StatsError::Forbidden(_))), "{whose:?}: {refused:?}");
    }
    let top = office.top(&news, &Query::default(), Rank::Clicks, 1, now()).await;
    assert!(matches!(top, Err(StatsError::Forbidden(Forbidden::ReadSite))));
    assert!(matches!(office.notes(&news).await, Err(StatsError::Forbidden(_))));
}

async fn what_is_not_there_is_told_apart_from_what_was_not_clicked(office: &Office) {
    let ask = async |whose: Whose| office.report(&admin(), &whose, &Query::default(), now()).await;
    for unknown in ["nobody", "no code"] {
        assert!(matches!(ask(Whose::Link(unknown.into())).await, Err(StatsError::NotFound(_))));
        assert!(matches!(ask(Whose::Key(unknown.into())).await, Err(StatsError::NoKey(_))));
    }
    let nowhere = Whose::Article("https://e.org/nowhere".into());
    assert!(matches!(ask(nowhere).await, Err(StatsError::NoArticle(_))));
    assert!(matches!(ask(Whose::Article("nowhere".into())).await, Err(StatsError::Target(_))));
    assert!(matches!(ask(Whose::Tag(" ".into())).await, Err(StatsError::Tag(_))));
    let known = [Whose::Key("local000".into()), Whose::Tag("nobody's".into()), Whose::Orphans];
    for known in known.into_iter().chain([link(0), Whose::Site]) {
        assert_eq!(ask(known).await.unwrap().total, Figures::default());
    }
}

async fn deleted_figures_are_gone_and_what_waited_in_the_journal_with_them(office: &Office) {
    office.count(&[click(0, "2026-11-20T08:00:00Z", 1), click(1, "2026-11-20T08:00:00Z", 1)]).await;
    let mut writer = office.journal.writer().unwrap();
    let follow = Click {
        at_ms: at("2026-11-23T12:06:59Z").as_millisecond(),
        code: LINKS[0].0,
        source: Source::default(),
    };
    writer.append(&follow).unwrap();
    let refused = office.delete(&desk(0), LINKS[0].0, now()).await;
    assert!(matches!(refused, Err(StatsError::Forbidden(Forbidden::DeleteFigures))));
    let unknown = office.delete(&admin(), "nobody", now()).await;
    assert!(matches!(unknown, Err(StatsError::NotFound(_))));

    assert_eq!(office.delete(&admin(), LINKS[0].0, now()).await.unwrap(), 2);
    let notes = office.notes(&admin()).await.unwrap();
    let note = Note { at: now(), by: KeyId::local(), code: code(LINKS[0].0), clicks: 2 };
    assert_eq!(notes, [note]);
    let clicks =
        async |whose: Whose| office.ask(&whose, &Query::default()).await.total.count.clicks();
    assert_eq!(clicks(link(0)).await, 0);
    assert_eq!(clicks(link(1)).await, 1);
    assert_eq!(clicks(Whose::Site).await, 3, "what was added elsewhere stays");
    let top = office.top(&admin(), &Query::default(), Rank::Clicks, 9, now()).await.unwrap();
    assert_eq!(top.links.len(), 1);
    let own = office.audit(&admin()).await.unwrap();
    assert_eq!((own[0].accepted, own[0].counted, own[0].pending), (1, 1, 0));
    // Readers go on clicking.
    writer.append(&follow).unwrap();
    office.auditor.catch_up().await.unwrap();
    assert_eq!(clicks(link(0)).await, 1);
    assert_eq!(office.delete(&admin(), LINKS[0].0, now()).await.unwrap(), 1);
}
