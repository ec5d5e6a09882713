//! The maps that are exported for nginx, served by Debian's nginx: every link is answered with the
//! same status and the same `Location` as by the service.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[path = "support/live/mod.rs"]
mod live;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use live::{Answer, Connection, Service, TestStore, until};
use serde_json::json;

/// The lines that the head of the file shows, as they stand in it.
fn shown(map: &str) -> String {
    let lines = map.lines().map_while(|line| line.strip_prefix('#'));
    let lines: Vec<&str> = lines.filter_map(|line| line.strip_prefix("     ")).collect();
    lines.join("\n")
}

/// A running nginx. Killed when dropped.
struct Nginx {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Nginx {
    /// One that is set up as the head of the map says.
    fn start(map: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        fs::write(folder.path().join("map.conf"), map).unwrap();
        let shown = shown(map).replace("listen 80;", &format!("listen 127.0.0.1:{port};"));
        let (hash, server) = shown.split_once("server {").unwrap();
        let place = folder.path().display();
        let config = format!(
            "daemon off;\npid {place}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n\
             access_log off;\nclient_body_temp_path {place};\nproxy_temp_path {place};\n\
             fastcgi_temp_path {place};\nuwsgi_temp_path {place};\nscgi_temp_path {place};\n\
             {hash}\ninclude {place}/map.conf;\nserver {{{server}\n}}\n"
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, config).unwrap();
        let process = run(&file);
        let nginx = Self { process, port, _folder: folder };
        until("nginx to answer", || Connection::open(port).is_ok());
        nginx
    }

