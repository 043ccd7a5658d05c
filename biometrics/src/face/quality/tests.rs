//! Tests of the quality measures, on drawn faces: each fault is found, a good face has none.

use super::super::pyramid::Pyramid;
use super::*;
use crate::sample::Sample;

/// Eyes, nose, mouth corners of a frontal face, eyes 80 pixels apart.
const FRONTAL: [Point; 5] = [
    Point::new(160.0, 180.0),
    Point::new(240.0, 180.0),
    Point::new(200.0, 230.0),
    Point::new(167.0, 271.0),
    Point::new(233.0, 271.0),
];

fn measure(points: [Point; 5], colour: impl Fn(f64, f64) -> f64, outside: usize) -> Quality {
    let rgb = (0..400).flat_map(|y| (0..400).map(move |x| (f64::from(x), f64::from(y))));
    let rgb = rgb.flat_map(|(x, y)| [colour(x, y).clamp(0.0, 255.0) as u8; 3]).collect();
    let sample = Sample::from_rgb(400, 400, rgb).unwrap();
    let landmarks = Landmarks::from_points(points);
    let aligned = AlignedFace::cut(&Pyramid::new(&sample), &landmarks, 1.0).unwrap();
    Quality::measure(&landmarks, &aligned, 0.9, outside)
}

/// Some structure of the size of eyes, and some finer.
fn textured(x: f64, y: f64) -> f64 {
    130.0 + 40.0 * (x / 15.0).sin() * (y / 15.0).cos() + 15.0 * (x / 2.0).sin() * (y / 2.0).sin()
}

#[test]
fn a_good_face_passes() {
    assert_eq!(measure(FRONTAL, textured, 0).check(), Ok(()));
}

#[test]
fn each_fault_is_named() {
    let dark = |x, y| textured(x, y) / 12.0;
    let bright = |x, y| 238.0 + textured(x, y) / 20.0;
    let flat = |x, y| 120.0 + textured(x, y) / 30.0;
    let blurred = |x: f64, _: f64| 130.0 + 60.0 * (x / 60.0).sin();
    let check = |colour: &dyn Fn(f64, f64) -> f64| measure(FRONTAL, colour, 0).check();
    assert_eq!(check(&dark), Err(QualityFault::TooDark));
    assert_eq!(check(&bright), Err(QualityFault::TooBright));
    assert_eq!(check(&flat), Err(QualityFault::TooFlat));
    assert_eq!(check(&blurred), Err(QualityFault::Blurred));
    // Dark enough in the mean, and most of it white.
    let cut_off = |x: f64, y: f64| if textured(x, y) > 110.0 { 255.0 } else { 0.0 };
    assert_eq!(check(&cut_off), Err(QualityFault::TooBright));
    let half = |x: f64, y: f64| if x < 200.0 { textured(x, y) / 10.0 } else { textured(x, y) };
    assert_eq!(check(&half), Err(QualityFault::UnevenLight));
    assert_eq!(measure(FRONTAL, textured, 1).check(), Err(QualityFault::CutOff));
    let small = FRONTAL.map(|p| Point::new(p.x / 6.0 + 100.0, p.y / 6.0 + 100.0));
    assert_eq!(measure(small, textured, 0).check(), Err(QualityFault::TooSmall));
}

/// What covers an eye or the mouth is plain, whether dark, light or of the colour of skin, and in bad light too.
#[test]
fn what_covers_eyes_or_mouth_is_named() {
    let covered = |left: f64, top: f64, right: f64, bottom: f64, with: f64, light: f64| {
        let within = move |x: f64, y: f64| (left..right).contains(&x) && (top..bottom).contains(&y);
        measure(FRONTAL, move |x, y| light * if within(x, y) { with } else { textured(x, y) }, 0)
    };
    for light in [1.0, 0.3] {
        for with in [25.0, 90.0, 140.0] {
            // Both eyes, one of them, the mouth.
            assert_eq!(covered(120.0, 150.0, 280.0, 210.0, with, light).check(), Err(QualityFault::EyesCovered));
            assert_eq!(covered(130.0, 150.0, 190.0, 210.0, with, light).check(), Err(QualityFault::EyesCovered));
            // A mouth is named where the face is unclear, and refuses nobody who is seen clearly.
            let mouth = covered(110.0, 245.0, 290.0, 330.0, with, light);
            assert_eq!(mouth.clone().with_agreement(0.9).check(), Ok(()));
            assert!(mouth.clone().with_agreement(0.9).value() >= 0.5);
            assert_eq!(mouth.with_agreement(0.8).check(), Err(QualityFault::MouthCovered));
        }
        // Neither: a cheek, and the brow.
        for (left, top, right, bottom) in [(110.0, 210.0, 160.0, 240.0), (120.0, 100.0, 280.0, 150.0)] {
            let elsewhere = covered(left, top, right, bottom, 90.0, light);
            assert_eq!(elsewhere.clone().check(), Ok(()));
            assert_eq!(elsewhere.with_agreement(0.8).check(), Err(QualityFault::Unclear));
        }
    }
}

