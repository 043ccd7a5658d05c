//! Verification methods: from the address of a key to the key, for issuers whose document is known or is their address.

use credentials::b64;
use credentials::did;
use credentials::json::{self, Limits};
use credentials::key::{IssuerKey, PublicKey};
use p384::elliptic_curve::sec1::ToSec1Point as _;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Why a verification method gives no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MethodError {
    /// Not a DID URL with a fragment.
    #[error("the verification method is not a DID URL with a fragment")]
    Form,
    /// Of a method that holds no key itself, and its document was not given.
    #[error("the issuer's DID document is not at hand")]
    NoDocument,
    /// The document is not that of the issuer, or not a DID document.
    #[error("not the DID document of that issuer")]
    Document,
    /// The document does not let the key make statements.
    #[error("the issuer's DID document does not name that key under assertionMethod")]
    NotForAssertions,
    /// Not a key on P-256, P-384 or Ed25519, or of another controller.
    #[error("the verification method holds no key on P-256, P-384 or Ed25519 of that issuer")]
    Key,
}

/// The documents of issuers whose address does not hold their key (`did:web`), as the operator fetched them.
#[derive(Clone, Default)]
pub struct Controllers(BTreeMap<String, Map<String, Value>>);

impl Controllers {
    /// None: `did:key` and `did:jwk` need none.
    pub fn new() -> Self {
        Self::default()
    }

    /// And the document of `did`.
    ///
    /// # Errors
    /// [`MethodError::Document`].
    ///
    /// # Source
    /// Controlled Identifiers 1.0 §2.1; DID 1.0 §5.1.1: `id` is the DID that was asked for.
    pub fn with(mut self, did: &str, document: &[u8]) -> Result<Self, MethodError> {
        let limits = Limits { bytes: MOST_DOCUMENT, depth: 12 };
        let document = json::parse_object(document, &limits).map_err(|_| MethodError::Document)?;
        if document.get("id").and_then(Value::as_str) != Some(did) {
            return Err(MethodError::Document);
        }
        self.0.insert(did.to_owned(), document);
        Ok(self)
    }

    /// The key that `method` names for statements, and who controls it.
    ///
    /// # Errors
    /// [`MethodError`].
    ///
    /// # Source
    /// Controlled Identifiers 1.0 §2.2, §2.3.1 (`assertionMethod`), §3.3; `did:key` and `did:jwk` method specifications.
    pub(crate) fn key<'m>(&self, method: &'m str) -> Result<(&'m str, IssuerKey), MethodError> {
        let (did, fragment) = method.split_once('#').ok_or(MethodError::Form)?;
        if fragment.is_empty() || did.contains(['?', '/']) || !did.starts_with("did:") {
            return Err(MethodError::Form);
        }
        let key = if let Some(encoded) = did.strip_prefix("did:key:") {
            // The one method of such a document bears the key's own name.
            if fragment != encoded {
                return Err(MethodError::Key);
            }
            multikey(encoded).map(|(key, _)| key)
        } else if let Some(encoded) = did.strip_prefix("did:jwk:") {
            if fragment != "0" {
                return Err(MethodError::Key);
            }
            let bytes = b64::decode(encoded).map_err(|_| MethodError::Key)?;
            let jwk = json::parse_object(&bytes, &Limits { bytes: 1024, depth: 2 }).map_err(|_| MethodError::Key)?;
            if jwk.get("use").is_some_and(|usage| usage != "sig") {
                return Err(MethodError::Key);
            }
            IssuerKey::from_jwk(&jwk).ok()
        } else {
            Some(of_document(self.0.get(did).ok_or(MethodError::NoDocument)?, did, fragment)?)
        };
        Ok((did, key.ok_or(MethodError::Key)?))
    }
}

fn of_document(document: &Map<String, Value>, subject: &str, fragment: &str) -> Result<IssuerKey, MethodError> {
    let method = did::method(document, subject, fragment, &["assertionMethod"]).ok_or(MethodError::NotForAssertions)?;
    if !did::is_own(method, subject) {
        return Err(MethodError::Key);
    }
    let text = |name| method.get(name).and_then(Value::as_str);
    let key = match (text("type"), text("publicKeyMultibase"), method.get("publicKeyJwk")) {
        (Some("Multikey"), Some(encoded), None) => multikey(encoded).map(|(key, _)| key),
        (Some("JsonWebKey" | "JsonWebKey2020"), None, Some(Value::Object(jwk))) => IssuerKey::from_jwk(jwk).ok(),
        _ => None,
    };
    key.ok_or(MethodError::Key)
}

/// A key in its Multikey form, and the bytes that stand for it there.
///
/// # Source
/// Controlled Identifiers 1.0 §2.2.2, §2.4 (base-58-btc); multicodec `p256-pub`, `p384-pub`, `ed25519-pub`.
pub(crate) fn multikey(text: &str) -> Option<(IssuerKey, Vec<u8>)> {
    let bytes = base58(text, MOST_MULTIKEY)?;
    let key = key_of(&bytes)?;
    Some((key, bytes))
}

