//! Encryption of credential requests and answers beside TLS: used wherever the issuer offers it, and then insisted on.

use super::error::{Answer, IssuanceError};
use crate::effect::Response;
use credentials::jwe::{self, ContentEncryption, DecryptionKey, JweIn, MAX_BATCH, Recipient};
use rand_core::CryptoRng;
use schemas::openid4vci::{AnswerEncryption, IssuerMetadata, RequestEncryption};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use std::str;

/// How this issuer's requests and answers are encrypted.
///
/// What stands between wallet and issuer, a proxy that ends TLS for example, then sees neither key proofs nor claims.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Encryption {
    requests: RequestEncryption,
    /// The `enc` that answers are asked for with; without one they come in the clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answers: Option<String>,
}

/// A request as it is sent.
pub(super) struct Message {
    pub(super) body: Vec<u8>,
    pub(super) media_type: &'static str,
}

/// Opens the one answer that was asked for with its key.
pub(super) struct Opener {
    key: DecryptionKey,
    encryption: ContentEncryption,
}

impl Encryption {
    /// What the issuer offers, as far as this wallet can; `None` when it offers nothing that is of use.
    ///
    /// # Errors
    /// [`IssuanceError::EncryptionDemanded`] when it demands what this wallet cannot.
    ///
    /// # Source
    /// OpenID4VCI 1.0 §8.2, §12.2.4: an encrypted answer is asked for in an encrypted request only.
    pub(super) fn offered(metadata: &IssuerMetadata) -> Result<Option<Self>, IssuanceError> {
        let requests = metadata.credential_request_encryption.as_ref();
        let answers = metadata.credential_response_encryption.as_ref();
        let demanded = requests.is_some_and(|requests| requests.encryption_required)
            || answers.is_some_and(|answers| answers.encryption_required);
        let usable = requests.filter(|requests| Recipient::of_issuer(requests).is_ok());
        let enc = answers
            .filter(|answers| answers.alg_values_supported.iter().any(|alg| alg == jwe::ALG))
            .and_then(|answers| ContentEncryption::strongest(&answers.enc_values_supported));
        let unmet = usable.is_none() || (enc.is_none() && answers.is_some_and(|answers| answers.encryption_required));
        if demanded && unmet {
            return Err(IssuanceError::EncryptionDemanded);
        }
        Ok(usable.map(|requests| Self {
            requests: requests.clone(),
            answers: enc.map(|encryption| encryption.name().to_owned()),
        }))
    }

    /// The request, encrypted, with a fresh key for its answer.
    ///
    /// # Source
    /// OpenID4VCI 1.0 §8.2, §9.1, §10.
    fn seal(
        &self,
        mut request: Map<String, Value>,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Message, Option<Opener>), IssuanceError> {
        let opener = match self.answers.as_deref().and_then(ContentEncryption::by_name) {
            Some(encryption) => {
                let key = DecryptionKey::generate(rng).map_err(|_| IssuanceError::Key)?;
                let jwk = key.to_public_jwk(KID);
                let wish = AnswerEncryption { jwk, enc: encryption.name().to_owned(), zip: None };
                let wish = serde_json::to_value(wish).map_err(|_| IssuanceError::Key)?;
                request.insert("credential_response_encryption".to_owned(), wish);
                Some(Opener { key, encryption })
            }
            None => None,
        };
        let to = Recipient::of_issuer(&self.requests).map_err(|_| IssuanceError::EncryptionDemanded)?;
        let plaintext = serde_json::to_vec(&request).map_err(|_| IssuanceError::Key)?;
        let body = to.encrypt(&plaintext, rng).map_err(|_| IssuanceError::Key)?.into_bytes();
        Ok((Message { body, media_type: "application/jwt" }, opener))
    }
}

/// The request as it is sent, and what opens its answer: encrypted where there is a way.
pub(super) fn seal(
    encryption: Option<&Encryption>,
    request: Map<String, Value>,
    rng: &mut dyn CryptoRng,
) -> Result<(Message, Option<Opener>), IssuanceError> {
    match encryption {
        Some(encryption) => encryption.seal(request, rng),
        None => Message::json(&request).map(|message| (message, None)),
    }
}

/// The answer in the clear. Errors are never encrypted; an answer that should be and is not is refused.
///
/// # Source
/// OpenID4VCI 1.0 §8.3 ("regardless of the content"), §8.3.1.2, §10.
pub(super) fn open(opener: Option<&Opener>, response: Response, which: Answer) -> Result<Response, IssuanceError> {
    let Some(Opener { key, encryption }) = opener else { return Ok(response) };
    if !matches!(response.status, 200 | 202) {
        return Ok(response);
    }
    let jwe = str::from_utf8(&response.body)
        .ok()
        .and_then(|text| JweIn::parse_at_most(text.trim_ascii(), MAX_BATCH).ok())
        .ok_or(IssuanceError::NotEncrypted(which))?;
    let mut plaintext = key.open(&jwe, &[*encryption]).map_err(|_| IssuanceError::NotEncrypted(which))?;
    let Response { status, headers, body: _ } = response;
    Ok(Response { status, headers, body: std::mem::take(&mut *plaintext) })
}

impl Message {
    /// In the clear.
    pub(super) fn json<T: Serialize>(value: &T) -> Result<Self, IssuanceError> {
        let body = serde_json::to_vec(value).map_err(|_| IssuanceError::Key)?;
        Ok(Self { body, media_type: "application/json" })
    }
}

/// The same for every wallet and every answer: it says nothing.
const KID: &str = "1";

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key: _, encryption } = self;
        f.debug_struct("Opener").field("encryption", encryption).finish_non_exhaustive()
    }
}
