//! Where ridges are, which way they run, and how far apart they lie.

use super::grid::Grid;

/// Side of a block in pixels at 500 dpi: a ridge and its valley.
pub(super) const BLOCK: usize = 8;

/// What the ridges do, block by block.
pub(super) struct RidgeMap {
    /// Whether there are ridges.
    pub(super) foreground: Grid<bool>,
    /// The ridge's direction doubled, as a unit vector (cosine, sine); y points down.
    pub(super) doubled_x: Grid<f32>,
    pub(super) doubled_y: Grid<f32>,
    /// How much of the gradient agrees with it, 0 to 1.
    pub(super) coherence: Grid<f32>,
    /// Pixels from ridge to ridge.
    pub(super) period: Grid<f32>,
    /// The print's own period: the median.
    pub(super) mean_period: f32,
    /// How many places it was read at.
    pub(super) periods_found: usize,
    /// How far the middle half of the readings lies apart, as a share of their median.
    pub(super) period_spread: f32,
}

impl RidgeMap {
    /// Looks at a normalised image; `deviation` is the contrast that the normalisation took away.
    pub(super) fn of(normal: &Grid<f32>, deviation: &Grid<f32>) -> Self {
        let tensor = Tensor::of(normal);
        let (wide, high) = (tensor.xx_yy.width(), tensor.xx_yy.height());
        let contrast = Grid::from_fn(wide, high, |x, y| {
            deviation.near((x * BLOCK + BLOCK / 2) as isize, (y * BLOCK + BLOCK / 2) as isize)
        });
        let fine = tensor.blurred(1.2);
        let broad = tensor.blurred(2.5);
        let foreground = segment(&contrast, &broad.coherence());
        let (coherence, coarse) = (fine.coherence(), broad.coherence());
        // Where the near neighbourhood contradicts itself, the wider one counts more.
        let mut map = Self {
            doubled_x: Grid::new(wide, high),
            doubled_y: Grid::new(wide, high),
            period: Grid::new(wide, high),
            foreground,
            mean_period: USUAL_PERIOD,
            periods_found: 0,
            period_spread: 0.0,
            coherence,
        };
        for y in 0..high {
            for x in 0..wide {
                let at = |grid: &Grid<f32>| grid.near(x as isize, y as isize);
                let share = (at(&map.coherence) / 0.5).min(1.0);
                let unit = |t: &Tensor| {
                    let (c, s) = (at(&t.xx_yy), at(&t.xy));
                    let length = c.hypot(s).max(1e-9);
                    (c / length, s / length)
                };
                let (near, far) = (unit(&fine), unit(&broad));
                let weight = (1.0 - share) * at(&coarse);
                let (c, s) = (near.0 * share + far.0 * weight, near.1 * share + far.1 * weight);
                let length = c.hypot(s).max(1e-9);
                // Ridges run across the gradient.
                map.doubled_x.set(x, y, -c / length);
                map.doubled_y.set(x, y, -s / length);
            }
        }
        map.find_periods(normal);
        map
    }

    /// The ridge's angle at a block, in `[-π/2, π/2]`, y down.
    pub(super) fn angle(&self, x: usize, y: usize) -> f32 {
        let (x, y) = (x as isize, y as isize);
        0.5 * self.doubled_y.near(x, y).atan2(self.doubled_x.near(x, y))
    }

    pub(super) fn is_foreground(&self, x: f32, y: f32) -> bool {
        let block = BLOCK as f32;
        self.foreground.get((x / block).floor() as isize, (y / block).floor() as isize).unwrap_or(false)
    }

    pub(super) fn foreground_blocks(&self) -> usize {
        self.foreground.cells().iter().filter(|inside| **inside).count()
    }

