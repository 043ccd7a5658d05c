//! The time floor: a clock may be late, but time never goes back.

use schemas::{Seconds, Timestamp};

/// How far behind the floor the local clock may be before it is suspect.
pub const CLOCK_TOLERANCE: Seconds = Seconds::new(120);

/// The day this version was written: no clock of a machine that runs it is right before it.
pub const BUILT: Timestamp = Timestamp::from_unix(1_793_491_200); // 2026-11-01T00:00:00Z

/// The latest time that is known to have passed already.
///
/// # Source
/// `security.md` §4.6 "Replay and clocks".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeFloor(Timestamp);

/// The local clock stands more than [`CLOCK_TOLERANCE`] behind a time that has already passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this machine's clock says {local}, but it was already {floor}")]
pub struct ClockSuspect {
    /// What the local clock says.
    pub local: Timestamp,
    /// A time that has passed.
    pub floor: Timestamp,
}

impl TimeFloor {
    /// The floor from when the newest verified status list or trust list was issued, and the highest time that was ever seen.
    ///
    /// Never before [`BUILT`].
    pub fn new(newest_list: Option<Timestamp>, highest_seen: Option<Timestamp>) -> Self {
        Self([newest_list, highest_seen].into_iter().flatten().fold(BUILT, Ord::max))
    }

    /// The floor as a time.
    pub const fn time(self) -> Timestamp {
        self.0
    }

    /// The time by which expiry is judged: the later of the local clock and the floor.
    pub fn effective(self, local: Timestamp) -> Timestamp {
        local.max(self.0)
    }

    /// The effective time, if the local clock can be believed.
    ///
    /// # Errors
    /// [`ClockSuspect`] when the local clock is behind the floor by more than [`CLOCK_TOLERANCE`]: accept nothing.
    pub fn judge(self, local: Timestamp) -> Result<Timestamp, ClockSuspect> {
        if local.plus(CLOCK_TOLERANCE) < self.0 {
            return Err(ClockSuspect { local, floor: self.0 });
        }
        Ok(self.effective(local))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_72_a_clock_behind_the_floor_is_suspect() {
        let floor = TimeFloor::new(Some(BUILT.plus(Seconds::DAY)), Some(BUILT.plus(Seconds::HOUR)));
        assert_eq!(floor.time(), BUILT.plus(Seconds::DAY));
        assert!(floor.judge(BUILT).is_err());
        let slightly_late = floor.time().minus(CLOCK_TOLERANCE);
        assert_eq!(floor.judge(slightly_late), Ok(floor.time()), "within tolerance the floor is the time");
        assert!(floor.judge(slightly_late.minus(Seconds::new(1))).is_err());
        assert_eq!(floor.effective(BUILT), floor.time());
    }
}
