//! What an analyst asks: figures of links, articles, tags, keys and the site, as JSON and CSV.

use jiff::Timestamp;
use serde_json::json;
use slugline::model::click::{Click, Source};
use slugline::store::journal::Journal;

use super::*;
use crate::support::{HOME, Peer};

const SITE: &str = "/api/v1/stats";
const TOP: &str = "/api/v1/stats/top";
const ORPHANS: &str = "/api/v1/stats/orphans";
const AUDIT: &str = "/api/v1/audit";
const FIGURES: [&str; 4] = ["clicks", "people", "bots", "visitors"];

fn code_of(link: &Value) -> &str {
    link["code"].as_str().unwrap()
}

fn clicks(rows: &Value) -> u64 {
    rows.as_array().unwrap().iter().map(|row| row["clicks"].as_u64().unwrap()).sum()
}

async fn ask_as(app: &TestApp, key: &str, path: &str) -> Answer {
    send(app.anonymous(Method::GET, path).bearer_auth(key)).await
}

/// The lines of a CSV.
fn lines(csv: &Answer) -> Vec<&str> {
    assert_eq!(csv.status, 200, "{csv:?}");
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8; header=present");
    csv.text.strip_suffix("\r\n").unwrap().split("\r\n").collect()
}

#[actix_web::test]
async fn a_report_has_exactly_the_agreed_members_and_its_rows_add_up() {
    let app = TestApp::spawn().await;
    let link = app.mint(json!({"url": STORY, "tags": ["world"]})).await;
    let code = code_of(&link);
    app.follow(code, 3).await;
    let path = format!("{LINKS}/{code}/stats");
    let report = app.get(&path).await.json();
    let agreed = ["from", "to", "by", "tz", "total", "series", "breakdowns", "codes"];
    assert_eq!(members(&report), BTreeSet::from(agreed));
    assert_eq!((&report["by"], &report["tz"]), (&json!("hour"), &json!("UTC")));
    assert_eq!(members(&report["total"]), BTreeSet::from(FIGURES));
    assert_eq!(
        members(&report["series"][0]),
        BTreeSet::from(["start"]).into_iter().chain(FIGURES).collect()
    );
    assert_eq!(report["series"][0]["start"], report["from"]);
    assert_eq!((&report["total"]["clicks"], &report["codes"]), (&json!(3), &json!([code])));
    assert_eq!(clicks(&report["series"]), 3);

    let dimensions = ["referrers", "countries", "browsers", "platforms", "devices", "bot_families"];
    assert_eq!(members(&report["breakdowns"]), BTreeSet::from(dimensions));
    let all = app.get(&format!("{path}?include=bots")).await.json();
    for dimension in dimensions {
        let whole = if dimension == "bot_families" { "bots" } else { "people" };
        assert_eq!(clicks(&report["breakdowns"][dimension]), report["total"][whole]);
        let whole = if dimension == "bot_families" { "bots" } else { "clicks" };
        assert_eq!(clicks(&all["breakdowns"][dimension]), all["total"][whole]);
    }
    assert_eq!(members(&all["breakdowns"]["browsers"][0]), BTreeSet::from(["id", "clicks"]));

    let compared = app.get(&format!("{path}?last=7d&compare=previous")).await.json();
    let previous = &compared["previous"];
    assert_eq!(members(previous), BTreeSet::from(["from", "to", "total"]));
    assert_eq!((&previous["to"], &previous["total"]["clicks"]), (&compared["from"], &json!(0)));
}

