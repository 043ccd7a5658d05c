//! Presentations as a verifier receives them.

use crate::world::{AUDIENCE, NONCE, NOW, WORLD, hash, key, map};
use credentials::b64;
use credentials::jws::JwsError;
use credentials::key_binding::KeyBindingError;
use credentials::sd_jwt::{
    BindError, ParseError, PresentedCredential, SdJwtVc, SelectError, VerifyError, verify_presented,
};
use credentials::signer::SoftwareKey;
use schemas::{ClaimPath, Seconds, Timestamp};
use serde_json::{Value, json};
use std::sync::LazyLock;

fn verify(text: &str) -> Result<PresentedCredential, VerifyError> {
    verify_presented(text, &WORLD.expected())
}

fn refused(text: &str) -> VerifyError {
    verify(text).unwrap_err()
}

/// One and the same: each signature differs.
static HELD: LazyLock<SdJwtVc> = LazyLock::new(|| WORLD.held(&WORLD.draft()));

fn held() -> &'static SdJwtVc {
    &HELD
}

fn paths<const N: usize>(names: [&str; N]) -> Vec<ClaimPath> {
    names.into_iter().map(|name| ClaimPath::names([name])).collect()
}

/// The SD-JWT without KB-JWT, two claims shown.
fn unbound() -> String {
    held().select(&paths(["given_name", "address"])).unwrap().unbound()
}

fn claims() -> Value {
    json!({"iat": NOW.unix(), "aud": AUDIENCE, "nonce": NONCE, "sd_hash": hash(&unbound())})
}

fn bound(change: impl FnOnce(&mut Value)) -> String {
    let mut claims = claims();
    change(&mut claims);
    WORLD.bind_with(&unbound(), &json!({"alg": "ES256", "typ": "kb+jwt"}), &claims, &WORLD.holder)
}

fn bound_under(header: &Value, key: &SoftwareKey) -> String {
    WORLD.bind_with(&unbound(), header, &claims(), key)
}

const fn kb(error: KeyBindingError) -> VerifyError {
    VerifyError::KeyBinding(error)
}

#[test]
fn what_is_chosen_is_shown_and_nothing_else() {
    let credential = held();
    let selection = credential.select(&paths(["given_name", "address"])).unwrap();
    let text = selection.bind(&WORLD.key_binding(), &WORLD.holder).unwrap();
    let presented = verify(&text).unwrap();
    assert_eq!(presented.claims(), &selection.shown());
    assert_eq!(presented.claims()["address"], json!({"locality": "Львів", "country": "UA"}));
    assert!(!presented.claims().contains_key("family_name"));
    assert_eq!(presented.disclosed_paths(), selection.paths());
    assert_eq!(presented.key_binding().nonce(), NONCE);
    assert_eq!(presented.confirmation_key(), credential.confirmation_key());
    let nothing = credential.select(&[]).unwrap().bind(&WORLD.key_binding(), &WORLD.holder).unwrap();
    assert!(verify(&nothing).unwrap().disclosures().is_empty());
}

#[test]
fn key_binding_carries_what_the_holder_says() {
    let mut claims = WORLD.key_binding();
    claims.transaction_data_hashes = Some(vec!["aGFzaA".into()]);
    claims.amr = vec!["face".into(), "pin".into()];
    claims.acr = Some("urn:amparo:acr:presence-sw-pin".into());
    claims.auth_time = Some(NOW);
    claims.consent = Some(
        serde_json::from_value(json!({
            "v": 1, "id": "aWQ", "req": "cmVx", "aud": AUDIENCE, "purpose": ["amparo:border-entry"],
            "claims": [["given_name"]], "nbf": 1, "exp": 2, "ret": "PT24H", "rev": "cmV2",
        }))
        .unwrap(),
    );
    let text = held().select(&paths(["given_name"])).unwrap().bind(&claims, &WORLD.holder).unwrap();
    let presented = verify(&text).unwrap();
    let binding = presented.key_binding();
    assert_eq!(binding.transaction_data_hashes().unwrap(), ["aGFzaA"]);
    assert_eq!(binding.transaction_data_hashes_alg(), Some("sha-256"));
    assert_eq!(binding.consent(), claims.consent.as_ref());
    assert_eq!((binding.amr(), binding.acr()), (&claims.amr[..], claims.acr.as_deref()));
    assert_eq!((binding.auth_time(), binding.audience(), binding.issued_at()), (Some(NOW), AUDIENCE, NOW));
}

