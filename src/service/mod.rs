//! Verbs: every rule, once.

pub mod auth;
pub mod click;
pub mod health;
pub mod live;
pub mod replies;
pub mod resolve;
pub mod session;
pub mod shorten;
pub mod stats;
pub mod threats;
pub mod transfer;

pub use crate::store::StoreError;

use crate::store::cached::Cached;

/// All verbs over one handle on the store.
#[derive(Clone)]
pub struct Services {
    /// Code in, decision out.
    pub resolve: resolve::Resolve,
    /// Links.
    pub shorten: shorten::Shorten,
    /// Everything out.
    pub export: transfer::export::Export,
    /// Links from elsewhere.
    pub import: transfer::import::Import,
    /// Keys.
    pub auth: auth::Auth,
    /// Answers to requests with an `Idempotency-Key`.
    pub replies: replies::Replies,
    /// Figures.
    pub stats: stats::Stats,
    /// What comes in at this moment.
    pub live: live::Live,
    /// Whether all this works.
    pub health: health::Health,
    links: Cached,
}

impl Services {
    /// All verbs over `links`.
    #[must_use]
    pub fn new(
        links: Cached,
        resolve: resolve::Resolve,
        shorten: shorten::Shorten,
        stats: stats::Stats,
        live: live::Live,
        export: transfer::export::Export,
        health: health::Health,
    ) -> Self {
        Self {
            resolve,
            import: transfer::import::Import::new(shorten.clone(), export.keep()),
            export,
            shorten,
            auth: auth::Auth::new(links.clone()),
            replies: replies::Replies::new(links.clone()),
            stats,
            live,
            health,
            links,
        }
    }

    /// The same over a connection of its own: one for each worker, which all its verbs share.
    #[must_use]
    pub fn fork(&self) -> Self {
        let links = self.links.fork();
        let resolve = self.resolve.over(&links);
        let (shorten, stats) = (self.shorten.over(&links), self.stats.over(&links));
        let (live, export) = (self.live.over(&links), self.export.over(&links));
        let (import, health) = (self.import.over(shorten.clone()), self.health.over(&links));
        Self { import, ..Self::new(links, resolve, shorten, stats, live, export, health) }
    }
}
