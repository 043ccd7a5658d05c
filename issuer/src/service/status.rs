//! The status lists, the same for everyone who asks.

use super::{Service, answer, blocking};
use crate::problem::Problem;
use crate::status::ListId;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use url::form_urlencoded;

/// The media type of a Status List Token.
pub const MEDIA_TYPE: &str = "application/statuslist+jwt";

/// The media type of a Status List Token in CWT format.
pub(super) const CWT_MEDIA_TYPE: &str = "application/statuslist+cwt";

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
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let asks_for_history = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).any(|(name, _)| name == "time");
    if asks_for_history {
        return Err(Problem::NoHistory);
    }
    let list = ListId::parse(&list).ok_or(Problem::NotFound)?;
    let (media_type, token) = if prefers_cwt(&asked) {
        (CWT_MEDIA_TYPE, blocking(&service, move |issuer| issuer.status_list_cwt(list)).await??)
    } else {
        let token = blocking(&service, move |issuer| issuer.status_list(list)).await??;
        (MEDIA_TYPE, token.map(String::into_bytes))
    };
    let token = token.ok_or(Problem::NotFound)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::VARY, HeaderValue::from_static("accept")),
        (header::CACHE_CONTROL, HeaderValue::from_static(CACHE)),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    ];
    Ok((headers, token).into_response())
}

/// Whether a CWT is asked for, and not a JWT rather: whoever says nothing gets a JWT.
///
/// # Source
/// Token Status List §8.1; RFC 9110 §12.5.1.
fn prefers_cwt(headers: &HeaderMap) -> bool {
    let (mut cwt, mut jwt) = (0.0f32, None);
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    for range in accepted.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let quality = quality.map_or(1.0, |quality| quality.trim().parse().unwrap_or(0.0));
        if kind.eq_ignore_ascii_case(CWT_MEDIA_TYPE) {
            cwt = quality;
        } else if kind.eq_ignore_ascii_case(MEDIA_TYPE) {
            jwt = Some(quality);
        }
    }
    cwt > jwt.unwrap_or(0.0)
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
