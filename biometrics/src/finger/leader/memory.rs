//! What is left of a print in this process after the network was dropped.

#![cfg(target_os = "linux")]
#![allow(clippy::print_stderr, reason = "whoever reads a test's output must know what it saw")]

use super::beside_the_original::whole;
use super::tests::{drawn, network, scanned};
use super::*;
use crate::engine::tests::search::{Needle, found};
use crate::finger::{FingerCapture, FingerTemplate, MinutiaFinder};

/// A part of the drawn print, made a little different: no other test's print is found.
fn print(width: usize, height: usize) -> FingerImage {
    let FingerImage { grey } = scanned(&drawn());
    let pixel =
        |x: usize, y: usize| grey.get(x as isize + 60, y as isize + 60).unwrap_or(231.0) - (x * 7 % 11) as f32 * 0.1;
    FingerImage { grey: Grid::from_fn(width, height, pixel) }
}

fn bytes(values: &[f32]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(values.len() * 4));
    values.iter().for_each(|v| bytes.extend(v.to_le_bytes()));
    bytes
}

/// Of one minutia: how sure, as the runtime has it where the largest of seven are kept; what was seen there; where it is; and what
/// was said of it and its neighbours.
#[inline(never)]
fn needles(leader: &mut Leader, image: &FingerImage) -> [Needle; 4] {
    let canvas = whole(image);
    let Canvas { pixels, width, height, .. } = &canvas;
    let answer = placed(&mut leader.places, pixels, (*width, *height)).unwrap();
    let peaks = answer.floats(PEAKS, width * height).unwrap();
    let mut places = Zeroizing::new(Vec::with_capacity(AT_ONCE as usize));
    places.extend((0..peaks.len()).filter(|at| peaks[*at] >= LEAST_QUALITY).map(|at| (at % width, at / width)));
    let half = (width / 2, height / 2);
    let seen = answer.floats(SEEN, CHANNELS as usize * half.0 * half.1).unwrap();
    let said = details(&mut leader.details, seen, half, &places).unwrap();
    let (x, y) = places[3];
    let middle = (5 * half.1 + y / 2) * half.0 + x / 2;
    let three = Zeroizing::new([2, 3, 4].map(|at| [said[at].direction, said[at].kind]));
    let place = Zeroizing::new([x.to_ne_bytes(), y.to_ne_bytes()]);
    [
        Needle::new("sureness", &bytes(&[peaks[y * width + x]; 5])),
        Needle::new("seen", &bytes(&seen[middle - 4..middle + 5])),
        Needle::new("place", place.as_flattened()),
        Needle::new("said", &bytes(three.as_flattened())),
    ]
}

#[test]
fn attack_96_nothing_of_a_print_is_in_the_runtimes_memory_after_the_network_was_dropped() {
    // What the runtime frees is given back to the system where it is large, and stays in this process where it is small.
    for (width, height) in [(96, 96), (128, 160), (340, 400)] {
        let Some(mut leader) = network() else { return };
        let image = print(width, height);
        let needles = needles(&mut leader, &image);
        // Twice, so that memory laid out anew would show.
        drop(leader.minutiae(&image).unwrap());
        let before = found(&needles);
        eprintln!("{width} × {height}, before: {before:?}");
        // The search finds what is there; what was answered is gone already.
        assert!(before[0].1 > 0 && before[1..].iter().all(|(_, count)| *count == 0), "{before:?}");
        drop((image, leader));
        let after = found(&needles);
        assert!(after.iter().all(|(_, count)| *count == 0), "before {before:?}, after {after:?}");
    }
}

/// A minutia in the middle of a template's list, in each order that its last three fields may have in memory.
#[inline(never)]
fn taken(finder: &mut MinutiaFinder, image: &FingerImage) -> (FingerTemplate, [Needle; 6]) {
    let template = FingerCapture::take_ungated(image, finder).unwrap().into_template();
    let Minutia { x, y, angle: a, kind, quality: q } = template.minutiae[template.minutiae() / 2];
    let ([x0, x1], [y0, y1], k) = (x.to_ne_bytes(), y.to_ne_bytes(), kind as u8);
    let orders = [[a, k, q], [a, q, k], [k, a, q], [k, q, a], [q, a, k], [q, k, a]];
    let needle = |[f, g, h]: [u8; 3]| Needle::new("minutia", &Zeroizing::new([x0, x1, y0, y1, f, g, h])[..]);
    (template, orders.map(needle))
}

#[test]
fn attack_96_nothing_of_a_template_is_in_memory_after_it_was_taken_from_an_image() {
    let Some(leader) = network() else { return };
    let mut finder = MinutiaFinder::Leader(Box::new(leader));
    let image = print(340, 400);
    let (template, needles) = taken(&mut finder, &image);
    let count = || found(&needles).iter().map(|(_, count)| count).sum::<usize>();
    assert_eq!(count(), 1);
    drop((template, image, finder));
    assert_eq!(count(), 0);
}
