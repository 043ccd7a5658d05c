//! The provider over HTTP. Nothing of a request is kept, and nothing of it but its path is logged.

#![allow(clippy::disallowed_methods, reason = "the service reads the machine's clock")]

use crate::attesting::{AttestError, Attester};
use crate::config::{KEY_PATH, WALLET_PATH};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
pub use bounded_http::Bounds;
use credentials::json::{self, Limits};
use schemas::Timestamp;
use schemas::openid4vci::ErrorResponse;
use schemas::wallet_provider::{
    KeyAttestationRequest, KeyAttestationResponse, WalletAttestationRequest, WalletAttestationResponse,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

/// The most bytes of a request: proofs of sixty-four keys with room to spare.
pub const MAX_BODY: usize = 128 * 1024;
const PATIENCE: Duration = Duration::from_secs(20);

/// Serves the provider until `shutdown` is done, bounded in connections and time.
pub async fn serve(listener: TcpListener, attester: Arc<Attester>, bounds: Bounds, shutdown: impl Future<Output = ()>) {
    bounded_http::serve(listener, router(attester), bounds, shutdown).await;
}

/// The provider's HTTP interface, below the path of its URL.
pub fn router(attester: Arc<Attester>) -> Router {
    let url = &attester.config().url;
    let (base, well_known) = (url.path(), url.well_known_path());
    Router::new()
        .route(&well_known, get(metadata))
        .route(&format!("{base}{WALLET_PATH}"), post(wallets))
        .route(&format!("{base}{KEY_PATH}"), post(keys))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, PATIENCE))
        .layer(CatchPanicLayer::new())
        .layer(SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .layer(SetResponseHeaderLayer::overriding(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .with_state(attester)
}

async fn metadata(State(attester): State<Arc<Attester>>) -> Response {
    answer(StatusCode::OK, &attester.config().metadata())
}

async fn wallets(State(attester): State<Arc<Attester>>, headers: HeaderMap, body: Bytes) -> Response {
    respond(attester, headers, body, |attester, request: WalletAttestationRequest| {
        let attestations = attester.wallets(&request.keys, now())?;
        Ok(WalletAttestationResponse { attestations })
    })
    .await
}

async fn keys(State(attester): State<Arc<Attester>>, headers: HeaderMap, body: Bytes) -> Response {
    respond(attester, headers, body, |attester, request: KeyAttestationRequest| {
        let attestation = attester.keys(&request.proofs, &request.nonce, now())?;
        Ok(KeyAttestationResponse { attestation })
    })
    .await
}

/// Lets in who has the code, reads, and answers; signing is done off the async threads.
async fn respond<Q, A>(
    attester: Arc<Attester>,
    headers: HeaderMap,
    body: Bytes,
    attest: fn(&Attester, Q) -> Result<A, AttestError>,
) -> Response
where
    Q: DeserializeOwned + 'static,
    A: Serialize + Send + 'static,
{
    let work = move || {
        let code = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let code = code.and_then(|text| text.split_once(' '));
        let code = code.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, code)| code.trim());
        if let Err(error) = attester.admit(code) {
            let mut response = refusal(StatusCode::UNAUTHORIZED, "invalid_token", &error);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            return response;
        }
        let request = json::parse_object(&body, &Limits::TOKEN).ok();
        let Some(request) = request.and_then(|members| serde_json::from_value(members.into()).ok()) else {
            return answer(StatusCode::BAD_REQUEST, &problem("invalid_request", "the body is not what is asked for"));
        };
        match attest(&attester, request) {
            Ok(attested) => answer(StatusCode::OK, &attested),
            Err(error @ AttestError::Sign(_)) => {
                tracing::error!(%error, "nothing could be signed");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
            Err(error) => refusal(StatusCode::BAD_REQUEST, "invalid_request", &error),
        }
    };
    let response = tokio::task::spawn_blocking(work).await;
    let response = response.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response());
    tracing::info!(status = response.status().as_u16(), "request");
    response
}

fn refusal(status: StatusCode, code: &str, error: &AttestError) -> Response {
    answer(status, &problem(code, &error.to_string()))
}

fn problem(code: &str, text: &str) -> ErrorResponse {
    ErrorResponse { error: code.to_owned(), error_description: Some(text.to_owned()) }
}

fn answer<T: Serialize>(status: StatusCode, value: &T) -> Response {
    let body = serde_json::to_vec(value).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}

/// The machine's clock.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Timestamp::from_unix(i64::try_from(since).unwrap_or(i64::MAX))
}
