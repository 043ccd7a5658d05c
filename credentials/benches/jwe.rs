//! How long it takes to encrypt an answer, and to decrypt it.

#![allow(missing_docs, clippy::unwrap_used, reason = "a bench may stop where it stands")]

use credentials::jwe::{ContentEncryption, DecryptionKey, encrypt};
use divan::{Bencher, black_box};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

/// What a presentation with a consent takes, roughly.
const ANSWER: [u8; 4096] = [b'x'; 4096];

fn main() {
    divan::main();
}

fn key() -> DecryptionKey {
    DecryptionKey::generate(&mut ChaCha20Rng::seed_from_u64(1)).unwrap()
}

/// A fresh ephemeral key, one agreement, 4 KiB.
#[divan::bench(args = [ContentEncryption::A128Gcm, ContentEncryption::A256Gcm])]
fn seal(bencher: Bencher<'_, '_>, encryption: ContentEncryption) {
    let (key, mut rng) = (key(), ChaCha20Rng::seed_from_u64(2));
    bencher.bench_local(|| encrypt(black_box(&ANSWER), key.public_key(), Some("1"), encryption, &[], &[], &mut rng));
}

/// Header, one agreement, 4 KiB.
#[divan::bench(args = [ContentEncryption::A128Gcm, ContentEncryption::A256Gcm])]
fn open(bencher: Bencher<'_, '_>, encryption: ContentEncryption) {
    let (key, mut rng) = (key(), ChaCha20Rng::seed_from_u64(2));
    let jwe = encrypt(&ANSWER, key.public_key(), Some("1"), encryption, &[], &[], &mut rng).unwrap();
    bencher.bench(|| key.decrypt(black_box(&jwe), &ContentEncryption::ALL).unwrap());
}

/// What is refused from the header costs no work on the curve.
#[divan::bench]
fn refuse(bencher: Bencher<'_, '_>) {
    let key = key();
    let header = credentials::b64::encode(br#"{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483648}"#);
    let jwe = format!("{header}.AAAA.AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA");
    bencher.bench(|| key.decrypt(black_box(&jwe), &ContentEncryption::ALL).unwrap_err());
}
