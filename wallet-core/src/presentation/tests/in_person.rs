//! Documents shown to a reader that stands beside the holder.

use super::documents::{DOCUMENTS, element};
use super::*;
use crate::testing::Party;
use credentials::consent::{ProposedConsent, check_mdoc_grant};
use credentials::mdoc::{DeviceProof, Expected, Response, verify_response};
use credentials::proximity::{
    DocumentRequest, IntentToRetain, ReaderEngagement, Received, RequestError, Retrieval, Session, SessionError,
    write_request,
};
use credentials::request_object::ClientId;
use credentials::signer::SoftwareKey;
use credentials::trust::{ChainPolicy, Usage};
use schemas::consent::{CONSENT_REQUEST_TYPE, ConsentRequest, Controller, PurposeRequest};
use schemas::mdoc::{IDENTITY_DOCUMENT, PID_NAME_SPACE};

/// A reader with a certificate, and what it asks.
struct Desk {
    party: Party,
    names: &'static [&'static str],
    doc_type: &'static str,
    purpose: Option<Purpose>,
    /// Who signs; nobody when none.
    signs: Option<fn(&Party) -> SoftwareKey>,
    controller: Option<&'static str>,
}

const OWN: u8 = 21;

impl Default for Desk {
    fn default() -> Self {
        Self {
            party: Party::new("Border Post", &[], Usage::Verifier, &mut rng(8)),
            names: &["given_name", "nationality"],
            doc_type: IDENTITY_DOCUMENT.doc_type,
            purpose: Some(Purpose::BorderEntry),
            signs: Some(|party| again(&party.key)),
            controller: None,
        }
    }
}

fn rng(seed: u8) -> ChaCha20Rng {
    rand_core::SeedableRng::from_seed([seed; 32])
}

fn again(key: &SoftwareKey) -> SoftwareKey {
    SoftwareKey::from_scalar(&key.scalar().unwrap()).unwrap()
}

fn session_key() -> SoftwareKey {
    SoftwareKey::from_scalar(&[OWN; 32]).unwrap()
}

impl Desk {
    fn client_id(&self) -> String {
        use sha2::Digest as _;
        ClientId::x509_hash(&sha2::Sha256::digest(self.party.chain.leaf()).into()).as_str().to_owned()
    }

    fn proposal(&self) -> Option<ProposedConsent> {
        let claims = self.names.iter().map(|name| element(name)).collect();
        let client_id = self.controller.map_or_else(|| self.client_id(), str::to_owned);
        let request = ConsentRequest {
            type_: CONSENT_REQUEST_TYPE.into(),
            credential_ids: vec!["document-1".into()],
            transaction_data_hashes_alg: None,
            controller: Controller { client_id, name: "Border Post".into(), contact: None },
            purposes: vec![PurposeRequest { code: self.purpose?, dpv: None, claims, necessity: None }],
            retention: Seconds::HOUR.iso8601(),
            onward: vec![],
            not_after: NOW.plus(Seconds::new(300)),
            lang: None,
        };
        Some(ProposedConsent::write(&request).unwrap())
    }

    /// Reads the code and asks.
    fn ask(&self, uri: &str) -> (Session, Vec<u8>) {
        let reader = ReaderEngagement::scan(uri, session_key()).unwrap();
        let asked = self.names.iter().fold(DocumentRequest::new(self.doc_type), |asked, name| {
            asked.with(PID_NAME_SPACE, name, IntentToRetain::No)
        });
        let asked = match self.proposal() {
            Some(proposal) => asked.proposing(&proposal),
            None => asked,
        };
        let signer = self.signs.map(|key| key(&self.party));
        let signing = signer.as_ref().map(|key| (&self.party.chain, key as &dyn credentials::signer::Signer));
        let request = write_request(&[asked], reader.transcript(), signing).unwrap();
        reader.establish(&request).unwrap()
    }
}

fn engaged() -> Engaged {
    Engaged::new(vec![Retrieval::Socket("127.0.0.1:9".parse().unwrap())], &mut rng(9)).unwrap()
}

/// The wallet with documents, which knows this reader.
fn knowing(desk: &Desk) -> Wallet {
    Wallet { anchors: desk.party.anchors(), ..DOCUMENTS.clone() }
}

impl Wallet {
    fn met(&mut self, desk: &Desk) -> (Session, Offered<InPerson>) {
        let engaged = engaged();
        let (reader, message) = desk.ask(&engaged.uri());
        let authenticated = engaged.meet(&message, &self.anchors, NOW).unwrap();
        (reader, authenticated.match_against(&Holdings::of(&mut self.memory), NOW).unwrap())
    }

    fn handed(&mut self, desk: &Desk, choice: &Choice) -> (Session, Handing) {
        let (reader, offered) = self.met(desk);
        let consented = offered.consent(choice, NOW, &mut self.rng).unwrap();
        let holder = HolderVerified::mint(engaged().id(), NOW, true);
        let unsaved = consented.answer(holder, &mut Holdings::of(&mut self.memory), NOW, &mut self.rng).unwrap();
        (reader, unsaved.saved())
    }

