//! What each line comes to, over the embedded store.

use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::model::canonical::{self, Canonicalizer};
use crate::model::code::{self, Generator};
use crate::model::home::Home;
use crate::model::host::Host;
use crate::model::key::{KeyId, Scope};
use crate::model::link::{Baseline, Redirect, Tag};
use crate::model::target::Target;
use crate::service::shorten::{Edit, Minted, NewLink, Settings};
use crate::service::transfer::line::LinkLine;
use crate::store::cached::{self, Cached};
use crate::store::embedded::Embedded;
use crate::store::{Listing, Store};

/// A way in to a store of its own, and what it is compared with.
struct Gate {
    import: Import,
    shorten: Shorten,
    by: Principal,
    _folder: TempDir,
}

fn gate() -> Gate {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::Embedded(Embedded::open(folder.path(), 1 << 20).unwrap());
    let cache = cached::Settings {
        capacity: 1_000,
        fresh_for: Duration::from_secs(30),
        stale_for: Duration::from_hours(24),
        unknown_for: Duration::from_hours(1),
    };
    let settings = Settings {
        redirect: Redirect::Found,
        allow_hosts: vec!["www.example.org".into()],
        block_hosts: vec!["blocked.example".into()],
        malware_hosts: vec![],
        phishing_hosts: vec![],
        public_stats: false,
    };
    let codes = code::Settings { alphabet: "base62".into(), length: 6 };
    let shorten = Shorten::new(
        Cached::new(store, &cache),
        Arc::new(Canonicalizer::new(&canonical::Settings::default()).unwrap()),
        Arc::new(Generator::new(&codes).unwrap()),
        Home::new("https://go.example.org", &[Host::parse("goo.example.net").unwrap()]).unwrap(),
        &settings,
    );
    let by = Principal {
        key: KeyId::parse("importer").unwrap(),
        scopes: vec![Scope::Admin],
        until: None,
    };
    Gate { import: Import::new(shorten.clone(), Keep::default()), shorten, by, _folder: folder }
}

fn now() -> Timestamp {
    "2026-11-23T06:14:00.123Z".parse().unwrap()
}

impl Gate {
    async fn take(&self, lines: &[&str], on_conflict: OnConflict, run: Run) -> Report {
        let body = Bytes::from(lines.join("\n"));
        self.import.import(&self.by, body, on_conflict, run, now()).await.unwrap()
    }

    async fn keep(&self, lines: &[&str]) -> Report {
        self.take(lines, OnConflict::Keep, Run::Real).await
    }

    async fn get(&self, code: &str) -> Option<Link> {
        self.shorten.links.store().get(&Code::parse(code).unwrap()).await.unwrap()
    }

    /// The link with this code, which is there.
    async fn link(&self, code: &str) -> Link {
        self.get(code).await.unwrap_or_else(|| panic!("no link {code}"))
    }

    async fn codes_of(&self, address: &str) -> Vec<String> {
        let address = Target::from_normal_form(address);
        let entries = self.shorten.links.codes_of(&[address]).await.unwrap();
        entries[0].0.iter().map(ToString::to_string).collect()
    }

    /// Why a line is refused; it must be.
    async fn refusal(&self, line: &str) -> String {
        let report = self.keep(&[line]).await;
        assert_eq!((report.refused.len(), report.imported), (1, 0), "{line}: {report:?}");
        report.refused[0].reason.clone()
    }
}

fn line(code: &str, target: &str) -> String {
    serde_json::json!({ "code": code, "target": target }).to_string()
}

fn count(imported: usize, existing: usize, replaced: usize) -> Report {
    Report { imported, existing, replaced, ..Report::default() }
}

#[tokio::test]
async fn a_code_and_a_target_become_a_link_of_the_caller_made_now() {
    let gate = gate();
    let lines =
        [line("fb/AbC1", "http://www.example.org/a"), String::new(), line("x", "http://e.net")];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert_eq!(gate.keep(&lines).await, count(2, 0, 0));
    let link = gate.link("fb/AbC1").await;
    assert_eq!(link.target.as_str(), "http://www.example.org/a");
    assert_eq!((link.created_at, &link.owner), (now(), &gate.by.key));
    assert!(!link.verbatim && link.baseline.is_none());
    assert_eq!(gate.codes_of("http://www.example.org/a").await, ["fb/AbC1"]);
}

#[tokio::test]
async fn a_target_keeps_its_bytes_and_is_found_by_its_article() {
    let gate = gate();
    let target = "HTTP://www.Example.org:80/a|b?utm_source=x&id=7";
    assert_eq!(gate.keep(&[&line("old", target)]).await, count(1, 0, 0));
    let link = gate.link("old").await;
    assert_eq!(link.target.as_str(), target);
    assert_eq!(link.article.as_str(), "http://www.example.org/a|b?id=7");
    assert!(link.verbatim);
    let wish =
        NewLink { url: "http://www.example.org/a|b?id=7&fbclid=y".into(), ..NewLink::default() };
    let minted = gate.shorten.mint(&gate.by, wish, now()).await.unwrap();
    assert_eq!(minted, Minted::Existing(link));
}

