//! A link as a line of JSON: of our own export, and of what is to be imported.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::link::{Link, Redirect, Standing, Tag};

/// A link. What most links don't have is left out; of what is imported, only code and target are
/// needed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkLine {
    /// What the line is about; among lines of other types, a link's says so.
    #[serde(default, rename = "type", skip_serializing)]
    pub kind: LinkKind,
    /// What readers type.
    pub code: String,
    /// Where they land, byte for byte.
    pub target: String,
    /// The article's identity, if it is another address than the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub article: Option<String>,
    /// Whether the target is an address of its own beside its article, as if it were minted with
    /// `keep_tracking`. Otherwise whoever asks for the article is given this link.
    #[serde(default, skip_serializing_if = "is_false")]
    pub keep_tracking: bool,
    /// When it was minted, wherever that was.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "moment")]
    pub created_at: Option<Timestamp>,
    /// The id of the key that minted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What its publisher calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// From then on it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "moment")]
    pub expires_at: Option<Timestamp>,
    /// Its own status: 301, 302, 307 or 308.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect: Option<Redirect>,
    /// Whether the reader's query string goes on to the target.
    #[serde(default, skip_serializing_if = "is_false")]
    pub forward_query: bool,
    /// The one host that knows the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// What its publisher decided about it.
    #[serde(default, skip_serializing_if = "StateLine::is_active")]
    pub state: StateLine,
    /// Why it was withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Clicks counted elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineLine>,
}

/// The type of a link's line: `link`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// A link.
    #[default]
    Link,
}

/// What a publisher decided about a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateLine {
    /// It redirects.
    #[default]
    Active,
    /// Withdrawn.
    Disabled,
    /// A tombstone.
    Deleted,
}

/// Clicks that another shortener counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineLine {
    /// How many.
    pub clicks: u64,
    /// As of when; the moment of the import if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "moment")]
    pub at: Option<Timestamp>,
}

impl StateLine {
    fn is_active(&self) -> bool {
        *self == Self::Active
    }
}

impl From<&Link> for LinkLine {
    fn from(link: &Link) -> Self {
        let (state, reason) = match &link.standing {
            Standing::Active => (StateLine::Active, None),
            Standing::Disabled { reason } => (StateLine::Disabled, reason.clone()),
            Standing::Deleted => (StateLine::Deleted, None),
        };
        let apart = link.article != link.target;
        Self {
            kind: LinkKind::Link,
            code: link.code.to_string(),
            target: link.target.to_string(),
            article: apart.then(|| link.article.to_string()),
            keep_tracking: apart && !link.verbatim,
            created_at: Some(link.created_at),
            owner: Some(link.owner.to_string()),
            title: link.title.clone(),
            tags: link.tags.iter().map(Tag::to_string).collect(),
            expires_at: link.expires_at,
            redirect: link.redirect,
            forward_query: link.forward_query,
            host: link.host.as_ref().map(ToString::to_string),
            state,
            reason,
            baseline: link
                .baseline
                .map(|there| BaselineLine { clicks: there.clicks, at: Some(there.at) }),
        }
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Moments in UTC, to the millisecond (RFC 3339).
mod moment {
    use jiff::Timestamp;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        moment: &Option<Timestamp>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match moment {
            Some(moment) => to.collect_str(&format_args!("{moment:.3}")),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let text = Option::<std::borrow::Cow<'de, str>>::deserialize(from)?;
        let read = |text: std::borrow::Cow<'de, str>| {
            let why = "a moment as in RFC 3339 is needed, with its offset: 2012-01-31T08:00:00Z";
            text.parse().map_err(|_| D::Error::custom(why))
        };
        text.map(read).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::code::Code;
    use crate::model::key::KeyId;
    use crate::model::target::Target;

    #[test]
    fn a_plain_link_is_a_short_line_and_comes_back() {
        let target = Target::verbatim(b"https://www.example.org/a");
        let link = Link {
            code: Code::parse("8yDbrB").unwrap(),
            article: target.clone(),
            target,
            created_at: "2012-01-31T08:00:00.5Z".parse().unwrap(),
            owner: KeyId::parse("abcdefgh").unwrap(),
            title: None,
            tags: vec![],
            expires_at: None,
            redirect: None,
            forward_query: false,
            standing: Standing::Active,
            verbatim: false,
            host: None,
            baseline: None,
        };
        let line = serde_json::to_string(&LinkLine::from(&link)).unwrap();
        assert_eq!(
            line,
            r#"{"code":"8yDbrB","target":"https://www.example.org/a","created_at":"2012-01-31T08:00:00.500Z","owner":"abcdefgh"}"#
        );
        assert_eq!(serde_json::from_str::<LinkLine>(&line).unwrap(), LinkLine::from(&link));
    }

    #[test]
    fn a_code_and_a_target_are_enough_and_a_misspelled_field_is_told() {
        let line = serde_json::from_str::<LinkLine>(r#"{"code":"a","target":"b"}"#).unwrap();
        let expected = LinkLine { code: "a".into(), target: "b".into(), ..LinkLine::default() };
        assert_eq!(line, expected);
        let refused = serde_json::from_str::<LinkLine>(r#"{"code":"a","target":"b","tag":"x"}"#);
        assert!(refused.unwrap_err().to_string().contains("tag"));
    }
}
