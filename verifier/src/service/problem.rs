//! What a wallet is told when its request cannot be served: a status and a small JSON object.

use super::desk::{Answered, DeskError};
use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemas::openid4vp::DirectPostResponse;
use serde_json::json;

/// A refusal over HTTP. It tells nothing about the holder, and about the verifier only what the wallet can mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    error: &'static str,
    code: &'static str,
    description: String,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, description: impl Into<String>) -> Self {
        let error = if status.is_server_error() { "server_error" } else { "invalid_request" };
        Self { status, error, code, description: description.into() }
    }

    /// Nobody waits there, or no longer.
    pub(super) fn not_waiting() -> Self {
        let text = "there is no such request, it was answered already, or its time is over";
        Self::new(StatusCode::NOT_FOUND, "not_waiting", text)
    }

    /// Not a form.
    pub(super) fn not_a_form() -> Self {
        let text = "expected content type application/x-www-form-urlencoded";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_a_form", text)
    }

    /// `wallet_nonce` is longer than we echo, or there twice.
    pub(super) fn wallet_nonce() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "wallet_nonce", "wallet_nonce is there twice, or longer than 1024 bytes")
    }

    /// What the wallet is told of its answer: where the person goes on, if anywhere, or why it was not accepted.
    pub(super) fn of_answer(answered: Answered) -> Result<DirectPostResponse, Self> {
        match answered {
            Answered::Accepted { redirect } => Ok(DirectPostResponse { redirect_uri: redirect }),
            Answered::NotWaiting => Err(Self::not_waiting()),
            Answered::Unreadable(error) => {
                Err(Self::new(StatusCode::BAD_REQUEST, "answer_unreadable", error.to_string()))
            }
            Answered::Refused { code, message } => Err(Self::new(StatusCode::BAD_REQUEST, code, message)),
        }
    }
}

impl From<DeskError> for Problem {
    /// The wallet is told no more than that it is not its fault; the log says which.
    fn from(error: DeskError) -> Self {
        let (status, code) = match &error {
            DeskError::UnknownTransaction | DeskError::OtherSession => return Self::not_waiting(),
            DeskError::ClockSuspect(_) => (StatusCode::SERVICE_UNAVAILABLE, "clock_suspect"),
            DeskError::Store(_) | DeskError::Key(_) => (StatusCode::SERVICE_UNAVAILABLE, "storage"),
            DeskError::Exists(_)
            | DeskError::Inquiry(_)
            | DeskError::Registration(_)
            | DeskError::NotInPerson(_)
            | DeskError::Anchor(_)
            | DeskError::NoListSigner
            | DeskError::OtherAuthorities(_)
            | DeskError::TooManyLists
            | DeskError::TrustList(_)
            | DeskError::Unfetched(_)
            | DeskError::Config { .. }
            | DeskError::Identity(_)
            | DeskError::Corrupt
            | DeskError::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        };
        tracing::error!(%error, "a wallet could not be served");
        Self::new(status, code, "the verifier cannot answer now; try again later")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, error, code, description } = self;
        let body = Json(json!({"error": error, "error_description": description, "code": code}));
        (status, [(header::CACHE_CONTROL, "no-store")], body).into_response()
    }
}
