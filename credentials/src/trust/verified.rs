//! What a verified chain says of its leaf.

use super::certificate::Facts;
use super::{Anchor, AnchorLimits, CertificateChain, ChainError};
use crate::escape::escaped;
use crate::key::IssuerKey;
use schemas::Timestamp;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// Whether a chain ends at a trust anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// It does.
    Known,
    /// It is in order, but ends at no trust anchor: the name in it is whatever its maker wrote. Shown to the person.
    NotKnown,
}

/// A chain that was verified for one usage, or the key that stands in its place: see [`super::PublishedIssuers`]. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedChain(Arc<Verified>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Verified {
    leaf_key: IssuerKey,
    subject: String,
    dns_names: Vec<String>,
    uri_names: Vec<String>,
    leaf_sha256: [u8; 32],
    trust: Trust,
    limits: Option<Arc<AnchorLimits>>,
    list_end: Option<Timestamp>,
    anchor_key_sha256: Option<[u8; 32]>,
    authority_key_ids: Vec<Vec<u8>>,
    not_before: Timestamp,
    not_after: Timestamp,
}

impl VerifiedChain {
    /// Of a chain that ends at `anchor`, whose key has that SHA-256, or at none.
    pub(super) fn new(
        chain: &CertificateChain,
        facts: Vec<Facts>,
        anchor: Option<(&Anchor, [u8; 32])>,
    ) -> Result<Self, ChainError> {
        let not_before = facts.iter().map(|f| f.not_before).max().ok_or(ChainError::Empty)?;
        let not_after = facts.iter().map(|f| f.not_after).min().ok_or(ChainError::Empty)?;
        let authority_key_ids = facts.iter().filter_map(|f| f.authority_key_id.clone()).collect();
        let leaf = facts.into_iter().next().ok_or(ChainError::Empty)?;
        Ok(Self(Arc::new(Verified {
            leaf_key: leaf.public_key()?,
            subject: leaf.subject,
            dns_names: leaf.dns_names,
            uri_names: leaf.uri_names,
            leaf_sha256: Sha256::digest(chain.leaf()).into(),
            trust: if anchor.is_some() { Trust::Known } else { Trust::NotKnown },
            limits: anchor.and_then(|(anchor, _)| anchor.shared_limits()),
            list_end: anchor.and_then(|(anchor, _)| anchor.list_end()),
            anchor_key_sha256: anchor.map(|(_, key)| key),
            authority_key_ids,
            not_before,
            not_after,
        })))
    }

    /// A key that `issuer` publishes under its name, good until `until`: it has that name and no other, and no certificate.
    pub(super) fn published(issuer: &str, key: IssuerKey, limits: Option<Arc<AnchorLimits>>, until: Timestamp) -> Self {
        Self(Arc::new(Verified {
            leaf_sha256: key.sha256(),
            leaf_key: key,
            subject: escaped(issuer).into_owned(),
            dns_names: Vec::new(),
            uri_names: vec![issuer.to_owned()],
            trust: Trust::Known,
            limits,
            list_end: None,
            anchor_key_sha256: None,
            authority_key_ids: Vec::new(),
            not_before: Timestamp::from_unix(0),
            not_after: until,
        }))
    }

    /// A key that is its own name, or that somebody attested: no certificate, and no name but `subject`.
    pub(crate) fn of_key(subject: &str, key: IssuerKey, trust: Trust, until: Timestamp) -> Self {
        Self(Arc::new(Verified {
            leaf_sha256: key.sha256(),
            leaf_key: key,
            subject: escaped(subject).into_owned(),
            dns_names: Vec::new(),
            uri_names: Vec::new(),
            trust,
            limits: None,
            list_end: None,
            anchor_key_sha256: None,
            authority_key_ids: Vec::new(),
            not_before: Timestamp::from_unix(0),
            not_after: until,
        }))
    }

