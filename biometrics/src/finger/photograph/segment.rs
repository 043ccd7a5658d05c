//! Which part of a photograph is finger: two colours of light, one in the middle and one at the edge.

use super::super::grid::Grid;
use super::super::ridges::pieces;
use super::PhotographError;
use crate::sample::Sample;

/// The finger in a reduced photograph.
pub(super) struct Silhouette {
    pub(super) inside: Grid<bool>,
    pub(super) cells: Vec<(usize, usize)>,
    /// Pixels of the photograph along a side of a cell.
    pub(super) step: usize,
}

/// Parts finger and background, whatever the tone of the skin, as long as they differ.
///
/// # Errors
/// [`PhotographError::NoFinger`] if nothing stands out, [`PhotographError::TwoFingers`] if two pieces do.
pub(super) fn segment(sample: &Sample) -> Result<Silhouette, PhotographError> {
    let step = (sample.width().max(sample.height()) as usize).div_ceil(LONGEST).max(1);
    let looks = looks(sample, step);
    let (wide, high) = (looks.width(), looks.height());
    if wide < 8 || high < 8 {
        return Err(PhotographError::TooFar);
    }
    let mut finger = [Seed::Middle, Seed::Warmth, Seed::Brightness]
        .into_iter()
        .find_map(|seed| parted(&looks, seed))
        .ok_or(PhotographError::NoFinger)?;
    let warmth = |which: bool| {
        let all = finger.cells().iter().zip(looks.cells()).filter(|(f, _)| **f == which);
        let (sum, count) = all.fold((0.0, 0.0_f32), |(sum, count), (_, [_, r, b])| (sum + r - b, count + 1.0));
        sum / count.max(1.0)
    };
    // Two fingers with a gap in the middle: what is warm and at the edge is skin, what is not warm is none.
    if warmth(true) < COLD && warmth(false) > WARM {
        finger = finger.map(|inside| !inside);
    }
    for _ in 0..2 {
        finger = Grid::from_fn(wide, high, |x, y| {
            let (x, y) = (x as isize, y as isize);
            let votes = (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dx, dy)));
            votes.filter(|(dx, dy)| finger.near(x + dx, y + dy)).count() >= 5
        });
    }
    largest(&finger, step)
}

/// What is taken for finger at first.
#[derive(Clone, Copy, PartialEq)]
enum Seed {
    /// The middle, against the edge.
    Middle,
    /// What is warmer than the mean: where a hand comes in at the edge and the middle shows what lies between its fingers.
    Warmth,
    /// What is brighter than the mean.
    Brightness,
}

/// Finger and background as two kinds of light; nothing if these are not two.
fn parted(looks: &Grid<Look>, seed: Seed) -> Option<Grid<bool>> {
    let (wide, high) = (looks.width(), looks.height());
    let value = |[brightness, r, b]: Look| if seed == Seed::Brightness { brightness } else { r - b };
    let mean = looks.cells().iter().map(|look| value(*look)).sum::<f32>() / looks.cells().len().max(1) as f32;
    let in_middle = |x: usize, y: usize| {
        let from_middle = |at: usize, size: usize| (at as f32 + 0.5) / size as f32 - 0.5;
        from_middle(x, wide).hypot(from_middle(y, high)) < MIDDLE
    };
    let mut finger = Grid::from_fn(wide, high, |x, y| match seed {
        Seed::Middle => in_middle(x, y),
        _ => value(looks.near(x as isize, y as isize)) > mean,
    });
    let mut known = Grid::from_fn(wide, high, |x, y| {
        let edge = |at: usize, size: usize| at.min(size - 1 - at) * EDGE < size;
        seed != Seed::Middle || in_middle(x, y) || edge(x, wide) || edge(y, high)
    });
    let mut apart = 0.0;
    for _ in 0..ROUNDS {
        let of = |which: bool| {
            let chosen = finger.cells().iter().zip(known.cells()).zip(looks.cells());
            Kind::of(chosen.filter(|((f, k), _)| **k && **f == which).map(|(_, look)| look))
        };
        let (inner, outer) = (of(true)?, of(false)?);
        apart = inner.apart(&outer);
        if apart < LEAST_SEED {
            return None;
        }
        finger = looks.map(|look| inner.distance(&look) < outer.distance(&look));
        known = known.map(|_| true);
    }
    // Any population can be cut in two at its mean: without a place to begin from, they must lie far apart.
    (apart >= if seed == Seed::Middle { LEAST_APART } else { FAR_APART }).then_some(finger)
}

