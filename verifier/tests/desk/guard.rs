//! Guarded storage in the service: ends, clocks, backups and uses.

use crate::world::*;
use schemas::Seconds;
use std::fs;
use std::sync::Arc;
use verifier::policy::{ConsentMode, ResponseMode};
use verifier::service::{Desk, Outcome};

const MODE: ResponseMode = ResponseMode::DirectPostJwt;

/// A verified presentation under a consent of `lasting` seconds.
async fn kept(world: &World, lasting: u64, uses: Option<u32>) -> Asked {
    let asked = world.ask(ConsentMode::Required, MODE).await;
    let binding = with_grant(&world.consenting(&asked, &asked_paths(), lasting), |grant| grant.uses = uses);
    let reply = world.post(&asked, &present(&world.short_lived(), &asked_paths(), &binding)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    asked
}

#[tokio::test]
async fn attack_68_one_second_after_its_end_it_is_gone() {
    let world = World::new().await;
    let asked = kept(&world, 30, None).await;
    world.later(29);
    assert_eq!(world.stands(&asked).0, Outcome::Verified);
    world.later(1);
    assert_eq!(world.stands(&asked), (Outcome::Ended, "consent_ended".into()));
    assert_eq!(keys(&world.data()), 0);
    let report = world.report(&asked);
    assert!(report.held.is_none());
    assert_eq!(report.consent.unwrap().expires_at, NOW.plus(Seconds::new(30)), "what was agreed can still be told");
}

#[tokio::test]
async fn the_janitor_destroys_what_nobody_looks_at() {
    let world = World::new().await;
    let asked = kept(&world, 30, None).await;
    let silent = world.ask(ConsentMode::Required, MODE).await;
    assert_eq!(keys(&world.data()), 2);
    world.desk.sweep().unwrap();
    assert_eq!(keys(&world.data()), 2);
    world.later(30);
    world.desk.sweep().unwrap();
    assert_eq!(keys(&world.data()), 1, "the consent has ended, the request still waits");
    world.later(270);
    world.desk.sweep().unwrap();
    assert_eq!(keys(&world.data()), 0);
    assert_eq!(world.stands(&asked), (Outcome::Ended, "consent_ended".into()));
    assert_eq!(world.stands(&silent), (Outcome::Ended, "not_answered".into()));
}

/// The service's janitor, a command's sweep and somebody who opens the result all come to the same end.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_all_that_notice_an_end_one_notes_it() {
    let world = World::new().await;
    let asked = kept(&world, 30, None).await;
    world.later(30);
    let desks: Vec<Arc<Desk>> = (0..8).map(|_| world.reopen()).collect();
    let start = std::sync::Barrier::new(desks.len());
    std::thread::scope(|scope| {
        for (n, desk) in desks.iter().enumerate() {
            let (start, id) = (&start, &asked.id);
            scope.spawn(move || {
                start.wait();
                if n % 2 == 0 {
                    desk.sweep().unwrap();
                } else {
                    assert_eq!(desk.result(id, &actor()).unwrap().outcome, Outcome::Ended);
                }
            });
        }
    });
    let store = rusqlite::Connection::open(world.data().join("verifier.db")).unwrap();
    let mut audit = store.prepare("SELECT event FROM audit ORDER BY n").unwrap();
    let events: Vec<String> = audit.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(events, ["stored", "ended"]);
    assert_eq!(world.stands(&asked), (Outcome::Ended, "consent_ended".into()));
}

#[tokio::test]
async fn attack_68_a_key_that_cannot_be_destroyed_keeps_no_other_alive() {
    let world = World::new().await;
    let (stuck, other) = (kept(&world, 30, None).await, kept(&world, 31, None).await);
    let path = world.data().join(format!("keys/{}.key", stuck.id));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    world.later(60);
    assert!(world.desk.sweep().is_err(), "the janitor says that something failed");
    assert!(!world.data().join(format!("keys/{}.key", other.id)).exists(), "and has gone on all the same");
    assert_eq!(world.stands(&other), (Outcome::Ended, "consent_ended".into()));
    fs::remove_dir(world.data().join(format!("keys/{}.key.gone", stuck.id))).unwrap();
    world.desk.sweep().unwrap();
    assert_eq!(world.stands(&stuck), (Outcome::Ended, "consent_ended".into()));
}

