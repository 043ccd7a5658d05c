//! JWS JSON serialisation (RFC 9901 §8): what is read, and what is not.

use crate::world::{Authority, NOW, WORLD, authority_params, key, leaf_params, map};
use credentials::json::JsonError;
use credentials::sd_jwt::{JsonFormError, SdJwtIn, SdJwtJsonIn, VerifyError, verify_issued, verify_presented};
use credentials::signer::Signer as _;
use credentials::trust::{CertificateChain, ChainError, ChainPolicy, TrustAnchors, Usage};
use credentials::{b64, jws};
use schemas::ClaimPath;
use serde_json::{Value, json};

fn parse(value: &Value) -> Result<SdJwtJsonIn, JsonFormError> {
    SdJwtJsonIn::parse(value.to_string().as_bytes())
}

fn issued() -> Value {
    let text = WORLD.issue(&WORLD.draft());
    serde_json::from_str(&SdJwtIn::parse(&text).unwrap().to_flattened_json()).unwrap()
}

fn presentation() -> String {
    let held = WORLD.held(&WORLD.draft());
    let shown = held.select(&[ClaimPath::names(["given_name"])]).unwrap();
    shown.bind(&WORLD.key_binding(), &WORLD.holder).unwrap()
}

fn flattened(text: &str) -> Value {
    serde_json::from_str(&SdJwtIn::parse(text).unwrap().to_flattened_json()).unwrap()
}

/// `flattened` as general JSON, its signature first and then `others`.
fn general(flattened: &Value, others: &[Value]) -> Value {
    let first = json!({"protected": flattened["protected"], "signature": flattened["signature"], "header": flattened["header"]});
    let signatures: Vec<&Value> = std::iter::once(&first).chain(others).collect();
    json!({"payload": flattened["payload"], "signatures": signatures})
}

#[test]
fn what_is_written_in_either_form_is_read_and_verified() {
    let text = presentation();
    let flattened = flattened(&text);
    let names: Vec<&String> = flattened.as_object().unwrap().keys().collect();
    assert_eq!(names, ["payload", "protected", "signature", "header"]);
    assert_eq!(flattened["header"]["disclosures"].as_array().unwrap().len(), 1);
    let written: Value = serde_json::from_str(&SdJwtIn::parse(&text).unwrap().to_general_json()).unwrap();
    assert_eq!(written, general(&flattened, &[]));
    for value in [flattened.clone(), written] {
        let read = parse(&value).unwrap();
        assert_eq!(read.first(), text);
        assert_eq!(verify_presented(read.first(), &WORLD.expected()).unwrap().claims()["given_name"], "Олена");
    }
    assert!(!format!("{:?}", parse(&flattened)).contains(&text[..20]));
}

#[test]
fn with_several_signatures_each_is_verified_by_those_who_trust_its_key() {
    // The second issuer signs the same payload.
    let first = issued();
    let root = Authority::root(authority_params("Other", None));
    let other = key(77);
    let leaf = root.leaf(&leaf_params("Other issuer", Usage::CredentialIssuing), other.public_key());
    let chain = CertificateChain::from_der([leaf]).unwrap();
    let header = map(json!({"alg": "ES256", "typ": "dc+sd-jwt", "x5c": chain.to_x5c()}));
    let payload = b64::decode(first["payload"].as_str().unwrap()).unwrap();
    let signed = jws::sign(&header, &payload, &other).unwrap();
    let parts: Vec<&str> = signed.split('.').collect();
    let second = json!({"protected": parts[0], "signature": parts[2], "header": {"kid": "issuer-key-2"}});
    let read = parse(&general(&first, &[second])).unwrap();
    let anchors = TrustAnchors::from_pem(root.pem.as_bytes()).unwrap();
    let verified = |policy: ChainPolicy<'_>| -> Vec<Result<String, VerifyError>> {
        let verify = |text| verify_issued(text, &policy, NOW).map(|held| held.issuer().unwrap().subject().to_owned());
        read.texts().map(verify).collect()
    };
    let unknown = || Err(VerifyError::Chain(ChainError::UnknownIssuer));
    assert_eq!(verified(WORLD.policy()), [Ok("Issuer".to_owned()), unknown()]);
    assert_eq!(verified(ChainPolicy::known_only(&anchors)), [unknown(), Ok("Other issuer".to_owned())]);
}

#[test]
fn a_kb_jwt_is_over_the_disclosures_in_their_order() {
    let held = WORLD.held(&WORLD.draft());
    let all = held.select(&["given_name", "family_name"].map(|name| ClaimPath::names([name]))).unwrap();
    let text = all.bind(&WORLD.key_binding(), &WORLD.holder).unwrap();
    let mut value: Value = serde_json::from_str(&SdJwtIn::parse(&text).unwrap().to_flattened_json()).unwrap();
    value["header"]["disclosures"].as_array_mut().unwrap().reverse();
    let read = parse(&value).unwrap();
    assert!(matches!(verify_presented(read.first(), &WORLD.expected()), Err(VerifyError::KeyBinding(_))));
    value["header"]["disclosures"].as_array_mut().unwrap().pop();
    let read = parse(&value).unwrap();
    assert!(matches!(verify_presented(read.first(), &WORLD.expected()), Err(VerifyError::KeyBinding(_))));
}

