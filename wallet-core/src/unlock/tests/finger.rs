//! Vaults that ask for a finger: what opens them, and that every reason not to is one answer.

use super::*;
use crate::enrolment::{Created, NewFingerVault, create_with_finger};
use crate::presentation::RequestId;
use biometrics::finger::FingerTemplate;

/// Forty minutiae strewn by the person's number, each moved by up to a pixel by the turn's.
fn finger(person: u32, turn: u32) -> FingerTemplate {
    let lcg = |state: &mut u32, below: u32| {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*state >> 8) % below
    };
    let (mut place, mut shake) = (person, turn);
    // Version 2, by MINDTCT, 500 × 500 pixels, 40 minutiae.
    let mut bytes = vec![2, 1, 1, 244, 1, 244, 40];
    for _ in 0..40 {
        for _ in 0..2 {
            let at = 60 + lcg(&mut place, 300) + lcg(&mut shake, 3);
            bytes.extend(u16::try_from(at).unwrap().to_be_bytes());
        }
        bytes.extend([lcg(&mut place, 256) as u8, 1, 50]);
    }
    FingerTemplate::from_bytes(&bytes).unwrap()
}

const MINE: u32 = 7;
const ANOTHERS: u32 = 700_001;

fn made(impressions: &[FingerTemplate], pin: &Pin) -> Result<(Created, Vec<u8>), CreateError> {
    let mut rng = rng(31);
    let mut store = SoftwareStore::generate(&mut rng).unwrap();
    let new = NewFingerVault { impressions, pin, cost: Argon2Cost::FLOOR };
    let created = create_with_finger(&new, &mut store, clock(0), &mut rng)?;
    let store = created.store.to_vec();
    Ok((created, store))
}

fn vault() -> (Created, Vec<u8>) {
    made(&[finger(MINE, 1), finger(MINE, 2), finger(MINE, 3)], &pin()).unwrap()
}

#[test]
fn a_vault_that_asks_for_a_finger_opens_with_it_and_says_what_it_is() {
    let (created, store) = vault();
    assert!(created.factors.finger() && created.factors.pin() && !created.factors.face());
    let mut store = self::store(&store);
    let attempt = begin(&mut store, &created.file, clock(1)).unwrap().persisted();
    let opened = attempt.try_open_with_finger(&mut store, Some(&pin()), &finger(MINE, 9)).unwrap();
    assert_eq!(opened.vault.factors(), Factors::FingerAndPin);
    let evidence = opened.unlocked.for_request(RequestId::of("openid4vp://?request_uri=https://v.example/1"));
    assert_eq!(
        (evidence.amr(), evidence.acr().as_str()),
        (vec!["pin".to_owned(), "fpt".to_owned(), "swk".to_owned()], "urn:amparo:acr:presence-none")
    );
    // After the right one the count is back to none.
    for _ in 0..6 {
        let _ = begin(&mut store, &created.file, clock(2)).unwrap();
    }
    assert!(begin(&mut store, &created.file, clock(2)).is_err());
}

#[test]
fn attack_77_of_a_finger_vault_every_reason_not_to_open_is_one_answer_and_counts() {
    let (created, store) = vault();
    let wrong = Pin::parse("246811").unwrap();
    let (mine, anothers, face) = (finger(MINE, 9), finger(ANOTHERS, 9), probe(OWNER));
    for what in ["another finger", "wrong PIN", "no PIN", "no finger", "a face"] {
        let mut store = self::store(&store);
        let attempt = begin(&mut store, &created.file, clock(1)).unwrap().persisted();
        let counted = store.to_bytes();
        let pin = pin();
        let answer = match what {
            "another finger" => attempt.try_open_with_finger(&mut store, Some(&pin), &anothers),
            "wrong PIN" => attempt.try_open_with_finger(&mut store, Some(&wrong), &mine),
            "no PIN" => attempt.try_open_with_finger(&mut store, None, &mine),
            "no finger" => attempt.try_open(&mut store, Some(&pin), None),
            _ => attempt.try_open(&mut store, Some(&pin), Some(&face)),
        };
        assert_eq!(answer.unwrap_err().to_string(), "unavailable", "{what}");
        assert_eq!(store.to_bytes(), counted, "{what}: the count stays");
    }
    // Another device key, and a vault of another kind.
    assert!(begin(&mut world().store(), &created.file, clock(1)).is_err());
    let mut store = world().store();
    assert!(world().attempt(&mut store).try_open_with_finger(&mut store, Some(&pin()), &mine).is_err());
}

#[test]
fn attack_88_wrong_fingers_are_counted_as_wrong_faces_are() {
    let (created, store) = vault();
    let mut store = self::store(&store);
    for _ in 0..6 {
        let attempt = begin(&mut store, &created.file, clock(1)).unwrap().persisted();
        assert!(attempt.try_open_with_finger(&mut store, Some(&pin()), &finger(ANOTHERS, 1)).is_err());
    }
    assert!(begin(&mut store, &created.file, clock(1)).is_err(), "the sixth failure set a wait");
}

#[test]
fn the_impressions_lie_sealed() {
    let (created, store) = vault();
    let image = open_outer(&mut self::store(&store), &created.file);
    let template = finger(MINE, 1).to_bytes();
    let seen = |bytes: &[u8]| bytes.windows(14).any(|window| window == &template[7..21]);
    assert!(seen(&template), "what is looked for could be found");
    // What a thief of the device key sees, without the PIN.
    assert!((0..3).all(|number| !seen(image.compartment(number))) && !image.slots().any(|slot| seen(slot)));
}

#[test]
fn what_is_no_finger_or_too_short_a_pin_makes_no_vault() {
    let two = [finger(MINE, 1), finger(MINE, 2)];
    let error = |impressions: &[FingerTemplate], pin: &str| made(impressions, &Pin::parse(pin).unwrap()).unwrap_err();
    assert_eq!(error(&two, "12345"), CreateError::PinTooShort { least: 6 });
    assert_eq!(error(&two[..1], "123456"), CreateError::Impressions { least: 2, most: 16, got: 1 });
    let many: Vec<FingerTemplate> = (0..17).map(|turn| finger(MINE, turn)).collect();
    assert!(matches!(error(&many, "123456"), CreateError::Impressions { got: 17, .. }));
    let mixed = [finger(MINE, 1), finger(MINE, 2), finger(ANOTHERS, 3)];
    assert_eq!(error(&mixed, "123456"), CreateError::ImpressionsDisagree { number: 3 });
    // Two fingers that each agree with themselves.
    let two_fingers = [finger(MINE, 1), finger(MINE, 2), finger(ANOTHERS, 1), finger(ANOTHERS, 2)];
    assert_eq!(error(&two_fingers, "123456"), CreateError::ImpressionsDisagree { number: 3 });
}
