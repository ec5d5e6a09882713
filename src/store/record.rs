//! The stored form of links and keys: one compact layout for every store.
//!
//! A plain link costs its target and 18 bytes: what most links don't have takes one byte together.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::model::code::Code;
use crate::model::host::Host;
use crate::model::key::{Key, KeyId};
use crate::model::link::{Baseline, Link, Redirect, Standing, Tag};
use crate::model::target::Target;

/// The layout of a link's record; its first byte.
const LINK_LAYOUT: u8 = 1;

#[derive(Serialize, Deserialize)]
struct LinkRecord<'a> {
    layout: u8,
    /// Milliseconds since 1970.
    created_at: i64,
    owner: &'a str,
    scheme: Scheme,
    /// What follows the scheme.
    target: &'a str,
    #[serde(borrow)]
    rest: Option<Rest<'a>>,
}

/// How a target begins.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Scheme {
    Http,
    Https,
    /// As the rest says, which is the whole target: it was imported as `HTTP://…`.
    Spelled,
}

impl Scheme {
    const COMMON: [Self; 2] = [Self::Https, Self::Http];

    fn text(self) -> &'static str {
        match self {
            Self::Http => "http://",
            Self::Https => "https://",
            Self::Spelled => "",
        }
    }

    /// The scheme of a target, and what follows it.
    fn split(target: &str) -> (Self, &str) {
        let common = Self::COMMON.into_iter();
        let found = common.filter_map(|s| Some((s, target.strip_prefix(s.text())?))).next();
        found.unwrap_or((Self::Spelled, target))
    }
}

/// What most links don't have.
#[derive(Serialize, Deserialize, PartialEq)]
struct Rest<'a> {
    article: Option<&'a str>,
    title: Option<&'a str>,
    #[serde(borrow)]
    tags: Vec<&'a str>,
    expires_at: Option<i64>,
    redirect: Option<u16>,
    forward_query: bool,
    standing: Standing,
    verbatim: bool,
    host: Option<&'a str>,
    /// Clicks counted elsewhere, and as of when: milliseconds since 1970.
    baseline: Option<(u64, i64)>,
}

/// The stored form of a link, without its code, under which it is stored.
#[must_use]
pub fn of_link(link: &Link) -> Vec<u8> {
    let rest = Rest {
        article: (link.article != link.target).then(|| link.article.as_str()),
        title: link.title.as_deref(),
        tags: link.tags.iter().map(Tag::as_str).collect(),
        expires_at: link.expires_at.map(Timestamp::as_millisecond),
        redirect: link.redirect.map(Redirect::status),
        forward_query: link.forward_query,
        standing: link.standing.clone(),
        verbatim: link.verbatim,
        host: link.host.as_ref().map(Host::as_str),
        baseline: link.baseline.map(|there| (there.clicks, there.at.as_millisecond())),
    };
    let (scheme, target) = Scheme::split(link.target.as_str());
    let record = LinkRecord {
        layout: LINK_LAYOUT,
        created_at: link.created_at.as_millisecond(),
        owner: link.owner.as_str(),
        scheme,
        target,
        rest: (rest != NOTHING).then_some(rest),
    };
    // Writing plain data into memory can't fail.
    postcard::to_stdvec(&record).unwrap_or_default()
}

const NOTHING: Rest<'static> = Rest {
    article: None,
    title: None,
    tags: Vec::new(),
    expires_at: None,
    redirect: None,
    forward_query: false,
    standing: Standing::Active,
    verbatim: false,
    host: None,
    baseline: None,
};

