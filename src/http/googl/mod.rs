//! The API of the shortener that went before: `urlshortener` v1, as goo.gl served it from 2010 to
//! 2019. Its clients work here with nothing but their base URL changed; what they ask for is done by
//! the same verbs as in our own API.
//!
//! The shapes stand in `urlshortener.v1.json`, which is served as the API's discovery document, and
//! from which the selector `fields` knows what there is.

mod caller;
mod discovery;
mod error;
pub mod fields;
mod history;
mod params;
mod url;
mod wire;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, HttpResponse, guard, web};
use serde::Serialize;
use serde_json::ser::PrettyFormatter;

use self::error::Refusal;
use self::fields::Selector;
use self::params::{Layout, Params};
use super::measure;

/// Every route of this API, and its discovery.
pub fn configure(config: &mut web::ServiceConfig) {
    let url = web::resource("/v1/url")
        .route(web::get().to(url::get))
        .route(web::head().to(url::get))
        .route(web::post().to(url::insert))
        .default_service(web::to(|request| wrong_method(request, "GET, HEAD, POST")));
    let readable = |path: &str| {
        web::resource(path).default_service(web::to(|request| wrong_method(request, "GET, HEAD")))
    };
    let history = readable("/v1/url/history")
        .route(web::get().to(history::list))
        .route(web::head().to(history::list));
    let document = readable("/v1/apis/urlshortener/v1/rest")
        .route(web::get().to(discovery::document))
        .route(web::head().to(discovery::document));
    let directory = readable("/v1/apis")
        .route(web::get().to(discovery::directory))
        .route(web::head().to(discovery::directory));
    // Only what a client of batches sends: a link may have the code `batch`.
    let batch = web::resource("/batch")
        .guard(guard::Post())
        .wrap(from_fn(measure))
        .default_service(web::to(no_batches));
    config
        .service(batch)
        .service(
            web::scope("/urlshortener")
                .wrap(from_fn(measure))
                .service(history)
                .service(url)
                .default_service(web::to(unknown)),
        )
        .service(
            web::scope("/discovery")
                .wrap(from_fn(measure))
                .service(document)
                .service(directory)
                .default_service(web::to(unknown)),
        );
}

/// `POST /batch`, where the discovery document's `batchPath` leads.
async fn no_batches(request: HttpRequest) -> HttpResponse {
    Refusal::no_batches().response(Params::read(&request).layout())
}

async fn unknown(request: HttpRequest) -> HttpResponse {
    Refusal::not_found().response(Params::read(&request).layout())
}

async fn wrong_method(request: HttpRequest, allow: &'static str) -> HttpResponse {
    let mut response = Refusal::wrong_method().response(Params::read(&request).layout());
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}

/// Does `work` and answers with as much of what came of it as `fields` asks for: an object of the
/// shape `schema`. Nothing is done for a request whose answer could not be told.
async fn answer<T: Serialize>(
    request: &HttpRequest,
    schema: &str,
    work: impl AsyncFnOnce(&Params) -> Result<T, Refusal>,
) -> HttpResponse {
    let params = Params::read(request);
    let told = async {
        params.check()?;
        let fields = params.get("fields").map(|text| Selector::read(text, schema)).transpose()?;
        let body = work(&params).await?;
        Ok::<_, Refusal>(match fields {
            None => json(&body, params.layout()),
            // Writing plain data into memory can't fail.
            Some(fields) => {
                let whole = serde_json::to_value(&body).unwrap_or_default();
                json(&fields.pick(&whole), params.layout())
            }
        })
    };
    match told.await {
        Ok(body) => respond(StatusCode::OK, body),
        Err(refusal) => refusal.response(params.layout()),
    }
}

fn json(body: &impl Serialize, layout: Layout) -> Vec<u8> {
    let mut text = Vec::new();
    // Writing plain data into memory can't fail.
    let _ = match layout {
        Layout::Indented => {
            let form = PrettyFormatter::with_indent(b" ");
            body.serialize(&mut serde_json::Serializer::with_formatter(&mut text, form))
        }
        Layout::OneLine => body.serialize(&mut serde_json::Serializer::new(&mut text)),
    };
    text.push(b'\n');
    text
}

fn respond(status: StatusCode, body: Vec<u8>) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::CACHE_CONTROL, "private, max-age=0"))
        .content_type("application/json; charset=UTF-8")
        .body(body)
}
