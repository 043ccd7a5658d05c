use super::*;
use crate::time_floor::{BUILT, TimeFloor};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use schemas::purpose::Purpose;
use schemas::{Seconds, Timestamp};
use std::collections::HashMap;
use std::convert::Infallible;

struct Note(String);

impl Content for Note {
    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.clone().into_bytes())
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        String::from_utf8(bytes.to_vec()).ok().map(Self)
    }
}

#[derive(Default)]
struct Memory {
    keys: HashMap<RecordId, [u8; 32]>,
    highest: Option<Timestamp>,
    uses: HashMap<RecordId, u32>,
    audit: Vec<AuditEvent>,
}

impl Ledger for Memory {
    type Error = Infallible;

    fn time_floor(&mut self, now: Timestamp) -> Result<TimeFloor, Infallible> {
        let floor = TimeFloor::new(None, self.highest);
        self.highest = self.highest.max(Some(now));
        Ok(floor)
    }

    fn key(&mut self, id: &RecordId) -> Result<Option<KeyEncryptionKey>, Infallible> {
        Ok(self.keys.get(id).map(|k| KeyEncryptionKey::from_bytes(Zeroizing::new(*k))))
    }

    fn admit(&mut self, entry: &AuditEntry<'_>) -> Result<Admitted, Infallible> {
        let admitted = match self.uses.get_mut(entry.id) {
            None => Admitted::Yes,
            Some(0) => return Ok(Admitted::No),
            Some(left) => {
                *left -= 1;
                if *left == 0 { Admitted::Last } else { Admitted::Yes }
            }
        };
        self.audit.push(entry.event);
        Ok(admitted)
    }

    fn record(&mut self, entry: &AuditEntry<'_>) -> Result<(), Infallible> {
        self.audit.push(entry.event);
        Ok(())
    }

    fn record_end(&mut self, entry: &AuditEntry<'_>, _: Timestamp) -> Result<(), Infallible> {
        self.record(entry)
    }

    fn destroy_key(&mut self, id: &RecordId) -> Result<(), Infallible> {
        self.keys.remove(id);
        Ok(())
    }
}

const NOW: Timestamp = BUILT.plus(Seconds::DAY);

fn stored(terms: Terms) -> (Guarded<Note>, Memory, Actor) {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let key = KeyEncryptionKey::generate(&mut rng);
    let mut memory = Memory::default();
    memory.keys.insert(terms.id().clone(), *key.expose());
    if let Some(uses) = terms.uses() {
        memory.uses.insert(terms.id().clone(), uses);
    }
    let guarded = Guarded::seal(&Note("the claims".into()), terms, &key, &mut rng).unwrap();
    (guarded, memory, Actor::parse("desk 1").unwrap())
}

fn id() -> RecordId {
    RecordId::parse("t-1").unwrap()
}

fn granted(span: u64, uses: Option<u32>) -> Terms {
    let expires = NOW.plus(Seconds::new(span));
    Terms::granted(id(), vec![Purpose::AgeCheck], NOW, expires, Seconds::HOUR, uses)
}

#[test]
fn opens_within_its_terms_and_leaves_an_audit() {
    let (guarded, mut memory, actor) = stored(granted(60, None));
    let view = guarded.open(&mut memory, Purpose::AgeCheck, &actor, NOW).unwrap();
    assert_eq!(view.content().0, "the claims");
    assert_eq!(format!("{view:?}"), "View(..)");
    assert_eq!(memory.audit, [AuditEvent::Opened]);
}

#[test]
fn the_end_is_the_earlier_of_expiry_and_retention() {
    let end = |expires, retention| {
        Terms::granted(id(), vec![], NOW, NOW.plus(Seconds::new(expires)), Seconds::new(retention), None).end().unix()
            - NOW.unix()
    };
    assert_eq!((end(60, 3600), end(3600, 60)), (60, 60));
    assert_eq!(end(10_000_000_000, 10_000_000_000), 90 * 86_400, "never longer than 90 days");
}

#[test]
fn attack_68_at_the_end_it_no_longer_opens_and_the_key_is_gone() {
    let (guarded, mut memory, actor) = stored(granted(60, None));
    let last = NOW.plus(Seconds::new(59));
    assert!(guarded.open(&mut memory, Purpose::AgeCheck, &actor, last).is_ok());
    let end = NOW.plus(Seconds::new(60));
    assert!(matches!(
        guarded.open(&mut memory, Purpose::AgeCheck, &actor, end),
        Err(OpenError::Ended { end: e }) if e == end
    ));
    assert!(memory.keys.is_empty());
    assert_eq!(memory.audit, [AuditEvent::Opened, AuditEvent::Ended]);
}

#[test]
fn attack_72_a_clock_set_back_after_the_end_changes_nothing() {
    let (guarded, mut memory, actor) = stored(granted(60, None));
    memory.highest = Some(NOW.plus(Seconds::new(61)));
    let yesterday = NOW.minus(Seconds::DAY);
    assert!(matches!(guarded.open(&mut memory, Purpose::AgeCheck, &actor, yesterday), Err(OpenError::Ended { .. })));
}

