//! The two networks written anew beside the one they come from. Skipped, saying so, where that is not set up.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test reads files, and whoever reads its output must know what it saw"
)]

use super::tests::{apart, drawn, home, network, scanned};
use super::*;
use crate::finger::tests::fvc;
use crate::models::RUNTIME_LINUX_X86_64;
use crate::onnx::FoldError;
use crate::sample::Sample;

fn model() -> Option<Vec<u8>> {
    std::fs::read(home().join("models").join(LEADER.file_name)).ok()
}

/// Both: the original's session as well.
fn both() -> Option<(Leader, Session)> {
    let leader = network()?;
    let library = home().join("runtime").join(RUNTIME_LINUX_X86_64.file_name);
    let original = runtime::session(&library, "the original", &model()?).unwrap();
    Some((leader, original))
}

/// The original's whole answer: sureness, direction, kind and peak of each pixel.
fn asked(original: &mut Session, canvas: &Canvas) -> Vec<[f32; 4]> {
    let input = TensorRef::from_array_view(([1, canvas.height, canvas.width, 1], canvas.pixels.as_slice())).unwrap();
    let answer = Answer(original.run(ort::inputs!["input" => input]).unwrap());
    answer.floats("head_conc", canvas.pixels.len() * 4).unwrap().as_chunks::<4>().0.to_vec()
}

pub(super) fn whole(image: &FingerImage) -> Canvas {
    let FingerImage { grey } = image;
    Canvas::of(grey, &Piece::whole(grey.width()), &Piece::whole(grey.height()))
}

fn print(path: &Path) -> FingerImage {
    scanned(&Sample::decode(&std::fs::read(path).unwrap()).unwrap())
}

/// The drawn print, and a real one of each sensor where they are.
fn prints() -> Vec<FingerImage> {
    let sets = ["DB1_B", "DB2_B", "DB3_B", "DB4_B"];
    let real = sets.iter().filter_map(|set| fvc(set)).map(|folder| print(&folder.join("101_1.tif")));
    std::iter::once(scanned(&drawn())).chain(real).collect()
}

/// Ours: peaks of all pixels, and what is said of these places.
fn answered(leader: &mut Leader, canvas: &Canvas, places: &[(usize, usize)]) -> (Vec<f32>, Vec<Detail>) {
    let Canvas { pixels, width, height, .. } = canvas;
    let answer = placed(&mut leader.places, pixels, (*width, *height)).unwrap();
    let half = (width / 2, height / 2);
    let seen = answer.floats(SEEN, 52 * half.0 * half.1).unwrap();
    let mut found = Vec::new();
    for at in places.chunks(AT_ONCE as usize) {
        found.append(&mut details(&mut leader.details, seen, half, at).unwrap());
    }
    (answer.floats(PEAKS, pixels.len()).unwrap().to_vec(), found)
}

/// In radians, either way.
fn turn(a: f32, b: f32) -> f32 {
    let turn = (a - b).rem_euclid(std::f32::consts::TAU);
    turn.min(std::f32::consts::TAU - turn)
}

fn largest(differences: impl Iterator<Item = f32>) -> f32 {
    differences.fold(0.0, f32::max)
}

#[test]
fn finger_15_written_anew_the_network_answers_as_the_original_does() {
    let Some((mut leader, mut original)) = both() else { return };
    for image in prints() {
        let canvas = whole(&image);
        let answer = asked(&mut original, &canvas);
        let sure = |at: &usize| answer[*at][3] >= LEAST_QUALITY;
        let at: Vec<usize> = (0..answer.len()).filter(sure).collect();
        assert!(at.len() >= 15, "{}", at.len());
        let places: Vec<(usize, usize)> = at.iter().map(|at| (at % canvas.width, at / canvas.width)).collect();
        let (peaks, found) = answered(&mut leader, &canvas, &places);
        // Where nothing is, all are next to nothing, and which of them is largest is chance.
        let pairs = peaks.iter().zip(&answer).map(|(ours, theirs)| (*ours, theirs[3]));
        let peak = largest(pairs.filter(|(a, b)| a.max(*b) >= 0.01).map(|(a, b)| (a - b).abs()));
        let kind = largest(at.iter().zip(&found).map(|(at, found)| (found.kind - answer[*at][2]).abs()));
        let direction = largest(at.iter().zip(&found).map(|(at, found)| turn(found.direction, answer[*at][1])));
        eprintln!("{} minutiae differ by at most {peak:e}, in kind {kind:e}, direction {direction:e}", at.len());
        assert!(peak < 1e-4 && kind < 1e-4 && direction < 1e-4, "{peak} {kind} {direction}");
    }
}

