//! The specification's own queries, the rules of selection, and queries meant to do harm.

mod answers;
mod picks;

use super::*;
use crate::key_binding::KeyBindingClaims;
use crate::sd_jwt::{self, Expected, IssuanceDraft};
use crate::signer::Signer as _;
use crate::testing::{Authority, NOW, key, rng};
use crate::trust::{ChainPolicy, Usage};
use proptest::prelude::*;
use schemas::Seconds;
use serde_json::json;
use std::collections::BTreeMap;

const VCT: &str = "https://credentials.example.com/identity_credential";

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn query(value: Value) -> Query {
    Query::parse(value.to_string().as_bytes()).unwrap()
}

fn refused(value: Value) -> DcqlError {
    Query::parse(value.to_string().as_bytes()).unwrap_err()
}

fn path(value: Value) -> ClaimPath {
    serde_json::from_value(value).unwrap()
}

/// One credential query with these members added.
fn one(members: Value) -> Value {
    let mut query = object(json!({"id": "a", "format": FORMAT, "meta": {"vct_values": [VCT]}}));
    query.extend(object(members));
    json!({"credentials": [query]})
}

fn person() -> Map<String, Value> {
    object(json!({
        "vct": VCT, "given_name": "Ada", "family_name": "Doe", "postal_code": "90210",
        "date_of_birth": "1940-01-01", "age": 86, "adult": true,
        "address": {"street_address": "42 Market Street", "locality": "Milliways"},
        "degrees": [{"type": "BSc"}, {"type": "MSc"}], "nationalities": ["British", "Betelgeusian"],
    }))
}

fn candidate<'c>(vct: &'c str, claims: &'c Map<String, Value>) -> Candidate<'c> {
    Candidate { format: FORMAT, type_name: vct, claims, holder_bound: true, authority_key_ids: &[] }
}

const EXAMPLES: [&str; 8] = [
    include_str!("../../../tests/vectors/openid4vp/claims_alternatives.json"),
    include_str!("../../../tests/vectors/openid4vp/complex_mdoc.json"),
    include_str!("../../../tests/vectors/openid4vp/credentials_alternatives.json"),
    include_str!("../../../tests/vectors/openid4vp/dcql_jwt_vc.json"),
    include_str!("../../../tests/vectors/openid4vp/multi_credentials.json"),
    include_str!("../../../tests/vectors/openid4vp/simple.json"),
    include_str!("../../../tests/vectors/openid4vp/simple_mdoc.json"),
    include_str!("../../../tests/vectors/openid4vp/value_matching_simple.json"),
];

fn presented<'p>(claims: &'p Map<String, Value>, leaves: &'p [ClaimPath]) -> Presented<'p> {
    Presented { format: FORMAT, type_name: VCT, claims, leaves, holder_bound: true, authority_key_ids: None }
}

#[test]
fn dcql_01_every_example_of_the_specification_is_in_order() {
    for example in EXAMPLES {
        let query = Query::parse(example.as_bytes()).unwrap();
        let again = serde_json::to_vec(query.as_wire()).unwrap();
        assert_eq!(Query::parse(&again).unwrap(), query);
    }
}

#[test]
fn dcql_02_the_first_claim_set_that_can_be_met_is_chosen() {
    let query = Query::parse(EXAMPLES[0].as_bytes()).unwrap();
    // ["a", "c", "d", "e"] needs locality and region at the top, ["a", "b", "e"] is there.
    let paths = query.match_claims("pid", &person(), VCT).unwrap();
    assert_eq!(paths, ["family_name", "postal_code", "date_of_birth"].map(|name| ClaimPath::names([name])));
    let mut all = person();
    all.extend(object(json!({"locality": "Milliways", "region": "End"})));
    assert_eq!(query.match_claims("pid", &all, VCT).unwrap().len(), 4);
    assert_eq!(query.match_claims("pid", &Map::new(), VCT), None);
    assert_eq!(query.match_claims("pid", &all, "urn:other"), None);
    assert_eq!(query.match_claims("another", &all, VCT), None);
}