#[test]
fn a_choice_of_what_is_not_there_is_refused() {
    let credential = held();
    for path in
        [json!(["nothing"]), json!(["address", "street"]), json!(["nationalities", 2]), json!([null]), json!([])]
    {
        let path: ClaimPath = serde_json::from_value(path).unwrap();
        assert_eq!(credential.select(std::slice::from_ref(&path)).unwrap_err(), SelectError::NoSuchClaim(path));
    }
    let other = key(99);
    let selection = credential.select(&[]).unwrap();
    assert_eq!(selection.bind(&WORLD.key_binding(), &other), Err(BindError::WrongKey));
}

#[test]
fn nested_disclosures_come_with_what_stands_above_and_below() {
    let mut draft = WORLD.draft();
    let nested = json!([["address", "locality"], ["address", "country"], ["nationalities", null]]);
    draft.nested = serde_json::from_value(nested).unwrap();
    let credential = WORLD.held(&draft);
    assert_eq!(credential.disclosures().len(), 8);
    let shown = |path: Value| {
        let path: ClaimPath = serde_json::from_value(path).unwrap();
        let selection = credential.select(&[path]).unwrap();
        let presented = verify(&selection.bind(&WORLD.key_binding(), &WORLD.holder).unwrap()).unwrap();
        assert_eq!(presented.claims(), &selection.shown());
        let mut paths: Vec<String> = presented.disclosed_paths().iter().map(ToString::to_string).collect();
        paths.sort_by_key(String::len);
        let claims = presented.claims();
        (claims.get("address").cloned(), claims.get("nationalities").cloned(), paths.join(" "))
    };
    let country = r#"["address"] ["address","country"]"#;
    assert_eq!(shown(json!(["address", "country"])), (Some(json!({"country": "UA"})), None, country.into()));
    let (address, _, _) = shown(json!(["address"]));
    assert_eq!(address.unwrap(), json!({"country": "UA", "locality": "Львів"}));
    // The second element alone: it stands first in what is shown, and is still the second of what was signed.
    let (_, nationalities, paths) = shown(json!(["nationalities", 1]));
    assert_eq!(nationalities, Some(json!(["PL"])));
    assert_eq!(paths, r#"["nationalities"] ["nationalities",1]"#);
    let (_, nationalities, _) = shown(json!(["nationalities", null]));
    assert_eq!(nationalities, Some(json!(["UA", "PL"])));
}

#[test]
fn attack_05_a_twin_signature_is_accepted_and_bears_the_same_nonce() {
    let text = bound(|_| ());
    let (input, signature) = text.rsplit_once('.').unwrap();
    let low = p256::ecdsa::Signature::from_slice(&b64::decode(signature).unwrap()).unwrap();
    let high = p256::ecdsa::Signature::from_scalars(low.r().to_bytes(), (-*low.s()).to_bytes()).unwrap();
    let twin = format!("{input}.{}", b64::encode(&high.to_bytes()));
    assert_ne!(text, twin);
    let (a, b) = (verify(&text).unwrap(), verify(&twin).unwrap());
    assert_eq!(a.key_binding().nonce(), b.key_binding().nonce());
}

#[test]
fn attack_06_07_keys_in_the_header_of_a_kb_jwt_are_refused() {
    let attacker = key(66);
    let jwk = credentials::signer::Signer::public_key(&attacker).to_jwk();
    for (name, value) in [("jwk", json!(jwk)), ("x5c", json!(WORLD.chain.to_x5c()))] {
        let mut header = json!({"alg": "ES256", "typ": "kb+jwt"});
        header[name] = value;
        assert_eq!(refused(&bound_under(&header, &attacker)), kb(KeyBindingError::Jws(JwsError::Parameter(name))));
    }
    let header = json!({"alg": "ES256", "typ": "kb+jwt", "jku": "https://attacker.example"});
    assert_eq!(refused(&bound_under(&header, &WORLD.holder)), kb(KeyBindingError::Jws(JwsError::Parameter("jku"))));
}

#[test]
fn attack_10_another_type_of_kb_jwt_is_refused() {
    for typ in [json!("JWT"), json!("kb-jwt"), json!("KB+JWT"), json!("dc+sd-jwt"), json!("openid4vci-proof+jwt")] {
        let error = refused(&bound_under(&json!({"alg": "ES256", "typ": typ}), &WORLD.holder));
        assert_eq!(error, kb(KeyBindingError::Jws(JwsError::Type { expected: "kb+jwt" })));
    }
    let error = refused(&bound_under(&json!({"alg": "none", "typ": "kb+jwt"}), &WORLD.holder));
    assert_eq!(error, kb(KeyBindingError::Jws(JwsError::Algorithm)));
    // A KB-JWT in the issuer's place.
    let text = bound(|_| ());
    let kb_jwt = text.rsplit_once('~').unwrap().1;
    assert_eq!(refused(&WORLD.bind(&format!("{kb_jwt}~"))), VerifyError::Jws(JwsError::Type { expected: "dc+sd-jwt" }));
}

#[test]
fn attack_29_key_binding_stripped_is_refused() {
    assert_eq!(refused(&unbound()), VerifyError::KeyBindingMissing);
    assert_eq!(refused(held().as_str()), VerifyError::KeyBindingMissing);
}

#[test]
fn attack_30_another_audience_is_refused() {
    for aud in [
        "x509_san_dns:other.example",
        "verifier.example",
        "X509_san_dns:verifier.example",
        "",
        "x509_san_dns:verifier.example/",
    ] {
        assert_eq!(refused(&bound(|claims| claims["aud"] = json!(aud))), kb(KeyBindingError::Audience), "{aud}");
    }
    for aud in [json!([AUDIENCE]), json!([AUDIENCE, "other"]), json!(null), json!(1)] {
        assert_eq!(refused(&bound(|claims| claims["aud"] = aud)), kb(KeyBindingError::Malformed));
    }
}

#[test]
fn attack_31_another_nonce_is_refused() {
    for nonce in ["", "other", &NONCE.to_lowercase(), &NONCE.to_uppercase(), &format!("{NONCE} "), &NONCE[1..]] {
        assert_eq!(refused(&bound(|claims| claims["nonce"] = json!(nonce))), kb(KeyBindingError::Nonce), "{nonce}");
    }
    assert_eq!(refused(&bound(|claims| claims["nonce"] = json!([NONCE]))), kb(KeyBindingError::Malformed));
    // A verifier that expects nothing gets nothing.
    let mut expected = WORLD.expected();
    expected.nonce = "";
    let text = bound(|claims| claims["nonce"] = json!(""));
    assert_eq!(verify_presented(&text, &expected).unwrap_err(), kb(KeyBindingError::Nonce));
}

#[test]
fn attack_32_a_kb_jwt_of_another_time_is_refused() {
    let at = |offset: i64| bound(|claims| claims["iat"] = json!(NOW.unix() + offset));
    for offset in [-300, -1, 0, 60] {
        assert!(verify(&at(offset)).is_ok(), "{offset}");
    }
    for offset in [-301, -3600] {
        assert_eq!(refused(&at(offset)), kb(KeyBindingError::TooOld { most: Seconds::new(300) }));
    }
    for offset in [61, 3600] {
        assert_eq!(refused(&at(offset)), kb(KeyBindingError::InTheFuture { most: Seconds::MINUTE }));
    }
    for iat in [json!("1800000000"), json!(1_800_000_000.5), json!(null), json!([NOW.unix()])] {
        assert_eq!(refused(&bound(|claims| claims["iat"] = iat)), kb(KeyBindingError::Malformed));
    }
}

#[test]
fn attack_33_disclosures_changed_after_binding_are_refused() {
    let text = bound(|_| ());
    let parts: Vec<&str> = text.split('~').collect();
    let [jwt, first, second, kb_jwt] = parts[..] else { panic!("two disclosures") };
    let sd_hash = kb(KeyBindingError::SdHash);
    assert_eq!(refused(&format!("{jwt}~{second}~{first}~{kb_jwt}")), sd_hash);
    assert_eq!(refused(&format!("{jwt}~{first}~{kb_jwt}")), sd_hash);
    assert_eq!(refused(&format!("{jwt}~{kb_jwt}")), sd_hash);
    let other = held().select(&paths(["family_name"])).unwrap().unbound();
    assert_eq!(refused(&format!("{other}{kb_jwt}")), sd_hash);
    let hashes = [
        b64::encode(&sha2::Digest::finalize(sha2::Digest::chain_update(
            <sha2::Sha512 as sha2::Digest>::new(),
            unbound(),
        ))),
        hash(unbound().trim_end_matches('~')),
        format!("{}=", hash(&unbound())),
        String::new(),
    ];
    for hash in hashes {
        assert_eq!(refused(&bound(|claims| claims["sd_hash"] = json!(hash))), sd_hash);
    }
}

#[test]
fn attack_34_a_kb_jwt_by_another_key_is_refused() {
    let header = json!({"alg": "ES256", "typ": "kb+jwt"});
    for other in [&key(66), &WORLD.issuer] {
        assert_eq!(refused(&bound_under(&header, other)), kb(KeyBindingError::Jws(JwsError::Signature)));
    }
}

#[test]
fn attack_35_types_are_compared_byte_for_byte() {
    let types = |vcts: &[&str]| vcts.iter().map(|vct| (*vct).to_owned()).collect::<Vec<_>>();
    let verify = |text: &str, vcts: &[&str]| {
        let vcts = types(vcts);
        verify_presented(text, &WORLD.expected().with_types(&vcts)).map(|_| ())
    };
    let text = WORLD.bind(&WORLD.forged(json!({"vct": "urn:amparo:attestation:1"}), &[]));
    assert_eq!(verify(&text, &["urn:amparo:identity:1", "urn:amparo:attestation:1"]), Ok(()));
    for other in [
        "urn:amparo:attestation:1 ",
        " urn:amparo:attestation:1",
        "urn:amparo:attestation:1/",
        "urn:amparo:attestation:1%2e",
        "urn%3Aamparo%3Aattestation%3A1",
        "URN:amparo:attestation:1",
        "urn:amparo:attestation:",
        "urn:amparo:attestation",
        "urn:amparo:attestation:10",
        "urn:amparo:аttestation:1",
    ] {
        assert_eq!(verify(&text, &[other]), Err(VerifyError::Type), "{other}");
        let twin = WORLD.bind(&WORLD.forged(json!({"vct": other}), &[]));
        assert_eq!(verify(&twin, &["urn:amparo:attestation:1"]), Err(VerifyError::Type), "{other}");
    }
    // `aka_vcts` is the issuer's word, as `vct` is. Nothing is fetched: `extends` loops and `vct#integrity` meet no reader.
    let aka =
        WORLD.bind(&WORLD.forged(json!({"aka_vcts": ["urn:amparo:attestation:1"], "vct#integrity": "sha256-x"}), &[]));
    assert_eq!(verify(&aka, &["urn:amparo:attestation:1"]), Ok(()));
    assert_eq!(verify(&aka, &["urn:amparo:attestation:2"]), Err(VerifyError::Type));
}

#[test]
fn attack_37_boundaries_of_time_for_the_verifier() {
    let text = |nbf: i64, exp: i64| WORLD.bind(&WORLD.forged(json!({"nbf": nbf, "exp": exp}), &[]));
    let now = NOW.unix();
    // Valid from `nbf` on, that second included; expired from `exp` on, that second included.
    assert!(verify(&text(now, now + 1)).is_ok());
    assert_eq!(refused(&text(now - 1, now)), VerifyError::Expired { expired_at: NOW });
    let not_before = Timestamp::from_unix(now + 1);
    assert_eq!(refused(&text(now + 1, now + 2)), VerifyError::NotYetValid { not_before });
}

#[test]
fn rfc9901_9_7_a_credential_that_nothing_ends_is_refused() {
    let mut payload = WORLD.payload();
    payload.remove("exp");
    let forge = |payload: &serde_json::Map<String, Value>| {
        WORLD.bind(&WORLD.forge(&WORLD.header(), &serde_json::to_vec(payload).unwrap(), &[]))
    };
    assert_eq!(refused(&forge(&payload)), VerifyError::Endless);
    payload.extend(map(json!({"status": {"status_list": {"idx": 0, "uri": "https://status.example/1"}}})));
    assert!(verify(&forge(&payload)).is_ok());
}

#[test]
fn limits_hold_before_any_signature() {
    let long = format!("{}~", "A".repeat(262_144));
    assert_eq!(refused(&long), VerifyError::Parse(ParseError::TooLong { most: 262_144, got: 262_145 }));
    for text in ["", "~", "~~", "a~b~c", "é~"] {
        assert!(verify(text).is_err());
    }
}
