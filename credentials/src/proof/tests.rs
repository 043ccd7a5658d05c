use super::*;
use crate::signer::SoftwareKey;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use std::collections::HashSet;

const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);
const ISSUER: &str = "https://issuer.example/tenant";

fn key(seed: u64) -> SoftwareKey {
    SoftwareKey::generate(&mut ChaCha20Rng::seed_from_u64(seed)).unwrap()
}

fn check(text: &str) -> Result<PublicKey, ProofError> {
    verify(text, ISSUER, |nonce| nonce == "c-nonce", NOW)
}

/// A proof by `key(1)` with any header and claims.
fn forged(header: &Value, claims: &Value) -> Result<PublicKey, ProofError> {
    let text = jws::sign_object(header.as_object().unwrap(), claims.as_object().unwrap(), &key(1)).unwrap();
    check(&text)
}

fn header() -> Value {
    json!({"alg": "ES256", "typ": TYPE, "jwk": key(1).public_key().to_jwk()})
}

fn claims() -> Value {
    json!({"aud": ISSUER, "iat": NOW.unix(), "nonce": "c-nonce"})
}

fn with(mut value: Value, name: &str, change: Value) -> Value {
    value[name] = change;
    value
}

#[test]
fn a_proof_gives_its_key() {
    let text = create(ISSUER, "c-nonce", NOW, &key(1)).unwrap();
    assert_eq!(&check(&text).unwrap(), key(1).public_key());
}

#[test]
fn attack_52_a_stale_missing_or_foreign_nonce_is_invalid_nonce() {
    let text = create(ISSUER, "old", NOW, &key(1)).unwrap();
    assert_eq!(check(&text), Err(ProofError::Nonce));
    assert_eq!(forged(&header(), &json!({"aud": ISSUER, "iat": NOW.unix()})), Err(ProofError::Nonce));
    assert_eq!(forged(&header(), &with(claims(), "nonce", json!(1))), Err(ProofError::Malformed));
    // Not asked about a proof that is refused anyway: asking may consume it.
    let text = create("https://other.example", "c-nonce", NOW, &key(1)).unwrap();
    assert_eq!(verify(&text, ISSUER, |_| panic!("asked"), NOW), Err(ProofError::Audience));
    // Once only.
    let mut left = HashSet::from(["c-nonce".to_owned()]);
    let text = create(ISSUER, "c-nonce", NOW, &key(1)).unwrap();
    assert!(verify(&text, ISSUER, |nonce| left.remove(nonce), NOW).is_ok());
    assert_eq!(verify(&text, ISSUER, |nonce| left.remove(nonce), NOW), Err(ProofError::Nonce));
}

#[test]
fn attack_52_a_proof_for_another_issuer_is_refused() {
    for aud in ["https://other.example", "https://issuer.example", "https://issuer.example/tenant/", ""] {
        assert_eq!(forged(&header(), &with(claims(), "aud", json!(aud))), Err(ProofError::Audience), "{aud}");
    }
    assert_eq!(forged(&header(), &with(claims(), "aud", json!([ISSUER]))), Err(ProofError::Malformed));
}

#[test]
fn attack_52_a_proof_of_another_time_is_refused() {
    for (offset, accepted) in [(-300, true), (60, true), (-301, false), (61, false)] {
        let result = forged(&header(), &with(claims(), "iat", json!(NOW.unix() + offset))).map(|_| ());
        assert_eq!(result, if accepted { Ok(()) } else { Err(ProofError::Time) }, "{offset}");
    }
    assert_eq!(forged(&header(), &with(claims(), "iat", json!("now"))), Err(ProofError::Malformed));
}

#[test]
fn attack_52_keys_that_are_none_or_of_somebody_else_are_refused() {
    assert_eq!(forged(&with(header(), "kid", json!("0")), &claims()), Err(ProofError::NotOneKey));
    assert_eq!(forged(&json!({"alg": "ES256", "typ": TYPE}), &claims()), Err(ProofError::NotOneKey));
    let mut off = header();
    off["jwk"]["y"] = json!(crate::b64::encode(&[7; 32]));
    assert_eq!(forged(&off, &claims()), Err(ProofError::Key(KeyError::NotOnCurve)));
    let mut private = header();
    private["jwk"]["d"] = json!("AA");
    assert_eq!(forged(&private, &claims()), Err(ProofError::Jws(JwsError::Malformed("jwk"))));
    let other = with(header(), "jwk", key(2).public_key().to_jwk().into());
    assert_eq!(forged(&other, &claims()), Err(ProofError::Jws(JwsError::Signature)));
}

#[test]
fn attack_52_the_same_key_twice_in_a_batch_is_seen() {
    let keys: Vec<PublicKey> =
        [1, 2, 1].map(|seed| check(&create(ISSUER, "c-nonce", NOW, &key(seed)).unwrap()).unwrap()).into();
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), 2);
}

#[test]
fn attack_10_other_types_and_algorithms_are_no_proofs() {
    for typ in ["JWT", "dpop+jwt", "kb+jwt", "openid4vci-proof+JWT"] {
        let error = forged(&with(header(), "typ", json!(typ)), &claims()).unwrap_err();
        assert_eq!(error, ProofError::Jws(JwsError::Type { expected: TYPE }));
    }
    let error = forged(&with(header(), "alg", json!("none")), &claims()).unwrap_err();
    assert_eq!(error, ProofError::Jws(JwsError::Algorithm));
}
