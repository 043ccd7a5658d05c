//! What a verifier decides beforehand: whether it asks for consent, how the answer travels, what it does without a status.

use credentials::algorithm::{SignatureAlgorithm, SignatureAlgorithms};
use schemas::openid4vp::{HAIP_SCHEME, REQUEST_SCHEME};
use std::fmt;
use std::str::FromStr;

/// A word that is not one of those expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected one of: {expected}")]
pub struct UnknownWord {
    /// The words expected.
    pub expected: &'static str,
}

/// Whether the holder must grant a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsentMode {
    /// A presentation without a consent is refused.
    Required,
    /// A consent is proposed; a presentation without one is kept under the verifier's own retention limit.
    Offered,
    /// None is proposed; the verifier's own retention limit holds.
    NotAsked,
}

impl ConsentMode {
    /// The word on the command line and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Offered => "offered",
            Self::NotAsked => "none",
        }
    }
}

impl FromStr for ConsentMode {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        [Self::Required, Self::Offered, Self::NotAsked]
            .into_iter()
            .find(|mode| mode.as_str() == text)
            .ok_or(UnknownWord { expected: "required, offered, none" })
    }
}

/// How the answer travels.
///
/// # Source
/// OpenID4VP 1.0 §8.2, §8.3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseMode {
    /// Posted in the clear, inside TLS.
    DirectPost,
    /// Posted encrypted to a key of this one request.
    DirectPostJwt,
}

impl ResponseMode {
    /// The value of `response_mode`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DirectPost => "direct_post",
            Self::DirectPostJwt => "direct_post.jwt",
        }
    }
}

impl FromStr for ResponseMode {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        [Self::DirectPost, Self::DirectPostJwt]
            .into_iter()
            .find(|mode| mode.as_str() == text)
            .ok_or(UnknownWord { expected: "direct_post, direct_post.jwt" })
    }
}

/// In which formats a credential is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AcceptedFormat {
    /// In whichever the holder has it.
    #[default]
    Any,
    /// As SD-JWT VC.
    SdJwtVc,
    /// As mdoc.
    Mdoc,
}

impl AcceptedFormat {
    /// The word on the command line, the issuer's too.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::SdJwtVc => "sd-jwt",
            Self::Mdoc => "mdoc",
        }
    }
}

impl FromStr for AcceptedFormat {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        [Self::Any, Self::SdJwtVc, Self::Mdoc]
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or(UnknownWord { expected: "any, sd-jwt, mdoc" })
    }
}

/// How the verifier calls itself.
///
/// # Source
/// OpenID4VP 1.0 §5.9.3 "Defined Client Identifier Prefixes".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientIdPrefix {
    /// By the SHA-256 of its certificate.
    X509Hash,
    /// By a DNS name in its certificate.
    X509SanDns,
    /// By the place that the answer goes to, and nobody signs: a wallet can know nothing of the verifier but that.
    RedirectUri,
}

impl ClientIdPrefix {
    /// The prefix, without the colon.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::X509Hash => "x509_hash",
            Self::X509SanDns => "x509_san_dns",
            Self::RedirectUri => "redirect_uri",
        }
    }
}

impl FromStr for ClientIdPrefix {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        [Self::X509Hash, Self::X509SanDns, Self::RedirectUri]
            .into_iter()
            .find(|prefix| prefix.as_str() == text)
            .ok_or(UnknownWord { expected: "x509_hash, x509_san_dns, redirect_uri" })
    }
}

/// How the link for the wallet begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LinkScheme {
    /// `openid4vp://`, which every wallet takes.
    #[default]
    OpenId4Vp,
    /// `haip-vp://`, for wallets of that profile alone.
    ///
    /// # Source
    /// HAIP 1.0 §5.1.
    Haip,
}

impl LinkScheme {
    /// The scheme, without colon and slashes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenId4Vp => REQUEST_SCHEME,
            Self::Haip => HAIP_SCHEME,
        }
    }
}

impl FromStr for LinkScheme {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        [Self::OpenId4Vp, Self::Haip]
            .into_iter()
            .find(|scheme| scheme.as_str() == text)
            .ok_or(UnknownWord { expected: "openid4vp, haip-vp" })
    }
}

/// What to do when the status of a credential cannot be told: no list, or only an expired one.
///
/// A credential that a list says is revoked is refused under either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownStatus {
    /// Refuse the presentation.
    #[default]
    Refuse,
    /// Take it, and say that the status is unknown: for a desk without a network.
    Accept,
}

impl UnknownStatus {
    /// The word on the command line and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Accept => "accept",
        }
    }
}

impl FromStr for UnknownStatus {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        [Self::Refuse, Self::Accept]
            .into_iter()
            .find(|policy| policy.as_str() == text)
            .ok_or(UnknownWord { expected: "refuse, accept" })
    }
}

/// By which algorithms issuers may have signed SD-JWT VCs: ES256 always, and what the verifier names besides. Holders bind by
/// ES256, and mobile documents are signed by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IssuerAlgorithms(SignatureAlgorithms);

impl IssuerAlgorithms {
    /// What certificates and signatures are checked by.
    pub const fn set(self) -> SignatureAlgorithms {
        self.0
    }

    /// Their names, as metadata have them.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let all = [SignatureAlgorithm::Es256, SignatureAlgorithm::Es384, SignatureAlgorithm::Ed25519];
        all.into_iter().filter(move |algorithm| self.0.contains(*algorithm)).map(SignatureAlgorithm::name)
    }
}

impl FromStr for IssuerAlgorithms {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let named = text.split(',').map(|name| SignatureAlgorithms::ALL.by_name(name.trim()));
        let named: Option<Vec<SignatureAlgorithm>> =
            std::iter::once(Some(SignatureAlgorithm::Es256)).chain(named).collect();
        let named = named.ok_or(UnknownWord { expected: "ES256, ES384, EdDSA" })?;
        Ok(Self(SignatureAlgorithms::of(&named)))
    }
}

impl fmt::Display for IssuerAlgorithms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().collect::<Vec<_>>().join(","))
    }
}

macro_rules! displayed {
    ($($name:ty),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )*};
}

displayed!(ConsentMode, ResponseMode, ClientIdPrefix, LinkScheme, UnknownStatus);