#[tokio::test]
async fn a_whole_line_becomes_the_very_link_that_it_was_made_of() {
    let gate = gate();
    let article = Target::from_normal_form("https://www.example.org/story");
    let plain = Link {
        code: Code::parse("plain").unwrap(),
        target: article.clone(),
        article: article.clone(),
        verbatim: false,
        host: None,
        created_at: "2012-01-31T08:00:00.5Z".parse().unwrap(),
        owner: KeyId::parse("abcdefgh").unwrap(),
        title: None,
        tags: vec![],
        expires_at: None,
        redirect: None,
        forward_query: false,
        standing: Standing::Active,
        baseline: None,
    };
    let full = Link {
        code: Code::parse("full").unwrap(),
        target: Target::from_normal_form("https://www.example.org/story?utm_source=x"),
        host: Some(Host::parse("goo.example.net").unwrap()),
        title: Some("A story".into()),
        tags: vec![Tag::parse("world").unwrap(), Tag::parse("asia").unwrap()],
        expires_at: Some("2013-01-01T00:00:00Z".parse().unwrap()),
        redirect: Some(Redirect::Permanent),
        forward_query: true,
        standing: Standing::Disabled { reason: Some("withdrawn".into()) },
        baseline: Some(Baseline { clicks: 1_000, at: "2018-03-30T00:00:00Z".parse().unwrap() }),
        ..plain.clone()
    };
    let verbatim = Link {
        code: Code::parse("verbatim").unwrap(),
        target: Target::verbatim(b"https://WWW.example.org/story"),
        verbatim: true,
        ..plain.clone()
    };
    let deleted =
        Link { code: Code::parse("gone").unwrap(), standing: Standing::Deleted, ..plain.clone() };
    let links = [plain, full, verbatim, deleted];
    let lines = links.each_ref().map(|link| serde_json::to_string(&LinkLine::from(link)).unwrap());
    let lines = lines.each_ref().map(String::as_str);
    assert_eq!(gate.keep(&lines).await, count(4, 0, 0));
    for link in &links {
        assert_eq!(gate.link(link.code.as_str()).await, *link);
    }
    let exported = links.each_ref().map(|link| gate.get(link.code.as_str()));
    let exported = futures_util::future::join_all(exported).await;
    let again = exported.iter().flatten();
    let again: Vec<String> =
        again.map(|link| serde_json::to_string(&LinkLine::from(link)).unwrap()).collect();
    assert_eq!(again, lines);
}

#[tokio::test]
async fn doing_it_again_changes_nothing_and_makes_the_index_whole() {
    let gate = gate();
    let (a, b) = (line("a", "http://e.net/a?utm_source=x"), line("b", "http://e.net/b"));
    assert_eq!(gate.keep(&[&a, &b]).await, count(2, 0, 0));
    let before = gate.link("a").await;
    gate.shorten.edit(&gate.by, "b", &titled("kept"), now()).await.unwrap();
    let entry = Target::from_normal_form("http://e.net/a");
    gate.shorten.take_out(&entry, &before.code).await.unwrap();
    let later = now() + jiff::SignedDuration::from_hours(1);
    let body = Bytes::from([a.as_str(), &b, &a].join("\r\n"));
    let again = gate.import.import(&gate.by, body, OnConflict::Replace, Run::Real, later).await;
    assert_eq!(again.unwrap(), count(0, 3, 0));
    assert_eq!(gate.link("a").await, before);
    assert_eq!(gate.link("b").await.title.as_deref(), Some("kept"));
    assert_eq!(gate.codes_of("http://e.net/a").await, ["a"]);
}

fn titled(title: &str) -> Edit {
    Edit { title: Some(Some(title.into())), ..Edit::default() }
}

#[tokio::test]
async fn a_conflict_is_told_and_what_is_there_stays() {
    let gate = gate();
    let lines =
        [line("a", "http://e.net/1"), line("a", "http://e.net/2"), line("a", "http://e.net/1")];
    let report = gate.keep(&lines.each_ref().map(String::as_str)).await;
    let conflict = Remark {
        line: 2,
        code: Some("a".into()),
        reason: "the code leads to http://e.net/1".into(),
    };
    assert_eq!(report, Report { conflicts: vec![conflict], ..count(1, 1, 0) });
    assert_eq!(gate.link("a").await.target.as_str(), "http://e.net/1");
    assert_eq!(gate.codes_of("http://e.net/2").await, [""; 0]);
}

