//! Digests, many of them, in one piece of memory.

use serde_json::Value;

/// Texts of digests, one after the other: a credential has hundreds, and each needed memory of its own before.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Digests {
    text: String,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Digests {
    /// With room for so many digests of SHA-256.
    pub(super) fn with_room(digests: usize) -> Self {
        Self { text: String::with_capacity(digests * SHA256_TEXT), ends: Vec::with_capacity(digests) }
    }

    /// Appends one.
    pub(super) fn push(&mut self, digest: &str) {
        self.push_with(|text| text.push_str(digest));
    }

    /// Appends what `write` appends.
    pub(super) fn push_with(&mut self, write: impl FnOnce(&mut String)) {
        write(&mut self.text);
        self.ends.push(self.text.len());
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Each of them, in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| self.text.get(start..*end).unwrap_or_default())
    }

    /// As they stood in JSON.
    pub(super) fn to_values(&self) -> Vec<Value> {
        self.iter().map(Value::from).collect()
    }
}

/// How many characters a digest of SHA-256 has.
const SHA256_TEXT: usize = 43;