    fn copies(&mut self) -> usize {
        Holdings::of(&mut self.memory).credentials()[0].copies_left()
    }
}

/// What the reader makes of the last message.
fn read(reader: Session, message: &[u8], issuers: &TrustAnchors) -> Response {
    let (transcript, own) = (reader.transcript().clone(), session_key());
    let (Received::Message(_, response) | Received::Last(response)) = reader.receive(message).unwrap() else {
        panic!()
    };
    let expected = Expected::new(ChainPolicy::known_only(issuers), &transcript, NOW);
    verify_response(&response, &expected.with_mac_key(&own)).unwrap()
}

#[test]
fn a_document_is_shown_in_person_once_with_consent_and_a_mac_for_this_reader() {
    let desk = Desk::default();
    let mut wallet = knowing(&desk);
    let (reader, offered) = wallet.met(&desk);
    assert_eq!((offered.asker().trust, offered.asker().host), (Trust::Known, None));
    assert_eq!(offered.asker().proposal.unwrap().purposes, [Purpose::BorderEntry]);
    drop(reader);
    let choice = Choice { lasting: Some(Seconds::MINUTE), ..Choice::default() };
    let (reader, handing) = wallet.handed(&desk, &choice);
    let document = read(reader, handing.message(), &wallet.issuers).documents.remove(0);
    assert_eq!(document.proof(), DeviceProof::Mac);
    assert_eq!(document.disclosed_paths(), [element("given_name"), element("nationality")]);
    let agreed = check_mdoc_grant(&document, &desk.proposal().unwrap(), &desk.client_id(), &[], NOW, NOW).unwrap();
    assert_eq!(agreed.grant().exp, NOW.plus(Seconds::MINUTE));
    assert_eq!(wallet.copies(), 29);
    let holdings = Holdings::of(&mut wallet.memory);
    let [entry] = &holdings.history().unwrap()[..] else { panic!() };
    assert_eq!(
        (entry.outcome, entry.client_id.as_str(), entry.known),
        (history::Outcome::Sent, &*desk.client_id(), true)
    );
    assert_eq!(holdings.consents(NOW).len(), 1);
    // What the reader says last.
    let end = credentials::proximity::SessionStatus::Termination.message();
    assert_eq!(handing.conclude(Some(&end)), (history::Outcome::Delivered, None));
    let (_, silent) = wallet.handed(&desk, &choice);
    assert_eq!(silent.conclude(None), (history::Outcome::Sent, Some(end.clone())));
    let (_, broken) = wallet.handed(&desk, &choice);
    assert_eq!(broken.conclude(Some(b"?")).0, history::Outcome::Sent);
    let (_, unread) = wallet.handed(&desk, &choice);
    let status = credentials::proximity::SessionStatus::EncryptionError.message();
    assert_eq!(unread.conclude(Some(&status)).0, history::Outcome::TurnedDown);
}

#[test]
fn iso18013_8_3_2_1_2_2_elements_that_are_not_there_are_left_out() {
    let desk = Desk { names: &["given_name", "email_address", "no_such_element"], ..Desk::default() };
    let mut wallet = knowing(&desk);
    let (reader, handing) = wallet.handed(&desk, &Choice::default());
    assert_eq!(
        read(reader, handing.message(), &wallet.issuers).documents[0].disclosed_paths(),
        [element("given_name")]
    );
    // And what the person leaves out.
    let desk = Desk::default();
    let only = Some(vec![path(&["given_name"])]);
    let (reader, handing) = wallet.handed(&desk, &Choice { only, ..Choice::default() });
    assert_eq!(
        read(reader, handing.message(), &wallet.issuers).documents[0].disclosed_paths(),
        [element("given_name")]
    );
}

