//! Scores of a block of 8-bit vectors against one probe: one loop in plain Rust, compiled twice.
//!
//! Both are the same integer sums and the same one multiplication of floats, so the scores are equal to the last bit. One
//! of the two `unsafe` calls of this crate is here: calling a function that was compiled for instructions found at run time.

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

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2(rows: &[Row], inverse_norms: &[f32], sought: &Sought, out: &mut [f32; BLOCK]) {
    portable(rows, inverse_norms, sought, out);
}

/// The loop itself, taken into the function above.
#[inline(always)]
fn portable(rows: &[Row], inverse_norms: &[f32], sought: &Sought, out: &mut [f32; BLOCK]) {
    for ((row, inverse), to) in rows.iter().zip(inverse_norms).zip(out.iter_mut()) {
        *to = dot(&row.0, sought) as f32 * inverse;
    }
}

/// Sums of products of 16-bit numbers: compilers know an instruction for that. At most 128 × 127², far within 32 bits.
#[inline(always)]
fn dot(row: &[i8; DIMENSION], sought: &Sought) -> i32 {
    row.iter()
        .zip(sought)
        .fold(0_i32, |sum, (a, b)| sum.wrapping_add(i32::from(i16::from(*a)).wrapping_mul(i32::from(*b))))
}
