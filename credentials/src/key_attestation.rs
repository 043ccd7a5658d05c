//! Key attestations: who makes wallets, or the component that keeps keys, says how well it keeps them.

use crate::json::Limits;
use crate::jws::{self, JwsError, JwsIn};
use crate::key::{KeyError, PublicKey};
use crate::signer::{SignError, Signer};
use crate::trust::{CertificateChain, ChainError, TrustAnchors, Usage};
use crate::wallet_attestation;
use schemas::status::StatusReference;
use schemas::{Seconds, Timestamp};
use serde_json::{Map, Value, json};

#[cfg(test)]
mod tests;

/// The `typ` of a key attestation.
pub const TYPE: &str = "key-attestation+jwt";

/// The levels of attack potential that the specification defines; others are the attester's own words.
///
/// # Source
/// OpenID4VCI 1.0 Appendix D.2.
pub const LEVELS: [&str; 4] = ["iso_18045_high", "iso_18045_moderate", "iso_18045_enhanced-basic", "iso_18045_basic"];

/// How many keys one attestation may speak of.
pub const MAX_KEYS: usize = 64;
/// How many values of resistance, and how long each.
const MAX_VALUES: usize = 8;
const MAX_VALUE: usize = 256;
/// How far ahead of the clock it may have been made.
const AHEAD: Seconds = Seconds::MINUTE;

/// Why a key attestation is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyAttestationError {
    /// Not a JWS that we read, of another type, or with another signature.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// No certificate, or none that an anchor vouches for.
    #[error("who signed it is not trusted: {0}")]
    Chain(#[from] ChainError),
    /// A claim is missing or of the wrong kind.
    #[error("the claim {0} is missing or malformed")]
    Malformed(&'static str),
    /// An attested key is not one that we accept.
    #[error("an attested key: {0}")]
    Key(#[from] KeyError),
    /// It has expired, or is of the future.
    #[error("it is not of now")]
    Time,
    /// `nonce` is missing, unknown, used or stale.
    #[error("its nonce is missing or not one that this issuer gave and still accepts")]
    Nonce,
}

/// A key attestation that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyAttestation {
    /// The keys that it speaks of.
    pub keys: Vec<PublicKey>,
    /// What the key storage resists; empty when nothing is said.
    pub key_storage: Vec<String>,
    /// What the authentication of the person before a key is used resists; empty when nothing is said.
    pub user_authentication: Vec<String>,
    /// Where it says whether it was revoked. Not looked up here.
    pub status: Option<StatusReference>,
}

/// What an attester says of keys, to be signed.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    /// Who says so.
    pub attester: &'a str,
    /// From when.
    pub issued_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// The nonce of the issuer that it is for.
    pub nonce: &'a str,
    /// What the key storage resists.
    pub key_storage: &'a [String],
    /// What the authentication of the person resists.
    pub user_authentication: &'a [String],
    /// Where it says whether it was revoked.
    pub status: Option<StatusReference>,
}

impl Draft<'_> {
    /// Signs it for these keys.
    ///
    /// # Errors
    /// [`SignError`] when the key is out of reach.
    ///
    /// # Source
    /// OpenID4VCI 1.0 Appendix D.1; HAIP 1.0 §4.5.1.
    pub fn sign(&self, keys: &[PublicKey], chain: &CertificateChain, signer: &dyn Signer) -> Result<String, SignError> {
        let keys: Vec<Value> = keys.iter().map(|key| key.to_jwk().into()).collect();
        let header = json!({"alg": "ES256", "typ": TYPE, "x5c": chain.to_x5c()});
        let mut claims = json!({
            "iss": self.attester, "iat": self.issued_at, "exp": self.expires_at, "nonce": self.nonce, "attested_keys": keys,
        });
        let (Value::Object(header), Value::Object(claims)) = (header, &mut claims) else {
            return Err(SignError::Unavailable);
        };
        for (name, levels) in [("key_storage", self.key_storage), ("user_authentication", self.user_authentication)] {
            if !levels.is_empty() {
                // In one order, whoever asks: an order could mark a holder.
                let mut levels = levels.to_vec();
                levels.sort_by_key(|level| LEVELS.iter().position(|known| known == level).unwrap_or(LEVELS.len()));
                levels.dedup();
                claims.insert(name.to_owned(), json!(levels));
            }
        }
        if let Some(status) = &self.status {
            claims.insert("status".to_owned(), json!({"status_list": status}));
        }
        jws::sign_object(&header, claims, signer)
    }
}

