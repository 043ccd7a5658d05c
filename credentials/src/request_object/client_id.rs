//! Client identifiers and their prefixes: which we can authenticate, and by what.

use crate::b64;
use crate::did::{Did, DidError};
use crate::trust::VerifiedChain;
use std::fmt;
use url::Url;

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
    /// A prefix that only a signed request may have.
    #[error("client identifier prefix is not for a request that nobody signed: only redirect_uri is")]
    MustBeSigned,
    /// A prefix that we do not support.
    #[error("client identifier prefix is none that a signed request is authenticated by here")]
    Unsupported,
    /// A decentralized identifier whose key we cannot find.
    #[error(transparent)]
    Did(#[from] DidError),
    /// Not a DNS name, or not a SHA-256.
    #[error("client identifier does not fit its prefix")]
    Malformed,
}

/// A full client identifier, prefix and all: of a kind by which a signed request can be authenticated, or of the one kind that an
/// unsigned request can have.
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
    /// The place that the answer goes to; nobody signs.
    Place(String),
}

const SAN_DNS: &str = "x509_san_dns";
const HASH: &str = "x509_hash";
const DID: &str = "decentralized_identifier";
const ATTESTED: &str = "verifier_attestation";
const PLACE: &str = "redirect_uri";
const ORIGIN: &str = "origin";
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
            PLACE => return Err(ClientIdError::NeverSigned(PLACE)),
            ORIGIN => return Err(ClientIdError::NeverSigned(ORIGIN)),
            _ => return Err(ClientIdError::Unsupported),
        };
        Ok(Self { full: full.to_owned(), kind })
    }

    /// Reads the full client identifier of a request that nobody signed: the place that the answer goes to.
    ///
    /// # Errors
    /// [`ClientIdError::MustBeSigned`] for every other prefix, [`ClientIdError::NeverSigned`] for `origin`, which no request has.
    ///
    /// # Source
    /// OpenID4VP 1.0 §5.9.3 `redirect_uri`, `origin`.
    pub fn unsigned(full: &str) -> Result<Self, ClientIdError> {
        match full.split_once(':').ok_or(ClientIdError::NoPrefix)? {
            (PLACE, "") => Err(ClientIdError::Malformed),
            (PLACE, place) => Ok(Self { full: full.to_owned(), kind: Kind::Place(place.to_owned()) }),
            (ORIGIN, _) => Err(ClientIdError::NeverSigned(ORIGIN)),
            _ => Err(ClientIdError::MustBeSigned),
        }
    }

    /// Whether a signed request cannot have it, so that what is behind a `request_uri` need not be fetched.
    pub fn is_never_signed(full: &str) -> bool {
        full.split_once(':').is_some_and(|(prefix, _)| prefix == PLACE || prefix == ORIGIN)
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
            Kind::Did(_) | Kind::Attested(_) | Kind::Place(_) => false,
        }
    }

    /// The host to which answers must go; any, when the identifier names none.
    pub fn host(&self) -> Option<&str> {
        match &self.kind {
            Kind::SanDns(name) => Some(name),
            Kind::Hash(_) | Kind::Did(_) | Kind::Attested(_) | Kind::Place(_) => None,
        }
    }

    /// Where the document with the client's keys lies on the web, if that is where they are; whole, to be fetched before the request
    /// can be authenticated.
    pub const fn document_url(&self) -> Option<&Url> {
        match &self.kind {
            Kind::Did(did) => did.document_url(),
            Kind::SanDns(_) | Kind::Hash(_) | Kind::Attested(_) | Kind::Place(_) => None,
        }
    }

    /// The decentralized identifier, where it is one.
    pub const fn did(&self) -> Option<&Did> {
        match &self.kind {
            Kind::Did(did) => Some(did),
            Kind::SanDns(_) | Kind::Hash(_) | Kind::Attested(_) | Kind::Place(_) => None,
        }
    }

    /// The one place to which answers must go, as it is written there; `None` for every client that signs.
    pub fn place(&self) -> Option<&str> {
        match &self.kind {
            Kind::Place(place) => Some(place),
            Kind::SanDns(_) | Kind::Hash(_) | Kind::Did(_) | Kind::Attested(_) => None,
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
