//! Photographs: what is refused and why, and what comes out of simulated ones.

use super::super::tests::{fvc, read, whorl};
use super::super::{ExtractError, FingerCapture, FingerProbe, FingerReference, FingerTemplate, MinutiaFinder, compare};
use super::*;
use crate::comparison::{Decision, Threshold};
use crate::simulation::{Conditions, Seed, fingertip};

/// Upright fingers on green, drawn with a rule of place for the brightness: no scanner's image is behind them.
fn drawn(width: u32, height: u32, fingers: &[(f32, f32)], light: impl Fn(f32, f32) -> f32) -> Sample {
    let mut rgb = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let (x, y) = (x as f32, y as f32);
            let inside = |(middle, half): &(f32, f32)| {
                let from_top = (20.0 + half - y).max(0.0);
                (x - middle).hypot(from_top) < *half
            };
            let colour = if fingers.iter().any(inside) {
                [210.0, 160.0, 130.0].map(|v: f32| v * light(x, y))
            } else {
                [40.0, 90.0, 60.0]
            };
            rgb.extend(colour.map(|v| v.clamp(0.0, 255.0) as u8));
        }
    }
    Sample::from_rgb(width, height, rgb).unwrap()
}

fn develop(sample: &Sample) -> Result<FingerPhotograph, PhotographError> {
    FingerPhotograph::develop(sample, PhotographView::default())
}

fn noise(x: f32, y: f32) -> f32 {
    let mixed = (x as u32).wrapping_mul(0x9E37_79B1) ^ (y as u32).wrapping_mul(0x85EB_CA6B);
    (mixed.wrapping_mul(mixed | 1) >> 24) as f32 / 255.0
}

#[test]
fn each_photograph_without_a_finger_to_read_is_refused_by_its_name() {
    let refused = |sample: &Sample| develop(sample).map(|_| "developed").unwrap_or_else(|error| error.code());
    for value in [0, 128, 255] {
        assert_eq!(refused(&Sample::from_rgb(300, 300, vec![value; 270_000]).unwrap()), "no-finger");
    }
    assert_eq!(refused(&drawn(600, 500, &[], |_, _| 1.0)), "no-finger");
    assert_eq!(refused(&drawn(600, 500, &[(170.0, 90.0), (430.0, 90.0)], |_, _| 1.0)), "two-fingers");
    assert_eq!(refused(&drawn(400, 500, &[(200.0, 50.0)], |_, _| 1.0)), "too-far");
    assert_eq!(refused(&drawn(500, 600, &[(250.0, 150.0)], |_, _| 1.0)), "too-blurred");
    let rough = |x: f32, y: f32| 0.7 + 0.6 * noise((x / 5.0).floor(), (y / 5.0).floor());
    assert_eq!(refused(&drawn(500, 600, &[(250.0, 150.0)], rough)), "no-ridge-period");
    for (width, height) in [(1, 1), (1, 900), (900, 1), (9, 9)] {
        let sample = Sample::from_rgb(width, height, vec![90; (width * height * 3) as usize]).unwrap();
        assert!(develop(&sample).is_err());
    }
}

#[test]
fn two_fingers_that_meet_in_a_hand_are_two() {
    let mut rgb = drawn(600, 500, &[(150.0, 80.0), (450.0, 80.0)], |_, _| 1.0).as_rgb().to_vec();
    // The hand, from 400 down.
    rgb[400 * 600 * 3..].chunks_exact_mut(3).for_each(|pixel| pixel.copy_from_slice(&[210, 160, 130]));
    assert_eq!(develop(&Sample::from_rgb(600, 500, rgb).unwrap()).unwrap_err(), PhotographError::TwoFingers);
}

#[test]
fn ridges_come_out_nine_pixels_apart_at_any_distance_of_the_camera() {
    for (half, period) in [(80.0, 6.0), (120.0, 11.0), (200.0, 14.0)] {
        let wave = |_: f32, y: f32| 1.0 + 0.12 * (std::f32::consts::TAU * y / period).cos();
        let photograph = develop(&drawn(2 * half as u32 + 120, 4 * half as u32, &[(half + 60.0, half)], wave)).unwrap();
        let (normal, deviation) = normalise(&photograph.image().grey);
        let found = RidgeMap::of(&normal, &deviation).mean_period;
        assert!((8.5..9.5).contains(&found), "{half}: {found}");
        let of = |name: &str| photograph.quality().components().into_iter().find(|c| c.name() == name).unwrap();
        let pixels = of("ridge-pixels").value();
        assert!((pixels / f64::from(period) - 1.0).abs() < 0.12, "{half}: {pixels}");
    }
}

