//! One print laid over the other: how many minutiae meet, and how well the ridges run alike.

use std::f32::consts::{PI, TAU};
use std::sync::LazyLock;

use super::field::PARTS;
use super::matcher::Coded;
use super::relax::Pairing;
use super::template::Minutia;

/// A turn and a shift from the reference to the probe; y points down.
#[derive(Clone, Copy)]
struct Motion {
    turn: f32,
    sin: f32,
    cos: f32,
    shift: (f32, f32),
}

impl Motion {
    /// Turns counter-clockwise, and brings `from` to `to`.
    fn new(turn: f32, from: (f32, f32), to: (f32, f32)) -> Self {
        let (sin, cos) = turn.sin_cos();
        let (x, y) = (cos * from.0 + sin * from.1, cos * from.1 - sin * from.0);
        Self { turn, sin, cos, shift: (to.0 - x, to.1 - y) }
    }

    fn apply(&self, (x, y): (f32, f32)) -> (f32, f32) {
        (self.cos * x + self.sin * y + self.shift.0, self.cos * y - self.sin * x + self.shift.1)
    }

    fn undo(&self, (x, y): (f32, f32)) -> (f32, f32) {
        let (x, y) = (x - self.shift.0, y - self.shift.1);
        (self.cos * x - self.sin * y, self.cos * y + self.sin * x)
    }
}

/// Two minutiae that meet, and how closely, 0.25 to 1.
struct Meeting {
    reference: Minutia,
    probe: Minutia,
    weight: f32,
}

/// What the best way to lay one over the other shows.
#[derive(Clone, Copy, Default)]
pub(super) struct Agreement {
    /// How many minutiae meet, each by how closely, times the root of their share of all in the common part.
    pub(super) minutiae: f32,
    /// The mean cosine of twice the angle between ridges in the common part, less where that part is small; nothing where
    /// a template has no field.
    pub(super) ridges: Option<f32>,
}

/// Tries the pairings that the others support most.
pub(super) fn align(reference: &Coded, probe: &Coded, pairings: &[Pairing]) -> Agreement {
    let mut seeds: Vec<&Pairing> = pairings.iter().collect();
    seeds.sort_unstable_by(|a, b| b.relaxed.total_cmp(&a.relaxed));
    let mut best: Option<(f32, Motion)> = None;
    for seed in seeds.into_iter().take(SEEDS) {
        let (Some(a), Some(b)) = (reference.minutiae.get(seed.reference), probe.minutiae.get(seed.probe)) else {
            continue;
        };
        let Some((value, motion)) = try_out(reference, probe, a, b) else { continue };
        if best.is_none_or(|(so_far, _)| value > so_far) {
            best = Some((value, motion));
        }
    }
    let Some((minutiae, motion)) = best else { return Agreement::default() };
    Agreement { minutiae, ridges: ridges_agree(reference, probe, &motion) }
}

fn try_out(reference: &Coded, probe: &Coded, a: &Minutia, b: &Minutia) -> Option<(f32, Motion)> {
    let mut motion = Motion::new(b.radians() - a.radians(), a.place(), b.place());
    for tolerance in [20.0, 15.0] {
        let met = meetings(reference, probe, &motion, tolerance);
        if met.len() < 3 {
            return None;
        }
        motion = fitted(&met);
    }
    let met = meetings(reference, probe, &motion, 12.0);
    let weight: f32 = met.iter().map(|m| m.weight).sum();
    let common = 0.5 * (seen(reference, probe, |at| motion.apply(at)) + seen(probe, reference, |at| motion.undo(at)));
    Some((weight * (weight / (common + PRIOR)).sqrt(), motion))
}

