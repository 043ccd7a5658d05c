//! What the verifier makes of an answer.

use super::*;

#[test]
fn dcql_11_an_answer_with_too_little_or_too_much_is_seen() {
    let asked = query(one(json!({"claims": [{"path": ["address", "locality"]}, {"path": ["age"], "values": [86]}]})));
    let check = |claims: Value, disclosed: &[Value]| {
        let claims = object(claims);
        let disclosed: Vec<ClaimPath> = disclosed.iter().cloned().map(path).collect();
        let leaves = visible_leaves(&claims, &disclosed);
        let answer = BTreeMap::from([("a".to_owned(), vec![presented(&claims, &leaves)])]);
        asked.check_presented(&answer)
    };
    let good = check(
        json!({"age": 86, "address": {"locality": "M"}}),
        &[json!(["age"]), json!(["address"]), json!(["address", "locality"])],
    );
    assert!(good.is_complete() && good.is_within_query() && good.counts("a", 0));

    let less = check(json!({"address": {"locality": "M"}}), &[json!(["address"])]);
    assert_eq!(less.unanswered, [0]);
    assert_eq!(less.discarded[0].why, Shortfall::Claims(vec![ClaimPath::names(["age"])]));
    let other = check(json!({"age": 85, "address": {"locality": "M"}}), &[json!(["age"]), json!(["address"])]);
    assert!(!other.is_complete());

    let whole = json!({"age": 86, "address": {"locality": "M", "street_address": "42"}});
    let more = check(whole, &[json!(["age"]), json!(["address"])]);
    assert!(more.is_complete() && !more.is_within_query());
    assert_eq!(more.extra[0].path, ClaimPath::names(["address", "street_address"]));
}

#[test]
fn dcql_12_what_was_not_asked_for_does_not_count() {
    let nothing = Map::new();
    let asked = query(one(json!({})));
    let check = |id: &str, presentations: Vec<Presented<'_>>| {
        asked.check_presented(&BTreeMap::from([(id.to_owned(), presentations)]))
    };
    let good = presented(&nothing, &[]);
    assert!(check("a", vec![good]).is_complete());
    assert_eq!(check("b", vec![good]).discarded[0].why, Shortfall::UnknownQuery);
    assert_eq!(check("a", vec![Presented { type_name: "urn:other", ..good }]).discarded[0].why, Shortfall::Type);
    assert_eq!(check("a", vec![Presented { holder_bound: false, ..good }]).discarded[0].why, Shortfall::NotHolderBound);
    let two = check("a", vec![good, good]);
    assert!(two.is_complete() && two.counts("a", 0) && !two.counts("a", 1));
    assert_eq!(two.discarded[0].why, Shortfall::MoreThanOne);
    assert!(!check("a", Vec::new()).is_complete());
    assert!(!asked.check_presented(&BTreeMap::new()).is_complete());

    let aki = query(one(json!({"trusted_authorities": [{"type": "aki", "values": ["AAAA"]}]})));
    let from = |ids| {
        let answer = BTreeMap::from([("a".to_owned(), vec![Presented { authority_key_ids: ids, ..good }])]);
        aki.check_presented(&answer).is_complete()
    };
    assert!(from(None) && !from(Some(&[])) && from(Some(&[vec![0, 0, 0]])));
}

#[test]
fn dcql_13_one_required_set_must_be_met_whole() {
    let query = Query::parse(EXAMPLES[2].as_bytes()).unwrap();
    let reduced = object(json!({"family_name": "Doe", "given_name": "Ada"}));
    let residence = object(json!({"postal_code": "1", "locality": "M", "region": "E"}));
    let of = |type_name: &'static str, claims| Presented { type_name, ..presented(claims, &[]) };
    let first = of("https://credentials.example.com/reduced_identity_credential", &reduced);
    let second = of("https://cred.example/residence_credential", &residence);
    let mut answer = BTreeMap::from([("pid_reduced_cred_1".to_owned(), vec![first])]);
    assert_eq!(query.check_presented(&answer).unanswered, [0]);
    answer.insert("pid_reduced_cred_2".to_owned(), vec![second]);
    assert!(query.check_presented(&answer).is_complete());
}
