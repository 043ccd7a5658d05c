//! The nonce endpoint and the credential endpoint.

use super::token::{is_type, single};
use super::{Service, answer, blocking};
use crate::desk::{Authorization, CredentialCall, CredentialError, Issued, Issuer, NotificationError, Reply};
use crate::problem::{Problem, with_nonce};
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use credentials::jwe::{MAX_BATCH, Recipient};
use getrandom::SysRng;
use rand_core::UnwrapErr;
use schemas::openid4vci::{CredentialResponse, IssuedCredential, NonceResponse};
use serde_json::Value;
use zeroize::Zeroizing;

/// `POST /nonce`. Not cacheable, as every answer of this service without a word to the contrary.
///
/// # Source
/// OpenID4VCI 1.0 §7, §7.2: with a nonce for the DPoP proof as well, which spares the wallet a refusal.
pub(super) async fn nonce(State(service): State<Service>) -> Response {
    let answer = answer::json(&NonceResponse { c_nonce: service.issuer.nonce() });
    with_nonce(answer, &service.issuer.dpop_nonce())
}

/// `POST /credential`.
///
/// # Source
/// OpenID4VCI 1.0 §8; RFC 6750 §2.1: the token is taken from the header, never from the query or the body.
pub(super) async fn issue(
    State(service): State<Service>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    respond(service, headers, body, Issuer::issue).await
}

/// `POST /deferred_credential`.
///
/// # Source
/// OpenID4VCI 1.0 §9.
pub(super) async fn deferred(
    State(service): State<Service>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    respond(service, headers, body, Issuer::deferred).await
}

/// `POST /notification`.
///
/// # Source
/// OpenID4VCI 1.0 §11.
pub(super) async fn notify(
    State(service): State<Service>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(|rejection| Problem::body(&rejection))?;
    blocking(&service, move |issuer| {
        let authorization = authorization(&headers)?;
        let dpop = single(&headers, "dpop").map_err(|()| CredentialError::InvalidDpop)?;
        if !is_type(&headers, "application/json") {
            return Err(NotificationError::Malformed);
        }
        issuer.notified(&CredentialCall { authorization, dpop, body: &body, encrypted: false })
    })
    .await??;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What both have in common: the headers, and the answer now or later.
async fn respond(
    service: Service,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
    ask: fn(&Issuer, &CredentialCall<'_>) -> Result<Reply, CredentialError>,
) -> Result<Response, Problem> {
    let body = body.map_err(|rejection| Problem::body(&rejection))?;
    blocking(&service, move |issuer| {
        let authorization = authorization(&headers)?;
        let dpop = single(&headers, "dpop").map_err(|()| CredentialError::InvalidDpop)?;
        let encrypted = is_type(&headers, "application/jwt");
        if !encrypted && !is_type(&headers, "application/json") {
            return Err(CredentialError::InvalidRequest("the body must be application/json or application/jwt").into());
        }
        let Reply { issued, to } = ask(issuer, &CredentialCall { authorization, dpop, body: &body, encrypted })?;
        let (status, response) = response(issued);
        match to {
            Some(to) => encrypted_answer(status, &response, &to),
            None => Ok(answer::with_status(status, &response)),
        }
    })
    .await?
}

/// An answer for one reader, whatever it says.
///
/// # Source
/// OpenID4VCI 1.0 §8.3, §10.
fn encrypted_answer(status: StatusCode, response: &CredentialResponse, to: &Recipient) -> Result<Response, Problem> {
    let plaintext = Zeroizing::new(serde_json::to_vec(response).unwrap_or_default());
    let jwe = to.encrypt_at_most(&plaintext, MAX_BATCH, &mut UnwrapErr(SysRng)).map_err(|error| {
        tracing::error!(%error, "an answer could not be encrypted");
        Problem::Internal
    })?;
    Ok((status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/jwt"))], jwe).into_response())
}

fn response(issued: Issued) -> (StatusCode, CredentialResponse) {
    let mut response =
        CredentialResponse { credentials: None, transaction_id: None, interval: None, notification_id: None };
    let status = match issued {
        Issued::Copies { copies, notification_id } => {
            response.notification_id = Some(notification_id.as_str().to_owned());
            let copies = copies.into_iter().map(|c| IssuedCredential { credential: Value::String(c) });
            response.credentials = Some(copies.collect());
            StatusCode::OK
        }
        Issued::Later { transaction_id, interval } => {
            response.transaction_id = Some(transaction_id.as_str().to_owned());
            response.interval = Some(interval);
            StatusCode::ACCEPTED
        }
    };
    (status, response)
}

fn authorization(headers: &HeaderMap) -> Result<Option<Authorization<'_>>, CredentialError> {
    let Some(text) = single(headers, "authorization").map_err(|()| CredentialError::InvalidToken)? else {
        return Ok(None);
    };
    let (scheme, token) = text.split_once(' ').ok_or(CredentialError::InvalidToken)?;
    let token = token.trim();
    // Schemes are compared without regard to case (RFC 9110 §11.1); OpenID4VCI's own examples write `BEARER`.
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(Some(Authorization::Bearer(token)))
    } else if scheme.eq_ignore_ascii_case("dpop") {
        Ok(Some(Authorization::Dpop(token)))
    } else {
        Ok(None)
    }
}
