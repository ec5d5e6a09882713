//! A newsroom's name, colour, logo and words on these pages.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::live::Service;
use super::{ask, assert_tame, browse, escaped, words};

/// A folder with a file in it.
fn file(name: &str, content: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

#[test]
fn pages_bear_the_newsrooms_name_colour_logo_and_home() {
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    let (_folder, logo) = file("logo.svg", svg);
    let settings = [
        ("PUBLIC_URL", "https://www.example.org/go/"),
        ("BRAND__NAME", " The Daily & Sunday "),
        ("BRAND__COLOUR", "#FFCC00"),
        // A browser would take it for a path of ours.
        ("BRAND__HOME", "https:www.example.org/?a=1&b=2"),
        ("BRAND__LOGO", logo.to_str().unwrap()),
        ("BRAND__LANGUAGE", "de"),
    ];
    let service = Service::start_with("", &settings);
    let code = service.mint("https://e.org/");
    for (target, status) in [("/nobody".to_owned(), 404), (format!("/{code}+"), 200)] {
        let page = browse(&service, &target, "sv").expect(status);
        assert_eq!(page.header("content-language"), "de", "{target}");
        for part in [
            "<img src=\"/go/-/brand/logo\" alt=\"The Daily &#38; Sunday\">",
            "<link rel=\"icon\" href=\"/go/-/brand/logo\">",
            "<a href=\"https://www.example.org/?a=1&#38;b=2\">Zu <bdi>The Daily &#38; Sunday</bdi></a>",
            "--brand: #ffcc00; --on-brand: #000000;",
        ] {
            assert!(page.text().contains(part), "{part}: {}", page.text());
        }
        assert_tame(&page, true);
    }
    let sent = ask(&service, "GET", "/-/brand/logo", &[]).expect(200);
    assert_eq!(sent.body, svg);
    assert_eq!(sent.header("content-type"), "image/svg+xml");
    assert_eq!(sent.header("x-content-type-options"), "nosniff");
    let policy = sent.header("content-security-policy");
    assert_eq!(policy, "default-src 'none'; style-src 'unsafe-inline'; sandbox");
    let head = ask(&service, "HEAD", "/-/brand/logo", &[]).expect(200);
    assert_eq!(head.header("content-length"), svg.len().to_string());
    let known = [("If-None-Match", sent.header("etag"))];
    ask(&service, "GET", "/-/brand/logo", &known).expect(304);
    ask(&service, "POST", "/-/brand/logo", &[]).expect(405);
    let plain = Service::start("");
    browse(&plain, "/-/brand/logo", "en").expect(404);
    let page = browse(&plain, "/nobody", "en").expect(404);
    assert!(page.text().contains("<bdi>Slugline</bdi>"), "{}", page.text());
    assert!(!page.text().contains("<footer>") && !page.text().contains("--brand:"));
}

#[test]
fn translations_of_a_newsroom_are_laid_over_ours() {
    let own = "[de]\nunknown = 'Nix da.'\n[de-CH]\nexpired = 'Abgloffe.'\n\
               [he]\ndirection = 'rtl'\nunknown = 'אין קישור כזה.'\n";
    let (_folder, path) = file("pages.toml", own.as_bytes());
    let settings = [("BRAND__TRANSLATIONS", path.to_str().unwrap()), ("BRAND__LANGUAGE", "he")];
    let service = Service::start_with("", &settings);
    for (wanted, tag, sentence) in [
        ("de", "de", "Nix da.\n"),
        ("de-CH", "de-CH", "Nix da.\n"),
        ("he-IL", "he", "אין קישור כזה.\n"),
        ("sv", "he", "אין קישור כזה.\n"),
        ("fr", "fr", "Ce lien court n’existe pas.\n"),
    ] {
        let answer = ask(&service, "GET", "/nobody", &[("Accept-Language", wanted)]).expect(404);
        assert_eq!((answer.header("content-language"), answer.text()), (tag, sentence));
    }
    let page = browse(&service, "/nobody", "he").expect(404);
    assert!(page.text().contains("<html lang=\"he\" dir=\"rtl\">"));
    let hint = escaped(&words()["en"]["unknown_hint"]);
    assert!(page.text().contains(&hint), "what is lacking is English: {}", page.text());
}

#[test]
fn a_brand_that_cannot_be_shown_stops_the_start_and_says_why() {
    let (_a, gif) = file("logo.gif", b"GIF89a......");
    let (_b, html) = file("logo.svg", b"<html><svg></svg></html>");
    let (_c, large) = file("logo.png", &[b"\x89PNG\r\n\x1a\n", &[0; 200_000][..]].concat());
    let (_d, typo) = file("pages.toml", b"[de]\nunknwon = 'x'\n");
    let (_e, hole) = file("pages.toml", b"[de]\nreason = 'Grund'\n");
    let (_f, tag) = file("pages.toml", b"[german]\nunknown = 'x'\n");
    let (_g, broken) = file("pages.toml", b"[de]\nunknown = \n");
    let text = |path: &PathBuf| path.to_str().unwrap().to_owned();
    let allowed = "must be empty, or a colour such as \"#1f5fa8\", not \"blue\"";
    for (key, value, told) in [
        ("LOGO", text(&gif), "brand.logo: FILE is neither SVG nor PNG, JPEG or WebP"),
        ("LOGO", text(&html), "brand.logo: FILE is neither SVG nor PNG, JPEG or WebP"),
        ("LOGO", text(&large), "brand.logo: FILE has more than 200000 bytes; make it smaller"),
        ("LOGO", "/nowhere/logo.png".into(), "brand.logo: FILE can't be read: No such file"),
        ("TRANSLATIONS", text(&typo), "brand.translations: FILE: unknown key `unknwon` in [de]"),
        ("TRANSLATIONS", text(&hole), "FILE: `reason` in [de] must hold {reason}, not \"Grund\""),
        ("TRANSLATIONS", text(&tag), "FILE: [german] is not named by the tag of a language"),
        ("TRANSLATIONS", text(&broken), "brand.translations: FILE, line 2: "),
        ("TRANSLATIONS", "/nowhere/p.toml".into(), "brand.translations: FILE can't be read: No"),
        (
            "LANGUAGE",
            "xx".into(),
            "brand.language: there are no pages in \"xx\"; there are ar, de,",
        ),
        ("COLOUR", "blue".into(), allowed),
        ("HOME", "javascript:alert(1)".into(), "must be empty, or an http or https address"),
        ("NAME", " ".into(), "must be 1 to 100 characters"),
    ] {
        let mut service = Service::prepare("", &[(&format!("BRAND__{key}"), &value)]);
        service.run();
        assert!(!service.wait().success(), "{key} = {value}");
        let told = told.replace("FILE", &value);
        assert!(service.log().contains(&told), "{told} in {}", service.log());
    }
}

#[test]
fn the_check_says_whether_the_brand_can_be_shown() {
    let (folder, gif) = file("logo.gif", b"GIF89a......");
    let check = |key: &str, value: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_slugline"));
        command.arg("check").env("SLUGLINE__DATA_DIR", folder.path().join("data"));
        let output = command.env(format!("SLUGLINE__BRAND__{key}"), value).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let (well, said) = check("LOGO", "");
    assert!(well && said.contains("OK       pages: in ar, de, en, es, fa, fr, pt\n"), "{said}");
    let (well, said) = check("LOGO", gif.to_str().unwrap());
    assert!(!well && said.contains("problem  pages: brand.logo: "), "{said}");
    let mut own = words()["en"].clone();
    own.remove("unknown_hint");
    own.remove("direction");
    let own = toml::to_string(&BTreeMap::from([("he", &own), ("de-AT", &BTreeMap::new())]));
    let (_folder, path) = file("pages.toml", own.unwrap().as_bytes());
    let (well, said) = check("TRANSLATIONS", path.to_str().unwrap());
    let told = "warning  pages: [he] lacks direction, unknown_hint: said in English\n";
    assert!(well && said.contains(told) && !said.contains("[de"), "{said}");
}
