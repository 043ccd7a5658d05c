//! One program for all targets: `AMPARO_FUZZ_TARGET` names the one to run; see `cargo xtask fuzz`.
#![no_main]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, dead_code)]

#[path = "../../../credentials/tests/it/fuzzed.rs"]
mod fuzzed;
#[path = "../../../wallet-core/tests/links.rs"]
mod links;
mod mdoc;
#[path = "../../../biometrics/tests/fuzzed.rs"]
mod measured;
#[path = "../../../credentials/tests/it/world.rs"]
mod world;

use std::sync::LazyLock;

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("AMPARO_FUZZ_TARGET").expect("AMPARO_FUZZ_TARGET names no target");
    let mut targets = fuzzed::TARGETS.iter().chain(links::TARGETS).chain(measured::TARGETS);
    targets.find(|(target, _)| *target == name).expect("no such target").1
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| (*TARGET)(data));
