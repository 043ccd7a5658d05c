//! The polar code [512, 96] and its list decoder: sixteen paths, integers only, always the same number of steps.
//!
//! Min-sum needs no scale, so the log-likelihood ratios are the transformed coordinates themselves, and the result does
//! not depend on any machine's floating point. Which buffer a path reads depends on the data; how much it reads does not.
//!
//! # Source
//! Arıkan, IEEE Trans. Inf. Theory 55(7), 2009; Tal and Vardy, "List decoding of polar codes", 61(5), 2015;
//! Balatsoukas-Stimming et al., "LLR-based SCL decoding", IEEE Trans. Signal Process. 63(19), 2015.

mod list;

use zeroize::Zeroizing;

use super::bits::{CODE_BITS, CODE_BYTES, MESSAGE_BYTES, pack, unpack};
use super::frozen::INFORMATION_SET;
use super::transform::Transformed;

pub(super) use list::decode;

/// How many candidates a release gives: the decoder's list, all of it, always.
pub const CANDIDATES: usize = 16;

/// Log-likelihood ratios, positive for a 0, in the decoder's integers.
pub(super) type Ratios = Zeroizing<[i32; CODE_BITS]>;

/// The codeword of a message: its bits on the information set, zeros elsewhere, times the Kronecker power of
/// `[1 0; 1 1]`, in natural order.
pub(super) fn encode(message: &[u8; MESSAGE_BYTES]) -> Zeroizing<[u8; CODE_BYTES]> {
    let mut word = Zeroizing::new([0_u8; CODE_BITS]);
    for (position, bit) in INFORMATION_SET.iter().zip(unpack(message)) {
        if let Some(to) = word.get_mut(usize::from(*position)) {
            *to = bit;
        }
    }
    let mut half = 1;
    while half < CODE_BITS {
        for block in word.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            low.iter_mut().zip(high).for_each(|(a, b)| *a ^= *b);
        }
        half *= 2;
    }
    pack(word.iter().copied())
}

/// What the transformed probe says of each codeword bit, given the helper data: the coordinate, its sign turned where the
/// helper bit is 1.
pub(super) fn likelihood_ratios(transformed: &Transformed, helper: &[u8; CODE_BYTES]) -> Box<Ratios> {
    let mut ratios = Box::new(Zeroizing::new([0_i32; CODE_BITS]));
    for ((to, value), bit) in ratios.iter_mut().zip(transformed.iter()).zip(unpack(helper)) {
        let turned = value * (1 - 2 * i64::from(bit));
        let scaled = ((turned + (1 << (SCALE_BITS - 1))) >> SCALE_BITS).clamp(-LARGEST, LARGEST);
        let ratio = scaled as i32;
        *to = ratio;
    }
    ratios
}

/// A unit vector's coordinates come out of the transform around 2^23; 2^15 keeps nine doublings within 32 bits.
const SCALE_BITS: u32 = 8;
/// Eight times the usual size: clipping there never changes a decision that was not certain.
const LARGEST: i64 = 1 << 18;

#[cfg(test)]
mod tests;
