//! The secret keyed transform: `P · H · D3 · H · D2 · H · D1`, in integers.
//!
//! `D1..D3` are sign vectors, `P` a permutation, all drawn from the seed by ChaCha20; `H` is the Walsh-Hadamard matrix.
//! Orthogonal up to scale, so angles stay; without the seed the result says nothing of which direction was which.

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use zeroize::Zeroizing;

use super::bits::{CODE_BITS, unpack};
use crate::template::FixedVector;

/// The transformed vector. Fixed point has 15 bits, three Hadamard rounds add at most 27: below 2^42 everywhere.
pub(super) type Transformed = Zeroizing<[i64; CODE_BITS]>;

/// Transforms a vector under a seed. Vectors shorter than the code are padded with zeros.
pub(super) fn apply(vector: &FixedVector, seed: &[u8; 32]) -> Box<Transformed> {
    let mut stream = KeyStream::new(seed);
    let mut values = Box::new(Zeroizing::new([0_i64; CODE_BITS]));
    for (to, from) in values.iter_mut().zip(vector.iter()) {
        *to = i64::from(from);
    }
    for _ in 0..ROUNDS {
        let mut signs = Zeroizing::new([0; CODE_BITS / 8]);
        stream.fill(signs.as_mut_slice());
        for (value, sign) in values.iter_mut().zip(unpack(signs.as_slice())) {
            // 0 → 1, 1 → -1, without a branch on the secret.
            *value *= 1 - 2 * i64::from(sign);
        }
        hadamard(&mut values);
    }
    permute(&values, &stream.permutation())
}

/// The transform turned around: carries what [`apply`] gives back, up to scale. For [`super::audit`].
pub(super) fn back(values: &[i64; CODE_BITS], seed: &[u8; 32]) -> Box<Transformed> {
    let mut stream = KeyStream::new(seed);
    let mut rounds = [(); ROUNDS].map(|()| Zeroizing::new([0; CODE_BITS / 8]));
    for signs in &mut rounds {
        stream.fill(signs.as_mut_slice());
    }
    let mut turned = Box::new(Zeroizing::new([0_i64; CODE_BITS]));
    for (value, to) in values.iter().zip(stream.permutation().iter()) {
        if let Some(place) = turned.get_mut(usize::from(*to)) {
            *place = *value;
        }
    }
    for signs in rounds.iter().rev() {
        hadamard(&mut turned);
        for (value, sign) in turned.iter_mut().zip(unpack(signs.as_slice())) {
            *value *= 1 - 2 * i64::from(sign);
        }
    }
    turned
}

/// The unnormalised Walsh-Hadamard transform, in place, in natural order.
fn hadamard(values: &mut [i64; CODE_BITS]) {
    let mut half = 1;
    while half < CODE_BITS {
        for block in values.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for (a, b) in low.iter_mut().zip(high) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
}

fn permute(values: &[i64; CODE_BITS], permutation: &[u16; CODE_BITS]) -> Box<Transformed> {
    let mut permuted = Box::new(Zeroizing::new([0; CODE_BITS]));
    for (to, from) in permuted.iter_mut().zip(permutation) {
        *to = values.get(usize::from(*from)).copied().unwrap_or_default();
    }
    permuted
}

/// ChaCha20 (RFC 8439) with a zero nonce: the key is used for nothing else.
struct KeyStream(ChaCha20);

impl KeyStream {
    fn new(seed: &[u8; 32]) -> Self {
        Self(ChaCha20::new(seed.into(), &[0; 12].into()))
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(0);
        self.0.apply_keystream(bytes);
    }

    /// A uniform permutation: Fisher-Yates from the end, each index by rejection from 16 bits, little-endian.
    fn permutation(&mut self) -> Box<Zeroizing<[u16; CODE_BITS]>> {
        let mut permutation = Box::new(Zeroizing::new([0_u16; CODE_BITS]));
        for (i, entry) in (0_u16..).zip(permutation.iter_mut()) {
            *entry = i;
        }
        for last in (1..CODE_BITS).rev() {
            let chosen = self.below(last + 1);
            permutation.swap(last, chosen);
        }
        permutation
    }

    /// A uniform number below `bound`, which is at most 512.
    fn below(&mut self, bound: usize) -> usize {
        let mask = bound.next_power_of_two() - 1;
        loop {
            let mut bytes = Zeroizing::new([0; 2]);
            self.fill(bytes.as_mut_slice());
            let drawn = usize::from(u16::from_le_bytes(*bytes)) & mask;
            if drawn < bound {
                return drawn;
            }
        }
    }
}

/// How many times a sign vector and a Hadamard transform are applied.
const ROUNDS: usize = 3;

#[cfg(test)]
mod tests;
