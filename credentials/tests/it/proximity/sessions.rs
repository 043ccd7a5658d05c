//! Whole sessions, and those that are disturbed.

use crate::at;
use crate::mdoc::world::{TYPE, draft, edited, grant, held, members};
use crate::world::{NOW, WORLD, key};
use credentials::cbor::{FieldError, Value};
use credentials::cose::CoseError;
use credentials::key::KeyError;
use credentials::mdoc::{
    DeviceProof, Expected, Handover, ResponseError, ResponseStatus, VerifyError, device_failure, device_response,
    verify_response,
};
use credentials::proximity::{
    Ble, DeviceEngagement, DocumentRequest, EngagementError, HolderEngagement, IntentToRetain, ReaderEngagement,
    Received, RequestIn, Retrieval, Session, SessionError, SessionStatus, write_request,
};
use credentials::signer::Signer as _;
use proptest::prelude::*;
use schemas::ClaimPath;

fn engaged() -> HolderEngagement {
    HolderEngagement::new(key(51), vec![Retrieval::Ble(Ble { peripheral: Some([7; 16]), central: None })])
}

fn ask() -> DocumentRequest {
    DocumentRequest::new(TYPE).with(TYPE, "age_over_18", IntentToRetain::No).with(
        TYPE,
        "given_name",
        IntentToRetain::No,
    )
}

/// Both sides after the first message, and the request as the holder got it.
fn met() -> (Session, Session, Vec<u8>) {
    let holder = engaged();
    let reader = ReaderEngagement::scan(&holder.qr_uri(), key(52)).unwrap();
    let request = write_request(&[ask()], reader.transcript(), None).unwrap();
    let (reader, message) = reader.establish(&request).unwrap();
    let (holder, received) = holder.accept(&message).unwrap();
    assert_eq!(received, request);
    (holder, reader, received)
}

#[test]
fn ble_07_the_code_says_under_which_identifier_the_device_is_found() {
    let ways = vec![Retrieval::Ble(Ble { peripheral: Some([7; 16]), central: None })];
    let code = HolderEngagement::new(key(51), ways.clone()).qr_uri();
    let read = DeviceEngagement::from_uri(&code).unwrap();
    assert_eq!(read.retrieval(), ways);
    // [2, 1, {0: true, 1: false, 10: h'07…'}]: type and version, peripheral server mode alone, and its identifier.
    let expected = [&[0x83, 0x02, 0x01, 0xa3, 0x00, 0xf5, 0x01, 0xf4, 0x0a, 0x50], &[7; 16][..]].concat();
    assert!(read.as_bytes().windows(expected.len()).any(|part| part == expected));
}

#[test]
fn a_presentation_in_person_from_code_to_consent() {
    let (holder, reader, request) = met();
    assert_eq!(holder.transcript(), reader.transcript());
    let asked = RequestIn::parse(&request).unwrap().authenticate(&WORLD.policy(), holder.transcript(), NOW).unwrap();
    let paths: Vec<ClaimPath> = asked[0].request.elements().map(|(path, _)| path).collect();
    let mdoc = held(&draft());
    let selection = mdoc.select(&paths).unwrap();
    // A MAC convinces this reader and nobody it might show it to; a signature would.
    let document = selection.authenticate(holder.transcript(), &grant(), &WORLD.holder, holder.peer_key()).unwrap();
    let message = holder.send_last(&device_response(&[document])).unwrap();
    let transcript = reader.transcript().clone();
    let (own, other) = (key(52), key(53));
    let received = reader.receive(&message).unwrap();
    assert_eq!(format!("{received:?}"), "Last(..)", "what was shown is in no log");
    let Received::Last(response) = received else { panic!() };
    let expected = Expected::new(WORLD.policy(), &transcript, NOW);
    let presented = verify_response(&response, &expected.with_mac_key(&own)).unwrap().documents.remove(0);
    assert_eq!((presented.proof(), presented.disclosed_paths()), (DeviceProof::Mac, paths));
    assert_eq!(presented.own_elements(), &grant());
    let stranger = verify_response(&response, &expected.with_mac_key(&other)).unwrap_err();
    assert_eq!(stranger, VerifyError::DeviceAuth(CoseError::Mac));
}

