//! The map in `src/lib.rs` is true: this reads the sources and fails on an import that turns back.
//!
//! main → cli → app → http → service → store → model, never back, and `http` never sees `store`.
//! What stands below `#[cfg(test)] mod … {` at the end of a file is exempt.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Who may use whom. A module that is missing here has no place yet: give it one.
const ARROWS: [(&str, &[&str]); 10] = [
    ("main", &["cli"]),
    ("cli", &["app", "config", "http", "metrics", "model", "service", "store", "telemetry"]),
    ("app", &["config", "http", "metrics", "model", "service", "store", "telemetry"]),
    // Puts together the settings that each module owns.
    ("config", &["http", "model", "service", "store", "telemetry"]),
    ("http", &["metrics", "model", "service"]),
    ("metrics", &["model", "service", "store"]),
    ("service", &["model", "store"]),
    ("store", &["model"]),
    ("telemetry", &[]),
    ("model", &[]),
];

/// Crates that are known in one place only, so that another can take their place.
const CONFINED: [(&str, &[&str]); 12] = [
    ("actix_web", &["http", "app"]),
    ("askama", &["http"]),
    ("fast_qr", &["http/suffix/qr"]),
    ("png", &["http/suffix/qr"]),
    ("redis", &["store/redis"]),
    ("redb", &["store/embedded"]),
    ("nanoid", &["model/code"]),
    ("maxminddb", &["service/click/countries"]),
    ("hmac", &["service/session"]),
    ("ipnet", &["http/client"]),
    ("rust_embed", &["http/dashboard/assets"]),
    ("parquet", &["store/archive/columns"]),
];

/// A source file.
struct Source {
    /// Below `src`, without `.rs`: `store/redis/mod`.
    name: String,
    text: String,
}

impl Source {
    fn all() -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = Vec::new();
        collect(&root, &mut files);
        assert!(files.len() > 10, "the sources are not where they are looked for");
        files.iter().map(|path| Self::read(&root, path)).collect()
    }

    fn read(root: &Path, path: &Path) -> Self {
        let name = path.strip_prefix(root).unwrap().with_extension("");
        let name = name.to_str().unwrap().replace('\\', "/");
        Self { name, text: std::fs::read_to_string(path).unwrap() }
    }

    /// The module of the first level that it belongs to.
    fn module(&self) -> &str {
        self.name.split('/').next().unwrap()
    }

    /// How many `super::` lead from it to the crate's root.
    fn depth(&self) -> usize {
        self.name.trim_end_matches("/mod").split('/').count()
    }

    /// Its lines without comments and without the tests at its end.
    fn code(&self) -> String {
        let mut code = Vec::new();
        let mut lines = self.text.lines().peekable();
        while let Some(line) = lines.next() {
            let tests =
                lines.peek().is_some_and(|next| next.starts_with("mod ") && next.ends_with('{'));
            if line == "#[cfg(test)]" && tests {
                break;
            }
            code.push(line.split("//").next().unwrap_or_default());
        }
        code.join("\n")
    }

    /// Modules of the first level that it names.
    fn uses(&self) -> BTreeSet<String> {
        let root = if self.name == "main" { "slugline::".to_owned() } else { "crate::".to_owned() };
        let above = "super::".repeat(self.depth());
        let code = self.code();
        [root, above].iter().flat_map(|prefix| named_after(&code, prefix)).collect()
    }

    /// Whether it names this crate, and not a module of ours that is called the same.
    fn names_crate(&self, name: &str) -> bool {
        let code = self.code();
        let own = [format!("mod {name};"), format!("::{name};"), format!("::{name}::{{")];
        if own.iter().any(|own| code.contains(own)) && !code.contains(&format!("use {name}::")) {
            return false;
        }
        let whole = |at: usize| {
            let before = code[..at].chars().next_back();
            !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':'))
        };
        let paths = [format!("{name}::"), format!("{name}!")];
        paths.iter().any(|path| code.match_indices(path).any(|(at, _)| whole(at)))
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            files.push(path);
        }
    }
}

