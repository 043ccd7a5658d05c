//! The status lists, the same for everyone who asks.

use super::{Service, answer, blocking};
use crate::problem::Problem;
use crate::status::ListId;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use url::form_urlencoded;

/// The media type of a Status List Token.
pub const MEDIA_TYPE: &str = "application/statuslist+jwt";

/// How long a cache in between may keep a list: a revocation that a desk urges shows everywhere within five minutes
/// (`security.md` §10). What a verifier may rely on, the token's own `ttl` and `exp` say.
const CACHE: &str = "public, max-age=300";

/// `GET /status/{list}`.
///
/// # Source
/// Token Status List §8.1, §8.2; §8.4: no history, 501.
pub(super) async fn one(
    State(service): State<Service>,
    Path(list): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let asks_for_history = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).any(|(name, _)| name == "time");
    if asks_for_history {
        return Err(Problem::NoHistory);
    }
    let list = ListId::parse(&list).ok_or(Problem::NotFound)?;
    let token = blocking(&service, move |issuer| issuer.status_list(list)).await??.ok_or(Problem::NotFound)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE)),
        (header::CACHE_CONTROL, HeaderValue::from_static(CACHE)),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    ];
    Ok((headers, token).into_response())
}

/// `GET /status`: the URIs of all lists.
///
/// # Source
/// Token Status List §9 "Status List Aggregation".
pub(super) async fn all(State(service): State<Service>) -> Result<Response, Problem> {
    let uris = blocking(&service, |issuer| issuer.status_list_uris()).await??;
    let mut response = answer::json(&json!({"status_lists": uris}));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE));
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Ok(response)
}
