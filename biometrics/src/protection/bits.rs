//! Bits in bytes: bit `i` of a string is bit `i % 8`, counted from the least significant, of byte `i / 8`.

use zeroize::Zeroizing;

use super::transform::Transformed;

/// Code length in bits.
pub(super) const CODE_BITS: usize = 512;
/// Code length in bytes.
pub(super) const CODE_BYTES: usize = CODE_BITS / 8;
/// Message length in bits.
pub(super) const MESSAGE_BITS: usize = 96;
/// Message length in bytes.
pub(super) const MESSAGE_BYTES: usize = MESSAGE_BITS / 8;

/// One bit an element (0 or 1), in order.
pub(super) fn unpack(bytes: &[u8]) -> impl Iterator<Item = u8> + '_ {
    bytes.iter().flat_map(|byte| (0..8).map(move |i| (byte >> i) & 1))
}

/// Packs elements (0 or 1) into as many bytes as `LENGTH` says; elements beyond are dropped, missing ones are 0.
pub(super) fn pack<const LENGTH: usize>(bits: impl Iterator<Item = u8>) -> Zeroizing<[u8; LENGTH]> {
    let mut bytes = Zeroizing::new([0; LENGTH]);
    let mut bits = bits;
    for byte in bytes.iter_mut() {
        for (i, bit) in (0..8).zip(bits.by_ref()) {
            *byte |= (bit & 1) << i;
        }
    }
    bytes
}

/// The sign of each number: 1 where negative.
pub(super) fn signs(values: &Transformed) -> Zeroizing<[u8; CODE_BYTES]> {
    pack(values.iter().map(|v| u8::from(*v < 0)))
}
