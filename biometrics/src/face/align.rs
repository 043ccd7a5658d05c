//! The face, turned upright and scaled so that its landmarks lie where the embedder expects them.

use zeroize::Zeroizing;

use super::geometry::{Landmarks, Point, Similarity};
use super::pyramid::Pyramid;

/// A face of [`SIDE`] × [`SIDE`] pixels. Personal data, wiped on drop.
pub(crate) struct AlignedFace {
    /// Rows from the top, a triple a pixel, red first, 0 to 255.
    pixels: Zeroizing<Vec<[f32; 3]>>,
}

impl AlignedFace {
    /// Cuts the face out, its size times `zoom`. Nothing if the landmarks are all in one place.
    #[inline(never)]
    pub(crate) fn cut(pyramid: &Pyramid<'_>, landmarks: &Landmarks, zoom: f64) -> Option<Self> {
        let back = Similarity::fit(&zoomed(zoom), &landmarks.points())?;
        let view = pyramid.at_step(back.scale());
        let taps = view.taps();
        let share = 1.0 / (taps * taps) as f32;
        let mut pixels = Zeroizing::new(Vec::with_capacity(SIDE * SIDE));
        for row in 0..SIDE {
            for column in 0..SIDE {
                let mut sum = [0.0_f32; 3];
                for tap in 0..taps * taps {
                    let offset = |i: u32| (f64::from(i) + 0.5) / f64::from(taps) - 0.5;
                    let place = Point::new(column as f64 + offset(tap % taps), row as f64 + offset(tap / taps));
                    // Landmarks, like the target's, count from the middle of the first pixel; colours from its edge.
                    let from = back.apply(place);
                    let colour = view.colour(Point::new(from.x + 0.5, from.y + 0.5));
                    sum.iter_mut().zip(colour).for_each(|(to, c)| *to += c * share);
                }
                pixels.push(sum);
            }
        }
        Some(Self { pixels })
    }

    /// The embedder's input: three planes, red first; mirrored left to right if asked for.
    pub(crate) fn planes(&self, mirrored: bool) -> Zeroizing<Vec<f32>> {
        let mut planes = Zeroizing::new(Vec::with_capacity(3 * SIDE * SIDE));
        for plane in 0..3 {
            for row in self.pixels.chunks_exact(SIDE) {
                let value = |pixel: &[f32; 3]| pixel.get(plane).copied().unwrap_or_default();
                if mirrored {
                    planes.extend(row.iter().rev().map(value));
                } else {
                    planes.extend(row.iter().map(value));
                }
            }
        }
        planes
    }

    /// Brightness of each pixel, 0 to 255, in rows.
    pub(crate) fn luma(&self) -> Zeroizing<Vec<f32>> {
        Zeroizing::new(self.pixels.iter().map(|[r, g, b]| 0.299 * r + 0.587 * g + 0.114 * b).collect())
    }
}

/// The target's landmarks, nearer to or farther from their middle.
fn zoomed(zoom: f64) -> [Point; 5] {
    let sum = TARGET.iter().fold(Point::default(), |sum, p| Point::new(sum.x + p.x, sum.y + p.y));
    let middle = Point::new(sum.x / 5.0, sum.y / 5.0);
    TARGET.map(|p| Point::new(middle.x + (p.x - middle.x) * zoom, middle.y + (p.y - middle.y) * zoom))
}

/// Pixels a side.
pub(crate) const SIDE: usize = 112;

/// Where the landmarks of an aligned face are: the places that ArcFace made customary, and SFace was trained with.
const TARGET: [Point; 5] = [
    Point::new(38.2946, 51.6963),
    Point::new(73.5318, 51.5014),
    Point::new(56.0252, 71.7366),
    Point::new(41.5493, 92.3655),
    Point::new(70.7299, 92.2041),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    #[test]
    fn landmarks_come_to_lie_where_the_embedder_expects_them() {
        // Five bright spots in a dark picture, turned and four times as large as the target.
        let (angle, scale) = (0.3_f64, 4.0);
        let place = |p: &Point| {
            Point::new(
                scale * (p.x * angle.cos() - p.y * angle.sin()) + 300.0,
                scale * (p.x * angle.sin() + p.y * angle.cos()) + 100.0,
            )
        };
        let landmarks = Landmarks::from_points([0, 1, 2, 3, 4].map(|i: usize| place(&TARGET[i])));
        let mut rgb = vec![0_u8; 800 * 800 * 3];
        for p in landmarks.points() {
            for y in -8..=8_i32 {
                for x in -8..=8_i32 {
                    let at = ((p.y as i32 + y) * 800 + p.x as i32 + x) as usize * 3;
                    rgb[at..at + 3].fill(255);
                }
            }
        }
        let sample = Sample::from_rgb(800, 800, rgb).unwrap();
        let pyramid = Pyramid::new(&sample);
        let face = AlignedFace::cut(&pyramid, &landmarks, 1.0).unwrap();
        let luma = face.luma();
        for p in TARGET {
            let at = p.y.round() as usize * SIDE + p.x.round() as usize;
            assert!(luma[at] > 200.0, "{p:?}: {}", luma[at]);
        }
        assert!(luma.iter().sum::<f32>() / luma.len() as f32 <= 60.0);
    }

    #[test]
    fn mirroring_turns_each_row_around() {
        let sample = Sample::from_rgb(2, 1, vec![10, 20, 30, 40, 50, 60]).unwrap();
        let pyramid = Pyramid::new(&sample);
        let face = AlignedFace::cut(&pyramid, &Landmarks::from_points(TARGET), 1.0).unwrap();
        let (plain, mirrored) = (face.planes(false), face.planes(true));
        assert_eq!(plain.len(), 3 * SIDE * SIDE);
        for (a, b) in plain.chunks_exact(SIDE).zip(mirrored.chunks_exact(SIDE)) {
            assert!(a.iter().eq(b.iter().rev()));
        }
        assert!((plain[0] - 10.0).abs() < 1e-3 && (plain[2 * SIDE * SIDE] - 30.0).abs() < 1e-3);
    }
}
