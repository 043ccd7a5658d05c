//! What a holder may send, and what comes of it.

use super::world::*;
use crate::at;
use crate::world::{NOW, WORLD, key};
use credentials::cbor::{CborError, FieldError, Value};
use credentials::cose::CoseError;
use credentials::mdoc::{
    DeviceProof, Elements, Expected, ItemError, PresentError, ResponseError, SelectError, SessionTranscript,
    VerifyError, device_response, verify_presented, verify_response,
};
use credentials::signer::Signer as _;
use schemas::ClaimPath;
use serde_json::json;

#[test]
fn what_is_chosen_is_shown_and_nothing_else() {
    let presented = verified(&response()).unwrap();
    assert_eq!(
        presented.disclosed_paths(),
        [ClaimPath::names([SPACE, "age_over_18"]), ClaimPath::names([SPACE, "given_name"])]
    );
    let shown = json!({SPACE: {"age_over_18": true, "given_name": "Олена"}});
    assert_eq!(serde_json::Value::Object(presented.elements().to_json()), shown);
    assert_eq!(presented.own_elements(), &grant());
    assert_eq!(presented.proof(), DeviceProof::Signature);
    assert_eq!(presented.elements().at(&ClaimPath::names([SPACE, "given_name"])), Some(&"Олена".into()));
    // What is not shown is not there in any form: neither its name nor its value.
    let bytes = response();
    for hidden in ["family_name", "portrait", "languages", "Коваль"] {
        assert!(!bytes.windows(hidden.len()).any(|window| window == hidden.as_bytes()), "{hidden}");
    }
}

#[test]
fn a_document_without_any_element_is_still_one() {
    let held = held(&draft());
    let document = held.select(&[]).unwrap().sign(&transcript(), &Elements::new(), &WORLD.holder).unwrap();
    let presented = verified(&device_response(&[document])).unwrap();
    assert!(presented.elements().is_empty() && presented.own_elements().is_empty());
    assert_eq!(presented.doc_type(), TYPE);
}

#[test]
fn a_choice_of_what_is_not_there_is_refused() {
    let held = held(&draft());
    let one = ClaimPath::names([SPACE]);
    let three = ClaimPath::names([SPACE, "given_name", "x"]);
    let other = ClaimPath::names(["org.iso.18013.5.1", "given_name"]);
    for path in [one, three, other, ClaimPath::names([SPACE, "nope"]), ClaimPath::new(Vec::new())] {
        assert_eq!(held.select(std::slice::from_ref(&path)).unwrap_err(), SelectError::NoSuchElement(path));
    }
}

#[test]
fn attack_39_device_auth_over_another_session_is_refused() {
    let bytes = response();
    let refused = |transcript: SessionTranscript| {
        verify_presented(&bytes, &Expected::new(WORLD.policy(), &transcript, NOW)).map(|_| ()).unwrap_err()
    };
    let (client, uri) = ("x509_san_dns:verifier.example", "https://verifier.example/answer");
    for transcript in [
        SessionTranscript::openid4vp("x509_san_dns:other.example", "nonce-1", None, uri),
        SessionTranscript::openid4vp(client, "nonce-2", None, uri),
        SessionTranscript::openid4vp(client, "nonce-1", Some(&[7; 32]), uri),
        SessionTranscript::openid4vp(client, "nonce-1", None, "https://verifier.example/other"),
        SessionTranscript::openid4vp_dc_api("https://verifier.example", "nonce-1", None),
    ] {
        assert_eq!(refused(transcript), VerifyError::DeviceAuth(CoseError::Signature));
    }
}

