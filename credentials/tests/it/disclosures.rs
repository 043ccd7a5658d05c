//! Disclosures and digests that do not fit: RFC 9901 §7.1 step 3 to 5.

use crate::world::{NOW, WORLD, disclosure, disclosure_of, hash};
use credentials::json::JsonError;
use credentials::sd_jwt::{DisclosureError, ParseError, VerifyError, verify_issued, verify_presented};
use serde_json::{Value, json};

/// What both the holder and a verifier say of a payload with `more` in it.
fn outcome(more: Value, disclosures: &[String]) -> Result<Value, VerifyError> {
    let world = &*WORLD;
    let text = world.forged(more, disclosures);
    let issued = verify_issued(&text, &world.policy(), NOW).map(|vc| Value::Object(vc.claims().clone()));
    let presented =
        verify_presented(&world.bind(&text), &world.expected()).map(|vc| Value::Object(vc.claims().clone()));
    assert_eq!(issued, presented);
    issued
}

fn refused(more: Value, disclosures: &[&str]) -> VerifyError {
    outcome(more, &disclosures.iter().map(|d| (*d).to_owned()).collect::<Vec<_>>()).unwrap_err()
}

fn claim(name: &str, value: &Value) -> (String, String) {
    disclosure(&json!(["c2FsdHNhbHRzYWx0c2FsdA", name, value]))
}

fn element(value: &Value) -> (String, String) {
    disclosure(&json!(["c2FsdHNhbHRzYWx0c2FsdA", value]))
}

const DUPLICATE: VerifyError = VerifyError::Disclosure(DisclosureError::Duplicate);

