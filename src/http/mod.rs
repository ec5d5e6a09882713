//! The edge: every route in matching order, the code route last.

pub mod brand;
pub mod caller;
pub mod client;
pub mod dashboard;
pub mod docs;
pub mod endpoint;
pub mod error;
pub mod etag;
pub mod extract;
pub mod googl;
pub mod ops;
pub mod page;
pub mod redirect;
pub mod session;
pub mod source;
pub mod suffix;
pub mod v1;

use std::any::Any;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::http::header::CACHE_CONTROL;
use actix_web::middleware::{DefaultHeaders, Next, from_fn};
#[cfg(target_os = "linux")]
use actix_web::rt::net::TcpStream;
use actix_web::rt::net::UnixStream;
use actix_web::{Error, web};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::scope;
use utoipa_actix_web::service_config::ServiceConfig;

use self::caller::LocalPeer;
use self::client::Proxies;
use self::dashboard::Desk;
use self::error::{Kind, Problem};
use self::page::Pages;
use self::redirect::{Headers, Reader};
use self::source::Sources;
use self::v1::config::Config;
use self::v1::wire::Public;
use crate::metrics::{Meter, Metrics};
use crate::service;
use crate::service::auth::Auth;
use crate::service::click::{Clicks, Recorder};
use crate::service::live::Live;
use crate::service::replies::Replies;
use crate::service::shorten::Shorten;
use crate::service::stats::Stats;
use crate::service::transfer::export::Export;
use crate::service::transfer::import::Import;

/// How long what was sent may wait for its reader (TCP_USER_TIMEOUT, RFC 5482).
#[cfg(target_os = "linux")]
const STUCK_FOR: Duration = Duration::from_secs(30);

/// How answers look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The `Cache-Control` of redirects.
    pub cache_control: String,
    /// Whether redirects name the target as what search engines are to list.
    pub canonical_link: bool,
    /// Whether redirects ask search engines not to list the short URL.
    pub noindex: bool,
    /// Networks and addresses of proxies whose word about the client is believed.
    pub trusted_proxies: Vec<String>,
    /// How long requests in flight may take when the service stops.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub shutdown_timeout: Duration,
}

/// Everything the edge is made of; each worker forks its own.
#[derive(Clone)]
pub struct Parts {
    /// The verbs.
    pub verbs: service::Services,
    /// Where clicks go.
    pub clicks: Clicks,
    /// How clicks say who made them.
    pub sources: Sources,
    /// For `/-/metrics`.
    pub metrics: Metrics,
    /// How links look from outside.
    pub public: Public,
    /// What redirects say beside where to.
    pub headers: Headers,
    /// What readers get in their place.
    pub pages: Pages,
    /// How the service is set up.
    pub config: Config,
    /// How browsers carry sessions; without, there is no dashboard and no session.
    pub cookie: Option<session::Cookie>,
}

/// What the handlers of the API work with: one for each worker, as `web::Data`.
pub struct Services {
    /// Links.
    pub shorten: Shorten,
    /// Everything out.
    pub export: Export,
    /// Links from elsewhere.
    pub import: Import,
    /// Keys.
    pub auth: Auth,
    /// Answers to requests with an `Idempotency-Key`.
    pub replies: Replies,
    /// Figures.
    pub stats: Stats,
    /// What comes in at this moment.
    pub live: Live,
    /// How links look from outside.
    pub public: Public,
    /// Whose word about the client is believed.
    pub proxies: Proxies,
}