impl KeyAttestation {
    /// What it says of each of its keys, as `holder_key_assurance` of a credential; `None` when it says nothing.
    ///
    /// Only the [`LEVELS`] that the specification defines: a value of the attester's own could be one for this holder alone,
    /// and every verifier would see it.
    pub fn assurance(&self) -> Option<Map<String, Value>> {
        let said = [("key_storage", &self.key_storage), ("user_authentication", &self.user_authentication)];
        let levels = |values: &[String]| -> Vec<&str> {
            LEVELS.into_iter().filter(|level| values.iter().any(|value| value == level)).collect()
        };
        let said = said.into_iter().map(|(name, values)| (name, levels(values)));
        let said = said.filter(|(_, levels)| !levels.is_empty());
        let members: Map<String, Value> = said.map(|(name, levels)| (name.to_owned(), Value::from(levels))).collect();
        if members.is_empty() { None } else { Some(members) }
    }
}

/// Verifies a key attestation that came in the header of a key proof, or for one.
///
/// `is_current` is asked last, and only about an attestation in order otherwise. That the proof is signed by one of
/// the keys, and that the attestation was not revoked ([`KeyAttestation::status`]), is not checked here.
///
/// # Errors
/// [`KeyAttestationError`].
///
/// # Source
/// OpenID4VCI 1.0 Appendix D.1, F.1 (`nonce`; `exp` must be there with a `jwt` proof, and with us always), F.3, F.4; HAIP 1.0 §4.5.1.
pub fn verify(
    text: &str,
    attesters: &TrustAnchors,
    mut is_current: impl FnMut(&str) -> bool,
    now: Timestamp,
) -> Result<KeyAttestation, KeyAttestationError> {
    let malformed = KeyAttestationError::Malformed;
    let jws = JwsIn::parse(text, &Limits::TOKEN)?;
    jws.expect_type(TYPE)?;
    jws.expect_no_jwk()?;
    let chain = jws.header().x5c.as_ref().ok_or(ChainError::Empty)?;
    let attester = chain.verify_below(attesters, Usage::WalletAttesting, now)?;
    jws.verify(attester.leaf_key())?;
    let claims = jws.payload_object(&Limits::TOKEN)?;
    let time =
        |name: &'static str| claims.get(name).and_then(Value::as_i64).map(Timestamp::from_unix).ok_or(malformed(name));
    if time("iat")? > now.plus(AHEAD) || now >= time("exp")? {
        return Err(KeyAttestationError::Time);
    }
    let keys = claims.get("attested_keys").and_then(Value::as_array);
    let keys = keys.filter(|keys| (1..=MAX_KEYS).contains(&keys.len())).ok_or(malformed("attested_keys"))?;
    let key = |jwk: &Value| match jwk.as_object() {
        Some(jwk) => PublicKey::from_jwk(jwk).map_err(KeyAttestationError::Key),
        None => Err(malformed("attested_keys")),
    };
    let keys: Vec<PublicKey> = keys.iter().map(key).collect::<Result<_, _>>()?;
    let (key_storage, user_authentication) = (values(&claims, "key_storage")?, values(&claims, "user_authentication")?);
    let status = wallet_attestation::status(&claims).map_err(malformed)?;
    match claims.get("nonce").and_then(Value::as_str) {
        Some(nonce) if is_current(nonce) => Ok(KeyAttestation { keys, key_storage, user_authentication, status }),
        _ => Err(KeyAttestationError::Nonce),
    }
}

/// A non-empty array of short strings, or nothing.
fn values(claims: &Map<String, Value>, name: &'static str) -> Result<Vec<String>, KeyAttestationError> {
    let malformed = || KeyAttestationError::Malformed(name);
    let Some(given) = claims.get(name) else { return Ok(Vec::new()) };
    let given = given.as_array().filter(|given| (1..=MAX_VALUES).contains(&given.len())).ok_or_else(malformed)?;
    let text = |value: &Value| {
        let text = value.as_str().filter(|text| (1..=MAX_VALUE).contains(&text.len()));
        text.map(str::to_owned).ok_or_else(malformed)
    };
    given.iter().map(text).collect()
}
