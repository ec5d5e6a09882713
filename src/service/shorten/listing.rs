//! Finding links: pages of a listing, newest first, and the lookup by address.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{BadField, Shorten, ShortenError, newest_first};
use crate::model::code::Code;
use crate::model::key::KeyId;
use crate::model::link::{BadTag, Link, State, Tag};
use crate::service::auth::Principal;
use crate::store::{Links, Listing, Place, StoreError};

/// The most links of one page.
pub const MAX_PAGE: usize = 1_000;
/// The links of a page when nothing is said.
const DEFAULT_PAGE: usize = 50;
/// The most links that one request looks at. A search that finds little goes on at the next page.
const MAX_SCAN: usize = 5_000;
/// Links read from the store at once while searching.
const CHUNK: usize = 500;
/// Hexadecimal digits of a cursor that say which query it belongs to.
const QUERY_DIGITS: usize = 8;

/// Which links are asked for. All conditions hold together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// With this tag.
    pub tag: Option<String>,
    /// With this text in code, title or target, whatever the case.
    pub q: Option<String>,
    /// Leading to this address, or to its article.
    pub target: Option<String>,
    /// In this state; all but the deleted when nothing is said.
    pub state: Option<State>,
    /// Minted by this key.
    pub owner: Option<KeyId>,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// At most this many; 50 when nothing is said.
    pub limit: Option<usize>,
}

/// A parameter that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadQuery {
    /// Not a tag.
    #[error(transparent)]
    Tag(BadTag),
    /// Not an address.
    #[error("{0}")]
    Target(BadField),
    /// Outside of 1–[`MAX_PAGE`].
    #[error("limit must be between 1 and {MAX_PAGE}, not {0}")]
    Limit(usize),
    /// Not a cursor of ours, or that of another query.
    #[error("cursor must be the next_cursor of the page before, with the same other parameters")]
    Cursor,
}

impl BadQuery {
    /// The parameter's name on the wire.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Tag(_) => "tag",
            Self::Target(_) => "target",
            Self::Limit(_) => "limit",
            Self::Cursor => "cursor",
        }
    }
}

/// A page of links.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// Newest first. A search may end a page early.
    pub items: Vec<Link>,
    /// Where the next page starts; `None` when this is the last.
    pub next_cursor: Option<String>,
}

/// What a link must be like to be on the page.
struct Filter {
    tag: Option<Tag>,
    needle: Option<Needle>,
    owner: Option<KeyId>,
    state: Option<State>,
    now: Timestamp,
}

impl Shorten {
    /// A page of links. Callers who may not see all links see their own.
    ///
    /// # Errors
    /// [`BadQuery`] names the parameter; `Forbidden` if another's links are asked for by who may not
    /// see them; or what the store says.
    pub async fn list(
        &self,
        by: &Principal,
        query: &Query,
        now: Timestamp,
    ) -> Result<Page, ShortenError> {
        let limit = query.limit.unwrap_or(DEFAULT_PAGE);
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(BadQuery::Limit(limit).into());
        }
        let tag = query.tag.as_deref().map(Tag::parse).transpose().map_err(BadQuery::Tag)?;
        query.owner.as_ref().map_or(Ok(()), |owner| by.may_list_key(owner))?;
        let filter = Filter {
            tag,
            needle: query.q.as_deref().map(Needle::new),
            owner: if by.may_see_all() { query.owner.clone() } else { Some(by.key.clone()) },
            state: query.state,
            now,
        };
        let kind = kind_of(query, &filter);
        let after = query.cursor.as_deref().map(|text| read_cursor(text, &kind)).transpose()?;
        let (items, next) = match &query.target {
            Some(address) => self.find_by_address(address, &filter, after, limit).await?,
            None => self.run_through(&filter, after, limit).await?,
        };
        Ok(Page { items, next_cursor: next.map(|place| write_cursor(&place, &kind)) })
    }

    /// How many links the caller has minted, deleted ones included.
    ///
    /// # Errors
    /// What the store says.
    pub async fn count_own(&self, by: &Principal) -> Result<u64, StoreError> {
        self.links.store().count_of(&by.key).await
    }

    /// Goes through a listing until the page is full, the listing ends, or enough was looked at.
    async fn run_through(
        &self,
        filter: &Filter,
        mut after: Option<Place>,
        limit: usize,
    ) -> Result<(Vec<Link>, Option<Place>), ShortenError> {
        let listing = match (&filter.tag, &filter.owner) {
            (Some(tag), _) => Listing::Tagged(tag.clone()),
            (None, Some(owner)) => Listing::Of(owner.clone()),
            (None, None) => Listing::All,
        };
        let store = self.links.store();
        let (mut items, mut scanned) = (Vec::new(), 0);
        while scanned < MAX_SCAN {
            // One more than the page needs tells whether there is another page.
            let wanted = limit + 1 - items.len();
            let chunk = if filter.is_open() { wanted } else { wanted.max(CHUNK) };
            let places = match store.list(&listing, after.as_ref(), chunk).await {
                // The place came from the client, and no adapter of ours can have made it.
                Err(StoreError::Damaged(_)) if scanned == 0 && after.is_some() => {
                    return Err(BadQuery::Cursor.into());
                }
                places => places?,
            };
            let codes: Vec<Code> = places.iter().map(|(_, code)| code.clone()).collect();
            let links = store.get_many(&codes).await?;
            let ends_here = places.len() < chunk;
            scanned += places.len();
            for ((place, _), link) in places.into_iter().zip(links) {
                let found = link.filter(|link| filter.lets_through(link));
                if found.is_some() && items.len() == limit {
                    return Ok((items, after));
                }
                items.extend(found);
                after = Some(place);
            }
            if ends_here {
                return Ok((items, None));
            }
        }
        Ok((items, after))
    }

    /// The links of an article, and those of exactly this landing page: two lookups.
    async fn find_by_address(
        &self,
        address: &str,
        filter: &Filter,
        after: Option<Place>,
        limit: usize,
    ) -> Result<(Vec<Link>, Option<Place>), ShortenError> {
        let addresses = self.canonical.addresses(address);
        let addresses = addresses.map_err(|e| BadQuery::Target(e.into()))?;
        let leads = |link: &Link| {
            let wanted = [&addresses.article, &addresses.landing];
            wanted.contains(&&link.article) || wanted.contains(&&link.target)
        };
        let mut both = vec![addresses.article.clone()];
        if addresses.landing != addresses.article {
            both.push(addresses.landing.clone());
        }
        let entries = self.links.codes_of(&both).await?;
        let mut codes: Vec<Code> = entries.into_iter().flat_map(|entry| entry.0).collect();
        codes.sort_unstable();
        codes.dedup();
        let links = self.links.store().get_many(&codes).await?;
        let mut links: Vec<Link> =
            links.into_iter().flatten().filter(|l| leads(l) && filter.lets_through(l)).collect();
        links.sort_by(newest_first);
        if let Some(after) = after {
            let (at, code) = after.0.split_once('.').ok_or(BadQuery::Cursor)?;
            let at: i64 = at.parse().map_err(|_| BadQuery::Cursor)?;
            links.retain(|l| (l.created_at.as_millisecond(), l.code.as_str()) < (at, code));
        }
        let more = links.len() > limit;
        links.truncate(limit);
        let place = |l: &Link| Place(format!("{}.{}", l.created_at.as_millisecond(), l.code));
        let next = links.last().filter(|_| more).map(place);
        Ok((links, next))
    }
}

