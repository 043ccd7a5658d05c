//! The vectors of RFC 7518 and OpenID4VP, and everything that is refused before a point is multiplied.

mod issuance;

use super::sealing::{ContentKey, point};
use super::*;
use crate::b64;
use crate::key::{KeyError, PublicKey};
use crate::testing::rng;
use p256::SecretKey;
use proptest::prelude::*;
use schemas::openid4vp::{ClientMetadata, JwkSet};
use serde_json::{Map, Value, json};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn recipient() -> DecryptionKey {
    DecryptionKey::generate(&mut rng(1)).unwrap()
}

fn seal(plaintext: &[u8], to: &DecryptionKey, encryption: ContentEncryption) -> String {
    encrypt(plaintext, to.public_key(), Some("k1"), encryption, b"Alice", b"Bob", &mut rng(2)).unwrap()
}

/// A good JWE with its header changed, the rest as it was.
fn with_header(change: impl FnOnce(&mut Map<String, Value>)) -> String {
    let jwe = seal(b"answer", &recipient(), ContentEncryption::A256Gcm);
    let (header, rest) = jwe.split_once('.').unwrap();
    let mut header = object(serde_json::from_slice(&b64::decode(header).unwrap()).unwrap());
    change(&mut header);
    format!("{}.{rest}", b64::encode(&serde_json::to_vec(&header).unwrap()))
}

fn refused(text: &str) -> JweError {
    recipient().decrypt(text, &ContentEncryption::ALL).unwrap_err()
}

#[test]
fn jwe_01_the_key_derivation_of_rfc_7518_appendix_c() {
    let scalar = |d: &str| SecretKey::from_slice(&b64::decode(d).unwrap()).unwrap();
    let public = |x: &str, y: &str| {
        let jwk = object(json!({"kty": "EC", "crv": "P-256", "x": x, "y": y}));
        point(&PublicKey::from_jwk(&jwk).unwrap()).unwrap()
    };
    let alice = scalar("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo");
    let bob = scalar("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw");
    let alices = public("gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0", "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps");
    let bobs = public("weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ", "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck");
    for (secret, public) in [(&alice, &bobs), (&bob, &alices)] {
        let key = ContentKey::agree(secret, public, ContentEncryption::A128Gcm, b"Alice", b"Bob");
        assert_eq!(b64::encode(key.as_bytes()), "VqqN6vgjbSBcIijNcacQGg");
        let other = ContentKey::agree(secret, public, ContentEncryption::A128Gcm, b"Bob", b"Alice");
        assert_ne!(other.as_bytes(), key.as_bytes());
        let longer = ContentKey::agree(secret, public, ContentEncryption::A256Gcm, b"Alice", b"Bob");
        assert_eq!(longer.as_bytes().len(), 32);
    }
}

#[test]
fn jwe_02_the_encrypted_response_of_openid4vp_opens() {
    let vector: Value =
        serde_json::from_str(include_str!("../../../tests/vectors/openid4vp/encrypted_response.json")).unwrap();
    let scalar = b64::decode_array(vector["jwk"]["d"].as_str().unwrap()).unwrap();
    let key = DecryptionKey::from_scalar(&scalar).unwrap();
    assert_eq!(key.to_public_jwk("ac")["x"], vector["jwk"]["x"]);
    let jwe = JweIn::parse(vector["jwe"].as_str().unwrap()).unwrap();
    assert_eq!((jwe.kid(), jwe.encryption()), (Some("ac"), ContentEncryption::A128Gcm));
    let plaintext = key.open(&jwe, &[ContentEncryption::A128Gcm]).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&plaintext).unwrap(), vector["payload"]);
    assert_eq!(key.open(&jwe, &[ContentEncryption::A256Gcm]).unwrap_err(), JweError::Encryption);
}