#[test]
fn attack_34_39_device_auth_by_another_key_or_missing_is_refused() {
    let held = held(&draft());
    let selection = held.select(&names()).unwrap();
    let wrong = selection.sign(&transcript(), &grant(), &key(8));
    assert_eq!(wrong.unwrap_err(), PresentError::WrongKey);
    let bytes = edited(&response(), |value| rebound(value, TYPE, encode(&Value::Map(vec![])), &key(8)));
    assert_eq!(verified(&bytes).unwrap_err(), VerifyError::DeviceAuth(CoseError::Signature));
    let none = edited(&response(), |value| members(at!(value, "documents", 0, "deviceSigned", "deviceAuth")).clear());
    let missing = CoseError::Form(FieldError::Missing("deviceSignature"));
    assert_eq!(verified(&none).unwrap_err(), VerifyError::Form(ResponseError::DeviceSigned(missing)));
    let stripped = edited(&response(), |value| {
        members(at!(value, "documents", 0)).retain(|(key, _)| key.as_text() != Some("deviceSigned"));
    });
    let missing = ResponseError::Form(FieldError::Missing("deviceSigned"));
    assert_eq!(verified(&stripped).unwrap_err(), VerifyError::Form(missing));
    // The payload is detached: one that travels along could be another than the one that is checked.
    let attached = edited(&response(), |value| {
        let auth = at!(value, "documents", 0, "deviceSigned", "deviceAuth", "deviceSignature");
        items(auth)[2] = Value::Bytes(vec![0]);
    });
    assert_eq!(verified(&attached).unwrap_err(), VerifyError::DeviceAuth(CoseError::Payload));
}

#[test]
fn attack_33_device_signed_elements_changed_after_binding_are_refused() {
    let bytes = edited(&response(), |value| {
        within(at!(value, "documents", 0, "deviceSigned", "nameSpaces"), |own| {
            *at!(own, OWN, "grant") = Value::Bytes(b"{\"v\":2}".to_vec());
        });
    });
    assert_eq!(verified(&bytes).unwrap_err(), VerifyError::DeviceAuth(CoseError::Signature));
}

#[test]
fn attack_39_another_document_type_is_refused() {
    let bytes = edited(&response(), |value| *at!(value, "documents", 0, "docType") = "org.iso.18013.5.1.mDL".into());
    assert_eq!(verified(&bytes).unwrap_err(), VerifyError::DocType);
    // Also when the holder signs for it.
    let bytes = edited(&response(), |value| {
        *at!(value, "documents", 0, "docType") = "org.iso.18013.5.1.mDL".into();
        rebound(value, "org.iso.18013.5.1.mDL", encode(&Value::Map(vec![])), &WORLD.holder);
    });
    assert_eq!(verified(&bytes).unwrap_err(), VerifyError::DocType);
    let transcript = transcript();
    let expected = Expected::new(WORLD.policy(), &transcript, NOW);
    let (right, wrong) = ([TYPE.to_owned()], ["eu.europa.ec.eudi.pid.2".to_owned()]);
    assert!(verify_presented(&response(), &expected.with_types(&right)).is_ok());
    assert_eq!(verify_presented(&response(), &expected.with_types(&wrong)).unwrap_err(), VerifyError::Type);
}

#[test]
fn attack_39_items_that_the_issuer_did_not_sign_so_are_refused() {
    let bytes = edited(&response(), |value| {
        let space = at!(value, "documents", 0, "issuerSigned", "nameSpaces", SPACE, 0);
        within(space, |item| *at!(item, "elementValue") = false.into());
    });
    assert_eq!(verified(&bytes).unwrap_err(), VerifyError::Form(ResponseError::Item(ItemError::Digest)));
    let bytes = edited(&response(), |value| {
        let space = at!(value, "documents", 0, "issuerSigned", "nameSpaces", SPACE, 0);
        within(space, |item| *at!(item, "random") = Value::Bytes(vec![3; 16]));
    });
    assert_eq!(verified(&bytes).unwrap_err(), VerifyError::Form(ResponseError::Item(ItemError::Digest)));
}

#[test]
fn iso18013_9_1_2_4_key_authorizations_are_honoured() {
    let held = held(&draft());
    let selection = held.select(&names()).unwrap();
    for (space, name, is_allowed) in [
        (OWN, "anything", true),
        ("org.amparo.presence.1", "acr", true),
        ("org.amparo.presence.1", "amr", false),
        (SPACE, "given_name", false),
    ] {
        let mut own = Elements::new();
        own.insert(space, name, "x");
        let stray = ClaimPath::names([space, name]);
        let made = selection.sign(&transcript(), &own, &WORLD.holder).map(|_| ());
        assert_eq!(made, if is_allowed { Ok(()) } else { Err(PresentError::NotAuthorized(stray.clone())) });
        // A holder who does not care.
        let own = Value::Map(vec![(space.into(), Value::Map(vec![(name.into(), "x".into())]))]);
        let bytes = edited(&response(), |value| rebound(value, TYPE, encode(&own), &WORLD.holder));
        let seen = verified(&bytes).map(|presented| presented.own_elements().get(space, name).cloned());
        assert_eq!(seen, if is_allowed { Ok(Some("x".into())) } else { Err(VerifyError::NotAuthorized(stray)) });
    }
    // Nothing is allowed where the issuer says nothing.
    let mut silent = draft();
    silent.authorizations = credentials::mdoc::KeyAuthorizations::new();
    let silent = verify_silent(&silent);
    assert_eq!(silent, PresentError::NotAuthorized(ClaimPath::names([OWN, "grant"])));
}

