//! How often an opening may be tried: counted before the attempt, kept outside the vault, patient across restarts.
//!
//! The clock on the wall can be set and the one in the machine starts anew at each boot, so time has passed only as
//! far as both say so, and only within one boot. Seeing the wall clock go back, or a new boot, starts the wait anew.
//!
//! # Source
//! `security.md` §2.8.

use crate::fields::Fields;
use schemas::{Seconds, Timestamp};

/// What the surroundings say about time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// The clock on the wall.
    pub now: Timestamp,
    /// Which boot this is.
    pub boot: BootId,
    /// Since that boot, from a clock that nobody can set.
    pub uptime: Seconds,
}

/// How much time has passed, as two clocks say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Elapsed {
    pub(crate) least: Seconds,
    pub(crate) most: Seconds,
}

impl Clock {
    /// How long since `earlier`; nothing is known across a boot, or when a clock went back.
    pub(crate) fn elapsed_since(self, earlier: Self) -> Option<Elapsed> {
        if self.boot != earlier.boot || self.now < earlier.now || self.uptime < earlier.uptime {
            return None;
        }
        let (wall, machine) = (self.now.since(earlier.now), self.uptime.get().saturating_sub(earlier.uptime.get()));
        let machine = Seconds::new(machine);
        Some(Elapsed { least: wall.min(machine), most: wall.max(machine) })
    }
}

/// What names the present boot: on Linux `/proc/sys/kernel/random/boot_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BootId([u8; 16]);

impl BootId {
    /// From its 16 bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

/// Bytes of [`Attempts`] in the ledger.
pub(crate) const ATTEMPTS_LEN: usize = 4 + 8 + 8 + 16 + 8;

/// What the ledger says about a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttemptState {
    Known(Attempts),
    /// Missing, or its MAC was wrong: somebody took it away.
    Invalid,
}

/// Consecutive attempts without success, and the wait that the last of them set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attempts {
    failures: u32,
    delay: Seconds,
    /// When the wait began.
    since: Clock,
}

/// May it be tried now? Either way `state` must be written before anything else happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Yes, and it is already counted as failed.
    Go(Attempts),
    /// Not yet.
    Wait(Attempts),
}

/// The failures at which a missing state starts: those of the one-hour step.
const FAILURES_IF_INVALID: u32 = 10;

/// The wait after so many consecutive failures.
const fn delay_after(failures: u32) -> Seconds {
    match failures {
        0..=5 => Seconds::new(0),
        6 => Seconds::new(30),
        7 => Seconds::MINUTE,
        8 => Seconds::new(5 * 60),
        9 => Seconds::new(15 * 60),
        10 => Seconds::HOUR,
        _ => Seconds::new(4 * 3_600),
    }
}

impl AttemptState {
    /// Asks for a turn at the time `clock` says.
    pub(crate) fn turn(self, clock: Clock) -> Turn {
        match self {
            Self::Invalid => Turn::Wait(Attempts::after(FAILURES_IF_INVALID, clock)),
            Self::Known(attempts) => attempts.turn(clock),
        }
    }
}

impl Attempts {
    /// No failure so far.
    pub(crate) const fn none(clock: Clock) -> Self {
        Self { failures: 0, delay: Seconds::new(0), since: clock }
    }

    const fn after(failures: u32, clock: Clock) -> Self {
        Self { failures, delay: delay_after(failures), since: clock }
    }

    /// When the last of them was.
    pub(crate) const fn since(&self) -> Clock {
        self.since
    }

    fn turn(self, clock: Clock) -> Turn {
        match clock.elapsed_since(self.since) {
            elapsed if elapsed.map_or(Seconds::new(0), |elapsed| elapsed.least) >= self.delay => {
                Turn::Go(Self::after(self.failures.saturating_add(1), clock))
            }
            Some(_) => Turn::Wait(self),
            None => Turn::Wait(Self { since: clock, ..self }),
        }
    }

    pub(crate) fn to_bytes(self) -> [u8; ATTEMPTS_LEN] {
        let mut bytes = [0; ATTEMPTS_LEN];
        let Self { failures, delay, since: Clock { now, boot, uptime } } = self;
        let parts = failures.to_be_bytes().into_iter().chain(delay.get().to_be_bytes());
        let parts = parts.chain(now.unix().to_be_bytes()).chain(boot.0).chain(uptime.get().to_be_bytes());
        bytes.iter_mut().zip(parts).for_each(|(out, byte)| *out = byte);
        bytes
    }

    pub(crate) fn parse(bytes: &[u8; ATTEMPTS_LEN]) -> Option<Self> {
        let mut fields = Fields::new(bytes);
        let (failures, delay) = (fields.u32()?, Seconds::new(fields.u64()?));
        let now = Timestamp::from_unix(fields.i64()?);
        let boot = BootId(fields.array()?);
        let uptime = Seconds::new(fields.u64()?);
        Some(Self { failures, delay, since: Clock { now, boot, uptime } })
    }
}

#[cfg(test)]
mod tests;
