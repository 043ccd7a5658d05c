//! The key that an issuer signs with: of P-256, or of what else a verifier has agreed to accept.

use super::{CheckSignature, KeyError, PublicKey};
use crate::algorithm::SignatureAlgorithm;
use crate::b64;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::sync::Arc;

/// An issuer's public key. Cheap to clone; it is for one algorithm, and no header makes it another's.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuerKey(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    P256(PublicKey),
    P384(Other),
    Ed25519(Other),
}

/// A key as its standard writes it, and as the backend has parsed it.
#[derive(Clone)]
struct Other {
    bytes: Arc<[u8]>,
    parsed: Arc<ParsedPublicKey>,
}

impl IssuerKey {
    /// From an uncompressed SEC 1 point of P-384: `04`, x, y.
    ///
    /// # Errors
    /// [`KeyError::Coordinates`], [`KeyError::NotOnCurve`].
    ///
    /// # Source
    /// SEC 1 §2.3.4; the curve equation is checked by the backend.
    pub fn from_p384(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() != 97 || bytes.first() != Some(&4) {
            return Err(KeyError::Coordinates);
        }
        let parsed = ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, bytes).map_err(|_| KeyError::NotOnCurve)?;
        Ok(Self(Kind::P384(Other { bytes: bytes.into(), parsed: Arc::new(parsed) })))
    }

    /// From the 32 bytes of an Ed25519 key.
    ///
    /// # Errors
    /// [`KeyError::Coordinates`] for another length, [`KeyError::NotOnCurve`] also for the points of small order, under which
    /// one signature fits many messages.
    ///
    /// # Source
    /// RFC 8032 §5.1.3, §8.
    pub fn from_ed25519(bytes: &[u8]) -> Result<Self, KeyError> {
        let (Ok(key), Some((last, rest))) = (<[u8; 32]>::try_from(bytes), bytes.split_last()) else {
            return Err(KeyError::Coordinates);
        };
        // The sign of x is the highest bit; small order does not depend on it.
        let y = || rest.iter().copied().chain([last & 0x7f]);
        if SMALL_ORDER.iter().any(|small| y().eq(small.iter().copied())) {
            return Err(KeyError::NotOnCurve);
        }
        let parsed = ParsedPublicKey::new(&ED25519, key).map_err(|_| KeyError::NotOnCurve)?;
        Ok(Self(Kind::Ed25519(Other { bytes: bytes.into(), parsed: Arc::new(parsed) })))
    }

    /// From a JWK. Members that say nothing about the key itself are not looked at.
    ///
    /// # Errors
    /// [`KeyError`]; [`KeyError::PrivateKey`] already when a private member is present.
    ///
    /// # Source
    /// RFC 7518 §6.2.1; RFC 8037 §2.
    pub fn from_jwk(jwk: &Map<String, Value>) -> Result<Self, KeyError> {
        let text = |name| jwk.get(name).and_then(Value::as_str);
        let bytes = |name| b64::decode(text(name).ok_or(KeyError::Coordinates)?).map_err(|_| KeyError::Coordinates);
        if super::is_private(jwk) {
            return Err(KeyError::PrivateKey);
        }
        match (text("kty"), text("crv")) {
            (Some("EC"), Some("P-256")) => PublicKey::from_jwk(jwk).map(Self::from),
            (Some("EC"), Some("P-384")) => {
                let (x, y) = (bytes("x")?, bytes("y")?);
                // Both, or a long one would make up for a short one.
                if x.len() != 48 || y.len() != 48 {
                    return Err(KeyError::Coordinates);
                }
                Self::from_p384(&[&[4][..], &x, &y].concat())
            }
            (Some("OKP"), Some("Ed25519")) => Self::from_ed25519(&bytes("x")?),
            _ => Err(KeyError::NotAnIssuerKey),
        }
    }

    /// The one algorithm that the key is for.
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        match &self.0 {
            Kind::P256(_) => SignatureAlgorithm::Es256,
            Kind::P384(_) => SignatureAlgorithm::Es384,
            Kind::Ed25519(_) => SignatureAlgorithm::Ed25519,
        }
    }

    /// The key, where it is one of P-256.
    pub const fn p256(&self) -> Option<&PublicKey> {
        match &self.0 {
            Kind::P256(key) => Some(key),
            Kind::P384(_) | Kind::Ed25519(_) => None,
        }
    }

    /// A digest that stands for the key.
    pub(crate) fn sha256(&self) -> [u8; 32] {
        match &self.0 {
            Kind::P256(key) => Sha256::digest(key.to_sec1()).into(),
            Kind::P384(key) | Kind::Ed25519(key) => Sha256::digest(&key.bytes).into(),
        }
    }
}

impl CheckSignature for IssuerKey {
    fn checks(&self, algorithm: SignatureAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        match (algorithm, &self.0) {
            (SignatureAlgorithm::Es256, Kind::P256(key)) => key.checks(algorithm, message, signature),
            (SignatureAlgorithm::Es384, Kind::P384(key)) | (SignatureAlgorithm::Ed25519, Kind::Ed25519(key)) => {
                key.parsed.verify_sig(message, signature).is_ok()
            }
            _ => false,
        }
    }

