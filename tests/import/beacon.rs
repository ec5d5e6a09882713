//! BEACON with every trap, followed over HTTP: the target comes back byte for byte.

use serde_json::json;

use super::importer::{Desk, beacon, gzip, import, import_input, xz, zip};
use super::live::{Service, TestStore, over_each_store};

over_each_store! {
    every_target_comes_back_byte_for_byte
}

/// Links of all kinds, the codes of which begin with `mark`, and where they must lead.
fn links(mark: char) -> Vec<(String, Vec<u8>, &'static str)> {
    let kinds: [(&str, &[u8], &str); 10] = [
        ("", b"http://www.example.org/", "http://www.example.org/"),
        ("1", b"http://e.org/a|b|c", "http://e.org/a|b|c"),
        (
            "2",
            b"http://e.org/?utm_source=x&b=%7e&utm_term=#f",
            "http://e.org/?utm_source=x&b=%7e&utm_term=#f",
        ),
        ("3", "http://e.org/caf\u{e9}".as_bytes(), "http://e.org/caf%C3%A9"),
        ("4", b"http://e.org/caf\xe9", "http://e.org/caf%E9"),
        ("5", b"http://e.org/caf\x82", "http://e.org/caf%82"),
        ("6", b"HTTP://WWW.Example.ORG:80/../x y", "HTTP://WWW.Example.ORG:80/../x%20y"),
        ("7", b"http://e.org/\"<>{}\\^`?a=1&amp;b=2", "http://e.org/\"<>{}\\^`?a=1&amp;b=2"),
        ("fb/AbC", b"http://facebook.com/1", "http://facebook.com/1"),
        ("maps/-_9", b"https://maps.google.com/?q=1,2", "https://maps.google.com/?q=1,2"),
    ];
    let code = |tail: &str| match tail.split_once('/') {
        Some((family, rest)) => format!("{family}/{mark}{rest}"),
        None => format!("{mark}{tail}"),
    };
    kinds
        .into_iter()
        .map(|(tail, target, location)| (code(tail), target.to_vec(), location))
        .collect()
}

/// The same as a file.
fn file(mark: char) -> Vec<u8> {
    beacon(&links(mark).into_iter().map(|(code, target, _)| (code, target)).collect::<Vec<_>>())
}

fn assert_lead(service: &Service, mark: char) {
    for (code, _, location) in links(mark) {
        let answer = service.follow(&code).expect(302);
        assert_eq!(answer.header("location"), location, "{code}");
    }
}

fn every_target_comes_back_byte_for_byte(store: TestStore) {
    let service = Service::start(&store.url());
    let desk = Desk::new();
    let windows = String::from_utf8_lossy(&file('b')).replace('\n', "\r\n");
    let joined = [xz(&file('d')), xz(&file('e'))].concat();
    let project = zip(&[
        ("goo-gl/goo-gl.meta.json.xz", &xz(b"{\"name\": \"goo-gl\", \"no|link\": true}")),
        ("goo-gl/______.txt.xz", &xz(&file('g'))),
        ("goo-gl/00/0000____.txt.xz", &xz(&file('h'))),
        ("goo-gl/plain.txt", &file('i')),
    ]);
    for (name, bytes, marks) in [
        ("plain", file('a'), "a"),
        // What is not ASCII can't be put into this text.
        ("windows.txt", ["\u{feff}".as_bytes(), windows.as_bytes()].concat(), ""),
        ("named-like-no-xz", xz(&file('c')), "c"),
        ("joined.txt.xz", joined, "de"),
        ("f.txt", gzip(&file('f')), "f"),
        ("goo-gl.zip", project, "ghi"),
    ] {
        let path = desk.put(name, &bytes);
        let ended = import(&service, &["--json", &path]).expect(0);
        assert_eq!(ended.counts()[0] as usize, links('a').len() * marks.len().max(1), "{name}");
        marks.chars().for_each(|mark| assert_lead(&service, mark));
    }
    assert_eq!(service.follow("b1").header("location"), "http://e.org/a|b|c");
    for (bytes, mark) in [(file('j'), 'j'), (xz(&file('k')), 'k'), (gzip(&file('l')), 'l')] {
        import_input(&service, &["-"], &bytes).expect(0);
        assert_lead(&service, mark);
    }
}

#[test]
fn a_file_without_head_or_prefix_has_its_codes_in_short_urls() {
    let service = Service::start("");
    let desk = Desk::new();
    let old = desk.put("old.txt", b"0|http://e.org/0\nZ|http://e.org/Z\n");
    let full = desk.put(
        "full.txt",
        b"#FORMAT: BEACON\n#HOMEPAGE: http://urlte.am/\n\n\
          http://x.example/r/AbC|http://e.org/1\nhttps://y.example:8080/r/d|http://e.org/2\n",
    );
    import(&service, &[&old]).expect(0);
    import(&service, &[&full]).expect(0);
    import(&service, &[&full, "--strip", "r/", "--prefix", "x/"]).expect(0);
    for (code, location) in [
        ("0", "http://e.org/0"),
        ("Z", "http://e.org/Z"),
        ("r/AbC", "http://e.org/1"),
        ("x/AbC", "http://e.org/1"),
        ("x/d", "http://e.org/2"),
    ] {
        assert_eq!(service.follow(code).expect(302).header("location"), location, "{code}");
    }
}

#[test]
fn an_article_that_was_imported_gets_its_old_code_when_it_is_minted() {
    let service = Service::start("");
    let desk = Desk::new();
    let path = desk.put("a.txt", b"fb/AbC|http://www.Example.org/story?utm_source=old\n");
    import(&service, &[&path, "--tag", "old", "--tag", "goo.gl"]).expect(0);
    let wish = json!({"url": "http://www.example.org/story?utm_medium=new"});
    let link = service.call("POST", "/api/v1/links", Some(&wish)).expect(200).json();
    assert_eq!(link["code"], "fb/AbC");
    assert_eq!(link["tags"], json!(["old", "goo.gl"]));
}
