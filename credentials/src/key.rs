//! Public keys: points of P-256, checked to lie on the curve; and those of issuers, which may be of other curves.

mod der;
mod issuer;
mod set;

use crate::algorithm::SignatureAlgorithm;
use crate::b64;
use aws_lc_rs::digest::{Digest, SHA256};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

pub(crate) use der::P256_INFO;
pub use issuer::IssuerKey;
pub use set::{KeySet, KeySetError, SelectKeyError};

/// Something that checks signatures: a public key, and what algorithm it is for.
pub trait CheckSignature {
    /// Whether `signature` is this key's signature of `message`, made with `algorithm`; never for another key's algorithm.
    fn checks(&self, algorithm: SignatureAlgorithm, message: &[u8], signature: &[u8]) -> bool;

    /// Whether `signature` is this key's ES256 signature of the message whose SHA-256 is `digest`; never for another key.
    fn checks_sha256(&self, digest: &[u8; 32], signature: &[u8]) -> bool;
}

/// A P-256 public key, on the curve and not the point at infinity.
///
/// Cheap to clone; holds the key as the backend has parsed it, so that verifying does not parse it again.
#[derive(Clone)]
pub struct PublicKey(Arc<Inner>);

struct Inner {
    sec1: [u8; 65],
    parsed: ParsedPublicKey,
}

/// Why something is not a public key that we accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// `kty` or `crv` are not `EC` and `P-256`.
    #[error("not an EC key on P-256")]
    NotP256,
    /// A coordinate is missing, not base64url, or not 32 bytes.
    #[error("coordinates of the key are malformed")]
    Coordinates,
    /// The coordinates are not a point of the curve.
    #[error("the key is not a point of P-256")]
    NotOnCurve,
    /// A JWK that carries private or symmetric key material.
    #[error("the JWK carries a private key")]
    PrivateKey,
    /// A key of another kind than an issuer may have.
    #[error("not a key on P-256, P-384 or Ed25519")]
    NotAnIssuerKey,
    /// The scalar is zero or not below the order of the curve.
    #[error("not a private key of P-256")]
    Scalar,
}

impl PublicKey {
    /// From an uncompressed SEC 1 point: `04`, x, y.
    ///
    /// # Errors
    /// [`KeyError::Coordinates`] for another form or length, [`KeyError::NotOnCurve`].
    ///
    /// # Source
    /// SEC 1 §2.3.4; the curve equation is checked by the backend (SP 800-186 §3.2.1.3, cofactor 1).
    pub fn from_sec1(bytes: &[u8]) -> Result<Self, KeyError> {
        let sec1: [u8; 65] = bytes.try_into().map_err(|_| KeyError::Coordinates)?;
        if sec1[0] != 4 {
            return Err(KeyError::Coordinates);
        }
        let parsed = ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, der::p256_info(&sec1));
        let parsed = parsed.map_err(|_| KeyError::NotOnCurve)?;
        Ok(Self(Arc::new(Inner { sec1, parsed })))
    }

    /// From a compressed SEC 1 point: `02` or `03`, x.
    ///
    /// # Errors
    /// As [`PublicKey::from_sec1`].
    ///
    /// # Source
    /// SEC 1 §2.3.4.
    pub fn from_compressed(bytes: &[u8; 33]) -> Result<Self, KeyError> {
        use p256::elliptic_curve::sec1::ToSec1Point as _;
        let key = p256::PublicKey::from_sec1_bytes(bytes).map_err(|_| KeyError::NotOnCurve)?;
        Self::from_sec1(key.to_sec1_point(false).as_bytes())
    }

    /// From a JWK. Members that say nothing about the key itself (`kid`, `use`, `alg` …) are not looked at.
    ///
    /// # Errors
    /// [`KeyError`]; [`KeyError::PrivateKey`] already when a private member is present.
    ///
    /// # Source
    /// RFC 7518 §6.2.1.
    pub fn from_jwk(jwk: &Map<String, Value>) -> Result<Self, KeyError> {
        let (mut kty, mut crv, mut x, mut y) = (None, None, None, None);
        for (name, value) in jwk {
            let place = match name.as_str() {
                "kty" => &mut kty,
                "crv" => &mut crv,
                "x" => &mut x,
                "y" => &mut y,
                name if PRIVATE.contains(&name) => return Err(KeyError::PrivateKey),
                _ => continue,
            };
            *place = value.as_str();
        }
        if kty != Some("EC") || crv != Some("P-256") {
            return Err(KeyError::NotP256);
        }
        let coordinate = |text: Option<&str>| {
            b64::decode_array::<32>(text.ok_or(KeyError::Coordinates)?).map_err(|_| KeyError::Coordinates)
        };
        let mut sec1 = [4; 65];
        let (_, coordinates) = sec1.split_at_mut(1);
        let (at_x, at_y) = coordinates.split_at_mut(32);
        at_x.copy_from_slice(&coordinate(x)?);
        at_y.copy_from_slice(&coordinate(y)?);
        Self::from_sec1(&sec1)
    }

    /// As a JWK of `kty`, `crv`, `x` and `y`.
    pub fn to_jwk(&self) -> Map<String, Value> {
        let (x, y) = self.coordinates();
        [("kty", "EC".to_owned()), ("crv", "P-256".to_owned()), ("x", b64::encode(x)), ("y", b64::encode(y))]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Value::String(value)))
            .collect()
    }

    /// As an uncompressed SEC 1 point.
    pub fn to_sec1(&self) -> [u8; 65] {
        self.0.sec1
    }

    /// The SHA-256 thumbprint of the JWK.
    ///
    /// # Source
    /// RFC 7638 §3.
    pub fn thumbprint(&self) -> [u8; 32] {
        let (x, y) = self.coordinates();
        Sha256::digest(format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, b64::encode(x), b64::encode(y)))
            .into()
    }

    /// Its name among the keys of an issuer: the thumbprint, base64url.
    ///
    /// # Source
    /// RFC 7638 §1 "as a kid".
    pub fn key_id(&self) -> String {
        b64::encode(&self.thumbprint())
    }

    /// Whether `signature` (r and s, 32 bytes each) is this key's signature of `message`.
    ///
    /// Both `s` and `n - s` are accepted, as RFC 7518 §3.4 has it: whoever remembers tokens to refuse them the second time
    /// must remember their `jti` or `nonce`, never the signature.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.parsed.verify_sig(message, der::Signature::of(signature).as_bytes()).is_ok()
    }

    fn coordinates(&self) -> (&[u8], &[u8]) {
        let (_, coordinates) = self.0.sec1.split_at(1);
        coordinates.split_at(32)
    }
}

