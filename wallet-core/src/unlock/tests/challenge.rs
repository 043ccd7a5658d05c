//! Challenges without a camera: drawn, spent, too late, too often. Answers by frames: `wallet-app/tests/challenge.rs`.

use super::*;
use crate::vault::params::ContainerId;
use biometrics::pad::challenge::{Reflection, Script, Sign};
use schemas::Seconds;
use std::time::Duration;

/// Draws, and writes the store.
fn draw(disk: &mut Vec<u8>, clock: Clock, seed: u8) -> Option<Script> {
    let mut store = self::store(disk);
    let drawn = draw_challenge(&mut store, &world().file, clock, Reflection::Ignored, &mut rng(seed));
    *disk = store.to_bytes().to_vec();
    drawn.ok()
}

/// Begins an attempt with the challenge, and writes the store.
fn begun(disk: &mut Vec<u8>, clock: Clock) -> Result<Answering, NoChallenge> {
    let mut store = self::store(disk);
    let challenged = begin(&mut store, &world().file, clock).unwrap().challenged(&mut store);
    *disk = store.to_bytes().to_vec();
    challenged.map(Challenged::persisted)
}

fn disk() -> Vec<u8> {
    world().store().to_bytes().to_vec()
}

#[test]
fn attack_91_a_challenge_is_good_once_and_the_attempt_is_counted() {
    let mut disk = disk();
    assert!(begun(&mut disk, clock(20)).is_err(), "none was drawn");
    assert!(draw(&mut disk, clock(20), 1).is_some());
    let answering = begun(&mut disk, clock(50)).unwrap();
    let Judged::Refused(sign) = answering.judge([Moment::Nothing(Duration::from_secs(2))]) else { panic!("a face") };
    assert_eq!(sign, Sign::FaceLost);
    assert!(begun(&mut disk, clock(51)).is_err(), "answered already");
    assert!(draw(&mut disk, clock(52), 2).is_some());
    // Killed while it was judged: spent.
    let _ = begun(&mut disk, clock(53)).unwrap();
    assert!(begun(&mut disk, clock(54)).is_err());
    // All five counted, with the one for the frames: one more, and a wait.
    let mut store = self::store(&disk);
    assert!(begin(&mut store, &world().file, clock(55)).is_ok());
    assert!(begin(&mut store, &world().file, clock(55)).is_err());
}

#[test]
fn attack_91_a_challenge_ends_after_five_minutes_with_the_boot_and_with_the_next_one() {
    let good_for = CHALLENGE_GOOD_FOR.get();
    let later = |wall: u64, machine: u64| Clock { uptime: Seconds::new(1_000 + machine), ..clock(wall) };
    let rebooted = Clock { boot: BootId::from_bytes([2; 16]), ..clock(30) };
    for (when, holds) in [
        (later(20 + good_for, 20 + good_for), true),
        (later(20 + good_for + 1, 20 + good_for), false),
        // The wall clock was set back, by somebody with an older recording.
        (later(21, 20 + good_for + 1), false),
        (later(19, 21), false),
        (rebooted, false),
    ] {
        let mut disk = disk();
        draw(&mut disk, clock(20), 1).unwrap();
        assert_eq!(begun(&mut disk, when).is_ok(), holds, "{when:?}");
    }
    let mut disk = disk();
    let first = draw(&mut disk, clock(20), 1).unwrap();
    let second = draw(&mut disk, clock(21), 2).unwrap();
    assert_ne!(first, second);
    begun(&mut disk, clock(22)).unwrap();
    assert!(begun(&mut disk, clock(23)).is_err(), "one stands open, not two");
}