#[test]
fn a_session_goes_on_and_either_side_ends_it() {
    let (holder, reader, _) = met();
    let (holder, message) = holder.send(b"first answer").unwrap();
    let Received::Message(reader, first) = reader.receive(&message).unwrap() else { panic!() };
    let (reader, message) = reader.send(b"second request").unwrap();
    let Received::Message(holder, second) = holder.receive(&message).unwrap() else { panic!() };
    assert_eq!((first, second), (b"first answer".to_vec(), b"second request".to_vec()));
    let ended = holder.receive(&reader.end()).unwrap();
    assert!(matches!(ended, Received::Ended(SessionStatus::Termination)));
}

#[test]
fn attack_48_a_message_of_another_session_does_not_open() {
    let (holder, _, _) = met();
    let (_, message) = holder.send(b"answer").unwrap();
    // The same device, another reader.
    let other = ReaderEngagement::scan(&engaged().qr_uri(), key(54)).unwrap();
    let (other, _) = other.establish(b"request").unwrap();
    assert_eq!(other.receive(&message).unwrap_err(), SessionError::Decryption);
    // The same keys, come together in another way.
    let handover = Handover::Nfc { select: vec![1], request: None };
    let elsewhere = ReaderEngagement::new(engaged().engagement().clone(), key(52), &handover);
    let (_, message) = elsewhere.establish(b"request").unwrap();
    let refused = engaged().accept(&message).unwrap_err();
    assert_eq!((refused, refused.status()), (SessionError::Decryption, SessionStatus::EncryptionError));
    // Another engagement with the same key: the way to reach the device was changed on the way.
    let altered = DeviceEngagement::new(key(51).public_key(), Vec::new());
    let (_, message) = ReaderEngagement::new(altered, key(52), &Handover::Qr).establish(b"request").unwrap();
    assert_eq!(engaged().accept(&message).unwrap_err(), SessionError::Decryption);
}

#[test]
fn attack_52_session_keys_off_the_curve_are_refused() {
    let reader = ReaderEngagement::scan(&engaged().qr_uri(), key(52)).unwrap();
    let (_, message) = reader.establish(b"request").unwrap();
    let with = |label: i64, value: Value| {
        let bytes = edited(&message, |message| {
            crate::mdoc::world::within(at!(message, "eReaderKey"), |key| {
                members(key).retain(|(name, _)| name.as_integer() != Some(label));
                members(key).push((label.into(), value));
            });
        });
        engaged().accept(&bytes).unwrap_err()
    };
    assert_eq!(with(-3, Value::Bytes(vec![7; 32])), SessionError::Key(KeyError::NotOnCurve.into()));
    assert_eq!(with(-2, Value::Bytes(vec![0; 32])), SessionError::Key(KeyError::NotOnCurve.into()));
    assert_eq!(with(-1, 2.into()), SessionError::Key(KeyError::NotP256.into()));
    assert_eq!(with(-1, 2.into()).status(), SessionStatus::EncryptionError);
}

#[test]
fn iso18013_9_1_1_4_messages_of_another_form_end_the_session() {
    let refused = |edit: &dyn Fn(&mut Value)| {
        let (holder, reader, _) = met();
        let (_, message) = reader.send(b"request").unwrap();
        holder.receive(&edited(&message, edit)).unwrap_err()
    };
    assert_eq!(refused(&|m| members(m).clear()), SessionError::Form(FieldError::Missing("data")));
    assert_eq!(refused(&|m| *at!(m, "data") = "text".into()), SessionError::Form(FieldError::Malformed("data")));
    let status = refused(&|m| members(m).push(("status".into(), (-1).into())));
    assert_eq!(
        (status, status.status()),
        (SessionError::Form(FieldError::Malformed("status")), SessionStatus::DecodingError)
    );
    for (code, status) in
        [(10, SessionStatus::EncryptionError), (11, SessionStatus::DecodingError), (99, SessionStatus::Other(99))]
    {
        let (holder, _, _) = met();
        // Whatever stands beside a code that means failure is not read.
        let data = (Value::from("data"), Value::Bytes(vec![1]));
        let message = crate::mdoc::world::encode(&Value::Map(vec![data, ("status".into(), code.into())]));
        let Received::Ended(got) = holder.receive(&message).unwrap() else { panic!() };
        assert_eq!(got, status);
    }
    assert_eq!(hex::encode(SessionStatus::EncryptionError.message()), "a1667374617475730a");
}

