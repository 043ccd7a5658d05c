//! The members of an object that a reader knows, read strictly and without building the rest.

use super::{JsonError, Limits, Strict, parse_object, read};
use serde::Deserializer as _;
use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, MapAccess, Visitor};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

/// The members of known names that an object has, in their order.
pub(crate) struct Known(Vec<(&'static str, Value)>);

/// Reads a JSON object strictly, whole, and keeps the members named in `names`.
///
/// Headers and the claims of a token have few members that anyone looks at; building a map of them took as long as reading them.
///
/// # Errors
/// As [`parse_object`].
pub(crate) fn parse_known(bytes: &[u8], limits: &Limits, names: &'static [&'static str]) -> Result<Known, JsonError> {
    read(bytes, limits, |strict, reader| reader.deserialize_map(Members { strict, names })).map_err(|fault| match fault
    {
        // Seldom: read once more, to tell JSON of another kind from what is no JSON.
        JsonError::Syntax => parse_object(bytes, limits).err().unwrap_or(JsonError::Syntax),
        fault => fault,
    })
}

impl Known {
    /// Whether it has a member of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| *known == name)
    }

    /// Takes the member of that name out.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(known, _)| *known == name)?;
        Some(self.0.swap_remove(at).1)
    }

    /// Makes a `T` of the members.
    pub(crate) fn into_typed<T: DeserializeOwned>(self) -> serde_json::Result<T> {
        T::deserialize(MapDeserializer::new(self.0.into_iter()))
    }
}

struct Members<'f> {
    strict: Strict<'f>,
    names: &'static [&'static str],
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Known;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Known, A::Error> {
        let inner = self.strict.inner()?;
        let mut known = Known(Vec::with_capacity(8));
        // Only to see one twice; a set, because their number is the sender's.
        let mut others: BTreeSet<Cow<'de, str>> = BTreeSet::new();
        while let Some(name) = members.next_key_seed(Name)? {
            let value = members.next_value_seed(inner)?;
            let is_new = match self.names.iter().find(|known| **known == name) {
                Some(name) if known.has(name) => false,
                Some(name) => {
                    known.0.push((name, value));
                    true
                }
                None => others.insert(name),
            };
            if !is_new {
                return Err(self.strict.refuse(JsonError::DuplicateName));
            }
        }
        Ok(known)
    }
}

/// The name of a member, borrowed where it has no escapes.
pub(crate) struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}
