//! The JSON-LD contexts that may be named: one of the W3C, and those of the operator. None is ever fetched.

use credentials::json::{self, Limits};
use serde_json::Value;
use std::collections::BTreeMap;

/// The context that every credential names first.
///
/// # Source
/// Verifiable Credentials Data Model 2.0 §4.3, Appendix B.1.
pub const CREDENTIALS_V2: &str = "https://www.w3.org/ns/credentials/v2";

const BUNDLED: &[u8] = include_bytes!("../contexts/credentials-v2.jsonld");

/// The contexts that are known, by their URLs.
#[derive(Clone)]
pub struct Contexts(BTreeMap<String, Vec<u8>>);

/// Why a context is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContextError {
    /// The URL is of a context that is known already, and is the W3C's.
    #[error("a context of that URL is there already")]
    Known,
    /// Not a JSON object with `@context`, or beyond the limits.
    #[error("not a JSON-LD context")]
    Form,
    /// It names another context, or sorts values by keys that are in no signature.
    #[error("the context imports another, or uses @index containers, whose keys nobody signs")]
    Feature,
}

impl Contexts {
    /// With the context of the data model alone.
    pub fn new() -> Self {
        Self(BTreeMap::from([(CREDENTIALS_V2.to_owned(), BUNDLED.to_vec())]))
    }

    /// And the operator's own copy of the context at `url`.
    ///
    /// # Errors
    /// [`ContextError`].
    ///
    /// # Source
    /// JSON-LD 1.1 §4.1, §9.15; Data Integrity 1.0 §2.4.1 (contexts are known beforehand).
    pub fn with(mut self, url: &str, bytes: &[u8]) -> Result<Self, ContextError> {
        if self.0.contains_key(url) {
            return Err(ContextError::Known);
        }
        let document =
            json::parse_object(bytes, &Limits { bytes: MOST_BYTES, depth: 16 }).map_err(|_| ContextError::Form)?;
        let context = document.get("@context").filter(|context| context.is_object()).ok_or(ContextError::Form)?;
        if !is_plain(context) {
            return Err(ContextError::Feature);
        }
        self.0.insert(url.to_owned(), bytes.to_vec());
        Ok(self)
    }

    /// Whether a context of that URL is known.
    pub fn contains(&self, url: &str) -> bool {
        self.0.contains_key(url)
    }

    pub(crate) fn get(&self, url: &str) -> Option<&[u8]> {
        self.0.get(url).map(Vec::as_slice)
    }
}

impl Default for Contexts {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether a context stands alone: scoped contexts are objects too, never URLs.
fn is_plain(context: &Value) -> bool {
    match context {
        Value::Object(members) => members.iter().all(|(name, value)| match name.as_str() {
            "@import" => false,
            "@context" => !value.is_string() && is_plain(value),
            "@container" => !mentions_index(value),
            _ => is_plain(value),
        }),
        Value::Array(items) => items.iter().all(|item| !item.is_string() && is_plain(item)),
        _ => true,
    }
}

fn mentions_index(container: &Value) -> bool {
    let index = |value: &Value| value == "@index";
    index(container) || container.as_array().is_some_and(|items| items.iter().any(index))
}

const MOST_BYTES: usize = 512 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest as _, Sha256};

    #[test]
    fn w3c_01_the_bundled_context_is_the_one_of_the_recommendation() {
        let digest = hex::encode(Sha256::digest(BUNDLED));
        assert_eq!(digest, "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734");
    }

    #[test]
    fn w3c_02_contexts_that_reach_out_or_hide_keys_are_refused() {
        let add = |text: &str| Contexts::new().with("https://registry.example/v1", text.as_bytes()).map(|_| ());
        assert_eq!(add(r#"{"@context": {"name": "https://schema.org/name"}}"#), Ok(()));
        for text in [
            r#"{"@context": {"@import": "https://elsewhere.example/v1"}}"#,
            r#"{"@context": {"a": {"@id": "urn:a", "@context": "https://elsewhere.example/v1"}}}"#,
            r#"{"@context": {"a": {"@id": "urn:a", "@context": ["https://elsewhere.example/v1"]}}}"#,
            r#"{"@context": {"a": {"@id": "urn:a", "@container": "@index"}}}"#,
            r#"{"@context": {"a": {"@id": "urn:a", "@container": ["@graph", "@index"]}}}"#,
        ] {
            assert_eq!(add(text), Err(ContextError::Feature), "{text}");
        }
        for text in ["", "[]", r#"{"@context": "https://elsewhere.example/v1"}"#, r#"{"name": 1}"#] {
            assert_eq!(add(text), Err(ContextError::Form), "{text}");
        }
        let again = Contexts::new().with(CREDENTIALS_V2, br#"{"@context": {}}"#).map(|_| ());
        assert_eq!(again, Err(ContextError::Known));
    }
}
