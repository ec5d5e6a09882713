//! A line of what is to be imported, made into a link; or why it can't be.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::model::canonical::Canonicalizer;
use crate::model::code::{BadCode, Code};
use crate::model::home::Home;
use crate::model::host::{BadHost, Host};
use crate::model::key::{BadKeyId, KeyId};
use crate::model::link::{Baseline, Link, Standing};
use crate::model::target::{BadTarget, Target};
use crate::service::auth::to_the_millisecond;
use crate::service::shorten::{BadField, fields};
use crate::service::transfer::backup::{BackupLine, BadLine};
use crate::service::transfer::import::restore::Saved;
use crate::service::transfer::line::{BaselineLine, LinkLine, StateLine};

/// By how much another clock may be ahead of ours. Redis lists links by when they were made: one of
/// the future would stand before all that are minted until then.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// Why a line is no link that can be imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("{0}")]
    Unreadable(String),
    #[error(transparent)]
    Backup(#[from] BadLine),
    #[error(transparent)]
    Code(#[from] BadCode),
    #[error(transparent)]
    Target(#[from] BadTarget),
    #[error("{0} is an address of this service: such a link would lead round in circles")]
    Ours(String),
    #[error(transparent)]
    Field(#[from] BadField),
    #[error(transparent)]
    BadHost(#[from] BadHost),
    #[error("{0} is none of the hosts of this service; name it in `hosts` first")]
    UnknownHost(Host),
    #[error("owner: {0}")]
    Owner(#[from] BadKeyId),
    #[error("created_at lies in the future")]
    Future,
}

/// A line that was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Line {
    /// A link.
    Link(Box<Read>),
    /// Something else of a backup.
    Other(Saved),
}

/// A link as a line has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Read {
    pub(super) link: Link,
    /// Whether the line says all there is to say of it, as those of a backup do.
    pub(super) whole: bool,
}

/// A line that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    /// The code that it names, as far as it can be read.
    pub(super) code: Option<String>,
    pub(super) why: Refusal,
}

/// What the rest of a line depends on.
#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    name: Option<String>,
}

/// Reads lines, by the same rules as whatever is minted where they apply to history.
#[derive(Clone)]
pub(super) struct Reader {
    pub(super) canonical: Arc<Canonicalizer>,
    pub(super) home: Home,
    /// Of links that name none.
    pub(super) owner: KeyId,
    pub(super) now: Timestamp,
}

impl Reader {
    /// What a line holds.
    pub(super) fn read(&self, line: &[u8]) -> Result<Line, Refused> {
        let line: LinkLine = match serde_json::from_slice(line) {
            Ok(line) => line,
            Err(error) => {
                return read_other(line, &error).map_err(|why| Refused { code: None, why });
            }
        };
        let whole = line.created_at.is_some() && line.owner.is_some();
        let link = self.link(&line).map_err(|why| Refused { code: Some(line.code), why })?;
        Ok(Line::Link(Box::new(Read { link, whole })))
    }

    fn link(&self, line: &LinkLine) -> Result<Link, Refusal> {
        let code = Code::imported(&line.code)?;
        let (target, article) = self.addresses(line)?;
        let created_at = to_the_millisecond(line.created_at.unwrap_or(self.now));
        if created_at.duration_since(self.now) > AHEAD {
            return Err(Refusal::Future);
        }
        let given = line.owner.as_deref().map(KeyId::parse).transpose()?;
        Ok(Link {
            code,
            verbatim: target != article && !line.keep_tracking,
            target,
            article,
            host: line.host.as_deref().map(|host| self.host(host)).transpose()?,
            created_at,
            owner: given.unwrap_or_else(|| self.owner.clone()),
            title: line.title.as_deref().map(fields::title).transpose()?.flatten(),
            tags: fields::tags(&line.tags)?,
            expires_at: line.expires_at.map(to_the_millisecond),
            redirect: line.redirect,
            forward_query: line.forward_query,
            standing: standing(line)?,
            baseline: line.baseline.map(|there| self.baseline(there)),
        })
    }

    /// Target and article. What the house rules say of hosts does not matter: this is history.
    fn addresses(&self, line: &LinkLine) -> Result<(Target, Target), Refusal> {
        let target = Target::verbatim(line.target.as_bytes());
        let own = self.canonical.article(target.as_str())?;
        let given = line.article.as_deref().map(|article| self.canonical.article(article));
        let article = given.transpose()?.unwrap_or_else(|| own.clone());
        if let Some(ours) = [&own, &article].into_iter().find(|address| self.home.holds(address)) {
            return Err(Refusal::Ours(ours.to_string()));
        }
        // Nearly all addresses are in canonical form: one text is kept for both.
        if target == article { Ok((article.clone(), article)) } else { Ok((target, article)) }
    }

    fn host(&self, text: &str) -> Result<Host, Refusal> {
        let host = Host::parse(text)?;
        if self.home.has(&host) { Ok(host) } else { Err(Refusal::UnknownHost(host)) }
    }

    fn baseline(&self, line: BaselineLine) -> Baseline {
        Baseline { clicks: line.clicks, at: to_the_millisecond(line.at.unwrap_or(self.now)) }
    }
}

/// What a line holds that is not a link's, or what is wrong with it.
fn read_other(line: &[u8], error: &serde_json::Error) -> Result<Line, Refusal> {
    // There is one line: it need not be told which.
    let told = |error: &serde_json::Error| {
        Refusal::Unreadable(error.to_string().replace(" at line 1 column", " at column"))
    };
    match serde_json::from_slice(line) {
        Ok(Kind { name: Some(name) }) if name != "link" => {
            let other: BackupLine = serde_json::from_slice(line).map_err(|error| told(&error))?;
            Ok(Line::Other(Saved::of(other)?))
        }
        _ => Err(told(error)),
    }
}

fn standing(line: &LinkLine) -> Result<Standing, BadField> {
    let reason = line.reason.as_deref().map(fields::reason).transpose()?.flatten();
    match (line.state, reason) {
        (StateLine::Disabled, reason) => Ok(Standing::Disabled { reason }),
        (_, Some(_)) => Err(BadField::StrayReason),
        (StateLine::Active, None) => Ok(Standing::Active),
        (StateLine::Deleted, None) => Ok(Standing::Deleted),
    }
}
