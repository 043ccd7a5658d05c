//! ISO/IEC 18013-5 Annex D, both sides, to the byte.

use crate::mdoc::vectors::{THEN, annex_d, annex_d_key, annex_d_transcript};
use crate::mdoc::world::{decode, items};
use credentials::mdoc::{Expected, Handover, verify_response};
use credentials::proximity::{
    Ble, DeviceEngagement, DocumentRequest, HolderEngagement, IntentToRetain, Reader, ReaderEngagement, Received,
    RequestIn, Retrieval,
};
use credentials::signer::Signer as _;
use credentials::trust::{ChainPolicy, Trust, TrustAnchors};

const MDL: &str = "org.iso.18013.5.1.mDL";
const SPACE: &str = "org.iso.18013.5.1";

/// How the two parties of Annex D came together: the third item of the transcript.
fn handover() -> Handover {
    let mut transcript = decode(annex_d_transcript().as_bytes());
    let parts = items(&mut items(&mut transcript)[2]);
    let part = |at: usize| parts[at].as_bytes().map(<[u8]>::to_vec);
    Handover::Nfc { select: part(0).unwrap(), request: part(1) }
}

#[test]
fn iso18013_annex_d_engagement_is_read_and_written() {
    let key = annex_d_key("EPHEMERAL_DEVICE_KEY_D");
    let uuid = hex::decode("45efef742b2c4837a9a3b0e1d05a6917").unwrap().try_into().unwrap();
    let ways = vec![Retrieval::Ble(Ble { peripheral: None, central: Some(uuid) })];
    let made = DeviceEngagement::new(key.public_key(), ways);
    assert_eq!(hex::encode(made.as_bytes()), hex::encode(annex_d("DEVICE_ENGAGEMENT")));
    assert_eq!(DeviceEngagement::parse(&annex_d("DEVICE_ENGAGEMENT")).unwrap(), made);
    assert_eq!(DeviceEngagement::from_uri(&made.to_uri()).unwrap(), made);
}

#[test]
fn iso18013_annex_d_session_on_the_holders_side() {
    let holder = HolderEngagement::new(annex_d_key("EPHEMERAL_DEVICE_KEY_D"), Vec::new()).with_handover(handover());
    let (session, request) = holder.accept(&annex_d("SESSION_ESTABLISHMENT")).unwrap();
    assert_eq!(session.transcript(), &annex_d_transcript());
    assert_eq!(session.peer_key(), annex_d_key("EPHEMERAL_READER_KEY_D").public_key());
    assert_eq!(hex::encode(&request), hex::encode(annex_d("DEVICE_REQUEST")));
    let (session, message) = session.send(&annex_d("DEVICE_RESPONSE")).unwrap();
    assert_eq!(hex::encode(message), hex::encode(annex_d("SESSION_DATA")));
    assert_eq!(hex::encode(session.end()), hex::encode(annex_d("SESSION_TERMINATION")));
}

#[test]
fn iso18013_annex_d_session_on_the_readers_side() {
    let engagement = DeviceEngagement::new(annex_d_key("EPHEMERAL_DEVICE_KEY_D").public_key(), Vec::new());
    let reader = ReaderEngagement::new(engagement, annex_d_key("EPHEMERAL_READER_KEY_D"), &handover());
    assert_eq!(reader.transcript(), &annex_d_transcript());
    let (session, message) = reader.establish(&annex_d("DEVICE_REQUEST")).unwrap();
    assert_eq!(hex::encode(message), hex::encode(annex_d("SESSION_ESTABLISHMENT")));
    let Received::Message(session, response) = session.receive(&annex_d("SESSION_DATA")).unwrap() else { panic!() };
    assert_eq!(hex::encode(&response), hex::encode(annex_d("DEVICE_RESPONSE")));
    let anchors = TrustAnchors::default();
    let policy = ChainPolicy::unknown_allowed(&anchors);
    let expected = Expected::new(policy, session.transcript(), THEN).with_mac_key(session.key());
    let response = verify_response(&response, &expected).unwrap();
    assert_eq!(response.documents[0].elements().len(), 6);
    let ended = session.receive(&annex_d("SESSION_TERMINATION")).unwrap();
    assert!(matches!(ended, Received::Ended(credentials::proximity::SessionStatus::Termination)));
}

#[test]
fn iso18013_annex_d_request_says_who_reads() {
    let anchors = TrustAnchors::default();
    let policy = ChainPolicy::unknown_allowed(&anchors);
    let request = RequestIn::parse(&annex_d("DEVICE_REQUEST")).unwrap();
    let asked = request.authenticate(&policy, &annex_d_transcript(), THEN).unwrap();
    let (yes, no) = (IntentToRetain::Yes, IntentToRetain::No);
    let expected = DocumentRequest::new(MDL)
        .with(SPACE, "family_name", yes)
        .with(SPACE, "document_number", yes)
        .with(SPACE, "driving_privileges", yes)
        .with(SPACE, "issue_date", yes)
        .with(SPACE, "expiry_date", yes)
        .with(SPACE, "portrait", no);
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].request, expected);
    let Reader::Signed(chain) = &asked[0].reader else { panic!() };
    assert_eq!((chain.subject(), chain.trust()), ("reader", Trust::NotKnown));
}
