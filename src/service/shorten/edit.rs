//! Changing and deleting links.

use jiff::Timestamp;

use super::{BadField, Shorten, ShortenError, fields};
use crate::model::link::{Link, Redirect, Standing};
use crate::model::target::Target;
use crate::service::auth::Principal;
use crate::store::{Links, Replaced};

/// What is to be changed: `None` leaves a field as it is, `Some(None)` clears it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edit {
    /// Another address.
    pub url: Option<String>,
    /// Whether the tracking parameters of `url` reach the landing page.
    pub keep_tracking: Option<bool>,
    /// Another title.
    pub title: Option<Option<String>>,
    /// Other tags.
    pub tags: Option<Vec<String>>,
    /// Another end.
    pub expires_at: Option<Option<Timestamp>>,
    /// Another status.
    pub redirect: Option<Option<Redirect>>,
    /// Whether the reader's query string goes on to the target.
    pub forward_query: Option<bool>,
    /// Withdrawn or not.
    pub state: Option<NewState>,
    /// Why it is withdrawn.
    pub reason: Option<Option<String>>,
    /// The one host that knows the code; all of them.
    pub host: Option<Option<String>>,
}

/// The states that a publisher can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewState {
    /// It redirects.
    Active,
    /// Withdrawn.
    Disabled,
}

impl Shorten {
    /// Changes a link. Its code stays what it is.
    ///
    /// # Errors
    /// [`ShortenError`] says which rule was broken: [`ShortenError::Gone`] for a tombstone; or what
    /// the store says.
    pub async fn edit(
        &self,
        by: &Principal,
        code: &str,
        edit: &Edit,
        now: Timestamp,
    ) -> Result<Link, ShortenError> {
        loop {
            let old = self.find(code).await?;
            by.may_change(&old)?;
            if old.standing == Standing::Deleted {
                return Err(ShortenError::Gone(Box::new(old)));
            }
            let new = self.edited(&old, edit, now)?;
            if new == old {
                return Ok(old);
            }
            // First the new addresses, then the link, then the old ones: wherever this stops, the
            // link is found under the address it leads to.
            for address in new.addresses().filter(|address| !is_under(&old, address)) {
                self.put_under(address, &new.code).await?;
            }
            if self.put_in_place(&old, &new).await? == Replaced::Changed {
                continue;
            }
            return Ok(new);
        }
    }

    /// Puts `new`, whose code is entered under its addresses, in the place of `old`, and takes that
    /// out of the addresses which it has no more.
    ///
    /// # Errors
    /// What the store says.
    pub(in crate::service) async fn put_in_place(
        &self,
        old: &Link,
        new: &Link,
    ) -> Result<Replaced, ShortenError> {
        if self.links.replace(old, new).await? == Replaced::Changed {
            return Ok(Replaced::Changed);
        }
        for address in old.addresses().filter(|address| !is_under(new, address)) {
            self.take_out(address, &old.code).await?;
            // Another edit may have led the link back there meanwhile.
            let there = self.find(old.code.as_str()).await?;
            if is_under(&there, address) {
                self.put_under(address, &there.code).await?;
            }
        }
        Ok(Replaced::Done)
    }

    /// Deletes a link: what is left is a tombstone, and its code is never given out again. Doing so
    /// twice is doing so once.
    ///
    /// # Errors
    /// [`ShortenError::NotFound`], or when the caller may not, or the store fails.
    pub async fn delete(&self, by: &Principal, code: &str) -> Result<(), ShortenError> {
        loop {
            let old = self.find(code).await?;
            by.may_change(&old)?;
            if old.standing == Standing::Deleted {
                return Ok(());
            }
            let tombstone = Link { standing: Standing::Deleted, ..old.clone() };
            if self.links.replace(&old, &tombstone).await? == Replaced::Done {
                return Ok(());
            }
        }
    }

