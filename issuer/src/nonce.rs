//! The `c_nonce`: one that we can recognise without having kept it.
//!
//! Expiry, 16 random bytes, and a keyed tag over both. Asking for nonces therefore fills no table; only a nonce that was
//! spent in an issuance is remembered, until it expires.

use crate::keys::{Fingerprint, Keys, Purpose};
use credentials::b64;
use rand_core::CryptoRng;
use schemas::{Seconds, Timestamp};
use subtle::ConstantTimeEq;

/// How long a `c_nonce` lives (`security.md` §10).
pub const LIFETIME: Seconds = Seconds::new(300);

const RANDOM: usize = 16;
const TAG: usize = 16;

/// Makes a fresh nonce.
///
/// # Source
/// OpenID4VCI 1.0 §7.2: unpredictable.
pub fn generate<R: CryptoRng + ?Sized>(keys: &dyn Keys, now: Timestamp, rng: &mut R) -> String {
    generate_as(Purpose::Nonce, keys, now, rng)
}

/// Makes a fresh nonce of another purpose, which is good for no other.
pub fn generate_as<R: CryptoRng + ?Sized>(purpose: Purpose, keys: &dyn Keys, now: Timestamp, rng: &mut R) -> String {
    let mut bytes = Vec::with_capacity(8 + RANDOM + TAG);
    bytes.extend_from_slice(&now.plus(LIFETIME).unix().to_be_bytes());
    let mut random = [0u8; RANDOM];
    rng.fill_bytes(&mut random);
    bytes.extend_from_slice(&random);
    let tag = keys.fingerprint(purpose, &[&bytes]);
    bytes.extend(tag.as_bytes().iter().take(TAG));
    b64::encode(&bytes)
}

/// A nonce of ours that has not expired.
#[derive(Debug, Clone)]
pub struct LiveNonce {
    /// How the store knows it once it is spent.
    pub spent: Fingerprint,
    /// Until when the store must know it.
    pub expires: Timestamp,
}

/// Recognises a nonce: ours, and not expired. Whether it was spent, the store knows.
pub fn recognise(keys: &dyn Keys, nonce: &str, now: Timestamp) -> Option<LiveNonce> {
    recognise_as(Purpose::Nonce, keys, nonce, now)
}

/// The same for a nonce of another purpose.
pub fn recognise_as(purpose: Purpose, keys: &dyn Keys, nonce: &str, now: Timestamp) -> Option<LiveNonce> {
    let bytes = b64::decode(nonce).ok()?;
    let (signed, tag) = bytes.split_at_checked(8 + RANDOM)?;
    let expected = keys.fingerprint(purpose, &[signed]);
    let expected = expected.as_bytes().get(..TAG)?;
    if tag.len() != TAG || !bool::from(expected.ct_eq(tag)) {
        return None;
    }
    let expires = Timestamp::from_unix(i64::from_be_bytes(signed.get(..8)?.try_into().ok()?));
    // The second condition holds unless our clock was set back; a nonce from such a future is not fresh.
    let live = now < expires && expires <= now.plus(LIFETIME);
    live.then(|| LiveNonce { spent: keys.fingerprint(Purpose::SpentNonce, &[&bytes]), expires })
}
