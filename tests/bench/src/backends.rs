//! ES256 alone, by each backend that was thought of (docs/decisions/0002): what a verification cannot be faster than.

use crate::{median, rate};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED as VERIFIED, ECDSA_P256_SHA256_FIXED_SIGNING as SIGNED, EcdsaKeyPair, KeyPair as _,
    ParsedPublicKey,
};
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use ring::signature::KeyPair as _;

/// What is signed: as long as the signing input of a small credential.
const MESSAGE: [u8; 600] = [0x61; 600];

/// A backend with a key of its own.
pub struct Backend {
    pub name: &'static str,
    sign: Box<dyn FnMut()>,
    pub verify: Box<dyn FnMut()>,
}

/// Prints the table.
pub fn print() {
    let mut backends = [aws_lc(), ring(), p256()];
    println!(
        "ES256 alone, 600 bytes, key parsed before; operations per second of processor time (median of 7 turns)\n"
    );
    println!("| | sign | verify |\n|---|---|---|");
    let mut table = [[[0f64; 7]; 2]; 3];
    for turn in 0..7 {
        for (row, backend) in table.iter_mut().zip(&mut backends) {
            row[0][turn] = rate(&mut backend.sign);
            row[1][turn] = rate(&mut backend.verify);
        }
    }
    let medians = table.map(|row| row.map(median));
    for (backend, row) in backends.iter().zip(&medians) {
        let cells: Vec<String> =
            row.iter().zip(&medians[0]).map(|(r, ours)| format!("{r:.0} ({:.2}×)", ours / r)).collect();
        println!("| {} | {} |", backend.name, cells.join(" | "));
    }
    println!();
}

/// The one that we are built on, by its ordinary interface.
pub fn aws_lc() -> Backend {
    let key = EcdsaKeyPair::generate(&SIGNED).expect("key");
    let random = aws_lc_rs::rand::SystemRandom::new();
    let public = ParsedPublicKey::new(&VERIFIED, key.public_key().as_ref()).expect("public key");
    let signature = key.sign(&random, &MESSAGE).expect("signature");
    Backend {
        name: "**aws-lc-rs** 1.19",
        sign: Box::new(move || {
            let _signature = key.sign(&random, &MESSAGE).expect("signature");
        }),
        verify: Box::new(move || public.verify_sig(&MESSAGE, signature.as_ref()).expect("verified")),
    }
}

fn ring() -> Backend {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, UnparsedPublicKey};
    let random = ring::rand::SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("key");
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).expect("key");
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key().as_ref().to_vec());
    let signature = key.sign(&random, &MESSAGE).expect("signature");
    Backend {
        name: "ring 0.17 (parses the key each time)",
        sign: Box::new(move || {
            let _signature = key.sign(&random, &MESSAGE).expect("signature");
        }),
        verify: Box::new(move || public.verify(&MESSAGE, signature.as_ref()).expect("verified")),
    }
}

fn p256() -> Backend {
    let key = p256::ecdsa::SigningKey::from_slice(&[7; 32]).expect("key");
    let public = *key.verifying_key();
    let signature: p256::ecdsa::Signature = key.sign(&MESSAGE);
    Backend {
        name: "p256 0.14",
        sign: Box::new(move || {
            let _signature: p256::ecdsa::Signature = key.sign(&MESSAGE);
        }),
        verify: Box::new(move || public.verify(&MESSAGE, &signature).expect("verified")),
    }
}
