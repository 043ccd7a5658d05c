//! A verified presentation in either format, and what both can say.

use credentials::dcql::{FORMAT, presented_leaves};
use credentials::mdoc::{self, PresentedMdoc};
use credentials::sd_jwt::PresentedCredential;
use credentials::trust::VerifiedChain;
use schemas::ClaimPath;
use schemas::mdoc::{CONSENT_NAME_SPACE, GRANT};
use schemas::status::StatusReference;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A verified presentation.
#[derive(Debug)]
#[non_exhaustive]
pub enum Presentation {
    /// Of an SD-JWT VC, with key binding.
    SdJwtVc(Box<PresentedCredential>),
    /// Of an mdoc, with device authentication.
    Mdoc(Box<PresentedMdoc>),
}

impl Presentation {
    /// The format identifier.
    pub const fn format(&self) -> &'static str {
        match self {
            Self::SdJwtVc(_) => FORMAT,
            Self::Mdoc(_) => mdoc::FORMAT,
        }
    }

    /// Its `vct` or document type.
    pub fn type_name(&self) -> &str {
        match self {
            Self::SdJwtVc(credential) => credential.vct(),
            Self::Mdoc(document) => document.doc_type(),
        }
    }

    /// Who signed it.
    pub const fn issuer(&self) -> &VerifiedChain {
        match self {
            Self::SdJwtVc(credential) => credential.issuer(),
            Self::Mdoc(document) => document.issuer(),
        }
    }

    /// Where its status is found.
    pub const fn status(&self) -> Option<&StatusReference> {
        match self {
            Self::SdJwtVc(credential) => credential.status(),
            Self::Mdoc(document) => document.status(),
        }
    }

    /// What can be seen, as a query looks at it: claims, or elements by name space.
    pub fn visible(&self) -> Cow<'_, Map<String, Value>> {
        match self {
            Self::SdJwtVc(credential) => Cow::Borrowed(credential.claims()),
            Self::Mdoc(document) => Cow::Owned(document.elements().to_json()),
        }
    }

    /// The paths of all that the holder chose to show.
    pub fn disclosed(&self) -> Vec<ClaimPath> {
        match self {
            Self::SdJwtVc(credential) => presented_leaves(credential),
            Self::Mdoc(document) => document.disclosed_paths(),
        }
    }

    /// Whether the holder's key signs something that calls itself a consent.
    pub fn has_consent(&self) -> bool {
        match self {
            Self::SdJwtVc(credential) => credential.key_binding().consent().is_some(),
            Self::Mdoc(document) => document.own_elements().get(CONSENT_NAME_SPACE, GRANT).is_some(),
        }
    }
}
