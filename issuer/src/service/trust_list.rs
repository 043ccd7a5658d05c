//! The trust list, where there is one.

use super::{Service, blocking};
use crate::problem::Problem;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use credentials::trust::list::MEDIA_TYPE;

/// `GET /trust-list`: the list that `amparo-issuer trust-list` wrote last, the same for everyone who asks.
///
/// # Source
/// `docs/decisions/0095`.
pub(super) async fn give(State(service): State<Service>) -> Result<Response, Problem> {
    let list = blocking(&service, |issuer| issuer.trust_list()).await?.map_err(|error| {
        tracing::error!(%error, "the trust list cannot be read");
        Problem::Internal
    })?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    ];
    Ok((headers, list.ok_or(Problem::NotFound)?).into_response())
}
