//! Side by side: npm `@owf/mdoc` 0.6.0 engages, asks, answers and judges, as far as it goes. It has no session encryption: what it
//! would find in a message is handed over.

use super::authority::{Authority, key, now, private_jwk, rng};
use super::place::{ask_node, node};
use credentials::b64;
use credentials::mdoc::{
    Elements, Expected, Handover, IssuanceDraft, KeyAuthorizations, Mdoc, SessionTranscript, device_response, issue,
    verify_presented,
};
use credentials::proximity::{
    DeviceEngagement, DocumentRequest, HolderEngagement, IntentToRetain, Reader, ReaderEngagement, RequestError,
    RequestIn, write_request,
};
use credentials::signer::{Signer as _, SoftwareKey};
use credentials::trust::{ChainPolicy, Trust, Usage};
use schemas::{ClaimPath, Seconds, Timestamp};
use serde_json::{Value, json};

const TYPE: &str = "org.iso.18013.5.1.mDL";
const SPACE: &str = "org.iso.18013.5.1";

fn issued(authority: &Authority, holder: &SoftwareKey, at: Timestamp) -> Vec<u8> {
    let issuer = key(1);
    let (chain, _) = authority.certify(&issuer, Usage::MdocIssuing);
    let mut elements = Elements::new();
    elements.insert(SPACE, "family_name", "Коваль");
    elements.insert(SPACE, "weight", 57);
    let draft = IssuanceDraft {
        doc_type: TYPE.into(),
        elements,
        signed_at: at,
        valid_from: at,
        valid_until: at.plus(Seconds::DAY),
        expected_update: None,
        status: None,
        authorizations: KeyAuthorizations::new(),
        decoys: true,
    };
    issue(&draft, &chain, holder.public_key(), &issuer, &mut rng(9)).unwrap()
}

fn ask(job: &Value) -> Value {
    let answer = ask_node("in_person.mjs", &[], job);
    assert!(answer["error"].is_null(), "{answer}");
    answer
}

fn bytes(answer: &Value, member: &str) -> Vec<u8> {
    b64::decode(answer[member].as_str().unwrap_or_else(|| panic!("{answer}"))).unwrap()
}

#[test]
fn we_read_what_a_device_that_others_wrote_shows_in_person() {
    if node().is_none() {
        return;
    }
    let (authority, holder, reader, at) = (Authority::new(), key(2), key(3), now());
    let document = issued(&authority, &holder, at);
    let engagement = ask(&json!({"do": "engage", "device": private_jwk(&key(5))}));
    let engaged = DeviceEngagement::parse(&bytes(&engagement, "engagement")).unwrap();
    assert_eq!(engaged.key(), key(5).public_key());
    let (chain, _) = authority.certify(&reader, Usage::MdocReader);
    let asked = [DocumentRequest::new(TYPE).with(SPACE, "family_name", IntentToRetain::No)];
    let met = ReaderEngagement::scan(&engaged.to_uri(), key(6)).unwrap();
    let elsewhere = SessionTranscript::openid4vp("elsewhere", "n", None, "https://elsewhere.example");
    let request = write_request(&asked, met.transcript(), Some((&chain, &reader))).unwrap();
    let lied = write_request(&asked, &elsewhere, Some((&chain, &reader))).unwrap();
    let transcript = met.transcript().clone();
    let (_, established) = met.establish(&request).unwrap();
    let job = |request: &[u8]| {
        json!({
            "do": "respond", "engagement": engagement["engagement"], "established": b64::encode(&established),
            "request": b64::encode(request), "issued": b64::encode(&document), "holder": private_jwk(&holder),
        })
    };
    let answer = ask(&job(&request));
    assert_eq!((&answer["signed"], &answer["faults"]), (&json!(true), &json!([])), "it believes our reader");
    let lied = ask(&job(&lied));
    assert_eq!(lied["faults"].as_array().unwrap().len(), 1, "and not for another session");
    let response = bytes(&answer, "response");
    let seen = |transcript: &SessionTranscript| {
        let policy = ChainPolicy::known_only(&authority.anchors);
        let expected = Expected::new(policy, transcript, at.plus(Seconds::new(5)));
        verify_presented(&response, &expected).map(|seen| seen.elements().clone())
    };
    let elements = seen(&transcript).unwrap();
    assert_eq!((elements.get(SPACE, "family_name"), elements.get(SPACE, "weight")), (Some(&"Коваль".into()), None));
    assert!(seen(&elsewhere).is_err());
}

#[test]
fn a_reader_that_others_wrote_reads_what_we_show_in_person() {
    if node().is_none() {
        return;
    }
    let (authority, holder, at) = (Authority::new(), key(2), now());
    let document = issued(&authority, &holder, at);
    let engagement = HolderEngagement::new(key(5), Vec::new());
    let engaged = b64::encode(engagement.engagement().as_bytes());
    let (_, x5c) = authority.certify(&key(3), Usage::MdocReader);
    let asked = ask(&json!({
        "do": "ask", "engagement": engaged, "reader": private_jwk(&key(6)), "signer": private_jwk(&key(3)), "x5c": x5c,
        "docType": TYPE, "nameSpace": SPACE, "names": ["family_name"],
    }));
    let reader_key = bytes(&asked, "readerKey");
    let transcript = SessionTranscript::in_person(engagement.engagement().as_bytes(), &reader_key, &Handover::Qr);
    let request = bytes(&asked, "request");
    let authenticate = |transcript: &SessionTranscript| {
        let policy = ChainPolicy::unknown_allowed(&authority.anchors);
        RequestIn::parse(&request).unwrap().authenticate(&policy, transcript, at)
    };
    let [wanted] = &authenticate(&transcript).unwrap()[..] else { panic!() };
    assert!(matches!(&wanted.reader, Reader::Signed(chain) if chain.trust() == Trust::Known));
    let elements: Vec<_> = wanted.request.elements().collect();
    assert_eq!(elements, [(ClaimPath::names([SPACE, "family_name"]), IntentToRetain::Yes)]);
    let elsewhere = SessionTranscript::in_person(engagement.engagement().as_bytes(), b"another", &Handover::Qr);
    assert!(matches!(authenticate(&elsewhere), Err(RequestError::ReaderAuth(_))));

    let held = Mdoc::reopen(&document).unwrap();
    let chosen = held.select(&[ClaimPath::names([SPACE, "family_name"])]).unwrap();
    let faults = |transcript: &SessionTranscript| {
        let shown = chosen.sign(transcript, &Elements::new(), &holder).unwrap();
        let answer = ask(&json!({
            "do": "verify", "engagement": engaged, "readerKey": asked["readerKey"], "anchor": authority.anchor,
            "response": b64::encode(&device_response(&[shown])), "nameSpace": SPACE,
        }));
        assert_eq!(answer["elements"], json!({"family_name": "Коваль"}));
        answer["faults"].as_array().unwrap().len()
    };
    assert_eq!((faults(&transcript), faults(&elsewhere)), (0, 1));
}
