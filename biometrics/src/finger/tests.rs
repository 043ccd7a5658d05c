//! Fingers: what bad input does, what templates and records keep, and what real prints score.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use zeroize::Zeroizing;

use super::*;
use crate::Sample;
use crate::comparison::{Decision, Threshold};

/// Waves around a centre: ridges, no finger.
pub(super) fn whorl(width: u32, height: u32, period: f32) -> Sample {
    let mut rgb = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let (dx, dy) = (x as f32 - width as f32 * 0.45, y as f32 - height as f32 * 0.55);
            let wave = (std::f32::consts::TAU * (dx * 0.8).hypot(dy) / period + (x as f32 / 60.0).sin()).cos();
            rgb.extend([(128.0 + 90.0 * wave) as u8; 3]);
        }
    }
    Sample::from_rgb(width, height, rgb).unwrap()
}

fn flat(width: u32, height: u32, value: u8) -> Sample {
    Sample::from_rgb(width, height, vec![value; (width * height * 3) as usize]).unwrap()
}

fn take(sample: &Sample) -> Result<FingerCapture, ExtractError> {
    FingerCapture::take_ungated(&FingerImage::from_scan(sample, Resolution::STANDARD)?, &mut MinutiaFinder::Mindtct)
}

#[test]
fn attack_93_images_that_are_no_print_are_refused_in_bounded_time() {
    for (width, height) in [(1, 1), (1, 4000), (79, 400)] {
        assert!(matches!(take(&flat(width, height, 128)), Err(ExtractError::TooSmall { .. })));
    }
    assert!(matches!(take(&flat(2000, 2000, 128)), Err(ExtractError::TooLarge { .. })));
    for value in [0, 128, 255] {
        assert!(matches!(take(&flat(300, 300, value)), Err(ExtractError::NoPrint)));
    }
    assert!(Resolution::new(0).is_err() && Resolution::new(100_000).is_err());
    // A stripe of noise, a single bright pixel, a hard edge: no panic, and nothing that the gate lets through.
    let mut noise = vec![0_u8; 300 * 300 * 3];
    let mut state = 1_u32;
    for pixel in noise.chunks_exact_mut(3) {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        pixel.fill((state >> 24) as u8);
    }
    let edge: Vec<u8> = (0..300 * 300).flat_map(|i| [if i % 300 < 150 { 0 } else { 255 }; 3]).collect();
    for rgb in [noise, edge] {
        let image = FingerImage::from_scan(&Sample::from_rgb(300, 300, rgb).unwrap(), Resolution::STANDARD).unwrap();
        assert!(FingerCapture::take(&image, &mut MinutiaFinder::Mindtct).is_err());
    }
}

#[test]
fn a_wrong_resolution_is_named_by_the_gate() {
    let image = FingerImage::from_scan(&whorl(400, 400, 9.0), Resolution::new(300).unwrap()).unwrap();
    let error = FingerCapture::take(&image, &mut MinutiaFinder::Mindtct).unwrap_err();
    assert_eq!(error.code(), "wrong-scale");
    assert!(error.hint().contains("--dpi"));
}

#[test]
fn attack_96_nothing_of_a_print_is_in_a_debug_text() {
    let capture = take(&whorl(300, 400, 9.0)).unwrap();
    let template = capture.template();
    assert_eq!(format!("{template:?}"), "FingerTemplate { extractor: Mindtct, .. }");
    assert_eq!(format!("{:?}", template.minutiae.first()), "Some(Minutia { .. })");
    assert_eq!(format!("{:?}", FingerProbe::new(template)), "FingerProbe { .. }");
    let reference = FingerReference::enrol([template]).unwrap();
    assert_eq!(format!("{reference:?}"), "FingerReference { impressions: 1, .. }");
}

#[test]
fn attack_89_templates_with_nothing_to_compare_get_the_lowest_score_of_a_comparison() {
    let same = Minutia { x: 50, y: 50, angle: 0, kind: MinutiaKind::Other, quality: 50 };
    for minutiae in [vec![], vec![same], vec![same; 60]] {
        let template = FingerTemplate::new(Extractor::Mindtct, (100, 100), Zeroizing::new(minutiae), None);
        let reference = FingerReference::enrol([&template]).unwrap();
        let score = compare(&FingerProbe::new(&template), &reference).unwrap().value();
        assert!(score.is_finite() && score < Threshold::FINGER.value(), "{score}");
    }
    assert_eq!(FingerReference::enrol([]).unwrap_err(), FingerEnrolError::NoImpression);
    let template = FingerTemplate::new(Extractor::Mindtct, (100, 100), Zeroizing::new(vec![]), None);
    assert!(FingerReference::enrol(std::iter::repeat_n(&template, MAX_IMPRESSIONS + 1)).is_err());
}

