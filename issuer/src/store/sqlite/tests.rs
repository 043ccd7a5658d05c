//! The SQLite store.

use super::*;
use crate::status::{CAPACITY, SIZE, SPREAD};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::{BTreeMap, HashSet};
use tempfile::TempDir;

fn store() -> (TempDir, SqliteStore) {
    let dir = TempDir::new().unwrap();
    let store = SqliteStore::open(&dir.path().join(FILE)).unwrap();
    (dir, store)
}

fn mark(byte: u8) -> Fingerprint {
    Fingerprint::from_bytes([byte; 32])
}

const NOW: Timestamp = Timestamp::from_unix(1_000);

#[cfg(unix)]
#[test]
fn the_file_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let (dir, store) = store();
    store.spend(&mark(1), NOW).unwrap();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
    }
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let (dir, store) = store();
    store.write(|t| Ok::<_, StoreError>(t.pragma_update(None, "user_version", 99)?)).unwrap();
    drop(store);
    let error = SqliteStore::open(&dir.path().join(FILE)).unwrap_err();
    assert!(matches!(error, StoreError::Version { found: 99, .. }), "{error}");
}

#[test]
fn entries_are_random_spread_and_never_given_twice() {
    let (_dir, store) = store();
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut seen = HashSet::new();
    for _ in 0..100 {
        let entries = store.allocate(30, &mut rng).unwrap();
        assert_eq!(entries.iter().map(|e| e.list).collect::<HashSet<_>>().len(), SPREAD);
        for entry in entries {
            assert!(entry.index < SIZE && seen.insert(entry));
        }
    }
    // Indices of one list do not grow: what was issued first cannot be told.
    let first: Vec<_> = seen.iter().filter(|e| e.list == ListId::new(1)).map(|e| e.index).collect();
    assert!(first.iter().any(|i| *i > SIZE / 2) && first.iter().any(|i| *i < SIZE / 2));
}

#[test]
fn a_full_list_is_closed_and_another_begun() {
    let (_dir, store) = store();
    store
        .write(|t| {
            t.execute("UPDATE lists SET allocated = ?1 WHERE id <= 3", [CAPACITY])?;
            Ok::<_, StoreError>(())
        })
        .unwrap();
    let entries = store.allocate(30, &mut ChaCha20Rng::seed_from_u64(2)).unwrap();
    let mut lists: BTreeMap<u32, u32> = BTreeMap::new();
    for entry in entries {
        *lists.entry(entry.list.number()).or_default() += 1;
    }
    assert_eq!(lists.keys().copied().collect::<Vec<_>>(), [4, 5, 6, 7]);
    assert_eq!(store.lists().unwrap().len(), 7);
}

#[test]
fn what_is_spent_is_known_until_it_expires() {
    let (_dir, store) = store();
    assert!(store.spend(&mark(1), Timestamp::from_unix(1_010)).unwrap());
    assert!(!store.spend(&mark(1), Timestamp::from_unix(1_010)).unwrap());
    store.purge(Timestamp::from_unix(1_009)).unwrap();
    assert!(store.is_spent(&mark(1)).unwrap());
    store.purge(Timestamp::from_unix(1_010)).unwrap();
    assert!(!store.is_spent(&mark(1)).unwrap());
}

