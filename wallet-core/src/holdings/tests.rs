use super::testing::Memory;
use super::*;
use credentials::signer::{Signer, SoftwareKey};
use rand_chacha::ChaCha20Rng;
use schemas::{Seconds, Timestamp};
use zeroize::Zeroizing;

const NOW: Timestamp = Timestamp::from_unix(1_795_000_000);

fn batch(copies: usize, rng: &mut ChaCha20Rng) -> NewBatch {
    let copies = (0..copies)
        .map(|n| Copy {
            key: SoftwareKey::generate(rng).unwrap(),
            format: Format::SdJwtVc,
            bytes: Zeroizing::new(format!("copy {n}").into_bytes()),
        })
        .collect();
    NewBatch {
        format: Format::SdJwtVc,
        type_id: "urn:amparo:identity:1".into(),
        label: None,
        issuer: "https://i.example".into(),
        issuer_name: "Issuer".into(),
        issuer_known: true,
        received_at: NOW,
        not_before: None,
        expires_at: Some(NOW.plus(Seconds::DAY)),
        copies,
    }
}

#[test]
fn once_01_each_copy_is_taken_once_and_its_key_is_gone() {
    let (mut memory, mut rng) = Memory::seeded(1);
    let id = Holdings::of(&mut memory).keep(batch(3, &mut rng), &mut rng).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for left in [2, 1, 0] {
        let mut holdings = Holdings::of(&mut memory);
        let copy = holdings.spend(id, false, &mut rng).unwrap().unwrap();
        assert!(seen.insert((copy.bytes.to_vec(), copy.key.public_key().to_sec1())));
        assert_eq!(holdings.credential(id).unwrap().copies_left(), left);
        let scalar = copy.key.scalar().unwrap();
        let kept = memory.records.values().any(|(_, bytes)| bytes.windows(32).any(|window| window == &scalar[..]));
        assert_eq!(kept, left == 0, "only the key of the last copy is kept, for a reuse that the person agrees to");
    }
    let mut holdings = Holdings::of(&mut memory);
    assert!(holdings.spend(id, false, &mut rng).unwrap().is_none(), "no copy is reused unasked");
    assert!(seen.contains(&{
        let copy = holdings.spend(id, true, &mut rng).unwrap().unwrap();
        (copy.bytes.to_vec(), copy.key.public_key().to_sec1())
    }));
    assert_eq!(holdings.credential(id).unwrap().standing(NOW), Standing::UsedUp);
}

#[test]
fn once_02_the_person_is_told_at_ten_left() {
    let (mut memory, mut rng) = Memory::seeded(2);
    let mut holdings = Holdings::of(&mut memory);
    let id = holdings.keep(batch(12, &mut rng), &mut rng).unwrap();
    assert!(!holdings.credential(id).unwrap().runs_low());
    holdings.spend(id, false, &mut rng).unwrap();
    assert!(!holdings.credential(id).unwrap().runs_low());
    holdings.spend(id, false, &mut rng).unwrap();
    assert!(holdings.credential(id).unwrap().runs_low());
}

#[test]
fn a_batch_is_kept_whole_or_not_at_all() {
    let (mut memory, mut rng) = Memory::seeded(3);
    memory.room = Some(4);
    for copies in [4, 7] {
        let kept = Holdings::of(&mut memory).keep(batch(copies, &mut rng), &mut rng);
        assert_eq!(kept.unwrap_err(), HoldingsError::Record(RecordError::Full));
        assert!(memory.records.is_empty());
    }
    assert!(Holdings::of(&mut memory).keep(batch(3, &mut rng), &mut rng).is_ok());
}

#[test]
fn what_is_forgotten_leaves_nothing() {
    let (mut memory, mut rng) = Memory::seeded(4);
    let mut holdings = Holdings::of(&mut memory);
    let id = holdings.keep(batch(3, &mut rng), &mut rng).unwrap();
    holdings.forget(id, &mut rng).unwrap();
    assert_eq!(holdings.forget(id, &mut rng), Err(HoldingsError::UnknownCredential(id)));
    assert!(memory.records.is_empty());
}

#[test]
fn a_damaged_copy_is_passed_over() {
    let (mut memory, mut rng) = Memory::seeded(5);
    let id = Holdings::of(&mut memory).keep(batch(3, &mut rng), &mut rng).unwrap();
    let first = memory.ids(RecordKind::CREDENTIAL)[0];
    let held: serde_json::Value = serde_json::from_slice(&memory.records[&first].1).unwrap();
    let copy: RecordId = held["copies"][0]["record"].as_str().unwrap().parse().unwrap();
    memory.records.get_mut(&copy).unwrap().1[0] = 99;
    let mut holdings = Holdings::of(&mut memory);
    assert_eq!(&*holdings.spend(id, false, &mut rng).unwrap().unwrap().bytes, b"copy 1");
    assert_eq!(holdings.credential(id).unwrap().copies_left(), 1);
}

#[test]
fn standing_follows_the_clock() {
    let (mut memory, mut rng) = Memory::seeded(6);
    let mut holdings = Holdings::of(&mut memory);
    let mut early = batch(1, &mut rng);
    early.not_before = Some(NOW);
    let id = holdings.keep(early, &mut rng).unwrap();
    let held = holdings.credential(id).unwrap();
    assert_eq!(held.standing(NOW.minus(Seconds::new(1))), Standing::NotYetValid);
    assert_eq!(held.standing(NOW), Standing::Valid);
    assert_eq!(held.standing(NOW.plus(Seconds::DAY)), Standing::Expired, "at its end it has ended");
    assert_eq!(held.label().as_str(), "Identity");
    assert_eq!(id.to_string().parse::<CredentialId>().unwrap(), id);
}

#[test]
fn a_record_of_before_there_were_formats_is_an_sd_jwt_vc() {
    let (mut memory, mut rng) = Memory::seeded(7);
    let id = Holdings::of(&mut memory).keep(batch(1, &mut rng), &mut rng).unwrap();
    let record = memory.ids(RecordKind::CREDENTIAL)[0];
    let mut held: serde_json::Value = serde_json::from_slice(&memory.records[&record].1).unwrap();
    assert_eq!(held["format"], "dc+sd-jwt");
    held.as_object_mut().unwrap().remove("format");
    memory.records.get_mut(&record).unwrap().1 = serde_json::to_vec(&held).unwrap();
    let held = Holdings::of(&mut memory).credential(id).unwrap();
    assert_eq!((held.format(), held.type_id()), (Format::SdJwtVc, "urn:amparo:identity:1"));
}
