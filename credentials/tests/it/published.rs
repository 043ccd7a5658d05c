//! Every published example of SD-JWT: what a peer made of it read, and made again by us. `tests/vectors/sd-jwt/SOURCE.md`.

use crate::world::{WORLD, map};
use credentials::algorithm::HashAlgorithm;
use credentials::json::Limits;
use credentials::jws::{JwsError, JwsIn};
use credentials::key::PublicKey;
use credentials::sd_jwt::{
    IssuanceDraft, JsonFormError, ParseError, SdJwtIn, SdJwtJsonIn, issue_hashed, verify_issued, verify_presented,
};
use credentials::signer::Signer as _;
use schemas::{ClaimPath, PathElement};
use serde_json::{Map, Value, json};

/// What is expected of what the peer wrote.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Peer {
    /// Compact: read, verified, processed.
    Compact,
    /// JSON with `disclosures` and `kb_jwt` beside the headers: refused as it stands; read, verified and processed when they
    /// are put where RFC 9901 §8.1 has them, but for `sd_hash`, which that peer takes over another text than §8.1 names.
    JsonBesideHeaders,
    /// `kid` is a number: refused (RFC 7515 §4.1.4).
    NumberAsKid,
}
use Peer::{Compact, JsonBesideHeaders, NumberAsKid};

const SETS: [(&str, &[(&str, Peer)]); 4] = [
    (
        include_str!("../../../tests/vectors/sd-jwt/rfc9901.json"),
        &[
            ("address_only_flat", Compact),
            ("address_only_recursive", Compact),
            ("address_only_structured", Compact),
            ("address_only_structured_one_open", Compact),
            ("arf-pid", Compact),
            ("complex_eidas", Compact),
            ("complex_eidas_proposal", Compact),
            ("complex_ekyc", Compact),
            ("json_serialization_flattened", JsonBesideHeaders),
            ("json_serialization_general", JsonBesideHeaders),
            ("jsonld", Compact),
            ("simple", Compact),
            ("simple_structured", Compact),
            ("w3c-vc", Compact),
            ("w3c-vc_for_slide_deck", Compact),
        ],
    ),
    (
        include_str!("../../../tests/vectors/sd-jwt/sd-jwt-python-tests.json"),
        &[
            ("array_data_types", Compact),
            ("array_full_sd", Compact),
            ("array_in_sd", Compact),
            ("array_nested_in_plain", Compact),
            ("array_none_disclosed", Compact),
            ("array_of_nulls", Compact),
            ("array_of_objects", Compact),
            ("array_of_scalars", Compact),
            ("array_recursive_sd", Compact),
            ("array_recursive_sd_some_disclosed", Compact),
            ("header_mod", NumberAsKid),
            ("json_serialization_flattened", JsonBesideHeaders),
            ("json_serialization_general", JsonBesideHeaders),
            ("key_binding", Compact),
            ("no_sd", Compact),
            ("object_data_types", Compact),
            ("recursions", Compact),
        ],
    ),
    (
        include_str!("../../../tests/vectors/sd-jwt/sd-jwt-python-examples.json"),
        &[
            ("address_only_flat", Compact),
            ("address_only_recursive", Compact),
            ("address_only_structured", Compact),
            ("address_only_structured_one_open", Compact),
            ("complex_eidas", Compact),
            ("complex_eidas_proposal", Compact),
            ("complex_ekyc", Compact),
            ("json_serialization_flattened", JsonBesideHeaders),
            ("json_serialization_general", JsonBesideHeaders),
            ("jsonld", Compact),
            ("simple", Compact),
            ("simple_array", Compact),
            ("simple_structured", Compact),
            ("w3c-vc", Compact),
            ("w3c-vc_for_slide_deck", Compact),
        ],
    ),
    (
        include_str!("../../../tests/vectors/sd-jwt/sd-jwt-vc.json"),
        &[("01", Compact), ("02", Compact), ("03-pid", Compact)],
    ),
];