/// Whether a JWK has a member that only private or symmetric keys have.
fn is_private(jwk: &Map<String, Value>) -> bool {
    PRIVATE.iter().any(|name| jwk.contains_key(*name))
}

const PRIVATE: [&str; 8] = ["d", "k", "p", "q", "dp", "dq", "qi", "oth"];

impl CheckSignature for PublicKey {
    fn checks(&self, algorithm: SignatureAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        algorithm == SignatureAlgorithm::Es256
            && signature.try_into().is_ok_and(|signature| self.verifies(message, signature))
    }

    fn checks_sha256(&self, digest: &[u8; 32], signature: &[u8]) -> bool {
        let (Ok(digest), Ok(signature)) = (Digest::import_less_safe(digest, &SHA256), signature.try_into()) else {
            return false;
        };
        self.0.parsed.verify_digest_sig(&digest, der::Signature::of(signature).as_bytes()).is_ok()
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.sec1 == other.0.sec1
    }
}

impl Eq for PublicKey {}

impl Hash for PublicKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.sec1.hash(state);
    }
}

impl fmt::Debug for PublicKey {
    /// The thumbprint only: a holder's key is a handle on a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({}…)", b64::encode(&self.thumbprint()).get(..8).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// RFC 7515 appendix A.3.
    fn jwk() -> Value {
        json!({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})
    }

    fn key(jwk: &Value) -> Result<PublicKey, KeyError> {
        PublicKey::from_jwk(jwk.as_object().unwrap())
    }

    #[test]
    fn a_jwk_survives_the_round_trip() {
        let key = key(&jwk()).unwrap();
        assert_eq!(Value::Object(key.to_jwk()), jwk());
        assert_eq!(PublicKey::from_sec1(&key.to_sec1()).unwrap(), key);
        assert_eq!(b64::encode(&key.thumbprint()), "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
    }

    #[test]
    fn attack_03_keys_of_another_curve_are_refused() {
        for (kty, crv) in [("EC", "P-384"), ("EC", "secp256k1"), ("OKP", "Ed25519"), ("RSA", "P-256"), ("ec", "P-256")]
        {
            let mut other = jwk();
            (other["kty"], other["crv"]) = (json!(kty), json!(crv));
            assert_eq!(key(&other), Err(KeyError::NotP256));
        }
        // A P-384 point does not fit either, whatever it calls itself.
        let mut long = jwk();
        long["x"] = json!(b64::encode(&[1; 48]));
        assert_eq!(key(&long), Err(KeyError::Coordinates));
    }

    #[test]
    fn attack_52_points_off_the_curve_and_of_small_order_are_refused() {
        let mut off = jwk();
        off["y"] = json!(b64::encode(&[7; 32]));
        assert_eq!(key(&off), Err(KeyError::NotOnCurve));
        // P-256 has cofactor 1: the only point of small order is the one at infinity, and it has no such encoding.
        let (mut zero, mut overflow) = (jwk(), jwk());
        (zero["x"], zero["y"]) = (json!(b64::encode(&[0; 32])), json!(b64::encode(&[0; 32])));
        assert_eq!(key(&zero), Err(KeyError::NotOnCurve));
        overflow["x"] = json!(b64::encode(&[0xff; 32]));
        assert_eq!(key(&overflow), Err(KeyError::NotOnCurve));
        let sec1 = key(&jwk()).unwrap().to_sec1();
        let mut compressed = sec1[..33].to_vec();
        compressed[0] = 3;
        for bytes in [&[0][..], &compressed, &sec1[1..], &[&[6][..], &sec1[1..]].concat()] {
            assert_eq!(PublicKey::from_sec1(bytes), Err(KeyError::Coordinates));
        }
    }

    #[test]
    fn attack_34_a_private_jwk_is_refused() {
        let mut private = jwk();
        private["d"] = json!("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
        assert_eq!(key(&private), Err(KeyError::PrivateKey));
        assert_eq!(key(&json!({"kty": "oct", "k": "AAAA"})), Err(KeyError::PrivateKey));
    }
}