#[tokio::test]
async fn the_key_of_a_request_goes_with_its_answer() {
    let world = World::new().await;
    let asked = world.ask(ConsentMode::NotAsked, MODE).await;
    assert!(world.data().join(format!("keys/{}.answer", asked.id)).exists());
    let shown = present(&world.short_lived(), &asked_paths(), &world.binding(&asked));
    world.post(&asked, &shown).await;
    assert!(!world.data().join(format!("keys/{}.answer", asked.id)).exists());
    assert!(world.data().join(format!("keys/{}.key", asked.id)).exists());
}

#[tokio::test]
async fn attack_72_a_clock_set_back_a_day_does_not_bring_it_back() {
    let world = World::new().await;
    let asked = kept(&world, 30, None).await;
    world.later(31);
    assert_eq!(world.stands(&asked).0, Outcome::Ended);
    world.clock.set(NOW.minus(Seconds::DAY));
    assert_eq!(world.stands(&asked).0, Outcome::Ended);
    assert_eq!(world.reopen().result(&asked.id, &actor()).unwrap().outcome, Outcome::Ended, "nor for another process");
    assert!(world.desk.ask(ask()).await.is_err(), "and nothing new is accepted by such a clock");
}

#[tokio::test]
async fn attack_72_even_if_only_the_janitor_saw_the_end() {
    let world = World::new().await;
    let asked = kept(&world, 30, None).await;
    world.later(31);
    world.desk.sweep().unwrap();
    world.clock.set(NOW.minus(Seconds::DAY));
    assert_eq!(world.stands(&asked), (Outcome::Ended, "consent_ended".into()));
}

#[tokio::test]
async fn attack_72_ten_years_ahead_and_back_the_clock_is_suspect_until_it_is_reset() {
    let world = World::new().await;
    let asked = kept(&world, 3_000, None).await;
    world.later(3_600 * 24 * 3_653);
    assert_eq!(world.stands(&asked).0, Outcome::Ended, "ten years on it has ended, rightly or not");
    world.clock.set(NOW.plus(Seconds::MINUTE));
    assert!(world.desk.ask(ask()).await.is_err());
    let error = world.desk.ask(ask()).await.unwrap_err().to_string();
    assert!(error.contains("2026") && error.contains("2036"), "{error}");
    world.desk.reset_clock().unwrap();
    assert!(world.desk.ask(ask()).await.is_ok());
    assert_eq!(world.stands(&asked).0, Outcome::Ended, "what was destroyed stays destroyed");
}

#[tokio::test]
async fn attack_72_a_suspect_clock_takes_no_answer_and_spends_no_nonce() {
    let world = World::new().await;
    let asked = world.ask(ConsentMode::NotAsked, MODE).await;
    let shown = present(&world.short_lived(), &asked_paths(), &world.binding(&asked));
    world.clock.set(NOW.minus(Seconds::DAY));
    let reply = world.post(&asked, &shown).await;
    assert_eq!((reply.status, reply.code()), (503, "clock_suspect"));
    world.clock.set(NOW);
    assert_eq!(world.post(&asked, &shown).await.status, 200);
}