impl Filter {
    /// Whether nearly every link of a listing passes.
    fn is_open(&self) -> bool {
        let listed = self.tag.is_none() || self.owner.is_none();
        listed && self.needle.is_none() && self.state.is_none()
    }

    fn lets_through(&self, link: &Link) -> bool {
        let state = link.state_at(self.now);
        let in_state = match self.state {
            Some(wanted) => state == wanted,
            None => state != State::Deleted,
        };
        in_state
            && self.owner.as_ref().is_none_or(|owner| link.owner == *owner)
            && self.tag.as_ref().is_none_or(|tag| link.tags.contains(tag))
            && self.needle.as_ref().is_none_or(|needle| needle.is_in(link))
    }
}

/// A text to search for, whatever the case.
struct Needle {
    plain: String,
    /// As it stands in an address, where everything beyond ASCII is escaped.
    escaped: String,
}

impl Needle {
    fn new(text: &str) -> Self {
        let plain = text.to_lowercase();
        let escape = |byte: u8| match byte.is_ascii() {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02x}"),
        };
        Self { escaped: plain.bytes().map(escape).collect(), plain }
    }

    fn is_in(&self, link: &Link) -> bool {
        let within = |text: &str, part: &str| text.to_lowercase().contains(part);
        within(link.code.as_str(), &self.plain)
            || link.title.as_deref().is_some_and(|title| within(title, &self.plain))
            || within(link.target.as_str(), &self.escaped)
    }
}

/// What two pages of one query have in common: a cursor of another query means another listing.
fn kind_of(query: &Query, filter: &Filter) -> String {
    let parts = (&query.tag, &query.q, &query.target, query.state, &filter.owner);
    let digest = Sha256::digest(format!("{parts:?}").as_bytes());
    digest.iter().take(QUERY_DIGITS / 2).map(|byte| format!("{byte:02x}")).collect()
}

fn write_cursor(place: &Place, kind: &str) -> String {
    let place: String = place.0.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("{kind}{place}")
}

fn read_cursor(text: &str, kind: &str) -> Result<Place, BadQuery> {
    let place =
        text.strip_prefix(kind).filter(|place| !place.is_empty()).ok_or(BadQuery::Cursor)?;
    let (pairs, rest) = place.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
    let place = bytes.filter(|_| rest.is_empty()).and_then(|bytes| String::from_utf8(bytes).ok());
    let known = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
    let place = place.filter(|place| place.chars().all(known)).ok_or(BadQuery::Cursor)?;
    Ok(Place(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_own_query_only() {
        let place = Place("1795500000000.8yDbrB".into());
        let cursor = write_cursor(&place, "01abcdef");
        assert_eq!(read_cursor(&cursor, "01abcdef"), Ok(place));
        for (cursor, kind) in [
            (&*cursor, "11abcdef"),
            ("01abcdef", "01abcdef"),
            ("01abcdef0g", "01abcdef"),
            ("", "01"),
        ] {
            assert_eq!(read_cursor(cursor, kind), Err(BadQuery::Cursor), "{cursor}");
        }
        let stray = write_cursor(&Place("a b".into()), "01abcdef");
        assert_eq!(read_cursor(&stray, "01abcdef"), Err(BadQuery::Cursor));
    }

    #[test]
    fn a_search_finds_what_an_address_holds_escaped() {
        let needle = Needle::new("آستانه");
        assert!(needle.escaped.starts_with("%d8%a2"));
    }
}
