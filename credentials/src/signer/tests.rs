use super::*;
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

/// The order of P-256.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

fn key(seed: u64) -> SoftwareKey {
    SoftwareKey::generate(&mut ChaCha20Rng::seed_from_u64(seed)).unwrap()
}

#[test]
fn scalars_out_of_range_are_no_keys() {
    assert_eq!(SoftwareKey::from_scalar(&[0; 32]).unwrap_err(), KeyError::Scalar);
    assert_eq!(SoftwareKey::from_scalar(&ORDER).unwrap_err(), KeyError::Scalar);
    assert_eq!(SoftwareKey::from_scalar(&[0xff; 32]).unwrap_err(), KeyError::Scalar);
    let mut last = ORDER;
    last[31] -= 1;
    assert!(SoftwareKey::from_scalar(&last).is_ok());
}

#[test]
fn debug_shows_no_secret() {
    let key = SoftwareKey::from_scalar(&[0x11; 32]).unwrap();
    assert_eq!(format!("{key:?}"), "SoftwareKey { public: PublicKey(OEurnbzO…), .. }");
}

#[test]
fn attack_04_r_or_s_of_zero_or_beyond_the_order_and_der_are_refused() {
    let key = key(1);
    let good = *key.sign(b"m").unwrap().as_bytes();
    assert!(key.public_key().verifies(b"m", &good));
    let with = |r: Option<[u8; 32]>, s: Option<[u8; 32]>| {
        let mut bytes = good;
        if let Some(r) = r {
            bytes[..32].copy_from_slice(&r);
        }
        if let Some(s) = s {
            bytes[32..].copy_from_slice(&s);
        }
        bytes
    };
    for bad in [
        with(Some([0; 32]), None),
        with(None, Some([0; 32])),
        with(Some([0; 32]), Some([0; 32])),
        with(Some(ORDER), None),
        with(None, Some(ORDER)),
        with(Some([0xff; 32]), Some([0xff; 32])),
    ] {
        assert!(!key.public_key().verifies(b"m", &bad));
    }
    // A DER signature is 70 to 72 bytes: no `[u8; 64]`, refused where the token is parsed (jws tests).
}

#[test]
fn attack_05_high_s_is_accepted() {
    let key = key(2);
    let low = p256::ecdsa::Signature::from_slice(key.sign(b"m").unwrap().as_bytes()).unwrap();
    let high = p256::ecdsa::Signature::from_scalars(low.r().to_bytes(), (-*low.s()).to_bytes()).unwrap();
    assert_ne!(low, high);
    for signature in [low, high] {
        assert!(key.public_key().verifies(b"m", &signature.to_bytes().into()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn p256_verifies_what_we_sign_and_we_verify_what_p256_signs(seed: u64, message: Vec<u8>) {
        let ours = key(seed);
        let theirs = p256::ecdsa::SigningKey::from_slice(&ours.scalar().unwrap()[..]).unwrap();
        let point = theirs.verifying_key().to_sec1_point(false);
        prop_assert_eq!(point.as_bytes(), &ours.public_key().to_sec1()[..]);

        let signature = p256::ecdsa::Signature::from_slice(ours.sign(&message).unwrap().as_bytes()).unwrap();
        prop_assert!(theirs.verifying_key().verify(&message, &signature).is_ok());

        let signature: p256::ecdsa::Signature = theirs.sign(&message);
        prop_assert!(ours.public_key().verifies(&message, &signature.to_bytes().into()));
        let mut other = message;
        other.push(0);
        prop_assert!(!ours.public_key().verifies(&other, &signature.to_bytes().into()));
    }
}
