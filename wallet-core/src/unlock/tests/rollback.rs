//! Older copies put back.

use super::*;

#[test]
fn attack_79_an_older_file_is_unavailable() {
    let (mut vault, mut store) = world().open();
    let (file, after) = save(&mut vault, &mut store, &mut rng(6));
    let mut store = self::store(&after);
    assert!(begin(&mut store, &world().file, clock(20)).is_err(), "its key is gone");
    assert_eq!(&store.to_bytes()[..], &after[..], "and nothing was counted or deleted");
    assert!(begin(&mut store, &file, clock(20)).is_ok());
}

#[test]
fn attack_79_an_older_store_does_not_open_the_newer_file() {
    let (mut vault, mut store) = world().open();
    let (file, _) = save(&mut vault, &mut store, &mut rng(6));
    assert!(begin(&mut world().store(), &file, clock(20)).is_err());
}

/// The limit of a device key in software, which `docs/threat-model.md` states: whoever puts back file *and* store
/// together has the old vault, and the tries of then. Nothing outside both remembers.
#[test]
fn attack_79_file_and_store_put_back_together_are_not_noticed() {
    let (mut vault, mut store) = world().open();
    let _ = save(&mut vault, &mut store, &mut rng(6));
    assert!(begin(&mut world().store(), &world().file, clock(20)).is_ok());
}

/// The compartments of an older image under the present keys: what a thief of the device key could write.
#[test]
fn attack_79_older_compartments_in_a_newer_file_are_unavailable() {
    let (mut vault, mut store) = world().open();
    let (file, after) = save(&mut vault, &mut store, &mut rng(6));
    let mut image = open_outer(&mut self::store(&after), &file);
    image.compartment_mut(0).copy_from_slice(world().image().compartment(0));
    let mut store = self::store(&after);
    let file = crate::vault::outer::seal(&image, &crate::vault::testing::epoch_key(&mut store), &mut rng(7)).unwrap();
    let attempt = begin(&mut store, &file, clock(20)).unwrap().persisted();
    assert!(attempt.try_open(&mut store, Some(&pin()), Some(&probe(OWNER))).is_err());
}
