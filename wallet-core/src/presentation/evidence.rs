//! The evidence that the holder was just recognised, for one request only.

use super::RequestId;
use crate::unlock::Witness;
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
///     HolderVerified { request, at, with_pin: true, by_finger: false, present: true }
/// }
/// ```
/// ```compile_fail,E0624
/// use schemas::Timestamp;
/// use wallet_core::presentation::{HolderVerified, RequestId};
/// fn forge(request: RequestId, at: Timestamp) -> HolderVerified {
///     HolderVerified::mint(request, at, true)
/// }
/// ```
/// Nobody but an opening by challenge can say that the face was present:
/// ```compile_fail,E0624
/// use wallet_core::presentation::HolderVerified;
/// fn raise(evidence: HolderVerified) -> HolderVerified {
///     evidence.by_present_face(panic!())
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
    present: bool,
}

impl HolderVerified {
    /// How long the evidence is good for.
    ///
    /// # Source
    /// `security.md` §3.3: `now - auth_time <= 300 s`.
    pub const GOOD_FOR: Seconds = Seconds::new(300);

    /// Called by `unlock` when the vault has opened, and by nobody else.
    pub(crate) const fn mint(request: RequestId, at: Timestamp, with_pin: bool) -> Self {
        Self { request, at, with_pin, by_finger: false, present: false }
    }

    /// A finger was compared, too.
    pub(crate) const fn by_finger(self) -> Self {
        Self { by_finger: true, ..self }
    }

    /// The face that gave the key answered a challenge, too.
    pub(crate) fn by_present_face(self, _: Witness) -> Self {
        Self { present: true, ..self }
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
    /// The key that signs is in software. `face` is said of a face that gave the key *and* answered a challenge: a sample from a
    /// file or a camera without one is no evidence of presence. `fpt` says that a finger was compared and nothing more: the key
    /// that signs did not come from it, and the picture may have been a file. No verifier may take it for presence.
    ///
    /// # Source
    /// RFC 8176 §2; `security.md` §3.3.
    pub(crate) fn amr(&self) -> Vec<String> {
        let said = [(self.present, "face"), (self.with_pin, "pin"), (self.by_finger, "fpt"), (true, "swk")];
        said.into_iter().filter(|(so, _)| *so).map(|(_, name)| name.to_owned()).collect()
    }

    /// The `acr`: whether a challenge was answered, in software's judgement, and whether with a PIN. A finger gets the lowest of
    /// the four; the highest needs hardware, and no wallet of ours gives it.
    pub(crate) fn acr(&self) -> String {
        let presence = match (self.present, self.with_pin) {
            (false, _) => "none",
            (true, false) => "sw",
            (true, true) => "sw-pin",
        };
        format!("urn:amparo:acr:presence-{presence}")
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
    fn a_face_that_answered_a_challenge_is_present_in_softwares_judgement() {
        for (with_pin, amr, acr) in [(true, &["face", "pin", "swk"][..], "sw-pin"), (false, &["face", "swk"], "sw")] {
            let evidence = HolderVerified::mint(id("a"), NOW, with_pin).by_present_face(Witness::for_a_test());
            assert_eq!(evidence.amr(), amr);
            assert_eq!(evidence.acr(), format!("urn:amparo:acr:presence-{acr}"));
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
