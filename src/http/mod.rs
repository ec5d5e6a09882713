//! The edge: every route in matching order, the code route last.

pub mod docs;
pub mod endpoint;
pub mod error;
pub mod extract;
pub mod ops;
pub mod redirect;
pub mod v1;

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use serde::{Deserialize, Serialize};
use utoipa_actix_web::scope;
use utoipa_actix_web::service_config::ServiceConfig;

use self::error::{Kind, Problem};
use crate::service::auth::Auth;
use crate::service::replies::Replies;
use crate::service::shorten::Shorten;

/// How answers look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The `Cache-Control` of redirects.
    pub cache_control: String,
    /// How long requests in flight may take when the service stops.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub shutdown_timeout: Duration,
}

/// What the handlers of the API work with: one for each worker, as `web::Data`.
#[derive(Clone)]
pub struct Services {
    /// Links.
    pub shorten: Shorten,
    /// Keys.
    pub auth: Auth,
    /// Answers to requests with an `Idempotency-Key`.
    pub replies: Replies,
    /// What stands before `/` and the code in a short URL, without a slash at its end.
    pub public_url: Arc<str>,
}

/// Everything under `/api`. What isn't there is a problem of ours, not a page of the framework.
pub fn api(config: &mut web::ServiceConfig) {
    let unknown = || async {
        let what = "there is nothing at this address; /api/docs shows what there is";
        Err::<&str, _>(Problem::new(Kind::NotFound, what))
    };
    let api = scope("/api")
        .configure(docs::configure)
        .service(scope("/v1").configure(v1::configure))
        .default_service(web::to(unknown));
    ServiceConfig::new(config).service(api);
}
