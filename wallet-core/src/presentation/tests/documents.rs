//! Mobile documents shown to a verifier.

use super::*;
use credentials::mdoc::KeyAuthorizations;
use schemas::mdoc::{IDENTITY_DOCUMENT, PID_NAME_SPACE, PRESENCE_NAME_SPACE};

/// A wallet with thirty copies of an identity as a document, and no other credential.
pub(super) static DOCUMENTS: LazyLock<Wallet> = LazyLock::new(|| Wallet::with(of_documents()));

fn of_documents() -> Desk {
    Desk { configurations: &["identity-mdoc"], ..Desk::default() }
}

pub(super) fn element(name: &str) -> ClaimPath {
    path(&[PID_NAME_SPACE, name])
}

fn asking_for(names: &[&str]) -> Value {
    let claims: Vec<Value> = names.iter().map(|name| value!({"path": [PID_NAME_SPACE, name]})).collect();
    value!({"credentials": [{
        "id": "doc", "format": "mso_mdoc", "meta": {"doctype_value": IDENTITY_DOCUMENT.doc_type}, "claims": claims,
    }]})
}

fn checkpoint(names: &[&str]) -> Checkpoint {
    Checkpoint { dcql: asking_for(names), ..Checkpoint::default() }
}

fn knowing(verifier: &Verifier) -> Wallet {
    Wallet { anchors: verifier.party.anchors(), ..DOCUMENTS.clone() }
}

fn seen(verified: &Verified) -> Vec<ClaimPath> {
    verified.documents["doc"][0].disclosed_paths()
}

#[test]
fn vp_b_2_a_document_answers_once_bound_to_the_session_with_consent_and_presence() {
    for (encrypted, purpose) in [(true, Some(Purpose::BorderEntry)), (false, Some(Purpose::BorderEntry)), (true, None)]
    {
        let mut verifier =
            Verifier::new(Checkpoint { encrypted, purpose, ..checkpoint(&["given_name", "nationality"]) });
        let mut wallet = knowing(&verifier);
        let (answered, verified) = wallet.present(&mut verifier, &Choice::default());
        assert_eq!(seen(&verified), [element("given_name"), element("nationality")]);
        let document = &verified.documents["doc"][0];
        assert_eq!(document.elements().at(&element("given_name")).unwrap().as_text(), Some("Amina"));
        let acr = document.own_elements().get(PRESENCE_NAME_SPACE, "acr").unwrap();
        assert_eq!(acr.as_text(), Some("urn:amparo:acr:presence-none"));
        assert_eq!(answered.receipt.disclosed[0].type_, "identity", "called as it is called in the other format");
        assert_eq!(verified.consent.is_some(), purpose.is_some());
        if let Some(consent) = &verified.consent {
            assert_eq!(consent.grant().claims, seen(&verified));
            assert_eq!(Some(consent.id()), answered.receipt.consent_id);
        }
        // Another copy, with another device key.
        let (_, second) = wallet.present(&mut verifier, &Choice::default());
        assert_ne!(second.documents["doc"][0].device_key().to_sec1(), document.device_key().to_sec1());
        assert_eq!(Holdings::of(&mut wallet.memory).credentials()[0].copies_left(), 28);
    }
}

#[test]
fn a_document_is_narrowed_by_element_or_by_the_claim_it_stands_for() {
    let mut verifier = Verifier::new(checkpoint(&["given_name", "nationality"]));
    let mut wallet = knowing(&verifier);
    for only in [path(&["nationalities"]), element("nationality")] {
        let choice = Choice { only: Some(vec![only]), ..Choice::default() };
        let (_, verified) = wallet.present(&mut verifier, &choice);
        assert_eq!(seen(&verified), [element("nationality")]);
        assert_eq!(verified.consent.unwrap().grant().claims, [element("nationality")]);
    }
    for stray in [path(&["birth_date"]), element("birth_date"), path(&[PID_NAME_SPACE, "nationality", "x"])] {
        let choice = Choice { only: Some(vec![stray.clone()]), ..Choice::default() };
        let refused = wallet.offered(&mut verifier).consent(&choice, NOW, &mut wallet.rng).unwrap_err();
        assert_eq!(refused, ChoiceError::NotAskedFor(stray));
    }
}