fn largest(finger: &Grid<bool>, step: usize) -> Result<Silhouette, PhotographError> {
    let (wide, high) = (finger.width(), finger.height());
    let mut found = pieces(finger, true);
    found.sort_by_key(|piece| std::cmp::Reverse(piece.len()));
    let mut found = found.into_iter();
    let cells = found.next().unwrap_or_default();
    let share = cells.len() as f32 / (wide * high) as f32;
    if !(LEAST_SHARE..MOST_SHARE).contains(&share) {
        return Err(PhotographError::NoFinger);
    }
    if found.next().is_some_and(|second| second.len() as f32 > SECOND * cells.len() as f32) {
        return Err(PhotographError::TwoFingers);
    }
    let mut inside = Grid::new(wide, high);
    cells.iter().for_each(|(x, y)| inside.set(*x, *y, true));
    // Holes: glare on the finger, and nails.
    for hole in pieces(&inside, false) {
        let within = |(x, y): &(usize, usize)| *x > 0 && *y > 0 && x + 1 < wide && y + 1 < high;
        if hole.iter().all(within) {
            hole.iter().for_each(|(x, y)| inside.set(*x, *y, true));
        }
    }
    Ok(Silhouette { inside, cells, step })
}

/// Brightness on a scale of ratios, and the shares of red and blue.
type Look = [f32; 3];

/// Means of squares of `step` pixels.
fn looks(sample: &Sample, step: usize) -> Grid<Look> {
    let (width, height) = (sample.width() as usize, sample.height() as usize);
    let (wide, high) = (width / step, height / step);
    let mut looks: Grid<Look> = Grid::new(wide, high);
    let mut sums = vec![[0.0_f32; 3]; wide];
    for y in 0..high {
        sums.iter_mut().for_each(|sum| *sum = [0.0; 3]);
        for line in y * step..(y + 1) * step {
            let from = line * width * 3;
            let row = sample.as_rgb().get(from..from + width * 3).unwrap_or(&[]);
            for (sum, pixels) in sums.iter_mut().zip(row.chunks_exact(step * 3)) {
                for pixel in pixels.as_chunks::<3>().0 {
                    sum.iter_mut().zip(pixel).for_each(|(to, v)| *to += f32::from(*v));
                }
            }
        }
        let count = (step * step) as f32;
        for (to, sum) in looks.row_mut(y).iter_mut().zip(&sums) {
            let [r, g, b] = sum.map(|v| v / count);
            let whole = r + g + b + 6.0;
            *to = [(whole / 3.0).ln() * BRIGHTNESS, (r + 2.0) / whole, (b + 2.0) / whole];
        }
    }
    looks
}

/// Mean and spread of what belongs together.
struct Kind {
    mean: Look,
    variance: Look,
    /// The logarithm of the product of the variances.
    spread: f32,
}

impl Kind {
    fn of<'a>(looks: impl Iterator<Item = &'a Look>) -> Option<Self> {
        let (mut count, mut sum, mut square) = (0.0_f64, [0.0_f64; 3], [0.0_f64; 3]);
        for look in looks {
            count += 1.0;
            for ((sum, square), v) in sum.iter_mut().zip(&mut square).zip(look) {
                *sum += f64::from(*v);
                *square += f64::from(*v) * f64::from(*v);
            }
        }
        if count < 16.0 {
            return None;
        }
        let mean = sum.map(|v| (v / count) as f32);
        let mut variance = [0.0; 3];
        for ((to, square), mean) in variance.iter_mut().zip(square).zip(mean) {
            *to = (square / count - f64::from(mean) * f64::from(mean)).max(FLOOR) as f32;
        }
        Some(Self { mean, variance, spread: variance.iter().map(|v| v.ln()).sum() })
    }

    fn distance(&self, look: &Look) -> f32 {
        let Self { mean, variance, spread } = self;
        mean.iter().zip(variance).zip(look).map(|((m, v), l)| (l - m) * (l - m) / v).sum::<f32>() + spread
    }

    /// Between the means, in deviations.
    fn apart(&self, other: &Self) -> f32 {
        let pairs = self.mean.iter().zip(&other.mean).zip(self.variance.iter().zip(&other.variance));
        pairs.map(|((a, b), (v, w))| (a - b) * (a - b) / (v + w)).sum::<f32>().sqrt()
    }
}

/// Cells along the longer side.
const LONGEST: usize = 200;
/// The middle, as a share of the sides.
const MIDDLE: f32 = 0.22;
/// One part in so many of a side is edge.
const EDGE: usize = 14;
const ROUNDS: usize = 8;
/// A tenth of a brightness counts as much as this of a share of colour.
const BRIGHTNESS: f32 = 0.15;
/// The least variance of a feature: noise and rounding.
const FLOOR: f64 = 2.0e-5;
/// Between the two kinds of light, in deviations: seeds may be mixed, what comes of them may not.
const LEAST_SEED: f32 = 0.3;
const LEAST_APART: f32 = 0.7;
const FAR_APART: f32 = 3.0;
const LEAST_SHARE: f32 = 0.02;
const MOST_SHARE: f32 = 0.97;
/// A second piece of this share of the first is a second finger.
const SECOND: f32 = 0.3;
/// Red over blue, as shares: no skin is below, all skin is above.
const COLD: f32 = 0.03;
const WARM: f32 = 0.06;
