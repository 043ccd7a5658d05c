//! One disclosure, as it came.

use super::parse::ParseError;
use crate::b64;
use crate::json::{self, Limits};
use serde_json::Value;

/// A disclosure as it came: parsed, not yet found in what the issuer signed.
#[derive(Clone)]
pub(super) struct DisclosureIn {
    /// The claim's name; `None` for an element of an array.
    pub(super) name: Option<String>,
    /// The claim's value.
    pub(super) value: Value,
}

impl DisclosureIn {
    /// Reads the text of a disclosure; `scratch` is memory to decode it in.
    ///
    /// # Source
    /// RFC 9901 §4.2.1, §4.2.2.
    pub(super) fn parse(text: &str, scratch: &mut Vec<u8>) -> Result<Self, ParseError> {
        scratch.clear();
        b64::decode_onto(text, scratch).map_err(|_| ParseError::Disclosure)?;
        match json::parse_salted(scratch, &Limits::TOKEN)? {
            Some((value, None)) => Ok(Self { name: None, value }),
            Some((Value::String(name), Some(_))) if is_reserved(&name) => Err(ParseError::ReservedName),
            Some((Value::String(name), Some(value))) => Ok(Self { name: Some(name), value }),
            _ => Err(ParseError::Disclosure),
        }
    }
}

/// Whether a claim may never have this name.
///
/// # Source
/// RFC 9901 §4.2.1 for `_sd` and `...`; §4.1.1: `_sd_alg` stands at the top of what the issuer signed and nowhere else.
pub(super) fn is_reserved(name: &str) -> bool {
    matches!(name, "_sd" | "..." | "_sd_alg")
}
