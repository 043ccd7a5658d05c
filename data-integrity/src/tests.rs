//! Published vectors, documents of our own issuers, and what must be refused.

mod lists;

use crate::canonical::{Canonical, CanonicalError, Hash};
use crate::contexts::{CREDENTIALS_V2, Contexts};
use crate::document::{DocumentRefused, VerifiedDocument};
use crate::method::{Controllers, MethodError};
use crate::proof::{ProofError, Secured, Suite};
use crate::testing::{CITIZENSHIP, Desk, EXAMPLES, Issuer, at, contexts, object, vector};
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: &str = "2026-06-01T00:00:00Z";

fn parse(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn check(document: Value) -> Result<Suite, ProofError> {
    Secured::read(object(document), at(NOW))?.verify(&contexts(), &Controllers::new()).map(|signed| signed.suite)
}

#[test]
fn w3c_20_the_published_documents_verify() {
    assert_eq!(check(parse(vector!("ecdsa-rdfc-2019-p256.json"))), Ok(Suite::EcdsaRdfc2019));
    assert_eq!(check(parse(vector!("ecdsa-rdfc-2019-p384.json"))), Ok(Suite::EcdsaRdfc2019));
    assert_eq!(check(parse(vector!("ecdsa-sd-2023-prc-derived.json"))), Ok(Suite::EcdsaSd2023));
    assert_eq!(check(parse(vector!("ecdsa-sd-2023-employ-derived.json"))), Ok(Suite::EcdsaSd2023));
}

/// Two types of one node with scoped contexts: the JSON-LD processor forgets the first of them. Refused, not patched over.
#[test]
fn w3c_21_what_the_processor_gets_wrong_is_refused() {
    let employ = check(parse(vector!("ecdsa-rdfc-2019-p256-employ.json")));
    assert_eq!(employ, Err(ProofError::Canonical(CanonicalError::Undefined)));
}

#[test]
fn w3c_22_the_holders_own_copy_is_not_to_be_shown() {
    for base in [&vector!("ecdsa-sd-2023-prc-base.json")[..], &vector!("ecdsa-sd-2023-employ-base.json")[..]] {
        assert_eq!(check(parse(base)), Err(ProofError::BaseProof));
    }
}

/// Every text of a document, changed, and every member, left out.
#[test]
fn w3c_23_any_change_is_seen() {
    for bytes in [&vector!("ecdsa-rdfc-2019-p256.json")[..], &vector!("ecdsa-sd-2023-prc-derived.json")[..]] {
        let good = parse(bytes);
        let mut changes = 0;
        for pointer in pointers(&good, String::new()) {
            if pointer.starts_with("/@context") || pointer == "/proof" || pointer.is_empty() {
                continue;
            }
            let mut changed = good.clone();
            if let Some(Value::String(text)) = changed.pointer_mut(&pointer) {
                text.push('x');
                assert!(check(changed).is_err(), "{pointer}");
                changes += 1;
            }
            let mut cut = good.clone();
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            match cut.pointer_mut(parent).unwrap() {
                Value::Object(members) => drop(members.remove(name)),
                Value::Array(items) => drop(items.remove(name.parse().unwrap())),
                _ => unreachable!(),
            }
            assert!(check(cut).is_err(), "{pointer} left out");
        }
        assert!(changes > 8);
        for (place, name) in [("", "name2"), ("/credentialSubject", "birthDate"), ("/proof", "nonce")] {
            let mut more = good.clone();
            more.pointer_mut(place).unwrap()[name] = json!("1990-01-01");
            assert!(check(more).is_err(), "{place}/{name} added");
        }
    }
}

fn pointers(value: &Value, own: String) -> Vec<String> {
    let mut all = match value {
        Value::Object(members) => {
            members.iter().flat_map(|(name, inner)| pointers(inner, format!("{own}/{name}"))).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(n, inner)| pointers(inner, format!("{own}/{n}"))).collect()
        }
        _ => Vec::new(),
    };
    all.push(own);
    all
}

