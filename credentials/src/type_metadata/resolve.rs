//! A type with everything that it extends.

use super::claim::check_svg_ids;
use super::document::Extends;
use super::language::choose;
use super::{ClaimMetadata, DocumentError, Integrity, IntegrityError, TypeDisplay, TypeMetadata};
use schemas::ClaimPath;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// Where documents are had from: what is bundled, kept, or was fetched beforehand. Never asked for anything else than a type's
/// document, and never fetches: what it does not have it does not have.
pub trait TypeDocuments {
    /// The document of the type `vct`, as it came; the name is compared byte for byte.
    fn document(&self, vct: &str) -> Option<Cow<'_, [u8]>>;
}

impl TypeDocuments for BTreeMap<String, Vec<u8>> {
    fn document(&self, vct: &str) -> Option<Cow<'_, [u8]>> {
        self.get(vct).map(|bytes| Cow::Borrowed(bytes.as_slice()))
    }
}

impl TypeDocuments for HashMap<String, Vec<u8>> {
    fn document(&self, vct: &str) -> Option<Cow<'_, [u8]>> {
        self.get(vct).map(|bytes| Cow::Borrowed(bytes.as_slice()))
    }
}

/// The most types one above the other.
pub const MOST_EXTENSIONS: usize = 8;

/// Why a type cannot be resolved. Whoever must process type metadata refuses the credential.
///
/// # Source
/// SD-JWT VC §5.7 "Processing Type Metadata".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    // The surroundings' fault: fetch it beforehand, and try again.
    /// A document that is not there.
    #[error("there is no type metadata of {vct:?}")]
    Missing {
        /// Of this type.
        vct: String,
    },

    // The fault of who wrote it.
    /// A document that cannot be read.
    #[error("type metadata of {vct:?}: {cause}")]
    Document {
        /// Of this type.
        vct: String,
        /// What is wrong with it.
        cause: DocumentError,
    },
    /// `vct#integrity` of the credential, or a document that is not the one it names.
    #[error("type metadata of {vct:?}: {cause}")]
    Integrity {
        /// Of this type.
        vct: String,
        /// What is wrong with it.
        cause: IntegrityError,
    },
    /// A document for another type than was asked for.
    #[error("the type metadata found for {vct:?} is that of another type")]
    OtherType {
        /// The type asked for.
        vct: String,
    },
    /// A type that extends itself, directly or not.
    #[error("the type {vct:?} extends itself")]
    Circular {
        /// The type met again.
        vct: String,
    },
    /// More types one above the other than are read.
    #[error("more than {MOST_EXTENSIONS} types one above the other")]
    TooDeep,
    /// A type that takes back what the type it extends demands of a claim.
    #[error("a type loosens what the type it extends demands of {path}")]
    Loosened {
        /// The claim.
        path: ClaimPath,
    },
}

/// A type with everything that it extends applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedType {
    vcts: Vec<String>,
    display: Vec<TypeDisplay>,
    claims: Vec<ClaimMetadata>,
}

/// Resolves the type `vct` from `documents`; `integrity` is `vct#integrity` of the credential.
///
/// # Errors
/// [`ResolveError`]; [`ResolveError::Missing`] names what the caller may look for and try again.
///
/// # Source
/// SD-JWT VC §5.3, §5.4, §5.7, §6, §7.4.
pub fn resolve(
    vct: &str,
    integrity: Option<&str>,
    documents: &(impl TypeDocuments + ?Sized),
) -> Result<ResolvedType, ResolveError> {
    let integrity = integrity.map(Integrity::parse).transpose();
    let integrity = integrity.map_err(|cause| ResolveError::Integrity { vct: vct.to_owned(), cause })?;
    let mut chain: Vec<TypeMetadata> = Vec::new();
    let mut next = Some(Extends { vct: vct.to_owned(), integrity });
    while let Some(Extends { vct, integrity }) = next {
        if chain.iter().any(|known| known.vct == vct) {
            return Err(ResolveError::Circular { vct });
        }
        if chain.len() == MOST_EXTENSIONS {
            return Err(ResolveError::TooDeep);
        }
        let metadata = read(&vct, integrity.as_ref(), documents)?;
        next = metadata.extends.clone();
        chain.push(metadata);
    }
    let vcts = chain.iter().map(|metadata| metadata.vct.clone()).collect();
    let mut resolved = ResolvedType { vcts, display: Vec::new(), claims: Vec::new() };
    // The type that extends nothing first.
    for metadata in chain.into_iter().rev() {
        resolved.extend(metadata)?;
    }
    Ok(resolved)
}

/// The document of `vct`, when it is the one that is meant.
fn read(
    vct: &str,
    integrity: Option<&Integrity>,
    documents: &(impl TypeDocuments + ?Sized),
) -> Result<TypeMetadata, ResolveError> {
    let named = || vct.to_owned();
    let bytes = documents.document(vct).ok_or_else(|| ResolveError::Missing { vct: named() })?;
    if let Some(integrity) = integrity {
        integrity.check(&bytes).map_err(|cause| ResolveError::Integrity { vct: named(), cause })?;
    }
    let metadata = TypeMetadata::parse(&bytes).map_err(|cause| ResolveError::Document { vct: named(), cause })?;
    if metadata.vct != vct {
        return Err(ResolveError::OtherType { vct: named() });
    }
    Ok(metadata)
}

impl ResolvedType {
    /// Puts an extending type on top.
    ///
    /// # Source
    /// SD-JWT VC §5.5.2, §5.6.5.
    fn extend(&mut self, metadata: TypeMetadata) -> Result<(), ResolveError> {
        if let Some(display) = metadata.display {
            self.display = display;
        }
        for child in metadata.claims {
            let Some(own) = self.claims.iter_mut().find(|own| own.path == child.path) else {
                self.claims.push(child);
                continue;
            };
            let path = child.path.clone();
            *own = own.clone().extended_by(child).ok_or(ResolveError::Loosened { path })?;
        }
        check_svg_ids(&self.claims).map_err(|cause| ResolveError::Document { vct: metadata.vct, cause })
    }

    /// The type.
    pub fn vct(&self) -> &str {
        self.vcts.first().map_or("", String::as_str)
    }

    /// The type and those that it extends, the nearest first. To extend a type is no leave to issue it.
    ///
    /// # Source
    /// SD-JWT VC §5.4, §7.7.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        self.vcts.iter().map(String::as_str)
    }

    /// How it is called and looks for someone who would read `preferred`, the most wished for first; `None` when nobody says.
    ///
    /// # Source
    /// RFC 4647 §3.4.
    pub fn display(&self, preferred: &[&str]) -> Option<&TypeDisplay> {
        choose(&self.display, |display| &display.locale, preferred)
    }

    /// What it says of claims: those of the type that extends nothing first.
    pub fn claims(&self) -> &[ClaimMetadata] {
        &self.claims
    }

    /// What it says of the claim at `path`: of that very path, or else of one with `null` where it has an index.
    pub fn claim(&self, path: &ClaimPath) -> Option<&ClaimMetadata> {
        let is_same_length = |claim: &&ClaimMetadata| claim.path.elements().len() == path.elements().len();
        let exact = self.claims.iter().find(|claim| claim.path == *path);
        exact.or_else(|| self.claims.iter().filter(is_same_length).find(|claim| claim.path.covers(path)))
    }
}
