//! One type metadata document, as it came.

use super::claim::{ClaimMetadata, claims};
use super::display::{TypeDisplay, displays};
use super::{Integrity, read};
use crate::json::{self, JsonError, Limits};
use serde_json::Value;

/// A type metadata document: parsed strictly, its integrity and what it extends not looked at.
///
/// # Source
/// SD-JWT VC §5.2 "Type Metadata Format". Members that are not known are not looked at, as it demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeMetadata {
    pub(super) vct: String,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) extends: Option<Extends>,
    /// `None` where the document has none, and those of the type it extends hold.
    pub(super) display: Option<Vec<TypeDisplay>>,
    pub(super) claims: Vec<ClaimMetadata>,
}

/// The type that is extended, and the digest of its document where it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extends {
    pub(super) vct: String,
    pub(super) integrity: Option<Integrity>,
}

/// Why a text is not a type metadata document that we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// Not strict JSON, too long, too deep, or not an object.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A member that must be there is not.
    #[error("member {0} is missing")]
    Missing(&'static str),
    /// A member of the wrong kind, or longer than is read.
    #[error("member {0} is malformed")]
    Malformed(&'static str),
    /// A member that says twice for what: two locales, two paths, two `svg_id`.
    #[error("two entries have the same {0}")]
    Twice(&'static str),
    /// More entries than are read.
    #[error("more than {most} entries in {name}")]
    TooMany {
        /// In which member.
        name: &'static str,
        /// The most that is read.
        most: usize,
    },
}

/// 512 KiB: a document may bring its pictures with it.
const LIMITS: Limits = Limits { bytes: 512 * 1024, ..Limits::TOKEN };

impl TypeMetadata {
    /// Reads a document.
    ///
    /// # Errors
    /// [`DocumentError`].
    ///
    /// # Source
    /// SD-JWT VC §5.2, §5.5, §5.6, §6.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        let map = json::parse_object(bytes, &LIMITS)?;
        let vct = read::required(read::uri(&map, "vct")?, "vct")?;
        let integrity = match map.get("extends#integrity") {
            None => None,
            Some(Value::String(text)) => {
                Some(Integrity::parse(text).map_err(|_| DocumentError::Malformed("extends#integrity"))?)
            }
            Some(_) => return Err(DocumentError::Malformed("extends#integrity")),
        };
        let extends = match (read::uri(&map, "extends")?, integrity) {
            (Some(vct), integrity) => Some(Extends { vct, integrity }),
            (None, None) => None,
            (None, Some(_)) => return Err(DocumentError::Missing("extends")),
        };
        Ok(Self {
            vct,
            name: read::text(&map, "name")?,
            description: read::text(&map, "description")?,
            extends,
            display: displays(&map)?,
            claims: claims(&map)?,
        })
    }

    /// The type it describes.
    pub fn vct(&self) -> &str {
        &self.vct
    }

    /// Its name for developers; not safe to show.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Its description for developers; not safe to show.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The type that it extends.
    pub fn extends(&self) -> Option<&str> {
        self.extends.as_ref().map(|extends| extends.vct.as_str())
    }
}
