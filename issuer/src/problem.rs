//! How each error looks over HTTP: one status and one code for each, in one place.
//!
//! The matches are exhaustive: a new variant does not compile until it has its answer.

use crate::desk::{AuthorizeError, CredentialError, NotificationError, RedeemError};
use crate::store::{RevokeError, StoreError};
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use credentials::wallet_attestation::CHALLENGE_HEADER;
use schemas::openid4vci::ErrorResponse;
use serde_json::json;
use std::borrow::Cow;
use std::time::Duration;

/// An answer that is no success.
#[derive(Debug)]
pub enum Problem {
    /// No such resource.
    NotFound,
    /// Not with this method.
    MethodNotAllowed,
    /// Too many requests of this peer, or too many wrong codes.
    TooManyRequests {
        /// How long to wait.
        wait: Duration,
    },
    /// The request took too long to arrive.
    RequestTimeout,
    /// The body is too large.
    TooLarge,
    /// The body broke off.
    BrokenBody,
    /// A status list of the past was asked for.
    NoHistory,
    /// The token endpoint refused.
    Token(RedeemError),
    /// The notification endpoint refused.
    Notification(&'static str),
    /// The credential endpoint refused.
    Credential(CredentialError),
    /// The store is busy: try again.
    Busy,
    /// Our fault.
    Internal,
}

impl Problem {
    /// The problem of a body that could not be read.
    pub(crate) fn body(rejection: &BytesRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE { Self::TooLarge } else { Self::BrokenBody }
    }
}

impl From<RedeemError> for Problem {
    fn from(error: RedeemError) -> Self {
        match error {
            RedeemError::Store(error) => error.into(),
            other => Self::Token(other),
        }
    }
}

impl From<CredentialError> for Problem {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::Store(error) => error.into(),
            other => Self::Credential(other),
        }
    }
}

impl From<NotificationError> for Problem {
    fn from(error: NotificationError) -> Self {
        match error {
            NotificationError::Access(error) => error.into(),
            NotificationError::Malformed => Self::Notification("invalid_notification_request"),
            NotificationError::UnknownId => Self::Notification("invalid_notification_id"),
            NotificationError::Store(error) => error.into(),
        }
    }
}

impl From<AuthorizeError> for Problem {
    fn from(error: AuthorizeError) -> Self {
        match error {
            AuthorizeError::Store(error) => error.into(),
            AuthorizeError::Unknown => Self::NotFound,
            error @ AuthorizeError::Seal(_) => internal(&error),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::Busy,
            error
            @ (StoreError::Full | StoreError::Version { .. } | StoreError::Damaged(_) | StoreError::Failed(_)) => {
                internal(&error)
            }
        }
    }
}

