//! A portrait bent over a rough head, turned, lit and seen by a camera with noise.

use chacha20::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use crate::engine::Capture;
use crate::face::geometry::{Landmarks, Point};
use crate::face::pyramid::Pyramid;
use crate::pad::challenge::{Prompt, ScreenColour};
use crate::sample::{DecodeError, Sample};

/// A photograph of a face, and where its landmarks are.
pub struct Portrait<'a> {
    pyramid: Pyramid<'a>,
    landmarks: Landmarks,
    /// The nose's tip, in distances between the eyes from the middle of eyes and mouth.
    nose: Point,
}

impl<'a> Portrait<'a> {
    /// The capture must be of this sample.
    #[must_use]
    pub fn new(sample: &'a Sample, capture: &Capture) -> Self {
        let landmarks = *capture.landmarks();
        let mut portrait = Self { pyramid: Pyramid::new(sample), landmarks, nose: Point::default() };
        let (centre, right, down) = portrait.axes();
        let away = landmarks.nose.minus(centre);
        let square = right.dot(right);
        portrait.nose = Point::new(away.dot(right) / square, away.dot(down) / square);
        portrait
    }

    /// The middle of eyes and mouth; one distance between the eyes to the right, and down.
    fn axes(&self) -> (Point, Point, Point) {
        let Landmarks { right_eye, left_eye, nose: _, right_mouth, left_mouth } = self.landmarks;
        let centre = right_eye.middle(left_eye).middle(right_mouth.middle(left_mouth));
        let right = left_eye.minus(right_eye);
        (centre, right, Point::new(-right.y, right.x))
    }

    /// The head in this pose, by a camera.
    pub(super) fn seen(&self, pose: &Pose, scene: &Scene) -> Result<Sample, DecodeError> {
        let (centre, right, down) = self.axes();
        let unit = EYES * pose.scale;
        let view = self.pyramid.at_step(right.length() / unit);
        let lens = Lens::of(pose, scene);
        let light = ScreenColour::ALL.map(|c| if Some(c) == scene.colour { 1.0 + LIT } else { 1.0 });
        let mut noise = Noise::new(scene.noise);
        let mut rgb = Vec::with_capacity(WIDTH * HEIGHT * 3);
        for row in 0..HEIGHT {
            for column in 0..WIDTH {
                let (x, y) = (column as f64 - WIDTH as f64 / 2.0, row as f64 - HEIGHT as f64 / 2.0);
                let on_head = lens.back(Point::new(x / unit, y / unit), |p| self.depth(p, scene.flat));
                let from = Point::new(
                    centre.x + on_head.x * right.x + on_head.y * down.x,
                    centre.y + on_head.x * right.y + on_head.y * down.y,
                );
                for (value, lit) in view.colour(from).into_iter().zip(light) {
                    rgb.push((f64::from(value) * lit + noise.next()).round().clamp(0.0, 255.0) as u8);
                }
            }
        }
        Sample::from_rgb(WIDTH as u32, HEIGHT as u32, rgb)
    }

    /// How far the surface stands out: an ellipsoid, and a nose on it.
    fn depth(&self, p: Point, flat: bool) -> f64 {
        if flat {
            return 0.0;
        }
        let round = (-0.3 * p.dot(p)).max(-1.2);
        let from_nose = p.minus(self.nose);
        round + 0.3 * (-from_nose.dot(from_nose) / (2.0 * 0.17 * 0.17)).exp()
    }
}

/// How a head is held.
#[derive(Clone, Copy)]
pub(super) struct Pose {
    turn: f64,
    nod: f64,
    scale: f64,
}

impl Pose {
    pub(super) const STRAIGHT: Self = Self { turn: 0.0, nod: 0.0, scale: 1.0 };

    pub(super) const fn new(turn: f64, nod: f64, scale: f64) -> Self {
        Self { turn, nod, scale }
    }