#[test]
fn attack_29_a_kb_jwt_taken_out_of_the_header_is_missed() {
    let mut value = flattened(&presentation());
    value["header"].as_object_mut().unwrap().remove("kb_jwt");
    let read = parse(&value).unwrap();
    assert_eq!(verify_presented(read.first(), &WORLD.expected()).unwrap_err(), VerifyError::KeyBindingMissing);
}

#[test]
fn attack_09_what_says_how_to_check_must_be_protected() {
    for (name, value) in [
        ("alg", json!("ES256")),
        ("typ", json!("dc+sd-jwt")),
        ("crit", json!(["x"])),
        ("b64", json!(false)),
        ("x5c", json!([])),
        ("jwk", json!({})),
        ("jku", json!("https://attacker.example")),
        ("x5u", json!("https://attacker.example")),
    ] {
        let mut flattened = issued();
        flattened["header"][name] = value;
        assert_eq!(parse(&flattened), Err(JsonFormError::Unprotected(name)));
        assert_eq!(parse(&general(&flattened, &[])), Err(JsonFormError::Unprotected(name)));
    }
    let header = map(json!({"alg": "ES256", "typ": "dc+sd-jwt", "kid": "1"}));
    let signed = jws::sign(&header, b"{}", &WORLD.issuer).unwrap();
    let parts: Vec<&str> = signed.split('.').collect();
    let both = json!({"payload": parts[1], "protected": parts[0], "signature": parts[2], "header": {"kid": "2"}});
    assert_eq!(parse(&both), Err(JsonFormError::Twice));
}

#[test]
fn what_stands_in_the_wrong_place_is_refused() {
    let flattened = issued();
    let other = |header: Value| json!({"protected": flattened["protected"], "signature": flattened["signature"], "header": header});
    for (name, header) in [("disclosures", json!({"disclosures": []})), ("kb_jwt", json!({"kb_jwt": "a.b.c"}))] {
        assert_eq!(parse(&general(&flattened, &[other(header.clone())])), Err(JsonFormError::Misplaced(name)));
        for beside in [flattened.clone(), general(&flattened, &[])] {
            let mut beside = map(beside);
            beside.extend(map(header.clone()));
            assert_eq!(parse(&beside.into()), Err(JsonFormError::Misplaced(name)));
        }
    }
    for name in ["protected", "signature", "header"] {
        let mut both = general(&flattened, &[]);
        both[name] = flattened[name].clone();
        assert_eq!(parse(&both), Err(JsonFormError::Misplaced(name)));
    }
}

#[test]
fn attack_27_characters_that_move_borders_are_refused() {
    let flattened = flattened(&presentation());
    for (name, more) in [("payload", "."), ("payload", "~"), ("protected", "."), ("signature", "~"), ("signature", "=")]
    {
        let mut moved = flattened.clone();
        moved[name] = format!("{}{more}AAAA", flattened[name].as_str().unwrap()).into();
        assert_eq!(parse(&moved), Err(JsonFormError::Malformed(name)), "{name} {more}");
    }
    for (name, value) in [
        ("kb_jwt", json!("a.b~c")),
        ("kb_jwt", json!(7)),
        ("kb_jwt", json!("")),
        ("disclosures", json!(["AA~AA"])),
        ("disclosures", json!([""])),
        ("disclosures", json!([7])),
        ("disclosures", json!("AAAA")),
    ] {
        let mut bent = flattened.clone();
        bent["header"][name] = value;
        assert_eq!(parse(&bent), Err(JsonFormError::Malformed(name)), "{name}");
    }
}

#[test]
fn attack_16_17_what_is_too_much_is_refused() {
    let flattened = issued();
    let bounded = [vec![], vec![flattened.clone(); 5]];
    for signatures in bounded {
        let value = json!({"payload": flattened["payload"], "signatures": signatures});
        let error = parse(&value).unwrap_err();
        assert!(matches!(error, JsonFormError::Signatures), "{error}");
    }
    let mut many = flattened.clone();
    many["header"]["disclosures"] = vec!["AAAA"; 257].into();
    assert_eq!(parse(&many), Err(JsonFormError::TooMany));
    let long = format!("{{\"payload\":\"{}\"}}", "A".repeat(512 * 1024));
    assert!(matches!(SdJwtJsonIn::parse(long.as_bytes()), Err(JsonFormError::Json(JsonError::TooLong { .. }))));
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(matches!(SdJwtJsonIn::parse(deep.as_bytes()), Err(JsonFormError::Json(JsonError::TooDeep { .. }))));
    let twice = br#"{"payload":"AAAA","payload":"BBBB"}"#;
    assert_eq!(SdJwtJsonIn::parse(twice), Err(JsonFormError::Json(JsonError::DuplicateName)));
    for value in [json!({}), json!({"payload": "AAAA"}), json!({"payload": "AAAA", "signatures": [7]})] {
        assert!(matches!(parse(&value), Err(JsonFormError::Malformed(_))), "{value}");
    }
}
