//! Strict JSON: one reading for one text, bounded in size and depth.

mod known;

pub(crate) use known::{Known, Name, parse_known};

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::de::{Deserializer, StrRead};
use serde_json::{Map, Number, Value};
use std::cell::Cell;
use std::fmt;

/// How much JSON is read before it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes.
    pub bytes: usize,
    /// The most arrays and objects inside one another; a scalar at the top has depth 0.
    pub depth: usize,
}

impl Limits {
    /// For tokens and everything in them: 256 KiB, depth 16.
    pub const TOKEN: Self = Self { bytes: 256 * 1024, depth: 16 };
}

/// Why a text is not JSON that we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// More bytes than allowed.
    #[error("JSON of {got} bytes, at most {most} are read")]
    TooLong {
        /// The most that is read.
        most: usize,
        /// What came.
        got: usize,
    },
    /// Arrays and objects nested deeper than allowed.
    #[error("JSON nested deeper than {most}")]
    TooDeep {
        /// The most that is read.
        most: usize,
    },
    /// A member name twice in one object.
    #[error("JSON object with a member name twice")]
    DuplicateName,
    /// Not JSON: bad syntax or UTF-8, a byte order mark, a lone surrogate, a number out of range, or text after it.
    #[error("not JSON")]
    Syntax,
    /// JSON, but not an object.
    #[error("JSON, but not an object")]
    NotAnObject,
}

/// Reads JSON strictly.
///
/// Refused beyond RFC 8259: a member name twice in an object (compared after unescaping, byte for byte, so NFC and NFD
/// twins are two names), a byte order mark, lone surrogates, numbers beyond the range of an IEEE 754 double.
///
/// # Errors
/// [`JsonError`] says which.
///
/// # Source
/// RFC 8259; RFC 7515 §4 and RFC 7519 §4 allow to refuse duplicate names, RFC 8725 §2.4 asks for one reading.
pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Value, JsonError> {
    read(bytes, limits, |strict, reader| strict.deserialize(reader))
}

/// Reads a whole text with `visit`, which builds what it wants of it by the rules of [`Strict`].
///
/// # Errors
/// As [`parse`]; [`JsonError::Syntax`] also for what `visit` did not want.
pub(crate) fn read<'t, T>(
    bytes: &'t [u8],
    limits: &Limits,
    visit: impl FnOnce(Strict<'_>, &mut Deserializer<StrRead<'t>>) -> serde_json::Result<T>,
) -> Result<T, JsonError> {
    if bytes.len() > limits.bytes {
        return Err(JsonError::TooLong { most: limits.bytes, got: bytes.len() });
    }
    // Checking the encoding once for the whole is faster than string by string.
    let text = std::str::from_utf8(bytes).map_err(|_| JsonError::Syntax)?;
    let fault = Cell::new(JsonError::Syntax);
    let mut reader = Deserializer::from_str(text);
    let strict = Strict { left: limits.depth, most: limits.depth, fault: &fault };
    let value = visit(strict, &mut reader).map_err(|_| fault.get())?;
    reader.end().map_err(|_| JsonError::Syntax)?;
    Ok(value)
}

/// Reads the array of a disclosure strictly: a string, which is thrown away, and one or two values after it. `None` for any
/// other JSON.
///
/// Credentials have hundreds of these; reading each into a [`Value`] first took twice the memory and a third more time.
///
/// # Errors
/// As [`parse`].
pub(crate) fn parse_salted(bytes: &[u8], limits: &Limits) -> Result<Option<(Value, Option<Value>)>, JsonError> {
    use serde::Deserializer as _;
    match read(bytes, limits, |strict, reader| reader.deserialize_seq(Salted(strict))) {
        Ok(read) => Ok(Some(read)),
        // Seldom: read once more, to tell an array of another form from what is no JSON.
        Err(_) => parse(bytes, limits).map(|_| None),
    }
}

/// Salt and what follows it.
struct Salted<'f>(Strict<'f>);

/// A string that nobody needs.
struct Salt;

impl<'de> Visitor<'de> for Salted<'_> {
    type Value = (Value, Option<Value>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a salt and one or two values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let inner = self.0.inner()?;
        let other = || serde::de::Error::custom("");
        seq.next_element_seed(Salt)?.ok_or_else(other)?;
        let first = seq.next_element_seed(inner)?.ok_or_else(other)?;
        let second = seq.next_element_seed(inner)?;
        match seq.next_element::<serde::de::IgnoredAny>()? {
            None => Ok((first, second)),
            Some(_) => Err(other()),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Salt {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Salt {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

/// Reads a JSON object strictly.
///
/// # Errors
/// As [`parse`], and [`JsonError::NotAnObject`].
pub fn parse_object(bytes: &[u8], limits: &Limits) -> Result<Map<String, Value>, JsonError> {
    match parse(bytes, limits)? {
        Value::Object(map) => Ok(map),
        _ => Err(JsonError::NotAnObject),
    }
}

/// Builds a [`Value`] with `left` levels to go; leaves its reason in `fault`, because the reader's errors carry text only.
#[derive(Clone, Copy)]
pub(crate) struct Strict<'f> {
    left: usize,
    most: usize,
    fault: &'f Cell<JsonError>,
}

impl Strict<'_> {
    /// For what stands in an array or object.
    pub(crate) fn inner<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.left.checked_sub(1) {
            Some(left) => Ok(Self { left, ..self }),
            None => Err(self.refuse(JsonError::TooDeep { most: self.most })),
        }
    }

    /// Refuses the whole text for that reason.
    pub(crate) fn refuse<E: serde::de::Error>(self, fault: JsonError) -> E {
        self.fault.set(fault);
        E::custom("")
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, v: f64) -> Result<Value, E> {
        Number::from_f64(v).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(Value::String(v.to_owned()))
    }

    fn visit_string<E>(self, v: String) -> Result<Value, E> {
        Ok(Value::String(v))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut map = Map::new();
        let mut is_first = true;
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(inner)?;
            if std::mem::take(&mut is_first) {
                map = Map::with_capacity(4);
            }
            if map.insert(name, value).is_some() {
                return Err(self.refuse(JsonError::DuplicateName));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests;
