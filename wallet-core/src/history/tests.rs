use super::*;
use crate::holdings::Settings;
use crate::holdings::testing::Memory;
use proptest::prelude::*;

fn entry(at: i64) -> Entry {
    let mut entry = Entry::new(Timestamp::from_unix(at), "Border\u{202e} Post", "x509_hash:abc", true, Outcome::Sent);
    entry.purposes = vec![Purpose::BorderEntry];
    entry.disclosed =
        vec![Disclosed { type_: "urn:amparo:identity:1".into(), paths: vec![ClaimPath::names(["given_name"])] }];
    entry.consent = Some(ConsentNote::new("id".into(), Timestamp::from_unix(at + 900), Seconds::DAY));
    entry
}

const NOW: Timestamp = Timestamp::from_unix(1_795_000_000);

#[test]
fn history_01_times_are_rounded_to_the_hour() {
    let entry = entry(NOW.unix());
    assert_eq!(entry.at.unix() % 3_600, 0);
    assert!(entry.at <= NOW && NOW.since(entry.at) < Seconds::HOUR);
    let until = entry.consent.unwrap().until;
    assert_eq!(until.unix() % 3_600, 0);
    assert!(until >= NOW.plus(Seconds::new(900)), "a consent is never shown shorter than it is");
    assert!(!entry.verifier.contains('\u{202e}'));
}

#[test]
fn history_02_a_removed_or_changed_entry_is_seen() {
    let (mut memory, mut rng) = Memory::seeded(1);
    let mut holdings = Holdings::of(&mut memory);
    for n in 0..4 {
        holdings.note(entry(NOW.unix() + 3_600 * n), NOW, &mut rng).unwrap();
    }
    assert_eq!(holdings.history().unwrap().len(), 4);
    let (id, log) = holdings.log().unwrap();
    let damages: [fn(&mut Log); 5] = [
        |log| drop(log.lines.remove(1)),
        |log| log.lines.swap(0, 3),
        |log| log.lines[2] = Line::Entry(entry(0)),
        |log| drop(log.lines.pop()),
        |log| *log = Log::default(),
    ];
    for damage in damages {
        let mut forged = log.clone();
        damage(&mut forged);
        holdings.write(RecordKind::HISTORY, id, &forged, &mut rng).unwrap();
        assert_eq!(holdings.history(), Err(HistoryError::Broken));
    }
    holdings.records.remove(id.unwrap(), &mut rng).unwrap();
    assert_eq!(holdings.history(), Err(HistoryError::Broken), "the record as a whole");
    holdings.purge_history(&mut rng).unwrap();
    assert_eq!(holdings.history().unwrap(), []);
    holdings.note(entry(NOW.unix()), NOW, &mut rng).unwrap();
    assert_eq!(holdings.history().unwrap().len(), 1, "after a purge the chain goes on");
}

#[test]
fn history_03_old_entries_go_and_the_chain_goes_on() {
    let (mut memory, mut rng) = Memory::seeded(2);
    let mut holdings = Holdings::of(&mut memory);
    holdings.note(entry(NOW.unix()), NOW, &mut rng).unwrap();
    let later = NOW.plus(Seconds::DAY.times(89));
    holdings.note(entry(later.unix()), later, &mut rng).unwrap();
    assert_eq!(holdings.history().unwrap().len(), 2);
    let number = holdings.note(entry(later.unix()), NOW.plus(Seconds::DAY.times(90)), &mut rng).unwrap().unwrap();
    assert_eq!(holdings.history().unwrap().len(), 2);
    holdings.settle(number, Outcome::Delivered, later, &mut rng).unwrap();
    assert_eq!(holdings.history().unwrap().last().unwrap().outcome, Outcome::Delivered);
}

#[test]
fn history_04_zero_days_keeps_nothing() {
    let (mut memory, mut rng) = Memory::seeded(3);
    let mut holdings = Holdings::of(&mut memory);
    holdings.set(&Settings { history_kept_for: Seconds::new(0) }, &mut rng).unwrap();
    assert_eq!(holdings.note(entry(NOW.unix()), NOW, &mut rng).unwrap(), None);
    assert_eq!(holdings.history().unwrap(), []);
}

#[test]
fn history_05_a_full_log_drops_its_oldest() {
    let (mut memory, mut rng) = Memory::seeded(4);
    let mut holdings = Holdings::of(&mut memory);
    let mut long = entry(NOW.unix());
    long.disclosed[0].paths = (0..64).map(|n| ClaimPath::names([format!("{n:0>100}")])).collect();
    for _ in 0..60 {
        holdings.note(long.clone(), NOW, &mut rng).unwrap();
    }
    let (_, log) = holdings.log().unwrap();
    assert!(log.dropped > 0 && log.lines.len() as u64 + log.dropped == 60);
}

proptest! {
    #[test]
    fn the_chain_holds_whatever_is_noted_settled_and_pruned(steps in proptest::collection::vec((0u8..3, 0i64..200), 1..40)) {
        let (mut memory, mut rng) = Memory::seeded(5);
        let mut holdings = Holdings::of(&mut memory);
        let (mut now, mut last) = (NOW, None);
        for (what, days) in steps {
            now = now.plus(Seconds::DAY.times(days as u64 / 20));
            match (what, last) {
                (0, _) => last = holdings.note(entry(now.unix()), now, &mut rng).unwrap(),
                (1, Some(number)) => holdings.settle(number, Outcome::TurnedDown, now, &mut rng).unwrap(),
                _ => drop(holdings.prune_history(now, &mut rng).unwrap()),
            }
            prop_assert!(holdings.history().is_ok());
        }
    }
}
