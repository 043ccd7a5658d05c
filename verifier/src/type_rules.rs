//! What types demand of their credentials, by the documents at hand: bundled, or supplied beforehand.

use credentials::sd_jwt::PresentedCredential;
use credentials::type_metadata::{Bundled, ResolveError, ResolvedType, RuleError, resolve};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// The type metadata documents of a verifier, and what came of them. Ours are always among them.
///
/// A type that has a document is held to it: what breaks its rules is refused, and what extends something unknown as well. Of
/// a type that has none, nobody has said what its rules are, and nothing is looked up because it is shown.
///
/// # Source
/// SD-JWT VC §5.7 "Processing Type Metadata", §8.4.
#[derive(Default)]
pub struct TypeRules {
    documents: BTreeMap<String, Vec<u8>>,
    resolved: Mutex<BTreeMap<Named, Arc<ResolvedType>>>,
}

/// A type, and the digest of its document as a credential names it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    vct: String,
    integrity: Option<String>,
}

/// Why a credential is refused for what its type says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TypeError {
    /// Its type cannot be resolved from the documents at hand.
    #[error("its type's metadata does not hold: {0}")]
    Metadata(#[from] ResolveError),
    /// It breaks its type's rules.
    #[error("it breaks the rules of its type: {0}")]
    Rule(#[from] RuleError),
}

impl TypeRules {
    /// The most types that are remembered as resolved; then all are forgotten.
    const MOST: usize = 256;

    /// With these documents, by their `vct`, beside our own.
    pub fn new(documents: BTreeMap<String, Vec<u8>>) -> Self {
        Self { documents, resolved: Mutex::default() }
    }

    /// Refuses a credential that breaks the rules of its type.
    ///
    /// # Errors
    /// [`TypeError`].
    ///
    /// # Source
    /// SD-JWT VC §5.6, §5.7, §6.
    pub fn check(&self, credential: &PresentedCredential) -> Result<(), TypeError> {
        match self.resolved(credential.vct(), credential.vct_integrity()) {
            Ok(resolved) => Ok(resolved.check_presented(credential)?),
            Err(ResolveError::Missing { vct }) if vct == credential.vct() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn resolved(&self, vct: &str, integrity: Option<&str>) -> Result<Arc<ResolvedType>, ResolveError> {
        let named = Named { vct: vct.to_owned(), integrity: integrity.map(str::to_owned) };
        if let Some(known) = self.resolved.lock().unwrap_or_else(PoisonError::into_inner).get(&named) {
            return Ok(Arc::clone(known));
        }
        let resolved = Arc::new(resolve(vct, integrity, &Bundled::and(&self.documents))?);
        let mut all = self.resolved.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= Self::MOST {
            all.clear();
        }
        all.insert(named, Arc::clone(&resolved));
        Ok(resolved)
    }
}

impl fmt::Debug for TypeRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { documents, resolved: _ } = self;
        f.debug_struct("TypeRules").field("types", &documents.keys()).finish_non_exhaustive()
    }
}
