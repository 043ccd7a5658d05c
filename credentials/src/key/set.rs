//! A set of issuers' keys, and the one of them that is meant.

use super::{IssuerKey, KeyError};
use crate::algorithm::SignatureAlgorithm;
use crate::json::{self, JsonError, Limits};
use serde_json::{Map, Value};

/// The keys of a JWK Set with which signatures can be checked.
///
/// Keys of other kinds, and those that are not for signatures, are left out, as RFC 7517 §5 asks; what is left out is not chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySet {
    keys: Vec<(Option<String>, IssuerKey)>,
}

/// Why a text is not a JWK Set that we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// Not strict JSON, or not an object.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// `keys` is not an array of objects, or a `kid` is not a text.
    #[error("not a JWK Set")]
    Malformed,
    /// More keys than are read.
    #[error("more than {} keys", KeySet::MOST)]
    TooMany,
    /// A private key is in it: whoever published that, everyone can sign with it.
    #[error("the JWK Set holds a private key")]
    PrivateKey,
    /// Two keys of one name.
    #[error("two keys have the same kid")]
    Twice,
    /// No key in it with which a signature could be checked.
    #[error("the JWK Set has no key on P-256, P-384 or Ed25519 for signatures")]
    Empty,
}

/// Why no key of a set is the one that is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectKeyError {
    /// None has that name and is for that algorithm.
    #[error("no key with this kid for this algorithm")]
    Unknown,
    /// No name is given, and more than one is for that algorithm.
    #[error("several keys for this algorithm, and no kid")]
    Ambiguous,
}

impl KeySet {
    /// The most keys in a set.
    pub const MOST: usize = 64;

