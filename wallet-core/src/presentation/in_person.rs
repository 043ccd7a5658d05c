//! Showing something to a reader that stands beside the holder, with no network on either side (ISO/IEC 18013-5).
//!
//! [`Engaged`] → [`Authenticated`] → [`Offered`](super::Offered) → [`Consented`](super::Consented) → [`Handing`]: the same states
//! as online, in an encrypted session instead of an exchange over HTTP. Whoever carries the messages is not here. Every way to
//! say no, and having nothing to show, ends the session with one and the same message.

use super::RequestId;
use super::ask::{Ask, InPerson};
use super::authenticated::{Absent, Authenticated};
use super::offered::Offered;
use super::sending::Receipt;
use crate::fault::{Blame, Fault};
use crate::history::{EntryNumber, Outcome};
use crate::holdings::Holdings;
use credentials::consent::{ConsentError, ProposedConsent};
use credentials::dcql::{DcqlError, Query};
use credentials::key::KeyError;
use credentials::mdoc::{self, Elements, ResponseStatus, device_failure, device_response};
use credentials::proximity::{
    DocumentRequest, HolderEngagement, IntentToRetain, Reader, Received, RequestError, RequestIn, Retrieval, Session,
    SessionError, SessionStatus,
};
use credentials::request_object::ClientId;
use credentials::signer::SoftwareKey;
use credentials::trust::{ChainPolicy, TrustAnchors, VerifiedChain};
use rand_core::CryptoRng;
use schemas::Timestamp;
use schemas::dcql::{ClaimsQuery, CredentialMeta, CredentialQuery, DcqlQuery};
use std::fmt;

/// What is shown as a code so that a reader can come: good for one reader and one request.
#[derive(Debug)]
pub struct Engaged {
    id: RequestId,
    engagement: HolderEngagement,
}

impl Engaged {
    /// With a fresh key, for readers that come in one of these ways.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn new(ways: Vec<Retrieval>, rng: &mut dyn CryptoRng) -> Result<Self, KeyError> {
        let engagement = HolderEngagement::new(SoftwareKey::generate(rng)?, ways);
        Ok(Self { id: RequestId::of(&engagement.qr_uri()), engagement })
    }

    /// Names what will be asked, for [`unlock`](crate::unlock): the code, which nobody can know beforehand.
    pub const fn id(&self) -> RequestId {
        self.id
    }

    /// The text of the code.
    pub fn uri(&self) -> String {
        self.engagement.qr_uri()
    }

    /// Takes the first message of a reader: finds out who asks, and whether the request is one that can be answered.
    ///
    /// A reader must say who it is, as a verifier must online; whether a trust anchor vouches for its name is in
    /// [`Asker::trust`](super::Asker::trust).
    ///
    /// # Errors
    /// [`Unanswered`] with [`InPersonError`].
    ///
    /// # Source
    /// ISO/IEC 18013-5 §9.1.1.4, §9.1.4, §8.3.2.1.2.1, §8.3.2.1.2.3.
    pub fn meet(
        self,
        message: &[u8],
        anchors: &TrustAnchors,
        now: Timestamp,
    ) -> Result<Authenticated<InPerson>, Unanswered<InPersonError>> {
        let Self { id, engagement } = self;
        let (session, request) = engagement
            .accept(message)
            .map_err(|error| Unanswered::new(InPersonError::Session(error), error.status().message()))?;
        match Asked::read(&request, &session, anchors, now) {
            Ok(Asked { reader, client_id, query, consent }) => {
                let way = InPerson(session);
                Ok(Authenticated(Ask { id, verifier: Some(reader), client_id, query, consent, host: None, way }))
            }
            Err(error) => {
                // These codes follow from the request alone, and tell nothing of this wallet.
                let response = match &error {
                    InPersonError::Request(RequestError::Form(credentials::cbor::FieldError::Cbor(_))) => {
                        device_failure(ResponseStatus::DecodingError)
                    }
                    InPersonError::Request(RequestError::Form(_) | RequestError::Count) => {
                        device_failure(ResponseStatus::ValidationError)
                    }
                    _ => device_response(&[]),
                };
                Err(Unanswered::new(error, last(session, &response)))
            }
        }
    }
}

/// What a reader asks for, once it is known who it is.
struct Asked {
    reader: VerifiedChain,
    client_id: String,
    query: Query,
    consent: Option<ProposedConsent>,
}

