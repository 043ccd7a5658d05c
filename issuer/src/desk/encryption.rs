//! Reading what a wallet asks, in the clear or encrypted to us, and how it wants to be answered.

use super::Issuer;
use super::issuance::{CredentialCall, CredentialError, Issued};
use credentials::json;
use credentials::jwe::{ContentEncryption, JweIn, NoRecipient, Recipient};
use schemas::openid4vci::AnswerEncryption;
use serde_json::{Map, Value};
use std::str;

/// An answer, and to whom it is encrypted.
#[derive(Debug)]
pub struct Reply {
    /// What is said.
    pub issued: Issued,
    /// Who alone may read it, when the wallet wished so.
    pub to: Option<Recipient>,
}

impl Issuer {
    /// The request's members, and to whom the answer is encrypted. Called only for those who showed a live token: nobody
    /// else makes us multiply points.
    ///
    /// # Source
    /// OpenID4VCI 1.0 §8.2, §9.1, §10.
    pub(super) fn read_request(
        &self,
        call: &CredentialCall<'_>,
    ) -> Result<(Map<String, Value>, Option<Recipient>), CredentialError> {
        let refuse = CredentialError::InvalidEncryption;
        let request = if call.encrypted {
            let text = str::from_utf8(call.body).map_err(|_| refuse("the request is no compact JWE"))?;
            let jwe = JweIn::parse(text).map_err(|_| refuse("the request is no compact JWE by ECDH-ES and AES-GCM"))?;
            if jwe.kid() != Some(self.request_key.kid()) {
                return Err(refuse("kid is not that of the key in the metadata"));
            }
            let plaintext = self.request_key.key().open(&jwe, &ContentEncryption::ALL);
            parse(&plaintext.map_err(|_| refuse("the request does not decrypt"))?)?
        } else if self.demands.encryption {
            return Err(refuse("the request must be encrypted"));
        } else {
            parse(call.body)?
        };
        let to = match request.get(ANSWER) {
            // Whoever stands between could have put their own key there.
            Some(_) if !call.encrypted => {
                return Err(refuse("an encrypted answer is given to an encrypted request only"));
            }
            Some(wish) => Some(recipient(wish)?),
            None if self.demands.encryption => return Err(refuse("credential_response_encryption is missing")),
            None => None,
        };
        Ok((request, to))
    }
}

fn parse(bytes: &[u8]) -> Result<Map<String, Value>, CredentialError> {
    json::parse_object(bytes, &json::Limits::TOKEN)
        .map_err(|_| CredentialError::InvalidRequest("the body is not one JSON object, each name once"))
}

fn recipient(wish: &Value) -> Result<Recipient, CredentialError> {
    let refuse = CredentialError::InvalidEncryption;
    let wish: AnswerEncryption =
        serde_json::from_value(wish.clone()).map_err(|_| refuse("credential_response_encryption needs jwk and enc"))?;
    if wish.zip.is_some() {
        return Err(refuse("answers are not compressed"));
    }
    Recipient::of_wallet(&wish).map_err(|error| match error {
        NoRecipient::Encryption => refuse("enc is neither A128GCM nor A256GCM"),
        _ => refuse("jwk is no public P-256 key with alg ECDH-ES"),
    })
}

const ANSWER: &str = "credential_response_encryption";
