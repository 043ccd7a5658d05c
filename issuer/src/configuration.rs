//! What can be issued: a credential type in a format.

use credentials::mdoc;
use schemas::credential_type::{self, CredentialType};
use schemas::openid4vci::SD_JWT_VC_FORMAT;
use std::fmt;

/// A format of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum)]
pub enum Format {
    /// SD-JWT VC.
    #[value(name = "sd-jwt")]
    SdJwtVc,
    /// A mobile document, ISO/IEC 18013-5.
    Mdoc,
}

impl Format {
    /// Its identifier on the wire.
    pub const fn identifier(self) -> &'static str {
        match self {
            Self::SdJwtVc => SD_JWT_VC_FORMAT,
            Self::Mdoc => mdoc::FORMAT,
        }
    }
}

/// A credential configuration: one thing that the issuer's metadata says it can issue.
///
/// # Source
/// OpenID4VCI 1.0 §12.2.4 `credential_configurations_supported`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Configuration {
    /// What it says.
    pub credential_type: &'static CredentialType,
    /// How.
    pub format: Format,
}

impl Configuration {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let formats = [Format::SdJwtVc, Format::Mdoc];
        credential_type::ALL
            .into_iter()
            .flat_map(move |credential_type| formats.map(|format| Self { credential_type, format }))
    }

    /// The configuration of that id, compared byte for byte.
    pub fn by_id(id: &str) -> Option<Self> {
        Self::all().find(|configuration| configuration.to_string() == id)
    }
}

/// The configuration id: the type's name, and for a document `-mdoc` after it.
impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.credential_type.id)?;
        match self.format {
            Format::SdJwtVc => Ok(()),
            Format::Mdoc => f.write_str("-mdoc"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_lead_back() {
        let ids: Vec<String> = Configuration::all().map(|configuration| configuration.to_string()).collect();
        assert_eq!(ids, ["identity", "identity-mdoc", "attestation", "attestation-mdoc"]);
        for id in &ids {
            assert_eq!(Configuration::by_id(id).unwrap().to_string(), *id);
        }
        for id in ["", "Identity", "identity-", "identity-mdoc-mdoc"] {
            assert_eq!(Configuration::by_id(id), None, "{id}");
        }
    }
}
