//! Claims of our credential types as elements, and back.

use super::world::{draft, issued};
use crate::world::{NOW, WORLD, map};
use credentials::cbor::Value;
use credentials::mdoc::{Elements, claims_of, elements_of, verify_issued};
use proptest::prelude::*;
use schemas::mdoc::{ATTESTATION_DOCUMENT, IDENTITY_DOCUMENT, PID_NAME_SPACE};
use serde_json::{Value as Json, json};

const OWN: &str = "org.amparo.identity.1";

fn identity() -> Json {
    json!({
        "given_name": "Олена", "family_name": "Коваль", "birth_date": "1990-02-28", "birth_place": "Львів",
        "nationalities": ["UA", "PL"], "sex": "female", "personal_number": "4711", "languages": ["uk", "es"],
        "address": {"locality": "Cádiz", "country": "ES", "street_address": "Calle 1", "floor": "3"},
        "email": "o@example.org", "phone_number": "+34600000000", "height": 164, "eye_color": "grey",
        "document_number": "D1", "issuing_authority": "Shelter", "issuing_country": "ES",
        "picture": "data:image/jpeg;base64,/9j/", "age_over_18": true,
    })
}

fn elements(claims: Json) -> Elements {
    elements_of(&IDENTITY_DOCUMENT, &map(claims)).unwrap()
}

#[test]
fn pid_rulebook_3_1_claims_stand_where_the_rulebook_has_them() {
    let elements = elements(identity());
    let date = Value::Tag(1004, Box::new("1990-02-28".into()));
    let place = Value::Map(vec![("locality".into(), "Львів".into())]);
    let expected: Vec<(&str, &str, Value)> = vec![
        (PID_NAME_SPACE, "birth_date", date),
        (PID_NAME_SPACE, "document_number", "D1".into()),
        (PID_NAME_SPACE, "email_address", "o@example.org".into()),
        (PID_NAME_SPACE, "family_name", "Коваль".into()),
        (PID_NAME_SPACE, "given_name", "Олена".into()),
        (PID_NAME_SPACE, "issuing_authority", "Shelter".into()),
        (PID_NAME_SPACE, "issuing_country", "ES".into()),
        (PID_NAME_SPACE, "mobile_phone_number", "+34600000000".into()),
        (PID_NAME_SPACE, "nationality", Value::Array(vec!["UA".into(), "PL".into()])),
        (PID_NAME_SPACE, "personal_administrative_number", "4711".into()),
        (PID_NAME_SPACE, "place_of_birth", place),
        (PID_NAME_SPACE, "portrait", vec![0xff, 0xd8, 0xff].into()),
        (PID_NAME_SPACE, "resident_city", "Cádiz".into()),
        (PID_NAME_SPACE, "resident_country", "ES".into()),
        (PID_NAME_SPACE, "resident_street", "Calle 1".into()),
        (PID_NAME_SPACE, "sex", 2.into()),
        (OWN, "address", Value::Map(vec![("floor".into(), "3".into())])),
        (OWN, "age_over_18", true.into()),
        (OWN, "eye_color", "grey".into()),
        (OWN, "height", 164.into()),
        (OWN, "languages", Value::Array(vec!["uk".into(), "es".into()])),
    ];
    assert!(elements == expected.into_iter().collect());
    assert_eq!(Json::Object(claims_of(&IDENTITY_DOCUMENT, &elements)), identity());
}

#[test]
fn what_does_not_fit_the_rulebook_stands_in_our_name_space_and_comes_back() {
    let long = "x".repeat(151);
    for (claim, value) in [
        ("given_name", json!(long)),
        ("nationalities", json!(["Ukraine"])),
        ("nationalities", json!(["UA", "ukr"])),
        ("sex", json!("travesti")),
        ("issuing_country", json!("Spain")),
        ("phone_number", json!("600 000 000")),
        ("address", json!({"country": "Spain"})),
    ] {
        let claims = json!({claim: value});
        let elements = elements(claims.clone());
        assert!(elements.get(OWN, claim).is_some() && elements.len() == 1, "{claim}");
        assert_eq!(Json::Object(claims_of(&IDENTITY_DOCUMENT, &elements)), claims);
    }
    let none = elements(json!({"picture": ""}));
    assert_eq!(none.get(PID_NAME_SPACE, "portrait").unwrap().as_bytes(), Some(&[][..]));
    assert_eq!(Json::Object(claims_of(&IDENTITY_DOCUMENT, &none)), json!({"picture": ""}));
}

