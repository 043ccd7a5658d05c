//! Cylinder codes: around every minutia, where the others lie and how they are turned, as bits.
//!
//! # Source
//! Cappelli, Ferrara, Maltoni, "Minutia Cylinder-Code", IEEE Trans. Pattern Anal. Mach. Intell. 32(12), 2010; the bit-based
//! form and its parameters: their table 2.

use std::f32::consts::{PI, TAU};
use std::sync::LazyLock;

use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::hull::Hull;
use super::template::Minutia;

/// One minutia's neighbourhood. Wiped on drop.
#[derive(ZeroizeOnDrop)]
pub(super) struct Cylinder {
    layers: [u64; LAYERS],
    /// Cells that were seen; outside them no layer has a bit.
    valid: u64,
    is_whole: bool,
    /// The square root of the number of bits.
    norm: f32,
}

impl Cylinder {
    /// Codes every minutia; nothing for those with too little around them.
    pub(super) fn of_all(minutiae: &[Minutia], hull: &Hull) -> impl Iterator<Item = Option<Self>> {
        static TABLE: LazyLock<AngleTable> = LazyLock::new(AngleTable::new);
        minutiae.iter().map(move |centre| Self::of(centre, minutiae, hull, &TABLE))
    }

    fn of(centre: &Minutia, minutiae: &[Minutia], hull: &Hull, table: &AngleTable) -> Option<Self> {
        let (sin, cos) = centre.radians().sin_cos();
        let (cx, cy) = (f32::from(centre.x), f32::from(centre.y));
        let mut near: Zeroizing<Vec<(f32, f32, u8)>> = Zeroizing::new(Vec::with_capacity(minutiae.len()));
        near.extend(
            minutiae
                .iter()
                .map(|m| (f32::from(m.x) - cx, f32::from(m.y) - cy, centre.angle.wrapping_sub(m.angle)))
                .filter(|(dx, dy, _)| {
                    let distance = dx.hypot(*dy);
                    distance > 0.0 && distance <= RADIUS + REACH
                }),
        );
        if near.len() < LEAST_NEIGHBOURS {
            return None;
        }
        let mut code = Self { layers: [0; LAYERS], valid: 0, is_whole: true, norm: 0.0 };
        let (mut inside, mut valid) = (0_u32, 0_u32);
        for cell in 0..SIDE * SIDE {
            let along = |i: usize| (i as f32 - (SIDE as f32 - 1.0) / 2.0) * STEP;
            let (u, v) = (along(cell % SIDE), along(cell / SIDE));
            if u.hypot(v) > RADIUS {
                continue;
            }
            inside += 1;
            // Along the minutia and to its left; y points down.
            let (px, py) = (u * cos - v * sin, -u * sin - v * cos);
            if !hull.is_near(cx + px, cy + py) {
                code.is_whole = false;
                continue;
            }
            valid += 1;
            let bit = 1_u64 << cell;
            code.valid |= bit;
            let mut sums = [0.0_f32; LAYERS];
            for (dx, dy, turned) in near.iter() {
                let square = (dx - px).powi(2) + (dy - py).powi(2);
                if square > REACH * REACH {
                    continue;
                }
                let weight = (-0.5 * square / (SIGMA * SIGMA)).exp() / (SIGMA * TAU.sqrt());
                let shares = table.0.get(usize::from(*turned)).copied().unwrap_or_default();
                sums.iter_mut().zip(shares).for_each(|(sum, share)| *sum += weight * share);
            }
            for (layer, sum) in code.layers.iter_mut().zip(sums) {
                if sum > THRESHOLD {
                    *layer |= bit;
                }
            }
        }
        code.norm = (code.layers.iter().map(|layer| layer.count_ones()).sum::<u32>() as f32).sqrt();
        (f64::from(valid) >= LEAST_VALID * f64::from(inside) && code.norm > 0.0).then_some(code)
    }

