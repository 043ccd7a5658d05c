use super::*;
use crate::policy::{AcceptedFormat, ConsentMode};
use crate::preset::Preset;
use crate::time_floor::BUILT;
use crate::transaction::{Asker, Inquiry, Transaction};
use credentials::dcql::Query;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use schemas::purpose::Purpose;
use schemas::{Seconds, Timestamp};
use std::fs;
use std::sync::Arc;

const NOW: Timestamp = BUILT.plus(Seconds::DAY);

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    Store::create(dir.path()).unwrap();
    let store = Store::open(dir.path()).unwrap();
    (dir, store)
}

fn transaction(seed: u64, consent: ConsentMode) -> Transaction {
    let query = Query::check(Preset::AgeOver18.query(AcceptedFormat::Any)).unwrap();
    let inquiry = Inquiry::new(query, Purpose::AgeCheck, Seconds::HOUR, consent).unwrap();
    let asker = Asker { client_id: "x509_hash:a".into(), name: "n".into(), contact: None };
    Transaction::begin(inquiry, &asker, NOW, &mut ChaCha20Rng::seed_from_u64(seed)).unwrap()
}

fn response_handle(t: &Transaction) -> String {
    crate::transaction::TransactionParts::from(t.clone()).response_handle.expose().to_owned()
}

#[test]
fn a_transaction_comes_back_as_it_went_in() {
    let (_dir, store) = store();
    let t = transaction(1, ConsentMode::Required);
    store.put_transaction(t.clone(), None, None).unwrap();
    let back = store.by_response_handle(&response_handle(&t), NOW).unwrap().unwrap();
    assert_eq!(format!("{back:?}"), format!("{t:?}"));
    assert!(back.nonce().matches(t.nonce().expose()) && back.state().matches(t.state().expose()));
    assert_eq!(back.proposal(), t.proposal());
    assert!(store.by_response_handle(&response_handle(&t), t.expires_at()).unwrap().is_none(), "its time is over");
}

