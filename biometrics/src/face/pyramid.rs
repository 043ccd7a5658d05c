//! A picture at full, half, quarter … size, so that it can be looked at in any scale without aliasing.

use zeroize::Zeroizing;

use super::geometry::Point;
use crate::sample::Sample;

/// A sample and its reductions. Holds personal data; the reductions are wiped on drop.
pub(crate) struct Pyramid<'a> {
    full: Level<'a>,
    reduced: Vec<Reduced>,
}

impl<'a> Pyramid<'a> {
    #[inline(never)]
    pub(crate) fn new(sample: &'a Sample) -> Self {
        let full = Level { width: sample.width() as usize, height: sample.height() as usize, rgb: sample.as_rgb() };
        let mut reduced: Vec<Reduced> = Vec::new();
        loop {
            let last = reduced.last().map_or(full, Reduced::level);
            if last.width.max(last.height) <= SMALLEST {
                return Self { full, reduced };
            }
            reduced.push(last.halved());
        }
    }

    pub(crate) const fn width(&self) -> f64 {
        self.full.width as f64
    }

    pub(crate) const fn height(&self) -> f64 {
        self.full.height as f64
    }

    /// A view in which one pixel is `step` pixels of the sample wide.
    pub(crate) fn at_step(&self, step: f64) -> View<'_> {
        // The coarsest level that is still finer than the view: what remains is at most a factor of two.
        let wanted = if step >= 2.0 { step.log2().floor() as usize } else { 0 };
        let index = wanted.min(self.reduced.len());
        let level = index.checked_sub(1).and_then(|i| self.reduced.get(i)).map_or(self.full, Reduced::level);
        let unit = (1_u64 << index) as f64;
        let remaining = step / unit;
        View { level, unit, taps: if remaining > TAP_FROM { 2 } else { 1 } }
    }
}

/// A level of the pyramid, chosen for a step.
pub(crate) struct View<'a> {
    level: Level<'a>,
    /// How many pixels of the sample a pixel of the level is wide.
    unit: f64,
    taps: u32,
}