    /// Cylinders of a pattern drawn by chance, whole ones and others.
    #[cfg(test)]
    pub(super) fn samples(count: usize) -> Vec<Self> {
        let mut state = 5_u32;
        let mut next = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % below
        };
        let minutiae: Vec<Minutia> = (0..count)
            .map(|_| Minutia { x: next(300) as u16, y: next(300) as u16, angle: next(256) as u8, ..Minutia::default() })
            .collect();
        Self::of_all(&minutiae, &Hull::around(&minutiae)).flatten().collect()
    }
}

/// What two cylinders have in common.
#[derive(Clone, Copy)]
pub(super) struct Likeness {
    differ: u32,
    /// Sum of the roots of the numbers of bits.
    norm: f32,
}

impl Likeness {
    const NONE: Self = Self { differ: 0, norm: 0.0 };

    /// Over the cells that are valid in both. Taken into loops that are compiled for several machines.
    #[inline(always)]
    pub(super) fn of(one: &Cylinder, other: &Cylinder) -> Self {
        if one.is_whole && other.is_whole {
            let mut differ = 0;
            for (a, b) in one.layers.iter().zip(&other.layers) {
                differ += (a ^ b).count_ones();
            }
            return Self { differ, norm: one.norm + other.norm };
        }
        let valid = one.valid & other.valid;
        if valid.count_ones() < LEAST_COMMON {
            return Self::NONE;
        }
        let (mut differ, mut mine, mut theirs) = (0, 0, 0);
        for (a, b) in one.layers.iter().zip(&other.layers) {
            differ += ((a ^ b) & valid).count_ones();
            mine += (a & valid).count_ones();
            theirs += (b & valid).count_ones();
        }
        Self { differ, norm: (mine as f32).sqrt() + (theirs as f32).sqrt() }
    }

    /// 0 to 1.
    #[inline(always)]
    pub(super) fn value(self) -> f32 {
        let Self { differ, norm } = self;
        if norm > 0.0 { 1.0 - (differ as f32).sqrt() / norm } else { 0.0 }
    }
}

/// How a turn of so many 256ths is spread over the layers.
struct AngleTable(Vec<[f32; LAYERS]>);

impl AngleTable {
    fn new() -> Self {
        let width = TAU / LAYERS as f32;
        let row = |turned: u16| {
            let turned = f32::from(turned) * TAU / 256.0;
            std::array::from_fn(|layer| {
                let centre = -PI + (layer as f32 + 0.5) * width;
                let off = (turned - centre + PI).rem_euclid(TAU) - PI;
                // The Gaussian's integral over the layer, by Simpson's rule on eight parts.
                let at = |i: u8| {
                    let t = off - width / 2.0 + width * f32::from(i) / 8.0;
                    (-0.5 * (t / ANGLE_SIGMA).powi(2)).exp() / (ANGLE_SIGMA * TAU.sqrt())
                };
                let weights = [1.0, 4.0, 2.0, 4.0, 2.0, 4.0, 2.0, 4.0, 1.0];
                (0..=8).zip(weights).map(|(i, w)| w * at(i)).sum::<f32>() * width / 24.0
            })
        };
        Self((0..256).map(row).collect())
    }
}

/// Cells to a side, and layers of angles: a layer is one number of 64 bits.
const SIDE: usize = 8;
const LAYERS: usize = 6;
const RADIUS: f32 = 70.0;
const STEP: f32 = 2.0 * RADIUS / SIDE as f32;
const SIGMA: f32 = 28.0 / 3.0;
const REACH: f32 = 3.0 * SIGMA;
const ANGLE_SIGMA: f32 = 2.0 * PI / 9.0;
const THRESHOLD: f32 = 0.005;
const LEAST_NEIGHBOURS: usize = 2;
const LEAST_VALID: f64 = 0.6;
const LEAST_COMMON: u32 = (SIDE * SIDE / 2) as u32;