    fn edited(&self, old: &Link, edit: &Edit, now: Timestamp) -> Result<Link, BadField> {
        let mut new = old.clone();
        match (&edit.url, edit.keep_tracking) {
            (None, Some(_)) => return Err(BadField::StrayKeepTracking),
            (None, None) => {}
            (Some(url), keep_tracking) => {
                let addresses = self.addresses(url)?;
                if self.is_ours(&addresses.article) {
                    return Err(BadField::Ours(addresses.article.to_string()));
                }
                let kept = keep_tracking == Some(true);
                new.target = if kept { addresses.landing } else { addresses.article.clone() };
                new.article = addresses.article;
                new.verbatim = false;
            }
        }
        if let Some(title) = &edit.title {
            new.title = title.as_deref().map(fields::title).transpose()?.flatten();
        }
        if let Some(tags) = &edit.tags {
            new.tags = fields::tags(tags)?;
        }
        if let Some(at) = edit.expires_at {
            new.expires_at = at.map(|at| fields::expiry(at, now)).transpose()?;
        }
        new.redirect = edit.redirect.unwrap_or(old.redirect);
        new.forward_query = edit.forward_query.unwrap_or(old.forward_query);
        if let Some(host) = &edit.host {
            new.host = host.as_deref().map(|host| self.host(host)).transpose()?;
        }
        new.standing = standing(&old.standing, edit)?;
        Ok(new)
    }
}

/// What becomes of a link's standing. Withdrawing a withdrawn link again keeps its reason, unless
/// another is given.
fn standing(old: &Standing, edit: &Edit) -> Result<Standing, BadField> {
    let given = edit.reason.as_ref().map(|r| r.as_deref().map(fields::reason).transpose());
    let given = given.transpose()?.map(Option::flatten);
    let disabled = match edit.state {
        Some(state) => state == NewState::Disabled,
        None => matches!(old, Standing::Disabled { .. }),
    };
    match (disabled, given, old) {
        (false, Some(Some(_)), _) => Err(BadField::StrayReason),
        (false, _, _) => Ok(Standing::Active),
        (true, Some(reason), _) => Ok(Standing::Disabled { reason }),
        (true, None, Standing::Disabled { reason }) => {
            Ok(Standing::Disabled { reason: reason.clone() })
        }
        (true, None, _) => Ok(Standing::Disabled { reason: None }),
    }
}

/// Whether a link's code is entered under this address.
pub(in crate::service) fn is_under(link: &Link, address: &Target) -> bool {
    link.addresses().any(|own| own == address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disabled(reason: Option<&str>) -> Standing {
        Standing::Disabled { reason: reason.map(str::to_owned) }
    }

    fn edit(state: Option<NewState>, reason: Option<Option<&str>>) -> Edit {
        let reason = reason.map(|reason| reason.map(str::to_owned));
        Edit { state, reason, ..Edit::default() }
    }

    #[test]
    fn a_reason_goes_with_a_withdrawal_only() {
        use NewState::{Active, Disabled};
        let was = disabled(Some("old"));
        for (old, change, new) in [
            (&Standing::Active, edit(Some(Disabled), Some(Some("new"))), disabled(Some("new"))),
            (&Standing::Active, edit(Some(Disabled), None), disabled(None)),
            (&Standing::Active, edit(None, Some(None)), Standing::Active),
            (&was, edit(None, None), was.clone()),
            (&was, edit(Some(Disabled), None), was.clone()),
            (&was, edit(None, Some(Some("new"))), disabled(Some("new"))),
            (&was, edit(None, Some(None)), disabled(None)),
            (&was, edit(Some(Active), None), Standing::Active),
        ] {
            assert_eq!(standing(old, &change), Ok(new), "{old:?} {change:?}");
        }
        for (old, change) in [
            (&Standing::Active, edit(None, Some(Some("new")))),
            (&was, edit(Some(Active), Some(Some("new")))),
        ] {
            assert_eq!(standing(old, &change), Err(BadField::StrayReason));
        }
    }
}
