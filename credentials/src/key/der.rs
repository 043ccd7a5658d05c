//! Keys and signatures of P-256 in the DER that the backend works on.
//!
//! Given points and pairs of numbers it makes this DER itself, in memory taken from the heap, and reads it again.

/// What stands before the point in the `SubjectPublicKeyInfo` of a P-256 key (RFC 5480 §2).
pub(crate) const P256_INFO: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The `SubjectPublicKeyInfo` of an uncompressed point.
pub(super) fn p256_info(sec1: &[u8; 65]) -> [u8; 91] {
    let mut info = [0; 91];
    let (head, point) = info.split_at_mut(P256_INFO.len());
    head.copy_from_slice(&P256_INFO);
    point.copy_from_slice(sec1);
    info
}

/// An `ECDSA-Sig-Value`: a sequence of two integers.
///
/// # Source
/// RFC 3279 §2.2.3; X.690 §8.3 for integers: as short as can be, and not negative.
pub(super) struct Signature {
    bytes: [u8; 72],
    length: usize,
}

impl Signature {
    /// Of r and s, 32 bytes each.
    pub(super) fn of(fixed: &[u8; 64]) -> Self {
        let (r, s) = fixed.split_at(32);
        let (r, s) = (Integer::of(r), Integer::of(s));
        let mut signature = Self { bytes: [0; 72], length: 0 };
        // At most 2 + 33 bytes each: every length fits seven bits.
        signature.push(&[0x30, (r.length() + s.length()) as u8]);
        for integer in [r, s] {
            signature.push(&[0x02, (integer.length() - 2) as u8]);
            signature.push(if integer.is_padded { &[0] } else { &[] });
            signature.push(integer.digits);
        }
        signature
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    fn push(&mut self, bytes: &[u8]) {
        if let Some(place) = self.bytes.get_mut(self.length..self.length + bytes.len()) {
            place.copy_from_slice(bytes);
            self.length += bytes.len();
        }
    }
}

struct Integer<'b> {
    /// Without zeros in front; one zero for zero.
    digits: &'b [u8],
    /// Whether a zero must stand in front, because it would be negative otherwise.
    is_padded: bool,
}

impl<'b> Integer<'b> {
    fn of(bytes: &'b [u8]) -> Self {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count().min(bytes.len().saturating_sub(1));
        let digits = bytes.get(zeros..).unwrap_or_default();
        Self { digits, is_padded: digits.first().is_some_and(|first| *first >= 0x80) }
    }

    /// With tag and length.
    const fn length(&self) -> usize {
        2 + self.is_padded as usize + self.digits.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fixed(r: &[u8], s: &[u8]) -> [u8; 64] {
        let mut fixed = [0; 64];
        fixed[32 - r.len()..32].copy_from_slice(r);
        fixed[64 - s.len()..].copy_from_slice(s);
        fixed
    }

    #[test]
    fn integers_are_as_short_as_can_be_and_never_negative() {
        for (r, s, der) in [
            (&[][..], &[][..], &[0x30, 6, 2, 1, 0, 2, 1, 0][..]),
            (&[0x7f], &[0x80], &[0x30, 7, 2, 1, 0x7f, 2, 2, 0, 0x80]),
            (&[1, 0], &[0xff, 0, 0], &[0x30, 10, 2, 2, 1, 0, 2, 4, 0, 0xff, 0, 0]),
        ] {
            assert_eq!(Signature::of(&fixed(r, s)).as_bytes(), der);
        }
        let longest = Signature::of(&[0xff; 64]);
        assert_eq!((longest.as_bytes().len(), longest.as_bytes()[1]), (72, 70));
    }

    proptest! {
        #[test]
        fn the_oracle_writes_the_same(r in proptest::array::uniform32(any::<u8>()), s in proptest::array::uniform32(any::<u8>())) {
            if let Ok(theirs) = p256::ecdsa::Signature::from_scalars(r, s) {
                let theirs = theirs.to_der();
                prop_assert!(Signature::of(&fixed(&r, &s)).as_bytes() == theirs.as_bytes());
            }
        }
    }
}
