//! The sums in plain Rust: sixteen products of 4 and 8 bits fit in 16, so the compiler may use whatever vectors it knows.

use zeroize::Zeroizing;

use super::{BLOCK, Group, LANES, STEPS, Sought, TOGETHER, scaled};

pub(super) fn scores(block: &[Group], sought: &[Sought], out: &mut [[f32; BLOCK]; TOGETHER]) {
    for (sought, out) in sought.iter().zip(out) {
        let mut wide = Zeroizing::new([[[0; 64]; 2]; STEPS]);
        widen(sought, &mut wide);
        for (group, out) in block.iter().zip(out.as_chunks_mut::<LANES>().0) {
            scaled(&sums(group, &wide), group, sought, out);
        }
    }
}

/// A byte's place is summed over the steps first, at most 16 × 15 × 127; the four of a vector last.
fn sums(group: &Group, numbers: &[[[i16; 64]; 2]; STEPS]) -> [i32; LANES] {
    let (mut low, mut high) = ([0_i16; 64], [0_i16; 64]);
    for (step, [for_low, for_high]) in group.steps.iter().zip(numbers) {
        for ((sum, byte), number) in low.iter_mut().zip(step).zip(for_low) {
            *sum = sum.wrapping_add(i16::from(byte & 15).wrapping_mul(*number));
        }
        for ((sum, byte), number) in high.iter_mut().zip(step).zip(for_high) {
            *sum = sum.wrapping_add(i16::from(byte >> 4).wrapping_mul(*number));
        }
    }
    let mut sums = [0; LANES];
    for (sum, (low, high)) in sums.iter_mut().zip(low.as_chunks::<4>().0.iter().zip(high.as_chunks::<4>().0)) {
        *sum = low.iter().chain(high).map(|part| i32::from(*part)).sum();
    }
    sums
}

/// The probe's numbers once for every byte of a step.
fn widen(sought: &Sought, wide: &mut [[[i16; 64]; 2]; STEPS]) {
    for (to, four) in wide.iter_mut().flatten().zip(sought.steps.iter().flatten()) {
        to.as_chunks_mut::<4>().0.fill(four.map(i16::from));
    }
}
