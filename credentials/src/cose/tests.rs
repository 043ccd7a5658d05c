use super::*;
use crate::cbor::{Limits, Value, Writer, parse};
use crate::key::PublicKey;
use crate::signer::Signer as _;
use crate::testing::key;
use zeroize::Zeroizing;

fn n(n: i64) -> Value {
    Value::Integer(n)
}

fn structure(protected: &[(i64, Value)], unprotected: Vec<(Value, Value)>, payload: Value, proof: usize) -> Value {
    let mut writer = Writer::new();
    writer.value(&Value::Map(protected.iter().map(|(label, value)| (n(*label), value.clone())).collect()));
    Value::Array(vec![
        Value::Bytes(writer.into_bytes()),
        Value::Map(unprotected),
        payload,
        Value::Bytes(vec![1; proof]),
    ])
}

fn sign1(protected: &[(i64, Value)], unprotected: Vec<(Value, Value)>) -> Result<Sign1In, CoseError> {
    Sign1In::read(structure(protected, unprotected, Value::Bytes(vec![1]), 64), "issuerAuth")
}

#[test]
fn the_vector_of_the_working_group_verifies() {
    let bytes = hex::decode(include_str!("../../../tests/vectors/cose/sign1-pass.hex").trim()).unwrap();
    let point = hex::decode(
        "04bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff\
         20138bf82dc1b6d562be0fa54ab7804a3a64b6d72ccfed6b6fb6ed28bbfc117e",
    );
    let key = PublicKey::from_sec1(&point.unwrap()).unwrap();
    let value = parse(&bytes, &Limits::MESSAGE).unwrap();
    let sign1 = Sign1In::read(value.clone(), "vector").unwrap();
    assert_eq!(sign1.payload(), Some(&b"This is the content."[..]));
    assert_eq!(sign1.verify(&key), Ok(()));
    assert_eq!(sign1.verify(crate::testing::key(1).public_key()), Err(CoseError::Signature));
    assert_eq!(sign1.verify_detached(b"This is the content.", &key), Err(CoseError::Payload));
    assert_eq!(
        Sign1In::read(Value::Tag(18, Box::new(value)), "vector").unwrap_err(),
        FieldError::Malformed("vector").into()
    );
}

#[test]
fn attack_01_02_03_only_es256_from_the_protected_header_is_an_algorithm() {
    assert!(sign1(&[(1, n(-7))], vec![]).is_ok());
    // ES384, EdDSA, HMAC, no algorithm, a name, one in the unprotected header only.
    for protected in [vec![(1, n(-35))], vec![(1, n(-8))], vec![(1, n(5))], vec![], vec![(1, "ES256".into())]] {
        assert_eq!(sign1(&protected, vec![(n(1), n(-7))]).unwrap_err(), CoseError::Algorithm);
    }
    let mac =
        |algorithm| Mac0In::read(structure(&[(1, n(algorithm))], vec![], Value::Null, 32), "deviceMac").map(|_| ());
    assert_eq!(mac(5), Ok(()));
    // HMAC 256/64, HMAC 384, ES256.
    for algorithm in [4, 6, -7] {
        assert_eq!(mac(algorithm), Err(CoseError::Algorithm));
    }
}

#[test]
fn attack_07_09_headers_that_bend_or_fetch_or_stand_twice_are_refused() {
    let alg = (1, n(-7));
    for label in [2, 35, 33] {
        assert_eq!(sign1(&[alg.clone(), (label, n(0))], vec![]).unwrap_err(), CoseError::Header, "{label}");
    }
    for label in [1, 2, 35] {
        assert_eq!(
            sign1(std::slice::from_ref(&alg), vec![(n(label), n(-7))]).unwrap_err(),
            CoseError::Header,
            "{label}"
        );
    }
    assert_eq!(sign1(&[alg.clone(), (99, n(0))], vec![(n(99), n(0))]).unwrap_err(), CoseError::Header);
    // What says nothing about keys or algorithms is not looked at.
    assert!(sign1(&[alg, (99, n(0))], vec![(n(4), Value::Bytes(vec![1]))]).is_ok());
}

