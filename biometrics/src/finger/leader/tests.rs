//! The network beside its authors' code, on a drawn print, and in pieces. Skipped, saying so, where it is not set up.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test reads files, and whoever reads its output must know that it was skipped"
)]

use std::path::{Path, PathBuf};

use super::*;
use crate::finger::{FingerCapture, MinutiaFinder, Resolution};
use crate::models::RUNTIME_LINUX_X86_64;
use crate::sample::Sample;

pub(super) fn home() -> PathBuf {
    let set = std::env::var_os("AMPARO_HOME").map(PathBuf::from);
    set.unwrap_or_else(|| directories::BaseDirs::new().unwrap().cache_dir().join("amparo"))
}

/// The network, where it is.
pub(crate) fn network() -> Option<Leader> {
    let runtime = home().join("runtime").join(RUNTIME_LINUX_X86_64.file_name);
    let Ok(model) = std::fs::read(home().join("models").join(LEADER.file_name)) else {
        eprintln!("absent, test skipped: {} in {} (cargo xtask setup fetches it)", LEADER.file_name, home().display());
        return None;
    };
    Some(Leader::load(&runtime, &model).unwrap())
}

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/leader")
}

pub(super) fn drawn() -> Sample {
    Sample::decode(&std::fs::read(vectors().join("drawn.png")).unwrap()).unwrap()
}

pub(super) fn scanned(sample: &Sample) -> FingerImage {
    FingerImage::from_scan(sample, Resolution::STANDARD).unwrap()
}

/// In 256ths of a turn, either way.
pub(super) fn apart(a: u8, b: u8) -> u8 {
    a.wrapping_sub(b).min(b.wrapping_sub(a))
}

#[test]
fn finger_06_the_network_reads_a_print_as_the_code_of_its_package_does() {
    let Some(mut network) = network() else { return };
    let found = network.minutiae(&scanned(&drawn())).unwrap();
    let mut expected = 0;
    for line in std::fs::read_to_string(vectors().join("minutiae.csv")).unwrap().lines().skip(1) {
        let fields: Vec<f32> = line.split(',').map(|field| field.parse().unwrap()).collect();
        let [x, y, direction, ending, quality] = fields[..] else { panic!("{line}") };
        let m = found.iter().find(|m| m.place() == (x, y)).unwrap_or_else(|| panic!("{x} {y} was not found"));
        let angle = (direction / std::f32::consts::TAU * 256.0).rem_euclid(256.0) as u8;
        assert!(apart(m.angle, angle) <= 1, "{line}");
        assert_eq!(m.kind == MinutiaKind::Ending, ending == 1.0, "{line}");
        assert!((f32::from(m.quality) - 100.0 * quality).abs() <= 1.5, "{line}");
        expected += 1;
    }
    assert_eq!((found.len(), expected), (20, 20));
}

#[test]
fn finger_07_a_large_image_is_read_in_pieces_and_nothing_is_lost_or_found_twice() {
    let Some(mut network) = network() else { return };
    let print = drawn();
    // The print lies across the corner where four pieces meet, on the pixels of the network's own steps.
    let (side, left, top) = (576_usize, 256_usize, 256_usize);
    let mut rgb = vec![231_u8; side * side * 3];
    for y in 0..print.height() as usize {
        let row = print.width() as usize * 3;
        let at = ((y + top) * side + left) * 3;
        rgb[at..at + row].copy_from_slice(&print.as_rgb()[y * row..(y + 1) * row]);
    }
    assert!(side * side > MOST_AT_ONCE);
    let alone = network.minutiae(&scanned(&print)).unwrap();
    let large = network.minutiae(&scanned(&Sample::from_rgb(side as u32, side as u32, rgb).unwrap())).unwrap();
    assert_eq!(large.len(), alone.len());
    for m in alone.iter() {
        let near = |o: &&Minutia| {
            let (dx, dy) = (i32::from(o.x) - i32::from(m.x) - 256, i32::from(o.y) - i32::from(m.y) - 256);
            dx.abs() <= 1 && dy.abs() <= 1 && apart(o.angle, m.angle) <= 4
        };
        assert_eq!(large.iter().filter(near).count(), 1, "{:?}", m.place());
    }
}

#[test]
fn every_pixel_is_one_pieces_own_and_no_piece_is_larger_than_it_may_be() {
    for length in [80, 384, 385, 512, 576, 1414, 25_000] {
        let mut next = 0;
        for piece in Piece::cover(length) {
            assert_eq!(piece.own().start, next);
            next = piece.own().end;
            assert!(piece.start <= piece.from && piece.to <= piece.end && piece.end <= length);
            assert!(piece.end - piece.start <= SIDE);
            assert!(piece.start == 0 || piece.from - piece.start == MARGIN);
            assert!(piece.end == length || piece.end - piece.to == MARGIN);
        }
        assert_eq!(next, length);
    }
}

#[test]
fn finger_08_both_extractors_mean_the_same_by_a_direction() {
    let Some(network) = network() else { return };
    let image = scanned(&drawn());
    let take = |finder: &mut MinutiaFinder| FingerCapture::take_ungated(&image, finder).unwrap().into_template();
    let by_network = take(&mut MinutiaFinder::Leader(Box::new(network)));
    let classical = take(&mut MinutiaFinder::Mindtct);
    let mut both = 0;
    for m in by_network.minutiae.iter() {
        let near = |o: &&Minutia| m.x.abs_diff(o.x) <= 8 && m.y.abs_diff(o.y) <= 8;
        if let Some(other) = classical.minutiae.iter().find(near) {
            assert!(apart(m.angle, other.angle) < 24, "{:?}: {} and {}", m.place(), m.angle, other.angle);
            both += 1;
        }
    }
    assert!(both >= 12, "{both}");
}

#[test]
fn attack_92_a_network_of_other_bytes_is_refused_before_it_is_loaded() {
    let nowhere = Path::new("/nonexistent/libonnxruntime.so");
    assert!(matches!(Leader::load(nowhere, b"a network"), Err(EngineError::NotPinned(_))));
    if let Ok(mut model) = std::fs::read(home().join("models").join(LEADER.file_name)) {
        assert!(matches!(Leader::load(nowhere, &model), Err(EngineError::RuntimeLibrary { .. })));
        *model.last_mut().unwrap() ^= 1;
        assert!(matches!(Leader::load(nowhere, &model), Err(EngineError::NotPinned(_))));
    }
}