#[test]
fn attack_91_nothing_was_recorded_after_now() {
    let mut disk = disk();
    draw(&mut disk, clock(20), 1).unwrap();
    let answering = begun(&mut disk, clock(30)).unwrap();
    let seen = (0..20).map(|half_second| Moment::Nothing(Duration::from_millis(500 * half_second)));
    assert!(matches!(answering.judge(seen), Judged::Refused(Sign::FaceLost)));
    draw(&mut disk, clock(40), 2).unwrap();
    let answering = begun(&mut disk, clock(50)).unwrap();
    let seen = [Moment::Nothing(Duration::from_millis(11_001))];
    assert!(matches!(answering.judge(seen), Judged::Refused(Sign::OutOfOrder)), "eleven seconds of film in ten");
    draw(&mut disk, clock(60), 3).unwrap();
    assert!(matches!(begun(&mut disk, clock(70)).unwrap().judge([]), Judged::Refused(Sign::TimedOut)));
}

#[test]
fn attack_91_who_draws_until_a_recording_fits_waits() {
    let mut disk = disk();
    for number in 1..=6 {
        assert!(draw(&mut disk, clock(20), number).is_some(), "drawing {number}");
    }
    assert!(draw(&mut disk, clock(49), 7).is_none());
    assert!(begun(&mut disk, clock(49)).is_err(), "what stood open before is gone");
    // An opening by a photograph does not give the drawings back.
    let mut store = self::store(&disk);
    let attempt = begin(&mut store, &world().file, clock(49)).unwrap().persisted();
    assert!(!attempt.try_open(&mut store, Some(&pin()), Some(&probe(OWNER))).unwrap().unlocked.is_witnessed());
    disk = store.to_bytes().to_vec();
    assert!(draw(&mut disk, clock(49), 7).is_none());
    assert!(draw(&mut disk, clock(50), 7).is_some(), "30 s after the sixth");
    assert!(draw(&mut disk, clock(109), 8).is_none());
    assert!(draw(&mut disk, clock(110), 8).is_some(), "a minute after the seventh");
    // A boot starts the wait of five minutes anew.
    let rebooted =
        |seconds| Clock { boot: BootId::from_bytes([2; 16]), uptime: Seconds::new(seconds), ..clock(9_000 + seconds) };
    assert!(draw(&mut disk, rebooted(1), 9).is_none());
    assert!(draw(&mut disk, rebooted(300), 9).is_none());
    assert!(draw(&mut disk, rebooted(301), 9).is_some());
}

#[test]
fn attack_76_a_challenge_that_was_changed_is_none_and_costs_an_hour() {
    let mut drawn = disk();
    let without = drawn.len();
    draw(&mut drawn, clock(20), 1).unwrap();
    // The container, the state with its seed and counts, the MAC.
    assert_eq!(drawn.len(), without + 16 + 1 + 32 + 44 + 32);
    for at in (without + 16..drawn.len()).step_by(3) {
        let mut disk = drawn.clone();
        disk[at] ^= 1;
        assert!(begun(&mut disk, clock(21)).is_err(), "byte {at}");
        assert!(draw(&mut disk, clock(22), 2).is_none(), "byte {at}");
        assert!(draw(&mut disk, clock(22 + 3_599), 2).is_none(), "byte {at}");
        assert!(draw(&mut disk, clock(22 + 3_600), 2).is_some(), "byte {at}");
    }
    // Of another container, twice, or cut off: no store.
    let mut other = drawn.clone();
    other[without..without + 16].copy_from_slice(ContainerId::generate(&mut rng(3)).bytes());
    assert!(SoftwareStore::parse(&other).is_err());
    assert!(SoftwareStore::parse(&[&drawn[..], &drawn[without..]].concat()).is_err());
    assert!(SoftwareStore::parse(&drawn[..drawn.len() - 1]).is_err());
}

#[test]
fn a_challenge_is_drawn_for_a_vault_of_this_device_only() {
    let mut stranger = SoftwareStore::generate(&mut rng(4)).unwrap();
    let before = stranger.to_bytes();
    let drawn = draw_challenge(&mut stranger, &world().file, clock(20), Reflection::Required, &mut rng(5));
    assert_eq!(drawn.unwrap_err(), Unavailable);
    assert_eq!(stranger.to_bytes(), before);
}