/// Each case of each set, in order; the names must be those of the table.
fn cases() -> Vec<(String, Peer, Value)> {
    let mut cases = Vec::new();
    for (text, table) in SETS {
        let set: Map<String, Value> = serde_json::from_str(text).unwrap();
        let names: Vec<&str> = set.keys().map(String::as_str).collect();
        assert_eq!(names, table.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        cases.extend(set.into_iter().zip(table).map(|((name, case), (_, peer))| (name, *peer, case)));
    }
    assert_eq!(cases.len(), 50);
    cases
}

/// The keys of every set's `settings.yml`.
fn keys() -> [PublicKey; 2] {
    [
        ("b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ", "Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8"),
        ("TCAER19Zvu3OHF4j4W4vfSVoHIP1ILilDls7vCeGemc", "ZxjiWWbZMQGHVWKVQ4hbSIirsVfuecCE6t4jT9F2HZQ"),
    ]
    .map(|(x, y)| PublicKey::from_jwk(&map(json!({"kty": "EC", "crv": "P-256", "x": x, "y": y}))).unwrap())
}

/// The compact text of what the peer wrote.
fn compact(written: &Value, peer: Peer) -> String {
    if peer != JsonBesideHeaders {
        return written.as_str().unwrap().to_owned();
    }
    let parse = |value: &Value| SdJwtJsonIn::parse(value.to_string().as_bytes());
    assert_eq!(parse(written), Err(JsonFormError::Misplaced("disclosures")));
    let mut moved = map(written.clone());
    let mut header = Map::new();
    for name in ["disclosures", "kb_jwt"] {
        if let Some(value) = moved.remove(name) {
            header.insert(name.into(), value);
        }
    }
    let mut general = moved.clone();
    moved.insert("header".into(), header.clone().into());
    let signature: Map<String, Value> =
        ["protected", "signature"].map(|name| (name.to_owned(), general.remove(name).unwrap())).into_iter().collect();
    let mut first = signature.clone();
    first.insert("header".into(), header.into());
    general.insert("signatures".into(), json!([first, signature]));
    let (flattened, general) = (parse(&moved.into()).unwrap(), parse(&general.into()).unwrap());
    assert_eq!(general.texts().collect::<Vec<_>>(), [flattened.first(); 2]);
    flattened.first().to_owned()
}

#[test]
fn every_published_example_is_read_verified_and_processed() {
    let [issuer, holder] = keys();
    for (name, peer, case) in cases() {
        let (issued, presented) = (compact(&case["issuance"], peer), compact(&case["presentation"], peer));
        if peer == NumberAsKid {
            let error = ParseError::Jws(JwsError::Malformed("kid"));
            assert_eq!(SdJwtIn::parse(&issued).unwrap_err(), error);
            assert_eq!(SdJwtIn::parse(&presented).unwrap_err(), error);
            continue;
        }
        let issued = SdJwtIn::parse(&issued).unwrap();
        assert_eq!(issued.jws().verify(&issuer), Ok(()), "{name}");
        assert_eq!(Value::Object(issued.payload().clone()), case["payload"], "{name}");
        let written = SdJwtJsonIn::parse(issued.to_flattened_json().as_bytes()).unwrap();
        assert_eq!(written.first(), issued.without_key_binding(), "{name}");
        let all = issued.process().unwrap();
        assert_eq!(all.places.len(), case["sd"].as_array().unwrap().len(), "{name}");
        for (claim, value) in case["claims"].as_object().unwrap() {
            assert_eq!(all.claims.get(claim), Some(value), "{name}: {claim}");
        }
        let presented = SdJwtIn::parse(&presented).unwrap();
        assert_eq!(presented.jws().verify(&issuer), Ok(()));
        assert_eq!(presented.key_binding().is_some(), case["key_binding"] == true, "{name}");
        if let Some(key_binding) = presented.key_binding() {
            let key_binding = JwsIn::parse(key_binding, &Limits::TOKEN).unwrap();
            assert_eq!(key_binding.verify(&holder), Ok(()), "{name}");
            let claims = key_binding.payload_object(&Limits::TOKEN).unwrap();
            assert_eq!(claims["sd_hash"] == presented.sd_hash(), peer == Compact, "{name}");
        }
        let shown = presented.process().unwrap();
        assert_eq!(Value::Object(shown.claims.clone()), case["verified"], "{name}");
        for (claim, value) in case["expected"].as_object().into_iter().flatten() {
            assert_eq!(shown.claims.get(claim), Some(value), "{name}: {claim}");
        }
    }
}

#[test]
fn what_a_peer_writes_as_json_is_read_and_what_we_write_is_the_same() {
    let [issuer, _] = keys();
    let (x, y) = ("bN-hp3IN0GZB3OlaQnHDPhY4nZsZbQyo4wY-y1NWCvA", "vaSsH5jt9zt3aQvTvrSaFYLyjPG9Ug-2vntoNXlCbVU");
    let second = PublicKey::from_jwk(&map(json!({"kty": "EC", "crv": "P-256", "x": x, "y": y}))).unwrap();
    let compact: Value = serde_json::from_str(SETS[0].0).unwrap();
    let written = include_str!("../../../tests/vectors/sd-jwt/sd-jwt-js-json.json");
    let written: Map<String, Value> = serde_json::from_str(written).unwrap();
    assert_eq!(written.keys().collect::<Vec<_>>(), ["simple", "complex_ekyc", "arf-pid"]);
    for (name, kinds) in &written {
        for kind in ["issuance", "presentation"] {
            let (flattened, general) = (&kinds[kind]["flattened"], &kinds[kind]["general"]);
            let text = compact[name][kind].as_str().unwrap();
            let read = SdJwtJsonIn::parse(flattened.to_string().as_bytes()).unwrap();
            assert_eq!(read.texts().collect::<Vec<_>>(), [text], "{name}");
            let ours: Value = serde_json::from_str(&SdJwtIn::parse(text).unwrap().to_flattened_json()).unwrap();
            assert_eq!(&ours, flattened, "{name}");
            let mut ours: Value = serde_json::from_str(&SdJwtIn::parse(text).unwrap().to_general_json()).unwrap();
            // The peer puts a name of the key beside the disclosures; it has a second signature, too.
            if let Some(kid) = general["signatures"][0]["header"].get("kid") {
                ours["signatures"][0]["header"]["kid"] = kid.clone();
            }
            assert_eq!(
                (&ours["payload"], &ours["signatures"][0]),
                (&general["payload"], &general["signatures"][0]),
                "{name}"
            );
            let read = SdJwtJsonIn::parse(general.to_string().as_bytes()).unwrap();
            assert_eq!(read.first(), text, "{name}");
            assert_eq!(read.texts().len(), 2);
            for (text, (own, other)) in read.texts().zip([(&issuer, &second), (&second, &issuer)]) {
                let parsed = SdJwtIn::parse(text).unwrap();
                assert_eq!(parsed.jws().verify(own), Ok(()), "{name}");
                assert_eq!(parsed.jws().verify(other), Err(JwsError::Signature), "{name}");
                assert!(parsed.process().is_ok());
            }
        }
    }
}

/// Has a field of its own in a draft.
fn is_registered(name: &str) -> bool {
    ["iss", "iat", "nbf", "exp", "cnf", "vct", "status"].contains(&name)
}

fn draft(case: &Value) -> IssuanceDraft {
    let paths: Vec<ClaimPath> = serde_json::from_value(case["sd"].clone()).unwrap();
    let mut draft = IssuanceDraft { disclosable: Map::new(), ..WORLD.draft() };
    for (name, value) in case["claims"].as_object().unwrap().iter().filter(|(name, _)| !is_registered(name)) {
        let is_disclosable = paths.contains(&ClaimPath::names([name]));
        let to = if is_disclosable { &mut draft.disclosable } else { &mut draft.visible };
        to.insert(name.clone(), value.clone());
    }
    draft.nested = paths.into_iter().filter(|path| path.elements().len() > 1).collect();
    draft.decoys = case["decoys"] == true;
    draft
}

fn without_registered(claims: &Map<String, Value>) -> Map<String, Value> {
    claims.iter().filter(|(name, _)| !is_registered(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[test]
fn every_published_example_is_issued_shown_and_verified_by_us_under_every_hash() {
    let world = &*WORLD;
    for (name, peer, case) in cases() {
        // What the peer showed of it, as positions in what was signed.
        let chosen: Vec<ClaimPath> = if peer == NumberAsKid {
            ["given_name", "family_name", "address"].map(|name| ClaimPath::names([name])).to_vec()
        } else {
            let shown = SdJwtIn::parse(&compact(&case["presentation"], peer)).unwrap().process().unwrap();
            let first =
                |path: &ClaimPath| matches!(&path.elements()[0], PathElement::Name(name) if is_registered(name));
            shown.places.iter().map(|place| place.signed_path().clone()).filter(|path| !first(path)).collect()
        };
        for hash in [HashAlgorithm::Sha256, HashAlgorithm::Sha384, HashAlgorithm::Sha512] {
            let (holder, rng) = (world.holder.public_key(), &mut crate::world::rng(7));
            let text = issue_hashed(&draft(&case), hash, &world.chain, holder, &world.issuer, rng).unwrap();
            let held = verify_issued(&text, &world.policy(), crate::world::NOW).unwrap();
            assert_eq!(SdJwtIn::parse(&text).unwrap().payload()["_sd_alg"], hash.name());
            let all = without_registered(held.claims());
            assert_eq!(all, without_registered(case["claims"].as_object().unwrap()), "{name}");
            let selection = held.select_exactly(&chosen).unwrap();
            let presentation = selection.bind(&world.key_binding(), &world.holder).unwrap();
            let presented = verify_presented(&presentation, &world.expected()).unwrap();
            let shown = without_registered(presented.claims());
            assert_eq!(shown, without_registered(&selection.shown()), "{name}");
            assert_eq!(shown, without_registered(case["verified"].as_object().unwrap()), "{name}");
            // The same through JSON, with its key binding.
            let json = SdJwtIn::parse(&presentation).unwrap().to_flattened_json();
            let read = SdJwtJsonIn::parse(json.as_bytes()).unwrap();
            assert!(verify_presented(read.first(), &world.expected()).is_ok(), "{name}");
        }
    }
}

#[test]
fn decoys_fill_every_object_up_to_8_16_or_32_under_every_hash() {
    let world = &*WORLD;
    for (claims, digests) in [(1, 8), (8, 8), (9, 16), (17, 32), (32, 32), (33, 64)] {
        let members: Map<String, Value> = (0..claims).map(|i| (format!("c{i}"), json!(i))).collect();
        let mut draft = IssuanceDraft { disclosable: members.clone(), ..world.draft() };
        draft.visible = map(json!({"inner": members}));
        draft.nested = members.keys().map(|name| ClaimPath::names(["inner", name])).collect();
        for hash in [HashAlgorithm::Sha256, HashAlgorithm::Sha384, HashAlgorithm::Sha512] {
            let (holder, rng) = (world.holder.public_key(), &mut crate::world::rng(9));
            let text = issue_hashed(&draft, hash, &world.chain, holder, &world.issuer, rng).unwrap();
            let parsed = SdJwtIn::parse(&text).unwrap();
            let payload = parsed.payload();
            for object in [&payload, payload["inner"].as_object().unwrap()] {
                let listed = object["_sd"].as_array().unwrap();
                assert_eq!(listed.len(), digests, "{claims}");
                // A decoy is as long as a digest, and they stand in no order of their own.
                let length = hash.digest("").len();
                assert!(listed.iter().all(|digest| digest.as_str().unwrap().len() == length));
                assert!(listed.is_sorted_by_key(|digest| digest.as_str().unwrap()));
            }
        }
    }
}
