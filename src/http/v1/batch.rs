//! Many links in one request.

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::links::status_of;
use super::once::{Outcome, once};
use super::wire::{LinkBody, NewLinkBody, Public};
use crate::http::Services;
use crate::http::caller::Caller;
use crate::http::endpoint::Endpoint;
use crate::http::error::{Kind, Problem, ProblemBody};
use crate::http::extract::{MAX_BATCH_BODY, QueryString, parse, parse_row, read_body};
use crate::service::shorten::{MAX_BATCH, Minted, NewLink};

/// `/links/batch`; with any method but `POST` it is the link with the code `batch`.
pub(super) fn endpoint() -> Endpoint {
    Endpoint::for_post_only("/links/batch").on(Method::POST, mint_batch, __path_mint_batch)
}

/// Links to mint. Rows are read one by one, so that a bad one spoils no other.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Batch)]
struct BatchBody {
    /// At most 10,000.
    #[schema(value_type = Vec<NewLinkBody>)]
    links: Vec<serde_json::Value>,
}

/// What came of each row, in the order asked.
#[derive(Serialize, ToSchema)]
#[schema(as = BatchResults)]
struct ResultsBody {
    /// One for each row.
    results: Vec<RowBody>,
}

/// What came of one row: a link, or a problem.
#[derive(Serialize, ToSchema)]
#[schema(as = BatchResult)]
struct RowBody {
    /// What the row would have got as a request of its own.
    status: u16,
    /// The link, made (201) or there (200).
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<LinkBody>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ProblemBody>)]
    problem: Option<Problem>,
}

impl RowBody {
    fn of(outcome: Result<Minted, Problem>, public: &Public, now: Timestamp) -> Self {
        match outcome {
            Ok(minted) => Self {
                status: status_of(&minted).as_u16(),
                link: Some(LinkBody::of(minted.link(), public, now)),
                problem: None,
            },
            Err(problem) => {
                Self { status: problem.kind().status(), link: None, problem: Some(problem) }
            }
        }
    }
}

/// Mint many links
///
/// Each row is minted as by itself and has its own status; two rows for one address get one link.
/// The answer is 200 even when every row was refused.
#[utoipa::path(
    post,
    path = "/links/batch",
    tag = "links",
    operation_id = "mintLinks",
    params((
        "Idempotency-Key" = Option<String>, Header,
        description = "1–255 visible ASCII characters. The same key and body get the same answer \
                       for 24 hours, with `Idempotency-Replayed: true`."
    )),
    request_body = BatchBody,
    responses(
        (status = 200, description = "A result for each row", body = ResultsBody),
        (status = 409, description = "The same request is being answered (`in-progress`)",
         body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn mint_batch(
    caller: Caller,
    services: web::Data<Services>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    QueryString::read(&request, &[])?;
    let body = read_body(&request, payload, MAX_BATCH_BODY).await?;
    let batch: BatchBody = parse(&body)?;
    if batch.links.len() > MAX_BATCH {
        let given = batch.links.len();
        let detail =
            format_args!("a batch has at most {MAX_BATCH} links, this one has {given}; split it");
        return Err(Problem::new(Kind::BadField, detail).field("links").limit(MAX_BATCH));
    }
    let work = mint_rows(&services, &caller, batch.links);
    once(&services, &caller, &request, &body, work).await
}

async fn mint_rows(
    services: &Services,
    caller: &Caller,
    rows: Vec<serde_json::Value>,
) -> Result<Outcome, Problem> {
    let now = Timestamp::now();
    let mut wishes: Vec<NewLink> = Vec::with_capacity(rows.len());
    let mut refused: Vec<Option<Problem>> = Vec::with_capacity(rows.len());
    for row in rows {
        match parse_row::<NewLinkBody>(row) {
            Ok(wish) => {
                wishes.push(wish.into());
                refused.push(None);
            }
            Err(problem) => refused.push(Some(problem)),
        }
    }
    let mut minted = services.shorten.mint_many(caller, wishes, now).await?.into_iter();
    let unanswered =
        || Err(Problem::new(Kind::Unavailable, "the row was left without an answer; ask again"));
    let outcomes = refused.into_iter().map(|refused| match refused {
        Some(problem) => Err(problem),
        None => minted.next().map_or_else(unanswered, |outcome| outcome.map_err(Problem::from)),
    });
    let results: Vec<RowBody> =
        outcomes.map(|outcome| RowBody::of(outcome, &services.public, now)).collect();
    let lasting = results.iter().all(|row| row.status < 500);
    let outcome = Outcome::lasting(StatusCode::OK, &ResultsBody { results });
    Ok(Outcome { lasting, ..outcome })
}
