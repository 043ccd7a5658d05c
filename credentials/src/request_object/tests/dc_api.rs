//! The Digital Credentials API: who may ask from where, and how answers come back.

use super::super::dc_api::{
    AnswerError, DcApiAnswer, DcApiRequest, Protocol, SignedAs, multi_signed, refusal, signed, unsigned,
};
use super::*;
use crate::jwe::DecryptionKey;
use crate::mdoc::SessionTranscript;
use schemas::openid4vp::AuthorizationResponse;
use std::collections::BTreeMap;

const ORIGIN: &str = "https://border.example";

/// A request by that way, with other members.
fn asked(own: Value) -> Value {
    let mut payload = payload();
    for other in ["response_uri", "state", "aud"] {
        payload.as_object_mut().unwrap().remove(other);
    }
    payload["response_mode"] = json!("dc_api");
    payload["expected_origins"] = json!(["https://else.example", ORIGIN]);
    for (name, value) in own.as_object().unwrap() {
        payload[name] = value.clone();
    }
    payload
}

impl Verifier {
    fn ask(&self, protocol: Protocol, data: &Value, origin: &str) -> Result<DcApiRequest, RequestObjectError> {
        DcApiRequest::read(protocol, data, origin, &self.authority.anchors(), NOW)
    }

    fn ask_signed(&self, own: Value, origin: &str) -> Result<DcApiRequest, RequestObjectError> {
        self.ask(Protocol::Signed, &json!({ "request": self.sign(&asked(own)) }), origin)
    }

    fn signed_as<'a>(&'a self, client_id: &'a ClientId) -> SignedAs<'a> {
        SignedAs { client_id, chain: &self.chain, signer: &self.key }
    }
}

fn wire(own: Value) -> RequestObject {
    serde_json::from_value(asked(own)).unwrap()
}

#[test]
fn dc_api_01_three_protocols_and_no_other() {
    for protocol in [Protocol::Unsigned, Protocol::Signed, Protocol::MultiSigned] {
        assert_eq!(Protocol::by_name(protocol.name()), Some(protocol));
    }
    for name in ["openid4vp", "openid4vp-v1", "openid4vp-v2-signed", "OPENID4VP-V1-SIGNED", ""] {
        assert_eq!(Protocol::by_name(name), None, "{name}");
    }
}

#[test]
fn dc_api_02_an_unsigned_request_is_known_by_its_origin_alone() {
    let verifier = Verifier::new();
    let data = unsigned(&wire(json!({}))).unwrap();
    assert!(data.get("client_id").is_none() && data.get("expected_origins").is_none());
    let request = verifier.ask(Protocol::Unsigned, &data, ORIGIN).unwrap();
    assert!(request.client().is_none() && request.origin() == ORIGIN);
    assert_eq!(request.audience(), "origin:https://border.example");
    // A name and origins that anybody could write are not looked at.
    let mut posing = data.clone();
    posing["client_id"] = json!(SAN);
    posing["expected_origins"] = json!(["https://else.example"]);
    assert!(verifier.ask(Protocol::Unsigned, &posing, ORIGIN).unwrap().client().is_none());
    // The consent is for the origin, then.
    let consent = |client: &str| json!([b64(&consent_request(client))]);
    let mut with_consent = data.clone();
    with_consent["transaction_data"] = consent("origin:https://border.example");
    assert!(verifier.ask(Protocol::Unsigned, &with_consent, ORIGIN).unwrap().consent().is_some());
    with_consent["transaction_data"] = consent(SAN);
    let refused = verifier.ask(Protocol::Unsigned, &with_consent, ORIGIN).unwrap_err();
    assert_eq!(refused.code(), Some("invalid_transaction_data"));
}

fn b64(value: &Value) -> String {
    crate::b64::encode(value.to_string().as_bytes())
}

#[test]
fn dc_api_03_a_signed_request_names_the_origin_it_comes_from() {
    let verifier = Verifier::new();
    let request = verifier.ask_signed(json!({}), ORIGIN).unwrap();
    let (client_id, chain) = request.client().unwrap();
    assert_eq!((client_id.as_str(), chain.trust()), (SAN, Trust::Known));
    assert_eq!(request.audience(), "origin:https://border.example", "not the client");
    let other = |own: Value, origin: &str| verifier.ask_signed(own, origin).unwrap_err();
    // By the very text: no case, no slash, no port.
    for origin in ["https://border.example.evil.example", "https://evil.example", "https://border.example:8443"] {
        assert_eq!(other(json!({}), origin), RequestObjectError::OtherOrigin, "{origin}");
    }
    for expected in [json!([]), json!(["https://border.example/"]), json!(["HTTPS://border.example"]), json!(null)] {
        let error = other(json!({ "expected_origins": expected }), ORIGIN);
        assert_eq!(error, RequestObjectError::OtherOrigin);
        assert_eq!(error.code(), Some("invalid_request"));
    }
    assert_eq!(other(json!({"expected_origins": ORIGIN}), ORIGIN), RequestObjectError::Malformed);
    let by_writer = signed(&wire(json!({})), &verifier.chain, &verifier.key).unwrap();
    assert!(verifier.ask(Protocol::Signed, &by_writer, ORIGIN).is_ok());
}

