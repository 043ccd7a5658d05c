//! Verifying: by the holder when it is issued, by a verifier when it is presented.

use super::SessionTranscript;
use super::credential::{Mdoc, PresentedMdoc, parse_issuer_signed};
use super::device_auth::{device_authentication, mac_key};
use super::device_signed::{DeviceAuthIn, DeviceProof};
use super::issuer_signed::IssuerSignedIn;
use super::response::{DocumentIn, ResponseError, ResponseIn};
use crate::cose::CoseError;
use crate::key_agreement::{AgreeError, KeyAgreement};
use crate::trust::{ChainError, ChainPolicy, Usage, VerifiedChain};
use schemas::{ClaimPath, Seconds, Timestamp};
use std::fmt;

/// Why a document is refused. The first fault found is named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not of the form, or items that the issuer did not sign.
    #[error(transparent)]
    Form(#[from] ResponseError),
    /// The issuer's certificates.
    #[error("issuer's certificates: {0}")]
    Chain(#[from] ChainError),
    /// The issuer's signature.
    #[error("issuerAuth: {0}")]
    IssuerAuth(#[source] CoseError),
    /// The document says another type than the issuer signed.
    #[error("docType of the document is not the one that the issuer signed")]
    DocType,
    /// A type that was not asked for.
    #[error("the document is not of an accepted type")]
    Type,
    /// A type that the issuer's trust anchor may not vouch for.
    #[error("the document is of a type that its issuer's trust anchor may not vouch for")]
    TypeNotIssuers,
    /// Signed when the issuer's certificate was not valid.
    #[error("the document was signed outside the time of the issuer's certificates")]
    SignedOutOfTime,
    /// Before `validFrom`.
    #[error("the document is not valid before {valid_from}")]
    NotYetValid {
        /// Its `validFrom`.
        valid_from: Timestamp,
    },
    /// After `validUntil`.
    #[error("the document expired at {valid_until}")]
    Expired {
        /// Its `validUntil`.
        valid_until: Timestamp,
    },
    /// The device key says something that the issuer did not allow it to say.
    #[error("the device key is not authorised to sign {0}")]
    NotAuthorized(ClaimPath),
    /// The device key's signature or MAC.
    #[error("deviceAuth: {0}")]
    DeviceAuth(#[source] CoseError),
    /// A MAC, where there is no key of the verifier's with which one could have been made.
    #[error("a MAC where only a signature could be verified")]
    UnexpectedMac,
    /// The verifier's own key is out of reach.
    #[error(transparent)]
    Agree(#[from] AgreeError),
    /// Another number of documents than one.
    #[error("{got} documents where one was expected")]
    Documents {
        /// How many came.
        got: usize,
    },
}

/// What a verifier expects of a presentation.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Expected<'a> {
    /// Whom to believe.
    pub issuers: ChainPolicy<'a>,
    /// The session: verifier, nonce, keys. That a nonce is accepted once only is the caller's part.
    pub transcript: &'a SessionTranscript,
    /// The time.
    pub now: Timestamp,
    /// The types asked for; any when empty.
    pub accepted_types: &'a [String],
    /// The verifier's key of this session; without it a MAC is refused.
    pub mac_key: Option<&'a dyn KeyAgreement>,
}

impl<'a> Expected<'a> {
    /// Any type, signatures only.
    pub const fn new(issuers: ChainPolicy<'a>, transcript: &'a SessionTranscript, now: Timestamp) -> Self {
        Self { issuers, transcript, now, accepted_types: &[], mac_key: None }
    }

    /// The same for these types only.
    #[must_use]
    pub const fn with_types(self, accepted_types: &'a [String]) -> Self {
        Self { accepted_types, ..self }
    }

    /// The same, accepting MACs made for this key of the verifier's.
    #[must_use]
    pub const fn with_mac_key(self, key: &'a dyn KeyAgreement) -> Self {
        Self { mac_key: Some(key), ..self }
    }
}

impl fmt::Debug for Expected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuers, transcript, now, accepted_types, mac_key: _ } = self;
        f.debug_struct("Expected")
            .field("issuers", issuers)
            .field("transcript", transcript)
            .field("now", now)
            .field("accepted_types", accepted_types)
            .finish_non_exhaustive()
    }
}

/// A response of which every document was verified.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Response {
    /// The documents.
    pub documents: Vec<PresentedMdoc>,
    /// The document types that the holder's side says it does not return. Nobody signed this.
    pub missing: Vec<String>,
}

/// How far ahead of the holder's clock `validFrom` may be when a document is received: as for SD-JWT VC.
const ISSUANCE_SKEW: Seconds = Seconds::new(300);

/// The usages under which an issuer may sign documents: ours, or that of ISO/IEC 18013-5 Annex B.
const USAGES: [Usage; 2] = [Usage::CredentialIssuing, Usage::MdocIssuing];