impl Asked {
    fn read(bytes: &[u8], session: &Session, anchors: &TrustAnchors, now: Timestamp) -> Result<Self, InPersonError> {
        let policy = ChainPolicy::unknown_allowed(anchors);
        let documents = RequestIn::parse(bytes)?.authenticate(&policy, session.transcript(), now)?;
        let readers = documents.iter().map(|document| match &document.reader {
            Reader::Signed(chain) => Some(chain),
            Reader::Anonymous => None,
        });
        let readers = readers.collect::<Option<Vec<_>>>().ok_or(InPersonError::Anonymous)?;
        let reader = (*readers.first().ok_or(InPersonError::Anonymous)?).clone();
        if readers.iter().any(|other| other.leaf_sha256() != reader.leaf_sha256()) {
            return Err(InPersonError::SeveralReaders);
        }
        let requests: Vec<&DocumentRequest> = documents.iter().map(|document| &document.request).collect();
        let proposal = requests.first().and_then(|request| request.proposal());
        if requests.iter().any(|request| request.proposal() != proposal) {
            return Err(InPersonError::Consent(ConsentError::MoreThanOne));
        }
        let query = Query::check(query(&requests))?;
        let client_id = ClientId::x509_hash(&reader.leaf_sha256()).as_str().to_owned();
        let consent = proposal.map(ProposedConsent::parse).transpose()?;
        consent.as_ref().map_or(Ok(()), |consent| consent.check_request(&client_id, &query, now))?;
        Ok(Self { reader, client_id, query, consent })
    }
}

/// The request in the words of a query: the documents are called `document-1` and so on, in their order, which is how a
/// proposal names them.
fn query(requests: &[&DocumentRequest]) -> DcqlQuery {
    let claims = |request: &DocumentRequest| {
        let elements = request.elements().enumerate();
        let claim = |(n, (path, intent)): (usize, (schemas::ClaimPath, IntentToRetain))| ClaimsQuery {
            id: Some(format!("e{n}")),
            path,
            values: None,
            intent_to_retain: Some(intent == IntentToRetain::Yes),
        };
        elements.map(claim).collect()
    };
    let credentials = requests.iter().zip(1..).map(|(request, n)| CredentialQuery {
        id: format!("document-{n}"),
        format: mdoc::FORMAT.to_owned(),
        multiple: None,
        meta: CredentialMeta { vct_values: None, doctype_value: Some(request.doc_type().to_owned()) },
        trusted_authorities: None,
        require_cryptographic_holder_binding: None,
        claims: Some(claims(request)),
        claim_sets: None,
    });
    DcqlQuery { credentials: credentials.collect(), credential_sets: None }
}

/// The query for what is held of it: of each document those elements that one held has, the most first; documents of which
/// nothing is held are left out. `None` when nothing is left.
///
/// # Source
/// ISO/IEC 18013-5 §8.3.2.1.2.2: elements and documents that are not there are not returned.
pub(super) fn of_what_is_held(query: &Query, held: &[(String, Elements)]) -> Option<Query> {
    let mut wire = query.as_wire().clone();
    for asked in &mut wire.credentials {
        let of_type = held.iter().filter(|(doc_type, _)| asked.meta.doctype_value.as_deref() == Some(doc_type));
        let claims = asked.claims.as_deref().unwrap_or_default();
        let has = |elements: &Elements| -> Vec<String> {
            let there = claims.iter().filter(|claim| elements.at(&claim.path).is_some());
            there.filter_map(|claim| claim.id.clone()).collect()
        };
        let mut sets: Vec<Vec<String>> =
            of_type.map(|(_, elements)| has(elements)).filter(|set| !set.is_empty()).collect();
        sets.sort_by_key(|set| std::cmp::Reverse(set.len()));
        sets.dedup();
        sets.truncate(MOST_SETS);
        asked.claim_sets = Some(sets);
    }
    wire.credentials.retain(|asked| asked.claim_sets.as_ref().is_some_and(|sets| !sets.is_empty()));
    Query::check(wire).ok()
}

/// As many as a query may have.
const MOST_SETS: usize = 64;

/// What ends a session in which nothing is shown, whatever the reason: the same bytes.
pub(super) fn nothing_to_show(ask: Ask<InPerson>) -> Vec<u8> {
    last(ask.way.0, &device_response(&[]))
}

fn last(session: Session, response: &[u8]) -> Vec<u8> {
    session.send_last(response).unwrap_or_else(|_| SessionStatus::Termination.message())
}

impl Authenticated<InPerson> {
    /// Looks what of the request is held. Nothing of it reaches the reader before the person has agreed.
    ///
    /// # Errors
    /// [`Absent`] when nothing is.
    pub fn match_against(self, holdings: &Holdings<'_>, now: Timestamp) -> Result<Offered<InPerson>, Absent<InPerson>> {
        Offered::look_in_person(self.0, holdings, now).map_err(Absent)
    }