#[test]
fn dc_api_04_only_a_plain_origin_of_the_web_asks() {
    let verifier = Verifier::new();
    let data = unsigned(&wire(json!({}))).unwrap();
    for origin in [
        "http://border.example",
        "https://border.example/",
        "https://border.example/x",
        "https://u@border.example",
        "HTTPS://border.example",
        "https://BORDER.example",
        "https://border.example:443",
        "data:text/html,x",
        "javascript:1",
        "wss://border.example",
        "null",
        "",
    ] {
        let refused = verifier.ask(Protocol::Unsigned, &data, origin).unwrap_err();
        assert_eq!((&refused, refused.code()), (&RequestObjectError::Origin, None), "{origin}");
    }
}

#[test]
fn dc_api_05_the_request_is_one_that_can_be_answered_this_way() {
    let verifier = Verifier::new();
    for (own, error) in [
        (json!({"response_mode": "direct_post"}), RequestObjectError::ResponseMode),
        (json!({"response_mode": "DC_API"}), RequestObjectError::ResponseMode),
        (json!({"response_type": "code"}), RequestObjectError::ResponseType),
        (json!({"nonce": "short"}), RequestObjectError::Nonce),
        (json!({"scope": "x"}), RequestObjectError::NoQuery),
        (json!({"exp": NOW}), RequestObjectError::Ended { ended: NOW }),
    ] {
        assert_eq!(verifier.ask_signed(own.clone(), ORIGIN).unwrap_err(), error, "{own}");
    }
    let no_key = verifier.ask_signed(json!({"response_mode": "dc_api.jwt"}), ORIGIN).unwrap_err();
    assert!(matches!(no_key, RequestObjectError::Recipient(_)));
    // Not of this way, ignored as they must be: addresses lead nowhere.
    assert!(verifier.ask_signed(json!({"state": "", "response_uri": "https://evil.example"}), ORIGIN).is_ok());
    let mut data = json!({ "request": verifier.sign(&asked(json!({}))) });
    let broken = data["request"].as_str().unwrap().replace('.', "");
    data["request"] = json!(broken);
    assert!(verifier.ask(Protocol::Signed, &data, ORIGIN).is_err());
    assert_eq!(verifier.ask(Protocol::Signed, &json!([]), ORIGIN).unwrap_err(), RequestObjectError::Malformed);
    // A signed one is none without its signature.
    assert!(verifier.ask(Protocol::Signed, &asked(json!({})), ORIGIN).is_err());
}

#[test]
fn dc_api_06_of_several_signatures_all_that_can_be_checked_must_hold() {
    let (border, stranger) = (Verifier::new(), Verifier::under("Another anchor"));
    let (own, theirs) = (ClientId::parse(&border.hash_id()).unwrap(), ClientId::parse(&stranger.hash_id()).unwrap());
    let data = multi_signed(&wire(json!({})), &[stranger.signed_as(&theirs), border.signed_as(&own)]).unwrap();
    let request = border.ask(Protocol::MultiSigned, &data, ORIGIN).unwrap();
    assert_eq!(request.client().unwrap().0, own, "the known one before a stranger");
    let first = stranger.ask(Protocol::MultiSigned, &data, ORIGIN).unwrap();
    assert_eq!(first.client().unwrap().0, theirs);

    let mut swapped = data.clone();
    swapped["signatures"][0]["signature"] = data["signatures"][1]["signature"].clone();
    assert_eq!(border.ask(Protocol::MultiSigned, &swapped, ORIGIN).unwrap_err(), RequestObjectError::Signature);
    let mut unprotected = data.clone();
    unprotected["signatures"][1]["header"] = json!({"client_id": SAN});
    assert_eq!(border.ask(Protocol::MultiSigned, &unprotected, ORIGIN).unwrap_err(), RequestObjectError::Malformed);
    for none in [json!([]), json!(vec![data["signatures"][1].clone(); 9])] {
        let mut without = data.clone();
        without["signatures"] = none;
        assert_eq!(border.ask(Protocol::MultiSigned, &without, ORIGIN).unwrap_err(), RequestObjectError::Malformed);
    }
    assert_eq!(
        border.ask(Protocol::MultiSigned, &data, "https://evil.example").unwrap_err(),
        RequestObjectError::OtherOrigin
    );
}

