//! The key port: who signs credentials, who signs status lists, and the keyed fingerprints of secrets.

pub mod software;

use credentials::signer::Signer;
use credentials::trust::CertificateChain;
use std::fmt;
use subtle::ConstantTimeEq;

/// A signer with the chain that says what it may sign.
#[derive(Clone, Copy)]
pub struct SigningIdentity<'a> {
    /// The key.
    pub signer: &'a dyn Signer,
    /// Its certificate first, then the intermediate; never the anchor.
    pub chain: &'a CertificateChain,
}

/// The issuer's keys, wherever they live.
///
/// Credential and status keys are two keys with two extended key usages: whoever can publish lists cannot issue.
///
/// # Source
/// `security.md` §10 "Keys"; Token Status List §10 "X.509 Certificate Extended Key Usage Extension".
pub trait Keys: Send + Sync {
    /// Signs credentials.
    fn credential(&self) -> SigningIdentity<'_>;

    /// Signs status lists.
    fn status(&self) -> SigningIdentity<'_>;

    /// A keyed fingerprint of `parts`: HMAC-SHA-256 under a key that is in no database.
    ///
    /// Each part is length-prefixed, so that no two lists of parts meet; each purpose has its own label.
    fn fingerprint(&self, purpose: Purpose, parts: &[&[u8]]) -> Fingerprint;
}

/// What a [`Fingerprint`] is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose {
    /// To find an offer by its pre-authorized code.
    Code,
    /// To derive an offer's code from the name by which its link refers to it.
    OfferName,
    /// To check a transaction code.
    TxCode,
    /// To find what an access token grants.
    Token,
    /// To find what a refresh token renews.
    RefreshToken,
    /// To find an issuance by its handle.
    Handle,
    /// To find what waits for a decision by its transaction identifier.
    Transaction,
    /// To find what a wallet tells of.
    Notification,
    /// To find a pushed authorization request by its name.
    Request,
    /// To find what an authorization code grants.
    AuthorizationCode,
    /// To recognise our own DPoP nonce.
    DpopNonce,
    /// To recognise our own `c_nonce`.
    Nonce,
    /// To know a spent `c_nonce` again.
    SpentNonce,
    /// To know a spent DPoP proof again.
    DpopProof,
    /// To recognise our own challenge to a wallet that is attested.
    Challenge,
    /// To know a spent proof of possession of an attested wallet again.
    Possession,
    /// To know a holder's key again.
    HolderKey,
    /// To derive the key that requests are encrypted to.
    RequestKey,
    /// To seal an offer's claims under its code.
    SealOffer,
    /// To seal a token's claims under the token.
    SealToken,
    /// To seal what a refresh token renews under the token.
    SealRefresh,
    /// To seal a pushed authorization request under its name.
    SealRequest,
    /// To seal what an authorization code grants under the code.
    SealCode,
    /// To seal what waits for a decision under its transaction identifier.
    SealTransaction,
    /// To seal an issuance's status entries under its handle.
    SealHandle,
}

impl Purpose {
    /// The label that keeps this purpose apart from the others.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Code => "amparo/v1/issuer/code",
            Self::OfferName => "amparo/v1/issuer/offer-name",
            Self::TxCode => "amparo/v1/issuer/tx-code",
            Self::Token => "amparo/v1/issuer/token",
            Self::RefreshToken => "amparo/v1/issuer/refresh-token",
            Self::Handle => "amparo/v1/issuer/handle",
            Self::Transaction => "amparo/v1/issuer/transaction",
            Self::Notification => "amparo/v1/issuer/notification",
            Self::Request => "amparo/v1/issuer/request",
            Self::AuthorizationCode => "amparo/v1/issuer/authorization-code",
            Self::DpopNonce => "amparo/v1/issuer/dpop-nonce",
            Self::Nonce => "amparo/v1/issuer/c-nonce",
            Self::SpentNonce => "amparo/v1/issuer/spent-nonce",
            Self::DpopProof => "amparo/v1/issuer/dpop-proof",
            Self::Challenge => "amparo/v1/issuer/attestation-challenge",
            Self::Possession => "amparo/v1/issuer/attestation-pop",
            Self::HolderKey => "amparo/v1/issuer/holder-key",
            Self::RequestKey => "amparo/v1/issuer/request-key",
            Self::SealOffer => "amparo/v1/issuer/seal-offer",
            Self::SealToken => "amparo/v1/issuer/seal-token",
            Self::SealRefresh => "amparo/v1/issuer/seal-refresh",
            Self::SealRequest => "amparo/v1/issuer/seal-request",
            Self::SealCode => "amparo/v1/issuer/seal-code",
            Self::SealTransaction => "amparo/v1/issuer/seal-transaction",
            Self::SealHandle => "amparo/v1/issuer/seal-handle",
        }
    }
}

/// What the store knows instead of a secret: 32 bytes that say nothing without the issuer's key.
#[derive(Clone)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// From its bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// From bytes of the store; `None` unless there are 32.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether the two are the same, in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.debug_tuple("Fingerprint").finish_non_exhaustive()
    }
}
