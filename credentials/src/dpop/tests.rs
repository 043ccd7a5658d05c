use super::*;
use crate::signer::SoftwareKey;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);
const URI: &str = "https://issuer.example/credential";

fn key(seed: u64) -> SoftwareKey {
    SoftwareKey::generate(&mut ChaCha20Rng::seed_from_u64(seed)).unwrap()
}

fn check(text: &str) -> Result<DpopProof, DpopError> {
    verify(text, "POST", URI, Some("token"), NOW)
}

fn forged(header: &Value, claims: &Value) -> Result<(), DpopError> {
    let text = jws::sign_object(header.as_object().unwrap(), claims.as_object().unwrap(), &key(1)).unwrap();
    check(&text).map(|_| ())
}

fn header() -> Value {
    json!({"alg": "ES256", "typ": TYPE, "jwk": key(1).public_key().to_jwk()})
}

fn claims() -> Value {
    json!({"jti": "j", "htm": "POST", "htu": URI, "iat": NOW.unix(), "ath": token_hash("token")})
}

fn with(name: &str, change: Value) -> Result<(), DpopError> {
    let mut claims = claims();
    claims[name] = change;
    forged(&header(), &claims)
}

#[test]
fn a_proof_gives_its_key_jti_and_nonce() {
    let text = create("POST", &format!("{URI}?a=b#c"), NOW, Some("token"), Some("n"), [7; 16], &key(1)).unwrap();
    let proof = check(&text).unwrap();
    assert_eq!(&proof.key, key(1).public_key());
    assert_eq!((proof.jti.as_str(), proof.nonce.as_deref()), ("BwcHBwcHBwcHBwcHBwcHBw", Some("n")));
}

#[test]
fn attack_51_another_method_or_uri_is_refused() {
    for htm in ["GET", "post", ""] {
        assert_eq!(with("htm", json!(htm)), Err(DpopError::Method));
    }
    for htu in [
        "https://issuer.example/token",
        "http://issuer.example/credential",
        "https://issuer.example:8443/credential",
        "https://issuer.example.attacker.example/credential",
        "https://issuer.example/credential/",
        "https://issuer.example/Credential",
        "/credential",
        "",
    ] {
        assert_eq!(with("htu", json!(htu)), Err(DpopError::Uri), "{htu}");
    }
    for htu in ["HTTPS://ISSUER.example:443/credential", "https://issuer.example/a/../credential?x#y"] {
        assert_eq!(with("htu", json!(htu)), Ok(()), "{htu}");
    }
}

#[test]
fn attack_51_a_missing_or_foreign_token_hash_is_refused() {
    for ath in [json!(token_hash("other")), json!(""), json!(null)] {
        assert_eq!(with("ath", ath), Err(DpopError::AccessToken));
    }
    let text = create("POST", URI, NOW, None, None, [7; 16], &key(1)).unwrap();
    assert_eq!(check(&text), Err(DpopError::AccessToken));
    assert!(verify(&text, "POST", URI, None, NOW).is_ok());
}

#[test]
fn attack_51_unsigned_and_foreign_proofs_are_refused() {
    let mut none = header();
    none["alg"] = json!("none");
    assert_eq!(forged(&none, &claims()), Err(DpopError::Jws(JwsError::Algorithm)));
    let mut other = header();
    other["jwk"] = key(2).public_key().to_jwk().into();
    assert_eq!(forged(&other, &claims()), Err(DpopError::Jws(JwsError::Signature)));
    let mut typ = header();
    typ["typ"] = json!("openid4vci-proof+jwt");
    assert_eq!(forged(&typ, &claims()), Err(DpopError::Jws(JwsError::Type { expected: TYPE })));
    let mut keyless = header();
    keyless.as_object_mut().unwrap().remove("jwk");
    assert_eq!(forged(&keyless, &claims()), Err(DpopError::NoKey));
}

#[test]
fn attack_51_another_time_and_a_shapeless_jti_are_refused() {
    for (offset, expected) in [(-300, Ok(())), (60, Ok(())), (-301, Err(DpopError::Time)), (61, Err(DpopError::Time))] {
        assert_eq!(with("iat", json!(NOW.unix() + offset)), expected);
    }
    for jti in [json!(""), json!("j".repeat(257)), json!(1), json!(null)] {
        assert_eq!(with("jti", jti), Err(DpopError::Malformed));
    }
}

#[test]
fn attack_51_a_swapped_key_and_a_replay_are_seen_by_thumbprint_and_jti() {
    let proof = |seed| check(&create("POST", URI, NOW, Some("token"), None, [7; 16], &key(seed)).unwrap()).unwrap();
    assert_ne!(proof(1).key.thumbprint(), proof(2).key.thumbprint());
    assert_eq!(proof(1).jti, proof(1).jti);
}