#[test]
fn dcql_03_values_match_by_type_and_value_only() {
    let matches = |claim: Value| query(one(json!({"claims": [claim]}))).match_claims("a", &person(), VCT).is_some();
    assert!(matches(json!({"path": ["family_name"], "values": ["Roe", "Doe"]})));
    assert!(matches(json!({"path": ["age"], "values": [86]})));
    assert!(matches(json!({"path": ["adult"], "values": [true]})));
    assert!(matches(json!({"path": ["nationalities", null], "values": ["British"]})));
    assert!(matches(json!({"path": ["degrees", null, "type"], "values": ["MSc"]})));
    for values in [json!(["doe"]), json!([".*"]), json!(["D%"]), json!(["Doe "]), json!([86]), json!([true])] {
        assert!(!matches(json!({"path": ["family_name"], "values": values})));
    }
    assert!(!matches(json!({"path": ["age"], "values": ["86"]})));
    assert!(!matches(json!({"path": ["adult"], "values": [1, "true"]})));
    let example = Query::parse(EXAMPLES[7].as_bytes()).unwrap();
    assert_eq!(example.match_claims("my_credential", &person(), VCT).unwrap().len(), 4);
}

#[test]
fn dcql_04_a_path_meets_exactly_what_the_specification_says() {
    let person = person();
    let selected = |p: Value| select(&path(p), &person).map(|values| values.into_iter().cloned().collect::<Vec<_>>());
    // OpenID4VP 1.0 §7.3, its example.
    assert_eq!(selected(json!(["given_name"])), Some(vec![json!("Ada")]));
    assert_eq!(selected(json!(["address", "street_address"])), Some(vec![json!("42 Market Street")]));
    assert_eq!(selected(json!(["degrees", null, "type"])), Some(vec![json!("BSc"), json!("MSc")]));
    assert_eq!(selected(json!(["nationalities", 1])), Some(vec![json!("Betelgeusian")]));
    // §7.1.1: the wrong kind of value is an error, an absent one leaves nothing, and nothing is an error too.
    for wrong in [
        json!([]),
        json!([0]),
        json!([null]),
        json!(["given_name", "x"]),
        json!(["given_name", null]),
        json!(["address", 0]),
        json!(["degrees", "type"]),
        json!(["nationalities", 2]),
        json!(["nobody"]),
        json!(["degrees", null, "year"]),
    ] {
        assert_eq!(selected(wrong.clone()), None, "{wrong}");
    }
    let mixed = object(json!({"list": [{"a": 1}, 2]}));
    assert_eq!(select(&path(json!(["list", null, "a"])), &mixed), None);
}

#[test]
fn dcql_05_a_query_without_claims_discloses_nothing() {
    let query = query(one(json!({})));
    assert_eq!(query.match_claims("a", &person(), VCT), Some(Vec::new()));
}

