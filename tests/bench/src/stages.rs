//! What an unlock spends its time on, what the vault costs, what it weighs. Real photographs, the product's own code.

use biometrics::engine::Engine;
use biometrics::models::{DETECTOR, EMBEDDER};
use biometrics::sample::Sample;
use biometrics::template::{Probe, Reference};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use schemas::{Seconds, Timestamp};
use std::path::{Path, PathBuf};
use std::time::Instant;
use wallet_core::device_key::SoftwareStore;
use wallet_core::enrolment::{self, NewVault};
use wallet_core::secret::Pin;
use wallet_core::unlock::{self, BootId, Clock};
use wallet_core::vault::Argon2Cost;

const TURNS: usize = 5;

/// Prints the table, or why there is none.
pub fn print() {
    let home = std::env::var_os("AMPARO_HOME").map(PathBuf::from).unwrap_or_default();
    let photographs = ["obama.jpg", "obama2.jpg", "obama3.jpg"].map(|name| home.join("photographs").join(name));
    if !photographs.iter().all(|p| p.is_file()) {
        println!("Unlock: not measured, the photographs are not there (cargo xtask setup).");
        return;
    }
    let mut rows: Vec<(&str, Vec<f64>)> = Vec::new();
    let mut time = |name: &'static str, started: Instant| {
        let ms = started.elapsed().as_secs_f64() * 1e3;
        match rows.iter_mut().find(|(n, _)| *n == name) {
            Some((_, times)) => times.push(ms),
            None => rows.push((name, vec![ms])),
        }
    };
    let read = |path: &Path| std::fs::read(path).expect("readable");
    let photographs = photographs.each_ref().map(|p| read(p));
    let [library, detector, embedder] = [
        home.join("runtime/libonnxruntime.so"),
        home.join("models").join(DETECTOR.file_name),
        home.join("models").join(EMBEDDER.file_name),
    ];
    let (detector, embedder) = (read(&detector), read(&embedder));
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let pin = Pin::parse("48213957").expect("pin");
    let mut sizes = (0, 0);
    for turn in 0..TURNS {
        let started = Instant::now();
        let mut engine = Engine::load(&library, &detector, &embedder).expect("engine");
        time("load the models (hash, fold, session)", started);
        let mut embed =
            |bytes: &[u8]| engine.capture(&Sample::decode(bytes).expect("picture")).expect("face").into_embedding();
        let reference = Reference::enrol(&[embed(&photographs[0]), embed(&photographs[1])]).expect("enrolled");
        let clock = Clock {
            now: Timestamp::from_unix(1_795_000_000 + turn as i64),
            boot: BootId::from_bytes([7; 16]),
            uptime: Seconds::new(1_000),
        };
        let mut store = SoftwareStore::generate(&mut rng).expect("store");
        let new = NewVault { reference: &reference, pin: Some(&pin), cost: Argon2Cost::DEFAULT };
        let created = enrolment::create(&new, &mut store, clock, &mut rng).expect("vault");
        sizes = (created.file.len(), created.store.len());

        let unlock_started = Instant::now();
        let started = Instant::now();
        let sample = Sample::decode(&photographs[2]).expect("picture");
        time("decode the photograph", started);
        let started = Instant::now();
        let capture = engine.capture(&sample).expect("face");
        time("detect, judge, align, embed", started);
        let probe = Probe::from_frames(&[capture.into_embedding()]).expect("probe");
        let started = Instant::now();
        let counted = unlock::begin(&mut store, &created.file, clock).expect("turn");
        time("open the outer layer (12.6 MB)", started);
        let started = Instant::now();
        let opened = counted.persisted().try_open(&mut store, Some(&pin), Some(&probe)).expect("opened");
        time("Argon2id 256 MiB, 8 slots × 16 candidates, compartment", started);
        time("**unlock, all of it**", unlock_started);
        let mut vault = opened.vault;
        let started = Instant::now();
        let plan = vault.save(&mut store, clock.now, &mut rng).expect("plan");
        time("save: encrypt everything anew", started);
        let written = plan.file().to_vec();
        let _store_after = vault.confirm(plan, &mut store, &written).expect("confirmed");
    }
    println!("Unlock and vault, {TURNS} turns, milliseconds\n\n| stage | min | median | max |\n|---|---|---|---|");
    for (name, mut times) in rows {
        times.sort_by(f64::total_cmp);
        println!("| {name} | {:.1} | {:.1} | {:.1} |", times[0], times[times.len() / 2], times[times.len() - 1]);
    }
    println!(
        "\nVault file {} bytes, device-key file {} bytes. Peak memory of this process, Argon2's 256 MiB and the models in it: {}.",
        sizes.0,
        sizes.1,
        peak()
    );
}

/// The high-water mark of resident memory, from Linux.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|l| l.strip_prefix("VmHWM:"))
        .map_or_else(|| "not known here".into(), |v| v.trim().to_owned())
}
