//! What the device remembers of the challenges that were drawn for a vault: the open one, and how often one was drawn.
//!
//! `state u8` (0 none open, 1 open, 2 open with the screen's light), `seed[32]`, the count of drawings as attempts are counted.

use crate::fields::Fields;
use crate::unlock::rate_limit::{ATTEMPTS_LEN, AttemptState, Attempts, Clock, Turn};
use biometrics::pad::challenge::{Reflection, Script};
use chacha20::ChaCha20Rng;
use rand_core::{CryptoRng, SeedableRng};
use schemas::Seconds;
use std::time::Duration;

/// How long after it was drawn a challenge may be answered with.
pub const CHALLENGE_GOOD_FOR: Seconds = Seconds::new(5 * 60);

/// Bytes of [`Drawn`] in the ledger.
pub(crate) const DRAWN_LEN: usize = 1 + 32 + ATTEMPTS_LEN;

/// At most one challenge is open for a vault: another one drawn takes its place.
///
/// Drawings are counted as attempts are, until a challenge opens the vault: whoever holds a recording could otherwise draw until
/// it fits, which is once in 120.
pub(crate) struct Drawn {
    open: Option<Open>,
    draws: AttemptState,
}

struct Open {
    /// The script is drawn from it.
    seed: [u8; 32],
    reflection: Reflection,
}

/// A challenge that is now answered, and never again.
pub(crate) struct Taken {
    pub(crate) script: Script,
    pub(crate) reflection: Reflection,
    /// No frame can be later than this after it was drawn.
    pub(crate) ended: Duration,
}

impl Drawn {
    /// Somebody changed the state: the next drawing waits an hour.
    pub(crate) const INVALID: Self = Self { open: None, draws: AttemptState::Invalid };

    /// Draws the next one; no script if it is too early. What stood open before is gone either way.
    pub(crate) fn draw<R: CryptoRng + ?Sized>(
        before: Option<&Self>,
        clock: Clock,
        reflection: Reflection,
        rng: &mut R,
    ) -> (Self, Option<Script>) {
        match before.map_or(AttemptState::Known(Attempts::none(clock)), |before| before.draws).turn(clock) {
            Turn::Go(draws) => {
                let mut seed = [0; 32];
                rng.fill_bytes(&mut seed);
                let script = Script::generate(&mut ChaCha20Rng::from_seed(seed));
                let open = Some(Open { seed, reflection });
                (Self { open, draws: AttemptState::Known(draws) }, Some(script))
            }
            Turn::Wait(draws) => (Self { open: None, draws: AttemptState::Known(draws) }, None),
        }
    }

    /// Takes the open one, if it is still good. It is spent in any case.
    pub(crate) fn take(&mut self, clock: Clock) -> Option<Taken> {
        let Open { seed, reflection } = self.open.take()?;
        let AttemptState::Known(draws) = self.draws else { return None };
        let elapsed = clock.elapsed_since(draws.since()).filter(|elapsed| elapsed.most <= CHALLENGE_GOOD_FOR)?;
        // Clocks tell whole seconds.
        let ended = Duration::from_secs(elapsed.least.get().saturating_add(1));
        Some(Taken { script: Script::generate(&mut ChaCha20Rng::from_seed(seed)), reflection, ended })
    }

    /// As the ledger holds it; nothing for a state that is not valid.
    pub(crate) fn to_bytes(&self) -> Option<[u8; DRAWN_LEN]> {
        let AttemptState::Known(draws) = self.draws else { return None };
        let (state, seed) = match &self.open {
            None => (0, [0; 32]),
            Some(Open { seed, reflection: Reflection::Ignored }) => (1, *seed),
            Some(Open { seed, reflection: Reflection::Required }) => (2, *seed),
        };
        let mut bytes = [0; DRAWN_LEN];
        let parts = [state].into_iter().chain(seed).chain(draws.to_bytes());
        bytes.iter_mut().zip(parts).for_each(|(out, byte)| *out = byte);
        Some(bytes)
    }

    pub(crate) fn parse(bytes: &[u8; DRAWN_LEN]) -> Option<Self> {
        let mut fields = Fields::new(bytes);
        let (state, seed) = (fields.u8()?, fields.array()?);
        let open = match state {
            0 => None,
            1 => Some(Open { seed, reflection: Reflection::Ignored }),
            2 => Some(Open { seed, reflection: Reflection::Required }),
            _ => return None,
        };
        Some(Self { open, draws: AttemptState::Known(Attempts::parse(&fields.array()?)?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::testing::{clock, rng};

    #[test]
    fn what_is_written_is_read_with_its_light() {
        for reflection in [Reflection::Required, Reflection::Ignored] {
            let (drawn, script) = Drawn::draw(None, clock(5), reflection, &mut rng(1));
            let mut read = Drawn::parse(&drawn.to_bytes().unwrap()).unwrap();
            let taken = read.take(clock(15)).unwrap();
            assert_eq!((Some(taken.script), taken.reflection), (script, reflection));
            assert_eq!(taken.ended, Duration::from_secs(11));
            assert!(Drawn::parse(&read.to_bytes().unwrap()).unwrap().take(clock(15)).is_none(), "spent");
        }
        assert!(Drawn::parse(&[3; DRAWN_LEN]).is_none());
        assert!(Drawn::INVALID.to_bytes().is_none());
    }
}
