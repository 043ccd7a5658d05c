//! DID documents that lie on the web: where they lie, and which of their keys may sign what.

use super::{DidError, base58};
use crate::json::{self, Limits};
use crate::key::PublicKey;
use serde_json::{Map, Value};
use std::fmt;
use url::Url;

/// The document of one identifier, as it was fetched.
#[derive(Clone, PartialEq, Eq)]
pub struct DidDocument(Map<String, Value>);

impl DidDocument {
    /// The most bytes in a document.
    pub const LONGEST: usize = 64 * 1024;

    /// Reads the document of `did`.
    ///
    /// # Errors
    /// [`DidError::Document`] when it is no strict JSON object of at most [`DidDocument::LONGEST`] bytes, or another's.
    ///
    /// # Source
    /// W3C DID 1.0 §5.1.1: `id` is the DID that was asked for.
    pub fn parse(bytes: &[u8], did: &str) -> Result<Self, DidError> {
        let limits = Limits { bytes: Self::LONGEST, depth: 12 };
        let document = json::parse_object(bytes, &limits).map_err(|_| DidError::Document)?;
        let document = Self(document);
        if document.is_of(did) { Ok(document) } else { Err(DidError::Document) }
    }

    pub(super) fn is_of(&self, did: &str) -> bool {
        self.0.get("id").and_then(Value::as_str) == Some(did)
    }

    /// The key under that fragment with which the subject may sign a request: one on P-256 that it uses to authenticate itself or to
    /// make statements, and not one that stands there for encryption or for others.
    ///
    /// # Source
    /// OpenID4VP 1.0 §5.9.3 `decentralized_identifier`; W3C DID 1.0 §5.3.1 `authentication`, §5.3.2 `assertionMethod`.
    pub(super) fn signing_key(&self, fragment: &str) -> Option<PublicKey> {
        let did = self.0.get("id").and_then(Value::as_str)?;
        let method = method(&self.0, did, fragment, &["authentication", "assertionMethod"])?;
        if !is_own(method, did) {
            return None;
        }
        let text = |name| method.get(name).and_then(Value::as_str);
        match (text("type"), text("publicKeyMultibase"), method.get("publicKeyJwk")) {
            (Some("Multikey"), Some(encoded), None) => match encoded.strip_prefix('z').and_then(base58)?.as_slice() {
                [0x80, 0x24, point @ ..] => PublicKey::from_compressed(point.try_into().ok()?).ok(),
                _ => None,
            },
            (Some("JsonWebKey" | "JsonWebKey2020"), None, Some(Value::Object(jwk))) => {
                let signs = jwk.get("use").is_none_or(|usage| usage == "sig");
                PublicKey::from_jwk(jwk).ok().filter(|_| signs)
            }
            _ => None,
        }
    }
}

/// A stranger's text.
impl fmt::Debug for DidDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(members) = self;
        write!(f, "DidDocument({} members)", members.len())
    }
}

/// The verification method of `did` under that fragment, if the document lists it for one of `relations`, whole or by name.
/// Whether it still holds is another question: [`is_own`].
///
/// # Source
/// W3C DID 1.0 §5.2, §5.3; Controlled Identifiers 1.0 §2.2, §2.3, §3.3.
pub fn method<'d>(
    document: &'d Map<String, Value>,
    did: &str,
    fragment: &str,
    relations: &[&str],
) -> Option<&'d Map<String, Value>> {
    let full = format!("{did}#{fragment}");
    let names = |id: &Value| id.as_str().is_some_and(|id| id == full || id.strip_prefix('#') == Some(fragment));
    let listed = |name: &str| document.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_method = |entry: &&Value| entry.get("id").is_some_and(names);
    let entries = || relations.iter().flat_map(|relation| listed(relation));
    let method = if entries().any(names) {
        listed("verificationMethod").iter().find(is_method)
    } else {
        entries().find(is_method)
    };
    method.and_then(Value::as_object)
}

/// Whether a verification method is the subject's own, not withdrawn and without an end.
///
/// # Source
/// Controlled Identifiers 1.0 §2.2 `controller`, `revoked`, `expires`.
pub fn is_own(method: &Map<String, Value>, did: &str) -> bool {
    let controller = method.get("controller").and_then(Value::as_str);
    controller == Some(did) && !method.contains_key("revoked") && !method.contains_key("expires")
}

