//! The JWS JSON serialisation of an SD-JWT: read and written in both its forms.

use super::parse::{MOST_DISCLOSURES, SdJwtIn};
use crate::b64;
use crate::json::{self, JsonError, Limits};
use serde_json::{Map, Value, json};
use std::fmt;

/// Why a text is not an SD-JWT in JSON serialisation that we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonFormError {
    /// Not strict JSON, or not an object.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A member is missing, of the wrong kind, or holds characters that are not base64url.
    #[error("member {0} is missing or malformed")]
    Malformed(&'static str),
    /// A member where it does not belong: `disclosures` and `kb_jwt` stand in the first unprotected header and nowhere else;
    /// the flattened form has no `signatures`, the general one neither `protected`, `signature` nor `header` beside them.
    #[error("member {0} stands in the wrong place")]
    Misplaced(&'static str),
    /// No signature, or more than are read.
    #[error("no signature, or more than {} of them", SdJwtJsonIn::MOST_SIGNATURES)]
    Signatures,
    /// More disclosures than are read.
    #[error("more than {MOST_DISCLOSURES} disclosures")]
    TooMany,
    /// A header parameter that says how a token is checked, outside the protected header.
    #[error("header parameter {0} is not protected by the signature")]
    Unprotected(&'static str),
    /// A header parameter both protected and not.
    #[error("a header parameter occurs twice")]
    Twice,
}

/// An SD-JWT or SD-JWT+KB that came in JSON serialisation: taken apart, nothing verified.
///
/// Each signature makes one compact text, and that is what is verified, as any other: with `verify_issued`,
/// `verify_presented`, or [`SdJwtIn`]. With several signatures it is the caller's choice which of them it asks for; a KB-JWT
/// is made over one of the texts only.
///
/// # Source
/// RFC 9901 §8; RFC 7515 §7.2.
#[derive(Clone, PartialEq, Eq)]
pub struct SdJwtJsonIn {
    texts: Vec<String>,
}

impl SdJwtJsonIn {
    /// The most signatures in the general form.
    pub const MOST_SIGNATURES: usize = 4;

    /// Takes either form apart, and puts the compact text of each signature together.
    ///
    /// Unprotected parameters other than `disclosures` and `kb_jwt` are not looked at, unless they would say how the token is
    /// checked: those are refused.
    ///
    /// # Errors
    /// [`JsonFormError`].
    ///
    /// # Source
    /// RFC 9901 §8.1–§8.4; RFC 7515 §7.2.1, §7.2.2, §4.1.11.
    pub fn parse(bytes: &[u8]) -> Result<Self, JsonFormError> {
        let whole = json::parse_object(bytes, &LIMITS)?;
        refuse_beside_headers(&whole)?;
        let payload = base64url(&whole, "payload")?;
        let parts: Vec<&Map<String, Value>> = match whole.get("signatures") {
            None => vec![&whole],
            Some(Value::Array(signatures)) => {
                for name in ["protected", "signature", "header"] {
                    if whole.contains_key(name) {
                        return Err(JsonFormError::Misplaced(name));
                    }
                }
                signatures.iter().map(Value::as_object).collect::<Option<_>>().ok_or(MALFORMED_SIGNATURES)?
            }
            Some(_) => return Err(MALFORMED_SIGNATURES),
        };
        if parts.is_empty() || parts.len() > Self::MOST_SIGNATURES {
            return Err(JsonFormError::Signatures);
        }
        let mut rest = String::from("~");
        let mut texts = Vec::with_capacity(parts.len());
        for (index, part) in parts.into_iter().enumerate() {
            refuse_beside_headers(part)?;
            let protected = base64url(part, "protected")?;
            let signature = base64url(part, "signature")?;
            if let Some(header) = unprotected(part, protected)? {
                if index == 0 {
                    append(header, &mut rest)?;
                } else if let Some(name) = SHOWN.into_iter().find(|name| header.contains_key(*name)) {
                    return Err(JsonFormError::Misplaced(name));
                }
            }
            texts.push(format!("{protected}.{payload}.{signature}{rest}"));
        }
        Ok(Self { texts })
    }

    /// The compact text under the first signature: the one over which a KB-JWT is made when there are several.
    pub fn first(&self) -> &str {
        self.texts.first().map_or("", String::as_str)
    }

    /// The compact text under each signature, in their order.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.texts.iter().map(String::as_str)
    }
}

impl fmt::Debug for SdJwtJsonIn {
    /// How many signatures; the texts hold claims and salts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { texts } = self;
        f.debug_struct("SdJwtJsonIn").field("signatures", &texts.len()).finish_non_exhaustive()
    }
}