#[actix_web::test]
async fn clicks_count_for_link_article_tag_key_and_site() {
    let app = TestApp::spawn().await;
    let tag = "réseaux sociaux";
    let link = app.mint(json!({"url": STORY, "tags": [tag, "world"]})).await;
    let second = app.mint(json!({"url": STORY, "new_code": true, "tags": ["world"]})).await;
    let other = app.mint(json!({"url": "https://e.org/other"})).await;
    for (link, times) in [(&link, 3), (&second, 2), (&other, 1)] {
        app.follow(code_of(link), times).await;
    }
    let owner = link["owner"].as_str().unwrap();
    let article = format!("/api/v1/targets/stats?url={STORY}%3Futm_source=x");
    for (path, expected) in [
        (format!("{LINKS}/{}/stats", code_of(&second)), 2),
        (article.clone(), 5),
        ("/api/v1/tags/world/stats".into(), 5),
        ("/api/v1/tags/r%C3%A9seaux%20sociaux/stats".into(), 3),
        ("/api/v1/tags/never%2Fseen/stats".into(), 0),
        (format!("/api/v1/keys/{owner}/stats"), 6),
        (SITE.into(), 6),
    ] {
        let join = if path.contains('?') { '&' } else { '?' };
        for window in ["last=2h", "last=24h", "last=7d", "last=2w", "last=30d", "last=all", ""] {
            let report = app.get(&format!("{path}{join}{window}")).await;
            assert_eq!(report.status, 200, "{path} {window}: {report:?}");
            assert_eq!(report.json()["total"]["clicks"], expected, "{path} {window}");
        }
    }
    let codes = app.get(&article).await.json()["codes"].clone();
    assert_eq!(codes, json!([code_of(&link), code_of(&second)]));
    // A deleted link keeps its figures.
    app.delete(&path_of(&link)).await;
    assert_eq!(app.get(&article).await.json()["total"]["clicks"], 5);
    for unknown in
        ["links/nowhere/stats", "targets/stats?url=https://e.org/nowhere", "keys/aaaaaaaa/stats"]
    {
        let refused = app.get(&format!("/api/v1/{unknown}")).await;
        assert_eq!(refused.problem(), (404, "not-found".into()), "{unknown}");
    }
}

#[actix_web::test]
async fn the_most_clicked_links_are_ranked() {
    let app = TestApp::spawn().await;
    let title = "=HYPERLINK(\"https://evil.example\")";
    let link = app.mint(json!({"url": STORY, "title": title})).await;
    let other = app.mint(json!({"url": "https://e.org/a,b"})).await;
    app.mint(json!({"url": "https://e.org/unclicked"})).await;
    app.follow(code_of(&link), 1).await;
    app.follow(code_of(&other), 2).await;
    let top = app.get(TOP).await.json();
    assert_eq!(members(&top), BTreeSet::from(["from", "to", "by", "items"]));
    let item = &top["items"][1];
    let agreed = BTreeSet::from(["code", "short_url", "target", "title"]);
    assert_eq!(members(item), agreed.into_iter().chain(FIGURES).collect());
    assert_eq!((&item["code"], &item["title"]), (&link["code"], &json!(title)));
    assert_eq!((&item["short_url"], &item["target"]), (&link["short_url"], &json!(STORY)));
    let ranked = top["items"].as_array().unwrap().iter();
    let ranked: Vec<_> = ranked.map(|item| (&item["code"], &item["clicks"])).collect();
    assert_eq!(ranked, [(&other["code"], &json!(2)), (&link["code"], &json!(1))]);
    let first = app.get(&format!("{TOP}?limit=1&last=2h")).await.json();
    assert_eq!(first["items"].as_array().unwrap().len(), 1);
    let earlier = app.get(&format!("{TOP}?from=2020-01-01&to=2020-02-01&by=people")).await.json();
    assert_eq!((&earlier["items"], &earlier["by"]), (&json!([]), &json!("people")));

    // What a publisher typed is no formula in an editor's spreadsheet.
    let csv = app.get(&format!("{TOP}?format=csv")).await;
    let told = lines(&csv);
    assert_eq!(told[0].replace('"', ""), "code,short_url,target,title,clicks,people,bots,visitors");
    let code = code_of(&other);
    let start = format!("\"{code}\",\"{HOME}/{code}\",\"https://e.org/a,b\",\"\",2,");
    assert!(told[1].starts_with(&start), "{}", told[1]);
    assert!(told[2].contains(",\"'=HYPERLINK(\"\"https://evil.example\"\")\","), "{}", told[2]);
}

