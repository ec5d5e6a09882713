//! A short link and its life.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::code::Code;
use super::host::Host;
use super::key::KeyId;
use super::target::Target;

/// The longest title, in characters.
pub const MAX_TITLE_LENGTH: usize = 500;
/// The longest tag, in characters.
pub const MAX_TAG_LENGTH: usize = 64;
/// The most tags of one link.
pub const MAX_TAGS: usize = 32;
/// The longest reason for a withdrawal, in characters.
pub const MAX_REASON_LENGTH: usize = 500;

/// A short link, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The short code: never given out again, also after deletion.
    pub code: Code,
    /// Where the reader lands.
    pub target: Target,
    /// The article's identity: the canonical form of the target.
    pub article: Target,
    /// Whether the target stands byte for byte as it was imported. Such a link answers for its
    /// article, whatever its target looks like.
    pub verbatim: bool,
    /// The one host that knows the code; none: all of them do.
    pub host: Option<Host>,
    /// When it was minted, to the millisecond.
    pub created_at: Timestamp,
    /// The key that minted it.
    pub owner: KeyId,
    /// What the publisher calls it.
    pub title: Option<String>,
    /// The publisher's labels, in the order given, none twice.
    pub tags: Vec<Tag>,
    /// From then on it is gone.
    pub expires_at: Option<Timestamp>,
    /// The link's own status; the setting's when there is none.
    pub redirect: Option<Redirect>,
    /// Whether the reader's query string goes on to the target.
    pub forward_query: bool,
    /// What its publisher decided about it.
    pub standing: Standing,
    /// Clicks that another shortener counted before the link came here.
    pub baseline: Option<Baseline>,
}

/// Clicks that were counted elsewhere: they are told beside what is measured here, never within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// How many.
    pub clicks: u64,
    /// As of when, to the millisecond.
    pub at: Timestamp,
}

impl Baseline {
    /// All of them as one: the clicks added up, as of the latest of their moments.
    #[must_use]
    pub fn together(all: impl IntoIterator<Item = Self>) -> Option<Self> {
        all.into_iter().reduce(|sum, more| Self {
            clicks: sum.clicks.saturating_add(more.clicks),
            at: sum.at.max(more.at),
        })
    }
}

/// What the publisher decided about a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// It redirects.
    Active,
    /// Withdrawn, until it is made active again.
    Disabled {
        /// Shown to readers.
        reason: Option<String>,
    },
    /// Gone for good; what is left is a tombstone.
    Deleted,
}

/// What a link is at a moment: its standing and the clock together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It redirects.
    Active,
    /// Withdrawn by its publisher.
    Disabled,
    /// Its time is over.
    Expired,
    /// A tombstone.
    Deleted,
}

impl Link {
    /// What the link is at `now`. Deletion outweighs withdrawal, withdrawal outweighs expiry.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> State {
        match self.standing {
            Standing::Deleted => State::Deleted,
            Standing::Disabled { .. } => State::Disabled,
            Standing::Active if self.expires_at.is_some_and(|end| end <= now) => State::Expired,
            Standing::Active => State::Active,
        }
    }

    /// Whether minting its target again may answer with this link: it is there, and not over.
    #[must_use]
    pub fn stands_for_its_article_at(&self, now: Timestamp) -> bool {
        let over = self.expires_at.is_some_and(|end| end <= now);
        !over && self.standing != Standing::Deleted
    }

    /// Whether whoever asks for a link to `target`, which is in normal form, is served with this one.
    #[must_use]
    pub fn leads_to(&self, target: &Target) -> bool {
        if self.verbatim { self.article == *target } else { self.target == *target }
    }

    /// Whether an authority, as a request's `Host` has it, is one under which its code is known.
    #[must_use]
    pub fn is_known_at(&self, authority: &str) -> bool {
        self.host.as_ref().is_none_or(|host| host.is_named_by(authority))
    }

    /// Whether `other` is known wherever this one is.
    #[must_use]
    pub fn host_is_served_by(&self, other: &Self) -> bool {
        other.host.is_none() || self.host == other.host
    }

    /// Whether `other`, which leads to the same target, is as good as this one: it is known on the
    /// host that this one is bound to. What is bound to none will do with any.
    #[must_use]
    pub fn will_do_with(&self, other: &Self) -> bool {
        self.host.is_none() || self.host == other.host
    }

    /// The addresses under which its code is entered: an article's own entry knows all its codes, and
    /// nobody asks for a target that is not in normal form.
    pub fn addresses(&self) -> impl Iterator<Item = &Target> {
        let target = (!self.verbatim && self.article != self.target).then_some(&self.target);
        target.into_iter().chain([&self.article])
    }
}

