//! The evidence that the holder was just recognised, for one request only.

use super::RequestId;
use schemas::{Seconds, Timestamp};

/// Evidence that the holder was recognised for one request.
///
/// Only a successful [`unlock`](crate::unlock) makes it; it names the request it was made for, cannot be copied, and
/// is spent by [`Consented::answer`](super::Consented::answer).
///
/// It cannot be made by hand:
/// ```compile_fail,E0451
/// use schemas::Timestamp;
/// use wallet_core::presentation::{HolderVerified, RequestId};
/// fn forge(request: RequestId, at: Timestamp) -> HolderVerified {
///     HolderVerified { request, at, with_pin: true, by_finger: false }
/// }
/// ```
/// ```compile_fail,E0624
/// use schemas::Timestamp;
/// use wallet_core::presentation::{HolderVerified, RequestId};
/// fn forge(request: RequestId, at: Timestamp) -> HolderVerified {
///     HolderVerified::mint(request, at, true)
/// }
/// ```
/// It cannot be copied:
/// ```compile_fail,E0599
/// use wallet_core::presentation::HolderVerified;
/// fn twice(evidence: HolderVerified) -> (HolderVerified, HolderVerified) {
///     (evidence.clone(), evidence)
/// }
/// ```
/// It cannot be used twice:
/// ```compile_fail,E0382
/// use wallet_core::presentation::HolderVerified;
/// fn spend(_: HolderVerified) {}
/// fn twice(evidence: HolderVerified) {
///     spend(evidence);
///     spend(evidence);
/// }
/// ```
#[derive(Debug)]
#[must_use = "evidence that is dropped recognised the holder for nothing"]
pub struct HolderVerified {
    request: RequestId,
    at: Timestamp,
    with_pin: bool,
    by_finger: bool,
}

impl HolderVerified {
    /// How long the evidence is good for.
    ///
    /// # Source
    /// `security.md` §3.3: `now - auth_time <= 300 s`.
    pub const GOOD_FOR: Seconds = Seconds::new(300);

    /// Called by `unlock` when the vault has opened, and by nobody else.
    pub(crate) const fn mint(request: RequestId, at: Timestamp, with_pin: bool) -> Self {
        Self { request, at, with_pin, by_finger: false }
    }

    /// A finger was compared, too.
    pub(crate) const fn by_finger(self) -> Self {
        Self { by_finger: true, ..self }
    }

    /// The request it was made for.
    pub const fn request(&self) -> RequestId {
        self.request
    }

    /// Whether it is for `request` and still good at `now`.
    pub(crate) fn serves(&self, request: RequestId, now: Timestamp) -> bool {
        // A clock that went back does not make the evidence good for longer.
        self.request == request && now.since(self.at) <= Self::GOOD_FOR && self.at <= now.plus(Seconds::MINUTE)
    }

    /// How the holder was recognised, as `amr` says it.
    ///
    /// The key that signs is in software. A face from a file or a camera without an active challenge is no evidence of
    /// presence, so that `face` is never among them. `fpt` says that a finger was compared and nothing more: the key that signs
    /// did not come from it, and the picture may have been a file. No verifier may take it for presence.
    ///
    /// # Source
    /// RFC 8176 §2; `security.md` §3.3.
    pub(crate) fn amr(&self) -> Vec<String> {
        let pin = self.with_pin.then_some("pin");
        let finger = self.by_finger.then_some("fpt");
        pin.into_iter().chain(finger).chain(["swk"]).map(str::to_owned).collect()
    }

    /// The `acr`: no presence was shown. It is the lowest of the four, and a finger gets no other.
    pub(crate) fn acr(&self) -> String {
        "urn:amparo:acr:presence-none".to_owned()
    }

    /// The `auth_time`, rounded down to the minute.
    pub(crate) const fn auth_time(&self) -> Timestamp {
        self.at.floor_to(Seconds::MINUTE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_795_000_031);

    fn id(text: &str) -> RequestId {
        RequestId::of(text)
    }

    #[test]
    fn evidence_serves_one_request_for_five_minutes() {
        let evidence = HolderVerified::mint(id("a"), NOW, true);
        assert!(evidence.serves(id("a"), NOW.plus(Seconds::new(300))));
        assert!(!evidence.serves(id("a"), NOW.plus(Seconds::new(301))));
        assert!(!evidence.serves(id("b"), NOW));
        assert!(!evidence.serves(id("a"), NOW.minus(Seconds::HOUR)), "a clock set back");
    }

    #[test]
    fn a_sample_without_challenge_is_no_presence() {
        for (with_pin, amr) in [(true, &["pin", "swk"][..]), (false, &["swk"])] {
            let evidence = HolderVerified::mint(id("a"), NOW, with_pin);
            assert_eq!(evidence.amr(), amr);
            assert_eq!(evidence.acr(), "urn:amparo:acr:presence-none");
            assert_eq!(evidence.auth_time().unix() % 60, 0);
        }
    }

    #[test]
    fn a_finger_is_named_and_raises_nothing() {
        let evidence = HolderVerified::mint(id("a"), NOW, true).by_finger();
        assert_eq!(evidence.amr(), ["pin", "fpt", "swk"]);
        assert_eq!(evidence.acr(), "urn:amparo:acr:presence-none");
        assert!(evidence.serves(id("a"), NOW) && !evidence.serves(id("b"), NOW));
    }
}
