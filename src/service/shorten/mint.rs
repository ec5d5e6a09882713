//! Minting: get or create, one link or ten thousand.

use std::collections::HashMap;

use jiff::Timestamp;

use super::rounds::Rounds;
use super::{BadField, Shorten, ShortenError, fields, to_the_millisecond};
use crate::model::code::Code;
use crate::model::link::{Link, Redirect, Standing};
use crate::service::auth::{Forbidden, Principal};
use crate::store::{Links, StoreError};

/// Rows read without a pause, about a millisecond's worth: readers are served by the same thread.
const ROWS_AT_A_STRETCH: usize = 100;

/// What a publisher asks for. A link that exists already is returned as it is: nothing here but the
/// address decides whether it does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewLink {
    /// Where to, as the publisher wrote it.
    pub url: String,
    /// A code of their choice.
    pub code: Option<String>,
    /// What they call it.
    pub title: Option<String>,
    /// Their labels.
    pub tags: Vec<String>,
    /// From then on it is gone.
    pub expires_at: Option<Timestamp>,
    /// The link's own status.
    pub redirect: Option<Redirect>,
    /// Whether the reader's query string goes on to the target.
    pub forward_query: bool,
    /// Whether the tracking parameters of `url` reach the landing page.
    pub keep_tracking: bool,
    /// Whether to draw another code even where there is one.
    pub new_code: bool,
    /// The one host that shall know the code; none: any link will do, and a new one is known to all.
    pub host: Option<String>,
}

/// A link, and whether this request made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Minted {
    /// It was made.
    New(Link),
    /// It was there.
    Existing(Link),
}

impl Minted {
    /// The link.
    #[must_use]
    pub fn link(&self) -> &Link {
        match self {
            Self::New(link) | Self::Existing(link) => link,
        }
    }
}

/// What a row gets.
pub(super) type Outcome = Result<Minted, ShortenError>;

/// Which code a row will do with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// Any code that leads to the target.
    Any,
    /// A newly drawn one.
    Fresh,
    /// The one in the draft.
    This,
}

/// A row once its fields are known to be good: the link as it would be made.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) link: Link,
    pub(super) choice: Choice,
}

impl Shorten {
    /// Mints one link.
    ///
    /// # Errors
    /// [`ShortenError`] says which rule was broken, or what the store says.
    pub async fn mint(
        &self,
        by: &Principal,
        wish: NewLink,
        now: Timestamp,
    ) -> Result<Minted, ShortenError> {
        let outcome = self.mint_many(by, vec![wish], now).await?.pop();
        outcome.unwrap_or_else(|| Err(unanswered()))
    }

    /// Mints many links at once; each row has its own outcome, in the order given. Two rows for one
    /// address get one link.
    ///
    /// # Errors
    /// [`Forbidden`] when the caller may not mint at all.
    pub async fn mint_many(
        &self,
        by: &Principal,
        wishes: Vec<NewLink>,
        now: Timestamp,
    ) -> Result<Vec<Outcome>, Forbidden> {
        by.may_mint()?;
        let mut outcomes: Vec<Option<Outcome>> = Vec::with_capacity(wishes.len());
        let mut drafts = Vec::new();
        for (row, wish) in wishes.into_iter().enumerate() {
            if row % ROWS_AT_A_STRETCH == ROWS_AT_A_STRETCH - 1 {
                tokio::task::yield_now().await;
            }
            let draft = self.draft(by, wish, now);
            outcomes.push(draft.as_ref().err().map(|bad| Err(bad.clone().into())));
            drafts.extend(draft.ok().map(|draft| (row, draft)));
        }
        let drafts = self.settle_ours(drafts, &mut outcomes, now).await;
        for (row, outcome) in Rounds::new(self, drafts, now).run().await {
            outcomes[row] = Some(outcome);
        }
        let missing = || Err(unanswered());
        Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(missing)).collect())
    }

    /// Reads and checks a row.
    fn draft(&self, by: &Principal, wish: NewLink, now: Timestamp) -> Result<Draft, BadField> {
        let now = to_the_millisecond(now);
        let addresses = self.addresses(&wish.url)?;
        let (code, choice) = match &wish.code {
            Some(code) => (Code::custom(code)?, Choice::This),
            None if wish.new_code => (self.draw(0), Choice::Fresh),
            None => (self.draw_near(&addresses.article), Choice::Any),
        };
        let link = Link {
            code,
            target: match wish.keep_tracking {
                true => addresses.landing,
                false => addresses.article.clone(),
            },
            article: addresses.article,
            created_at: now,
            owner: by.key.clone(),
            title: wish.title.as_deref().map(fields::title).transpose()?.flatten(),
            tags: fields::tags(&wish.tags)?,
            expires_at: wish.expires_at.map(|at| fields::expiry(at, now)).transpose()?,
            redirect: wish.redirect,
            forward_query: wish.forward_query,
            standing: Standing::Active,
            verbatim: false,
            host: wish.host.as_deref().map(|host| self.host(host)).transpose()?,
            baseline: None,
        };
        Ok(Draft { link, choice })
    }

    /// Rows that ask for one of our own short URLs get the link it belongs to, or, when they ask for
    /// another code, go on with that link's target: no short link ever leads to another.
    async fn settle_ours(
        &self,
        drafts: Vec<(usize, Draft)>,
        outcomes: &mut [Option<Outcome>],
        now: Timestamp,
    ) -> Vec<(usize, Draft)> {
        let ours = |draft: &Draft| self.is_ours(&draft.link.article);
        let codes: Vec<Code> = drafts
            .iter()
            .filter(|(_, draft)| ours(draft))
            .filter_map(|(_, draft)| self.home.code_in(&draft.link.article))
            .collect();
        if codes.is_empty() && !drafts.iter().any(|(_, draft)| ours(draft)) {
            return drafts;
        }
        let known = match self.links.store().get_many(&codes).await {
            Ok(links) => codes.into_iter().zip(links).collect::<HashMap<_, _>>(),
            Err(e) => {
                drafts.iter().for_each(|(row, _)| outcomes[*row] = Some(Err(e.clone().into())));
                return vec![];
            }
        };
        let mut rest = Vec::with_capacity(drafts.len());
        for (row, mut draft) in drafts {
            if !ours(&draft) {
                rest.push((row, draft));
                continue;
            }
            let article = &draft.link.article;
            let code = self.home.code_in(article);
            let there = code.and_then(|code| known.get(&code).cloned().flatten());
            let leads_on = |link: &Link| {
                link.stands_for_its_article_at(now) && link.is_known_at(article.authority())
            };
            match there.filter(leads_on) {
                None => {
                    let bad = BadField::Ours(draft.link.article.to_string());
                    outcomes[row] = Some(Err(bad.into()));
                }
                Some(link) if draft.choice == Choice::Any && self.serves(&draft.link, &link) => {
                    outcomes[row] = Some(Ok(Minted::Existing(link)));
                }
                Some(link) => {
                    let target = if link.verbatim { link.article.clone() } else { link.target };
                    (draft.link.target, draft.link.article) = (target, link.article);
                    match self.may_lead_to(&draft.link.article, &draft.link.target) {
                        Ok(()) => rest.push((row, draft)),
                        Err(bad) => outcomes[row] = Some(Err(bad.into())),
                    }
                }
            }
        }
        rest
    }
}

/// Every row is answered; if one were not, the caller is told to ask again.
fn unanswered() -> ShortenError {
    StoreError::Unavailable("a row was left without an answer".into()).into()
}