    fn checks_sha256(&self, digest: &[u8; 32], signature: &[u8]) -> bool {
        self.p256().is_some_and(|key| key.checks_sha256(digest, signature))
    }
}

impl From<PublicKey> for IssuerKey {
    fn from(key: PublicKey) -> Self {
        Self(Kind::P256(key))
    }
}

impl PartialEq<PublicKey> for IssuerKey {
    fn eq(&self, other: &PublicKey) -> bool {
        self.p256() == Some(other)
    }
}

impl PartialEq for Other {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Other {}

impl fmt::Debug for IssuerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = b64::encode(&self.sha256());
        write!(f, "IssuerKey({}, {}…)", self.algorithm().name(), digest.get(..8).unwrap_or_default())
    }
}

/// The y coordinates, little-endian, of the eight points of small order, and of two of them written beyond the field.
const SMALL_ORDER: [[u8; 32]; 7] = [
    ends(0, 0, 0),
    ends(1, 0, 0),
    // of order 8
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    // p - 1, p, p + 1
    ends(0xec, 0xff, 0x7f),
    ends(0xed, 0xff, 0x7f),
    ends(0xee, 0xff, 0x7f),
];

/// `first`, thirty times `middle`, `last`.
const fn ends(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut bytes = [middle; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
    use serde_json::json;

    fn jwk(value: Value) -> Result<IssuerKey, KeyError> {
        IssuerKey::from_jwk(value.as_object().unwrap())
    }

    #[test]
    fn a_key_checks_its_own_algorithm_and_no_other() {
        let rng = SystemRandom::new();
        let p384 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
        let edwards = Ed25519KeyPair::generate().unwrap();
        let point = p384.public_key().as_ref();
        let wide = IssuerKey::from_p384(point).unwrap();
        let signature = p384.sign(&rng, b"m").unwrap();
        assert!(wide.checks(SignatureAlgorithm::Es384, b"m", signature.as_ref()));
        assert!(!wide.checks(SignatureAlgorithm::Es384, b"n", signature.as_ref()));
        assert!(!wide.checks_sha256(&Sha256::digest(b"m").into(), signature.as_ref()));
        assert!(!wide.checks(SignatureAlgorithm::Es256, b"m", signature.as_ref()));
        assert!(!wide.checks(SignatureAlgorithm::Ed25519, b"m", signature.as_ref()));
        let from_jwk = jwk(json!({
            "kty": "EC", "crv": "P-384", "x": b64::encode(&point[1..49]), "y": b64::encode(&point[49..]),
        }));
        assert_eq!(from_jwk, Ok(wide));
        let short = IssuerKey::from_ed25519(edwards.public_key().as_ref()).unwrap();
        let signature = edwards.sign(b"m");
        assert!(short.checks(SignatureAlgorithm::Ed25519, b"m", signature.as_ref()));
        assert!(!short.checks_sha256(&Sha256::digest(b"m").into(), signature.as_ref()));
        assert!(!short.checks(SignatureAlgorithm::Es256, b"m", signature.as_ref()));
        assert!(!format!("{short:?}").is_empty() && short.p256().is_none());
    }

    #[test]
    fn attack_52_keys_of_small_order_off_the_curve_or_cut_are_refused() {
        for mut small in SMALL_ORDER {
            assert_eq!(IssuerKey::from_ed25519(&small), Err(KeyError::NotOnCurve));
            small[31] |= 0x80;
            assert_eq!(IssuerKey::from_ed25519(&small), Err(KeyError::NotOnCurve));
        }
        assert_eq!(IssuerKey::from_ed25519(&[9; 31]), Err(KeyError::Coordinates));
        let mut off = [7; 97];
        off[0] = 4;
        assert_eq!(IssuerKey::from_p384(&off), Err(KeyError::NotOnCurve));
        assert_eq!(IssuerKey::from_p384(&off[..96]), Err(KeyError::Coordinates));
        let long = |x: usize, y: usize| {
            jwk(json!({"kty": "EC", "crv": "P-384", "x": b64::encode(&vec![1; x]), "y": b64::encode(&vec![1; y])}))
        };
        assert_eq!(long(47, 49), Err(KeyError::Coordinates));
    }

    #[test]
    fn attack_34_a_private_or_foreign_jwk_is_no_issuer_key() {
        let private = json!({"kty": "OKP", "crv": "Ed25519", "x": b64::encode(&[9; 32]), "d": b64::encode(&[1; 32])});
        assert_eq!(jwk(private), Err(KeyError::PrivateKey));
        for foreign in [
            json!({"kty": "oct", "k": "AAAA"}),
            json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
            json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}),
            json!({"kty": "OKP", "crv": "X25519", "x": b64::encode(&[9; 32])}),
        ] {
            assert!(matches!(jwk(foreign), Err(KeyError::NotAnIssuerKey | KeyError::PrivateKey)));
        }
    }
}