fn verify_silent(draft: &credentials::mdoc::IssuanceDraft) -> PresentError {
    held(draft).select(&names()).unwrap().sign(&transcript(), &grant(), &WORLD.holder).unwrap_err()
}

#[test]
fn iso18013_9_1_3_5_a_mac_is_for_one_reader_and_one_session() {
    let held = held(&draft());
    let (reader, other) = (key(21), key(22));
    let document =
        held.select(&names()).unwrap().authenticate(&transcript(), &grant(), &WORLD.holder, reader.public_key());
    let bytes = device_response(&[document.unwrap()]);
    let transcript = transcript();
    let expected = Expected::new(WORLD.policy(), &transcript, NOW);
    let presented = verify_presented(&bytes, &expected.with_mac_key(&reader)).unwrap();
    assert_eq!((presented.proof(), presented.own_elements()), (DeviceProof::Mac, &grant()));
    let mac = VerifyError::DeviceAuth(CoseError::Mac);
    assert_eq!(verify_presented(&bytes, &expected.with_mac_key(&other)).unwrap_err(), mac);
    assert_eq!(verify_presented(&bytes, &expected).unwrap_err(), VerifyError::UnexpectedMac);
    let elsewhere = SessionTranscript::openid4vp("x", "y", None, "z");
    let there = Expected::new(WORLD.policy(), &elsewhere, NOW).with_mac_key(&reader);
    assert_eq!(verify_presented(&bytes, &there).unwrap_err(), mac);
    // A signature is as good where a MAC would do.
    assert!(verify_presented(&response(), &expected.with_mac_key(&reader)).is_ok());
    let wrong = held.select(&names()).unwrap().authenticate(&transcript, &grant(), &key(8), reader.public_key());
    assert_eq!(wrong.unwrap_err(), PresentError::WrongKey);
    // Both at once: which was checked?
    let both = edited(&bytes, |value| {
        let signature =
            at!(&mut decode(&response()), "documents", 0, "deviceSigned", "deviceAuth", "deviceSignature").clone();
        members(at!(value, "documents", 0, "deviceSigned", "deviceAuth")).push(("deviceSignature".into(), signature));
    });
    let malformed = CoseError::Form(FieldError::Malformed("deviceAuth"));
    let refused = verify_presented(&both, &expected.with_mac_key(&reader)).unwrap_err();
    assert_eq!(refused, VerifyError::Form(ResponseError::DeviceSigned(malformed)));
}

#[test]
fn attack_37_boundaries_of_time_for_the_verifier() {
    let mut draft = draft();
    (draft.valid_from, draft.valid_until) = (later(10), later(20));
    let bytes = {
        let held = held(&draft);
        let document = held.select(&names()).unwrap().sign(&transcript(), &grant(), &WORLD.holder).unwrap();
        device_response(&[document])
    };
    let transcript = transcript();
    let at =
        |seconds| verify_presented(&bytes, &Expected::new(WORLD.policy(), &transcript, later(seconds))).map(|_| ());
    assert_eq!(at(9), Err(VerifyError::NotYetValid { valid_from: later(10) }));
    assert_eq!((at(10), at(20)), (Ok(()), Ok(())));
    assert_eq!(at(21), Err(VerifyError::Expired { valid_until: later(20) }));
}

