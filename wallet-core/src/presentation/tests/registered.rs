//! What registrars say of verifiers, and what follows for the person.

use super::*;
use crate::effect::{Errand as _, Outcome, Progress, Response};
use crate::testing::Party;
use credentials::registration::{self, RegistrationError};
use credentials::request_object::RequestObjectError;
use credentials::status_list::{Bits, StatusList};
use credentials::trust::Usage;
use schemas::registration::{RegistrationClaims, SupervisoryAuthority};
use schemas::status::{Status, StatusClaim, StatusReference};

fn registrar() -> Party {
    Party::new("Registry", &["registrar.example"], Usage::VerifierRegistering, &mut HOLDER.rng.clone())
}

/// A verifier that asks for `asked` and is registered for `registered`, at a border.
fn verifier(asked: &[&str], registered: &[&str], purpose: Option<Purpose>) -> Verifier {
    listed(asked, registered, purpose, None)
}

/// The same, where the registration can be withdrawn.
fn listed(asked: &[&str], registered: &[&str], purpose: Option<Purpose>, status: Option<StatusClaim>) -> Verifier {
    let mut plain = Verifier::new(Checkpoint { dcql: asking(registered), ..Checkpoint::default() });
    let claims = RegistrationClaims {
        sub: plain.client_id(),
        name: "Border \u{202e}Post".into(),
        purposes: vec![Purpose::BorderEntry.wire().into()],
        credentials: registration::registered(&plain.query()),
        contact: Some("post@border.example".into()),
        supervisory_authority: Some(SupervisoryAuthority {
            name: Some("Data protection office".into()),
            phone: Some("+1 555 0100".into()),
            ..Default::default()
        }),
        iat: NOW,
        exp: NOW.plus(Seconds::DAY),
        status,
    };
    let registrar = registrar();
    let registration = Some(registration::sign(&claims, &registrar.chain, &registrar.key).unwrap());
    // The same certificate, which the registration names.
    plain.checkpoint = Checkpoint { dcql: asking(asked), purpose, registration, ..Checkpoint::default() };
    plain
}

impl Wallet {
    fn registered(&mut self, verifier: &mut Verifier) -> Result<Authenticated, Rejected> {
        self.authenticated(verifier).and_then(|asks| asks.registered(&registrar().anchors(), NOW))
    }

    fn offered_registered(&mut self, verifier: &mut Verifier) -> Offered {
        let asks = self.registered(verifier).unwrap();
        asks.match_against(&Holdings::of(&mut self.memory), NOW).unwrap()
    }
}

const BORDER: Option<Purpose> = Some(Purpose::BorderEntry);

#[test]
fn vp_5_1_the_person_is_told_what_a_registrar_says() {
    let mut verifier = verifier(&["given_name"], &["given_name", "nationalities"], BORDER);
    let mut wallet = Wallet::knowing(&verifier);
    let offered = wallet.offered_registered(&mut verifier);
    let asker = offered.asker();
    let [registered] = &asker.registered.unwrap()[..] else { panic!() };
    assert_eq!((registered.registrar.as_str(), registered.name.as_str()), ("Registry", "Border \\u{202e}Post"));
    assert_eq!((&registered.purposes[..], registered.ends_at), (&[Purpose::BorderEntry][..], NOW.plus(Seconds::DAY)));
    assert_eq!(registered.authority.as_ref().unwrap().as_str(), "Data protection office, +1 555 0100");
    assert_eq!(registered.contact.as_ref().unwrap().as_str(), "post@border.example");
    assert_eq!(offered.credentials()[0].paths[0].concern, None);
    assert!(offered.consent(&Choice::default(), NOW, &mut wallet.rng).is_ok());
    // Where nobody is trusted for that, nothing is said and nothing follows; where somebody else is, it is not registered.
    let plain = wallet.authenticated(&mut verifier).unwrap().registered(&TrustAnchors::default(), NOW).unwrap();
    assert_eq!(plain.asker().registered, None);
    let anchors = verifier.party.anchors();
    let stranger = wallet.authenticated(&mut verifier).unwrap().registered(&anchors, NOW).unwrap();
    assert_eq!(stranger.asker().registered, Some(vec![]));
}

