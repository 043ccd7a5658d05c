//! The part of an aligned face that quality is measured on.

use crate::face::align::SIDE;

/// The part of an aligned face that is face in everyone: from the brows to the mouth.
pub(super) struct FaceRegion<'a> {
    luma: &'a [f32],
}

impl<'a> FaceRegion<'a> {
    pub(super) const fn of(luma: &'a [f32]) -> Self {
        Self { luma }
    }

    fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.luma.chunks_exact(SIDE).skip(ROWS.0).take(ROWS.1 - ROWS.0)
    }

    fn pixels(&self) -> impl Iterator<Item = f32> {
        self.rows().flat_map(|row| row.iter().skip(COLUMNS.0).take(COLUMNS.1 - COLUMNS.0)).copied()
    }

    /// The share of pixels at least this bright.
    pub(super) fn share_from(&self, level: f32) -> f64 {
        let (found, all) = self.pixels().fold((0_u32, 0_u32), |(n, all), v| (n + u32::from(v >= level), all + 1));
        f64::from(found) / f64::from(all.max(1))
    }

    /// The brightness of the darker half, left or right, by that of the brighter one.
    pub(super) fn evenness(&self) -> f64 {
        let (mut left, mut right) = (0.0, 0.0);
        for row in self.rows() {
            let sum =
                |from: usize, to: usize| row.iter().skip(from).take(to - from).copied().map(f64::from).sum::<f64>();
            left += sum(COLUMNS.0, SIDE / 2);
            right += sum(SIDE / 2, COLUMNS.1);
        }
        left.min(right) / left.max(right).max(1.0)
    }

    /// How much there is to see around a place: the deviation of the brightness within `reach` of it, by its mean. Skin, cloth and
    /// dark glass have little, an eye or a mouth has more, in whatever light.
    pub(super) fn variety(&self, (column, row): (usize, usize), (across, down): (usize, usize)) -> f64 {
        let rows = self.luma.chunks_exact(SIDE).skip(row - down).take(2 * down + 1);
        let (mut sum, mut square, mut count) = (0.0, 0.0, 0.0_f64);
        for value in rows.flat_map(|row| row.iter().skip(column - across).take(2 * across + 1)) {
            let value = f64::from(*value);
            sum += value;
            square += value * value;
            count += 1.0;
        }
        let mean = sum / count.max(1.0);
        (square / count.max(1.0) - mean * mean).max(0.0).sqrt() / mean.max(1.0)
    }

    pub(super) fn mean_and_deviation(&self) -> (f64, f64) {
        let (mut sum, mut square, mut count) = (0.0, 0.0, 0.0_f64);
        for value in self.pixels() {
            let value = f64::from(value);
            sum += value;
            square += value * value;
            count += 1.0;
        }
        let mean = sum / count.max(1.0);
        (mean, (square / count.max(1.0) - mean * mean).max(0.0).sqrt())
    }

    /// Root mean square of the Laplacian.
    pub(super) fn detail(&self) -> f64 {
        let rows: Vec<&[f32]> = self.rows().collect();
        let (mut square, mut count) = (0.0, 0.0_f64);
        for triple in rows.windows(3) {
            let [above, row, below] = triple else { continue };
            for ((a, r), b) in
                above.windows(3).zip(row.windows(3)).zip(below.windows(3)).skip(COLUMNS.0).take(COLUMNS.1 - COLUMNS.0)
            {
                let ([_, up, _], [left, middle, right], [_, down, _]) = (a, r, b) else { continue };
                let laplacian = f64::from(up + down + left + right - 4.0 * middle);
                square += laplacian * laplacian;
                count += 1.0;
            }
        }
        (square / count.max(1.0)).sqrt()
    }
}

/// First and last rows and columns of the face region.
const ROWS: (usize, usize) = (36, 100);
/// As many on each side of the middle.
const COLUMNS: (usize, usize) = (26, 86);
