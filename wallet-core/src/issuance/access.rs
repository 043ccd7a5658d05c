//! What opens an issuer's doors: the access token, and the key that it is bound to.

use super::encryption::Message;
use super::error::IssuanceError;
use crate::effect::{Effect, Response};
use crate::wire;
use credentials::b64;
use credentials::dpop;
use credentials::signer::SoftwareKey;
use rand_core::CryptoRng;
use schemas::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;
use url::Url;
use zeroize::Zeroizing;

/// The key that the access token is bound to: fresh for each offer. And the nonces its servers gave.
#[derive(Clone)]
pub(super) struct Dpop {
    key: Arc<SoftwareKey>,
    server_nonce: Option<String>,
    issuer_nonce: Option<String>,
}

/// Of which server a nonce is: what one gives is not the other's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    Authorization,
    Issuer,
}

impl Dpop {
    pub(super) fn generate(mut rng: &mut dyn CryptoRng) -> Result<Self, IssuanceError> {
        let key = SoftwareKey::generate(&mut rng).map_err(|_| IssuanceError::Key)?;
        Ok(Self { key: Arc::new(key), server_nonce: None, issuer_nonce: None })
    }

    /// The same key again, another day.
    pub(super) fn with_key(key: SoftwareKey) -> Self {
        Self { key: Arc::new(key), server_nonce: None, issuer_nonce: None }
    }

    pub(super) fn key(&self) -> &SoftwareKey {
        &self.key
    }

    /// A proof for a POST to `url`, with the token or for one.
    pub(super) fn proof(
        &self,
        url: &Url,
        token: Option<&str>,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<String, IssuanceError> {
        let mut htu = url.clone();
        htu.set_query(None);
        let mut jti = [0; 16];
        rng.fill_bytes(&mut jti);
        // The authorization server sees no token yet; what it gives as nonce is not the issuer's.
        let nonce = if token.is_some() { &self.issuer_nonce } else { &self.server_nonce };
        dpop::create("POST", htu.as_str(), now, token, nonce.as_deref(), jti, &*self.key)
            .map_err(|_| IssuanceError::Key)
    }

    /// # Source
    /// RFC 9449 §8.1, §8.2; OpenID4VCI 1.0 §7.2 for the nonce endpoint.
    pub(super) fn note_nonce(&mut self, server: Server, response: &Response) {
        let Some(nonce) = response.header("dpop-nonce") else { return };
        if (1..=MAX_NONCE).contains(&nonce.len()) && nonce.bytes().all(|b| b.is_ascii_graphic()) {
            let place = match server {
                Server::Authorization => &mut self.server_nonce,
                Server::Issuer => &mut self.issuer_nonce,
            };
            *place = Some(nonce.to_owned());
        }
    }
}

/// Whether an answer sends the proof back for a nonce.
///
/// # Source
/// RFC 9449 §8, §9: 400 from the authorization server, 401 with `WWW-Authenticate` from the issuer.
pub(super) fn asks_for_dpop_nonce(response: &Response) -> bool {
    let in_header = || response.header("www-authenticate").is_some_and(|value| value.contains("use_dpop_nonce"));
    let in_body = || wire::error_code(&response.body).as_deref() == Some("use_dpop_nonce");
    matches!(response.status, 400 | 401) && response.header("dpop-nonce").is_some() && (in_header() || in_body())
}

/// An access token with what it is bound to.
#[derive(Clone)]
pub(super) struct Access {
    pub(super) token: Arc<Zeroizing<String>>,
    pub(super) dpop: Option<Dpop>,
}

impl Access {
    /// A POST that shows the token.
    ///
    /// # Source
    /// RFC 6750 §2.1; RFC 9449 §7.1.
    pub(super) fn post(
        &self,
        url: &Url,
        message: Message,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Effect, IssuanceError> {
        let Message { body, media_type } = message;
        let effect = Effect::post(url.clone()).header("accept", "application/json, application/jwt");
        let effect = effect.body_of(media_type, body);
        let token = self.token.as_str();
        Ok(match &self.dpop {
            Some(dpop) => {
                let proof = dpop.proof(url, Some(token), now, rng)?;
                effect.header("authorization", format!("DPoP {token}")).header("dpop", proof)
            }
            None => effect.header("authorization", format!("Bearer {token}")),
        })
    }

    /// Notes the issuer's nonce; whether the request must be sent again with it.
    pub(super) fn must_repeat(&mut self, response: &Response) -> bool {
        let Some(dpop) = &mut self.dpop else { return false };
        dpop.note_nonce(Server::Issuer, response);
        asks_for_dpop_nonce(response)
    }

    /// As it is kept in the vault.
    pub(super) fn to_record(&self) -> Result<AccessRecord, IssuanceError> {
        let dpop_key = match &self.dpop {
            Some(dpop) => Some(key_to_text(&dpop.key)?),
            None => None,
        };
        let dpop_nonce = self.dpop.as_ref().and_then(|dpop| dpop.issuer_nonce.clone());
        Ok(AccessRecord { token: Secret::new(self.token.as_str()), dpop_key, dpop_nonce })
    }

    pub(super) fn from_record(record: AccessRecord) -> Option<Self> {
        let dpop = match record.dpop_key {
            Some(text) => {
                let key = Arc::new(key_from_text(text.as_str())?);
                Some(Dpop { key, server_nonce: None, issuer_nonce: record.dpop_nonce })
            }
            None => None,
        };
        Some(Self { token: Arc::new(record.token.0), dpop })
    }
}

/// An access token in the vault.
#[derive(Serialize, Deserialize)]
pub(super) struct AccessRecord {
    token: Secret,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dpop_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dpop_nonce: Option<String>,
}

/// A secret text of a record, wiped when dropped.
#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// A key for a record: its scalar, base64url.
pub(super) fn key_to_text(key: &SoftwareKey) -> Result<Secret, IssuanceError> {
    let scalar = key.scalar().map_err(|_| IssuanceError::Key)?;
    Ok(Secret(Zeroizing::new(b64::encode(&*scalar))))
}

/// The reverse of [`key_to_text`].
pub(crate) fn key_from_text(text: &str) -> Option<SoftwareKey> {
    let scalar = Zeroizing::new(b64::decode_array::<32>(text).ok()?);
    SoftwareKey::from_scalar(&scalar).ok()
}

/// The token is a secret.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { token: _, dpop } = self;
        f.debug_struct("Access").field("bound", &dpop.is_some()).finish_non_exhaustive()
    }
}

/// The most characters of a nonce.
pub(super) const MAX_NONCE: usize = 1_024;
