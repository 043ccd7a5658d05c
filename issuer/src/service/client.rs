//! Who asks: the headers in which a wallet shows what its provider says of it, and the endpoint for challenges.

use super::token::single;
use super::{Service, answer};
use crate::desk::{ClientCall, RedeemError};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use credentials::wallet_attestation::{HEADER, POP_HEADER};
use schemas::openid4vci::ChallengeResponse;

/// `POST /challenge`. Not cacheable, as every answer of this service without a word to the contrary.
///
/// # Source
/// draft-ietf-oauth-attestation-based-client-auth-07 §8.
pub(super) async fn challenge(State(service): State<Service>) -> Response {
    answer::json(&ChallengeResponse { attestation_challenge: service.issuer.attestation_challenge() })
}

/// What a wallet shows of its provider: each header once at most.
///
/// # Source
/// draft-ietf-oauth-attestation-based-client-auth-07 §6.2 rules 1 and 2.
pub(super) fn shown(headers: &HeaderMap) -> Result<ClientCall<'_>, RedeemError> {
    let one =
        |name| single(headers, name).map_err(|()| RedeemError::InvalidClient("an attestation header stands twice"));
    Ok(ClientCall { attestation: one(HEADER)?, pop: one(POP_HEADER)? })
}