    /// The same chain as it looks to somebody who does not know its anchor.
    pub(super) fn of_a_stranger(&self) -> Self {
        let stranger = (*self.0).clone();
        let trust = Trust::NotKnown;
        Self(Arc::new(Verified { trust, limits: None, list_end: None, anchor_key_sha256: None, ..stranger }))
    }

    /// The key of the leaf.
    pub fn leaf_key(&self) -> &IssuerKey {
        &self.0.leaf_key
    }

    /// The common name of the leaf, or where it has none its first other name; safe to show.
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// The DNS names of the leaf.
    pub fn dns_names(&self) -> &[String] {
        &self.0.dns_names
    }

    /// The URIs of the leaf.
    pub fn uri_names(&self) -> &[String] {
        &self.0.uri_names
    }

    /// The SHA-256 of the leaf, as in the client identifier prefix `x509_hash`; of the key, where it was published.
    pub fn leaf_sha256(&self) -> [u8; 32] {
        self.0.leaf_sha256
    }

    /// The SHA-256 of the key of the anchor at the end of the chain: of its SubjectPublicKeyInfo without tag and length. `None`
    /// where it ends at none. Who stands behind the chain, where a key identifier is only what an authority wrote.
    pub fn anchor_key_sha256(&self) -> Option<[u8; 32]> {
        self.0.anchor_key_sha256
    }

    /// The key identifiers of the AuthorityKeyIdentifier extensions of its certificates, leaf first. All of them lie on the path
    /// that was verified; of a chain that ends at no anchor the last is what its maker wrote.
    ///
    /// # Source
    /// OpenID4VP 1.0 §6.1.1.1 "Authority Key Identifier"; RFC 5280 §4.2.1.1.
    pub fn authority_key_ids(&self) -> &[Vec<u8>] {
        &self.0.authority_key_ids
    }

    /// Whether the chain ends at a trust anchor.
    pub fn trust(&self) -> Trust {
        self.0.trust
    }

    /// Until when the trust list holds that alone vouches for the anchor; `None` for an anchor that is believed without one.
    pub fn list_end(&self) -> Option<Timestamp> {
        self.0.list_end
    }

    /// Whether every certificate of the chain is within its time at `now`.
    pub fn is_in_time(&self, now: Timestamp) -> bool {
        self.0.not_before <= now && now <= self.0.not_after
    }

    /// When the first certificate of the chain ends.
    pub fn not_after(&self) -> Timestamp {
        self.0.not_after
    }

    /// Whether the anchor at the end of the chain may vouch for credentials of this type: a `vct` or an mdoc `docType`,
    /// compared byte for byte. A chain that ends at no anchor is not limited by one.
    ///
    /// # Source
    /// SD-JWT VC §7.7: to be able to sign is not to be allowed to issue that type.
    pub fn may_issue(&self, type_name: &str) -> bool {
        self.0.limits.as_ref().is_none_or(|limits| limits.allow_type(type_name))
    }

    /// Whether the anchor at the end of the chain may vouch for the status list at `uri`.
    ///
    /// # Source
    /// Token Status List §11.3 "Key Resolution and Trust Management".
    pub fn may_sign_status_of(&self, uri: &str) -> bool {
        self.0.limits.as_ref().is_none_or(|limits| limits.allow_status_of(uri))
    }

    /// Whether the leaf is certified under the name `uri`: it has that very URI, or the host of that `https` URL.
    ///
    /// # Source
    /// SD-JWT VC §2.5: with `x5c` the issuer is the subject of the leaf; an `iss` beside it must not name somebody else.
    pub fn is_named(&self, uri: &str) -> bool {
        self.0.uri_names.iter().any(|name| name == uri)
            || url::Url::parse(uri).is_ok_and(|url| {
                url.scheme() == "https"
                    && url
                        .domain()
                        .is_some_and(|host| self.0.dns_names.iter().any(|name| name.eq_ignore_ascii_case(host)))
            })
    }
}
