//! Decentralized identifiers: those that are their own key (`did:jwk`, `did:key`), and those whose document lies on the web (`did:web`).

mod document;

pub use document::{DidDocument, is_own, method, web_url};

use crate::b64;
use crate::json::{self, Limits};
use crate::key::PublicKey;
use url::Url;

/// Why a text is not an identifier whose key we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DidError {
    /// Of another method.
    #[error("DID method is none of jwk, key and web")]
    Method,
    /// Not a host and a path that a document can lie at.
    #[error("DID names no place on the web for its document")]
    Place,
    /// Not the document of that DID.
    #[error("document is not that of the DID")]
    Document,
    /// Not a P-256 key for signatures in the form of the method.
    #[error("DID does not hold a P-256 key for signatures")]
    Key,
}

/// An identifier, and where its keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Did {
    text: String,
    keys: Keys,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Keys {
    /// It is its own key, under this fragment.
    Own { fragment: String, key: Box<PublicKey> },
    /// They stand in the document that lies there.
    Web(Url),
}

impl Did {
    /// Reads an identifier.
    ///
    /// # Errors
    /// [`DidError`]: other methods, other curves, private keys, keys for encryption.
    ///
    /// # Source
    /// `did:jwk` method specification; W3C `did:key` §3.1.1 (multicodec `p256-pub`, 0x1200, base58btc); `did:web` §2.5.2.
    pub fn parse(text: &str) -> Result<Self, DidError> {
        let own = |fragment: &str, key: PublicKey| {
            let keys = Keys::Own { fragment: fragment.to_owned(), key: Box::new(key) };
            Ok(Self { text: text.to_owned(), keys })
        };
        if text.starts_with("did:web:") {
            let keys = Keys::Web(web_url(text).ok_or(DidError::Place)?);
            return Ok(Self { text: text.to_owned(), keys });
        }
        if let Some(encoded) = text.strip_prefix("did:jwk:") {
            let bytes = b64::decode(encoded).map_err(|_| DidError::Key)?;
            let jwk = json::parse_object(&bytes, &Limits { bytes: MOST_JWK, depth: 2 }).map_err(|_| DidError::Key)?;
            if jwk.get("use").is_some_and(|usage| usage != "sig") {
                return Err(DidError::Key);
            }
            let key = PublicKey::from_jwk(&jwk).map_err(|_| DidError::Key)?;
            return own("0", key);
        }
        let encoded = text.strip_prefix("did:key:").ok_or(DidError::Method)?;
        let bytes = encoded.strip_prefix('z').and_then(base58).ok_or(DidError::Key)?;
        let point = match bytes.as_slice() {
            [0x80, 0x24, point @ ..] => point.try_into().map_err(|_| DidError::Key)?,
            _ => return Err(DidError::Key),
        };
        let key = PublicKey::from_compressed(point).map_err(|_| DidError::Key)?;
        own(encoded, key)
    }

    /// The whole of it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where its document lies; `None` when it is its own.
    pub const fn document_url(&self) -> Option<&Url> {
        match &self.keys {
            Keys::Own { .. } => None,
            Keys::Web(url) => Some(url),
        }
    }

    /// The key that the verification method `kid` names, by its whole URL or by its fragment; `None` when there is no such one.
    /// `document` is that of this identifier, where it lies on the web.
    ///
    /// # Source
    /// W3C DID 1.0 §3.2.2 "Relative DID URLs", §5.2, §5.3.
    pub fn key(&self, kid: &str, document: Option<&DidDocument>) -> Option<PublicKey> {
        let (did, fragment) = kid.split_once('#')?;
        if !(did.is_empty() || did == self.text) {
            return None;
        }
        match &self.keys {
            Keys::Own { fragment: own, key } => (fragment == own).then(|| (**key).clone()),
            Keys::Web(_) => document.filter(|document| document.is_of(&self.text))?.signing_key(fragment),
        }
    }
}

