//! The members of a map that is a structure: taken out by name, each once.

use super::{CborError, DATE_TIME, Limits, Value, parse};
use schemas::Timestamp;

/// Why a structure is not of its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// Not CBOR that we read.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// A member that must be there is not.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A member of the wrong kind or with an impossible value, or a structure that is not what it should be.
    #[error("{0} is malformed")]
    Malformed(&'static str),
}

/// The members of a map, to be taken out one by one. What nobody takes is an extension that nobody here knows.
pub struct Fields(Vec<(Value, Value)>);

impl Fields {
    /// The members of `value`, which is `what`.
    ///
    /// # Errors
    /// [`FieldError::Malformed`] when it is no map.
    pub fn of(value: Value, what: &'static str) -> Result<Self, FieldError> {
        value.into_map().map(Self).ok_or(FieldError::Malformed(what))
    }

    /// Reads a map that is all of `bytes`.
    ///
    /// # Errors
    /// [`FieldError`].
    pub fn parse(bytes: &[u8], what: &'static str) -> Result<Self, FieldError> {
        Self::of(parse(bytes, &Limits::MESSAGE)?, what)
    }

    /// The member called `name`, if it is there.
    pub fn optional(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(key, _)| key.as_text() == Some(name))?;
        Some(self.0.swap_remove(at).1)
    }

    /// The member labelled `label`, if it is there.
    pub fn labelled(&mut self, label: i64) -> Option<Value> {
        let at = self.0.iter().position(|(key, _)| key.as_integer() == Some(label))?;
        Some(self.0.swap_remove(at).1)
    }

    /// The member called `name`.
    ///
    /// # Errors
    /// [`FieldError::Missing`].
    pub fn required(&mut self, name: &'static str) -> Result<Value, FieldError> {
        self.optional(name).ok_or(FieldError::Missing(name))
    }

    /// The text called `name`.
    ///
    /// # Errors
    /// [`FieldError`] when it is not there or no text.
    pub fn text(&mut self, name: &'static str) -> Result<String, FieldError> {
        self.required(name)?.into_text().ok_or(FieldError::Malformed(name))
    }

    /// The bytes called `name`.
    ///
    /// # Errors
    /// [`FieldError`] when they are not there or no bytes.
    pub fn bytes(&mut self, name: &'static str) -> Result<Vec<u8>, FieldError> {
        self.required(name)?.into_bytes().ok_or(FieldError::Malformed(name))
    }

    /// The content of the byte string called `name` that holds CBOR (tag 24), not read.
    ///
    /// # Errors
    /// [`FieldError`] when it is not there or something else.
    pub fn embedded(&mut self, name: &'static str) -> Result<Vec<u8>, FieldError> {
        self.required(name)?.into_embedded().ok_or(FieldError::Malformed(name))
    }

    /// The number called `name`, from 0.
    ///
    /// # Errors
    /// [`FieldError`] when it is not there or no such number.
    pub fn unsigned(&mut self, name: &'static str) -> Result<u64, FieldError> {
        let n = self.required(name)?.as_integer().and_then(|n| u64::try_from(n).ok());
        n.ok_or(FieldError::Malformed(name))
    }

    /// The map called `name`.
    ///
    /// # Errors
    /// [`FieldError`] when it is not there or no map.
    pub fn map(&mut self, name: &'static str) -> Result<Self, FieldError> {
        Self::of(self.required(name)?, name)
    }

    /// The time called `name`: `tdate` in UTC without fractions.
    ///
    /// # Errors
    /// [`FieldError`] when it is not there or no such time.
    ///
    /// # Source
    /// ISO/IEC 18013-5 §9.1.2.4: no fraction of seconds, no offset from UTC.
    pub fn time(&mut self, name: &'static str) -> Result<Timestamp, FieldError> {
        read_time(self.required(name)?, name)
    }

    /// As [`Fields::time`], for one that need not be there.
    ///
    /// # Errors
    /// [`FieldError`] when it is there and no such time.
    pub fn optional_time(&mut self, name: &'static str) -> Result<Option<Timestamp>, FieldError> {
        self.optional(name).map(|value| read_time(value, name)).transpose()
    }

    /// What has not been taken.
    pub fn rest(self) -> Vec<(Value, Value)> {
        self.0
    }
}

fn read_time(value: Value, name: &'static str) -> Result<Timestamp, FieldError> {
    let malformed = FieldError::Malformed(name);
    let text = value.into_tagged(DATE_TIME).and_then(Value::into_text).ok_or(malformed)?;
    if text.len() != TIME_LENGTH || !text.ends_with('Z') {
        return Err(malformed);
    }
    text.parse().map_err(|_| malformed)
}

/// Of `2026-11-23T14:07:00Z`.
pub(super) const TIME_LENGTH: usize = 20;
