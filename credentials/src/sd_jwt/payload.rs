//! What the issuer signed, read strictly, with the digests at the top kept apart.

use super::digests::Digests;
use crate::json::{self, JsonError, Limits, Strict};
use serde::Deserializer as _;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// A payload as it came. Nearly all digests of nearly all credentials stand at the top, and nobody needs them as values.
#[derive(Clone)]
pub(super) struct Payload {
    /// Everything else. `_sd` is among it only when it is not an array of strings.
    pub(super) claims: Map<String, Value>,
    /// `_sd` at the top; `None` where there is none.
    pub(super) digests: Option<Digests>,
    /// `_sd_alg` at the top.
    pub(super) hash: Option<Value>,
}

impl Payload {
    /// Reads a payload that `more` claims will join.
    ///
    /// # Errors
    /// As [`json::parse_object`].
    pub(super) fn parse(bytes: &[u8], more: usize) -> Result<Self, JsonError> {
        let limits = &Limits::TOKEN;
        match json::read(bytes, limits, |strict, reader| reader.deserialize_map(Top { strict, more })) {
            // Seldom: read once more, for an `_sd` of another kind, and to tell other JSON from what is no JSON.
            Err(JsonError::Syntax) => {
                let mut claims = json::parse_object(bytes, limits)?;
                let hash = claims.shift_remove(SD_ALG);
                Ok(Self { claims, digests: None, hash })
            }
            read => read,
        }
    }

    /// All of it, as one object.
    pub(super) fn to_map(&self) -> Map<String, Value> {
        let mut map = self.claims.clone();
        if let Some(digests) = &self.digests {
            map.insert(SD.to_owned(), digests.to_values().into());
        }
        if let Some(hash) = &self.hash {
            map.insert(SD_ALG.to_owned(), hash.clone());
        }
        map
    }
}

struct Top<'f> {
    strict: Strict<'f>,
    more: usize,
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = Payload;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Payload, A::Error> {
        let inner = self.strict.inner()?;
        let twice = || self.strict.refuse(JsonError::DuplicateName);
        let mut payload = Payload { claims: Map::with_capacity(self.more + USUAL), digests: None, hash: None };
        while let Some(name) = members.next_key_seed(json::Name)? {
            match &*name {
                SD => {
                    if payload.digests.replace(members.next_value_seed(Sd)?).is_some() {
                        return Err(twice());
                    }
                }
                SD_ALG => {
                    if payload.hash.replace(members.next_value_seed(inner)?).is_some() {
                        return Err(twice());
                    }
                }
                _ => {
                    let value = members.next_value_seed(inner)?;
                    if payload.claims.insert(name.into_owned(), value).is_some() {
                        return Err(twice());
                    }
                }
            }
        }
        Ok(payload)
    }
}

/// The value of `_sd`: an array of strings, or the text is read the slow way.
struct Sd;

impl<'de> DeserializeSeed<'de> for Sd {
    type Value = Digests;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Digests, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Sd {
    type Value = Digests;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("digests")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Digests, A::Error> {
        let mut digests = Digests::with_room(USUAL_DIGESTS);
        while let Some(digest) = seq.next_element_seed(json::Name)? {
            digests.push(&digest);
        }
        Ok(digests)
    }
}

const SD: &str = "_sd";
const SD_ALG: &str = "_sd_alg";
/// Claims that are always visible, with room to spare.
const USUAL: usize = 8;
/// Digests that most credentials have no more of.
const USUAL_DIGESTS: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Payload, JsonError> {
        Payload::parse(text.as_bytes(), 0)
    }

    #[test]
    fn a_payload_is_the_same_whichever_way_it_was_read() {
        for text in [
            r#"{"a":1,"_sd":["x","\u0079"],"b":{"_sd":["z"],"_sd_alg":1},"_sd_alg":"sha-256"}"#,
            r#"{"a":1,"_sd":[],"_sd_alg":7}"#,
            r#"{"a":1,"_sd":["x",7],"_sd_alg":"sha-256"}"#,
            r#"{"_sd":{"x":1},"a":[[]]}"#,
            r#"{"_sd":null}"#,
            "{}",
        ] {
            let whole = json::parse_object(text.as_bytes(), &Limits::TOKEN).unwrap();
            let payload = read(text).unwrap();
            assert_eq!(payload.to_map(), whole, "{text}");
            assert_eq!(payload.hash.as_ref(), whole.get(SD_ALG), "{text}");
            let strings = |sd: &Value| sd.as_array().is_some_and(|digests| digests.iter().all(Value::is_string));
            assert_eq!(payload.digests.is_some(), whole.get(SD).is_some_and(strings), "{text}");
            assert_eq!(payload.claims.contains_key(SD), payload.digests.is_none() && whole.contains_key(SD), "{text}");
        }
    }

    #[test]
    fn attack_12_a_name_twice_is_refused_in_a_payload_too() {
        for text in [
            r#"{"_sd":["x"],"_sd":["y"]}"#,
            r#"{"_sd":["x"],"\u005fsd":["y"]}"#,
            r#"{"_sd":[],"_sd":7}"#,
            r#"{"_sd":7,"_sd":[]}"#,
            r#"{"_sd_alg":"sha-256","_sd_alg":"sha-256"}"#,
            r#"{"a":1,"_sd":[],"a":1}"#,
            r#"{"a":{"b":1,"b":1}}"#,
        ] {
            assert_eq!(read(text).err(), Some(JsonError::DuplicateName), "{text}");
        }
    }

    #[test]
    fn what_is_no_object_or_no_json_is_told_apart() {
        for text in ["[]", "7", "\"x\""] {
            assert_eq!(read(text).err(), Some(JsonError::NotAnObject), "{text}");
        }
        for text in ["", "{", "{}}", r#"{"_sd":["x"}"#, r#"{"_sd":["\ud800"]}"#, r#"{"_sd":["x"],}"#] {
            assert_eq!(read(text).err(), Some(JsonError::Syntax), "{text}");
        }
        let deep = |n: usize| format!("{{\"_sd\":{}{}}}", "[".repeat(n), "]".repeat(n));
        assert!(read(&deep(15)).is_ok());
        assert_eq!(read(&deep(16)).err(), Some(JsonError::TooDeep { most: 16 }));
    }
}
