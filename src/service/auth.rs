//! Who asks, and what they may do: the one place where permission is decided.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::key::{Key, KeyId, PlainKey, Scope};
use crate::model::link::Link;
use crate::store::cached::Cached;
use crate::store::{Keys, StoreError};

/// The longest name of a key, in characters.
pub const MAX_NAME_LENGTH: usize = 100;

/// How the first key comes into the world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The first admin key, for unattended installs; empty: one is drawn and shown once.
    pub bootstrap_key: String,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The key they came with: the owner of what they mint.
    pub key: KeyId,
    /// What that key is good for.
    pub scopes: Vec<Scope>,
    /// When the session ends that they came in by; whoever sends a key comes with none.
    pub until: Option<Timestamp>,
}

/// Something that the principal's key is not good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// Minting asks for `mint` or `admin`.
    #[error("this key may not mint links; that takes the scope mint or admin")]
    Mint,
    /// The link was minted by another key.
    #[error(
        "this link was minted by another key; only that key and those of the scopes read and admin see it"
    )]
    See,
    /// The link was minted by another key, or this key changes nothing.
    #[error(
        "only the key that minted this link and those of the scope admin may change or delete it"
    )]
    Change,
    /// The article has no link that was minted by this key.
    #[error(
        "none of this article's links was minted by this key; \
         the scopes read and admin see those of all keys"
    )]
    SeeArticle,
    /// Figures over the links of all keys ask for `read` or `admin`.
    #[error(
        "this key may not read figures over the links of all keys; that takes the scope read or admin"
    )]
    ReadSite,
    /// Another key's figures ask for `read` or `admin`.
    #[error("this key may read its own figures; another's take the scope read or admin")]
    ReadKey,
    /// Deleting figures asks for `admin`.
    #[error("this key may not delete figures; that takes the scope admin")]
    DeleteFigures,
    /// Exporting asks for `admin`.
    #[error("this key may not export everything; that takes the scope admin")]
    Export,
    /// Importing asks for `admin`.
    #[error("this key may not import links; that takes the scope admin")]
    Import,
    /// The links of another key, and of no others, ask for `read` or `admin`.
    #[error("this key sees its own links; another's take the scope read or admin")]
    ListKey,
    /// The service's settings and health ask for `admin`.
    #[error("this key may not see how the service is set up and doing; that takes the scope admin")]
    Operate,
    /// Keys ask for `admin`.
    #[error("this key may not manage keys; that takes the scope admin")]
    Administer,
}

impl Principal {
    /// Whoever is on the machine itself, through the control socket: may do everything.
    #[must_use]
    pub fn local() -> Self {
        Self { key: KeyId::local(), scopes: vec![Scope::Admin], until: None }
    }

    /// May they mint?
    ///
    /// # Errors
    /// [`Forbidden::Mint`] when not.
    pub fn may_mint(&self) -> Result<(), Forbidden> {
        self.holds(&[Scope::Mint, Scope::Admin]).then_some(()).ok_or(Forbidden::Mint)
    }

    /// May they see this link and its figures?
    ///
    /// # Errors
    /// [`Forbidden::See`] when not.
    pub fn may_see(&self, link: &Link) -> Result<(), Forbidden> {
        let may = self.may_see_all() || self.owns(link);
        may.then_some(()).ok_or(Forbidden::See)
    }

    /// May they change and delete this link?
    ///
    /// # Errors
    /// [`Forbidden::Change`] when not.
    pub fn may_change(&self, link: &Link) -> Result<(), Forbidden> {
        let may = self.holds(&[Scope::Admin]) || self.owns(link);
        may.then_some(()).ok_or(Forbidden::Change)
    }

    /// Those of an article's links that they may see. An article without links has nothing to hide.
    ///
    /// # Errors
    /// [`Forbidden::SeeArticle`] when there are links, and they may see none of them.
    pub fn may_see_of(&self, mut links: Vec<Link>) -> Result<Vec<Link>, Forbidden> {
        let any = !links.is_empty();
        links.retain(|link| self.may_see(link).is_ok());
        if any && links.is_empty() { Err(Forbidden::SeeArticle) } else { Ok(links) }
    }

    /// May they read the figures of the whole site, of its tags and orphans, and its audit?
    ///
    /// # Errors
    /// [`Forbidden::ReadSite`] when not.
    pub fn may_read_site(&self) -> Result<(), Forbidden> {
        self.may_see_all().then_some(()).ok_or(Forbidden::ReadSite)
    }