#[test]
fn w3c_24_what_nobody_signed_is_refused() {
    let canonical = |own: Value| {
        let mut document = object(json!({"@context": [CREDENTIALS_V2], "type": ["VerifiableCredential"], "name": "n"}));
        document.extend(object(own));
        Canonical::of(&document, &contexts(), Hash::Sha256).map(|canonical| canonical.lines().len())
    };
    assert_eq!(canonical(json!({})), Ok(2));
    assert_eq!(canonical(json!({"description": {"@value": "d", "@language": "es"}})), Ok(3));
    for (own, error) in [
        (json!({"nickname": "x"}), CanonicalError::Undefined),
        (json!({"type": ["VerifiableCredential", "Stranger"]}), CanonicalError::Undefined),
        (json!({"credentialSubject": {"givenName": "Ana"}}), CanonicalError::Undefined),
        (json!({"": "x"}), CanonicalError::Undefined),
        (json!({"name": null}), CanonicalError::Unsigned),
        (json!({"name": []}), CanonicalError::Unsigned),
        (json!({"name": ["n", "n"]}), CanonicalError::Unsigned),
        (json!({"name": {"@list": ["n"]}}), CanonicalError::Unsigned),
        (json!({"name": {"@value": "n", "@direction": "rtl"}}), CanonicalError::Unsigned),
        (json!({"@index": "n"}), CanonicalError::Unsigned),
        (json!({"@graph": []}), CanonicalError::Unsigned),
        (json!({"urn:a:b": "n"}), CanonicalError::Unsigned),
        (json!({"id": "_:c14n0"}), CanonicalError::Unsigned),
        (json!({"id": ""}), CanonicalError::Unsigned),
        (json!({"id": "mine"}), CanonicalError::Unsigned),
        (json!({"id": "#mine"}), CanonicalError::Unsigned),
        (json!({"id": "//registry.example/1"}), CanonicalError::Unsigned),
        (json!({"evidence": "../paper"}), CanonicalError::Unsigned),
        (json!({"evidence": "not an address <>"}), CanonicalError::Unsigned),
        (json!({"evidence": {"@context": {"x": "urn:x"}, "x": "y"}}), CanonicalError::Unsigned),
        (json!({"@context": [CREDENTIALS_V2, {"x": "urn:x"}]}), CanonicalError::UnknownContext),
        (json!({"@context": [CREDENTIALS_V2, "https://elsewhere.example/v1"]}), CanonicalError::UnknownContext),
        (json!({"@context": CREDENTIALS_V2}), CanonicalError::UnknownContext),
    ] {
        assert_eq!(canonical(own.clone()), Err(error), "{own}");
    }
}

#[test]
fn w3c_25_a_poisoned_document_ends_at_once() {
    let canonical = |subject: Value| {
        let document = json!({"@context": [CREDENTIALS_V2, EXAMPLES], "type": ["VerifiableCredential"], "credentialSubject": subject});
        Canonical::of(&object(document), &contexts(), Hash::Sha256).map(|_| ())
    };
    let alike = |n: usize| json!({"knows": vec![json!({"knows": {"likes": {"name": "x"}}}); n]});
    assert_eq!(canonical(alike(1)), Ok(()));
    assert_eq!(canonical(alike(30)), Err(CanonicalError::Poisoned));
    let many: Vec<Value> = (0..300).map(|n| json!({"name": n.to_string()})).collect();
    assert_eq!(canonical(json!({ "knows": many })), Err(CanonicalError::TooLarge));
    let long: Vec<Value> = (0..3000).map(|n| json!(n.to_string())).collect();
    assert_eq!(canonical(json!({ "knows": long })), Err(CanonicalError::TooLarge));
}

fn verify(issuer: &Issuer, document: &Value) -> Result<VerifiedDocument, DocumentRefused> {
    Desk::of(issuer).verifier().verify(document.to_string().as_bytes())
}

