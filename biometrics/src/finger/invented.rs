//! Fingers that nobody has, made from prints of others: to fill a gallery with. They measure how a search scales, not how
//! people differ.

use std::f32::consts::TAU;

use rand_core::Rng;
use zeroize::Zeroizing;

use super::template::{FingerTemplate, Minutia};

impl FingerTemplate {
    /// Another finger, the donor's in a mirror: each place moved by waves of a ridge and a half each, half
    /// of the minutiae put elsewhere, along the ridges there.
    /// Those of one donor may look like each other.
    #[must_use]
    pub fn invent(donor: &Self, rng: &mut impl Rng) -> Self {
        let Self { extractor, width, height, minutiae, field } = donor;
        let field = field.as_ref().map(|field| field.mirrored(*width));
        let mut unit = || (f64::from(rng.next_u32()) / f64::from(u32::MAX)) as f32;
        let waves: [[f32; 4]; WAVES] = std::array::from_fn(|_| {
            let (direction, length) = (TAU * unit(), SHORTEST + (LONGEST - SHORTEST) * unit());
            [TAU / length * direction.cos(), TAU / length * direction.sin(), TAU * unit(), TAU * unit()]
        });
        let inside = |x: f32, y: f32| x >= 0.0 && y >= 0.0 && x < f32::from(*width) && y < f32::from(*height);
        let mut invented = Zeroizing::new(Vec::with_capacity(minutiae.len()));
        for m in minutiae.iter() {
            let (x, y) = m.place();
            let (x, angle) = (f32::from(*width) - 1.0 - x, 128_u8.wrapping_sub(m.angle));
            let (mut to_x, mut to_y) = (x, y);
            for [kx, ky, phase, direction] in waves {
                let size = AMPLITUDE * (kx * x + ky * y + phase).sin();
                (to_x, to_y) = (to_x + size * direction.cos(), to_y + size * direction.sin());
            }
            let mut placed = Minutia { angle, ..*m };
            if unit() < REPLACED {
                // Somewhere else on the print, and turned as the ridges are there.
                let elsewhere = (0..TRIES).find_map(|_| {
                    let at = (unit() * f32::from(*width), unit() * f32::from(*height));
                    field.as_ref().and_then(|field| field.angle_256ths(at)).map(|ridge| (at, ridge))
                });
                let Some((at, ridge)) = elsewhere else { continue };
                (to_x, to_y) = at;
                placed.angle = if unit() < 0.5 { ridge } else { ridge.wrapping_add(128) };
            }
            if inside(to_x, to_y) {
                (placed.x, placed.y) = (to_x as u16, to_y as u16);
                invented.push(placed);
            }
        }
        Self::new(*extractor, (*width, *height), invented, field)
    }
}

const WAVES: usize = 3;
/// Pixels that one wave moves a place at most.
const AMPLITUDE: f32 = 14.0;
/// Pixels from crest to crest.
const SHORTEST: f32 = 80.0;
const LONGEST: f32 = 200.0;
const REPLACED: f32 = 0.5;
/// A print covers a good part of its picture: so many tries find it.
const TRIES: usize = 64;