    pub(super) const fn answering(prompt: Prompt) -> Self {
        match prompt {
            Prompt::TurnLeft => Self { turn: 26.0, ..Self::STRAIGHT },
            Prompt::TurnRight => Self { turn: -26.0, ..Self::STRAIGHT },
            Prompt::Nod => Self { nod: 28.0, ..Self::STRAIGHT },
            Prompt::Closer => Self { scale: 1.4, ..Self::STRAIGHT },
            Prompt::Farther => Self { scale: 0.7, ..Self::STRAIGHT },
        }
    }

    /// A tenth of a second nearer to another pose.
    pub(super) fn towards(&self, aim: &Self) -> Self {
        let step = |from: f64, to: f64, most: f64| from + (to - from).clamp(-most, most);
        Self {
            turn: step(self.turn, aim.turn, 5.0),
            nod: step(self.nod, aim.nod, 5.0),
            scale: step(self.scale, aim.scale, 0.07),
        }
    }
}

/// All else about a frame.
pub(super) struct Scene {
    /// A picture of a head, instead of a head.
    pub(super) flat: bool,
    pub(super) colour: Option<ScreenColour>,
    pub(super) noise: u64,
    /// Small movements of someone who stands still, each from -0.5 to 0.5.
    pub(super) sway: [f64; 3],
}

/// Rotation about the neck, then a pinhole.
struct Lens {
    turn: (f64, f64),
    nod: (f64, f64),
    shift: Point,
}

impl Lens {
    fn of(pose: &Pose, scene: &Scene) -> Self {
        let [a, b, c] = scene.sway;
        let turn = (pose.turn + a).to_radians().sin_cos();
        let nod = (pose.nod + b).to_radians().sin_cos();
        Self { turn, nod, shift: Point::new(NECK * turn.0 + 0.03 * c, NECK * nod.0 + 0.03 * a) }
    }

    fn seen(&self, p: Point, z: f64) -> Point {
        let ((ts, tc), (ns, nc)) = (self.turn, self.nod);
        let (x, z) = (p.x * tc + z * ts, z * tc - p.x * ts);
        let (y, z) = (p.y * nc + z * ns, z * nc - p.y * ns);
        let near = DISTANCE / (DISTANCE - z);
        Point::new(x * near + self.shift.x, y * near + self.shift.y)
    }

    /// Which point of the surface is seen at a place: found by going towards it.
    fn back(&self, seen: Point, depth: impl Fn(Point) -> f64) -> Point {
        let mut p = seen.minus(self.shift);
        for _ in 0..6 {
            let miss = seen.minus(self.seen(p, depth(p)));
            p = Point::new(p.x + 0.9 * miss.x, p.y + 0.9 * miss.y);
        }
        p
    }
}

/// Something like the noise of a sensor.
pub(super) struct Noise {
    rng: ChaCha20Rng,
    bytes: [u8; 192],
    at: usize,
}

impl Noise {
    pub(super) fn new(seed: u64) -> Self {
        Self { rng: ChaCha20Rng::seed_from_u64(seed), bytes: [0; 192], at: 192 }
    }

    /// The sum of three bytes, at a standard deviation of 2.5 grey levels.
    pub(super) fn next(&mut self) -> f64 {
        if self.at + 3 > self.bytes.len() {
            self.rng.fill_bytes(&mut self.bytes);
            self.at = 0;
        }
        let sum: f64 = self.bytes.iter().skip(self.at).take(3).map(|b| f64::from(*b) - 127.5).sum();
        self.at += 3;
        sum * (2.5 / 128.0)
    }
}

const WIDTH: usize = 480;
const HEIGHT: usize = 360;
/// Pixels between the eyes when looking straight.
pub(super) const EYES: f64 = 80.0;
/// From the camera, and from the face's plane back to the axis of the neck, in distances between the eyes.
const DISTANCE: f64 = 8.0;
const NECK: f64 = 0.5;
/// What the screen adds to the face's light in its colour.
const LIT: f64 = 0.05;
