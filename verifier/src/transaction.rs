//! A transaction: one question to one holder, with a nonce that is spent once.

mod parts;
mod request;

pub use parts::TransactionParts;
pub use request::Endpoints;
pub(crate) use request::OFFERED_ENCRYPTIONS;

use crate::guarded::{MAX_RETENTION, RecordId};
use crate::policy::{ClientIdPrefix, ConsentMode, IssuerAlgorithms, ResponseMode, UnknownStatus};
use credentials::b64;
use credentials::consent::{ConsentError, ProposedConsent};
use credentials::dcql::{AKI, FORMAT, Query};
use credentials::mdoc;
use rand_core::CryptoRng;
use schemas::consent::{CONSENT_REQUEST_TYPE, ConsentRequest, Controller, PurposeRequest};
use schemas::purpose::Purpose;
use schemas::{ClaimPath, Seconds, Timestamp};
use std::fmt;
use subtle::ConstantTimeEq;

/// How long a request can be answered.
///
/// # Source
/// `security.md` §4.6: TTL 300 s.
pub const LIFETIME: Seconds = Seconds::new(300);

/// What the desk wants to know, and on which terms.
#[derive(Debug, Clone)]
pub struct Inquiry {
    query: Query,
    purpose: Purpose,
    retention: Seconds,
    consent: ConsentMode,
    response_mode: ResponseMode,
    unknown_status: UnknownStatus,
    issuer_algorithms: IssuerAlgorithms,
}

/// Why an inquiry cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InquiryError {
    /// A retention of nothing keeps nothing.
    #[error("a retention of 0 s keeps nothing: expected at least 1s")]
    NoRetention,
    /// Longer than anyone may keep it.
    #[error("a retention of {got} is too long: at most {MAX_RETENTION} is allowed")]
    RetentionTooLong {
        /// What was asked.
        got: Seconds,
    },
    /// The query is for a format this verifier cannot read.
    #[error(
        "credential query {id} is for a format that this verifier does not read: expected {FORMAT} or {}",
        mdoc::FORMAT
    )]
    Format {
        /// The credential query.
        id: String,
    },
    /// The query does without key binding.
    #[error(
        "credential query {id} does without key binding, and this verifier does not: anyone could replay such a presentation"
    )]
    NoHolderBinding {
        /// The credential query.
        id: String,
    },
    /// The query names authorities of a kind that this verifier cannot check.
    #[error(
        "credential query {id} names trusted authorities of a kind that this verifier cannot check: expected {AKI}"
    )]
    Authority {
        /// The credential query.
        id: String,
    },
    /// Nobody would sign the proposal.
    #[error("a request that nobody signs proposes no consent: it would bind nobody")]
    UnsignedConsent,
    /// The proposal could not be written.
    #[error("no wallet would accept this request for consent: {0}")]
    Proposal(#[from] ConsentError),
}

impl Inquiry {
    /// An inquiry whose answer travels encrypted, and which is refused when the status cannot be told.
    ///
    /// # Errors
    /// [`InquiryError`].
    pub fn new(query: Query, purpose: Purpose, retention: Seconds, consent: ConsentMode) -> Result<Self, InquiryError> {
        if retention == Seconds::new(0) {
            return Err(InquiryError::NoRetention);
        }
        if retention > MAX_RETENTION {
            return Err(InquiryError::RetentionTooLong { got: retention });
        }
        for credential in query.credentials() {
            if credential.format != FORMAT && credential.format != mdoc::FORMAT {
                return Err(InquiryError::Format { id: credential.id.clone() });
            }
            if credential.require_cryptographic_holder_binding == Some(false) {
                return Err(InquiryError::NoHolderBinding { id: credential.id.clone() });
            }
            if credential.trusted_authorities.iter().flatten().any(|authority| authority.type_ != AKI) {
                return Err(InquiryError::Authority { id: credential.id.clone() });
            }
        }
        let (response_mode, unknown_status) = (ResponseMode::DirectPostJwt, UnknownStatus::Refuse);
        let issuer_algorithms = IssuerAlgorithms::default();
        Ok(Self { query, purpose, retention, consent, response_mode, unknown_status, issuer_algorithms })
    }

    /// The same, with another way for the answer to travel.
    #[must_use]
    pub fn answered_by(self, response_mode: ResponseMode) -> Self {
        Self { response_mode, ..self }
    }

    /// The same, with another policy for credentials whose status cannot be told.
    #[must_use]
    pub fn with_unknown_status(self, unknown_status: UnknownStatus) -> Self {
        Self { unknown_status, ..self }
    }

    /// The same, with other algorithms by which issuers may have signed.
    #[must_use]
    pub fn with_issuer_algorithms(self, issuer_algorithms: IssuerAlgorithms) -> Self {
        Self { issuer_algorithms, ..self }
    }

    /// What is asked.
    pub const fn query(&self) -> &Query {
        &self.query
    }

    /// What for.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// How long the verifier would keep it.
    pub const fn retention(&self) -> Seconds {
        self.retention
    }

    /// Whether a consent is asked for.
    pub const fn consent(&self) -> ConsentMode {
        self.consent
    }

    /// How the answer travels.
    pub const fn response_mode(&self) -> ResponseMode {
        self.response_mode
    }

    /// What happens when a status cannot be told.
    pub const fn unknown_status(&self) -> UnknownStatus {
        self.unknown_status
    }

    /// By which algorithms issuers may have signed.
    pub const fn issuer_algorithms(&self) -> IssuerAlgorithms {
        self.issuer_algorithms
    }