#[actix_web::test]
async fn a_table_of_a_report_is_had_as_csv() {
    let app = TestApp::spawn().await;
    let link = app.mint(json!({"url": STORY})).await;
    let code = code_of(&link);
    app.follow(code, 2).await;
    let path =
        format!("{LINKS}/{code}/stats?from=2026-11-22&to=2026-11-24&tz=Europe/Berlin&by=day");
    let series = app.get(&format!("{path}&format=csv")).await;
    let name =
        format!("attachment; filename=\"slugline-{code}-series-2026-11-22--2026-11-23.csv\"");
    assert_eq!(series.header("content-disposition"), name);
    let told = lines(&series);
    assert_eq!(told[0], r#""start","clicks","people","bots","visitors""#);
    assert_eq!(told[1], r#""2026-11-21T23:00:00Z",0,0,0,0"#);
    assert_eq!(told.len(), 3);

    let path = format!("{LINKS}/{code}/stats");
    let request = |accept: &str| app.request(Method::GET, &path).header("Accept", accept);
    let json = app.get(&path).await.json();
    let csv = send(request("text/csv")).await;
    let rows = json["series"].as_array().unwrap().len();
    assert_eq!((lines(&csv).len(), csv.header("vary")), (1 + rows, "Accept"));
    for accept in ["*/*", "application/json", "text/csv;q=0.5, application/json"] {
        assert_eq!(send(request(accept)).await.header("content-type"), "application/json");
    }
    let refused = send(request("text/html")).await;
    assert_eq!(refused.problem(), (406, "not-acceptable".into()));
    assert_eq!(refused.json()["field"], "Accept");
    let asked = app.request(Method::GET, &format!("{path}?format=json"));
    assert_eq!(send(asked.header("Accept", "text/html")).await.status, 200);

    for table in ["referrers", "countries", "browsers", "platforms", "devices", "bot_families"] {
        let csv = app.get(&format!("{path}?include=bots&format=csv&table={table}")).await;
        let told = lines(&csv);
        assert_eq!(told[0], r#""id","clicks""#);
        let sum: u64 = told[1..]
            .iter()
            .map(|line| line.split_once(',').unwrap().1.parse::<u64>().unwrap())
            .sum();
        let whole = if table == "bot_families" { "bots" } else { "clicks" };
        assert_eq!(sum, json["total"][whole], "{table}: {told:?}");
    }
}

#[actix_web::test]
async fn requests_for_unknown_codes_are_told_with_where_they_came_from() {
    let write = |folder: &std::path::Path| {
        let journal = Journal::open(&folder.join("journal"), 1 << 20, false).unwrap();
        let mut writer = journal.writer().unwrap();
        let at_ms = Timestamp::now().as_millisecond();
        for code in ["lost", "-x", "lost"] {
            writer.append_orphan(&Click { at_ms, code, source: Source::default() }).unwrap();
        }
    };
    let app = TestApp::spawn_after(write, Peer::Network).await;
    app.until_counted().await;
    let shown = async { while app.get(ORPHANS).await.json()["total"]["clicks"] != 3 {} };
    tokio::time::timeout(std::time::Duration::from_secs(60), shown).await.unwrap();
    let report = app.get(ORPHANS).await.json();
    let agreed = ["from", "to", "by", "tz", "total", "series", "breakdowns", "codes", "hits"];
    assert_eq!(members(&report), BTreeSet::from(agreed));
    assert_eq!(members(&report["breakdowns"]), BTreeSet::from(["referrers"]));
    assert_eq!(clicks(&report["breakdowns"]["referrers"]), 3);
    assert_eq!(report["codes"], json!([{"id": "lost", "clicks": 2}, {"id": "-x", "clicks": 1}]));
    let hit = &report["hits"][0];
    assert_eq!(members(hit), BTreeSet::from(["code", "referrer", "clicks"]));
    assert_eq!((&hit["code"], &hit["clicks"]), (&json!("lost"), &json!(2)));
    let first = app.get(&format!("{ORPHANS}?limit=1")).await.json();
    let expected = json!([{"id": "lost", "clicks": 2}, {"id": "other", "clicks": 1}]);
    assert_eq!(first["codes"], expected);
    // What strangers type is no formula either.
    let csv = app.get(&format!("{ORPHANS}?format=csv&table=codes")).await;
    assert_eq!(lines(&csv), [r#""id","clicks""#, r#""lost",2"#, r#""'-x",1"#]);
    let csv = app.get(&format!("{ORPHANS}?format=csv&table=hits")).await;
    assert_eq!(lines(&csv)[0], r#""code","referrer","clicks""#);
    assert_eq!(app.get(SITE).await.json()["total"]["clicks"], 0, "these are no clicks");
}

#[actix_web::test]
async fn each_key_reads_what_it_may() {
    let app = TestApp::spawn().await;
    let link = app.mint(json!({"url": STORY})).await;
    let (desk, reader) = (app.key(&["mint"]).await, app.key(&["read"]).await);
    let minted = app.anonymous(Method::POST, LINKS).bearer_auth(&desk);
    let own = send(minted.json(&json!({"url": STORY, "new_code": true}))).await.json();
    app.follow(code_of(&link), 2).await;
    app.follow(code_of(&own), 1).await;
    let article = format!("/api/v1/targets/stats?url={STORY}");
    let path = |link: &Value| format!("{}/stats", path_of(link));
    let key = |link: &Value| format!("/api/v1/keys/{}/stats", link["owner"].as_str().unwrap());
    for (path, expected) in [(path(&own), 1), (article.clone(), 1), (key(&own), 1)] {
        let report = ask_as(&app, &desk, &path).await;
        assert_eq!((report.status, &report.json()["total"]["clicks"]), (200, &json!(expected)));
    }
    assert_eq!(ask_as(&app, &reader, &article).await.json()["total"]["clicks"], 3);
    app.mint(json!({"url": "https://e.org/not-of-the-desk"})).await;
    let foreign = "/api/v1/targets/stats?url=https://e.org/not-of-the-desk".to_owned();
    let site = [SITE, TOP, ORPHANS, AUDIT, "/api/v1/tags/world/stats"].map(str::to_owned);
    for path in site.into_iter().chain([path(&link), key(&link), foreign]) {
        let refused = ask_as(&app, &desk, &path).await;
        assert_eq!(refused.problem(), (403, "forbidden".into()), "{path}");
        assert_eq!(ask_as(&app, &reader, &path).await.status, 200, "{path}");
        assert_eq!(send(app.anonymous(Method::GET, &path)).await.status, 401, "{path}");
    }
    for key in [&desk, &reader] {
        let refused = send(app.anonymous(Method::DELETE, &path(&own)).bearer_auth(key)).await;
        assert_eq!(refused.problem(), (403, "forbidden".into()));
    }
}

#[actix_web::test]
async fn deleting_figures_leaves_the_link_and_a_line_in_the_audit() {
    let app = TestApp::spawn().await;
    let link = app.mint(json!({"url": STORY, "tags": ["world"]})).await;
    let code = code_of(&link);
    app.follow(code, 2).await;
    // The last one waits in the journal, or not: it goes with the others.
    assert_eq!(send(app.anonymous(Method::GET, &format!("/{code}"))).await.status, 302);
    let path = format!("{LINKS}/{code}/stats");
    assert_eq!(app.get(AUDIT).await.json()["deletions"], json!([]));
    let deleted = app.delete(&path).await;
    assert_eq!((deleted.status, deleted.json()), (200, json!({"code": code, "deleted_clicks": 3})));
    assert_eq!(app.get(&path).await.json()["total"]["clicks"], 0);
    assert_eq!(app.get(SITE).await.json()["total"]["clicks"], 3);
    assert_eq!(app.get("/api/v1/tags/world/stats").await.json()["total"]["clicks"], 3);
    let audit = app.get(AUDIT).await.json();
    let line = &audit["deletions"][0];
    let expected = json!({"at": line["at"], "by": link["owner"], "code": code, "clicks": 3});
    assert_eq!((audit["deletions"].as_array().unwrap().len(), line), (1, &expected));
    assert_eq!(audit["total"]["counted"], 3);
    // The link goes on, and is counted from zero.
    app.follow(code, 1).await;
    assert_eq!(app.get(&path).await.json()["total"]["clicks"], 1);
    let unknown = app.delete(&format!("{LINKS}/nowhere/stats")).await;
    assert_eq!(unknown.problem(), (404, "not-found".into()));
}
