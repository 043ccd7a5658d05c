//! How a head has moved, from five landmarks: what a plane can do, and what only a head can.
//!
//! Eyes and mouth corners lie nearly in a plane, the nose in front of it. Whatever a camera does to a plane (a photograph
//! shifted, turned, tilted, brought closer) is a homography, and four points give it; the nose of a photograph goes along.
//! The nose of a head that turns does not: how far it lies from where the plane would carry it is its parallax.
//!
//! # Source
//! Hartley and Zisserman, "Multiple View Geometry", 2nd ed. 2004, §13.3 (plane and parallax); the carrying of a fifth point
//! is the projective frame of §2.3 in areal coordinates.

use super::script::Prompt;
use crate::face::geometry::{Landmarks, Point};

/// What happened to the face between looking straight and now. Lengths in distances between the eyes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Motion {
    /// Parallax of the nose towards the person's left.
    aside: f64,
    /// Parallax of the nose towards the chin.
    below: f64,
    /// How much larger the face is.
    scale: f64,
    /// How much narrower (below 1) or lower (above 1) it looks.
    squeeze: f64,
    /// How far its middle went.
    shift: f64,
}

impl Motion {
    /// Nothing if the landmarks are so placed that no plane goes through them.
    pub(super) fn between(straight: &Landmarks, now: &Landmarks) -> Option<Self> {
        let (eyes_then, height_then) = sizes(straight);
        let (eyes, height) = sizes(now);
        let (wider, higher) = (eyes / eyes_then, height / height_then);
        // A turn narrows the face, a nod lowers it: the other measure keeps the size.
        let scale = wider.max(higher);
        let expected = carried(&plane(straight), &plane(now), straight.nose)?;
        let across = now.left_eye.minus(now.right_eye);
        let (right, down) =
            (Point::new(across.x / eyes, across.y / eyes), Point::new(-across.y / eyes, across.x / eyes));
        let parallax = now.nose.minus(expected);
        let unit = eyes_then * scale;
        let motion = Self {
            aside: parallax.dot(right) / unit,
            below: parallax.dot(down) / unit,
            scale,
            squeeze: wider / higher,
            shift: middle(now).minus(middle(straight)).length() / eyes_then,
        };
        let Self { aside, below, scale, squeeze, shift } = motion;
        [aside, below, scale, squeeze, shift].iter().all(|v| v.is_finite()).then_some(motion)
    }

    /// Looking straight, at about the distance of the beginning.
    pub(super) fn is_straight(&self) -> bool {
        self.aside.abs() < STRAIGHT && self.below.abs() < STRAIGHT && (SMALLER..LARGER).contains(&self.scale)
    }

    /// Whether it answers the prompt, `ease` times as far as is asked.
    pub(super) fn answers(&self, prompt: Prompt, ease: f64) -> bool {
        let beside = |along: f64, other: f64, least: f64| along >= least * ease && along >= other.abs();
        match prompt {
            Prompt::TurnLeft => beside(self.aside, self.below, TURN),
            Prompt::TurnRight => beside(-self.aside, self.below, TURN),
            Prompt::Nod => beside(self.below, self.aside, NOD),
            Prompt::Closer => self.scale >= 1.0 + CLOSER * ease,
            Prompt::Farther => self.scale <= 1.0 - FARTHER * ease,
        }
    }

    /// A plane turned so far that a head would have shown it: the face is squeezed, and the nose went along.
    pub(super) fn is_of_a_plane(&self) -> bool {
        let squeezed = !(1.0 - SQUEEZE..1.0 / (1.0 - SQUEEZE)).contains(&self.squeeze);
        squeezed && self.aside.hypot(self.below) < FLAT
    }

    /// A face that moved about, was tilted or changed its size with less parallax than any answer has.
    pub(super) fn is_flat_movement(&self) -> bool {
        let tilted = !(TILTED..1.0 / TILTED).contains(&self.squeeze);
        let moved = tilted || self.shift > MOVED || !(SMALLER..LARGER).contains(&self.scale);
        moved && self.aside.hypot(self.below) < NOD
    }
}

/// How far the middle of the face went between two frames, in distances between the eyes of the smaller, and how many times
/// larger one is than the other.
pub(super) fn jump(before: &Landmarks, now: &Landmarks) -> (f64, f64) {
    let ((eyes_before, height_before), (eyes, height)) = (sizes(before), sizes(now));
    let (size_before, size) = (eyes_before.max(height_before), eyes.max(height));
    let way = middle(now).minus(middle(before)).length() / size.min(size_before);
    (way, (size / size_before).max(size_before / size))
}

/// Distance between the eyes, and from the eyes' middle to the mouth's.
fn sizes(landmarks: &Landmarks) -> (f64, f64) {
    let Landmarks { right_eye, left_eye, nose: _, right_mouth, left_mouth } = *landmarks;
    let height = right_mouth.middle(left_mouth).minus(right_eye.middle(left_eye)).length();
    (left_eye.minus(right_eye).length(), height)
}

pub(super) fn middle(landmarks: &Landmarks) -> Point {
    let Landmarks { right_eye, left_eye, nose: _, right_mouth, left_mouth } = *landmarks;
    right_eye.middle(left_eye).middle(right_mouth.middle(left_mouth))
}

const fn plane(landmarks: &Landmarks) -> [Point; 4] {
    let Landmarks { right_eye, left_eye, nose: _, right_mouth, left_mouth } = *landmarks;
    [right_eye, left_eye, right_mouth, left_mouth]
}

/// Where the homography that carries four points onto four others carries a fifth.
fn carried(from: &[Point; 4], onto: &[Point; 4], fifth: Point) -> Option<Point> {
    let [a, b, c, d] = from;
    let [p, q, r, s] = onto;
    let frame = areal([a, b, c], d);
    let place = areal([a, b, c], &fifth);
    let weights = areal([p, q, r], s);
    let (mut x, mut y, mut sum) = (0.0, 0.0, 0.0);
    for (((m, l), w), to) in place.iter().zip(frame).zip(weights).zip([p, q, r]) {
        let share = m / l * w;
        x += share * to.x;
        y += share * to.y;
        sum += share;
    }
    let to = Point::new(x / sum, y / sum);
    (to.x.is_finite() && to.y.is_finite()).then_some(to)
}

/// The weights whose mean of three corners is the point.
fn areal([a, b, c]: [&Point; 3], point: &Point) -> [f64; 3] {
    let area = |p: &Point, q: &Point, r: &Point| (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x);
    let whole = area(a, b, c);
    [area(point, b, c) / whole, area(a, point, c) / whole, area(a, b, point) / whole]
}

/// Parallax below which a head looks straight.
const STRAIGHT: f64 = 0.035;
/// Size, against the beginning, within which the distance is the same.
const SMALLER: f64 = 0.87;
const LARGER: f64 = 1.15;
/// Parallax of a turn, and of a nod, which shows less, in two frames running. Of a photograph that is tilted the detector makes up to .064 to one side, .03 to the
/// other and .040 for a nod, which every order has if it has not both sides; of drawn heads .059 and .049 and more (simulated).
const TURN: f64 = 0.06;
const NOD: f64 = 0.048;
const CLOSER: f64 = 0.22;
const FARTHER: f64 = 0.18;
/// Parallax that landmarks have from their own noise: a moved photograph came to 0.022 (simulated).
const FLAT: f64 = 0.03;
/// A fifth narrower is a turn of 37 degrees.
const SQUEEZE: f64 = 0.2;
const TILTED: f64 = 0.96;
const MOVED: f64 = 0.15;

#[cfg(test)]
mod tests;