    fn asked_paths(&self) -> Vec<ClaimPath> {
        let mut paths: Vec<ClaimPath> = Vec::new();
        for claim in self.query.credentials().iter().flat_map(|c| c.claims.iter().flatten()) {
            if !paths.contains(&claim.path) {
                paths.push(claim.path.clone());
            }
        }
        paths
    }
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Asker {
    /// The full client identifier, with its prefix.
    pub client_id: String,
    /// The name for people.
    pub name: String,
    /// How to reach the controller of the data.
    pub contact: Option<String>,
}

/// A random text that only those may know who were given it: base64url of 32 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// 256 bits.
    fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut bytes = [0u8; 32];
        rng.fill_bytes(&mut bytes);
        Self(b64::encode(&bytes))
    }

    /// A text as it was stored.
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `other` is the same text; takes the same time wherever they differ.
    pub fn matches(&self, other: &str) -> bool {
        self.0.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.write_str("Secret(..)")
    }
}

/// One question, waiting for one answer.
///
/// Five random values keep its parts apart: who knows the link can fetch the request; who has the request can answer, with the
/// `state` and bound to the `nonce`; and neither of them knows the identifier under which the desk reads the result.
///
/// # Source
/// OpenID4VP 1.0 §5 (nonce), §14.3.3 "Protection of the Authorization Response Data".
#[derive(Debug, Clone)]
pub struct Transaction {
    id: RecordId,
    request_handle: Secret,
    response_handle: Secret,
    nonce: Secret,
    state: Secret,
    client_id: String,
    inquiry: Inquiry,
    proposal: Option<ProposedConsent>,
    made_at: Timestamp,
    expires_at: Timestamp,
}

impl Transaction {
    /// Asks: draws the nonce and the handles, and writes the proposal for a consent where one is asked for.
    ///
    /// # Errors
    /// [`InquiryError::Proposal`] when the proposal is not one that a wallet would read.
    pub fn begin<R: CryptoRng + ?Sized>(
        inquiry: Inquiry,
        asker: &Asker,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<Self, InquiryError> {
        let expires_at = now.plus(LIFETIME);
        let proposal = match inquiry.consent {
            ConsentMode::NotAsked => None,
            ConsentMode::Required | ConsentMode::Offered => {
                Some(ProposedConsent::write(&proposal(&inquiry, asker, expires_at))?)
            }
        };
        Ok(Self { proposal, ..Self::draw(inquiry, asker.client_id.clone(), now, rng) })
    }

    /// Asks without a signature: its client is the place below `endpoints` that it is answered at.
    ///
    /// # Errors
    /// [`InquiryError::UnsignedConsent`].
    ///
    /// # Source
    /// OpenID4VP 1.0 §5.9.3 `redirect_uri`.
    pub fn begin_unsigned<R: CryptoRng + ?Sized>(
        inquiry: Inquiry,
        endpoints: &Endpoints,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<Self, InquiryError> {
        if inquiry.consent != ConsentMode::NotAsked {
            return Err(InquiryError::UnsignedConsent);
        }
        let drawn = Self::draw(inquiry, String::new(), now, rng);
        let client_id = format!("{UNSIGNED}:{}", endpoints.response_uri(&drawn));
        Ok(Self { client_id, ..drawn })
    }

    fn draw<R: CryptoRng + ?Sized>(inquiry: Inquiry, client_id: String, now: Timestamp, rng: &mut R) -> Self {
        let mut id = [0u8; 16];
        rng.fill_bytes(&mut id);
        Self {
            id: RecordId::from_random(id),
            request_handle: Secret::generate(rng),
            response_handle: Secret::generate(rng),
            nonce: Secret::generate(rng),
            state: Secret::generate(rng),
            client_id,
            inquiry,
            proposal: None,
            made_at: now,
            expires_at: now.plus(LIFETIME),
        }
    }

    /// Its identifier: for the desk only, never on the wire.
    pub const fn id(&self) -> &RecordId {
        &self.id
    }

    /// What the audience of a key binding must be.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// What the nonce of a key binding must be.
    pub const fn nonce(&self) -> &Secret {
        &self.nonce
    }

    /// What an answer must bring along.
    pub const fn state(&self) -> &Secret {
        &self.state
    }

    /// What was asked.
    pub const fn inquiry(&self) -> &Inquiry {
        &self.inquiry
    }

    /// What was proposed.
    pub const fn proposal(&self) -> Option<&ProposedConsent> {
        self.proposal.as_ref()
    }

    /// From this second on it can no longer be answered.
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Without the proposal of a consent that was offered only: for a wallet that must refuse what it does not know.
    ///
    /// A required consent stays.
    #[must_use]
    pub fn without_offer(self) -> Self {
        match self.inquiry.consent {
            ConsentMode::Offered => Self { proposal: None, ..self },
            ConsentMode::Required | ConsentMode::NotAsked => self,
        }
    }
}

fn proposal(inquiry: &Inquiry, asker: &Asker, not_after: Timestamp) -> ConsentRequest {
    ConsentRequest {
        type_: CONSENT_REQUEST_TYPE.to_owned(),
        credential_ids: inquiry.query.credentials().iter().map(|c| c.id.clone()).collect(),
        transaction_data_hashes_alg: Some(vec!["sha-256".to_owned()]),
        controller: Controller {
            client_id: asker.client_id.clone(),
            name: asker.name.clone(),
            contact: asker.contact.clone(),
        },
        purposes: vec![PurposeRequest {
            code: inquiry.purpose,
            dpv: None,
            claims: inquiry.asked_paths(),
            necessity: Some("required".to_owned()),
        }],
        retention: inquiry.retention.iso8601(),
        onward: Vec::new(),
        not_after,
        lang: None,
    }
}

/// The prefix of a client that signs nothing.
const UNSIGNED: &str = ClientIdPrefix::RedirectUri.as_str();

#[cfg(test)]
mod tests;
