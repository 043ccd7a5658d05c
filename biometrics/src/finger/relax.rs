//! Which pairs of minutiae support each other: local likeness, then relaxation.
//!
//! # Source
//! Cappelli, Ferrara, Maltoni 2010 (see [`super::cylinder`]), section 4.2, "local similarity assignment with relaxation".

use std::f32::consts::TAU;

use zeroize::Zeroizing;

use super::kernel::likenesses;
use super::matcher::Coded;
use super::template::Minutia;

/// One minutia of each print, and how much speaks for their being the same.
#[derive(Clone, Copy)]
pub(super) struct Pairing {
    pub(super) reference: usize,
    pub(super) probe: usize,
    /// Likeness of the two cylinders.
    pub(super) local: f32,
    /// What the other pairings left of it.
    pub(super) relaxed: f32,
}

/// The best pairings one to one, relaxed; best first.
pub(super) fn pairings(reference: &Coded, probe: &Coded) -> Vec<Pairing> {
    let mut pairings = assign(reference, probe);
    relax(&mut pairings, &reference.minutiae, &probe.minutiae);
    pairings
}

/// Greedily: the most alike pair first, each minutia once.
fn assign(reference: &Coded, probe: &Coded) -> Vec<Pairing> {
    // A likeness is not negative, so its bits are ordered as it is: the greatest number is the most alike pair.
    let mut all: Vec<u64> = Vec::with_capacity(1024);
    let mut row = Vec::new();
    for (i, code) in reference.centres.iter().zip(&reference.cylinders) {
        let Some(a) = reference.minutiae.get(usize::from(*i)) else { continue };
        for range in probe.centres_by_angle.around(a.angle, MOST_TURN) {
            let centres = probe.centres.get(range.clone()).unwrap_or(&[]);
            likenesses(code, probe.cylinders.get(range).unwrap_or(&[]), &mut row);
            for (j, likeness) in centres.iter().zip(&row).filter(|(_, likeness)| **likeness > LEAST_LIKENESS) {
                all.push(u64::from(likeness.to_bits()) << 16 | u64::from(*i) << 8 | u64::from(*j));
            }
        }
    }
    let wanted = reference.minutiae.len().min(probe.minutiae.len()).min(MOST_PAIRINGS);
    // Only so many can be chosen; the rest need not be sorted.
    let enough = (wanted * 6).min(all.len());
    if enough < all.len() {
        all.select_nth_unstable_by(enough, |a, b| b.cmp(a));
        all.truncate(enough);
    }
    all.sort_unstable_by(|a, b| b.cmp(a));
    let (mut of_reference, mut of_probe) = (0_u128, 0_u128);
    let mut chosen = Vec::with_capacity(wanted);
    for pair in all {
        let (i, j) = ((pair >> 8 & 0xFF) as usize, (pair & 0xFF) as usize);
        if of_reference >> i & 1 == 0 && of_probe >> j & 1 == 0 {
            of_reference |= 1 << i;
            of_probe |= 1 << j;
            let local = f32::from_bits((pair >> 16) as u32);
            chosen.push(Pairing { reference: i, probe: j, local, relaxed: local });
            if chosen.len() == wanted {
                break;
            }
        }
    }
    chosen
}

fn relax(pairings: &mut [Pairing], reference: &[Minutia], probe: &[Minutia]) {
    let count = pairings.len();
    if count < 2 {
        return;
    }
    let end = |p: &Pairing| {
        (reference.get(p.reference).copied().unwrap_or_default(), probe.get(p.probe).copied().unwrap_or_default())
    };
    let ends: Zeroizing<Vec<(Minutia, Minutia)>> = Zeroizing::new(pairings.iter().map(end).collect());
    let mut support = vec![0.0_f32; count * count];
    for (t, one) in ends.iter().enumerate() {
        for (k, other) in ends.iter().enumerate().take(t) {
            let value = compatibility(one, other);
            for at in [t * count + k, k * count + t] {
                if let Some(cell) = support.get_mut(at) {
                    *cell = value;
                }
            }
        }
    }
    let mut heard = vec![0.0_f32; count];
    for _ in 0..ROUNDS {
        // All sums at once, a pairing's voice after the other: support is mutual.
        heard.fill(0.0);
        for (pairing, row) in pairings.iter().zip(support.chunks_exact(count)) {
            heard.iter_mut().zip(row).for_each(|(sum, s)| *sum += s * pairing.relaxed);
        }
        for (pairing, heard) in pairings.iter_mut().zip(&heard) {
            pairing.relaxed = OWN * pairing.relaxed + (1.0 - OWN) * heard / (count - 1) as f32;
        }
    }
    let efficiency = |p: &Pairing| p.relaxed / p.local;
    pairings.sort_unstable_by(|a, b| efficiency(b).total_cmp(&efficiency(a)));
}

/// Whether two pairings lie to each other in the reference as in the probe: distance, turn, bearing.
fn compatibility(one: &(Minutia, Minutia), other: &(Minutia, Minutia)) -> f32 {
    let between = |a: &Minutia, b: &Minutia| (f32::from(b.x) - f32::from(a.x), f32::from(a.y) - f32::from(b.y));
    let (first, second) = (between(&one.0, &other.0), between(&one.1, &other.1));
    let length = |(dx, dy): (f32, f32)| (dx * dx + dy * dy).sqrt();
    // The cheap ones first: most pairings fail here.
    let off = (length(first) - length(second)).abs();
    if off > NEGLIGIBLE_DISTANCE {
        return 0.0;
    }
    let turn = |a: &Minutia, b: &Minutia| a.angle.wrapping_sub(b.angle);
    let turned = turn(&one.0, &other.0).wrapping_sub(turn(&one.1, &other.1));
    let turned = turned.min(turned.wrapping_neg());
    if turned > NEGLIGIBLE_TURN {
        return 0.0;
    }
    let bearing = |(dx, dy): (f32, f32), from: &Minutia| dy.atan2(dx) - from.radians();
    let bearing = (bearing(first, &one.0) - bearing(second, &one.1)).rem_euclid(TAU);
    let bearing = bearing.min(TAU - bearing);
    falling(off, DISTANCE) * falling(f32::from(turned) * TAU / 256.0, TURN) * falling(bearing, BEARING)
}

/// A sigmoid that falls from 1 to 0 around `middle`.
fn falling(value: f32, (middle, slope): (f32, f32)) -> f32 {
    1.0 / (1.0 + (slope * (value - middle)).exp())
}

/// In 256ths of a turn: 90°.
pub(super) const MOST_TURN: u8 = 64;
const LEAST_LIKENESS: f32 = 0.1;
const MOST_PAIRINGS: usize = 60;
const ROUNDS: usize = 5;
const OWN: f32 = 0.5;
/// Beyond these less than a hundredth is left.
const NEGLIGIBLE_DISTANCE: f32 = 8.0;
const NEGLIGIBLE_TURN: u8 = 17;
/// Where each falls to a half (pixels, radians), and how steeply.
const DISTANCE: (f32, f32) = (5.0, 1.6);
const TURN: (f32, f32) = (TAU / 24.0, 30.0);
const BEARING: (f32, f32) = (TAU / 24.0, 30.0);