#[test]
fn attack_69_what_a_verifier_is_not_registered_for_is_not_shown() {
    let mut over = verifier(&["given_name", "nationalities"], &["given_name"], BORDER);
    let mut wallet = Wallet::knowing(&over);
    let offered = wallet.offered_registered(&mut over);
    let concerns: Vec<Option<Concern>> = offered.credentials()[0].paths.iter().map(|shown| shown.concern).collect();
    assert_eq!(concerns, [None, Some(Concern::BeyondRegistration)]);
    let refused = offered.consent(&yes(), NOW, &mut wallet.rng).unwrap_err();
    assert_eq!(refused, ChoiceError::OverAsking(vec![path(&["nationalities"])]), "whatever the person says");
    let only = Choice { only: Some(vec![path(&["given_name"])]), ..Choice::default() };
    assert!(wallet.offered_registered(&mut over).consent(&only, NOW, &mut wallet.rng).is_ok(), "without it, yes");
}

#[test]
fn attack_69_a_request_for_another_purpose_than_the_registered_is_rejected() {
    let mut verifier = verifier(&["age_over_18"], &["age_over_18"], Some(Purpose::AgeCheck));
    let mut wallet = Wallet::knowing(&verifier);
    let rejected = wallet.registered(&mut verifier).unwrap_err();
    let purpose = RequestObjectError::Registration(RegistrationError::Purpose);
    assert_eq!((rejected.error(), rejected.fault()), (&RequestError::RequestObject(purpose), Fault::Peer));
    // The verifier hears what it hears from a wallet that trusts nobody to register verifiers, and whose holder says no.
    run(rejected.reply().unwrap(), &mut Vec::new(), |effect| verifier.answer(effect), NOW, &mut wallet.rng).unwrap();
    assert_eq!(verifier.error().as_deref(), Some("access_denied"));
}

#[test]
fn attack_69_another_verifiers_registration_is_no_registration() {
    let theirs = verifier(&["given_name"], &["given_name"], BORDER);
    let mut thief = Verifier::new(Checkpoint {
        registration: theirs.checkpoint.registration.clone(),
        signed: crate::testing::Signed::DidOnTheWeb,
        ..Checkpoint::default()
    });
    let rejected = Wallet::knowing(&thief).registered(&mut thief).unwrap_err();
    let other = RequestObjectError::Registration(RegistrationError::OtherVerifier);
    assert_eq!(*rejected.error(), RequestError::RequestObject(other));
    // Nobody signs an unsigned request, so nobody is registered by one.
    let mut unsigned = Verifier::new(Checkpoint {
        registration: theirs.checkpoint.registration.clone(),
        signed: crate::testing::Signed::Nobody,
        purpose: None,
        ..Checkpoint::default()
    });
    let asks = Wallet::knowing(&unsigned).registered(&mut unsigned).unwrap();
    assert_eq!(asks.asker().registered, Some(vec![]));
}

#[test]
fn a_registered_verifier_that_names_no_purpose_takes_a_yes_of_its_own() {
    let mut silent = verifier(&["given_name"], &["given_name"], None);
    let mut wallet = Wallet::knowing(&silent);
    let offered = wallet.offered_registered(&mut silent);
    assert_eq!(offered.credentials()[0].paths[0].concern, Some(Concern::NoPurpose));
    let refused = offered.consent(&Choice::default(), NOW, &mut wallet.rng).unwrap_err();
    assert_eq!(refused, ChoiceError::ConcernsNotAccepted(vec![path(&["given_name"])]));
    let agreed = Choice { show_beyond_purpose: true, ..Choice::default() };
    assert!(wallet.offered_registered(&mut silent).consent(&agreed, NOW, &mut wallet.rng).is_ok());
}

const LIST: &str = "https://registrar.example/status/1";

/// A list of the registrar's, in which these entries are said to be something else than valid.
fn list(by: &Party, uri: &str, issued_at: Timestamp, against: &[(u64, Status)]) -> String {
    let mut list = StatusList::new(1024, Bits::Two).unwrap();
    for (index, status) in against {
        list.set(*index, *status).unwrap();
    }
    list.to_token(uri, issued_at, issued_at.plus(Seconds::DAY), Seconds::HOUR, &by.chain, &by.key).unwrap()
}

/// How the request of a verifier fares whose registration names entry 7 of [`LIST`], where its host answers `answer`; and who
/// was asked.
fn fares(answer: Outcome) -> (Result<Authenticated, Rejected>, String) {
    let status = StatusClaim { status_list: StatusReference { idx: 7, uri: LIST.to_owned() } };
    let mut verifier = listed(&["given_name"], &["given_name"], BORDER, Some(status));
    let mut wallet = Wallet::knowing(&verifier);
    let mut registrars = registrar().anchors();
    registrars.add_pem(keeper().anchor_pem.as_bytes()).unwrap();
    let asks = wallet.registered(&mut verifier).unwrap();
    assert_eq!(asks.asker().registered.unwrap().len(), 1);
    let looked = asks.look_up_registrations(registrars, NOW).unwrap();
    let Progress::Waiting(errand) = looked else { panic!("nothing to look up") };
    let asked = errand.effect().url().to_string();
    let done = match errand.resume(answer, NOW, &mut wallet.rng) {
        Ok(Progress::Ready(authenticated)) => Ok(authenticated),
        Ok(Progress::Waiting(_)) => panic!("more than one list"),
        Err(rejected) => Err(rejected),
    };
    (done, asked)
}