#[test]
fn attack_47_over_asking_is_seen_in_documents_too() {
    let mut wallet = DOCUMENTS.clone();
    let mut asks = |names: &[&str], purpose, choice: &Choice| {
        wallet.choose(Checkpoint { purpose: Some(purpose), ..checkpoint(names) }, choice).map(drop)
    };
    let portrait = asks(&["portrait"], Purpose::AgeCheck, &yes());
    assert_eq!(portrait, Err(ChoiceError::OverAsking(vec![element("portrait")])), "whatever the person says");
    assert_eq!(asks(&["portrait"], Purpose::BorderEntry, &Choice::default()), Err(ChoiceError::PortraitNotAgreed));
    assert_eq!(
        asks(&["family_name"], Purpose::AgeCheck, &Choice::default()),
        Err(ChoiceError::ConcernsNotAccepted(vec![element("family_name")]))
    );
    assert_eq!(asks(&["nationality"], Purpose::BorderEntry, &Choice::default()), Ok(()));
}

#[test]
fn vp_b_2_4_the_person_sees_what_the_verifier_means_to_keep() {
    let mut asked = checkpoint(&["given_name", "nationality"]);
    asked.dcql["credentials"][0]["claims"][1]["intent_to_retain"] = true.into();
    let mut verifier = Verifier::new(asked);
    let offered = knowing(&verifier).offered(&mut verifier).credentials();
    assert_eq!(offered[0].paths.iter().map(|shown| shown.to_be_kept).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn vp_b_2_1_a_document_that_may_not_sign_a_consent_signs_none() {
    let silent: fn(usize, &mut credentials::mdoc::IssuanceDraft) =
        |_, draft| draft.authorizations = KeyAuthorizations::new();
    let mut wallet = Wallet::with(Desk { redraft: silent, ..of_documents() });
    let refused = wallet.choose(checkpoint(&["given_name"]), &Choice::default()).unwrap_err();
    assert_eq!(refused, ChoiceError::NothingToSign);
    // Without a consent it answers, and says nothing for itself.
    let mut verifier = Verifier::new(Checkpoint { purpose: None, ..checkpoint(&["given_name"]) });
    wallet.anchors = verifier.party.anchors();
    let (_, verified) = wallet.present(&mut verifier, &Choice::default());
    assert!(verified.documents["doc"][0].own_elements().is_empty());
}

#[test]
fn vp_15_4_1_15_9_a_document_with_another_value_is_absence() {
    let mut asked = checkpoint(&["sex"]);
    asked.dcql["credentials"][0]["claims"][0]["values"] = value!([1]);
    let mut verifier = Verifier::new(asked);
    let mut wallet = knowing(&verifier);
    let authenticated = wallet.authenticated(&mut verifier).unwrap();
    assert!(authenticated.match_against(&Holdings::of(&mut wallet.memory), NOW).is_err());
    assert!(verifier.received.is_empty(), "nothing is sent before the person says so");
    verifier.checkpoint.dcql["credentials"][0]["claims"][0]["values"] = value!([2]);
    let authenticated = wallet.authenticated(&mut verifier).unwrap();
    assert!(authenticated.match_against(&Holdings::of(&mut wallet.memory), NOW).is_ok());
}

#[test]
fn a_format_that_the_verifier_cannot_read_is_not_shown() {
    let mut both = DOCUMENTS.clone();
    both.receive(Desk::default());
    let mut dcql = asking_for(&["given_name"]);
    let sd_jwt = asking(&["given_name"])["credentials"][0].clone();
    dcql["credentials"].as_array_mut().unwrap().push(sd_jwt);
    dcql["credential_sets"] = value!([{"options": [["doc"], ["id"]]}]);
    for (tamper, id) in [
        ((|_| {}) as fn(&mut schemas::openid4vp::RequestObject), "doc"),
        (|request| drop(request.client_metadata.as_mut().unwrap().vp_formats_supported.remove("mso_mdoc")), "id"),
    ] {
        let mut verifier = Verifier::new(Checkpoint { dcql: dcql.clone(), tamper, ..Checkpoint::default() });
        both.anchors = verifier.party.anchors();
        assert_eq!(both.offered(&mut verifier).credentials()[0].query, id);
    }
}
