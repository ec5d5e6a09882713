//! What the readers make of the files that are about.

use std::io::BufReader;

use proptest::prelude::*;

use super::*;

/// What a file says, entry by entry; `line!: reason` is a refusal.
fn told(bytes: &[u8], manner: &Manner) -> Vec<String> {
    let format = match Format::of(&bytes[..bytes.len().min(HEAD)]) {
        Ok(format) => format,
        Err(refusal) => return vec![format!("{}!: {}", refusal.line, refusal.reason)],
    };
    told_as(format, bytes, manner)
}

fn told_as(format: Format, bytes: &[u8], manner: &Manner) -> Vec<String> {
    // As small a buffer as can be: whatever is read lies across its end.
    let input = BufReader::with_capacity(7, bytes);
    let mut reader = match Reader::open(format, bytes, input, manner).unwrap() {
        Ok(reader) => reader,
        Err(refusal) => return vec![format!("{}!: {}", refusal.line, refusal.reason)],
    };
    let mut all = Vec::new();
    while let Some(entry) = reader.advance().unwrap() {
        all.push(match entry {
            Err(refusal) => format!("{}!: {}", refusal.line, refusal.reason),
            Ok(Entry { line, content: Content::Json { text, .. } }) => format!("{line} {text}"),
            Ok(Entry { line, content: Content::Link(link) }) => {
                format!("{line} {}", serde_json::to_string(&link).unwrap())
            }
        });
    }
    all
}