/// Base58 with the alphabet of Bitcoin, for what is as short as a key.
///
/// # Source
/// draft-msporny-base58 §3.
fn base58(text: &str) -> Option<Vec<u8>> {
    if text.len() > MOST_BASE58 {
        return None;
    }
    // Little end first.
    let mut bytes: Vec<u8> = Vec::new();
    for letter in text.bytes() {
        let mut carry = ALPHABET.iter().position(|known| *known == letter)?;
        for byte in &mut bytes {
            carry += usize::from(*byte) * 58;
            *byte = (carry & 0xff) as u8;
            carry >>= 8;
        }
        while carry > 0 {
            bytes.push((carry & 0xff) as u8);
            carry >>= 8;
        }
    }
    bytes.extend(text.bytes().take_while(|letter| *letter == b'1').map(|_| 0));
    bytes.reverse();
    Some(bytes)
}

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const MOST_BASE58: usize = 64;
const MOST_JWK: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// The P-256 examples of the did:key specification (§6.3), and of the did:jwk one.
    const KEYS: [&str; 2] = [
        "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169",
        "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv",
    ];
    const JWK: &str = "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImFjYklRaXVNczNpOF91c3pFakoydHBUdFJNNEVVM3l6OTFQSDZDZEgyVjAiLCJ5IjoiX0tjeUxqOXZXTXB0bm1LdG00NkdxRHo4d2Y3NEk1TEtncmwyR3pIM25TRSJ9";

    #[test]
    fn did_01_the_examples_of_the_methods_hold_keys() {
        for text in KEYS {
            let did = Did::parse(text).unwrap();
            let own = text.strip_prefix("did:key:").unwrap();
            assert!(did.key(&format!("{text}#{own}"), None).is_some() && did.key(&format!("#{own}"), None).is_some());
            assert!(did.key(text, None).is_none() && did.key("#0", None).is_none() && did.key(own, None).is_none());
            assert!(did.key(&format!("{JWK}#{own}"), None).is_none(), "another's document");
            assert!(did.document_url().is_none());
        }
        assert_ne!(Did::parse(KEYS[0]).unwrap().keys, Did::parse(KEYS[1]).unwrap().keys);
        let did = Did::parse(JWK).unwrap();
        let jwk = did.key("#0", None).unwrap().to_jwk();
        assert_eq!(jwk["x"], "acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0");
        assert!(did.key(&format!("{JWK}#1"), None).is_none());
    }

    #[test]
    fn did_02_other_methods_and_keys_are_refused() {
        let jwk = |json: &str| format!("did:jwk:{}", b64::encode(json.as_bytes()));
        for (text, error) in [
            ("did:web:".to_owned(), DidError::Place),
            ("did:web:verifier.example%3A8443".to_owned(), DidError::Place),
            ("did:web:127.1".to_owned(), DidError::Place),
            ("did:example:123".to_owned(), DidError::Method),
            ("DID:key:z".to_owned(), DidError::Method),
            ("did:key:".to_owned(), DidError::Key),
            ("did:key:z".to_owned(), DidError::Key),
            // Ed25519, and a letter that is not of the alphabet.
            ("did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK".to_owned(), DidError::Key),
            (KEYS[0].replace("Dna", "D0a"), DidError::Key),
            (format!("did:key:z{}", "2".repeat(100_000)), DidError::Key),
            ("did:jwk:e30".to_owned(), DidError::Key),
            (jwk(r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#), DidError::Key),
            (
                jwk(
                    r#"{"crv":"P-256","kty":"EC","x":"acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0","y":"_KcyLj9vWMptnmKtm46GqDz8wf74I5LKgrl2GzH3nSE","use":"enc"}"#,
                ),
                DidError::Key,
            ),
            (
                jwk(
                    r#"{"crv":"P-256","kty":"EC","x":"acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0","y":"_KcyLj9vWMptnmKtm46GqDz8wf74I5LKgrl2GzH3nSE","d":"AA"}"#,
                ),
                DidError::Key,
            ),
        ] {
            assert_eq!(Did::parse(&text), Err(error), "{}", text.get(..40).unwrap_or(&text));
        }
    }
}
