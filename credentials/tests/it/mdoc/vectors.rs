//! Published vectors: ISO/IEC 18013-5 Annex D, OpenID4VP 1.0 Annex B.2.6.

use credentials::key::PublicKey;
use credentials::mdoc::{DeviceProof, Expected, SessionTranscript, VerifyError, verify_issued, verify_presented};
use credentials::signer::SoftwareKey;
use credentials::trust::{ChainError, ChainPolicy, Trust, TrustAnchors};
use schemas::Timestamp;
use serde_json::Value;
use std::sync::LazyLock;

static ANNEX_D: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../../tests/vectors/iso18013-5/annex-d.json")).unwrap());

/// One of the vectors of Annex D.
pub fn annex_d(name: &str) -> Vec<u8> {
    hex::decode(ANNEX_D[format!("ISO_18013_5_ANNEX_D_{name}")].as_str().unwrap()).unwrap()
}

pub fn annex_d_key(name: &str) -> SoftwareKey {
    SoftwareKey::from_scalar(&annex_d(name).try_into().unwrap()).unwrap()
}

/// Within the times of the documents and certificates in Annex D.
pub const THEN: Timestamp = Timestamp::from_unix(1_601_600_000);

#[test]
fn openid4vp_annex_b_2_6_transcripts_are_the_same_bytes() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/openid4vp/session_transcript.json")).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let thumbprint = PublicKey::from_jwk(vectors["jwk"].as_object().unwrap()).unwrap().thumbprint();
    let nonce = text(&vectors["nonce"]);
    let redirect = &vectors["redirect"];
    let (client_id, uri) = (text(&redirect["client_id"]), text(&redirect["response_uri"]));
    let made = SessionTranscript::openid4vp(&client_id, &nonce, Some(&thumbprint), &uri);
    assert_eq!(hex::encode(made.as_bytes()), text(&redirect["SessionTranscript"]));
    let dc_api = &vectors["dc_api"];
    let made = SessionTranscript::openid4vp_dc_api(&text(&dc_api["origin"]), &nonce, Some(&thumbprint));
    assert_eq!(hex::encode(made.as_bytes()), text(&dc_api["SessionTranscript"]));
    // Without encryption the thumbprint is null, and the transcript another.
    assert_ne!(SessionTranscript::openid4vp_dc_api(&text(&dc_api["origin"]), &nonce, None), made);
}

/// The transcript of Annex D, which stands there as tag 24 and bytes.
pub fn annex_d_transcript() -> SessionTranscript {
    let value = super::world::decode(&annex_d("SESSION_TRANSCRIPT_BYTES"));
    SessionTranscript::from_cbor(&value.into_embedded().unwrap()).unwrap()
}

#[test]
fn iso18013_annex_d_response_verifies_with_the_readers_key() {
    let anchors = TrustAnchors::default();
    let transcript = annex_d_transcript();
    let reader = annex_d_key("EPHEMERAL_READER_KEY_D");
    let strangers = ChainPolicy::unknown_allowed(&anchors);
    let expected = Expected::new(strangers, &transcript, THEN).with_mac_key(&reader);
    let presented = verify_presented(&annex_d("DEVICE_RESPONSE"), &expected).unwrap();
    assert_eq!(presented.doc_type(), "org.iso.18013.5.1.mDL");
    assert_eq!((presented.proof(), presented.issuer().trust()), (DeviceProof::Mac, Trust::NotKnown));
    assert_eq!(presented.issuer().subject(), "utopia ds");
    let element = |name| presented.elements().get("org.iso.18013.5.1", name).unwrap();
    assert_eq!(element("family_name").as_text(), Some("Doe"));
    assert_eq!(element("issue_date").to_json(), "2019-10-20");
    assert_eq!(element("portrait").as_bytes().unwrap(), annex_d("DEVICE_RESPONSE_PORTRAIT_DATA"));
    assert_eq!(presented.elements().len(), 6);
    // A verifier who knows nobody believes nobody; a session later or elsewhere is another.
    let strict = Expected::new(ChainPolicy::known_only(&anchors), &transcript, THEN).with_mac_key(&reader);
    let refused = |expected: &Expected<'_>| verify_presented(&annex_d("DEVICE_RESPONSE"), expected).unwrap_err();
    assert_eq!(refused(&strict), VerifyError::Chain(ChainError::UnknownIssuer));
    let elsewhere = SessionTranscript::openid4vp("a", "b", None, "c");
    let there = Expected::new(strangers, &elsewhere, THEN).with_mac_key(&reader);
    assert!(matches!(refused(&there), VerifyError::DeviceAuth(_)));
    assert!(matches!(refused(&Expected::new(strangers, &transcript, crate::world::NOW)), VerifyError::Expired { .. }));
}

#[test]
fn iso18013_annex_d_issuer_signed_is_held_and_shown_again() {
    use super::world::{decode, encode};
    use crate::at;
    let anchors = TrustAnchors::default();
    let strangers = ChainPolicy::unknown_allowed(&anchors);
    let issuer_signed = encode(at!(&mut decode(&annex_d("DEVICE_RESPONSE")), "documents", 0, "issuerSigned"));
    let held = verify_issued(&issuer_signed, &strangers, THEN).unwrap();
    let device = annex_d_key("STATIC_DEVICE_KEY_D");
    let (transcript, reader) = (annex_d_transcript(), annex_d_key("EPHEMERAL_READER_KEY_D"));
    let path = schemas::ClaimPath::names(["org.iso.18013.5.1", "family_name"]);
    let selection = held.select(&[path]).unwrap();
    let own = credentials::mdoc::Elements::new();
    use credentials::signer::Signer as _;
    let document = selection.authenticate(&transcript, &own, &device, reader.public_key()).unwrap();
    let expected = Expected::new(strangers, &transcript, THEN).with_mac_key(&reader);
    let presented = verify_presented(&credentials::mdoc::device_response(&[document]), &expected).unwrap();
    assert_eq!(presented.elements().len(), 1);
    // All of it again: the same MAC as in the standard.
    let document = held.select(&held.elements().paths()).unwrap();
    let document = document.authenticate(&transcript, &own, &device, reader.public_key()).unwrap();
    let response = credentials::mdoc::device_response(&[document]);
    let mac =
        |response: &[u8]| at!(&mut decode(response), "documents", 0, "deviceSigned", "deviceAuth", "deviceMac").clone();
    assert!(mac(&response) == mac(&annex_d("DEVICE_RESPONSE")));
}
