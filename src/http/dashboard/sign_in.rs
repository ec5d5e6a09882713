//! Signing in and out: a form that works without a script.

use actix_web::http::header::{SET_COOKIE, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use askama::Template;
use jiff::Timestamp;
use url::{Position, Url, form_urlencoded};

use super::page::{AGAIN, AWAY, follow_again, html, say, see_other, unavailable, way_to_assets};
use super::{ASSETS, Desk, HOME, SIGN_IN, SIGN_OUT};
use crate::http::brand::Brand;
use crate::http::error::{CHALLENGE, Problem};
use crate::http::extract::{authority, read_bytes};
use crate::http::session::Site;
use crate::model::key::PlainKey;
use crate::service::auth::AuthError;
use crate::service::session::Session;

/// The longest form that is read, in bytes: a key and an address.
const MAX_FORM: usize = 16 * 1024;

#[derive(Template)]
#[template(path = "dashboard/sign-in.html")]
struct Form<'a> {
    brand: &'a Brand,
    assets: String,
    to: &'a str,
    error: Option<&'a str>,
}

/// Asks for the key.
pub(super) async fn form(request: HttpRequest, desk: web::Data<Desk>) -> HttpResponse {
    let asked = |name| field(request.query_string().as_bytes(), name);
    let to = destination(asked("to").as_deref());
    let error = match desk.signed_in(&request).await {
        Ok(Some(_)) => return see_other(&request, &to).finish(),
        // Who comes from another site comes without the cookie.
        Ok(None) if desk.cookie.site_of(&request) == Site::Other && asked(AGAIN).is_none() => {
            return follow_again(&request, &to);
        }
        Ok(None) | Err(AuthError::Store(_)) => None,
        Err(over) => Some(sentence(&over)),
    };
    show(&request, HttpResponse::Ok(), &desk.brand, &to, error)
}

/// Takes the key and gives a session for it.
pub(super) async fn sign_in(
    request: HttpRequest,
    desk: web::Data<Desk>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let body = read_bytes(&request, payload, MAX_FORM).await?;
    let to = destination(field(&body, "to").as_deref());
    let ask_again = |response: HttpResponseBuilder, error: &str| {
        show(&request, response, &desk.brand, &to, Some(error))
    };
    // Otherwise another site could have somebody work under a key of its own.
    if desk.cookie.site_of(&request) == Site::Other {
        let error = format!(
            "This came from a page of another site than {}. Sign in here. If you did, the proxy in \
             front has to hand on the header Host as it came, with its port.",
            authority(&request)
        );
        return Ok(ask_again(HttpResponse::Forbidden(), &error));
    }
    if let Some(public_url) = desk.cookie.kept_at(&request) {
        let error = format!(
            "Sign in at {public_url}{HOME}: over plain http, browsers do not keep the session."
        );
        return Ok(ask_again(HttpResponse::Forbidden(), &error));
    }
    let key = field(&body, "key").unwrap_or_default();
    Ok(match begin(&desk, key.trim()).await {
        Ok(session) => {
            let cookie = desk.cookie.carrying(&session);
            see_other(&request, &to).insert_header((SET_COOKIE, cookie)).finish()
        }
        Err(AuthError::Store(_)) => ask_again(unavailable(), AWAY),
        Err(refusal) => {
            let mut response = HttpResponse::Unauthorized();
            response.insert_header((WWW_AUTHENTICATE, CHALLENGE));
            ask_again(response, sentence(&refusal))
        }
    })
}

async fn begin(desk: &Desk, key: &str) -> Result<Session, AuthError> {
    let key = PlainKey::parse(key).map_err(|_| AuthError::Unknown)?;
    desk.auth.begin_session(&key, desk.cookie.lasts(), Timestamp::now()).await
}

