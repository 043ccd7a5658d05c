//! What the second network looks at: the surroundings of a few places, cut out of what the first made of the picture.

use zeroize::Zeroizing;

use super::network::{CHANNELS, NEAR, PATCH};

/// Patches for a few places.
pub(super) struct Patches {
    /// Place, channel, row, column.
    pub(super) values: Zeroizing<Vec<f32>>,
    /// 1 where the middle of a patch lies in the picture, else 0: place, row, column.
    pub(super) inside: Vec<f32>,
}

impl Patches {
    /// Around places in the picture, of which `seen` is half the width and height; zeros beyond it. Nothing if `seen` is of another
    /// size.
    pub(super) fn cut(seen: &[f32], (width, height): (usize, usize), places: &[(usize, usize)]) -> Option<Self> {
        if width * height == 0 || seen.len() != CHANNELS as usize * width * height {
            return None;
        }
        let side = PATCH as usize;
        let mut values = Zeroizing::new(Vec::with_capacity(places.len() * CHANNELS as usize * side * side));
        let mut inside = Vec::with_capacity(places.len() * (NEAR * NEAR) as usize);
        for (x, y) in places {
            // The patch begins half its side before the place.
            let row_at = |row: usize, side: usize| (y / 2 + row).checked_sub(side / 2).filter(|row| *row < height);
            let column_at =
                |column: usize, side: usize| (x / 2 + column).checked_sub(side / 2).filter(|at| *at < width);
            for channel in seen.chunks_exact(width * height) {
                for row in 0..side {
                    let pixels = row_at(row, side).and_then(|row| channel.chunks_exact(width).nth(row)).unwrap_or(&[]);
                    let pixel = |column| column_at(column, side).and_then(|at| pixels.get(at).copied());
                    values.extend((0..side).map(|column| pixel(column).unwrap_or_default()));
                }
            }
            let near = NEAR as usize;
            for row in 0..near {
                let is_inside = |column| row_at(row, near).is_some() && column_at(column, near).is_some();
                inside.extend((0..near).map(|column| f32::from(u8::from(is_inside(column)))));
            }
        }
        Some(Self { values, inside })
    }
}