/// The status of a redirect (RFC 9110 §15.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Redirect {
    /// 301 Moved Permanently.
    MovedPermanently,
    /// 302 Found.
    Found,
    /// 307 Temporary Redirect.
    Temporary,
    /// 308 Permanent Redirect.
    Permanent,
}

impl Redirect {
    /// The status code.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::MovedPermanently => 301,
            Self::Found => 302,
            Self::Temporary => 307,
            Self::Permanent => 308,
        }
    }
}

/// Not a status that a link may answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a redirect is 301, 302, 307 or 308, not {0}")]
pub struct BadRedirect(pub u16);

impl TryFrom<u16> for Redirect {
    type Error = BadRedirect;

    fn try_from(status: u16) -> Result<Self, BadRedirect> {
        match status {
            301 => Ok(Self::MovedPermanently),
            302 => Ok(Self::Found),
            307 => Ok(Self::Temporary),
            308 => Ok(Self::Permanent),
            other => Err(BadRedirect(other)),
        }
    }
}

impl Serialize for Redirect {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u16(self.status())
    }
}

impl<'de> Deserialize<'de> for Redirect {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::try_from(u16::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

/// A label: 1–64 characters, none of them a control character, no space at either end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Tag(Box<str>);

/// Why a text is not a tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTag {
    /// Nothing but space.
    #[error("a tag has at least 1 character")]
    Empty,
    /// More than [`MAX_TAG_LENGTH`] characters.
    #[error("a tag has at most {MAX_TAG_LENGTH} characters, this one has {0}")]
    TooLong(usize),
    /// A control character.
    #[error("a tag holds no control characters")]
    ControlCharacter,
}

impl Tag {
    /// Reads a tag; space around it falls away.
    ///
    /// # Errors
    /// [`BadTag`] says which rule it breaks.
    pub fn parse(text: &str) -> Result<Self, BadTag> {
        let text = text.trim();
        let length = text.chars().count();
        if length == 0 {
            return Err(BadTag::Empty);
        }
        if length > MAX_TAG_LENGTH {
            return Err(BadTag::TooLong(length));
        }
        if text.chars().any(char::is_control) {
            return Err(BadTag::ControlCharacter);
        }
        Ok(Self(text.into()))
    }

    /// The tag as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Tag {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(standing: Standing, expires_at: Option<i64>) -> Link {
        let target = Target::from_normal_form("https://example.org/");
        Link {
            code: Code::parse("8yDbrB").unwrap(),
            article: target.clone(),
            target,
            created_at: Timestamp::UNIX_EPOCH,
            owner: KeyId::parse("abcdefgh").unwrap(),
            title: None,
            tags: vec![],
            expires_at: expires_at.map(|s| Timestamp::from_second(s).unwrap()),
            redirect: None,
            forward_query: false,
            standing,
            verbatim: false,
            host: None,
            baseline: None,
        }
    }

    #[test]
    fn a_link_is_over_from_the_very_moment_it_expires() {
        let link = link(Standing::Active, Some(100));
        assert_eq!(link.state_at(Timestamp::from_millisecond(99_999).unwrap()), State::Active);
        assert_eq!(link.state_at(Timestamp::from_second(100).unwrap()), State::Expired);
        assert!(!link.stands_for_its_article_at(Timestamp::from_second(100).unwrap()));
    }

    #[test]
    fn a_withdrawn_link_still_stands_for_its_article_and_a_deleted_one_does_not() {
        let now = Timestamp::from_second(5).unwrap();
        assert!(link(Standing::Disabled { reason: None }, None).stands_for_its_article_at(now));
        assert!(!link(Standing::Deleted, None).stands_for_its_article_at(now));
        assert_eq!(link(Standing::Deleted, Some(1)).state_at(now), State::Deleted);
    }

    #[test]
    fn baselines_add_up_as_of_the_latest() {
        let baseline = |clicks, at| Baseline { clicks, at: Timestamp::from_second(at).unwrap() };
        let all = [baseline(3, 200), baseline(u64::MAX, 100)];
        assert_eq!(Baseline::together(all), Some(baseline(u64::MAX, 200)));
        assert_eq!(Baseline::together([]), None);
    }

    #[test]
    fn tags_are_trimmed_bounded_and_clean() {
        assert_eq!(Tag::parse("  سیاست ").unwrap().as_str(), "سیاست");
        assert_eq!(Tag::parse(" "), Err(BadTag::Empty));
        assert_eq!(Tag::parse(&"x".repeat(65)), Err(BadTag::TooLong(65)));
        assert_eq!(Tag::parse("a\nb"), Err(BadTag::ControlCharacter));
    }
}
