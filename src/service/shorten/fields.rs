//! The rules of each field, pure.

use jiff::Timestamp;

use crate::model::code::BadCode;
use crate::model::link::{BadTag, MAX_REASON_LENGTH, MAX_TAGS, MAX_TITLE_LENGTH, Tag};
use crate::model::target::{BadTarget, MAX_TARGET_LENGTH};
use crate::service::threats::Threat;

/// A field that breaks a rule, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadField {
    /// The address is not one to redirect to.
    #[error(transparent)]
    Target(#[from] BadTarget),
    /// The house rules block the host.
    #[error("links to {0} are blocked here (links.block_hosts)")]
    HostBlocked(String),
    /// The house rules don't name the host.
    #[error("links to {0} are not allowed here (links.allow_hosts)")]
    HostNotAllowed(String),
    /// The host is known to harm its readers.
    #[error("{0} is known here for {1}; nothing new may lead there (links.{1}_hosts)")]
    Harmful(String, Threat),
    /// One of our own addresses, but no live short link.
    #[error("{0} is an address of this service and no live short link; give the article's address")]
    Ours(String),
    /// The code asked for.
    #[error(transparent)]
    Code(#[from] BadCode),
    /// More than [`MAX_TITLE_LENGTH`] characters.
    #[error("a title has at most {MAX_TITLE_LENGTH} characters, this one has {0}")]
    LongTitle(usize),
    /// A control character in the title.
    #[error("a title holds no control characters")]
    TitleCharacter,
    /// One of the tags, counted from 0.
    #[error("{1}")]
    Tag(usize, BadTag),
    /// More than [`MAX_TAGS`] different tags.
    #[error("a link has at most {MAX_TAGS} tags, these are {0}")]
    TooManyTags(usize),
    /// An expiry that is over already.
    #[error("expires_at must be in the future; to end a link now, set its state to disabled")]
    Past,
    /// More than [`MAX_REASON_LENGTH`] characters.
    #[error("a reason has at most {MAX_REASON_LENGTH} characters, this one has {0}")]
    LongReason(usize),
    /// A control character in the reason.
    #[error("a reason holds no control characters")]
    ReasonCharacter,
    /// A reason for a link that is not withdrawn.
    #[error("only a disabled link has a reason; set state to disabled as well")]
    StrayReason,
    /// A host that is none of ours, and those that are.
    #[error("{0:?} is no host of this service; its hosts are {1} (public_url, hosts)")]
    Host(String, String),
    /// How to read an address that is not there.
    #[error("keep_tracking says how url is to be read; give url as well")]
    StrayKeepTracking,
}

impl BadField {
    /// The field's name on the wire.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Target(_)
            | Self::HostBlocked(_)
            | Self::HostNotAllowed(_)
            | Self::Harmful(..)
            | Self::Ours(_) => "url".into(),
            Self::Code(_) => "code".into(),
            Self::LongTitle(_) | Self::TitleCharacter => "title".into(),
            Self::Tag(at, _) => format!("tags[{at}]"),
            Self::TooManyTags(_) => "tags".into(),
            Self::Past => "expires_at".into(),
            Self::LongReason(_) | Self::ReasonCharacter | Self::StrayReason => "reason".into(),
            Self::Host(..) => "host".into(),
            Self::StrayKeepTracking => "keep_tracking".into(),
        }
    }

    /// The limit that was passed, where there is one.
    #[must_use]
    pub fn limit(&self) -> Option<usize> {
        match self {
            Self::Target(BadTarget::TooLong(_)) => Some(MAX_TARGET_LENGTH),
            Self::Code(BadCode::TooLong(_)) => Some(crate::model::code::MAX_CODE_LENGTH),
            Self::LongTitle(_) => Some(MAX_TITLE_LENGTH),
            Self::Tag(_, BadTag::TooLong(_)) => Some(crate::model::link::MAX_TAG_LENGTH),
            Self::TooManyTags(_) => Some(MAX_TAGS),
            Self::LongReason(_) => Some(MAX_REASON_LENGTH),
            _ => None,
        }
    }
}

/// A title; an empty one is none.
pub(in crate::service) fn title(text: &str) -> Result<Option<String>, BadField> {
    line(text, MAX_TITLE_LENGTH, BadField::LongTitle, BadField::TitleCharacter)
}

/// The reason of a withdrawal; an empty one is none.
pub(in crate::service) fn reason(text: &str) -> Result<Option<String>, BadField> {
    line(text, MAX_REASON_LENGTH, BadField::LongReason, BadField::ReasonCharacter)
}

fn line(
    text: &str,
    limit: usize,
    too_long: fn(usize) -> BadField,
    stray: BadField,
) -> Result<Option<String>, BadField> {
    let text = text.trim();
    let length = text.chars().count();
    if length > limit {
        return Err(too_long(length));
    }
    if text.chars().any(char::is_control) {
        return Err(stray);
    }
    Ok((length > 0).then(|| text.to_owned()))
}

/// Tags in the order given, none twice.
pub(in crate::service) fn tags(texts: &[String]) -> Result<Vec<Tag>, BadField> {
    let mut tags: Vec<Tag> = Vec::with_capacity(texts.len().min(MAX_TAGS));
    let mut beyond = 0;
    for (at, text) in texts.iter().enumerate() {
        let tag = Tag::parse(text).map_err(|e| BadField::Tag(at, e))?;
        match tags.contains(&tag) {
            true => {}
            false if tags.len() < MAX_TAGS => tags.push(tag),
            false => beyond += 1,
        }
    }
    if beyond > 0 { Err(BadField::TooManyTags(MAX_TAGS + beyond)) } else { Ok(tags) }
}

/// An expiry, to the millisecond, that lies ahead.
pub(super) fn expiry(at: Timestamp, now: Timestamp) -> Result<Timestamp, BadField> {
    let at = super::to_the_millisecond(at);
    if at > now { Ok(at) } else { Err(BadField::Past) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_trimmed_bounded_and_clean() {
        assert_eq!(title("  A story "), Ok(Some("A story".into())));
        assert_eq!(title("   "), Ok(None));
        assert_eq!(title(&"ü".repeat(500)).map(|t| t.is_some()), Ok(true));
        assert_eq!(title(&"ü".repeat(501)), Err(BadField::LongTitle(501)));
        assert_eq!(title("a\0b"), Err(BadField::TitleCharacter));
    }

    #[test]
    fn tags_keep_their_order_and_come_once() {
        let texts = ["b", "a", " b "].map(String::from);
        let tags = tags(&texts).unwrap();
        assert_eq!(tags.iter().map(Tag::as_str).collect::<Vec<_>>(), ["b", "a"]);
    }

    #[test]
    fn too_many_tags_and_a_bad_one_are_told() {
        let many: Vec<String> = (0..34).map(|n| n.to_string()).collect();
        assert_eq!(tags(&many), Err(BadField::TooManyTags(34)));
        let bad = tags(&["good".into(), " ".into()]).unwrap_err();
        assert_eq!((bad.name(), bad), ("tags[1]".into(), BadField::Tag(1, BadTag::Empty)));
    }

    #[test]
    fn an_expiry_lies_ahead() {
        let now = Timestamp::from_second(100).unwrap();
        assert_eq!(expiry(now, now), Err(BadField::Past));
        let later = Timestamp::from_millisecond(100_001).unwrap();
        assert_eq!(expiry(later, now), Ok(later));
    }
}
