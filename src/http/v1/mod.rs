//! REST, version 1: one noun a file.

mod batch;
pub mod config;
mod export;
mod health;
mod import;
pub(super) mod keys;
mod links;
mod live;
mod once;
pub(super) mod stats;
pub mod wire;

use utoipa_actix_web::service_config::ServiceConfig;

use super::Services;
use super::error::Problem;
use super::v1::wire::LinkBody;
use crate::service::shorten::ShortenError;

/// A code within a path: one part, or two for the path families of imported links, whose `/` may
/// be written as it is or as `%2F`.
pub const CODE: &str = "{code:[^/]+(?:/[^/]+)?}";

/// Of this program.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Every address of the API, in matching order: those without parameters first, since they are
/// compared and not searched; what lies below a link before the link itself.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(links::all())
        .service(batch::endpoint())
        .service(export::endpoint())
        .service(import::endpoint())
        .service(keys::all())
        .service(keys::current())
        .service(config::endpoint())
        .service(health::endpoint())
        .service(stats::of_article_endpoint())
        .service(stats::top_endpoint())
        .service(stats::orphans_endpoint())
        .service(stats::of_site_endpoint())
        .service(live::endpoint())
        .service(stats::audit_endpoint())
        .service(stats::of_link_endpoint())
        .service(stats::of_tag_endpoint())
        .service(stats::of_key_endpoint())
        .service(links::one())
        .service(keys::one());
}

impl Services {
    /// What the client is told when a link was refused: of a deleted one, what is left of it.
    #[must_use]
    pub fn refusal(&self, error: ShortenError, now: jiff::Timestamp) -> Problem {
        match error {
            ShortenError::Gone(link) => {
                let tombstone = LinkBody::of(&link, &self.public, now);
                Problem::from(ShortenError::Gone(link)).link(tombstone)
            }
            other => other.into(),
        }
    }
}