impl SdJwtIn<'_> {
    /// The same in flattened JSON serialisation.
    ///
    /// # Source
    /// RFC 9901 §8.2.
    pub fn to_flattened_json(&self) -> String {
        let [protected, payload, signature] = self.jws_parts();
        let header = self.unprotected_header();
        json!({"payload": payload, "protected": protected, "signature": signature, "header": header}).to_string()
    }

    /// The same in general JSON serialisation, with its one signature.
    ///
    /// # Source
    /// RFC 9901 §8.3.
    pub fn to_general_json(&self) -> String {
        let [protected, payload, signature] = self.jws_parts();
        let signature = json!({"protected": protected, "signature": signature, "header": self.unprotected_header()});
        json!({"payload": payload, "signatures": [signature]}).to_string()
    }

    /// Protected header, payload and signature of the issuer's JWT.
    fn jws_parts(&self) -> [&str; 3] {
        let jwt = self.text.split_once('~').map_or(self.text, |(jwt, _)| jwt);
        // Parsed before, so that there are three.
        let mut parts = jwt.split('.');
        [(); 3].map(|()| parts.next().unwrap_or_default())
    }

    /// What RFC 9901 §8.1 has outside of what is signed.
    fn unprotected_header(&self) -> Map<String, Value> {
        let mut header = Map::new();
        header.insert("disclosures".to_owned(), self.disclosure_texts.iter().copied().collect());
        if let Some(key_binding) = self.key_binding {
            header.insert("kb_jwt".to_owned(), key_binding.into());
        }
        header
    }
}

/// A compact text and a little more; what it holds is limited again when that text is read.
const LIMITS: Limits = Limits { bytes: Limits::TOKEN.bytes + 64 * 1024, ..Limits::TOKEN };

/// The two parameters of RFC 9901 §8.1.
const SHOWN: [&str; 2] = ["disclosures", "kb_jwt"];

/// What must be covered by the signature wherever it is given: how to check it, and what kind of token it is.
const PROTECTED: [&str; 11] = ["alg", "typ", "cty", "crit", "b64", "jwk", "jku", "x5c", "x5u", "zip", "enc"];

const MALFORMED_SIGNATURES: JsonFormError = JsonFormError::Malformed("signatures");

/// Older writers put the two parameters beside the headers, where nobody looks for them.
fn refuse_beside_headers(part: &Map<String, Value>) -> Result<(), JsonFormError> {
    match SHOWN.into_iter().find(|name| part.contains_key(*name)) {
        Some(name) => Err(JsonFormError::Misplaced(name)),
        None => Ok(()),
    }
}

/// The unprotected header beside `protected`, with nothing in it that should be protected or already is.
fn unprotected<'p>(
    part: &'p Map<String, Value>,
    protected: &str,
) -> Result<Option<&'p Map<String, Value>>, JsonFormError> {
    let header = match part.get("header") {
        None => return Ok(None),
        Some(Value::Object(header)) => header,
        Some(_) => return Err(JsonFormError::Malformed("header")),
    };
    if let Some(name) = PROTECTED.into_iter().find(|name| header.contains_key(*name)) {
        return Err(JsonFormError::Unprotected(name));
    }
    let protected = b64::decode(protected).map_err(|_| JsonFormError::Malformed("protected"))?;
    let protected = json::parse_object(&protected, &Limits::TOKEN)?;
    if header.keys().any(|name| protected.contains_key(name)) {
        return Err(JsonFormError::Twice);
    }
    Ok(Some(header))
}

/// Appends disclosures and KB-JWT as the compact serialisation has them.
fn append(header: &Map<String, Value>, text: &mut String) -> Result<(), JsonFormError> {
    let disclosures = match header.get("disclosures") {
        None => &[][..],
        Some(Value::Array(disclosures)) => disclosures,
        Some(_) => return Err(JsonFormError::Malformed("disclosures")),
    };
    if disclosures.len() > MOST_DISCLOSURES {
        return Err(JsonFormError::TooMany);
    }
    for disclosure in disclosures {
        text.push_str(plain(disclosure.as_str(), "disclosures", "")?);
        text.push('~');
    }
    if let Some(key_binding) = header.get("kb_jwt") {
        text.push_str(plain(key_binding.as_str(), "kb_jwt", ".")?);
    }
    Ok(())
}

fn base64url<'p>(part: &'p Map<String, Value>, name: &'static str) -> Result<&'p str, JsonFormError> {
    plain(part.get(name).and_then(Value::as_str), name, "")
}

/// Text of the base64url alphabet and `more`, so that nothing in it moves the borders of the compact text.
fn plain<'p>(text: Option<&'p str>, name: &'static str, more: &str) -> Result<&'p str, JsonFormError> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_' || more.as_bytes().contains(&b);
    text.filter(|text| !text.is_empty() && text.bytes().all(is_plain)).ok_or(JsonFormError::Malformed(name))
}
