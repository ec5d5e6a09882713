//! Whose clicks are counted.

use std::borrow::Cow;

use crate::model::code::Code;
use crate::model::key::KeyId;
use crate::model::link::Tag;

/// What clicks are counted for. A click on a link counts for the link, for each of its tags, for the
/// key that minted it and for the site.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// One link.
    Link(Code),
    /// All links that have this tag when their clicks are rolled up: a second after they were made
    /// (`clicks.flush_interval`), later while the store does not answer.
    Tag(Tag),
    /// All links that were minted by this key.
    Key(KeyId),
    /// All links together.
    Site,
    /// Codes that lead nowhere and were asked for: these are no clicks on links.
    Orphans,
}

impl Subject {
    /// Its name in the store. A link's is its code; all others begin with a colon, which no code
    /// contains.
    #[must_use]
    pub fn name(&self) -> Cow<'_, str> {
        match self {
            Self::Link(code) => Cow::Borrowed(code.as_str()),
            Self::Tag(tag) => Cow::Owned(format!(":tag:{tag}")),
            Self::Key(key) => Cow::Owned(format!(":key:{key}")),
            Self::Site => Cow::Borrowed(":site"),
            Self::Orphans => Cow::Borrowed(":orphans"),
        }
    }

    /// Reads its name in the store; `None` when it is nobody's.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let Some(rest) = name.strip_prefix(':') else {
            return Code::parse(name).ok().map(Self::Link);
        };
        match (rest, rest.split_once(':')) {
            ("site", _) => Some(Self::Site),
            ("orphans", _) => Some(Self::Orphans),
            (_, Some(("tag", tag))) => Tag::parse(tag).ok().map(Self::Tag),
            (_, Some(("key", key))) => KeyId::parse(key).ok().map(Self::Key),
            _ => None,
        }
    }
}

/// Whether a name in the store is that of a link.
#[must_use]
pub fn is_link(name: &str) -> bool {
    !name.starts_with(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_the_store_says_whose_it_is() {
        for subject in [
            Subject::Link(Code::parse("fb/AbC1").unwrap()),
            Subject::Tag(Tag::parse("a: b").unwrap()),
            Subject::Key(KeyId::local()),
            Subject::Site,
            Subject::Orphans,
        ] {
            assert_eq!(Subject::of_name(&subject.name()), Some(subject));
        }
        for nobody in ["", ":", ":all", ":tag:", ":key:x", "a b"] {
            assert_eq!(Subject::of_name(nobody), None, "{nobody}");
        }
    }
}
