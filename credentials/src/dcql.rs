//! The Digital Credentials Query Language: what a verifier asks for, what answers it, and whether an answer does.

mod answer;
mod authority;
mod claims;
mod plan;

#[cfg(test)]
mod tests;

pub use answer::{AnswerCheck, Discarded, Extra, Presented, Shortfall};
pub(crate) use authority::key_ids;
pub use authority::{AKI, authority_key_ids};
pub use claims::{presented_leaves, select, visible_leaves};
pub use plan::{Answer, Candidate, Match, Pick, Plan, PlannedSet};

use crate::json::{self, JsonError, Limits};
use crate::mdoc;
use schemas::dcql::{CredentialQuery, CredentialSetQuery, DcqlQuery};
use schemas::{ClaimPath, PathElement};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The format identifier of SD-JWT VC. The other one that is held and asked for here is [`mdoc::FORMAT`].
pub const FORMAT: &str = "dc+sd-jwt";

/// How many credential queries, credential sets, options of a set and authorities there may be.
const MAX_QUERIES: usize = 16;
/// How many claims queries and claim sets a credential query may have, and values a claims query.
const MAX_CLAIMS: usize = 64;
/// How many elements a path may have.
const MAX_DEPTH: usize = 16;
/// How many characters an identifier may have.
const MAX_ID: usize = 64;
/// How many bytes a type, a value, a name in a path may have.
const MAX_TEXT: usize = 1024;

/// Why a query was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DcqlError {
    /// Not strict JSON.
    #[error("query is not strict JSON")]
    Json(#[from] JsonError),
    /// Not a DCQL query.
    #[error("query does not have the members of a DCQL query, or they are of the wrong kind")]
    Malformed,
    /// A list that must not be empty is.
    #[error("query has an empty {0}")]
    Empty(&'static str),
    /// More than we take.
    #[error("query has more than {limit} of {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many we take.
        limit: usize,
    },
    /// Longer than we take.
    #[error("query has a text of more than {MAX_TEXT} bytes")]
    TooLong,
    /// Not letters, digits, `_` and `-`, or none, or more than 64.
    #[error("query has an identifier that is not 1 to {MAX_ID} letters, digits, underscores and hyphens")]
    Identifier,
    /// Used twice.
    #[error("query has the same identifier twice")]
    DuplicateIdentifier,
    /// A set names something that is not there.
    #[error("query has a set that names an unknown identifier")]
    UnknownIdentifier,
    /// `claim_sets` without `claims`.
    #[error("query has claim_sets without claims")]
    SetsWithoutClaims,
    /// `claim_sets`, but a claims query without `id`.
    #[error("query has claim_sets, but a claim without id")]
    ClaimWithoutId,
    /// A path that selects nothing, or starts with something else than a name.
    #[error("query has a claim path that is empty or does not start with a name")]
    Path,
    /// A value that is not a string, an integer or a boolean.
    #[error("query has a value that is not a string, an integer or a boolean")]
    Value,
    /// No `vct_values` for an SD-JWT VC, or no `doctype_value` for an mdoc.
    #[error("query has no vct_values for {FORMAT}, or no doctype_value for {}", mdoc::FORMAT)]
    NoTypes,
    /// A path into an mdoc that is not a name space and an element identifier.
    #[error("query has a path into an mdoc that is not a name space and an element identifier")]
    ElementPath,
}

/// A query whose size and references are in order. What it asks for may still be more than its purpose needs: see
/// [`crate::consent::over_asking`].
///
/// # Source
/// OpenID4VP 1.0 §6 "Digital Credentials Query Language (DCQL)".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query(DcqlQuery);

impl Query {
    /// Parses and checks a query.
    ///
    /// # Errors
    /// [`DcqlError`].
    pub fn parse(text: &[u8]) -> Result<Self, DcqlError> {
        let value = json::parse(text, &Limits::TOKEN)?;
        Self::check(serde_json::from_value(value).map_err(|_| DcqlError::Malformed)?)
    }