/// The header in the standard's own example has no `typ`; a framework that we do not know is passed over.
#[test]
fn dc_api_07_signatures_for_other_frameworks_are_passed_over() {
    let verifier = Verifier::new();
    let payload = {
        let mut payload = asked(json!({}));
        payload.as_object_mut().unwrap().remove("client_id");
        payload
    };
    let signature = |client_id: &str, payload: &Value, typ: Option<&str>| {
        let mut header = json!({"alg": "ES256", "x5c": verifier.chain.to_x5c(), "client_id": client_id});
        if let Some(typ) = typ {
            header["typ"] = json!(typ);
        }
        let text = jws::sign_object(header.as_object().unwrap(), payload.as_object().unwrap(), &verifier.key).unwrap();
        let parts: Vec<&str> = text.split('.').collect();
        (parts[1].to_owned(), json!({"protected": parts[0], "signature": parts[2]}))
    };
    let ask = |payload: &Value, ids: &[(&str, Option<&str>)]| {
        let (texts, signatures): (Vec<_>, Vec<_>) = ids.iter().map(|(id, typ)| signature(id, payload, *typ)).unzip();
        verifier.ask(Protocol::MultiSigned, &json!({"payload": texts[0], "signatures": signatures}), ORIGIN)
    };
    assert!(ask(&payload, &[(SAN, None)]).is_ok());
    assert!(ask(&payload, &[("openid_federation:https://f.example", None), (SAN, None)]).is_ok());
    let unknown = ask(&payload, &[("openid_federation:https://f.example", None)]).unwrap_err();
    assert_eq!(unknown, RequestObjectError::ClientId(ClientIdError::Unsupported));
    assert!(ask(&payload, &[("origin:https://border.example", None), (SAN, None)]).is_err());
    assert_eq!(ask(&payload, &[(SAN, Some("jwt"))]).unwrap_err(), RequestObjectError::WrongType);
    // What belongs under each signature stands in no payload.
    for name in ["client_id", "verifier_info"] {
        let mut more = payload.clone();
        more[name] = json!(SAN);
        assert_eq!(ask(&more, &[(SAN, None)]).unwrap_err(), RequestObjectError::Malformed, "{name}");
    }
}

#[test]
fn dc_api_08_answers_come_back_as_they_were_asked_for() {
    let verifier = Verifier::new();
    let key = DecryptionKey::generate(&mut rng(7)).unwrap();
    let jwks = json!({"jwks": {"keys": [key.to_public_jwk("1")]}});
    let response =
        AuthorizationResponse { vp_token: BTreeMap::from([("sx".to_owned(), vec![json!("a~b")])]), state: None };
    let clear = verifier.ask_signed(json!({}), ORIGIN).unwrap().answer(&response, &mut rng(7)).unwrap();
    assert_eq!(clear, json!({"vp_token": {"sx": ["a~b"]}}));
    let request = verifier.ask_signed(json!({"response_mode": "dc_api.jwt", "client_metadata": jwks}), ORIGIN).unwrap();
    let sealed = request.answer(&response, &mut rng(7)).unwrap();
    assert!(!sealed.to_string().contains("a~b") && sealed.as_object().unwrap().len() == 1);

    let presented = DcApiAnswer::Presented(response);
    assert_eq!(DcApiAnswer::read(&clear, None), Ok(presented.clone()));
    assert_eq!(DcApiAnswer::read(&sealed, Some(&key)), Ok(presented));
    assert_eq!(DcApiAnswer::read(&sealed, None), Err(AnswerError::Encryption));
    assert_eq!(DcApiAnswer::read(&clear, Some(&key)), Err(AnswerError::Encryption), "what was to be hidden came open");
    let other = DecryptionKey::from_scalar(&[7; 32]).unwrap();
    assert!(matches!(DcApiAnswer::read(&sealed, Some(&other)), Err(AnswerError::Jwe(_))));
    // The published example.
    let no = refusal("invalid_request");
    assert_eq!(no, json!({"error": "invalid_request"}));
    assert_eq!(DcApiAnswer::read(&no, Some(&key)), Ok(DcApiAnswer::Refused("invalid_request".to_owned())));
    for data in [
        json!({}),
        json!([]),
        json!({"error": 1}),
        json!({"error": "x", "vp_token": {}}),
        json!({"vp_token": {}, "state": "s"}),
    ] {
        assert_eq!(DcApiAnswer::read(&data, None), Err(AnswerError::Form), "{data}");
    }

    // The transcript of mobile documents is over the origin, the nonce, and the key where there is one.
    let thumbprint = verifier_thumbprint(&key);
    let expected = SessionTranscript::openid4vp_dc_api(ORIGIN, request.nonce(), Some(&thumbprint));
    assert_eq!(request.session_transcript(), expected);
}

fn verifier_thumbprint(key: &DecryptionKey) -> [u8; 32] {
    crate::key::PublicKey::from_jwk(&key.to_public_jwk("1")).unwrap().thumbprint()
}
