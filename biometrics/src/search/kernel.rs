//! Scores of a block of 8-bit vectors against one probe: a loop in plain Rust, and one for AVX2.
//!
//! Both are the same integer sums and the same one multiplication of floats, so the scores are equal to the last bit. The
//! only `unsafe` of this crate is here: calling a function that was compiled for instructions found at run time.

use zeroize::Zeroize;

use crate::template::DIMENSION;

/// One vector, where a cache line begins.
#[derive(Clone, Copy, Zeroize)]
#[repr(align(64))]
pub(super) struct Row(pub(super) [i8; DIMENSION]);

/// Vectors scored at a time: with their scores they stay in the nearest cache.
pub(super) const BLOCK: usize = 128;

/// Which instructions the search uses on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instructions {
    /// What every processor of this architecture has (NEON on 64-bit ARM, SSE2 on x86-64).
    Portable,
    /// 256-bit integers: x86-64 since 2013.
    Avx2,
}

impl Instructions {
    /// The best that this machine has.
    #[must_use]
    pub fn detected() -> Self {
        Self::available().last().copied().unwrap_or(Self::Portable)
    }

    /// All that this machine has, the best last.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut all = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                all.push(Self::Avx2);
            }
        }
        all
    }

    /// A short name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
        }
    }
}

/// The probe's upper plane, from -127 to 127, widened once.
pub(super) type Sought = [i16; DIMENSION];

/// Scores up to [`BLOCK`] rows: the dot product times the row's inverse length. `instructions` must be ones that
/// [`Instructions::available`] gives; others run portably.
pub(super) fn scores(
    instructions: Instructions,
    rows: &[Row],
    inverse_norms: &[f32],
    sought: &Sought,
    out: &mut [f32; BLOCK],
) {
    match instructions {
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx2 if is_x86_feature_detected!("avx2") => {
            #[allow(unsafe_code, reason = "there is no safe way to call what was compiled for found instructions")]
            // SAFETY: the guard of this arm found the one feature that the function was compiled for; it is safe otherwise.
            unsafe {
                with_avx2(rows, inverse_norms, sought, out);
            }
        }
        _ => portable(rows, inverse_norms, sought, out),
    }
}

/// The intrinsics without pointers are safe here; bytes become vectors by way of 64-bit numbers, which the compiler makes loads.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2(rows: &[Row], inverse_norms: &[f32], sought: &Sought, out: &mut [f32; BLOCK]) {
    use std::arch::x86_64::{
        __m256i, _mm_add_epi32, _mm_cvtsi128_si32, _mm_set_epi64x, _mm_shuffle_epi32, _mm256_add_epi32,
        _mm256_castsi256_si128, _mm256_cvtepi8_epi16, _mm256_extracti128_si256, _mm256_madd_epi16,
        _mm256_setzero_si256,
    };
    let wide = |bytes: &[i8; 16]| -> __m256i {
        let [low, high] = [bytes.first_chunk::<8>(), bytes.last_chunk::<8>()]
            .map(|half| half.map_or(0, |half| i64::from_le_bytes(half.map(i8::cast_unsigned))));
        _mm256_cvtepi8_epi16(_mm_set_epi64x(high, low))
    };
    let mut probe = [_mm256_setzero_si256(); DIMENSION / 16];
    for (to, from) in probe.iter_mut().zip(sought.as_chunks::<16>().0) {
        // The probe has 8 bits too: see `Sought`.
        *to = wide(&from.map(|v| v as i8));
    }
    for ((row, inverse), to) in rows.iter().zip(inverse_norms).zip(out.iter_mut()) {
        let mut sum = _mm256_setzero_si256();
        for (bytes, part) in row.0.as_chunks::<16>().0.iter().zip(&probe) {
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(wide(bytes), *part));
        }
        let half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
        let pair = _mm_add_epi32(half, _mm_shuffle_epi32::<0b00_00_11_10>(half));
        let one = _mm_add_epi32(pair, _mm_shuffle_epi32::<0b00_00_00_01>(pair));
        *to = _mm_cvtsi128_si32(one) as f32 * inverse;
    }
}

/// For every other processor: the compiler makes of it what it can.
fn portable(rows: &[Row], inverse_norms: &[f32], sought: &Sought, out: &mut [f32; BLOCK]) {
    for ((row, inverse), to) in rows.iter().zip(inverse_norms).zip(out.iter_mut()) {
        *to = dot(&row.0, sought) as f32 * inverse;
    }
}

/// Sums of products of 16-bit numbers: compilers know an instruction for that. At most 128 × 127², far within 32 bits.
fn dot(row: &[i8; DIMENSION], sought: &Sought) -> i32 {
    row.iter()
        .zip(sought)
        .fold(0_i32, |sum, (a, b)| sum.wrapping_add(i32::from(i16::from(*a)).wrapping_mul(i32::from(*b))))
}
