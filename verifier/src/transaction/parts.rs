//! A transaction taken apart, for whoever stores it.

use super::{Inquiry, Secret, Transaction};
use crate::guarded::RecordId;
use credentials::consent::ProposedConsent;
use schemas::Timestamp;

/// All of a [`Transaction`], to be stored and put together again. Keep it as secret as the answer it waits for.
#[derive(Debug, Clone)]
pub struct TransactionParts {
    /// The identifier, for the desk only.
    pub id: RecordId,
    /// The last segment of the `request_uri`.
    pub request_handle: Secret,
    /// The last segment of the `response_uri`.
    pub response_handle: Secret,
    /// The nonce.
    pub nonce: Secret,
    /// The `state`.
    pub state: Secret,
    /// The full client identifier used.
    pub client_id: String,
    /// What was asked.
    pub inquiry: Inquiry,
    /// What was proposed.
    pub proposal: Option<ProposedConsent>,
    /// When it was made.
    pub made_at: Timestamp,
    /// Until when it can be answered.
    pub expires_at: Timestamp,
}

impl From<Transaction> for TransactionParts {
    fn from(transaction: Transaction) -> Self {
        let Transaction {
            id,
            request_handle,
            response_handle,
            nonce,
            state,
            client_id,
            inquiry,
            proposal,
            made_at,
            expires_at,
        } = transaction;
        Self { id, request_handle, response_handle, nonce, state, client_id, inquiry, proposal, made_at, expires_at }
    }
}

impl From<TransactionParts> for Transaction {
    fn from(parts: TransactionParts) -> Self {
        let TransactionParts {
            id,
            request_handle,
            response_handle,
            nonce,
            state,
            client_id,
            inquiry,
            proposal,
            made_at,
            expires_at,
        } = parts;
        Self { id, request_handle, response_handle, nonce, state, client_id, inquiry, proposal, made_at, expires_at }
    }
}
