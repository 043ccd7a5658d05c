//! The sums by 256-bit and 512-bit instructions of x86-64.

use std::arch::x86_64::{
    __m256i, __m512i, _mm256_add_epi16, _mm256_add_epi32, _mm256_and_si256, _mm256_loadu_si256, _mm256_madd_epi16,
    _mm256_maddubs_epi16, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setzero_si256,
    _mm256_srli_epi16, _mm512_add_epi32, _mm512_and_si512, _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_set1_epi8,
    _mm512_set1_epi32, _mm512_setzero_si512, _mm512_srli_epi16,
};

use super::{BLOCK, Group, LANES, Sought, TOGETHER, scaled};

/// Whether [`with_avx512`] can run here.
pub(super) fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vnni")
}

/// One load and one split of the codes serve four probes; fewer go alone.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) fn with_avx512(block: &[Group], sought: &[Sought], out: &mut [[f32; BLOCK]; TOGETHER]) {
    if let [a, b, c, d] = sought {
        for (i, group) in block.iter().enumerate() {
            for ((sums, sought), out) in sums_512(group, [a, b, c, d]).iter().zip(sought).zip(out.iter_mut()) {
                if let Some(out) = out.as_chunks_mut().0.get_mut(i) {
                    scaled(sums, group, sought, out);
                }
            }
        }
        return;
    }
    for (sought, out) in sought.iter().zip(out) {
        for (group, out) in block.iter().zip(out.as_chunks_mut().0) {
            let [sums] = sums_512(group, [sought]);
            scaled(&sums, group, sought, out);
        }
    }
}

/// Each register sums sixteen vectors, four products at a time.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn sums_512<const PROBES: usize>(group: &Group, sought: [&Sought; PROBES]) -> [[i32; LANES]; PROBES] {
    let halves = _mm512_set1_epi8(15);
    let mut sums = [[_mm512_setzero_si512(); 2]; PROBES];
    for (j, step) in group.steps.iter().enumerate() {
        let codes = load_512(step);
        let low = _mm512_and_si512(codes, halves);
        let high = _mm512_and_si512(_mm512_srli_epi16::<4>(codes), halves);
        for ([for_low, for_high], sought) in sums.iter_mut().zip(sought) {
            let Some([a, b]) = sought.steps.get(j) else { continue };
            *for_low = _mm512_dpbusd_epi32(*for_low, low, _mm512_set1_epi32(four(a)));
            *for_high = _mm512_dpbusd_epi32(*for_high, high, _mm512_set1_epi32(four(b)));
        }
    }
    sums.map(|[low, high]| stored_512(_mm512_add_epi32(low, high)))
}

#[target_feature(enable = "avx2")]
pub(super) fn with_avx2(block: &[Group], sought: &[Sought], out: &mut [[f32; BLOCK]; TOGETHER]) {
    for (sought, out) in sought.iter().zip(out) {
        for (group, out) in block.iter().zip(out.as_chunks_mut().0) {
            scaled(&sums_256(group, sought), group, sought, out);
        }
    }
}

/// Products are added in pairs to 16 bits, eight pairs of at most 2 × 15 × 127, then to 32.
#[inline]
#[target_feature(enable = "avx2")]
fn sums_256(group: &Group, sought: &Sought) -> [i32; LANES] {
    let (halves, ones) = (_mm256_set1_epi8(15), _mm256_set1_epi16(1));
    let mut sums = [_mm256_setzero_si256(); 2];
    for (steps, sought) in group.steps.as_chunks::<4>().0.iter().zip(sought.steps.as_chunks::<4>().0) {
        let mut pairs = [_mm256_setzero_si256(); 2];
        for (step, [a, b]) in steps.iter().zip(sought) {
            let (for_low, for_high) = (_mm256_set1_epi32(four(a)), _mm256_set1_epi32(four(b)));
            for (pairs, half) in pairs.iter_mut().zip(step.as_chunks::<32>().0) {
                let codes = load_256(half);
                let low = _mm256_and_si256(codes, halves);
                let high = _mm256_and_si256(_mm256_srli_epi16::<4>(codes), halves);
                let products =
                    _mm256_add_epi16(_mm256_maddubs_epi16(low, for_low), _mm256_maddubs_epi16(high, for_high));
                *pairs = _mm256_add_epi16(*pairs, products);
            }
        }
        for (sum, pairs) in sums.iter_mut().zip(pairs) {
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(pairs, ones));
        }
    }
    stored_256(sums)
}

/// Four numbers as every lane of a register takes them.
#[inline(always)]
fn four(numbers: &[i8; 4]) -> i32 {
    i32::from_le_bytes(numbers.map(i8::cast_unsigned))
}

#[inline]
#[target_feature(enable = "avx512f")]
#[allow(unsafe_code, reason = "a register is loaded through a pointer")]
fn load_512(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: the pointer is that of 64 bytes that can be read, and this load asks for no alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
#[allow(unsafe_code, reason = "a register is read as an array")]
fn stored_512(register: __m512i) -> [i32; LANES] {
    // SAFETY: both are 64 bytes, and every pattern of bits is a number.
    unsafe { std::mem::transmute(register) }
}

#[inline]
#[target_feature(enable = "avx2")]
#[allow(unsafe_code, reason = "a register is loaded through a pointer")]
fn load_256(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: the pointer is that of 32 bytes that can be read, and this load asks for no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
#[allow(unsafe_code, reason = "registers are read as an array")]
fn stored_256(registers: [__m256i; 2]) -> [i32; LANES] {
    // SAFETY: both are 64 bytes, and every pattern of bits is a number.
    unsafe { std::mem::transmute(registers) }
}
