//! Where a finger lies in a photograph: its tip, which way it points, and how wide it is from the tip down.

use super::super::grid::Grid;
use super::PhotographError;
use super::segment::Silhouette;

/// The finger's outline, in pixels of the photograph.
pub(super) struct Outline {
    /// The foremost point.
    tip: (f32, f32),
    /// From the tip to the hand, as a unit vector.
    down: (f32, f32),
    /// Half the width, from the tip on, one for each `step` pixels.
    half_widths: Vec<f32>,
    /// How far the middle lies beside the line from the tip.
    middles: Vec<f32>,
    step: f32,
    /// The finger's own: the median where it is a cylinder.
    pub(super) half_width: f32,
}

impl Outline {
    /// Reads the outline.
    ///
    /// # Errors
    /// [`PhotographError::TwoFingers`] if it is forked, [`PhotographError::NoFinger`] if it is no finger's.
    pub(super) fn of(silhouette: &Silhouette) -> Result<Self, PhotographError> {
        let Silhouette { inside, cells, step } = silhouette;
        let mut down = direction(inside, cells).ok_or(PhotographError::NoFinger)?;
        let mut sections = Sections::across(cells, down)?;
        for _ in 0..2 {
            down = turned(down, sections.lean());
            sections = Sections::across(cells, down)?;
        }
        if sections.forked() {
            return Err(PhotographError::TwoFingers);
        }
        let half_widths = smooth(sections.rows.iter().map(|s| (s.right - s.left) / 2.0).collect());
        let middles = smooth(sections.rows.iter().map(|s| (s.right + s.left) / 2.0).collect());
        let mut sorted: Vec<f32> = half_widths.iter().skip(half_widths.len() / 3).copied().collect();
        sorted.sort_by(f32::total_cmp);
        let half_width = sorted.get(sorted.len() / 2).copied().filter(|w| *w > 1.0).ok_or(PhotographError::NoFinger)?;
        if (half_widths.len() as f32) < half_width {
            return Err(PhotographError::NoFinger);
        }
        // From cells to pixels.
        let size = *step as f32;
        let across = (down.1, -down.0);
        let tip = (sections.first * down.0, sections.first * down.1);
        debug_assert!((across.0 * down.0 + across.1 * down.1).abs() < 1e-3, "a right angle");
        Ok(Self {
            tip: ((tip.0 + 0.5) * size, (tip.1 + 0.5) * size),
            down,
            half_widths: half_widths.iter().map(|w| w * size).collect(),
            middles: middles.iter().map(|m| m * size).collect(),
            step: size,
            half_width: half_width * size,
        })
    }

    /// The same in a photograph of another size.
    pub(super) fn scaled(&self, by: f32) -> Self {
        let Self { tip, down, half_widths, middles, step, half_width } = self;
        Self {
            tip: (tip.0 * by, tip.1 * by),
            down: *down,
            half_widths: half_widths.iter().map(|w| w * by).collect(),
            middles: middles.iter().map(|m| m * by).collect(),
            step: step * by,
            half_width: half_width * by,
        }
    }

    /// How far the outline goes down from the tip.
    pub(super) fn length(&self) -> f32 {
        self.half_widths.len().saturating_sub(1) as f32 * self.step
    }

    /// Half the width at this distance from the tip.
    pub(super) fn half_width_at(&self, distance: f32) -> f32 {
        between(&self.half_widths, distance / self.step)
    }

    /// Where a point is: so far from the tip, so far beside the middle.
    pub(super) fn place(&self, distance: f32, beside: f32) -> (f32, f32) {
        let beside = beside + between(&self.middles, distance / self.step);
        let Self { tip, down, .. } = self;
        (tip.0 + distance * down.0 + beside * down.1, tip.1 + distance * down.1 - beside * down.0)
    }
}

/// From the tip to the hand: to where the finger leaves the picture, or to its broader end.
fn direction(inside: &Grid<bool>, cells: &[(usize, usize)]) -> Option<(f32, f32)> {
    let (wide, high) = (inside.width(), inside.height());
    let centre = mean(cells.iter())?;
    let leaving = || cells.iter().filter(|(x, y)| *x <= 1 || *y <= 1 || x + 2 >= wide || y + 2 >= high);
    let towards = |to: (f32, f32)| {
        let (x, y) = (to.0 - centre.0, to.1 - centre.1);
        let length = x.hypot(y);
        (length > 1.0).then(|| (x / length, y / length))
    };
    let leaves = leaving().count() as f32 > 0.25 * (cells.len() as f32).sqrt();
    if let Some(down) = mean(leaving()).filter(|_| leaves).and_then(towards) {
        return Some(down);
    }
    let (mut xx, mut xy, mut yy) = (0.0_f32, 0.0_f32, 0.0_f32);
    for (x, y) in cells {
        let (x, y) = (*x as f32 - centre.0, *y as f32 - centre.1);
        (xx, xy, yy) = (xx + x * x, xy + x * y, yy + y * y);
    }
    let (sin, cos) = (0.5 * (2.0 * xy).atan2(xx - yy)).sin_cos();
    // The third moment along it points to where the few are: the narrower end.
    let skew: f32 =
        cells.iter().map(|(x, y)| ((*x as f32 - centre.0) * cos + (*y as f32 - centre.1) * sin).powi(3)).sum();
    Some(if skew > 0.0 { (-cos, -sin) } else { (cos, sin) })
}

