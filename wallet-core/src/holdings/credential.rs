//! A credential in one of the two formats that are held, and what both can say.

use credentials::mdoc::{self, Mdoc};
use credentials::sd_jwt::SdJwtVc;
use credentials::trust::VerifiedChain;
use schemas::openid4vci::SD_JWT_VC_FORMAT;
use schemas::{ClaimPath, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// In which format a credential is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub enum Format {
    /// SD-JWT VC.
    #[default]
    #[serde(rename = "dc+sd-jwt")]
    SdJwtVc,
    /// ISO/IEC 18013-5 mobile document.
    #[serde(rename = "mso_mdoc")]
    Mdoc,
}

impl Format {
    /// Its identifier in OpenID4VCI and OpenID4VP.
    pub const fn identifier(self) -> &'static str {
        match self {
            Self::SdJwtVc => SD_JWT_VC_FORMAT,
            Self::Mdoc => mdoc::FORMAT,
        }
    }
}

/// One copy of a credential, opened: verified when it was received.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Credential {
    /// SD-JWT VC.
    SdJwtVc(Box<SdJwtVc>),
    /// A mobile document.
    Mdoc(Box<Mdoc>),
}

impl Credential {
    /// Its format.
    pub const fn format(&self) -> Format {
        match self {
            Self::SdJwtVc(_) => Format::SdJwtVc,
            Self::Mdoc(_) => Format::Mdoc,
        }
    }

    /// Its `vct`, or its document type.
    pub fn type_id(&self) -> &str {
        match self {
            Self::SdJwtVc(credential) => credential.vct(),
            Self::Mdoc(document) => document.doc_type(),
        }
    }

    /// What it says, under the claim names of its type; the elements of a document of a type that is not ours under their
    /// name spaces.
    pub fn claims(&self) -> Map<String, Value> {
        match self {
            Self::SdJwtVc(credential) => credential.claims().clone(),
            Self::Mdoc(document) => match schemas::mdoc::by_doc_type(document.doc_type()) {
                Some(known) => mdoc::claims_of(known, &document.elements()),
                None => document.elements().to_json(),
            },
        }
    }

    /// What its holder can show or keep: claims, or elements by name space.
    pub fn disclosable_paths(&self) -> Vec<ClaimPath> {
        match self {
            Self::SdJwtVc(credential) => credential.disclosable_paths(),
            Self::Mdoc(document) => document.elements().paths(),
        }
    }

    /// Given and family name, where it has both.
    pub(crate) fn full_name(&self) -> Option<(String, String)> {
        let text = |name: &str| match self {
            Self::SdJwtVc(credential) => credential.claims().get(name)?.as_str().map(str::to_owned),
            // In whatever name space: that of driving licences has them as well.
            Self::Mdoc(document) => {
                let elements = document.elements();
                let found = elements.iter().find(|(_, identifier, _)| *identifier == name)?;
                found.2.as_text().map(str::to_owned)
            }
        };
        Some((text("given_name")?, text("family_name")?))
    }

    pub(crate) const fn issuer(&self) -> Option<&VerifiedChain> {
        match self {
            Self::SdJwtVc(credential) => credential.issuer(),
            Self::Mdoc(document) => document.issuer(),
        }
    }

    pub(crate) fn not_before(&self) -> Option<Timestamp> {
        match self {
            Self::SdJwtVc(credential) => credential.not_before(),
            Self::Mdoc(document) => Some(document.valid_from()),
        }
    }

    pub(crate) fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::SdJwtVc(credential) => credential.expires_at(),
            Self::Mdoc(document) => Some(document.valid_until()),
        }
    }

    /// The bytes that are kept: the text of an SD-JWT VC, the `IssuerSigned` of a document.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::SdJwtVc(credential) => credential.as_str().as_bytes(),
            Self::Mdoc(document) => document.as_bytes(),
        }
    }

    /// Opens bytes again that were verified before they were kept.
    pub(crate) fn reopen(format: Format, bytes: &[u8]) -> Option<Self> {
        Some(match format {
            Format::SdJwtVc => Self::SdJwtVc(Box::new(SdJwtVc::reopen(std::str::from_utf8(bytes).ok()?).ok()?)),
            Format::Mdoc => Self::Mdoc(Box::new(Mdoc::reopen(bytes).ok()?)),
        })
    }
}