    fn ask(&self, target: &str, host: &str) -> Answer {
        ask(self.port, target, host)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // In order, so that its workers end as well.
        let _ = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
    }
}

fn run(config: &Path) -> Child {
    let program = ["/usr/sbin/nginx", "/usr/local/sbin/nginx"];
    let found = program.into_iter().find(|path| Path::new(path).exists());
    let found = found.unwrap_or_else(|| panic!("nginx is missing: apt-get install nginx-light"));
    let mut nginx = Command::new(found);
    nginx.arg("-c").arg(config).stdin(Stdio::null()).spawn().unwrap()
}

fn ask(port: u16, target: &str, host: &str) -> Answer {
    let mut connection = Connection::open(port).unwrap();
    let request = format!("HEAD {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    connection.send(&request).and_then(|()| connection.receive("HEAD")).unwrap()
}

/// Codes and targets with everything that nginx could read as its own.
fn odd_links() -> String {
    let signs: String = (b'!'..=b'~').map(char::from).collect();
    let targets = [
        format!("http://www.example.org/all?signs={signs}"),
        "http://www.example.org/$host$$slugline_dollar${uri}$".into(),
        r#"http://www.example.org/"quoted"\\"\n\t'single'; return 500;}"#.into(),
        format!("http://www.example.org/{}", "$".repeat(3_000)),
        format!("http://www.example.org/{}?{}#end", "\"\\$'".repeat(400), "x".repeat(3_000)),
        "HTTP://WWW.EXAMPLE.ORG/a|b?utm_source=x".into(),
    ];
    let mut lines = Vec::new();
    let mut add = |code: &str, target: &str, more: &str| {
        let line = json!({"code": code, "target": target}).to_string();
        lines.push(
            format!("{},{more}", line.trim_end_matches('}')).trim_end_matches(',').to_owned() + "}",
        );
    };
    for (at, target) in targets.iter().enumerate() {
        add(&format!("odd{at}"), target, "");
    }
    // These differ by case alone.
    for code in ["abc", "Abc", "aBc", "abC", "ABC", "fb/abc", "fb/Abc", "FB/abc", "a-B_c"] {
        add(code, &format!("http://www.example.org/case/{code}"), "");
    }
    add(&"Z".repeat(64), "http://www.example.org/long-code", "");
    add("moved", "http://www.example.org/moved", r#""redirect":301"#);
    add("kept", "http://www.example.org/kept", r#""redirect":308"#);
    add("temporary", "http://www.example.org/temporary", r#""redirect":307"#);
    add("over", "http://www.example.org/over", r#""expires_at":"2021-01-01T00:00:00Z""#);
    add("later", "http://www.example.org/later", r#""expires_at":"2039-01-01T00:00:00Z""#);
    add("withdrawn", "http://www.example.org/w", r#""state":"disabled","reason":"no""#);
    add("deleted", "http://www.example.org/d", r#""state":"deleted""#);
    add("harmful", "http://www.harmful.example.net/", "");
    add("query", "http://www.example.org/q?a=$1#frag", r#""forward_query":true"#);
    add("plainquery", "http://www.example.org/q#frag", r#""forward_query":true"#);
    add(
        "longquery",
        &format!("http://www.example.org/q?{}#{}", "y".repeat(5_000), "z".repeat(2_000)),
        r#""forward_query":true"#,
    );
    lines.join("\n")
}

/// Asks both for the same.
fn assert_alike(service: &Service, nginx: &Nginx, target: &str, host: &str) -> u16 {
    let (ours, theirs) = (ask(service.port(), target, host), nginx.ask(target, host));
    let answer = |answer: &Answer| (answer.status, answer.header("location").to_owned());
    assert_eq!(answer(&theirs), answer(&ours), "{target} on {host}");
    ours.status
}

fn nginx_answers_as_the_service_does(store: TestStore) {
    let settings = [
        ("PUBLIC_URL", "https://go.example.org"),
        ("LINKS__REDIRECT", "307"),
        ("LINKS__MALWARE_HOSTS", r#"["harmful.example.net"]"#),
    ];
    let service = Service::start_with(&store.url(), &settings);
    let report = service.import(&odd_links(), "");
    assert_eq!(report[0]["refused"], json!([]), "{report:?}");
    let mut codes = service.mint_many(50);
    for line in odd_links().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        codes.push(line["code"].as_str().unwrap().to_owned());
    }
    let nginx = Nginx::start(&service.export("nginx-map"));
    let mut statuses = std::collections::BTreeMap::new();
    for code in &codes {
        for target in [format!("/{code}"), format!("/{code}?x=1&y=$2"), format!("/{code}?")] {
            let status = assert_alike(&service, &nginx, &target, "go.example.org");
            *statuses.entry(status).or_insert(0) += 1;
        }
        // Other cases are other codes.
        let swapped: String = code
            .chars()
            .map(|c| {
                if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
            })
            .collect();
        assert_alike(&service, &nginx, &format!("/{swapped}"), "go.example.org");
    }
    for unknown in ["/", "/nowhere", "/abc/", "/abcd", "/ab", "/fb", "/abc/def"] {
        assert_alike(&service, &nginx, unknown, "go.example.org");
    }
    let found: Vec<u16> = statuses.into_keys().collect();
    assert_eq!(found, [301, 307, 308, 403, 410]);
}

live::over_each_store! { nginx_answers_as_the_service_does }

#[test]
fn a_link_of_one_host_leads_nowhere_on_the_others() {
    let settings = [
        ("PUBLIC_URL", "https://go.example.org"),
        ("HOSTS", r#"["goo.example.net", "other.example.net"]"#),
    ];
    let service = Service::start_with("", &settings);
    let links = [
        r#"{"code":"Bound","target":"http://www.example.org/bound$1","host":"goo.example.net"}"#,
        r#"{"code":"free","target":"http://www.example.org/free"}"#,
    ];
    assert_eq!(service.import(&links.join("\n"), "")[0]["imported"], 2);
    let nginx = Nginx::start(&service.export("nginx-map"));
    for (target, host, status) in [
        ("/Bound", "goo.example.net", 302),
        ("/bound", "goo.example.net", 404),
        ("/free", "goo.example.net", 302),
        ("/free", "go.example.org", 302),
        ("/Bound", "go.example.org", 404),
        ("/Bound", "other.example.net", 404),
    ] {
        assert_eq!(nginx.ask(target, host).status, status, "{target} on {host}");
    }
    assert_eq!(
        nginx.ask("/Bound", "GOO.example.net:80").header("location"),
        "http://www.example.org/bound$1"
    );
    // BEACON has one prefix: where it does not fit all, each line is whole.
    let beacon = service.export("beacon");
    assert!(!beacon.contains("#PREFIX"), "{beacon}");
    assert!(beacon.contains("\nhttps://goo.example.net/Bound|http://www.example.org/bound$1\n"));
    assert!(beacon.contains("\nhttps://go.example.org/free|http://www.example.org/free\n"));
}

#[test]
fn beacon_holds_what_redirects() {
    let service = Service::start_with("", &[("PUBLIC_URL", "https://go.example.org")]);
    service.import(&odd_links(), "");
    let beacon = service.export("beacon");
    assert!(beacon.starts_with("#FORMAT: BEACON\n#PREFIX: https://go.example.org/\n"), "{beacon}");
    assert!(beacon.contains("\nodd5|HTTP://WWW.EXAMPLE.ORG/a|b?utm_source=x\n"), "{beacon}");
    for gone in ["over|", "withdrawn|", "deleted|"] {
        assert!(!beacon.contains(&format!("\n{gone}")), "{beacon}");
    }
    assert!(beacon.contains("\nlater|"));
}

#[test]
fn the_table_holds_all_links_and_no_formula() {
    let service = Service::start_with("", &[("PUBLIC_URL", "https://go.example.org")]);
    let wish = json!({"url": "https://www.example.org/a", "code": "abc", "title": "=1+1",
                      "tags": ["world", "news"]});
    service.mint_with(wish);
    service.import(r#"{"code":"gone","target":"http://www.example.org/d","state":"deleted","baseline":{"clicks":7}}"#, "");
    service.follow("abc");
    until("the click to be counted", || service.clicks_on("abc") == 1);
    let text = service.export("csv");
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let head = rows.headers().unwrap().clone();
    let cells = |row: &csv::StringRecord, names: &[&str]| -> Vec<String> {
        let at = |name: &&str| head.iter().position(|head| head == *name).unwrap();
        names.iter().map(|name| row[at(name)].to_owned()).collect()
    };
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    let names = ["code", "short_url", "title", "tags", "state", "clicks", "imported_clicks"];
    assert_eq!(
        cells(&rows[0], &names),
        ["abc", "https://go.example.org/abc", "'=1+1", "world, news", "active", "1", ""]
    );
    assert_eq!(
        cells(&rows[1], &names),
        ["gone", "https://go.example.org/gone", "", "", "deleted", "0", "7"]
    );
}
