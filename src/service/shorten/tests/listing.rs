//! Pages of links.

use super::*;
use crate::model::link::State;

/// Ten links, one a second: odd ones tagged, every third one titled.
async fn ten(desk: &Desk) -> Vec<Link> {
    let mut links = Vec::new();
    for n in 0..10 {
        let wish = NewLink {
            title: (n % 3 == 0).then(|| format!("Große Geschichte {n}")),
            tags: if n % 2 == 1 { vec!["odd".into()] } else { vec![] },
            ..wish(&format!("https://example.org/story-{n}"))
        };
        links.push(desk.new_link(wish, at(n)).await);
    }
    links
}

/// All pages, one after another.
async fn pages(desk: &Desk, by: &Principal, query: Query) -> Vec<Vec<String>> {
    let (mut query, mut pages) = (query, Vec::new());
    loop {
        let page = desk.list(by, &query, at(50)).await.unwrap();
        pages.push(page.items.iter().map(|link| link.target.to_string()).collect());
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return pages,
        }
    }
}

fn stories(numbers: &[usize]) -> Vec<String> {
    numbers.iter().map(|n| format!("https://example.org/story-{n}")).collect()
}

#[tokio::test]
async fn pages_are_newest_first_and_hold_no_link_twice() {
    let desk = desk();
    ten(&desk).await;
    let query = Query { limit: Some(4), ..Query::default() };
    let all = pages(&desk, &desk.by, query).await;
    assert_eq!(all, [stories(&[9, 8, 7, 6]), stories(&[5, 4, 3, 2]), stories(&[1, 0])]);
    let exact = Query { limit: Some(5), ..Query::default() };
    assert_eq!(pages(&desk, &desk.by, exact).await.len(), 2);
}

#[tokio::test]
async fn conditions_hold_together() {
    let desk = desk();
    let links = ten(&desk).await;
    let tagged = Query { tag: Some("odd".into()), limit: Some(3), ..Query::default() };
    let found = pages(&desk, &desk.by, tagged.clone()).await.concat();
    assert_eq!(found, stories(&[9, 7, 5, 3, 1]));
    let both = Query { q: Some("GESCHICHTE".into()), ..tagged };
    assert_eq!(pages(&desk, &desk.by, both).await.concat(), stories(&[9, 3]));
    let code = Query { q: Some(links[4].code.as_str().to_lowercase()), ..Query::default() };
    assert_eq!(pages(&desk, &desk.by, code).await.concat(), stories(&[4]));
    let target = Query { q: Some("STORY-7".into()), ..Query::default() };
    assert_eq!(pages(&desk, &desk.by, target).await.concat(), stories(&[7]));
}

#[tokio::test]
async fn deleted_links_show_only_when_asked_for() {
    let desk = desk();
    let links = ten(&desk).await;
    desk.delete(&desk.by, links[9].code.as_str()).await.unwrap();
    let all = pages(&desk, &desk.by, Query::default()).await.concat();
    assert_eq!(all, stories(&[8, 7, 6, 5, 4, 3, 2, 1, 0]));
    let deleted = Query { state: Some(State::Deleted), ..Query::default() };
    assert_eq!(pages(&desk, &desk.by, deleted).await.concat(), stories(&[9]));
}

#[tokio::test]
async fn finding_by_target_gives_all_codes_of_the_article() {
    let desk = desk();
    let landing = format!("{STORY}?utm_source=x");
    for (second, wish) in [
        wish(STORY),
        NewLink { new_code: true, ..wish(STORY) },
        NewLink { keep_tracking: true, ..wish(&landing) },
        wish("https://example.org/else"),
    ]
    .into_iter()
    .enumerate()
    {
        desk.new_link(wish, at(second as i64)).await;
    }
    let query =
        |target: &str| Query { target: Some(target.into()), limit: Some(2), ..Query::default() };
    for target in [STORY, &*landing] {
        let found = pages(&desk, &desk.by, query(target)).await;
        assert_eq!(found, [vec![landing.clone(), STORY.into()], vec![STORY.into()]]);
    }
    assert_eq!(pages(&desk, &desk.by, query("https://example.org/none")).await, [[""; 0]]);
}

#[tokio::test]
async fn a_mint_key_lists_its_own_links_and_a_read_key_all() {
    let desk = desk();
    ten(&desk).await;
    let other = key("otherkey", &[Scope::Mint]);
    let own = NewLink { tags: vec!["odd".into()], ..wish(STORY) };
    desk.mint(&other, own, at(20)).await.unwrap();
    assert_eq!(pages(&desk, &other, Query::default()).await.concat(), [STORY]);
    let tagged = Query { tag: Some("odd".into()), ..Query::default() };
    assert_eq!(pages(&desk, &other, tagged).await.concat(), [STORY]);
    assert_eq!(pages(&desk, &desk.by, Query::default()).await.concat().len(), 10);
    let reader = key("analysts", &[Scope::Read]);
    assert_eq!(pages(&desk, &reader, Query::default()).await.concat().len(), 11);
}

#[tokio::test]
async fn a_search_that_finds_little_goes_on_at_the_next_page() {
    let desk = desk();
    let rows = (0..5_600).map(|n| wish(&format!("https://example.org/{n}."))).collect();
    desk.mint_many(&desk.by, rows, at(0)).await.unwrap();
    let rare = Query { q: Some("/17.".into()), ..Query::default() };
    let found = pages(&desk, &desk.by, rare).await;
    assert_eq!((found.len(), found.concat().len()), (2, 1));
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let desk = desk();
    ten(&desk).await;
    let first = Query { limit: Some(1), ..Query::default() };
    let cursor = desk.list(&desk.by, &first, at(50)).await.unwrap().next_cursor;
    let forged = cursor.clone().map(|cursor| format!("{}7a7a7a", &cursor[..8]));
    for (query, name) in [
        (Query { limit: Some(0), ..Query::default() }, "limit"),
        (Query { limit: Some(1_001), ..Query::default() }, "limit"),
        (Query { tag: Some(" ".into()), ..Query::default() }, "tag"),
        (Query { target: Some("mailto:a@b".into()), ..Query::default() }, "target"),
        (Query { cursor: Some("zz".into()), ..Query::default() }, "cursor"),
        (Query { cursor: forged, ..Query::default() }, "cursor"),
        (Query { cursor, q: Some("x".into()), ..Query::default() }, "cursor"),
    ] {
        match desk.list(&desk.by, &query, at(50)).await {
            Err(ShortenError::Query(bad)) => assert_eq!(bad.name(), name, "{query:?}"),
            other => panic!("{query:?}: {other:?}"),
        }
    }
}