/// A link that is nothing but code and target.
fn link(line: u64, code: &str, target: &str) -> String {
    format!(r#"{line} {{"code":"{code}","target":"{target}"}}"#)
}

#[test]
fn beacon_is_split_at_the_first_bar_whatever_its_lines_end_with() {
    let file = "#FORMAT: BEACON\n#PREFIX: http://goo.gl/\n#HOMEPAGE: http://urlte.am/\n\n\
                a|http://e.org/a|b|c\nfb/AbC1|http://e.org/?x=a&amp;y\n\nb|\n";
    let expected = [
        link(5, "a", "http://e.org/a|b|c"),
        link(6, "fb/AbC1", "http://e.org/?x=a&amp;y"),
        link(8, "b", ""),
    ];
    assert_eq!(told(file.as_bytes(), &Manner::default()), expected);
    let windows = format!("\u{feff}{}", file.replace('\n', "\r\n"));
    assert_eq!(told(windows.as_bytes(), &Manner::default()), expected);
}

#[test]
fn beacon_keeps_the_bytes_of_a_target_in_any_encoding() {
    let file = b"#FORMAT: BEACON\n#PREFIX: http://goo.gl/\n\
        u|http://e.org/\xc3\xa9\nl|http://e.org/\xe9\nc|http://e.org/\x82\n";
    let expected = [
        link(3, "u", "http://e.org/%C3%A9"),
        link(4, "l", "http://e.org/%E9"),
        link(5, "c", "http://e.org/%82"),
    ];
    assert_eq!(told(file, &Manner::default()), expected);
}

#[test]
fn beacon_has_its_codes_in_short_urls_where_it_has_no_prefix() {
    let file = b"#FORMAT: BEACON\nhttp://goo.gl/fb/AbC1|http://e.org/1\n\
        https://www.x.example:8080/r/2|http://e.org/2\nis.gd/3|http://e.org/3\nmaps/4|http://e.org/4\n";
    let expected = [
        link(2, "fb/AbC1", "http://e.org/1"),
        link(3, "r/2", "http://e.org/2"),
        link(4, "3", "http://e.org/3"),
        link(5, "maps/4", "http://e.org/4"),
    ];
    assert_eq!(told(file, &Manner::default()), expected);
    // Older files have no head at all.
    let old = told(b"0|http://e.org/0\n1|http://e.org/1", &Manner::default());
    assert_eq!(old, [link(1, "0", "http://e.org/0"), link(2, "1", "http://e.org/1")]);
}

#[test]
fn a_prefix_with_a_path_makes_a_family_of_codes() {
    for (prefix, code) in [
        ("http://goo.gl/fb/", "fb/a"),
        ("http://goo.gl/", "a"),
        ("http://goo.gl", "a"),
        ("http://x.example/{shortcode}-x", "a-x"),
    ] {
        let file = format!("#FORMAT: BEACON\n#PREFIX: {prefix}\na|http://e.org/\n");
        let expected = [link(3, code, "http://e.org/")];
        assert_eq!(told(file.as_bytes(), &Manner::default()), expected, "{prefix}");
    }
}

#[test]
fn a_head_in_the_midst_is_that_of_a_file_joined_on_and_another_hash_is_no_link() {
    let file = b"#FORMAT: BEACON\n#PREFIX: http://goo.gl/maps/\na|http://e.org/1\n\
        #not a comment\n#b|http://e.org/2\n\
        #FORMAT: BEACON\n#PREFIX: http://goo.gl/\n\nc|http://e.org/3\n";
    let expected = [
        link(3, "maps/a", "http://e.org/1"),
        "4!: there is no bar in it; a line of BEACON is code|target".to_owned(),
        link(5, "maps/#b", "http://e.org/2"),
        link(9, "c", "http://e.org/3"),
    ];
    assert_eq!(told(file, &Manner::default()), expected);
}

#[test]
fn each_of_several_files_may_begin_with_a_byte_order_mark() {
    let file = "\u{feff}#FORMAT: BEACON\n#PREFIX: http://goo.gl/maps/\na|http://e.org/1\n";
    let other = file.replace("maps", "fb");
    let expected = [link(3, "maps/a", "http://e.org/1"), link(6, "fb/a", "http://e.org/1")];
    assert_eq!(told([file, &other].concat().as_bytes(), &Manner::default()), expected);
}

#[test]
fn codes_tags_and_host_are_what_the_user_asks_for() {
    let manner = Manner {
        strip: "r/".into(),
        prefix: "fb/".into(),
        tags: vec!["old".into()],
        host: Some("goo.example.net".into()),
        ..Manner::default()
    };
    let fields = r#""tags":["old"],"host":"goo.example.net""#;
    let expected = format!(r#"1 {{"code":"fb/a","target":"http://e.org/",{fields}}}"#);
    for file in [&b"a|http://e.org/"[..], b"http://x.example/r/a|http://e.org/"] {
        assert_eq!(told(file, &manner), std::slice::from_ref(&expected));
    }
    let json = br#"{"type":"link","code":"r/a","target":"http://e.org/","tags":["old","b"]}"#;
    let expected = concat!(
        r#"1 {"code":"fb/a","host":"goo.example.net","tags":["old","b"],"#,
        r#""target":"http://e.org/","type":"link"}"#
    );
    assert_eq!(told(json, &manner), [expected]);
    let refused = told(br#"{"type":"key","id":"abcdefgh"}"#, &manner);
    assert!(refused[0].starts_with("1!: only links can come in under another code"), "{refused:?}");
}

#[test]
fn lines_of_json_pass_as_they_are() {
    let file =
        b"{\"type\":\"slugline\",\"version\":1}\n\n{\"code\":\"a\\u0062\",\"x\":[1]}\r\nnonsense";
    let read = told(file, &Manner::default());
    assert_eq!(
        read[..2],
        ["1 {\"type\":\"slugline\",\"version\":1}", "3 {\"code\":\"a\\u0062\",\"x\":[1]}"]
    );
    assert!(read[2].starts_with("4!: this is no line of JSON: "), "{read:?}");
    let array = told_as(Format::Ndjson, br#"["link","a"]"#, &Manner::default());
    assert_eq!(array, ["1!: this is no line of JSON: an object is needed"]);
    let manner = Manner::default();
    let mut reader = Reader::open(Format::Ndjson, file, &file[..], &manner).unwrap().unwrap();
    let codes = [(); 2].map(|()| match reader.advance().unwrap().unwrap().unwrap().content {
        Content::Json { code, .. } => code,
        Content::Link(_) => unreachable!(),
    });
    assert_eq!(codes, [None, Some("ab".to_owned())]);
}

#[test]
fn a_backup_that_was_cut_off_is_told() {
    let (head, link) =
        (r#"{"type":"slugline","version":1}"#, r#"{"code":"a","target":"http://e.org/"}"#);
    let end = r#"{"type":"end","counts":{"link":1}}"#;
    let whole = [head, link, end].join("\n");
    let cut = [head, link].join("\n");
    let manner = Manner::default();
    assert_eq!(told(whole.as_bytes(), &manner).len(), 3);
    let told_of_cut = told(cut.as_bytes(), &manner);
    assert!(told_of_cut[2].starts_with("2!: the export ends here without its last line"));
    let torn = [head, link, r#"{"code":"#].join("\n");
    let told_of_torn = told(torn.as_bytes(), &manner);
    assert!(told_of_torn[2].starts_with("3!: this is no line of JSON"), "{told_of_torn:?}");
    assert!(told_of_torn[3].starts_with("3!: the export ends here"), "{told_of_torn:?}");
    // Links alone come in under another code: what stands around them says nothing.
    let prefixed = Manner { prefix: "fb/".into(), ..Manner::default() };
    assert_eq!(told(whole.as_bytes(), &prefixed).len(), 1);
    assert_eq!(told(cut.as_bytes(), &prefixed).len(), 2);
}

#[test]
fn the_columns_of_every_product_are_known() {
    let target = "http://e.org/?a=1,2";
    let full = r#""created_at":"2012-01-31T08:00:00.000Z","title":"A, b","tags":["x","y"],"baseline":{"clicks":7}"#;
    for (product, header, row, rest) in [
        (
            "Bitly",
            "Link,Custom Link,Destination URL",
            "https://bit.ly/3xY,https://n.ws/a,\"{T}\"",
            "",
        ),
        ("Bitly", "Link,Custom Link,Destination URL", "https://n.ws/a,,\"{T}\"", ""),
        (
            "Bitly's API",
            "created_at,id,link,long_url,title,tags,clicks",
            "2012-01-31T08:00:00+0000,n.ws/a,https://n.ws/a,\"{T}\",\"A, b\",\"[\"\"x\"\",\"\"y\"\"]\",7",
            full,
        ),
        (
            "YOURLS",
            "\"keyword\";\"url\";\"title\";\"timestamp\";\"ip\";\"clicks\"",
            "\"a\";\"{T}\";\"A, b\";\"2012-01-31 08:00:00\";\"192.0.2.1\";\"7\"",
            r#""created_at":"2012-01-31T08:00:00.000Z","title":"A, b","baseline":{"clicks":7}"#,
        ),
        ("YOURLS' plug-in", "source,target,hits", "/a/,\"{T}\",7", r#""baseline":{"clicks":7}"#),
        (
            "Shlink",
            "createdAt,domain,shortCode,shortUrl,longUrl,title,tags,visits",
            "2012-01-31T09:00:00+01:00,n.ws,a,https://n.ws/a,\"{T}\",\"A, b\",x|y,7",
            full,
        ),
        (
            "Kutt",
            "id,address,description,banned,created_at,target,visit_count,link",
            "17,a,\"A,\r\nb\",f,2012-01-31 08:00:00+00,\"{T}\",7,https://kutt.it/a",
            r#""created_at":"2012-01-31T08:00:00.000Z","title":"A, b","baseline":{"clicks":7}"#,
        ),
        (
            "Dub",
            "Short link,Destination URL,Clicks,Created at,Updated at,Tags,Archived",
            "https://dub.sh/a,\"{T}\",7,2012-01-31T08:00:00.000Z,2013-01-31T08:00:00.000Z,\"x,y\",false",
            r#""created_at":"2012-01-31T08:00:00.000Z","tags":["x","y"],"baseline":{"clicks":7}"#,
        ),
        ("a spreadsheet", "Code\tTarget", "a\t{T}", ""),
    ] {
        let file = format!("\u{feff}{header}\r\n{}\r\n", row.replace("{T}", target));
        let comma = if rest.is_empty() { "" } else { "," };
        let expected = format!(r#"2 {{"code":"a","target":"{target}"{comma}{rest}}}"#);
        assert_eq!(told(file.as_bytes(), &Manner::default()), [expected], "{product}");
    }
}

#[test]
fn our_own_table_revives_nothing_that_was_withdrawn() {
    let header = "\"code\",\"short_url\",\"target\",\"article\",\"created_at\",\"title\",\"tags\",\
                  \"state\",\"expires_at\",\"redirect\",\"host\",\"owner\",\"clicks\",\"people\",\
                  \"bots\",\"imported_clicks\"";
    let row = |code: &str, state: &str, rest: &str| {
        format!(
            "\"{code}\",\"https://n.ws/x\",\"http://e.org/\",\"http://e.org/\",\"\",\"\",\"\",\"{state}\",{rest}"
        )
    };
    let file = [
        header.to_owned(),
        row("a", "active", "\"\",307,\"go.example.net\",\"abcdefgh\",3,2,1,4"),
        row("'-b", "disabled", "\"\",\"\",\"\",\"abcdefgh\",0,0,0,\"\""),
        row("c", "deleted", "\"\",\"\",\"\",\"abcdefgh\",0,0,0,5"),
        row("d", "expired", "\"2012-01-31T08:00:00.000Z\",\"\",\"\",\"abcdefgh\",0,0,0,\"\""),
        row("e", "expired", "\"\",\"\",\"\",\"abcdefgh\",0,0,0,\"\""),
        row("f", "Ohio", "\"\",\"\",\"\",\"abcdefgh\",0,0,0,\"\""),
        row("g", "active", "\"\",200,\"\",\"abcdefgh\",0,0,0,\"\""),
    ]
    .join("\n");
    let full = |line: u64, code: &str, rest: &str| {
        format!(r#"{line} {{"code":"{code}","target":"http://e.org/",{rest}}}"#)
    };
    let read = told(file.as_bytes(), &Manner::default());
    let expected = [
        full(2, "a", r#""redirect":307,"host":"go.example.net","baseline":{"clicks":7}"#),
        full(3, "-b", r#""state":"disabled""#),
        full(4, "c", r#""state":"deleted","baseline":{"clicks":5}"#),
        full(5, "d", r#""expires_at":"2012-01-31T08:00:00.000Z""#),
    ];
    assert_eq!(read[..4], expected);
    assert!(read[4].starts_with("6!: it has expired, and no column says when"), "{read:?}");
    assert!(read[5].starts_with("7!: \"Ohio\" is no state; a state is active"), "{read:?}");
    assert!(read[6].starts_with("8!: \"200\" is no status of a redirect"), "{read:?}");
    assert_eq!(read.len(), 7);
    let columns = "state=,redirect=".parse::<Mapping>().unwrap();
    let unread = told(file.as_bytes(), &Manner { columns, ..Manner::default() });
    assert_eq!(unread[5..], [link(7, "f", "http://e.org/"), link(8, "g", "http://e.org/")]);
    let host = Some("old.example.net".to_owned());
    let bound = told(file.as_bytes(), &Manner { host, ..Manner::default() });
    assert!(bound[0].contains(r#""host":"old.example.net""#), "{bound:?}");
}

#[test]
fn what_another_shortener_put_aside_stays_withdrawn() {
    for (header, cells) in [
        ("Archived", [("false", None), ("true", Some("disabled")), ("", None)]),
        ("banned", [("f", None), ("t", Some("disabled")), ("1", Some("disabled"))]),
        ("State", [("0", None), ("Deleted", Some("deleted")), ("DISABLED", Some("disabled"))]),
    ] {
        for (cell, state) in cells {
            let file = format!("code,target,{header}\na,http://e.org/,{cell}\n");
            let state = state.map(|state| format!(r#","state":"{state}""#)).unwrap_or_default();
            let expected = format!(r#"2 {{"code":"a","target":"http://e.org/"{state}}}"#);
            assert_eq!(told(file.as_bytes(), &Manner::default()), [expected], "{header}: {cell}");
        }
    }
}

#[test]
fn a_record_is_told_by_the_line_that_it_begins_in() {
    let file =
        b"code,target,created,clicks\r\n\r\na,http://e.org/,,\r\nb,\"http://\r\ne.org/\",never,\n\
        c,http://e.org/c,,many\n\xe9,http://e.org/\xe9\n";
    let expected = [
        link(3, "a", "http://e.org/"),
        "4!: \"never\" is no time; a time is 2012-01-31T08:00:00Z, 2012-01-31 08:00:00 or seconds \
         since 1970"
            .to_owned(),
        "6!: \"many\" is no number of clicks".to_owned(),
        link(7, "\u{e9}", "http://e.org/%E9"),
    ];
    assert_eq!(told(file, &Manner::default()), expected);
}

#[test]
fn columns_may_be_named_by_the_user() {
    let columns = "code=Alias, old,target=Goes to,title=".parse::<Mapping>().unwrap();
    let manner = Manner { columns, ..Manner::default() };
    let file = b"\"Alias, old\",goes to,Title\na,http://e.org/,T\n";
    assert_eq!(told(file, &manner), [link(2, "a", "http://e.org/")]);
    assert_eq!(
        told(b"Alias,Goes to\na,http://e.org/\n", &manner),
        ["1!: there is no column \"Alias, old\"; the columns are: Alias, Goes to"]
    );
    let unknown = told(b"Short,Long\na,http://e.org/\n", &Manner::default());
    assert!(unknown[0].contains("--map") && unknown[0].ends_with("Short, Long"), "{unknown:?}");
    assert!("slug=Code".parse::<Mapping>().unwrap_err().contains("code, target"));
}

#[test]
fn a_quote_that_is_left_open_costs_one_refusal_and_no_memory() {
    let mut file = b"code,target\na,http://e.org/\nb,\"http://e.org/\n".to_vec();
    file.resize(3 * MAX_LINE, b'x');
    let read = told(&file, &Manner::default());
    assert_eq!(read[0], link(2, "a", "http://e.org/"));
    assert!(read[1].starts_with("3!: the record has more than 65536 bytes"), "{read:?}");
    assert_eq!(read.len(), 2);
}

#[test]
fn what_is_none_of_the_formats_is_told() {
    for file in ["<html><body>", "http://e.org/\nhttp://e.org/2", "a b c", "a|b"] {
        let told = told(file.as_bytes(), &Manner::default());
        assert!(told[0].starts_with("1!: this is neither BEACON"), "{file}: {told:?}");
    }
    let excel = told(b"\xff\xfec\0o\0d\0e\0", &Manner::default());
    assert!(excel[0].contains("UTF-16"), "{excel:?}");
    assert_eq!(told(b"", &Manner::default()), [""; 0]);
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_fail_or_go_astray(bytes: Vec<u8>, text in "[#|:\n\r,\"{}a-b/=\u{feff}]{0,80}") {
        for file in [&bytes[..], text.as_bytes()] {
            for format in [Format::Beacon, Format::Csv, Format::Ndjson] {
                let entries = told_as(format, file, &Manner::default());
                let newlines = file.iter().filter(|byte| **byte == b'\n').count();
                prop_assert!(entries.len() <= newlines + file.len().min(1) + 1);
            }
        }
    }
}
