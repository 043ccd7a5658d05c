//! The wait: it can be sat out, and nothing else shortens it.

use super::*;
use proptest::prelude::*;

const BOOT: BootId = BootId::from_bytes([1; 16]);
const OTHER_BOOT: BootId = BootId::from_bytes([2; 16]);

fn clock(now: i64, boot: BootId, uptime: u64) -> Clock {
    Clock { now: Timestamp::from_unix(now), boot, uptime: Seconds::new(uptime) }
}

/// The state after so many failures in a row, at wall time and uptime 1,000,000.
fn failed(failures: u32) -> AttemptState {
    AttemptState::Known(Attempts::after(failures, clock(1_000_000, BOOT, 1_000_000)))
}

fn at(seconds: i64) -> Clock {
    clock(1_000_000 + seconds, BOOT, 1_000_000 + seconds.unsigned_abs())
}

fn goes(state: AttemptState, clock: Clock) -> bool {
    matches!(state.turn(clock), Turn::Go(_))
}

#[test]
fn attack_88_the_schedule_is_kept() {
    for (failures, wait) in
        [(0, 0), (1, 0), (5, 0), (6, 30), (7, 60), (8, 300), (9, 900), (10, 3_600), (11, 14_400), (u32::MAX, 14_400)]
    {
        assert!(goes(failed(failures), at(wait)), "{failures}");
        assert!(wait == 0 || !goes(failed(failures), at(wait - 1)), "{failures}");
    }
}

#[test]
fn attack_88_an_attempt_is_counted_before_it_is_made() {
    let mut state = AttemptState::Known(Attempts::none(at(0)));
    for failures in 1..=6 {
        let Turn::Go(attempts) = state.turn(at(0)) else { panic!("the first six are free") };
        assert_eq!(attempts, Attempts::after(failures, at(0)));
        state = AttemptState::Known(attempts);
    }
    assert_eq!(state.turn(at(29)), Turn::Wait(Attempts::after(6, at(0))));
}

#[test]
fn attack_88_the_wall_clock_alone_does_not_shorten_the_wait() {
    let (day, now) = (86_400, 1_000_000_i64);
    assert!(!goes(failed(10), clock(now + 10 * 365 * day, BOOT, 1_000_010)), "ten years forward");
    assert!(!goes(failed(10), clock(now + 10, BOOT, 1_009_999)), "the wall clock stands still");
    assert!(!goes(failed(10), clock(now - day, BOOT, 1_009_999)), "a day back");
    assert!(!goes(failed(10), clock(now + 9_999, BOOT, 10)), "the uptime went back");
}

#[test]
fn attack_88_a_wall_clock_that_went_back_starts_the_wait_anew() {
    let back = clock(1_000_000 - 86_400, BOOT, 1_003_600);
    let Turn::Wait(attempts) = failed(10).turn(back) else { panic!("too early") };
    let state = AttemptState::Known(attempts);
    let later = |wall: i64, uptime: u64| clock(1_000_000 - 86_400 + wall, BOOT, 1_003_600 + uptime);
    assert!(!goes(state, later(86_400 * 2, 3_599)), "and forward again");
    assert!(goes(state, later(3_600, 3_600)), "an honest clock is not locked out until it catches up");
}

#[test]
fn attack_88_a_reboot_starts_the_wait_anew() {
    let Turn::Wait(attempts) = failed(10).turn(clock(1_099_999, OTHER_BOOT, 2_000_000)) else { panic!("too early") };
    let state = AttemptState::Known(attempts);
    assert!(!goes(state, clock(1_103_598, OTHER_BOOT, 2_003_599)));
    assert!(goes(state, clock(1_103_599, OTHER_BOOT, 2_003_600)));
}

#[test]
fn attack_88_a_missing_state_starts_at_the_one_hour_step() {
    let Turn::Wait(attempts) = AttemptState::Invalid.turn(at(0)) else { panic!("must wait") };
    let state = AttemptState::Known(attempts);
    assert!(!goes(state, at(3_599)));
    let Turn::Go(next) = state.turn(at(3_600)) else { panic!("an hour has passed") };
    assert!(!goes(AttemptState::Known(next), at(3_600 + 14_399)), "and goes on from there");
}

#[test]
fn the_bytes_are_pinned() {
    let attempts = Attempts::after(10, clock(-2, BOOT, 5));
    let bytes = attempts.to_bytes();
    assert_eq!(bytes[..12], [0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0x0e, 0x10]);
    assert_eq!(bytes[12..20], (-2i64).to_be_bytes());
    assert_eq!(bytes[20..36], [1; 16]);
    assert_eq!(bytes[36..], 5u64.to_be_bytes());
    assert_eq!(Attempts::parse(&bytes), Some(attempts));
}

#[derive(Debug, Clone)]
enum Move {
    /// Real time passes, and the wall clock shows what the attacker likes.
    Pass(u64, i64),
    Reboot,
    Try,
}

proptest! {
    /// Whoever holds the clock and the power switch waits as long as everybody else.
    #[test]
    fn attack_88_no_play_with_clocks_and_boots_gains_a_try(moves in proptest::collection::vec(prop_oneof![
        (0u64..20_000, -2_000_000i64..4_000_000).prop_map(|(real, wall)| Move::Pass(real, wall)),
        Just(Move::Reboot),
        Just(Move::Try),
        Just(Move::Try),
    ], 1..200)) {
        let (mut real, mut boots, mut booted_at, mut wall) = (1_000u64, 0u8, 0u64, 0i64);
        let mut state = AttemptState::Known(Attempts::none(clock(0, BOOT, 1_000)));
        let mut tries: Vec<u64> = Vec::new();
        for step in moves {
            match step {
                Move::Pass(seconds, shown) => { real += seconds; wall = shown; }
                Move::Reboot => { boots = boots.wrapping_add(1); booted_at = real; }
                Move::Try => {
                    let boot = BootId::from_bytes([boots; 16]);
                    state = AttemptState::Known(match state.turn(clock(wall, boot, real - booted_at)) {
                        Turn::Go(attempts) => { tries.push(real); attempts }
                        Turn::Wait(attempts) => attempts,
                    });
                }
            }
        }
        for (failures, pair) in (1u32..).zip(tries.windows(2)) {
            prop_assert!(pair[1] - pair[0] >= delay_after(failures).get(), "after {failures} failures");
        }
    }
}
