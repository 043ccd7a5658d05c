//! Offers to which a link refers.

use super::{Service, answer, blocking};
use crate::problem::Problem;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use url::form_urlencoded;

/// `GET /credential-offer?name=…`: while it waits, whoever has the name may fetch it.
///
/// # Source
/// OpenID4VCI 1.0 §4.1.3.
pub(super) async fn fetch(State(service): State<Service>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    let mut names = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "name");
    let (Some((_, name)), None) = (names.next(), names.next()) else { return Err(Problem::NotFound) };
    let name = name.into_owned();
    let offer = blocking(&service, move |issuer| issuer.offer_named(&name)).await??;
    Ok(answer::json(&offer))
}
