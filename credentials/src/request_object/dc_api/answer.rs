//! Answers as they come back to a verifier.

use crate::json;
use crate::json::Limits;
use crate::jwe::{ContentEncryption, DecryptionKey, JweError};
use schemas::openid4vp::AuthorizationResponse;
use serde_json::{Map, Value, json};
use std::fmt;

/// The `data` of an answer that says no; `code` tells nothing of what the wallet holds.
///
/// # Source
/// OpenID4VP 1.0 §8.5, §15.9, Appendix A.4.
pub fn refusal(code: &str) -> Value {
    json!({ "error": code })
}

/// What came back to a verifier.
#[derive(Clone, PartialEq, Eq)]
pub enum DcApiAnswer {
    /// Presentations, unchecked.
    Presented(AuthorizationResponse),
    /// An error code, which is text of a stranger.
    Refused(String),
}

impl fmt::Debug for DcApiAnswer {
    /// No presentation: claims stand in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Presented(_) => "DcApiAnswer::Presented",
            Self::Refused(_) => "DcApiAnswer::Refused",
        })
    }
}

/// Why an answer cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// Neither presentations nor an error, or both.
    #[error("the answer of the platform is not in the form of OpenID4VP")]
    Form,
    /// Encrypted where nothing was to be, or the other way round.
    #[error("the answer is not encrypted as it was asked for")]
    Encryption,
    /// Not decrypted.
    #[error("the answer does not decrypt")]
    Jwe(#[source] JweError),
}

impl DcApiAnswer {
    /// Reads the `data` of an answer; `key` is that of a request for an encrypted one.
    ///
    /// # Errors
    /// [`AnswerError`].
    ///
    /// # Source
    /// OpenID4VP 1.0 §8.3, §8.5, Appendix A.4.
    pub fn read(data: &Value, key: Option<&DecryptionKey>) -> Result<Self, AnswerError> {
        let members = data.as_object().ok_or(AnswerError::Form)?;
        let token = |members: &Map<String, Value>| match (members.len(), members.get("vp_token")) {
            (1, Some(_)) => serde_json::from_value(Value::Object(members.clone())).map_err(|_| AnswerError::Form),
            _ => Err(AnswerError::Form),
        };
        match (members.get("error"), members.get("response"), key) {
            (Some(Value::String(code)), None, _) if members.len() == 1 => Ok(Self::Refused(code.clone())),
            (None, Some(Value::String(jwe)), Some(key)) if members.len() == 1 => {
                let plain = key.decrypt(jwe, &ContentEncryption::ALL).map_err(AnswerError::Jwe)?;
                let members = json::parse_object(&plain, &Limits::TOKEN).map_err(|_| AnswerError::Form)?;
                token(&members).map(Self::Presented)
            }
            (None, Some(_), None) => Err(AnswerError::Encryption),
            (None, None, Some(_)) if members.contains_key("vp_token") => Err(AnswerError::Encryption),
            (None, None, None) => token(members).map(Self::Presented),
            _ => Err(AnswerError::Form),
        }
    }
}