/// Every route of one worker. To be called on the worker's own thread.
pub fn configure(config: &mut web::ServiceConfig, parts: &Parts) {
    let meter = parts.metrics.meter();
    let clicks = Rc::new(parts.clicks.recorder());
    actix_web::rt::spawn(rest_now_and_then(Rc::downgrade(&clicks), parts.clicks.rest_every()));
    let verbs = parts.verbs.fork();
    let reader = Reader::new(parts, &verbs, clicks, Arc::clone(&meter));
    let desk = parts.cookie.map(|cookie| {
        config.app_data(web::Data::new(cookie));
        Desk::new(verbs.auth.clone(), cookie, parts.pages.brand().clone())
    });
    let services = Services {
        shorten: verbs.shorten,
        export: verbs.export,
        import: verbs.import,
        auth: verbs.auth,
        replies: verbs.replies,
        stats: verbs.stats,
        live: verbs.live,
        public: parts.public.clone(),
        proxies: parts.sources.proxies().clone(),
    };
    config
        .app_data(web::Data::new(reader))
        .app_data(web::Data::new(services))
        .app_data(web::Data::new(verbs.health))
        .app_data(web::Data::new(parts.config.clone()))
        .app_data(web::Data::new(parts.metrics.clone()))
        .app_data(web::Data::from(meter))
        .configure(api)
        .configure(googl::configure)
        .service(
            web::scope("/-")
                .route("/live", web::get().to(ops::live))
                .route("/ready", web::get().to(ops::ready))
                .route("/metrics", web::get().to(ops::metrics))
                .configure(|config| parts.pages.brand().configure(config))
                .configure(|config| dashboard::configure(config, desk)),
        )
        .default_service(web::to(redirect::follow));
}

/// Closes the journal's open segment now and then, for as long as the worker lives.
async fn rest_now_and_then(clicks: Weak<Recorder>, every: Duration) {
    loop {
        actix_web::rt::time::sleep(every).await;
        match clicks.upgrade() {
            Some(clicks) => clicks.rest(),
            None => return,
        }
    }
}

/// Remembers which connections came in over the control socket, and lets go of the others when
/// their reader takes nothing for [`STUCK_FOR`]: an answer without end would wait for ever.
pub fn on_connect(connection: &dyn Any, data: &mut Extensions) {
    if connection.is::<UnixStream>() {
        data.insert(LocalPeer);
    }
    #[cfg(target_os = "linux")]
    if let Some(connection) = connection.downcast_ref::<TcpStream>() {
        let limit = u32::try_from(STUCK_FOR.as_millis()).unwrap_or(u32::MAX);
        if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(connection, limit) {
            tracing::debug!(%error, "a connection may wait for its reader for ever");
        }
    }
}

/// Everything under `/api`. What isn't there is a problem of ours, not a page of the framework.
fn api(config: &mut web::ServiceConfig) {
    // A scope does not hand its default on to those within.
    // What is told to one key is for nobody else, and true at this moment.
    let unkept = DefaultHeaders::new().add((CACHE_CONTROL, "no-store"));
    let v1 = scope("/v1").wrap(unkept).configure(v1::configure).default_service(web::to(unknown));
    let api = scope("/api")
        .wrap(from_fn(measure))
        .configure(docs::configure)
        .service(v1)
        .default_service(web::to(unknown));
    ServiceConfig::new(config).service(api);
}

async fn unknown() -> Problem {
    let detail = "there is nothing at this address; /api/docs shows what there is";
    Problem::new(Kind::NotFound, detail)
}

/// Counts a call of the API and how long it took.
async fn measure(
    request: ServiceRequest,
    next: Next<impl actix_web::body::MessageBody>,
) -> Result<ServiceResponse<impl actix_web::body::MessageBody>, Error> {
    let started = Instant::now();
    let meter = request.app_data::<web::Data<Meter>>().cloned();
    let outcome = next.call(request).await;
    let status = match &outcome {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    if let Some(meter) = meter {
        meter.call(status.as_u16(), started.elapsed());
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[actix_web::test]
    async fn a_connection_does_not_wait_for_its_reader_for_ever() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connection = TcpStream::connect(address).await.unwrap();
        assert_eq!(rustix::net::sockopt::tcp_user_timeout(&connection).unwrap(), 0);
        on_connect(&connection, &mut Extensions::new());
        let limit = rustix::net::sockopt::tcp_user_timeout(&connection).unwrap();
        assert_eq!(u128::from(limit), STUCK_FOR.as_millis());
    }
}
