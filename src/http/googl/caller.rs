//! Who asks: our keys, wherever clients of goo.gl put theirs.

use actix_web::HttpRequest;
use actix_web::http::header;

use super::error::Refusal;
use super::params::Params;
use crate::http::Services;
use crate::http::caller::{LocalPeer, bearer};
use crate::http::error::{Kind, Problem};
use crate::model::key::PlainKey;
use crate::service::auth::Principal;

/// Who comes with this request; `None`: no key at all. A token, in the header or in the query, is
/// more than a `key=` beside it, which in old clients names a project of Google's.
pub(super) async fn caller(
    request: &HttpRequest,
    params: &Params,
    services: &Services,
) -> Result<Option<Principal>, Refusal> {
    let (key, refusal) = if let Some(header) = request.headers().get(header::AUTHORIZATION) {
        (bearer(header.as_bytes()).ok(), Refusal::bad_token())
    } else if let Some(token) = params.get("access_token").or_else(|| params.get("oauth_token")) {
        (PlainKey::parse(token).ok(), Refusal::bad_token())
    } else if let Some(key) = params.get("key") {
        (PlainKey::parse(key).ok(), Refusal::bad_key())
    } else {
        let local = request.conn_data::<LocalPeer>().is_some();
        return Ok(local.then(Principal::local));
    };
    let Some(key) = key else { return Err(refusal) };
    match services.auth.authenticate(&key).await {
        Ok(principal) => Ok(Some(principal)),
        Err(error) => {
            let problem = Problem::from(error);
            Err(if problem.kind() == Kind::Unauthorized { refusal } else { problem.into() })
        }
    }
}
