//! The detector's contract: what a picture must look like going in, and what its twelve outputs mean.
//!
//! # Source
//! YuNet: Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research 20, 2023; the decoding
//! is that of OpenCV's `FaceDetectorYN`, with which it was compared (landmarks agree to 0.1 pixel).

use zeroize::Zeroizing;

use super::geometry::{Landmarks, Point, Rectangle};
use super::pyramid::Pyramid;

/// A face that the detector sees, in pixels of the sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Face {
    /// How sure the detector is, 0 to 1.
    pub(crate) score: f64,
    pub(crate) place: Rectangle,
    pub(crate) landmarks: Landmarks,
}

/// Where and how large a picture is put on the detector's square canvas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Placement {
    /// Side of the canvas, a multiple of 32.
    pub(crate) side: usize,
    /// Pixels of the canvas for a pixel of the sample.
    scale: f64,
    left: f64,
    top: f64,
}

impl Placement {
    /// The whole picture in the middle, its longer side `longest` pixels; around it, its edges go on.
    pub(crate) fn whole(pyramid: &Pyramid<'_>, side: usize, longest: f64) -> Self {
        let scale = longest / pyramid.width().max(pyramid.height());
        let middle = side as f64 / 2.0;
        Self { side, scale, left: middle - pyramid.width() * scale / 2.0, top: middle - pyramid.height() * scale / 2.0 }
    }

    /// A face in the middle, `size` pixels (the root of its area).
    pub(crate) fn around(place: &Rectangle, side: usize, size: f64) -> Self {
        let scale = size / place.area().sqrt().max(1.0);
        let (middle, centre) = (side as f64 / 2.0, place.centre());
        Self { side, scale, left: middle - centre.x * scale, top: middle - centre.y * scale }
    }

    /// The detector's input: three planes, blue first, 0 to 255.
    #[inline(never)]
    pub(crate) fn planes(&self, pyramid: &Pyramid<'_>) -> Zeroizing<Vec<f32>> {
        pyramid.at_step(1.0 / self.scale).planes(self.side, |canvas| self.back(canvas))
    }

    /// How large a place of the sample is on the canvas: the root of its area.
    pub(crate) fn size_of(&self, place: &Rectangle) -> f64 {
        place.area().sqrt() * self.scale
    }

    fn back(&self, canvas: Point) -> Point {
        Point::new((canvas.x - self.left) / self.scale, (canvas.y - self.top) / self.scale)
    }

    fn back_rectangle(&self, canvas: &Rectangle) -> Rectangle {
        let corner = self.back(Point::new(canvas.left, canvas.top));
        Rectangle {
            left: corner.x,
            top: corner.y,
            width: canvas.width / self.scale,
            height: canvas.height / self.scale,
        }
    }
}

/// The outputs for one stride: a value, four or ten for each cell, cells in rows.
#[derive(Clone, Copy)]
pub(crate) struct StrideOutput<'a> {
    pub(crate) stride: usize,
    pub(crate) class: &'a [f32],
    pub(crate) objectness: &'a [f32],
    pub(crate) boxes: &'a [f32],
    pub(crate) landmarks: &'a [f32],
}

/// Reads the faces with at least this score out of one stride's outputs. What is not finite is no face.
#[inline(never)]
pub(crate) fn read(output: &StrideOutput<'_>, placement: &Placement, at_least: f64, faces: &mut Vec<Face>) {
    let cells = placement.side / output.stride;
    let stride = output.stride as f64;
    let values = output.class.iter().zip(output.objectness);
    let shapes = output.boxes.as_chunks::<4>().0.iter().zip(output.landmarks.as_chunks::<10>().0);
    for (cell, ((class, objectness), (shape, marks))) in values.zip(shapes).enumerate() {
        let likelihood = f64::from(class.clamp(0.0, 1.0)) * f64::from(objectness.clamp(0.0, 1.0));
        let score = likelihood.sqrt();
        let finite = shape.iter().chain(marks).all(|v| v.is_finite() && v.abs() < 100.0);
        // Written so that NaN fails too.
        if !(score >= at_least && finite) {
            continue;
        }
        let (column, row) = ((cell % cells) as f64, (cell / cells) as f64);
        let [dx, dy, dw, dh] = shape.map(f64::from);
        let (width, height) = (dw.min(LARGEST_LOG).exp() * stride, dh.min(LARGEST_LOG).exp() * stride);
        let canvas = Rectangle {
            left: (column + dx) * stride - width / 2.0,
            top: (row + dy) * stride - height / 2.0,
            width,
            height,
        };
        let (pairs, _) = marks.as_chunks::<2>();
        let mut points = [Point::default(); 5];
        for (to, [x, y]) in points.iter_mut().zip(pairs) {
            let at = Point::new((f64::from(*x) + column) * stride, (f64::from(*y) + row) * stride);
            *to = placement.back(at);
        }
        faces.push(Face { score, place: placement.back_rectangle(&canvas), landmarks: Landmarks::from_points(points) });
    }
}

/// Keeps the surest of every group of boxes that show the same face, surest first.
pub(crate) fn suppress(mut faces: Vec<Face>) -> Vec<Face> {
    faces.sort_by(|a, b| b.score.total_cmp(&a.score));
    faces.truncate(MOST_CANDIDATES);
    let mut kept: Vec<Face> = Vec::new();
    for face in faces {
        if !kept.iter().any(|other| is_same(&face.place, &other.place)) {
            kept.push(face);
        }
    }
    kept
}

/// Whether two boxes show the same face: much in common, or one mostly within the other (seen at another scale).
pub(crate) fn is_same(a: &Rectangle, b: &Rectangle) -> bool {
    let shared = a.overlap(b);
    shared > OVERLAP * (a.area() + b.area() - shared) || shared > WITHIN * a.area().min(b.area())
}

/// Non-maximum suppression, as the model's authors use it.
const OVERLAP: f64 = 0.3;
const WITHIN: f64 = 0.6;
/// Suppression compares every pair: a canvas full of false faces must not cost more than this squared.
const MOST_CANDIDATES: usize = 400;
/// A face a thousand strides wide is none.
const LARGEST_LOG: f64 = 7.0;

#[cfg(test)]
mod tests;
