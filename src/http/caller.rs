//! Who asks: by a key, through the control socket, or signed in.

use actix_web::dev::Payload;
use actix_web::http::{Method, header};
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use jiff::Timestamp;

use super::Services;
use super::error::{Kind, Problem};
use super::session::{Cookie, Site};
use crate::model::key::PlainKey;
use crate::service::auth::Principal;

/// Marks a connection that came in over the control socket, which only the machine's own operator
/// can open. Put into the connection's data when it is accepted.
#[derive(Debug, Clone, Copy)]
pub struct LocalPeer;

/// Who asks: the bearer of a key, the operator at the control socket, or who signed in.
#[derive(Debug, Clone)]
pub struct Caller(pub Principal);

impl std::ops::Deref for Caller {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.0
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let shown = Proof::shown_by(request);
        let services = request.app_data::<web::Data<Services>>().cloned();
        Box::pin(async move {
            let (shown, services) = (shown?, services.ok_or_else(no_key)?);
            Ok(Self(match shown {
                Proof::Key(key) => services.auth.authenticate(&key).await?,
                Proof::Socket => Principal::local(),
                Proof::Session(token) => {
                    services.auth.resume_session(&token, Timestamp::now()).await?
                }
            }))
        })
    }
}

/// By what a caller proves who they are.
enum Proof {
    /// A key.
    Key(PlainKey),
    /// That they could open the control socket.
    Socket,
    /// The token of a session.
    Session(String),
}

impl Proof {
    /// A browser sends its cookie with whatever is asked of us, by whomever: so what changes
    /// something counts only if a page of ours asked.
    fn shown_by(request: &HttpRequest) -> Result<Self, Problem> {
        if let Some(given) = request.headers().get(header::AUTHORIZATION) {
            return bearer(given.as_bytes()).map(Self::Key);
        }
        if request.conn_data::<LocalPeer>().is_some() {
            return Ok(Self::Socket);
        }
        let cookie = request.app_data::<web::Data<Cookie>>();
        let token = cookie.and_then(|cookie| cookie.token(request)).ok_or_else(no_key)?;
        let changes_nothing = matches!(*request.method(), Method::GET | Method::HEAD);
        if !changes_nothing && Site::of(request) != Site::Ours {
            let detail = "with a session, this takes `Sec-Fetch-Site: same-origin`, or an `Origin` \
                          that is this very host, as browsers send them from our own pages; other \
                          clients send a key: `Authorization: Bearer sl_…`";
            return Err(Problem::new(Kind::CrossSite, detail).field("Origin"));
        }
        Ok(Self::Session(token.to_owned()))
    }
}

fn no_key() -> Problem {
    let detail = "send your key in the header `Authorization: Bearer sl_…`";
    Problem::unauthorized(detail, r#"Bearer realm="slugline""#)
}

/// The key in an `Authorization` header (RFC 6750 §2.1).
pub(super) fn bearer(value: &[u8]) -> Result<PlainKey, Problem> {
    let text = std::str::from_utf8(value).map_err(|_| no_key())?;
    let (scheme, key) = text.trim().split_once(' ').ok_or_else(no_key)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(no_key());
    }
    PlainKey::parse(key.trim()).map_err(|bad| {
        Problem::unauthorized(bad, r#"Bearer realm="slugline", error="invalid_token""#)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bearers_are_read() {
        for bad in ["sl_bootstrap_key", "Basic c2xfYm9vdHN0cmFwX2tleQ==", "Bearer ", "Bearer short"]
        {
            assert!(bearer(bad.as_bytes()).is_err(), "{bad}");
        }
        assert_eq!(bearer(b"bearer sl_bootstrap_key").unwrap().reveal(), "sl_bootstrap_key");
    }
}
