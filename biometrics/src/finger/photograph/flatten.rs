//! Uneven light taken away: each pixel against its surroundings on the finger.

use super::super::grid::Grid;
use super::RidgeTone;
use super::unroll::Unrolled;

/// The finger under even light, ridges dark, grey where there is none.
pub(super) struct Flat {
    pub(super) grey: Grid<f32>,
    /// By how much each pixel differs from its surroundings, as a share of them; 0 where there is no finger.
    pub(super) relief: Grid<f32>,
    /// The surroundings' brightness.
    pub(super) light: Grid<f32>,
    pub(super) inside: Grid<bool>,
}

pub(super) fn flatten(unrolled: &Unrolled, ridges: RidgeTone) -> Flat {
    let Unrolled { grey, inside } = unrolled;
    let weight = inside.map(|inside| f32::from(u8::from(inside)));
    let total = grey.box_mean(SURROUNDINGS);
    let share = weight.box_mean(SURROUNDINGS);
    let sign = if ridges == RidgeTone::Bright { -1.0 } else { 1.0 };
    let (width, height) = (grey.width(), grey.height());
    let light = Grid::from_fn(width, height, |x, y| {
        let (x, y) = (x as isize, y as isize);
        total.near(x, y) / share.near(x, y).max(1e-3)
    });
    let relief = Grid::from_fn(width, height, |x, y| {
        let (x, y) = (x as isize, y as isize);
        if inside.near(x, y) {
            sign * (grey.near(x, y) / (light.near(x, y) + DARK) - 1.0).clamp(-0.5, 0.5)
        } else {
            0.0
        }
    });
    let grey = relief.map(|relief| (MIDDLE + GAIN * relief).clamp(0.0, 255.0));
    Flat { grey, relief, light, inside: inside.map(|inside| inside) }
}

/// How much ridges differ from valleys: the deviation of what is between two and ten pixels large, as a share of the light.
pub(super) fn modulation(flat: &Flat) -> f32 {
    let fine = flat.relief.blurred(1.2);
    let broad = flat.relief.blurred(4.0);
    let (mut sum, mut count) = (0.0, 0.0_f32);
    for ((fine, broad), inside) in fine.cells().iter().zip(broad.cells()).zip(flat.inside.cells()) {
        if *inside {
            sum += (fine - broad) * (fine - broad);
            count += 1.0;
        }
    }
    (sum / count.max(1.0)).sqrt()
}

/// Half the side of what counts as surroundings: two ridges.
const SURROUNDINGS: usize = 10;
/// Where it is dark, noise must not become ridges.
const DARK: f32 = 4.0;
const MIDDLE: f32 = 128.0;
/// Grey levels for a whole brightness: ridges of a tenth come out like a scanner's.
const GAIN: f32 = 600.0;
