//! What a device key may say for itself: the holder's own data elements that the issuer allows.

use super::Elements;
use crate::cbor::{FieldError, Fields, Value, Writer};
use std::collections::{BTreeMap, BTreeSet};

/// Which elements the device key may sign; none unless the issuer says so.
///
/// # Source
/// ISO/IEC 18013-5 §9.1.2.4 `KeyAuthorizations`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyAuthorizations {
    name_spaces: BTreeSet<String>,
    elements: BTreeMap<String, BTreeSet<String>>,
}

impl KeyAuthorizations {
    /// None.
    pub const fn new() -> Self {
        Self { name_spaces: BTreeSet::new(), elements: BTreeMap::new() }
    }

    /// Every element of `name_space` too.
    #[must_use]
    pub fn with_name_space(mut self, name_space: &str) -> Self {
        self.elements.remove(name_space);
        self.name_spaces.insert(name_space.to_owned());
        self
    }

    /// This element too.
    #[must_use]
    pub fn with_element(mut self, name_space: &str, identifier: &str) -> Self {
        if !self.name_spaces.contains(name_space) {
            self.elements.entry(name_space.to_owned()).or_default().insert(identifier.to_owned());
        }
        self
    }

    /// Whether the device key may sign this element.
    pub fn allow(&self, name_space: &str, identifier: &str) -> bool {
        self.name_spaces.contains(name_space)
            || self.elements.get(name_space).is_some_and(|elements| elements.contains(identifier))
    }

    /// The first of `elements` that the device key may not sign.
    pub(super) fn stray<'e>(&self, elements: &'e Elements) -> Option<(&'e str, &'e str)> {
        elements
            .iter()
            .map(|(name_space, identifier, _)| (name_space, identifier))
            .find(|(name_space, identifier)| !self.allow(name_space, identifier))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.name_spaces.is_empty() && self.elements.is_empty()
    }

    /// A name space that is allowed whole and in part is refused.
    pub(super) fn read(value: Value) -> Result<Self, FieldError> {
        let mut fields = Fields::of(value, "keyAuthorizations")?;
        let name_spaces = fields.optional("nameSpaces").map(|value| texts(value, "nameSpaces")).transpose()?;
        let name_spaces = name_spaces.unwrap_or_default();
        let malformed = FieldError::Malformed("dataElements");
        let mut elements = BTreeMap::new();
        if let Some(allowed) = fields.optional("dataElements") {
            for (name_space, identifiers) in Fields::of(allowed, "dataElements")?.rest() {
                let name_space = name_space.into_text().ok_or(malformed)?;
                if name_spaces.contains(&name_space) {
                    return Err(malformed);
                }
                elements.insert(name_space, texts(identifiers, "dataElements")?);
            }
        }
        Ok(Self { name_spaces, elements })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.map(usize::from(!self.name_spaces.is_empty()) + usize::from(!self.elements.is_empty()));
        if !self.name_spaces.is_empty() {
            writer.text("nameSpaces").array(self.name_spaces.len());
            self.name_spaces.iter().for_each(|name_space| {
                writer.text(name_space);
            });
        }
        if !self.elements.is_empty() {
            writer.text("dataElements").map(self.elements.len());
            for (name_space, identifiers) in &self.elements {
                writer.text(name_space).array(identifiers.len());
                identifiers.iter().for_each(|identifier| {
                    writer.text(identifier);
                });
            }
        }
    }
}

/// An array of one text or more.
fn texts(value: Value, what: &'static str) -> Result<BTreeSet<String>, FieldError> {
    let texts = value.into_array().and_then(|items| items.into_iter().map(Value::into_text).collect());
    texts.filter(|texts: &BTreeSet<String>| !texts.is_empty()).ok_or(FieldError::Malformed(what))
}
