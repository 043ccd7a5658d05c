//! Points, boxes, and the similarity that carries five landmarks onto five others.

/// A place in a picture: pixels from the left and from the top.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

impl Point {
    pub(crate) const fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self::new(self.x - other.x, self.y - other.y)
    }

    pub(crate) fn middle(self, other: Self) -> Self {
        Self::new(f64::midpoint(self.x, other.x), f64::midpoint(self.y, other.y))
    }

    pub(crate) fn dot(self, other: Self) -> f64 {
        self.x * other.x + self.y * other.y
    }

    pub(crate) fn length(self) -> f64 {
        self.x.hypot(self.y)
    }
}

/// The five landmarks, as the detector gives them: *right* is the person's own right, so the smaller `x` when facing us.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Landmarks {
    pub(crate) right_eye: Point,
    pub(crate) left_eye: Point,
    pub(crate) nose: Point,
    pub(crate) right_mouth: Point,
    pub(crate) left_mouth: Point,
}

impl Landmarks {
    pub(crate) const fn from_points(points: [Point; 5]) -> Self {
        let [right_eye, left_eye, nose, right_mouth, left_mouth] = points;
        Self { right_eye, left_eye, nose, right_mouth, left_mouth }
    }

    pub(crate) const fn points(&self) -> [Point; 5] {
        let Self { right_eye, left_eye, nose, right_mouth, left_mouth } = *self;
        [right_eye, left_eye, nose, right_mouth, left_mouth]
    }

    /// The mean of several estimates; nothing if there is none.
    pub(crate) fn mean(estimates: &[Self]) -> Option<Self> {
        let count = estimates.len() as f64;
        let mut sums = [Point::default(); 5];
        for estimate in estimates {
            for (sum, point) in sums.iter_mut().zip(estimate.points()) {
                *sum = Point::new(sum.x + point.x, sum.y + point.y);
            }
        }
        (!estimates.is_empty()).then(|| Self::from_points(sums.map(|sum| Point::new(sum.x / count, sum.y / count))))
    }
}

/// An upright rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Rectangle {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Rectangle {
    pub(crate) fn area(&self) -> f64 {
        self.width * self.height
    }

    pub(crate) const fn centre(&self) -> Point {
        Point::new(self.left + self.width / 2.0, self.top + self.height / 2.0)
    }

    /// The area that two rectangles share.
    pub(crate) fn overlap(&self, other: &Self) -> f64 {
        let width = (self.left + self.width).min(other.left + other.width) - self.left.max(other.left);
        let height = (self.top + self.height).min(other.top + other.height) - self.top.max(other.top);
        width.max(0.0) * height.max(0.0)
    }
}

/// Rotation, scale and shift, without reflection: `(x, y)` to `(a·x − b·y + c, b·x + a·y + d)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Similarity {
    a: f64,
    b: f64,
    c: f64,
    d: f64,
}

impl Similarity {
    /// The similarity that carries `from` nearest to `onto`, by least squares. Nothing if all points of `from` are one.
    ///
    /// # Source
    /// Umeyama, IEEE Trans. Pattern Anal. Mach. Intell. 13(4), 1991; in the plane the singular value decomposition comes
    /// down to one complex quotient.
    pub(crate) fn fit(from: &[Point; 5], onto: &[Point; 5]) -> Option<Self> {
        let (from_mean, onto_mean) = (mean(from), mean(onto));
        let (mut real, mut imaginary, mut square) = (0.0, 0.0, 0.0);
        for (p, q) in from.iter().zip(onto) {
            let (p, q) = (p.minus(from_mean), q.minus(onto_mean));
            real += p.dot(q);
            imaginary += p.x * q.y - p.y * q.x;
            square += p.dot(p);
        }
        let (a, b) = (real / square, imaginary / square);
        let c = onto_mean.x - a * from_mean.x + b * from_mean.y;
        let d = onto_mean.y - b * from_mean.x - a * from_mean.y;
        let usable = [a, b, c, d].iter().all(|v| v.is_finite()) && a.hypot(b) > f64::EPSILON;
        usable.then_some(Self { a, b, c, d })
    }

    pub(crate) fn apply(&self, p: Point) -> Point {
        Point::new(self.a * p.x - self.b * p.y + self.c, self.b * p.x + self.a * p.y + self.d)
    }

    /// How much it enlarges.
    pub(crate) fn scale(&self) -> f64 {
        self.a.hypot(self.b)
    }
}

fn mean(points: &[Point; 5]) -> Point {
    let sum = points.iter().fold(Point::default(), |sum, p| Point::new(sum.x + p.x, sum.y + p.y));
    Point::new(sum.x / 5.0, sum.y / 5.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FROM: [Point; 5] = [
        Point::new(30.0, 50.0),
        Point::new(80.0, 52.0),
        Point::new(56.0, 80.0),
        Point::new(38.0, 100.0),
        Point::new(75.0, 101.0),
    ];

    proptest! {
        #[test]
        fn a_similarity_is_found_again(angle in -3.1_f64..3.1, scale in 0.05_f64..20.0, x in -500.0_f64..500.0, y in -500.0_f64..500.0) {
            let truth = Similarity { a: scale * angle.cos(), b: scale * angle.sin(), c: x, d: y };
            let found = Similarity::fit(&FROM, &FROM.map(|p| truth.apply(p))).unwrap();
            for p in FROM {
                prop_assert!(found.apply(p).minus(truth.apply(p)).length() < 1e-6);
            }
            prop_assert!((found.scale() - scale).abs() < 1e-9 * scale.max(1.0));
        }

        #[test]
        fn no_other_similarity_is_nearer(noise in proptest::collection::vec(-5.0_f64..5.0, 10), nudge in proptest::collection::vec(-0.05_f64..0.05, 4)) {
            let mut onto = FROM;
            for (p, n) in onto.iter_mut().zip(noise.chunks(2)) {
                *p = Point::new(p.x + n[0], p.y + n[1]);
            }
            let cost = |s: &Similarity| FROM.iter().zip(&onto).map(|(p, q)| s.apply(*p).minus(*q).length().powi(2)).sum::<f64>();
            let best = Similarity::fit(&FROM, &onto).unwrap();
            let other = Similarity { a: best.a + nudge[0], b: best.b + nudge[1], c: best.c + nudge[2], d: best.d + nudge[3] };
            prop_assert!(cost(&best) <= cost(&other) + 1e-9);
        }
    }

    #[test]
    fn one_point_five_times_fits_nothing() {
        assert_eq!(Similarity::fit(&[Point::new(3.0, 4.0); 5], &FROM), None);
        assert_eq!(Similarity::fit(&[Point::new(f64::NAN, 4.0); 5], &FROM), None);
    }
}