#[test]
fn attack_72_a_clock_ten_years_on_and_back_is_suspect() {
    let (guarded, mut memory, actor) = stored(granted(60, None));
    let (other, mut there, _) = stored(Terms::own_limit(id(), Purpose::AgeCheck, NOW, Seconds::HOUR));
    there.highest = Some(NOW.plus(Seconds::new(600)));
    assert!(matches!(other.open(&mut there, Purpose::AgeCheck, &actor, NOW), Err(OpenError::ClockSuspect(_))));
    assert_eq!(there.audit, [AuditEvent::ClockSuspect]);
    let far = NOW.plus(Seconds::DAY.times(3_653));
    assert!(guarded.open(&mut memory, Purpose::AgeCheck, &actor, far).is_err(), "ten years on it has ended");
    assert!(guarded.open(&mut memory, Purpose::AgeCheck, &actor, NOW).is_err(), "and it stays ended");
}

#[test]
fn attack_73_without_its_key_the_ciphertext_is_nothing() {
    let (guarded, mut memory, actor) = stored(granted(60, None));
    memory.keys.clear();
    assert!(matches!(guarded.open(&mut memory, Purpose::AgeCheck, &actor, NOW), Err(OpenError::KeyDestroyed)));
    let other = KeyEncryptionKey::generate(&mut ChaCha20Rng::seed_from_u64(8));
    memory.keys.insert(id(), *other.expose());
    assert!(matches!(guarded.open(&mut memory, Purpose::AgeCheck, &actor, NOW), Err(OpenError::Corrupt)));
}

#[test]
fn attack_74_uses_are_counted_and_the_last_one_destroys_the_key() {
    let (guarded, mut memory, actor) = stored(granted(60, Some(2)));
    assert!(guarded.open(&mut memory, Purpose::AgeCheck, &actor, NOW).is_ok());
    assert!(!memory.keys.is_empty());
    assert!(guarded.open(&mut memory, Purpose::AgeCheck, &actor, NOW).is_ok());
    assert!(memory.keys.is_empty());
    assert!(matches!(guarded.open(&mut memory, Purpose::AgeCheck, &actor, NOW), Err(OpenError::KeyDestroyed)));
}

#[test]
fn attack_69_another_purpose_does_not_open_it() {
    let (guarded, mut memory, actor) = stored(granted(60, Some(1)));
    assert!(matches!(
        guarded.open(&mut memory, Purpose::BorderEntry, &actor, NOW),
        Err(OpenError::PurposeNotGranted { purpose: Purpose::BorderEntry })
    ));
    assert_eq!(memory.uses[&id()], 1, "a refused opening takes no use");
}

#[test]
fn terms_that_were_edited_open_nothing() {
    let (guarded, mut memory, actor) = stored(granted(60, Some(1)));
    let later = NOW.plus(Seconds::HOUR);
    for terms in [
        granted(3_000, Some(1)),
        granted(60, None),
        Terms::from_stored(id(), Basis::OwnLimit, vec![Purpose::AgeCheck], NOW, guarded.terms().end(), Some(1)),
        Terms::from_stored(id(), Basis::Consent, vec![Purpose::AgeCheck], later, guarded.terms().end(), Some(1)),
        Terms::from_stored(
            id(),
            Basis::Consent,
            vec![Purpose::AgeCheck, Purpose::BorderEntry],
            NOW,
            guarded.terms().end(),
            Some(1),
        ),
    ] {
        memory.uses.clear();
        let edited: Guarded<Note> =
            Guarded::from_stored(terms, guarded.wrapped_key().to_vec(), guarded.sealed().to_vec());
        assert!(matches!(edited.open(&mut memory, Purpose::AgeCheck, &actor, NOW), Err(OpenError::Corrupt)));
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    let (guarded, memory, _) = stored(granted(60, None));
    let key = KeyEncryptionKey::from_bytes(Zeroizing::new(memory.keys[&id()]));
    for i in 0..guarded.sealed().len() * 8 {
        let mut sealed = guarded.sealed().to_vec();
        sealed[i / 8] ^= 1 << (i % 8);
        let changed: Guarded<Note> =
            Guarded::from_stored(guarded.terms().clone(), guarded.wrapped_key().to_vec(), sealed);
        assert!(changed.unseal(&key).is_none());
    }
    for n in 0..guarded.wrapped_key().len() {
        let short = guarded.wrapped_key()[..n].to_vec();
        let changed: Guarded<Note> = Guarded::from_stored(guarded.terms().clone(), short, guarded.sealed().to_vec());
        assert!(changed.unseal(&key).is_none());
    }
}

#[test]
fn identifiers_cannot_leave_their_folder() {
    for text in ["", ".", "..", "a/b", "../x", "a\0", "a b", "é", &"x".repeat(65)] {
        assert!(RecordId::parse(text).is_none(), "{text:?}");
    }
    assert!(RecordId::parse("aZ09-_").is_some());
}

#[test]
fn debug_shows_no_secret() {
    let (guarded, memory, _) = stored(granted(60, None));
    let key = KeyEncryptionKey::from_bytes(Zeroizing::new(memory.keys[&id()]));
    assert_eq!(format!("{key:?}"), "KeyEncryptionKey(..)");
    assert!(!format!("{guarded:?}").contains("claims"));
}
