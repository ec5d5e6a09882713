//! The audit: whether every click is accounted for, and what administrators deleted.

use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::Services;
use crate::http::caller::Caller;
use crate::http::endpoint::Endpoint;
use crate::http::error::Problem;
use crate::http::extract::QueryString;
use crate::http::v1::wire::rfc3339;
use crate::service::stats::Note;

/// `/audit`.
pub(in crate::http::v1) fn audit_endpoint() -> Endpoint {
    Endpoint::at("/audit").on(Method::GET, audit, __path_audit)
}

/// Whether the figures add up, node by node.
#[derive(Serialize, ToSchema)]
#[schema(as = Audit)]
struct AuditBody {
    /// Every node that ever filed an account; this one's is of this moment.
    nodes: Vec<AccountBody>,
    /// All nodes together.
    total: AuditFigures,
    /// Figures that administrators deleted, oldest first.
    deletions: Vec<DeletionBody>,
}

/// Figures of a link that were deleted.
#[derive(Serialize, ToSchema)]
#[schema(as = Deletion)]
struct DeletionBody {
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// The id of the key that did it.
    by: String,
    /// The link.
    code: String,
    /// Clicks that it had, ever. The nodes' `counted` still holds them.
    clicks: u64,
}

impl From<Note> for DeletionBody {
    fn from(note: Note) -> Self {
        Self {
            at: rfc3339(note.at),
            by: note.by.to_string(),
            code: note.code.to_string(),
            clicks: note.clicks,
        }
    }
}

/// A node's account.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
struct AccountBody {
    /// Which node: the name in its journal folder.
    node: String,
    #[serde(flatten)]
    figures: AuditFigures,
    /// When this was true.
    #[schema(value_type = String, format = DateTime)]
    seen_at: Timestamp,
}

/// `accepted = counted + pending`, unless something is wrong.
#[derive(Serialize, ToSchema, Default, Clone, Copy)]
struct AuditFigures {
    /// Clicks in the journal, ever.
    accepted: u64,
    /// Of those, how many the store has counted.
    counted: u64,
    /// Of those, how many wait in the journal.
    pending: u64,
    /// Redirects whose click could not be written down, ever.
    lost: u64,
}

/// Whether every click that was accepted is counted or waiting.
#[utoipa::path(
    get, path = "/audit", tag = "stats",
    responses(
        (status = 200, description = "Every node's account", body = AuditBody),
    )
)]
async fn audit(
    caller: Caller,
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<web::Json<AuditBody>, Problem> {
    QueryString::read(&request, &[])?;
    let accounts = services.stats.audit(&caller).await?;
    let notes = services.stats.notes(&caller).await?;
    let mut total = AuditFigures::default();
    let nodes = accounts.into_iter().map(|account| {
        total.accepted += account.accepted;
        total.counted += account.counted;
        total.pending += account.pending;
        total.lost += account.lost;
        AccountBody {
            node: account.node.0,
            figures: AuditFigures {
                accepted: account.accepted,
                counted: account.counted,
                pending: account.pending,
                lost: account.lost,
            },
            seen_at: account.seen_at,
        }
    });
    let nodes = nodes.collect();
    let deletions = notes.into_iter().map(Into::into).collect();
    Ok(web::Json(AuditBody { nodes, total, deletions }))
}