impl View<'_> {
    /// How many samples a side one pixel of the view should be averaged from.
    pub(crate) const fn taps(&self) -> u32 {
        self.taps
    }

    /// The colour at a place of the sample (in which pixel 0 has its middle at 0.5), interpolated; outside, the nearest
    /// edge's.
    pub(crate) fn colour(&self, at: Point) -> [f32; 3] {
        let (x, y) = (at.x / self.unit - 0.5, at.y / self.unit - 0.5);
        let (left, top) = (x.floor(), y.floor());
        let (fx, fy) = ((x - left) as f32, (y - top) as f32);
        let (column, row) = (left as i64, top as i64);
        let (a, b) = (self.level.at(column, row), self.level.at(column + 1, row));
        let (c, d) = (self.level.at(column, row + 1), self.level.at(column + 1, row + 1));
        let mut mixed = [0.0; 3];
        for ((((to, a), b), c), d) in mixed.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            let upper = f32::from(a) * (1.0 - fx) + f32::from(b) * fx;
            let lower = f32::from(c) * (1.0 - fx) + f32::from(d) * fx;
            *to = upper * (1.0 - fy) + lower * fy;
        }
        mixed
    }

    /// A square of the view in three planes, blue first; `place` says where in the sample a place of the square is, and must
    /// not rotate. Columns first, then rows: the same mean of interpolated colours as one by one, at a fraction of the work.
    pub(crate) fn planes(&self, side: usize, place: impl Fn(Point) -> Point) -> Zeroizing<Vec<f32>> {
        let columns = self.filters(side, self.level.width, |at| place(Point::new(at, 0.0)).x);
        let rows = self.filters(side, self.level.height, |at| place(Point::new(0.0, at)).y);
        let places = || rows.iter().flatten().map(|tap| tap.at);
        let (first, last) = (places().min().unwrap_or(0), places().max().unwrap_or(0));
        // Each row of the level that is needed, at the square's columns.
        let mut narrowed = Zeroizing::new(vec![0.0_f32; (last + 1 - first) * side * 3]);
        for (row, out) in (first..=last).zip(narrowed.chunks_exact_mut(side * 3)) {
            let source = self.level.row(row);
            for (to, taps) in out.as_chunks_mut::<3>().0.iter_mut().zip(&columns) {
                for Tap { at, weight } in taps {
                    let colour: [u8; 3] =
                        source.get(3 * at..).and_then(|p| p.first_chunk()).copied().unwrap_or_default();
                    to.iter_mut().zip(colour).for_each(|(sum, c)| *sum += weight * f32::from(c));
                }
            }
        }
        let mut planes = Zeroizing::new(vec![0.0_f32; 3 * side * side]);
        let (blue, rest) = planes.split_at_mut(side * side);
        let (green, red) = rest.split_at_mut(side * side);
        let outputs = red.chunks_exact_mut(side).zip(green.chunks_exact_mut(side)).zip(blue.chunks_exact_mut(side));
        for (taps, ((red, green), blue)) in rows.iter().zip(outputs) {
            for Tap { at, weight } in taps.iter().filter(|tap| tap.weight != 0.0) {
                let start = (at - first) * side * 3;
                let source = narrowed.get(start..start + side * 3).unwrap_or_default();
                for ((([r, g, b], red), green), blue) in
                    source.as_chunks::<3>().0.iter().zip(red.iter_mut()).zip(green.iter_mut()).zip(blue.iter_mut())
                {
                    *red += weight * r;
                    *green += weight * g;
                    *blue += weight * b;
                }
            }
        }
        planes
    }

    /// For each of `side` places along one axis, which pixels of the level it is the mean of.
    fn filters(&self, side: usize, length: usize, place: impl Fn(f64) -> f64) -> Vec<[Tap; 4]> {
        let filter = |i: usize| {
            let mut filter = [Tap::default(); 4];
            for (tap, pair) in (0..self.taps).zip(filter.as_chunks_mut::<2>().0) {
                let at = i as f64 + (f64::from(tap) + 0.5) / f64::from(self.taps);
                let x = place(at) / self.unit - 0.5;
                let (left, share) = (x.floor(), 1.0 / self.taps as f32);
                let fraction = (x - left) as f32;
                let clamped = |x: f64| x.clamp(0.0, length as f64 - 1.0) as usize;
                *pair = [
                    Tap { at: clamped(left), weight: (1.0 - fraction) * share },
                    Tap { at: clamped(left + 1.0), weight: fraction * share },
                ];
            }
            if self.taps == 1 {
                // Nothing is read twice, nor outside the rows that are.
                let [first, second, ..] = filter;
                filter = [first, second, Tap { weight: 0.0, ..second }, Tap { weight: 0.0, ..second }];
            }
            filter
        };
        (0..side).map(filter).collect()
    }

    /// Whether a place is within the sample.
    pub(crate) fn contains(&self, at: Point) -> bool {
        let (x, y) = (at.x / self.unit, at.y / self.unit);
        (0.0..self.level.width as f64).contains(&x) && (0.0..self.level.height as f64).contains(&y)
    }
}

/// A pixel along one axis, and how much it counts.
#[derive(Clone, Copy, Default)]
struct Tap {
    at: usize,
    weight: f32,
}

#[derive(Clone, Copy)]
struct Level<'a> {
    width: usize,
    height: usize,
    rgb: &'a [u8],
}

impl Level<'_> {
    /// The pixel, or the nearest one where there is none.
    fn at(&self, column: i64, row: i64) -> [u8; 3] {
        let column = column.clamp(0, self.width as i64 - 1) as usize;
        let row = row.clamp(0, self.height as i64 - 1) as usize;
        self.rgb.get((row * self.width + column) * 3..).and_then(|p| p.first_chunk()).copied().unwrap_or_default()
    }

    fn row(&self, row: usize) -> &[u8] {
        self.rgb.get(row * self.width * 3..(row + 1) * self.width * 3).unwrap_or_default()
    }

    /// Half the size, rounded up: each pixel the mean of four.
    fn halved(&self) -> Reduced {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let mut rgb = Zeroizing::new(vec![0; width * height * 3]);
        let stride = self.width * 3;
        let mut rows = self.rgb.chunks(2 * stride);
        for out in rgb.chunks_exact_mut(width * 3) {
            let (upper, lower) = rows.next().unwrap_or_default().split_at_checked(stride).unwrap_or_default();
            // An odd last row or column is its own neighbour.
            let lower = if lower.is_empty() { upper } else { lower };
            let pairs = upper.chunks(6).zip(lower.chunks(6));
            for (to, (u, l)) in out.chunks_exact_mut(3).zip(pairs) {
                let (u_left, u_right) = pair(u);
                let (l_left, l_right) = pair(l);
                for ((((to, a), b), c), d) in to.iter_mut().zip(u_left).zip(u_right).zip(l_left).zip(l_right) {
                    *to = ((u16::from(a) + u16::from(b) + u16::from(c) + u16::from(d) + 2) / 4) as u8;
                }
            }
        }
        Reduced { width, height, rgb }
    }
}