    fn find_periods(&mut self, normal: &Grid<f32>) {
        let (wide, high) = (self.period.width(), self.period.height());
        let mut known = Grid::new(wide.div_ceil(PERIOD_STEP), high.div_ceil(PERIOD_STEP));
        let mut found = Vec::new();
        for y in 0..known.height() {
            for x in 0..known.width() {
                let (bx, by) = (x * PERIOD_STEP + PERIOD_STEP / 2, y * PERIOD_STEP + PERIOD_STEP / 2);
                if self.foreground.get(bx as isize, by as isize) != Some(true) {
                    continue;
                }
                let centre = ((bx * BLOCK + BLOCK / 2) as f32, (by * BLOCK + BLOCK / 2) as f32);
                if let Some(period) = period_at(normal, centre, self.angle(bx, by)) {
                    known.set(x, y, period);
                    found.push(period);
                }
            }
        }
        found.sort_by(f32::total_cmp);
        self.mean_period = found.get(found.len() / 2).copied().unwrap_or(USUAL_PERIOD);
        let quarter = |n: usize| found.get(found.len() * n / 4).copied().unwrap_or(USUAL_PERIOD);
        self.periods_found = found.len();
        self.period_spread = (quarter(3) - quarter(1)) / self.mean_period;
        let mean = self.mean_period;
        let local = Grid::from_fn(known.width(), known.height(), |x, y| {
            let (mut sum, mut count) = (mean, 1.0);
            for dy in -2..=2 {
                for dx in -2..=2 {
                    let value = known.get(x as isize + dx, y as isize + dy).unwrap_or(0.0);
                    if value > 0.0 && (0.6..1.6).contains(&(value / mean)) {
                        sum += value;
                        count += 1.0;
                    }
                }
            }
            sum / count
        });
        self.period =
            Grid::from_fn(wide, high, |x, y| local.near((x / PERIOD_STEP) as isize, (y / PERIOD_STEP) as isize));
    }
}

/// The gradient's products, summed by block: its square's real and imaginary part, and its length squared.
struct Tensor {
    xx_yy: Grid<f32>,
    xy: Grid<f32>,
    energy: Grid<f32>,
}

impl Tensor {
    fn of(normal: &Grid<f32>) -> Self {
        let (wide, high) = (normal.width().div_ceil(BLOCK), normal.height().div_ceil(BLOCK));
        let mut tensor =
            Self { xx_yy: Grid::new(wide, high), xy: Grid::new(wide, high), energy: Grid::new(wide, high) };
        for y in 1..normal.height().saturating_sub(1) {
            let (above, row, below) = (normal.row(y - 1), normal.row(y), normal.row(y + 1));
            let products = above.windows(3).zip(row.windows(3)).zip(below.windows(3)).map(|((a, r), b)| {
                let ([a0, a1, a2], [r0, _, r2], [b0, b1, b2]) = (a, r, b) else { return [0.0; 3] };
                let gx = a2 + 2.0 * r2 + b2 - a0 - 2.0 * r0 - b0;
                let gy = b0 + 2.0 * b1 + b2 - a0 - 2.0 * a1 - a2;
                [gx * gx - gy * gy, 2.0 * gx * gy, gx * gx + gy * gy]
            });
            let mut sums = vec![[0.0_f32; 3]; wide];
            for (x, product) in products.enumerate() {
                if let Some(sum) = sums.get_mut((x + 1) / BLOCK) {
                    sum.iter_mut().zip(product).for_each(|(to, v)| *to += v);
                }
            }
            for (x, [c, s, e]) in sums.into_iter().enumerate() {
                let (bx, by) = (x as isize, (y / BLOCK) as isize);
                tensor.xx_yy.set(x, y / BLOCK, tensor.xx_yy.near(bx, by) + c);
                tensor.xy.set(x, y / BLOCK, tensor.xy.near(bx, by) + s);
                tensor.energy.set(x, y / BLOCK, tensor.energy.near(bx, by) + e);
            }
        }
        tensor
    }

    fn blurred(&self, sigma: f32) -> Self {
        let Self { xx_yy, xy, energy } = self;
        Self { xx_yy: xx_yy.blurred(sigma), xy: xy.blurred(sigma), energy: energy.blurred(sigma) }
    }

    fn coherence(&self) -> Grid<f32> {
        Grid::from_fn(self.energy.width(), self.energy.height(), |x, y| {
            let (x, y) = (x as isize, y as isize);
            self.xx_yy.near(x, y).hypot(self.xy.near(x, y)) / (self.energy.near(x, y) + 1e-6)
        })
    }
}

