//! Links from elsewhere, as lines of JSON.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::Services;
use crate::http::caller::Caller;
use crate::http::endpoint::Endpoint;
use crate::http::error::{Kind, Problem};
use crate::http::extract::{MAX_BATCH_BODY, QueryString, read_lines};
use crate::service::transfer::import::{OnConflict, Remark, Report, Run};

/// `/import`.
pub(super) fn endpoint() -> Endpoint {
    Endpoint::at("/import").on(Method::POST, import, __path_import)
}

/// What came of an import. Each line that holds something counts once.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportReport, example = json!({
    "imported": 2, "existing": 0, "replaced": 0,
    "conflicts": [{"line": 3, "code": "fbsS", "reason": "the code leads to http://www.example.org/"}],
    "refused": [], "stopped": false
}))]
struct ReportBody {
    /// Links that were not there.
    imported: usize,
    /// Links that were there with the very same target; nothing changed.
    existing: usize,
    /// Links that took the place of others.
    replaced: usize,
    /// Lines whose code leads elsewhere, which stayed so.
    conflicts: Vec<RemarkBody>,
    /// Lines that are no links which can be imported.
    refused: Vec<RemarkBody>,
    /// Whether the last conflict ended it: nothing from that line on was looked at.
    stopped: bool,
}

/// A line that was not imported.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportRemark)]
struct RemarkBody {
    /// Which line of the body, from 1.
    line: usize,
    /// Its code; null when it can't be read.
    code: Option<String>,
    /// Why.
    reason: String,
}

impl From<Report> for ReportBody {
    fn from(report: Report) -> Self {
        let told = |remarks: Vec<Remark>| remarks.into_iter().map(RemarkBody::from).collect();
        Self {
            imported: report.imported,
            existing: report.existing,
            replaced: report.replaced,
            conflicts: told(report.conflicts),
            refused: told(report.refused),
            stopped: report.stopped,
        }
    }
}

impl From<Remark> for RemarkBody {
    fn from(Remark { line, code, reason }: Remark) -> Self {
        Self { line, code, reason }
    }
}

/// Import links
///
/// For keys of the scope admin. Each line is a JSON object: `code` (1–64 of `0-9A-Za-z_-`, maybe two
/// such parts joined by `/`) and `target`, and if known `article`, `keep_tracking`, `created_at`,
/// `owner` (the id of a key), `title`, `tags`, `expires_at`, `redirect`, `forward_query`, `host` (one
/// of this service), `state` (`active`, `disabled`, `deleted`), `reason`, and `baseline` with the
/// `clicks` that were counted elsewhere and `at`, the moment as of which. `type`, if it is there, is
/// `link`.
///
/// Targets stay byte for byte what they are, whatever hosts may be linked to here; whoever mints the
/// same article is given the imported link. Doing it again changes nothing: what was interrupted is
/// finished. The answer is 200 even when every line was refused.
#[utoipa::path(
    post,
    path = "/import",
    tag = "links",
    operation_id = "importLinks",
    params(
        ("on_conflict" = Option<String>, Query,
         description = "What becomes of a line whose code leads elsewhere: `keep` what is there (the \
                        default), `replace` it, or `fail`, which stops there"),
        ("dry_run" = Option<bool>, Query,
         description = "`true`: nothing is written, and the answer says what would be"),
    ),
    request_body(
        content = String, content_type = "application/x-ndjson",
        description = "At most 10,000 lines and 16 MiB",
        example = json!("{\"code\":\"fbsS\",\"target\":\"http://www.example.org/\"}\n")
    ),
    responses((status = 200, description = "What came of it", body = ReportBody))
)]
async fn import(
    caller: Caller,
    services: web::Data<Services>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let query = QueryString::read(&request, &["on_conflict", "dry_run"])?;
    let on_conflict = read_on_conflict(&query)?;
    let run = if query.parsed("dry_run")? == Some(true) { Run::Dry } else { Run::Real };
    let body = read_lines(&request, payload, MAX_BATCH_BODY).await?;
    let report = services.import.import(&caller, body, on_conflict, run, Timestamp::now()).await?;
    Ok(HttpResponse::Ok().json(ReportBody::from(report)))
}

fn read_on_conflict(query: &QueryString) -> Result<OnConflict, Problem> {
    match query.text("on_conflict") {
        None | Some("keep") => Ok(OnConflict::Keep),
        Some("replace") => Ok(OnConflict::Replace),
        Some("fail") => Ok(OnConflict::Fail),
        Some(other) => {
            let detail = format_args!("on_conflict is keep, replace or fail, not {other:?}");
            Err(Problem::new(Kind::BadParameter, detail).field("on_conflict"))
        }
    }
}