#[test]
fn iso18013_8_3_2_1_2_3_failures_are_told_apart_from_answers() {
    let (_, reader, _) = met();
    let expected = Expected::new(WORLD.policy(), reader.transcript(), NOW);
    for (status, code) in
        [(ResponseStatus::GeneralError, 10), (ResponseStatus::DecodingError, 11), (ResponseStatus::ValidationError, 12)]
    {
        let refused = verify_response(&device_failure(status), &expected).unwrap_err();
        assert_eq!(refused, VerifyError::Form(ResponseError::Status(code)));
    }
    // A person's refusal and having nothing are the same bytes.
    assert!(verify_response(&device_response(&[]), &expected).unwrap().documents.is_empty());
}

fn refused_engagement(edit: impl FnOnce(&mut [(Value, Value)])) -> EngagementError {
    let bytes = edited(engaged().engagement().as_bytes(), |engagement| edit(members(engagement)));
    DeviceEngagement::parse(&bytes).unwrap_err()
}

#[test]
fn engagements_of_another_form_are_refused() {
    let uri = engaged().qr_uri();
    assert!(uri.starts_with("mdoc:"));
    for bad in ["", "mdoc", "MDOC:oA", "openid4vp://x", &format!("mdoc:{}", "A".repeat(5_000))] {
        assert_eq!(DeviceEngagement::from_uri(bad), Err(EngagementError::Scheme), "{bad}");
    }
    assert!(matches!(DeviceEngagement::from_uri(&format!("{uri}=")), Err(EngagementError::Base64(_))));
    let bytes = engaged().engagement().as_bytes().to_vec();
    let malformed = |what| EngagementError::Form(FieldError::Malformed(what));
    assert_eq!(refused_engagement(|m| m[0].1 = "2.0".into()), malformed("version"));
    assert_eq!(refused_engagement(|m| m[0].1 = Value::Null), malformed("version"));
    assert_eq!(refused_engagement(|m| m[1].0 = 77.into()), malformed("security"));
    assert_eq!(refused_engagement(|m| *at!(&mut m[1].1, 0) = 2.into()), malformed("security"));
    assert_eq!(refused_engagement(|m| *at!(&mut m[1].1, 1) = Value::Null), malformed("security"));
    assert_eq!(refused_engagement(|m| m[2].1 = Value::Array(vec![Value::Null])), malformed("DeviceRetrievalMethod"));
    let ble = Value::Array(vec![Value::Array(vec![2.into(), 1.into(), Value::Map(vec![(0.into(), true.into())])])]);
    assert_eq!(refused_engagement(|m| m[2].1 = ble.clone()), malformed("BleOptions"));
    // Ways that we do not know, and what stands in later versions, are passed over.
    let other = Value::Array(vec![Value::Array(vec![9.into(), 1.into(), Value::Map(vec![])])]);
    let newer = edited(&bytes, |engagement| {
        members(engagement)[2].1 = other;
        members(engagement).push((99.into(), Value::Null));
    });
    let newer = DeviceEngagement::parse(&newer).unwrap();
    assert_eq!(newer.retrieval(), [Retrieval::Other { kind: 9, version: 1, options: Value::Map(vec![]) }]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn proximity_parsers_do_not_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200), at: prop::sample::Index, text in "\\PC{0,80}",
    ) {
        let splice = |good: &[u8]| {
            let mut spliced = good.to_vec();
            let place = at.index(spliced.len());
            let end = (place + bytes.len()).min(spliced.len());
            spliced.splice(place..end, bytes.iter().copied());
            spliced
        };
        let _ = DeviceEngagement::from_uri(&text);
        let _ = DeviceEngagement::from_uri(&format!("mdoc:{text}"));
        let _ = DeviceEngagement::parse(&splice(engaged().engagement().as_bytes()));
        let (holder, reader, request) = met();
        let parsed = RequestIn::parse(&splice(&request));
        let _ = parsed.map(|request| request.authenticate(&WORLD.policy(), holder.transcript(), NOW));
        let (_, message) = reader.send(&request).unwrap();
        let changed = splice(&message);
        let is_same = changed == message;
        if let Ok(Received::Message(_, got) | Received::Last(got)) = holder.receive(&changed) {
            prop_assert!(is_same || got == request);
        }
        let _ = engaged().accept(&bytes);
        let _ = RequestIn::parse(&bytes);
    }
}