/// Pairs minutiae one to one, the closest first.
fn meetings(reference: &Coded, probe: &Coded, motion: &Motion, tolerance: f32) -> Vec<Meeting> {
    let turn = (motion.turn / TAU * 256.0).round() as i32 as u8;
    let (nearness, square_tolerance) = (1.0 / (tolerance * tolerance), tolerance * tolerance);
    let mut near = Vec::with_capacity(64);
    for (i, (a, spot)) in reference.minutiae.iter().zip(reference.spots.iter()).enumerate() {
        let (x, y) = motion.apply(*spot);
        let angle = a.angle.wrapping_add(turn);
        for range in probe.by_angle.around(angle, MOST_TURN) {
            let others = probe.spots.get(range.clone()).unwrap_or(&[]);
            for (j, (bx, by)) in range.zip(others) {
                let square = (bx - x) * (bx - x) + (by - y) * (by - y);
                if square > square_tolerance {
                    continue;
                }
                let Some(b) = probe.minutiae.get(j) else { continue };
                let off = b.angle.wrapping_sub(angle);
                let turned = f32::from(off.min(off.wrapping_neg())) / f32::from(MOST_TURN);
                near.push(((1.0 - 0.5 * square * nearness) * (1.0 - 0.5 * turned * turned), i, j));
            }
        }
    }
    near.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let (mut taken_a, mut taken_b) = (0_u128, 0_u128);
    let mut met = Vec::with_capacity(near.len());
    for (weight, i, j) in near {
        if taken_a >> i & 1 == 0 && taken_b >> j & 1 == 0 {
            taken_a |= 1 << i;
            taken_b |= 1 << j;
            if let (Some(a), Some(b)) = (reference.minutiae.get(i), probe.minutiae.get(j)) {
                met.push(Meeting { reference: *a, probe: *b, weight });
            }
        }
    }
    met
}

/// The motion that brings them nearest, places and directions together.
fn fitted(met: &[Meeting]) -> Motion {
    let count = met.len().max(1) as f32;
    let centre = |of: fn(&Meeting) -> Minutia| {
        let sum = met.iter().map(|m| of(m).place()).fold((0.0, 0.0), |s, p| (s.0 + p.0, s.1 + p.1));
        (sum.0 / count, sum.1 / count)
    };
    let (from, to) = (centre(|m| m.reference), centre(|m| m.probe));
    let (mut cos, mut sin) = (0.0, 0.0);
    for Meeting { reference, probe, weight: _ } in met {
        let ((ax, ay), (bx, by)) = (reference.place(), probe.place());
        let ((ax, ay), (bx, by)) = ((ax - from.0, ay - from.1), (bx - to.0, by - to.1));
        let turn = probe.radians() - reference.radians();
        cos += ax * bx + ay * by + DIRECTION * turn.cos();
        sin += ay * bx - ax * by + DIRECTION * turn.sin();
    }
    Motion::new(sin.atan2(cos), from, to)
}

/// How many minutiae of one lie where the other has print.
fn seen(of: &Coded, on: &Coded, carry: impl Fn((f32, f32)) -> (f32, f32)) -> f32 {
    let is_seen = |m: &&Minutia| {
        let at = carry(m.place());
        match &on.field {
            Some(field) => field.at(at).is_some(),
            None => on.hull.is_near(at.0, at.1),
        }
    };
    of.minutiae.iter().filter(is_seen).count() as f32
}

fn ridges_agree(reference: &Coded, probe: &Coded, motion: &Motion) -> Option<f32> {
    let (reference, probe) = (reference.field.as_ref()?, probe.field.as_ref()?);
    let (mut cos, mut sin, mut count) = (0.0_f32, 0.0_f32, 0.0_f32);
    for (centre, part) in reference.cells() {
        if let Some(other) = probe.at(motion.apply(centre))
            && let Some((c, s)) = DOUBLED.get(usize::from(other) + (PARTS as usize - usize::from(part)))
        {
            cos += c;
            sin += s;
            count += 1.0;
        }
    }
    // The cosine of each difference less the turn, all at once.
    let (turn_sin, turn_cos) = (2.0 * motion.turn).sin_cos();
    Some((cos * turn_cos + sin * turn_sin) / (count + SMALL_PART))
}

/// Cosine and sine of twice a difference of directions; counted from [`PARTS`] less than nothing.
static DOUBLED: LazyLock<Vec<(f32, f32)>> = LazyLock::new(|| {
    let doubled = |i: usize| {
        let (sin, cos) = (2.0 * (i as f32 - PARTS) * PI / PARTS).sin_cos();
        (cos, sin)
    };
    (0..=2 * PARTS as usize).map(doubled).collect()
});

/// Pairings tried.
const SEEDS: usize = 4;
/// In 256ths: 28°.
const MOST_TURN: u8 = 20;
/// How much a direction counts beside a place, in square pixels.
const DIRECTION: f32 = 400.0;
/// Minutiae that count as missing in every comparison: three that meet are no finger.
const PRIOR: f32 = 4.0;
/// Cells in common at which the ridges count half.
const SMALL_PART: f32 = 20.0;
