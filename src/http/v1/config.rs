//! How the service is set up, to be read. For keys of the scope admin.

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::caller::Caller;
use crate::http::endpoint::Endpoint;
use crate::http::error::Problem;
use crate::http::extract::QueryString;

/// `/config`.
pub(super) fn endpoint() -> Endpoint {
    Endpoint::at("/config").on(Method::GET, config, __path_config)
}

/// One setting in effect, as it may be shown.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Setting {
    /// Its name, with that of its section: `clicks.flush_interval`.
    pub key: &'static str,
    /// Its value; what is secret of it is `***`.
    #[schema(value_type = Value)]
    pub value: serde_json::Value,
    /// Where it was set.
    pub source: Source,
    /// Whether something of the value is left out because it is secret.
    pub secret: bool,
}

/// Where a setting was set.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Nowhere: it is the built-in default.
    Default,
    /// In the configuration file.
    File,
    /// In an environment variable.
    Environment,
    /// By a flag on the command line.
    Flag,
}

/// Every setting of this node, in the order of `config/default.toml`.
#[derive(Clone)]
pub struct Config(pub Arc<[Setting]>);

/// All settings.
#[derive(Serialize, ToSchema)]
#[schema(as = Config)]
struct ConfigBody {
    /// In the order of the documented defaults.
    #[schema(value_type = Vec<Setting>)]
    items: Arc<[Setting]>,
}

/// How this node is set up
///
/// The settings in effect, as `slugline config` shows them on the node itself. They are changed
/// there, and take effect when the service is started again.
#[utoipa::path(
    get,
    path = "/config",
    tag = "operations",
    operation_id = "getConfig",
    responses((status = 200, description = "Every setting", body = ConfigBody))
)]
async fn config(
    caller: Caller,
    request: HttpRequest,
    config: web::Data<Config>,
) -> Result<web::Json<ConfigBody>, Problem> {
    QueryString::read(&request, &[])?;
    caller.may_operate()?;
    Ok(web::Json(ConfigBody { items: Arc::clone(&config.0) }))
}
