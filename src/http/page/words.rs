//! What pages say in each language: `config/pages.toml`, and what a newsroom lays over it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

use askama::filters::{Html, escape};
use language_tags::LanguageTag;
use serde::Deserialize;
use toml::Table;

use super::language::ever_wider;

/// What is compiled in.
const PAGES_TOML: &str = include_str!("../../../config/pages.toml");
/// The language that has every key, and its words for what others lack.
pub(in crate::http) const ENGLISH: &str = "en";

/// Texts by key, of each language by its tag.
type Tables = BTreeMap<String, BTreeMap<String, String>>;

/// All that is said in one language. The fields are the keys of `config/pages.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Words {
    pub(in crate::http) direction: Direction,
    pub(in crate::http) home: Phrase,
    pub(in crate::http) unknown: Phrase,
    pub(in crate::http) unknown_hint: Phrase,
    pub(in crate::http) expired: Phrase,
    pub(in crate::http) withdrawn: Phrase,
    pub(in crate::http) deleted: Phrase,
    pub(in crate::http) reason: Phrase,
    pub(in crate::http) unavailable: Phrase,
    pub(in crate::http) wrong_method: Phrase,
    pub(in crate::http) misdirected: Phrase,
    pub(in crate::http) no_host: Phrase,
    pub(in crate::http) warning_title: Phrase,
    pub(in crate::http) warning: Phrase,
    pub(in crate::http) malware: Phrase,
    pub(in crate::http) phishing: Phrase,
    pub(in crate::http) not_sent: Phrase,
    pub(in crate::http) short_link: Phrase,
    pub(in crate::http) leads_to: Phrase,
    pub(in crate::http) created: Phrase,
    pub(in crate::http) state: Phrase,
    pub(in crate::http) active: Phrase,
    pub(in crate::http) clicks: Phrase,
    pub(in crate::http) clicks_of_people: Phrase,
    pub(in crate::http) before: Phrase,
    pub(in crate::http) counted_elsewhere: Phrase,
    pub(in crate::http) by_hour: Phrase,
    pub(in crate::http) by_day: Phrase,
    pub(in crate::http) by_week: Phrase,
    pub(in crate::http) by_month: Phrase,
    pub(in crate::http) chart: Phrase,
    pub(in crate::http) bar: Phrase,
    pub(in crate::http) referrers: Phrase,
    pub(in crate::http) countries: Phrase,
    pub(in crate::http) browsers: Phrase,
    pub(in crate::http) platforms: Phrase,
    pub(in crate::http) row_direct: Phrase,
    pub(in crate::http) row_unknown: Phrase,
    pub(in crate::http) row_other: Phrase,
    pub(in crate::http) no_figures: Phrase,
    pub(in crate::http) qr_code: Phrase,
}

/// Which way a language is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::http) enum Direction {
    Ltr,
    Rtl,
}

impl Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ltr => "ltr",
            Self::Rtl => "rtl",
        })
    }
}