#[test]
fn attack_31_of_many_takers_in_many_processes_one_takes() {
    let (dir, store) = store();
    let t = transaction(1, ConsentMode::Required);
    store.put_transaction(t.clone(), None, None).unwrap();
    let stores: Vec<_> = (0..8).map(|_| Arc::new(Store::open(dir.path()).unwrap())).collect();
    let taken: usize = std::thread::scope(|scope| {
        let threads: Vec<_> =
            stores.iter().map(|store| scope.spawn(|| usize::from(store.take(t.id(), NOW).unwrap()))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(taken, 1);
    let row = store.transaction(t.id()).unwrap().unwrap();
    assert_eq!((row.progress, row.taken_at), (Progress::Taken, Some(NOW)));
}

#[test]
fn a_spent_nonce_is_nowhere_in_the_file_any_more() {
    let (dir, store) = store();
    let t = transaction(1, ConsentMode::Required);
    store.put_transaction(t.clone(), None, None).unwrap();
    store.take(t.id(), NOW).unwrap();
    store.lock().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let bytes = fs::read(dir.path().join(FILE)).unwrap();
    let nonce = t.nonce().expose().as_bytes();
    assert!(!bytes.windows(nonce.len()).any(|window| window == nonce));
}

#[test]
fn eight_unreadable_answers_are_too_many() {
    let (_dir, store) = store();
    let t = transaction(1, ConsentMode::Required);
    store.put_transaction(t.clone(), None, None).unwrap();
    let progress = || store.transaction(t.id()).unwrap().unwrap().progress;
    for _ in 0..7 {
        store.note_unreadable(t.id(), "code", "message").unwrap();
    }
    assert_eq!(progress(), Progress::Waiting);
    store.note_unreadable(t.id(), "code", "message").unwrap();
    assert_eq!(progress(), Progress::Refused);
    assert!(!store.take(t.id(), NOW).unwrap());
}

#[test]
fn only_an_offer_is_taken_back_and_only_once() {
    let (_dir, store) = store();
    for (seed, mode, dropped) in
        [(1, ConsentMode::Offered, true), (2, ConsentMode::Required, false), (3, ConsentMode::NotAsked, false)]
    {
        let t = transaction(seed, mode);
        store.put_transaction(t.clone(), None, None).unwrap();
        assert_eq!(store.drop_offer(t.id()).unwrap(), dropped);
        assert!(!store.drop_offer(t.id()).unwrap());
        let back = store.by_response_handle(&response_handle(&t), NOW).unwrap().unwrap();
        assert_eq!(back.proposal().is_some(), mode == ConsentMode::Required);
    }
}

#[test]
fn attack_72_the_highest_time_is_remembered_across_processes() {
    let (dir, store) = store();
    assert_eq!(store.time_floor(NOW).unwrap().time(), BUILT);
    assert_eq!(store.time_floor(NOW.minus(Seconds::HOUR)).unwrap().time(), NOW);
    assert_eq!(Store::open(dir.path()).unwrap().peek_floor().unwrap().time(), NOW);
    store.learn_list("https://a", NOW).unwrap();
    let newer = NOW.plus(Seconds::DAY);
    store.put_list("https://a", "token", newer, NOW, NOW).unwrap();
    assert_eq!(store.peek_floor().unwrap().time(), newer, "a verified list counts too");
    store.reset_clock(NOW).unwrap();
    assert_eq!(store.peek_floor().unwrap().time(), NOW);
}

#[test]
fn attack_72_when_a_trust_list_was_issued_is_remembered_even_when_it_is_taken_out() {
    let (_dir, store) = store();
    let list = StoredTrustList {
        name: "urn:list".to_owned(),
        address: None,
        signers: String::new(),
        token: String::new(),
        sequence: 1,
        sha256: [0; 32],
        fetched_at: NOW,
        trouble: None,
    };
    let issued = NOW.plus(Seconds::MINUTE);
    store.time_floor(NOW).unwrap();
    store.put_trust_list(&list, issued, NOW).unwrap();
    assert_eq!(store.peek_floor().unwrap().time(), issued);
    store.put_trust_list(&list, NOW, NOW).unwrap();
    store.remove_trust_list("urn:list").unwrap();
    assert_eq!(store.peek_floor().unwrap().time(), issued, "time does not go back");
    store.reset_clock(NOW).unwrap();
    assert_eq!(store.peek_floor().unwrap().time(), NOW);
}

#[test]
fn attack_66_an_older_list_does_not_replace_a_newer_one() {
    let (_dir, store) = store();
    assert!(store.learn_list("https://a", NOW).unwrap());
    assert!(!store.learn_list("https://a", NOW).unwrap(), "one caller only is told to fetch");
    store.put_list("https://a", "newer", NOW, NOW, NOW).unwrap();
    store.put_list("https://a", "older", NOW.minus(Seconds::HOUR), NOW, NOW).unwrap();
    assert_eq!(store.list("https://a").unwrap().unwrap().token.as_deref(), Some("newer"));
    assert!(store.list("https://b").unwrap().is_none());
}

#[test]
fn a_store_of_another_kind_is_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Store::open(dir.path()), Err(StoreError::Missing(_))));
    fs::write(dir.path().join(FILE), "this is text, and long enough to be looked at as a database header").unwrap();
    assert!(matches!(Store::open(dir.path()), Err(StoreError::Damaged)));
    let (dir, store) = store();
    store.lock().execute_batch("PRAGMA user_version = 99").unwrap();
    assert!(matches!(Store::open(dir.path()), Err(StoreError::Newer)));
    assert!(Store::create(dir.path()).is_err(), "never over another one");
}

#[test]
fn attack_59_texts_are_parameters_and_never_sql() {
    let (_dir, store) = store();
    let evil = "'; DROP TABLE transactions; --";
    assert!(store.by_request_handle(evil, NOW).unwrap().is_none());
    assert!(store.list(evil).unwrap().is_none());
    assert!(store.audit(Some(evil)).unwrap().is_empty());
    store.put_transaction(transaction(1, ConsentMode::Required), None, None).unwrap();
}