#[test]
fn attack_12_a_name_twice_in_a_payload_or_a_disclosure_is_refused() {
    let world = &*WORLD;
    let payload = serde_json::to_string(&world.payload()).unwrap();
    let twice = payload.replacen('{', r#"{"vct":"urn:amparo:attestation:1","#, 1);
    let text = world.forge(&world.header(), twice.as_bytes(), &[]);
    let error = verify_issued(&text, &world.policy(), NOW).unwrap_err();
    assert!(error.to_string().contains("a member name twice"), "{error}");
    let (text, digest) = disclosure_of(r#"["s","a",{"x":1,"x":2}]"#);
    let error = refused(json!({"_sd": [digest]}), &[&text]);
    assert_eq!(error, VerifyError::Parse(ParseError::Json(JsonError::DuplicateName)));
}

#[test]
fn attack_13_bad_text_in_a_disclosure_is_refused_and_twins_are_two_claims() {
    for contents in ["[\"s\",\"a\",\"\\ud800\"]", "\u{feff}[\"s\",\"a\",1]"] {
        let (text, digest) = disclosure_of(contents);
        let error = refused(json!({"_sd": [digest]}), &[&text]);
        assert_eq!(error, VerifyError::Parse(ParseError::Json(JsonError::Syntax)), "{contents}");
    }
    let bytes = credentials::b64::encode(b"[\"s\",\"a\",\"\xff\"]");
    let error = refused(json!({"_sd": [hash(&bytes)]}), &[&bytes]);
    assert_eq!(error, VerifyError::Parse(ParseError::Json(JsonError::Syntax)));
    let (text, digest) = claim("e\u{301}", &json!(2));
    let claims = outcome(json!({"\u{e9}": 1, "_sd": [digest]}), &[text]).unwrap();
    assert_eq!((&claims["\u{e9}"], &claims["e\u{301}"]), (&json!(1), &json!(2)));
}

#[test]
fn attack_16_deep_nesting_is_refused() {
    let deep = (0..10_000).fold(String::from("1"), |inner, _| format!("[{inner}]"));
    let (text, digest) = disclosure_of(&format!("[\"s\",\"a\",{deep}]"));
    let error = refused(json!({"_sd": [digest]}), &[&text]);
    assert_eq!(error, VerifyError::Parse(ParseError::Json(JsonError::TooDeep { most: 16 })));
    let world = &*WORLD;
    let payload = serde_json::to_string(&world.payload()).unwrap().replacen('{', &format!("{{\"x\":{deep},"), 1);
    let text = world.forge(&world.header(), payload.as_bytes(), &[]);
    let error = verify_issued(&text, &world.policy(), NOW).unwrap_err();
    assert!(error.to_string().contains("nested deeper than 16"), "{error}");
}

#[test]
fn attack_17_a_chain_of_disclosures_is_refused() {
    let chain = |n: usize| {
        let mut value = json!(1);
        let mut texts = Vec::new();
        let mut last = String::new();
        for _ in 0..n {
            let (text, digest) = claim("a", &value);
            value = json!({"_sd": [digest]});
            texts.push(text);
            last = digest;
        }
        (texts, last)
    };
    let (texts, last) = chain(15);
    assert!(outcome(json!({"_sd": [last]}), &texts).is_ok());
    for n in [17, 256] {
        let (texts, last) = chain(n);
        let error = outcome(json!({"_sd": [last]}), &texts).unwrap_err();
        assert_eq!(error, VerifyError::Disclosure(DisclosureError::TooDeep { most: 16 }));
    }
    let (texts, last) = chain(257);
    let error = outcome(json!({"_sd": [last]}), &texts).unwrap_err();
    assert_eq!(error, VerifyError::Parse(ParseError::TooMany { most: 256, got: 257 }));
    let world = &*WORLD;
    let text = world.forged(json!({}), &vec!["WyJzIiwxXQ".to_owned(); 50_000]);
    let error = verify_issued(&text, &world.policy(), NOW).unwrap_err();
    assert!(matches!(error, VerifyError::Parse(ParseError::TooLong { .. })), "{error}");
    let text = world.forged(json!({}), &vec!["A".to_owned(); 50_000]);
    let error = verify_issued(&text, &world.policy(), NOW).unwrap_err();
    assert_eq!(error, VerifyError::Parse(ParseError::TooMany { most: 256, got: 50_000 }));
}

#[test]
fn attack_17_depth_is_counted_across_what_is_visible_and_what_is_disclosed() {
    let objects = |n: usize, inner: Value| (0..n).fold(inner, |inner, _| json!({"o": inner}));
    let arrays = |n: usize, inner: Value| (0..n).fold(inner, |inner, _| json!([inner]));
    let too_deep = Err(VerifyError::Disclosure(DisclosureError::TooDeep { most: 16 }));
    let is_ok = |result: Result<Value, VerifyError>| result.map(|_| ());
    // All of it visible, the payload itself being the first of sixteen.
    for deep in [objects(15, json!(1)), arrays(15, json!(1))] {
        assert_eq!(is_ok(outcome(json!({"x": deep}), &[])), Ok(()));
    }
    // The digest stands in the eighth, so that what is disclosed begins with the ninth.
    for (more, expected) in [(8, Ok(())), (9, too_deep)] {
        let (text, digest) = claim("d", &objects(more, json!(1)));
        let visible = json!({"x": objects(6, json!({"_sd": [digest]}))});
        assert_eq!(is_ok(outcome(visible, &[text])), expected, "{more} objects");
        let (text, digest) = element(&arrays(more, json!(1)));
        let visible = json!({"x": arrays(6, json!([{"...": digest}]))});
        assert_eq!(is_ok(outcome(visible, &[text])), expected, "{more} arrays");
    }
}

#[test]
fn attack_18_duplicate_digest_is_refused() {
    let (text, digest) = claim("a", &json!(1));
    for disclosures in [&[][..], &[text.as_str()]] {
        assert_eq!(refused(json!({"_sd": [digest, digest]}), disclosures), DUPLICATE);
        assert_eq!(refused(json!({"_sd": [digest], "o": {"_sd": [digest]}}), disclosures), DUPLICATE);
        assert_eq!(refused(json!({"o": {"_sd": [digest]}, "p": [{"...": digest}]}), &[]), DUPLICATE);
    }
    // In `_sd` and again in a disclosed value, with and without the disclosure of the inner one.
    let (outer, outer_digest) = claim("b", &json!({"_sd": [digest]}));
    assert_eq!(refused(json!({"_sd": [digest, outer_digest]}), &[&outer]), DUPLICATE);
    assert_eq!(refused(json!({"_sd": [digest, outer_digest]}), &[&outer, &text]), DUPLICATE);
    // A disclosed value that contains its own digest would need a fixed point of SHA-256; one with another's does not.
    let (array, array_digest) = claim("c", &json!([{"...": digest}, {"...": digest}]));
    assert_eq!(refused(json!({"_sd": [array_digest]}), &[&array]), DUPLICATE);
}

#[test]
fn attack_19_the_same_disclosure_twice_is_refused() {
    let (text, digest) = claim("a", &json!(1));
    assert_eq!(refused(json!({"_sd": [digest]}), &[&text, &text]), DUPLICATE);
}

#[test]
fn attack_20_an_unreferenced_disclosure_is_refused() {
    let unreferenced = VerifyError::Disclosure(DisclosureError::Unreferenced);
    let ((a, a_digest), (b, _)) = (claim("a", &json!(1)), claim("b", &json!(2)));
    assert_eq!(refused(json!({}), &[&b]), unreferenced);
    assert_eq!(refused(json!({"_sd": [a_digest]}), &[&a, &b]), unreferenced);
    // Referenced only by a disclosure that is not there.
    let (_, outer_digest) = claim("o", &json!({"_sd": [a_digest]}));
    assert_eq!(refused(json!({"_sd": [outer_digest]}), &[&a]), unreferenced);
}

#[test]
fn attack_21_reserved_names_in_disclosures_are_refused() {
    for name in ["_sd", "...", "_sd_alg"] {
        let (text, digest) = claim(name, &json!(["x"]));
        assert_eq!(refused(json!({"_sd": [digest]}), &[&text]), VerifyError::Parse(ParseError::ReservedName));
        let (text, digest) = claim("a", &json!({"b": {name: "sha-256"}}));
        assert!(matches!(refused(json!({"_sd": [digest]}), &[&text]), VerifyError::Disclosure(_)), "{name}");
    }
}

#[test]
fn attack_22_a_disclosure_over_another_claim_is_refused() {
    let collision = VerifyError::Disclosure(DisclosureError::NameCollision);
    let (text, digest) = claim("a", &json!(1));
    let (other, other_digest) = disclosure(&json!(["b3RoZXIgc2FsdA", "a", 2]));
    assert_eq!(refused(json!({"a": 0, "_sd": [digest]}), &[&text]), collision);
    assert_eq!(refused(json!({"o": {"a": 0, "_sd": [digest]}}), &[&text]), collision);
    assert_eq!(refused(json!({"_sd": [digest, other_digest]}), &[&text, &other]), collision);
}

#[test]
fn attack_22_claims_that_rule_validity_are_never_disclosable() {
    let world = &*WORLD;
    let never = VerifyError::Disclosure(DisclosureError::NeverDisclosable);
    for name in ["iss", "exp", "cnf", "vct", "status", "nbf", "vct#integrity", "aka_vcts"] {
        let value = world.payload().get(name).cloned().unwrap_or(json!("x"));
        let (text, digest) = claim(name, &value);
        let mut payload = world.payload();
        payload.remove(name);
        payload.insert("_sd".into(), json!([digest]));
        let text = world.forge(&world.header(), &serde_json::to_vec(&payload).unwrap(), &[text]);
        assert_eq!(verify_issued(&text, &world.policy(), NOW).unwrap_err(), never, "{name}");
    }
    // Nor a part of one, whether it is disclosed or only could be.
    let (text, digest) = claim("uri", &json!("https://x.example"));
    let status = json!({"status": {"status_list": {"idx": 1, "_sd": [digest]}}});
    assert_eq!(refused(status.clone(), &[&text]), never);
    assert_eq!(refused(status, &[]), never);
    // `iat` and `sub` may be, says SD-JWT VC §2.2.2.3.
    let ((iat, iat_digest), (sub, sub_digest)) = (claim("iat", &json!(1_700_000_000)), claim("sub", &json!("x")));
    assert!(outcome(json!({"_sd": [iat_digest, sub_digest]}), &[iat, sub]).is_ok());
}

#[test]
fn attack_23_disclosures_of_the_wrong_shape_are_refused() {
    let wrong_kind = VerifyError::Disclosure(DisclosureError::WrongKind);
    let ((a, a_digest), (e, e_digest)) = (claim("a", &json!(1)), element(&json!(1)));
    assert_eq!(refused(json!({"x": [{"...": a_digest}]}), &[&a]), wrong_kind);
    assert_eq!(refused(json!({"_sd": [e_digest]}), &[&e]), wrong_kind);
    for contents in [
        json!(["s", "a", 1, 2]),
        json!(["s"]),
        json!([]),
        json!({"s": 1}),
        json!("s"),
        json!([1, "a", 1]),
        json!([null, 1]),
        json!(["s", 1, 1]),
        json!(["s", null, 1]),
    ] {
        let (text, digest) = disclosure(&contents);
        assert_eq!(
            refused(json!({"_sd": [digest]}), &[&text]),
            VerifyError::Parse(ParseError::Disclosure),
            "{contents}"
        );
    }
    let text = "not base64!";
    assert_eq!(refused(json!({"_sd": [hash(text)]}), &[text]), VerifyError::Parse(ParseError::Disclosure));
}

#[test]
fn attack_24_a_placeholder_with_company_is_refused() {
    let malformed = VerifyError::Disclosure(DisclosureError::MalformedPlaceholder);
    let (e, digest) = element(&json!(1));
    assert_eq!(refused(json!({"x": [{"...": digest, "x": 1}]}), &[&e]), malformed);
    assert_eq!(refused(json!({"x": [{"...": digest, "x": 1}]}), &[]), malformed);
    assert_eq!(refused(json!({"x": [{"...": 1}]}), &[]), malformed);
    assert_eq!(refused(json!({"x": {"...": digest}}), &[]), malformed);
    assert_eq!(refused(json!({"...": digest}), &[]), malformed);
}

#[test]
fn attack_25_sd_that_is_no_array_of_strings_is_refused() {
    let malformed = VerifyError::Disclosure(DisclosureError::MalformedDigests);
    let (text, digest) = claim("a", &json!(1));
    for sd in [json!(digest), json!({"0": digest}), json!(null), json!([1]), json!([digest, null]), json!([[digest]])] {
        assert_eq!(refused(json!({"_sd": sd.clone()}), &[]), malformed, "{sd}");
        assert_eq!(refused(json!({"o": [{"_sd": sd}]}), &[]), malformed);
    }
    // At array level `_sd` is a string like any other, and refers to nothing.
    let error = refused(json!({"o": ["_sd", [digest]]}), &[&text]);
    assert_eq!(error, VerifyError::Disclosure(DisclosureError::Unreferenced));
}

#[test]
fn attack_26_unknown_hashes_are_refused_and_the_default_is_sha_256() {
    let (text, digest) = claim("a", &json!(1));
    for alg in [json!("md5"), json!("sha-1"), json!("SHA-256"), json!(1), json!(null)] {
        let error = refused(json!({"_sd": [digest], "_sd_alg": alg}), &[&text]);
        assert!(matches!(error, VerifyError::Parse(ParseError::Hash(_))), "{alg}");
    }
    assert_eq!(outcome(json!({"_sd": [digest]}), std::slice::from_ref(&text)).unwrap()["a"], json!(1));
    // With SHA-512 the SHA-256 digest refers to nothing.
    let world = &*WORLD;
    let text = world.forged(json!({"_sd": [digest], "_sd_alg": "sha-512"}), &[text]);
    let error = verify_issued(&text, &world.policy(), NOW).unwrap_err();
    assert_eq!(error, VerifyError::Disclosure(DisclosureError::Unreferenced));
    let nested = refused(json!({"o": {"_sd_alg": "sha-256"}}), &[]);
    assert_eq!(nested, VerifyError::Disclosure(DisclosureError::NestedHash));
}

#[test]
fn rfc9901_7_1_undisclosed_claims_leave_no_trace() {
    let ((_, hidden), (shown, shown_digest)) = (element(&json!("a")), element(&json!("b")));
    let claims = outcome(json!({"x": [{"...": hidden}, {"...": shown_digest}], "o": {"_sd": []}}), &[shown]).unwrap();
    assert_eq!((&claims["x"], &claims["o"]), (&json!(["b"]), &json!({})));
    assert!(claims.get("_sd").is_none() && claims.get("_sd_alg").is_none());
}
