//! The well-known documents.

use super::{Service, answer, blocking};
use crate::problem::Problem;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// `GET /.well-known/openid-credential-issuer`: JSON, or signed for whoever asks for a JWT.
///
/// # Source
/// OpenID4VCI 1.0 §12.2.2, §12.2.3.
pub(super) async fn issuer(State(service): State<Service>, headers: HeaderMap) -> Result<Response, Problem> {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let signed = accepted
        .flat_map(|value| value.split(','))
        .any(|kind| kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(JWT));
    let mut response = if signed {
        let token = blocking(&service, |issuer| issuer.signed_metadata()).await?.map_err(|error| {
            tracing::error!(%error, "the metadata could not be signed");
            Problem::Internal
        })?;
        ([(header::CONTENT_TYPE, HeaderValue::from_static(JWT))], token).into_response()
    } else {
        answer::json(&service.issuer.metadata())
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    Ok(public(response))
}

const JWT: &str = "application/jwt";

/// `GET /.well-known/oauth-authorization-server`.
///
/// # Source
/// RFC 8414 §3; OpenID4VCI 1.0 §12.3.
pub(super) async fn authorization_server(State(service): State<Service>) -> Response {
    public(answer::json(&service.issuer.server_metadata()))
}

fn public(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