/// The key in the bytes of a Multikey.
pub(crate) fn key_of(multikey: &[u8]) -> Option<IssuerKey> {
    match multikey {
        [0x80, 0x24, point @ ..] => PublicKey::from_compressed(point.try_into().ok()?).ok().map(IssuerKey::from),
        [0x81, 0x24, point @ ..] => {
            let compressed: &[u8; 49] = point.try_into().ok()?;
            let point = p384::PublicKey::from_sec1_bytes(compressed).ok()?.to_sec1_point(false);
            IssuerKey::from_p384(point.as_bytes()).ok()
        }
        [0xed, 0x01, key @ ..] => IssuerKey::from_ed25519(key).ok(),
        _ => None,
    }
}

/// Multibase of base-58-btc alone, at most `most` characters: the work grows with their square.
pub(crate) fn base58(text: &str, most: usize) -> Option<Vec<u8>> {
    let encoded = text.strip_prefix('z').filter(|_| text.len() <= most)?;
    bs58::decode(encoded).into_vec().ok()
}

const MOST_DOCUMENT: usize = 256 * 1024;
const MOST_MULTIKEY: usize = 96;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const P256: &str = "zDnaepBuvsQ8cpsWrVKw8fbpGpvPeNSjVPTWoq6cRqaYzBKVP";
    const P384: &str = "z82LkuBieyGShVBhvtE2zoiD6Kma4tJGFtkAhxR5pfkp5QPw4LutoYWhvQCnGjdVn14kujQ";
    const ED25519: &str = "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
    const REGISTRY: &str = "did:web:registry.example:civil";

    fn web(document: Value) -> Result<Controllers, MethodError> {
        Controllers::new().with(REGISTRY, document.to_string().as_bytes())
    }

    fn method(own: Value) -> Value {
        let mut method = json!({"id": format!("{REGISTRY}#k1"), "type": "Multikey", "controller": REGISTRY, "publicKeyMultibase": P256});
        for (name, value) in own.as_object().unwrap() {
            method[name] = value.clone();
        }
        method
    }

    #[test]
    fn w3c_10_keys_of_three_curves_stand_in_did_key() {
        for encoded in [P256, P384, ED25519] {
            let name = format!("did:key:{encoded}#{encoded}");
            let controllers = Controllers::new();
            let (did, _) = controllers.key(&name).unwrap();
            assert_eq!(did, format!("did:key:{encoded}"));
        }
        let other = format!("did:key:{P256}#{ED25519}");
        assert_eq!(Controllers::new().key(&other).err(), Some(MethodError::Key));
        for name in [
            format!("did:key:{P256}"),
            format!("did:key:{P256}#"),
            format!("did:key:{P256}?x#{P256}"),
            "https://r.example/#k".into(),
        ] {
            assert_eq!(Controllers::new().key(&name).err(), Some(MethodError::Form), "{name}");
        }
        let long = format!("did:key:z{0}#z{0}", "2".repeat(100_000));
        assert_eq!(Controllers::new().key(&long).err(), Some(MethodError::Key));
    }

    #[test]
    fn w3c_11_a_document_lets_a_key_make_statements_or_it_does_not() {
        let name = format!("{REGISTRY}#k1");
        let key = |document: Value| web(document).and_then(|all| all.key(&name).map(|(_, key)| key));
        let listed = json!({"id": REGISTRY, "verificationMethod": [method(json!({}))], "assertionMethod": ["#k1"]});
        let embedded = json!({"id": REGISTRY, "assertionMethod": [method(json!({}))]});
        assert!(key(listed).is_ok() && key(embedded).is_ok());
        let other = json!({"id": REGISTRY, "verificationMethod": [method(json!({}))], "authentication": ["#k1"]});
        assert_eq!(key(other).err(), Some(MethodError::NotForAssertions));
        for own in [
            json!({"controller": "did:web:else.example"}),
            json!({"revoked": "2024-01-01T00:00:00Z"}),
            json!({"type": "X"}),
            json!({"publicKeyMultibase": "u"}),
        ] {
            let document = json!({"id": REGISTRY, "assertionMethod": [method(own.clone())]});
            assert_eq!(key(document).err(), Some(MethodError::Key), "{own}");
        }
        assert_eq!(web(json!({"id": "did:web:else.example"})).err(), Some(MethodError::Document));
        assert_eq!(Controllers::new().key(&name).err(), Some(MethodError::NoDocument));
    }

    #[test]
    fn w3c_12_did_web_names_one_https_address() {
        let url = |did| did::web_url(did).map(|url| url.to_string());
        assert_eq!(url("did:web:registry.example").as_deref(), Some("https://registry.example/.well-known/did.json"));
        assert_eq!(url(REGISTRY).as_deref(), Some("https://registry.example/civil/did.json"));
        for did in [
            "did:web:",
            "did:web:a%3A8443",
            "did:web:a:..:b",
            "did:web:a::b",
            "did:web:u@h",
            "did:web:a/b",
            "did:key:z",
            "did:web:a:b?c",
            "did:web:127.1",
        ] {
            assert_eq!(url(did), None, "{did}");
        }
    }
}
