//! Scores of a block of vectors in four bits a number: one sum of integers, by the best instructions that the machine has.
//!
//! Whatever the instructions, the sums are the same integers, and one conversion and one multiplication of floats follow, written
//! once: the scores are equal to the last bit. `unsafe` is in this crate here, in the two modules below and in `finger::kernel`: calling
//! functions that were compiled for instructions found at run time, and moving 64 bytes between arrays and registers.

#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use zeroize::Zeroize;

use crate::template::DIMENSION;

/// Sixteen vectors side by side, so that sixteen sums grow in one register: a step holds eight numbers of each vector, four
/// bytes after four bytes, in a byte the lower half for one number and the upper one for the fourth after it.
#[derive(Clone, Copy, Zeroize)]
#[repr(align(64))]
pub(super) struct Group {
    steps: [[u8; 64]; STEPS],
    /// One by the length of each vector as its codes tell it; 0 where none is yet.
    inverse_norms: [f32; LANES],
}

impl Group {
    pub(super) const EMPTY: Self = Self { steps: [[0; 64]; STEPS], inverse_norms: [0.0; LANES] };

    /// Puts a vector in one of the sixteen places. A code is from 0 to 15 and stands for `2 × code − 15`.
    pub(super) fn set(&mut self, lane: usize, codes: &[u8; DIMENSION], inverse_norm: f32) {
        for (step, eight) in self.steps.iter_mut().zip(codes.as_chunks::<8>().0) {
            let [a, b, c, d, e, f, g, h] = *eight;
            if let Some(place) = step.as_chunks_mut::<4>().0.get_mut(lane) {
                *place = [a | e << 4, b | f << 4, c | g << 4, d | h << 4];
            }
        }
        if let Some(place) = self.inverse_norms.get_mut(lane) {
            *place = inverse_norm;
        }
    }

    /// The codes of the vector in one of the places.
    pub(super) fn codes(&self, lane: usize) -> [u8; DIMENSION] {
        let mut codes = [0; DIMENSION];
        for (step, eight) in self.steps.iter().zip(codes.as_chunks_mut::<8>().0) {
            if let Some([a, b, c, d]) = step.as_chunks::<4>().0.get(lane) {
                *eight = [a & 15, b & 15, c & 15, d & 15, a >> 4, b >> 4, c >> 4, d >> 4];
            }
        }
        codes
    }
}

/// A probe, from -127 to 127, in the order of the steps.
#[derive(Zeroize)]
pub(super) struct Sought {
    /// What the lower halves are multiplied with, and the upper ones.
    steps: [[[i8; 4]; 2]; STEPS],
    /// What the codes' origin in the middle takes away.
    offset: i32,
}

impl Sought {
    pub(super) fn new(numbers: &[i8; DIMENSION]) -> Self {
        let mut steps = [[[0; 4]; 2]; STEPS];
        for (step, eight) in steps.iter_mut().zip(numbers.as_chunks::<8>().0) {
            let [a, b, c, d, e, f, g, h] = *eight;
            *step = [[a, b, c, d], [e, f, g, h]];
        }
        Self { steps, offset: 15 * numbers.iter().map(|n| i32::from(*n)).sum::<i32>() }
    }
}

impl Drop for Sought {
    fn drop(&mut self) {
        self.zeroize();
    }
}

/// Which instructions the search uses on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instructions {
    /// What every processor of this architecture has, as the compiler uses it (SSE2 on x86-64).
    Portable,
    /// 128-bit vectors of 64-bit ARM.
    Neon,
    /// 256-bit integers: x86-64 since 2013.
    Avx2,
    /// 512-bit integers and sums of products of bytes (VNNI): x86-64 servers since 2019, some laptops and desktops.
    Avx512,
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
            if x86::has_avx512() {
                all.push(Self::Avx512);
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            all.push(Self::Neon);
        }
        all
    }

    /// A short name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Neon => "neon",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512-vnni",
        }
    }
}

/// Scores a block against up to [`TOGETHER`] probes: `out[p][v]` is the dot product of probe `p` and vector `v`, times one by
/// the length of `v`. Instructions that this machine lacks run portably.
pub(super) fn scores(
    instructions: Instructions,
    block: &[Group],
    sought: &[Sought],
    out: &mut [[f32; BLOCK]; TOGETHER],
) {
    #[allow(unsafe_code, reason = "there is no safe way to call what was compiled for found instructions")]
    match instructions {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the guard of this arm found every feature that the function was compiled for; it is safe otherwise.
        Instructions::Avx512 if x86::has_avx512() => unsafe { x86::with_avx512(block, sought, out) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Instructions::Avx2 if is_x86_feature_detected!("avx2") => unsafe { x86::with_avx2(block, sought, out) },
        #[cfg(target_arch = "aarch64")]
        // SAFETY: as above.
        Instructions::Neon if std::arch::is_aarch64_feature_detected!("neon") => unsafe {
            neon::with_neon(block, sought, out);
        },
        _ => portable::scores(block, sought, out),
    }
}

/// From sums of `code × probe` to scores. No sum exceeds 128 × 15 × 127, so that each is exact as a float.
#[inline(always)]
fn scaled(sums: &[i32; LANES], group: &Group, sought: &Sought, out: &mut [f32; LANES]) {
    for ((to, sum), inverse) in out.iter_mut().zip(sums).zip(&group.inverse_norms) {
        *to = sum.wrapping_mul(2).wrapping_sub(sought.offset) as f32 * inverse;
    }
}

/// Vectors side by side.
pub(super) const LANES: usize = 16;
/// Vectors scored at a time: they stay in the nearest cache while all probes pass.
pub(super) const BLOCK: usize = GROUPS * LANES;
/// The same in groups.
pub(super) const GROUPS: usize = 8;
/// Probes scored at a time.
pub(super) const TOGETHER: usize = 4;
const STEPS: usize = DIMENSION / 8;

#[cfg(test)]
mod tests;
