//! What is left of a face in the memory of the runtime.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "a test reads files, and its own memory")]

#[path = "../../tests/memory/search.rs"]
pub(crate) mod search;

use std::path::PathBuf;

use super::*;
use crate::models::RUNTIME_LINUX_X86_64;
use search::{Needle, found};

/// Sixteen neighbouring numbers of the face as the embedder's first two layers make them, and of its last output: the template.
fn needles(planes: &[f32], output: &[f32]) -> [Needle; 4] {
    let middle = 56 * 112 + 48;
    let bytes = |number: fn(f32) -> f32| -> Vec<u8> {
        planes[middle..middle + 16].iter().flat_map(|v| number(*v).to_le_bytes()).collect()
    };
    let template: Vec<u8> = output[..16].iter().flat_map(|v| v.to_le_bytes()).collect();
    [
        Needle::new("face", &bytes(|v| v)),
        Needle::new("face less its middle", &bytes(|v| v - 127.5)),
        Needle::new("face as scaled", &bytes(|v| (v - 127.5) * 0.007_812_5)),
        Needle::new("template", &template),
    ]
}

#[inline(never)]
fn embedded(engine: &mut Engine, sample: &Sample) -> [Needle; 4] {
    let pyramid = Pyramid::new(sample);
    let (face, faces) = super::alone(&engine.detector.find(&pyramid).unwrap()).unwrap();
    let refined = engine.detector.refine(&pyramid, &face).unwrap();
    let settled = Engine::settle(&pyramid, &refined, faces).unwrap();
    let planes = settled.wide.planes(true);
    engine.embed(settled).unwrap();
    engine.embedder.output(&planes, |output| needles(&planes, output)).unwrap()
}

#[test]
fn attack_96_nothing_of_a_face_is_in_the_runtimes_memory_after_the_engine_was_dropped() {
    let home = std::env::var_os("AMPARO_HOME").map(PathBuf::from);
    let home = home.unwrap_or_else(|| directories::BaseDirs::new().unwrap().cache_dir().join("amparo"));
    let read = |path: &str| std::fs::read(home.join(path)).ok();
    let model = |name: &str| read(&format!("models/{name}"));
    let (Some(photograph), Some(detector), Some(embedder)) =
        (read("photographs/obama.jpg"), model(DETECTOR.file_name), model(EMBEDDER.file_name))
    else {
        println!("skipped: no models or photographs in {} (cargo xtask setup fetches them)", home.display());
        return;
    };
    let mut engine =
        Engine::load(&home.join("runtime").join(RUNTIME_LINUX_X86_64.file_name), &detector, &embedder).unwrap();
    let sample = Sample::decode(&photograph).unwrap();
    let needles = embedded(&mut engine, &sample);
    // Twice, so that memory laid out anew would show.
    drop(embedded(&mut engine, &sample));
    let before = found(&needles);
    println!("before: {before:?}");
    // The search finds what is there.
    assert!(before.iter().any(|(_, count)| *count > 0), "{before:?}");
    drop(engine);
    let after = found(&needles);
    assert!(after.iter().all(|(_, count)| *count == 0), "before {before:?}, after {after:?}");
}