fn mean<'a>(cells: impl Iterator<Item = &'a (usize, usize)>) -> Option<(f32, f32)> {
    let (mut x, mut y, mut count) = (0.0, 0.0, 0.0_f32);
    for cell in cells {
        (x, y, count) = (x + cell.0 as f32, y + cell.1 as f32, count + 1.0);
    }
    (count > 0.0).then(|| (x / count, y / count))
}

fn turned((x, y): (f32, f32), angle: f32) -> (f32, f32) {
    let (sin, cos) = angle.sin_cos();
    (x * cos - y * sin, x * sin + y * cos)
}

/// One cut across the finger, a cell thick.
#[derive(Clone, Copy)]
struct Section {
    left: f32,
    right: f32,
    cells: usize,
}

struct Sections {
    rows: Vec<Section>,
    /// How far along the direction the first lies.
    first: f32,
}

impl Sections {
    /// Cuts from the tip down to one and a half times the width: the last joint, and no more.
    fn across(cells: &[(usize, usize)], down: (f32, f32)) -> Result<Self, PhotographError> {
        let along = |(x, y): &(usize, usize)| *x as f32 * down.0 + *y as f32 * down.1;
        let first = cells.iter().map(along).fold(f32::INFINITY, f32::min);
        let last = cells.iter().map(along).fold(f32::NEG_INFINITY, f32::max);
        if !(first.is_finite() && last.is_finite()) {
            return Err(PhotographError::NoFinger);
        }
        let empty = Section { left: f32::INFINITY, right: f32::NEG_INFINITY, cells: 0 };
        let mut rows = vec![empty; (last - first) as usize + 1];
        for cell in cells {
            let beside = cell.0 as f32 * down.1 - cell.1 as f32 * down.0;
            if let Some(row) = rows.get_mut((along(cell) - first) as usize) {
                row.left = row.left.min(beside - 0.5);
                row.right = row.right.max(beside + 0.5);
                row.cells += 1;
            }
        }
        rows.retain(|row| row.cells > 0);
        let whole = rows.len();
        let widest = |rows: &[Section]| {
            let mut widths: Vec<f32> = rows.iter().map(|row| row.right - row.left).collect();
            widths.sort_by(f32::total_cmp);
            widths.get(widths.len() * 3 / 4).copied().unwrap_or(0.0)
        };
        // A hand below the finger is wider: look at ever less of it.
        for _ in 0..4 {
            let most = (1.5 * widest(&rows)) as usize;
            rows.truncate(most.max(4));
        }
        if whole < 4 {
            return Err(PhotographError::NoFinger);
        }
        Ok(Self { rows, first })
    }

    /// By how much the direction must be turned, so that the middles lie along it.
    fn lean(&self) -> f32 {
        let from = self.rows.len() / 4;
        let points = || self.rows.iter().enumerate().skip(from).map(|(i, s)| (i as f32, (s.left + s.right) / 2.0));
        let count = points().count().max(1) as f32;
        let (x, y) = points().fold((0.0, 0.0), |(a, b), (x, y)| (a + x / count, b + y / count));
        let (top, bottom) = points().fold((0.0, 1e-6), |(t, b), (i, m)| (t + (i - x) * (m - y), b + (i - x) * (i - x)));
        // Beside is to the right where down is down: turning there is clockwise in a picture whose y points down.
        -(top / bottom).atan()
    }

    /// Whether many cuts go through two pieces.
    fn forked(&self) -> bool {
        let broken = |s: &&Section| (s.cells as f32) < 0.8 * (s.right - s.left);
        self.rows.iter().filter(broken).count() * 4 > self.rows.len()
    }
}

/// Median of five, then mean of seven.
fn smooth(values: Vec<f32>) -> Vec<f32> {
    let window = |values: &[f32], i: usize, reach: usize| {
        let from = i.saturating_sub(reach);
        values.get(from..(i + reach + 1).min(values.len())).map(<[f32]>::to_vec).unwrap_or_default()
    };
    let middle: Vec<f32> = (0..values.len())
        .map(|i| {
            let mut near = window(&values, i, 2);
            near.sort_by(f32::total_cmp);
            near.get(near.len() / 2).copied().unwrap_or(0.0)
        })
        .collect();
    (0..middle.len())
        .map(|i| {
            let near = window(&middle, i, i.min(3));
            near.iter().sum::<f32>() / near.len().max(1) as f32
        })
        .collect()
}

fn between(values: &[f32], at: f32) -> f32 {
    let at = at.clamp(0.0, values.len().saturating_sub(1) as f32);
    let left = at.floor();
    let value = |i: usize| values.get(i).copied().or_else(|| values.last().copied()).unwrap_or(0.0);
    let share = at - left;
    value(left as usize) * (1.0 - share) + value(left as usize + 1) * share
}