#[test]
fn attack_11_a_chain_is_one_certificate_or_several() {
    let with =
        |value: Value| sign1(&[(1, n(-7))], vec![(n(33), value)]).map(|sign1| sign1.chain().unwrap().iter().count());
    let certificate = || Value::Bytes(vec![0x30, 0]);
    assert_eq!(with(certificate()), Ok(1));
    assert_eq!(with(Value::Array(vec![certificate(), certificate()])), Ok(2));
    for bad in [Value::Array(vec![]), Value::Array(vec![certificate()]), n(1), Value::Array(vec![n(1), n(2)])] {
        assert_eq!(with(bad), Err(FieldError::Malformed("x5chain").into()));
    }
    assert_eq!(with(Value::Array(vec![certificate(); 50])), Err(CoseError::Chain(ChainError::TooLong)));
}

#[test]
fn attack_04_signatures_of_another_length_are_refused() {
    for length in [0, 63, 65, 70] {
        let value = structure(&[(1, n(-7))], vec![], Value::Bytes(vec![]), length);
        assert_eq!(Sign1In::read(value, "x").unwrap_err(), CoseError::Signature);
    }
}

#[test]
fn a_mac_is_bound_to_payload_and_key_and_is_whole() {
    let secret = |byte| MacKey::new(Zeroizing::new([byte; 32]));
    let mut writer = Writer::new();
    write_mac0(&mut writer, b"payload", &secret(7));
    let value = parse(writer.as_bytes(), &Limits::MESSAGE).unwrap();
    let mac = Mac0In::read(value.clone(), "deviceMac").unwrap();
    assert_eq!(mac.verify_detached(b"payload", &secret(7)), Ok(()));
    assert_eq!(mac.verify_detached(b"payloae", &secret(7)), Err(CoseError::Mac));
    assert_eq!(mac.verify_detached(b"payload", &secret(8)), Err(CoseError::Mac));
    let mut parts = value.into_array().unwrap();
    let whole = parts[3].as_bytes().unwrap().to_vec();
    for cut in [0, 8, 31] {
        parts[3] = Value::Bytes(whole[..cut].to_vec());
        let mac = Mac0In::read(Value::Array(parts.clone()), "deviceMac").unwrap();
        assert_eq!(mac.verify_detached(b"payload", &secret(7)), Err(CoseError::Mac), "{cut}");
    }
    parts[2] = Value::Bytes(b"payload".to_vec());
    assert_eq!(Mac0In::read(Value::Array(parts), "deviceMac").unwrap_err(), CoseError::Payload);
}

#[test]
fn attack_03_34_52_keys_that_are_none_are_refused() {
    let public = key(1).public_key().clone();
    let mut writer = Writer::new();
    write_key(&mut writer, &public);
    let members = parse(writer.as_bytes(), &Limits::MESSAGE).unwrap().into_map().unwrap();
    let read = |members: Vec<(Value, Value)>| key_from_cbor(Value::Map(members));
    assert_eq!(read(members.clone()), Ok(public));
    let with = |label: i64, value: Value| {
        let mut members = members.clone();
        members.retain(|(key, _)| *key != n(label));
        members.push((n(label), value));
        read(members).unwrap_err()
    };
    assert_eq!(with(-4, Value::Bytes(vec![1; 32])), KeyError::PrivateKey.into());
    assert_eq!(with(1, n(1)), KeyError::NotP256.into());
    assert_eq!(with(-1, n(2)), KeyError::NotP256.into());
    assert_eq!(with(-3, Value::Bool(true)), KeyError::Coordinates.into());
    assert_eq!(with(-3, Value::Bytes(vec![7; 32])), KeyError::NotOnCurve.into());
    assert_eq!(with(-2, Value::Bytes(vec![7; 31])), KeyError::Coordinates.into());
}

#[test]
fn two_parties_agree_as_another_implementation_does() {
    use crate::key_agreement::KeyAgreement as _;
    let (ours, theirs) = (key(1), key(2));
    let shared = ours.agree(theirs.public_key()).unwrap();
    assert_eq!(shared.as_bytes(), theirs.agree(ours.public_key()).unwrap().as_bytes());
    let oracle = p256::SecretKey::from_slice(&ours.scalar().unwrap()[..]).unwrap();
    let peer = p256::PublicKey::from_sec1_bytes(&theirs.public_key().to_sec1()).unwrap();
    assert_eq!(&shared.as_bytes()[..], oracle.diffie_hellman(&peer).raw_secret_bytes().as_slice());
}