/// Blocks with contrast and one direction; then what neighbours say; then the largest piece without holes.
fn segment(contrast: &Grid<f32>, coherence: &Grid<f32>) -> Grid<bool> {
    let (wide, high) = (contrast.width(), contrast.height());
    let mut sorted: Vec<f32> = contrast.cells().to_vec();
    sorted.sort_by(f32::total_cmp);
    let strong = sorted.get(sorted.len() * 9 / 10).copied().unwrap_or(0.0);
    let least = (strong * LEAST_SHARE).max(LEAST_CONTRAST);
    let mut found = Grid::from_fn(wide, high, |x, y| {
        let (x, y) = (x as isize, y as isize);
        contrast.near(x, y) > least && coherence.near(x, y) > LEAST_COHERENCE
    });
    for _ in 0..2 {
        found = Grid::from_fn(wide, high, |x, y| {
            let votes = around(x, y).filter(|(i, j)| found.get(*i, *j) == Some(true)).count();
            votes >= 5
        });
    }
    let print = pieces(&found, true).into_iter().max_by_key(Vec::len).unwrap_or_default();
    let mut kept = Grid::new(wide, high);
    print.iter().for_each(|(x, y)| kept.set(*x, *y, true));
    // Holes are pieces of background that touch no border.
    for hole in pieces(&kept, false) {
        let inside = |(x, y): &(usize, usize)| *x > 0 && *y > 0 && x + 1 < wide && y + 1 < high;
        if hole.iter().all(inside) && hole.len() <= LARGEST_HOLE {
            hole.iter().for_each(|(x, y)| kept.set(*x, *y, true));
        }
    }
    kept
}

fn around(x: usize, y: usize) -> impl Iterator<Item = (isize, isize)> {
    (-1..=1).flat_map(move |dy| (-1..=1).map(move |dx| (x as isize + dx, y as isize + dy)))
}

/// Connected pieces of blocks with this value.
pub(super) fn pieces(grid: &Grid<bool>, value: bool) -> Vec<Vec<(usize, usize)>> {
    let mut seen = Grid::new(grid.width(), grid.height());
    let mut all = Vec::new();
    for y in 0..grid.height() {
        for x in 0..grid.width() {
            let mut open = vec![(x, y)];
            let mut piece = Vec::new();
            while let Some((x, y)) = open.pop() {
                let at = (x as isize, y as isize);
                if seen.get(at.0, at.1) != Some(false) || grid.get(at.0, at.1) != Some(value) {
                    continue;
                }
                seen.set(x, y, true);
                piece.push((x, y));
                let next = [(x + 1, y), (x, y + 1), (x.wrapping_sub(1), y), (x, y.wrapping_sub(1))];
                open.extend(next.into_iter().filter(|(x, y)| *x < grid.width() && *y < grid.height()));
            }
            if !piece.is_empty() {
                all.push(piece);
            }
        }
    }
    all
}

/// The lag at which the profile across the ridges looks most like itself.
fn period_at(normal: &Grid<f32>, centre: (f32, f32), angle: f32) -> Option<f32> {
    let (sin, cos) = angle.sin_cos();
    let profile: Vec<f32> = (-PROFILE..=PROFILE)
        .map(|across| {
            let (x, y) = (centre.0 - across as f32 * sin, centre.1 + across as f32 * cos);
            (-5..=5).map(|along| normal.between(x + 1.5 * along as f32 * cos, y + 1.5 * along as f32 * sin)).sum()
        })
        .collect();
    let mean = profile.iter().sum::<f32>() / profile.len() as f32;
    let likeness = |lag: usize| {
        let pairs = profile.iter().zip(profile.iter().skip(lag)).map(|(a, b)| (a - mean) * (b - mean));
        let count = (profile.len() - lag) as f32;
        pairs.sum::<f32>() / count
    };
    let all: Vec<f32> = (0..=LONGEST_PERIOD + 1).map(likeness).collect();
    let whole = all.first().copied().filter(|v| *v > 1e-6)?;
    for (i, triple) in all.windows(3).enumerate().skip(SHORTEST_PERIOD - 1) {
        let [before, here, after] = triple else { continue };
        if here >= before && here > after && *here > 0.3 * whole {
            let bend = before - 2.0 * here + after;
            return Some((i + 1) as f32 + 0.5 * (before - after) / bend.min(-1e-9));
        }
    }
    None
}

/// An adult's ridges.
pub(super) const USUAL_PERIOD: f32 = 9.0;
const SHORTEST_PERIOD: usize = 5;
const LONGEST_PERIOD: usize = 18;
/// Pixels to either side of which a period is read.
const PROFILE: i32 = 22;
/// Blocks from one reading of the period to the next.
const PERIOD_STEP: usize = 3;
/// Of the contrast that the strongest tenth of the image has.
const LEAST_SHARE: f32 = 0.25;
const LEAST_CONTRAST: f32 = 4.0;
const LEAST_COHERENCE: f32 = 0.15;
/// In blocks: larger ones are places that did not touch the scanner.
const LARGEST_HOLE: usize = 40;