#[test]
fn finger_15_kinds_and_directions_are_the_originals_at_the_borders_too() {
    let Some((mut leader, mut original)) = both() else { return };
    let canvas = whole(&scanned(&drawn()));
    let answer = asked(&mut original, &canvas);
    let (right, bottom) = (canvas.width - 1, canvas.height - 1);
    let along = |length: usize| (0..8).chain((8..length - 8).step_by(13)).chain(length - 8..length);
    let places: Vec<(usize, usize)> = along(right + 1)
        .flat_map(|x| [(x, 0), (x, 1), (x, 2), (x, 6), (x, bottom - 1), (x, bottom)])
        .chain(along(bottom + 1).flat_map(|y| [(0, y), (1, y), (2, y), (right - 1, y), (right, y)]))
        .collect();
    let (_, found) = answered(&mut leader, &canvas, &places);
    assert_eq!(found.len(), places.len());
    let mut off = 0;
    for ((x, y), Detail { direction, kind }) in places.iter().zip(found) {
        let [_, theirs, their_kind, _] = answer[y * canvas.width + x];
        assert!((kind - their_kind).abs() < 1e-4, "{x} {y}: {kind} {their_kind}");
        // A vector of next to nothing points anywhere.
        off += usize::from(turn(direction, theirs) >= 1e-3);
    }
    assert!(off * 50 < places.len(), "{off} of {}", places.len());
}

/// The first impression of every finger of FVC2002 set B; all 320 prints, which takes minutes, where `AMPARO_ALL_PRINTS` is set.
#[test]
fn every_print_has_the_same_minutiae_by_both() {
    let all = std::env::var_os("AMPARO_ALL_PRINTS").is_some();
    let Some((mut leader, mut original)) = both() else { return };
    let (mut images, mut same, mut minutiae, mut odd) = (0, 0, 0, 0);
    for folder in ["DB1_B", "DB2_B", "DB3_B", "DB4_B"].iter().filter_map(|set| fvc(set)) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if !name.ends_with(if all { ".tif" } else { "_1.tif" }) {
                continue;
            }
            let image = print(&path);
            let canvas = whole(&image);
            let mut theirs = Vec::new();
            for (at, [_, direction, kind, quality]) in asked(&mut original, &canvas).into_iter().enumerate() {
                let (x, y) = (at % canvas.width, at / canvas.width);
                let inside = x >= canvas.left && y >= canvas.top;
                if quality >= LEAST_QUALITY && inside && x - canvas.left < image.grey.width() {
                    theirs.extend(minutia(x - canvas.left, y - canvas.top, direction, kind, quality));
                }
            }
            theirs.retain(|m| usize::from(m.y) < image.grey.height());
            let ours = leader.minutiae(&image).unwrap();
            let is = |a: &Minutia, b: &Minutia| {
                a.place() == b.place()
                    && a.kind == b.kind
                    && apart(a.angle, b.angle) <= 1
                    && a.quality.abs_diff(b.quality) <= 1
            };
            let missed =
                |these: &[Minutia], those: &[Minutia]| these.iter().filter(|a| !those.iter().any(|b| is(a, b))).count();
            images += 1;
            same += usize::from(*ours == theirs);
            minutiae += theirs.len();
            odd += missed(&ours, &theirs) + missed(&theirs, &ours);
        }
    }
    eprintln!(
        "{images} prints, {minutiae} minutiae: {same} prints with the very same list, {odd} minutiae that the other has not, within \
         a 256th of a turn and a hundredth of quality"
    );
    assert!(odd <= 5, "{odd}");
}

#[test]
fn nothing_of_the_long_form_is_left() {
    let Some(model) = model() else { return };
    let Rewritten { places, details } = Rewritten::of(&model).unwrap();
    for operator in ["Pow", "Tanh", "ReduceMean", "Sqrt", "SpaceToDepth", "Tile", "Shape", "Atan"] {
        assert_eq!((places.count(operator), details.count(operator)), (0, 0), "{operator}");
    }
    assert_eq!((places.count("LayerNormalization"), details.count("LayerNormalization")), (20, 4));
    // Two stems, eight separable layers, three views, 29 strips of bottlenecks, the end.
    assert_eq!((places.count("FastGelu"), details.count("FastGelu")), (43, 4));
}

#[test]
fn a_network_that_is_not_the_known_one_is_refused_by_the_part_that_it_lacks() {
    assert_eq!(Rewritten::of(b"a network").err(), Some(FoldError::NotOnnx));
    let Some(model) = model() else { return };
    let without = |name: &str| {
        let mut other = model.clone();
        let mut other_name = name.to_owned();
        other_name.replace_range(13..14, "_");
        for at in 0..other.len() - name.len() {
            if other[at..].starts_with(name.as_bytes()) {
                other[at..at + name.len()].copy_from_slice(other_name.as_bytes());
            }
        }
        Rewritten::of(&other).err()
    };
    for name in ["functional_1/enc1_2_ln_1/mul", "functional_1/head_1_ibc_conv_red_1/BiasAdd"] {
        let node = Some(FoldError::NotAsKnown { part: name.to_owned() });
        assert_eq!(without(name), node);
    }
}
