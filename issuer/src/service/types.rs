//! Type metadata and issuer metadata for SD-JWT VCs: for whoever has neither our types nor our trust anchor.

use super::{Service, answer, blocking};
use crate::problem::Problem;
use crate::published_types;
use axum::extract::{OriginalUri, Query, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

/// Which type is asked for.
#[derive(Deserialize)]
pub(super) struct Asked {
    vct: String,
}

/// `GET /types/…`: the document of the type whose `vct` is this very URL.
///
/// # Source
/// SD-JWT VC §5.3.1 "From a URL in the `vct` Claim".
pub(super) async fn at_its_url(State(service): State<Service>, uri: OriginalUri) -> Result<Response, Problem> {
    let url = &service.issuer.config().url;
    let below = uri.path().strip_prefix(url.path()).ok_or(Problem::NotFound)?;
    one(&service, url.join(below)).await
}

/// `GET /types?vct=…`: the document of a type whose name is no URL.
///
/// # Source
/// SD-JWT VC §5.3.2 "From a Registry".
pub(super) async fn by_name(
    State(service): State<Service>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let Query(Asked { vct }) = asked.map_err(|_| Problem::NotFound)?;
    one(&service, vct).await
}

async fn one(service: &Service, vct: String) -> Result<Response, Problem> {
    let document = blocking(service, move |issuer| issuer.types().find(&vct)).await?.ok_or(Problem::NotFound)?;
    let mut response = ([(header::CONTENT_TYPE, JSON)], document).into_response();
    public(&mut response, FOR_LONG);
    Ok(response)
}

/// `GET /.well-known/jwt-vc-issuer`.
///
/// # Source
/// SD-JWT VC §4.
pub(super) async fn issuer(State(service): State<Service>) -> Result<Response, Problem> {
    let metadata = blocking(&service, |issuer| issuer.key_metadata()).await?;
    let mut response = answer::json(&metadata);
    public(&mut response, FOR_A_WHILE);
    Ok(response)
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// A document never changes: see [`published_types::PublishedTypes::publish`].
const FOR_LONG: &str = "public, max-age=86400, immutable";
/// A new key must be seen soon after it signs.
const FOR_A_WHILE: &str = "public, max-age=3600";

/// # Source
/// SD-JWT VC §3, §7.2: how long it is fresh, and that nothing in it runs where a browser opens it.
fn public(response: &mut Response, caching: &'static str) {
    let headers: [(HeaderName, &'static str); 3] = [
        (header::CACHE_CONTROL, caching),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
}

/// Where types stand, as routes.
pub(super) fn paths(base: &str) -> [String; 2] {
    [format!("{base}{}", published_types::PATH), format!("{base}{}/{{*rest}}", published_types::PATH)]
}
