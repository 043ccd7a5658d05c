//! The lists of an issuer by name, so that they can be fetched before anyone presents anything.

use crate::json::{self, JsonError, Limits};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

/// The Status List Tokens that an issuer has, by their URIs.
///
/// Whoever fetches all of them beforehand tells nobody whose status it is about to look up, and can verify offline. Nothing
/// vouches for it: each list that it names is verified by itself, and one that fails spoils no other.
///
/// # Source
/// Token Status List §9.3 "Status List Aggregation Data Structure".
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Aggregation {
    status_lists: Vec<String>,
}

/// Why an aggregation is not one that we read or write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AggregationError {
    /// Not strict JSON, or not an object.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// `status_lists` is not an array of strings.
    #[error("status_lists is not an array of strings")]
    Malformed,
    /// More lists than anyone fetches.
    #[error("{got} status lists, at most {} are read", Aggregation::MOST)]
    TooMany {
        /// How many there are.
        got: usize,
    },
    /// An entry that is not a URL of a host, or a longer one than is read.
    #[error("an entry of status_lists is not the URL of a status list")]
    NotAUrl,
    /// An entry twice.
    #[error("an entry of status_lists occurs twice")]
    Twice,
}

impl Aggregation {
    /// The most lists: at 2^20 entries each more credentials than there are people.
    pub const MOST: usize = 10_000;

    /// Of these URIs, each once.
    ///
    /// # Errors
    /// [`AggregationError`].
    pub fn new(uris: Vec<String>) -> Result<Self, AggregationError> {
        if uris.len() > Self::MOST {
            return Err(AggregationError::TooMany { got: uris.len() });
        }
        for uri in &uris {
            let url = Url::parse(uri).map_err(|_| AggregationError::NotAUrl)?;
            if uri.len() > LONGEST || !url.has_host() || !url.username().is_empty() || url.password().is_some() {
                return Err(AggregationError::NotAUrl);
            }
        }
        let mut sorted: Vec<&String> = uris.iter().collect();
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            return Err(AggregationError::Twice);
        }
        Ok(Self { status_lists: uris })
    }

    /// Reads the document found at an `aggregation_uri`. Members that are not known are not looked at.
    ///
    /// # Errors
    /// [`AggregationError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, AggregationError> {
        #[derive(Deserialize)]
        struct Wire {
            status_lists: Vec<String>,
        }
        let object = json::parse_object(bytes, &LIMITS)?;
        let wire: Wire = serde_json::from_value(Value::Object(object)).map_err(|_| AggregationError::Malformed)?;
        Self::new(wire.status_lists)
    }

    /// The document, `application/json`.
    pub fn to_json(&self) -> String {
        // Strings in an array always have a text.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The URIs, in the order given.
    pub fn uris(&self) -> &[String] {
        &self.status_lists
    }
}

const LONGEST: usize = 2048;

const LIMITS: Limits = Limits { bytes: 1 << 20, ..Limits::TOKEN };

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(value: &Value) -> Result<Aggregation, AggregationError> {
        Aggregation::parse(value.to_string().as_bytes())
    }

    #[test]
    fn the_example_of_the_draft_is_read_and_written() {
        let uris = [1, 2, 3].map(|n| format!("https://example.com/statuslists/{n}")).to_vec();
        let example = json!({"status_lists": uris});
        let read = parse(&example).unwrap();
        assert_eq!(read.uris(), uris);
        assert_eq!(serde_json::from_str::<Value>(&read.to_json()).unwrap(), example);
        assert_eq!(Aggregation::new(uris).unwrap(), read);
        assert!(parse(&json!({"status_lists": [], "more": 1})).unwrap().uris().is_empty());
    }

    #[test]
    fn attack_43_44_entries_that_are_no_lists_or_too_many_are_refused() {
        for value in [json!({}), json!({"status_lists": "https://a.example"}), json!({"status_lists": [1]})] {
            assert_eq!(parse(&value), Err(AggregationError::Malformed), "{value}");
        }
        for uri in [
            "",
            "/statuslists/1",
            "file:///etc/passwd",
            "data:,x",
            "urn:x:y",
            "https://user:pass@a.example/1",
            "https://user@a.example/1",
        ] {
            assert_eq!(parse(&json!({"status_lists": [uri]})), Err(AggregationError::NotAUrl), "{uri}");
        }
        let long = format!("https://a.example/{}", "x".repeat(2048));
        assert_eq!(parse(&json!({"status_lists": [long]})), Err(AggregationError::NotAUrl));
        let twice = json!({"status_lists": ["https://a.example/1", "https://a.example/2", "https://a.example/1"]});
        assert_eq!(parse(&twice), Err(AggregationError::Twice));
        let many: Vec<String> = (0..=Aggregation::MOST).map(|n| format!("https://a.example/{n}")).collect();
        assert_eq!(parse(&json!({"status_lists": many})), Err(AggregationError::TooMany { got: many.len() }));
        let flood = format!("{{\"status_lists\":[\"{}\"]}}", "x".repeat(5 << 20));
        let refused = Aggregation::parse(flood.as_bytes());
        assert!(matches!(refused, Err(AggregationError::Json(JsonError::TooLong { .. }))));
        let doubled = br#"{"status_lists":[],"status_lists":["https://attacker.example/1"]}"#;
        assert_eq!(Aggregation::parse(doubled), Err(AggregationError::Json(JsonError::DuplicateName)));
    }
}