/// Where the document of a `did:web` lies.
///
/// # Source
/// `did:web` method specification, §2.5.2 "Read (Resolve)". Ports and user names are refused: nobody needs them in front of a document.
pub fn web_url(did: &str) -> Option<Url> {
    let mut parts = did.strip_prefix("did:web:")?.split(':');
    let plain = |part: &&str| {
        !part.is_empty()
            && *part != "."
            && *part != ".."
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
    };
    let host = parts.next().filter(plain)?;
    let path: Vec<&str> = parts.collect();
    if did.len() > MOST_DID || !path.iter().all(plain) {
        return None;
    }
    let path = if path.is_empty() { ".well-known".to_owned() } else { path.join("/") };
    let url = Url::parse(&format!("https://{host}/{path}/did.json")).ok()?;
    // A name: a document under an address would be whoever's has the address today.
    (url.domain() == Some(host)).then_some(url)
}

const MOST_DID: usize = 512;

#[cfg(test)]
mod tests {
    use super::super::Did;
    use super::*;
    use crate::signer::Signer as _;
    use crate::testing::key;
    use serde_json::json;

    const DID: &str = "did:web:border.example";

    fn document(change: impl FnOnce(&mut Value)) -> Option<DidDocument> {
        let mut document = json!({
            "@context": ["https://www.w3.org/ns/did/v1"],
            "id": DID,
            "verificationMethod": [
                {"id": "did:web:border.example#k1", "type": "JsonWebKey2020", "controller": DID, "publicKeyJwk": key(1).public_key().to_jwk()},
                {"id": "#k2", "type": "Multikey", "controller": DID, "publicKeyMultibase": "zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"},
                {"id": "#k3", "type": "JsonWebKey2020", "controller": DID, "publicKeyJwk": key(3).public_key().to_jwk()},
            ],
            "authentication": ["did:web:border.example#k1"],
            "assertionMethod": ["#k2"],
            "keyAgreement": ["#k3"],
        });
        change(&mut document);
        DidDocument::parse(document.to_string().as_bytes(), DID).ok()
    }

    #[test]
    fn did_03_a_key_signs_requests_if_its_document_says_so() {
        let did = Did::parse(DID).unwrap();
        assert_eq!(did.document_url().unwrap().as_str(), "https://border.example/.well-known/did.json");
        let document = document(|_| {});
        assert_eq!(did.key("#k1", document.as_ref()).as_ref(), Some(key(1).public_key()));
        assert_eq!(did.key("did:web:border.example#k1", document.as_ref()).as_ref(), Some(key(1).public_key()));
        assert!(did.key("#k2", document.as_ref()).is_some());
        assert!(did.key("#k1", None).is_none(), "without the document there is no key");
        for kid in ["#k3", "#k4", "k1", "#", "did:web:other.example#k1", "did:web:border.example"] {
            assert!(did.key(kid, document.as_ref()).is_none(), "{kid}");
        }
        let other = Did::parse("did:web:other.example").unwrap();
        assert!(other.key("#k1", document.as_ref()).is_none(), "another's document");
    }

    #[test]
    fn did_04_documents_that_do_not_hold_are_refused() {
        let did = Did::parse(DID).unwrap();
        let changes: [fn(&mut Value); 7] = [
            |document| document["authentication"] = json!([]),
            |document| document["verificationMethod"][0]["controller"] = json!("did:web:other.example"),
            |document| document["verificationMethod"][0]["revoked"] = json!("2026-01-01T00:00:00Z"),
            |document| document["verificationMethod"][0]["publicKeyJwk"]["use"] = json!("enc"),
            |document| document["verificationMethod"][0]["publicKeyJwk"]["d"] = json!("AA"),
            |document| document["verificationMethod"][0]["type"] = json!("RsaVerificationKey2018"),
            |document| document["verificationMethod"] = json!("x"),
        ];
        for change in changes {
            assert!(did.key("#k1", document(change).as_ref()).is_none());
        }
        assert_eq!(document(|document| document["id"] = json!("did:web:other.example")), None);
        let padded = format!("{{\"id\":\"{DID}\",\"x\":\"{}\"}}", "a".repeat(DidDocument::LONGEST));
        for bytes in [padded.as_bytes(), b"", b"[]", b"{\"id\":1,\"id\":2}"] {
            assert_eq!(DidDocument::parse(bytes, DID), Err(DidError::Document));
        }
    }

    #[test]
    fn did_05_did_web_names_one_https_address() {
        let url = |did| web_url(did).map(|url| url.to_string());
        assert_eq!(url("did:web:a.example:b:c").as_deref(), Some("https://a.example/b/c/did.json"));
        for did in [
            "did:web:",
            "did:web:a%3A8443",
            "did:web:a:..:b",
            "did:web:a::b",
            "did:web:u@h",
            "did:web:a/b",
            "did:web:a?b",
            "did:web:127.1",
            "did:web:127.0.0.1",
            "did:web:A.example",
            "did:web:a.example:%2e%2e",
            "did:key:z",
        ] {
            assert_eq!(url(did), None, "{did}");
        }
    }
}
