//! Secrets: the PIN, and keys that are wiped when they go.

use std::fmt;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// The holder's PIN or passphrase: UTF-8 in Unicode form NFKC, 1 to 1,024 bytes, without control characters.
///
/// NFKC, so that the same keys pressed on another system give the same bytes. Its strength is not judged here.
///
/// # Source
/// `security.md` §1.2; RFC 8265 §4.2 for the same care with passwords.
pub struct Pin(Zeroizing<String>);

impl Pin {
    /// The longest PIN, in bytes after normalisation.
    pub const MAX_BYTES: usize = 1_024;

    /// Normalises a PIN as typed or read.
    ///
    /// Nothing is trimmed: the caller drops the line end of a PIN file.
    ///
    /// # Errors
    /// [`PinError`] if it is empty, too long, or holds a control character.
    pub fn parse(text: &str) -> Result<Self, PinError> {
        if text.is_empty() {
            return Err(PinError::Empty);
        }
        if text.len() > Self::MAX_BYTES {
            return Err(PinError::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(PinError::ControlCharacter);
        }
        // One character may become eighteen; reserved at once, so that no half-written copy is left behind by growth.
        let mut normal = Zeroizing::new(String::with_capacity(text.len().saturating_mul(18)));
        normal.extend(text.nfkc());
        if normal.len() > Self::MAX_BYTES {
            return Err(PinError::TooLong);
        }
        if normal.is_empty() {
            return Err(PinError::Empty);
        }
        Ok(Self(normal))
    }

    /// How many characters it has after normalisation.
    pub fn characters(&self) -> usize {
        self.0.chars().count()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.debug_struct("Pin").finish_non_exhaustive()
    }
}

/// Why a text cannot be a PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PinError {
    /// Nothing was given: no PIN is said by giving none, not by an empty one.
    #[error("the PIN is empty")]
    Empty,
    /// More than [`Pin::MAX_BYTES`].
    #[error("the PIN is longer than 1024 bytes")]
    TooLong,
    /// A line end, a tab or the like, which would be typed differently elsewhere.
    #[error("the PIN holds a control character or more than one line")]
    ControlCharacter,
}

/// 32 secret bytes on the heap, wiped when dropped, never copied and never shown.
macro_rules! key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub(crate) struct $name(Box<[u8; 32]>);

        impl $name {
            /// Filled in place, so that no copy stays on the stack.
            #[allow(dead_code, reason = "not every key is made in every way")]
            pub(crate) fn fill_with(fill: impl FnOnce(&mut [u8; 32])) -> Self {
                let mut key = Self(Box::new([0; 32]));
                fill(&mut key.0);
                key
            }

            #[allow(dead_code, reason = "not every key is made in every way")]
            pub(crate) fn generate<R: ::rand_core::CryptoRng + ?Sized>(rng: &mut R) -> Self {
                Self::fill_with(|bytes| rng.fill_bytes(bytes))
            }

            pub(crate) fn bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                ::zeroize::Zeroize::zeroize(&mut *self.0);
            }
        }

        impl ::zeroize::ZeroizeOnDrop for $name {}

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                let Self(_) = self;
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

key!(
    /// What Argon2id makes of the PIN.
    PinKey
);
key!(
    /// What the device key makes of the PIN key: each guess of a PIN must pass through the device.
    DevicePart
);
key!(
    /// The key that a slot's own key and commitment come from.
    SlotSecret
);
key!(
    /// The vault master key of one compartment: every other key of it is derived from this one.
    Vmk
);
key!(
    /// The key of one save; destroyed when the next save stands.
    EpochKey
);
key!(
    /// A key derived for one purpose.
    PurposeKey
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_the_same_however_it_was_typed() {
        let composed = Pin::parse("caf\u{e9}\u{ff11}").unwrap();
        let decomposed = Pin::parse("cafe\u{301}1").unwrap();
        assert_eq!(composed.bytes(), decomposed.bytes());
        assert_eq!(composed.characters(), 5);
    }

    #[test]
    fn what_is_no_pin_is_refused() {
        assert_eq!(Pin::parse("").unwrap_err(), PinError::Empty);
        assert_eq!(Pin::parse("1234\n").unwrap_err(), PinError::ControlCharacter);
        assert_eq!(Pin::parse(&"1".repeat(1_025)).unwrap_err(), PinError::TooLong);
        // U+FDFA becomes 33 bytes: the limit is on what comes out.
        assert_eq!(Pin::parse(&"\u{fdfa}".repeat(100)).unwrap_err(), PinError::TooLong);
    }

    #[test]
    fn no_secret_is_shown() {
        let key = Vmk::fill_with(|bytes| bytes.fill(7));
        assert_eq!(format!("{key:?}"), "Vmk { .. }");
        assert_eq!(format!("{:?}", Pin::parse("123456").unwrap()), "Pin { .. }");
    }
}