/// Reads the stored form of the link with this code.
///
/// # Errors
/// [`StoreError::Damaged`] when it is not a link's record of a layout we know.
pub fn to_link(code: &Code, bytes: &[u8]) -> Result<Link, StoreError> {
    let damaged = |why: &dyn std::fmt::Display| StoreError::Damaged(format!("link {code}: {why}"));
    let record: LinkRecord<'_> = postcard::from_bytes(bytes).map_err(|e| damaged(&e))?;
    if record.layout != LINK_LAYOUT {
        return Err(damaged(&format_args!("layout {}", record.layout)));
    }
    let rest = record.rest.unwrap_or(NOTHING);
    let target = Target::from_normal_form(&[record.scheme.text(), record.target].concat());
    let moment = |ms| Timestamp::from_millisecond(ms).map_err(|e| damaged(&e));
    let tags = rest.tags.iter().map(|tag| Tag::parse(tag)).collect::<Result<_, _>>();
    Ok(Link {
        code: code.clone(),
        article: rest.article.map_or_else(|| target.clone(), Target::from_normal_form),
        target,
        created_at: moment(record.created_at)?,
        owner: KeyId::parse(record.owner).map_err(|e| damaged(&e))?,
        title: rest.title.map(str::to_owned),
        tags: tags.map_err(|e| damaged(&e))?,
        expires_at: rest.expires_at.map(moment).transpose()?,
        redirect: rest.redirect.map(Redirect::try_from).transpose().map_err(|e| damaged(&e))?,
        forward_query: rest.forward_query,
        standing: rest.standing,
        verbatim: rest.verbatim,
        host: rest.host.map(Host::parse).transpose().map_err(|e| damaged(&e))?,
        baseline: rest.baseline.map(read_baseline).transpose().map_err(|e| damaged(&e))?,
    })
}

fn read_baseline((clicks, at): (u64, i64)) -> Result<Baseline, jiff::Error> {
    Ok(Baseline { clicks, at: Timestamp::from_millisecond(at)? })
}

/// The stored form of a key: JSON, so that an operator can read it.
#[must_use]
pub fn of_key(key: &Key) -> Vec<u8> {
    serde_json::to_vec(key).unwrap_or_default()
}

/// Reads the stored form of a key.
///
/// # Errors
/// [`StoreError::Damaged`] when it is not a key.
pub fn to_key(bytes: &[u8]) -> Result<Key, StoreError> {
    serde_json::from_slice(bytes).map_err(|e| StoreError::Damaged(format!("a key: {e}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain() -> Link {
        let target = Target::from_normal_form("https://www.example.org/2026/11/23/a-story.html");
        Link {
            code: Code::parse("8yDbrB").unwrap(),
            article: target.clone(),
            target,
            created_at: "2026-11-23T06:14:00.123Z".parse().unwrap(),
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
        }
    }

    #[test]
    fn a_link_comes_back_as_it_was() {
        let full = Link {
            target: Target::from_normal_form("http://example.org/?utm_source=x"),
            article: Target::from_normal_form("http://example.org/"),
            title: Some("مذاکرات آستانه".into()),
            tags: vec![Tag::parse("world").unwrap(), Tag::parse("سوریه").unwrap()],
            expires_at: Some("2027-01-01T00:00:00Z".parse().unwrap()),
            redirect: Some(Redirect::Permanent),
            forward_query: true,
            standing: Standing::Disabled { reason: Some("a reason".into()) },
            host: Some(Host::parse("goo.example.net").unwrap()),
            baseline: Some(Baseline { clicks: 1_000, at: Timestamp::UNIX_EPOCH }),
            ..plain()
        };
        let imported = Link {
            target: Target::from_normal_form("HTTP://Example.org/a|b?utm_source=x"),
            article: Target::from_normal_form("http://example.org/a|b"),
            verbatim: true,
            ..plain()
        };
        for link in [plain(), full, imported, Link { standing: Standing::Deleted, ..plain() }] {
            assert_eq!(to_link(&link.code, &of_link(&link)).unwrap(), link);
        }
    }

    #[test]
    fn a_plain_link_costs_its_target_and_eighteen_bytes() {
        let link = plain();
        let target = link.target.as_str().len() - Scheme::Https.text().len();
        assert_eq!(of_link(&link).len(), target + 19);
    }

    proptest! {
        #[test]
        fn damaged_records_are_told_and_never_panic(bytes: Vec<u8>) {
            let _ = to_link(&plain().code, &bytes);
        }

        #[test]
        fn a_record_cut_short_is_damaged(cut in 0usize..60) {
            let bytes = of_link(&plain());
            prop_assert!(to_link(&plain().code, &bytes[..cut.min(bytes.len() - 1)]).is_err());
        }
    }
}