    /// May they read the figures of this key?
    ///
    /// # Errors
    /// [`Forbidden::ReadKey`] when not.
    pub fn may_read_key(&self, key: &KeyId) -> Result<(), Forbidden> {
        let may = self.may_see_all() || self.key == *key;
        may.then_some(()).ok_or(Forbidden::ReadKey)
    }

    /// May they ask for the links of this key?
    ///
    /// # Errors
    /// [`Forbidden::ListKey`] when not.
    pub fn may_list_key(&self, key: &KeyId) -> Result<(), Forbidden> {
        let may = self.may_see_all() || self.key == *key;
        may.then_some(()).ok_or(Forbidden::ListKey)
    }

    /// May they delete figures?
    ///
    /// # Errors
    /// [`Forbidden::DeleteFigures`] when not.
    pub fn may_delete_figures(&self) -> Result<(), Forbidden> {
        self.holds(&[Scope::Admin]).then_some(()).ok_or(Forbidden::DeleteFigures)
    }

    /// May they export everything?
    ///
    /// # Errors
    /// [`Forbidden::Export`] when not.
    pub fn may_export(&self) -> Result<(), Forbidden> {
        self.holds(&[Scope::Admin]).then_some(()).ok_or(Forbidden::Export)
    }

    /// May they import links?
    ///
    /// # Errors
    /// [`Forbidden::Import`] when not.
    pub fn may_import(&self) -> Result<(), Forbidden> {
        self.holds(&[Scope::Admin]).then_some(()).ok_or(Forbidden::Import)
    }

    /// May they see the service's settings, and how it is doing?
    ///
    /// # Errors
    /// [`Forbidden::Operate`] when not.
    pub fn may_operate(&self) -> Result<(), Forbidden> {
        self.holds(&[Scope::Admin]).then_some(()).ok_or(Forbidden::Operate)
    }

    /// May they create, list and revoke keys?
    ///
    /// # Errors
    /// [`Forbidden::Administer`] when not.
    pub fn may_administer(&self) -> Result<(), Forbidden> {
        self.holds(&[Scope::Admin]).then_some(()).ok_or(Forbidden::Administer)
    }

    /// Whether links of other keys are open to them.
    #[must_use]
    pub fn may_see_all(&self) -> bool {
        self.holds(&[Scope::Read, Scope::Admin])
    }

    fn owns(&self, link: &Link) -> bool {
        self.holds(&[Scope::Mint]) && link.owner == self.key
    }

    fn holds(&self, any: &[Scope]) -> bool {
        self.scopes.iter().any(|scope| any.contains(scope))
    }
}

/// Why a key was not let in, or could not be made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AuthError {
    /// There is no such key.
    #[error("the key is not known here")]
    Unknown,
    /// There was one.
    #[error("the key has been revoked")]
    Revoked,
    /// It is none of ours, or its time is over.
    #[error("the session has ended; sign in again")]
    SessionOver,
    /// There is no key with this public name.
    #[error("there is no key {0}; GET /api/v1/keys lists them")]
    NoSuchKey(String),
    /// Who came through the control socket has none.
    #[error(
        "the control socket is open without a key, so there is none to show; \
         GET /api/v1/keys lists all keys"
    )]
    Keyless,
    /// The name is empty, too long, or holds control characters.
    #[error("a key's name has 1 to {MAX_NAME_LENGTH} characters and no control characters")]
    Name,
    /// No scope was given.
    #[error("a key has at least one scope: mint, read or admin")]
    NoScope,
    /// It may not do that.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The store did not do its part.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Keys, and who they belong to.
#[derive(Clone)]
pub struct Auth {
    pub(super) keys: Cached,
}

impl Auth {
    /// Keys kept in this store.
    #[must_use]
    pub fn new(keys: Cached) -> Self {
        Self { keys }
    }

    /// Who comes with this key.
    ///
    /// # Errors
    /// [`AuthError::Unknown`], [`AuthError::Revoked`], or what the store says.
    pub async fn authenticate(&self, plain: &PlainKey) -> Result<Principal, AuthError> {
        let key = self.key_of(plain).await?;
        Ok(Principal { key: key.id, scopes: key.scopes, until: None })
    }

    /// The key that this is the secret of.
    pub(super) async fn key_of(&self, plain: &PlainKey) -> Result<Key, AuthError> {
        let hash = plain.hash();
        self.good_key(&hash.id(), |key| key.hash == hash).await?.ok_or(AuthError::Unknown)
    }

    /// The key with this public name, if there is one and `proven` says that it is theirs who ask.
    pub(super) async fn good_key(
        &self,
        id: &KeyId,
        proven: impl FnOnce(&Key) -> bool,
    ) -> Result<Option<Key>, AuthError> {
        match self.keys.key(id).await?.filter(proven) {
            Some(key) if key.revoked_at.is_some() => Err(AuthError::Revoked),
            key => Ok(key),
        }
    }

