//! The only writer of links: mint, edit, delete, and the publisher's view of them.
//!
//! Every read here asks the store itself: what a rule decides on must be true, not remembered.

pub(in crate::service) mod edit;
mod entries;
pub(in crate::service) mod fields;
mod listing;
mod mint;
mod rounds;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::edit::{Edit, NewState};
pub use self::fields::BadField;
pub use self::listing::{BadQuery, MAX_PAGE, Page, Query};
pub use self::mint::{Minted, NewLink};
use super::auth::{Forbidden, Principal};
use super::threats::Threats;
use crate::model::canonical::{Addresses, Canonicalizer};
use crate::model::code::{Code, Generator};
use crate::model::home::Home;
use crate::model::host::{Host, Zones};
use crate::model::link::{Link, Redirect, Standing};
use crate::model::target::Target;
use crate::store::cached::Cached;
use crate::store::{Links, Partitions as _, StoreError};

/// The most codes of one address: their entry is read whole at each mint.
pub const MAX_CODES: usize = 1_000;
/// The most links of one batch.
pub const MAX_BATCH: usize = 10_000;

/// The publisher's house rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The status of links that have none of their own.
    pub redirect: Redirect,
    /// Hosts that may be linked to, and all below them; empty: any.
    pub allow_hosts: Vec<String>,
    /// Hosts that may not be linked to, and all below them.
    pub block_hosts: Vec<String>,
    /// Hosts that spread malware, and all below them: not to be linked to, and readers of links that
    /// there are get a warning.
    pub malware_hosts: Vec<String>,
    /// Hosts that pretend to be others; as those.
    pub phishing_hosts: Vec<String>,
    /// Whether anybody may see a link's figures, on its page and through its API.
    pub public_stats: bool,
}