/// Verifies an `IssuerSigned` as its holder receives it.
///
/// Boundaries: valid until `validUntil`, this second included; `validFrom` may be up to 300 s ahead of `now`, because
/// clocks differ and a document is received long before it is shown. The status is not looked up here.
///
/// # Errors
/// [`VerifyError`].
///
/// # Source
/// ISO/IEC 18013-5 §9.3.1; OpenID4VCI 1.0 Annex A.2.4 (before base64url).
pub fn verify_issued(bytes: &[u8], issuers: &ChainPolicy<'_>, now: Timestamp) -> Result<Mdoc, VerifyError> {
    let issuer_signed = parse_issuer_signed(bytes)?;
    check_times(&issuer_signed, now, now.plus(ISSUANCE_SKEW))?;
    let issuer = verify_issuer_auth(&issuer_signed, issuers, now)?;
    Ok(Mdoc::new(issuer_signed, bytes.to_vec(), Some(issuer)))
}

/// Verifies a `DeviceResponse` with one document, as OpenID4VP has it.
///
/// # Errors
/// As [`verify_response`], and [`VerifyError::Documents`].
///
/// # Source
/// OpenID4VP 1.0 Annex B.2.5, §8.6.
pub fn verify_presented(bytes: &[u8], expected: &Expected<'_>) -> Result<PresentedMdoc, VerifyError> {
    let parsed = ResponseIn::parse(bytes)?;
    let got = parsed.documents.len();
    match <[DocumentIn; 1]>::try_from(parsed.documents) {
        Ok([document]) => verify_document(document, expected),
        Err(_) => Err(VerifyError::Documents { got }),
    }
}

/// Verifies a `DeviceResponse` and every document in it; one bad document refuses them all.
///
/// Boundaries: valid from `validFrom` until `validUntil`, both seconds included, with no allowance. The status is not looked
/// up here; that a session is used once, and the consent, are the caller's part. Not compared: `issuing_country` and the
/// country in the issuer's certificate (ISO/IEC 18013-5 §9.3.1 asks it for driving licences).
///
/// Order for each document: form and limits; every item against the security object; document type, times, what the device
/// key may say; certificates; issuer's signature; signature or MAC of the device key. What costs a hash comes before what
/// costs a signature.
///
/// # Errors
/// [`VerifyError`].
///
/// # Source
/// ISO/IEC 18013-5 §9.3.1 "Inspection procedure for issuer data authentication", §9.3.3, §9.1.3.
pub fn verify_response(bytes: &[u8], expected: &Expected<'_>) -> Result<Response, VerifyError> {
    let ResponseIn { documents, missing } = ResponseIn::parse(bytes)?;
    let documents = documents.into_iter().map(|document| verify_document(document, expected));
    Ok(Response { documents: documents.collect::<Result<_, _>>()?, missing })
}

fn verify_document(document: DocumentIn, expected: &Expected<'_>) -> Result<PresentedMdoc, VerifyError> {
    let DocumentIn { doc_type, issuer_signed, device_signed } = document;
    let object = &issuer_signed.object;
    if doc_type != object.doc_type {
        return Err(VerifyError::DocType);
    }
    if !expected.accepted_types.is_empty() && !expected.accepted_types.contains(&doc_type) {
        return Err(VerifyError::Type);
    }
    check_times(&issuer_signed, expected.now, expected.now)?;
    if let Some((name_space, identifier)) = object.authorizations.stray(&device_signed.elements) {
        return Err(VerifyError::NotAuthorized(ClaimPath::names([name_space, identifier])));
    }
    let issuer = verify_issuer_auth(&issuer_signed, &expected.issuers, expected.now)?;
    let payload = device_authentication(expected.transcript, &doc_type, &device_signed.name_spaces);
    let proof = match &device_signed.auth {
        DeviceAuthIn::Signature(signature) => {
            signature.verify_detached(&payload, &object.device_key).map_err(VerifyError::DeviceAuth)?;
            DeviceProof::Signature
        }
        DeviceAuthIn::Mac(mac) => {
            let key = expected.mac_key.ok_or(VerifyError::UnexpectedMac)?;
            let key = mac_key(&key.agree(&object.device_key)?, expected.transcript);
            mac.verify_detached(&payload, &key).map_err(VerifyError::DeviceAuth)?;
            DeviceProof::Mac
        }
    };
    Ok(PresentedMdoc::new(issuer_signed, issuer, device_signed.elements, proof))
}

/// Certificates, the time of signing within theirs, signature by a key of P-256, and that the anchor may vouch for the type.
fn verify_issuer_auth(
    issuer_signed: &IssuerSignedIn,
    issuers: &ChainPolicy<'_>,
    now: Timestamp,
) -> Result<VerifiedChain, VerifyError> {
    let chain = issuer_signed.auth.chain().ok_or(ChainError::Empty)?;
    let issuer = issuers.verify_either(chain, USAGES, now)?;
    if !issuer.is_in_time(issuer_signed.object.validity.signed) {
        return Err(VerifyError::SignedOutOfTime);
    }
    issuer_signed.auth.verify(issuer.leaf_key()).map_err(VerifyError::IssuerAuth)?;
    if !issuer.may_issue(&issuer_signed.object.doc_type) {
        return Err(VerifyError::TypeNotIssuers);
    }
    Ok(issuer)
}

fn check_times(issuer_signed: &IssuerSignedIn, now: Timestamp, begun_by: Timestamp) -> Result<(), VerifyError> {
    let validity = &issuer_signed.object.validity;
    if begun_by < validity.from {
        return Err(VerifyError::NotYetValid { valid_from: validity.from });
    }
    if validity.until < now {
        return Err(VerifyError::Expired { valid_until: validity.until });
    }
    Ok(())
}
