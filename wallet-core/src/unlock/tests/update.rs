//! A template that follows its face, through whole openings and saves.

use super::*;
use crate::vault::OpenVault;
use biometrics::template::Reference;
use schemas::Seconds;

/// A vault on its disk, weeks apart.
struct Disk {
    file: Vec<u8>,
    store: Vec<u8>,
    days: u64,
}

impl Disk {
    fn new() -> Self {
        Self { file: world().file.clone(), store: world().store().to_bytes().to_vec(), days: 0 }
    }

    fn clock(&self) -> Clock {
        clock(self.days * 86_400 + 10)
    }

    fn open(&self, probe: &Probe) -> Result<(SoftwareStore, Opened), Unavailable> {
        let mut store = store(&self.store);
        let attempt = begin(&mut store, &self.file, self.clock()).unwrap().persisted();
        attempt.try_open(&mut store, Some(&pin()), Some(probe)).map(|opened| (store, opened))
    }

    /// Opens, applies what there is to apply, and saves if it is to be saved.
    fn follow(&mut self, probe: &Probe) -> Option<Followed> {
        let (store, mut opened) = self.open(probe).unwrap();
        let followed = opened.update.take()?.apply(&mut opened.vault, &mut rng(self.days as u8)).unwrap();
        if followed == Followed::Updated {
            self.save(opened.vault, store);
        }
        Some(followed)
    }

    fn save(&mut self, mut vault: OpenVault, mut store: SoftwareStore) {
        let plan = vault.save(&mut store, self.clock().now, &mut rng(50)).unwrap();
        self.file = plan.file().to_vec();
        let file = self.file.clone();
        self.store = vault.confirm(plan, &mut store, &file).unwrap().to_vec();
    }

    fn slots(&self) -> Vec<Vec<u8>> {
        let image = open_outer(&mut store(&self.store), &self.file);
        image.slots().map(|slot| slot.to_vec()).collect()
    }
}

/// So many degrees from the owner towards the part of the stranger that is at a right angle to the owner.
fn between(degrees: f64) -> Probe {
    let numbers = |person| -> Vec<f64> {
        let bytes = reference(person).to_bytes();
        bytes[34..].chunks(2).map(|two| f64::from(i16::from_be_bytes([two[0], two[1]]))).collect()
    };
    let unit = |mut numbers: Vec<f64>| {
        let length = numbers.iter().map(|n| n * n).sum::<f64>().sqrt();
        numbers.iter_mut().for_each(|n| *n /= length);
        numbers
    };
    let (owner, stranger) = (unit(numbers(OWNER)), unit(numbers(STRANGER)));
    let common: f64 = owner.iter().zip(&stranger).map(|(a, b)| a * b).sum();
    let apart = unit(owner.iter().zip(&stranger).map(|(a, b)| b - common * a).collect());
    let (sine, cosine) = degrees.to_radians().sin_cos();
    let output: Vec<f32> = owner.iter().zip(&apart).map(|(a, b)| (10.0 * (cosine * a + sine * b)) as f32).collect();
    Probe::from_frames(&[Embedding::from_output(&output, face(OWNER, 1).model()).unwrap()]).unwrap()
}

#[test]
fn an_update_is_a_new_salt_a_new_helper_and_a_new_key_of_the_same_vault() {
    let mut disk = Disk::new();
    disk.days = 8;
    let before = disk.slots();
    assert_eq!(disk.follow(&between(30.0)), Some(Followed::Updated));
    let after = disk.slots();
    let changed: Vec<usize> = (0..8).filter(|at| before[*at] != after[*at]).collect();
    let [at] = changed[..] else { panic!("{changed:?}") };
    for part in [0..32, 32..96, 96..128, 128..1_024] {
        assert_ne!(before[at][part.clone()], after[at][part.clone()], "{part:?}");
    }
    let (_, opened) = disk.open(&probe(OWNER)).unwrap();
    assert_eq!(&opened.vault.read(world().records[0]).unwrap()[..], RECORDS[0], "the records are where they were");
    assert_eq!(opened.vault.records(RecordKind::REFERENCE).count(), 1);
    assert!(disk.open(&probe(STRANGER)).is_err());
    // The file of before is shut, and with it the old helper data.
    assert!(begin(&mut store(&disk.store), &world().file, disk.clock()).is_err());
}

