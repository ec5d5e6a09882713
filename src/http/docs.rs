//! The API's own account of itself: OpenAPI 3.1 made from the code, a page that shows it, and the
//! list of problems. Everything the pages need is in the binary: no newsroom needs the internet to
//! read them.

use std::fmt::Write;

use actix_web::http::Method;
use actix_web::http::header;
use actix_web::{App, HttpRequest, HttpResponse, web};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi as Document, Ref};
use utoipa::{Modify, OpenApi};
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_actix_web::{AppExt, scope};

use super::endpoint::Endpoint;
use super::error::{Kind, PROBLEM_JSON, Problem, ProblemBody};
use super::extract::takes_gzip;
use super::v1;

/// RapiDoc 9.3.8 (MIT, the licence lies beside it), compressed as it is sent.
const RAPIDOC: &[u8] = include_bytes!("assets/rapidoc-9.3.8.min.js.gz");

/// Nothing from elsewhere. RapiDoc sets style attributes, which is what `unsafe-inline` is for.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; \
                      img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

const PAGE: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Slugline API</title>
<script type="module" src="docs/rapidoc.js"></script>
<rapi-doc spec-url="openapi.json" load-fonts="false" render-style="read" show-header="false"
  allow-spec-url-load="false" allow-spec-file-load="false" persist-auth="false"
  schema-description-expanded="true"></rapi-doc>
</html>
"#;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Slugline",
        description = "Short links for newsrooms: mint, follow, count exactly once.\n\n\
            Times are RFC 3339 in UTC. Errors are problem+json (RFC 9457); \
            [/api/problems](/api/problems) lists their types. Every GET is answered as HEAD, too."
    ),
    components(schemas(ProblemBody<'static>)),
    modifiers(&Bearer),
    security(("bearer" = [])),
    tags(
        (name = "links", description = "Mint, find, change and delete links"),
        (name = "stats", description = "Count clicks, and see that none is lost"),
        (name = "keys", description = "Who may do what; for keys of the scope admin"),
        (name = "operations", description = "How a node is set up and doing; for keys of the scope \
                                             admin")
    )
)]
struct Base;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A key of this service: `sl_…`"))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// The API as OpenAPI 3.1, from the very endpoints that serve it.
#[must_use]
pub fn openapi() -> Document {
    let app = App::new().into_utoipa_app().openapi(Base::openapi());
    let app = app.service(scope("/api/v1").configure(v1::configure));
    let (_, mut document) = app.split_for_parts();
    for item in document.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.post, &mut item.patch, &mut item.delete] {
            operation.iter_mut().for_each(add_common_problems);
        }
    }
    document
}

/// What every operation may answer, whatever else it does.
fn add_common_problems(operation: &mut Operation) {
    let mut common = vec![
        (400, "The request can't be read, or a parameter can't be used"),
        (401, "No key, or none that opens anything"),
        (403, "The key may not do this"),
        (500, "Stored data is damaged"),
        (503, "The store does not answer; `Retry-After` says when to ask again"),
    ];
    if operation.request_body.is_some() {
        common.extend([
            (413, "The body is too large; `limit` says what is taken"),
            (415, "The body is not JSON"),
            (422, "A field breaks a rule; `field` names it"),
        ]);
    }
    for (status, description) in common {
        let schema = Ref::from_schema_name("Problem");
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response =
            ResponseBuilder::new().description(description).content(PROBLEM_JSON, content).build();
        let responses = &mut operation.responses.responses;
        responses.entry(status.to_string()).or_insert_with(|| response.into());
    }
}

/// Where the documentation lies, below `/api`.
pub fn configure(config: &mut ServiceConfig<'_>) {
    let specification = web::Bytes::from(openapi().to_json().unwrap_or_default());
    let show = move || {
        let specification = specification.clone();
        async { HttpResponse::Ok().content_type("application/json").body(specification) }
    };
    config
        .service(Endpoint::at("/openapi.json").on_undocumented(Method::GET, show))
        .service(Endpoint::at("/docs").on_undocumented(Method::GET, page))
        .service(Endpoint::at("/docs/rapidoc.js").on_undocumented(Method::GET, rapidoc))
        .service(Endpoint::at("/problems").on_undocumented(Method::GET, problems));
}

fn html(page: impl Into<String>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .content_type("text/html; charset=utf-8")
        .body(page.into())
}

async fn page() -> HttpResponse {
    html(PAGE)
}

async fn rapidoc(request: HttpRequest) -> Result<HttpResponse, Problem> {
    // Whoever says nothing takes anything.
    if takes_gzip(&request) == Some(false) {
        let detail = "the script is kept compressed; send `Accept-Encoding: gzip`";
        return Err(Problem::new(Kind::NotAcceptable, detail).field("Accept-Encoding"));
    }
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_ENCODING, "gzip"))
        .insert_header((header::VARY, "Accept-Encoding"))
        .insert_header((header::CACHE_CONTROL, "public, max-age=86400"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .content_type("text/javascript; charset=utf-8")
        .body(RAPIDOC))
}

/// Where the types of problems lead: what each means.
async fn problems() -> HttpResponse {
    let mut rows = String::new();
    for kind in Kind::ALL {
        let (slug, status, title) = (kind.slug(), kind.status(), kind.title());
        // Writing into a text can't fail.
        let _ = writeln!(rows, "<tr id=\"{slug}\"><td><code>{slug}</code><td>{status}<td>{title}");
    }
    html(format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <title>Problems of the Slugline API</title>\n\
         <style>body{{font:16px/1.5 system-ui,sans-serif;margin:2rem}}td{{padding:.2rem 1rem}}\
         tr:target{{background:#ff9}}</style>\n<h1>Problems</h1>\n\
         <p>Each error of the API is a problem (RFC 9457). Its <code>type</code> is this page's \
         address with one of these names behind <code>#</code>; its <code>detail</code> says what \
         is wrong in the case at hand, and the way out.\n<table>\n{rows}</table>\n</html>\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_names_the_key_and_all_of_its_problems() {
        let document = serde_json::to_value(openapi()).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        assert_eq!(document["security"][0]["bearer"], serde_json::json!([]));
        let paths = document["paths"].as_object().unwrap();
        for (path, item) in paths {
            assert!(path.starts_with("/api/v1/"), "{path}");
            for (method, operation) in item.as_object().unwrap() {
                for (status, response) in operation["responses"].as_object().unwrap() {
                    assert_ne!(response["description"].as_str(), None, "{method} {path} {status}");
                }
                for status in ["400", "401", "403", "500", "503"] {
                    assert!(operation["responses"][status].is_object(), "{method} {path} {status}");
                }
            }
        }
        let mint = &paths["/api/v1/links"]["post"]["responses"];
        for status in ["200", "201", "409", "413", "415", "422"] {
            assert!(mint[status].is_object(), "{status}");
        }
    }

    #[test]
    fn every_schema_that_is_referred_to_is_there() {
        let text = openapi().to_json().unwrap();
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for part in text.split("#/components/schemas/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(schemas.contains_key(name), "{name}");
        }
    }

    #[test]
    fn the_page_needs_nothing_from_elsewhere() {
        assert!(!PAGE.contains("//"), "an address of another host");
        assert!(RAPIDOC.starts_with(&[0x1f, 0x8b]), "gzip's mark");
    }
}
