//! One address of the API: what its methods do, what the others are told, and how both are
//! documented. `HEAD` is answered wherever `GET` is.

use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::http::Method;
use actix_web::{FromRequest, Handler, Resource, Responder, guard, web};
use utoipa::openapi::path::Paths;
use utoipa::openapi::{RefOr, Schema};
use utoipa_actix_web::OpenApiFactory;

use super::error::Problem;

/// An address with its methods, to be built up and then given to `service`.
pub struct Endpoint {
    resource: Resource,
    methods: Vec<Method>,
    paths: Paths,
    schemas: Vec<(String, RefOr<Schema>)>,
}

impl Endpoint {
    /// The address `path`, which may hold `{parameters}`.
    #[must_use]
    pub fn at(path: &str) -> Self {
        Self {
            resource: web::resource(path),
            methods: vec![],
            paths: Paths::new(),
            schemas: vec![],
        }
    }

    /// An address for `POST` alone: requests with other methods go on to what follows.
    #[must_use]
    pub fn for_post_only(path: &str) -> Self {
        let resource = web::resource(path).guard(guard::Post());
        Self { resource, ..Self::at(path) }
    }

    /// What `method` does, and its documentation: the `__path_…` that `#[utoipa::path]` makes.
    #[must_use]
    pub fn on<F, Args>(mut self, method: Method, handler: F, docs: impl OpenApiFactory) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.paths.merge(docs.paths());
        docs.schemas(&mut self.schemas);
        self.on_undocumented(method, handler)
    }

    /// What `method` does, where that is no part of the API.
    #[must_use]
    pub fn on_undocumented<F, Args>(mut self, method: Method, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let route = match method {
            Method::GET => {
                self.methods.extend([Method::GET, Method::HEAD]);
                web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
            }
            method => {
                self.methods.push(method.clone());
                web::method(method)
            }
        };
        self.resource = self.resource.route(route.to(handler));
        self
    }
}

impl HttpServiceFactory for Endpoint {
    fn register(self, config: &mut AppService) {
        let allow = self.methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
        let others = move || {
            let refusal = Problem::method_not_allowed(&allow);
            async { refusal }
        };
        self.resource.default_service(web::to(others)).register(config);
    }
}

impl OpenApiFactory for Endpoint {
    fn paths(&self) -> Paths {
        self.paths.clone()
    }

    fn schemas(&self, schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.extend(self.schemas.iter().cloned());
    }
}