#[test]
fn vp_15_9_in_person_every_no_is_the_same_as_absence() {
    let mut seen = Vec::new();
    let mut note = |reader: Session, message: &[u8], wallet: &Wallet| {
        let length = message.len();
        assert!(read(reader, message, &wallet.issuers).documents.is_empty());
        seen.push(length);
    };
    let desk = Desk::default();
    let mut wallet = knowing(&desk);
    // The person says no: at once, after looking, at the last question.
    let engaged = engaged();
    let (reader, message) = desk.ask(&engaged.uri());
    note(reader, &engaged.meet(&message, &wallet.anchors, NOW).unwrap().refuse(), &wallet);
    let (reader, offered) = wallet.met(&desk);
    note(reader, &offered.refuse(), &wallet);
    let (reader, offered) = wallet.met(&desk);
    note(reader, &offered.consent(&Choice::default(), NOW, &mut wallet.rng).unwrap().refuse(), &wallet);
    // The wallet says no: nobody was recognised for this; the time of evidence is over; too much is asked.
    for (id, at) in [(RequestId::of("other"), NOW), (super::in_person::engaged().id(), NOW.minus(Seconds::HOUR))] {
        let (reader, offered) = wallet.met(&desk);
        let consented = offered.consent(&Choice::default(), NOW, &mut wallet.rng).unwrap();
        let holder = HolderVerified::mint(id, at, true);
        let refused = consented.answer(holder, &mut Holdings::of(&mut wallet.memory), NOW, &mut wallet.rng);
        let refused = refused.unwrap_err();
        assert_eq!(refused.error(), &AnswerError::NotRecognised);
        note(reader, refused.farewell(), &wallet);
    }
    let greedy = Desk { names: &["portrait"], purpose: Some(Purpose::AgeCheck), ..Desk::default() };
    let (reader, offered) = wallet.met(&greedy);
    let refused = offered.consent(&yes(), NOW, &mut wallet.rng).unwrap_err();
    assert_eq!(refused.error(), &ChoiceError::OverAsking(vec![element("portrait")]));
    note(reader, refused.farewell(), &wallet);
    // There is nothing: another type, another element.
    for absent in [Desk { doc_type: "org.example.1", ..Desk::default() }, Desk { names: &["x"], ..Desk::default() }] {
        let engaged = super::in_person::engaged();
        let (reader, message) = absent.ask(&engaged.uri());
        let authenticated = engaged.meet(&message, &wallet.anchors, NOW).unwrap();
        let absent = authenticated.match_against(&Holdings::of(&mut wallet.memory), NOW).unwrap_err();
        note(reader, &absent.refuse(), &wallet);
    }
    assert!(seen.iter().all(|length| *length == seen[0]), "{seen:?}");
    assert_eq!(wallet.copies(), 30, "nothing is used up");
    assert!(Holdings::of(&mut wallet.memory).history().unwrap().is_empty());
}

#[test]
fn attack_40_a_reader_that_is_nobody_or_somebody_else_is_not_answered() {
    let refused = |desk: &Desk, anchors: &TrustAnchors| {
        let engaged = engaged();
        let (reader, message) = desk.ask(&engaged.uri());
        let refused = engaged.meet(&message, anchors, NOW).unwrap_err();
        assert!(read(reader, refused.farewell(), anchors).documents.is_empty());
        refused.error().clone()
    };
    let none = TrustAnchors::default();
    assert_eq!(refused(&Desk { signs: None, ..Desk::default() }, &none), InPersonError::Anonymous);
    let stolen = Desk { signs: Some(|_| session_key()), ..Desk::default() };
    assert!(matches!(refused(&stolen, &none), InPersonError::Request(RequestError::ReaderAuth(_))));
    let issuer = Party::new("Registry", &[], Usage::CredentialIssuing, &mut rng(8));
    let wrong = Desk { party: issuer, ..Desk::default() };
    assert!(matches!(refused(&wrong, &none), InPersonError::Request(RequestError::Chain(_))));
    // A consent for somebody else.
    let other = Desk { controller: Some("x509_hash:somebody"), ..Desk::default() };
    assert_eq!(refused(&other, &none), InPersonError::Consent(credentials::consent::ConsentError::OtherController));
    // Not known is a question to the person, as online.
    let desk = Desk::default();
    let mut wallet = DOCUMENTS.clone();
    let (_, offered) = wallet.met(&desk);
    assert_eq!(offered.asker().trust, Trust::NotKnown);
    let refused = offered.consent(&Choice::default(), NOW, &mut wallet.rng).unwrap_err();
    assert_eq!(refused.error(), &ChoiceError::VerifierNotKnown);
    let (_, offered) = wallet.met(&desk);
    assert!(offered.consent(&yes(), NOW, &mut wallet.rng).is_ok());
}

#[test]
fn attack_48_a_session_begun_for_another_code_is_not_answered() {
    let desk = Desk::default();
    let other = Engaged::new(Vec::new(), &mut rng(10)).unwrap();
    let (_, message) = desk.ask(&other.uri());
    let refused = engaged().meet(&message, &desk.party.anchors(), NOW).unwrap_err();
    assert_eq!(refused.error(), &InPersonError::Session(SessionError::Decryption));
    assert_eq!(refused.farewell(), credentials::proximity::SessionStatus::EncryptionError.message());
    let garbage = engaged().meet(b"\xff", &desk.party.anchors(), NOW).unwrap_err();
    assert_eq!(garbage.farewell(), credentials::proximity::SessionStatus::DecodingError.message());
}

#[test]
fn a_reader_without_a_proposal_is_shown_it_without_a_consent() {
    let desk = Desk { purpose: None, ..Desk::default() };
    let mut wallet = knowing(&desk);
    let (reader, handing) = wallet.handed(&desk, &Choice::default());
    assert!(handing.receipt().consent.is_none());
    let document = read(reader, handing.message(), &wallet.issuers).documents.remove(0);
    assert!(document.own_elements().get(schemas::mdoc::CONSENT_NAME_SPACE, schemas::mdoc::GRANT).is_none());
}
