//! Base64url without padding, read strictly: one text for one sequence of bytes.

use base64::DecodeSliceError;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// Why a text is not base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum B64Error {
    /// A character outside the alphabet, padding, a wrong length, or bits left over at the end.
    #[error("not base64url without padding")]
    NotBase64Url,
    /// Not the `x5c` flavour: the standard alphabet with padding.
    #[error("not base64 with padding")]
    NotBase64,
}

/// Encodes as base64url without padding.
///
/// # Source
/// RFC 7515 §2 "Base64url Encoding".
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Appends the base64url encoding of `bytes` to `text`.
pub fn encode_onto(bytes: &[u8], text: &mut String) {
    URL_SAFE_NO_PAD.encode_string(bytes, text);
}

/// Decodes base64url without padding.
///
/// Not constant in time: for texts that are public or already in the peer's hands.
///
/// # Errors
/// [`B64Error::NotBase64Url`] for `+`, `/`, `=`, white space, an impossible length, or non-zero trailing bits.
///
/// # Source
/// RFC 7515 §2; RFC 4648 §3.5 on trailing bits.
pub fn decode(text: &str) -> Result<Vec<u8>, B64Error> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| B64Error::NotBase64Url)
}

/// Decodes exactly `N` bytes.
///
/// # Errors
/// As [`decode`]; also when it is another number of bytes.
pub fn decode_array<const N: usize>(text: &str) -> Result<[u8; N], B64Error> {
    decode(text)?.try_into().map_err(|_| B64Error::NotBase64Url)
}

/// Decodes into `place`; gives how many bytes there were, `None` when they do not fit.
///
/// # Errors
/// As [`decode`].
pub(crate) fn decode_into(text: &str, place: &mut [u8]) -> Result<Option<usize>, B64Error> {
    match URL_SAFE_NO_PAD.decode_slice(text, place) {
        Ok(length) => Ok(Some(length)),
        Err(DecodeSliceError::OutputSliceTooSmall) => Ok(None),
        Err(DecodeSliceError::DecodeError(_)) => Err(B64Error::NotBase64Url),
    }
}

/// Encodes as the entries of `x5c` are: standard alphabet, padded.
pub(crate) fn encode_standard(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Decodes an entry of `x5c`.
pub(crate) fn decode_standard(text: &str) -> Result<Vec<u8>, B64Error> {
    STANDARD.decode(text).map_err(|_| B64Error::NotBase64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_27_padding_foreign_alphabet_and_trailing_bits_are_refused() {
        assert_eq!(decode("-_8").unwrap(), [0xfb, 0xff]);
        for text in ["+_8", "-/8", "-_8=", "-_9", "-_8\n", " -_8", "A", "AAAAA", "-_é"] {
            assert_eq!(decode(text), Err(B64Error::NotBase64Url), "{text}");
        }
        for text in ["+/8", "-_8=", "+/9=", "+/8=\n", "+/8=="] {
            assert_eq!(decode_standard(text), Err(B64Error::NotBase64), "{text}");
        }
        assert_eq!(decode_standard("+/8=").unwrap(), [0xfb, 0xff]);
        assert_eq!(decode_array::<2>("-_8").unwrap(), [0xfb, 0xff]);
        assert!(decode_array::<3>("-_8").is_err());
    }
}