/// Why a link was not minted, found, changed or deleted.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ShortenError {
    /// A field breaks a rule.
    #[error(transparent)]
    Field(#[from] BadField),
    /// A parameter of a listing breaks a rule.
    #[error(transparent)]
    Query(#[from] BadQuery),
    /// The code asked for leads elsewhere.
    #[error("the code {0} belongs to another link; choose another code")]
    CodeTaken(Code),
    /// The code asked for belonged to a deleted link.
    #[error("the code {0} belonged to a deleted link and is never given out again; choose another")]
    CodeRetired(Code),
    /// The address has all the codes it may have.
    #[error("{0} has {MAX_CODES} codes already, the limit; use one of them")]
    TooManyCodes(Target),
    /// There is no such link.
    #[error("there is no link with the code {0}")]
    NotFound(String),
    /// There was one.
    #[error("the link {} was deleted", .0.code)]
    Gone(Box<Link>),
    /// The key is not good for that.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The store did not do its part.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Links, and every rule about them.
#[derive(Clone)]
pub struct Shorten {
    pub(in crate::service) links: Cached,
    pub(in crate::service) canonical: Arc<Canonicalizer>,
    codes: Arc<Generator>,
    pub(in crate::service) home: Home,
    allowed: Zones,
    blocked: Zones,
    threats: Threats,
}

impl Shorten {
    /// `home` is where our own short URLs live.
    #[must_use]
    pub fn new(
        links: Cached,
        canonical: Arc<Canonicalizer>,
        codes: Arc<Generator>,
        home: Home,
        settings: &Settings,
    ) -> Self {
        Self {
            links,
            canonical,
            codes,
            home,
            allowed: Zones::new(&settings.allow_hosts),
            blocked: Zones::new(&settings.block_hosts),
            threats: Threats::new(settings),
        }
    }

    /// The same over another handle on the store.
    #[must_use]
    pub fn over(&self, links: &Cached) -> Self {
        Self { links: links.clone(), ..self.clone() }
    }

    /// The link with this code, in whatever state short of deleted.
    ///
    /// # Errors
    /// [`ShortenError::NotFound`], [`ShortenError::Gone`] with the tombstone, or when the caller may
    /// not see it, or the store fails.
    pub async fn get(&self, by: &Principal, code: &str) -> Result<Link, ShortenError> {
        let link = self.find(code).await?;
        by.may_see(&link)?;
        match link.standing {
            Standing::Deleted => Err(ShortenError::Gone(Box::new(link))),
            _ => Ok(link),
        }
    }

    /// The link, or what is left of it, that readers come to by this code: whoever holds any key may
    /// know what every reader can find out.
    ///
    /// # Errors
    /// [`ShortenError::NotFound`], or what the store says.
    pub async fn expand(&self, code: &str) -> Result<Link, ShortenError> {
        self.find(code).await
    }

    /// Which addresses are known to harm their readers.
    #[must_use]
    pub fn threats(&self) -> &Threats {
        &self.threats
    }

    /// The link or tombstone with this code.
    pub(in crate::service) async fn find(&self, code: &str) -> Result<Link, ShortenError> {
        let unknown = || ShortenError::NotFound(code.to_owned());
        let parsed = Code::parse(code).map_err(|_| unknown())?;
        self.links.store().get(&parsed).await?.ok_or_else(unknown)
    }

    /// The addresses of what a publisher wants to link to, once the house rules allow it.
    fn addresses(&self, url: &str) -> Result<Addresses, BadField> {
        let addresses = self.canonical.addresses(url)?;
        if !self.is_ours(&addresses.article) {
            self.may_lead_to(&addresses.article, &addresses.landing)?;
        }
        Ok(addresses)
    }

    /// Whether the house rules allow a new link to an article by way of this target.
    fn may_lead_to(&self, article: &Target, target: &Target) -> Result<(), BadField> {
        let host = article.host();
        if self.blocked.hold(host) {
            return Err(BadField::HostBlocked(host.to_owned()));
        }
        if !self.allowed.is_empty() && !self.allowed.hold(host) {
            return Err(BadField::HostNotAllowed(host.to_owned()));
        }
        self.is_harmless(article)?;
        self.is_harmless(target)
    }

    /// Whether a link that is there serves whoever wishes for this one: it is known on the host that
    /// is wished for, and on one that is still ours.
    fn serves(&self, wish: &Link, there: &Link) -> bool {
        let known = there.host.as_ref().is_none_or(|host| self.home.has(host));
        known && wish.will_do_with(there)
    }

    /// Nothing new may lead to what is known to harm its readers.
    fn is_harmless(&self, address: &Target) -> Result<(), BadField> {
        let threat = self.threats.of(address);
        threat.map_or(Ok(()), |threat| Err(BadField::Harmful(address.host().to_owned(), threat)))
    }

    /// The host that a publisher binds a link to: one of ours.
    fn host(&self, text: &str) -> Result<Host, BadField> {
        let ours = Host::parse(text).ok().filter(|host| self.home.has(host));
        ours.ok_or_else(|| {
            let known: Vec<&str> = self.home.hosts().collect();
            BadField::Host(text.to_owned(), known.join(", "))
        })
    }

    /// Whether an address lies under our own short URLs.
    fn is_ours(&self, address: &Target) -> bool {
        self.home.holds(address)
    }

    /// A code that lies where its address does, so that both are written in one step; any code, if
    /// there is none to be had.
    fn draw_near(&self, address: &Target) -> Code {
        let store = self.links.store();
        let home = store.partition_of_address(address);
        let near = |code: &str| store.partition_of(code) == home;
        self.codes.draw_where(near).unwrap_or_else(|| self.draw(0))
    }

    /// A code that has been drawn `draws` times in vain. Short ones that are nearly used up collide
    /// again and again: then longer ones are drawn.
    fn draw(&self, draws: usize) -> Code {
        /// Draws at the length of the settings. With half of all codes taken, one mint in sixteen
        /// goes beyond them.
        const PATIENCE: usize = 4;
        match draws.checked_sub(PATIENCE) {
            None => self.codes.draw(),
            Some(beyond) => self.codes.draw_longer(beyond + 1),
        }
    }
}

/// The codes' own order in a link is time, then code: what listings show newest first.
fn newest_first(a: &Link, b: &Link) -> std::cmp::Ordering {
    (b.created_at, &b.code).cmp(&(a.created_at, &a.code))
}

/// Times are kept to the millisecond.
fn to_the_millisecond(moment: Timestamp) -> Timestamp {
    super::auth::to_the_millisecond(moment)
}