    /// Whether somebody who came in a while ago would still be let in. While the store does not
    /// answer: yes.
    pub async fn is_open(&self, by: &Principal, now: Timestamp) -> bool {
        if by.key == KeyId::local() {
            return true;
        }
        if by.until.is_some_and(|until| until <= now) {
            return false;
        }
        match self.keys.key(&by.key).await {
            Ok(key) => key.is_some_and(|key| key.revoked_at.is_none()),
            Err(_) => true,
        }
    }

    /// Makes a key. The secret is in the answer and nowhere else.
    ///
    /// # Errors
    /// [`AuthError`] when the caller may not, a field is bad, or the store fails.
    pub async fn create(
        &self,
        by: &Principal,
        name: &str,
        scopes: &[Scope],
        now: Timestamp,
    ) -> Result<(Key, PlainKey), AuthError> {
        by.may_administer()?;
        let name = name.trim();
        let sized = (1..=MAX_NAME_LENGTH).contains(&name.chars().count());
        if !sized || name.chars().any(char::is_control) {
            return Err(AuthError::Name);
        }
        let mut scopes = scopes.to_vec();
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.is_empty() {
            return Err(AuthError::NoScope);
        }
        let plain = PlainKey::draw();
        let key = Key::of(&plain, name.to_owned(), scopes, to_the_millisecond(now));
        self.keys.put_key(&key).await?;
        Ok((key, plain))
    }

    /// All keys, oldest first, the revoked ones included.
    ///
    /// # Errors
    /// [`AuthError`] when the caller may not, or the store fails.
    pub async fn list(&self, by: &Principal) -> Result<Vec<Key>, AuthError> {
        by.may_administer()?;
        Ok(self.keys.keys().await?)
    }

    /// The key with this public name.
    ///
    /// # Errors
    /// [`AuthError::NoSuchKey`], or when the caller may not, or the store fails.
    pub async fn get(&self, by: &Principal, id: &str) -> Result<Key, AuthError> {
        by.may_administer()?;
        let unknown = || AuthError::NoSuchKey(id.to_owned());
        let id = KeyId::parse(id).map_err(|_| unknown())?;
        self.keys.store().key(&id).await?.ok_or_else(unknown)
    }

    /// The caller's own key; none, for who came through the control socket.
    ///
    /// # Errors
    /// [`AuthError::Keyless`], [`AuthError::NoSuchKey`], or what the store says.
    pub async fn own(&self, by: &Principal) -> Result<Key, AuthError> {
        if by.key == KeyId::local() {
            return Err(AuthError::Keyless);
        }
        let unknown = || AuthError::NoSuchKey(by.key.to_string());
        self.keys.key(&by.key).await?.ok_or_else(unknown)
    }

    /// Revokes a key: from now on it opens nothing. Doing so twice is doing so once.
    ///
    /// # Errors
    /// [`AuthError::NoSuchKey`], or when the caller may not, or the store fails.
    pub async fn revoke(&self, by: &Principal, id: &str, now: Timestamp) -> Result<(), AuthError> {
        let key = self.get(by, id).await?;
        if key.revoked_at.is_none() {
            let revoked_at = Some(to_the_millisecond(now));
            self.keys.put_key(&Key { revoked_at, ..key }).await?;
        }
        Ok(())
    }

    /// Sees to it that there is an admin key: the one from the settings, which stays revoked once it
    /// was revoked; or, in a store without any key, a newly drawn one, which is returned to be
    /// shown, this once.
    ///
    /// # Errors
    /// What the store says.
    pub async fn ensure_first_key(
        &self,
        bootstrap: Option<PlainKey>,
        now: Timestamp,
    ) -> Result<Option<PlainKey>, StoreError> {
        let now = to_the_millisecond(now);
        if let Some(plain) = bootstrap {
            let key = Key::of(&plain, "bootstrap".into(), vec![Scope::Admin], now);
            if self.keys.store().key(&key.id).await?.is_none() {
                self.keys.put_key(&key).await?;
            }
            return Ok(None);
        }
        let plain = PlainKey::draw();
        let key = Key::of(&plain, "first key".into(), vec![Scope::Admin], now);
        Ok(self.keys.put_first_key(&key).await?.then_some(plain))
    }
}

/// Times go over the wire to the millisecond; what is stored is what is shown.
pub(super) fn to_the_millisecond(now: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

#[cfg(test)]
pub(super) mod tests;
