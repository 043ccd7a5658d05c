//! A save that stops anywhere.

use super::*;

/// Opens what a crash left on disk, and gives the first record.
fn first_record(store: &[u8], file: &[u8]) -> Vec<u8> {
    let mut store = self::store(store);
    let attempt = begin(&mut store, file, clock(20)).unwrap().persisted();
    let vault = attempt.try_open(&mut store, Some(&pin()), Some(&probe(OWNER))).unwrap().vault;
    vault.read(world().records[0]).unwrap().to_vec()
}

#[test]
fn attack_80_a_save_that_stops_anywhere_leaves_the_old_vault_or_the_new_one() {
    let (mut vault, mut store) = world().open();
    let (old_store, old_file) = (store.to_bytes(), &world().file);
    vault.put(RecordKind::CREDENTIAL, Some(world().records[0]), b"new", &mut rng(5)).unwrap();
    let plan = vault.save(&mut store, clock(11).now, &mut rng(6)).unwrap();
    let (before, file) = (plan.store_before().to_vec(), plan.file().to_vec());
    let after = vault.confirm(plan, &mut store, &file).unwrap();

    assert_eq!(first_record(&old_store, old_file), RECORDS[0], "before the first step");
    assert_eq!(first_record(&before, old_file), RECORDS[0], "the store has both keys, the file is the old one");
    assert_eq!(first_record(&before, &file), b"new", "the file is the new one, both keys are there");
    assert_eq!(first_record(&after, &file), b"new", "after the last step");
    assert!(begin(&mut self::store(&after), old_file, clock(20)).is_err(), "the old file is shut for good");
}

#[test]
fn attack_80_a_save_is_not_confirmed_by_another_file() {
    let (mut vault, mut store) = world().open();
    let plan = vault.save(&mut store, clock(11).now, &mut rng(6)).unwrap();
    let (before, short) = (plan.store_before().to_vec(), plan.file()[..4_096].to_vec());
    assert_eq!(vault.confirm(plan, &mut store, &short).unwrap_err(), SaveError::NotInPlace);
    assert_eq!(&store.to_bytes()[..], &before[..], "both keys are kept");
    let plan = vault.save(&mut store, clock(11).now, &mut rng(7)).unwrap();
    assert_eq!(vault.confirm(plan, &mut store, &world().file).unwrap_err(), SaveError::NotInPlace);
}

#[test]
fn attack_80_a_save_after_a_failed_one_keeps_the_file_in_place_openable() {
    let (mut vault, mut store) = world().open();
    // Three saves whose files never arrive, each with its store written.
    for seed in 6..9 {
        let plan = vault.save(&mut store, clock(11).now, &mut rng(seed)).unwrap();
        let mut on_disk = self::store(plan.store_before());
        assert!(begin(&mut on_disk, &world().file, clock(12)).is_ok());
        assert!(begin(&mut on_disk, plan.file(), clock(12)).is_ok());
    }
    vault.put(RecordKind::CREDENTIAL, Some(world().records[0]), b"new", &mut rng(5)).unwrap();
    let (file, after) = save(&mut vault, &mut store, &mut rng(9));
    assert_eq!(first_record(&after, &file), b"new");
}

#[test]
fn a_crash_before_the_last_step_is_mended_by_the_next_opening() {
    let (mut vault, mut store) = world().open();
    let plan = vault.save(&mut store, clock(11).now, &mut rng(6)).unwrap();
    let mut on_disk = self::store(plan.store_before());
    let _ = begin(&mut on_disk, plan.file(), clock(12)).unwrap();
    // The new file has authenticated in full: the old key is gone from what is written now.
    assert!(begin(&mut store_again(&on_disk), &world().file, clock(12)).is_err());
    assert!(begin(&mut store_again(&on_disk), plan.file(), clock(12)).is_ok());
}

#[test]
fn a_vault_saved_by_another_process_is_not_saved_over() {
    let (mut one, mut store) = world().open();
    let (mut two, _) = world().open();
    let _ = save(&mut one, &mut store, &mut rng(6));
    assert_eq!(two.save(&mut store, clock(12).now, &mut rng(7)).unwrap_err(), SaveError::Superseded);
    let mut foreign = SoftwareStore::generate(&mut rng(8)).unwrap();
    assert_eq!(two.save(&mut foreign, clock(12).now, &mut rng(7)).unwrap_err(), SaveError::Superseded);
}

fn store_again(store: &SoftwareStore) -> SoftwareStore {
    self::store(&store.to_bytes())
}
