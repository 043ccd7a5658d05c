//! The finger as a body: half an ellipsoid on a cone, both flatter than they are wide, before a pinhole camera.

use std::f32::consts::FRAC_PI_2;

use chacha20::ChaCha20Rng;
use rand_core::Rng;

use super::within;

/// What a ray meets.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Millimetres along the skin beside the middle.
    pub(super) beside: f32,
    /// Millimetres along the skin from the tip.
    pub(super) down: f32,
    /// In the camera's frame: right, down, towards the camera.
    pub(super) normal: [f32; 3],
}

/// One finger and the camera before it; millimetres.
pub(super) struct Body {
    /// Half its width and half its depth, where the dome ends.
    across: f32,
    deep: f32,
    /// From the tip to there.
    dome: f32,
    /// By which share it widens, each millimetre.
    taper: f32,
    distance: f32,
    /// Pixels for a tangent of 1.
    focus: f32,
    /// Rows: the camera's right, down and back in the finger's frame.
    turn: [[f32; 3]; 3],
    /// What the camera looks at.
    aim: [f32; 3],
    rings: Arc,
    meridian: Arc,
    lies: bool,
}

impl Body {
    pub(super) fn draw(rng: &mut ChaCha20Rng, tilt: f32, roll: f32, width: f32) -> Self {
        let across = within(rng, (7.0, 9.3));
        let deep = across * within(rng, (0.72, 0.95));
        let dome = across * within(rng, (0.85, 1.25));
        let distance = within(rng, (70.0, 150.0));
        let degrees = |rng: &mut ChaCha20Rng, most: f32| within(rng, (-most, most)).to_radians();
        let (pitch, roll) = (degrees(rng, tilt), degrees(rng, roll));
        // One in four lies in the picture, or hangs into it.
        let quarter = if rng.next_u32().is_multiple_of(4) { 1 + rng.next_u32() % 3 } else { 0 };
        let plane = quarter as f32 * FRAC_PI_2 + degrees(rng, 20.0);
        let turn = product(product(about_z(plane), about_x(pitch)), about_y(roll));
        let aim = [within(rng, (-1.0, 1.0)), dome + within(rng, (-0.5, 1.5)), deep * 0.8];
        let focus = width / (2.0 * across) * distance;
        let (rings, meridian) = (Arc::new(across, deep), Arc::new(dome, deep));
        let taper = within(rng, (0.0, 0.004));
        Self { across, deep, dome, taper, distance, focus, turn, aim, rings, meridian, lies: quarter % 2 == 1 }
    }

    pub(super) fn width(&self) -> f32 {
        2.0 * self.across
    }

    /// Whether it lies across the picture.
    pub(super) const fn lies(&self) -> bool {
        self.lies
    }

    /// What is seen at a place of the picture, in pixels from its middle.
    pub(super) fn seen_at(&self, (x, y): (f32, f32)) -> Option<Place> {
        let Self { across, deep, dome, taper, distance, focus, turn, aim, .. } = self;
        let back = turned(turn, [0.0, 0.0, 1.0]);
        let eye = [0, 1, 2].map(|i| at(aim, i) + distance * at(&back, i));
        let ray = turned(turn, [x / focus, y / focus, -1.0]);
        let [ex, ey, ez] = eye;
        let [rx, ry, rz] = ray;
        // The cone: (x/a)² + (z/b)² = (1 + taper (y - dome))².
        let (wide, slope) = (1.0 + taper * (ey - dome), taper * ry);
        let square = |v: f32| v * v;
        let cone = first_root(
            square(rx / across) + square(rz / deep) - square(slope),
            ex * rx / square(*across) + ez * rz / square(*deep) - wide * slope,
            square(ex / across) + square(ez / deep) - square(wide),
            |t| ey + t * ry >= *dome,
        );
        let above = ey - dome;
        let cap = first_root(
            square(rx / across) + square(rz / deep) + square(ry / dome),
            ex * rx / square(*across) + ez * rz / square(*deep) + above * ry / square(*dome),
            square(ex / across) + square(ez / deep) + square(above / dome) - 1.0,
            |t| ey + t * ry < *dome,
        );
        let t = match (cone, cap) {
            (Some(a), Some(b)) => a.min(b),
            (a, b) => a.or(b)?,
        };
        let (px, py, pz) = (ex + t * rx, ey + t * ry, ez + t * rz);
        let up = py - dome;
        let (girth, down, rise) = if up >= 0.0 {
            (1.0 + taper * up, self.meridian.whole() + up, -taper * (1.0 + taper * up))
        } else {
            let sine = (-up / dome).min(1.0);
            ((1.0 - sine * sine).sqrt(), self.meridian.whole() - self.meridian.length(sine.asin()), up / square(*dome))
        };
        let angle = (px / across).atan2(pz / deep);
        let normal = [px / square(*across), rise, pz / square(*deep)];
        let normal = untwisted(turn, normal);
        let length = normal.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-6);
        Some(Place { beside: girth * self.rings.length(angle), down, normal: normal.map(|v| v / length) })
    }
}

