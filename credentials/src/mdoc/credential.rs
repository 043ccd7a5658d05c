//! A document that was verified: in its holder's hands, and as a verifier received it.

use super::issuer_signed::{IssuerSignedIn, Items};
use super::item::Item;
use super::mso::Validity;
use super::{DeviceProof, Elements, KeyAuthorizations, ResponseError, SelectError, Selection};
use crate::cbor::{Fields, Limits, parse};
use crate::cose::Sign1In;
use crate::dcql::key_ids;
use crate::key::PublicKey;
use crate::trust::VerifiedChain;
use schemas::status::StatusReference;
use schemas::{ClaimPath, Timestamp};
use std::fmt;

/// A document in its holder's hands: verified, with all its items.
#[derive(Clone)]
pub struct Mdoc {
    content: Content,
    /// Nobody's word is taken for bytes that were only opened again.
    issuer: Option<VerifiedChain>,
    items: Items,
    bytes: Vec<u8>,
    issuer_auth: Vec<u8>,
}

/// A document as a verifier received it: verified, with what the holder chose to show, bound to this session.
#[derive(Clone)]
pub struct PresentedMdoc {
    content: Content,
    issuer: VerifiedChain,
    elements: Elements,
    own: Elements,
    proof: DeviceProof,
}

/// What both have.
#[derive(Clone)]
pub(super) struct Content {
    doc_type: String,
    device_key: PublicKey,
    authorizations: KeyAuthorizations,
    validity: Validity,
    status: Option<StatusReference>,
}

impl Mdoc {
    pub(super) fn new(issuer_signed: IssuerSignedIn, bytes: Vec<u8>, issuer: Option<VerifiedChain>) -> Self {
        let issuer_auth = issuer_signed.encode_auth();
        let IssuerSignedIn { items, auth: _, object } = issuer_signed;
        Self { content: Content::new(object), issuer, items, bytes, issuer_auth }
    }

    /// Opens bytes again that their holder verified before and has kept where nobody else could change them.
    ///
    /// Checks the form and the digests. Does *not* check signature, chain or times: there is no [`Mdoc::issuer`].
    ///
    /// # Errors
    /// [`ResponseError`]: not an `IssuerSigned`, or items and digests do not fit.
    pub fn reopen(bytes: &[u8]) -> Result<Self, ResponseError> {
        Ok(Self::new(parse_issuer_signed(bytes)?, bytes.to_vec(), None))
    }

    /// Who signed it, when it was verified; `None` when it was opened again.
    pub const fn issuer(&self) -> Option<&VerifiedChain> {
        self.issuer.as_ref()
    }

    /// The `IssuerSigned` as it was issued.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All elements.
    pub fn elements(&self) -> Elements {
        self.items.elements()
    }

    /// Chooses what to show, by paths of name space and identifier.
    ///
    /// # Errors
    /// [`SelectError::NoSuchElement`] for a path that leads nowhere.
    ///
    /// # Source
    /// OpenID4VP 1.0 §7.2 "Semantics for ISO mdoc-based credentials".
    pub fn select(&self, paths: &[ClaimPath]) -> Result<Selection<'_>, SelectError> {
        Selection::new(self, paths)
    }

    /// The key identifiers of the AuthorityKeyIdentifier extensions in its issuer's chain, leaf first.
    ///
    /// # Source
    /// OpenID4VP 1.0 §6.1.1.1 "Authority Key Identifier".
    pub fn authority_key_ids(&self) -> Vec<Vec<u8>> {
        let auth = parse(&self.issuer_auth, &Limits::MESSAGE).ok().and_then(|v| Sign1In::read(v, "issuerAuth").ok());
        auth.as_ref().and_then(Sign1In::chain).map(key_ids).unwrap_or_default()
    }

    pub(super) fn item(&self, name_space: &str, identifier: &str) -> Option<(&str, &Item)> {
        let (name_space, items) = self.items.0.get_key_value(name_space)?;
        Some((name_space, items.get(identifier)?))
    }

    pub(super) fn issuer_auth(&self) -> &[u8] {
        &self.issuer_auth
    }
}

impl PresentedMdoc {
    pub(super) fn new(issuer_signed: IssuerSignedIn, issuer: VerifiedChain, own: Elements, proof: DeviceProof) -> Self {
        let IssuerSignedIn { items, auth: _, object } = issuer_signed;
        Self { content: Content::new(object), issuer, elements: items.elements(), own, proof }
    }

    /// Who signed it.
    pub const fn issuer(&self) -> &VerifiedChain {
        &self.issuer
    }

    /// What the issuer vouches for.
    pub const fn elements(&self) -> &Elements {
        &self.elements
    }

    /// What only the holder says, within what the issuer authorised the device key to say. Never part of
    /// [`PresentedMdoc::elements`].
    pub const fn own_elements(&self) -> &Elements {
        &self.own
    }

    /// How the device key vouched for it.
    pub const fn proof(&self) -> DeviceProof {
        self.proof
    }

    /// The paths of everything that the holder chose to show.
    pub fn disclosed_paths(&self) -> Vec<ClaimPath> {
        self.elements.paths()
    }
}

impl Content {
    fn new(object: super::mso::SecurityObject) -> Self {
        Self {
            doc_type: object.doc_type,
            device_key: object.device_key,
            authorizations: object.authorizations,
            validity: object.validity,
            status: object.status,
        }
    }
}

/// Reads an `IssuerSigned` that is all of `bytes`.
pub(super) fn parse_issuer_signed(bytes: &[u8]) -> Result<IssuerSignedIn, ResponseError> {
    Ok(IssuerSignedIn::read(Fields::parse(bytes, "IssuerSigned")?)?)
}

/// The getters that both have.
macro_rules! getters {
    ($($type:ty),*) => {$(
        impl $type {
            /// The document type.
            pub fn doc_type(&self) -> &str {
                &self.content.doc_type
            }

            /// The key the document is bound to.
            pub const fn device_key(&self) -> &PublicKey {
                &self.content.device_key
            }

            /// What the device key may say for itself.
            pub const fn authorizations(&self) -> &KeyAuthorizations {
                &self.content.authorizations
            }

            /// Where its status is found.
            pub const fn status(&self) -> Option<&StatusReference> {
                self.content.status.as_ref()
            }

            /// `signed`
            pub const fn signed_at(&self) -> Timestamp {
                self.content.validity.signed
            }

            /// `validFrom`
            pub const fn valid_from(&self) -> Timestamp {
                self.content.validity.from
            }

            /// `validUntil`
            pub const fn valid_until(&self) -> Timestamp {
                self.content.validity.until
            }

            /// `expectedUpdate`
            pub const fn expected_update(&self) -> Option<Timestamp> {
                self.content.validity.expected_update
            }
        }
    )*};
}

getters!(Mdoc, PresentedMdoc);

impl fmt::Debug for Mdoc {
    /// Type only; no element.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { content, issuer: _, items: _, bytes: _, issuer_auth: _ } = self;
        f.debug_struct("Mdoc").field("doc_type", &content.doc_type).finish_non_exhaustive()
    }
}

impl fmt::Debug for PresentedMdoc {
    /// Type only; no element.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { content, issuer: _, elements: _, own: _, proof } = self;
        f.debug_struct("PresentedMdoc")
            .field("doc_type", &content.doc_type)
            .field("proof", proof)
            .finish_non_exhaustive()
    }
}