impl From<RevokeError> for Problem {
    fn from(error: RevokeError) -> Self {
        match error {
            RevokeError::Store(error) => error.into(),
            error @ (RevokeError::Seal(_) | RevokeError::Sign(_)) => internal(&error),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound => document(StatusCode::NOT_FOUND, "Not found"),
            Self::MethodNotAllowed => document(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"),
            Self::TooManyRequests { wait } => {
                let mut response = document(StatusCode::TOO_MANY_REQUESTS, "Too many requests");
                let seconds = wait.as_secs().max(1);
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
                response
            }
            Self::RequestTimeout => document(StatusCode::REQUEST_TIMEOUT, "The request took too long"),
            Self::TooLarge => document(StatusCode::PAYLOAD_TOO_LARGE, "The request is too large"),
            Self::BrokenBody => document(StatusCode::BAD_REQUEST, "The request broke off"),
            Self::NoHistory => document(StatusCode::NOT_IMPLEMENTED, "Status lists of the past are not kept"),
            Self::Token(error) => token(&error),
            // OpenID4VCI 1.0 §11.3.
            Self::Notification(code) => oauth(StatusCode::BAD_REQUEST, code, None),
            Self::Credential(error) => credential(&error),
            Self::Busy => {
                let mut response = document(StatusCode::SERVICE_UNAVAILABLE, "Busy, try again");
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
                response
            }
            Self::Internal => document(StatusCode::INTERNAL_SERVER_ERROR, "Internal error"),
        }
    }
}

/// OpenID4VCI 1.0 §6.3; RFC 6749 §4.1.2.1, §5.2; RFC 9449 §5, §8; RFC 9396 §5;
/// draft-ietf-oauth-attestation-based-client-auth-07 §6.2.
fn token(error: &RedeemError) -> Response {
    let described = |code, text: Cow<'static, str>| oauth(StatusCode::BAD_REQUEST, code, Some(text));
    match error {
        RedeemError::InvalidRequest(what) => described("invalid_request", (*what).into()),
        RedeemError::UnsupportedResponseType => oauth(StatusCode::BAD_REQUEST, "unsupported_response_type", None),
        RedeemError::InvalidScope => oauth(StatusCode::BAD_REQUEST, "invalid_scope", None),
        RedeemError::UseDpopNonce { nonce } => {
            with_nonce(oauth(StatusCode::BAD_REQUEST, "use_dpop_nonce", None), nonce)
        }
        RedeemError::InvalidClient(what) => described("invalid_client", (*what).into()),
        RedeemError::UseAttestationChallenge { challenge } => {
            let refused = oauth(StatusCode::BAD_REQUEST, "use_attestation_challenge", None);
            with_header(refused, CHALLENGE_HEADER, challenge)
        }
        RedeemError::UnsupportedGrantType => oauth(StatusCode::BAD_REQUEST, "unsupported_grant_type", None),
        RedeemError::InvalidAuthorizationDetails => {
            oauth(StatusCode::BAD_REQUEST, "invalid_authorization_details", None)
        }
        RedeemError::InvalidGrant => described(
            "invalid_grant",
            "the code is unknown, used, expired or blocked; ask the desk for a new offer".into(),
        ),
        // Only whoever has the 256-bit code hears that it was the other code (§13.6.3).
        RedeemError::WrongTxCode { left: 0 } => described(
            "invalid_grant",
            "wrong transaction code; the offer is blocked, ask the desk for a new one".into(),
        ),
        RedeemError::WrongTxCode { left } => {
            described("invalid_grant", format!("wrong transaction code; tries left: {left}").into())
        }
        RedeemError::InvalidDpop(_) => oauth(StatusCode::BAD_REQUEST, "invalid_dpop_proof", None),
        RedeemError::Seal(_) | RedeemError::Store(_) => internal(error).into_response(),
    }
}

/// OpenID4VCI 1.0 §8.3.1; RFC 6750 §3; RFC 9449 §7.1, §9.
fn credential(error: &CredentialError) -> Response {
    let refused = |code, text: Option<&'static str>| oauth(StatusCode::BAD_REQUEST, code, text.map(Cow::from));
    match error {
        CredentialError::NoToken => {
            let mut response = StatusCode::UNAUTHORIZED.into_response();
            challenge(&mut response, "Bearer");
            challenge(&mut response, "DPoP algs=\"ES256\"");
            response
        }
        CredentialError::InvalidToken => {
            let mut response = oauth(StatusCode::UNAUTHORIZED, "invalid_token", None);
            challenge(&mut response, "Bearer error=\"invalid_token\"");
            challenge(&mut response, "DPoP error=\"invalid_token\", algs=\"ES256\"");
            response
        }
        CredentialError::InvalidDpop => {
            let mut response = oauth(StatusCode::UNAUTHORIZED, "invalid_dpop_proof", None);
            challenge(&mut response, "DPoP error=\"invalid_dpop_proof\", algs=\"ES256\"");
            response
        }
        CredentialError::UseDpopNonce { nonce } => {
            let mut response = oauth(StatusCode::UNAUTHORIZED, "use_dpop_nonce", None);
            challenge(&mut response, "DPoP error=\"use_dpop_nonce\", algs=\"ES256\"");
            with_nonce(response, nonce)
        }
        CredentialError::InsufficientScope => {
            let mut response = oauth(StatusCode::FORBIDDEN, "insufficient_scope", None);
            challenge(&mut response, "Bearer error=\"insufficient_scope\"");
            response
        }
        CredentialError::InvalidRequest(what) => refused("invalid_credential_request", Some(*what)),
        CredentialError::UnknownConfiguration => refused("unknown_credential_configuration", None),
        CredentialError::UnknownIdentifier => refused("unknown_credential_identifier", None),
        CredentialError::InvalidProof(what) => refused("invalid_proof", Some(*what)),
        CredentialError::InvalidTransaction => refused("invalid_transaction_id", None),
        CredentialError::InvalidNonce => refused("invalid_nonce", None),
        CredentialError::InvalidEncryption(what) => refused("invalid_encryption_parameters", Some(*what)),
        CredentialError::Denied(what) => refused("credential_request_denied", Some(*what)),
        CredentialError::Seal(_)
        | CredentialError::Claims(_)
        | CredentialError::Issue(_)
        | CredentialError::Store(_) => internal(error).into_response(),
    }
}

/// RFC 9449 §8.1.
pub(crate) fn with_nonce(response: Response, nonce: &str) -> Response {
    with_header(response, "dpop-nonce", nonce)
}

fn with_header(mut response: Response, name: &'static str, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// An OAuth error: `error_description` holds no quotation mark and no backslash (RFC 6749 §5.2).
fn oauth(status: StatusCode, code: &'static str, description: Option<Cow<'static, str>>) -> Response {
    let body = ErrorResponse { error: code.to_owned(), error_description: description.map(Cow::into_owned) };
    (status, [(header::CONTENT_TYPE, "application/json")], serde_json::to_string(&body).unwrap_or_default())
        .into_response()
}

/// A problem document (RFC 9457).
fn document(status: StatusCode, title: &'static str) -> Response {
    let body = json!({"type": "about:blank", "title": title, "status": status.as_u16()});
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}

fn challenge(response: &mut Response, value: &'static str) {
    response.headers_mut().append(header::WWW_AUTHENTICATE, HeaderValue::from_static(value));
}

/// Says to the log what happened, and to the peer only that it did.
fn internal(error: &dyn std::error::Error) -> Problem {
    let cause = std::iter::successors(error.source(), |e| e.source()).map(|e| e.to_string()).collect::<Vec<_>>();
    tracing::error!(%error, ?cause, "internal error");
    Problem::Internal
}
