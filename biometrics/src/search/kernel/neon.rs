//! The sums by 128-bit instructions of 64-bit ARM.

use std::arch::aarch64::{
    int8x16_t, int16x8_t, int32x4_t, uint8x16_t, vaddq_s32, vandq_u8, vcombine_s8, vdup_n_s32, vdupq_n_s16, vdupq_n_u8,
    vget_low_s8, vld1q_u8, vmlal_high_s8, vmlal_s8, vpaddlq_s16, vpaddq_s32, vreinterpret_s8_s32, vreinterpretq_s8_u8,
    vshrq_n_u8, vst1q_s32,
};

use super::{BLOCK, Group, LANES, Sought, TOGETHER, scaled};

#[target_feature(enable = "neon")]
pub(super) fn with_neon(block: &[Group], sought: &[Sought], out: &mut [[f32; BLOCK]; TOGETHER]) {
    for (sought, out) in sought.iter().zip(out) {
        for (group, out) in block.iter().zip(out.as_chunks_mut().0) {
            scaled(&sums(group, sought), group, sought, out);
        }
    }
}

/// A byte's place is summed over the steps first, at most 16 × 15 × 127 for each half; the four of a vector last.
#[inline]
#[target_feature(enable = "neon")]
fn sums(group: &Group, sought: &Sought) -> [i32; LANES] {
    let halves = vdupq_n_u8(15);
    // For each quarter of a step: its first eight bytes and its last, their lower halves and their upper ones.
    let mut sums = [[[vdupq_n_s16(0); 2]; 2]; 4];
    for (step, [a, b]) in group.steps.iter().zip(&sought.steps) {
        let (for_low, for_high) = (repeated(a), repeated(b));
        for ([low, high], quarter) in sums.iter_mut().zip(step.as_chunks::<16>().0) {
            let codes = load(quarter);
            *low = added(*low, vreinterpretq_s8_u8(vandq_u8(codes, halves)), for_low);
            *high = added(*high, vreinterpretq_s8_u8(vshrq_n_u8::<4>(codes)), for_high);
        }
    }
    let mut out = [0; LANES];
    for ([[a, b], [c, d]], out) in sums.into_iter().zip(out.as_chunks_mut::<4>().0) {
        // Pairs of one half, to 32 bits; both halves; pairs again: four bytes of a vector.
        let first = vaddq_s32(vpaddlq_s16(a), vpaddlq_s16(c));
        let last = vaddq_s32(vpaddlq_s16(b), vpaddlq_s16(d));
        store(out, vpaddq_s32(first, last));
    }
    out
}

#[inline]
#[target_feature(enable = "neon")]
fn added([first, last]: [int16x8_t; 2], codes: int8x16_t, numbers: int8x16_t) -> [int16x8_t; 2] {
    [vmlal_s8(first, vget_low_s8(codes), vget_low_s8(numbers)), vmlal_high_s8(last, codes, numbers)]
}

#[inline]
#[target_feature(enable = "neon")]
fn repeated(numbers: &[i8; 4]) -> int8x16_t {
    let four = vreinterpret_s8_s32(vdup_n_s32(i32::from_ne_bytes(numbers.map(i8::cast_unsigned))));
    vcombine_s8(four, four)
}

#[inline]
#[target_feature(enable = "neon")]
#[allow(unsafe_code, reason = "a register is loaded through a pointer")]
fn load(bytes: &[u8; 16]) -> uint8x16_t {
    // SAFETY: the pointer is that of 16 bytes that can be read.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
#[allow(unsafe_code, reason = "a register is stored through a pointer")]
fn store(out: &mut [i32; 4], register: int32x4_t) {
    // SAFETY: the pointer is that of 16 bytes that can be written.
    unsafe { vst1q_s32(out.as_mut_ptr(), register) }
}
