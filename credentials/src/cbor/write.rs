//! [`Value`]s and structures to bytes.

use super::fields::TIME_LENGTH;
use super::{DATE_TIME, EMBEDDED, Value};
use minicbor::Encoder;
use minicbor::data::Tag;
use schemas::Timestamp;

/// Writes CBOR into memory: definite lengths, shortest heads. That containers get as many members as they announce is the
/// caller's part.
#[derive(Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    fn with(&mut self, write: impl FnOnce(&mut Encoder<&mut Vec<u8>>) -> bool) -> &mut Self {
        // Writing to memory does not fail, and no type written here has errors of its own.
        let is_written = write(&mut Encoder::new(&mut self.0));
        debug_assert!(is_written);
        self
    }

    /// The head of a map with `members` members.
    pub fn map(&mut self, members: usize) -> &mut Self {
        self.with(|encoder| encoder.map(members as u64).is_ok())
    }

    /// The head of an array with `items` items.
    pub fn array(&mut self, items: usize) -> &mut Self {
        self.with(|encoder| encoder.array(items as u64).is_ok())
    }

    /// A text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.with(|encoder| encoder.str(text).is_ok())
    }

    /// Bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.with(|encoder| encoder.bytes(bytes).is_ok())
    }

    /// An integer.
    pub fn integer(&mut self, n: i64) -> &mut Self {
        self.with(|encoder| encoder.i64(n).is_ok())
    }

    /// True or false.
    pub fn bool(&mut self, bool: bool) -> &mut Self {
        self.with(|encoder| encoder.bool(bool).is_ok())
    }

    /// `null`
    pub fn null(&mut self) -> &mut Self {
        self.with(|encoder| encoder.null().is_ok())
    }

    /// A tag, for what follows.
    pub fn tag(&mut self, tag: u64) -> &mut Self {
        self.with(|encoder| encoder.tag(Tag::new(tag)).is_ok())
    }

    /// CBOR as a byte string (tag 24).
    pub fn embedded(&mut self, cbor: &[u8]) -> &mut Self {
        self.tag(EMBEDDED).bytes(cbor)
    }

    /// A time (tag 0). One outside the years 0 to 9999 would be unreadable: see [`Writer::can_write`].
    pub fn time(&mut self, time: Timestamp) -> &mut Self {
        self.tag(DATE_TIME).text(&time.to_string())
    }

    /// Whether `time` can be written.
    pub fn can_write(time: Timestamp) -> bool {
        let text = time.to_string();
        text.len() == TIME_LENGTH && text.ends_with('Z')
    }

    /// What is CBOR already.
    pub fn raw(&mut self, cbor: &[u8]) -> &mut Self {
        self.0.extend_from_slice(cbor);
        self
    }

    /// A value. Recursion is as deep as the value is.
    pub fn value(&mut self, value: &Value) -> &mut Self {
        match value {
            Value::Integer(n) => self.integer(*n),
            Value::Bytes(bytes) => self.bytes(bytes),
            Value::Text(text) => self.text(text),
            Value::Array(items) => {
                self.array(items.len());
                items.iter().fold(self, Self::value)
            }
            Value::Map(members) => {
                self.map(members.len());
                members.iter().fold(self, |writer, (key, value)| writer.value(key).value(value))
            }
            Value::Tag(tag, value) => self.tag(*tag).value(value),
            Value::Bool(bool) => self.bool(*bool),
            Value::Null => self.null(),
            Value::Float(float) => self.with(|encoder| encoder.f64(*float).is_ok()),
        }
    }

    /// How many bytes there are so far.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was written yet.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What was written, moved out.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}
