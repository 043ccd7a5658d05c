//! The well-known documents.

use super::{Service, answer};
use crate::metadata;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;

/// `GET /.well-known/openid-credential-issuer`.
///
/// # Source
/// OpenID4VCI 1.0 §12.2.2: unsigned JSON.
pub(super) async fn issuer(State(service): State<Service>) -> Response {
    public(answer::json(&metadata::issuer(service.issuer.config())))
}

/// `GET /.well-known/oauth-authorization-server`.
///
/// # Source
/// RFC 8414 §3; OpenID4VCI 1.0 §12.3.
pub(super) async fn authorization_server(State(service): State<Service>) -> Response {
    public(answer::json(&metadata::authorization_server(service.issuer.config())))
}

fn public(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