#[tokio::test]
async fn a_replacement_takes_the_place_in_every_index() {
    let gate = gate();
    let old = r#"{"code":"a","target":"http://e.net/1","tags":["x"],"created_at":"2010-01-01T00:00:00Z"}"#;
    let new = r#"{"code":"a","target":"http://e.net/2","tags":["y"],"created_at":"2011-01-01T00:00:00Z","owner":"other000"}"#;
    assert_eq!(gate.keep(&[old]).await, count(1, 0, 0));
    let lines = [new, &line("a", "http://e.net/3"), new];
    let report = gate.take(&lines, OnConflict::Replace, Run::Real).await;
    assert_eq!(report, count(0, 0, 3), "each takes the place of the one before");
    let link = gate.link("a").await;
    assert_eq!((link.target.as_str(), link.owner.as_str()), ("http://e.net/2", "other000"));
    assert_eq!(link.created_at, "2011-01-01T00:00:00Z".parse().unwrap());
    for (address, codes) in [("1", &[][..]), ("2", &["a"]), ("3", &[])] {
        assert_eq!(gate.codes_of(&format!("http://e.net/{address}")).await, codes, "{address}");
    }
    let listed = async |listing| gate.shorten.links.list(&listing, None, 10).await.unwrap().len();
    assert_eq!(listed(Listing::Of(link.owner.clone())).await, 1);
    assert_eq!(listed(Listing::Of(gate.by.key.clone())).await, 0);
    assert_eq!(listed(Listing::All).await, 1);
    assert_eq!(listed(Listing::Tagged(Tag::parse("x").unwrap())).await, 0);
    assert_eq!(listed(Listing::Tagged(Tag::parse("y").unwrap())).await, 1);
}

#[tokio::test]
async fn a_deleted_link_is_never_brought_back() {
    let gate = gate();
    let living = line("a", "http://e.net/1");
    let dead = r#"{"code":"a","target":"http://e.net/1","state":"deleted"}"#;
    assert_eq!(gate.keep(&[&living]).await, count(1, 0, 0));
    assert_eq!(gate.keep(&[dead]).await.conflicts.len(), 1);
    assert_eq!(gate.take(&[dead], OnConflict::Replace, Run::Real).await, count(0, 0, 1));
    assert_eq!(gate.keep(&[dead]).await, count(0, 1, 0));
    let report = gate.take(&[&living], OnConflict::Replace, Run::Real).await;
    assert_eq!((report.conflicts.len(), report.replaced), (1, 0), "{report:?}");
    assert_eq!(gate.link("a").await.standing, Standing::Deleted);
}

#[tokio::test]
async fn the_first_conflict_ends_an_import_that_shall_fail() {
    let gate = gate();
    gate.keep(&[&line("c", "http://e.net/c")]).await;
    let lines = [
        &line("a", "http://e.net/a"),
        "nonsense",
        &line("c", "http://e.net/other"),
        &line("d", "http://e.net/d"),
        "nonsense",
    ];
    let report = gate.take(&lines, OnConflict::Fail, Run::Real).await;
    assert!(report.stopped);
    assert_eq!((report.imported, report.refused.len(), report.conflicts.len()), (1, 1, 1));
    assert_eq!(report.conflicts[0].line, 3);
    assert!(gate.get("a").await.is_some() && gate.get("d").await.is_none());
    let lines =
        [line("e", "http://e.net/1"), line("e", "http://e.net/2"), line("f", "http://e.net")];
    let report =
        gate.take(&lines.each_ref().map(String::as_str), OnConflict::Fail, Run::Real).await;
    assert_eq!((report.stopped, report.imported, report.conflicts[0].line), (true, 1, 2));
    assert!(gate.get("f").await.is_none());
}

#[tokio::test]
async fn a_dry_run_says_the_same_and_changes_nothing() {
    let gate = gate();
    gate.keep(&[&line("there", "http://e.net/1")]).await;
    let lines = [
        &line("there", "http://e.net/1"),
        &line("there", "http://e.net/2"),
        &line("new", "http://e.net/3"),
        &line("new", "http://e.net/4"),
        &line("new", "ftp://e.net/"),
    ];
    for on_conflict in [OnConflict::Fail, OnConflict::Keep, OnConflict::Replace] {
        let foreseen = gate.take(&lines.map(|line| &**line), on_conflict, Run::Dry).await;
        assert!(on_conflict == OnConflict::Replace || gate.get("new").await.is_none());
        if on_conflict == OnConflict::Keep {
            continue;
        }
        let done = gate.take(&lines.map(|line| &**line), on_conflict, Run::Real).await;
        assert_eq!(foreseen, done, "{on_conflict:?}");
    }
    assert_eq!(gate.link("there").await.target.as_str(), "http://e.net/2");
    assert_eq!(gate.link("new").await.target.as_str(), "http://e.net/4");
}

