//! CSV as each product exports it.

use serde_json::{Value, json};

use super::importer::{Desk, import};
use super::live::Service;

const BITLY: &str = "Link,Custom Link,Destination URL\r\n\
    https://bit.ly/3xYzAb,https://n.example/bitly,http://e.org/?utm_source=bitly\r\n";
const YOURLS: &str = "keyword;url;title;timestamp;ip;clicks\n\
    \"yourls\";\"http://e.org/?utm_source=yourls\";\"A; \"\"b\"\"\nc\";\"2012-01-31 08:00:00\";\"192.0.2.1\";\"1234\"\n";
const SHLINK: &str = "createdAt,domain,shortCode,shortUrl,longUrl,title,tags,visits\n\
    2012-01-31T09:00:00+01:00,n.example,shlink,https://n.example/shlink,http://e.org/?utm_source=shlink,,x|y,5\n";
const KUTT: &str = "address\tdescription\ttarget\tvisit_count\tcreated_at\n\
    kutt\tDesk\thttp://e.org/?utm_source=kutt\t6\t2012-01-31 08:00:00.000+00\n";
const DUB: &str = "\u{feff}Short link,Destination URL,Clicks,Created at,Updated at,Tags,Archived\n\
    https://n.example/dub,http://e.org/?utm_source=dub,7,2012-01-31T08:00:00.000Z,2013-01-01T00:00:00Z,\"x,y\",false\n";

#[test]
fn what_each_product_exports_comes_in_with_its_particulars() {
    let service = Service::start("");
    let desk = Desk::new();
    let files = [("b", BITLY), ("y", YOURLS), ("s", SHLINK), ("k", KUTT), ("d", DUB)];
    let paths = files.map(|(name, text)| desk.put(name, text.as_bytes()));
    let at = "2020-02-02T02:02:02.000Z";
    let mut args = vec!["--json", "--tz", "Europe/Prague", "--clicks-as-of", at];
    args.extend(paths.iter().map(String::as_str));
    let ended = import(&service, &args).expect(0);
    assert_eq!(ended.counts(), [5, 0, 0, 0, 0]);
    let eight = "2012-01-31T08:00:00.000Z";
    for (code, created_at, title, tags, clicks) in [
        ("bitly", None, json!(null), json!([]), None),
        ("yourls", Some("2012-01-31T07:00:00.000Z"), json!("A; \"b\" c"), json!([]), Some(1234)),
        ("shlink", Some(eight), json!(null), json!(["x", "y"]), Some(5)),
        ("kutt", Some(eight), json!("Desk"), json!([]), Some(6)),
        ("dub", Some(eight), json!(null), json!(["x", "y"]), Some(7)),
    ] {
        let link = service.get(&format!("/api/v1/links/{code}"));
        assert_eq!(link["target"], format!("http://e.org/?utm_source={code}"), "{link}");
        assert_eq!((&link["title"], &link["tags"]), (&title, &tags), "{link}");
        if let Some(created_at) = created_at {
            assert_eq!(link["created_at"], created_at, "{link}");
        }
        let imported = clicks.map_or(Value::Null, |clicks| json!({"clicks": clicks, "at": at}));
        assert_eq!(link["imported"], imported, "{link}");
    }
    // What was counted elsewhere is no click of ours.
    assert_eq!(service.clicks_on("yourls"), 0);
}

#[test]
fn clicks_are_as_of_when_the_file_was_written() {
    let service = Service::start("");
    let desk = Desk::new();
    let path = desk.put("a.csv", b"Code,Target,Clicks\na,http://e.org/,3\n");
    let at = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_328_000_400);
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
    import(&service, &[&path]).expect(0);
    let link = service.get("/api/v1/links/a");
    assert_eq!(link["imported"], json!({"clicks": 3, "at": "2012-01-31T09:00:00.000Z"}));
}

#[test]
fn other_columns_can_be_named_and_unknown_ones_are_told() {
    let service = Service::start("");
    let desk = Desk::new();
    let path = desk.put("a.csv", b"Alias;Goes to\na;http://e.org/\n");
    let ended = import(&service, &[&path]).expect(3);
    assert!(ended.output.contains("--map"), "{ended:?}");
    assert!(ended.output.contains("the columns are: Alias, Goes to\n"), "{ended:?}");
    import(&service, &[&path, "--map", "code=Alias,target=Goes to"]).expect(0);
    assert_eq!(service.follow("a").header("location"), "http://e.org/");
}
