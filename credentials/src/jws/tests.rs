use super::*;
use crate::signer::SoftwareKey;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde_json::json;

fn key(seed: u64) -> SoftwareKey {
    SoftwareKey::generate(&mut ChaCha20Rng::seed_from_u64(seed)).unwrap()
}

fn signed(header: &Value, key: &SoftwareKey) -> String {
    sign(header.as_object().unwrap(), b"{}", key).unwrap()
}

fn read(text: &str) -> Result<JwsIn<'_>, JwsError> {
    JwsIn::parse(text, &Limits::TOKEN)
}

fn header_error(header: &Value) -> JwsError {
    read(&signed(header, &key(1))).unwrap_err()
}

#[test]
fn what_is_signed_verifies_and_nothing_else() {
    let text = signed(&json!({"alg": "ES256", "typ": "x"}), &key(1));
    let token = read(&text).unwrap();
    assert_eq!(token.verify(key(1).public_key()), Ok(()));
    assert_eq!(token.verify(key(2).public_key()), Err(JwsError::Signature));
    let other = text.replace(".e30.", &format!(".{}.", b64::encode(b"[]")));
    assert_eq!(read(&other).unwrap().verify(key(1).public_key()), Err(JwsError::Signature));
}

#[test]
fn attack_01_none_in_every_spelling_and_missing_is_refused() {
    for alg in [json!("none"), json!("NoNe"), json!("NONE"), json!(""), json!(null), json!(["ES256"]), json!("es256")] {
        assert_eq!(header_error(&json!({"alg": alg})), JwsError::Algorithm, "{alg}");
    }
    assert_eq!(header_error(&json!({})), JwsError::Algorithm);
    let unsigned = format!("{}.{}.", b64::encode(br#"{"alg":"none"}"#), b64::encode(b"{}"));
    assert_eq!(read(&unsigned).unwrap_err(), JwsError::Algorithm);
    let stripped = format!("{}.{}.", b64::encode(br#"{"alg":"ES256"}"#), b64::encode(b"{}"));
    assert_eq!(read(&stripped).unwrap_err(), JwsError::Signature);
}

#[test]
fn attack_02_a_mac_under_the_public_key_is_refused() {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let input = format!("{}.{}", b64::encode(br#"{"alg":"HS256"}"#), b64::encode(b"{}"));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key(1).public_key().to_sec1()).unwrap();
    mac.update(input.as_bytes());
    let token = format!("{input}.{}", b64::encode(&mac.finalize().into_bytes()));
    assert_eq!(read(&token).unwrap_err(), JwsError::Algorithm);
}

#[test]
fn attack_03_es384_is_refused_whatever_the_key() {
    assert_eq!(header_error(&json!({"alg": "ES384"})), JwsError::Algorithm);
    assert_eq!(header_error(&json!({"alg": "ES256K"})), JwsError::Algorithm);
}

#[test]
fn attack_04_a_der_signature_is_refused() {
    let text = signed(&json!({"alg": "ES256"}), &key(1));
    let (input, signature) = text.rsplit_once('.').unwrap();
    let raw = b64::decode(signature).unwrap();
    let der = p256::ecdsa::Signature::from_slice(&raw).unwrap().to_der();
    for bad in [der.as_bytes(), &raw[..63], &[&raw[..], &[0]].concat(), &[]] {
        let token = format!("{input}.{}", b64::encode(bad));
        assert_eq!(read(&token).unwrap_err(), JwsError::Signature);
    }
}

#[test]
fn attack_06_a_key_in_the_header_is_refused_where_it_proves_nothing() {
    let attacker = key(9);
    let text = signed(&json!({"alg": "ES256", "jwk": attacker.public_key().to_jwk()}), &attacker);
    let token = read(&text).unwrap();
    assert_eq!(token.expect_no_jwk(), Err(JwsError::Parameter("jwk")));
    assert_eq!(token.verify(key(1).public_key()), Err(JwsError::Signature));
    let mut private = attacker.public_key().to_jwk();
    private.insert("d".into(), json!("AA"));
    assert_eq!(header_error(&json!({"alg": "ES256", "jwk": private})), JwsError::Malformed("jwk"));
}

#[test]
fn attack_07_headers_that_fetch_keys_are_refused() {
    for name in ["jku", "x5u"] {
        let mut header = json!({"alg": "ES256"});
        header[name] = json!("https://attacker.example/keys");
        assert_eq!(header_error(&header), JwsError::Parameter(name));
    }
    for kid in ["https://attacker.example/key", "http://169.254.169.254/", "file:///etc/passwd"] {
        assert_eq!(header_error(&json!({"alg": "ES256", "kid": kid})), JwsError::Malformed("kid"));
    }
}

#[test]
fn attack_08_a_kid_that_is_a_path_or_sql_is_refused() {
    let long = "k".repeat(257);
    for kid in
        ["../../etc/passwd", "..", "a'; DROP TABLE keys;--", "' OR 1=1", "a\0", "a b", "", "a\n", "%2e%2e", &long]
    {
        assert_eq!(header_error(&json!({"alg": "ES256", "kid": kid})), JwsError::Malformed("kid"), "{kid}");
    }
    assert_eq!(header_error(&json!({"alg": "ES256", "kid": 7})), JwsError::Malformed("kid"));
    for kid in ["oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U", "did:example:123#0", "key-1"] {
        assert!(read(&signed(&json!({"alg": "ES256", "kid": kid}), &key(1))).is_ok(), "{kid}");
    }
}

#[test]
fn attack_09_crit_and_b64_are_refused_in_every_form() {
    for crit in [json!(["exp"]), json!([]), json!(["absent"]), json!(["b64"]), json!("b64"), json!(null)] {
        assert_eq!(header_error(&json!({"alg": "ES256", "crit": crit, "exp": 1})), JwsError::Parameter("crit"));
    }
    for b64 in [json!(false), json!(true)] {
        assert_eq!(header_error(&json!({"alg": "ES256", "b64": b64})), JwsError::Parameter("b64"));
    }
}

#[test]
fn attack_10_another_type_is_refused() {
    for typ in [json!("JWT"), json!("vc+sd-jwt"), json!("kb+jwt"), json!("statuslist+jwt"), json!("DC+SD-JWT")] {
        let text = signed(&json!({"alg": "ES256", "typ": typ}), &key(1));
        assert_eq!(read(&text).unwrap().expect_type("dc+sd-jwt"), Err(JwsError::Type { expected: "dc+sd-jwt" }));
    }
    assert!(read(&signed(&json!({"alg": "ES256"}), &key(1))).unwrap().expect_type("dc+sd-jwt").is_err());
    assert_eq!(header_error(&json!({"alg": "ES256", "typ": 1})), JwsError::Malformed("typ"));
}

#[test]
fn attack_12_a_header_with_a_name_twice_is_refused() {
    let header = b64::encode(br#"{"alg":"none","alg":"ES256"}"#);
    let text = signed(&json!({"alg": "ES256"}), &key(1));
    let (_, rest) = text.split_once('.').unwrap();
    let twice = format!("{header}.{rest}");
    assert_eq!(read(&twice).unwrap_err(), JwsError::Json { part: "header", cause: JsonError::DuplicateName });
}

#[test]
fn attack_27_base64_that_is_not_url_safe_and_unpadded_is_refused() {
    let text = signed(&json!({"alg": "ES256"}), &key(1));
    for bad in
        [format!("{text}="), text.replace(".e30.", ".e30=."), text.replace(".e30.", ".e31."), text.replace('.', "/.")]
    {
        assert_eq!(read(&bad).unwrap_err(), JwsError::NotCompact, "{bad}");
    }
}

#[test]
fn what_is_no_compact_jws_is_refused() {
    for text in ["", ".", "..", "...", "a.b", "a.b.c.d", "é.é.é"] {
        assert_eq!(read(text).unwrap_err(), JwsError::NotCompact, "{text}");
    }
    assert_eq!(read(&"A".repeat(262_144)).unwrap_err(), JwsError::NotCompact, "the longest that is read");
    let long = "A".repeat(262_145);
    assert_eq!(read(&long).unwrap_err(), JwsError::TooLong { most: 262_144, got: 262_145 });
}