#[tokio::test]
async fn what_is_no_link_to_import_is_refused_with_the_reason() {
    let gate = gate();
    let with = |rest: &str| format!(r#"{{"code":"a","target":"http://e.net/",{rest}}}"#);
    for (line, told) in [
        ("{", "at column"),
        (r#"{"code":"a"}"#, "target"),
        (r#"{"type":"key","id":"x"}"#, "small letters and digits"),
        (r#"{"type":"page"}"#, "`page`"),
        (&with(r#""tag":"x""#), "`tag`"),
        (&line("a b", "http://e.net/"), "' '"),
        (&line("api/x", "http://e.net/"), "reserved"),
        (&line("a", "ftp://e.net/"), "ftp"),
        (&line("a", "http://user:pw@e.net/"), "credentials"),
        (&line("a", &format!("http://e.net/{}", "x".repeat(8_192))), "8192"),
        (&line("a", "https://go.example.org/b"), "circles"),
        (&line("a", "http://goo.example.net/b"), "circles"),
        (&with(r#""article":"https://go.example.org/b""#), "circles"),
        (&with(r#""article":"nonsense""#), "relative"),
        (&with(r#""host":"goo.gl""#), "hosts"),
        (&with(r#""host":"a/b""#), "host name"),
        (&with(r#""owner":"X""#), "owner"),
        (&with(r#""reason":"why""#), "disabled"),
        (&with(r#""redirect":303"#), "303"),
        (&with(r#""created_at":"2026-11-25T00:00:00Z""#), "future"),
        (&with(r#""created_at":"yesterday""#), "RFC 3339"),
        (&with(&format!(r#""title":"{}""#, "x".repeat(501))), "501"),
        (&with(r#""tags":[" "]"#), "1 character"),
    ] {
        let reason = gate.refusal(line).await;
        assert!(reason.contains(told), "{line}: {reason}");
        assert!(!reason.contains("line 1"), "{reason}");
    }
    assert!(gate.get("a").await.is_none());
    let report = gate.keep(&[&line("a b", "http://e.net"), "{"]).await;
    assert_eq!(report.refused[0].code.as_deref(), Some("a b"));
    assert_eq!((report.refused[1].line, &report.refused[1].code), (2, &None));
}

#[tokio::test]
async fn history_is_not_bound_by_house_rules_for_hosts_nor_by_time() {
    let gate = gate();
    let line =
        r#"{"code":"a","target":"http://blocked.example/","expires_at":"2013-01-01T00:00:00Z"}"#;
    assert_eq!(gate.keep(&[line]).await, count(1, 0, 0));
}

#[tokio::test]
async fn baselines_without_a_moment_are_as_of_now() {
    let gate = gate();
    let line = r#"{"type":"link","code":"a","target":"http://e.net/","baseline":{"clicks":7}}"#;
    gate.keep(&[line]).await;
    assert_eq!(gate.link("a").await.baseline, Some(Baseline { clicks: 7, at: now() }));
}

#[tokio::test]
async fn an_imported_code_is_no_longer_remembered_as_unknown() {
    let gate = gate();
    let links = &gate.shorten.links;
    assert!(links.look_up("a", now()).await.unwrap().is_none());
    gate.keep(&[&line("a", "http://e.net/1")]).await;
    let hot = links.look_up("a", now()).await.unwrap().unwrap();
    assert_eq!(hot.link.target.as_str(), "http://e.net/1");
    gate.take(&[&line("a", "http://e.net/2")], OnConflict::Replace, Run::Real).await;
    let hot = links.look_up("a", now()).await.unwrap().unwrap();
    assert_eq!(hot.link.target.as_str(), "http://e.net/2");
}

#[tokio::test]
async fn only_admins_import_and_no_more_than_the_limit() {
    let gate = gate();
    let lines = |count: usize| Bytes::from("x\n".repeat(count));
    let ask = async |by: &Principal, count: usize| {
        gate.import.import(by, lines(count), OnConflict::Keep, Run::Real, now()).await
    };
    let by = Principal { scopes: vec![Scope::Mint, Scope::Read], ..gate.by.clone() };
    let refused = ask(&by, 1).await.unwrap_err();
    assert!(matches!(refused, ImportError::Links(ShortenError::Forbidden(_))), "{refused:?}");
    assert_eq!(ask(&gate.by, MAX_LINES).await.unwrap().refused.len(), MAX_LINES);
    let refused = ask(&gate.by, MAX_LINES + 1).await.unwrap_err();
    assert!(matches!(refused, ImportError::TooManyLines(10_001)), "{refused:?}");
}