    /// Says no: the message that ends the session.
    pub fn refuse(self) -> Vec<u8> {
        nothing_to_show(self.0)
    }
}

impl Absent<InPerson> {
    /// Says no, as [`Offered::refuse`](super::Offered::refuse) does.
    pub fn refuse(self) -> Vec<u8> {
        nothing_to_show(*self.0)
    }
}

/// Nothing is shown, and what the reader is told before the connection is closed.
#[derive(thiserror::Error)]
#[error("{error}")]
pub struct Unanswered<E: std::error::Error + 'static> {
    #[source]
    error: E,
    farewell: Vec<u8>,
}

impl<E: std::error::Error + 'static> Unanswered<E> {
    pub(super) const fn new(error: E, farewell: Vec<u8>) -> Self {
        Self { error, farewell }
    }

    /// Why.
    pub const fn error(&self) -> &E {
        &self.error
    }

    /// The last message for the reader.
    pub fn farewell(&self) -> &[u8] {
        &self.farewell
    }
}

impl<E: std::error::Error + 'static> fmt::Debug for Unanswered<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { error, farewell: _ } = self;
        f.debug_struct("Unanswered").field("error", error).finish_non_exhaustive()
    }
}

impl<E: Blame + 'static> Blame for Unanswered<E> {
    fn fault(&self) -> Fault {
        self.error.fault()
    }

    fn hint(&self) -> &'static str {
        self.error.hint()
    }
}

/// Why a reader is not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InPersonError {
    /// No session came about.
    #[error("no session with the reader: {0}")]
    Session(#[source] SessionError),
    /// The request, or the reader's word for it.
    #[error("the reader's request: {0}")]
    Request(#[from] RequestError),
    /// It does not say who it is.
    #[error("the reader does not say who it is")]
    Anonymous,
    /// It speaks for several.
    #[error("the reader signs as more than one")]
    SeveralReaders,
    /// More than is looked at.
    #[error("the reader asks for what cannot be looked at: {0}")]
    Query(#[from] DcqlError),
    /// What it proposes to agree to.
    #[error("what the reader proposes cannot be agreed to: {0}")]
    Consent(#[from] ConsentError),
}

impl Blame for InPersonError {
    fn fault(&self) -> Fault {
        Fault::Peer
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Session(_) => "nothing was shown: show a new code, and let nobody but the reader see it",
            Self::Anonymous => "nothing was shown: ask who they are, and to use a reader that says so",
            Self::Request(RequestError::Chain(error)) if error.is_about_time() => {
                "nothing was shown: check this machine's clock; if it is right, tell the reader"
            }
            _ => "nothing was shown: this request cannot be answered safely, tell the reader",
        }
    }
}

/// The answer, on its way to the reader.
pub struct Handing {
    message: Vec<u8>,
    session: Session,
    receipt: Receipt,
    entry: Option<EntryNumber>,
}

impl Handing {
    pub(super) const fn new(message: Vec<u8>, session: Session, receipt: Receipt, entry: Option<EntryNumber>) -> Self {
        Self { message, session, receipt, entry }
    }

    /// What is sent.
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// What was shown and on which terms, for the person.
    pub const fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// The entry of the history, to [`settle`](Holdings::settle) when it is known what came of it; none when the person keeps no
    /// history.
    pub const fn entry(&self) -> Option<EntryNumber> {
        self.entry
    }

    /// What came of it, by what the reader said last; and what ends the session, if the reader did not. One code is good for
    /// one request: another one in the same session is not read.
    pub fn conclude(self, reply: Option<&[u8]>) -> (Outcome, Option<Vec<u8>>) {
        let end = Some(SessionStatus::Termination.message());
        match reply.map(|message| self.session.receive(message)) {
            None => (Outcome::Sent, end),
            Some(Ok(Received::Ended(SessionStatus::Termination))) => (Outcome::Delivered, None),
            Some(Ok(Received::Ended(_))) => (Outcome::TurnedDown, None),
            Some(Ok(Received::Message(..) | Received::Last(_))) => (Outcome::Delivered, end),
            Some(Err(_)) => (Outcome::Sent, end),
        }
    }
}

/// What was shown is in it, encrypted.
impl fmt::Debug for Handing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { message: _, session: _, receipt, entry } = self;
        f.debug_struct("Handing").field("receipt", receipt).field("entry", entry).finish_non_exhaustive()
    }
}
