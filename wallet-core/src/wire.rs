//! Bytes of a peer into the types of `schemas`: strict JSON, bounded.

use credentials::json::{self, Limits};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// For metadata and answers that hold credentials. What is in them is bounded again where it is read.
const DOCUMENT: Limits = Limits { bytes: 4 * 1024 * 1024, depth: 16 };

/// A JSON object that is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The members of a JSON object.
pub(crate) fn object(bytes: &[u8]) -> Result<Map<String, Value>, Malformed> {
    json::parse_object(bytes, &DOCUMENT).map_err(|_| Malformed)
}

/// A JSON object of a known shape; members that the shape does not know are ignored.
pub(crate) fn shaped<T: DeserializeOwned>(members: Map<String, Value>) -> Result<T, Malformed> {
    serde_json::from_value(Value::Object(members)).map_err(|_| Malformed)
}

/// The `error` of an OAuth error answer, kept only when it looks like one: it is shown to people.
///
/// # Source
/// RFC 6749 §5.2.
pub(crate) fn error_code(bytes: &[u8]) -> Option<String> {
    let members = object(bytes).ok()?;
    plain_code(members.get("error")?.as_str()?)
}

/// An error code that can be shown: lower case, digits, `_`; another's words are nobody's code.
pub(crate) fn plain_code(code: &str) -> Option<String> {
    let looks_right = (1..=64).contains(&code.len())
        && code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    looks_right.then(|| code.to_owned())
}
