//! Tests of the detector's contract.

use super::*;
use crate::sample::Sample;

fn face(score: f64, left: f64, top: f64, size: f64) -> Face {
    let place = Rectangle { left, top, width: size, height: size };
    Face { score, place, landmarks: Landmarks::default() }
}

fn sample(width: u32, height: u32) -> Sample {
    let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| [x as u8, y as u8, 7])).collect();
    Sample::from_rgb(width, height, rgb).unwrap()
}

#[test]
fn outputs_are_read_as_the_authors_decode_them() {
    // One cell of a 64-pixel canvas at stride 32: column 1, row 0.
    let sample = sample(64, 64);
    let pyramid = Pyramid::new(&sample);
    let placement = Placement::whole(&pyramid, 64, 64.0);
    let mut class = [0.0; 4];
    let mut objectness = [0.0; 4];
    let mut boxes = [0.0; 16];
    let mut landmarks = [0.0; 40];
    (class[1], objectness[1]) = (0.81, 1.0);
    boxes[4..8].copy_from_slice(&[0.5, 0.25, 0.0, 2.0_f32.ln()]);
    landmarks[10..20].copy_from_slice(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]);
    let output =
        StrideOutput { stride: 32, class: &class, objectness: &objectness, boxes: &boxes, landmarks: &landmarks };
    let mut faces = Vec::new();
    read(&output, &placement, 0.5, &mut faces);
    let [found] = faces.as_slice() else { panic!("{faces:?}") };
    assert!((found.score - 0.9).abs() < 1e-6);
    let close = |a: f64, b: f64| (a - b).abs() < 1e-4;
    assert!(close(found.place.left, 48.0 - 16.0) && close(found.place.top, 8.0 - 32.0), "{:?}", found.place);
    assert!(close(found.place.width, 32.0) && close(found.place.height, 64.0));
    assert!(close(found.landmarks.right_eye.x, 35.2) && close(found.landmarks.right_eye.y, 6.4));
    assert!(close(found.landmarks.left_mouth.x, 60.8) && close(found.landmarks.left_mouth.y, 32.0));
}

#[test]
fn numbers_that_are_none_are_no_face() {
    let sample = sample(64, 64);
    let pyramid = Pyramid::new(&sample);
    let placement = Placement::whole(&pyramid, 64, 64.0);
    for poison in [f32::NAN, f32::INFINITY, 1e30] {
        let good = [1.0; 4];
        let (mut boxes, mut landmarks, mut class) = ([0.0; 16], [0.0; 40], good);
        let count = |class: &[f32], boxes: &[f32], landmarks: &[f32]| {
            let output = StrideOutput { stride: 32, class, objectness: &good, boxes, landmarks };
            let mut faces = Vec::new();
            read(&output, &placement, 0.5, &mut faces);
            faces.len()
        };
        assert_eq!(count(&class, &boxes, &landmarks), 4);
        boxes[2] = poison;
        landmarks[19] = poison;
        assert_eq!(count(&class, &boxes, &landmarks), 2);
        class[3] = f32::NAN;
        assert_eq!(count(&class, &boxes, &landmarks), 1);
    }
}

#[test]
fn one_face_seen_twice_is_one() {
    let faces = suppress(vec![
        face(0.8, 10.0, 10.0, 100.0),
        face(0.9, 14.0, 8.0, 100.0),
        // The same at another scale, a third smaller.
        face(0.7, 25.0, 25.0, 60.0),
        face(0.6, 200.0, 10.0, 90.0),
    ]);
    let scores: Vec<f64> = faces.iter().map(|f| f.score).collect();
    assert_eq!(scores, [0.9, 0.6]);
}

#[test]
fn a_placement_and_back_is_the_identity() {
    for (width, height) in [(92, 112), (1000, 30), (64, 640)] {
        let sample = sample(width, height);
        let pyramid = Pyramid::new(&sample);
        for placement in [
            Placement::whole(&pyramid, 320, 160.0),
            Placement::around(&Rectangle { left: 10.0, top: 5.0, width: 20.0, height: 25.0 }, 320, 175.0),
        ] {
            let p = placement.back(Point::new(160.0, 160.0));
            let canvas = Point::new(p.x * placement.scale + placement.left, p.y * placement.scale + placement.top);
            assert!(canvas.minus(Point::new(160.0, 160.0)).length() < 1e-9);
        }
        let whole = Placement::whole(&pyramid, 320, 160.0);
        let centre = whole.back(Point::new(160.0, 160.0));
        assert!(centre.minus(Point::new(f64::from(width) / 2.0, f64::from(height) / 2.0)).length() < 1e-9);
    }
}

#[test]
fn planes_hold_blue_green_red_and_go_on_beyond_the_edge() {
    let sample = sample(160, 160);
    let pyramid = Pyramid::new(&sample);
    let planes = Placement::whole(&pyramid, 320, 160.0).planes(&pyramid);
    let at = |plane: usize, x: usize, y: usize| planes[plane * 320 * 320 + y * 320 + x];
    assert!((at(0, 100, 100) - 7.0).abs() < 1e-3);
    assert!((at(1, 180, 130) - 50.0).abs() < 1e-3);
    assert!((at(2, 180, 130) - 100.0).abs() < 1e-3);
    assert!((at(2, 319, 130) - 159.0).abs() < 1e-3, "the edge goes on");
}
