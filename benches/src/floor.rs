//! The floor: what a redirect costs when nothing is looked up and nothing is counted.

use actix_web::http::header;
use actix_web::{App, HttpResponse, HttpServer, rt, web};

/// As long as the average of the addresses that the service redirects to.
const LOCATION: &str =
    "https://www.example.org/2026/11/23/world/a-story-of-an-average-length-on-a-page/index.html";

/// Serves `GET /{code}` with a constant redirect until killed.
pub(crate) fn serve(port: u16, workers: usize) -> anyhow::Result<()> {
    let app = || App::new().route("/{code}", web::get().to(redirect));
    rt::System::new().block_on(async {
        HttpServer::new(app).workers(workers).bind(("127.0.0.1", port))?.run().await
    })?;
    Ok(())
}

async fn redirect() -> HttpResponse {
    HttpResponse::Found().insert_header((header::LOCATION, LOCATION)).finish()
}