#[test]
fn bright_ridges_come_out_dark_and_dark_ones_stay() {
    let sample = drawn(400, 500, &[(200.0, 140.0)], |_, y| 1.0 + 0.12 * (std::f32::consts::TAU * y / 9.0).cos());
    let of = |ridges| {
        FingerPhotograph::develop(&sample, PhotographView { ridges, handedness: Handedness::AsSeen })
            .unwrap()
            .into_parts()
            .0
    };
    let (bright, dark) = (of(RidgeTone::Bright), of(RidgeTone::Dark));
    let pairs = bright.grey.cells().iter().zip(dark.grey.cells());
    assert!(pairs.clone().all(|(a, b)| (a + b - 256.0).abs() < 1.5 || *a == 255.0 || *b == 255.0));
    assert!(pairs.filter(|(a, b)| (*a - *b).abs() > 20.0).count() > 10_000);
}

#[test]
fn attack_96_nothing_of_a_photograph_is_in_a_debug_text() {
    let wave = |_: f32, y: f32| 1.0 + 0.12 * (std::f32::consts::TAU * y / 9.0).cos();
    let text = format!("{:?}", develop(&drawn(400, 500, &[(200.0, 140.0)], wave)).unwrap());
    assert!(text.starts_with("FingerPhotograph { quality: PhotographQuality { ridge_pixels:"), "{text}");
    assert!(text.ends_with(", .. }") && text.len() < 300, "{text}");
}

#[test]
fn a_simulated_photograph_is_the_same_for_the_same_seed() {
    let print = FingerImage::from_scan(&whorl(388, 374, 9.0), Resolution::STANDARD).unwrap();
    let taken = |seed| fingertip(&print, Conditions::Hard, Handedness::AsSeen, Seed(seed)).unwrap();
    assert!(taken(1) == taken(1) && taken(1) != taken(2));
    assert!(develop(&Sample::decode(&taken(1)).unwrap()).is_ok());
    let flat = Sample::from_rgb(300, 300, vec![128; 270_000]).unwrap();
    let none = FingerImage::from_scan(&flat, Resolution::STANDARD).unwrap();
    assert!(fingertip(&none, Conditions::Good, Handedness::AsSeen, Seed(1)).is_err());
}

#[test]
fn simulated_photographs_match_scans_of_the_same_finger_and_no_others() {
    let Some(folder) = fvc("DB1_B") else { return };
    let print = |name: &str| {
        let sample = Sample::decode(&read(&folder.join(name))).unwrap();
        FingerImage::from_scan(&sample, Resolution::STANDARD).unwrap()
    };
    let photograph = |name: &str, of: Handedness, told: Handedness| -> Result<FingerTemplate, ExtractError> {
        let jpeg = fingertip(&print(name), Conditions::Ordinary, of, Seed(3)).unwrap();
        let view = PhotographView { ridges: RidgeTone::Bright, handedness: told };
        let developed = FingerPhotograph::develop(&Sample::decode(&jpeg).unwrap(), view)?;
        Ok(FingerCapture::take_ungated(developed.image(), &mut MinutiaFinder::Mindtct)?.into_template())
    };
    let scan = |name: &str| {
        FingerCapture::take(&print(name).evened().unwrap(), &mut MinutiaFinder::Mindtct).unwrap().into_template()
    };
    let reference = FingerReference::enrol([&scan("101_1.tif")]).unwrap();
    let decide =
        |template: &FingerTemplate| Threshold::FINGER.decide(compare(&FingerProbe::new(template), &reference).unwrap());
    for handedness in [Handedness::AsSeen, Handedness::Mirrored] {
        let same = photograph("101_2.tif", handedness, handedness).unwrap();
        let other = photograph("105_1.tif", handedness, handedness).unwrap();
        assert_eq!((decide(&same), decide(&other)), (Decision::Match, Decision::NonMatch), "{handedness:?}");
    }
    // The mirror image is another finger's.
    let wrong = photograph("101_2.tif", Handedness::AsSeen, Handedness::Mirrored).unwrap();
    assert_eq!(decide(&wrong), Decision::NonMatch);
}