/// An expression is advice: it is told with what helps, and neither refuses nor lowers the number for all.
#[test]
fn a_wide_or_narrow_mouth_is_told_and_refuses_nobody() {
    let with_mouth = |half: f64| {
        let mut points = FRONTAL;
        (points[3].x, points[4].x) = (200.0 - half, 200.0 + half);
        measure(points, textured, 0).with_agreement(0.9)
    };
    let told = |quality: &Quality| {
        let of = |c: &&Component| c.name() == ComponentName::MouthWidth;
        quality.components().iter().find(of).and_then(Component::advice)
    };
    let at_rest = with_mouth(33.0);
    assert_eq!((told(&at_rest), at_rest.check()), (None, Ok(())));
    for half in [29.0, 39.0] {
        let quality = with_mouth(half);
        assert_eq!((told(&quality), quality.check()), (Some(QualityFault::NotAtRest), Ok(())), "{half}");
        assert!(quality.value() >= 0.5, "{half}: {}", quality.value());
        let json = serde_json::to_value(&quality).unwrap();
        let mouth = json["components"].as_array().unwrap().iter().find(|c| c["name"] == "mouth-width").unwrap();
        assert_eq!((mouth["good"].as_bool(), mouth["advisory"].as_bool()), (Some(false), Some(true)));
        assert_eq!(mouth["help"].as_str(), Some("close your mouth and keep your face at rest"));
    }
}

#[test]
fn what_detector_or_embedder_doubt_is_unclear() {
    let good = measure(FRONTAL, textured, 0);
    assert_eq!(good.clone().with_agreement(0.9).check(), Ok(()));
    assert_eq!(good.clone().with_agreement(0.8).check(), Err(QualityFault::Unclear));
    assert_eq!(good.clone().with_agreement(f64::NAN).check(), Err(QualityFault::Unclear));
    assert_eq!(Quality { certainty: 0.8, ..good }.check(), Err(QualityFault::Unclear));
}

#[test]
fn goodness_is_a_half_at_the_limit_and_the_weakest_component_counts() {
    let at = |name, value| Component::new(name, value).goodness();
    assert_eq!(at(ComponentName::InterEyeDistance, 16.0), 0.5);
    assert_eq!(at(ComponentName::InterEyeDistance, 64.0), 2.0);
    assert_eq!(
        (at(ComponentName::Yaw, 0.0), at(ComponentName::Yaw, -35.0), at(ComponentName::Yaw, 70.0)),
        (1.0, 0.5, 0.0)
    );
    assert_eq!((at(ComponentName::LandmarksOutside, 0.0), at(ComponentName::LandmarksOutside, 1.0)), (1.0, 0.0));
    assert_eq!(at(ComponentName::Agreement, f64::NAN), 0.0);
    let good = measure(FRONTAL, textured, 0).with_agreement(0.9);
    assert!((0.5..=1.0).contains(&good.value()));
    assert_eq!(Quality { turn: 170.0, ..good.clone() }.value(), 0.0);
    let weak = good.clone().with_agreement(0.1);
    assert!(weak.value() < 0.1, "{}", weak.value());
    let told = serde_json::to_value(&good).unwrap();
    assert_eq!(told["components"].as_array().unwrap().len(), ComponentName::ALL.len());
    let turned = Quality { turn: 60.0, ..good };
    let told = serde_json::to_value(&turned).unwrap();
    let yaw = told["components"].as_array().unwrap().iter().find(|c| c["name"] == "yaw").unwrap();
    assert_eq!((yaw["good"].as_bool(), yaw["help"].as_str()), (Some(false), Some("look straight at the camera")));
    assert_eq!((yaw["at_least"].as_f64(), yaw["at_most"].as_f64()), (Some(-35.0), Some(35.0)));
}

#[test]
fn poses_are_told_apart() {
    let moved = |i: usize, dx: f64, dy: f64| {
        let mut points = FRONTAL;
        points[i] = Point::new(points[i].x + dx, points[i].y + dy);
        measure(points, textured, 0)
    };
    assert_eq!(moved(2, 32.0, 0.0).check(), Err(QualityFault::TurnedAway));
    assert_eq!(moved(2, -32.0, 0.0).check(), Err(QualityFault::TurnedAway));
    assert_eq!(moved(2, 0.0, 33.0).check(), Err(QualityFault::Nodding));
    assert_eq!(moved(2, 0.0, -33.0).check(), Err(QualityFault::Nodding));
    assert_eq!(moved(2, 8.0, 5.0).check(), Ok(()));
    let (sine, cosine) = 0.8_f64.sin_cos();
    let tilted = FRONTAL.map(|p| {
        let (x, y) = (p.x - 200.0, p.y - 220.0);
        Point::new(200.0 + cosine * x - sine * y, 220.0 + sine * x + cosine * y)
    });
    let quality = measure(tilted, textured, 0);
    assert_eq!(quality.check(), Err(QualityFault::Tilted));
    assert!((quality.tilt - 0.8_f64.to_degrees()).abs() < 0.1 && quality.turn.abs() < 2.0 && quality.nod.abs() < 5.0);
}

#[test]
fn every_fault_has_a_hint_and_a_name() {
    for fault in [
        QualityFault::UnevenLight,
        QualityFault::Unclear,
        QualityFault::TooSmall,
        QualityFault::CutOff,
        QualityFault::Blurred,
        QualityFault::TurnedAway,
        QualityFault::EyesCovered,
        QualityFault::MouthCovered,
        QualityFault::NotAtRest,
    ] {
        assert!(fault.hint().len() > 10 && !fault.code().contains(' ') && !fault.to_string().ends_with('.'));
    }
}
