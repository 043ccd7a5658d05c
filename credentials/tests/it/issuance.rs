//! What an issuer may and may not draft.

use crate::world::{NOW, WORLD, key, map, rng};
use credentials::sd_jwt::{IssuanceDraft, IssueError, SdJwtIn, issue};
use credentials::signer::Signer as _;
use schemas::ClaimPath;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn refused(change: impl FnOnce(&mut IssuanceDraft)) -> IssueError {
    let mut draft = WORLD.draft();
    change(&mut draft);
    issue(&draft, &WORLD.chain, WORLD.holder.public_key(), &WORLD.issuer, &mut rng(1)).unwrap_err()
}

#[test]
fn drafts_that_no_verifier_would_accept_are_refused() {
    for name in
        ["iss", "iat", "nbf", "exp", "cnf", "vct", "status", "vct#integrity", "aka_vcts", "_sd", "...", "_sd_alg"]
    {
        let reserved = |kind| IssueError::ReservedClaim { name: name.into(), kind };
        assert_eq!(refused(|draft| draft.visible = map(json!({name: 1}))), reserved("visible"));
        assert_eq!(refused(|draft| draft.disclosable = map(json!({name: 1}))), reserved("disclosable"));
    }
    for name in ["_sd", "...", "_sd_alg"] {
        let reserved = IssueError::ReservedClaim { name: name.into(), kind: "disclosable" };
        assert_eq!(refused(|draft| draft.disclosable = map(json!({"a": [{"b": {name: 1}}]}))), reserved);
    }
    assert_eq!(
        refused(|draft| draft.visible = map(json!({"given_name": 1}))),
        IssueError::Collision("given_name".into())
    );
    assert_eq!(refused(|draft| draft.vct.clear()), IssueError::EmptyType);
    assert_eq!(refused(|draft| draft.not_before = Some(draft.expires_at)), IssueError::NeverValid);
    let deep = (0..16).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(refused(|draft| draft.disclosable = map(json!({"a": deep}))), IssueError::TooDeep { most: 16 });
    let many = |n: usize| (0..n).map(|i| (format!("c{i}"), json!(i))).collect();
    assert_eq!(refused(|draft| draft.disclosable = many(257)), IssueError::TooMany { most: 256, got: 257 });
    let long = json!({"a": "x".repeat(200_000)});
    assert!(matches!(refused(|draft| draft.disclosable = map(long)), IssueError::TooLong { .. }));
    for path in [json!([]), json!(["address"]), json!(["nothing", "x"]), json!(["address", "x"]), json!([null, "x"])] {
        let path: ClaimPath = serde_json::from_value(path).unwrap();
        assert_eq!(refused(|draft| draft.nested = vec![path.clone()]), IssueError::NestedPath(path));
    }
    let twice: Vec<ClaimPath> = serde_json::from_value(json!([["nationalities", null], ["nationalities", 1]])).unwrap();
    assert!(matches!(refused(|draft| draft.nested = twice), IssueError::NestedPath(_)));
    let other = issue(&WORLD.draft(), &WORLD.chain, WORLD.holder.public_key(), &key(5), &mut rng(1));
    assert_eq!(other, Err(IssueError::WrongKey));
}

#[test]
fn the_deepest_claims_that_are_issued_are_read() {
    let mut draft = WORLD.draft();
    let deep = (0..14).fold(json!(1), |inner, _| json!([inner]));
    draft.disclosable = map(json!({"a": deep.clone()}));
    draft.visible = map(json!({"b": deep}));
    WORLD.held(&draft);
}

#[test]
fn salts_are_fresh_and_the_order_and_number_of_claims_are_hidden() {
    let draft = WORLD.draft();
    let texts: Vec<String> = (0..2)
        .map(|seed| issue(&draft, &WORLD.chain, WORLD.holder.public_key(), &WORLD.issuer, &mut rng(seed)).unwrap())
        .collect();
    let mut digests = BTreeSet::new();
    let mut salts = BTreeSet::new();
    for text in &texts {
        let parsed = SdJwtIn::parse(text).unwrap();
        let payload = parsed.payload();
        let sd: Vec<&str> = payload["_sd"].as_array().unwrap().iter().map(|d| d.as_str().unwrap()).collect();
        assert_eq!(sd.len(), 8, "four claims look like eight");
        assert!(sd.is_sorted());
        digests.extend(sd.iter().map(|d| (*d).to_owned()));
        for disclosure in text.split('~').skip(1).filter(|part| !part.is_empty()) {
            let value: Value = serde_json::from_slice(&credentials::b64::decode(disclosure).unwrap()).unwrap();
            assert_eq!(value[0].as_str().unwrap().len(), 22, "128 bits");
            salts.insert(value[0].as_str().unwrap().to_owned());
        }
    }
    assert_eq!((digests.len(), salts.len()), (16, 8));
}

#[test]
fn fifty_digests_are_filled_up_to_sixty_four_and_none_without_decoys() {
    let mut draft = WORLD.draft();
    draft.disclosable = (0..50).map(|i| (format!("c{i}"), json!(i))).collect();
    let number = |draft: &IssuanceDraft| {
        let text = WORLD.issue(draft);
        SdJwtIn::parse(&text).unwrap().payload()["_sd"].as_array().unwrap().len()
    };
    assert_eq!(number(&draft), 64);
    draft.decoys = false;
    assert_eq!(number(&draft), 50);
    draft.disclosable.clear();
    let text = WORLD.issue(&draft);
    let parsed = SdJwtIn::parse(&text).unwrap();
    assert!(!parsed.payload().contains_key("_sd"));
    assert_eq!(parsed.payload()["iat"], NOW.unix());
}