#[test]
fn w3c_26_a_registry_that_speaks_w3c_is_accepted() {
    for issuer in [Issuer::p256(), Issuer::ed25519()] {
        let document = issuer.sign(issuer.credential(json!({})), json!({}));
        let verified = verify(&issuer, &document).unwrap();
        assert_eq!(verified.subject()["parents"][1]["givenName"], "Juan");
        assert_eq!((verified.issuer(), verified.type_name()), (issuer.did().as_str(), "BirthRecord"));
        assert_eq!(verified.valid_until(), Some(at("2027-01-01T00:00:00Z")));
        assert!(!format!("{verified:?}").contains("Ana"));
        let named = issuer.credential(json!({"issuer": {"id": issuer.did(), "name": "Registro Civil"}}));
        assert!(verify(&issuer, &issuer.sign(named, json!({}))).is_ok());
    }
}

#[test]
fn w3c_27_another_issuer_type_context_or_time_is_refused() {
    let (issuer, other) = (Issuer::p256(), Issuer::p256());
    let signed = |own: Value| issuer.sign(issuer.credential(own), json!({}));
    let refused = |document: &Value| verify(&issuer, document).unwrap_err();
    assert_eq!(verify(&other, &signed(json!({}))).unwrap_err(), DocumentRefused::Issuer);
    // The name of one over the signature of another.
    let posing = other.sign(issuer.credential(json!({})), json!({}));
    assert_eq!(refused(&posing), DocumentRefused::Issuer);
    for own in [
        json!({"type": ["VerifiableCredential"]}),
        json!({"type": ["VerifiableCredential", "DeathRecord"]}),
        json!({"type": ["VerifiableCredential", "BirthRecord", "DeathRecord"]}),
        json!({"@context": [CREDENTIALS_V2, EXAMPLES, CITIZENSHIP]}),
    ] {
        assert_eq!(refused(&signed(own.clone())), DocumentRefused::NotAccepted, "{own}");
    }
    // A context that gives other names to what was signed.
    let mut renamed = signed(json!({}));
    renamed["@context"] = json!([CREDENTIALS_V2, CITIZENSHIP]);
    assert_eq!(refused(&renamed), DocumentRefused::NotAccepted);
    for own in [
        json!({"type": "VerifiableCredential"}),
        json!({"issuer": 1}),
        json!({"credentialSubject": [{"a": "1"}, {"a": "2"}]}),
        json!({"validFrom": "2026"}),
    ] {
        let document = issuer.sign(issuer.credential(own.clone()), json!({}));
        assert!(matches!(refused(&document), DocumentRefused::Form(_)), "{own}");
    }
    let document = signed(json!({})).to_string();
    let on = |now: &str| Desk::of(&issuer).at(now).verifier().verify(document.as_bytes()).map(|_| ());
    assert_eq!(on("2025-12-31T23:58:59Z"), Err(DocumentRefused::NotYet(at("2026-01-01T00:00:00Z"))));
    assert_eq!(on("2027-01-01T00:00:00Z"), Err(DocumentRefused::Ended(at("2027-01-01T00:00:00Z"))));
    assert_eq!(on("2026-12-31T23:59:59Z"), Ok(()));
    assert!(matches!(Desk::of(&issuer).verifier().verify(b"{\"a\":1,\"a\":1}"), Err(DocumentRefused::Json(_))));
}

