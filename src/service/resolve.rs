//! Code in, decision out: the only question of the reader's path.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::link::{Standing, State};
use crate::service::threats::{Danger, Threats};
use crate::store::StoreError;
use crate::store::cached::Cached;
pub use crate::store::cached::HotLink;

/// Answers what to do with a code.
#[derive(Clone)]
pub struct Resolve {
    links: Cached,
    threats: Threats,
}

/// What to do with a code.
#[derive(Debug, Clone)]
pub enum Decision {
    /// Redirect to its target, and count it.
    Follow(Arc<HotLink>),
    /// There is a link, and whoever follows it must be warned.
    Warn(Arc<HotLink>, Danger),
    /// There was a link, there is none now.
    Gone(Gone),
    /// There never was one.
    Unknown,
    /// There is or was one, on another host: here nothing is told of it, and nothing counted.
    Elsewhere,
}

/// Why a link is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// Disabled, expired or deleted.
    pub state: State,
    /// What its publisher says about it.
    pub reason: Option<String>,
}

impl Resolve {
    /// Resolves from `links`, and warns of `threats`.
    #[must_use]
    pub fn new(links: Cached, threats: Threats) -> Self {
        Self { links, threats }
    }

    /// The same over another handle on the store.
    #[must_use]
    pub fn over(&self, links: &Cached) -> Self {
        Self { links: links.clone(), threats: self.threats.clone() }
    }

    /// What to do with `code` at `now`. `code` is known to be well-formed; `authority` is what the
    /// request's `Host` says, asked for when the link belongs to one host.
    ///
    /// # Errors
    /// The store's, when the code is not in memory and the store does not answer: that is no "no".
    pub async fn resolve<'a>(
        &self,
        code: &str,
        authority: impl FnOnce() -> &'a str,
        now: Timestamp,
    ) -> Result<Decision, StoreError> {
        let Some(link) = self.links.look_up(code, now).await? else {
            return Ok(Decision::Unknown);
        };
        if link.link.host.is_some() && !link.link.is_known_at(authority()) {
            return Ok(Decision::Elsewhere);
        }
        Ok(match link.link.state_at(now) {
            State::Active => match self.threats.danger_of(&link.link) {
                None => Decision::Follow(link),
                Some(danger) => Decision::Warn(link, danger),
            },
            state => Decision::Gone(Gone { state, reason: reason_of(&link) }),
        })
    }
}

fn reason_of(link: &HotLink) -> Option<String> {
    match &link.link.standing {
        Standing::Disabled { reason } => reason.clone(),
        Standing::Active | Standing::Deleted => None,
    }
}
