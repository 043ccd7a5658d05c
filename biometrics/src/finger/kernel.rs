//! How alike one cylinder is to many: one loop in plain Rust, compiled twice, as in [`crate::search`].
//!
//! Both count the same bits. The only `unsafe` call of this crate outside `search::kernel` is here: calling what was compiled for an
//! instruction found at run time (`docs/decisions/0042-search-kernel.md`, `0111-finger-comparison-speed.md`).

use super::cylinder::{Cylinder, Likeness};

/// The likeness of `one` to each of `others`, 0 to 1, over the cells that are valid in both; in their order.
pub(super) fn likenesses(one: &Cylinder, others: &[Cylinder], out: &mut Vec<f32>) {
    out.clear();
    out.resize(others.len(), 0.0);
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("popcnt") {
        #[allow(unsafe_code, reason = "there is no safe way to call what was compiled for found instructions")]
        // SAFETY: the condition found the one feature that the function was compiled for; it is safe otherwise.
        unsafe {
            with_popcnt(one, others, out);
        }
        return;
    }
    portable(one, others, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "popcnt")]
fn with_popcnt(one: &Cylinder, others: &[Cylinder], out: &mut [f32]) {
    portable(one, others, out);
}

/// The loop itself, taken into the function above; no closures, which would be compiled without its instructions.
#[inline(always)]
fn portable(one: &Cylinder, others: &[Cylinder], out: &mut [f32]) {
    for (other, to) in others.iter().zip(out) {
        *to = Likeness::of(one, other).value();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_loops_give_the_same_bits() {
        let cylinders = Cylinder::samples(60);
        let (mut fast, mut plain) = (Vec::new(), Vec::new());
        let mut above = 0;
        for one in &cylinders {
            likenesses(one, &cylinders, &mut fast);
            plain.clear();
            plain.resize(cylinders.len(), 0.0);
            portable(one, &cylinders, &mut plain);
            assert_eq!(fast, plain);
            above += fast.iter().filter(|v| (0.2..1.0).contains(*v)).count();
        }
        assert!(above > 100, "{above}");
    }
}
