//! Answers in JSON.

use crate::problem::Problem;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// 200 with a JSON body.
pub(super) fn json<T: Serialize>(value: &T) -> Response {
    with_status(StatusCode::OK, value)
}

/// Another status with a JSON body.
pub(super) fn with_status<T: Serialize>(status: StatusCode, value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => {
            (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            Problem::Internal.into_response()
        }
    }
}
