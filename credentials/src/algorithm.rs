//! The closed list of algorithms: what is not here is refused by its name, before any work.

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// A signature algorithm that we can check. We sign with ES256 only, and that alone is accepted unless a caller names more.
///
/// # Source
/// RFC 7518 §3.4; RFC 8037 §3.1 and RFC 9864 §2.2 (`EdDSA`, `Ed25519`); HAIP 1.0 §7 "Requirements for Digital Signatures"
/// demands ES256 of everyone. `none` and MACs have no value of this type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignatureAlgorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// EdDSA on the curve of Ed25519; both names of it.
    Ed25519,
}

impl SignatureAlgorithm {
    const ALL: [Self; 3] = [Self::Es256, Self::Es384, Self::Ed25519];

    /// The `alg` value; for Ed25519 the older one, which everyone reads.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Ed25519 => "EdDSA",
        }
    }

    /// How many bytes a signature has.
    pub const fn signature_length(self) -> usize {
        match self {
            Self::Es256 | Self::Ed25519 => 64,
            Self::Es384 => 96,
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Es256 => 1,
            Self::Es384 => 2,
            Self::Ed25519 => 4,
        }
    }
}

/// The signature algorithms that a caller accepts: ES256 unless it says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SignatureAlgorithms(u8);

impl SignatureAlgorithms {
    /// ES256 and nothing else: our own profile.
    pub const ES256: Self = Self::of(&[SignatureAlgorithm::Es256]);
    /// Everything that we can check.
    pub const ALL: Self = Self::of(&SignatureAlgorithm::ALL);

    /// These.
    pub const fn of(algorithms: &[SignatureAlgorithm]) -> Self {
        let (mut bits, mut rest) = (0, algorithms);
        while let Some((first, others)) = rest.split_first() {
            bits |= first.bit();
            rest = others;
        }
        Self(bits)
    }

    /// Whether `algorithm` is one of them.
    pub const fn contains(self, algorithm: SignatureAlgorithm) -> bool {
        self.0 & algorithm.bit() != 0
    }

    /// The one of that name, compared byte for byte: `es256` and `NoNe` are no algorithms.
    pub fn by_name(self, name: &str) -> Option<SignatureAlgorithm> {
        let algorithm = match name {
            "ES256" => SignatureAlgorithm::Es256,
            "ES384" => SignatureAlgorithm::Es384,
            "EdDSA" | "Ed25519" => SignatureAlgorithm::Ed25519,
            _ => return None,
        };
        self.contains(algorithm).then_some(algorithm)
    }

    /// Stands for this set in the key of a cache.
    pub(crate) const fn bits(self) -> u8 {
        self.0
    }
}

impl Default for SignatureAlgorithms {
    fn default() -> Self {
        Self::ES256
    }
}

/// A hash algorithm for disclosures and `sd_hash`.
///
/// # Source
/// RFC 9901 §4.1.1: `sha-256` must be supported and is the default. The other two are read because peers may use them and
/// neither is weaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum HashAlgorithm {
    /// `sha-256`
    #[default]
    Sha256,
    /// `sha-384`
    Sha384,
    /// `sha-512`
    Sha512,
}

/// A `_sd_alg` that is not in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("_sd_alg is none of sha-256, sha-384, sha-512")]
pub struct UnknownHash;

impl HashAlgorithm {
    /// The `_sd_alg` value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    /// The algorithm a payload names in `_sd_alg`; SHA-256 when it names none.
    ///
    /// # Errors
    /// [`UnknownHash`] for any other value, also for `SHA-256`, `md5`, and what is not a string.
    pub fn of(payload: &Map<String, Value>) -> Result<Self, UnknownHash> {
        Self::named(payload.get("_sd_alg"))
    }

    /// The algorithm of that `_sd_alg`.
    ///
    /// # Errors
    /// As [`HashAlgorithm::of`].
    pub(crate) fn named(sd_alg: Option<&Value>) -> Result<Self, UnknownHash> {
        match sd_alg {
            None => Ok(Self::Sha256),
            Some(Value::String(name)) => {
                [Self::Sha256, Self::Sha384, Self::Sha512].into_iter().find(|a| a.name() == name).ok_or(UnknownHash)
            }
            Some(_) => Err(UnknownHash),
        }
    }

    /// The digest of `text`, base64url.
    ///
    /// # Source
    /// RFC 9901 §4.2.3: over the characters as they stand, not over what they encode.
    pub fn digest(self, text: impl AsRef<[u8]>) -> String {
        let mut digest = String::new();
        self.digest_onto(text, &mut digest);
        digest
    }

    /// Appends the digest of `text`, base64url, to `onto`.
    pub(crate) fn digest_onto(self, text: impl AsRef<[u8]>, onto: &mut String) {
        match self {
            Self::Sha256 => crate::b64::encode_onto(&Sha256::digest(text), onto),
            Self::Sha384 => crate::b64::encode_onto(&Sha384::digest(text), onto),
            Self::Sha512 => crate::b64::encode_onto(&Sha512::digest(text), onto),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn attack_26_unknown_hash_names_are_refused_and_absence_is_sha_256() {
        let of = |v: Value| HashAlgorithm::of(v.as_object().unwrap());
        assert_eq!(of(json!({})), Ok(HashAlgorithm::Sha256));
        assert_eq!(of(json!({"_sd_alg": "sha-512"})), Ok(HashAlgorithm::Sha512));
        for name in [
            json!("md5"),
            json!("sha-1"),
            json!("SHA-256"),
            json!("sha256"),
            json!(""),
            json!(null),
            json!(["sha-256"]),
        ] {
            assert_eq!(of(json!({"_sd_alg": name})), Err(UnknownHash), "{name}");
        }
    }

    #[test]
    fn attack_01_only_es256_is_an_algorithm_unless_more_are_named() {
        let by_name = |name| SignatureAlgorithms::default().by_name(name);
        assert_eq!(by_name("ES256"), Some(SignatureAlgorithm::Es256));
        for name in ["none", "NoNe", "", "es256", "ES256 ", "HS256", "ES384", "RS256", "PS256", "EdDSA", "ES256K"] {
            assert_eq!(by_name(name), None, "{name}");
        }
        for name in ["none", "HS256", "ES512", "Ed448", "eddsa", "ES256K", "RS256"] {
            assert_eq!(SignatureAlgorithms::ALL.by_name(name), None, "{name}");
        }
        for algorithm in SignatureAlgorithm::ALL {
            assert_eq!(SignatureAlgorithms::ALL.by_name(algorithm.name()), Some(algorithm));
            let only = SignatureAlgorithms::of(&[algorithm]);
            assert_eq!(
                SignatureAlgorithm::ALL.map(|a| only.by_name(a.name()).is_some()).iter().filter(|x| **x).count(),
                1
            );
            assert_eq!(only.by_name(algorithm.name()), Some(algorithm));
        }
    }
}
