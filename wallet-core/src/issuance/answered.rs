//! What an issuer answers a request for a nonce or a credential with.

use super::access::MAX_NONCE;
use super::error::{Answer, IssuanceError};
use crate::effect::Response;
use crate::wire;
use schemas::Seconds;
use schemas::openid4vci::{CredentialResponse, NonceResponse};
use serde_json::Value;
use zeroize::Zeroizing;

/// # Source
/// OpenID4VCI 1.0 §7.2: any 2xx.
pub(super) fn read_nonce(response: &Response) -> Result<String, IssuanceError> {
    if !(200..300).contains(&response.status) {
        return Err(refused(Answer::Nonce, response));
    }
    let malformed = |wire::Malformed| IssuanceError::Malformed(Answer::Nonce);
    let NonceResponse { c_nonce } =
        wire::shaped(wire::object(&response.body).map_err(malformed)?).map_err(malformed)?;
    if (1..=MAX_NONCE).contains(&c_nonce.len()) { Ok(c_nonce) } else { Err(IssuanceError::Malformed(Answer::Nonce)) }
}

/// What a credential request was answered with.
pub(super) enum Answered {
    /// Copies, and the name under which the issuer wants to hear of them.
    Copies { texts: Vec<Zeroizing<String>>, notification_id: Option<String> },
    /// A promise.
    Later { transaction_id: Zeroizing<String>, interval: Seconds },
}

/// # Source
/// OpenID4VCI 1.0 §8.3, §9.2: copies with 200, or a transaction with 202, never both.
pub(super) fn read_answer(response: &Response, which: Answer, keys: usize) -> Result<Answered, IssuanceError> {
    if !matches!(response.status, 200 | 202) {
        return Err(refused(which, response));
    }
    let malformed = |wire::Malformed| IssuanceError::Malformed(which);
    let answer: CredentialResponse =
        wire::shaped(wire::object(&response.body).map_err(malformed)?).map_err(malformed)?;
    match (response.status, answer.transaction_id, answer.credentials) {
        (202, Some(id), None) if (1..=MAX_TRANSACTION).contains(&id.len()) => {
            // An issuer that gives no interval, or none at all, is asked with patience.
            let interval = answer.interval.unwrap_or(Seconds::MINUTE).max(Seconds::new(1));
            Ok(Answered::Later { transaction_id: Zeroizing::new(id), interval })
        }
        (200, None, copies) => {
            let copies = copies.unwrap_or_default();
            if copies.is_empty() || copies.len() > keys {
                return Err(IssuanceError::CopyCount { got: copies.len(), keys });
            }
            let text = |copy: Value| match copy {
                Value::String(text) => Ok(Zeroizing::new(text)),
                _ => Err(IssuanceError::Malformed(which)),
            };
            let texts = copies.into_iter().map(|copy| text(copy.credential)).collect::<Result<_, _>>()?;
            Ok(Answered::Copies { texts, notification_id: answer.notification_id })
        }
        _ => Err(IssuanceError::Malformed(which)),
    }
}

/// An answer that is no success.
pub(super) fn refused(answer: Answer, response: &Response) -> IssuanceError {
    let status = response.status;
    match wire::error_code(&response.body) {
        code @ Some(_) if (400..500).contains(&status) => IssuanceError::Refused { answer, code },
        _ if matches!(status, 401 | 403) => IssuanceError::Refused { answer, code: None },
        _ => IssuanceError::Status { answer, status },
    }
}

const MAX_TRANSACTION: usize = 1_024;
