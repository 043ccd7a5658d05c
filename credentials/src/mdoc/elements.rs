//! Data elements by name space.

use crate::cbor::{FieldError, Fields, Limits, Value, Writer, parse};
use schemas::{ClaimPath, PathElement};
use serde_json::Map;
use std::collections::BTreeMap;
use std::fmt;

/// Data elements by name space and identifier, each once.
#[derive(Clone, PartialEq, Default)]
pub struct Elements(BTreeMap<String, BTreeMap<String, Value>>);

impl Elements {
    /// None yet.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Puts in an element; gives what stood there before.
    pub fn insert(&mut self, name_space: &str, identifier: &str, value: impl Into<Value>) -> Option<Value> {
        self.0.entry(name_space.to_owned()).or_default().insert(identifier.to_owned(), value.into())
    }

    /// The element called `identifier` in `name_space`.
    pub fn get(&self, name_space: &str, identifier: &str) -> Option<&Value> {
        self.0.get(name_space)?.get(identifier)
    }

    /// The element at a claims path of a name space and an identifier; any other path leads nowhere.
    ///
    /// # Source
    /// OpenID4VP 1.0 §7.2 "Semantics for ISO mdoc-based credentials".
    pub fn at(&self, path: &ClaimPath) -> Option<&Value> {
        let (name_space, identifier) = names(path)?;
        self.get(name_space, identifier)
    }

    /// The elements with their name spaces and identifiers, in the order of these.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        self.0.iter().flat_map(|(name_space, elements)| {
            elements.iter().map(move |(identifier, value)| (name_space.as_str(), identifier.as_str(), value))
        })
    }

    /// The elements of each name space.
    pub(super) fn name_spaces(&self) -> impl ExactSizeIterator<Item = (&String, &BTreeMap<String, Value>)> {
        self.0.iter()
    }

    /// Their claims paths.
    pub fn paths(&self) -> Vec<ClaimPath> {
        self.iter().map(|(name_space, identifier, _)| ClaimPath::names([name_space, identifier])).collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// As JSON: an object of name spaces, each an object of elements.
    ///
    /// # Source
    /// RFC 8949 §6.1, as [`Value::to_json`].
    pub fn to_json(&self) -> Map<String, serde_json::Value> {
        let space = |elements: &BTreeMap<String, Value>| {
            serde_json::Value::Object(elements.iter().map(|(name, value)| (name.clone(), value.to_json())).collect())
        };
        self.0.iter().map(|(name, elements)| (name.clone(), space(elements))).collect()
    }

    /// Reads `DeviceNameSpaces`.
    ///
    /// # Source
    /// ISO/IEC 18013-5 §8.3.2.1.2.2.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, FieldError> {
        let malformed = FieldError::Malformed("DeviceNameSpaces");
        let mut read = BTreeMap::new();
        for (name_space, elements) in Fields::of(parse(bytes, &Limits::MESSAGE)?, "DeviceNameSpaces")?.rest() {
            let elements = Fields::of(elements, "DeviceSignedItems")?.rest();
            let elements: Option<BTreeMap<String, Value>> =
                elements.into_iter().map(|(name, value)| Some((name.into_text()?, value))).collect();
            let elements = elements.filter(|elements| !elements.is_empty()).ok_or(malformed)?;
            read.insert(name_space.into_text().ok_or(malformed)?, elements);
        }
        Ok(Self(read))
    }

    /// As `DeviceNameSpaces`.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.map(self.0.len());
        for (name_space, elements) in &self.0 {
            writer.text(name_space).map(elements.len());
            for (identifier, value) in elements {
                writer.text(identifier).value(value);
            }
        }
        writer.into_bytes()
    }
}

impl<'v> FromIterator<(&'v str, &'v str, Value)> for Elements {
    fn from_iter<I: IntoIterator<Item = (&'v str, &'v str, Value)>>(elements: I) -> Self {
        let mut collected = Self::new();
        for (name_space, identifier, value) in elements {
            collected.insert(name_space, identifier, value);
        }
        collected
    }
}

/// Name space and identifier, when `path` is made of two names.
pub(super) fn names(path: &ClaimPath) -> Option<(&str, &str)> {
    match path.elements() {
        [PathElement::Name(name_space), PathElement::Name(identifier)] => Some((name_space, identifier)),
        _ => None,
    }
}

impl fmt::Debug for Elements {
    /// Identifiers only: values are claims about people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name_space, elements) in &self.0 {
            map.entry(name_space, &elements.keys().collect::<Vec<_>>());
        }
        map.finish()
    }
}
