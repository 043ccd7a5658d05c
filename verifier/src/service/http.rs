//! The two endpoints of OpenID4VP: where a request is fetched, and where it is answered.

use super::desk::Desk;
use super::problem::Problem;
use crate::answer::MAX_BODY;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use schemas::openid4vp::REQUEST_OBJECT_TYP;
use std::sync::Arc;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

/// How long a request may take in all: its body slowly sent, a status list slowly fetched.
const PATIENCE: Duration = Duration::from_secs(20);
/// How much a wallet may post to fetch a request: its metadata and its nonce.
const MAX_METADATA: usize = 64 * 1024;
/// The longest `wallet_nonce` that is echoed.
const MAX_WALLET_NONCE: usize = 1024;

/// The endpoints, below the path of the verifier's URL.
///
/// # Source
/// OpenID4VP 1.0 §5.10 (`request_uri`), §8.2 (`response_uri`).
pub fn router(desk: Arc<Desk>) -> Router {
    let path = desk.config().url.path().to_owned();
    let endpoints = Router::new()
        .route(
            "/openid4vp/request/{handle}",
            get(fetch_request).post(fetch_request_with_nonce).layer(DefaultBodyLimit::max(MAX_METADATA)),
        )
        .route("/openid4vp/response/{handle}", post(take_answer).layer(DefaultBodyLimit::max(MAX_BODY)))
        .route("/health", get(health))
        .with_state(desk);
    let always = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
    };
    let router = if path.is_empty() { endpoints } else { Router::new().nest(&path, endpoints) };
    router
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, PATIENCE))
        .layer(CatchPanicLayer::new())
        .layer(always(header::CACHE_CONTROL, "no-store"))
        .layer(always(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(always(header::REFERRER_POLICY, "no-referrer"))
}

async fn health() -> &'static str {
    "ok"
}

async fn fetch_request(State(desk): State<Arc<Desk>>, Path(handle): Path<String>) -> Result<Response, Problem> {
    request_object(desk, handle, None).await
}

/// # Source
/// OpenID4VP 1.0 §5.10: what the wallet posts is `wallet_nonce` and `wallet_metadata`; the nonce is echoed, and the
/// metadata changes nothing, because this verifier asks one thing in one way.
async fn fetch_request_with_nonce(
    State(desk): State<Arc<Desk>>,
    Path(handle): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    if !body.is_empty() && !is_form(&headers) {
        return Err(Problem::not_a_form());
    }
    let mut nonces = url::form_urlencoded::parse(&body).filter(|(name, _)| name == "wallet_nonce");
    let nonce = nonces.next().map(|(_, nonce)| nonce.into_owned());
    if nonces.next().is_some() || nonce.as_ref().is_some_and(|nonce| nonce.len() > MAX_WALLET_NONCE) {
        return Err(Problem::wallet_nonce());
    }
    request_object(desk, handle, nonce).await
}

async fn request_object(desk: Arc<Desk>, handle: String, nonce: Option<String>) -> Result<Response, Problem> {
    let made = tokio::task::spawn_blocking(move || desk.request_object(&handle, nonce.as_deref())).await;
    let made = made.unwrap_or(Err(super::desk::DeskError::Internal("making a request object")))?;
    let object = made.ok_or_else(Problem::not_waiting)?;
    let media_type = format!("application/{REQUEST_OBJECT_TYP}");
    Ok(([(header::CONTENT_TYPE, media_type)], object).into_response())
}

async fn take_answer(
    State(desk): State<Arc<Desk>>,
    Path(handle): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    if !is_form(&headers) {
        return Err(Problem::not_a_form());
    }
    // In a task of its own: a wallet that hangs up, or a time limit, must not leave an answer half verified.
    let answered = tokio::spawn(async move { desk.answer(handle, body.to_vec()).await }).await;
    let answered = answered.unwrap_or(Err(super::desk::DeskError::Internal("taking an answer")))?;
    Ok(axum::Json(Problem::of_answer(answered)?).into_response())
}

fn is_form(headers: &HeaderMap) -> bool {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = text.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