/// The names that follow `prefix`, also within braces: `crate::{http, model::code::Code}`.
fn named_after(code: &str, prefix: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let mut names = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':')) {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        match rest.strip_prefix('{') {
            None => names.push(word(rest)),
            Some(group) => names.extend(top_level(group).iter().map(|item| word(item))),
        }
    }
    names.retain(|name| !matches!(name.as_str(), "" | "super" | "self"));
    names
}

/// The items of a brace group, without going into inner ones.
fn top_level(group: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut depth = 0;
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => items.push(String::new()),
            c if depth == 0 => items.last_mut().unwrap().push(c),
            _ => {}
        }
    }
    items
}

#[test]
fn no_arrow_turns_back() {
    let mut wrong = Vec::new();
    for source in Source::all().iter().filter(|source| source.name != "lib") {
        let module = source.module();
        let arrow = ARROWS.iter().find(|(name, _)| *name == module);
        let (_, allowed) = arrow.unwrap_or_else(|| {
            panic!("src/{module} has no place on the map: see ARROWS in tests/architecture.rs")
        });
        for used in source.uses() {
            let known = ARROWS.iter().any(|(name, _)| *name == used);
            if known && used != module && !allowed.contains(&used.as_str()) {
                wrong.push(format!("src/{}.rs uses `{used}`", source.name));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "an arrow turns back:\n  {}\n\
         main → cli → app → http → service → store → model, and `http` never sees `store`.\n\
         Move what is shared down, or pass it in as an argument: see ARCHITECTURE.md.",
        wrong.join("\n  ")
    );
}

#[test]
fn each_confined_crate_is_known_in_one_place_only() {
    let mut wrong = Vec::new();
    for source in Source::all() {
        for (name, homes) in CONFINED {
            let home = homes.iter().any(|home| source.name.starts_with(home));
            if !home && source.names_crate(name) {
                wrong.push(format!("src/{}.rs uses `{name}`: only {homes:?} may", source.name));
            }
        }
    }
    assert!(wrong.is_empty(), "a crate has left its place:\n  {}", wrong.join("\n  "));
}

#[test]
fn each_file_says_what_it_is_and_has_a_telling_name() {
    for Source { name, text } in Source::all() {
        assert!(text.starts_with("//! "), "src/{name}.rs does not begin with a line of `//! `");
        let vague = name.split('/').find(|part| matches!(*part, "utils" | "helpers" | "common"));
        assert_eq!(vague, None, "src/{name}.rs: call it after what it is about");
    }
}

#[test]
fn the_reader_of_imports_sees_all_their_forms() {
    let source = |name: &str, text: &str| Source { name: name.into(), text: text.into() };
    let uses = |name, text| Vec::from_iter(source(name, text).uses());
    assert_eq!(uses("http/mod", "use crate::{app::App, model::{code, key}};"), ["app", "model"]);
    assert_eq!(uses("http/mod", "fn f(x: crate::store::Store) {} // crate::app"), ["store"]);
    assert_eq!(uses("http/v1/links", "use super::super::super::store::Store;"), ["store"]);
    assert_eq!(uses("http/v1/links", "use super::super::error;"), [""; 0]);
    assert_eq!(uses("store/mod", "use super::{\n  service,\n};"), ["service"]);
    assert_eq!(uses("main", "use slugline::cli::{self, Cli};"), ["cli"]);
    assert_eq!(uses("model/x", "#[cfg(test)]\nmod tests {\n use crate::store::X;\n}"), [""; 0]);
    assert_eq!(uses("model/x", "#[cfg(test)]\nmod suite;\nuse crate::store::X;"), ["store"]);
    assert!(source("store/x", "fn f() { redis::cmd(\"GET\") }").names_crate("redis"));
    assert!(source("store/x", "fn f() { nanoid::nanoid!(6) }").names_crate("nanoid"));
    assert!(!source("store/mod", "pub mod redis;\nRedis(redis::Redis)").names_crate("redis"));
    assert!(!source("app", "use crate::store::redis;\nredis::Redis").names_crate("redis"));
    assert!(!source("app", "crate::store::redis::Redis").names_crate("redis"));
}
