//! A rectangle of cells, row by row: what every step of the extraction reads and writes. Wiped on drop.

use zeroize::{Zeroize, Zeroizing};

/// `width` × `height` cells.
pub(super) struct Grid<T: Zeroize> {
    width: usize,
    height: usize,
    cells: Zeroizing<Vec<T>>,
}

impl<T: Zeroize + Copy + Default> Grid<T> {
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self { width, height, cells: Zeroizing::new(vec![T::default(); width.saturating_mul(height)]) }
    }

    pub(super) fn from_fn(width: usize, height: usize, mut cell: impl FnMut(usize, usize) -> T) -> Self {
        let mut grid = Self::new(width, height);
        for y in 0..height {
            for (x, to) in grid.row_mut(y).iter_mut().enumerate() {
                *to = cell(x, y);
            }
        }
        grid
    }

    pub(super) const fn width(&self) -> usize {
        self.width
    }

    pub(super) const fn height(&self) -> usize {
        self.height
    }

    /// The cell, where there is one.
    pub(super) fn get(&self, x: isize, y: isize) -> Option<T> {
        let (x, y) = (usize::try_from(x).ok()?, usize::try_from(y).ok()?);
        if x < self.width && y < self.height { self.cells.get(y * self.width + x).copied() } else { None }
    }

    /// The cell, or the nearest one.
    pub(super) fn near(&self, x: isize, y: isize) -> T {
        let clamp = |v: isize, size: usize| v.clamp(0, (size as isize - 1).max(0)) as usize;
        self.cells.get(clamp(y, self.height) * self.width + clamp(x, self.width)).copied().unwrap_or_default()
    }

    pub(super) fn set(&mut self, x: usize, y: usize, value: T) {
        if x < self.width
            && let Some(cell) = self.cells.get_mut(y * self.width + x)
        {
            *cell = value;
        }
    }

    /// The cells of a row from `x` on, as many as asked for and there.
    pub(super) fn run(&self, x: usize, y: usize, length: usize) -> &[T] {
        let end = self.width.min(x.saturating_add(length));
        self.cells.get(y * self.width + x.min(end)..y * self.width + end).unwrap_or(&[])
    }

    pub(super) fn row(&self, y: usize) -> &[T] {
        self.run(0, y, self.width)
    }

    pub(super) fn row_mut(&mut self, y: usize) -> &mut [T] {
        self.cells.get_mut(y * self.width..(y + 1) * self.width).unwrap_or(&mut [])
    }

    pub(super) fn cells(&self) -> &[T] {
        &self.cells
    }

    pub(super) fn cells_mut(&mut self) -> &mut [T] {
        &mut self.cells
    }

    pub(super) fn map<U: Zeroize + Copy + Default>(&self, mut to: impl FnMut(T) -> U) -> Grid<U> {
        let cells = Zeroizing::new(self.cells.iter().map(|cell| to(*cell)).collect());
        Grid { width: self.width, height: self.height, cells }
    }
}

impl Grid<f32> {
    /// Between four cells, linearly; beyond the border, the border's value.
    pub(super) fn between(&self, x: f32, y: f32) -> f32 {
        let (left, top) = (x.floor(), y.floor());
        let (dx, dy) = (x - left, y - top);
        let (left, top) = (left as isize, top as isize);
        let above = self.near(left, top) * (1.0 - dx) + self.near(left + 1, top) * dx;
        let below = self.near(left, top + 1) * (1.0 - dx) + self.near(left + 1, top + 1) * dx;
        above * (1.0 - dy) + below * dy
    }

    /// Blurred by a Gaussian, with weights renormalised at the border.
    pub(super) fn blurred(&self, sigma: f32) -> Self {
        let radius = (3.0 * sigma).ceil() as isize;
        let weights: Vec<f32> = (-radius..=radius).map(|i| (-0.5 * (i as f32 / sigma).powi(2)).exp()).collect();
        let across = Self::from_fn(self.width, self.height, |x, y| {
            weighted(&weights, radius, |i| self.get(x as isize + i, y as isize))
        });
        Self::from_fn(self.width, self.height, |x, y| {
            weighted(&weights, radius, |i| across.get(x as isize, y as isize + i))
        })
    }

    /// Means of squares of `2 radius + 1` cells, cut at the border.
    pub(super) fn box_mean(&self, radius: usize) -> Self {
        let mut across = Self::new(self.width, self.height);
        for y in 0..self.height {
            sliding(self.row(y).iter().copied(), self.width, radius, across.row_mut(y).iter_mut());
        }
        let mut mean = Self::new(self.width, self.height);
        // Down the columns, all at once: one running sum for each.
        let mut sums = Zeroizing::new(vec![0.0_f32; self.width]);
        let mut count = 0.0_f32;
        for y in 0..self.height + radius {
            if y < self.height {
                sums.iter_mut().zip(across.row(y)).for_each(|(sum, v)| *sum += v);
                count += 1.0;
            }
            if let Some(gone) = y.checked_sub(2 * radius + 1) {
                sums.iter_mut().zip(across.row(gone)).for_each(|(sum, v)| *sum -= v);
                count -= 1.0;
            }
            if let Some(at) = y.checked_sub(radius) {
                mean.row_mut(at).iter_mut().zip(sums.iter()).for_each(|(to, sum)| *to = sum / count);
            }
        }
        mean
    }
}

fn weighted(weights: &[f32], radius: isize, value: impl Fn(isize) -> Option<f32>) -> f32 {
    let (mut sum, mut total) = (0.0, 0.0);
    for (i, weight) in (-radius..=radius).zip(weights) {
        if let Some(v) = value(i) {
            sum += weight * v;
            total += weight;
        }
    }
    sum / total
}

fn sliding<'a>(
    values: impl Iterator<Item = f32> + Clone,
    length: usize,
    radius: usize,
    mut means: impl Iterator<Item = &'a mut f32>,
) {
    let (mut entering, mut leaving) = (values.clone(), values);
    let (mut sum, mut count) = (0.0_f32, 0.0_f32);
    for i in 0..length + radius {
        if let Some(v) = entering.next() {
            sum += v;
            count += 1.0;
        }
        if i > 2 * radius
            && let Some(v) = leaving.next()
        {
            sum -= v;
            count -= 1.0;
        }
        if i >= radius
            && let Some(to) = means.next()
        {
            *to = sum / count;
        }
    }
}