    /// Reads a JWK Set.
    ///
    /// # Errors
    /// [`KeySetError`].
    ///
    /// # Source
    /// RFC 7517 §5, §4.2–§4.5.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeySetError> {
        Self::read(&json::parse_object(bytes, &Limits::TOKEN)?)
    }

    /// Reads a JWK Set that stands in another document.
    ///
    /// # Errors
    /// [`KeySetError`].
    pub fn read(set: &Map<String, Value>) -> Result<Self, KeySetError> {
        let Some(Value::Array(entries)) = set.get("keys") else {
            return Err(KeySetError::Malformed);
        };
        if entries.len() > Self::MOST {
            return Err(KeySetError::TooMany);
        }
        let mut keys: Vec<(Option<String>, IssuerKey)> = Vec::new();
        for entry in entries {
            let jwk = entry.as_object().ok_or(KeySetError::Malformed)?;
            let kid = match jwk.get("kid") {
                None => None,
                Some(Value::String(kid)) => Some(kid.clone()),
                Some(_) => return Err(KeySetError::Malformed),
            };
            let key = match IssuerKey::from_jwk(jwk) {
                Err(KeyError::PrivateKey) => return Err(KeySetError::PrivateKey),
                Ok(key) if is_for_signatures(jwk, &key) => key,
                Ok(_) | Err(_) => continue,
            };
            if kid.is_some() && keys.iter().any(|(other, _)| *other == kid) {
                return Err(KeySetError::Twice);
            }
            keys.push((kid, key));
        }
        if keys.is_empty() { Err(KeySetError::Empty) } else { Ok(Self { keys }) }
    }

    /// The key called `kid` for `algorithm`; without a name the only one for that algorithm.
    ///
    /// # Errors
    /// [`SelectKeyError`].
    ///
    /// # Source
    /// RFC 7515 §4.1.4, §6; SD-JWT VC §4.2.
    pub fn select(&self, kid: Option<&str>, algorithm: SignatureAlgorithm) -> Result<&IssuerKey, SelectKeyError> {
        let mut found = self
            .keys
            .iter()
            .filter(|(own, key)| key.algorithm() == algorithm && (kid.is_none() || own.as_deref() == kid))
            .map(|(_, key)| key);
        match (found.next(), found.next()) {
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) => Err(SelectKeyError::Ambiguous),
            (None, _) => Err(SelectKeyError::Unknown),
        }
    }

    /// How many keys there are.
    pub const fn len(&self) -> usize {
        self.keys.len()
    }

    /// Never: a set has at least one key.
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// Whether a JWK says nothing else than that it is for signatures of its own algorithm.
fn is_for_signatures(jwk: &Map<String, Value>, key: &IssuerKey) -> bool {
    let is_use = jwk.get("use").is_none_or(|value| value == "sig");
    let is_operation = jwk
        .get("key_ops")
        .is_none_or(|value| value.as_array().is_some_and(|operations| operations.iter().any(|name| name == "verify")));
    let is_algorithm = jwk.get("alg").is_none_or(|value| {
        value == key.algorithm().name() || key.algorithm() == SignatureAlgorithm::Ed25519 && value == "Ed25519"
    });
    is_use && is_operation && is_algorithm
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn jwk(more: Value) -> Value {
        let mut jwk = json!({
            "kty": "EC", "crv": "P-256",
            "x": "b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ", "y": "Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8",
        });
        jwk.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        jwk
    }

    fn parse(keys: Value) -> Result<KeySet, KeySetError> {
        KeySet::parse(json!({"keys": keys}).to_string().as_bytes())
    }

    #[test]
    fn a_key_is_chosen_by_name_and_algorithm() {
        let edwards =
            json!({"kty": "OKP", "crv": "Ed25519", "kid": "c", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let set = parse(json!([jwk(json!({"kid": "a"})), jwk(json!({"kid": "b"})), edwards])).unwrap();
        use SignatureAlgorithm::{Ed25519, Es256, Es384};
        assert!(set.select(Some("a"), Es256).is_ok() && set.select(Some("b"), Es256).is_ok());
        assert_eq!(set.select(Some("c"), Ed25519).unwrap().algorithm(), Ed25519);
        // No name makes a key one for another algorithm, and names are compared byte for byte.
        for (kid, algorithm) in [("a", Es384), ("a", Ed25519), ("c", Es256), ("A", Es256), ("", Es256)] {
            assert_eq!(set.select(Some(kid), algorithm), Err(SelectKeyError::Unknown), "{kid}");
        }
        assert_eq!(set.select(None, Es256), Err(SelectKeyError::Ambiguous));
        assert!(set.select(None, Ed25519).is_ok());
        assert_eq!(set.select(None, Es384), Err(SelectKeyError::Unknown));
    }

    #[test]
    fn keys_for_something_else_are_left_out() {
        let other = [
            json!({"use": "enc"}),
            json!({"alg": "ES384"}),
            json!({"alg": "ECDH-ES"}),
            json!({"key_ops": ["deriveKey"]}),
            json!({"crv": "P-521"}),
            json!({"kty": "RSA"}),
            json!({"x": "AAAA"}),
        ];
        for other in &other {
            assert_eq!(parse(json!([jwk(other.clone())])), Err(KeySetError::Empty), "{other}");
            assert_eq!(parse(json!([jwk(other.clone()), jwk(json!({"use": "sig"}))])).unwrap().len(), 1, "{other}");
        }
        assert_eq!(parse(json!([jwk(json!({"alg": "ES256", "key_ops": ["verify"]}))])).unwrap().len(), 1);
    }

    #[test]
    fn attack_34_a_set_with_a_private_key_or_two_of_a_name_is_refused() {
        assert_eq!(parse(json!([jwk(json!({})), jwk(json!({"d": "AAAA"}))])), Err(KeySetError::PrivateKey));
        assert_eq!(parse(json!([{"kty": "oct", "k": "AAAA"}])), Err(KeySetError::PrivateKey));
        assert_eq!(parse(json!([jwk(json!({"kid": "a"})), jwk(json!({"kid": "a"}))])), Err(KeySetError::Twice));
        assert_eq!(parse(vec![jwk(json!({})); 65].into()), Err(KeySetError::TooMany));
        for keys in [json!({}), json!([7]), json!([jwk(json!({"kid": 7}))]), json!(null)] {
            assert_eq!(parse(keys.clone()), Err(KeySetError::Malformed), "{keys}");
        }
        assert_eq!(parse(json!([])), Err(KeySetError::Empty));
        assert!(matches!(KeySet::parse(br#"{"keys":[],"keys":[]}"#), Err(KeySetError::Json(_))));
    }
}
