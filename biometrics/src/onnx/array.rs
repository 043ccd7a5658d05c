//! Weights in rows, and what is computed of them before a runtime sees them.

/// Numbers in rows, the last axis fastest.
#[derive(Clone)]
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

impl Array {
    pub(crate) fn vector(values: Vec<f32>) -> Self {
        Self { shape: vec![values.len()], values }
    }

    /// The same numbers without a shape.
    pub(crate) fn flat(self) -> Self {
        Self::vector(self.values)
    }

    /// The length along an axis; 1 where there is none.
    pub(crate) fn length(&self, axis: usize) -> usize {
        self.shape.get(axis).copied().unwrap_or(1)
    }

    /// With `count` more along the first axis, all zeros, in front of number `at`.
    pub(crate) fn with_blank(mut self, at: usize, count: usize) -> Self {
        let stride: usize = self.shape.iter().skip(1).product();
        let place = (at * stride).min(self.values.len());
        self.values.splice(place..place, std::iter::repeat_n(0.0, count * stride));
        if let Some(first) = self.shape.first_mut() {
            *first += count;
        }
        self
    }
}

/// A matrix, in double precision: products of weights are rounded once.
pub(crate) struct Matrix {
    columns: usize,
    cells: Vec<f64>,
}

impl Matrix {
    /// Weights of a convolution of single pixels, a row for each output; of a vector, a column.
    pub(crate) fn of(weights: &Array) -> Self {
        let columns = weights.shape.iter().skip(1).product::<usize>().max(1);
        Self { columns, cells: weights.values.iter().map(|value| f64::from(*value)).collect() }
    }

    pub(crate) fn rows(&self) -> usize {
        self.cells.len() / self.columns
    }

    /// The product; nothing where the two do not fit.
    pub(crate) fn times(&self, other: &Self) -> Option<Self> {
        if self.columns != other.rows() {
            return None;
        }
        let mut cells = Vec::with_capacity(self.rows() * other.columns);
        for row in self.cells.chunks_exact(self.columns) {
            let mut sums = vec![0.0; other.columns];
            for (factor, terms) in row.iter().zip(other.cells.chunks_exact(other.columns)) {
                sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += factor * term);
            }
            cells.extend(sums);
        }
        Some(Self { columns: other.columns, cells })
    }

    /// The sum; nothing where the two do not fit.
    pub(crate) fn plus(mut self, other: &Self) -> Option<Self> {
        if (self.columns, self.cells.len()) != (other.columns, other.cells.len()) {
            return None;
        }
        self.cells.iter_mut().zip(&other.cells).for_each(|(cell, term)| *cell += term);
        Some(self)
    }

    /// With `count` rows of zeros at the end.
    pub(crate) fn with_rows(mut self, count: usize) -> Self {
        self.cells.resize(self.cells.len() + count * self.columns, 0.0);
        self
    }

    /// With `count` columns of zeros in front of number `at`.
    pub(crate) fn with_columns(&self, at: usize, count: usize) -> Self {
        Self::of(&Self::of(&self.transposed().with_blank(at, count)).transposed())
    }

    /// As a convolution of single pixels.
    pub(crate) fn convolution(&self) -> Array {
        let values = self.cells.iter().map(|cell| *cell as f32).collect();
        Array { shape: vec![self.rows(), self.columns, 1, 1], values }
    }

    /// Rows for columns.
    pub(crate) fn transposed(&self) -> Array {
        let column = |at| self.cells.iter().skip(at).step_by(self.columns).map(|cell| *cell as f32);
        let values = (0..self.columns).flat_map(column).collect();
        Array { shape: vec![self.columns, self.rows()], values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_sums_and_blanks_are_where_they_belong() {
        let weights = Array { shape: vec![2, 3, 1, 1], values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] };
        let matrix = Matrix::of(&weights);
        let column = Matrix::of(&Array::vector(vec![1.0, 0.0, -1.0]));
        let product = matrix.times(&column).unwrap();
        assert_eq!(product.convolution().values, [-2.0, -2.0]);
        assert_eq!(product.plus(&Matrix::of(&Array::vector(vec![1.0, 2.0]))).unwrap().transposed().values, [-1.0, 0.0]);
        // What does not fit is no product and no sum.
        assert!(column.times(&column).is_none() && column.plus(&matrix).is_none());
        let wider = matrix.with_columns(1, 2).with_rows(1).convolution();
        assert_eq!(wider.shape, [3, 5, 1, 1]);
        assert_eq!(wider.values, [1.0, 0.0, 0.0, 2.0, 3.0, 4.0, 0.0, 0.0, 5.0, 6.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let longer = weights.with_blank(1, 1);
        assert_eq!(
            (longer.shape, longer.values),
            (vec![3, 3, 1, 1], vec![1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 4.0, 5.0, 6.0])
        );
    }
}
