//! How this node is doing. For keys of the scope admin.

use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::wire::rfc3339;
use crate::http::caller::Caller;
use crate::http::endpoint::Endpoint;
use crate::http::error::Problem;
use crate::http::extract::QueryString;
use crate::service::click::{Snapshot, archive};
use crate::service::health::{Health, JournalReport, Report, StoreKind};

/// `/health`.
pub(super) fn endpoint() -> Endpoint {
    Endpoint::at("/health").on(Method::GET, health, __path_health)
}

/// How a node is doing.
#[derive(Serialize, ToSchema)]
#[schema(as = Health)]
struct HealthBody {
    /// Of the program.
    version: &'static str,
    /// When this node was started.
    #[schema(format = DateTime)]
    started_at: String,
    /// The node's name, as in the audit.
    node: String,
    store: StoreBody,
    journal: JournalBody,
    rollup: RollupBody,
    /// Null when no archive is kept.
    archive: Option<ArchiveBody>,
    cache: CacheBody,
    live: LiveBody,
}

/// The store.
#[derive(Serialize, ToSchema)]
#[schema(as = StoreHealth)]
struct StoreBody {
    /// `embedded`, `redis` or `cluster`.
    kind: &'static str,
    /// Whether it answers.
    ready: bool,
    /// Why it does not.
    error: Option<String>,
    /// How long it took to answer, in milliseconds.
    ping_ms: Option<f64>,
}

/// The log of clicks.
#[derive(Serialize, ToSchema)]
#[schema(as = JournalHealth)]
struct JournalBody {
    /// Bytes on the disk.
    bytes: u64,
    /// Clicks that it took, ever.
    accepted: u64,
    /// Clicks that wait to be counted; null while the store does not say what it has counted.
    pending: Option<u64>,
    /// Redirects whose click could not be written down, ever.
    lost: u64,
}

/// What was counted since the start.
#[derive(Serialize, ToSchema)]
#[schema(as = RollupHealth)]
struct RollupBody {
    /// Clicks counted.
    counted: u64,
    /// Rounds that moved something.
    rounds: u64,
    /// Rounds that failed and were tried again.
    failures: u64,
    /// Times that the store stood elsewhere than expected.
    returns: u64,
    /// When the store last stood at the end of the journal; null: not since the start.
    #[schema(format = DateTime)]
    caught_up_at: Option<String>,
}

/// What was archived since the start.
#[derive(Serialize, ToSchema)]
#[schema(as = ArchiveHealth)]
struct ArchiveBody {
    /// Clicks archived.
    lines: u64,
    /// Hours finished.
    files: u64,
    /// Times that the disk refused, which are tried again.
    failures: u64,
    /// Clicks that had left the journal before they could be archived.
    missing: u64,
    /// When the archive last stood at the end of the journal; null: not since the start.
    #[schema(format = DateTime)]
    caught_up_at: Option<String>,
}

/// Look-ups of links since the start.
#[derive(Serialize, ToSchema)]
#[schema(as = CacheHealth)]
struct CacheBody {
    /// Links in memory.
    entries: u64,
    /// Look-ups answered from memory.
    hits: u64,
    /// Look-ups answered by the store.
    misses: u64,
    /// Look-ups answered from memory because the store did not answer.
    stale: u64,
    /// Look-ups that nobody answered.
    errors: u64,
}

/// Streams of what comes in.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveHealth)]
struct LiveBody {
    /// How many are open.
    listeners: usize,
}

impl From<Report> for HealthBody {
    fn from(report: Report) -> Self {
        let cache = report.cache;
        let (ping_ms, error) = match &report.store {
            Ok(took) => (Some(took.as_secs_f64() * 1e3), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let kind = match report.kind {
            StoreKind::Embedded => "embedded",
            StoreKind::Redis => "redis",
            StoreKind::Cluster => "cluster",
        };
        Self {
            version: super::VERSION,
            started_at: rfc3339(report.started_at),
            node: report.node,
            store: StoreBody { kind, ready: error.is_none(), error, ping_ms },
            journal: report.journal.into(),
            rollup: report.rollup.into(),
            archive: report.archive.map(Into::into),
            cache: CacheBody {
                entries: cache.entries,
                hits: cache.hits,
                misses: cache.misses,
                stale: cache.stale,
                errors: cache.errors,
            },
            live: LiveBody { listeners: report.listeners },
        }
    }
}

impl From<JournalReport> for JournalBody {
    fn from(journal: JournalReport) -> Self {
        let JournalReport { bytes, accepted, lost, pending } = journal;
        Self { bytes, accepted, pending, lost }
    }
}

impl From<Snapshot> for RollupBody {
    fn from(rollup: Snapshot) -> Self {
        Self {
            counted: rollup.counted,
            rounds: rollup.rounds,
            failures: rollup.failures,
            returns: rollup.went_back,
            caught_up_at: rollup.caught_up_at.map(rfc3339),
        }
    }
}

impl From<archive::Snapshot> for ArchiveBody {
    fn from(archive: archive::Snapshot) -> Self {
        let archive::Snapshot { lines, files, failures, missing, caught_up_at } = archive;
        Self { lines, files, failures, missing, caught_up_at: caught_up_at.map(rfc3339) }
    }
}

/// How this node is doing
///
/// Of the node that answers: each has its own journal. A store that does not answer is part of the
/// answer, and no problem.
#[utoipa::path(
    get,
    path = "/health",
    tag = "operations",
    operation_id = "getHealth",
    responses((status = 200, description = "The node's health", body = HealthBody))
)]
async fn health(
    caller: Caller,
    request: HttpRequest,
    health: web::Data<Health>,
) -> Result<web::Json<HealthBody>, Problem> {
    QueryString::read(&request, &[])?;
    Ok(web::Json(health.report(&caller).await?.into()))
}