#[test]
fn finger_09_prints_of_two_extractors_are_not_compared_or_enrolled_together() {
    let by = |extractor| FingerTemplate::new(extractor, (500, 500), Zeroizing::new(scattered(40)), None);
    let [mindtct, leader, foreign] = [Extractor::Mindtct, Extractor::Leader, Extractor::Foreign].map(by);
    let reference = FingerReference::enrol([&mindtct]).unwrap();
    let error = compare(&FingerProbe::new(&leader), &reference).unwrap_err();
    assert_eq!(
        error,
        FingerCompareError::ExtractorMismatch { probe: Extractor::Leader, reference: Extractor::Mindtct }
    );
    assert!(error.to_string().contains("by leader") && error.to_string().contains("by mindtct"), "{error}");
    assert!(matches!(
        FingerReference::enrol([&leader, &leader, &mindtct]),
        Err(FingerEnrolError::MixedExtractors { first: Extractor::Leader, other: Extractor::Mindtct })
    ));
    // A record of a standard is made to be compared with others'.
    assert!(compare(&FingerProbe::new(&foreign), &reference).is_ok());
    assert!(compare(&FingerProbe::new(&leader), &FingerReference::enrol([&foreign]).unwrap()).is_ok());
    // Storage keeps who made it; what nobody can have made is refused, and so is a template that did not say.
    for template in [&mindtct, &leader, &foreign] {
        let mut bytes = template.to_bytes();
        assert_eq!(FingerTemplate::from_bytes(&bytes).unwrap().extractor(), template.extractor());
        bytes[1] = 3;
        assert_eq!(FingerTemplate::from_bytes(&bytes).unwrap_err(), FingerTemplateError::NotATemplate);
        bytes[0] = 1;
        assert_eq!(FingerTemplate::from_bytes(&bytes).unwrap_err(), FingerTemplateError::UnknownVersion { got: 1 });
    }
}

#[test]
fn a_print_moved_and_turned_still_matches_itself() {
    let minutiae: Vec<Minutia> = scattered(40);
    let moved = |m: &Minutia| {
        // A quarter of a right angle counter-clockwise, around the middle.
        let (sin, cos) = (16.0 * std::f32::consts::TAU / 256.0_f32).sin_cos();
        let (x, y) = (f32::from(m.x) - 200.0, f32::from(m.y) - 200.0);
        let place = |v: f32| (v + 230.0).round() as u16;
        Minutia { x: place(cos * x + sin * y), y: place(cos * y - sin * x), angle: m.angle.wrapping_add(16), ..*m }
    };
    let turned =
        FingerTemplate::new(Extractor::Mindtct, (500, 500), Zeroizing::new(minutiae.iter().map(moved).collect()), None);
    let template = FingerTemplate::new(Extractor::Mindtct, (500, 500), Zeroizing::new(minutiae), None);
    let reference = FingerReference::enrol([&template]).unwrap();
    assert_eq!(Threshold::FINGER.decide(compare(&FingerProbe::new(&turned), &reference).unwrap()), Decision::Match);
    // Mirrored, every distance is the same and no direction is.
    let mirror = |m: &Minutia| Minutia { x: 450 - m.x, angle: 128_u8.wrapping_sub(m.angle), ..*m };
    let mirrored = FingerTemplate::new(
        Extractor::Mindtct,
        (500, 500),
        Zeroizing::new(scattered(40).iter().map(mirror).collect()),
        None,
    );
    assert_eq!(
        Threshold::FINGER.decide(compare(&FingerProbe::new(&mirrored), &reference).unwrap()),
        Decision::NonMatch
    );
}

fn scattered(count: u32) -> Vec<Minutia> {
    let mut state = 7_u32;
    let mut next = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    (0..count)
        .map(|_| Minutia {
            x: (60 + next(300)) as u16,
            y: (60 + next(300)) as u16,
            angle: next(256) as u8,
            kind: MinutiaKind::Ending,
            quality: 1 + next(100) as u8,
        })
        .collect()
}

#[test]
fn records_are_written_as_the_standards_lay_them_out() {
    let minutia = Minutia { x: 0x0123, y: 0x0045, angle: 64, kind: MinutiaKind::Bifurcation, quality: 77 };
    let template = FingerTemplate::new(Extractor::Mindtct, (388, 374), Zeroizing::new(vec![minutia]), None);
    let iso = write_record(RecordFormat::Iso19794, &template).unwrap();
    let expected = "464d5200203230000000002400000184017600c500c5010000004d018123004540 4d0000".replace(' ', "");
    assert_eq!(iso.iter().map(|b| format!("{b:02x}")).collect::<String>(), expected);
    let ansi = write_record(RecordFormat::Ansi378, &template).unwrap();
    let expected = "464d5200203230000026000000000000 0184017600c500c5010000004d018123 00452d4d0000".replace(' ', "");
    assert_eq!(ansi.iter().map(|b| format!("{b:02x}")).collect::<String>(), expected);
}