    /// Checks a query: every list bounded and, where it must be, not empty; identifiers well-formed, unique and known.
    ///
    /// A query for another format than [`FORMAT`] and [`mdoc::FORMAT`] is in order, and nothing ever matches it.
    ///
    /// # Errors
    /// [`DcqlError`].
    ///
    /// # Source
    /// OpenID4VP 1.0 §6.1–§6.3; §7.2 for paths into an mdoc; §B.3.5 for `vct_values`, §B.2.3 for `doctype_value`. The limits
    /// are ours.
    pub fn check(query: DcqlQuery) -> Result<Self, DcqlError> {
        counted(&query.credentials, "credentials", MAX_QUERIES)?;
        let ids = unique(query.credentials.iter().map(|c| c.id.as_str()))?;
        for credential in &query.credentials {
            check_credential(credential)?;
        }
        if let Some(sets) = &query.credential_sets {
            counted(sets, "credential_sets", MAX_QUERIES)?;
            for set in sets {
                counted(&set.options, "options", MAX_QUERIES)?;
                for option in &set.options {
                    counted(option, "options", MAX_QUERIES)?;
                    known(option, &ids)?;
                }
            }
        }
        Ok(Self(query))
    }

    /// The query as it stands on the wire.
    pub const fn as_wire(&self) -> &DcqlQuery {
        &self.0
    }

    /// The credential queries.
    pub fn credentials(&self) -> &[CredentialQuery] {
        &self.0.credentials
    }

    /// The credential query with that identifier.
    pub fn credential(&self, id: &str) -> Option<&CredentialQuery> {
        self.0.credentials.iter().find(|c| c.id == id)
    }

    /// The credential sets; empty when all credentials are asked for.
    pub fn credential_sets(&self) -> &[CredentialSetQuery] {
        self.0.credential_sets.as_deref().unwrap_or(&[])
    }

    /// Every claim path that some credential query asks for, in order, each once.
    pub fn asked_paths(&self) -> Vec<ClaimPath> {
        let mut seen = BTreeSet::new();
        let claims = self.0.credentials.iter().flat_map(|c| c.claims.iter().flatten());
        claims.map(|claim| &claim.path).filter(|path| seen.insert(*path)).cloned().collect()
    }

    /// The paths that an SD-JWT VC of type `vct` with these claims would disclose to answer the query `id`; none if it cannot.
    ///
    /// Looks at type and claims only; [`Query::plan`] looks at the rest too.
    ///
    /// # Source
    /// OpenID4VP 1.0 §6.4.1 "Selecting Claims".
    pub fn match_claims(&self, id: &str, claims: &Map<String, Value>, vct: &str) -> Option<Vec<ClaimPath>> {
        let query = self.credential(id)?;
        if is_of_type(query, FORMAT, vct, claims) { claims::matched(query, claims, &[]).ok() } else { None }
    }
}

/// Whether the query asks for credentials of that format and type. Types are compared byte for byte; an SD-JWT VC that says
/// that it is also of other types is of those too, but none inherits from another.
///
/// # Source
/// OpenID4VP 1.0 §B.3.5 `vct_values`, §B.2.3 `doctype_value`; SD-JWT VC §2.2.2.2 `aka_vcts`.
fn is_of_type(query: &CredentialQuery, format: &str, type_name: &str, claims: &Map<String, Value>) -> bool {
    if query.format != format {
        return false;
    }
    if format == mdoc::FORMAT {
        return query.meta.doctype_value.as_deref() == Some(type_name);
    }
    let also = claims.get("aka_vcts").and_then(Value::as_array);
    let asked_for = |vct: &str| query.meta.vct_values.as_ref().is_some_and(|types| types.iter().any(|t| t == vct));
    format == FORMAT
        && (asked_for(type_name) || also.is_some_and(|types| types.iter().filter_map(Value::as_str).any(asked_for)))
}

