//! A print as hills and valleys: what a simulated finger is covered with.

use super::enhance::{enhance, normalise};
use super::grid::Grid;
use super::image::FingerImage;
use super::ridges::{BLOCK, RidgeMap};

/// Hills and valleys of one print, at 500 dpi. Personal data, wiped on drop.
pub(crate) struct Relief {
    height: Grid<f32>,
    /// Left, top, right, bottom of where ridges are, in pixels.
    bounds: [f32; 4],
}

impl Relief {
    /// Nothing if the image shows no ridges.
    pub(crate) fn of(image: &FingerImage) -> Option<Self> {
        let (normal, deviation) = normalise(&image.grey);
        let map = RidgeMap::of(&normal, &deviation);
        let blocks = (0..map.foreground.height()).flat_map(|y| (0..map.foreground.width()).map(move |x| (x, y)));
        let block = BLOCK as f32;
        let mut bounds: Option<[f32; 4]> = None;
        for (x, y) in blocks.filter(|(x, y)| map.foreground.get(*x as isize, *y as isize) == Some(true)) {
            let (left, top) = (x as f32 * block, y as f32 * block);
            let [l, t, r, b] = bounds.unwrap_or([left, top, left, top]);
            bounds = Some([l.min(left), t.min(top), r.max(left + block), b.max(top + block)]);
        }
        let bounds = bounds?;
        // As it was scanned, with the noise and the pores; the filtered ridges only carry it through gaps.
        let ridges = enhance(&normal, &map);
        let faded = map.foreground.map(|inside| f32::from(u8::from(inside))).blurred(0.8);
        let height = Grid::from_fn(normal.width(), normal.height(), |x, y| {
            let (px, py) = (x as f32, y as f32);
            let (x, y) = (x as isize, y as isize);
            let share = faded.between(px / block - 0.5, py / block - 0.5);
            share * (0.5 * ridges.near(x, y) - 0.3 * normal.near(x, y)).clamp(-1.0, 1.0)
        });
        Some(Self { height, bounds })
    }

    /// The height at a point, -1 to 1; 0 where there is no print.
    pub(crate) fn at(&self, x: f32, y: f32) -> f32 {
        let inside = x > 0.0 && y > 0.0 && x < self.height.width() as f32 && y < self.height.height() as f32;
        if inside { self.height.between(x - 0.5, y - 0.5) } else { 0.0 }
    }

    pub(crate) const fn bounds(&self) -> [f32; 4] {
        self.bounds
    }
}