#[test]
fn a_commit_that_fails_leaves_no_trace() {
    let (_dir, store) = store();
    let expires = Timestamp::from_unix(2_000);
    let offer = NewOffer {
        code: mark(1),
        tx_code: mark(2),
        handle: mark(3),
        configurations: vec!["identity".to_owned()],
        expires,
        sealed: vec![1],
    };
    store.put_offer(&offer).unwrap();
    let redemption = Redemption {
        code: mark(1),
        tx_code: mark(2),
        token: mark(4),
        token_expires: expires,
        dpop_key: Some([5; 32]),
        configurations: vec!["identity".to_owned()],
        by_identifier: false,
        sealed: vec![2],
        refresh: None,
    };
    assert_eq!(store.redeem(&redemption, NOW).unwrap(), Verdict::Granted);
    assert_eq!(store.redeem(&redemption, NOW).unwrap(), Verdict::NoOffer);
    assert_eq!(store.token(&mark(4), NOW).unwrap().unwrap().dpop_key, Some([5; 32]));
    assert!(store.token(&mark(4), expires).unwrap().is_none());

    let issuance = |nonce, keys: &[u8]| Issuance {
        spends: super::super::Spends::Token(mark(4)),
        awaited: super::super::Awaited { id: mark(nonce + 100), token: mark(4), dpop_key: None, expires },
        configuration: "identity".to_owned(),
        part: "identity".to_owned(),
        nonces: vec![(mark(nonce), expires)],
        holder_keys: keys.iter().map(|k| mark(*k)).collect(),
        handle: mark(3),
        cohort: NOW,
        expires,
        sealed_entries: vec![3],
    };
    store.spend(&mark(20), expires).unwrap();
    assert_eq!(store.commit(&issuance(20, &[30]), NOW).unwrap(), Committed::NonceSpent);
    assert_eq!(store.commit(&issuance(21, &[30, 30]), NOW).unwrap(), Committed::KeySeen);
    assert!(!store.is_spent(&mark(21)).unwrap() && !store.is_spent(&mark(30)).unwrap());
    assert_eq!(store.commit(&issuance(21, &[30]), expires).unwrap(), Committed::TokenGone);
    assert_eq!(store.commit(&issuance(21, &[30]), NOW).unwrap(), Committed::Done);
    assert_eq!(store.commit(&issuance(22, &[31]), NOW).unwrap(), Committed::TokenGone);
}

#[test]
fn a_full_disk_is_told_and_nothing_is_lost() {
    let (_dir, store) = store();
    store.spend(&mark(1), Timestamp::from_unix(2_000)).unwrap();
    store.write(|t| Ok::<_, StoreError>(t.pragma_update(None, "max_page_count", 1)?)).unwrap();
    let offer = NewOffer {
        code: mark(1),
        tx_code: mark(2),
        handle: mark(3),
        configurations: vec!["identity".to_owned()],
        expires: Timestamp::from_unix(2_000),
        sealed: vec![0; 1 << 20],
    };
    assert!(matches!(store.put_offer(&offer), Err(StoreError::Full)));
    assert!(store.is_spent(&mark(1)).unwrap());
    assert!(store.offer(&mark(1), NOW).unwrap().is_none());
}

#[test]
fn a_file_of_the_first_version_keeps_what_was_issued() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join(FILE);
    let old = Connection::open(&path).unwrap();
    old.execute_batch(schema::TABLES).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    let handle = mark(3);
    old.execute("INSERT INTO issuances VALUES (?1, 0, 5000, x'0102')", [handle.as_bytes()]).unwrap();
    old.execute("INSERT INTO offers VALUES (?1, ?1, ?1, 'identity', 0, 5000, x'03')", [mark(1).as_bytes()]).unwrap();
    drop(old);
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.offer(&mark(1), NOW).unwrap().unwrap().configurations, ["identity"]);
    struct Seen(std::cell::RefCell<Vec<(String, Vec<u8>)>>);
    impl Lists for Seen {
        fn open(&self, configuration: &str, sealed: &[u8]) -> Result<Vec<Entry>, crate::seal::SealError> {
            self.0.borrow_mut().push((configuration.to_owned(), sealed.to_vec()));
            Ok(Vec::new())
        }
        fn sign(&self, _: ListId, _: &[u32]) -> Result<SignedList, crate::status::SignListError> {
            unreachable!("no list has changed")
        }
    }
    struct Now;
    impl When for Now {
        fn next(&mut self) -> Option<Timestamp> {
            None
        }
    }
    let seen = Seen(std::cell::RefCell::default());
    assert_eq!(store.revoke(&handle, &mut Now, &seen).unwrap(), Revoked::Issued);
    assert_eq!(seen.0.into_inner(), [(String::new(), vec![1, 2])]);
}