#[test]
fn damaged_records_are_refused() {
    let template = FingerTemplate::new(Extractor::Mindtct, (400, 400), Zeroizing::new(scattered(20)), None);
    for format in [RecordFormat::Iso19794, RecordFormat::Ansi378] {
        let good = write_record(format, &template).unwrap();
        assert_eq!(read_records(format, &good).unwrap().len(), 1);
        for length in 0..good.len() {
            assert!(read_records(format, &good[..length]).is_err(), "{length}");
        }
        let mut longer = good.to_vec();
        longer.push(0);
        assert_eq!(read_records(format, &longer).unwrap_err(), RecordError::WrongLength);
        assert!(matches!(read_records(format, &vec![0; 70_000]), Err(RecordError::TooLong { .. })));
        let header = if format == RecordFormat::Iso19794 { 24 } else { 26 };
        let refuses = |at: usize, value: u8, error: RecordError| {
            let mut bad = good.to_vec();
            bad[at] = value;
            assert_eq!(read_records(format, &bad).unwrap_err(), error, "byte {at}");
        };
        refuses(5, b'3', RecordError::NotARecord);
        refuses(header - 1, 1, RecordError::NotARecord);
        refuses(header - 2, 0, RecordError::Views { most: 16 });
        refuses(header - 2, 200, RecordError::Views { most: 16 });
        refuses(header - 4, 0xFF, RecordError::Density);
        refuses(header, 15, RecordError::OutOfRange);
        refuses(header + 2, 101, RecordError::OutOfRange);
        refuses(header + 4, 0xC0, RecordError::OutOfRange);
        refuses(header + 6, 0x40, RecordError::OutOfRange);
        refuses(header + 9, 101, RecordError::OutOfRange);
        if format == RecordFormat::Ansi378 {
            refuses(header + 8, 180, RecordError::OutOfRange);
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = FingerTemplate::from_bytes(&bytes);
        let mut record = b"FMR\0 20\0".to_vec();
        record.extend_from_slice(&(bytes.len() as u32 + 12).to_be_bytes());
        record.extend_from_slice(&bytes);
        for format in [RecordFormat::Iso19794, RecordFormat::Ansi378] {
            let _ = read_records(format, &bytes);
            let _ = read_records(format, &record);
        }
    }

    #[test]
    fn templates_and_records_keep_every_minutia(
        list in proptest::collection::vec((0_u16..500, 0_u16..500, any::<u8>(), 0_u8..3, 1_u8..=100), 0..MOST_MINUTIAE)
    ) {
        let kinds = [MinutiaKind::Other, MinutiaKind::Ending, MinutiaKind::Bifurcation];
        let minutiae = list.iter().map(|(x, y, angle, kind, quality)| {
            Minutia { x: *x, y: *y, angle: *angle, kind: kinds[usize::from(*kind)], quality: *quality }
        }).collect();
        let template = FingerTemplate::new(Extractor::Mindtct, (500, 500), Zeroizing::new(minutiae), None);
        let again = FingerTemplate::from_bytes(&template.to_bytes()).unwrap();
        prop_assert!(again.minutiae == template.minutiae);
        let iso = read_records(RecordFormat::Iso19794, &write_record(RecordFormat::Iso19794, &template).unwrap()).unwrap();
        prop_assert!(iso[0].minutiae == template.minutiae);
        let ansi = read_records(RecordFormat::Ansi378, &write_record(RecordFormat::Ansi378, &template).unwrap()).unwrap();
        prop_assert!(ansi[0].minutiae.len() == template.minutiae.len());
        // Two degrees are one and a half parts: an angle comes back at most one part off.
        for m in ansi[0].minutiae.iter() {
            let near = |o: &&Minutia| o.angle.wrapping_sub(m.angle).wrapping_add(1) <= 2;
            prop_assert!(template.minutiae.iter().filter(|o| (o.x, o.y) == (m.x, m.y)).any(|o| near(&o)));
        }
    }
}

/// FVC2002 set B beside the project, where it is.
pub(super) fn fvc(name: &str) -> Option<PathBuf> {
    let data = std::env::var_os("AMPARO_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let path = data.join("fingers/fvc2002").join(name);
    if path.exists() {
        return Some(path);
    }
    #[allow(clippy::print_stderr, reason = "whoever reads the test's output must know that it was skipped")]
    {
        eprintln!("absent, test skipped: {}", path.display());
    }
    None
}

#[allow(clippy::disallowed_methods, reason = "a test reads files")]
pub(super) fn read(path: &PathBuf) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

#[test]
fn real_prints_match_themselves_and_not_others_and_survive_storage() {
    let Some(folder) = fvc("DB1_B") else { return };
    told_apart(&folder, &mut MinutiaFinder::Mindtct);
}

#[test]
fn real_prints_read_by_the_network_match_themselves_and_not_others() {
    let (Some(folder), Some(network)) = (fvc("DB1_B"), super::leader::tests::network()) else { return };
    told_apart(&folder, &mut MinutiaFinder::Leader(Box::new(network)));
}

fn told_apart(folder: &Path, finder: &mut MinutiaFinder) {
    let mut template = |name: &str| {
        let sample = Sample::decode(&read(&folder.join(name))).unwrap();
        let image = FingerImage::from_scan(&sample, Resolution::STANDARD).unwrap();
        FingerCapture::take(&image, finder).unwrap().into_template()
    };
    let [enrolled, same, other] = ["101_1.tif", "101_2.tif", "105_1.tif"].map(&mut template);
    let stored = FingerTemplate::from_bytes(&enrolled.to_bytes()).unwrap();
    assert_eq!(stored.to_bytes(), enrolled.to_bytes());
    let reference = FingerReference::enrol([&stored]).unwrap();
    let decide =
        |template: &FingerTemplate| Threshold::FINGER.decide(compare(&FingerProbe::new(template), &reference).unwrap());
    assert_eq!((decide(&same), decide(&other)), (Decision::Match, Decision::NonMatch));
    // Every byte of the header that says something else is noticed, and no truncation is read.
    let bytes = enrolled.to_bytes();
    for length in (0..bytes.len()).step_by(7) {
        let cut_after_minutiae = 7 + 7 * enrolled.minutiae();
        assert!(length == cut_after_minutiae || FingerTemplate::from_bytes(&bytes[..length]).is_err(), "{length}");
    }
}

#[test]
fn records_of_a_commercial_extractor_are_read_whole_and_match() {
    let mut read_all = 0;
    for set in ["DB1_B", "DB2_B", "DB3_B", "DB4_B"] {
        let Some(folder) = fvc(set) else { return };
        let one = |name: String| {
            let bytes = read(&folder.join(name));
            let [template] =
                <[FingerTemplate; 1]>::try_from(read_records(RecordFormat::Iso19794, &bytes).unwrap()).unwrap();
            // What we write of it is what was read: places, angles, kinds, qualities.
            let again = write_record(RecordFormat::Iso19794, &template).unwrap();
            let again = read_records(RecordFormat::Iso19794, &again).unwrap();
            assert!(again[0].minutiae == template.minutiae);
            template
        };
        for finger in 101..=110 {
            for impression in 1..=8 {
                let _ = one(format!("{finger}_{impression}.iso"));
                read_all += 1;
            }
        }
        let reference = FingerReference::enrol([&one("101_1.iso".into())]).unwrap();
        let score = |name: &str| compare(&FingerProbe::new(&one(name.into())), &reference).unwrap().value();
        assert!(score("101_2.iso") > score("105_1.iso"), "{set}");
    }
    assert_eq!(read_all, 320);
}

#[test]
fn finger_10_our_minutiae_meet_those_that_a_commercial_extractor_recorded_of_the_same_image() {
    let Some(folder) = fvc("DB1_B") else { return };
    let mut finders = vec![MinutiaFinder::Mindtct];
    finders.extend(super::leader::tests::network().map(|network| MinutiaFinder::Leader(Box::new(network))));
    for mut finder in finders {
        let mut met = 0;
        for finger in 101..=104 {
            let sample = Sample::decode(&read(&folder.join(format!("{finger}_1.tif")))).unwrap();
            let image = FingerImage::from_scan(&sample, Resolution::STANDARD).unwrap();
            let ours = FingerCapture::take_ungated(&image, &mut finder).unwrap().into_template();
            let record = read(&folder.join(format!("{finger}_1.iso")));
            let theirs = read_records(RecordFormat::Iso19794, &record).unwrap();
            let reference = FingerReference::enrol(&theirs).unwrap();
            let score = compare(&FingerProbe::new(&ours), &reference).unwrap();
            met += usize::from(Threshold::FINGER.decide(score) == Decision::Match);
        }
        // Turned by half a turn, no direction would agree.
        assert!(met >= 3, "{}: {met} of 4", finder.extractor());
    }
}
