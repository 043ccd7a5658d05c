//! The noise of the camera: fresh in every frame of a real one, absent or always the same in a made-up one.
//!
//! Looked at where the face is, since a face never stands quite still; walls may be equal in two frames of an honest camera
//! that compresses.

use zeroize::Zeroizing;

use crate::engine::FacePlace;
use crate::face::geometry::Point;
use crate::sample::Sample;

/// The brightness of the face's middle, at the camera's own resolution.
pub(super) struct Grain {
    left: usize,
    top: usize,
    width: usize,
    luma: Zeroizing<Vec<u8>>,
}

impl Grain {
    /// Cuts out at most [`SIDE`] × [`SIDE`] pixels.
    pub(super) fn of(sample: &Sample, place: &FacePlace) -> Self {
        let cut = |from: i32, length: i32, whole: u32| {
            let whole = i64::from(whole);
            let middle = i64::from(from) + i64::from(length) / 2;
            let half = (i64::from(length) / 2).clamp(0, SIDE / 2);
            let (start, end) = ((middle - half).clamp(0, whole), (middle + half).clamp(0, whole));
            (start as usize, (end - start) as usize)
        };
        let (left, width) = cut(place.left, place.width, sample.width());
        let (top, height) = cut(place.top, place.height, sample.height());
        let mut luma = Zeroizing::new(Vec::with_capacity(width * height));
        for row in sample.as_rgb().chunks_exact(sample.width() as usize * 3).skip(top).take(height) {
            let pixels = row.as_chunks::<3>().0.iter().skip(left).take(width);
            luma.extend(pixels.map(|[r, g, b]| ((u32::from(*r) + 2 * u32::from(*g) + u32::from(*b)) / 4) as u8));
        }
        Self { left, top, width, luma }
    }

    fn row(&self, y: usize, from: usize, to: usize) -> Option<&[u8]> {
        let start = y.checked_sub(self.top)?.checked_mul(self.width)?;
        let row = self.luma.get(start..start.checked_add(self.width)?)?;
        row.get(from.checked_sub(self.left)?..to.checked_sub(self.left)?)
    }

    /// Compares two frames where both show the face; `moved` is how far the face went, in pixels. Nothing if too little is
    /// in both.
    pub(super) fn compare(&self, other: &Self, moved: Point) -> Option<Likeness> {
        let (left, top) = (self.left.max(other.left), self.top.max(other.top));
        let right = (self.left + self.width).min(other.left + other.width);
        let bottom = (self.top + self.height()).min(other.top + other.height());
        let (mut same, mut patches, mut smooth) = (0_usize, 0_usize, 0_usize);
        let mut sums = [0.0_f64; 3];
        for y in (top..bottom.saturating_sub(PATCH - 1)).step_by(PATCH) {
            let rows = |grain: &Self| -> Option<[Zeroizing<Vec<u8>>; PATCH]> {
                let mut rows = [(); PATCH].map(|()| Zeroizing::new(Vec::new()));
                for (i, to) in rows.iter_mut().enumerate() {
                    to.extend_from_slice(grain.row(y + i, left, right)?);
                }
                Some(rows)
            };
            let (a, b) = (rows(self)?, rows(other)?);
            for x in (0..right.saturating_sub(left + PATCH - 1)).step_by(PATCH) {
                let (Some(mine), Some(theirs)) = (patch(&a, x), patch(&b, x)) else { continue };
                let bright: u32 = mine.iter().flatten().map(|v| u32::from(*v)).sum();
                // What is black or burnt out has no noise in any camera.
                if !(16 * DARK..16 * BURNT).contains(&bright) {
                    continue;
                }
                patches += 1;
                same += usize::from(mine == theirs);
                // Where the face has lines of its own they drown the noise.
                if !(is_smooth(&mine) && is_smooth(&theirs)) {
                    continue;
                }
                smooth += 1;
                for (p, q) in details(&mine).into_iter().zip(details(&theirs)) {
                    sums.iter_mut().zip([p * q, p * p, q * q]).for_each(|(sum, term)| *sum += term);
                }
            }
        }
        if patches < LEAST_PATCHES {
            return None;
        }
        let [both, mine, theirs] = sums;
        let alike = if mine > 0.0 && theirs > 0.0 { both / (mine * theirs).sqrt() } else { 0.0 };
        Some(Likeness {
            standing: same as f64 / patches as f64,
            // A face that has not moved looks like itself.
            fixed: (moved.x.abs().max(moved.y.abs()) >= MOVED && smooth >= LEAST_SMOOTH).then_some(alike),
        })
    }

    fn height(&self) -> usize {
        self.luma.len().checked_div(self.width).unwrap_or_default()
    }
}

/// How like two frames are in what ought to be noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Likeness {
    /// Share of patches that are equal in every pixel.
    pub(super) standing: f64,
    /// Correlation of the finest detail at the same places of the picture, although the face moved away under it.
    pub(super) fixed: Option<f64>,
}

type Patch = [[u8; PATCH]; PATCH];

fn patch(rows: &[Zeroizing<Vec<u8>>; PATCH], x: usize) -> Option<Patch> {
    let mut patch = [[0; PATCH]; PATCH];
    for (to, row) in patch.iter_mut().zip(rows) {
        *to = *row.get(x..)?.first_chunk()?;
    }
    Some(patch)
}

fn is_smooth(patch: &Patch) -> bool {
    let values = || patch.iter().flatten().copied();
    values().max().unwrap_or_default().abs_diff(values().min().unwrap_or_default()) <= SMOOTH
}

/// Second differences along both axes of the four inner pixels: no brightness, no slope.
fn details(patch: &Patch) -> [f64; 4] {
    let [a, b, c, d] = patch.map(|row| row.map(f64::from));
    let ([_, a1, a2, _], [b0, b1, b2, b3], [c0, c1, c2, c3], [_, d1, d2, _]) = (a, b, c, d);
    let around = |middle: f64, sum: f64| 4.0 * middle - sum;
    [
        around(b1, a1 + b0 + b2 + c1),
        around(b2, a2 + b1 + b3 + c2),
        around(c1, b1 + c0 + c2 + d1),
        around(c2, b2 + c1 + c3 + d2),
    ]
}

/// Pixels a side of what is kept of a face.
const SIDE: i64 = 256;
const PATCH: usize = 4;
const DARK: u32 = 6;
const BURNT: u32 = 249;
/// A face of 32 × 32 pixels.
const LEAST_PATCHES: usize = 64;
/// Pixels after which the finest detail of a face is elsewhere.
const MOVED: f64 = 1.5;
/// Grey levels between the darkest and the brightest pixel of skin.
const SMOOTH: u8 = 24;
const LEAST_SMOOTH: usize = 32;
