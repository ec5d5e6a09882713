//! Whose clicks are meant, and whether the caller may know.

use super::{Stats, StatsError, Whose};
use crate::model::code::Code;
use crate::model::key::KeyId;
use crate::model::link::{Baseline, Link, Tag};
use crate::model::tally::Subject;
use crate::model::target::Target;
use crate::service::auth::Principal;
use crate::store::{Keys as _, Links as _, StoreError};

use jiff::Timestamp;

/// What is counted for a question.
pub(super) struct Subjects {
    /// Together.
    pub(super) all: Vec<Subject>,
    /// When the first of them was minted, if they are links.
    pub(super) since: Option<Timestamp>,
    /// The links, oldest first.
    pub(super) codes: Vec<Code>,
    /// What they brought along, if they are links.
    pub(super) imported: Option<Baseline>,
}

impl Subjects {
    fn one(subject: Subject) -> Self {
        Self { all: vec![subject], since: None, codes: vec![], imported: None }
    }

    /// Links, together.
    pub(super) fn links(mut links: Vec<Link>) -> Self {
        links.sort_by(|a, b| (a.created_at, &a.code).cmp(&(b.created_at, &b.code)));
        let codes: Vec<Code> = links.iter().map(|link| link.code.clone()).collect();
        Self {
            all: codes.iter().cloned().map(Subject::Link).collect(),
            since: links.first().map(|link| link.created_at),
            codes,
            imported: Baseline::together(links.iter().filter_map(|link| link.baseline)),
        }
    }
}

impl Stats {
    /// What `whose` means, once it is sure that they may know.
    pub(super) async fn subjects(
        &self,
        by: &Principal,
        whose: &Whose,
    ) -> Result<Subjects, StatsError> {
        Ok(match whose {
            Whose::Link(code) => {
                let link = self.find(code).await?;
                by.may_see(&link)?;
                Subjects::links(vec![link])
            }
            Whose::Article(url) => {
                let links = by.may_see_of(self.links_of(url).await?)?;
                Subjects::links(links)
            }
            Whose::Tag(tag) => {
                by.may_read_site()?;
                Subjects::one(Subject::Tag(Tag::parse(tag)?))
            }
            Whose::Key(id) => Subjects::one(Subject::Key(self.key(by, id).await?)),
            Whose::Site => {
                by.may_read_site()?;
                Subjects::one(Subject::Site)
            }
            Whose::Orphans => {
                by.may_read_site()?;
                Subjects::one(Subject::Orphans)
            }
        })
    }

    /// The link or tombstone with this code.
    pub(super) async fn find(&self, code: &str) -> Result<Link, StatsError> {
        let unknown = || StatsError::NotFound(code.to_owned());
        let parsed = Code::parse(code).map_err(|_| unknown())?;
        self.links.store().get(&parsed).await?.ok_or_else(unknown)
    }

    /// All links of an article, tombstones included; there is at least one.
    async fn links_of(&self, url: &str) -> Result<Vec<Link>, StatsError> {
        let article = self.canonical.article(url)?;
        let links = self.links_under(&article).await?;
        match links.is_empty() {
            true => Err(StatsError::NoArticle(article)),
            false => Ok(links),
        }
    }

    /// All links of an article, tombstones included.
    pub(super) async fn links_under(&self, article: &Target) -> Result<Vec<Link>, StoreError> {
        let entries = self.links.store().codes_of(std::slice::from_ref(article)).await?;
        let codes: Vec<Code> = entries.into_iter().flat_map(|entry| entry.0).collect();
        let links = self.links.store().get_many(&codes).await?;
        Ok(links.into_iter().flatten().filter(|link| link.article == *article).collect())
    }

    /// The key with this id. Who has none that opens more learns nothing of other keys.
    async fn key(&self, by: &Principal, id: &str) -> Result<KeyId, StatsError> {
        let unknown = || StatsError::NoKey(id.to_owned());
        let Ok(key) = KeyId::parse(id) else {
            by.may_read_site()?;
            return Err(unknown());
        };
        by.may_read_key(&key)?;
        // What is minted on the machine itself has an owner without a key.
        let known =
            key == by.key || key == KeyId::local() || self.links.store().key(&key).await?.is_some();
        if known { Ok(key) } else { Err(unknown()) }
    }
}