#[test]
fn jwe_03_what_is_encrypted_opens_for_its_recipient_only() {
    let key = recipient();
    for encryption in ContentEncryption::ALL {
        let jwe = seal(b"answer", &key, encryption);
        assert_eq!(*key.decrypt(&jwe, &[encryption]).unwrap(), b"answer");
        let parsed = JweIn::parse(&jwe).unwrap();
        assert_eq!((parsed.kid(), parsed.encryption()), (Some("k1"), encryption));
        let other = DecryptionKey::generate(&mut rng(3)).unwrap();
        assert_eq!(other.decrypt(&jwe, &[encryption]).unwrap_err(), JweError::Decrypt);
    }
    let again = DecryptionKey::from_scalar(&key.scalar()).unwrap();
    assert_eq!(again.public_key(), key.public_key());
    // A key and a vector of its own for every message.
    let twice =
        [4, 5].map(|seed| encrypt(b"", key.public_key(), None, ContentEncryption::A128Gcm, &[], &[], &mut rng(seed)));
    assert_ne!(twice[0], twice[1]);
    assert_eq!(format!("{key:?}"), format!("DecryptionKey {{ public: {:?}, .. }}", key.public_key()));
}

#[test]
fn attack_38_other_algorithms_are_refused_from_the_header() {
    // The ephemeral key is no point, and is never looked at: the answer is about the algorithm.
    let bad_epk = json!({"kty": "EC", "crv": "P-256", "x": b64::encode(&[0; 32]), "y": b64::encode(&[1; 32])});
    for alg in [
        json!("dir"),
        json!("RSA1_5"),
        json!("RSA-OAEP"),
        json!("RSA-OAEP-256"),
        json!("A128KW"),
        json!("ECDH-ES+A128KW"),
        json!("PBES2-HS256+A128KW"),
        json!("ecdh-es"),
        json!("none"),
        json!(["ECDH-ES"]),
        json!(null),
    ] {
        let jwe = with_header(|header| {
            header.insert("alg".to_owned(), alg.clone());
            header.insert("epk".to_owned(), bad_epk.clone());
            header.insert("p2c".to_owned(), json!(2_147_483_648_u64));
        });
        assert_eq!(refused(&jwe), JweError::Algorithm, "{alg}");
    }
    for (name, value) in [
        ("zip", json!("DEF")),
        ("zip", json!(null)),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("p2c", json!(2_147_483_648_u64)),
        ("p2s", json!("AAAA")),
        ("jku", json!("https://a.example")),
        ("x5u", json!("https://a.example")),
        ("b64", json!(false)),
    ] {
        let jwe = with_header(|header| {
            header.insert(name.to_owned(), value);
            header.insert("epk".to_owned(), bad_epk.clone());
        });
        assert_eq!(refused(&jwe), JweError::Parameter(name));
    }
    for enc in [json!("A192GCM"), json!("A128CBC-HS256"), json!("a256gcm"), json!(null), json!(1)] {
        assert_eq!(refused(&with_header(|header| drop(header.insert("enc".to_owned(), enc)))), JweError::Encryption);
    }
    // One that we have, but did not offer.
    let jwe = seal(b"answer", &recipient(), ContentEncryption::A128Gcm);
    assert_eq!(recipient().decrypt(&jwe, &[ContentEncryption::A256Gcm]).unwrap_err(), JweError::Encryption);
    for (name, value) in
        [("epk", json!(null)), ("epk", json!("x")), ("kid", json!(1)), ("apu", json!(1)), ("apv", json!("="))]
    {
        let jwe = with_header(|header| drop(header.insert(name.to_owned(), value)));
        assert_eq!(refused(&jwe), JweError::Malformed(name));
    }
}

