//! Everything out, as a stream.

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream::poll_fn;
use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::http::Services;
use crate::http::caller::Caller;
use crate::http::endpoint::Endpoint;
use crate::http::error::{Kind, Problem};
use crate::http::extract::QueryString;
use crate::service::transfer::export::{Format, QUEUE};

/// `/export`.
pub(super) fn endpoint() -> Endpoint {
    Endpoint::at("/export").on(Method::GET, export, __path_export)
}

/// Export everything
///
/// For keys of the scope admin. A stream as long as all links: it is written while it is read. An
/// answer that ends without its last chunk (RFC 9112 §7.1) broke off, and is not whole.
///
/// - `ndjson`, lines of JSON: the complete backup, to be restored by importing it. Keys in the form in
///   which they are stored, links with their tombstones, and all that was counted. The counting rests
///   while the counts are read; clicks wait in the journals meanwhile. The last line is of the type
///   `end`.
/// - `csv`: all links, with their clicks.
/// - `beacon`: links that redirect, a line of code, bar and target each.
/// - `nginx-map`: maps for nginx, with which it answers as this service does.
#[utoipa::path(
    get,
    path = "/export",
    tag = "links",
    operation_id = "export",
    params(
        ("format" = Option<String>, Query,
         description = "`ndjson` (the default), `csv`, `beacon` or `nginx-map`"),
        ("links_only" = Option<bool>, Query,
         description = "`true`, with `ndjson`: links, and nothing that was counted, and no keys"),
    ),
    responses(
        (status = 200, description = "The export", body = String,
         content_type = "application/x-ndjson"),
    )
)]
async fn export(
    caller: Caller,
    services: web::Data<Services>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let query = QueryString::read(&request, &["format", "links_only"])?;
    let format = query.parsed("format")?.unwrap_or(Format::Backup);
    let format = match (format, query.parsed("links_only")?.unwrap_or(false)) {
        (Format::Backup, true) => Format::Links,
        (_, true) => {
            let detail = "links_only goes with format=ndjson; the other formats hold links alone";
            return Err(Problem::new(Kind::BadParameter, detail).field("links_only"));
        }
        (format, false) => format,
    };
    let job = services.export.begin(&caller, format)?;
    let name = format!("attachment; filename=\"{}\"", format.file_name());
    let mut response = HttpResponse::Ok();
    response
        .content_type(format.media_type())
        .insert_header((header::CONTENT_DISPOSITION, name))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("X-Accel-Buffering", "no"));
    if request.method() == Method::HEAD {
        return Ok(response.finish());
    }
    let (queue, mut pieces) = mpsc::channel(QUEUE);
    actix_web::rt::spawn(job.run(queue, Timestamp::now()));
    // After an error the connection is closed without the last chunk.
    Ok(response.streaming(poll_fn(move |cx| pieces.poll_recv(cx))))
}
