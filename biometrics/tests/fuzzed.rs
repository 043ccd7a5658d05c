//! What a fuzzer calls with pictures and templates, and the replay of what it found.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they stand and read files"
)]

use biometrics::Sample;
use biometrics::comparison::{ComparisonScore, Threshold};
use biometrics::finger::{
    FingerCapture, FingerImage, FingerPhotograph, FingerProbe, FingerReference, FingerTemplate, Handedness,
    MinutiaFinder, PhotographView, RecordFormat, Resolution, RidgeTone, read_records, write_record,
};
use biometrics::protection::{HelperData, TransformSeed, release};
use biometrics::template::{DIMENSION, Embedding, Probe, Reference};

/// A target: its name, which is that of its corpus, and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("picture", picture),
    ("finger_photograph", finger_photograph),
    ("finger_record", finger_record),
    ("finger_template", finger_template),
    ("face_template", face_template),
];

/// A picture of any format; small ones are taken for prints, too.
pub fn picture(data: &[u8]) {
    let Ok(sample) = Sample::decode(data) else { return };
    let pixels = u64::from(sample.width()) * u64::from(sample.height());
    assert!((1..=Sample::MAX_PIXELS).contains(&pixels));
    assert_eq!(sample.as_rgb().len() as u64, 3 * pixels);
    if pixels <= 20_000
        && let Ok(image) = FingerImage::from_scan(&sample, Resolution::STANDARD)
        && let Ok(capture) = FingerCapture::take_ungated(&image, &mut MinutiaFinder::Mindtct)
    {
        let _ = capture.quality().check();
        compared(&capture.into_template());
    }
}

/// A small picture taken for a photograph of a fingertip, one way round or the other: measures are numbers, and so is the score.
pub fn finger_photograph(data: &[u8]) {
    let Ok(sample) = Sample::decode(data) else { return };
    if u64::from(sample.width()) * u64::from(sample.height()) > 40_000 {
        return;
    }
    let mirrored = data.len().is_multiple_of(2);
    let (ridges, handedness) =
        if mirrored { (RidgeTone::Dark, Handedness::Mirrored) } else { (RidgeTone::Bright, Handedness::AsSeen) };
    if let Ok(photograph) = FingerPhotograph::develop(&sample, PhotographView { ridges, handedness }) {
        assert!(photograph.quality().components().iter().all(|component| component.value().is_finite()));
        if let Ok(capture) = FingerCapture::take_ungated(photograph.image(), &mut MinutiaFinder::Mindtct) {
            compared(&capture.into_template());
        }
    }
}

/// A record of ISO/IEC 19794-2 or ANSI 378: what is read can be written, and is read again as the same.
pub fn finger_record(data: &[u8]) {
    for format in [RecordFormat::Iso19794, RecordFormat::Ansi378] {
        for template in read_records(format, data).unwrap_or_default() {
            compared(&template);
            let Ok(written) = write_record(format, &template) else { continue };
            let again = read_records(format, &written).unwrap();
            assert_eq!(again[0].to_bytes(), template.to_bytes(), "a record that does not survive");
        }
    }
}

/// A template of a finger, as it is stored.
pub fn finger_template(data: &[u8]) {
    let Ok(template) = FingerTemplate::from_bytes(data) else { return };
    assert_eq!(FingerTemplate::from_bytes(&template.to_bytes()).unwrap().to_bytes(), template.to_bytes());
    compared(&template);
}

/// A template of a face, and helper data behind it: what is read is written as it was, and a release says nothing.
pub fn face_template(data: &[u8]) {
    let length = 2 + 32 + 2 * DIMENSION;
    let (template, rest) = data.split_at(length.min(data.len()));
    let Ok(reference) = Reference::from_bytes(template) else { return };
    assert_eq!(reference.to_bytes().as_slice(), template);
    let values: Vec<f32> = (0..DIMENSION).map(|i| (i as f32 * 0.7).sin()).collect();
    let embedding = Embedding::from_output(&values, reference.model()).unwrap();
    let probe = Probe::from_frames(&[embedding]).unwrap();
    is_a_score(biometrics::comparison::compare(&probe, &reference).unwrap());
    if let Some(helper) = rest.first_chunk::<{ HelperData::LENGTH }>() {
        let candidates = release(&probe, &TransformSeed::from_bytes(&[9; 32]), &HelperData::from_bytes(helper));
        for (i, one) in candidates.iter().enumerate() {
            assert!(candidates[..i].iter().all(|other| other.as_bytes() != one.as_bytes()), "a candidate twice");
        }
    }
}

fn compared(template: &FingerTemplate) {
    let reference = FingerReference::enrol([template]).unwrap();
    is_a_score(biometrics::finger::compare(&FingerProbe::new(template), &reference).unwrap());
}

fn is_a_score(score: ComparisonScore) {
    assert!(Threshold::new(score.value()).is_ok(), "a score that is none");
}

#[cfg(test)]
mod replayed {
    use super::TARGETS;
    use std::path::Path;

    #[test]
    fn corpora_of_pictures_and_templates_are_replayed() {
        for (name, target) in TARGETS {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus").join(name);
            let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
            files.sort();
            assert!(files.len() >= 3, "a corpus with nothing in it: {name}");
            for file in files {
                let bytes = std::fs::read(&file).unwrap();
                target(&bytes);
                // Every place changed once, spread where the file is long, and cut off there.
                let step = (bytes.len() / 60).max(1);
                for place in (0..bytes.len()).step_by(step) {
                    let mut changed = bytes.clone();
                    changed[place] ^= 0x41 << (place % 2);
                    target(&changed);
                    target(&bytes[..place]);
                }
            }
        }
    }
}