#[test]
fn attack_38_ephemeral_keys_off_the_curve_are_refused() {
    let epk = |x: &[u8], y: &[u8]| json!({"kty": "EC", "crv": "P-256", "x": b64::encode(x), "y": b64::encode(y)});
    let refused_epk = |epk: Value| refused(&with_header(|header| drop(header.insert("epk".to_owned(), epk))));
    let (mut one, mut p) = ([0; 32], [0; 32]);
    one[31] = 1;
    hex::decode_to_slice("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff", &mut p).unwrap();
    for (x, y) in [
        // What would stand for infinity, if it had such an encoding.
        ([0; 32], [0; 32]),
        // Of order two on the curve y² = x³ - 3x + 2: what an invalid-curve attack sends.
        (one, [0; 32]),
        // The field prime, which reads as zero once reduced, and what is no field element at all.
        (p, [0; 32]),
        ([0xff; 32], [0xff; 32]),
        ([1; 32], [1; 32]),
    ] {
        assert_eq!(refused_epk(epk(&x, &y)), JweError::EphemeralKey(KeyError::NotOnCurve));
    }
    assert_eq!(refused_epk(epk(&[], &[])), JweError::EphemeralKey(KeyError::Coordinates));
    assert_eq!(refused_epk(epk(&[0; 31], &[0; 32])), JweError::EphemeralKey(KeyError::Coordinates));
    for (member, value, error) in [
        ("crv", json!("P-384"), KeyError::NotP256),
        ("kty", json!("OKP"), KeyError::NotP256),
        ("d", json!("AAAA"), KeyError::PrivateKey),
    ] {
        let mut jwk = recipient().public_key().to_jwk();
        jwk.insert(member.to_owned(), value);
        assert_eq!(refused_epk(jwk.into()), JweError::EphemeralKey(error));
    }
}

#[test]
fn attack_38_a_changed_apv_does_not_open() {
    for (name, value) in [("apv", "Qm9c"), ("apu", "Qm9i"), ("apv", "")] {
        let jwe = with_header(|header| drop(header.insert(name.to_owned(), json!(value))));
        assert_eq!(refused(&jwe), JweError::Decrypt);
    }
    let jwe = with_header(|header| drop(header.remove("apv")));
    assert_eq!(refused(&jwe), JweError::Decrypt);
    // The header is authenticated as it stands, also where it means the same.
    let jwe = with_header(|header| drop(header.insert("typ".to_owned(), json!("JWT"))));
    assert_eq!(refused(&jwe), JweError::Decrypt);
}

