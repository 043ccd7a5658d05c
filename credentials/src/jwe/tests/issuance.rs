//! OpenID4VCI 1.0 §10: to whom requests and answers are encrypted, and how long these may be.

use super::{object, recipient};
use crate::jwe::{ContentEncryption, DecryptionKey, JweError, JweIn, MAX_BATCH, MAX_LENGTH, NoRecipient, Recipient};
use crate::testing::rng;
use schemas::openid4vci::{AnswerEncryption, RequestEncryption};
use schemas::openid4vp::JwkSet;
use serde_json::{Map, Value, json};

fn offered(keys: Vec<Map<String, Value>>, enc: &[&str]) -> RequestEncryption {
    RequestEncryption {
        jwks: JwkSet { keys },
        enc_values_supported: enc.iter().map(|name| (*name).to_owned()).collect(),
        encryption_required: false,
    }
}

fn without(name: &str) -> Map<String, Value> {
    let mut jwk = recipient().to_public_jwk("k1");
    jwk.remove(name);
    jwk
}

fn with(name: &str, value: Value) -> Map<String, Value> {
    let mut jwk = recipient().to_public_jwk("k1");
    jwk.insert(name.to_owned(), value);
    jwk
}

#[test]
fn vci_10_a_request_goes_to_a_key_that_has_an_algorithm_and_a_name() {
    let good = recipient().to_public_jwk("k1");
    let bad = [
        without("alg"),
        without("kid"),
        with("alg", json!("ECDH-ES+A128KW")),
        with("use", json!("sig")),
        with("kid", json!(1)),
        with("crv", json!("P-384")),
        with("d", json!("AA")),
        object(json!({"kty": "RSA", "alg": "RSA-OAEP", "kid": "r"})),
    ];
    for jwk in &bad {
        let chosen = Recipient::of_issuer(&offered(vec![jwk.clone()], &["A256GCM"]));
        assert_eq!(chosen, Err(NoRecipient::Key), "{jwk:?}");
    }
    let keys: Vec<_> = bad.into_iter().chain([good]).collect();
    let chosen = Recipient::of_issuer(&offered(keys.clone(), &["A128GCM", "A256GCM"])).unwrap();
    assert_eq!(chosen.encryption(), ContentEncryption::A256Gcm);
    let jwe = chosen.encrypt(b"{}", &mut rng(1)).unwrap();
    assert_eq!(JweIn::parse(&jwe).unwrap().kid(), Some("k1"), "the name of the key chosen goes with the message");
    assert_eq!(*recipient().decrypt(&jwe, &ContentEncryption::ALL).unwrap(), b"{}");
    for enc in [&["A128CBC-HS256"][..], &["a256gcm"], &[]] {
        assert_eq!(Recipient::of_issuer(&offered(keys.clone(), enc)), Err(NoRecipient::Encryption));
    }
}

#[test]
fn vci_10_an_answer_goes_to_the_key_that_was_asked_for_or_nowhere() {
    let wish = |jwk, enc: &str| AnswerEncryption { jwk, enc: enc.to_owned(), zip: None };
    for jwk in
        [without("alg"), with("alg", json!("RSA-OAEP")), with("kid", json!(1)), with("d", json!("AA")), Map::new()]
    {
        assert_eq!(Recipient::of_wallet(&wish(jwk, "A256GCM")), Err(NoRecipient::Key));
    }
    for enc in ["A192GCM", "A128CBC-HS256", "", "none"] {
        assert_eq!(Recipient::of_wallet(&wish(without("use"), enc)), Err(NoRecipient::Encryption), "{enc}");
    }
    for (jwk, kid) in [(without("use"), Some("k1")), (without("kid"), None)] {
        let to = Recipient::of_wallet(&wish(jwk, "A128GCM")).unwrap();
        let jwe = to.encrypt(b"copies", &mut rng(1)).unwrap();
        let parsed = JweIn::parse(&jwe).unwrap();
        assert_eq!(
            (parsed.kid(), parsed.encryption()),
            (kid, ContentEncryption::A128Gcm),
            "what was asked, no stronger"
        );
        let other = DecryptionKey::generate(&mut rng(9)).unwrap();
        assert_eq!(other.open(&parsed, &ContentEncryption::ALL).unwrap_err(), JweError::Decrypt);
    }
}

#[test]
fn vci_10_thirty_copies_with_portraits_fit_and_no_more_is_read_than_the_caller_says() {
    let to = Recipient::of_issuer(&offered(vec![recipient().to_public_jwk("k1")], &["A256GCM"])).unwrap();
    let batch = vec![b'a'; 900 * 1024];
    assert!(to.encrypt(&batch, &mut rng(1)).is_err());
    let jwe = to.encrypt_at_most(&batch, MAX_BATCH, &mut rng(1)).unwrap();
    let got = jwe.len();
    assert_eq!(JweIn::parse(&jwe).unwrap_err(), JweError::TooLong { got, most: MAX_LENGTH });
    assert_eq!(JweIn::parse_at_most(&jwe, got - 1).unwrap_err(), JweError::TooLong { got, most: got - 1 });
    let parsed = JweIn::parse_at_most(&jwe, MAX_BATCH).unwrap();
    assert_eq!(recipient().open(&parsed, &ContentEncryption::ALL).unwrap().len(), batch.len());
    assert!(to.encrypt_at_most(&vec![0; MAX_BATCH], MAX_BATCH, &mut rng(1)).is_err(), "base64 makes it longer");
}