#[test]
fn dcql_06_credential_sets_choose_the_preferred_option_and_leave_out_what_is_optional() {
    let query = Query::parse(EXAMPLES[2].as_bytes()).unwrap();
    let reduced = object(json!({"family_name": "Doe", "given_name": "Ada"}));
    let residence = object(json!({"postal_code": "1", "locality": "M", "region": "E"}));
    let rewards = object(json!({"rewards_number": 42}));
    let held = [
        candidate("https://credentials.example.com/reduced_identity_credential", &reduced),
        candidate("https://cred.example/residence_credential", &residence),
        candidate("https://company.example/company_rewards", &rewards),
    ];
    let plan = query.plan(&held);
    assert!(plan.is_satisfiable());
    assert_eq!(plan.sets()[0].options, [["pid_reduced_cred_1", "pid_reduced_cred_2"]]);
    let least = plan.least().unwrap();
    assert_eq!(least.iter().map(|answer| answer.candidate).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(plan.answer("nice_to_have", 0).unwrap().candidate, 2);
    assert_eq!(plan.answer("nice_to_have", 1), None);

    let pid = person();
    let with_pid = [held[0], held[1], candidate(VCT, &pid)];
    let least = query.plan(&with_pid).least().unwrap();
    assert_eq!((least.len(), least[0].query.as_str(), least[0].candidate), (1, "pid", 2));

    // Half an option is none: nothing may be answered.
    let half = query.plan(&held[..1]);
    assert!(!half.is_satisfiable() && half.least().is_none());
}

#[test]
fn dcql_07_without_sets_all_credentials_are_asked_for() {
    let both = query(json!({"credentials": [
        {"id": "a", "format": FORMAT, "meta": {"vct_values": ["urn:a"]}},
        {"id": "b", "format": FORMAT, "meta": {"vct_values": ["urn:b"]}, "multiple": true},
    ]}));
    let nothing = Map::new();
    let held = [candidate("urn:b", &nothing), candidate("urn:a", &nothing), candidate("urn:b", &nothing)];
    let plan = both.plan(&held);
    assert_eq!(plan.matches("b").len(), 2);
    assert_eq!(plan.least().unwrap().iter().map(|a| a.candidate).collect::<Vec<_>>(), [1, 0]);
    assert!(both.plan(&held[..1]).least().is_none());
}

#[test]
fn dcql_08_type_format_binding_and_authority_must_match() {
    let person = person();
    let key_id = vec![0xb3, 0xdb, 0x48, 0xa4];
    let held = [Candidate { authority_key_ids: std::slice::from_ref(&key_id), ..candidate(VCT, &person) }];
    let matches = |query: Value, held: &[Candidate<'_>]| self::query(query).plan(held).is_satisfiable();
    assert!(matches(one(json!({})), &held));
    assert!(!matches(one(json!({"meta": {"vct_values": ["urn:other", &VCT[1..]]}})), &held));
    let in_mdoc = json!({"credentials": [{"id": "a", "format": "mso_mdoc", "meta": {"doctype_value": VCT}}]});
    assert!(!matches(in_mdoc, &held), "another format");
    let unbound = [Candidate { holder_bound: false, ..held[0] }];
    assert!(!matches(one(json!({})), &unbound));
    assert!(matches(one(json!({"require_cryptographic_holder_binding": false})), &unbound));

    let authority =
        |type_: &str, value: &str| one(json!({"trusted_authorities": [{"type": type_, "values": [value]}]}));
    assert!(matches(authority("aki", &crate::b64::encode(&key_id)), &held));
    assert!(!matches(authority("aki", &crate::b64::encode(&key_id[1..])), &held));
    assert!(!matches(authority("aki", "s9tIpPmhxdiuNkHMEWNpYim8S8Y="), &held));
    // Kinds that we cannot match are treated as not matching, which discloses less.
    assert!(!matches(authority("etsi_tl", "https://lotl.example.com"), &held));
    assert!(!matches(authority("openid_federation", "https://trustanchor.example.com"), &held));

    let also = object(json!({"vct": "urn:other", "aka_vcts": [VCT]}));
    assert!(matches(one(json!({})), &[candidate("urn:other", &also)]));
}

#[test]
fn attack_45_queries_beyond_all_measure_are_refused() {
    let credential = |id: String| json!({"id": id, "format": FORMAT, "meta": {"vct_values": [VCT]}});
    let many = |n: usize| json!({"credentials": (0..n).map(|i| credential(format!("c{i}"))).collect::<Vec<_>>()});
    assert!(matches!(refused(many(10_000)), DcqlError::TooMany { .. } | DcqlError::Json(_)));
    assert!(matches!(refused(many(17)), DcqlError::TooMany { what: "credentials", limit: 16 }));
    assert!(Query::parse(many(16).to_string().as_bytes()).is_ok());

    assert_eq!(
        refused(json!({"credentials": [credential("a".to_owned()), credential("a".to_owned())]})),
        DcqlError::DuplicateIdentifier
    );
    let long = "a".repeat(65);
    for id in ["", "a b", "a.b", "ä", "../a", "a\u{0}", long.as_str()] {
        assert_eq!(refused(json!({"credentials": [credential(id.to_owned())]})), DcqlError::Identifier, "{id}");
    }

    let claims: Vec<Value> = (0..65).map(|i| json!({"path": [format!("c{i}")]})).collect();
    assert!(matches!(refused(one(json!({"claims": claims}))), DcqlError::TooMany { what: "claims", .. }));
    let deep: Vec<String> = vec!["a".to_owned(); 17];
    assert!(matches!(
        refused(one(json!({"claims": [{"path": deep}]}))),
        DcqlError::TooMany { what: "path elements", .. }
    ));
    for bad in [json!([]), json!([0]), json!([null, "a"])] {
        assert_eq!(refused(one(json!({"claims": [{"path": bad}]}))), DcqlError::Path);
    }
    for bad in [json!([-1]), json!(["a", -1]), json!(["a", 1.5]), json!(["a", {}]), json!("a"), json!(["a", true])] {
        assert_eq!(refused(one(json!({"claims": [{"path": bad}]}))), DcqlError::Malformed, "{bad}");
    }
    let text = "x".repeat(1025);
    assert_eq!(refused(one(json!({"claims": [{"path": [text]}]}))), DcqlError::TooLong);
    assert_eq!(refused(one(json!({"claims": [{"path": ["a"], "values": [text]}]}))), DcqlError::TooLong);
    for bad in [json!(1.5), json!(null), json!([]), json!({})] {
        assert_eq!(refused(one(json!({"claims": [{"path": ["a"], "values": [bad]}]}))), DcqlError::Value);
    }
    let values: Vec<usize> = (0..65).collect();
    assert!(matches!(refused(one(json!({"claims": [{"path": ["a"], "values": values}]}))), DcqlError::TooMany { .. }));
}

#[test]
fn dcql_09_lists_are_not_empty_and_references_are_known() {
    for empty in [
        json!({"credentials": []}),
        one(json!({"claims": []})),
        one(json!({"claims": [{"path": ["a"], "values": []}]})),
        one(json!({"claims": [{"id": "x", "path": ["a"]}], "claim_sets": []})),
        one(json!({"claims": [{"id": "x", "path": ["a"]}], "claim_sets": [[]]})),
        one(json!({"meta": {"vct_values": []}})),
        one(json!({"trusted_authorities": []})),
        one(json!({"trusted_authorities": [{"type": "aki", "values": []}]})),
        json!({"credentials": one(json!({}))["credentials"], "credential_sets": []}),
        json!({"credentials": one(json!({}))["credentials"], "credential_sets": [{"options": []}]}),
        json!({"credentials": one(json!({}))["credentials"], "credential_sets": [{"options": [[]]}]}),
    ] {
        assert!(matches!(refused(empty.clone()), DcqlError::Empty(_)), "{empty}");
    }
    assert_eq!(refused(one(json!({"claim_sets": [["x"]]}))), DcqlError::SetsWithoutClaims);
    assert_eq!(refused(one(json!({"claims": [{"path": ["a"]}], "claim_sets": [["x"]]}))), DcqlError::ClaimWithoutId);
    let claims = json!([{"id": "x", "path": ["a"]}]);
    assert_eq!(refused(one(json!({"claims": claims, "claim_sets": [["y"]]}))), DcqlError::UnknownIdentifier);
    let twice = json!([{"id": "x", "path": ["a"]}, {"id": "x", "path": ["b"]}]);
    assert_eq!(refused(one(json!({"claims": twice}))), DcqlError::DuplicateIdentifier);
    let unknown = json!({"credentials": one(json!({}))["credentials"], "credential_sets": [{"options": [["b"]]}]});
    assert_eq!(refused(unknown), DcqlError::UnknownIdentifier);
    for meta in [json!({}), json!({"doctype_value": VCT})] {
        assert_eq!(refused(json!({"credentials": [{"id": "a", "format": FORMAT, "meta": meta}]})), DcqlError::NoTypes);
    }
    assert_eq!(refused(json!({"credentials": {}})), DcqlError::Malformed);
    assert!(matches!(
        Query::parse(br#"{"credentials":[],"credentials":[]}"#),
        Err(DcqlError::Json(JsonError::DuplicateName))
    ));
    // Unknown members are ignored (§6), and the same claim twice is asked for once (§6.1).
    let query = query(one(json!({"future": 1, "claims": [{"path": ["age"]}, {"path": ["age"], "future": 2}]})));
    assert_eq!(query.match_claims("a", &person(), VCT).unwrap().len(), 1);
    assert_eq!(query.asked_paths().len(), 1);
}

#[test]
fn dcql_10_leaves_are_what_can_be_seen_below_what_was_disclosed() {
    let person = person();
    let leaves = |paths: &[Value]| {
        let paths: Vec<ClaimPath> = paths.iter().cloned().map(path).collect();
        visible_leaves(&person, &paths)
    };
    let expected = |paths: Value| serde_json::from_value::<Vec<ClaimPath>>(paths).unwrap();
    assert_eq!(
        leaves(&[json!(["address"]), json!(["age"])]),
        expected(json!([["address", "locality"], ["address", "street_address"], ["age"]]))
    );
    assert_eq!(leaves(&[json!(["degrees", 1])]), expected(json!([["degrees", 1, "type"]])));
    assert_eq!(leaves(&[json!(["degrees", null])]).len(), 2);
    assert_eq!(leaves(&[json!(["nobody"]), json!(["age", "x"]), json!(["degrees", 7]), json!([])]), []);
    let empty = object(json!({"a": {}, "b": []}));
    let both = [ClaimPath::names(["a"]), ClaimPath::names(["b"])];
    assert_eq!(visible_leaves(&empty, &both), both);
}

/// A real credential, presented and verified, with nested and listed claims disclosed one by one.
#[test]
fn dcql_14_plan_and_answer_agree_on_a_real_credential() {
    let authority = Authority::new("Anchor");
    let (chain, issuer) = authority.leaf(Usage::CredentialIssuing, &[], 1);
    let holder = key(2);
    let draft = IssuanceDraft {
        vct: VCT.to_owned(),
        issuer: None,
        issued_at: NOW,
        not_before: None,
        expires_at: NOW.plus(Seconds::DAY),
        status: None,
        visible: Map::new(),
        disclosable: object(json!({
            "given_name": "Ada", "age": 86, "nationalities": ["British", "Betelgeusian"],
            "address": {"street_address": "42 Market Street", "locality": "Milliways"},
        })),
        nested: vec![
            ClaimPath::names(["address", "locality"]),
            ClaimPath::names(["address", "street_address"]),
            path(json!(["nationalities", null])),
        ],
        decoys: true,
    };
    let text = sd_jwt::issue(&draft, &chain, holder.public_key(), &issuer, &mut rng(3)).unwrap();
    let anchors = authority.anchors();
    let policy = ChainPolicy::known_only(&anchors);
    let held = sd_jwt::verify_issued(&text, &policy, NOW).unwrap();
    let ids = authority_key_ids(&text);
    assert_eq!(ids.len(), 1);

    let asked = query(one(json!({
        "claims": [{"path": ["given_name"]}, {"path": ["nationalities", null]}, {"path": ["address", "locality"]}],
        "trusted_authorities": [{"type": "aki", "values": [crate::b64::encode(&ids[0])]}],
    })));
    let answer = asked.plan(&[Candidate::new(&held, &ids)]).least().unwrap().remove(0);
    let present = |paths: &[ClaimPath]| {
        let claims = KeyBindingClaims {
            audience: "x509_hash:abc".to_owned(),
            nonce: "n".repeat(22),
            issued_at: NOW,
            transaction_data_hashes: None,
            consent: None,
            amr: Vec::new(),
            acr: None,
            auth_time: None,
        };
        let text = held.select(paths).unwrap().bind(&claims, &holder).unwrap();
        let nonce = claims.nonce;
        let expected = Expected::new(policy, "x509_hash:abc", &nonce, NOW);
        BTreeMap::from([("a".to_owned(), vec![sd_jwt::verify_presented(&text, &expected).unwrap()])])
    };
    let check = asked.check_answer(&present(&answer.paths));
    assert!(check.is_complete() && check.is_within_query(), "{check:?}");

    let too_much = asked.check_answer(&present(&[&answer.paths[..], &[ClaimPath::names(["age"])]].concat()));
    assert_eq!(too_much.extra.iter().map(|e| e.path.clone()).collect::<Vec<_>>(), [ClaimPath::names(["age"])]);
    // The second element alone: its place is that in the credential, though the verifier sees a list of one.
    let second = query(one(json!({"claims": [{"path": ["nationalities", 1]}]})));
    let shown = present(&second.plan(&[Candidate::new(&held, &[])]).least().unwrap()[0].paths);
    assert_eq!(shown["a"][0].claims()["nationalities"], json!(["Betelgeusian"]));
    assert_eq!(presented_leaves(&shown["a"][0]), [path(json!(["nationalities", 1]))]);
    let check = second.check_answer(&shown);
    assert!(check.is_complete() && check.is_within_query(), "{check:?}");
    let first = query(one(json!({"claims": [{"path": ["nationalities", 0]}, {"path": ["age"]}]})));
    assert!(!first.check_answer(&shown).is_within_query());

    let too_little = asked.check_answer(&present(&answer.paths[..2]));
    assert!(!too_little.is_complete() && too_little.is_within_query());

    // The verifier looks for the authority that it named itself.
    let shown = present(&[]);
    assert_eq!(shown["a"][0].issuer().authority_key_ids(), ids);
    let from = |type_: &str, value: &[u8]| {
        let asked =
            query(one(json!({"trusted_authorities": [{"type": type_, "values": [crate::b64::encode(value)]}]})));
        asked.check_answer(&shown).discarded.into_iter().map(|discarded| discarded.why).collect::<Vec<_>>()
    };
    assert_eq!(from("aki", &ids[0]), []);
    assert_eq!(from("aki", &[1, 2, 3]), [Shortfall::Authority]);
    assert_eq!(from("etsi_tl", &ids[0]), [Shortfall::Authority], "a kind that is not matched here is never met");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-c]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c]", inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_path() -> impl Strategy<Value = ClaimPath> {
    let element = prop_oneof![
        "[a-c]".prop_map(PathElement::Name),
        (0_u64..3).prop_map(PathElement::Index),
        Just(PathElement::Every(())),
    ];
    prop::collection::vec(element, 0..5).prop_map(ClaimPath::new)
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Query::parse(&bytes);
    }

    #[test]
    fn no_json_makes_the_check_panic(credential in any_json(), sets in any_json()) {
        let _ = Query::parse(json!({"credentials": [credential], "credential_sets": sets}).to_string().as_bytes());
    }

    /// What the strict selection finds, the lenient one finds too, and every leaf below a path is covered by it.
    #[test]
    fn selection_and_leaves_agree(claims in any_json(), path in any_path()) {
        let claims = claims.as_object().cloned().unwrap_or_default();
        let root = Value::Object(claims.clone());
        if let Some(found) = select(&path, &claims) {
            prop_assert_eq!(found, path.select(&root));
        }
        for leaf in visible_leaves(&claims, std::slice::from_ref(&path)) {
            prop_assert!(path.covers(&leaf));
            prop_assert!(select(&leaf, &claims).is_some());
        }
    }

    /// The least answer of a plan is always complete and within the query.
    #[test]
    fn what_the_plan_proposes_the_check_accepts(claims in any_json(), paths in prop::collection::vec(any_path(), 1..4)) {
        let claims = claims.as_object().cloned().unwrap_or_default();
        let asked: Vec<Value> = paths.iter().map(|path| json!({"path": path})).collect();
        let Ok(query) = Query::parse(one(json!({"claims": asked})).to_string().as_bytes()) else { return Ok(()) };
        let Some(answers) = query.plan(&[candidate(VCT, &claims)]).least() else { return Ok(()) };
        let leaves = visible_leaves(&claims, &answers[0].paths);
        let check = query.check_presented(&BTreeMap::from([("a".to_owned(), vec![presented(&claims, &leaves)])]));
        prop_assert!(check.is_complete() && check.is_within_query());
    }
}