#[test]
fn w3c_28_proofs_for_other_ends_are_refused() {
    let issuer = Issuer::p256();
    let refused = |own: Value| verify(&issuer, &issuer.sign(issuer.credential(json!({})), own)).unwrap_err();
    for (own, error) in [
        (json!({"proofPurpose": "authentication"}), ProofError::Purpose),
        (json!({"challenge": "c"}), ProofError::Purpose),
        (json!({"domain": "d"}), ProofError::Purpose),
        (json!({"expires": "2026-02-01T00:00:00Z"}), ProofError::Time),
        (json!({"created": "2026-07-01T00:00:00Z"}), ProofError::Time),
        (json!({"cryptosuite": "bbs-2023"}), ProofError::Suite),
        (json!({"cryptosuite": "eddsa-rdfc-2022"}), ProofError::Method(MethodError::Key)),
        (json!({"cryptosuite": "ecdsa-sd-2023"}), ProofError::Form),
        (json!({"verificationMethod": "did:web:registry.example#k"}), ProofError::Method(MethodError::NoDocument)),
    ] {
        assert_eq!(refused(own.clone()), DocumentRefused::Proof(error), "{own}");
    }
    let good = issuer.sign(issuer.credential(json!({})), json!({}));
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut document = good.clone();
        change(&mut document);
        verify(&issuer, &document).map(|_| ()).map_err(|error| match error {
            DocumentRefused::Proof(error) => error,
            other => panic!("{other}"),
        })
    };
    assert_eq!(changed(&|document| document["proof"] = json!([document["proof"].clone()])), Ok(()));
    assert_eq!(
        changed(&|document| document["proof"] = json!([document["proof"], document["proof"]])),
        Err(ProofError::Form)
    );
    assert_eq!(changed(&|document| document["proof"]["@context"] = json!(["urn:x"])), Err(ProofError::Form));
    assert_eq!(changed(&|document| document["proof"]["@context"] = document["@context"].clone()), Ok(()));
    assert_eq!(
        changed(&|document| document["credentialSubject"]["givenName"] = json!("Eva")),
        Err(ProofError::Signature)
    );
    assert_eq!(changed(&|document| document["proof"]["proofValue"] = json!("z1")), Err(ProofError::Form));
    assert_eq!(changed(&|document| drop(document.as_object_mut().unwrap().remove("proof"))), Err(ProofError::Form));
}

#[test]
fn w3c_29_a_did_web_issuer_needs_its_document() {
    let issuer = Issuer::ed25519();
    let did = "did:web:registry.example:civil";
    let key = issuer.did().replace("did:key:", "");
    let own = json!({"verificationMethod": format!("{did}#k1")});
    let document = issuer.sign(issuer.credential(json!({ "issuer": did })), own).to_string();
    let method = json!({"id": "#k1", "type": "Multikey", "controller": did, "publicKeyMultibase": key});
    let controllers = json!({"id": did, "assertionMethod": [method]}).to_string();
    let desk = Desk::of(&issuer);
    let mut accepted = desk.verifier().accepted.to_vec();
    accepted[0].issuers = vec![did.to_owned()];
    let without = crate::Verifier { accepted: &accepted, ..desk.verifier() };
    let missing = DocumentRefused::Proof(ProofError::Method(MethodError::NoDocument));
    assert_eq!(without.verify(document.as_bytes()).unwrap_err(), missing);
    let controllers = Controllers::new().with(did, controllers.as_bytes()).unwrap();
    let with = crate::Verifier { controllers: &controllers, ..without };
    assert_eq!(with.verify(document.as_bytes()).unwrap().issuer(), did);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn w3c_40_no_bytes_bring_it_down(at_byte in 0_usize..4000, byte: u8, sd: bool) {
        let source = if sd { &vector!("ecdsa-sd-2023-prc-derived.json")[..] } else { &vector!("ecdsa-rdfc-2019-p256.json")[..] };
        let mut bytes = source.to_vec();
        let place = at_byte % bytes.len();
        bytes[place] = byte;
        let issuer = Issuer::p256();
        let _ = Desk::of(&issuer).verifier().verify(&bytes);
        if let Ok(Value::Object(document)) = serde_json::from_slice::<Value>(&bytes) {
            let read = Secured::read(document, at(NOW));
            let _ = read.and_then(|secured| secured.verify(&Contexts::new(), &Controllers::new()).map(|_| ()));
        }
    }
}
