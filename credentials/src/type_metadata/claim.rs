//! What a type says of one of its claims.

use super::language::choose;
use super::{DocumentError, LanguageTag, read};
use crate::escape::escaped;
use schemas::{ClaimPath, PathElement};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Whether an issuer must, may or must not make a claim selectively disclosable.
///
/// # Source
/// SD-JWT VC §5.6.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disclosing {
    /// It must.
    Always,
    /// It may; also where nothing is said.
    Allowed,
    /// It must not.
    Never,
}

/// What a type says of a claim, or of all claims that a path selects.
///
/// # Source
/// SD-JWT VC §5.6 "Claim Metadata".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimMetadata {
    pub(super) path: ClaimPath,
    pub(super) labels: Option<Vec<ClaimLabel>>,
    pub(super) mandatory: Option<bool>,
    pub(super) sd: Option<Disclosing>,
    pub(super) svg_id: Option<String>,
}

/// What a claim is called in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimLabel {
    locale: LanguageTag,
    label: String,
    description: Option<String>,
}

impl ClaimMetadata {
    /// Which claims it is about, as positions in what was issued.
    pub const fn path(&self) -> &ClaimPath {
        &self.path
    }

    /// Whether every credential of the type has it.
    pub fn is_mandatory(&self) -> bool {
        self.mandatory.unwrap_or(false)
    }

    /// Whether it is to be selectively disclosable.
    pub fn disclosing(&self) -> Disclosing {
        self.sd.unwrap_or(Disclosing::Allowed)
    }

    /// Its name in an SVG template.
    pub fn svg_id(&self) -> Option<&str> {
        self.svg_id.as_deref()
    }

    /// What it is called for someone who would read `preferred`, the most wished for first.
    ///
    /// # Source
    /// RFC 4647 §3.4.
    pub fn label(&self, preferred: &[&str]) -> Option<&ClaimLabel> {
        choose(self.labels.as_deref().unwrap_or_default(), |label| &label.locale, preferred)
    }

    /// The claim as the extending type has it, the extended one beneath; `None` where that loosens what the extended one demands.
    ///
    /// # Source
    /// SD-JWT VC §5.6.5, §5.6.5.1.
    pub(super) fn extended_by(self, child: Self) -> Option<Self> {
        let keeps_sd = match (self.sd, child.sd) {
            (Some(own @ (Disclosing::Always | Disclosing::Never)), Some(child)) => own == child,
            _ => true,
        };
        let keeps_mandatory = !(self.mandatory == Some(true) && child.mandatory == Some(false));
        (keeps_sd && keeps_mandatory).then(|| Self {
            path: self.path,
            labels: child.labels.or(self.labels),
            mandatory: child.mandatory.or(self.mandatory),
            sd: child.sd.or(self.sd),
            svg_id: child.svg_id.or(self.svg_id),
        })
    }
}

impl ClaimLabel {
    /// The language.
    pub const fn locale(&self) -> &LanguageTag {
        &self.locale
    }

    /// The name; safe to show.
    pub fn label(&self) -> Cow<'_, str> {
        escaped(&self.label)
    }

    /// More about it; safe to show.
    pub fn description(&self) -> Option<Cow<'_, str>> {
        self.description.as_deref().map(escaped)
    }
}

/// The most claims of a type.
const MOST_CLAIMS: usize = 512;
/// The most languages of one text.
pub(super) const MOST_LOCALES: usize = 64;
/// The longest path.
const LONGEST_PATH: usize = 16;

/// Reads `claims`; each path once, for a document that says two things of one claim says neither.
pub(super) fn claims(map: &Map<String, Value>) -> Result<Vec<ClaimMetadata>, DocumentError> {
    let claims = read::objects(map, "claims", MOST_CLAIMS, claim)?.unwrap_or_default();
    let mut paths: Vec<&ClaimPath> = claims.iter().map(|claim| &claim.path).collect();
    paths.sort_unstable();
    if paths.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
        return Err(DocumentError::Twice("path"));
    }
    check_svg_ids(&claims)?;
    Ok(claims)
}

/// Refuses an `svg_id` that stands for two claims.
pub(super) fn check_svg_ids(claims: &[ClaimMetadata]) -> Result<(), DocumentError> {
    let mut ids: Vec<&str> = claims.iter().filter_map(ClaimMetadata::svg_id).collect();
    ids.sort_unstable();
    if ids.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
        return Err(DocumentError::Twice("svg_id"));
    }
    Ok(())
}

fn claim(map: &Map<String, Value>) -> Result<ClaimMetadata, DocumentError> {
    let sd = match map.get("sd") {
        None => None,
        Some(value) => Some(match value.as_str() {
            Some("always") => Disclosing::Always,
            Some("allowed") => Disclosing::Allowed,
            Some("never") => Disclosing::Never,
            _ => return Err(DocumentError::Malformed("sd")),
        }),
    };
    let svg_id = read::bounded(map, "svg_id", 64)?;
    if svg_id.as_deref().is_some_and(|id| !is_svg_id(id)) {
        return Err(DocumentError::Malformed("svg_id"));
    }
    let labels = read::objects(map, "display", MOST_LOCALES, label)?;
    check_locales(labels.iter().flatten().map(|label| &label.locale))?;
    Ok(ClaimMetadata { path: path(map)?, labels, mandatory: read::boolean(map, "mandatory")?, sd, svg_id })
}

fn path(map: &Map<String, Value>) -> Result<ClaimPath, DocumentError> {
    let Some(Value::Array(elements)) = map.get("path") else {
        return Err(map.get("path").map_or(DocumentError::Missing("path"), |_| DocumentError::Malformed("path")));
    };
    if elements.is_empty() || elements.len() > LONGEST_PATH {
        return Err(DocumentError::Malformed("path"));
    }
    let element = |element: &Value| match element {
        Value::String(name) => Some(PathElement::Name(name.clone())),
        Value::Null => Some(PathElement::Every(())),
        other => other.as_u64().map(PathElement::Index),
    };
    let elements = elements.iter().map(element).collect::<Option<_>>();
    elements.map(ClaimPath::new).ok_or(DocumentError::Malformed("path"))
}

fn label(map: &Map<String, Value>) -> Result<ClaimLabel, DocumentError> {
    Ok(ClaimLabel {
        locale: locale(map)?,
        label: read::required(read::text(map, "label")?, "label")?,
        description: read::text(map, "description")?,
    })
}

pub(super) fn locale(map: &Map<String, Value>) -> Result<LanguageTag, DocumentError> {
    let text = read::required(read::text(map, "locale")?, "locale")?;
    LanguageTag::parse(&text).ok_or(DocumentError::Malformed("locale"))
}

/// Refuses a language that is there twice.
pub(super) fn check_locales<'l>(locales: impl Iterator<Item = &'l LanguageTag>) -> Result<(), DocumentError> {
    let locales: Vec<&LanguageTag> = locales.collect();
    let is_twice =
        |(index, locale): (usize, &&LanguageTag)| locales.iter().skip(index + 1).any(|other| other == locale);
    if locales.iter().enumerate().any(is_twice) { Err(DocumentError::Twice("locale")) } else { Ok(()) }
}

/// Letters, digits and `_`, no digit first.
///
/// # Source
/// SD-JWT VC §5.6 `svg_id`.
pub(super) fn is_svg_id(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
}
