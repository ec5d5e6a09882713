//! `/-/live`, `/-/ready`, `/-/metrics`: for those who keep the service running.

use actix_web::{HttpResponse, web};

use crate::metrics::Metrics;
use crate::service::health::Health;

/// The process is there.
pub async fn live() -> HttpResponse {
    plain("live\n")
}

/// It can do its work: the store answers. While it does not, cached links redirect on, but there
/// is no minting and no new link is found.
pub async fn ready(health: web::Data<Health>) -> HttpResponse {
    match health.check().await {
        Ok(()) => plain("ready\n"),
        Err(error) => {
            let text = format!("not ready: {error}\n");
            HttpResponse::ServiceUnavailable().content_type("text/plain; charset=utf-8").body(text)
        }
    }
}

/// Figures for Prometheus.
pub async fn metrics(metrics: web::Data<Metrics>) -> HttpResponse {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match metrics.render() {
        Ok(text) => HttpResponse::Ok().content_type(OPEN_METRICS).body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

fn plain(text: &'static str) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(text)
}
