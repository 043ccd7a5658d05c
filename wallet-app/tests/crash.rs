//! Processes that are killed while they save, and processes that want the same vault at once.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test"
)]

use biometrics::template::{DIMENSION, Embedding, ModelId, Probe, Reference};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use wallet_app::adapters::LockError;
use wallet_app::adapters::surroundings::{clock, now, randomness};
use wallet_app::adapters::vault_file::Files;
use wallet_core::device_key::{DeviceStore, SoftwareStore};
use wallet_core::enrolment::{NewVault, create};
use wallet_core::unlock::{self, Opened};
use wallet_core::vault::{Argon2Cost, OpenVault, RecordKind};

/// Set in a child: what it does, and where.
const ROLE: &str = "AMPARO_TEST_ROLE";
const FOLDER: &str = "AMPARO_TEST_FOLDER";

fn face() -> Vec<Embedding> {
    let output: Vec<f32> = (0..DIMENSION).map(|i| ((i * 37 % 101) as f32) - 50.0).collect();
    (0..2).map(|_| Embedding::from_output(&output, ModelId::new([1; 32])).unwrap()).collect()
}

fn places(folder: &Path) -> (PathBuf, PathBuf) {
    (folder.join("me.amparo"), folder.join("device.key"))
}

fn make(folder: &Path) {
    let (vault, key) = places(folder);
    let mut rng = randomness();
    let mut store = SoftwareStore::generate(&mut rng).unwrap();
    let reference = Reference::enrol(&face()).unwrap();
    let new = NewVault { reference: &reference, pin: None, cost: Argon2Cost::FLOOR };
    let created = create(&new, &mut store, clock(), &mut rng).unwrap();
    Files::fresh(&vault, &key).unwrap().create(&created.store, &created.file).unwrap();
}

fn open(files: &Files) -> (SoftwareStore, OpenVault) {
    let mut store =
        SoftwareStore::parse(&files.device_key().unwrap().expect("a device key")).expect("a whole device key");
    let attempt =
        unlock::begin(&mut store, &files.vault().unwrap(), clock()).expect("the outer layer opens").persisted();
    let Opened { vault, .. } =
        attempt.try_open(&mut store, None, Some(&Probe::from_frames(&face()).unwrap())).expect("it opens");
    files.write_device_key(&store.to_bytes()).unwrap();
    (store, vault)
}

fn count(vault: &OpenVault) -> u64 {
    vault
        .records(RecordKind::SETTING)
        .next()
        .map_or(0, |id| u64::from_be_bytes(vault.read(id).unwrap()[..8].try_into().unwrap()))
}

/// Not a test by itself: what the other tests run in processes of their own.
#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let folder = PathBuf::from(std::env::var(FOLDER).unwrap());
    let (path, key) = places(&folder);
    if role == "make" {
        make(&folder);
        return;
    }
    let files = Files::existing(&path, &key).unwrap();
    let (mut store, mut vault) = open(&files);
    let mut out = std::io::stdout();
    writeln!(out, "\nready {}", count(&vault)).unwrap();
    if role == "hold" {
        std::thread::sleep(Duration::from_secs(600));
    }
    loop {
        let next = count(&vault) + 1;
        let id = vault.records(RecordKind::SETTING).next();
        vault.put(RecordKind::SETTING, id, &next.to_be_bytes(), &mut randomness()).unwrap();
        match files.save(vault, &mut store, now(), &mut randomness()) {
            Ok(saved) => {
                vault = saved;
                writeln!(out, "saved {next}").unwrap();
            }
            Err(error) => {
                writeln!(out, "failed {error}").unwrap();
                return;
            }
        }
        if role == "save-once" {
            return;
        }
    }
}

fn start(role: &str, folder: &Path) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(ROLE, role)
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    (child, out)
}

/// The number on the next line that begins with `word`.
fn next(out: &mut impl BufRead, word: &str) -> Option<u64> {
    let mut line = String::new();
    while out.read_line(&mut line).unwrap_or(0) > 0 {
        if let Some(rest) = line.trim().strip_prefix(word) {
            return rest.trim().parse().ok();
        }
        line.clear();
    }
    None
}

/// Microseconds between 0 and `most`, from the system's randomness.
fn chance(most: u64) -> Duration {
    let mut bytes = [0; 8];
    rand_core::Rng::fill_bytes(&mut randomness(), &mut bytes);
    Duration::from_micros(u64::from_be_bytes(bytes) % most)
}

#[test]
fn attack_80_a_process_killed_while_it_saves_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let (path, key) = places(folder.path());
    let mut killed_inside = 0;
    for _ in 0..16 {
        let (mut child, mut out) = start("save", folder.path());
        let mut last = next(&mut out, "ready").expect("the child opens what the killed one left");
        // One save takes tens of milliseconds; the kill falls anywhere in the next few.
        std::thread::sleep(chance(250_000));
        child.kill().unwrap();
        child.wait().unwrap();
        while let Some(saved) = next(&mut out, "saved") {
            last = saved;
        }
        let files = Files::existing(&path, &key).expect("the system took the dead process's lock back");
        let (_, vault) = open(&files);
        let found = count(&vault);
        assert!(found == last || found == last + 1, "saved {last}, found {found}");
        killed_inside += u64::from(found != last);
    }
    println!("killed between the rename and the word of it: {killed_inside} of 16");
}

#[test]
fn attack_81_a_second_process_is_told_busy() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let (path, key) = places(folder.path());
    let (mut child, mut out) = start("hold", folder.path());
    next(&mut out, "ready").unwrap();
    assert!(matches!(Files::existing(&path, &key), Err(LockError::Busy { .. })));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(Files::existing(&path, &key).is_ok());
}

/// On a disk that really is full: a small tmpfs in a namespace of our own, where the system lets us have one.
#[cfg(target_os = "linux")]
#[test]
fn attack_80_a_full_disk_keeps_the_old_vault() {
    let folder = tempfile::tempdir().unwrap();
    let test = std::env::current_exe().unwrap();
    // 16 MiB: one vault fits, a second one beside it does not.
    let script = format!(
        "mount -t tmpfs -o size=16m tmpfs {folder} && {ROLE}=make {test} --exact child --nocapture >/dev/null && \
         {ROLE}=save-once {test} --exact child --nocapture; ls {folder}; {ROLE}=save-once {test} --exact child --nocapture",
        folder = folder.path().display(),
        test = test.display(),
    );
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script])
        .env(FOLDER, folder.path())
        .output();
    let Ok(output) = output else { return println!("skipped: there is no `unshare` here") };
    let said = String::from_utf8_lossy(&output.stdout);
    if !said.contains("ready") {
        return println!("skipped: no namespace of our own here: {}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(said.matches("ready 0").count(), 2, "the old vault opens after the failed save: {said}");
    assert_eq!(said.matches("the disk is full").count(), 2, "{said}");
    assert!(!said.contains("amparo.tmp") && !said.contains("key.tmp"), "no half file is left: {said}");
}
