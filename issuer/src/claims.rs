//! The claims of a credential to be issued: read strictly, checked against its type.

pub mod kind;
pub mod picture;

use credentials::json;
use picture::{Picture, PictureError};
use schemas::credential_type::{ClaimKind, ClaimType, CredentialType};
use serde_json::{Map, Value};
use std::fmt;
use time::Date;

#[cfg(test)]
mod tests;

/// The most bytes a claims file may have.
pub const MAX_BYTES: usize = 64 * 1024;

/// Claims that fit their type.
///
/// Nothing in it is shown by `Debug`: these are a person's.
pub struct ClaimSet {
    credential_type: &'static CredentialType,
    values: Map<String, Value>,
}

/// Why claims do not fit their type. No variant repeats a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimsError {
    /// More bytes than a claims file may have.
    #[error("the claims are larger than 64 KiB")]
    TooLarge,
    /// Not strict JSON: a syntax error, or a name that occurs twice.
    #[error("the claims are not JSON: {0}")]
    NotJson(String),
    /// JSON, but no object.
    #[error("the claims must be a JSON object of names and values")]
    NotAnObject,
    /// A name that the type does not have.
    #[error("`{type_id}` has no claim {name}; it has {known}")]
    Unknown {
        /// The type.
        type_id: &'static str,
        /// The name as given, escaped.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A claim that we derive ourselves.
    #[error("`{name}` is derived from birth_date when the credential is issued, and cannot be given")]
    Derived {
        /// Which.
        name: &'static str,
    },
    /// A required claim is missing.
    #[error("the required claim `{name}` is missing")]
    Missing {
        /// Which.
        name: &'static str,
    },
    /// A value is not what the claim is.
    #[error("`{name}` must be {expected}")]
    WrongKind {
        /// Which.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A date that cannot be a date of birth.
    #[error("`birth_date` lies in the future, or more than 150 years ago")]
    ImplausibleBirthDate,
    /// The portrait cannot be used.
    #[error("`{name}` cannot be used: {reason}")]
    Picture {
        /// Which.
        name: &'static str,
        /// Why not.
        reason: PictureError,
    },
}

impl ClaimSet {
    /// Reads and checks claims as the desk wrote them.
    ///
    /// `today` bounds the date of birth.
    ///
    /// # Errors
    /// [`ClaimsError`], naming the claim and never its value.
    pub fn parse(credential_type: &'static CredentialType, bytes: &[u8], today: Date) -> Result<Self, ClaimsError> {
        if bytes.len() > MAX_BYTES {
            return Err(ClaimsError::TooLarge);
        }
        let value = json::parse(bytes, &json::Limits::TOKEN).map_err(|e| ClaimsError::NotJson(e.to_string()))?;
        let Value::Object(values) = value else { return Err(ClaimsError::NotAnObject) };
        Self::check(credential_type, values, today)
    }

    /// Checks claims against their type.
    ///
    /// # Errors
    /// As [`ClaimSet::parse`].
    pub fn check(
        credential_type: &'static CredentialType,
        values: Map<String, Value>,
        today: Date,
    ) -> Result<Self, ClaimsError> {
        for (name, value) in &values {
            let claim = credential_type.claims.iter().find(|c| c.name == name).ok_or_else(|| ClaimsError::Unknown {
                type_id: credential_type.id,
                name: format!("{name:?}"),
                known: names(credential_type),
            })?;
            check_claim(claim, value, today)?;
        }
        match credential_type.claims.iter().find(|c| c.required && !values.contains_key(c.name)) {
            Some(claim) => Err(ClaimsError::Missing { name: claim.name }),
            None => Ok(Self { credential_type, values }),
        }
    }

    /// The type they fit.
    pub const fn credential_type(&self) -> &'static CredentialType {
        self.credential_type
    }

    /// The values as given, without what is derived.
    pub const fn values(&self) -> &Map<String, Value> {
        &self.values
    }

    /// What is derived from the values on the day of issuance: `age_over_NN` from `birth_date`.
    ///
    /// A person born on 29 February comes of age on 1 March where the year has no such day: never a day too early.
    pub fn derived(&self, today: Date) -> Map<String, Value> {
        let birth = self.values.get("birth_date").and_then(Value::as_str).and_then(kind::date);
        let Some(birth) = birth else { return Map::new() };
        let claims = self.credential_type.claims.iter().filter(|c| c.derived);
        claims
            .filter_map(|claim| {
                let years: i32 = claim.name.strip_prefix("age_over_")?.parse().ok()?;
                let reached = (birth.year() + years, u8::from(birth.month()), birth.day());
                let day = (today.year(), u8::from(today.month()), today.day());
                Some((claim.name.to_owned(), Value::Bool(reached <= day)))
            })
            .collect()
    }
}

impl fmt::Debug for ClaimSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { credential_type, values: _ } = self;
        f.debug_struct("ClaimSet").field("credential_type", &credential_type.id).finish_non_exhaustive()
    }
}

fn check_claim(claim: &'static ClaimType, value: &Value, today: Date) -> Result<(), ClaimsError> {
    let name = claim.name;
    if claim.derived {
        return Err(ClaimsError::Derived { name });
    }
    if claim.kind == ClaimKind::Picture {
        return match value.as_str() {
            // The person wants no picture: PID_03 of the EUDI rulebook.
            Some("") => Ok(()),
            Some(text) => Picture::decode(text).map(drop).map_err(|reason| ClaimsError::Picture { name, reason }),
            None => Err(ClaimsError::WrongKind { name, expected: kind::expected(claim.kind) }),
        };
    }
    if !kind::fits(claim.kind, value) {
        return Err(ClaimsError::WrongKind { name, expected: kind::expected(claim.kind) });
    }
    if name == "birth_date" {
        let birth = value.as_str().and_then(kind::date);
        if !birth.is_some_and(|birth| birth <= today && birth.year() >= today.year() - 150) {
            return Err(ClaimsError::ImplausibleBirthDate);
        }
    }
    Ok(())
}

fn names(credential_type: &CredentialType) -> String {
    let given: Vec<_> = credential_type.claims.iter().filter(|c| !c.derived).map(|c| c.name).collect();
    given.join(", ")
}
