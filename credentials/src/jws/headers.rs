//! Headers that were read before: an issuer signs thousands of tokens under one, with all its certificates in it.

use super::Header;
use crate::algorithm::SignatureAlgorithms;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

/// Headers by their text, as it stands in the token. What a header says follows from its text alone, so nothing in here grows
/// old or depends on who asks; whom to believe is decided anew each time.
///
/// Only headers of tokens whose signature was verified come in, or a stranger could fill it. Holds at most 256 of at most
/// 16 KiB; when full it forgets all and starts again.
#[derive(Default)]
pub(crate) struct HeaderCache(Mutex<BTreeMap<Box<str>, Arc<Header>>>);

const MOST: usize = 256;
const LONGEST: usize = 16 * 1024;

impl HeaderCache {
    /// An empty cache.
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// The header of that text, where its algorithm is one of `algorithms`.
    pub(super) fn get(&self, text: &str, algorithms: SignatureAlgorithms) -> Option<Arc<Header>> {
        let headers = self.0.lock().ok()?;
        headers.get(text).filter(|header| algorithms.contains(header.alg)).cloned()
    }

    pub(super) fn insert(&self, text: &str, header: &Arc<Header>) {
        if text.len() > LONGEST {
            return;
        }
        if let Ok(mut headers) = self.0.lock() {
            if headers.len() >= MOST {
                headers.clear();
            }
            headers.insert(text.into(), Arc::clone(header));
        }
    }
}

impl fmt::Debug for HeaderCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeaderCache").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Limits;
    use crate::jws::JwsIn;
    use crate::testing::key;
    use serde_json::json;

    fn token(header: &serde_json::Value) -> String {
        crate::jws::sign(header.as_object().unwrap(), b"{}", &key(1)).unwrap()
    }

    fn read<'t>(
        text: &'t str,
        headers: &HeaderCache,
        algorithms: SignatureAlgorithms,
    ) -> Result<JwsIn<'t>, super::super::JwsError> {
        JwsIn::parse_remembering(text, &Limits::TOKEN, algorithms, Some(headers))
    }

    #[test]
    fn a_header_is_remembered_by_all_of_its_text_and_once_its_token_was_verified() {
        let headers = HeaderCache::new();
        let texts = [json!({"alg": "ES256", "kid": "a"}), json!({"alg": "ES256", "kid": "b"})].map(|h| token(&h));
        let [first, second] = texts.each_ref().map(|text| read(text, &headers, SignatureAlgorithms::ES256).unwrap());
        assert!(!read(&texts[0], &headers, SignatureAlgorithms::ES256).unwrap().is_remembered);
        first.remember_header(&headers);
        let again = read(&texts[0], &headers, SignatureAlgorithms::ES256).unwrap();
        assert!(again.is_remembered);
        assert_eq!(again.header().kid.as_deref(), Some("a"));
        let other = read(&texts[1], &headers, SignatureAlgorithms::ES256).unwrap();
        assert!(!other.is_remembered);
        assert_eq!(other.header().kid, second.header().kid);
    }

    #[test]
    fn attack_01_a_remembered_header_is_refused_by_whoever_does_not_accept_its_algorithm() {
        let headers = HeaderCache::new();
        let text = token(&json!({"alg": "EdDSA"}));
        read(&text, &headers, SignatureAlgorithms::ALL).unwrap().remember_header(&headers);
        assert!(read(&text, &headers, SignatureAlgorithms::ALL).unwrap().is_remembered);
        assert_eq!(read(&text, &headers, SignatureAlgorithms::ES256).unwrap_err(), super::super::JwsError::Algorithm);
    }

    #[test]
    fn the_cache_is_bounded_in_number_and_length() {
        let headers = HeaderCache::new();
        let header =
            Arc::clone(&read(&token(&json!({"alg": "ES256"})), &headers, SignatureAlgorithms::ES256).unwrap().header);
        headers.insert(&"A".repeat(16 * 1024 + 1), &header);
        assert_eq!(headers.0.lock().unwrap().len(), 0);
        headers.insert(&"A".repeat(16 * 1024), &header);
        assert_eq!(headers.0.lock().unwrap().len(), 1);
        for n in 1..MOST {
            headers.insert(&n.to_string(), &header);
        }
        assert_eq!(headers.0.lock().unwrap().len(), MOST);
        headers.insert("one more", &header);
        assert_eq!(headers.0.lock().unwrap().len(), 1);
    }
}
