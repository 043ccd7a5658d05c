//! The clock, the boot and the randomness of this machine.

use getrandom::SysRng;
use rand_core::{CryptoRng, UnwrapErr};
use schemas::{Seconds, Timestamp};
use std::time::{Duration, SystemTime};
use wallet_core::unlock::{BootId, Clock};

/// The wall clock, in whole seconds. A clock before 1970 reads as 1970.
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Timestamp::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// The system's randomness. Its failure is fatal: the process stops rather than go on with less.
#[must_use]
pub fn randomness() -> impl CryptoRng {
    UnwrapErr(SysRng)
}

/// What the attempts are timed by: the wall clock, the name of this boot, and the time since it.
///
/// Where the system names no boot, every boot has the same name and the wall clock stands for the time since it: the waits
/// then hold against everyone who cannot set the clock.
#[must_use]
pub fn clock() -> Clock {
    let now = now();
    match boot().zip(uptime()) {
        Some((boot, uptime)) => Clock { now, boot, uptime },
        None => {
            let uptime = Seconds::new(u64::try_from(now.unix()).unwrap_or(0));
            Clock { now, boot: BootId::from_bytes([0; 16]), uptime }
        }
    }
}

fn boot() -> Option<BootId> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let digits: String = text.trim().split('-').collect();
    let number = u128::from_str_radix(&digits, 16).ok()?;
    Some(BootId::from_bytes(number.to_be_bytes()))
}

/// Time asleep included: `/proc/uptime` counts it.
fn uptime() -> Option<Seconds> {
    let text = std::fs::read_to_string("/proc/uptime").ok()?;
    let whole = text.split(['.', ' ']).next()?;
    whole.parse().ok().map(Seconds::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_names_its_boot() {
        let (first, second) = (clock(), clock());
        assert_eq!(first.boot, second.boot);
        assert_ne!(first.boot, BootId::from_bytes([0; 16]));
        assert!(first.uptime <= second.uptime && first.uptime < Seconds::new(u64::try_from(first.now.unix()).unwrap()));
    }
}