/// Why translations can't be used.
#[derive(Debug, thiserror::Error)]
pub enum WordsError {
    /// The file can't be had.
    #[error("{} can't be read: {cause}", path.display())]
    Unreadable {
        /// Where it should be.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// It is no TOML, or not made of tables of texts.
    #[error("{file}, line {line}: {cause}")]
    Shape {
        /// Which.
        file: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        cause: String,
    },
    /// A table is named otherwise than a language.
    #[error("{file}: [{tag}] is not named by the tag of a language, such as de or pt-BR")]
    Tag {
        /// Which.
        file: String,
        /// The table's name.
        tag: String,
    },
    /// There is no such key.
    #[error("{file}: unknown key `{key}` in [{language}]; config/pages.toml has them all")]
    Key {
        /// Which.
        file: String,
        /// The table's name.
        language: String,
        /// What stands there.
        key: String,
    },
    /// A text lacks what is to be put into it, or has a place for something else.
    #[error("{file}: `{key}` in [{language}] must hold {wanted}, not {text:?}")]
    Places {
        /// Which.
        file: String,
        /// The table's name.
        language: String,
        /// The text's.
        key: String,
        /// What the English one has.
        wanted: String,
        /// What stands there.
        text: String,
    },
    /// A text says nothing.
    #[error("{file}: `{key}` in [{language}] is empty: give it words, or leave it out")]
    Blank {
        /// Which.
        file: String,
        /// The table's name.
        language: String,
        /// The text's.
        key: String,
    },
    /// A direction that no language is written in.
    #[error("{file}: `direction` in [{language}] must be ltr or rtl, not {given:?}")]
    Direction {
        /// Which.
        file: String,
        /// The table's name.
        language: String,
        /// What stands there.
        given: String,
    },
    /// Only when config/pages.toml and the program have come apart.
    #[error("config/pages.toml is not as the program needs it: {0}")]
    Mismatch(#[from] toml::de::Error),
}

/// All that is said in one language, and what of it in English because there are no words for it.
pub(super) struct Said {
    pub(super) tag: String,
    pub(super) words: Words,
    pub(super) lacks: Vec<String>,
}

/// What is said in every language: the words compiled in, and over them those of the file at `own`,
/// if there is one.
pub(super) fn read(own: Option<&Path>) -> Result<Vec<Said>, WordsError> {
    let mut tables = parse("config/pages.toml", PAGES_TOML)?;
    let english = tables.get(ENGLISH).cloned().unwrap_or_default();
    check("config/pages.toml", &tables, &english)?;
    if let Some(path) = own {
        let unreadable = |cause| WordsError::Unreadable { path: path.to_owned(), cause };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let file = path.display().to_string();
        let own = parse(&file, &text)?;
        check(&file, &own, &english)?;
        own.into_iter().for_each(|(tag, texts)| tables.entry(tag).or_default().extend(texts));
    }
    let said = |tag: &String| {
        let words = whole(tag, &tables).try_into()?;
        let own: Vec<_> = ever_wider(tag).filter_map(|tag| tables.get(tag)).collect();
        let lacks = english.keys().filter(|key| !own.iter().any(|texts| texts.contains_key(*key)));
        Ok(Said { tag: tag.clone(), words, lacks: lacks.cloned().collect() })
    };
    tables.keys().map(said).collect()
}

/// What is said in a language: its own words, before those of wider ones, before English.
fn whole(tag: &str, tables: &Tables) -> Table {
    let mut wider: Vec<&str> = ever_wider(tag).chain([ENGLISH]).collect();
    wider.reverse();
    let tables = wider.into_iter().filter_map(|tag| tables.get(tag));
    let texts = tables.flatten().map(|(key, text)| (key.clone(), text.as_str().into()));
    texts.collect()
}

/// The tables of a file, by the tags of their languages as one writes them.
fn parse(file: &str, text: &str) -> Result<Tables, WordsError> {
    let shape = |error: toml::de::Error| {
        let before = &text.as_bytes()[..error.span().map_or(0, |span| span.start)];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        WordsError::Shape { file: file.to_owned(), line, cause: error.message().to_owned() }
    };
    let written: Tables = toml::from_str(text).map_err(shape)?;
    let mut tables = Tables::new();
    for (tag, texts) in written {
        let language = language(&tag);
        let language = language.ok_or(WordsError::Tag { file: file.to_owned(), tag })?;
        tables.entry(language).or_default().extend(texts);
    }
    Ok(tables)
}

/// The tag of a language in its usual form. Such a language has two letters, or three: what no
/// browser asks for is a slip of the pen.
pub(super) fn language(tag: &str) -> Option<String> {
    let tag = LanguageTag::parse(tag).ok()?;
    matches!(tag.primary_language().len(), 2 | 3).then(|| tag.into_string())
}

fn check(
    file: &str,
    tables: &Tables,
    english: &BTreeMap<String, String>,
) -> Result<(), WordsError> {
    let texts = tables.iter().flat_map(|(tag, texts)| texts.iter().map(move |text| (tag, text)));
    for (language, (key, text)) in texts {
        let (file, language, key) = (file.to_owned(), language.clone(), key.clone());
        let Some(model) = english.get(&key) else {
            return Err(WordsError::Key { file, language, key });
        };
        if text.trim().is_empty() {
            return Err(WordsError::Blank { file, language, key });
        }
        if key == "direction" && !matches!(text.as_str(), "ltr" | "rtl") {
            return Err(WordsError::Direction { file, language, given: text.clone() });
        }
        let wanted = places(model).unwrap_or_default();
        if places(text).as_ref() != Some(&wanted) {
            let wanted = match wanted.is_empty() {
                true => "no braces".to_owned(),
                false => {
                    Vec::from_iter(wanted.iter().map(|name| format!("{{{name}}}"))).join(" and ")
                }
            };
            return Err(WordsError::Places { file, language, key, wanted, text: text.clone() });
        }
    }
    Ok(())
}

/// What is to be put into a text; nothing at all, when a brace is left open.
fn places(text: &str) -> Option<BTreeSet<&str>> {
    text.split('{').skip(1).map(|part| Some(part.split_once('}')?.0)).collect()
}

/// A text with places, `{name}`, for what is known only when it is said.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(in crate::http) struct Phrase(String);

impl Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Phrase {
    /// As plain text, with these values in their places.
    pub(in crate::http) fn text(&self, values: &[(&str, &dyn Display)]) -> String {
        self.fill(values, str::to_owned, |_, value| value)
    }

    /// As HTML, with these values in their places, each an element of its own: it may be written in
    /// another direction than the text around. Everything is escaped.
    pub(in crate::http) fn html(&self, values: &[(&str, &dyn Display)]) -> String {
        self.fill(values, escaped, |name, value| match name {
            "asked" | "host" | "link" | "ours" => format!("<b dir=\"ltr\">{}</b>", escaped(&value)),
            _ => format!("<bdi>{}</bdi>", escaped(&value)),
        })
    }

    fn fill(
        &self,
        values: &[(&str, &dyn Display)],
        say: impl Fn(&str) -> String,
        set: impl Fn(&str, String) -> String,
    ) -> String {
        let mut parts = self.0.split('{');
        let mut filled = say(parts.next().unwrap_or_default());
        for part in parts {
            let (name, text) = part.split_once('}').unwrap_or((part, ""));
            if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
                filled.push_str(&set(name, value.to_string()));
            }
            filled.push_str(&say(text));
        }
        filled
    }
}

fn escaped(text: &str) -> String {
    let Ok(escaped) = escape(text, Html);
    escaped.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(own: &str) -> Result<BTreeMap<String, Words>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pages.toml");
        std::fs::write(&path, own).unwrap();
        let words = by_tag(Some(&path)).map_err(|error| error.to_string());
        let folder = format!("{}/", folder.path().display());
        words.map_err(|error| error.replace(&folder, ""))
    }

