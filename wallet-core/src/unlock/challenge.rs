//! The active challenge at an opening: drawn for one vault, good once and for five minutes, and judged before anything is tried.
//!
//! ```text
//! draw_challenge(store, file, clock)  write the store; the person answers before a camera
//! begin(store, file, clock)
//!   └ Counted ::challenged(store)     write the store in any case: the challenge is spent, the attempt counted
//!       └ Challenged ::persisted
//!           └ Answering ::judge(what was seen)
//!               ├ Refused(sign)       it stays a failed attempt
//!               └ Witnessed ::try_open(store, pin), with the very frames that answered
//! ```
//!
//! What it shows: that whoever made the frames knew the script, which was drawn at most five minutes before and never used. A
//! recording made earlier does not. What it does not show: that there was a camera. Whoever can put files in front of this
//! program, and draw a moving head in that time, passes; and whoever controls the device's files makes any state of it.
//!
//! # Source
//! `security.md` §2.7 and §3.3; decisions 0041 and 0125.

use crate::device_key::DeviceStore;
use crate::secret::Pin;
use crate::unlock::attempt::{Attempt, Counted, Opened, Unavailable, opened_by};
use crate::unlock::rate_limit::Clock;
use biometrics::pad::challenge::{Challenge, Frame, Presence, Progress, Reflection, Script, Sign};
use biometrics::template::{Probe, ProbeError};
use rand_core::CryptoRng;
use std::time::Duration;

/// Draws a challenge for the vault in `file`, in the place of any that was drawn before.
///
/// Neither PIN nor face is needed. After six without success there are waits, as with attempts.
///
/// # Errors
/// [`Unavailable`]: it is too early for another, or the file is none of this device's. The store may have changed even so: write it.
///
/// # Source
/// Decision 0125; the waits: `security.md` §2.8.
pub fn draw_challenge<S: DeviceStore + ?Sized, R: CryptoRng + ?Sized>(
    store: &mut S,
    file: &[u8],
    clock: Clock,
    reflection: Reflection,
    rng: &mut R,
) -> Result<Script, Unavailable> {
    let ledger = store.split().1;
    let (id, ..) = opened_by(ledger, file).ok_or(Unavailable)?;
    ledger.draw_challenge(&id, clock, reflection, rng).ok_or(Unavailable)
}

impl Counted {
    /// Takes the challenge that was drawn for this vault: it is spent, whatever comes of it.
    ///
    /// # Errors
    /// [`NoChallenge`]; the attempt is counted even so. Write the store.
    pub fn challenged<S: DeviceStore + ?Sized>(self, store: &mut S) -> Result<Challenged, NoChallenge> {
        let Self(attempt) = self;
        let taken = store.split().1.take_challenge(attempt.container(), attempt.clock()).ok_or(NoChallenge)?;
        let challenge = Challenge::begin(taken.script, taken.reflection);
        Ok(Challenged(Answering { attempt, challenge, ended: taken.ended }))
    }
}

/// There is nothing to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no challenge was drawn for this vault in the last five minutes, or it was answered already")]
pub struct NoChallenge;

/// A challenge that is spent in the store, but perhaps not yet on disk.
#[derive(Debug)]
#[must_use = "write the store, then go on with `persisted`"]
pub struct Challenged(Answering);

impl Challenged {
    /// Goes on, now that the store's bytes are on disk. Without that, whoever kills the process may answer again.
    pub fn persisted(self) -> Answering {
        self.0
    }
}

/// A challenge whose answer is now judged, once.
#[derive(Debug)]
pub struct Answering {
    attempt: Attempt,
    challenge: Challenge,
    ended: Duration,
}

/// What was seen at one moment, told from when the challenge was drawn or later.
#[derive(Debug)]
pub enum Moment {
    /// One face.
    Face(Box<Frame>),
    /// No face, or several.
    Nothing(Duration),
}

impl Moment {
    fn at(&self) -> Duration {
        match self {
            Self::Face(frame) => frame.at(),
            Self::Nothing(at) => *at,
        }
    }
}

/// What the frames came to: an answer, not an error.
#[derive(Debug)]
#[must_use]
pub enum Judged {
    /// One face answered the whole script.
    Present(Box<Witnessed>),
    /// It did not: the attempt has failed.
    Refused(Sign),
}

impl Answering {
    /// Judges what was seen, to the first sign against it or to the end of the script.
    pub fn judge(self, seen: impl IntoIterator<Item = Moment>) -> Judged {
        let Self { attempt, mut challenge, ended } = self;
        for moment in seen {
            if moment.at() > ended {
                // It would have been taken later than now.
                return Judged::Refused(Sign::OutOfOrder);
            }
            let progress = match moment {
                Moment::Face(frame) => challenge.observe(*frame),
                Moment::Nothing(at) => challenge.observe_nothing(at),
            };
            match progress {
                Progress::Going(next) => challenge = *next,
                Progress::Present(presence) => return Judged::Present(Box::new(Witnessed { attempt, presence })),
                Progress::Refused(sign) => return Judged::Refused(sign),
            }
        }
        Judged::Refused(Sign::TimedOut)
    }
}

/// An attempt whose challenge was answered. Only [`Answering::judge`] makes it:
/// ```compile_fail,E0451
/// use biometrics::pad::challenge::Presence;
/// use wallet_core::unlock::{Attempt, Witnessed};
/// fn forge(attempt: Attempt, presence: Presence) -> Witnessed {
///     Witnessed { attempt, presence }
/// }
/// ```
/// and nothing but the challenge's own frames makes a presence:
/// ```compile_fail,E0451
/// use biometrics::pad::challenge::Presence;
/// fn forge() -> Presence {
///     Presence { kept: Vec::new() }
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Witnessed {
    attempt: Attempt,
    presence: Presence,
}

impl Witnessed {
    pub(super) fn noting_examination(self) -> Self {
        Self { attempt: self.attempt.noting_examination(), ..self }
    }

    /// Tries to open the vault with the face that answered; the evidence of it says that the face was present.
    ///
    /// No other picture can take the place of those frames:
    /// ```compile_fail,E0061
    /// use biometrics::template::Probe;
    /// use wallet_core::{device_key::SoftwareStore, secret::Pin, unlock::Witnessed};
    /// fn another(witnessed: Witnessed, store: &mut SoftwareStore, pin: &Pin, probe: &Probe) {
    ///     let _ = witnessed.try_open(store, Some(pin), Some(probe));
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Unavailable`], as [`Attempt::try_open`].
    pub fn try_open<S: DeviceStore + ?Sized>(self, store: &mut S, pin: Option<&Pin>) -> Result<Opened, Unavailable> {
        let Self { attempt, presence } = self;
        let container = *attempt.container();
        let (probe, witness) = Witness::of(presence).map_err(|_| Unavailable)?;
        let Opened { vault, unlocked, update } = attempt.try_open(store, pin, Some(&probe))?;
        // What was drawn in vain counts no more; an opening without a challenge does not get that far.
        store.split().1.forget_challenge(&container);
        Ok(Opened { vault, unlocked: unlocked.witnessed(witness), update })
    }
}

/// That a face answered a challenge: made of a [`Presence`] and of nothing else.
#[derive(Debug)]
pub(crate) struct Witness(());

impl Witness {
    fn of(presence: Presence) -> Result<(Probe, Self), ProbeError> {
        presence.into_probe().map(|probe| (probe, Self(())))
    }

    #[cfg(test)]
    pub(crate) const fn for_a_test() -> Self {
        Self(())
    }
}
