//! Which way the ridges run, on a coarse grid: what tells fingers apart where minutiae are few.

use std::f32::consts::PI;

use zeroize::Zeroizing;

use super::ridges::{BLOCK, RidgeMap};

/// One angle for each square of [`SIDE`] pixels. Personal data, wiped on drop.
pub(super) struct OrientationField {
    width: u8,
    height: u8,
    /// In [`PARTS`] of a half turn, counter-clockwise; [`NONE`] where there is no print.
    cells: Zeroizing<Vec<u8>>,
}

impl OrientationField {
    pub(super) fn of(map: &RidgeMap) -> Option<Self> {
        let (width, height) = (map.foreground.width() / PER_CELL, map.foreground.height() / PER_CELL);
        let mut cells = Zeroizing::new(Vec::with_capacity(width * height));
        for y in 0..height {
            for x in 0..width {
                let (mut cos, mut sin, mut count) = (0.0, 0.0, 0);
                for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    let (bx, by) = ((PER_CELL * x + dx) as isize, (PER_CELL * y + dy) as isize);
                    if map.foreground.get(bx, by) == Some(true) && map.coherence.near(bx, by) > LEAST_COHERENCE {
                        count += 1;
                        cos += map.doubled_x.near(bx, by);
                        sin += map.doubled_y.near(bx, by);
                    }
                }
                let angle = 0.5 * (-sin).atan2(cos);
                let part = (angle / PI * PARTS).round().rem_euclid(PARTS) as u8;
                cells.push(if count >= 3 { part } else { NONE });
            }
        }
        Some(Self { width: u8::try_from(width).ok()?, height: u8::try_from(height).ok()?, cells })
    }

    /// The angle at a pixel, in parts; nothing where there is no print.
    pub(super) fn at(&self, (x, y): (f32, f32)) -> Option<u8> {
        if x < 0.0 || y < 0.0 {
            return None;
        }
        let (x, y) = ((x / SIDE) as usize, (y / SIDE) as usize);
        if x >= usize::from(self.width) || y >= usize::from(self.height) {
            return None;
        }
        self.cells.get(y * usize::from(self.width) + x).copied().filter(|part| *part != NONE)
    }

    /// Every cell of the print: its centre and angle.
    pub(super) fn cells(&self) -> impl Iterator<Item = ((f32, f32), u8)> {
        let width = usize::from(self.width).max(1);
        let centre = |i: usize| (i as f32 + 0.5) * SIDE;
        self.cells
            .iter()
            .enumerate()
            .filter(|(_, part)| **part != NONE)
            .map(move |(i, part)| ((centre(i % width), centre(i / width)), *part))
    }

    /// The angle at a pixel in 256ths of a turn, one way along the ridge.
    pub(super) fn angle_256ths(&self, at: (f32, f32)) -> Option<u8> {
        self.at(at).map(|part| (f32::from(part) / PARTS * 128.0).round() as u8)
    }

    /// As in a mirror, for an image of this width.
    pub(super) fn mirrored(&self, image_width: u16) -> Self {
        let mut mirrored = self.duplicate();
        let width = usize::from(self.width).max(1);
        // Cells begin at the left of the image; what is left of a cell at its right has none.
        let whole = (f32::from(image_width) / SIDE) as usize;
        for (y, row) in mirrored.cells.chunks_exact_mut(width).enumerate() {
            for (x, to) in row.iter_mut().enumerate() {
                let part = whole.checked_sub(x + 1).and_then(|from| self.cells.get(y * width + from).copied());
                *to = match part.unwrap_or(NONE) {
                    NONE => NONE,
                    part => ((PARTS as u16 - u16::from(part)) % PARTS as u16) as u8,
                };
            }
        }
        mirrored
    }

    /// A second one, for a template that is made ready while the first stays.
    pub(super) fn duplicate(&self) -> Self {
        let Self { width, height, cells } = self;
        Self { width: *width, height: *height, cells: cells.clone() }
    }

    pub(super) fn encoded_length(&self) -> usize {
        2 + self.cells.len()
    }

    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        let Self { width, height, cells } = self;
        bytes.extend_from_slice(&[*width, *height]);
        bytes.extend_from_slice(cells);
    }

    /// Reads what [`Self::write`] wrote for an image of this size.
    pub(super) fn read(bytes: &[u8], image_width: u16, image_height: u16) -> Option<Self> {
        let [width, height, cells @ ..] = bytes else { return None };
        let fits = |cells: u8, pixels: u16| f32::from(cells) * SIDE <= f32::from(pixels) + SIDE;
        let whole = cells.len() == usize::from(*width) * usize::from(*height);
        let known = cells.iter().all(|part| *part == NONE || f32::from(*part) < PARTS);
        let fits = fits(*width, image_width) && fits(*height, image_height);
        (whole && known && fits).then(|| Self { width: *width, height: *height, cells: Zeroizing::new(cells.to_vec()) })
    }
}

/// Blocks to a cell's side.
const PER_CELL: usize = 2;
/// Pixels to a cell's side.
const SIDE: f32 = (PER_CELL * BLOCK) as f32;
/// Parts of a half turn.
pub(super) const PARTS: f32 = 250.0;
const NONE: u8 = 255;
const LEAST_COHERENCE: f32 = 0.25;
