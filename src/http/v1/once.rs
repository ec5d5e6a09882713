//! Answering once: the handling of `Idempotency-Key` around a handler's work.

use std::future::Future;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use jiff::Timestamp;
use serde::Serialize;

use crate::http::Services;
use crate::http::caller::Caller;
use crate::http::error::{Kind, PROBLEM_JSON, Problem};
use crate::service::replies::{Answer, Begun, Fingerprint};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// An answer, and whether the same request is to get it again. What failed for want of the store
/// may succeed later, and is not kept.
pub(super) struct Outcome {
    pub(super) answer: Answer,
    pub(super) lasting: bool,
}

impl Outcome {
    /// An answer to be kept.
    pub(super) fn lasting(status: StatusCode, body: &impl Serialize) -> Self {
        Self { answer: answer(status.as_u16(), body), lasting: true }
    }

    fn of_problem(problem: &Problem) -> Self {
        let status = problem.kind().status();
        Self { answer: answer(status, problem), lasting: status < 500 }
    }
}

fn answer(status: u16, body: &impl Serialize) -> Answer {
    // Writing plain data into memory can't fail.
    Answer { status, location: None, body: serde_json::to_vec(body).unwrap_or_default() }
}

/// Does `work`, unless the same request with the same key was answered before.
pub(super) async fn once(
    services: &Services,
    caller: &Caller,
    request: &HttpRequest,
    body: &[u8],
    work: impl Future<Output = Result<Outcome, Problem>>,
) -> Result<HttpResponse, Problem> {
    let Some(key) = key_of(request)? else {
        return Ok(response(work.await?.answer));
    };
    let fingerprint = Fingerprint::of(request.method().as_str(), request.path(), body);
    let begun = services.replies.begin(caller, &key, fingerprint, Timestamp::now()).await?;
    let ticket = match begun {
        Begun::Fresh(ticket) => ticket,
        Begun::Replay(answer) => {
            let mut replay = response(answer);
            let headers = replay.headers_mut();
            headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
            return Ok(replay);
        }
    };
    let done = work.await;
    let kept = done.as_ref().map_or_else(Outcome::of_problem, |outcome| Outcome {
        answer: outcome.answer.clone(),
        lasting: outcome.lasting,
    });
    let answer = kept.lasting.then_some(&kept.answer);
    if let Err(error) = services.replies.finish(ticket, answer, Timestamp::now()).await {
        tracing::warn!(store.error = %error, "an answer could not be kept for its idempotency key");
    }
    done.map(|outcome| response(outcome.answer))
}

fn key_of(request: &HttpRequest) -> Result<Option<String>, Problem> {
    let mut given = request.headers().get_all(IDEMPOTENCY_KEY);
    let refuse =
        |why: &str| Err(Problem::new(Kind::BadHeader, why).field(IDEMPOTENCY_KEY.as_str()));
    match (given.next(), given.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => refuse("the header stands there twice; send one Idempotency-Key"),
        (Some(key), None) => match key.to_str() {
            Ok(key) => Ok(Some(key.to_owned())),
            Err(_) => refuse("an Idempotency-Key has visible ASCII characters only"),
        },
    }
}

fn response(answer: Answer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let media = if status.is_success() { "application/json" } else { PROBLEM_JSON };
    let mut response = HttpResponse::build(status);
    if let Some(location) = answer.location {
        response.insert_header((header::LOCATION, location));
    }
    response.insert_header((header::CONTENT_TYPE, media)).body(answer.body)
}