#[test]
fn what_nobody_signed_does_not_travel() {
    // An unprotected header that the issuer's side put in is not passed on to verifiers: it could mark the holder.
    let bytes = edited(&issued(&draft()), |value| {
        members(&mut items(at!(value, "issuerAuth"))[1]).push((4.into(), Value::Bytes(b"holder-4711".to_vec())));
    });
    let held = credentials::mdoc::verify_issued(&bytes, &WORLD.policy(), NOW).unwrap();
    let document = held.select(&names()).unwrap().sign(&transcript(), &grant(), &WORLD.holder).unwrap();
    let response = device_response(&[document]);
    assert!(!response.windows(11).any(|window| window == b"holder-4711"));
    assert!(verified(&response).is_ok());
}

#[test]
fn responses_are_counted_and_their_form_is_checked() {
    let refused = |edit: &dyn Fn(&mut Value)| verified(&edited(&response(), edit)).map(|_| ()).unwrap_err();
    let form = |error| VerifyError::Form(ResponseError::Form(error));
    assert_eq!(refused(&|r| *at!(r, "version") = "2.0".into()), form(FieldError::Malformed("version")));
    assert_eq!(refused(&|r| *at!(r, "status") = 10.into()), VerifyError::Form(ResponseError::Status(10)));
    assert_eq!(refused(&|r| *at!(r, "documents") = Value::Array(vec![])), form(FieldError::Malformed("documents")));
    let copies = |r: &mut Value, n: usize| {
        let documents = items(at!(r, "documents"));
        *documents = vec![documents[0].clone(); n];
    };
    assert_eq!(refused(&|r| copies(r, 2)), VerifyError::Documents { got: 2 });
    assert_eq!(refused(&|r| copies(r, 9)), VerifyError::Form(ResponseError::TooMany));
    assert_eq!(verified(&device_response(&[])).unwrap_err(), VerifyError::Documents { got: 0 });
    // Several are verified together, and one bad one refuses them all.
    let transcript = transcript();
    let expected = Expected::new(WORLD.policy(), &transcript, NOW);
    let three = edited(&response(), |r| copies(r, 3));
    assert_eq!(verify_response(&three, &expected).unwrap().documents.len(), 3);
    let one_bad = edited(&three, |r| *at!(r, "documents", 2, "docType") = "x".into());
    assert_eq!(verify_response(&one_bad, &expected).unwrap_err(), VerifyError::DocType);
    let missing = edited(&device_response(&[]), |r| {
        let errors = Value::Map(vec![("org.iso.18013.5.1.mDL".into(), 0.into())]);
        members(r).push(("documentErrors".into(), Value::Array(vec![errors])));
    });
    assert_eq!(verify_response(&missing, &expected).unwrap().missing, ["org.iso.18013.5.1.mDL"]);
    let errors = |value: Value| refused(&|r| members(at!(r, "documents", 0)).push(("errors".into(), value.clone())));
    assert_eq!(errors(Value::Null), form(FieldError::Malformed("errors")));
    let of = |space: Value, codes: Vec<(Value, Value)>| Value::Map(vec![(space, Value::Map(codes))]);
    for malformed in [
        of(7.into(), vec![("portrait".into(), 0.into())]),
        of(SPACE.into(), vec![]),
        of(SPACE.into(), vec![("portrait".into(), "0".into())]),
        of(SPACE.into(), vec![(7.into(), 0.into())]),
        of(SPACE.into(), vec![("portrait".into(), 0.into()), ("sex".into(), Value::Null)]),
        Value::Map(vec![(SPACE.into(), 0.into())]),
    ] {
        assert_eq!(errors(malformed.clone()), form(FieldError::Malformed("errors")), "{malformed:?}");
    }
    let told = of(SPACE.into(), vec![("portrait".into(), 0.into())]);
    assert!(verified(&edited(&response(), |r| members(at!(r, "documents", 0)).push(("errors".into(), told)))).is_ok());
    let long = vec![0; 256 * 1024 + 1];
    assert_eq!(verified(&long).unwrap_err(), form(CborError::TooLong { most: 262_144, got: 262_145 }.into()));
}

#[test]
fn debug_shows_no_element() {
    let held = held(&draft());
    let presented = verified(&response()).unwrap();
    let text = format!("{held:?} {presented:?} {:?} {:?}", held.select(&names()).unwrap(), draft().elements);
    assert!(!text.contains("Олена") && !text.contains("Коваль"), "{text}");
}
