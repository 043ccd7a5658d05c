//! Verifying: by the holder when it is issued, by a verifier when it is presented.

use super::claims::{ClaimError, Registered};
use super::credential::{Content, PresentedCredential, SdJwtVc};
use super::parse::{ParseError, SdJwtIn};
use super::process::DisclosureError;
use crate::jws::JwsError;
use crate::key_binding::{self, KeyBindingError};
use crate::trust::{ChainError, ChainPolicy, PublishedKeyError, Usage, VerifiedChain};
use schemas::{Seconds, Timestamp};

/// Why a credential is refused. The first fault found is named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not an SD-JWT that we read.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// Its type, its header or its signature.
    #[error("issuer-signed JWT: {0}")]
    Jws(#[from] JwsError),
    /// The issuer's certificates.
    #[error("issuer's certificates: {0}")]
    Chain(#[from] ChainError),
    /// The key that its issuer publishes.
    #[error("issuer's published keys: {0}")]
    PublishedKey(#[from] PublishedKeyError),
    /// `iss` is not a name in the issuer's certificate.
    #[error("iss is not a name in the issuer's certificate")]
    IssuerName,
    /// A type that the issuer's trust anchor may not vouch for.
    #[error("the credential is of a type that its issuer's trust anchor may not vouch for")]
    TypeNotIssuers,
    /// Disclosures and digests do not fit.
    #[error(transparent)]
    Disclosure(#[from] DisclosureError),
    /// What it says about itself.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// Before `nbf`.
    #[error("the credential is not valid before {not_before}")]
    NotYetValid {
        /// Its `nbf`.
        not_before: Timestamp,
    },
    /// At or after `exp`.
    #[error("the credential expired at {expired_at}")]
    Expired {
        /// Its `exp`.
        expired_at: Timestamp,
    },
    /// Neither `exp` nor `status`: nothing would ever end it.
    #[error("the credential has neither exp nor status")]
    Endless,
    /// A type that was not asked for.
    #[error("the credential is not of an accepted type")]
    Type,
    /// A holder was given a presentation.
    #[error("a presentation where a credential as issued was expected")]
    KeyBindingPresent,
    /// No KB-JWT, where policy demands one.
    #[error("the presentation has no key binding")]
    KeyBindingMissing,
    /// The KB-JWT.
    #[error("key binding: {0}")]
    KeyBinding(#[from] KeyBindingError),
}

impl VerifyError {
    /// Whether a clock that is wrong could be the reason.
    pub const fn is_about_time(&self) -> bool {
        match self {
            Self::NotYetValid { .. } | Self::Expired { .. } => true,
            Self::Chain(error) => error.is_about_time(),
            _ => false,
        }
    }
}

/// What a verifier expects of a presentation.
///
/// Key binding is always demanded: it is this policy that decides, not the token (RFC 9901 §7.3 step 1).
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Expected<'a> {
    /// Whom to believe.
    pub issuers: ChainPolicy<'a>,
    /// `aud` of the KB-JWT: the verifier's full client identifier, compared byte for byte.
    pub audience: &'a str,
    /// `nonce` of the KB-JWT, compared byte for byte. That it is accepted once only is the caller's part.
    pub nonce: &'a str,
    /// The time.
    pub now: Timestamp,
    /// The types asked for; any when empty.
    pub accepted_vcts: &'a [String],
    /// How old `iat` of the KB-JWT may be; 300 s unless changed.
    pub key_binding_age: Seconds,
    /// How far ahead `iat` of the KB-JWT may be; 60 s unless changed.
    pub key_binding_ahead: Seconds,
}

impl<'a> Expected<'a> {
    /// Any type, the usual window of time.
    pub const fn new(issuers: ChainPolicy<'a>, audience: &'a str, nonce: &'a str, now: Timestamp) -> Self {
        Self {
            issuers,
            audience,
            nonce,
            now,
            accepted_vcts: &[],
            key_binding_age: Seconds::new(300),
            key_binding_ahead: Seconds::MINUTE,
        }
    }

    /// The same for these types only.
    #[must_use]
    pub const fn with_types(self, accepted_vcts: &'a [String]) -> Self {
        Self { accepted_vcts, ..self }
    }
}

/// How far ahead of the holder's clock `nbf` may be when a credential is received: an issuer may write the very second.
const ISSUANCE_SKEW: Seconds = Seconds::new(300);

/// Verifies a credential as its holder receives it.
///
/// Boundaries: at `exp` it has expired; `nbf` may be up to 300 s ahead of `now`, because clocks differ and a credential is
/// received long before it is shown. `iat` is not compared with `now`. The status is not looked up here.
///
/// # Errors
/// [`VerifyError`].
///
/// # Source
/// RFC 9901 §7.1, §7.2; SD-JWT VC §2.4, §2.5.
pub fn verify_issued(text: &str, issuers: &ChainPolicy<'_>, now: Timestamp) -> Result<SdJwtVc, VerifyError> {
    let parsed = SdJwtIn::parse_remembering(text, issuers.algorithms(), issuers.headers())?;
    if parsed.key_binding.is_some() {
        return Err(VerifyError::KeyBindingPresent);
    }
    let (algorithm, hash) = (parsed.jws().header().alg, parsed.hash);
    let (content, issuer) = verify_issuer_part(parsed, issuers, now)?;
    check_times(&content, now, now.plus(ISSUANCE_SKEW))?;
    Ok(SdJwtVc::new(content, Some(issuer), text.to_owned(), algorithm, hash))
}

/// Verifies a presentation as a verifier receives it.
///
/// Boundaries: valid from `nbf` on, expired from `exp` on, to the second and with no allowance. The status is not looked up
/// here; that the nonce is accepted once, and the consent, are the caller's part.
///
/// Order: form and limits; what the KB-JWT says; type, certificates, issuer's signature, disclosures, claims, times, type
/// asked for; the signature of the KB-JWT. What costs a hash comes before what costs a signature.
///
/// # Errors
/// [`VerifyError`].
///
/// # Source
/// RFC 9901 §7.1, §7.3; SD-JWT VC §2.4, §2.5; OpenID4VP 1.0 §8.6.
pub fn verify_presented(text: &str, expected: &Expected<'_>) -> Result<PresentedCredential, VerifyError> {
    let mut parsed = SdJwtIn::parse_remembering(text, expected.issuers.algorithms(), expected.issuers.headers())?;
    let key_binding = parsed.key_binding.ok_or(VerifyError::KeyBindingMissing)?;
    let key_binding = key_binding::KeyBindingIn::parse(key_binding)?;
    key_binding.check(expected, &mut parsed)?;
    let (content, issuer) = verify_issuer_part(parsed, &expected.issuers, expected.now)?;
    check_times(&content, expected.now, expected.now)?;
    if content.registered.expires_at.is_none() && content.registered.status.is_none() {
        return Err(VerifyError::Endless);
    }
    let registered = &content.registered;
    let is_accepted = |vct: &String| registered.vct == *vct || registered.other_types.contains(vct);
    if !expected.accepted_vcts.is_empty() && !expected.accepted_vcts.iter().any(is_accepted) {
        return Err(VerifyError::Type);
    }
    let key_binding = key_binding.verify(&registered.confirmation_key)?;
    Ok(PresentedCredential::new(content, issuer, key_binding))
}

/// Type, certificates, signature, disclosures, claims, that `iss` is the issuer, and that its anchor may vouch for the type.
fn verify_issuer_part(
    parsed: SdJwtIn<'_>,
    issuers: &ChainPolicy<'_>,
    now: Timestamp,
) -> Result<(Content, VerifiedChain), VerifyError> {
    let jws = &parsed.jws;
    jws.expect_type(super::TYPE)?;
    jws.expect_no_jwk()?;
    let header = jws.header();
    let issuer: VerifiedChain = match issuers.published().and_then(|published| published.of(&parsed.payload.claims)) {
        // The name is not believed before the key under it has verified the signature.
        Some(published) => published.issuer(header, now)?,
        None => {
            let chain = header.x5c.as_ref().ok_or(ChainError::Empty)?;
            issuers.verify(chain, Usage::CredentialIssuing, now)?
        }
    };
    jws.verify(issuer.leaf_key())?;
    if let Some(headers) = issuers.headers() {
        jws.remember_header(headers);
    }
    let content = Content::process::<VerifyError>(parsed)?;
    let Registered { vct, other_types, issuer: name, .. } = &content.registered;
    if name.as_ref().is_some_and(|name| !issuer.is_named(name)) {
        return Err(VerifyError::IssuerName);
    }
    // Of every type it claims to be, or a type of somebody else's could be slipped in as another name of an own one.
    if !std::iter::once(vct).chain(other_types).all(|vct| issuer.may_issue(vct)) {
        return Err(VerifyError::TypeNotIssuers);
    }
    Ok((content, issuer))
}

fn check_times(content: &Content, now: Timestamp, begun_by: Timestamp) -> Result<(), VerifyError> {
    if let Some(not_before) = content.registered.not_before
        && begun_by < not_before
    {
        return Err(VerifyError::NotYetValid { not_before });
    }
    match content.registered.expires_at {
        Some(expired_at) if now >= expired_at => Err(VerifyError::Expired { expired_at }),
        _ => Ok(()),
    }
}
