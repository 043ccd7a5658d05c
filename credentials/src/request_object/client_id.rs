//! Client identifiers and their prefixes: which we can authenticate, and by what.

use crate::b64;
use crate::did::{Did, DidError};
use crate::trust::VerifiedChain;
use std::fmt;

/// Why a client identifier is not one that we can authenticate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientIdError {
    /// No prefix: a client registered before, and we register none.
    #[error("client identifier has no prefix, and no client is registered in advance")]
    NoPrefix,
    /// A prefix that a signed request must not have.
    #[error("client identifier prefix {0} is not for signed requests")]
    NeverSigned(&'static str),
    /// A prefix that we do not support.
    #[error("client identifier prefix is none that a signed request is authenticated by here")]
    Unsupported,
    /// A decentralized identifier of another method than those that hold their own key.
    #[error(transparent)]
    Did(#[from] DidError),
    /// Not a DNS name, or not a SHA-256.
    #[error("client identifier does not fit its prefix")]
    Malformed,
}

/// A full client identifier, prefix and all, of a kind by which a signed request can be authenticated.
///
/// Compared, shown and signed only as a whole: without its prefix another party could have the same.
///
/// # Source
/// OpenID4VP 1.0 §5.9 "Client Identifier Prefix and Verifier Metadata Management", §14.10.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientId {
    full: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    SanDns(String),
    Hash([u8; 32]),
    Did(Did),
    /// The `sub` of an attestation.
    Attested(String),
}

const SAN_DNS: &str = "x509_san_dns";
const HASH: &str = "x509_hash";
const DID: &str = "decentralized_identifier";
const ATTESTED: &str = "verifier_attestation";
/// The longest name in an attestation.
const MOST_NAME: usize = 253;

impl ClientId {
    /// Reads a full client identifier.
    ///
    /// # Errors
    /// [`ClientIdError`].
    ///
    /// # Source
    /// OpenID4VP 1.0 §5.9.1 (the prefix ends at the first colon), §5.9.3 (the prefixes).
    pub fn parse(full: &str) -> Result<Self, ClientIdError> {
        let (prefix, rest) = full.split_once(':').ok_or(ClientIdError::NoPrefix)?;
        let kind = match prefix {
            SAN_DNS if is_dns_name(rest) => Kind::SanDns(rest.to_owned()),
            HASH => Kind::Hash(b64::decode_array(rest).map_err(|_| ClientIdError::Malformed)?),
            DID => Kind::Did(Did::parse(rest)?),
            ATTESTED if (1..=MOST_NAME).contains(&rest.len()) => Kind::Attested(rest.to_owned()),
            SAN_DNS | ATTESTED => return Err(ClientIdError::Malformed),
            "redirect_uri" => return Err(ClientIdError::NeverSigned("redirect_uri")),
            "origin" => return Err(ClientIdError::NeverSigned("origin")),
            _ => return Err(ClientIdError::Unsupported),
        };
        Ok(Self { full: full.to_owned(), kind })
    }

    /// The identifier of whoever holds a certificate, by its hash.
    pub fn x509_hash(leaf_sha256: &[u8; 32]) -> Self {
        Self { full: format!("{HASH}:{}", b64::encode(leaf_sha256)), kind: Kind::Hash(*leaf_sha256) }
    }

    /// The identifier of whoever holds a certificate for `name`.
    ///
    /// # Errors
    /// [`ClientIdError::Malformed`] when it is no DNS name.
    pub fn x509_san_dns(name: &str) -> Result<Self, ClientIdError> {
        Self::parse(&format!("{SAN_DNS}:{name}"))
    }

    /// The whole of it.
    pub fn as_str(&self) -> &str {
        &self.full
    }

    /// Whether the leaf of the chain is the certificate of this client. DNS names match without regard to case and
    /// whole: a wildcard in the certificate stands for itself only.
    pub fn is_of(&self, chain: &VerifiedChain) -> bool {
        match &self.kind {
            Kind::SanDns(name) => chain.dns_names().iter().any(|san| san.eq_ignore_ascii_case(name)),
            Kind::Hash(hash) => *hash == chain.leaf_sha256(),
            // Known by a key, not by a certificate.
            Kind::Did(_) | Kind::Attested(_) => false,
        }
    }

    /// The host to which answers must go; any, when the identifier names none.
    pub fn host(&self) -> Option<&str> {
        match &self.kind {
            Kind::SanDns(name) => Some(name),
            Kind::Hash(_) | Kind::Did(_) | Kind::Attested(_) => None,
        }
    }

    pub(super) const fn kind(&self) -> &Kind {
        &self.kind
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full)
    }
}

/// Labels of letters, digits and hyphens, at most 253 characters in all (RFC 1123 §2.1), and no IPv4 address.
fn is_dns_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let ends_in_number = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    name.len() <= 253 && name.split('.').all(is_label) && !ends_in_number
}