/// The nearest crossing before the camera that is allowed: `a t² + 2 b t + c = 0`.
fn first_root(a: f32, b: f32, c: f32, allowed: impl Fn(f32) -> bool) -> Option<f32> {
    let inner = b * b - a * c;
    if inner <= 0.0 || a.abs() < 1e-9 {
        return None;
    }
    let root = inner.sqrt();
    let mut both = [(-b - root) / a, (-b + root) / a];
    both.sort_by(f32::total_cmp);
    both.into_iter().find(|t| *t > 0.0 && allowed(*t))
}

/// How long the arc of an ellipse is, from where it is nearest to the camera.
struct Arc(Vec<f32>);

impl Arc {
    /// Half axes to the side and to the camera.
    fn new(side: f32, near: f32) -> Self {
        let mut sum = 0.0;
        let step = FRAC_PI_2 / STEPS as f32;
        let mut lengths = vec![0.0];
        for i in 0..STEPS {
            let (sin, cos) = ((i as f32 + 0.5) * step).sin_cos();
            sum += (side * cos).hypot(near * sin) * step;
            lengths.push(sum);
        }
        Self(lengths)
    }

    fn length(&self, angle: f32) -> f32 {
        let at = (angle.abs() / FRAC_PI_2).min(1.0) * STEPS as f32;
        let left = (at.floor() as usize).min(STEPS - 1);
        let value = |i: usize| self.0.get(i).copied().unwrap_or(0.0);
        let share = at - left as f32;
        (value(left) * (1.0 - share) + value(left + 1) * share).copysign(angle)
    }

    fn whole(&self) -> f32 {
        self.length(FRAC_PI_2)
    }
}

type Matrix = [[f32; 3]; 3];

fn about_x(angle: f32) -> Matrix {
    let (s, c) = angle.sin_cos();
    [[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]]
}

fn about_y(angle: f32) -> Matrix {
    let (s, c) = angle.sin_cos();
    [[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]]
}

fn about_z(angle: f32) -> Matrix {
    let (s, c) = angle.sin_cos();
    [[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]
}

fn product(a: Matrix, b: Matrix) -> Matrix {
    a.map(|row| [0, 1, 2].map(|j| row.iter().zip(&b).map(|(v, line)| v * at(line, j)).sum()))
}

/// From the camera's frame to the finger's.
fn turned(turn: &Matrix, v: [f32; 3]) -> [f32; 3] {
    [0, 1, 2].map(|j| turn.iter().zip(v).map(|(row, v)| at(row, j) * v).sum())
}

/// And back.
fn untwisted(turn: &Matrix, v: [f32; 3]) -> [f32; 3] {
    turn.map(|row| row.iter().zip(v).map(|(a, b)| a * b).sum())
}

fn at(row: &[f32; 3], i: usize) -> f32 {
    row.get(i).copied().unwrap_or(0.0)
}

const STEPS: usize = 256;
