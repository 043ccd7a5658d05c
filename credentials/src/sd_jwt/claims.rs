//! What an SD-JWT VC must and may say about itself.

use crate::key::{KeyError, PublicKey};
use schemas::Timestamp;
use schemas::status::StatusReference;
use serde_json::{Map, Value};

/// The claims that are always visible, whole.
///
/// # Source
/// SD-JWT VC §2.2.2.3 "Registered JWT Claims". `iat` and `sub` are not among them: they may be disclosed selectively.
pub const NEVER_DISCLOSABLE: [&str; 8] = ["iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"];

/// Why the claims of a credential about itself are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// A claim that must be there is not.
    #[error("claim {0} is missing")]
    Missing(&'static str),
    /// A claim of the wrong kind, or a time that is not an integer between 0 and 2^53 - 1.
    #[error("claim {0} is malformed")]
    Malformed(&'static str),
    /// `cnf` has another member than one `jwk`.
    #[error("cnf is not one jwk and nothing else")]
    Confirmation,
    /// The key in `cnf`.
    #[error("cnf: {0}")]
    Key(#[from] KeyError),
    /// `status` by another mechanism than a status list.
    #[error("status is not a status list reference")]
    Status,
}

/// What a credential says about itself.
#[derive(Debug, Clone)]
pub(super) struct Registered {
    pub(super) vct: String,
    pub(super) other_types: Vec<String>,
    pub(super) issuer: Option<String>,
    pub(super) issued_at: Option<Timestamp>,
    pub(super) not_before: Option<Timestamp>,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) confirmation_key: PublicKey,
    pub(super) status: Option<StatusReference>,
}

impl Registered {
    /// Reads them from a processed payload.
    pub(super) fn read(claims: &Map<String, Value>) -> Result<Self, ClaimError> {
        let said = Said::of(claims);
        let vct = text(said.vct, "vct")?.ok_or(ClaimError::Missing("vct"))?;
        if vct.is_empty() {
            return Err(ClaimError::Malformed("vct"));
        }
        if !matches!(said.integrity, None | Some(Value::String(_))) {
            return Err(ClaimError::Malformed("vct#integrity"));
        }
        let other_types = match said.other_types {
            None => Vec::new(),
            Some(value) => other_types(value, &vct).ok_or(ClaimError::Malformed("aka_vcts"))?,
        };
        Ok(Self {
            vct,
            other_types,
            issuer: text(said.issuer, "iss")?,
            issued_at: time(said.issued_at, "iat")?,
            not_before: time(said.not_before, "nbf")?,
            expires_at: time(said.expires_at, "exp")?,
            confirmation_key: confirmation_key(said.confirmation)?,
            status: status(said.status)?,
        })
    }
}

/// The claims in question, found in one go.
#[derive(Default)]
struct Said<'c> {
    vct: Option<&'c Value>,
    integrity: Option<&'c Value>,
    other_types: Option<&'c Value>,
    issuer: Option<&'c Value>,
    issued_at: Option<&'c Value>,
    not_before: Option<&'c Value>,
    expires_at: Option<&'c Value>,
    confirmation: Option<&'c Value>,
    status: Option<&'c Value>,
}

impl<'c> Said<'c> {
    fn of(claims: &'c Map<String, Value>) -> Self {
        let mut said = Self::default();
        for (name, value) in claims {
            let place = match name.as_str() {
                "vct" => &mut said.vct,
                "vct#integrity" => &mut said.integrity,
                "aka_vcts" => &mut said.other_types,
                "iss" => &mut said.issuer,
                "iat" => &mut said.issued_at,
                "nbf" => &mut said.not_before,
                "exp" => &mut said.expires_at,
                "cnf" => &mut said.confirmation,
                "status" => &mut said.status,
                _ => continue,
            };
            *place = Some(value);
        }
        said
    }
}

fn text(value: Option<&Value>, name: &'static str) -> Result<Option<String>, ClaimError> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(ClaimError::Malformed(name)),
    }
}

/// A `NumericDate`, integers only: other numbers do not survive every JSON reader on the way.
///
/// # Source
/// RFC 7519 §2 allows fractions; RFC 8259 §6 says which integers every reader agrees on.
fn time(value: Option<&Value>, name: &'static str) -> Result<Option<Timestamp>, ClaimError> {
    match value {
        None => Ok(None),
        Some(value) => match value.as_i64() {
            Some(seconds) if (0..1 << 53).contains(&seconds) => Ok(Some(Timestamp::from_unix(seconds))),
            _ => Err(ClaimError::Malformed(name)),
        },
    }
}

/// `aka_vcts`: some strings, not the `vct` again.
fn other_types(value: &Value, vct: &str) -> Option<Vec<String>> {
    let types = value.as_array()?.iter().map(|t| t.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()?;
    (!types.is_empty() && types.iter().all(|t| !t.is_empty() && t != vct)).then_some(types)
}

/// The one key in `cnf`. Other members would name other keys, or fetch them.
///
/// # Source
/// RFC 7800 §3.1 forbids several keys; SD-JWT VC §2.2.2.3, HAIP 1.0 §6.1 `cnf.jwk`.
fn confirmation_key(cnf: Option<&Value>) -> Result<PublicKey, ClaimError> {
    let Value::Object(cnf) = cnf.ok_or(ClaimError::Missing("cnf"))? else {
        return Err(ClaimError::Malformed("cnf"));
    };
    match (cnf.get("jwk"), cnf.len()) {
        (Some(Value::Object(jwk)), 1) => Ok(PublicKey::from_jwk(jwk)?),
        _ => Err(ClaimError::Confirmation),
    }
}

/// The entry of a status list. A status that we cannot look up is refused rather than ignored.
///
/// # Source
/// Token Status List §6.2: `idx` a non-negative integer, `uri` a string.
fn status(status: Option<&Value>) -> Result<Option<StatusReference>, ClaimError> {
    let Some(status) = status else {
        return Ok(None);
    };
    let list = status.get("status_list").and_then(Value::as_object).ok_or(ClaimError::Status)?;
    let idx = list.get("idx").and_then(Value::as_u64).ok_or(ClaimError::Status)?;
    let uri = list.get("uri").and_then(Value::as_str).filter(|uri| !uri.is_empty()).ok_or(ClaimError::Status)?;
    Ok(Some(StatusReference { idx, uri: uri.to_owned() }))
}
