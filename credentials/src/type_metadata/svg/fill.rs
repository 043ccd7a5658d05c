//! A template with the values of a credential in it.

use super::{Piece, SvgTemplate, escape_onto};
use crate::escape::escaped;
use crate::sd_jwt::{AsIssued, PathFault};
use crate::type_metadata::ResolvedType;
use serde_json::Value;

/// Why a template cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FillError {
    /// A placeholder for a claim that the type does not name.
    #[error("the type has no claim with svg_id {id}")]
    Unknown {
        /// The name in the template.
        id: String,
    },
    /// A claim that is not a text, a number, true or false, or some of these.
    #[error("the claim with svg_id {id} is not text")]
    NotText {
        /// The name in the template.
        id: String,
    },
    /// A path of the type does not fit the credential.
    #[error("the claim with svg_id {id}: {fault}")]
    Path {
        /// The name in the template.
        id: String,
        /// What is wrong with it.
        fault: PathFault,
    },
}

/// The most characters of one value: what is longer would cover the rest of the card.
const LONGEST: usize = 256;

impl SvgTemplate {
    /// The picture of a credential: each placeholder is replaced by what the credential shows of its claim, nothing where it
    /// shows nothing. Values are text and stay text, whatever they look like.
    ///
    /// # Errors
    /// [`FillError`].
    ///
    /// # Source
    /// SD-JWT VC §5.5.1.2.2 "SVG Rendering".
    pub fn fill(&self, resolved: &ResolvedType, credential: &AsIssued<'_>) -> Result<String, FillError> {
        let mut svg = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => svg.push_str(text),
                Piece::Placeholder(id) => {
                    let value = value(id, resolved, credential)?;
                    // What moves or hides text is written out before XML has its turn.
                    escape_onto(&escaped(&value), &mut svg);
                }
            }
        }
        Ok(svg)
    }
}

/// What stands in place of `id`.
fn value(id: &str, resolved: &ResolvedType, credential: &AsIssued<'_>) -> Result<String, FillError> {
    let claim = resolved.claims().iter().find(|claim| claim.svg_id() == Some(id));
    let claim = claim.ok_or_else(|| FillError::Unknown { id: id.to_owned() })?;
    let found = credential.select(claim.path()).map_err(|fault| FillError::Path { id: id.to_owned(), fault })?;
    let mut words = Vec::new();
    for value in found.iter().filter_map(|found| found.value()) {
        match value {
            Value::Array(items) => words.extend(items.iter().map(word)),
            value => words.push(word(value)),
        }
    }
    let words: Vec<String> =
        words.into_iter().collect::<Option<_>>().ok_or(FillError::NotText { id: id.to_owned() })?;
    let text = words.join(", ");
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => Ok(format!("{}…", text.get(..at).unwrap_or_default())),
        None => Ok(text),
    }
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}
