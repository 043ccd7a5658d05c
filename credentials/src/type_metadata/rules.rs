//! The rules of a type, applied to a credential.

use super::{ClaimMetadata, Disclosing, ResolvedType};
use crate::sd_jwt::{AsIssued, PathFault, PresentedCredential, SdJwtVc};
use schemas::{ClaimPath, PathElement};

/// Why a credential breaks the rules of its type: then it is refused.
///
/// # Source
/// SD-JWT VC §5.6, §5.7.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// The metadata is that of another type.
    #[error("the type metadata is that of another type")]
    OtherType,
    /// A path that does not fit the credential.
    #[error("claim {path}: {fault}")]
    Path {
        /// The path of the rule.
        path: ClaimPath,
        /// What is wrong with it.
        fault: PathFault,
    },
    /// A claim that the issuer must include, and did not.
    #[error("claim {path} is mandatory and was not issued")]
    Missing {
        /// The path of the rule.
        path: ClaimPath,
    },
    /// A claim that must be selectively disclosable, and is not.
    #[error("claim {path} must be selectively disclosable")]
    NotDisclosable {
        /// The path of the rule.
        path: ClaimPath,
    },
    /// A claim that must not be selectively disclosable, and is.
    #[error("claim {path} must not be selectively disclosable")]
    Disclosable {
        /// The path of the rule.
        path: ClaimPath,
    },
}

/// How much of a credential is seen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// All: by its holder.
    Whole,
    /// What its holder showed.
    Part,
}

impl ResolvedType {
    /// Refuses a credential in its holder's hands that breaks the rules of its type.
    ///
    /// # Errors
    /// [`RuleError`].
    ///
    /// # Source
    /// SD-JWT VC §5.6.
    pub fn check_issued(&self, credential: &SdJwtVc) -> Result<(), RuleError> {
        self.check(credential.vct(), &credential.as_issued(), Seen::Whole)
    }

    /// Refuses a presented credential that breaks the rules of its type. That a claim which may be kept back is not there is no
    /// fault: it may have been kept back.
    ///
    /// # Errors
    /// [`RuleError`].
    ///
    /// # Source
    /// SD-JWT VC §5.6.
    pub fn check_presented(&self, credential: &PresentedCredential) -> Result<(), RuleError> {
        self.check(credential.vct(), &credential.as_issued(), Seen::Part)
    }

    fn check(&self, vct: &str, credential: &AsIssued<'_>, seen: Seen) -> Result<(), RuleError> {
        if vct != self.vct() {
            return Err(RuleError::OtherType);
        }
        self.claims().iter().try_for_each(|claim| check_claim(claim, credential, seen))
    }
}

fn check_claim(claim: &ClaimMetadata, credential: &AsIssued<'_>, seen: Seen) -> Result<(), RuleError> {
    let path = || claim.path().clone();
    let fault = |fault| RuleError::Path { path: path(), fault };
    let found = credential.select(claim.path()).map_err(fault)?;
    match claim.disclosing() {
        Disclosing::Always if found.iter().any(|found| !credential.is_disclosable(found)) => {
            return Err(RuleError::NotDisclosable { path: path() });
        }
        Disclosing::Never if found.iter().any(|found| credential.is_disclosable(found)) => {
            return Err(RuleError::Disclosable { path: path() });
        }
        _ => {}
    }
    let is_missing = claim.is_mandatory()
        && found.is_empty()
        && (seen == Seen::Whole || was_left_out(claim, credential).map_err(fault)?);
    if is_missing { Err(RuleError::Missing { path: path() }) } else { Ok(()) }
}

/// Whether a verifier can tell that a claim which it does not see was not issued: it may not be kept back, and what it would
/// stand in is seen.
fn was_left_out(claim: &ClaimMetadata, credential: &AsIssued<'_>) -> Result<bool, PathFault> {
    let elements = claim.path().elements();
    // Of several places some may be kept back.
    if claim.disclosing() != Disclosing::Never || elements.contains(&PathElement::Every(())) {
        return Ok(false);
    }
    match elements.split_last() {
        None => Ok(false),
        Some((_, [])) => Ok(true),
        Some((_, above)) => {
            let above = credential.select(&ClaimPath::new(above.to_vec()))?;
            Ok(above.iter().any(|found| found.value().is_some()))
        }
    }
}
