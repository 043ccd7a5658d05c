//! Claims against their types.

use super::*;
use schemas::credential_type::{ATTESTATION, IDENTITY};
use serde_json::json;
use time::macros::date;

const TODAY: Date = date!(2026 - 11 - 23);

fn check(value: Value) -> Result<ClaimSet, ClaimsError> {
    ClaimSet::check(&IDENTITY, value.as_object().unwrap().clone(), TODAY)
}

fn with(name: &str, value: Value) -> Result<ClaimSet, ClaimsError> {
    check(json!({"given_name": "Ana", "family_name": "Vega", name: value}))
}

#[test]
fn what_the_type_says_is_taken() {
    let claims = ClaimSet::parse(
        &IDENTITY,
        r#"{"given_name":"Ana María","family_name":"Vega","birth_date":"2004-02-29","nationalities":["PE","VE"],
            "address":{"locality":"Lima","country":"PE"},"height":164,"picture":""}"#
            .as_bytes(),
        TODAY,
    )
    .unwrap();
    assert_eq!(claims.values().len(), 7);
    assert_eq!(format!("{claims:?}"), "ClaimSet { credential_type: \"identity\", .. }");
    ClaimSet::parse(&ATTESTATION, br#"{"attested_by":"Casa","category":"A","valid_until":"2027-01-01"}"#, TODAY)
        .unwrap();
}

#[test]
fn an_unknown_claim_is_refused_with_the_list() {
    let error = with("tenant_id", json!("x")).unwrap_err();
    let ClaimsError::Unknown { name, known, .. } = &error else { panic!("{error}") };
    assert_eq!(name, "\"tenant_id\"");
    assert!(known.contains("given_name") && !known.contains("age_over_18"));
    // A name is shown escaped: it cannot break a line of a log.
    let error = with("a\r\nb\u{202e}", json!("x")).unwrap_err().to_string();
    assert!(!error.contains(['\r', '\n', '\u{202e}']), "{error}");
}

#[test]
fn required_and_derived_claims_are_told_apart() {
    let error = check(json!({"given_name": "Ana"})).unwrap_err();
    assert_eq!(error, ClaimsError::Missing { name: "family_name" });
    assert_eq!(with("age_over_18", json!(true)).unwrap_err(), ClaimsError::Derived { name: "age_over_18" });
}

#[test]
fn attack_12_a_name_given_twice_is_refused() {
    let error =
        ClaimSet::parse(&IDENTITY, br#"{"given_name":"A","given_name":"B","family_name":"C"}"#, TODAY).unwrap_err();
    assert!(matches!(error, ClaimsError::NotJson(_)), "{error}");
    assert!(ClaimSet::parse(&IDENTITY, b"[]", TODAY).is_err());
    assert!(ClaimSet::parse(&IDENTITY, b"", TODAY).is_err());
    assert_eq!(ClaimSet::parse(&IDENTITY, &vec![b' '; MAX_BYTES + 1], TODAY).unwrap_err(), ClaimsError::TooLarge);
}

#[test]
fn values_must_be_of_their_kind() {
    for (name, value) in [
        ("given_name", json!(1)),
        ("given_name", json!("")),
        ("given_name", json!(" ")),
        ("given_name", json!("a\nb")),
        ("given_name", json!("a\u{202e}b")),
        ("given_name", json!("x".repeat(257))),
        ("birth_date", json!("2023-02-29")),
        ("birth_date", json!("23-02-2023")),
        ("birth_date", json!("+2023-2-1")),
        ("birth_date", json!(20230101)),
        ("nationalities", json!("PE")),
        ("nationalities", json!([])),
        ("nationalities", json!(["PE", 1])),
        ("nationalities", json!(vec!["PE"; 33])),
        ("height", json!(1.5)),
        ("height", json!("170")),
        ("height", json!(1u64 << 53)),
        ("address", json!({})),
        ("address", json!({"_sd": "x"})),
        ("address", json!({"...": "x"})),
        ("address", json!({"locality": {"deep": "x"}})),
        ("picture", json!(null)),
    ] {
        assert!(matches!(with(name, value.clone()), Err(ClaimsError::WrongKind { .. })), "{name} {value}");
    }
    for birth in ["2026-11-24", "1850-01-01"] {
        assert_eq!(with("birth_date", json!(birth)).unwrap_err(), ClaimsError::ImplausibleBirthDate);
    }
}

#[test]
fn attack_56_templates_and_formulas_are_only_text() {
    for text in ["{{7*7}}", "${7*7}", "=cmd|' /C calc'!A0", "<svg onload=alert(1)>", "'; DROP TABLE offers; --"] {
        assert_eq!(with("family_name", json!(text)).unwrap().values()["family_name"], json!(text));
    }
}

#[test]
fn ages_are_derived_and_never_a_day_early() {
    let ages = |birth: &str, today| with("birth_date", json!(birth)).unwrap().derived(today);
    let of_age = ages("2008-11-23", TODAY);
    assert_eq!(of_age["age_over_18"], json!(true));
    assert_eq!(of_age["age_over_21"], json!(false));
    assert_eq!(of_age.len(), 4);
    assert_eq!(ages("2008-11-24", TODAY)["age_over_18"], json!(false));
    assert_eq!(ages("2004-02-29", date!(2022 - 02 - 28))["age_over_18"], json!(false));
    assert_eq!(ages("2004-02-29", date!(2022 - 03 - 01))["age_over_18"], json!(true));
    assert!(check(json!({"given_name": "A", "family_name": "B"})).unwrap().derived(TODAY).is_empty());
}