/// Ends the session, if there is one.
pub(super) async fn sign_out(request: HttpRequest, desk: web::Data<Desk>) -> HttpResponse {
    if desk.cookie.site_of(&request) == Site::Other {
        let what = "A page of another site wanted to sign you out. You are still signed in.";
        return say(&request, HttpResponse::Forbidden(), &desk.brand, what);
    }
    let cookie = desk.cookie.cleared();
    see_other(&request, SIGN_IN).insert_header((SET_COOKIE, cookie)).finish()
}

fn show(
    request: &HttpRequest,
    response: HttpResponseBuilder,
    brand: &Brand,
    to: &str,
    error: Option<&str>,
) -> HttpResponse {
    html(response, &Form { brand, assets: way_to_assets(request), to, error })
}

/// What is wrong, and what to do.
fn sentence(refusal: &AuthError) -> &'static str {
    match refusal {
        AuthError::SessionOver => "Your session has ended. Sign in again.",
        AuthError::Revoked => "This key has been revoked. Ask an administrator for a new one.",
        _ => "This key is not known here. Check that it is whole: it begins with sl_ as a rule.",
    }
}

/// A field of a form or a query.
fn field(form: &[u8], name: &str) -> Option<String> {
    let mut fields = form_urlencoded::parse(form);
    fields.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
}

/// Where to go after signing in: to a view of the dashboard, whatever was asked for.
fn destination(wanted: Option<&str>) -> String {
    let read = |wanted: &str| {
        // Read as browsers do, which take `\` for `/`, leave out tabs and go up at `..`.
        let base = Url::parse("http://dashboard.invalid").ok()?;
        let url = base.join(wanted).ok().filter(|url| url.origin() == base.origin())?;
        let below = url.path().strip_prefix(HOME)?;
        let is_view = below.is_empty() || below.starts_with('/');
        let is_ours = [SIGN_IN, SIGN_OUT].contains(&url.path()) || url.path().starts_with(ASSETS);
        (is_view && !is_ours).then(|| url[Position::BeforePath..Position::AfterQuery].to_owned())
    };
    wanted.and_then(read).unwrap_or_else(|| HOME.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::brand::Settings;

    #[test]
    fn whatever_the_form_is_given_stays_text() {
        let settings = Settings {
            name: "<script>".into(),
            logo: "".into(),
            colour: String::new(),
            home: String::new(),
            language: "en".into(),
            translations: "".into(),
        };
        let brand = &Brand::open(&settings, "").unwrap();
        let (to, error) = ("\"><script>alert(1)</script>", Some("<script>alert(2)</script>"));
        let page = Form { brand, assets: String::new(), to, error }.render().unwrap();
        assert!(page.contains("value=\"&#34;&#62;&#60;script&#62;alert(1)"), "{page}");
        assert!(!page.contains("<script>"), "{page}");
    }

    #[test]
    fn signing_in_leads_to_views_of_the_dashboard_only() {
        for good in [
            "/-/dashboard",
            "/-/dashboard?window=7d",
            "/-/dashboard/links/fb%2FAbC1",
            "/-/dashboard/article?url=https%3A%2F%2Fexample.org%2F%3Fa%3Db%23c",
        ] {
            assert_eq!(destination(Some(good)), good);
        }
        for bad in [
            "",
            "/",
            "/8yDbrB",
            "/-/dashboards",
            "/-/dashboard/../../8yDbrB",
            "/-/dashboard/%2e%2e/%2e%2e/8yDbrB",
            "/-/dashboard\\..\\..\\8yDbrB",
            "//evil.example/-/dashboard",
            "/\\evil.example/-/dashboard",
            "\t//evil.example/-/dashboard",
            "https://evil.example/-/dashboard",
            "javascript:alert(1)",
            "/-/dashboard/sign-in?to=/-/dashboard/sign-in",
            "/-/dashboard/sign-out",
            "/-/dashboard/assets/app.js",
        ] {
            assert_eq!(destination(Some(bad)), HOME, "{bad:?}");
        }
        assert_eq!(destination(None), HOME);
        assert_eq!(
            destination(Some("/-/dashboard/a\r\nSet-Cookie: x")),
            "/-/dashboard/aSet-Cookie:%20x"
        );
    }
}
