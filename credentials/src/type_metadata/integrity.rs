//! Integrity metadata: the digest that a document must have, beside the place where it is named.

use crate::b64;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use std::fmt;
use subtle::ConstantTimeEq as _;

/// The digests one of which a document must have.
///
/// # Source
/// SD-JWT VC §6 "Integrity of Referenced Documents"; W3C Subresource Integrity §3 for the syntax.
#[derive(Clone, PartialEq, Eq)]
pub struct Integrity {
    algorithm: Algorithm,
    digests: Vec<Vec<u8>>,
}

/// Why integrity metadata, or a document under it, is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IntegrityError {
    /// Not integrity metadata, or longer than is read.
    #[error("not an integrity metadata string")]
    Malformed,
    /// None of its hashes is one that we compute: then nothing would be checked.
    #[error("integrity metadata without sha256, sha384 or sha512")]
    Unsupported,
    /// The document has another digest.
    #[error("the document is not the one its integrity metadata names")]
    Mismatch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Algorithm {
    Sha256,
    Sha384,
    Sha512,
}

impl Algorithm {
    fn by_name(name: &str) -> Option<Self> {
        match name {
            "sha256" => Some(Self::Sha256),
            "sha384" => Some(Self::Sha384),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }
}

/// The most characters that are read.
const LONGEST: usize = 1024;

impl Integrity {
    /// Reads integrity metadata: of several hash expressions those of the strongest hash count.
    ///
    /// # Errors
    /// [`IntegrityError::Malformed`]; [`IntegrityError::Unsupported`] when there is none that we compute.
    pub fn parse(text: &str) -> Result<Self, IntegrityError> {
        if text.len() > LONGEST {
            return Err(IntegrityError::Malformed);
        }
        let mut strongest: Option<Self> = None;
        let mut expressions = 0;
        for expression in text.split([' ', '\t']).filter(|expression| !expression.is_empty()) {
            expressions += 1;
            // Options follow a `?`; none are defined.
            let hash = expression.split_once('?').map_or(expression, |(hash, _)| hash);
            let (name, digest) = hash.split_once('-').ok_or(IntegrityError::Malformed)?;
            let Some(algorithm) = Algorithm::by_name(name) else { continue };
            let digest = decode(digest).filter(|digest| digest.len() == algorithm.length());
            let digest = digest.ok_or(IntegrityError::Malformed)?;
            match &mut strongest {
                Some(found) if found.algorithm > algorithm => {}
                Some(found) if found.algorithm == algorithm => found.digests.push(digest),
                _ => strongest = Some(Self { algorithm, digests: vec![digest] }),
            }
        }
        if expressions == 0 {
            return Err(IntegrityError::Malformed);
        }
        strongest.ok_or(IntegrityError::Unsupported)
    }

    /// The metadata of `bytes`, with SHA-256.
    pub fn of(bytes: &[u8]) -> Self {
        Self { algorithm: Algorithm::Sha256, digests: vec![Algorithm::Sha256.digest(bytes)] }
    }

    /// Refuses a document with another digest, compared over its octets as they came.
    ///
    /// # Errors
    /// [`IntegrityError::Mismatch`].
    pub fn check(&self, bytes: &[u8]) -> Result<(), IntegrityError> {
        let digest = self.algorithm.digest(bytes);
        let fits = self.digests.iter().any(|expected| bool::from(expected.as_slice().ct_eq(&digest)));
        if fits { Ok(()) } else { Err(IntegrityError::Mismatch) }
    }
}

/// Base64 of either alphabet, padded or not.
fn decode(text: &str) -> Option<Vec<u8>> {
    let bare = text.trim_end_matches('=');
    if text.len() - bare.len() > 2 {
        return None;
    }
    b64::decode(&bare.replace('+', "-").replace('/', "_")).ok()
}

impl fmt::Display for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, digest) in self.digests.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{}-{}", self.algorithm.name(), b64::encode_standard(digest))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Integrity({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// W3C SRI §3.1: `alert('Hello, world.');`
    const HELLO: &[u8] = b"alert('Hello, world.');";
    const SHA384: &str = "sha384-H8BRh8j48O9oYatfu5AZzq6A9RINhZO5H16dQZngK7T62em8MUt1FLm52t+eX6xO";
    const SHA512: &str =
        "sha512-Q2bFTOhEALkN8hOms2FKTDLy7eugP2zFZ1T8LCvX42Fp3WoNr3bjZSAHeOsHrbV1Fu9/A0EzCinRE7Af1ofPrw==";

    fn check(text: &str, bytes: &[u8]) -> Result<(), IntegrityError> {
        Integrity::parse(text)?.check(bytes)
    }

    #[test]
    fn the_examples_of_the_standard_hold() {
        assert_eq!(check(SHA384, HELLO), Ok(()));
        assert_eq!(check(SHA512, HELLO), Ok(()));
        assert_eq!(check(&format!("  {SHA384}\t{SHA512}?option "), HELLO), Ok(()));
        let ours = Integrity::of(HELLO);
        assert_eq!(Integrity::parse(&ours.to_string()), Ok(ours.clone()));
        assert_eq!(ours.check(HELLO), Ok(()));
        let unpadded = ours.to_string().trim_end_matches('=').replace('+', "-").replace('/', "_");
        assert_eq!(check(&unpadded, HELLO), Ok(()));
    }

    #[test]
    fn attack_35_only_the_strongest_hash_counts_and_one_must_fit() {
        let wrong = Integrity::of(b"other").to_string();
        assert_eq!(check(&wrong, HELLO), Err(IntegrityError::Mismatch));
        // A weaker one that fits does not save a stronger one that does not.
        let stronger = SHA512.replacen("Q2b", "Q2c", 1);
        assert_eq!(check(&format!("{} {stronger}", Integrity::of(HELLO)), HELLO), Err(IntegrityError::Mismatch));
        assert_eq!(check(&format!("{stronger} {SHA512} {wrong}"), HELLO), Ok(()));
    }

    #[test]
    fn attack_35_integrity_that_checks_nothing_is_refused() {
        for text in ["md5-XrY7u+Ae7tCTyyK7j1rNww==", "sha1-AAAA", "SHA256-AAAA", "sha1-AAAA md5-AAAA"] {
            assert_eq!(Integrity::parse(text), Err(IntegrityError::Unsupported), "{text}");
        }
        let long = format!("{} ", Integrity::of(HELLO)).repeat(40);
        let ours = Integrity::of(HELLO).to_string();
        for text in
            ["", "  ", "sha256", "sha256-", "sha256-AAAA", "sha384-AAAA", "sha256-%%%%", &long, &format!("{ours}==")]
        {
            assert_eq!(Integrity::parse(text), Err(IntegrityError::Malformed), "{text}");
        }
    }
}
