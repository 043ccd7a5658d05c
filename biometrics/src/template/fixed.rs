//! A unit vector in 16-bit fixed point: the same integers on every machine, so that a key released here is released there.

use zeroize::Zeroizing;

use super::DIMENSION;

/// [`DIMENSION`] numbers in `[-1, 1]`, each times 2^14 and rounded.
pub(crate) struct FixedVector(Box<Zeroizing<[i16; DIMENSION]>>);

impl FixedVector {
    /// From a vector of unit length.
    pub(crate) fn from_unit(values: &[f64; DIMENSION]) -> Self {
        let mut fixed = Box::new(Zeroizing::new([0; DIMENSION]));
        for (to, from) in fixed.iter_mut().zip(values) {
            let rounded = (from * ONE).round().clamp(-ONE, ONE) as i16;
            *to = rounded;
        }
        Self(fixed)
    }

    /// From big-endian bytes, if there are exactly enough of them.
    pub(crate) fn from_be_bytes(bytes: &[u8]) -> Option<Self> {
        let (pairs, rest) = bytes.as_chunks::<2>();
        if pairs.len() != DIMENSION || !rest.is_empty() {
            return None;
        }
        let mut fixed = Box::new(Zeroizing::new([0; DIMENSION]));
        for (to, from) in fixed.iter_mut().zip(pairs) {
            *to = i16::from_be_bytes(*from);
        }
        Some(Self(fixed))
    }

    /// Whether the length is 1, up to what rounding does.
    pub(crate) fn is_unit(&self) -> bool {
        (0.99..=1.01).contains(&(self.norm() / ONE))
    }

    /// The vector's numbers.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = i16> + '_ {
        self.0.iter().copied()
    }

    /// The cosine of the angle between two vectors, exact up to rounding in fixed point.
    pub(crate) fn cosine(&self, other: &Self) -> f64 {
        let dot: i64 = self.iter().zip(other.iter()).map(|(a, b)| i64::from(a) * i64::from(b)).sum();
        let dot = dot as f64;
        (dot / (self.norm() * other.norm())).clamp(-1.0, 1.0)
    }

    fn norm(&self) -> f64 {
        let square: i64 = self.iter().map(|v| i64::from(v) * i64::from(v)).sum();
        let square = square as f64;
        square.sqrt()
    }
}

/// 1.0 in fixed point.
const ONE: f64 = 16384.0;