/// Two neighbouring pixels, or one twice.
fn pair(bytes: &[u8]) -> ([u8; 3], [u8; 3]) {
    let left = bytes.first_chunk().copied().unwrap_or_default();
    let right = bytes.get(3..).and_then(|rest| rest.first_chunk()).copied().unwrap_or(left);
    (left, right)
}

struct Reduced {
    width: usize,
    height: usize,
    rgb: Zeroizing<Vec<u8>>,
}

impl Reduced {
    fn level(&self) -> Level<'_> {
        Level { width: self.width, height: self.height, rgb: &self.rgb }
    }
}

/// No view needs a reduction below this.
const SMALLEST: usize = 64;
/// From this step on, one interpolated sample a pixel would skip what lies between.
const TAP_FROM: f64 = 1.25;

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(width: u32, height: u32, colour: impl Fn(u32, u32) -> u8) -> Sample {
        let rgb = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| [colour(x, y); 3]);
        Sample::from_rgb(width, height, rgb.collect()).unwrap()
    }

    #[test]
    fn the_middle_of_a_pixel_is_its_colour_and_beyond_the_edge_is_the_edge() {
        let sample = sample(5, 4, |x, y| (10 * x + y) as u8);
        let pyramid = Pyramid::new(&sample);
        let view = pyramid.at_step(1.0);
        assert_eq!(view.colour(Point::new(3.5, 2.5)), [32.0; 3]);
        assert_eq!(view.colour(Point::new(4.0, 2.5)), [37.0; 3]);
        assert_eq!(view.colour(Point::new(-90.0, -90.0)), [0.0; 3]);
        assert_eq!(view.colour(Point::new(90.0, 90.0)), [43.0; 3]);
    }

    #[test]
    fn halving_keeps_places_and_means_for_odd_sizes_too() {
        for (width, height) in [(257, 129), (256, 300), (1, 200), (200, 1), (130, 131)] {
            let ramp = sample(width, height, |x, y| (x / 2 + y / 4) as u8);
            let pyramid = Pyramid::new(&ramp);
            let (fine, coarse) = (pyramid.at_step(1.0), pyramid.at_step(2.0));
            let middle = Point::new(f64::from(width) / 2.0, f64::from(height) / 2.0);
            let [a, ..] = fine.colour(middle);
            let [b, ..] = coarse.colour(middle);
            assert!((a - b).abs() <= 1.0, "{width}×{height}: {a} {b}");
        }
    }

    #[test]
    fn planes_are_what_colours_are_one_by_one() {
        let sample = sample(301, 203, |x, y| ((x * 7) ^ (y * 13)) as u8);
        let pyramid = Pyramid::new(&sample);
        for step in [0.3, 1.0, 1.6, 3.1, 5.0] {
            let view = pyramid.at_step(step);
            let place = |p: Point| Point::new(p.x * step - 20.0, p.y * step - 10.0);
            let planes = view.planes(64, place);
            for (x, y) in [(0, 0), (20, 30), (63, 63), (5, 60)] {
                let mut sum = 0.0;
                for tap in 0..view.taps() * view.taps() {
                    let offset = |i: u32| (f64::from(i) + 0.5) / f64::from(view.taps());
                    let at =
                        Point::new(f64::from(x) + offset(tap % view.taps()), f64::from(y) + offset(tap / view.taps()));
                    let [red, ..] = view.colour(place(at));
                    sum += red / (view.taps() * view.taps()) as f32;
                }
                let red = planes[2 * 64 * 64 + (y * 64 + x) as usize];
                assert!((red - sum).abs() < 0.01, "step {step} at {x},{y}: {red} {sum}");
            }
        }
    }

    #[test]
    fn fine_stripes_turn_grey_when_reduced() {
        let stripes = sample(512, 512, |x, _| if x % 2 == 0 { 0 } else { 255 });
        let pyramid = Pyramid::new(&stripes);
        let view = pyramid.at_step(4.0);
        for x in 100..110 {
            let [grey, ..] = view.colour(Point::new(f64::from(x), 256.0));
            assert!((grey - 128.0).abs() < 1.0);
        }
    }
}
