//! The bearer secrets of an issuance: pre-authorized code, transaction code, access token, handle.
//!
//! The store never holds one of them: it holds a [`Fingerprint`](crate::keys::Fingerprint).

use crate::keys::{Keys, Purpose};
use credentials::b64;
use rand_core::CryptoRng;
use std::fmt;
use zeroize::Zeroizing;

/// How many digits a transaction code has (`security.md` §10).
pub const TX_CODE_DIGITS: u32 = 8;

/// A pre-authorized code: 256 random bits, base64url.
///
/// # Source
/// OpenID4VCI 1.0 §4.1.1 `pre-authorized_code`: short-lived and single use.
pub struct PreAuthorizedCode(Zeroizing<String>);

impl PreAuthorizedCode {
    /// Draws a fresh one.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self(random_text(rng))
    }

    /// The one of an offer that is referred to by a name: who has the name has the code, and nobody else.
    pub(crate) fn of_name(name: &str, keys: &dyn Keys) -> Self {
        let derived = keys.fingerprint(Purpose::OfferName, &[name.as_bytes()]);
        Self(Zeroizing::new(b64::encode(derived.as_bytes())))
    }

    /// The code as it stands in the offer.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name by which a link refers to an offer: 256 random bits, base64url. It is as good as the code.
///
/// # Source
/// OpenID4VCI 1.0 §4.1.3.
pub struct OfferName(Zeroizing<String>);

impl OfferName {
    /// Draws a fresh one.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self(random_text(rng))
    }

    /// The name as it stands in the link.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An access token: 256 random bits, base64url.
///
/// # Source
/// OpenID4VCI 1.0 §6.2; opaque, RFC 6749 §1.4.
pub struct AccessToken(Zeroizing<String>);

impl AccessToken {
    /// Draws a fresh one.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self(random_text(rng))
    }

    /// The token as it stands in the token response.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A refresh token: 256 random bits, base64url.
///
/// # Source
/// RFC 6749 §1.5, §10.4.
pub struct RefreshToken(Zeroizing<String>);

impl RefreshToken {
    /// Draws a fresh one.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self(random_text(rng))
    }

    /// The token as it stands in the token response.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A transaction identifier: 256 random bits, base64url. What waits for a decision is sealed under it.
///
/// # Source
/// OpenID4VCI 1.0 §8.3 `transaction_id`.
pub struct TransactionId(Zeroizing<String>);

impl TransactionId {
    /// Draws a fresh one.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self(random_text(rng))
    }

    /// The one that a wallet showed, and that the store knows.
    pub(crate) fn from_wallet(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// The identifier as it stands in the credential response.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A notification identifier: 256 random bits, base64url.
///
/// # Source
/// OpenID4VCI 1.0 §8.3 `notification_id`.
pub struct NotificationId(Zeroizing<String>);

impl NotificationId {
    /// Draws a fresh one.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self(random_text(rng))
    }

    /// The identifier as it stands in the credential response.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a pushed authorization request: 256 random bits in a URN. The request is sealed under it.
///
/// # Source
/// RFC 9126 §2.2.
pub struct RequestUri(Zeroizing<String>);

impl RequestUri {
    /// Draws a fresh one.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self(Zeroizing::new(format!("urn:ietf:params:oauth:request_uri:{}", random_text(rng).as_str())))
    }

    /// The name as it stands in the answer.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An authorization code: 256 random bits, base64url.
///
/// # Source
/// RFC 6749 §4.1.2.
pub struct AuthorizationCode(Zeroizing<String>);

impl AuthorizationCode {
    /// Draws a fresh one.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self(random_text(rng))
    }

    /// The code as it stands in the redirect.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A transaction code: eight decimal digits, each code equally likely.
///
/// # Source
/// OpenID4VCI 1.0 §4.1.1 `tx_code`; eight digits: `security.md` §10.
pub struct TxCode(Zeroizing<String>);

impl TxCode {
    /// Draws a fresh one, without modulo bias.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        const CODES: u32 = 10u32.pow(TX_CODE_DIGITS);
        const FAIR: u32 = u32::MAX - u32::MAX % CODES;
        loop {
            let drawn = rng.next_u32();
            if drawn < FAIR {
                return Self(Zeroizing::new(format!("{:0width$}", drawn % CODES, width = TX_CODE_DIGITS as usize)));
            }
        }
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the desk keeps of an offer, to revoke what was issued on it: 128 random bits, 32 hexadecimal digits.
///
/// Whoever holds it can revoke, and can open which status entries belong together; it is no key to any claim.
pub struct Handle(Zeroizing<String>);

/// The text is no handle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a handle: expected the 32 hexadecimal digits that `offer` printed")]
pub struct HandleError;

impl Handle {
    /// Draws a fresh one.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut bytes = Zeroizing::new([0u8; 16]);
        rng.fill_bytes(bytes.as_mut_slice());
        let mut text = Zeroizing::new(String::with_capacity(32));
        for byte in bytes.iter() {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
        }
        Self(text)
    }

    /// Reads one as the desk wrote it down; capitals and surrounding space do not matter.
    ///
    /// # Errors
    /// [`HandleError`] unless it is 32 hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, HandleError> {
        let text = text.trim();
        if text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Self(Zeroizing::new(text.to_ascii_lowercase())))
        } else {
            Err(HandleError)
        }
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! redacted {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let Self(_) = self;
                f.debug_tuple(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}
redacted!(
    PreAuthorizedCode,
    NotificationId,
    RequestUri,
    AuthorizationCode,
    AccessToken,
    RefreshToken,
    TransactionId,
    TxCode,
    Handle
);

fn random_text<R: CryptoRng + ?Sized>(rng: &mut R) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0u8; 32]);
    rng.fill_bytes(bytes.as_mut_slice());
    Zeroizing::new(b64::encode(bytes.as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    #[test]
    fn secrets_have_their_length_and_never_show_in_debug() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let code = PreAuthorizedCode::generate(&mut rng);
        assert_eq!(code.as_str().len(), 43);
        assert_eq!(format!("{code:?}"), "PreAuthorizedCode(..)");
        let tx = TxCode::generate(&mut rng);
        assert!(tx.as_str().len() == 8 && tx.as_str().bytes().all(|b| b.is_ascii_digit()));
        assert_eq!(format!("{tx:?}"), "TxCode(..)");
        let token = AccessToken::generate(&mut rng);
        assert_ne!(token.as_str(), code.as_str());
        assert_eq!(format!("{token:?}"), "AccessToken(..)");
    }

    #[test]
    fn a_handle_is_read_as_it_is_written() {
        let handle = Handle::generate(&mut ChaCha20Rng::seed_from_u64(2));
        let again = Handle::parse(&format!(" {}\n", handle.as_str().to_uppercase())).unwrap();
        assert_eq!(again.as_str(), handle.as_str());
        for text in ["", "0", "../../../../../../../etc/passwd", "' OR 1=1 --", &"g".repeat(32), &"a".repeat(33)] {
            assert!(Handle::parse(text).is_err(), "{text}");
        }
    }
}