#[test]
fn attack_94_an_update_comes_once_a_week_and_from_a_face_that_is_alike() {
    let mut disk = Disk::new();
    // What was saved less than a week ago may have been enrolled then. That is noted, if somebody saves.
    let (store, mut opened) = disk.open(&between(0.0)).unwrap();
    let noted = opened.update.take().unwrap().apply(&mut opened.vault, &mut rng(9)).unwrap();
    assert_eq!(noted, Followed::Noted);
    disk.save(opened.vault, store);
    assert_eq!(disk.follow(&between(0.0)), None, "noted once");
    disk.days = 6;
    assert_eq!(disk.follow(&between(0.0)), None);
    disk.days = 7;
    assert_eq!(disk.follow(&between(20.0)), Some(Followed::Updated));
    assert_eq!(disk.follow(&between(20.0)), None);
    disk.days = 13;
    assert_eq!(disk.follow(&between(20.0)), None);
    // A clock set back gains nothing.
    disk.days = 1;
    assert_eq!(disk.follow(&between(20.0)), None);
    disk.days = 14;
    assert_eq!(disk.follow(&between(20.0)), Some(Followed::Updated));
}

#[test]
fn attack_94_a_stranger_who_steers_every_update_does_not_take_the_vault_over() {
    let mut disk = Disk::new();
    let (mut updated, mut refused) = (0, 0);
    for week in 1..=14 {
        disk.days = 8 * week;
        // As far towards the stranger as opens for certain from where the template now is.
        let angle = 4.2 * f64::from(updated) + 45.0;
        match disk.follow(&between(angle.min(68.0))) {
            Some(Followed::Updated) => updated += 1,
            Some(Followed::Noted) => panic!("noted already"),
            None => refused += 1,
        }
    }
    assert!((4..=7).contains(&updated) && refused >= 7, "{updated} updates, {refused} refused");
    assert!(disk.open(&between(90.0)).is_err(), "the stranger");
    assert!(disk.open(&probe(STRANGER)).is_err());
    let (_, opened) = disk.open(&probe(OWNER)).unwrap();
    // What was enrolled lies beside it, as it was.
    let id = opened.vault.records(RecordKind::ENROLLED).next().unwrap();
    assert_eq!(opened.vault.read(id).unwrap()[9..], reference(OWNER).to_bytes()[..]);
}

#[test]
fn attack_94_without_the_record_of_its_caps_a_template_stays() {
    let mut disk = Disk::new();
    disk.days = 8;
    assert_eq!(disk.follow(&between(20.0)), Some(Followed::Updated));
    let (store, mut opened) = disk.open(&probe(OWNER)).unwrap();
    let id = opened.vault.records(RecordKind::ENROLLED).next().unwrap();
    opened.vault.put(RecordKind::ENROLLED, Some(id), b"damaged", &mut rng(1)).unwrap();
    disk.save(opened.vault, store);
    disk.days = 80;
    assert_eq!(disk.follow(&between(20.0)), None);
}

#[test]
fn no_template_follows_where_the_face_is_not_beside_a_pin() {
    let mut rng = rng(33);
    let mut store = SoftwareStore::generate(&mut rng).unwrap();
    let reference: Reference = reference(OWNER);
    let created = create(&new_vault(&reference, None), &mut store, clock(0), &mut rng).unwrap();
    let late = Clock { now: clock(0).now.plus(Seconds::DAY.times(30)), ..clock(1) };
    let attempt = begin(&mut store, &created.file, late).unwrap().persisted();
    let opened = attempt.try_open(&mut store, None, Some(&probe(OWNER))).unwrap();
    assert!(opened.update.is_none());
}