#[tokio::test]
async fn attack_73_a_backup_restored_after_the_end_opens_nothing() {
    let world = World::new().await;
    let asked = kept(&world, 30, None).await;
    let copy = |from: &std::path::Path, to: &std::path::Path| {
        for name in ["verifier.db", "verifier.db-wal", "verifier.db-shm"] {
            let _ = fs::remove_file(to.join(name));
            let _ = fs::copy(from.join(name), to.join(name));
        }
    };
    let backup = tempfile::tempdir().unwrap();
    copy(&world.data(), backup.path());
    let bytes = fs::read(backup.path().join("verifier.db")).unwrap();
    let wal = fs::read(backup.path().join("verifier.db-wal")).unwrap_or_default();
    for secret in ["Ana", "Pérez"] {
        let holds = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!holds(&bytes) && !holds(&wal), "no claim in the store");
    }
    world.later(31);
    assert_eq!(world.stands(&asked).0, Outcome::Ended);
    // Restored into a folder beside its other files, opened by a process of its own.
    let restored = tempfile::tempdir().unwrap();
    let data = restored.path().join("desk");
    fs::create_dir(&data).unwrap();
    for name in ["verifier.json", "trust-anchor.pem"] {
        fs::copy(world.data().join(name), data.join(name)).unwrap();
    }
    for folder in ["identity", "keys"] {
        fs::create_dir(data.join(folder)).unwrap();
        for entry in fs::read_dir(world.data().join(folder)).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), data.join(folder).join(entry.file_name())).unwrap();
        }
    }
    copy(backup.path(), &data);
    let desk = Desk::open(&data, world.clock.clone()).unwrap();
    assert_eq!(desk.result(&asked.id, &actor()).unwrap().outcome, Outcome::Ended, "by its end");
    // The clock set back too, to a time within the consent: the store has forgotten, the key is gone all the same.
    copy(backup.path(), &data);
    world.clock.set(NOW);
    let desk = Desk::open(&data, world.clock.clone()).unwrap();
    let report = desk.result(&asked.id, &actor()).unwrap();
    assert_eq!((report.outcome, report.error.unwrap().code.as_str()), (Outcome::Ended, "key_destroyed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn attack_74_of_eight_openings_at_once_with_one_use_one_opens() {
    let world = World::new().await;
    let asked = kept(&world, 60, Some(1)).await;
    let mut openings = tokio::task::JoinSet::new();
    for n in 0..8 {
        // Half of them by processes of their own.
        let desk: Arc<Desk> = if n % 2 == 0 { world.desk.clone() } else { world.reopen() };
        let id = asked.id.clone();
        openings.spawn_blocking(move || desk.result(&id, &actor()).unwrap().held.is_some());
    }
    let opened = openings.join_all().await;
    assert_eq!(opened.iter().filter(|opened| **opened).count(), 1);
    assert_eq!(keys(&world.data()), 0, "the last use destroys the key");
    assert_eq!(world.stands(&asked).0, Outcome::Ended);
}

#[tokio::test]
async fn forgetting_destroys_before_the_end() {
    let world = World::new().await;
    let asked = kept(&world, 60, None).await;
    world.desk.forget(&asked.id, &actor()).unwrap();
    assert_eq!(world.stands(&asked), (Outcome::Ended, "forgotten".into()));
    assert_eq!(keys(&world.data()), 0);
}

#[tokio::test]
async fn keys_that_no_record_needs_are_tidied_away() {
    let world = World::new().await;
    let asked = kept(&world, 60, None).await;
    let waiting = world.ask(ConsentMode::NotAsked, MODE).await;
    let old = world.data().join("keys/0000.key");
    fs::write(&old, [7; 32]).unwrap();
    let hour_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    fs::File::options().write(true).open(&old).unwrap().set_modified(hour_ago).unwrap();
    fs::write(world.data().join("keys/1111.key.gone"), [7; 32]).unwrap();
    world.desk.tidy().unwrap();
    assert_eq!(keys(&world.data()), 2, "those of the presentation and of the request");
    assert_eq!((world.stands(&asked).0, world.stands(&waiting).0), (Outcome::Verified, Outcome::Waiting));
}

#[tokio::test]
async fn what_was_changed_in_the_store_does_not_open() {
    let world = World::new().await;
    let asked = kept(&world, 30, None).await;
    let store = rusqlite::Connection::open(world.data().join("verifier.db")).unwrap();
    store
        .execute("UPDATE guarded SET ends_at = ends_at + 86400, consent_ends_at = consent_ends_at + 86400", [])
        .unwrap();
    assert!(world.desk.result(&asked.id, &actor()).is_err(), "a longer end was not agreed to, so nothing opens");
}