fn check_credential(query: &CredentialQuery) -> Result<(), DcqlError> {
    short(&query.format)?;
    query.meta.vct_values.as_ref().map_or(Ok(()), |types| texts(types, "vct_values"))?;
    query.meta.doctype_value.as_deref().map_or(Ok(()), short)?;
    let has_type = match query.format.as_str() {
        FORMAT => query.meta.vct_values.is_some(),
        mdoc::FORMAT => query.meta.doctype_value.is_some(),
        _ => true,
    };
    if !has_type {
        return Err(DcqlError::NoTypes);
    }
    if let Some(authorities) = &query.trusted_authorities {
        counted(authorities, "trusted_authorities", MAX_QUERIES)?;
        for authority in authorities {
            short(&authority.type_)?;
            texts(&authority.values, "values of a trusted authority")?;
        }
    }
    let Some(claims) = &query.claims else {
        return if query.claim_sets.is_some() { Err(DcqlError::SetsWithoutClaims) } else { Ok(()) };
    };
    counted(claims, "claims", MAX_CLAIMS)?;
    for claim in claims {
        check_path(&claim.path)?;
        if query.format == mdoc::FORMAT && !is_element(&claim.path) {
            return Err(DcqlError::ElementPath);
        }
        if let Some(values) = &claim.values {
            counted(values, "values", MAX_CLAIMS)?;
            values.iter().try_for_each(check_value)?;
        }
    }
    let ids = unique(claims.iter().filter_map(|c| c.id.as_deref()))?;
    if let Some(sets) = &query.claim_sets {
        if claims.iter().any(|c| c.id.is_none()) {
            return Err(DcqlError::ClaimWithoutId);
        }
        counted(sets, "claim_sets", MAX_CLAIMS)?;
        for set in sets {
            counted(set, "claim_sets", MAX_CLAIMS)?;
            known(set, &ids)?;
        }
    }
    Ok(())
}

/// A path of bounded length that starts with a name: the root of a credential is an object (§7.1.1).
pub(crate) fn check_path(path: &ClaimPath) -> Result<(), DcqlError> {
    let Some(PathElement::Name(_)) = path.elements().first() else {
        return Err(DcqlError::Path);
    };
    if path.elements().len() > MAX_DEPTH {
        return Err(DcqlError::TooMany { what: "path elements", limit: MAX_DEPTH });
    }
    path.elements().iter().try_for_each(|element| match element {
        PathElement::Name(name) => short(name),
        PathElement::Index(_) | PathElement::Every(()) => Ok(()),
    })
}

/// Whether a path leads to an element of an mdoc (§7.2): a name space and an identifier, and nothing else.
fn is_element(path: &ClaimPath) -> bool {
    matches!(path.elements(), [PathElement::Name(_), PathElement::Name(_)])
}

fn check_value(value: &Value) -> Result<(), DcqlError> {
    match value {
        Value::String(text) => short(text),
        Value::Bool(_) => Ok(()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Ok(()),
        _ => Err(DcqlError::Value),
    }
}

const fn counted<T>(list: &[T], what: &'static str, limit: usize) -> Result<(), DcqlError> {
    match list.len() {
        0 => Err(DcqlError::Empty(what)),
        n if n > limit => Err(DcqlError::TooMany { what, limit }),
        _ => Ok(()),
    }
}

fn texts(list: &[String], what: &'static str) -> Result<(), DcqlError> {
    counted(list, what, MAX_CLAIMS)?;
    list.iter().try_for_each(|text| short(text))
}

const fn short(text: &str) -> Result<(), DcqlError> {
    if text.len() > MAX_TEXT { Err(DcqlError::TooLong) } else { Ok(()) }
}

/// The identifiers as a set, every one well-formed and none twice.
fn unique<'i>(ids: impl Iterator<Item = &'i str>) -> Result<BTreeSet<&'i str>, DcqlError> {
    let mut set = BTreeSet::new();
    for id in ids {
        if !is_identifier(id) {
            return Err(DcqlError::Identifier);
        }
        if !set.insert(id) {
            return Err(DcqlError::DuplicateIdentifier);
        }
    }
    Ok(set)
}

pub(crate) fn is_identifier(id: &str) -> bool {
    (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

fn known(named: &[String], ids: &BTreeSet<&str>) -> Result<(), DcqlError> {
    if named.iter().all(|id| ids.contains(id.as_str())) { Ok(()) } else { Err(DcqlError::UnknownIdentifier) }
}