    fn by_tag(own: Option<&Path>) -> Result<BTreeMap<String, Words>, WordsError> {
        Ok(read(own)?.into_iter().map(|said| (said.tag, said.words)).collect())
    }

    #[test]
    fn every_language_has_every_key_with_the_same_places() {
        let tables = parse("config/pages.toml", PAGES_TOML).unwrap();
        let keys = |tag: &str| tables[tag].keys().collect::<Vec<_>>();
        for tag in ["en", "de", "fr", "es", "pt", "ar", "fa"] {
            assert_eq!(keys(tag), keys("en"), "{tag}");
            for (key, text) in &tables[tag] {
                assert_eq!(places(text), places(&tables["en"][key]), "{tag}: {key}");
                assert!(!text.trim().is_empty(), "{tag}: {key}");
            }
        }
        let words = by_tag(None).unwrap();
        assert_eq!(words["ar"].direction, Direction::Rtl);
        assert_eq!(words["fr"].direction, Direction::Ltr);
    }

    #[test]
    fn a_file_changes_words_and_adds_languages() {
        let words = with(
            "[de]\nunknown = 'Nix da.'\n[de-at]\nstate = 'Stand'\n\
             [en]\nunknown = 'Nope.'\n[he]\ndirection = 'rtl'\nhome = 'אל {name}'",
        );
        let words = words.unwrap();
        assert_eq!(words["de"].unknown.0, "Nix da.");
        assert_eq!(words["de"].state.0, "Zustand");
        let austrian = &words["de-AT"];
        assert_eq!((&*austrian.unknown.0, &*austrian.state.0), ("Nix da.", "Stand"));
        let hebrew = &words["he"];
        assert_eq!((hebrew.direction, &*hebrew.unknown.0), (Direction::Rtl, "Nope."));
        assert_eq!(hebrew.home.text(&[("name", &"X")]), "אל X");
        assert_eq!(words["fr"].unknown.0, "Ce lien court n’existe pas.");
    }

    #[test]
    fn what_is_wrong_with_a_file_is_named() {
        let file = "pages.toml";
        for (own, told) in [
            (
                "[de]\nunknwon = 'x'",
                "unknown key `unknwon` in [de]; config/pages.toml has them all",
            ),
            ("[nl]\nreason = 'Reden'", "`reason` in [nl] must hold {reason}, not \"Reden\""),
            (
                "[nl]\nbar = '{start} {people} {bot}'",
                "`bar` in [nl] must hold {bots} and {people} and {start}, not \
                 \"{start} {people} {bot}\"",
            ),
            ("[nl]\nhome = '{name'", "`home` in [nl] must hold {name}, not \"{name\""),
            ("[nl]\nunknown = '{code}'", "`unknown` in [nl] must hold no braces, not \"{code}\""),
            ("[de]\nunknown = ' '", "`unknown` in [de] is empty: give it words, or leave it out"),
            ("[he]\ndirection = 'left'", "`direction` in [he] must be ltr or rtl, not \"left\""),
            (
                "[german]\nunknown = 'x'",
                "[german] is not named by the tag of a language, such as de or pt-BR",
            ),
            (
                "[de_AT]\nunknown = 'x'",
                "[de_AT] is not named by the tag of a language, such as de or pt-BR",
            ),
        ] {
            assert_eq!(with(own).unwrap_err(), format!("{file}: {told}"));
        }
        for (own, line) in [("[de]\nunknown = 5", 2), ("\n\nde = 'x'", 3), ("[de]\nx", 2)] {
            let told = with(own).unwrap_err();
            assert!(told.starts_with(&format!("{file}, line {line}: ")), "{told}");
        }
        let missing = by_tag(Some(Path::new("/nowhere/p.toml"))).unwrap_err().to_string();
        assert!(missing.starts_with("/nowhere/p.toml can't be read: "), "{missing}");
    }

    #[test]
    fn values_are_set_as_text_or_as_elements() {
        let phrase = Phrase("<{host}> & {clicks}".into());
        let values: [(&str, &dyn Display); 2] = [("host", &"{clicks}<b>"), ("clicks", &5)];
        assert_eq!(phrase.text(&values), "<{clicks}<b>> & 5");
        assert_eq!(
            phrase.html(&values),
            "&#60;<b dir=\"ltr\">{clicks}&#60;b&#62;</b>&#62; &#38; <bdi>5</bdi>"
        );
    }
}
