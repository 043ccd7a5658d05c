//! A CBOR data item.

use crate::b64;
use serde_json::{Map, Number};
use std::fmt;

/// A CBOR data item.
///
/// Integers are those of 64 bits with a sign; others are refused when they are read. Simple values other than these three
/// do not exist here.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// An integer.
    Integer(i64),
    /// A byte string.
    Bytes(Vec<u8>),
    /// A text string.
    Text(String),
    /// An array.
    Array(Vec<Value>),
    /// A map. When it was read: keys are integers or texts, each once.
    Map(Vec<(Value, Value)>),
    /// A tag and what it tags.
    Tag(u64, Box<Value>),
    /// True or false.
    Bool(bool),
    /// `null`
    Null,
    /// A floating-point number of any width.
    Float(f64),
}

impl Value {
    /// The integer.
    pub const fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(n) => Some(*n),
            _ => None,
        }
    }

    /// The text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The bytes, moved out.
    pub fn into_bytes(self) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The text, moved out.
    pub fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of an array, moved out.
    pub fn into_array(self) -> Option<Vec<Self>> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The members of a map, moved out.
    pub fn into_map(self) -> Option<Vec<(Self, Self)>> {
        match self {
            Self::Map(members) => Some(members),
            _ => None,
        }
    }

    /// What stands under `tag`, moved out.
    pub fn into_tagged(self, tag: u64) -> Option<Self> {
        match self {
            Self::Tag(found, value) if found == tag => Some(*value),
            _ => None,
        }
    }

    /// The bytes of a byte string that holds CBOR (tag 24), moved out and not read.
    pub fn into_embedded(self) -> Option<Vec<u8>> {
        self.into_tagged(super::EMBEDDED)?.into_bytes()
    }

    /// As JSON, for queries and for people.
    ///
    /// Bytes become base64url without padding, tags fall away, keys that are integers become decimal text, and numbers
    /// that JSON does not have become `null`.
    ///
    /// # Source
    /// RFC 8949 §6.1, to which OpenID4VP 1.0 §6.3 `values` refers.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Self::Integer(n) => Json::from(*n),
            Self::Bytes(bytes) => Json::String(b64::encode(bytes)),
            Self::Text(text) => Json::String(text.clone()),
            Self::Array(items) => items.iter().map(Self::to_json).collect(),
            Self::Map(members) => {
                let name = |key: &Self| match key {
                    Self::Text(text) => text.clone(),
                    key => key.to_json().to_string(),
                };
                Json::Object(members.iter().map(|(key, value)| (name(key), value.to_json())).collect::<Map<_, _>>())
            }
            Self::Tag(_, value) => value.to_json(),
            Self::Bool(bool) => Json::Bool(*bool),
            Self::Null => Json::Null,
            Self::Float(float) => Number::from_f64(*float).map_or(Json::Null, Json::Number),
        }
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Self::Integer(n)
    }
}

impl From<bool> for Value {
    fn from(bool: bool) -> Self {
        Self::Bool(bool)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl fmt::Debug for Value {
    /// The kind only: values are claims about people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(_) => f.write_str("Integer"),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Text(_) => f.write_str("Text"),
            Self::Array(items) => write!(f, "Array({})", items.len()),
            Self::Map(members) => write!(f, "Map({})", members.len()),
            Self::Tag(tag, _) => write!(f, "Tag({tag})"),
            Self::Bool(_) => f.write_str("Bool"),
            Self::Null => f.write_str("Null"),
            Self::Float(_) => f.write_str("Float"),
        }
    }
}
