//! Things in the order of their angles: those that point about the same way are found without looking at the others.

use std::ops::Range;

use zeroize::Zeroizing;

/// For a list sorted by angle, in 256ths of a turn: where each angle begins. Wiped on drop.
pub(super) struct ByAngle(Zeroizing<Vec<u8>>);

impl ByAngle {
    /// `sorted` are the angles of at most 255 things.
    pub(super) fn of(sorted: &[u8]) -> Self {
        let before = |angle: u16| sorted.partition_point(|a| u16::from(*a) < angle).min(usize::from(u8::MAX)) as u8;
        Self(Zeroizing::new((0..=256).map(before).collect()))
    }

    /// Where those are that lie at most `most` away from `angle`, either way; in two pieces where that passes the turn's end.
    pub(super) fn around(&self, angle: u8, most: u8) -> [Range<usize>; 2] {
        let (first, last) = (usize::from(angle.wrapping_sub(most)), usize::from(angle.wrapping_add(most)));
        let at = |angle: usize| self.0.get(angle).map_or(0, |n| usize::from(*n));
        if first <= last { [at(first)..at(last + 1), 0..0] } else { [at(first)..at(256), 0..at(last + 1)] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_around_an_angle_are_the_ones_that_counting_finds() {
        let angles = [0, 0, 1, 20, 21, 90, 128, 200, 235, 236, 250, 255];
        let sorted = ByAngle::of(&angles);
        for angle in 0..=255_u8 {
            for most in [0, 1, 20, 127] {
                let mut found: Vec<usize> = sorted.around(angle, most).into_iter().flatten().collect();
                found.sort_unstable();
                let off = |a: u8| a.wrapping_sub(angle).min(angle.wrapping_sub(a));
                let counted: Vec<usize> = (0..angles.len()).filter(|i| off(angles[*i]) <= most).collect();
                assert_eq!(found, counted, "{angle} {most}");
            }
        }
        assert_eq!(ByAngle::of(&[]).around(7, 20), [0..0, 0..0]);
    }
}
