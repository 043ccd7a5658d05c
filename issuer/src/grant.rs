//! The pre-authorized code grant, pure: what a token request is worth.

use crate::keys::Fingerprint;
use schemas::{Seconds, Timestamp};

/// How often a transaction code may be wrong before its offer is dead (`security.md` §10).
pub const MAX_TRIES: u32 = 5;
/// How long an offer lives unless the desk says otherwise.
pub const OFFER_LIFETIME: Seconds = Seconds::new(600);
/// The longest life of an offer: personal data waits no longer than this (`security.md` §10).
pub const MAX_OFFER_LIFETIME: Seconds = Seconds::DAY;
/// How long an access token lives; longer ones would have to be sender-constrained (OpenID4VCI 1.0 §13.10).
pub const TOKEN_LIFETIME: Seconds = Seconds::new(300);

/// What the store knows of an offer that somebody wants to redeem.
#[derive(Debug, Clone)]
pub struct OfferState {
    /// The fingerprint of its transaction code.
    pub tx_code: Fingerprint,
    /// How many wrong transaction codes it has seen.
    pub tries: u32,
    /// When it ends.
    pub expires: Timestamp,
}

/// What a token request is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The offer is redeemed, once and for all.
    Granted,
    /// The transaction code is wrong; so many tries are left.
    WrongTxCode {
        /// How many, 1 or more.
        left: u32,
    },
    /// The transaction code is wrong, and that was the last try: the offer is dead.
    Dead,
    /// There is no such offer: never made, redeemed, dead, or expired. Which, is nobody's business.
    NoOffer,
}

/// Judges a token request with the transaction code fingerprint `given` against an offer.
///
/// The store must call this and write its outcome in one transaction; the count then holds against parallel requests
/// and over a restart.
///
/// # Source
/// OpenID4VCI 1.0 §6.3, §13.6.3 "Transaction Code Guessing".
pub fn judge(offer: &OfferState, given: &Fingerprint, now: Timestamp) -> Verdict {
    if now >= offer.expires || offer.tries >= MAX_TRIES {
        return Verdict::NoOffer;
    }
    if offer.tx_code.matches(given) {
        return Verdict::Granted;
    }
    match MAX_TRIES - offer.tries - 1 {
        0 => Verdict::Dead,
        left => Verdict::WrongTxCode { left },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(tries: u32) -> OfferState {
        OfferState { tx_code: Fingerprint::from_bytes([1; 32]), tries, expires: Timestamp::from_unix(100) }
    }

    #[test]
    fn attack_50_the_fifth_wrong_code_kills_the_offer() {
        let (right, wrong) = (Fingerprint::from_bytes([1; 32]), Fingerprint::from_bytes([2; 32]));
        let now = Timestamp::from_unix(99);
        assert_eq!(judge(&offer(0), &right, now), Verdict::Granted);
        assert_eq!(judge(&offer(0), &wrong, now), Verdict::WrongTxCode { left: 4 });
        assert_eq!(judge(&offer(3), &wrong, now), Verdict::WrongTxCode { left: 1 });
        assert_eq!(judge(&offer(4), &right, now), Verdict::Granted);
        assert_eq!(judge(&offer(4), &wrong, now), Verdict::Dead);
        assert_eq!(judge(&offer(5), &right, now), Verdict::NoOffer);
    }

    #[test]
    fn an_offer_ends_at_its_second() {
        let right = Fingerprint::from_bytes([1; 32]);
        assert_eq!(judge(&offer(0), &right, Timestamp::from_unix(99)), Verdict::Granted);
        assert_eq!(judge(&offer(0), &right, Timestamp::from_unix(100)), Verdict::NoOffer);
    }
}
