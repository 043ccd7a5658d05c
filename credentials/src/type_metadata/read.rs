//! Members of a document, read strictly: each is of its kind or refused, and no longer than a screen can bear.

use super::DocumentError;
use serde_json::{Map, Value};

/// The most characters in a text for people.
const LONGEST_TEXT: usize = 1024;
/// The most characters in a URI that is not a `data:` URI.
pub(super) const LONGEST_URI: usize = 2048;

pub(super) fn text(map: &Map<String, Value>, name: &'static str) -> Result<Option<String>, DocumentError> {
    bounded(map, name, LONGEST_TEXT)
}

pub(super) fn uri(map: &Map<String, Value>, name: &'static str) -> Result<Option<String>, DocumentError> {
    match bounded(map, name, LONGEST_URI)? {
        Some(uri) if uri.is_empty() => Err(DocumentError::Malformed(name)),
        uri => Ok(uri),
    }
}

pub(super) fn bounded(
    map: &Map<String, Value>,
    name: &'static str,
    longest: usize,
) -> Result<Option<String>, DocumentError> {
    match map.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if text.len() <= longest => Ok(Some(text.clone())),
        Some(_) => Err(DocumentError::Malformed(name)),
    }
}

pub(super) fn boolean(map: &Map<String, Value>, name: &'static str) -> Result<Option<bool>, DocumentError> {
    match map.get(name) {
        None => Ok(None),
        Some(Value::Bool(truth)) => Ok(Some(*truth)),
        Some(_) => Err(DocumentError::Malformed(name)),
    }
}

pub(super) fn object<'m>(
    map: &'m Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'m Map<String, Value>>, DocumentError> {
    match map.get(name) {
        None => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(DocumentError::Malformed(name)),
    }
}

/// Each object of an array, at most `most`, read by `read`.
pub(super) fn objects<T>(
    map: &Map<String, Value>,
    name: &'static str,
    most: usize,
    read: impl Fn(&Map<String, Value>) -> Result<T, DocumentError>,
) -> Result<Option<Vec<T>>, DocumentError> {
    let items = match map.get(name) {
        None => return Ok(None),
        Some(Value::Array(items)) if items.len() > most => return Err(DocumentError::TooMany { name, most }),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(DocumentError::Malformed(name)),
    };
    let read = |item: &Value| item.as_object().ok_or(DocumentError::Malformed(name)).and_then(&read);
    items.iter().map(read).collect::<Result<_, _>>().map(Some)
}

pub(super) fn required<T>(value: Option<T>, name: &'static str) -> Result<T, DocumentError> {
    value.ok_or(DocumentError::Missing(name))
}
