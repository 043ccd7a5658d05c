//! What the holder picks, and documents among the candidates.

use super::*;

#[test]
fn dcql_15_the_holder_picks_among_options_and_adds_what_is_optional() {
    let credential = |id: &str, multiple| json!({"id": id, "format": FORMAT, "meta": {"vct_values": [format!("urn:{id}")]}, "multiple": multiple});
    let query = query(json!({
        "credentials": [credential("a", false), credential("b", true), credential("c", false), credential("d", false)],
        "credential_sets": [{"options": [["a"], ["b"]]}, {"options": [["c"], ["d"]], "required": false}],
    }));
    let nothing = Map::new();
    let held = ["urn:a", "urn:a", "urn:b", "urn:b", "urn:c", "urn:d"].map(|vct| candidate(vct, &nothing));
    let plan = query.plan(&held);
    let picked = |candidates: Option<&[usize]>, also: &[&str]| -> Option<Vec<(String, usize)>> {
        let also: Vec<String> = also.iter().map(|id| (*id).to_owned()).collect();
        let answers = plan.pick(&Pick { candidates, also: &also })?;
        Some(answers.into_iter().map(|answer| (answer.query, answer.candidate)).collect())
    };
    let of = |answers: &[(&str, usize)]| Some(answers.iter().map(|(id, n)| ((*id).to_owned(), *n)).collect());
    assert_eq!(picked(None, &[]), of(&[("a", 0)]), "the least");
    assert_eq!(picked(Some(&[1]), &[]), of(&[("a", 1)]), "another credential that answers the same");
    assert_eq!(picked(Some(&[0, 1]), &[]), of(&[("a", 0)]), "not several where one is asked for");
    assert_eq!(picked(Some(&[2, 3]), &[]), of(&[("b", 2), ("b", 3)]), "several where several are taken");
    assert_eq!(picked(None, &["c"]), of(&[("a", 0), ("c", 4)]));
    assert_eq!(picked(None, &["d"]), of(&[("a", 0), ("d", 5)]), "the option that is named, not the preferred one");
    assert_eq!(picked(Some(&[2, 5]), &["d"]), of(&[("b", 2), ("d", 5)]));
    assert_eq!(picked(Some(&[4]), &["c"]), None, "without what is required there is no answer");
    assert!(plan.takes_several("b") && !plan.takes_several("a"));
}

#[test]
fn dcql_16_of_several_claim_sets_one_is_answered() {
    let asked = query(one(json!({
        "claims": [
            {"id": "over", "path": ["adult"]}, {"id": "age", "path": ["age"]}, {"id": "born", "path": ["date_of_birth"]},
        ],
        "claim_sets": [["over"], ["age"], ["over", "born"]],
    })));
    let person = person();
    let check = |names: &[&str]| {
        let claims: Map<String, Value> = person
            .iter()
            .filter(|(name, _)| names.contains(&name.as_str()))
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect();
        let leaves: Vec<ClaimPath> = names.iter().map(|name| ClaimPath::names([*name])).collect();
        let check = asked.check_presented(&BTreeMap::from([("a".to_owned(), vec![presented(&claims, &leaves)])]));
        (check.is_complete(), check.extra.into_iter().map(|extra| extra.path.to_string()).collect::<Vec<_>>())
    };
    assert_eq!(check(&["adult"]), (true, vec![]));
    assert_eq!(check(&["age"]), (true, vec![]));
    assert_eq!(check(&["adult", "date_of_birth"]), (true, vec![]), "a set that is there whole");
    assert_eq!(check(&["adult", "age"]), (true, vec![r#"["age"]"#.to_owned()]), "two sets are one too many");
    assert_eq!(check(&["date_of_birth"]), (false, vec![]));
}

/// The specification's own mdoc queries, and paths and values as §7.2 and §6.3 have them for mdocs.
#[test]
fn dcql_17_an_mdoc_is_matched_by_type_name_space_element_and_value() {
    use crate::cbor;
    let mut elements = mdoc::Elements::new();
    elements.insert("org.iso.7367.1", "vehicle_holder", "Ada");
    elements.insert("org.iso.18013.5.1", "given_name", "Ada");
    elements.insert("org.iso.18013.5.1", "age_over_18", true);
    elements.insert("org.iso.18013.5.1", "sex", 2);
    elements.insert(
        "org.iso.18013.5.1",
        "birth_date",
        cbor::Value::Tag(cbor::FULL_DATE, Box::new("1940-01-01".into())),
    );
    let json = elements.to_json();
    let held = |doc_type| [Candidate::of_mdoc(doc_type, &json, &[])];
    let vehicle = Query::parse(EXAMPLES[6].as_bytes()).unwrap();
    let found = vehicle.plan(&held("org.iso.7367.1.mVRC")).least().unwrap();
    assert_eq!(
        found[0].paths,
        [["org.iso.7367.1", "vehicle_holder"], ["org.iso.18013.5.1", "given_name"]].map(ClaimPath::names)
    );
    assert!(vehicle.plan(&held("org.iso.7367.1.mVRC.2")).least().is_none(), "another type");
    let sd_jwt = [Candidate { format: FORMAT, ..held("org.iso.7367.1.mVRC")[0] }];
    assert!(vehicle.plan(&sd_jwt).least().is_none(), "another format");

    let of = |claims: Value| json!({"credentials": [{"id": "a", "format": "mso_mdoc", "meta": {"doctype_value": "t"}, "claims": claims}]});
    let valued = |name: &str, values: Value| {
        let query = query(of(json!([{"path": ["org.iso.18013.5.1", name], "values": values}])));
        query.plan(&held("t")).is_satisfiable()
    };
    assert!(valued("sex", json!([1, 2])) && !valued("sex", json!(["2"])));
    assert!(valued("age_over_18", json!([true])) && !valued("age_over_18", json!([false, 1])));
    assert!(valued("birth_date", json!(["1940-01-01"])));
    assert!(!valued("nothing", json!(["x"])));
    for path in [json!(["a"]), json!(["a", "b", "c"]), json!(["a", 0]), json!(["a", null])] {
        assert_eq!(refused(of(json!([{"path": path}]))), DcqlError::ElementPath, "{path}");
    }
    for meta in [json!({}), json!({"vct_values": ["t"]})] {
        let query = json!({"credentials": [{"id": "a", "format": "mso_mdoc", "meta": meta}]});
        assert_eq!(refused(query), DcqlError::NoTypes);
    }

    let asked = query(of(json!([{"path": ["org.iso.18013.5.1", "sex"], "intent_to_retain": true}])));
    let leaves = elements.paths();
    let all = Presented { format: mdoc::FORMAT, type_name: "t", ..presented(&json, &leaves) };
    let check = |presented| asked.check_presented(&BTreeMap::from([("a".to_owned(), vec![presented])]));
    assert_eq!((check(all).is_complete(), check(all).extra.len()), (true, leaves.len() - 1));
    assert_eq!(check(Presented { type_name: "u", ..all }).discarded[0].why, Shortfall::Type);
    assert_eq!(check(Presented { format: FORMAT, ..all }).discarded[0].why, Shortfall::Type);
}
