//! Base64url without padding, read strictly: one text for one sequence of bytes.

use base64_simd::{Out, STANDARD, URL_SAFE_NO_PAD};

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
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// Appends the base64url encoding of `bytes` to `text`.
pub fn encode_onto(bytes: &[u8], text: &mut String) {
    URL_SAFE_NO_PAD.encode_append(bytes, text);
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
    URL_SAFE_NO_PAD.decode_to_vec(text).map_err(|_| B64Error::NotBase64Url)
}

/// Decodes exactly `N` bytes.
///
/// # Errors
/// As [`decode`]; also when it is another number of bytes.
pub fn decode_array<const N: usize>(text: &str) -> Result<[u8; N], B64Error> {
    let mut bytes = [0; N];
    match decode_into(text, &mut bytes)? {
        Some(length) if length == N => Ok(bytes),
        _ => Err(B64Error::NotBase64Url),
    }
}

/// Appends what `text` decodes to.
///
/// # Errors
/// As [`decode`]; then nothing is appended that anyone should read.
pub(crate) fn decode_onto(text: &str, bytes: &mut Vec<u8>) -> Result<(), B64Error> {
    URL_SAFE_NO_PAD.decode_append(text, bytes).map_err(|_| B64Error::NotBase64Url)
}

/// Decodes into `place`; gives how many bytes there were, `None` when they do not fit.
///
/// # Errors
/// As [`decode`].
pub(crate) fn decode_into(text: &str, place: &mut [u8]) -> Result<Option<usize>, B64Error> {
    let text = text.as_bytes();
    let length = URL_SAFE_NO_PAD.decoded_length(text).map_err(|_| B64Error::NotBase64Url)?;
    match place.get_mut(..length) {
        Some(place) => URL_SAFE_NO_PAD.decode(text, Out::from_slice(place)).map(|_| Some(length)),
        None => URL_SAFE_NO_PAD.check(text).map(|()| None),
    }
    .map_err(|_| B64Error::NotBase64Url)
}

/// Encodes as the entries of `x5c` are: standard alphabet, padded.
pub fn encode_standard(bytes: &[u8]) -> String {
    STANDARD.encode_to_string(bytes)
}

/// Decodes an entry of `x5c`.
pub(crate) fn decode_standard(text: &str) -> Result<Vec<u8>, B64Error> {
    STANDARD.decode_to_vec(text).map_err(|_| B64Error::NotBase64)
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
        assert!(decode_array::<3>("-_8").is_err() && decode_array::<1>("-_8").is_err());
        // As long as the decoder's vectors, so that each of its paths sees a foreign character at each place.
        let long = encode(&[0xfb; 120]);
        for at in 0..long.len() {
            for foreign in ["+", "/", "=", "\n", "é"] {
                let mut text = long.clone();
                text.replace_range(at..=at, foreign);
                assert_eq!(decode(&text), Err(B64Error::NotBase64Url), "{text}");
                assert_eq!(decode_into(&text, &mut [0; 200]), Err(B64Error::NotBase64Url), "{text}");
                assert_eq!(decode_into(&text, &mut [0; 3]), Err(B64Error::NotBase64Url), "{text}");
                assert_eq!(decode_onto(&text, &mut Vec::new()), Err(B64Error::NotBase64Url), "{text}");
            }
        }
    }

    /// The plain algorithm of RFC 4648 §5, to hold the vectored one against.
    fn slow(bytes: &[u8]) -> String {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut text = String::new();
        for three in bytes.chunks(3) {
            let bits = three.iter().chain([&0, &0]).take(3).fold(0usize, |bits, byte| bits << 8 | usize::from(*byte));
            for n in 0..=three.len() {
                text.push(char::from(ALPHABET[bits >> (18 - 6 * n) & 63]));
            }
        }
        text
    }

    #[test]
    fn every_length_is_written_and_read_as_the_standard_says() {
        let bytes: Vec<u8> = (0..=255).rev().collect();
        for length in 0..bytes.len() {
            let (bytes, text) = (&bytes[..length], slow(&bytes[..length]));
            assert_eq!(encode(bytes), text);
            assert_eq!(decode(&text).unwrap(), bytes);
            let mut onto = (String::from("~"), vec![7]);
            encode_onto(bytes, &mut onto.0);
            decode_onto(&text, &mut onto.1).unwrap();
            assert_eq!((&onto.0[1..], &onto.1[1..]), (text.as_str(), bytes));
            let mut place = [0; 256];
            assert_eq!(decode_into(&text, &mut place), Ok(Some(length)));
            assert_eq!(&place[..length], bytes);
            if length > 0 {
                assert_eq!(decode_into(&text, &mut place[..length - 1]), Ok(None));
            }
        }
    }
}
