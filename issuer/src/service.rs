//! The service: the issuer over HTTP. Thin: each handler reads, asks the [desk](crate::desk), and answers.

mod answer;
mod authorize;
mod client;
mod credential;
mod offer;
mod peers;
mod status;
mod token;
mod trust_list;
mod types;
mod well_known;

pub use bounded_http::{Bounds, serve};
pub use peers::Limits;
pub use status::MEDIA_TYPE as STATUS_LIST_MEDIA_TYPE;

use crate::desk::Issuer;
use crate::metadata::{
    AUTHORIZE_PATH, CHALLENGE_PATH, CREDENTIAL_PATH, DEFERRED_PATH, NONCE_PATH, NOTIFICATION_PATH, OFFER_PATH,
    PUSH_PATH, STATUS_LISTS_PATH, TOKEN_PATH, TRUST_LIST_PATH,
};
use crate::problem::Problem;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use peers::Peers;
use std::sync::Arc;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;

/// The most bytes of a request's body: 30 key proofs with room to spare.
pub const MAX_BODY: usize = 256 * 1024;
/// How long a request may take, its body included.
pub const REQUEST_TIME: Duration = Duration::from_secs(30);

/// What the handlers share.
#[derive(Clone)]
struct Service {
    issuer: Arc<Issuer>,
    peers: Arc<Peers>,
}

/// The issuer's HTTP interface, with the usual limits.
pub fn router(issuer: Arc<Issuer>) -> Router {
    router_with(issuer, Limits::default())
}

/// The issuer's HTTP interface, with other limits.
///
/// Below the issuer's path stand the endpoints; the well-known documents stand where RFC 8414 and OpenID4VCI insert them,
/// and for older wallets also below the path.
pub fn router_with(issuer: Arc<Issuer>, limits: Limits) -> Router {
    let url = issuer.config().url.clone();
    let base = url.path();
    let service = Service { peers: Arc::new(Peers::new(limits)), issuer };

    let mut router = Router::new()
        .route(&format!("{base}{TOKEN_PATH}"), post(token::redeem))
        .route(&format!("{base}{PUSH_PATH}"), post(authorize::push))
        .route(&format!("{base}{CHALLENGE_PATH}"), post(client::challenge))
        .route(&format!("{base}{AUTHORIZE_PATH}"), get(authorize::ask).post(authorize::decide))
        .route(&format!("{base}{OFFER_PATH}"), get(offer::fetch))
        .route(&format!("{base}{NONCE_PATH}"), post(credential::nonce))
        .route(&format!("{base}{CREDENTIAL_PATH}"), post(credential::issue))
        .route(&format!("{base}{DEFERRED_PATH}"), post(credential::deferred))
        .route(&format!("{base}{NOTIFICATION_PATH}"), post(credential::notify))
        .route(&format!("{base}{STATUS_LISTS_PATH}"), get(status::all))
        .route(&format!("{base}{STATUS_LISTS_PATH}/{{list}}"), get(status::one))
        .route(&format!("{base}{TRUST_LIST_PATH}"), get(trust_list::give))
        .route(&url.well_known_path(ISSUER_DOCUMENT), get(well_known::issuer))
        .route(&url.well_known_path(SERVER_DOCUMENT), get(well_known::authorization_server));
    if !base.is_empty() {
        router = router
            .route(&format!("{base}/.well-known/{ISSUER_DOCUMENT}"), get(well_known::issuer))
            .route(&format!("{base}/.well-known/{SERVER_DOCUMENT}"), get(well_known::authorization_server));
    }
    let [by_name, at_its_url] = types::paths(base);
    router = router.route(&by_name, get(types::by_name)).route(&at_its_url, get(types::at_its_url));
    if service.issuer.publishes_keys() {
        // Not below the path as well: it is found in one place (SD-JWT VC §4).
        router = router.route(&url.well_known_path(KEYS_DOCUMENT), get(types::issuer));
    }
    router
        .fallback(async || Problem::NotFound)
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(service.clone(), guard))
        .layer(SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .layer(SetResponseHeaderLayer::overriding(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .layer(CatchPanicLayer::custom(|_| Problem::Internal.into_response()))
        .with_state(service)
}

const ISSUER_DOCUMENT: &str = "openid-credential-issuer";
const KEYS_DOCUMENT: &str = "jwt-vc-issuer";
const SERVER_DOCUMENT: &str = "oauth-authorization-server";

/// Bounds each request: how many of one peer, and how long. Logs method, route and status; never who, and never a query or
/// a body, in which secrets travel.
async fn guard(State(service): State<Service>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = if let Err(wait) = service.peers.admit(&request) {
        Problem::TooManyRequests { wait }.into_response()
    } else if announces_too_much(&request) {
        Problem::TooLarge.into_response()
    } else {
        match tokio::time::timeout(REQUEST_TIME, next.run(request)).await {
            Ok(response) => response,
            Err(_) => Problem::RequestTimeout.into_response(),
        }
    };
    let status = response.status();
    if status.is_server_error() {
        tracing::error!(%method, path, status = status.as_u16(), "request failed");
    } else if status == StatusCode::TOO_MANY_REQUESTS {
        tracing::warn!(%method, path, status = status.as_u16(), "request refused");
    } else {
        tracing::info!(%method, path, status = status.as_u16(), "request");
    }
    response
}

/// Whether the head announces a larger body than any that is read: then none of it is waited for. A body in pieces, which
/// announces nothing, is cut off by [`DefaultBodyLimit`].
fn announces_too_much(request: &Request) -> bool {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok());
    length.is_some_and(|text| text.parse::<usize>().map_or(true, |length| length > MAX_BODY))
}

/// Runs blocking work of the desk off the async threads.
async fn blocking<T: Send + 'static>(
    service: &Service,
    work: impl FnOnce(&Issuer) -> T + Send + 'static,
) -> Result<T, Problem> {
    let issuer = Arc::clone(&service.issuer);
    tokio::task::spawn_blocking(move || work(&issuer)).await.map_err(|error| {
        tracing::error!(%error, "a request's work ended without an answer");
        Problem::Internal
    })
}
