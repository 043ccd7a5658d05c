//! The count of attempts, through the store as it is on disk.

use super::*;
use schemas::Seconds;

/// Begins an attempt and is killed right after: the store was written, the capture never came.
fn killed(disk: &mut Vec<u8>, file: &[u8], clock: Clock) -> bool {
    let mut store = self::store(disk);
    let counted = begin(&mut store, file, clock).is_ok();
    *disk = store.to_bytes().to_vec();
    counted
}

fn disk() -> Vec<u8> {
    world().store().to_bytes().to_vec()
}

#[test]
fn attack_88_killed_during_the_capture_is_a_failed_attempt() {
    let mut disk = disk();
    let file = &world().file;
    // The world's last opening was a success.
    for number in 1..=6 {
        assert!(killed(&mut disk, file, clock(10)), "attempt {number}");
    }
    assert!(!killed(&mut disk, file, clock(39)));
    assert!(killed(&mut disk, file, clock(40)), "30 s after the sixth");
    assert!(!killed(&mut disk, file, clock(99)));
    assert!(killed(&mut disk, file, clock(100)), "a minute after the seventh");
    assert!(!killed(&mut disk, file, clock(399)));
    assert!(killed(&mut disk, file, clock(400)), "five minutes after the eighth");
    // A reboot starts the fifteen minutes anew, and says so to the disk.
    let rebooted =
        |seconds| Clock { boot: BootId::from_bytes([2; 16]), uptime: Seconds::new(seconds), ..clock(400 + seconds) };
    assert!(!killed(&mut disk, file, Clock { now: clock(400 + 86_400).now, ..rebooted(1) }));
    assert!(!killed(&mut disk, file, Clock { now: clock(400 + 2 * 86_400).now, ..rebooted(900) }));
    assert!(killed(&mut disk, file, Clock { now: clock(400 + 2 * 86_400).now, ..rebooted(901) }));
}

#[test]
fn attack_88_a_state_that_was_taken_away_costs_an_hour() {
    let attempts_at = 4 + 2 + 32 + 2 + 16 + 2 * 120 + 32;
    for at in [attempts_at, attempts_at + 43, attempts_at + 44, attempts_at + 75] {
        let mut disk = disk();
        disk[at] ^= 1;
        assert!(!killed(&mut disk, &world().file, clock(10)), "byte {at}");
        assert!(!killed(&mut disk, &world().file, clock(10 + 3_599)));
        assert!(killed(&mut disk, &world().file, clock(10 + 3_600)));
        assert!(!killed(&mut disk, &world().file, clock(10 + 3_600 + 14_399)));
    }
    let mut disk = disk();
    disk[attempts_at..attempts_at + 76].fill(0);
    assert!(!killed(&mut disk, &world().file, clock(10)), "filled with zeros");
}

#[test]
fn attack_88_a_file_that_does_not_open_counts_nothing() {
    let mut disk = disk();
    let before = disk.clone();
    for _ in 0..20 {
        assert!(!killed(&mut disk, &world().file[..1_000], clock(10)));
        assert!(!killed(&mut disk, &vec![0; crate::vault::FILE_LEN], clock(10)));
    }
    assert_eq!(disk, before);
}

#[test]
fn attack_88_parameters_put_back_do_not_give_tries_back() {
    let mut disk = disk();
    while killed(&mut disk, &world().file, clock(10)) {}
    // The count is not in the file: the page of an older or a fresh image changes nothing.
    let file = world().resealed(&world().image());
    assert!(!killed(&mut disk, &file, clock(10)));
    assert!(!killed(&mut disk, &world().file, clock(10)));
}

#[test]
fn a_success_gives_the_tries_back() {
    let mut store = world().store();
    for _ in 0..5 {
        let _ = begin(&mut store, &world().file, clock(10)).unwrap();
    }
    let attempt = begin(&mut store, &world().file, clock(10)).unwrap().persisted();
    attempt.try_open(&mut store, Some(&pin()), Some(&probe(OWNER))).unwrap();
    assert!(begin(&mut store, &world().file, clock(11)).is_ok());
}

#[test]
fn frames_that_no_network_looked_at_are_taken_for_an_attack() {
    let mut store = world().store();
    let attempt = begin(&mut store, &world().file, clock(10)).unwrap().persisted();
    assert!(matches!(attempt.examined(&[]), Examined::Attack));
}
