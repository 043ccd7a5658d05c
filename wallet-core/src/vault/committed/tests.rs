//! One ciphertext, two keys: AES-GCM takes both, the commitment takes one.

use super::*;

/// Multiplication in GCM's field: NIST SP 800-38D §6.3, bit by bit.
fn times(x: u128, y: u128) -> u128 {
    let (mut z, mut v) = (0, y);
    for bit in (0..128).rev() {
        if x >> bit & 1 == 1 {
            z ^= v;
        }
        v = if v & 1 == 1 { v >> 1 ^ 0xe1 << 120 } else { v >> 1 };
    }
    z
}

/// The inverse: `x` to the power of 2^128 - 2.
fn inverse(x: u128) -> u128 {
    let (mut result, mut square) = (1 << 127, x);
    for _ in 1..128 {
        square = times(square, square);
        result = times(result, square);
    }
    result
}

fn ghash(h: u128, blocks: &[u128]) -> u128 {
    blocks.iter().fold(0, |y, block| times(y ^ block, h))
}

/// GCM's two secrets for a key and a nonce, taken from the cipher itself: the hash key and the tag's mask.
fn secrets(key: &MessageKey) -> (u128, u128) {
    use aes_gcm::aes::cipher::{BlockCipherEncrypt, KeyInit};
    let aes = aes_gcm::aes::Aes256::new((&*key.part::<32>(0)).into());
    let mut blocks = [[0u8; 16]; 2];
    blocks[1][..12].copy_from_slice(&key.nonce());
    blocks[1][15] = 1;
    let [h, mask] = blocks.map(|block| {
        let mut block = block.into();
        aes.encrypt_block(&mut block);
        u128::from_be_bytes(block.into())
    });
    (h, mask)
}

fn key(byte: u8) -> MessageKey {
    MessageKey::from_okm(Zeroizing::new(std::array::from_fn(|at| {
        byte.wrapping_mul(at as u8 ^ 0x5a).wrapping_add(byte)
    })))
}

/// A ciphertext as long as a slot's, and a tag, that AES-GCM takes under both keys.
///
/// All blocks are free but one, which solves one linear equation (Dodis, Grubbs, Ristenpart, Woodage, CRYPTO 2018;
/// Len, Grubbs, Ristenpart, USENIX Security 2021).
fn collision(one: &MessageKey, two: &MessageKey, aad: &[u8]) -> (Vec<u8>, [u8; 16]) {
    let mut blocks: Vec<u128> = aad
        .chunks(16)
        .map(|chunk| {
            let mut block = [0; 16];
            block[..chunk.len()].copy_from_slice(chunk);
            u128::from_be_bytes(block)
        })
        .collect();
    let first = blocks.len();
    blocks.extend((0..55).map(|at| 0x0123_4567_89ab_cdef_u128.wrapping_mul(at * at + 1)));
    blocks.push(((aad.len() as u128 * 8) << 64) | (880 * 8));
    let ((h1, mask1), (h2, mask2)) = (secrets(one), secrets(two));
    blocks[first] = 0;
    let difference = ghash(h1, &blocks) ^ mask1 ^ ghash(h2, &blocks) ^ mask2;
    let power = |h| (0..blocks.len() - first).fold(1 << 127, |power, _| times(power, h));
    blocks[first] = times(difference, inverse(power(h1) ^ power(h2)));
    let tag = ghash(h1, &blocks) ^ mask1;
    let ciphertext = blocks[first..first + 55].iter().flat_map(|block| block.to_be_bytes()).collect();
    (ciphertext, tag.to_be_bytes())
}

#[test]
fn attack_83_a_ciphertext_for_two_keys_is_refused_by_the_commitment() {
    let aad = b"amparo/v1/slot-aad and more";
    let (ciphertext, tag) = collision(&key(3), &key(200), aad);
    assert_eq!(ciphertext.len(), 880);
    for key in [key(3), key(200)] {
        let mut message = ciphertext.clone();
        let (nonce, cipher) = (key.nonce(), key.cipher());
        let taken = cipher.decrypt_inout_detached(&nonce.into(), aad, message.as_mut_slice().into(), (&tag).into());
        assert!(taken.is_ok(), "AES-GCM alone takes it");
    }
    let stored = key(3).commitment();
    let mut message = ciphertext.clone();
    assert_eq!(key(200).open(&stored, aad, &mut message, &tag), Err(Forged));
    assert_eq!(message, ciphertext, "nothing was decrypted");
    assert_eq!(key(3).open(&stored, aad, &mut message, &tag), Ok(()), "the collision is a real one");
}

#[test]
fn what_was_sealed_opens() {
    let mut message = *b"a master key";
    let stored = key(9).commitment();
    let tag = key(9).seal(b"aad", &mut message).unwrap();
    assert_ne!(&message, b"a master key");
    assert_eq!(key(9).open(&stored, b"other", &mut message, &tag), Err(Forged));
    assert_eq!(key(9).open(&stored, b"aad", &mut message, &tag), Ok(()));
    assert_eq!(&message, b"a master key");
}