#[test]
fn claims_of_another_kind_or_none_of_the_type_are_refused() {
    for claims in [
        json!({"nope": 1}),
        json!({"given_name": 1}),
        json!({"birth_date": "yesterday"}),
        json!({"nationalities": "UA"}),
        json!({"nationalities": [1]}),
        json!({"age_over_18": "yes"}),
        json!({"height": 1.5}),
        json!({"address": {"locality": 1}}),
        json!({"picture": "https://example.org/me.jpg"}),
        json!({"picture": "data:image/jpeg;base64,_-"}),
    ] {
        let refused = elements_of(&IDENTITY_DOCUMENT, &map(claims.clone())).unwrap_err();
        assert_eq!(&refused.name, claims.as_object().unwrap().keys().next().unwrap());
    }
}

#[test]
fn an_attestation_stands_in_one_name_space_and_is_issued() {
    let claims =
        json!({"attested_by": "Shelter", "category": "stay", "services": ["bed"], "valid_until": "2027-02-01"});
    let mut draft = draft();
    draft.doc_type = ATTESTATION_DOCUMENT.doc_type.into();
    draft.elements = elements_of(&ATTESTATION_DOCUMENT, &map(claims.clone())).unwrap();
    assert!(draft.elements.iter().all(|(name_space, _, _)| name_space == "org.amparo.attestation.1"));
    let held = verify_issued(&issued(&draft), &WORLD.policy(), NOW).unwrap();
    assert_eq!(Json::Object(claims_of(&ATTESTATION_DOCUMENT, &held.elements())), claims);
}

#[test]
fn elements_of_another_issuer_are_read_as_claims() {
    let mut theirs = Elements::new();
    let place = Value::Map(vec![("country".into(), "DE".into()), ("locality".into(), "Köln".into())]);
    theirs.insert(PID_NAME_SPACE, "place_of_birth", place);
    theirs.insert(PID_NAME_SPACE, "sex", 77);
    theirs.insert(PID_NAME_SPACE, "given_name_birth", "x");
    theirs.insert("org.iso.18013.5.1", "given_name", "y");
    let claims = Json::Object(claims_of(&IDENTITY_DOCUMENT, &theirs));
    assert_eq!(claims, json!({"birth_place": "Köln, DE", "sex": 77}));
}

proptest! {
    #[test]
    fn claims_survive_the_way_there_and_back(
        name in "\\PC{1,200}", countries in proptest::collection::vec("[A-Z]{2}|[a-zA-Z]{3,8}", 1..4),
        sex in "male|female|other|open|not known|[a-z]{1,9}", phone in "\\+?[0-9 ]{1,12}",
        address in proptest::collection::btree_map("locality|country|region|house_number|[a-z]{1,5}", "\\PC{1,160}", 1..5),
        height: i64, is_adult: bool, jpeg in proptest::collection::vec(any::<u8>(), 0..30),
    ) {
        let picture = if jpeg.is_empty() {
            String::new()
        } else {
            format!("data:image/jpeg;base64,{}", base64_simd::STANDARD.encode_to_string(&jpeg))
        };
        let claims = json!({
            "given_name": name, "nationalities": countries, "sex": sex, "phone_number": phone, "address": address,
            "height": height, "age_over_18": is_adult, "picture": picture,
        });
        let elements = elements(claims.clone());
        prop_assert_eq!(Json::Object(claims_of(&IDENTITY_DOCUMENT, &elements)), claims);
    }
}