#[test]
fn attack_38_what_is_not_encrypted_is_refused() {
    let jwe = seal(b"answer", &recipient(), ContentEncryption::A256Gcm);
    let parts: Vec<&str> = jwe.split('.').collect();
    for text in [
        String::new(),
        r#"{"vp_token":{}}"#.to_owned(),
        parts[..3].join("."),
        parts[..4].join("."),
        format!("{jwe}."),
        format!("{jwe}.{jwe}"),
        [parts[0], "", parts[2], "a+/=", parts[4]].join("."),
    ] {
        assert_eq!(refused(&text), JweError::NotCompact);
    }
    for text in [
        [parts[0], "AAAA", parts[2], parts[3], parts[4]].join("."),
        [parts[0], "", "AAAA", parts[3], parts[4]].join("."),
        [parts[0], "", parts[2], parts[3], "AAAA"].join("."),
        [parts[0], "", parts[2], parts[3], ""].join("."),
    ] {
        assert_eq!(refused(&text), JweError::Length);
    }
    let twice = b64::encode(br#"{"alg":"ECDH-ES","alg":"ECDH-ES"}"#);
    assert!(matches!(refused(&format!("{twice}....")), JweError::Json(_)));
    assert_eq!(refused(&"a".repeat(MAX_LENGTH + 1)), JweError::TooLong { got: MAX_LENGTH + 1, most: MAX_LENGTH });
    let long = b64::encode(format!(r#"{{"alg":"ECDH-ES","x":"{}"}}"#, "x".repeat(9000)).as_bytes());
    assert!(matches!(refused(&format!("{long}....")), JweError::Json(_)));
}

#[test]
fn jwe_04_nothing_longer_than_will_be_read_is_made() {
    let key = recipient();
    let make = |length: usize| {
        encrypt(&vec![b'x'; length], key.public_key(), None, ContentEncryption::A128Gcm, &[], &[], &mut rng(6))
    };
    assert_eq!(make(MAX_LENGTH), Err(EncryptError::TooLong));
    assert_eq!(make(MAX_LENGTH * 3 / 4), Err(EncryptError::TooLong));
    let longest = make(MAX_LENGTH * 3 / 4 - 400).unwrap();
    assert!(key.decrypt(&longest, &ContentEncryption::ALL).is_ok());
}

#[test]
fn jwe_05_a_usable_key_and_the_strongest_encryption_are_chosen() {
    let key = recipient();
    let usable = key.to_public_jwk("k1");
    let other = |member: &str, value: Value| {
        let mut jwk = usable.clone();
        jwk.insert(member.to_owned(), value);
        jwk
    };
    let choose = |keys: Vec<Map<String, Value>>, encs: Option<&[&str]>| {
        Recipient::choose(&ClientMetadata {
            jwks: Some(JwkSet { keys }),
            encrypted_response_enc_values_supported: encs.map(|e| e.iter().map(|e| (*e).to_owned()).collect()),
            ..ClientMetadata::default()
        })
    };
    let unusable = vec![
        other("alg", json!("ECDH-ES+A128KW")),
        other("alg", json!(null)),
        other("use", json!("sig")),
        other("crv", json!("P-384")),
        other("kty", json!("OKP")),
        other("x", json!(b64::encode(&[1; 32]))),
        object(json!({})),
    ];
    assert_eq!(choose(unusable.clone(), None), Err(NoRecipient::Key));
    let chosen =
        choose([&unusable[..], std::slice::from_ref(&usable)].concat(), Some(&["A128CBC-HS256", "A128GCM", "A256GCM"]))
            .unwrap();
    assert_eq!((chosen.key(), chosen.encryption()), (key.public_key(), ContentEncryption::A256Gcm));
    let jwe = chosen.encrypt(b"answer", &mut rng(7)).unwrap();
    assert_eq!(JweIn::parse(&jwe).unwrap().kid(), Some("k1"));
    assert_eq!(*key.decrypt(&jwe, &ContentEncryption::ALL).unwrap(), b"answer");
    // A128GCM when the verifier does not say.
    assert_eq!(choose(vec![usable.clone()], None).unwrap().encryption(), ContentEncryption::A128Gcm);
    assert_eq!(choose(vec![usable.clone()], Some(&["A192GCM"])), Err(NoRecipient::Encryption));
    assert_eq!(choose(vec![usable], Some(&[])), Err(NoRecipient::Encryption));
    assert_eq!(Recipient::choose(&ClientMetadata::default()), Err(NoRecipient::Key));
}

proptest! {
    #[test]
    fn a_message_survives_the_round_trip(
        plaintext in prop::collection::vec(any::<u8>(), 0..500),
        apu in prop::collection::vec(any::<u8>(), 0..40),
        kid in prop::option::of("[a-z]{1,8}"),
        seed in any::<u64>(),
    ) {
        let key = recipient();
        for encryption in ContentEncryption::ALL {
            let jwe =
                encrypt(&plaintext, key.public_key(), kid.as_deref(), encryption, &apu, &[], &mut rng(seed)).unwrap();
            prop_assert_eq!(&*key.decrypt(&jwe, &[encryption]).unwrap(), &plaintext);
        }
    }

    /// No change of any character leaves something that opens.
    #[test]
    fn no_changed_character_opens(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_.-]") {
        let jwe = seal(b"answer", &recipient(), ContentEncryption::A128Gcm);
        let at = at.index(jwe.len());
        let mut changed = jwe.clone();
        changed.replace_range(at..=at, &to);
        prop_assume!(changed != jwe);
        prop_assert!(recipient().decrypt(&changed, &ContentEncryption::ALL).is_err());
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "[A-Za-z0-9_.=+/{}\":-]{0,300}", header in "\\{.{0,100}\\}") {
        let _ = recipient().decrypt(&text, &ContentEncryption::ALL);
        let _ = recipient().decrypt(&format!("{}....", b64::encode(header.as_bytes())), &ContentEncryption::ALL);
    }
}