fn keeper() -> Party {
    Party::new("Registry's lists", &["registrar.example"], Usage::StatusSigning, &mut HOLDER.rng.clone())
}

fn served(token: String) -> Outcome {
    Outcome::Response(Response { status: 200, headers: Vec::new(), body: token.into_bytes() })
}

#[test]
fn vp_5_1_a_registration_that_was_withdrawn_ends_the_request() {
    let (standing, asked) = fares(served(list(&keeper(), LIST, NOW, &[(8, Status::Invalid)])));
    assert_eq!((standing.unwrap().asker().registered.unwrap().len(), asked.as_str()), (1, LIST));
    for status in [Status::Invalid, Status::Suspended] {
        let (refused, _) = fares(served(list(&keeper(), LIST, NOW, &[(7, status)])));
        let withdrawn = RequestObjectError::Registration(RegistrationError::Withdrawn);
        let rejected = refused.unwrap_err();
        assert_eq!(*rejected.error(), RequestError::RequestObject(withdrawn), "{status:?}");
        assert!(rejected.reply().is_some());
    }
    // What a list said that has ended still counts against it, and no longer for it.
    let old = NOW.minus(Seconds::DAY.times(2));
    assert!(fares(served(list(&keeper(), LIST, old, &[(7, Status::Invalid)]))).0.is_err());
    assert_eq!(fares(served(list(&keeper(), LIST, old, &[]))).0.unwrap().asker().registered, Some(vec![]));
}

#[test]
fn attack_64_67_a_registration_of_which_nobody_says_that_it_stands_is_nobody_s_word() {
    let stranger = Party::new("Stranger", &["registrar.example"], Usage::StatusSigning, &mut HOLDER.rng.clone());
    for (answer, why) in [
        (Outcome::Unreachable, "not to be had"),
        (Outcome::Response(Response { status: 404, headers: Vec::new(), body: Vec::new() }), "not there"),
        (served("no list".to_owned()), "no list"),
        (served(list(&keeper(), "https://registrar.example/status/2", NOW, &[])), "another list"),
        (served(list(&registrar(), LIST, NOW, &[])), "signed by who may not"),
        (served(list(&stranger, LIST, NOW, &[])), "signed by nobody known"),
    ] {
        let (left, _) = fares(answer);
        assert_eq!(left.unwrap().asker().registered, Some(vec![]), "{why}");
    }
    // Nothing is looked up where no list is named, or where it lies inside.
    let mut unlisted = verifier(&["given_name"], &["given_name"], BORDER);
    let asks = Wallet::knowing(&unlisted).registered(&mut unlisted).unwrap();
    assert!(matches!(asks.look_up_registrations(registrar().anchors(), NOW).unwrap(), Progress::Ready(_)));
    let inside = StatusClaim { status_list: StatusReference { idx: 7, uri: "http://127.0.0.1/list".to_owned() } };
    let mut inward = listed(&["given_name"], &["given_name"], BORDER, Some(inside));
    let asks = Wallet::knowing(&inward).registered(&mut inward).unwrap();
    let Progress::Ready(asks) = asks.look_up_registrations(registrar().anchors(), NOW).unwrap() else {
        panic!("it was looked up")
    };
    assert_eq!(asks.asker().registered, Some(vec![]), "nobody says that it stands");
}

#[test]
fn anchors_that_register_vouch_for_nobody() {
    let mut wallet = Wallet::empty();
    let mut holdings = Holdings::of(&mut wallet.memory);
    let pem = registrar().anchor_pem;
    assert_eq!(holdings.trust_registrar(pem.as_bytes(), &mut wallet.rng).unwrap(), 1);
    assert_eq!(holdings.trust_registrar(pem.as_bytes(), &mut wallet.rng).unwrap(), 0);
    assert_eq!((holdings.registrars().len(), holdings.trust_anchors().len()), (1, 0));
    assert_eq!(holdings.trust(pem.as_bytes(), &mut wallet.rng).unwrap(), 1);
    assert_eq!((holdings.registrars().len(), holdings.trust_anchors().len()), (1, 1));
}
